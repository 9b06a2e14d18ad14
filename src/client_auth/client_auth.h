// SPDX-License-Identifier: Apache-2.0
// Client authentication: the one place that says who asks (RFC 6749 section 2.3). A table of
// methods reads what was presented; the check of the secret and the gate are the same for all.
#pragma once
#include "client_auth/slow_secret.h"
#include "keyring/keyring.h"
#include "model/gate.h"
#include "model/request.h"
#include "registry/registry.h"

struct client_auth_context {
    struct registry *registry;
    const struct keyring_set *keys;
    const struct slow_secret_cache *slow; // what slow hashes were compared with
    struct address network; // that is what the server remembers of
    bool doubts;                    // what it remembers does not count
    const struct slow_outcome *outcomes; // of this request: what it has waited for, or NULL
    struct arena *arena;
    enum gate_door door;
    struct str dialect; // that is spoken where the client asks; see struct gate_client
    int64_t now_us; // env->latest_us
};

// Whose attempt it was, whatever became of it; and, after TWOLEG_WAIT, what must happen first.
struct client_auth_wait {
    struct str client_id;     // decoded; empty when nothing usable was presented
    uint64_t application;     // 0: none has that id. To be loaded; or, when slow is set,
    const struct secret *slow; // whose slow hash is to be compared with
    struct str presented;      // this spelling
    bool remembered;           // something that the server remembers has counted
    bool matched;              // a slow hash has: of what has
    struct sha256 digest;      // this one
};

// TWOLEG_NONE: this client, and its secret passed the gate. TWOLEG_WAIT: see ret_wait, then ask
// again. Anything else refuses; an unknown id and a wrong secret cost the same.
enum twoleg_error client_auth(const struct client_auth_context *context,
                              const struct token_request *request, struct client *ret_client,
                              struct client_auth_wait *ret_wait) TWOLEG_MUST_CHECK;

// The stored form of a keyed secret:
// HMAC(data key, "secret" | application number | SHA-256(secret)).
void client_auth_secret_mac(const struct data_key *key, uint64_t application, struct str secret,
                            uint8_t ret_mac[static 32]);
// The same of a secret of which only the SHA-256 is known.
void client_auth_digest_mac(const struct data_key *key, uint64_t application,
                            const struct sha256 *digest, uint8_t ret_mac[static 32]);
