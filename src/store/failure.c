// SPDX-License-Identifier: Apache-2.0
#include "store/failure.h"

static const struct {
    const char *word, *text;
} failures[STORE_FAILURES] = {
#define FAILURE(name, word, text) {word, text},
#include "store/failures.def"
#undef FAILURE
};

const char *store_failure_word(enum store_failure failure)
{
    return failures[failure].word;
}

const char *store_failure_text(enum store_failure failure)
{
    return failures[failure].text;
}
