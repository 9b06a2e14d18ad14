// SPDX-License-Identifier: Apache-2.0
#include "http/http.h"

struct str http_request_header(const struct http_request *request, struct str name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (str_equal_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return STR_NONE;
}
