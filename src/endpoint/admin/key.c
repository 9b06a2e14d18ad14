// SPDX-License-Identifier: Apache-2.0
// Signing keys and the master key. What changes them runs on a reader's thread: it makes keys and
// waits for the disk.
#include "keyring/change.h"

#include <stdio.h>
#include <string.h>

#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/job.h"
#include "endpoint/admin/view.h"

static void key_write(struct json_writer *json, const struct signing_key *key,
                      const struct rotation_rules *rules)
{
    struct rotation_key state = {.state = key->state,
                                 .state_us = key->state_us,
                                 .last_expiry_us = key->last_expiry_us};
    int64_t until_us = rotation_next_us(rules, &state);
    json_object_begin(json);
    json_key_str(json, STR("kid"), key->kid);
    json_key_str(json, STR("algorithm"), key->algorithm);
    json_key_str(json, STR("state"), key_state_name(key->state));
    admin_view_time(json, STR("created"), key->created_us);
    admin_view_time(json, STR("since"), key->state_us);
    if (until_us)
        admin_view_time(json, STR("until"), until_us);
    json_object_end(json);
}

enum twoleg_error admin_key_list(struct admin_call *call)
{
    const struct keyring_set *set = keyring_current(call->server->keyring);
    const struct rotation_rules rules = keyring_rules(call->server->keyring);
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key(&call->json, STR("keys"));
    json_array_begin(&call->json);
    for (size_t i = 0; i < set->signing_count; i++)
        key_write(&call->json, &set->signing[i], &rules);
    json_array_end(&call->json);
    return admin_answer_end(call, 200);
}

// ---------------------------------------------------------------------------------- changes

typedef enum twoleg_error key_change(struct keyring *keyring, struct env *env,
                                     const struct keyring_actor *actor, struct str text,
                                     struct keyring_outcome *outcome);

static void key_write_steps(struct json_writer *json, const struct keyring_outcome *outcome)
{
    json_key(json, STR("keys"));
    json_array_begin(json);
    for (size_t i = 0; i < outcome->count; i++) {
        const struct keyring_done *done = &outcome->steps[i];
        json_object_begin(json);
        json_key_str(json, STR("kid"), str_of(done->kid, done->kid_len));
        json_key_str(json, STR("algorithm"), done->algorithm);
        json_key_str(json, STR("state"), key_state_name(rotation_target(done->act)));
        if (done->act == ROTATION_REPLACE)
            json_key_bool(json, STR("new"), true);
        json_object_end(json);
    }
    json_array_end(json);
}

// The answer is made on the reader's thread, from what was done there.
static enum twoleg_error key_load_change(struct admin_load *load, key_change *change)
{
    struct env env;
    struct keyring_actor actor = {load->actor, str_of(load->request_id, HTTP_ID_LEN)};
    struct keyring_outcome *outcome = ARENA_NEW(&load->look.arena, struct keyring_outcome);
    if (!outcome)
        return TWOLEG_NO_MEMORY;
    env_init(&env);
    enum twoleg_error error = change(load->keyring, &env, &actor, load->text, outcome);
    env_finish(&env);
    if (outcome->reason[0])
        snprintf(load->reason, sizeof load->reason, "%s", outcome->reason);
    if (error)
        return error;
    struct json_writer json;
    buf_init_arena(&load->out, &load->look.arena, 1024);
    json_writer_init(&json, &load->out);
    json_object_begin(&json);
    if (outcome->count > 0) {
        key_write_steps(&json, outcome);
        // Rounded up: a moment before would be too early.
        json_key_i64(&json, STR("announced_for"),
                     (outcome->announced_us + SECOND_US - 1) / SECOND_US);
    }
    if (outcome->before[0])
        json_key_str(&json, STR("before"), str_from(outcome->before));
    json_object_end(&json);
    buf_add_char(&load->out, '\n');
    return load->out.failed ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

// Without memory nothing was too large: the call has no size. Later there may be some.
static enum twoleg_error key_load(struct admin_load *load, key_change *change)
{
    enum twoleg_error error = key_load_change(load, change);
    return error == TWOLEG_NO_MEMORY ? TWOLEG_OVERLOADED : error;
}

static enum twoleg_error key_loader_rotate(struct admin_load *load, struct store_reader *reader)
{
    (void)reader;
    return key_load(load, keyring_hasten);
}

static enum twoleg_error key_loader_compromise(struct admin_load *load,
                                               struct store_reader *reader)
{
    (void)reader;
    return key_load(load, keyring_compromise);
}

static enum twoleg_error key_change_master(struct keyring *keyring, struct env *env,
                                           const struct keyring_actor *actor, struct str text,
                                           struct keyring_outcome *outcome)
{
    (void)text;
    return keyring_change_master(keyring, env, actor, outcome);
}

static enum twoleg_error key_loader_master(struct admin_load *load, struct store_reader *reader)
{
    (void)reader;
    return key_load(load, key_change_master);
}

static enum twoleg_error key_prepare(struct admin_call *call, struct admin_load *load,
                                     struct str text, admin_loader *loader)
{
    load->keyring = call->server->keyring;
    load->actor = arena_copy(&load->look.arena, call->actor.name);
    load->text = arena_copy(&load->look.arena, text);
    memcpy(load->request_id, call->request->id, HTTP_ID_LEN);
    load->look.read.lane = LANE_SLOW;
    load->loader = loader;
    return TWOLEG_NONE;
}

struct key_body {
    struct str algorithm, kid;
};

static enum twoleg_error key_prepare_rotate(struct admin_call *call, struct admin_load *load)
{
    static const struct admin_field fields[] = {
        {"algorithm", ADMIN_TEXT, offsetof(struct key_body, algorithm)},
    };
    struct key_body body = {STR(""), STR("")};
    enum twoleg_error error = admin_body(call, fields, 1, &body);
    return error ? error : key_prepare(call, load, body.algorithm, key_loader_rotate);
}

static enum twoleg_error key_prepare_compromise(struct admin_call *call, struct admin_load *load)
{
    static const struct admin_field fields[] = {
        {"kid", ADMIN_TEXT, offsetof(struct key_body, kid)},
    };
    struct key_body body = {STR(""), STR("")};
    enum twoleg_error error = admin_body(call, fields, 1, &body);
    if (!error && (body.kid.len == 0 || body.kid.len > KEYRING_KID_MAX))
        error = admin_refuse(call, TWOLEG_MISSING, "a key is named by its kid, 1 to %d bytes",
                             KEYRING_KID_MAX);
    return error ? error : key_prepare(call, load, body.kid, key_loader_compromise);
}

static enum twoleg_error key_prepare_master(struct admin_call *call, struct admin_load *load)
{
    struct key_body body = {STR(""), STR("")};
    enum twoleg_error error = admin_body(call, NULL, 0, &body);
    return error ? error : key_prepare(call, load, STR(""), key_loader_master);
}

static enum twoleg_error key_run(struct admin_call *call,
                                 enum twoleg_error (*prepare)(struct admin_call *call,
                                                              struct admin_load *load))
{
    struct admin_load *load;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_load(call, prepare, &load);
    return error ? error : admin_answer(call, 200, &load->out);
}

enum twoleg_error admin_key_rotate(struct admin_call *call)
{
    return key_run(call, key_prepare_rotate);
}

enum twoleg_error admin_key_compromise(struct admin_call *call)
{
    return key_run(call, key_prepare_compromise);
}

enum twoleg_error admin_master_rotate(struct admin_call *call)
{
    return key_run(call, key_prepare_master);
}
