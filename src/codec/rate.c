// SPDX-License-Identifier: Apache-2.0
#include "codec/rate.h"

#include "codec/duration.h"

#define RATE_PART 100 // a rate is kept to one part of so many

static enum twoleg_error rate_number(struct str text, uint32_t *ret_number)
{
    uint64_t number;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return TWOLEG_MALFORMED;
    if (text.len == 0)
        return TWOLEG_MALFORMED;
    if (!str_to_u64(text, &number) || number == 0 || number > RATE_MAX)
        return TWOLEG_RANGE;
    *ret_number = (uint32_t)number;
    return TWOLEG_NONE;
}

enum twoleg_error rate_parse(struct str text, struct rate *ret_rate)
{
    struct rate rate = {0};
    if (str_equal(text, STR("none"))) {
        *ret_rate = rate;
        return TWOLEG_NONE;
    }
    size_t slash = str_find(text, '/');
    size_t colon = str_find(text, ':');
    if (slash == text.len || colon < slash)
        return TWOLEG_MALFORMED;
    enum twoleg_error error = rate_number(str_slice(text, 0, slash), &rate.count);
    if (!error)
        error = duration_parse(str_slice(text, slash + 1, colon), false, &rate.period_us);
    if (!error && (rate.period_us < SECOND_US || rate.period_us > DURATION_DAY))
        error = TWOLEG_RANGE;
    // Kept as whole microseconds from one to the next: 600000/1s would be taken for a million.
    if (!error && rate.period_us % rate.count * RATE_PART > rate.period_us)
        error = TWOLEG_RANGE;
    rate.burst = rate.count;
    if (!error && colon < text.len)
        error = rate_number(str_slice(text, colon + 1, text.len), &rate.burst);
    if (!error)
        *ret_rate = rate;
    return error;
}

void rate_format(struct buf *out, const struct rate *rate)
{
    if (rate->count == 0) {
        buf_add(out, STR("none"));
        return;
    }
    buf_add_u64(out, rate->count);
    buf_add_char(out, '/');
    duration_format(out, rate->period_us);
    if (rate->burst == rate->count)
        return;
    buf_add_char(out, ':');
    buf_add_u64(out, rate->burst);
}
