// SPDX-License-Identifier: Apache-2.0
#include "endpoint/refresh.h"

#include "base/refusal.h"
#include "crypto/compare.h"
#include "endpoint/issue.h"
#include "manage/user.h"
#include "model/number.h"

// The latter ends the refresh tokens only: there was no room for the access tokens' end.
static const char revoke_kind, alone_kind;

// ---------------------------------------------------------------------------------- revoke

// The application acts for itself, also where it only showed a token that nobody should have.
static enum twoleg_error refresh_end_as(struct http_request *request, const struct client *client,
                                        const struct refresh_family *family,
                                        const struct manage_refresh_end *end)
{
    const struct application *application = client->application;
    const char *kind = end->alone ? &alone_kind : &revoke_kind;
    const struct http_job *done = http_job_find(request, kind);
    struct endpoint_commit *commit;
    if (done)
        return done->result;
    enum twoleg_error error = endpoint_commit_create(request, kind, sizeof *commit, &commit);
    if (error)
        return error;
    char memory[NUMBER_TEXT_MAX];
    struct buf number;
    buf_init(&number, memory, sizeof memory);
    number_write(&number, NUMBER_APPLICATION, application->number);
    struct manage_actor actor = {.name = buf_str(&number), .account = application->account};
    struct manage_change change;
    manage_change_init(&change, commit->batch, &actor,
                       str_of(request->id, sizeof request->id));
    return endpoint_commit_start(request, commit,
                                 manage_refresh_revoke(&change, end, family, application));
}

// A family ends in any case. LIMIT: its refresh tokens have, and its access tokens live on, as the
// application has revoked so much already that nothing more of it is kept. Whoever comes again is
// told so again, or they end.
static enum twoleg_error refresh_end(struct http_request *request, const struct client *client,
                                     const struct refresh_family *family, enum event event)
{
    const struct manage_refresh_end all = {event, false}, alone = {event, true};
    enum twoleg_error error = refresh_end_as(request, client, family, &all);
    if (error != TWOLEG_LIMIT)
        return error;
    error = refresh_family_is_buried(family) ? TWOLEG_NONE
                                             : refresh_end_as(request, client, family, &alone);
    return error ? error : REFUSE(TWOLEG_LIMIT);
}

enum twoleg_error refresh_revoke(struct http_request *request, const struct client *client,
                                 struct str text)
{
    uint64_t number;
    struct user_found found;
    if (!refresh_token_read(text, endpoint_config(request)->refresh_prefix, &number))
        return TWOLEG_NOT_FOUND;
    enum twoleg_error error = user_look_family(request, number, false, &found);
    if (error)
        return error;
    if (!found.family)
        return TWOLEG_NOT_FOUND;
    if (gate_refresh_owner(found.family, client->application->number))
        return REFUSE(TWOLEG_TOKEN_FOREIGN);
    return refresh_end(request, client, found.family, EVENT_REFRESH_REVOKE);
}

// ---------------------------------------------------------------------------------- find

static enum twoleg_error refresh_reused(struct http_request *request, const struct client *client,
                                        const struct refresh_family *family)
{
    enum twoleg_error error = refresh_end(request, client, family, EVENT_REFRESH_REUSE);
    if (error && error != TWOLEG_LIMIT)
        return error;
    metrics_add(request->metrics, METRIC_REFRESH_REUSED, 1);
    return REFUSE(TWOLEG_REFRESH_REUSED);
}

static enum twoleg_error refresh_good(const struct http_request *request,
                                      const struct client *client, const struct user_found *found)
{
    const struct token_context *token = &endpoint_context(request)->token;
    const struct gate_refresh gate = {
        .family = found->family,
        .application = client->application->number,
        .generation = client->state.generation,
        .epoch = token->epoch,
        .credential_revoked =
            registry_credential_revoked(token->registry, found->family->credential),
        .now_us = request->env->latest_us,
    };
    enum twoleg_error error = gate_refresh(&gate);
    return error ? error
                 : endpoint_user_good(request, found->user, found->family->user_generation);
}

// Whether somebody else was first with this family.
static bool refresh_lost(const struct http_request *request, const struct refresh_family *family)
{
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));)
        if (each->kept.kind && each->kept.from == family &&
            each->commit.job.result == TWOLEG_VERSION_CONFLICT)
            return true;
    return false;
}

// Another worker may have rotated it by a time that is moments later than this one's. What is
// further ahead was rotated before a restart, by a clock that was ahead then or is behind now: how
// long ago nobody can tell, so it has no grace, and the one before is used a second time (RFC 9700
// section 4.14.2). To refuse that one alone, and end nothing, would spare no login: who shows it
// since the answer was lost has nothing to go on with, and logs in anew either way. But where a
// thief has renewed it, it is shown this once and never again, and the thief would go on.
static bool refresh_in_grace(const struct http_request *request,
                             const struct refresh_family *family)
{
    int64_t since_us = request->env->latest_us - family->rotated_us;
    return since_us < REFRESH_GRACE_US && since_us > -REFRESH_GRACE_US;
}

enum twoleg_error refresh_find(struct http_request *request, const struct token_request *form,
                               const struct client *client, struct refresh_use *ret_use)
{
    uint64_t number;
    struct user_found found;
    if (!refresh_token_read(form->refresh_token, endpoint_config(request)->refresh_prefix, &number))
        return REFUSE(TWOLEG_REFRESH_UNKNOWN);
    enum twoleg_error error = user_look_family(request, number, false, &found);
    // What the family is now decides.
    if (!error && found.family && refresh_lost(request, found.family))
        error = user_look_family(request, number, true, &found);
    if (error)
        return error;
    if (!found.family || !found.user)
        return REFUSE(TWOLEG_REFRESH_UNKNOWN);
    error = refresh_good(request, client, &found);
    if (error)
        return error;
    struct sha256 shown = sha256(form->refresh_token);
    const struct refresh_family *family = found.family;
    // This request has found it good already: the grace may have passed while it waited, and where
    // it was overtaken that is no second use.
    bool begun = issue_begun(request);
    bool present = secret_equal(shown.bytes, family->current.bytes, sizeof shown.bytes);
    bool before = family->has_previous &&
                  secret_equal(shown.bytes, family->previous.bytes, sizeof shown.bytes) &&
                  (begun || refresh_in_grace(request, family));
    if (!present && !before)
        return begun ? REFUSE(TWOLEG_REFRESH_UNKNOWN) : refresh_reused(request, client, family);
    *ret_use = (struct refresh_use){found.user, family, family->number, !present};
    return TWOLEG_NONE;
}

// ---------------------------------------------------------------------------------- keep

static int64_t refresh_left_s(const struct http_request *request, int64_t until_us)
{
    int64_t left_us = until_us - request->env->latest_us;
    return left_us > 0 ? left_us / SECOND_US : 0;
}

static int64_t refresh_until(const struct http_request *request, int64_t expires_us)
{
    int64_t idle_us = request->env->latest_us + endpoint_config(request)->refresh_idle;
    return idle_us < expires_us ? idle_us : expires_us;
}

// What is durable of what the request is to keep.
struct refresh_state {
    bool done;                        // there is a successor, or a first one
    const struct refresh_kept *kept;  // it, unless another request made it
    int64_t until_s;                  // noted of the access tokens
};

static struct refresh_state refresh_state(const struct http_request *request,
                                          const struct refresh_use *use)
{
    struct refresh_state state = {.done = use->again,
                                  .until_s = use->again ? use->family->tokens_until_s : 0};
    for (const struct issue_commit *each = NULL; (each = issue_commit_next(request, each));) {
        const struct refresh_kept *kept = &each->kept;
        if (!kept->kind || kept->from != use->family || each->commit.job.result)
            continue;
        state.done = true;
        state.kept = kept->kind == REFRESH_KEPT_NEXT ? kept : state.kept;
        state.until_s = kept->until_s > state.until_s ? kept->until_s : state.until_s;
    }
    return state;
}

// Until when an access token lives, as a family has it.
static int64_t refresh_tokens_until_s(int64_t expires_s)
{
    return expires_s ? expires_s : REFRESH_TOKENS_LASTING;
}

// The end of a family is known for so much longer than what was noted. A token that is made later,
// because the request waited or came again, may outlive that by moments; one that lives longer,
// since its life was changed or it is the next one of those that are given out again, is noted.
static bool refresh_outlives(int64_t expires_s, int64_t noted_s)
{
    return refresh_tokens_until_s(expires_s) - REFRESH_OUTLIVES_S > noted_s;
}

static const struct data_key *refresh_key(const struct http_request *request)
{
    return keyring_active(keyring_current(endpoint_context(request)->server->keyring), KEY_SECRET);
}

// The same successor as the one before got: derived anew from what was shown.
static enum twoleg_error refresh_give_again(struct http_request *request,
                                            const struct refresh_family *family,
                                            struct issued_token *ret_token)
{
    const struct endpoint_context *context = endpoint_context(request);
    const struct data_key *key =
        keyring_data(keyring_current(context->server->keyring), KEY_SECRET, family->key);
    struct refresh_token *token = ARENA_NEW(request->arena, struct refresh_token);
    if (!token)
        return TWOLEG_NO_MEMORY;
    if (!key)
        return REFUSE(TWOLEG_REFRESH_UNKNOWN);
    refresh_token_next(key, endpoint_config(request)->refresh_prefix, family->number,
                       &family->previous, token);
    struct sha256 hash = sha256(refresh_token_str(token));
    if (!secret_equal(hash.bytes, family->current.bytes, sizeof hash.bytes))
        return REFUSE(TWOLEG_REFRESH_UNKNOWN);
    ret_token->refresh_token = refresh_token_str(token);
    ret_token->refresh_expires_in_s = refresh_left_s(
        request, family->idle_us < family->expires_us ? family->idle_us : family->expires_us);
    return TWOLEG_NONE;
}

static enum twoleg_error refresh_build_first(struct http_request *request,
                                             const struct decision *decision,
                                             struct store_batch *batch, struct refresh_kept *kept)
{
    const struct config *config = endpoint_config(request);
    const struct application *application = decision->application;
    const struct data_key *key = refresh_key(request);
    struct refresh_family *family = &kept->family;
    if (!key)
        return REFUSE(TWOLEG_INTERNAL);
    *family = (struct refresh_family){
        .number = decision->family,
        .account = application->account,
        .application = application->number,
        .generation = decision->generation,
        .user = decision->subject,
        .user_generation = decision->subject_generation,
        .epoch = endpoint_context(request)->token.epoch,
        .api = decision->api->number,
        .scope = store_batch_copy(batch, decision->scope),
        .key = key->id,
        .rotated_us = request->env->latest_us,
        .expires_us = request->env->latest_us + config->refresh_ttl,
        .tokens_until_s = kept->until_s,
        .credential = decision->credential,
    };
    family->idle_us = refresh_until(request, family->expires_us);
    kept->left_s = refresh_left_s(request, family->idle_us);
    enum twoleg_error error =
        refresh_token_first(request->env, config->refresh_prefix, family->number, &kept->token);
    if (error)
        return error;
    family->current = sha256(refresh_token_str(&kept->token));
    store_batch_add(batch, VERB_REFRESH_ADD, application->account)->family = family;
    return TWOLEG_NONE;
}

static enum twoleg_error refresh_build_next(struct http_request *request,
                                            const struct decision *decision,
                                            const struct refresh_family *family,
                                            struct store_batch *batch, struct refresh_kept *kept)
{
    const struct data_key *key = refresh_key(request);
    if (!key)
        return REFUSE(TWOLEG_INTERNAL);
    refresh_token_next(key, endpoint_config(request)->refresh_prefix, family->number,
                       &family->current, &kept->token);
    int64_t idle_us = refresh_until(request, family->expires_us);
    kept->left_s = refresh_left_s(request, idle_us);
    struct store_verb *verb = store_batch_add(batch, VERB_REFRESH_ROTATE, family->account);
    verb->rotate.family = family->number;
    verb->rotate.key = key->id;
    verb->rotate.current = family->current;
    verb->rotate.next = sha256(refresh_token_str(&kept->token));
    verb->rotate.rotated_us = request->env->latest_us;
    verb->rotate.idle_us = idle_us;
    verb->rotate.tokens_until_s = kept->until_s;
    verb->rotate.credential = decision->credential;
    return TWOLEG_NONE;
}

static void refresh_build_note(const struct decision *decision, const struct refresh_use *use,
                               const struct refresh_state *state, struct issue_commit *commit)
{
    struct store_verb *verb = store_batch_add(commit->commit.batch, VERB_REFRESH_NOTE,
                                              decision->application->account);
    verb->rotate.family = decision->family;
    verb->rotate.current = state->kept ? sha256(refresh_token_str(&state->kept->token))
                                       : use->family->current;
    verb->rotate.tokens_until_s = commit->kept.until_s;
}

enum twoleg_error refresh_write(struct http_request *request, const struct decision *decision,
                                const struct refresh_use *use, int64_t expires_s,
                                struct issue_commit *commit)
{
    struct refresh_state state = refresh_state(request, use);
    struct store_batch *batch = commit->commit.batch;
    struct refresh_kept *kept = &commit->kept;
    if (!decision->family || (state.done && !refresh_outlives(expires_s, state.until_s)))
        return TWOLEG_NONE;
    kept->kind = state.done ? REFRESH_KEPT_NOTED : REFRESH_KEPT_NEXT;
    kept->from = use->family;
    kept->until_s = refresh_tokens_until_s(expires_s);
    if (!state.done)
        return use->family ? refresh_build_next(request, decision, use->family, batch, kept)
                           : refresh_build_first(request, decision, batch, kept);
    refresh_build_note(decision, use, &state, commit);
    return TWOLEG_NONE;
}

enum twoleg_error refresh_keep(struct http_request *request, const struct decision *decision,
                               const struct refresh_use *use, struct issued_token *ret_token)
{
    struct refresh_state state = refresh_state(request, use);
    if (state.done && !refresh_outlives(ret_token->expires_s, state.until_s)) {
        if (!state.kept)
            return refresh_give_again(request, use->family, ret_token);
        // All tokens of the application were revoked since it was written: it is dead, the access
        // token is not. Whoever logs in once more gets two that are alike.
        if (!use->family && state.kept->family.generation != decision->generation)
            return REFUSE_FULL(CAP_REPEATS);
        ret_token->refresh_token = refresh_token_str(&state.kept->token);
        ret_token->refresh_expires_in_s = state.kept->left_s;
        return TWOLEG_NONE;
    }
    const struct issue_commit *last = issue_commit_next(request, NULL);
    if (last && last->commit.job.result && !issue_commit_lost(last))
        return last->commit.job.result;
    struct issue_commit *commit;
    enum twoleg_error error = issue_commit_create(request, &commit);
    if (error)
        return error;
    return endpoint_commit_start(
        request, &commit->commit,
        refresh_write(request, decision, use, ret_token->expires_s, commit));
}
