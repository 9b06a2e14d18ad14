// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "base/str.h"

enum http_refusal {
#define REFUSAL(name, status, error, reason) HTTP_REFUSAL_##name,
#include "http/refusals.def"
#undef REFUSAL
    HTTP_REFUSALS
};

struct http_refusal_row {
    unsigned status;
    struct str body;    // JSON, static
    const char *reason; // static text for the log
};

const struct http_refusal_row *http_refusal_row(enum http_refusal refusal);
