// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/buf.h"
#include "store/sqlite/state.h"

void read_user_row(const struct statement *row, struct user *ret_user)
{
    *ret_user = (struct user){
        .number = statement_get_number(row, 0),
        .account = statement_get_number(row, 1),
        .version = statement_get_number(row, 2),
        .username = statement_get_text(row, 3),
        .state = {statement_get_status(row, 4), statement_get_number(row, 5)},
        .created_us = statement_get_int(row, 6),
        .updated_us = statement_get_int(row, 7)};
}

static bool user_read_head(struct arena *arena, const struct statement *row, struct user *user)
{
    read_user_row(row, user);
    return read_text(arena, row, 3, &user->username) &&
           read_text(arena, row, 8, &user->password_hash);
}

// The words of one API after the other, gathered in one room.
struct user_rights {
    struct application_api apis[APPLICATION_APIS_MAX];
    size_t count;
    struct buf words;
    char room[SCOPE_TEXT_MAX];
};

static bool user_rights_keep(struct user_rights *rights, struct arena *arena)
{
    if (rights->count == 0)
        return true;
    struct application_api *last = &rights->apis[rights->count - 1];
    last->scopes = rights->words.len ? arena_copy(arena, buf_str(&rights->words)) : STR("");
    rights->words.len = 0;
    return last->scopes.ptr;
}

// One word of one API; each API comes once at least, and its words together.
static bool user_rights_add(struct user_rights *rights, struct arena *arena,
                            struct statement *row)
{
    uint64_t api = statement_get_number(row, 0);
    struct str word = statement_get_text(row, 1);
    if (rights->count == 0 || rights->apis[rights->count - 1].api != api) {
        if (!user_rights_keep(rights, arena))
            return false;
        if (rights->count == APPLICATION_APIS_MAX) {
            row->code = SQLITE_CORRUPT; // more than any release writes
            return true;
        }
        rights->apis[rights->count++] = (struct application_api){.api = api, .requests = true};
    }
    if (rights->words.len && word.len)
        buf_add_char(&rights->words, ' ');
    buf_add(&rights->words, word);
    if (rights->words.failed)
        row->code = SQLITE_CORRUPT;
    return true;
}

static enum twoleg_error user_read_rights(struct store_reader *reader, struct arena *arena,
                                          struct user *user)
{
    struct user_rights rights = {.count = 0};
    bool fits = true;
    buf_init(&rights.words, rights.room, sizeof rights.room);
    struct statement read = statement_begin(&reader->database, SQL_USER_RIGHTS);
    statement_number(&read, user->number);
    while (fits && statement_step(&read))
        fits = user_rights_add(&rights, arena, &read);
    fits = fits && user_rights_keep(&rights, arena);
    enum twoleg_error error = statement_end(&read);
    struct application_api *apis =
        error || !fits ? NULL : arena_array(arena, rights.count + 1, sizeof *apis);
    if (!apis)
        return error ? error : TWOLEG_NO_MEMORY;
    memcpy(apis, rights.apis, rights.count * sizeof *apis);
    user->apis = apis;
    user->api_count = rights.count;
    return TWOLEG_NONE;
}

// The user of a statement whose parameters are bound.
static enum twoleg_error user_read(struct store_reader *reader, struct statement *read,
                                   struct arena *arena, struct user **ret_user)
{
    struct user *user = ARENA_NEW(arena, struct user);
    bool found = statement_step(read);
    bool fits = user && (!found || user_read_head(arena, read, user));
    enum twoleg_error error = statement_end(read);
    if (error || !fits || !found)
        return error ? error : fits ? TWOLEG_NOT_FOUND : TWOLEG_NO_MEMORY;
    error = user_read_rights(reader, arena, user);
    if (!error)
        *ret_user = user;
    return error;
}

enum twoleg_error store_user(struct store_reader *reader, uint64_t account, struct str username,
                             struct arena *arena, struct user **ret_user)
{
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error) {
        struct statement read = statement_begin(&reader->database, SQL_USER_NAMED);
        statement_text(&read, username);
        statement_number(&read, account);
        error = user_read(reader, &read, arena, ret_user);
    }
    database_rollback(&reader->database);
    return error;
}

static bool refresh_hash(const struct statement *row, int column, struct sha256 *ret_hash)
{
    struct str bytes = statement_get_bytes(row, column);
    if (bytes.len != sizeof ret_hash->bytes)
        return false;
    memcpy(ret_hash->bytes, bytes.ptr, bytes.len);
    return true;
}

// A row that no release wrote fails the statement: nothing that it says is believed then.
static bool refresh_row(struct statement *row, struct arena *arena, struct refresh_family *family)
{
    int64_t key = statement_get_int(row, 8);
    int64_t epoch = statement_get_int(row, 14);
    *family = (struct refresh_family){
        .number = statement_get_number(row, 0),
        .account = statement_get_number(row, 1),
        .application = statement_get_number(row, 2),
        .generation = statement_get_number(row, 3),
        .user = statement_get_number(row, 4),
        .user_generation = statement_get_number(row, 5),
        .api = statement_get_number(row, 6),
        .key = (uint32_t)key,
        .epoch = (uint32_t)epoch,
        .rotated_us = statement_get_int(row, 11),
        .idle_us = statement_get_int(row, 12),
        .expires_us = statement_get_int(row, 13),
        .tokens_until_s = statement_get_int(row, 15),
        .credential = statement_get_number(row, 16)};
    family->has_previous = refresh_hash(row, 10, &family->previous);
    if (!refresh_hash(row, 9, &family->current) || key < 0 || key > UINT32_MAX ||
        epoch < 0 || epoch > UINT32_MAX || family->tokens_until_s < 0 ||
        statement_get_text(row, 7).len > SCOPE_TEXT_MAX)
        row->code = SQLITE_CORRUPT;
    return read_text(arena, row, 7, &family->scope);
}

static enum twoleg_error refresh_read(struct store_reader *reader, uint64_t number,
                                      struct arena *arena, struct refresh_family **ret_family)
{
    struct refresh_family *family = ARENA_NEW(arena, struct refresh_family);
    struct statement read = statement_begin(&reader->database, SQL_REFRESH_ONE);
    statement_number(&read, number);
    bool found = statement_step(&read);
    bool fits = family && (!found || refresh_row(&read, arena, family));
    enum twoleg_error error = statement_end(&read);
    if (error || !fits || !found)
        return error ? error : fits ? TWOLEG_NOT_FOUND : TWOLEG_NO_MEMORY;
    *ret_family = family;
    return TWOLEG_NONE;
}

enum twoleg_error store_refresh(struct store_reader *reader, uint64_t family, struct arena *arena,
                                struct refresh_family **ret_family, struct user **ret_user)
{
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error)
        error = refresh_read(reader, family, arena, ret_family);
    if (!error) {
        struct statement read = statement_begin(&reader->database, SQL_USER_ONE);
        statement_number(&read, (*ret_family)->user);
        error = user_read(reader, &read, arena, ret_user);
    }
    database_rollback(&reader->database);
    return error;
}
