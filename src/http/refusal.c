// SPDX-License-Identifier: Apache-2.0
#include "http/refusal.h"

#define REFUSAL_BODY(error, reason) \
    "{\"error\":\"" error "\",\"error_description\":\"" reason "\"}"

static const struct http_refusal_row refusal_rows[HTTP_REFUSALS] = {
#define REFUSAL(name, status, error, reason) \
    [HTTP_REFUSAL_##name] = {                \
        status, {REFUSAL_BODY(error, reason), sizeof REFUSAL_BODY(error, reason) - 1}, reason},
#include "http/refusals.def"
#undef REFUSAL
};

const struct http_refusal_row *http_refusal_row(enum http_refusal refusal)
{
    return &refusal_rows[refusal < HTTP_REFUSALS ? refusal : HTTP_REFUSAL_INTERNAL];
}
