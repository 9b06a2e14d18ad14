// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "store/sqlite/state.h"
#include "store/sqlite/token_place.h"

// A row that no release wrote fails the statement: nothing that it says is believed then.
static bool token_read_row(struct statement *row, int64_t bucket, struct arena *arena,
                           struct token_record *record)
{
    int64_t epoch = statement_get_int(row, 6);
    *record = (struct token_record){
        .epoch = (uint32_t)epoch,
        .application = statement_get_number(row, 1),
        .generation = statement_get_number(row, 2),
        .credential = statement_get_number(row, 3),
        .subject = statement_get_number(row, 4),
        .subject_generation = statement_get_number(row, 5),
        .apis = {statement_get_number(row, 7)},
        .api_count = 1,
        .scope = statement_get_text(row, 8),
        .issued_s = statement_get_int(row, 9),
        .expires_s = statement_get_int(row, 10),
        .family = statement_get_number(row, 11),
    };
    bool lasting = record->expires_s == 0 && bucket == 0;
    bool expires = record->expires_s > record->issued_s &&
                   record->expires_s <= bucket * TOKEN_BUCKET_S;
    if (record->issued_s < 0 || epoch < 0 || epoch > UINT32_MAX || (!lasting && !expires) ||
        record->scope.len > SCOPE_TEXT_MAX || (record->family && !record->subject))
        row->code = SQLITE_CORRUPT;
    record->scope = arena_copy(arena, record->scope);
    return record->scope.ptr;
}

static enum twoleg_error token_read_in(struct database *database, int64_t bucket,
                                       const struct store_token_key *key, struct arena *arena,
                                       struct token_record *record)
{
    struct statement read = statement_begin(database, SQL_TOKEN_ONE);
    statement_int(&read, token_place(bucket, key));
    statement_bytes(&read, str_of(key->hash.bytes, SHA256_SIZE));
    bool found = statement_step(&read);
    bool fits = !found || token_read_row(&read, bucket, arena, record);
    enum twoleg_error error = statement_end(&read);
    return error ? error : !found ? TWOLEG_NOT_FOUND : fits ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

// The last bucket before this one that has rows. NOT_FOUND: there is none.
static enum twoleg_error token_read_bucket(struct database *database, int64_t before,
                                           int64_t *ret_bucket)
{
    struct statement read = statement_begin(database, SQL_TOKEN_LAST);
    statement_int(&read, before << TOKEN_PLACE_BITS);
    bool found = statement_step(&read);
    int64_t place = found ? statement_get_int(&read, 0) : 0;
    enum twoleg_error error = statement_end(&read);
    if (!error && found && place < 0)
        error = TWOLEG_STORE_FAILED;
    if (!error)
        *ret_bucket = place >> TOKEN_PLACE_BITS;
    return error ? error : found ? TWOLEG_NONE : TWOLEG_NOT_FOUND;
}

// The latest first: most tokens that are shown are young.
enum twoleg_error token_search(struct database *database, const struct store_token_key *key,
                               struct arena *arena, struct token_record *record)
{
    int64_t bucket = TOKEN_BUCKETS;
    for (;;) {
        enum twoleg_error error = token_read_bucket(database, bucket, &bucket);
        if (error)
            return error;
        error = token_read_in(database, bucket, key, arena, record);
        if (error != TWOLEG_NOT_FOUND)
            return error;
    }
}

static bool token_read_bytes(struct statement *row, int column, uint8_t *bytes, size_t size)
{
    struct str read = statement_get_bytes(row, column);
    if (read.len != size)
        return false;
    memcpy(bytes, read.ptr, size);
    return true;
}

enum twoleg_error token_search_sole(struct database *database, uint64_t application,
                                    uint64_t subject, struct arena *arena,
                                    struct store_token_sole *sole, int64_t *ret_place)
{
    struct statement read = statement_begin(database, SQL_TOKEN_SOLE);
    statement_number(&read, application);
    statement_number(&read, subject);
    bool found = statement_step(&read);
    int64_t place = found ? statement_get_int(&read, 12) : 0;
    bool fits = !found || token_read_row(&read, place >> TOKEN_PLACE_BITS, arena, &sole->record);
    if (found &&
        (!token_read_bytes(&read, 0, sole->hash.bytes, sizeof sole->hash.bytes) ||
         !token_read_bytes(&read, 13, sole->nonce.bytes, sizeof sole->nonce.bytes)))
        read.code = SQLITE_CORRUPT;
    memcpy(sole->record.id.bytes, sole->hash.bytes, sizeof sole->record.id.bytes);
    *ret_place = place;
    enum twoleg_error error = statement_end(&read);
    return error ? error : !found ? TWOLEG_NOT_FOUND : fits ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
}

enum twoleg_error store_token_sole(struct store_reader *reader, uint64_t application,
                                   uint64_t subject, struct arena *arena,
                                   struct store_token_sole *ret_sole)
{
    struct store_token_sole sole = {.nonce = {{0}}};
    int64_t place;
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error)
        error = token_search_sole(&reader->database, application, subject, arena, &sole, &place);
    database_rollback(&reader->database);
    if (!error)
        *ret_sole = sole;
    return error;
}

enum twoleg_error store_token(struct store_reader *reader, const struct store_token_key *key,
                              struct arena *arena, struct token_record *ret_record)
{
    struct token_record record;
    enum twoleg_error error = database_begin_read(&reader->database);
    if (!error)
        error = token_search(&reader->database, key, arena, &record);
    database_rollback(&reader->database);
    if (error)
        return error;
    memcpy(record.id.bytes, key->hash.bytes, sizeof record.id.bytes);
    *ret_record = record;
    return TWOLEG_NONE;
}
