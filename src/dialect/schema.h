// SPDX-License-Identifier: Apache-2.0
// The keys of a dialect file, as rows for the walker (config/walk.h).
#pragma once
#include "config/schema.h"

const struct schema_shape *dialect_schema(void);
