// SPDX-License-Identifier: Apache-2.0
#include "model/application.h"

const struct application_api *application_find_api(const struct application *application,
                                                   uint64_t api)
{
    for (size_t i = 0; i < application->api_count; i++)
        if (application->apis[i].api == api)
            return &application->apis[i];
    return NULL;
}

bool application_serves_any(const struct application *application)
{
    for (size_t i = 0; i < application->api_count; i++)
        if (application->apis[i].serves)
            return true;
    return false;
}

static const struct str token_formats[TOKEN_FORMATS] = {
    [FORMAT_JWT] = {"jwt", 3},
    [FORMAT_SEALED] = {"sealed", 6},
    [FORMAT_REFERENCE] = {"reference", 9},
};

// A list shows the rows of a newer release too.
struct str token_format_name(enum token_format format)
{
    return format < TOKEN_FORMATS ? token_formats[format] : STR("unknown");
}

bool token_format_from(struct str name, enum token_format *ret_format)
{
    for (enum token_format format = 0; format < TOKEN_FORMATS; format++) {
        if (!str_equal(name, token_formats[format]))
            continue;
        *ret_format = format;
        return true;
    }
    return false;
}

struct str entity_status_name(enum entity_status status)
{
    switch (status) {
    case STATUS_ACTIVE:
        return STR("active");
    case STATUS_DISABLED:
        return STR("disabled");
    case STATUS_DELETED:
        return STR("deleted");
    }
    return STR("unknown");
}
