// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/job.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "codec/base62.h"
#include "crypto/wipe.h"

#define LOAD_CAP ((size_t)8 * 1024 * 1024) // a page of 1000 applications with the longest ids

#define COMMIT_TRIES_MAX 8
#define LOAD_SHOWN 300 // bytes of an ID, in words

// Their addresses tell a call's jobs apart.
static const char kind_commit, kind_body;

static enum twoleg_error load_run(struct endpoint_look *look, struct store_reader *reader)
{
    struct admin_load *load = (struct admin_load *)look;
    return load->loader(load, reader);
}

static void load_finish(struct endpoint_look *look)
{
    struct admin_load *load = (struct admin_load *)look;
    wipe(&load->hash, sizeof load->hash);
    sign_key_free(&load->key);
}

static const struct endpoint_look_kind load_kind = {.size = sizeof(struct admin_load),
                                                    .arena_cap = LOAD_CAP,
                                                    .run = load_run,
                                                    .finish = load_finish};

enum twoleg_error admin_loader_hash(struct admin_load *load, struct store_reader *reader)
{
    (void)reader;
    struct env env;
    if (load->secret.len == 0)
        return TWOLEG_NONE;
    env_init(&env); // the worker's belongs to its thread
    enum twoleg_error error = password_hash(&env, load->secret, &load->hash);
    env_finish(&env);
    return error;
}

// An ID is named, but for what ends like a secret or a token of ours: people swap them, and answers
// land in the logs of scripts.
static void load_name_unknown(struct admin_load *load)
{
    struct str id = load->client_id;
    if (id.len > CREDENTIAL_CHECKSUM_LEN && credential_checksum_ok(id))
        snprintf(load->reason, sizeof load->reason,
                 "what was given as the client ID is a secret or a token");
    else
        snprintf(load->reason, sizeof load->reason, "there is no application with the client ID "
                 "\"%.*s\"", STR_ARG(str_slice(id, 0, LOAD_SHOWN)));
}

static enum twoleg_error load_application(struct admin_load *load, struct store_reader *reader)
{
    uint64_t number;
    enum twoleg_error error =
        store_application_find(reader, STORE_OPERATOR, load->client_id, &number);
    // A client ID that looks like a number is an ID first.
    if (error == TWOLEG_NOT_FOUND && load->by_number &&
        number_read(load->client_id, NUMBER_APPLICATION, &number))
        error = TWOLEG_NONE;
    if (!error)
        error = store_application(reader, STORE_OPERATOR, number, &load->look.arena,
                                  &load->application);
    if (error == TWOLEG_NOT_FOUND)
        load_name_unknown(load);
    if (!error)
        error = store_apis(reader, &load->look.arena, &load->apis);
    if (!error)
        error = admin_loader_hash(load, reader);
    return error;
}

enum twoleg_error admin_load(struct admin_call *call,
                             enum twoleg_error (*prepare)(struct admin_call *call,
                                                          struct admin_load *load),
                             struct admin_load **ret_load)
{
    struct admin_load *load = (struct admin_load *)http_job_find(call->request, &load_kind);
    if (load && load->look.job.result) {
        if (load->reason[0])
            return admin_refuse(call, load->look.job.result, "%s", load->reason);
        return load->look.job.result;
    }
    if (load) {
        *ret_load = load;
        return TWOLEG_NONE;
    }
    struct endpoint_look *look;
    if (endpoint_look_create(call->request, &load_kind, &look))
        return TWOLEG_OVERLOADED;
    load = (struct admin_load *)look;
    load->loader = load_application;
    enum twoleg_error error = prepare(call, load);
    if (!error && load->look.arena.refused)
        error = TWOLEG_OVERLOADED;
    if (load->secret.len)
        load->look.read.lane = LANE_SLOW; // a hash is made
    return endpoint_look_start(call->request, look, error);
}

enum twoleg_error admin_load_name(struct admin_call *call, struct admin_load *load)
{
    struct str client_id;
    const struct admin_parameter parameters[] = {{"client_id", &client_id}};
    enum twoleg_error error = admin_query(call, parameters, 1);
    if (error)
        return error;
    if (client_id.len == 0 || client_id.len > CLIENT_ID_MAX)
        return admin_refuse(call, TWOLEG_MISSING, "an application is named by its client ID, 1 to "
                            "%d bytes", CLIENT_ID_MAX);
    load->client_id = arena_copy(&load->look.arena, client_id);
    return TWOLEG_NONE;
}

enum twoleg_error admin_load_named(struct admin_call *call, struct admin_load **ret_load)
{
    return admin_load(call, admin_load_name, ret_load);
}

enum twoleg_error admin_loader_user(struct admin_load *load, struct store_reader *reader)
{
    enum twoleg_error error =
        store_user(reader, ACCOUNT_DEFAULT, load->username, &load->look.arena, &load->user);
    if (error == TWOLEG_NOT_FOUND)
        snprintf(load->reason, sizeof load->reason, "there is no user \"%.*s\"",
                 STR_ARG(load->username));
    if (!error)
        error = store_apis(reader, &load->look.arena, &load->apis);
    if (!error)
        error = admin_loader_hash(load, reader);
    return error;
}

// ---------------------------------------------------------------------------------- commit

enum twoleg_error admin_refuse_full(struct admin_call *call)
{
    return admin_refuse(call, TWOLEG_LIMIT, "this application has as many single revocations as it "
                        "may, %d of tokens that live or %d in all; `twoleg app revoke-tokens` "
                        "ends all its tokens", REVOCATIONS_PER_APPLICATION, REVOCATIONS_KEPT);
}

static enum twoleg_error commit_refused(struct admin_call *call, const struct admin_commit *commit)
{
    const struct store_verb *verb = commit->commit.batch->refused;
    enum twoleg_error error = commit->commit.job.result;
    if (admin_explain(call, error, commit->commit.batch->failure))
        return error;
    if (error == TWOLEG_VERSION_CONFLICT)
        return admin_refuse(call, error, "it was changed by somebody else meanwhile; try again");
    if (!verb)
        return error;
    if (error == TWOLEG_CONFLICT && verb->kind == VERB_APPLICATION_CREATE)
        return admin_refuse(call, error, "there is an application with the client ID "
                            "\"%.*s\" already",
                            STR_ARG(str_slice(verb->application->client_id, 0, LOAD_SHOWN)));
    if (error == TWOLEG_CONFLICT && verb->kind == VERB_API_CREATE)
        return admin_refuse(call, error, "there is an API with the identifier \"%.*s\" already",
                            STR_ARG(str_slice(verb->api->identifier, 0, LOAD_SHOWN)));
    if (error == TWOLEG_CONFLICT && verb->kind == VERB_USER_CREATE)
        return admin_refuse(call, error, "there is a user \"%.*s\" already",
                            STR_ARG(verb->user->username));
    if (error == TWOLEG_LIMIT && verb->kind == VERB_TOKEN_REVOKE)
        return admin_refuse_full(call);
    if (error == TWOLEG_LIMIT && verb->kind == VERB_SECRET_CREATE)
        return admin_refuse(call, error, "the application has %d live secrets already; remove one "
                            "first", SECRETS_LIVE_MAX);
    return error;
}

// Somebody else declared the same new scope first, made a key or changed the master key: built
// anew, from the APIs and keys as they are now, the change is good. Or there was no room for the
// end of access tokens: then their refresh tokens end alone.
static bool commit_goes_again(const struct admin_commit *commit)
{
    const struct store_verb *verb = commit->commit.batch->refused;
    enum twoleg_error error = commit->commit.job.result;
    if (!verb)
        return false;
    if (verb->kind == VERB_REFRESH_REVOKE)
        return error == TWOLEG_LIMIT && !verb->refresh_revoke.alone;
    if (verb->kind == VERB_KEY_CREATE)
        return error == TWOLEG_CONFLICT || error == TWOLEG_VERSION_CONFLICT;
    return error == TWOLEG_CONFLICT && verb->kind == VERB_SCOPE_CREATE &&
           commit->access.declared_count;
}

static size_t commit_tries(const struct admin_call *call)
{
    size_t tries = 0;
    for (const struct http_job *job = call->request->jobs; job; job = job->next)
        tries += job->kind == &kind_commit;
    return tries;
}

bool admin_commit_full(const struct admin_call *call)
{
    const struct http_job *last = http_job_find(call->request, &kind_commit);
    return last && last->result == TWOLEG_LIMIT;
}

enum twoleg_error admin_committed(struct admin_call *call, struct admin_commit **ret_commit)
{
    // The latest stands first in the list.
    *ret_commit = (struct admin_commit *)http_job_find(call->request, &kind_commit);
    if (!*ret_commit || !(*ret_commit)->commit.job.result)
        return TWOLEG_NONE;
    if (!commit_goes_again(*ret_commit) || commit_tries(call) >= COMMIT_TRIES_MAX)
        return commit_refused(call, *ret_commit);
    *ret_commit = NULL;
    return TWOLEG_NONE;
}

static enum twoleg_error commit_create(struct admin_call *call, struct admin_commit **ret_commit)
{
    struct endpoint_commit *created;
    if (endpoint_commit_create(call->request, &kind_commit, sizeof(struct admin_commit), &created))
        return TWOLEG_OVERLOADED;
    struct admin_commit *commit = (struct admin_commit *)created;
    manage_change_init(&commit->change, created->batch, &call->actor,
                       str_of(call->request->id, HTTP_ID_LEN));
    *ret_commit = commit;
    return TWOLEG_NONE;
}

// With the error of whoever built the batch; the commit is no longer the caller's.
static enum twoleg_error commit_start(struct admin_call *call, struct admin_commit *commit,
                                      enum twoleg_error built)
{
    commit->change.actor = NULL; // it is this turn's only
    if (built && commit->change.problem[0])
        admin_refuse(call, built, "%s", commit->change.problem);
    return endpoint_commit_start(call->request, &commit->commit, built);
}

enum twoleg_error admin_commit(struct admin_call *call, admin_build *build, const void *input,
                               struct admin_commit **ret_commit)
{
    struct admin_commit *commit;
    enum twoleg_error error = admin_committed(call, ret_commit);
    if (error || *ret_commit)
        return error;
    error = commit_create(call, &commit);
    return error ? error : commit_start(call, commit, build(call, commit, input));
}

enum twoleg_error admin_try(struct admin_call *call, admin_build *build, const void *input,
                            struct admin_commit **ret_commit)
{
    struct admin_commit *commit;
    enum twoleg_error error = commit_create(call, &commit);
    if (error)
        return error;
    error = build(call, commit, input);
    if (!error) {
        *ret_commit = commit;
        return TWOLEG_NONE;
    }
    if (commit->change.problem[0])
        admin_refuse(call, error, "%s", commit->change.problem);
    endpoint_commit_drop(&commit->commit);
    return error;
}

void admin_drop(struct admin_commit *commit)
{
    if (commit)
        endpoint_commit_drop(&commit->commit);
}

// ---------------------------------------------------------------------------------- body

static void body_destroy(struct http_job *job)
{
    free(job);
}

enum twoleg_error admin_wait_body(struct admin_call *call, uint64_t number)
{
    struct http_job *job = http_job_find(call->request, &kind_body);
    if (job && job->result)
        return job->result;
    job = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *job);
    if (!job)
        return TWOLEG_OVERLOADED;
    enum twoleg_error error = http_job_init(job, call->request, &kind_body, body_destroy);
    if (!error)
        error = registry_load(call->server->registry, number, job);
    if (!error)
        return TWOLEG_WAIT;
    body_destroy(job);
    return error;
}
