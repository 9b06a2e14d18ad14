// SPDX-License-Identifier: Apache-2.0
// The store: what was acknowledged survives. Writes are data (batches of typed verbs) for the one
// writer thread; reads run on reader threads, or on the caller's where it may block (start, CLI).
// Loop threads call nothing here but store_submit and store_read.
#pragma once
#include "base/arena.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "model/api.h"
#include "model/application.h"
#include "model/token_record.h"
#include "model/token_shape.h"
#include "model/user.h"
#include "store/failure.h"

struct store;
struct store_reader;

// ---------------------------------------------------------------------------------- changes
// Every committed change, in the order of its sequence, before its batch is answered: what was
// acknowledged is visible. Called on the writer's thread.
enum store_change_kind {
    CHANGE_APPLICATION, // created, changed or deleted: number, state and client_id hold
    CHANGE_API,         // any API or scope: read the set again
    CHANGE_KEY,         // a data or signing key: read them again
    CHANGE_REVOCATION,  // token and expires_s hold
    CHANGE_CREDENTIAL,  // the tokens of the secret `number` were revoked
    CHANGE_ACCOUNT,     // number and account_active hold
    CHANGE_SETTING,
    CHANGE_USER, // created, changed or deleted: number, account, state and client_id hold
};

struct store_change {
    uint64_t sequence;
    enum store_change_kind kind;
    uint64_t number;
    struct application_state state;
    struct str client_id; // of a live application, or a live user's name; STR_NONE once deleted
    uint64_t account;
    bool account_active;
    struct token_id token;
    int64_t expires_s; // 0 = never: keep it for ever
    struct str setting; // CHANGE_SETTING: its name
};

typedef void store_on_change(void *context, const struct store_change *changes, size_t count);

// On the writer's thread, before the first and behind the last of many calls of a batch's done.
typedef void store_on_answers(bool begin);

// ---------------------------------------------------------------------------------- open, close
struct store_settings {
    const char *folder;   // holds twoleg.db; 0700, ours
    bool create;          // make folder and schema where there is none
    unsigned readers;     // reader threads
    size_t queue_batches; // more wait: TWOLEG_STORE_BUSY
    size_t queue_bytes;
    unsigned queue_ms; // what waited longer is refused with STORE_BUSY; 0 = 5 s
    unsigned busy_ms;  // how long another process's lock is waited for; 0 = 2 s
    store_on_answers *on_answers; // may be NULL
    store_on_change *on_change; // may be NULL; set before the first batch
    void *on_change_context;
};

// Opens, migrates where needed (a copy DIR/before-NNN.db first), checks. ret_reason gets words for
// a person that name the folder: in use by another server, newer schema, not a store, wide modes;
// with TWOLEG_NONE it is empty, or says that there was a migration.
// TWOLEG_NOT_FOUND: no store there and create is false. TWOLEG_CONFLICT: locked by another server.
enum twoleg_error store_open(const struct store_settings *settings, struct store **ret_store,
                             char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Makes a data folder where store_open would. ret_reason names what could not be made.
enum twoleg_error store_make_folder(const char *folder,
                                    char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Writes what is queued, checkpoints, closes.
void store_close(struct store *store);
bool store_was_created(const struct store *store);
void store_set_on_change(struct store *store, store_on_change *on_change, void *context);
// No commit will be acknowledged any more (an fsync failed, or the file is damaged): not ready.
bool store_stopped(const struct store *store);
bool store_damaged(const struct store *store);

// Of commits that failed as a whole, in this life. The word of last goes with last_us (wall clock,
// microseconds).
struct store_failures {
    uint64_t counts[STORE_FAILURES];
    enum store_failure last; // FAILURE_NONE: there was none
    int64_t last_us;
};
struct store_failures store_failures(const struct store *store);
// What an operator is told of a change that was not stored; failure is that of its batch. False:
// the error says enough by itself, and nothing is written.
#define STORE_WORDS 320
bool store_explain(const struct store *store, enum twoleg_error error, enum store_failure failure,
                   char ret_words[static STORE_WORDS]);

// ---------------------------------------------------------------------------------- writes
enum store_verb_kind {
    VERB_APPLICATION_CREATE,
    VERB_APPLICATION_UPDATE,
    VERB_APPLICATION_DELETE,
    VERB_APPLICATION_API_SET,
    VERB_SECRET_CREATE,
    VERB_SECRET_REMOVE,
    VERB_SECRET_USED, // statistics: no change is told, and a secret that is gone is no error
    VERB_API_CREATE,
    VERB_SCOPE_CREATE,
    VERB_SCOPE_REMOVE,
    VERB_TOKEN_REVOKE,
    VERB_CREDENTIAL_REVOKE,
    VERB_KEY_CREATE,
    VERB_KEY_STATE,
    VERB_SETTING_SET,
    VERB_SETTING_CREATE, // TWOLEG_CONFLICT when it is there: a compare-and-set of first starts
    VERB_REVOCATIONS_PURGE,
    VERB_AUDIT,
    VERB_API_RENAME_DEFAULT, // the default API follows a changed issuer
    VERB_KEY_REWRAP,
    VERB_TOKEN_ADD, // of a reference token; no change is told
    VERB_TOKENS_PURGE,
    VERB_USER_CREATE,
    VERB_USER_UPDATE,
    VERB_USER_DELETE,
    VERB_REFRESH_ADD,
    VERB_REFRESH_ROTATE,
    VERB_REFRESH_REVOKE,
    VERB_REFRESH_NOTE,
    VERB_TOKEN_REPLACE, // the same, and the one before is revoked
};

struct store_key {
    uint64_t id;
    struct str purpose;   // "secret", "seal", "jti", "sign"
    struct str algorithm; // of a signing key, else ""
    struct str kid;       // of a signing key, else ""
    // "announced", "signing", "retired", "gone"; of a data key "active", "retired".
    struct str state;
    struct str wrapped;   // sealed under the master key
    struct str public_jwk;
    int64_t created_us, state_us;
    int64_t last_expiry_us; // of the longest token it signed, as known when it was retired
};

// What a reference token is found by. Rows of one slot lie together.
struct store_token_key {
    struct sha256 hash; // of its text
    unsigned slot;      // below TOKEN_SLOTS_MAX
};

// Text in a verb belongs to the batch (store_batch_copy) or outlives it.
struct store_verb {
    struct store_verb *next;
    enum store_verb_kind kind;
    uint64_t account;  // whose entity it must be; STORE_OPERATOR = any
    uint64_t expected; // row version from before the batch that the change is made from; 0 = any
    union {
        const struct application *application; // CREATE: all of it, with apis and secrets
        struct {                               // UPDATE: the fields whose bit is set
            uint64_t number;
            unsigned fields; // bits of enum application_field
            struct str name;
            enum entity_status status;
            uint64_t generation; // written as max(previous + 1, this)
            enum token_format format;
            int64_t ttl_us;
            unsigned grants;
            struct str dialects;
            struct budget budget; // FIELD_BUDGET: own and rate; FIELD_BUDGET_MODE: mode
        } update;
        struct {
            uint64_t application, api;
            bool requests, serves;
            struct str scopes;
        } application_api; // replaces the row; neither requests nor serves: removed
        struct {
            uint64_t application;
            struct secret secret;
        } secret; // CREATE; REMOVE reads application and secret.number
        struct {
            uint64_t application, number;
            int64_t used_us;
            uint64_t count; // added
            struct str address;
        } used;
        const struct api *api;
        struct {
            uint64_t api;
            struct str name; // one word
        } scope; // REMOVE takes it from every application too
        struct {
            struct token_id id;
            uint64_t application;
            int64_t expires_s;
        } revoke; // TWOLEG_LIMIT past REVOCATIONS_PER_APPLICATION live ones or
                  // REVOCATIONS_KEPT in all; for one that has expired, past the former in all
        uint64_t number; // APPLICATION_DELETE, CREDENTIAL_REVOKE, USER_DELETE
        const struct user *user; // USER_CREATE: all of it, with apis
        struct {
            uint64_t number;
            unsigned fields;           // FIELD_STATUS, FIELD_GENERATION, FIELD_PASSWORD
            enum entity_status status;
            uint64_t generation;       // as an application's
            struct str password_hash;
        } user_update;
        // REFRESH_ADD: a new family. VERSION_CONFLICT: its application or user have changed since.
        // Where the user has too many with this application one that is over goes, or else the
        // oldest; the access tokens of the former can still be ended (REFRESH_REVOKE).
        const struct refresh_family *family;
        // REFRESH_ROTATE: a compare-and-set. VERSION_CONFLICT: current is another one by now, or
        // the family has ended, or the tokens of the credential with which current was got.
        struct {
            uint64_t family;
            uint32_t key; // that next was made under
            struct sha256 current, next;
            int64_t rotated_us, idle_us;
            int64_t tokens_until_s; // of the access token that comes with next
            uint64_t credential;    // with which next is got
        } rotate; // NOTE reads family, current and tokens_until_s: another one came with current
        // REFRESH_REVOKE: a family as it was found, and the access tokens that came with it, also
        // when it has gone meanwhile. LIMIT: there is no room for the latter, as with REVOKE;
        // alone: they are left to expire, and until they have the family is found still, dead,
        // while it is among the latest REFRESH_BURIED_MAX of its user and application.
        struct {
            uint64_t family, application;
            int64_t tokens_until_s;
            bool alone;
        } refresh_revoke;
        struct store_key key; // KEY_STATE: id, state, and expected_state below; KEY_REWRAP: id,
                              // wrapped, and expected_wrapped
        struct {
            struct str name, value;
        } setting;
        // TOKEN_ADD: CONFLICT when the row's place is taken: with another token it is not. Or when
        // there is a token of `unless` that still lives. Nothing is held against the application,
        // so it must be looked at again after the commit.
        struct {
            struct store_token_key key;
            const struct token_record *record;
            const struct store_token_key *unless;
            size_t unless_count;
        } token;
        // TOKEN_REPLACE: as TOKEN_ADD, and it is the one token of its application and subject from
        // then on: the one before is revoked. CONFLICT also when that is not `before` any more,
        // unless whichever. LIMIT as with REVOKE.
        struct {
            struct store_token_key key;
            const struct token_record *record;
            struct token_nonce nonce;
            struct token_id before; // zeroed: there was none
            bool whichever;
        } replace;
        struct str identifier; // API_RENAME_DEFAULT: the new one
        // REVOCATIONS_PURGE: one slice of the rows that expired before, of the feed's up to then,
        // and of the families of refresh tokens that expired before. TOKENS_PURGE: one of the
        // reference tokens that expired before, and of what is left of deleted applications.
        int64_t before_s;
        struct {
            struct str actor;  // "uid:0", "app_..."
            struct str action; // a word of model/events.def
            struct str object; // "app_...", "sec_...", "api_..."
            struct str detail; // JSON: what was before and after; never a secret
            struct str request_id;
        } audit;
    };
    struct str expected_state;   // KEY_STATE: compare-and-set
    // KEY_REWRAP: the same. KEY_CREATE: some key is still wrapped like this, or the new one was
    // wrapped under a master key that is none any more; empty = any.
    struct str expected_wrapped;
};

enum application_field {
    FIELD_NAME = 1 << 0,
    FIELD_STATUS = 1 << 1,
    FIELD_GENERATION = 1 << 2,
    FIELD_FORMAT = 1 << 3,
    FIELD_TTL = 1 << 4,
    FIELD_BUDGET = 1 << 5,
    FIELD_BUDGET_MODE = 1 << 6,
    FIELD_DIALECTS = 1 << 7,
    FIELD_GRANTS = 1 << 8,
    FIELD_PASSWORD = 1 << 9,
};

#define STORE_OPERATOR UINT64_MAX

// The account that is there from the start.
#define ACCOUNT_DEFAULT ((uint64_t)1)

// Heap; built on any thread, the store's from submit until done is called.
struct store_batch {
    struct store_batch *next;
    struct arena arena;
    struct store_verb *verbs, **tail;
    bool no_memory; // a verb or text did not fit: submit refuses the batch
    int64_t now_us; // of the request, for created and updated
    // Called once all is durable and published, on the writer's thread, or refused, also in
    // store_give_up. The batch is the caller's again.
    void (*done)(struct store_batch *batch);
    void *context;
    // The outcome: TWOLEG_NONE, CONFLICT (a unique name is taken), VERSION_CONFLICT, NOT_FOUND,
    // LIMIT, RANGE (a value that the schema refuses), NO_MEMORY, STORE_BUSY, STORE_FAILED,
    // STORE_STOPPED. A refused batch changed nothing at all; after STORE_FAILED with store_stopped
    // nobody can say whether it did.
    enum twoleg_error result;
    enum store_failure failure;       // of STORE_FAILED and STORE_BUSY: why, if a commit was tried
    const struct store_verb *refused; // the verb that was
    uint64_t sequence;                // of its last change
    struct store_purged {
        unsigned rows; // of reference tokens: gone
        bool more;     // there may be others: submit a slice again
    } purged;          // by TOKENS_PURGE and REVOCATIONS_PURGE
    int64_t queued_us;                // the store's own: when it was submitted (monotonic)
    bool urgent;                      // the store's own: it takes something away
};

struct store_batch *store_batch_create(int64_t now_us); // NULL without memory
void store_batch_destroy(struct store_batch *batch);
bool store_batch_is_urgent(const struct store_batch *batch);
// Appends a zeroed verb; never NULL (a spare one when memory is out, and no_memory is set).
struct store_verb *store_batch_add(struct store_batch *batch, enum store_verb_kind kind,
                                   uint64_t account);
struct str store_batch_copy(struct store_batch *batch, struct str text);
// Queues it; from any thread, never blocks. On an error done is not called. What takes something
// away (a token, a secret, an application's state or tokens, a scope, a key) is written before
// whatever else waits, and finds room where that has none.
enum twoleg_error store_submit(struct store *store, struct store_batch *batch) TWOLEG_MUST_CHECK;
// Submits and waits: for start and tests, never on a loop thread.
enum twoleg_error store_commit(struct store *store, struct store_batch *batch) TWOLEG_MUST_CHECK;

struct store_figures {
    uint64_t tokens_written, tokens_purged; // rows of reference tokens, in this life
    uint64_t tokens;                        // that there are, about; once they are counted
    bool tokens_counted;
};
struct store_figures store_figures(const struct store *store);
// Begins to count them, on a reader's thread. Where that fails they stay uncounted.
void store_count_tokens(struct store *store);

// ---------------------------------------------------------------------------------- reads
// What takes long waits for others of its kind, and no other kind for it: a key that must go at
// once does not wait behind a backup.
enum store_lane {
    LANE_SHORT,
    LANE_SLOW, // keys and slow hashes are made
    LANE_COPY, // as long as the disk needs for all of the store
    STORE_LANES,
};

// A job for a reader thread; embedded in the caller's own struct, which lives until done.
struct store_read {
    struct store_read *next;
    void (*run)(struct store_read *read, struct store_reader *reader);
    void (*done)(struct store_read *read); // on the store's thread, or in store_give_up
    enum store_lane lane;
    enum twoleg_error result; // STORE_BUSY: it waited too long, and run was not called
};
enum twoleg_error store_read(struct store *store, struct store_read *read) TWOLEG_MUST_CHECK;
// Refuses what has waited too long, whatever the threads hang on. Any thread that may wait a
// moment, every second or so.
void store_give_up(struct store *store);

// A connection for the calling thread alone: start, and tests.
enum twoleg_error store_reader_create(struct store *store,
                                      struct store_reader **ret_reader) TWOLEG_MUST_CHECK;
void store_reader_destroy(struct store_reader *reader);

// The store's own connection for what must be read again after a change: open from the start, so
// that it needs nothing of the system that may be short then. For one thread at a time (the others
// wait); given back soon, and never asked for once the store is closed.
struct store_reader *store_reader_borrow(struct store *store);
void store_reader_return(struct store *store);

// All results live in the arena. TWOLEG_NOT_FOUND also for another account's and for deleted ones.
enum twoleg_error store_application(struct store_reader *reader, uint64_t account,
                                    uint64_t number, struct arena *arena,
                                    struct application **ret_application) TWOLEG_MUST_CHECK;
enum twoleg_error store_application_find(struct store_reader *reader, uint64_t account,
                                         struct str client_id,
                                         uint64_t *ret_number) TWOLEG_MUST_CHECK;
enum twoleg_error store_apis(struct store_reader *reader, struct arena *arena,
                             struct api_set *ret_set) TWOLEG_MUST_CHECK;
// Of keys that are gone only the latest.
enum twoleg_error store_keys(struct store_reader *reader, struct arena *arena,
                             struct store_key **ret_keys, size_t *ret_count) TWOLEG_MUST_CHECK;
// TWOLEG_NOT_FOUND when it was never set. Names: "issuer", "epoch", "cluster" ...
enum twoleg_error store_setting(struct store_reader *reader, struct str name, struct arena *arena,
                                struct str *ret_value) TWOLEG_MUST_CHECK;
// The reference token with this key; its scope lies in the arena. The id is made of the hash.
enum twoleg_error store_token(struct store_reader *reader, const struct store_token_key *key,
                              struct arena *arena,
                              struct token_record *ret_record) TWOLEG_MUST_CHECK;
// The one token of an application, or of a user at it, where each takes the place of the one
// before. Good or not: it may have expired, or been revoked.
struct store_token_sole {
    struct sha256 hash; // of its text
    struct token_nonce nonce;
    struct token_record record; // its scope lies in the arena
};
enum twoleg_error store_token_sole(struct store_reader *reader, uint64_t application,
                                   uint64_t subject, struct arena *arena,
                                   struct store_token_sole *ret_sole) TWOLEG_MUST_CHECK;
// A live or disabled user, with its rights.
enum twoleg_error store_user(struct store_reader *reader, uint64_t account, struct str username,
                             struct arena *arena, struct user **ret_user) TWOLEG_MUST_CHECK;
// A family of refresh tokens and its user, of one moment.
enum twoleg_error store_refresh(struct store_reader *reader, uint64_t family, struct arena *arena,
                                struct refresh_family **ret_family,
                                struct user **ret_user) TWOLEG_MUST_CHECK;
uint64_t store_sequence(struct store_reader *reader); // of the last change; 0 on failure

// Iterators: begin, next until false, end (which tells whether it was the true end). What next
// fills in is valid until the next call.
// Each kind of list can be open once per reader.
struct store_cursor;

enum twoleg_error store_states_begin(struct store_reader *reader,
                                     struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
// Live and disabled applications, as CHANGE_APPLICATION gives them.
bool store_states_next(struct store_cursor *cursor, struct store_change *ret_state);

enum twoleg_error store_user_states_begin(struct store_reader *reader,
                                          struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
// Live and disabled users, as CHANGE_USER gives them.
bool store_user_states_next(struct store_cursor *cursor, struct store_change *ret_state);

enum twoleg_error store_revocations_begin(struct store_reader *reader,
                                          struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
// Revoked tokens (CHANGE_REVOCATION) and revoked credentials (CHANGE_CREDENTIAL).
bool store_revocations_next(struct store_cursor *cursor, struct store_change *ret_revocation);
// How many tokens are in that list now.
enum twoleg_error store_revocations_count(struct store_reader *reader,
                                          size_t *ret_count) TWOLEG_MUST_CHECK;

enum twoleg_error store_accounts_begin(struct store_reader *reader,
                                       struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
bool store_accounts_next(struct store_cursor *cursor, struct store_change *ret_account);

struct store_page {
    uint64_t account;  // or STORE_OPERATOR
    struct str after;  // client_id (to CLIENT_ID_MAX) that the page comes after; STR_NONE = none
    unsigned limit;    // 1 to 1000
};
enum twoleg_error store_applications_begin(struct store_reader *reader,
                                           const struct store_page *page,
                                           struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
// Without apis and secrets: number, client_id, name, state, format, ttl, budget, dialects, times.
bool store_applications_next(struct store_cursor *cursor, struct application *ret_application);

// What applications are tied to, one for each set of dialects; the first thousand.
struct store_tie {
    struct str dialects;  // as struct application has them
    uint64_t count;       // of applications
    struct str client_id; // of one of them
};
enum twoleg_error store_ties_begin(struct store_reader *reader,
                                   struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
bool store_ties_next(struct store_cursor *cursor, struct store_tie *ret_tie);

// A page of users after the name; without rights and password.
enum twoleg_error store_users_begin(struct store_reader *reader, const struct store_page *page,
                                    struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
bool store_users_next(struct store_cursor *cursor, struct user *ret_user);

enum twoleg_error store_end(struct store_cursor *cursor); // NULL is fine

struct store_audit {
    uint64_t sequence;
    int64_t at_us;
    struct str actor, action, object, detail, request_id;
};
enum twoleg_error store_audit_begin(struct store_reader *reader, uint64_t after, unsigned limit,
                                    struct store_cursor **ret_cursor) TWOLEG_MUST_CHECK;
bool store_audit_next(struct store_cursor *cursor, struct store_audit *ret_audit);
// The sequence of the latest row; 0 when there is none. Rows are never removed and have no gaps but
// those of refused batches.
enum twoleg_error store_audit_last(struct store_reader *reader,
                                   uint64_t *ret_sequence) TWOLEG_MUST_CHECK;

// ---------------------------------------------------------------------------------- copies
// A consistent copy into a new file (0600) while the server runs; on a reader's thread. The file
// does not hold the master key. TWOLEG_CONFLICT: the file exists.
enum twoleg_error store_backup(struct store_reader *reader, const char *file,
                               char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// Puts a backup in the place of the folder's store, which no server may be using; the old one is
// kept as before-restore-TIME.db. Checks integrity and schema first. A new epoch is written unless
// keep_tokens: earlier self-contained tokens are dead. Signing keys that are gone in the old store
// are gone in the new one; with TWOLEG_NONE ret_reason is empty, or says that nobody can tell.
enum twoleg_error store_restore(const char *folder, const char *file, bool keep_tokens,
                                char ret_reason[static 512]) TWOLEG_MUST_CHECK;
