// SPDX-License-Identifier: Apache-2.0
// The dialects of the folder dialects/, inside the program. A dialect's name is its file's.
#include "dialect/dialect.h"

static const struct {
    const char *name;
    const char *text;
} shipped[] = {
#define DIALECT(name, text) {#name, text},
#include "dialect/dialects.def"
#undef DIALECT
};
#define SHIPPED (sizeof shipped / sizeof *shipped)

struct str dialect_shipped(struct str name)
{
    for (size_t i = 0; i < SHIPPED; i++)
        if (str_equal(str_from(shipped[i].name), name))
            return str_from(shipped[i].text);
    return STR_NONE;
}

const char *dialect_shipped_name(size_t at)
{
    return at < SHIPPED ? shipped[at].name : NULL;
}
