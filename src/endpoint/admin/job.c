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
static const char kind_load, kind_commit, kind_body;

static void load_destroy(struct http_job *job)
{
    struct admin_load *load = (struct admin_load *)job;
    arena_finish(&load->arena);
    wipe(&load->hash, sizeof load->hash);
    sign_key_free(&load->key);
    free(load);
}

static struct admin_load *load_of(struct store_read *read)
{
    return (struct admin_load *)((char *)read - offsetof(struct admin_load, read));
}

static void load_run(struct store_read *read, struct store_reader *reader)
{
    struct admin_load *load = load_of(read);
    load->job.result = load->loader(load, reader);
}

static void load_done(struct store_read *read)
{
    struct admin_load *load = load_of(read);
    if (read->result)
        load->job.result = read->result;
    http_job_done(&load->job);
}

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
        error = store_application(reader, STORE_OPERATOR, number, &load->arena,
                                  &load->application);
    if (error == TWOLEG_NOT_FOUND)
        load_name_unknown(load);
    if (!error)
        error = store_apis(reader, &load->arena, &load->apis);
    if (!error)
        error = admin_loader_hash(load, reader);
    return error;
}

static struct admin_load *load_create(struct admin_call *call)
{
    struct admin_load *load = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *load);
    if (!load)
        return NULL;
    if (http_job_init(&load->job, call->request, &kind_load, load_destroy)) {
        free(load);
        return NULL;
    }
    arena_init(&load->arena, NULL, LOAD_CAP);
    load->arena.wipe = true;
    load->read.run = load_run;
    load->read.done = load_done;
    load->loader = load_application;
    return load;
}

enum twoleg_error admin_load(struct admin_call *call,
                             enum twoleg_error (*prepare)(struct admin_call *call,
                                                          struct admin_load *load),
                             struct admin_load **ret_load)
{
    struct admin_load *load = (struct admin_load *)http_job_find(call->request, &kind_load);
    if (load && load->job.result) {
        if (load->reason[0])
            return admin_refuse(call, load->job.result, "%s", load->reason);
        return load->job.result;
    }
    if (load) {
        *ret_load = load;
        return TWOLEG_NONE;
    }
    load = load_create(call);
    if (!load)
        return TWOLEG_OVERLOADED;
    enum twoleg_error error = prepare(call, load);
    if (!error && load->arena.refused)
        error = TWOLEG_OVERLOADED;
    if (load->secret.len)
        load->read.lane = LANE_SLOW; // a hash is made
    if (!error)
        error = store_read(call->server->store, &load->read);
    if (!error)
        return TWOLEG_WAIT;
    load_destroy(&load->job);
    return error;
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
    load->client_id = arena_copy(&load->arena, client_id);
    return TWOLEG_NONE;
}

enum twoleg_error admin_load_named(struct admin_call *call, struct admin_load **ret_load)
{
    return admin_load(call, admin_load_name, ret_load);
}

enum twoleg_error admin_loader_user(struct admin_load *load, struct store_reader *reader)
{
    enum twoleg_error error =
        store_user(reader, ACCOUNT_DEFAULT, load->username, &load->arena, &load->user);
    if (error == TWOLEG_NOT_FOUND)
        snprintf(load->reason, sizeof load->reason, "there is no user \"%.*s\"",
                 STR_ARG(load->username));
    if (!error)
        error = store_apis(reader, &load->arena, &load->apis);
    if (!error)
        error = admin_loader_hash(load, reader);
    return error;
}

// ---------------------------------------------------------------------------------- commit

static void commit_destroy(struct http_job *job)
{
    struct admin_commit *commit = (struct admin_commit *)job;
    store_batch_destroy(commit->batch);
    wipe(commit->secret, sizeof commit->secret);
    free(commit);
}

static void commit_done(struct store_batch *batch)
{
    struct admin_commit *commit = batch->context;
    commit->job.result = batch->result;
    http_job_done(&commit->job);
}

static enum twoleg_error commit_refused(struct admin_call *call, const struct admin_commit *commit)
{
    const struct store_verb *verb = commit->batch->refused;
    enum twoleg_error error = commit->job.result;
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
        return admin_refuse(call, error, "%d single tokens of this application are revoked "
                            "already; use `twoleg app revoke-tokens`", REVOCATIONS_PER_APPLICATION);
    if (error == TWOLEG_LIMIT && verb->kind == VERB_SECRET_CREATE)
        return admin_refuse(call, error, "the application has %d live secrets already; remove one "
                            "first", SECRETS_LIVE_MAX);
    return error;
}

// Somebody else declared the same new scope first, made a key or changed the master key: built
// anew, from the APIs and keys as they are now, the change is good.
static bool commit_lost_race(const struct admin_commit *commit)
{
    const struct store_verb *verb = commit->batch->refused;
    enum twoleg_error error = commit->job.result;
    if (!verb)
        return false;
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

enum twoleg_error admin_committed(struct admin_call *call, struct admin_commit **ret_commit)
{
    // The latest stands first in the list.
    *ret_commit = (struct admin_commit *)http_job_find(call->request, &kind_commit);
    if (!*ret_commit || !(*ret_commit)->job.result)
        return TWOLEG_NONE;
    if (!commit_lost_race(*ret_commit) || commit_tries(call) >= COMMIT_TRIES_MAX)
        return commit_refused(call, *ret_commit);
    *ret_commit = NULL;
    return TWOLEG_NONE;
}

static enum twoleg_error commit_create(struct admin_call *call, struct admin_commit **ret_commit)
{
    struct admin_commit *commit = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *commit);
    struct store_batch *batch = store_batch_create(call->request->env->now_us);
    if (!commit || !batch ||
        http_job_init(&commit->job, call->request, &kind_commit, commit_destroy)) {
        store_batch_destroy(batch);
        free(commit);
        return TWOLEG_OVERLOADED;
    }
    commit->batch = batch;
    batch->done = commit_done;
    batch->context = commit;
    manage_change_init(&commit->change, batch, &call->actor,
                       str_of(call->request->id, HTTP_ID_LEN));
    *ret_commit = commit;
    return TWOLEG_NONE;
}

// With the error of whoever built the batch; the commit is no longer the caller's.
static enum twoleg_error commit_start(struct admin_call *call, struct admin_commit *commit,
                                      enum twoleg_error built)
{
    enum twoleg_error error = built;
    commit->change.actor = NULL; // it is this turn's only
    if (!error)
        error = store_submit(call->server->store, commit->batch);
    if (!error)
        return TWOLEG_WAIT;
    if (built && commit->change.problem[0])
        admin_refuse(call, error, "%s", commit->change.problem);
    commit_destroy(&commit->job);
    return error;
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
    commit_destroy(&commit->job);
    return error;
}

void admin_drop(struct admin_commit *commit)
{
    if (commit)
        commit_destroy(&commit->job);
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
