// SPDX-License-Identifier: Apache-2.0
#include "endpoint/test_hooks.h"

#ifdef TWOLEG_TEST_HOOKS
#include <jansson.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "endpoint/server.h"
#include "keyring/change.h"

static void hook_free(json_t **json)
{
    json_decref(*json);
}
#define HOOK_JSON __attribute__((cleanup(hook_free))) json_t *

static enum twoleg_error hook_answer(struct http_request *request, unsigned status,
                                     const char *key, uint64_t value,
                                     struct http_answer *ret_answer)
{
    struct buf body;
    buf_init_arena(&body, request->arena, 128);
    buf_addf(&body, "{\"%s\":%llu}", key, (unsigned long long)value);
    *ret_answer = (struct http_answer){
        .status = status, .content_type = STR("application/json"), .body = buf_str(&body)};
    return TWOLEG_NONE;
}

static json_t *hook_body(const struct http_request *request)
{
    return json_loadb(request->body.ptr, request->body.len, 0, NULL);
}

static const char *hook_text(const json_t *body, const char *key)
{
    const char *text = json_string_value(json_object_get(body, key));
    return text ? text : "";
}

enum twoleg_error test_hook_clock(struct http_request *request, struct http_answer *ret_answer)
{
    HOOK_JSON body = hook_body(request);
    const json_t *offset = json_object_get(body, "offset_us"); // time passes
    const json_t *step = json_object_get(body, "step_us");     // the wall clock is set
    if (offset)
        env_test_offset(json_integer_value(offset));
    if (step)
        env_test_step(json_integer_value(step));
    return hook_answer(request, offset || step ? 200 : 400, "done", 1, ret_answer);
}

enum twoleg_error test_hook_stop(struct http_request *request, struct http_answer *ret_answer)
{
    HOOK_JSON body = hook_body(request);
    const char *point = hook_text(body, "point");
    const char *act = hook_text(body, "act");
    if (strcmp(act, "hold") == 0)
        return hook_answer(request, 200, "done", stop_hold(point), ret_answer);
    if (strcmp(act, "release") == 0)
        return hook_answer(request, 200, "done", stop_release(point), ret_answer);
    if (strcmp(act, "waiting") == 0)
        return hook_answer(request, 200, "waiting", stop_waiting(point), ret_answer);
    return hook_answer(request, 400, "done", 0, ret_answer);
}

// What the housekeeper does with keys each second, now.
enum twoleg_error test_hook_keys(struct http_request *request, struct http_answer *ret_answer)
{
    struct keyring *keyring = endpoint_context(request)->server->keyring;
    keyring_turn(keyring, request->env);
    return hook_answer(request, 200, "under_way", keyring_test_changing(keyring), ret_answer);
}

enum twoleg_error test_hook_fault(struct http_request *request, struct http_answer *ret_answer)
{
    static const char *const kinds[FAULT_KINDS] = {"memory", "store", "io", "random", "library"};
    HOOK_JSON body = hook_body(request);
    const char *kind = hook_text(body, "kind");
    json_int_t nth = json_integer_value(json_object_get(body, "nth"));
    bool sticky = json_is_true(json_object_get(body, "sticky"));
    for (int i = 0; i < FAULT_KINDS; i++) {
        if (strcmp(kinds[i], kind) != 0)
            continue;
        uint64_t count = fault_count((enum fault_kind)i);
        fault_arm((enum fault_kind)i, (unsigned long)nth, sticky);
        return hook_answer(request, 200, "count", count, ret_answer);
    }
    return hook_answer(request, 400, "count", 0, ret_answer);
}

enum twoleg_error test_hook_mutant(struct http_request *request, struct http_answer *ret_answer)
{
    HOOK_JSON body = hook_body(request);
    return hook_answer(request, 200, "done", mutant_set(hook_text(body, "check")), ret_answer);
}
#endif
