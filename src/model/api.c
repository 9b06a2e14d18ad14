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

// What RFC 3986 section 2 allows: whatever else stood there, somebody would read differently.
static bool api_identifier_character(char c)
{
    return c >= 0x21 && c <= 0x7e && str_find(STR("\"<>\\^`{|}"), c) == 9;
}

bool api_identifier_valid(struct str identifier)
{
    static const struct str schemes[] = {
        {"https://", 8}, {"http://", 7}, {"urn:", 4}, {"api://", 6}};
    if (identifier.len > API_IDENTIFIER_MAX || str_find(identifier, '#') != identifier.len)
        return false;
    for (size_t i = 0; i < identifier.len; i++)
        if (!api_identifier_character(identifier.ptr[i]))
            return false;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_starts_with(identifier, schemes[i]))
            return identifier.len > schemes[i].len;
    return false;
}
