// SPDX-License-Identifier: Apache-2.0
// An application that was somewhere else before, with its ID and secret: made, found as it is, or
// changed where the caller says so. The same call twice does nothing the second time.
#include "endpoint/admin/actions.h"
#include "endpoint/admin/brought.h"
#include "endpoint/admin/view.h"
#include "manage/secret.h"

static enum twoleg_error import_prepare(struct admin_call *call, struct admin_load *load)
{
    struct application_body body;
    enum twoleg_error error = admin_application_read(call, APPLICATION_IMPORTED, &body);
    if (error)
        return error;
    if (body.client_id.len == 0)
        return admin_refuse(call, TWOLEG_MISSING, "\"client_id\" must be given");
    error = admin_brought_read(call, &body, load);
    if (error)
        return error;
    load->loader = admin_loader_brought;
    load->client_id = arena_copy(&load->look.arena, body.client_id);
    if (load->brought->kind != BROUGHT_HASH)
        load->look.read.lane = LANE_SLOW;
    return TWOLEG_NONE;
}

struct import_input {
    struct admin_load *load;
    struct application_body body;
};

// ---------------------------------------------------------------------------------- deciding

static enum twoleg_error import_refuse(struct manage_change *change,
                                       const struct application *application, struct str facts)
{
    return manage_refuse(change, TWOLEG_CONFLICT, "there is an application with the client ID "
                         "\"%.*s\" already, with other facts: %.*s",
                         (int)(application->client_id.len > 200 ? 200
                                                                : application->client_id.len),
                         application->client_id.ptr, STR_ARG(facts));
}

// Decides about an application that is there. The commit is for its words only.
static enum twoleg_error import_compare(struct admin_call *call, struct admin_commit *commit,
                                        const void *given)
{
    const struct import_input *input = given;
    const struct application *application = input->load->application;
    struct admin_brought *brought = input->load->brought;
    struct manage_application_update update = admin_application_changes(&input->body);
    struct manage_policy policy = admin_application_policy(call);
    struct buf facts;
    buf_init_arena(&facts, call->request->arena, 128);
    enum twoleg_error error =
        manage_application_differs(&commit->change, &policy,
                                   registry_apis(call->server->registry), application, &update,
                                   &facts);
    if (error)
        return error;
    brought->changes_facts = facts.len > 0;
    brought->adds_secret =
        !brought->is_there && !admin_brought_is_keyed(call, application, brought);
    if (brought->adds_secret)
        buf_add(&facts, facts.len ? STR(", secret") : STR("secret"));
    if (facts.failed)
        return TWOLEG_NO_MEMORY;
    if (facts.len && !input->body.update.value)
        return import_refuse(&commit->change, application, buf_str(&facts));
    brought->end = facts.len ? IMPORT_UPDATE : IMPORT_NOTHING;
    return TWOLEG_NONE;
}

static enum twoleg_error import_decide(struct admin_call *call, const struct import_input *input)
{
    struct admin_commit *words;
    if (!input->load->application) {
        input->load->brought->end = IMPORT_CREATE;
        return TWOLEG_NONE;
    }
    enum twoleg_error error = admin_try(call, import_compare, input, &words);
    if (!error)
        admin_drop(words);
    return error;
}

// ---------------------------------------------------------------------------------- acting

static enum twoleg_error import_create(struct admin_call *call, struct admin_commit *commit,
                                       const struct import_input *input)
{
    struct manage_policy policy = admin_application_policy(call);
    struct manage_application_new new = admin_application_new(&input->body);
    new.imported = true;
    if (!new.name.ptr)
        new.name = str_slice(new.client_id, 0, APPLICATION_NAME_MAX);
    if (!env_random_u64(call->request->env, &new.number))
        return TWOLEG_NO_RANDOM;
    enum twoleg_error error =
        admin_brought_make(call, input->load, new.number, commit, &new.secret);
    return error ? error
                 : manage_application_create(&commit->change, &policy,
                                             registry_apis(call->server->registry), &new,
                                             &commit->application, &commit->access);
}

static enum twoleg_error import_update(struct admin_call *call, struct admin_commit *commit,
                                       const struct import_input *input)
{
    const struct application *application = input->load->application;
    const struct admin_brought *brought = input->load->brought;
    struct manage_policy policy = admin_application_policy(call);
    struct manage_application_update update = admin_application_changes(&input->body);
    struct secret secret;
    enum twoleg_error error = TWOLEG_NONE;
    if (brought->changes_facts)
        error = manage_application_update(&commit->change, &policy,
                                          registry_apis(call->server->registry), application,
                                          &update, &commit->access);
    if (!error && brought->adds_secret)
        error = admin_brought_make(call, input->load, application->number, commit, &secret);
    // Another import may have added it since: then nobody knows any more what is to be done.
    if (!error && brought->adds_secret)
        error = manage_secret_add(&commit->change, application, &secret, application->version);
    return error;
}

static enum twoleg_error import_build(struct admin_call *call, struct admin_commit *commit,
                                      const void *given)
{
    const struct import_input *input = given;
    return input->load->brought->end == IMPORT_CREATE ? import_create(call, commit, input)
                                                      : import_update(call, commit, input);
}

static enum twoleg_error import_answer(struct admin_call *call, const struct import_input *input,
                                       const struct manage_access *access)
{
    static const struct str words[] = {[IMPORT_CREATE] = {"created", 7},
                                       [IMPORT_UPDATE] = {"updated", 7},
                                       [IMPORT_NOTHING] = {"unchanged", 9}};
    admin_answer_begin(call);
    json_key_str(&call->json, STR("client_id"), input->load->client_id);
    json_key_str(&call->json, STR("result"), words[input->load->brought->end]);
    admin_application_words(call, &input->body, access);
    return admin_answer_end(call, 200);
}

enum twoleg_error admin_application_import(struct admin_call *call)
{
    static const struct manage_access no_access;
    struct import_input input;
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_load(call, import_prepare, &input.load);
    if (!error)
        error = admin_application_read(call, APPLICATION_IMPORTED, &input.body);
    if (!error && input.load->brought->end == IMPORT_UNDECIDED)
        error = import_decide(call, &input);
    if (error)
        return error;
    if (input.load->brought->end == IMPORT_NOTHING)
        return import_answer(call, &input, &no_access);
    if (!input.load->brought->dry_run) {
        error = admin_commit(call, import_build, &input, &commit);
        return error ? error : import_answer(call, &input, &commit->access);
    }
    error = admin_try(call, import_build, &input, &commit);
    if (error)
        return error;
    error = import_answer(call, &input, &commit->access);
    admin_drop(commit);
    return error;
}
