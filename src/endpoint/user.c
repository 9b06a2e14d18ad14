// SPDX-License-Identifier: Apache-2.0
#include "endpoint/user.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "base/siphash.h"
#include "crypto/password.h"
#include "endpoint/limit.h"
#include "endpoint/slow_hash.h"

// A family can be rotated by others between a look and its use; this many times is bad luck.
#define LOOKS_PER_REQUEST 4
#define LOOK_CAP ((size_t)1024 * 1024)

static const char look_kind;

struct user_look {
    struct http_job job; // first
    struct store_read read;
    struct arena arena; // wiped: it holds a password's hash
    uint64_t account;
    struct str username;
    uint64_t number; // of a family; 0: by name
    struct user *user;
    struct refresh_family *family;
};

static void user_look_destroy(struct http_job *job)
{
    struct user_look *look = (struct user_look *)job;
    arena_finish(&look->arena);
    free(look);
}

static struct user_look *user_look_of(struct store_read *read)
{
    return (struct user_look *)(void *)((char *)read - offsetof(struct user_look, read));
}

static void user_look_run(struct store_read *read, struct store_reader *reader)
{
    struct user_look *look = user_look_of(read);
    enum twoleg_error error =
        look->number
            ? store_refresh(reader, look->number, &look->arena, &look->family, &look->user)
            : store_user(reader, look->account, look->username, &look->arena, &look->user);
    look->job.result = error == TWOLEG_NOT_FOUND ? TWOLEG_NONE : error;
}

static void user_look_done(struct store_read *read)
{
    struct user_look *look = user_look_of(read);
    if (read->result)
        look->job.result = read->result;
    http_job_done(&look->job);
}

static enum twoleg_error user_look_start(struct http_request *request, uint64_t account,
                                         struct str username, uint64_t number)
{
    struct user_look *look = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *look);
    if (!look)
        return TWOLEG_NO_MEMORY;
    arena_init(&look->arena, NULL, LOOK_CAP);
    look->arena.wipe = true;
    look->read.run = user_look_run;
    look->read.done = user_look_done;
    look->account = account;
    look->number = number;
    look->username = arena_copy(&look->arena, username);
    enum twoleg_error error =
        http_job_init(&look->job, request, &look_kind, user_look_destroy);
    if (!error && !look->username.ptr)
        error = TWOLEG_NO_MEMORY;
    if (!error)
        error = store_read(endpoint_context(request)->server->store, &look->read);
    if (error)
        user_look_destroy(&look->job);
    return error ? error : TWOLEG_WAIT;
}

static enum twoleg_error user_look_take(const struct http_request *request,
                                        struct user_found *ret_found)
{
    // The latest stands first in the list.
    const struct user_look *look = (const struct user_look *)http_job_find(request, &look_kind);
    if (!look)
        return TWOLEG_NOT_FOUND;
    *ret_found = (struct user_found){look->user, look->family};
    return look->job.result;
}

enum twoleg_error user_look_name(struct http_request *request, uint64_t account,
                                 struct str username, struct user_found *ret_found)
{
    // Nobody has so long a name, and nobody has the empty one: both are looked for alike.
    struct str name = username.len > USERNAME_MAX ? STR("") : username;
    enum twoleg_error error = user_look_take(request, ret_found);
    return error == TWOLEG_NOT_FOUND ? user_look_start(request, account, name, 0) : error;
}

enum twoleg_error user_look_family(struct http_request *request, uint64_t family, bool again,
                                   struct user_found *ret_found)
{
    unsigned count = 0;
    for (const struct http_job *job = request->jobs; job; job = job->next)
        count += job->kind == &look_kind;
    enum twoleg_error error = again ? TWOLEG_NOT_FOUND : user_look_take(request, ret_found);
    if (error != TWOLEG_NOT_FOUND)
        return error;
    return count < LOOKS_PER_REQUEST ? user_look_start(request, 0, STR(""), family)
                                     : TWOLEG_OVERLOADED;
}

// The password's stored form; for a name that nobody has, nobody's. Its number tells names apart in
// the table of comparisons, so that a second attempt costs the same whether there is a user or not.
static struct secret user_secret(const struct user *user, struct str username)
{
    static const struct siphash_key fold = {0, 0};
    if (user)
        return (struct secret){.number = user->number,
                               .scheme = SECRET_ARGON2,
                               .slow_hash = user->password_hash};
    return (struct secret){.number = siphash(&fold, username),
                           .scheme = SECRET_ARGON2,
                           .slow_hash = password_nobodys()};
}

static enum twoleg_error user_compare(struct http_request *request, const struct secret *secret,
                                      const struct token_request *form,
                                      const struct client *client, int64_t *ret_retry_us)
{
    const struct slow_hash question = {.owner = client->application->number,
                                       .secret = secret,
                                       .presented = form->password};
    enum twoleg_error error = endpoint_limit_user(request, client->application->account,
                                                  form->username, ret_retry_us);
    if (!error)
        error = slow_hash_start(request, &question);
    if (error == TWOLEG_WAIT)
        metrics_add(request->metrics, METRIC_PASSWORD_HASHED, 1);
    return error;
}

enum twoleg_error endpoint_user_good(const struct http_request *request, const struct user *user,
                                     uint64_t generation)
{
    struct registry_user_view view;
    registry_user(endpoint_context(request)->server->registry, user->number, &view);
    const struct gate_user gate = {
        .state = view.state, .account_active = view.account_active, .generation = generation};
    return gate_user(&gate);
}

enum twoleg_error endpoint_user(struct http_request *request, const struct token_request *form,
                                const struct client *client, const struct user **ret_user,
                                int64_t *ret_retry_us)
{
    struct slow_secret_cache *cache = endpoint_context(request)->slow;
    struct user_found found;
    const struct slow_outcome *outcomes;
    enum twoleg_error error =
        user_look_name(request, client->application->account, form->username, &found);
    if (!error)
        error = slow_hash_outcomes(request, &outcomes);
    if (error)
        return error;
    struct secret secret = user_secret(found.user, form->username);
    struct sha256 digest = slow_secret_digest(cache, &secret, form->password);
    enum slow_secret_known known = slow_secret_known(cache, outcomes, &digest);
    if (known == SLOW_UNKNOWN)
        return user_compare(request, &secret, form, client, ret_retry_us);
    error = endpoint_limit_user_seen(request, client->application->account, form->username,
                                     ret_retry_us);
    if (error)
        return error;
    if (!found.user)
        return REFUSE(TWOLEG_USER_UNKNOWN);
    if (known != SLOW_MATCHES)
        return REFUSE(TWOLEG_PASSWORD_WRONG);
    error = endpoint_user_good(request, found.user, found.user->state.generation);
    if (!error)
        *ret_user = found.user;
    return error;
}
