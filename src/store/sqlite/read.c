// SPDX-License-Identifier: Apache-2.0
// Reads of single things and small sets, each under one snapshot.
#include <string.h>

#include "base/buf.h"
#include "store/sqlite/state.h"

bool read_text(struct arena *arena, const struct statement *row, int column,
               struct str *ret_text)
{
    *ret_text = arena_copy(arena, statement_get_text(row, column));
    return ret_text->ptr;
}

void read_application_row(struct statement *row, struct application *ret_application)
{
    int64_t grants = statement_get_int(row, 13);
    int64_t mode = statement_get_int(row, 12);
    *ret_application = (struct application){
        .account = statement_get_number(row, 0),
        .version = statement_get_number(row, 1),
        .client_id = statement_get_text(row, 2),
        .name = statement_get_text(row, 3),
        .state = {statement_get_status(row, 4), statement_get_number(row, 5)},
        .format = (enum token_format)statement_get_int(row, 6),
        .ttl_us = statement_get_int(row, 7),
        .created_us = statement_get_int(row, 8),
        .updated_us = statement_get_int(row, 9),
        .number = statement_get_number(row, 10),
        .grants = grants > 0 && grants < 1 << GRANTS ? (unsigned)grants << GRANT_CLIENT_CREDENTIALS
                                                     : 0,
        .dialects = statement_get_text(row, 14),
        .budget.mode = (enum budget_mode)mode};
    if (!grants_valid(ret_application->grants))
        row->code = SQLITE_CORRUPT;
    if (mode < 0 || mode > BUDGET_MODE_OBSERVE ||
        budget_parse(statement_get_text(row, 11), &ret_application->budget))
        row->code = SQLITE_CORRUPT;
}

static bool read_head(struct arena *arena, struct statement *row, struct application *application)
{
    read_application_row(row, application);
    return read_text(arena, row, 2, &application->client_id) &&
           read_text(arena, row, 3, &application->name) &&
           read_text(arena, row, 14, &application->dialects);
}

static enum twoleg_error read_application_head(struct store_reader *reader, uint64_t account,
                                               struct arena *arena,
                                               struct application *application)
{
    struct statement read = statement_begin(&reader->database, SQL_APPLICATION_ONE);
    statement_number(&read, application->number);
    statement_number(&read, account);
    bool found = statement_step(&read);
    bool fits = !found || read_head(arena, &read, application);
    enum twoleg_error error = statement_end(&read);
    if (error)
        return error;
    // Of a newer release, or damaged: the formats are a table, and this is its index.
    if (found && application->format >= TOKEN_FORMATS)
        return TWOLEG_STORE_FAILED;
    return !found ? TWOLEG_NOT_FOUND : fits ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

static enum twoleg_error read_links(struct store_reader *reader, struct arena *arena,
                                    const struct application *application,
                                    struct application_api **ret_links, size_t *ret_count)
{
    struct application_api links[APPLICATION_APIS_MAX];
    size_t count = 0;
    struct statement read = statement_begin(&reader->database, SQL_APPLICATION_API_LIST);
    statement_number(&read, application->number);
    while (count < APPLICATION_APIS_MAX && statement_step(&read))
        links[count++] = (struct application_api){.api = statement_get_number(&read, 0),
                                                  .requests = statement_get_int(&read, 1),
                                                  .serves = statement_get_int(&read, 2),
                                                  .scopes = STR("")};
    enum twoleg_error error = statement_end(&read);
    struct application_api *kept = error ? NULL : arena_array(arena, count, sizeof *kept);
    if (!kept)
        return error ? error : TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        kept[i] = links[i];
    *ret_links = kept;
    *ret_count = count;
    return TWOLEG_NONE;
}

// The words of one API, gathered; they come in ascending order.
struct read_words {
    char room[SCOPE_TEXT_MAX];
    struct buf text;
};

static enum twoleg_error read_words_keep(struct read_words *words, struct arena *arena,
                                         struct application_api *link)
{
    if (!words->text.len && !words->text.failed)
        return TWOLEG_NONE;
    if (words->text.failed)
        return TWOLEG_TOO_LONG;
    link->scopes = arena_copy(arena, buf_str(&words->text));
    words->text.len = 0;
    return link->scopes.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

// Links and words both come in the order of their APIs, so that one pass over each is enough.
static enum twoleg_error read_scopes(struct store_reader *reader, struct arena *arena,
                                     uint64_t application, struct application_api *links,
                                     size_t count)
{
    struct read_words words;
    buf_init(&words.text, words.room, sizeof words.room);
    struct statement read = statement_begin(&reader->database, SQL_APPLICATION_SCOPE_LIST);
    statement_number(&read, application);
    size_t at = 0;
    enum twoleg_error error = TWOLEG_NONE;
    while (!error && statement_step(&read)) {
        uint64_t api = statement_get_number(&read, 0);
        while (!error && at < count && links[at].api != api)
            error = read_words_keep(&words, arena, &links[at++]);
        buf_add_word(&words.text, statement_get_text(&read, 1));
    }
    if (!error && at < count)
        error = read_words_keep(&words, arena, &links[at]);
    enum twoleg_error end = statement_end(&read);
    return error ? error : end;
}

static bool read_secret(struct arena *arena, const struct statement *row, struct secret *secret)
{
    struct str mac = statement_get_bytes(row, 4);
    for (size_t i = 0; i < mac.len && i < sizeof secret->mac; i++)
        secret->mac[i] = (uint8_t)mac.ptr[i];
    secret->number = statement_get_number(row, 0);
    secret->scheme = (enum secret_scheme)statement_get_int(row, 2);
    secret->key = (uint32_t)statement_get_int(row, 3);
    secret->created_us = statement_get_int(row, 6);
    secret->not_before_us = statement_get_int(row, 7);
    secret->expires_us = statement_get_int(row, 8);
    secret->used_us = statement_get_int(row, 9);
    secret->used_count = statement_get_number(row, 10);
    return read_text(arena, row, 1, &secret->label) &&
           read_text(arena, row, 5, &secret->slow_hash) &&
           read_text(arena, row, 11, &secret->used_address);
}

// Rows of unknown number, kept in an array that doubles.
static void *read_grow(struct arena *arena, void *items, size_t count, size_t size)
{
    if (count && (count & (count - 1)))
        return items;
    char *grown = arena_array(arena, count ? count * 2 : 1, size);
    if (grown && count)
        memcpy(grown, items, count * size);
    return grown;
}

static enum twoleg_error read_secrets(struct store_reader *reader, struct arena *arena,
                                      struct application *application)
{
    struct secret *secrets = NULL;
    size_t count = 0;
    bool fits = true;
    struct statement read = statement_begin(&reader->database, SQL_SECRET_LIST);
    statement_number(&read, application->number);
    while (fits && statement_step(&read)) {
        secrets = read_grow(arena, secrets, count, sizeof *secrets);
        fits = secrets && read_secret(arena, &read, &secrets[count]);
        count++;
    }
    enum twoleg_error error = statement_end(&read);
    if (error || !fits)
        return error ? error : TWOLEG_NO_MEMORY;
    application->secrets = secrets;
    application->secret_count = count;
    return TWOLEG_NONE;
}

static enum twoleg_error read_application(struct store_reader *reader, uint64_t account,
                                          struct arena *arena, struct application *application)
{
    struct application_api *links;
    size_t count;
    enum twoleg_error error = read_application_head(reader, account, arena, application);
    if (!error)
        error = read_links(reader, arena, application, &links, &count);
    if (error)
        return error;
    error = read_scopes(reader, arena, application->number, links, count);
    application->apis = links;
    application->api_count = count;
    return error ? error : read_secrets(reader, arena, application);
}

enum twoleg_error store_application(struct store_reader *reader, uint64_t account, uint64_t number,
                                    struct arena *arena, struct application **ret_application)
{
    struct application *application = ARENA_NEW(arena, struct application);
    if (!application)
        return TWOLEG_NO_MEMORY;
    application->number = number;
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error)
        error = read_application(reader, account, arena, application);
    database_rollback(&reader->database);
    if (!error)
        *ret_application = application;
    return error;
}

enum twoleg_error store_application_find(struct store_reader *reader, uint64_t account,
                                         struct str client_id, uint64_t *ret_number)
{
    struct statement read = statement_begin(&reader->database, SQL_APPLICATION_FIND);
    statement_text(&read, client_id);
    statement_number(&read, account);
    bool found = statement_step(&read);
    uint64_t number = found ? statement_get_number(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (error || !found)
        return error ? error : TWOLEG_NOT_FOUND;
    *ret_number = number;
    return TWOLEG_NONE;
}

static bool read_api(struct arena *arena, const struct statement *row, struct api *api)
{
    api->number = statement_get_number(row, 0);
    api->account = statement_get_number(row, 1);
    api->version = statement_get_number(row, 2);
    api->is_default = statement_get_int(row, 6);
    api->created_us = statement_get_int(row, 7);
    return read_text(arena, row, 3, &api->identifier) && read_text(arena, row, 4, &api->name) &&
           read_text(arena, row, 5, &api->algorithm);
}

static enum twoleg_error read_api_scopes(struct store_reader *reader, struct arena *arena,
                                         struct api *api)
{
    struct buf words;
    buf_init_arena(&words, arena, 256);
    struct statement read = statement_begin(&reader->database, SQL_SCOPE_LIST);
    statement_number(&read, api->number);
    while (statement_step(&read)) {
        buf_add_word(&words, statement_get_text(&read, 0));
    }
    enum twoleg_error error = statement_end(&read);
    if (error || words.failed)
        return error ? error : TWOLEG_NO_MEMORY;
    api->scopes = buf_str(&words);
    return TWOLEG_NONE;
}

static enum twoleg_error read_apis(struct store_reader *reader, struct arena *arena,
                                   struct api_set *set)
{
    struct api *apis = NULL;
    size_t count = 0;
    bool fits = true;
    struct statement read = statement_begin(&reader->database, SQL_API_LIST);
    while (fits && statement_step(&read)) {
        apis = read_grow(arena, apis, count, sizeof *apis);
        fits = apis && read_api(arena, &read, &apis[count]);
        count++;
    }
    enum twoleg_error error = statement_end(&read);
    if (!error && !fits)
        error = TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count && !error; i++)
        error = read_api_scopes(reader, arena, &apis[i]);
    *set = (struct api_set){apis, count};
    return error;
}

enum twoleg_error store_apis(struct store_reader *reader, struct arena *arena,
                             struct api_set *ret_set)
{
    struct api_set set;
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error)
        error = read_apis(reader, arena, &set);
    database_rollback(&reader->database);
    if (!error)
        *ret_set = set;
    return error;
}

static bool read_key(struct arena *arena, const struct statement *row, struct store_key *key)
{
    key->id = statement_get_number(row, 0);
    key->created_us = statement_get_int(row, 7);
    key->state_us = statement_get_int(row, 8);
    key->last_expiry_us = statement_get_int(row, 9);
    key->wrapped = arena_copy(arena, statement_get_bytes(row, 5));
    return key->wrapped.ptr && read_text(arena, row, 1, &key->purpose) &&
           read_text(arena, row, 2, &key->algorithm) && read_text(arena, row, 3, &key->kid) &&
           read_text(arena, row, 4, &key->state) && read_text(arena, row, 6, &key->public_jwk);
}

enum twoleg_error store_keys(struct store_reader *reader, struct arena *arena,
                             struct store_key **ret_keys, size_t *ret_count)
{
    struct store_key *keys = NULL;
    size_t count = 0;
    bool fits = true;
    struct statement read = statement_begin(&reader->database, SQL_KEY_LIST);
    while (fits && statement_step(&read)) {
        keys = read_grow(arena, keys, count, sizeof *keys);
        fits = keys && read_key(arena, &read, &keys[count]);
        count++;
    }
    enum twoleg_error error = statement_end(&read);
    if (error || !fits)
        return error ? error : TWOLEG_NO_MEMORY;
    *ret_keys = keys;
    *ret_count = count;
    return TWOLEG_NONE;
}

enum twoleg_error store_setting(struct store_reader *reader, struct str name, struct arena *arena,
                                struct str *ret_value)
{
    struct str value = STR_NONE;
    struct statement read = statement_begin(&reader->database, SQL_SETTING_ONE);
    statement_text(&read, name);
    bool found = statement_step(&read);
    bool fits = !found || read_text(arena, &read, 0, &value);
    enum twoleg_error error = statement_end(&read);
    if (error || !found || !fits)
        return error ? error : found ? TWOLEG_NO_MEMORY : TWOLEG_NOT_FOUND;
    *ret_value = value;
    return TWOLEG_NONE;
}

uint64_t store_sequence(struct store_reader *reader)
{
    struct statement read = statement_begin(&reader->database, SQL_FEED_LAST);
    uint64_t sequence = statement_step(&read) ? statement_get_number(&read, 0) : 0;
    return statement_end(&read) ? 0 : sequence;
}

enum twoleg_error store_audit_last(struct store_reader *reader, uint64_t *ret_sequence)
{
    struct statement read = statement_begin(&reader->database, SQL_AUDIT_LAST);
    uint64_t sequence = statement_step(&read) ? statement_get_number(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error)
        *ret_sequence = sequence;
    return error;
}
