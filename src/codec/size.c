// SPDX-License-Identifier: Apache-2.0
#include "codec/size.h"

// The largest first, as the formatter needs it.
static const struct {
    struct str name;
    uint64_t bytes;
} size_units[] = {
    {{"TiB", 3}, UINT64_C(1) << 40}, {{"GiB", 3}, UINT64_C(1) << 30}, {{"MiB", 3}, 1 << 20},
    {{"KiB", 3}, 1 << 10},           {{"B", 1}, 1},                   {{"", 0}, 1},
};

#define SIZE_UNITS (sizeof size_units / sizeof *size_units)

enum twoleg_error size_parse(struct str text, uint64_t *ret_bytes)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    if (digits == 0 || (digits > 1 && text.ptr[0] == '0'))
        return TWOLEG_MALFORMED;
    struct str name = str_slice(text, digits, text.len);
    size_t unit = 0;
    while (unit < SIZE_UNITS && !str_equal(name, size_units[unit].name))
        unit++;
    if (unit == SIZE_UNITS)
        return TWOLEG_UNKNOWN;
    uint64_t bytes;
    if (!str_to_u64(str_slice(text, 0, digits), &bytes) ||
        __builtin_mul_overflow(bytes, size_units[unit].bytes, &bytes))
        return TWOLEG_RANGE;
    *ret_bytes = bytes;
    return TWOLEG_NONE;
}

void size_format(struct buf *out, uint64_t bytes)
{
    size_t unit = 0;
    while (bytes == 0 ? size_units[unit].name.len > 0 : bytes % size_units[unit].bytes != 0)
        unit++;
    if (size_units[unit].bytes == 1)
        unit = SIZE_UNITS - 1;
    buf_add_u64(out, bytes / size_units[unit].bytes);
    buf_add(out, size_units[unit].name);
}
