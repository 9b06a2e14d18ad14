// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

static const struct {
    const char *name;
    const char *text;
} errors[] = {
#define ERROR(name, text) {#name, text},
#include "base/errors.def"
#undef ERROR
};

const char *twoleg_error_text(enum twoleg_error error)
{
    return error < TWOLEG_ERRORS ? errors[error].text : "unknown error";
}

const char *twoleg_error_name(enum twoleg_error error)
{
    return error < TWOLEG_ERRORS ? errors[error].name : "UNKNOWN";
}
