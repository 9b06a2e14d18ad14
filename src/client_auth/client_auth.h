// SPDX-License-Identifier: Apache-2.0
// Client authentication: the one place that says who asks (RFC 6749 section 2.3). A table of
// methods finds what was presented; the check of a secret and the gate are the same for all.
#pragma once
#include "keyring/keyring.h"
#include "model/gate.h"
#include "model/request.h"
#include "registry/registry.h"

struct client_auth_context {
    struct registry *registry;
    const struct keyring_set *keys;
    struct arena *arena;
    struct address peer;
    enum gate_door door;
    int64_t now_us; // env->latest_us
};

// TWOLEG_WAIT: ret_number must be loaded first; or, when *ret_slow is set, the slow hash of that
// secret must be checked first (see client_auth_slow). Unknown id and wrong secret cost the same.
enum twoleg_error client_auth(const struct client_auth_context *context,
                              const struct token_request *request, struct client *ret_client,
                              uint64_t *ret_number) TWOLEG_MUST_CHECK;

// The stored form of a secret: HMAC(data key, "secret" | application number | SHA-256(secret)).
void client_auth_secret_mac(const struct data_key *key, uint64_t application, struct str secret,
                            uint8_t ret_mac[static 32]);
