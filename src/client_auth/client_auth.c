// SPDX-License-Identifier: Apache-2.0
#include "client_auth/client_auth.h"

#include <string.h>

#include "base/refusal.h"
#include "codec/percent.h"
#include "crypto/compare.h"
#include "crypto/hash.h"

// What a method reads: an id and a secret, each in one or two spellings (the second STR_NONE).
struct presented {
    struct str id[2];
    struct str secret[2];
};

// RFC 6749 section 2.3.1 has both parts form-encoded, most clients send them as they are. Both
// spellings are tried where they differ, decoded first, unless the dialect knows one only.
static enum twoleg_error presented_by_basic(const struct client_auth_context *context,
                                            const struct token_request *request,
                                            struct presented *ret)
{
    const struct str raw[2] = {request->client_id, request->client_secret};
    struct str *const into[2] = {ret->id, ret->secret};
    for (size_t i = 0; i < 2; i++) {
        into[i][0] = raw[i];
        if (!request->rules->basic_decoded)
            continue;
        enum twoleg_error error = percent_decode_or_raw(raw[i], PERCENT_PLUS_BLANK,
                                                        context->arena, &into[i][0]);
        if (error)
            return error;
        bool both = request->rules->basic_raw && !str_equal(into[i][0], raw[i]);
        into[i][1] = both ? raw[i] : STR_NONE;
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
    return REFUSE(TWOLEG_CLIENT_MISSING);
}

void client_auth_secret_mac(const struct data_key *key, uint64_t application, struct str secret,
                            uint8_t ret_mac[static 32])
{
    struct sha256 digest = sha256(secret);
    client_auth_digest_mac(key, application, &digest, ret_mac);
}

void client_auth_digest_mac(const struct data_key *key, uint64_t application,
                            const struct sha256 *digest, uint8_t ret_mac[static 32])
{
    struct mac_state state;
    mac_begin(&state, &key->mac);
    mac_add(&state, STR("secret"));
    mac_add_u64(&state, application);
    mac_add(&state, str_of(digest->bytes, sizeof digest->bytes));
    struct sha256 made = mac_end(&state);
    memcpy(ret_mac, made.bytes, sizeof made.bytes);
}

// The id in the spelling that exists, decoded first. Both are looked for whatever is found, so that
// one that exists costs what another does.
static enum twoleg_error client_auth_find(const struct client_auth_context *context,
                                          const struct presented *presented,
                                          struct registry_view *ret_view)
{
    enum twoleg_error error = REFUSE(TWOLEG_CLIENT_UNKNOWN);
    for (size_t i = 0; i < 2; i++) {
        struct registry_view view = {0};
        if (!presented->id[i].ptr)
            continue;
        enum twoleg_error found = registry_client(context->registry, presented->id[i], &view);
        if (error != TWOLEG_CLIENT_UNKNOWN)
            continue;
        error = found;
        *ret_view = view;
    }
    return error;
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
        struct sha256 digest =
            slow_secret_digest(context->slow, secret, &context->network, spellings[i]);
        enum slow_secret_known known = slow_outcome_find(context->outcomes, &digest);
        if (known == SLOW_UNKNOWN && !context->doubts) {
            known = slow_secret_find(context->slow, &digest);
            ret_wait->remembered |= known != SLOW_UNKNOWN;
        }
        if (known == SLOW_UNKNOWN) {
            ret_wait->slow = secret;
            ret_wait->presented = spellings[i];
        }
        ret_wait->matched = known == SLOW_MATCHES;
        ret_wait->digest = digest;
        if (known != SLOW_DIFFERS)
            return known;
    }
    return SLOW_DIFFERS;
}

// The secret that was presented, or NULL, and the gate's word on it.
struct client_match {
    const struct secret *secret;
    enum twoleg_error error;
};

static enum twoleg_error client_auth_gate(const struct client_auth_context *context,
                                          const struct registry_view *view,
                                          const struct secret *secret)
{
    const struct gate_client gate = {
        .door = context->door,
        .application = view->body,
        .state = view->state,
        .secret = secret,
        .account_active = view->account_active,
        .dialect = context->dialect,
        .now_us = context->now_us,
    };
    return gate_client(&gate);
}

// One text can be there several times, as in a renewal: a row that the gate passes goes before one
// that it refuses.
static void client_auth_take(const struct client_auth_context *context,
                             const struct registry_view *view, const struct secret *secret,
                             struct client_match *match)
{
    enum twoleg_error error = client_auth_gate(context, view, secret);
    if (!match->secret || !error)
        *match = (struct client_match){secret, error};
}

// Only who has a right secret sees that the rest is not looked at.
static bool client_auth_is_open(const struct client_match *match)
{
    return match->secret && !match->error;
}

// The application's secrets in turn, then NULL. Where it has fewer than it may have, or is unknown,
// nobody's stand in, which match nothing: as many are looked at however many there are (row B2).
static const struct secret *client_auth_secret(const struct application *application, size_t at)
{
    static const struct secret nobodys[SECRETS_LIVE_MAX];
    size_t count = application->secret_count;
    const struct secret *from = at < count ? application->secrets : nobodys;
    return at < count || at < SECRETS_LIVE_MAX ? &from[at] : NULL;
}

// The secrets that are kept under this data key. Their MACs are of the application and the text
// only, so one for each spelling serves all of them.
static void client_auth_match_key(const struct client_auth_context *context,
                                  const struct registry_view *view, const struct data_key *key,
                                  const struct str *spellings, struct client_match *match)
{
    uint8_t made[2][32];
    size_t made_count = 0;
    for (size_t i = 0; i < 2; i++)
        if (spellings[i].len)
            client_auth_secret_mac(key, view->number, spellings[i], made[made_count++]);
    const struct secret *secret;
    for (size_t i = 0; (secret = client_auth_secret(view->body, i)); i++) {
        bool matches = false;
        for (size_t k = 0; k < made_count; k++)
            matches = secret_equal(made[k], secret->mac, sizeof made[k]) || matches;
        if (matches && secret->scheme == SECRET_KEYED && secret->key == key->id)
            client_auth_take(context, view, secret, match);
        if (client_auth_is_open(match))
            break;
    }
}

// Goes through the data keys, not through the secrets: an unknown id, an application without any
// and one with ten cost the same number of MACs (row B2).
static void client_auth_match_keyed(const struct client_auth_context *context,
                                    const struct registry_view *view,
                                    const struct presented *presented, struct client_match *match)
{
    for (size_t i = 0; i < context->keys->data_count && !client_auth_is_open(match); i++)
        if (context->keys->data[i].purpose == KEY_SECRET)
            client_auth_match_key(context, view, &context->keys->data[i], presented->secret,
                                  match);
}

// TWOLEG_WAIT: see ret_wait.
static enum twoleg_error client_auth_match_slow(const struct client_auth_context *context,
                                                const struct registry_view *view,
                                                const struct presented *presented,
                                                struct client_match *match,
                                                struct client_auth_wait *ret_wait)
{
    const struct secret *secret;
    for (size_t i = 0; (secret = client_auth_secret(view->body, i)); i++) {
        // A hash is dear: none for a secret that the gate would refuse anyway.
        if (!secret_scheme_is_slow(secret->scheme) ||
            client_auth_gate(context, view, secret))
            continue;
        enum slow_secret_known known =
            client_auth_slow(context, secret, presented->secret, ret_wait);
        if (known == SLOW_UNKNOWN)
            return TWOLEG_WAIT;
        if (known == SLOW_MATCHES)
            client_auth_take(context, view, secret, match);
        if (client_auth_is_open(match))
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
    *ret_wait = (struct client_auth_wait){.application = 0};
    enum twoleg_error error = client_auth_read(context, request, &presented);
    if (error)
        return error;
    if (presented.id[0].len == 0 || presented.secret[0].len == 0)
        return REFUSE(TWOLEG_CLIENT_MISSING);
    if (presented.id[0].len > CLIENT_ID_MAX || presented.secret[0].len > SECRET_MAX)
        return REFUSE(TWOLEG_CLIENT_MALFORMED);
    error = client_auth_find(context, &presented, &view);
    *ret_wait = (struct client_auth_wait){.client_id = presented.id[0],
                                          .application = view.number};
    if (error && error != TWOLEG_CLIENT_UNKNOWN)
        return error;

    // Keyed ones are all compared before any slow one is asked for: a right keyed secret never
    // waits.
    struct client_match match = {0};
    client_auth_match_keyed(context, &view, &presented, &match);
    if (!match.secret &&
        client_auth_match_slow(context, &view, &presented, &match, ret_wait) == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    if (error)
        return error;
    if (!match.secret)
        return REFUSE(TWOLEG_SECRET_WRONG);
    if (!match.error)
        *ret_client = (struct client){view.body, view.state, match.secret};
    return match.error;
}
