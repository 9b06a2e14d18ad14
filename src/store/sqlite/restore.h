// SPDX-License-Identifier: Apache-2.0
// A restore that was cut short.
#pragma once
#include "store/sqlite/folder.h"

// Brings one to its end whose new store was whole already; else does nothing. For whoever has just
// opened the folder, before looking for a store in it.
enum twoleg_error restore_resume(const struct folder *folder) TWOLEG_MUST_CHECK;
