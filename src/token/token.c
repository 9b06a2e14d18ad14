// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/refusal.h"
#include "codec/base64url.h"
#include "token/format.h"

// Not here: its row must be written first.
static enum twoleg_error token_reference_wait(const struct token_context *context,
                                              const struct decision *decision,
                                              const struct token_record *record,
                                              struct arena *arena, struct str *ret_text)
{
    (void)context, (void)decision, (void)record, (void)arena, (void)ret_text;
    return TWOLEG_WAIT;
}

static const struct {
    token_format_issue *issue;
    token_format_read *read;
} formats[] = {
    [FORMAT_JWT] = {token_jwt_issue, token_jwt_read},
    [FORMAT_SEALED] = {token_sealed_issue, token_sealed_read},
    [FORMAT_REFERENCE] = {token_reference_wait, NULL},
};

enum twoleg_error token_record_make(const struct token_context *context,
                                    const struct decision *decision,
                                    struct token_record *ret_record)
{
    // A key that was given up signs and vouches for nothing, also while we cannot read which.
    if (keyring_stale(context->keyring))
        return REFUSE(TWOLEG_STORE_FAILED);
    struct token_record record = {
        .epoch = context->epoch,
        .application = decision->application->number,
        .generation = decision->generation,
        .credential = decision->credential,
        .subject = decision->subject,
        .subject_generation = decision->subject_generation,
        .family = decision->family,
        .apis = {decision->api->number},
        .api_count = 1,
        .scope = decision->scope,
        .issued_s = decision->now_us / SECOND_US,
    };
    bool never = decision->ttl_us == TIME_NEVER;
    record.expires_s = never ? 0 : record.issued_s + decision->ttl_us / SECOND_US;
    if (!env_random(context->env, record.id.bytes, sizeof record.id.bytes))
        return TWOLEG_NO_RANDOM;
    *ret_record = record;
    return TWOLEG_NONE;
}

enum twoleg_error token_issue(const struct token_context *context, const struct decision *decision,
                              struct arena *arena, struct issued_token *ret_token)
{
    struct token_record record;
    struct str text;
    enum twoleg_error error = token_record_make(context, decision, &record);
    if (!error)
        error = formats[decision->format].issue(context, decision, &record, arena, &text);
    if (error)
        return error;
    *ret_token = token_issued(&record, decision, text);
    return TWOLEG_NONE;
}

struct issued_token token_issued(const struct token_record *record,
                                 const struct decision *decision, struct str text)
{
    return (struct issued_token){
        .text = text,
        .scope = decision->scope,
        .expires_in_s = record->expires_s ? record->expires_s - record->issued_s : 0,
        .expires_s = record->expires_s,
        .issued_s = record->issued_s,
    };
}

bool token_record_holds(const struct token_record *record, const struct decision *decision)
{
    bool never = decision->ttl_us == TIME_NEVER;
    int64_t life_s = record->expires_s - record->issued_s;
    int64_t left_s = record->expires_s - decision->now_us / SECOND_US;
    if (record->application != decision->application->number ||
        record->generation != decision->generation ||
        record->credential != decision->credential || record->subject != decision->subject ||
        record->subject_generation != decision->subject_generation ||
        record->family != decision->family ||
        record->apis[0] != decision->api->number ||
        !str_equal(record->scope, decision->scope))
        return false;
    return never ? record->expires_s == 0
                 : record->expires_s != 0 && life_s == decision->ttl_us / SECOND_US && left_s > 0;
}

enum twoleg_error token_read(const struct token_context *context, struct str text,
                             const struct token_known *known, struct arena *arena,
                             struct token_record *ret_record, enum token_format *ret_format)
{
    if (keyring_stale(context->keyring))
        return REFUSE(TWOLEG_STORE_FAILED);
    if (text.len > TOKEN_TEXT_MAX)
        return REFUSE(TWOLEG_TOKEN_MALFORMED);
    if (text.len <= TOKEN_SHAPE_TEXT_MAX) {
        *ret_format = FORMAT_REFERENCE;
        return token_reference_read(context, text, known, arena, ret_record);
    }
    // base64url holds no dot, and the prefix is refused at start if it does: one look decides.
    bool jwt = str_find(text, '.') != text.len;
    *ret_format = jwt ? FORMAT_JWT : FORMAT_SEALED;
    return formats[*ret_format].read(context, text, arena, ret_record);
}

void token_write_id(const struct token_record *record, enum token_format format, struct buf *out)
{
    if (format == FORMAT_JWT)
        token_jwt_write_id(record, out);
    else
        base64url_encode(out, record->id.bytes, sizeof record->id.bytes);
}

enum twoleg_error token_inspect(const struct token_context *context,
                                const struct token_question *question, struct arena *arena,
                                struct token_verdict *ret_verdict)
{
    struct token_verdict *v = ret_verdict;
    memset(v, 0, sizeof *v);
    enum twoleg_error error =
        token_read(context, question->text, question->known, arena, &v->record, &v->format);
    if (error)
        return error;
    v->read = true;
    error = registry_application(context->registry, v->record.application, &v->view);
    if (error == TWOLEG_NOT_FOUND) {
        error = question->door == GATE_REVOKE ? gate_owner(&v->record, question->caller)
                                              : TWOLEG_NONE;
        return error ? error : REFUSE(TWOLEG_APPLICATION_DELETED);
    }
    if (error)
        return error;
    bool family_revoked = false;
    if (v->record.subject) {
        struct token_id family = token_family_id(v->record.family);
        registry_user(context->registry, v->record.subject, &v->user);
        family_revoked =
            v->record.family && registry_token_revoked(context->registry, &family);
    }
    struct gate_token gate = {
        .door = question->door,
        .token = &v->record,
        .application = v->view.body,
        .state = v->view.state,
        .user = v->user.state,
        .account_active = v->view.account_active,
        .epoch = context->epoch,
        .reference = v->format == FORMAT_REFERENCE,
        .token_revoked = registry_token_revoked(context->registry, &v->record.id),
        .family_revoked = family_revoked,
        .credential_revoked =
            registry_credential_revoked(context->registry, v->record.credential),
        .caller = question->caller,
        .required_api = question->required_api,
        .required_scope = question->required_scope,
        .dialect = question->dialect,
        .now_us = context->env->latest_us,
    };
    return gate_token(&gate, arena, &v->passed);
}
