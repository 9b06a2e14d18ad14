// SPDX-License-Identifier: Apache-2.0
#include "codec/duration.h"

// The largest first, as the formatters need it.
static const struct duration_unit {
    struct str name;
    struct str people;
    int64_t us;
} duration_units[] = {
    {{"y", 1}, {"y", 1}, DURATION_YEAR},     {{"w", 1}, {"w", 1}, DURATION_WEEK},
    {{"d", 1}, {"d", 1}, DURATION_DAY},      {{"h", 1}, {"h", 1}, DURATION_HOUR},
    {{"m", 1}, {"min", 3}, DURATION_MINUTE}, {{"s", 1}, {"s", 1}, SECOND_US},
    {{"ms", 2}, {"ms", 2}, DURATION_MS},     {{"us", 2}, {"us", 2}, 1},
};

#define DURATION_UNITS (sizeof duration_units / sizeof *duration_units)

static enum twoleg_error duration_unit_find(struct str name, int64_t *ret_us)
{
    if (name.len == 0) {
        *ret_us = SECOND_US;
        return TWOLEG_NONE;
    }
    for (size_t i = 0; i < DURATION_UNITS; i++) {
        if (str_equal(name, duration_units[i].name)) {
            *ret_us = duration_units[i].us;
            return TWOLEG_NONE;
        }
    }
    return TWOLEG_UNKNOWN;
}

enum twoleg_error duration_parse(struct str text, bool may_be_never, int64_t *ret_us)
{
    if (str_equal(text, STR("never"))) {
        if (!may_be_never)
            return TWOLEG_RANGE;
        *ret_us = TIME_NEVER;
        return TWOLEG_NONE;
    }
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    // 010 is eight to some readers of YAML and ten to others.
    if (digits == 0 || (digits > 1 && text.ptr[0] == '0'))
        return TWOLEG_MALFORMED;
    int64_t unit;
    enum twoleg_error error = duration_unit_find(str_slice(text, digits, text.len), &unit);
    if (error)
        return error;
    uint64_t count;
    int64_t us;
    if (!str_to_u64(str_slice(text, 0, digits), &count) ||
        __builtin_mul_overflow(count, unit, &us) || us == TIME_NEVER)
        return TWOLEG_RANGE;
    *ret_us = us;
    return TWOLEG_NONE;
}

// The largest unit that divides the span; seconds for none at all.
static const struct duration_unit *duration_unit_of(int64_t us)
{
    if (us == 0)
        return &duration_units[DURATION_UNITS - 3];
    size_t i = 0;
    while (us % duration_units[i].us)
        i++;
    return &duration_units[i];
}

void duration_format(struct buf *out, int64_t us)
{
    if (us == TIME_NEVER) {
        buf_add(out, STR("never"));
        return;
    }
    const struct duration_unit *unit = duration_unit_of(us);
    buf_add_i64(out, us / unit->us);
    buf_add(out, unit->name);
}

void duration_format_people(struct buf *out, int64_t us)
{
    if (us == TIME_NEVER) {
        buf_add(out, STR("never"));
        return;
    }
    const struct duration_unit *unit = duration_unit_of(us);
    buf_add_i64(out, us / unit->us);
    buf_add_char(out, ' ');
    buf_add(out, unit->people);
}
