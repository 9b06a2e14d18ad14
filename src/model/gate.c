// SPDX-License-Identifier: Apache-2.0
#include "model/gate.h"

#include "base/fault.h"
#include "base/refusal.h"
#include "model/scope.h"

const char *const gate_checks[] = {
    "client_status",   "client_deleted",   "client_account",    "secret_expired",
    "secret_early",    "client_serves",    "application_dialect", "token_epoch",
    "token_status",    "token_deleted",    "token_account",     "token_generation",
    "token_expired",   "token_revoked",    "token_credential",  "token_audience",
    "token_family",    "token_future",
    "token_scope_left", "token_served",    "token_owner",       "token_required_api",
    "token_required_scope", "token_user_deleted", "token_user_status", "token_user_generation",
    "user_deleted",    "user_status",      "user_account",      "user_generation",
    "refresh_owner",   "refresh_epoch",    "refresh_generation", "refresh_expired",
    "refresh_idle",    "refresh_credential", NULL,
};

// A check fails unless its condition holds. A mutation run leaves one out and must see a test fail.
static bool gate_fails(const char *check, bool holds)
{
    return !holds && !mutant_drops(check);
}

// Where another dialect is spoken than those that it is tied to, an application is nobody's.
static enum twoleg_error gate_dialect(const struct application *application, struct str dialect)
{
    if (gate_fails("application_dialect", application_speaks(application, dialect)))
        return REFUSE(TWOLEG_APPLICATION_ELSEWHERE);
    return TWOLEG_NONE;
}

enum twoleg_error gate_client(const struct gate_client *q)
{
    if (gate_fails("client_deleted", q->state.status != STATUS_DELETED))
        return REFUSE(TWOLEG_APPLICATION_DELETED);
    enum twoleg_error elsewhere = gate_dialect(q->application, q->dialect);
    if (elsewhere)
        return elsewhere;
    if (gate_fails("client_status", q->state.status != STATUS_DISABLED))
        return REFUSE(TWOLEG_APPLICATION_DISABLED);
    if (gate_fails("client_account", q->account_active))
        return REFUSE(TWOLEG_ACCOUNT_DISABLED);
    if (gate_fails("secret_expired", q->now_us < q->secret->expires_us))
        return REFUSE(TWOLEG_SECRET_EXPIRED);
    if (gate_fails("secret_early", q->now_us >= q->secret->not_before_us))
        return REFUSE(TWOLEG_SECRET_EARLY);
    if (gate_fails("client_serves",
                   q->door != GATE_INTROSPECT || application_serves_any(q->application)))
        return REFUSE(TWOLEG_NOT_A_RESOURCE_SERVER);
    return TWOLEG_NONE;
}

enum twoleg_error gate_user(const struct gate_user *q)
{
    if (gate_fails("user_deleted", q->state.status != STATUS_DELETED))
        return REFUSE(TWOLEG_USER_DELETED);
    if (gate_fails("user_status", q->state.status != STATUS_DISABLED))
        return REFUSE(TWOLEG_USER_DISABLED);
    if (gate_fails("user_account", q->account_active))
        return REFUSE(TWOLEG_USER_DISABLED);
    if (gate_fails("user_generation", q->generation == q->state.generation))
        return REFUSE(TWOLEG_USER_GENERATION);
    return TWOLEG_NONE;
}

enum twoleg_error gate_refresh_owner(const struct refresh_family *family, uint64_t application)
{
    if (gate_fails("refresh_owner", family->application == application))
        return REFUSE(TWOLEG_REFRESH_FOREIGN);
    return TWOLEG_NONE;
}

enum twoleg_error gate_refresh(const struct gate_refresh *q)
{
    enum twoleg_error error = gate_refresh_owner(q->family, q->application);
    if (error)
        return error;
    if (gate_fails("refresh_epoch", q->family->epoch == q->epoch))
        return REFUSE(TWOLEG_REFRESH_EXPIRED);
    if (gate_fails("refresh_generation", q->family->generation == q->generation))
        return REFUSE(TWOLEG_REFRESH_GENERATION);
    if (gate_fails("refresh_expired", q->now_us < q->family->expires_us))
        return REFUSE(TWOLEG_REFRESH_EXPIRED);
    if (gate_fails("refresh_idle", q->now_us < q->family->idle_us))
        return REFUSE(TWOLEG_REFRESH_EXPIRED);
    if (gate_fails("refresh_credential", !q->credential_revoked))
        return REFUSE(TWOLEG_REFRESH_CREDENTIAL);
    return TWOLEG_NONE;
}

// The user whom the token speaks for; its account is the application's.
static enum twoleg_error gate_token_user(const struct gate_token *q)
{
    if (q->token->subject == 0)
        return TWOLEG_NONE;
    if (gate_fails("token_user_deleted", q->user.status != STATUS_DELETED))
        return REFUSE(TWOLEG_USER_DELETED);
    if (gate_fails("token_user_status", q->user.status != STATUS_DISABLED))
        return REFUSE(TWOLEG_USER_DISABLED);
    if (gate_fails("token_user_generation", q->token->subject_generation == q->user.generation))
        return REFUSE(TWOLEG_USER_GENERATION);
    return TWOLEG_NONE;
}

// Is the token alive, apart from what it is used for?
static enum twoleg_error gate_token_alive(const struct gate_token *q)
{
    if (gate_fails("token_epoch", q->token->epoch == q->epoch))
        return REFUSE(TWOLEG_TOKEN_EPOCH);
    if (gate_fails("token_deleted", q->state.status != STATUS_DELETED))
        return REFUSE(TWOLEG_APPLICATION_DELETED);
    if (gate_fails("token_status", q->state.status != STATUS_DISABLED))
        return REFUSE(TWOLEG_APPLICATION_DISABLED);
    if (gate_fails("token_account", q->account_active))
        return REFUSE(TWOLEG_ACCOUNT_DISABLED);
    if (gate_fails("token_generation", q->token->generation == q->state.generation))
        return REFUSE(TWOLEG_TOKEN_GENERATION);
    bool dead = q->token->expires_s && q->now_us / SECOND_US >= q->token->expires_s;
    if (gate_fails("token_expired", !dead))
        return REFUSE(TWOLEG_TOKEN_EXPIRED);
    if (gate_fails("token_revoked", !q->token_revoked))
        return REFUSE(TWOLEG_TOKEN_REVOKED);
    if (gate_fails("token_family", !q->family_revoked))
        return REFUSE(TWOLEG_TOKEN_FAMILY);
    if (gate_fails("token_credential", !q->credential_revoked))
        return REFUSE(TWOLEG_TOKEN_CREDENTIAL);
    return gate_token_user(q);
}

// What a clock that was ahead has issued ends that much too late. Not where there is no end, nor
// where a step back is waited out. A reference that is given out again (token/again.c) is of the
// next life's window at most, so it is up to two lives ahead: nobody would get another.
static enum twoleg_error gate_token_early(const struct gate_token *q)
{
    int64_t ahead_s = q->token->issued_s - q->now_us / SECOND_US;
    bool early = q->token->expires_s && ahead_s > ENV_AHEAD_US / SECOND_US;
    if (early && q->reference)
        early = ahead_s > 2 * (q->token->expires_s - q->token->issued_s);
    return gate_fails("token_future", !early) ? REFUSE(TWOLEG_TOKEN_FUTURE) : TWOLEG_NONE;
}

// Is this audience one that the asker may see, or that is asked for?
static bool gate_token_is_for(const struct gate_token *q, uint64_t number)
{
    if (q->door == GATE_INTROSPECT) {
        const struct application_api *api = application_find_api(q->caller, number);
        return !gate_fails("token_served", api && api->serves);
    }
    bool meant = q->required_api == 0 || q->required_api == number;
    return q->door != GATE_CHECK || !gate_fails("token_required_api", meant);
}

// The audiences and the scope that the application still has. A word counts only for the APIs that
// it was given for, so audiences that are not meant here leave with theirs.
static enum twoleg_error gate_token_narrow(const struct gate_token *q, struct arena *arena,
                                           struct gate_passed *passed)
{
    struct str scopes[TOKEN_APIS_MAX];
    size_t scope_count = 0;
    for (size_t i = 0; i < q->token->api_count; i++) {
        uint64_t number = q->token->apis[i];
        const struct application_api *api = application_find_api(q->application, number);
        if (gate_fails("token_audience", api && api->requests) || !gate_token_is_for(q, number))
            continue;
        passed->apis[passed->api_count++] = number;
        if (api)
            scopes[scope_count++] = api->scopes;
    }
    if (passed->api_count == 0)
        return REFUSE(TWOLEG_TOKEN_AUDIENCE);
    struct str left;
    enum twoleg_error error =
        scope_intersect(arena, q->token->scope, scopes, scope_count, &left);
    if (error)
        return error;
    if (mutant_drops("token_scope_left"))
        left = q->token->scope;
    if (q->token->scope.len && left.len == 0)
        return REFUSE(TWOLEG_TOKEN_SCOPE_EMPTY);
    passed->scope = left;
    return TWOLEG_NONE;
}

enum twoleg_error gate_owner(const struct token_record *token, const struct application *caller)
{
    if (gate_fails("token_owner", caller->number == token->application))
        return REFUSE(TWOLEG_TOKEN_FOREIGN);
    return TWOLEG_NONE;
}

enum twoleg_error gate_token(const struct gate_token *q, struct arena *arena,
                             struct gate_passed *ret_passed)
{
    struct gate_passed passed = {0};
    enum twoleg_error error = TWOLEG_NONE;
    if (q->door == GATE_REVOKE)
        error = gate_owner(q->token, q->caller);
    if (!error)
        error = gate_token_alive(q);
    // A resource server asks about tokens at whatever host it likes; a gate stands in one world.
    if (!error && q->door == GATE_CHECK)
        error = gate_dialect(q->application, q->dialect);
    if (error)
        return error;
    // Its owner may revoke a token whatever is left of its rights, and before its time: they may
    // come back, and an acknowledged revocation must hold then too.
    if (q->door == GATE_REVOKE)
        return TWOLEG_NONE;
    error = gate_token_early(q);
    if (!error)
        error = gate_token_narrow(q, arena, &passed);
    if (!error && q->door == GATE_CHECK &&
        gate_fails("token_required_scope", scope_contains(passed.scope, q->required_scope)))
        error = REFUSE(TWOLEG_TOKEN_SCOPE);
    if (!error)
        *ret_passed = passed;
    return error;
}
