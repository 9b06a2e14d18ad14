// SPDX-License-Identifier: Apache-2.0
#include "keyring/reason.h"

#include <stdarg.h>
#include <stdio.h>

enum twoleg_error reason_set(char reason[static 512], enum twoleg_error error, const char *format,
                             ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(reason, 512, format, args);
    va_end(args);
    return error;
}
