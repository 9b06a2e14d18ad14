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

struct str token_format_name(enum token_format format)
{
    return format == FORMAT_SEALED ? STR("sealed") : STR("jwt");
}

bool token_format_from(struct str name, enum token_format *ret_format)
{
    bool jwt = str_equal(name, STR("jwt"));
    if (!jwt && !str_equal(name, STR("sealed")))
        return false;
    *ret_format = jwt ? FORMAT_JWT : FORMAT_SEALED;
    return true;
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
