// SPDX-License-Identifier: Apache-2.0
// Access tokens of every format: issue, read, inspect. The only caller of signing keys.
#pragma once
#include "base/arena.h"
#include "base/metrics.h"
#include "keyring/keyring.h"
#include "model/gate.h"
#include "model/request.h"
#include "registry/registry.h"

struct jwt_cache; // of one worker: SHA-256 of a whole JWT -> its signature is valid under key K

// What tokens need of the server and of this worker.
struct token_context {
    struct registry *registry;
    struct keyring *keyring;
    struct keyring_worker *keys;
    struct jwt_cache *jwt_cache;
    struct env *env;
    struct metrics *metrics;
    struct str issuer;
    struct str prefix; // of sealed tokens
    uint32_t epoch;    // the server's
};

// TWOLEG_WAIT: the algorithm of the API signs too slowly for a loop; token_slow_create takes over.
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

// Opens the seal or verifies the signature: what the token says is what we once wrote. Nothing else
// is decided here; that is the gate's.
enum twoleg_error token_read(const struct token_context *context, struct str text,
                             struct arena *arena, struct token_record *ret_record,
                             enum token_format *ret_format) TWOLEG_MUST_CHECK;

// The token's id as the world knows it: a JWT's jti claim, a sealed token's id. At most
// TOKEN_ID_TEXT_MAX bytes.
#define TOKEN_ID_TEXT_MAX 80
void token_write_id(const struct token_record *record, enum token_format format, struct buf *out);

// What is asked about a token; the rest of the gate's question is found here.
struct token_question {
    enum gate_door door;
    struct str text;
    const struct application *caller; // introspection and revocation
    uint64_t required_api;            // /check; 0 = any
    struct str required_scope;        // /check
    struct address peer;
};

struct token_verdict {
    struct token_record record;
    enum token_format format;
    bool read; // record and format hold, even when the token was refused
    struct registry_view view;
    struct gate_passed passed; // only when it was not refused
};

// token_read, the registry, the gate. TWOLEG_NONE: good. TWOLEG_WAIT: ret_verdict->view.number must
// be loaded first. Anything else is the reason of the refusal. The verdict is filled as far as the
// decision went, also on a refusal.
enum twoleg_error token_inspect(const struct token_context *context,
                                const struct token_question *question, struct arena *arena,
                                struct token_verdict *ret_verdict) TWOLEG_MUST_CHECK;

struct jwt_cache *jwt_cache_create(size_t entries); // a power of two; NULL without memory
void jwt_cache_destroy(struct jwt_cache *cache);
