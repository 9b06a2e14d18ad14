// SPDX-License-Identifier: Apache-2.0
#include "manage/token.h"

#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/job.h"
#include "endpoint/admin/view.h"
#include "endpoint/reference.h"
#include "endpoint/user.h"
#include "manage/user.h"
#include "token/refresh.h"

struct token_body {
    struct str token;
};

static const struct admin_field token_fields[] = {
    {"token", ADMIN_TEXT, offsetof(struct token_body, token)},
};

static enum twoleg_error token_text(struct admin_call *call, struct str *ret_text)
{
    struct token_body body = {STR("")};
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_body(call, token_fields, 1, &body);
    if (error)
        return error;
    if (body.token.len == 0)
        return admin_refuse(call, TWOLEG_MISSING, "\"token\" is missing");
    *ret_text = body.token;
    return TWOLEG_NONE;
}

// The gate's verdict is no error of this call; ret_reason gets it.
static enum twoleg_error token_judge(struct admin_call *call, struct str text,
                                     struct token_verdict *ret_verdict,
                                     enum twoleg_error *ret_reason)
{
    struct token_question question = {.door = GATE_OPERATOR,
                                      .text = text,
                                      .known = reference_known(call->request)};
    *ret_verdict = (struct token_verdict){0};
    *ret_reason = token_inspect(&call->context->token, &question, call->request->arena,
                                ret_verdict);
    if (*ret_reason == TWOLEG_WAIT && !ret_verdict->read)
        return reference_look_up(call->request, text);
    if (*ret_reason == TWOLEG_WAIT)
        return admin_wait_body(call, ret_verdict->view.number);
    return *ret_reason == TWOLEG_NO_MEMORY ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static void token_show_apis(struct admin_call *call, const struct token_record *record)
{
    const struct api_set *apis = registry_apis(call->server->registry);
    json_key(&call->json, STR("audience"));
    json_array_begin(&call->json);
    for (size_t i = 0; i < record->api_count; i++) {
        const struct api *api = api_set_find(apis, record->apis[i]);
        if (api)
            json_str(&call->json, api->identifier);
    }
    json_array_end(&call->json);
}

static void token_show_times(struct admin_call *call, const struct token_record *record)
{
    json_key_i64(&call->json, STR("issued"), record->issued_s);
    if (record->expires_s)
        json_key_i64(&call->json, STR("expires"), record->expires_s);
    else
        json_key_nil(&call->json, STR("expires"));
}

static struct str token_reason(enum twoleg_error error)
{
    return error ? str_from(twoleg_error_text(error)) : STR_NONE;
}

// Why it is refused; null when it is not.
static void token_show_reason(struct admin_call *call, struct str reason)
{
    if (reason.ptr)
        json_key_str(&call->json, STR("reason"), reason);
    else
        json_key_nil(&call->json, STR("reason"));
}

// As introspection and X-Auth-Token-Id name it; a JWT's is its jti.
static void token_show_id(struct admin_call *call, const struct token_verdict *verdict)
{
    char memory[TOKEN_ID_TEXT_MAX];
    struct buf text;
    buf_init(&text, memory, sizeof memory);
    token_write_id(&verdict->record, verdict->format, &text);
    json_key_str(&call->json, STR("token_id"), buf_str(&text));
}

// What the token says; only what was read from a good seal or signature is shown at all.
static void token_show(struct admin_call *call, const struct token_verdict *verdict, bool active)
{
    const struct token_record *record = &verdict->record;
    const struct application *application = verdict->view.body;
    json_key_str(&call->json, STR("format"), token_format_name(verdict->format));
    token_show_id(call, verdict);
    admin_view_number(&call->json, STR("application"), NUMBER_APPLICATION, record->application);
    if (application) {
        json_key_str(&call->json, STR("client_id"), application->client_id);
        json_key_str(&call->json, STR("name"), application->name);
    }
    admin_view_number(&call->json, STR("secret"), NUMBER_SECRET, record->credential);
    if (record->subject) {
        admin_view_number(&call->json, STR("user"), NUMBER_USER, record->subject);
        json_key_str(&call->json, STR("username"), verdict->user.username.ptr
                                                       ? verdict->user.username
                                                       : STR(""));
    }
    token_show_apis(call, record);
    json_key_str(&call->json, STR("scope"), record->scope.ptr ? record->scope : STR(""));
    if (active)
        json_key_str(&call->json, STR("effective_scope"), verdict->passed.scope);
    token_show_times(call, record);
}

static bool token_is_refresh(const struct admin_call *call, struct str text, uint64_t *ret_login)
{
    return refresh_token_read(text, endpoint_config(call->request)->refresh_prefix, ret_login);
}

// At a gate it is refused like any text. Who asks here has mixed up two tokens, and is told so.
static enum twoleg_error token_inspected_refresh(struct admin_call *call)
{
    admin_answer_begin(call);
    json_key_str(&call->json, STR("token_type"), STR("refresh_token"));
    json_key_bool(&call->json, STR("active"), false);
    token_show_reason(call, STR("a refresh token, not an access token"));
    return admin_answer_end(call, 200);
}

enum twoleg_error admin_token_inspect(struct admin_call *call)
{
    struct token_verdict verdict;
    struct str text;
    uint64_t login;
    enum twoleg_error reason;
    enum twoleg_error error = token_text(call, &text);
    if (!error && token_is_refresh(call, text, &login))
        return token_inspected_refresh(call);
    if (!error)
        error = token_judge(call, text, &verdict, &reason);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_bool(&call->json, STR("active"), reason == TWOLEG_NONE);
    token_show_reason(call, token_reason(reason));
    if (verdict.read)
        token_show(call, &verdict, reason == TWOLEG_NONE);
    return admin_answer_end(call, 200);
}

// The types are RFC 7009 section 2.1's hints. A reason: it was not revoked, or not all of it.
static enum twoleg_error token_revoked(struct admin_call *call, bool revoked,
                                       enum twoleg_error reason)
{
    admin_answer_begin(call);
    json_key_str(&call->json, STR("token_type"), STR("access_token"));
    json_key_bool(&call->json, STR("revoked"), revoked);
    token_show_reason(call, token_reason(reason));
    return admin_answer_end(call, 200);
}

static enum twoleg_error token_login_revoked(struct admin_call *call, bool revoked,
                                             bool access_tokens, struct str reason)
{
    admin_answer_begin(call);
    json_key_str(&call->json, STR("token_type"), STR("refresh_token"));
    json_key_bool(&call->json, STR("revoked"), revoked);
    json_key_bool(&call->json, STR("access_tokens"), access_tokens);
    token_show_reason(call, reason);
    return admin_answer_end(call, 200);
}

// Its access tokens live on.
static enum twoleg_error token_login_alone(struct admin_call *call)
{
    admin_refuse_full(call);
    return token_login_revoked(call, true, false, str_from(call->problem));
}

// A token that is refused for now only (its application is disabled, say) is revoked all the same;
// one that never comes back needs no row. An expired one could: the clock may be wrong.
static bool token_is_over(enum twoleg_error reason)
{
    return reason == TWOLEG_TOKEN_REVOKED || reason == TWOLEG_TOKEN_GENERATION ||
           reason == TWOLEG_TOKEN_CREDENTIAL || reason == TWOLEG_TOKEN_EPOCH ||
           reason == TWOLEG_TOKEN_FAMILY ||
           reason == TWOLEG_APPLICATION_DELETED || reason == TWOLEG_USER_DELETED ||
           reason == TWOLEG_USER_GENERATION || reason == TWOLEG_NOT_FOUND;
}

static enum twoleg_error token_revoke_build(struct admin_call *call, struct admin_commit *commit,
                                            const void *input)
{
    const struct token_verdict *verdict = input;
    char memory[TOKEN_ID_TEXT_MAX];
    struct buf id;
    (void)call;
    buf_init(&id, memory, sizeof memory);
    token_write_id(&verdict->record, verdict->format, &id);
    return manage_token_revoke(&commit->change, &verdict->record, verdict->view.body,
                               verdict->format, buf_str(&id));
}

// Whose family it was is for the audit; NULL: the application is gone.
struct token_login {
    const struct refresh_family *family;
    const struct application *application;
};

static enum twoleg_error token_login_build(struct admin_call *call, struct admin_commit *commit,
                                           const void *input)
{
    const struct token_login *login = input;
    const struct manage_refresh_end end = {EVENT_REFRESH_REVOKE, admin_commit_full(call)};
    commit->alone = end.alone;
    return manage_refresh_revoke(&commit->change, &end, login->family, login->application);
}

// Where there is no room for the end of its access tokens the rest of the login ends all the same,
// as when the client gives its refresh token back.
static enum twoleg_error token_revoke_login(struct admin_call *call, uint64_t number)
{
    struct user_found found;
    struct registry_view view = {.body = NULL};
    struct admin_commit *commit;
    enum twoleg_error error = admin_committed(call, &commit);
    if (!error && commit)
        return commit->alone ? token_login_alone(call)
                             : token_login_revoked(call, true, true, STR_NONE);
    if (!error)
        error = user_look_family(call->request, number, false, &found);
    if (error)
        return error;
    if (!found.family)
        return token_login_revoked(call, false, false, token_reason(TWOLEG_REFRESH_UNKNOWN));
    if (admin_commit_full(call) && refresh_family_is_buried(found.family))
        return token_login_alone(call);
    error = registry_application(call->server->registry, found.family->application, &view);
    if (error == TWOLEG_WAIT)
        return admin_wait_body(call, view.number);
    if (error && error != TWOLEG_NOT_FOUND)
        return error;
    const struct token_login login = {found.family, error ? NULL : view.body};
    return admin_commit(call, token_login_build, &login, &commit);
}

static enum twoleg_error token_revoke_one(struct admin_call *call, struct str text)
{
    struct token_verdict verdict;
    struct admin_commit *commit = NULL;
    enum twoleg_error reason;
    bool full = admin_commit_full(call);
    // First: once it is committed the token is found revoked, and that is not the reason to tell.
    enum twoleg_error error = full ? TWOLEG_NONE : admin_committed(call, &commit);
    if (!error && commit)
        return token_revoked(call, true, TWOLEG_NONE);
    if (!error)
        error = token_judge(call, text, &verdict, &reason);
    if (error)
        return error;
    if (!verdict.read)
        return admin_refuse(call, TWOLEG_TOKEN_MALFORMED, "%s", twoleg_error_text(reason));
    // Where there is no room to keep one more of an expired one, it is dead without it.
    if (token_is_over(reason) || (full && reason == TWOLEG_TOKEN_EXPIRED))
        return token_revoked(call, false, reason);
    return admin_commit(call, token_revoke_build, &verdict, &commit);
}

enum twoleg_error admin_token_revoke(struct admin_call *call)
{
    struct str text;
    uint64_t login;
    enum twoleg_error error = token_text(call, &text);
    if (error)
        return error;
    return token_is_refresh(call, text, &login) ? token_revoke_login(call, login)
                                                : token_revoke_one(call, text);
}
