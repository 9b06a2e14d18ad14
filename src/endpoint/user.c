// SPDX-License-Identifier: Apache-2.0
#include "endpoint/user.h"

#include "base/refusal.h"
#include "base/siphash.h"
#include "crypto/password.h"
#include "endpoint/job.h"
#include "endpoint/limit.h"
#include "endpoint/slow_hash.h"

// A family can be rotated by others between a look and its use; this many times is bad luck.
#define LOOKS_PER_REQUEST 4
#define LOOK_CAP ((size_t)1024 * 1024)

struct user_look {
    struct endpoint_look look;
    uint64_t account;
    struct str username;
    uint64_t number; // of a family; 0: by name
    uint64_t new_family;
    struct user *user;
    struct refresh_family *family;
};
ENDPOINT_FIRST(struct user_look, look);

static enum twoleg_error user_look_run(struct endpoint_look *job, struct store_reader *reader)
{
    struct user_look *look = (struct user_look *)job;
    struct arena *arena = &job->arena;
    enum twoleg_error error =
        look->number ? store_refresh(reader, look->number, arena, &look->family, &look->user)
                     : store_user(reader, look->account, look->username, arena, &look->user);
    return error == TWOLEG_NOT_FOUND ? TWOLEG_NONE : error;
}

static const struct endpoint_look_kind look_kind = {
    .size = sizeof(struct user_look), .arena_cap = LOOK_CAP, .run = user_look_run};

static enum twoleg_error user_look_start(struct http_request *request, uint64_t account,
                                         struct str username, uint64_t number)
{
    struct endpoint_look *job;
    enum twoleg_error error = endpoint_look_create(request, &look_kind, &job);
    if (error)
        return error;
    struct user_look *look = (struct user_look *)job;
    look->account = account;
    look->number = number;
    look->username = arena_copy(&job->arena, username);
    error = look->username.ptr ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    if (!error && !env_random_u64(request->env, &look->new_family))
        error = TWOLEG_NO_RANDOM;
    look->new_family |= look->new_family == 0; // which none may have
    return endpoint_look_start(request, job, error);
}

static enum twoleg_error user_look_take(const struct http_request *request,
                                        struct user_found *ret_found)
{
    // The latest stands first in the list.
    const struct user_look *look = (const struct user_look *)http_job_find(request, &look_kind);
    if (!look)
        return TWOLEG_NOT_FOUND;
    *ret_found = (struct user_found){look->user, look->family, look->new_family};
    return look->look.job.result;
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
                                     : REFUSE_FULL(CAP_REPEATS);
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

// Whether the password is this one. TWOLEG_WAIT: it is compared.
static enum twoleg_error user_compare(struct http_request *request,
                                      const struct slow_hash *question,
                                      const struct sha256 *digest, bool *ret_matches,
                                      int64_t *ret_retry_us)
{
    const struct slow_hashes *slow = endpoint_context(request)->server->slow;
    const struct slow_outcome *outcomes;
    enum twoleg_error error = slow_hash_outcomes(request, &outcomes);
    if (error)
        return error;
    enum slow_secret_known known = slow_outcome_find(outcomes, digest);
    if (known == SLOW_UNKNOWN && endpoint_limit_believes(request, &question->guess))
        known = slow_secret_find(slow_hashes_known(slow), digest);
    if (known != SLOW_UNKNOWN) {
        *ret_matches = known == SLOW_MATCHES;
        return TWOLEG_NONE;
    }
    return slow_hash_start(request, question, ret_retry_us);
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
                                const struct client *client, struct user_found *ret_found,
                                int64_t *ret_retry_us)
{
    uint64_t account = client->application->account;
    struct user_found found;
    bool matches;
    // Nobody has such a one, and no hash would be paid for what it puts into the table of limits.
    if (form->password.len == 0 || form->password.len > PASSWORD_MAX)
        return REFUSE(TWOLEG_PASSWORD_WRONG);
    enum twoleg_error error = user_look_name(request, account, form->username, &found);
    if (error)
        return error;
    struct secret secret = user_secret(found.user, form->username);
    const struct slow_hash question = {.guess = {.application = client->application->number,
                                                 .of_user = true,
                                                 .account = account,
                                                 .username = form->username},
                                       .secret = &secret,
                                       .presented = form->password};
    const struct sha256 digest = slow_hash_digest(request, &question);
    error = user_compare(request, &question, &digest, &matches, ret_retry_us);
    if (error)
        return error;
    if (!found.user)
        return REFUSE(TWOLEG_USER_UNKNOWN);
    if (!matches)
        return REFUSE(TWOLEG_PASSWORD_WRONG);
    error = endpoint_user_good(request, found.user, found.user->state.generation);
    if (error)
        return error;
    slow_hash_right(request, true, &digest);
    *ret_found = found;
    return TWOLEG_NONE;
}
