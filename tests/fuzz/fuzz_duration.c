// SPDX-License-Identifier: Apache-2.0
// Durations and rates: what was read, written and read again is the same.
#include "codec/duration.h"
#include "codec/rate.h"
#include "fuzz.h"

static void fuzz_duration(struct str text)
{
    char memory[64];
    struct buf out;
    int64_t us;
    int64_t again;
    if (duration_parse(text, true, &us))
        return;
    FUZZ_MUST(us >= 0);
    buf_init(&out, memory, sizeof memory);
    duration_format(&out, us);
    FUZZ_MUST(duration_parse(buf_str(&out), true, &again) == TWOLEG_NONE && again == us);
    FUZZ_MUST((us == TIME_NEVER) == str_equal(text, STR("never")));
    duration_format_people(&out, us);
    FUZZ_MUST(!out.failed);
}

static void fuzz_rate(struct str text)
{
    char memory[96];
    struct buf out;
    struct rate rate;
    struct rate again;
    if (rate_parse(text, &rate))
        return;
    FUZZ_MUST(rate.count <= RATE_MAX && rate.burst <= RATE_MAX);
    buf_init(&out, memory, sizeof memory);
    rate_format(&out, &rate);
    FUZZ_MUST(rate_parse(buf_str(&out), &again) == TWOLEG_NONE && again.count == rate.count &&
              again.burst == rate.burst && again.period_us == rate.period_us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_duration(str_of(data, size));
    fuzz_rate(str_of(data, size));
    return 0;
}
