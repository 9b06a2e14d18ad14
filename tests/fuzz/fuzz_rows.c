// SPDX-License-Identifier: Apache-2.0
// Rows of a store that somebody has damaged or written to (threats D2 and H8): the schema's tables
// without its types and checks, filled by the input. A line is `table|value|value...`, one for each
// column in the schema's order; a value is a number, 'text, xHEX or, left empty, NULL. What is read
// has the promised shape or is refused.
#include <string.h>

#include "base/fault.h"
#include "fuzz.h"
#include "model/scope.h"
#include "store/sqlite/state.h"

#define SCHEMA(number, text) text
static const char fuzz_schema[] =
#include "store/schema.def"
    ;
#undef SCHEMA

static struct store_reader fuzz_reader;
static const char *const tables[] = {
    "applications", "application_apis", "application_scopes", "secrets",
    "apis",         "scopes",           "keys",               "settings",
    "accounts",     "revoked_tokens",   "revoked_credentials", "audit",
    "reference_tokens", "users", "user_apis", "user_scopes", "refresh_tokens",
};
#define TABLES (sizeof tables / sizeof *tables)
static sqlite3_stmt *inserts[TABLES], *removals[TABLES];

static void fuzz_run(const char *sql)
{
    FUZZ_MUST(sqlite3_exec(fuzz_reader.database.db, sql, NULL, NULL, NULL) == SQLITE_OK);
}

// With one parameter for each column.
static void fuzz_statements(void)
{
    static const char marks[] = "?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?";
    sqlite3 *db = fuzz_reader.database.db;
    char sql[128];
    for (size_t i = 0; i < TABLES; i++) {
        size_t columns = sizeof marks / 2;
        do
            snprintf(sql, sizeof sql, "INSERT INTO %s VALUES (%.*s)", tables[i],
                     (int)(2 * columns - 1), marks);
        while (sqlite3_prepare_v2(db, sql, -1, &inserts[i], NULL) && --columns);
        FUZZ_MUST(columns);
        snprintf(sql, sizeof sql, "DELETE FROM %s", tables[i]);
        FUZZ_MUST(sqlite3_prepare_v2(db, sql, -1, &removals[i], NULL) == SQLITE_OK);
    }
}

// Of each table of the schema a twin without constraints, but for the key that a statement names.
static void fuzz_prepare(void)
{
    sqlite3_stmt *columns;
    if (fuzz_reader.database.db)
        return;
    FUZZ_MUST(sqlite3_open(":memory:", &fuzz_reader.database.db) == SQLITE_OK);
    sqlite3 *original;
    FUZZ_MUST(sqlite3_open(":memory:", &original) == SQLITE_OK);
    FUZZ_MUST(sqlite3_exec(original, fuzz_schema, NULL, NULL, NULL) == SQLITE_OK);
    FUZZ_MUST(sqlite3_prepare_v2(original,
                                 "SELECT format('CREATE TABLE %s (%s)', m.name, group_concat("
                                 "c.name || iif(c.pk AND m.name = 'revoked_tokens',"
                                 " ' PRIMARY KEY', ''), ', '))"
                                 " FROM sqlite_schema m, pragma_table_info(m.name) c"
                                 " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
                                 " GROUP BY m.name", -1, &columns, NULL) == SQLITE_OK);
    while (sqlite3_step(columns) == SQLITE_ROW)
        fuzz_run((const char *)sqlite3_column_text(columns, 0));
    sqlite3_finalize(columns);
    sqlite3_close(original);
    fuzz_run("CREATE TABLE feed_twin (sequence INTEGER PRIMARY KEY AUTOINCREMENT)");
    fuzz_statements();
}

static int fuzz_nibble(char c)
{
    size_t at = str_find(STR("0123456789abcdef"), c);
    return at < 16 ? (int)at : 0;
}

static void fuzz_bind(sqlite3_stmt *insert, int column, struct str value)
{
    uint8_t bytes[256];
    uint64_t number;
    size_t len = 0;
    if (str_starts_with(value, STR("'"))) {
        sqlite3_bind_text64(insert, column, value.ptr + 1, value.len - 1, SQLITE_STATIC,
                            SQLITE_UTF8);
    } else if (str_starts_with(value, STR("x"))) {
        for (size_t i = 1; i + 1 < value.len && len < sizeof bytes; i += 2)
            bytes[len++] = (uint8_t)(fuzz_nibble(value.ptr[i]) << 4 |
                                     fuzz_nibble(value.ptr[i + 1]));
        sqlite3_bind_blob(insert, column, bytes, (int)len, SQLITE_TRANSIENT);
    } else if (str_to_u64(value, &number)) {
        sqlite3_bind_int64(insert, column, (sqlite3_int64)number);
    }
}

static void fuzz_step(sqlite3_stmt *statement)
{
    sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static void fuzz_insert(struct str line)
{
    struct str table, value;
    if (!str_split(&line, '|', &table))
        return;
    for (size_t i = 0; i < TABLES; i++) {
        if (!str_equal(table, str_from(tables[i])))
            continue;
        int columns = sqlite3_bind_parameter_count(inserts[i]);
        for (int column = 1; column <= columns && str_split(&line, '|', &value); column++)
            fuzz_bind(inserts[i], column, value);
        fuzz_step(inserts[i]);
    }
}

// What the arena holds lives on; nothing may point into a row that is gone.
static void fuzz_text(struct str text)
{
    volatile char sum = 0;
    for (size_t i = 0; i < text.len; i++)
        sum = (char)(sum ^ text.ptr[i]);
    FUZZ_MUST(text.ptr);
}

static void fuzz_application(const struct application *application)
{
    FUZZ_MUST(application->format < TOKEN_FORMATS);
    FUZZ_MUST(application->state.status == STATUS_ACTIVE ||
              application->state.status == STATUS_DISABLED);
    FUZZ_MUST(application->api_count <= APPLICATION_APIS_MAX);
    FUZZ_MUST(application->budget.mode <= BUDGET_MODE_OBSERVE);
    fuzz_text(application->client_id);
    fuzz_text(application->name);
    for (size_t i = 0; i < application->api_count; i++) {
        fuzz_text(application->apis[i].scopes);
        FUZZ_MUST(application->apis[i].scopes.len <= SCOPE_TEXT_MAX);
    }
    for (size_t i = 0; i < application->secret_count; i++) {
        const struct secret *secret = &application->secrets[i];
        fuzz_text(secret->slow_hash);
        fuzz_text(secret->label);
        fuzz_text(secret->used_address);
    }
}

// The token whose hash is all zeros, in each of its slots that a row may lie in.
static void fuzz_token(struct arena *arena, unsigned slot)
{
    struct token_record record;
    const struct store_token_key key = {.slot = slot};
    enum twoleg_error error = store_token(&fuzz_reader, &key, arena, &record);
    FUZZ_MUST(!error || error == TWOLEG_NOT_FOUND || error == TWOLEG_STORE_FAILED);
    if (error)
        return;
    fuzz_text(record.scope);
    FUZZ_MUST(record.scope.len <= SCOPE_TEXT_MAX && record.api_count == 1);
    FUZZ_MUST(record.expires_s >= 0 && record.id.bytes[0] == 0);
    FUZZ_MUST(record.family == 0 || record.subject);
}

// The token that an application, or a user of its, has out.
static void fuzz_sole(struct arena *arena, uint64_t application, uint64_t subject)
{
    struct store_token_sole sole;
    enum twoleg_error error =
        store_token_sole(&fuzz_reader, application, subject, arena, &sole);
    FUZZ_MUST(!error || error == TWOLEG_NOT_FOUND || error == TWOLEG_STORE_FAILED);
    if (error)
        return;
    fuzz_text(sole.record.scope);
    FUZZ_MUST(sole.record.scope.len <= SCOPE_TEXT_MAX && sole.record.api_count == 1);
}

static bool fuzz_refusal(enum twoleg_error error)
{
    return error == TWOLEG_NOT_FOUND || error == TWOLEG_STORE_FAILED || error == TWOLEG_TOO_LONG;
}

static void fuzz_one(struct arena *arena, uint64_t number)
{
    struct application *application;
    uint64_t found;
    enum twoleg_error error =
        store_application(&fuzz_reader, STORE_OPERATOR, number, arena, &application);
    FUZZ_MUST(!error || fuzz_refusal(error));
    if (error)
        return;
    fuzz_application(application);
    if (store_application_find(&fuzz_reader, application->account, application->client_id,
                               &found) == TWOLEG_NONE)
        FUZZ_MUST(store_application(&fuzz_reader, STORE_OPERATOR, found, arena, &application) !=
                  TWOLEG_NO_MEMORY);
}

static void fuzz_user(const struct user *user)
{
    FUZZ_MUST(user->state.status == STATUS_ACTIVE || user->state.status == STATUS_DISABLED);
    FUZZ_MUST(user->api_count <= APPLICATION_APIS_MAX);
    fuzz_text(user->username);
    fuzz_text(user->password_hash);
    for (size_t i = 0; i < user->api_count; i++) {
        fuzz_text(user->apis[i].scopes);
        FUZZ_MUST(user->apis[i].scopes.len <= SCOPE_TEXT_MAX && user->apis[i].requests);
        FUZZ_MUST(i == 0 || user->apis[i].api != user->apis[i - 1].api);
    }
}

// One by its name, and as many families as there are numbers.
static void fuzz_users(struct arena *arena)
{
    struct user *user;
    struct refresh_family *family;
    enum twoleg_error error =
        store_user(&fuzz_reader, ACCOUNT_DEFAULT, STR("ann"), arena, &user);
    FUZZ_MUST(!error || fuzz_refusal(error));
    if (!error) {
        fuzz_user(user);
        FUZZ_MUST(str_equal(user->username, STR("ann")));
    }
    for (uint64_t number = 1; number <= 4; number++) {
        error = store_refresh(&fuzz_reader, number, arena, &family, &user);
        FUZZ_MUST(!error || fuzz_refusal(error));
        if (error)
            continue;
        fuzz_user(user);
        fuzz_text(family->scope);
        FUZZ_MUST(family->number == number && family->user == user->number);
        FUZZ_MUST(family->scope.len <= SCOPE_TEXT_MAX);
    }
}

static void fuzz_user_pages(struct arena *arena)
{
    struct store_page page = {.account = ACCOUNT_DEFAULT, .limit = 1};
    bool more = true;
    for (size_t pages = 0; more; pages++) {
        struct store_cursor *cursor;
        struct user user;
        FUZZ_MUST(pages <= 4096);
        FUZZ_MUST(store_users_begin(&fuzz_reader, &page, &cursor) == TWOLEG_NONE);
        more = store_users_next(cursor, &user) && str_compare(user.username, page.after) > 0;
        if (more)
            page.after = arena_copy(arena, user.username);
        FUZZ_MUST(!more || !store_users_next(cursor, &user));
        enum twoleg_error error = store_end(cursor);
        FUZZ_MUST(!error || (!more && error == TWOLEG_STORE_FAILED));
    }
}

// In little memory it ends there.
static void fuzz_little(size_t cap)
{
    struct arena arena;
    struct application *application;
    struct api_set apis;
    struct store_key *keys;
    struct str value;
    size_t count;
    arena_init(&arena, NULL, cap);
    enum twoleg_error error =
        store_application(&fuzz_reader, STORE_OPERATOR, 1, &arena, &application);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    error = store_apis(&fuzz_reader, &arena, &apis);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    error = store_keys(&fuzz_reader, &arena, &keys, &count);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    error = store_setting(&fuzz_reader, STR("issuer"), &arena, &value);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    struct token_record record;
    error = store_token(&fuzz_reader, &(struct store_token_key){.slot = 0}, &arena, &record);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    struct user *user;
    struct refresh_family *family;
    error = store_user(&fuzz_reader, ACCOUNT_DEFAULT, STR("ann"), &arena, &user);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    error = store_refresh(&fuzz_reader, 1, &arena, &family, &user);
    FUZZ_MUST(!error || error == TWOLEG_NO_MEMORY || fuzz_refusal(error));
    arena_finish(&arena);
}

// The k-th step of the store fails: it is said, and the next try is as before. One k for each
// input, since all of them for each would take too long.
static void fuzz_fault(unsigned long nth)
{
    struct store_cursor *cursor;
    struct store_change change;
    fault_arm(FAULT_STORE, nth, false);
    fuzz_little((size_t)1 << 20);
    if (store_states_begin(&fuzz_reader, &cursor) == TWOLEG_NONE) {
        while (store_states_next(cursor, &change))
            ;
        enum twoleg_error error = store_end(cursor);
        FUZZ_MUST(!error || error == TWOLEG_STORE_FAILED);
    }
    fault_arm(FAULT_STORE, 0, false);
}

static void fuzz_sets(struct arena *arena)
{
    struct api_set apis;
    struct store_key *keys;
    struct str value;
    size_t count;
    uint64_t sequence = store_sequence(&fuzz_reader);
    FUZZ_MUST(store_audit_last(&fuzz_reader, &sequence) == TWOLEG_NONE);
    FUZZ_MUST(store_apis(&fuzz_reader, arena, &apis) == TWOLEG_NONE);
    for (size_t i = 0; i < apis.count; i++) {
        fuzz_text(apis.apis[i].identifier);
        fuzz_text(apis.apis[i].name);
        fuzz_text(apis.apis[i].algorithm);
    }
    FUZZ_MUST(store_keys(&fuzz_reader, arena, &keys, &count) == TWOLEG_NONE);
    for (size_t i = 0; i < count; i++) {
        fuzz_text(keys[i].wrapped);
        fuzz_text(keys[i].purpose);
        fuzz_text(keys[i].state);
    }
    if (store_setting(&fuzz_reader, STR("issuer"), arena, &value) == TWOLEG_NONE)
        fuzz_text(value);
}

// A start makes room for so many.
static void fuzz_revocations(void)
{
    struct store_cursor *cursor;
    struct store_change change;
    size_t count = 0, listed = 0;
    FUZZ_MUST(store_revocations_count(&fuzz_reader, &count) == TWOLEG_NONE);
    FUZZ_MUST(store_revocations_begin(&fuzz_reader, &cursor) == TWOLEG_NONE);
    while (store_revocations_next(cursor, &change))
        listed += change.kind == CHANGE_REVOCATION;
    FUZZ_MUST(store_end(cursor) == TWOLEG_NONE && listed <= count);
}

static void fuzz_changes(enum twoleg_error begin(struct store_reader *, struct store_cursor **),
                         bool next(struct store_cursor *, struct store_change *))
{
    struct store_cursor *cursor;
    struct store_change change;
    FUZZ_MUST(begin(&fuzz_reader, &cursor) == TWOLEG_NONE);
    while (next(cursor, &change)) {
        FUZZ_MUST(change.kind == CHANGE_APPLICATION || change.kind == CHANGE_ACCOUNT ||
                  change.kind == CHANGE_REVOCATION || change.kind == CHANGE_CREDENTIAL ||
                  change.kind == CHANGE_USER);
        FUZZ_MUST(change.state.status <= STATUS_DELETED);
    }
    FUZZ_MUST(store_end(cursor) == TWOLEG_NONE);
}

// Page for page of one, every application comes once, in order. Only texts have SQLite's order and
// ours alike: a blob in their place ends the list.
static void fuzz_pages(struct arena *arena, uint64_t account)
{
    struct store_page page = {.account = account, .limit = 1};
    bool more = true;
    for (size_t pages = 0; more; pages++) {
        struct store_cursor *cursor;
        struct application application;
        FUZZ_MUST(pages <= 4096);
        FUZZ_MUST(store_applications_begin(&fuzz_reader, &page, &cursor) == TWOLEG_NONE);
        more = store_applications_next(cursor, &application) &&
               str_compare(application.client_id, page.after) > 0;
        if (more)
            page.after = arena_copy(arena, application.client_id);
        FUZZ_MUST(!more || !store_applications_next(cursor, &application));
        enum twoleg_error error = store_end(cursor); // of a budget that is none
        FUZZ_MUST(!error || (!more && error == TWOLEG_STORE_FAILED));
    }
}

static void fuzz_ties(void)
{
    struct store_cursor *cursor;
    struct store_tie tie;
    FUZZ_MUST(store_ties_begin(&fuzz_reader, &cursor) == TWOLEG_NONE);
    while (store_ties_next(cursor, &tie)) {
        FUZZ_MUST(tie.count > 0);
        if (tie.dialects.len)
            fuzz_text(tie.dialects);
        if (tie.client_id.len)
            fuzz_text(tie.client_id);
    }
    FUZZ_MUST(store_end(cursor) == TWOLEG_NONE);
}

static void fuzz_audit(void)
{
    struct store_cursor *cursor;
    struct store_audit row;
    // Not in order: a sequence that is a text counts as 0, and only the twin's can be one.
    unsigned count = 0;
    FUZZ_MUST(store_audit_begin(&fuzz_reader, 0, 100, &cursor) == TWOLEG_NONE);
    while (store_audit_next(cursor, &row))
        FUZZ_MUST(count++ < 100);
    FUZZ_MUST(store_end(cursor) == TWOLEG_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct str input = str_of(data, size);
    struct store_cursor *cursor;
    fuzz_prepare();
    fuzz_run("BEGIN");
    for (size_t i = 0; i < TABLES; i++)
        fuzz_step(removals[i]);
    while (input.len)
        fuzz_insert(fuzz_line(&input));
    fuzz_run("COMMIT");
    arena_init(&arena, NULL, (size_t)1 << 26);
    for (uint64_t number = 1; number <= 4; number++)
        fuzz_one(&arena, number);
    for (uint64_t subject = 0; subject < 4; subject++)
        fuzz_sole(&arena, 1, subject);
    fuzz_token(&arena, 0);
    fuzz_token(&arena, TOKEN_SLOTS_MAX - 1);
    fuzz_sets(&arena);
    fuzz_little(size % 2 ? 1 : size);
    fuzz_fault(1 + size % 32);
    fuzz_changes(store_states_begin, store_states_next);
    fuzz_changes(store_revocations_begin, store_revocations_next);
    fuzz_revocations();
    fuzz_changes(store_accounts_begin, store_accounts_next);
    fuzz_pages(&arena, STORE_OPERATOR);
    fuzz_pages(&arena, ACCOUNT_DEFAULT);
    fuzz_users(&arena);
    fuzz_user_pages(&arena);
    fuzz_changes(store_user_states_begin, store_user_states_next);
    fuzz_ties();
    fuzz_audit();
    FUZZ_MUST(store_applications_begin(&fuzz_reader, &(struct store_page){.limit = 1001},
                                       &cursor) == TWOLEG_RANGE);
    arena_finish(&arena);
    return 0;
}
