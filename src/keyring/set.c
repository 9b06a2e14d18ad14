// SPDX-License-Identifier: Apache-2.0
// Searches in one set: a handful of keys.
#include "keyring/keyring.h"

const struct data_key *keyring_active(const struct keyring_set *set, enum key_purpose purpose)
{
    for (size_t i = 0; i < set->data_count; i++)
        if (set->data[i].purpose == purpose && set->data[i].active)
            return &set->data[i];
    return NULL;
}

const struct data_key *keyring_data(const struct keyring_set *set, enum key_purpose purpose,
                                    uint32_t id)
{
    for (size_t i = 0; i < set->data_count; i++)
        if (set->data[i].purpose == purpose && set->data[i].id == id)
            return &set->data[i];
    return NULL;
}

const struct signing_key *keyring_signing(const struct keyring_set *set, struct str algorithm)
{
    for (size_t i = 0; i < set->signing_count; i++)
        if (set->signing[i].state == KEY_SIGNING &&
            str_equal(set->signing[i].algorithm, algorithm))
            return &set->signing[i];
    return NULL;
}

const struct signing_key *keyring_find(const struct keyring_set *set, struct str kid)
{
    for (size_t i = 0; i < set->signing_count; i++)
        if (str_equal(set->signing[i].kid, kid))
            return &set->signing[i];
    return NULL;
}
