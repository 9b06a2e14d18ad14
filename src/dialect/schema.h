// SPDX-License-Identifier: Apache-2.0
// The keys of a dialect file, as rows for the walker (config/walk.h).
#pragma once
#include "config/schema.h"

const struct schema_shape *dialect_schema(void);
const char *dialect_grant_word(unsigned grant);     // of enum grant_kind
const char *dialect_meaning_word(unsigned meaning); // of enum dialect_meaning
const char *dialect_place_word(unsigned place);     // of enum dialect_place
