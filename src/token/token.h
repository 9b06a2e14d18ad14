// SPDX-License-Identifier: Apache-2.0
// Access tokens of every format: issue, read, inspect. The only caller of signing keys.
#pragma once
#include "base/arena.h"
#include "base/metrics.h"
#include "keyring/keyring.h"
#include "model/gate.h"
#include "model/request.h"
#include "registry/registry.h"

struct token_cache; // of one worker: SHA-256 of a whole token -> what reading it has found

// What tokens need of the server and of this worker.
struct token_context {
    struct registry *registry;
    struct keyring *keyring;
    struct keyring_worker *keys;
    struct token_cache *cache;
    struct env *env;
    struct metrics *metrics;
    struct str issuer;
    struct str prefix; // of sealed tokens
    const struct token_shape *shapes; // of reference tokens, beside the default one
    size_t shape_count;
    uint32_t epoch;    // the server's
};

// TWOLEG_WAIT: the algorithm of the API signs too slowly for a loop, and token_slow_create takes
// over; or the token is a reference: token_reference_make.
enum twoleg_error token_issue(const struct token_context *context, const struct decision *decision,
                              struct arena *arena,
                              struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// A token that is signed on another thread. It owns copies of all it needs: the request and the key
// set may be gone before it ends.
struct token_slow;
enum twoleg_error token_slow_create(const struct token_context *context,
                                    const struct decision *decision, struct arena *arena,
                                    struct token_slow **ret_slow) TWOLEG_MUST_CHECK;
enum twoleg_error token_slow_sign(struct token_slow *slow) TWOLEG_MUST_CHECK; // any one thread
// After it was signed: the token, if it is what this decision asks for, now. NOT_FOUND: what it was
// made from has changed meanwhile. The token's text belongs to slow.
enum twoleg_error token_slow_take(const struct token_context *context,
                                  const struct decision *decision, const struct token_slow *slow,
                                  struct issued_token *ret_token) TWOLEG_MUST_CHECK;
void token_slow_free(struct token_slow **slow);

// A reference token on its way: it is one once its row, the record under the hash, is durable. The
// record's scope is the decision's.
struct token_reference {
    struct token_record record;
    struct store_token_key key;
    enum token_alphabet alphabet; // of its shape
    bool checksum;
    size_t len;
    char text[TOKEN_SHAPE_TEXT_MAX]; // whoever frees it wipes it
};
enum twoleg_error token_reference_make(const struct token_context *context,
                                       const struct decision *decision,
                                       struct token_reference *ret_token) TWOLEG_MUST_CHECK;
// After the commit: the token, if it is what this decision asks for, now; else NOT_FOUND. Its text
// belongs to the reference.
enum twoleg_error token_reference_take(const struct token_context *context,
                                       const struct decision *decision,
                                       const struct token_reference *token,
                                       struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// For a decision whose reissue is same: the token that is out, or will be. Each life is a window of
// time; a token that was first asked for in one window still lives in part of the next.
// So there are two that may be out, and by one clock never both alive; that of the next window is
// out where a clock was ahead: another worker's by a moment, or one that a restart gave up.
// All are derived from what is asked for, by a data key: every worker, and the server after a
// restart, finds the same, and no text is kept.
enum token_again_which { AGAIN_BEFORE, AGAIN_NOW, AGAIN_NEXT, AGAIN_COUNT };
struct token_again {
    struct token_reference tokens[AGAIN_COUNT]; // records as if made now; whoever frees wipes it
};
enum twoleg_error token_again_make(const struct token_context *context,
                                   const struct decision *decision,
                                   struct token_again *ret_again) TWOLEG_MUST_CHECK;
struct token_known;
struct token_again_found {
    enum token_again_which which;
    struct token_record record; // its scope lies in the arena
};
// The first that is alive, and its record. known: AGAIN_COUNT answers of the store, or NULL. WAIT:
// the store must be asked, also of those before one that is known; NOT_FOUND: none is alive, and
// that of AGAIN_NOW is to be written.
enum twoleg_error token_again_find(const struct token_context *context,
                                   const struct decision *decision,
                                   const struct token_again *again,
                                   const struct token_known *known, struct arena *arena,
                                   struct token_again_found *ret_found) TWOLEG_MUST_CHECK;
// One of them, with the record that was found: as token_reference_take, with what is left of its
// life.
enum twoleg_error token_again_take(const struct token_context *context,
                                   const struct decision *decision,
                                   const struct token_reference *token,
                                   struct issued_token *ret_token) TWOLEG_MUST_CHECK;

// For a decision whose reissue is replace: a new token, the only one of its application or user
// from then on, and what its text is derived from.
enum twoleg_error token_sole_make(const struct token_context *context,
                                  const struct decision *decision, struct token_nonce *ret_nonce,
                                  struct token_reference *ret_token) TWOLEG_MUST_CHECK;
// The one that somebody else made, if it lives and is what the decision asks for; else NOT_FOUND.
enum twoleg_error token_sole_find(const struct token_context *context,
                                  const struct decision *decision,
                                  const struct store_token_sole *found,
                                  struct token_reference *ret_token) TWOLEG_MUST_CHECK;

// Where the store has a token's row, if it has one: a text may fit several shapes, and a tag fits
// by chance. The hash is the same for all, and so only one of them can be there.
#define TOKEN_KEYS_MAX 4 // one is right; the chance of each other one is 1 in 3844 or less
struct token_keys {
    struct store_token_key all[TOKEN_KEYS_MAX];
    size_t count;
};
// What the store is to be asked for. TOKEN_MALFORMED, TOKEN_FORGED: it has no such row.
enum twoleg_error token_reference_keys(const struct token_context *context, struct str text,
                                       struct token_keys *ret_keys) TWOLEG_MUST_CHECK;

// What the store has said of one reference token.
struct token_known {
    struct token_keys keys;
    bool found;
    struct token_record record;
};

// Opens the seal, verifies the signature or finds the row: what the token says is what we once
// wrote. Nothing else is decided here; that is the gate's. TWOLEG_WAIT: the store must be asked for
// token_reference_keys, and what it says be handed in as known.
enum twoleg_error token_read(const struct token_context *context, struct str text,
                             const struct token_known *known, struct arena *arena,
                             struct token_record *ret_record,
                             enum token_format *ret_format) TWOLEG_MUST_CHECK;

// The token's id as the world knows it: a JWT's jti claim, another token's id. At most
// TOKEN_ID_TEXT_MAX bytes.
#define TOKEN_ID_TEXT_MAX 112
void token_write_id(const struct token_record *record, enum token_format format, struct buf *out);

// What is asked about a token; the rest of the gate's question is found here.
struct token_question {
    enum gate_door door;
    struct str text;
    const struct token_known *known;  // what the store was asked for; may be NULL
    const struct application *caller; // introspection and revocation
    uint64_t required_api;            // /check; 0 = any
    struct str required_scope;        // /check
    struct str dialect;               // /check; see struct gate_token
};

struct token_verdict {
    struct token_record record;
    enum token_format format;
    bool read; // record and format hold, even when the token was refused
    struct registry_view view;
    struct registry_user_view user; // of a token with a subject
    struct gate_passed passed; // only when it was not refused
};

// token_read, the registry, the gate. TWOLEG_NONE: good. TWOLEG_WAIT: the store must be asked for
// the token if it was not read, else ret_verdict->view.number must be loaded first. Anything else
// is the reason of the refusal. The verdict is filled as far as the decision went, also on a
// refusal.
enum twoleg_error token_inspect(const struct token_context *context,
                                const struct token_question *question, struct arena *arena,
                                struct token_verdict *ret_verdict) TWOLEG_MUST_CHECK;

struct token_cache *token_cache_create(size_t entries); // a power of two; NULL without memory
void token_cache_destroy(struct token_cache *cache);
