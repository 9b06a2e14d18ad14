// SPDX-License-Identifier: Apache-2.0
// Sizes in bytes as people write them: "512", "64KiB", "10MiB", "2GiB".
#pragma once
#include "base/buf.h"
#include "base/error.h"

// Digits without a leading zero, then nothing, B, KiB, MiB, GiB or TiB at once. MALFORMED,
// UNKNOWN (the unit; KB and MB are refused since they mean two things), RANGE.
TWOLEG_MUST_CHECK
enum twoleg_error size_parse(struct str text, uint64_t *ret_bytes);

// The shortest text that reads back as the same size.
void size_format(struct buf *out, uint64_t bytes);
