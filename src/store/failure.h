// SPDX-License-Identifier: Apache-2.0
// Why the store could not write: a fixed word for machines and a sentence for the operator.
#pragma once

enum store_failure {
#define FAILURE(name, word, text) FAILURE_##name,
#include "store/failures.def"
#undef FAILURE
    STORE_FAILURES
};

// Static text: "disk_full"; and what it means and what to do, without a full stop.
const char *store_failure_word(enum store_failure failure);
const char *store_failure_text(enum store_failure failure);
