// SPDX-License-Identifier: Apache-2.0
#include "model/api.h"

const struct api *api_set_find(const struct api_set *set, uint64_t number)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->apis[i].number == number)
            return &set->apis[i];
    return NULL;
}

const struct api *api_set_find_identifier(const struct api_set *set, struct str identifier)
{
    for (size_t i = 0; i < set->count; i++)
        if (str_equal(set->apis[i].identifier, identifier))
            return &set->apis[i];
    return NULL;
}

const struct api *api_set_default(const struct api_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->apis[i].is_default)
            return &set->apis[i];
    return NULL;
}

bool api_identifier_valid(struct str identifier)
{
    static const struct str schemes[] = {
        {"https://", 8}, {"http://", 7}, {"urn:", 4}, {"api://", 6}};
    if (identifier.len > API_IDENTIFIER_MAX || str_find(identifier, '#') != identifier.len)
        return false;
    for (size_t i = 0; i < identifier.len; i++)
        if (identifier.ptr[i] < 0x21 || identifier.ptr[i] > 0x7e || identifier.ptr[i] == '"')
            return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts_with(identifier, schemes[i]))
            return identifier.len > schemes[i].len;
    return false;
}
