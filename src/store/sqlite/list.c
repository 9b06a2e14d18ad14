// SPDX-License-Identifier: Apache-2.0
// Lists: one statement, and so one snapshot, each.
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "store/sqlite/state.h"

struct store_cursor {
    struct statement statement;
    char last[CLIENT_ID_MAX]; // of a page: the name that the next row comes after
    size_t last_len;
};

static enum twoleg_error list_begin(struct store_reader *reader, enum statement_id id,
                                    struct store_cursor **ret_cursor)
{
    struct store_cursor *cursor = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *cursor);
    if (!cursor)
        return TWOLEG_NO_MEMORY;
    cursor->statement = statement_begin(&reader->database, id);
    if (cursor->statement.code)
        return store_end(cursor);
    *ret_cursor = cursor;
    return TWOLEG_NONE;
}

enum twoleg_error store_end(struct store_cursor *cursor)
{
    if (!cursor)
        return TWOLEG_NONE;
    enum twoleg_error error = statement_end(&cursor->statement);
    free(cursor);
    return error;
}

enum twoleg_error store_states_begin(struct store_reader *reader, struct store_cursor **ret_cursor)
{
    return list_begin(reader, SQL_APPLICATION_STATES, ret_cursor);
}

bool store_states_next(struct store_cursor *cursor, struct store_change *ret_state)
{
    const struct statement *row = &cursor->statement;
    if (!statement_step(&cursor->statement))
        return false;
    *ret_state = (struct store_change){
        .kind = CHANGE_APPLICATION,
        .number = statement_get_number(row, 0),
        .account = statement_get_number(row, 1),
        .state = {statement_get_status(row, 2), statement_get_number(row, 3)},
        .client_id = statement_get_text(row, 4)};
    return true;
}

enum twoleg_error store_user_states_begin(struct store_reader *reader,
                                          struct store_cursor **ret_cursor)
{
    return list_begin(reader, SQL_USER_STATES, ret_cursor);
}

bool store_user_states_next(struct store_cursor *cursor, struct store_change *ret_state)
{
    bool there = store_states_next(cursor, ret_state);
    ret_state->kind = CHANGE_USER;
    return there;
}

enum twoleg_error store_revocations_begin(struct store_reader *reader,
                                          struct store_cursor **ret_cursor)
{
    return list_begin(reader, SQL_REVOCATION_LIST, ret_cursor);
}

// There may be millions, and a start waits for them: no column is asked for twice.
bool store_revocations_next(struct store_cursor *cursor, struct store_change *ret_revocation)
{
    const struct statement *row = &cursor->statement;
    if (!statement_step(&cursor->statement))
        return false;
    struct str id = statement_get_bytes(row, 0);
    if (id.len != sizeof ret_revocation->token.bytes) {
        *ret_revocation = (struct store_change){.kind = CHANGE_CREDENTIAL,
                                                .number = statement_get_number(row, 1)};
        return true;
    }
    *ret_revocation = (struct store_change){.kind = CHANGE_REVOCATION,
                                            .expires_s = statement_get_int(row, 1)};
    memcpy(ret_revocation->token.bytes, id.ptr, id.len);
    return true;
}

enum twoleg_error store_revocations_count(struct store_reader *reader, size_t *ret_count)
{
    struct statement read = statement_begin(&reader->database, SQL_REVOKED_COUNT_ALL);
    uint64_t count = statement_step(&read) ? statement_get_number(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_count = (size_t)count;
    return error;
}

enum twoleg_error store_accounts_begin(struct store_reader *reader,
                                       struct store_cursor **ret_cursor)
{
    return list_begin(reader, SQL_ACCOUNT_LIST, ret_cursor);
}

bool store_accounts_next(struct store_cursor *cursor, struct store_change *ret_account)
{
    if (!statement_step(&cursor->statement))
        return false;
    uint64_t number = statement_get_number(&cursor->statement, 0);
    bool active = statement_get_int(&cursor->statement, 1) == STATUS_ACTIVE;
    *ret_account = (struct store_change){
        .kind = CHANGE_ACCOUNT, .number = number, .account = number, .account_active = active};
    return true;
}

// In a damaged store a row can come after every text, itself too: whoever asks for the page after
// it would get the same one for ever.
static bool list_moves_on(struct store_cursor *cursor, struct str client_id)
{
    if (client_id.len > sizeof cursor->last ||
        str_compare(client_id, str_of(cursor->last, cursor->last_len)) <= 0)
        return false;
    memcpy(cursor->last, client_id.ptr, client_id.len);
    cursor->last_len = client_id.len;
    return true;
}

static enum twoleg_error list_page_begin(struct store_reader *reader, enum statement_id id,
                                         const struct store_page *page,
                                         struct store_cursor **ret_cursor)
{
    if (page->limit < 1 || page->limit > 1000 || page->after.len > CLIENT_ID_MAX)
        return TWOLEG_RANGE;
    struct store_cursor *cursor = NULL;
    enum twoleg_error error = list_begin(reader, id, &cursor);
    if (error)
        return error;
    memcpy(cursor->last, page->after.ptr ? page->after.ptr : "", page->after.len);
    cursor->last_len = page->after.len;
    // The view need not outlive this call.
    statement_text_copy(&cursor->statement, page->after);
    statement_int(&cursor->statement, page->limit);
    if (id != SQL_APPLICATION_PAGE)
        statement_number(&cursor->statement, page->account);
    *ret_cursor = cursor;
    return TWOLEG_NONE;
}

enum twoleg_error store_applications_begin(struct store_reader *reader,
                                           const struct store_page *page,
                                           struct store_cursor **ret_cursor)
{
    bool all = page->account == STORE_OPERATOR;
    return list_page_begin(reader, all ? SQL_APPLICATION_PAGE : SQL_APPLICATION_PAGE_OF, page,
                           ret_cursor);
}

enum twoleg_error store_users_begin(struct store_reader *reader, const struct store_page *page,
                                    struct store_cursor **ret_cursor)
{
    return list_page_begin(reader, SQL_USER_PAGE, page, ret_cursor);
}

bool store_users_next(struct store_cursor *cursor, struct user *ret_user)
{
    if (!statement_step(&cursor->statement))
        return false;
    read_user_row(&cursor->statement, ret_user);
    if (!list_moves_on(cursor, ret_user->username))
        cursor->statement.code = SQLITE_CORRUPT;
    return !cursor->statement.code;
}

bool store_applications_next(struct store_cursor *cursor, struct application *ret_application)
{
    if (!statement_step(&cursor->statement))
        return false;
    read_application_row(&cursor->statement, ret_application);
    if (!list_moves_on(cursor, ret_application->client_id))
        cursor->statement.code = SQLITE_CORRUPT;
    return !cursor->statement.code;
}

enum twoleg_error store_ties_begin(struct store_reader *reader, struct store_cursor **ret_cursor)
{
    return list_begin(reader, SQL_APPLICATION_TIES, ret_cursor);
}

bool store_ties_next(struct store_cursor *cursor, struct store_tie *ret_tie)
{
    const struct statement *row = &cursor->statement;
    if (!statement_step(&cursor->statement))
        return false;
    *ret_tie = (struct store_tie){.dialects = statement_get_text(row, 0),
                                  .count = statement_get_number(row, 1),
                                  .client_id = statement_get_text(row, 2)};
    return true;
}

enum twoleg_error store_audit_begin(struct store_reader *reader, uint64_t after, unsigned limit,
                                    struct store_cursor **ret_cursor)
{
    struct store_cursor *cursor = NULL;
    enum twoleg_error error = list_begin(reader, SQL_AUDIT_LIST, &cursor);
    if (error)
        return error;
    statement_number(&cursor->statement, after);
    statement_int(&cursor->statement, limit);
    *ret_cursor = cursor;
    return TWOLEG_NONE;
}

bool store_audit_next(struct store_cursor *cursor, struct store_audit *ret_audit)
{
    const struct statement *row = &cursor->statement;
    if (!statement_step(&cursor->statement))
        return false;
    *ret_audit = (struct store_audit){.sequence = statement_get_number(row, 0),
                                      .at_us = statement_get_int(row, 1),
                                      .actor = statement_get_text(row, 2),
                                      .action = statement_get_text(row, 3),
                                      .object = statement_get_text(row, 4),
                                      .detail = statement_get_text(row, 5),
                                      .request_id = statement_get_text(row, 6)};
    return true;
}
