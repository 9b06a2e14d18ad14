// SPDX-License-Identifier: Apache-2.0
#include "model/budget.h"

enum twoleg_error budget_parse(struct str text, struct budget *budget)
{
    struct rate rate = {0};
    bool own = !str_equal(text, STR("default"));
    enum twoleg_error error = own ? rate_parse(text, &rate) : TWOLEG_NONE;
    if (error)
        return error;
    budget->own = own;
    budget->rate = rate;
    return TWOLEG_NONE;
}

void budget_format(struct buf *out, const struct budget *budget)
{
    if (budget->own)
        rate_format(out, &budget->rate);
    else
        buf_add(out, STR("default"));
}

bool budget_same(const struct budget *a, const struct budget *b)
{
    if (a->own != b->own || !a->own || a->rate.count == 0)
        return a->own == b->own && (!a->own || b->rate.count == 0);
    return a->rate.count == b->rate.count && a->rate.burst == b->rate.burst &&
           a->rate.period_us == b->rate.period_us;
}

static const char *const budget_modes[] = {
    [BUDGET_MODE_DEFAULT] = "default",
    [BUDGET_MODE_ENFORCE] = "enforce",
    [BUDGET_MODE_OBSERVE] = "observe",
};
#define BUDGET_MODES (sizeof budget_modes / sizeof *budget_modes)

struct str budget_mode_name(enum budget_mode mode)
{
    return str_from((size_t)mode < BUDGET_MODES ? budget_modes[mode] : "unknown");
}

bool budget_mode_from(struct str name, enum budget_mode *ret_mode)
{
    for (size_t i = 0; i < BUDGET_MODES; i++) {
        if (!str_equal(name, str_from(budget_modes[i])))
            continue;
        *ret_mode = (enum budget_mode)i;
        return true;
    }
    return false;
}

void budget_write(struct json_writer *json, const struct budget *budget)
{
    char memory[BUDGET_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    budget_format(&text, budget);
    json_key_str(json, STR("budget"), buf_str(&text));
    json_key_str(json, STR("budget_mode"), budget_mode_name(budget->mode));
}
