// SPDX-License-Identifier: Apache-2.0
#include "keyring/rotation.h"

void rotation_rules_write(const struct rotation_rules *rules, struct buf *out)
{
    const int64_t numbers[] = {rules->age.value_us, rules->age.until_us, rules->life.value_us,
                               rules->life.until_us};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (i)
            buf_add_char(out, ' ');
        buf_add_i64(out, numbers[i]);
    }
}

static bool rotation_number(struct str *rest, int64_t *ret_value)
{
    struct str word;
    uint64_t value;
    if (!str_word(rest, &word) || !str_to_u64(word, &value) || value > INT64_MAX)
        return false;
    *ret_value = (int64_t)value;
    return true;
}

bool rotation_rules_read(struct str text, struct rotation_rules *ret_rules)
{
    struct rotation_rules rules = {0};
    if (!rotation_number(&text, &rules.age.value_us) ||
        !rotation_number(&text, &rules.age.until_us) ||
        !rotation_number(&text, &rules.life.value_us) ||
        !rotation_number(&text, &rules.life.until_us) || str_trim(text, " ").len > 0)
        return false;
    *ret_rules = rules;
    return true;
}
