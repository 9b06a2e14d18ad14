// SPDX-License-Identifier: Apache-2.0
// Lists of rows that the store reads in the order of their names, page by page.
#pragma once
#include "endpoint/admin/job.h"

struct admin_list {
    const char *key;  // the answer's member with the rows
    uint64_t account; // whose rows; STORE_OPERATOR: everybody's
    enum twoleg_error (*begin)(struct store_reader *reader, const struct store_page *page,
                               struct store_cursor **ret_cursor);
    // Writes the next row and gives its name; false: there is none.
    bool (*row)(struct store_cursor *cursor, struct json_writer *json, struct str *ret_name);
};

// Answers with the page that ?after= and ?limit= ask for. The list outlives the call.
enum twoleg_error admin_list_answer(struct admin_call *call, const struct admin_list *list);
