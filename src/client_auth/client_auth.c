// SPDX-License-Identifier: Apache-2.0
#include "client_auth/client_auth.h"

#include <string.h>

#include "codec/percent.h"
#include "crypto/compare.h"
#include "crypto/hash.h"

// What a method reads: an id and a secret, each in one or two spellings (the second STR_NONE).
struct presented {
    struct str id[2];
    struct str secret[2];
};

// RFC 6749 section 2.3.1 has both parts form-encoded, most clients send them as they are. Both
// spellings are tried where they differ: decoded first.
static enum twoleg_error presented_by_basic(const struct client_auth_context *context,
                                            const struct token_request *request,
                                            struct presented *ret)
{
    const struct str raw[2] = {request->client_id, request->client_secret};
    struct str *const into[2] = {ret->id, ret->secret};
    for (size_t i = 0; i < 2; i++) {
        enum twoleg_error error = percent_decode_or_raw(raw[i], PERCENT_PLUS_BLANK,
                                                        context->arena, &into[i][0]);
        if (error)
            return error;
        into[i][1] = str_equal(into[i][0], raw[i]) ? STR_NONE : raw[i];
    }
    return TWOLEG_NONE;
}

static enum twoleg_error presented_by_post(const struct client_auth_context *context,
                                           const struct token_request *request,
                                           struct presented *ret)
{
    (void)context;
    ret->id[0] = request->client_id;
    ret->secret[0] = request->client_secret;
    return TWOLEG_NONE;
}

static const struct {
    enum client_method method;
    enum twoleg_error (*read)(const struct client_auth_context *context,
                              const struct token_request *request, struct presented *ret);
} methods[] = {
    {CLIENT_BASIC, presented_by_basic},
    {CLIENT_POST, presented_by_post},
};

static enum twoleg_error client_auth_read(const struct client_auth_context *context,
                                          const struct token_request *request,
                                          struct presented *ret)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (methods[i].method == request->method)
            return methods[i].read(context, request, ret);
    return TWOLEG_CLIENT_MISSING;
}

void client_auth_secret_mac(const struct data_key *key, uint64_t application, struct str secret,
                            uint8_t ret_mac[static 32])
{
    struct sha256 digest = sha256(secret);
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("secret"));
    mac_add_u64(&state, application);
    mac_add(&state, str_of(digest.bytes, sizeof digest.bytes));
    struct sha256 made = mac_end(&state);
    memcpy(ret_mac, made.bytes, sizeof made.bytes);
}

// The id in the spelling that exists. An id that does not is looked for in both, too.
static enum twoleg_error client_auth_find(const struct client_auth_context *context,
                                          const struct presented *presented,
                                          struct registry_view *ret_view)
{
    enum twoleg_error error = TWOLEG_CLIENT_UNKNOWN;
    for (size_t i = 0; i < 2 && error == TWOLEG_CLIENT_UNKNOWN; i++)
        if (presented->id[i].ptr)
            error = registry_client(context->registry, presented->id[i], ret_view);
    return error;
}

static bool client_auth_keyed(const struct client_auth_context *context,
                              const struct application *application, const struct secret *secret,
                              const struct str *spellings)
{
    const struct data_key *key = keyring_data(context->keys, KEY_SECRET, secret->key);
    bool matches = false;
    for (size_t i = 0; key && i < 2; i++) {
        uint8_t made[32];
        if (spellings[i].len == 0)
            continue;
        client_auth_secret_mac(key, application->number, spellings[i], made);
        matches = secret_equal(made, secret->mac, sizeof made) || matches;
    }
    return matches;
}

// What this request has waited for counts before what the table has kept.
static enum slow_secret_known client_auth_known(const struct client_auth_context *context,
                                                const struct sha256 *digest)
{
    for (const struct slow_outcome *each = context->outcomes; each; each = each->next)
        if (secret_equal(each->digest.bytes, digest->bytes, sizeof digest->bytes))
            return each->matches ? SLOW_MATCHES : SLOW_DIFFERS;
    return slow_secret_find(context->slow, digest);
}

// SLOW_UNKNOWN leaves in ret_wait what is to be compared on the pool.
static enum slow_secret_known client_auth_slow(const struct client_auth_context *context,
                                               const struct secret *secret,
                                               const struct str *spellings,
                                               struct client_auth_wait *ret_wait)
{
    for (size_t i = 0; i < 2; i++) {
        if (spellings[i].len == 0)
            continue;
        struct sha256 digest = slow_secret_digest(context->slow, secret, spellings[i]);
        enum slow_secret_known known = client_auth_known(context, &digest);
        if (known == SLOW_UNKNOWN) {
            ret_wait->slow = secret;
            ret_wait->presented = spellings[i];
        }
        if (known != SLOW_DIFFERS)
            return known;
    }
    return SLOW_DIFFERS;
}

// Where there is no keyed secret to compare: the work of one, with what cannot match.
static void client_auth_dummy(const struct client_auth_context *context,
                              const struct presented *presented)
{
    static const struct application nobody = {.number = 0};
    const struct data_key *key = keyring_active(context->keys, KEY_SECRET);
    struct secret none = {.key = key ? key->id : 0};
    volatile bool matches = client_auth_keyed(context, &nobody, &none, presented->secret);
    (void)matches;
}

// The secret that was presented, or NULL, and the gate's word on it.
struct client_match {
    const struct secret *secret;
    enum twoleg_error error;
};

// One text can be there several times, as in a renewal: a row that the gate passes goes before one
// that it refuses.
static void client_auth_take(const struct client_auth_context *context,
                             const struct registry_view *view, const struct secret *secret,
                             struct client_match *match)
{
    const struct gate_client gate = {
        .door = context->door,
        .application = view->body,
        .state = view->state,
        .secret = secret,
        .account_active = view->account_active,
        .peer = context->peer,
        .now_us = context->now_us,
    };
    enum twoleg_error error = gate_client(&gate);
    if (!match->secret || !error)
        *match = (struct client_match){secret, error};
}

static void client_auth_match_keyed(const struct client_auth_context *context,
                                    const struct registry_view *view,
                                    const struct presented *presented, struct client_match *match)
{
    size_t compared = 0;
    for (size_t i = 0; i < view->body->secret_count; i++) {
        const struct secret *secret = &view->body->secrets[i];
        if (secret->scheme != SECRET_KEYED)
            continue;
        compared++;
        if (client_auth_keyed(context, view->body, secret, presented->secret))
            client_auth_take(context, view, secret, match);
    }
    if (compared == 0)
        client_auth_dummy(context, presented);
}

// TWOLEG_WAIT: see ret_wait.
static enum twoleg_error client_auth_match_slow(const struct client_auth_context *context,
                                                const struct registry_view *view,
                                                const struct presented *presented,
                                                struct client_match *match,
                                                struct client_auth_wait *ret_wait)
{
    for (size_t i = 0; i < view->body->secret_count; i++) {
        const struct secret *secret = &view->body->secrets[i];
        if (secret->scheme != SECRET_ARGON2)
            continue;
        enum slow_secret_known known =
            client_auth_slow(context, secret, presented->secret, ret_wait);
        if (known == SLOW_UNKNOWN)
            return TWOLEG_WAIT;
        if (known == SLOW_MATCHES)
            client_auth_take(context, view, secret, match);
        if (match->secret && !match->error)
            break;
    }
    return TWOLEG_NONE;
}

enum twoleg_error client_auth(const struct client_auth_context *context,
                              const struct token_request *request, struct client *ret_client,
                              struct client_auth_wait *ret_wait)
{
    struct presented presented = {0};
    struct registry_view view = {0};
    enum twoleg_error error = client_auth_read(context, request, &presented);
    if (error)
        return error;
    if (presented.id[0].len == 0 || presented.secret[0].len == 0)
        return TWOLEG_CLIENT_MISSING;
    if (presented.id[0].len > CLIENT_ID_MAX || presented.secret[0].len > SECRET_MAX)
        return TWOLEG_CLIENT_MALFORMED;
    error = client_auth_find(context, &presented, &view);
    *ret_wait = (struct client_auth_wait){.application = view.number};
    if (error == TWOLEG_CLIENT_UNKNOWN)
        client_auth_dummy(context, &presented);
    if (error)
        return error;

    // Keyed ones are all compared before any slow one is asked for: a right keyed secret never
    // waits.
    struct client_match match = {0};
    client_auth_match_keyed(context, &view, &presented, &match);
    if (!match.secret &&
        client_auth_match_slow(context, &view, &presented, &match, ret_wait) == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    if (!match.secret)
        return TWOLEG_SECRET_WRONG;
    if (!match.error)
        *ret_client = (struct client){view.body, view.state, match.secret};
    return match.error;
}
