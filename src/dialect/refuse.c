// SPDX-License-Identifier: Apache-2.0
// Refusals: from an error of ours to the condition that dialects know, to the row that answers it.
#include "dialect/dialect.h"
#include "http/router.h"

static const struct {
    enum twoleg_error error;
    enum dialect_condition condition;
} refuse_conditions[] = {
    {TWOLEG_METHOD, CONDITION_METHOD},
    {TWOLEG_NOT_ACCEPTABLE, CONDITION_NOT_ACCEPTABLE},
    {TWOLEG_MEDIA_TYPE, CONDITION_MEDIA_TYPE},
    {TWOLEG_PARAMETER_MALFORMED, CONDITION_MALFORMED},
    {TWOLEG_PARAMETER_DUPLICATE, CONDITION_MALFORMED},
    {TWOLEG_PARAMETER_COUNT, CONDITION_MALFORMED},
    {TWOLEG_CLIENT_TWO_METHODS, CONDITION_MALFORMED},
    {TWOLEG_CLIENT_IN_QUERY, CONDITION_IN_QUERY},
    {TWOLEG_TOO_LONG, CONDITION_TOO_LONG},
    {TWOLEG_GRANT_TYPE_MISSING, CONDITION_MISSING},
    {TWOLEG_PARAMETER_MISSING, CONDITION_MISSING},
    {TWOLEG_TOKEN_MISSING, CONDITION_MISSING},
    {TWOLEG_GRANT_TYPE_UNSUPPORTED, CONDITION_GRANT},
    {TWOLEG_GRANT_TYPE_REFUSED, CONDITION_GRANT_REFUSED},
    {TWOLEG_SCOPE_MALFORMED, CONDITION_SCOPE},
    {TWOLEG_SCOPE_REFUSED, CONDITION_SCOPE},
    {TWOLEG_TARGET_UNKNOWN, CONDITION_TARGET},
    {TWOLEG_TARGET_MISSING, CONDITION_TARGET},
    {TWOLEG_TARGET_DUPLICATE, CONDITION_TARGET},
    {TWOLEG_CLIENT_MISSING, CONDITION_CLIENT_MISSING},
    {TWOLEG_CLIENT_MALFORMED, CONDITION_CLIENT_MALFORMED},
    {TWOLEG_CLIENT_UNKNOWN, CONDITION_CLIENT},
    {TWOLEG_SECRET_WRONG, CONDITION_CLIENT},
    {TWOLEG_SECRET_EXPIRED, CONDITION_CLIENT},
    {TWOLEG_SECRET_EARLY, CONDITION_CLIENT},
    {TWOLEG_APPLICATION_DISABLED, CONDITION_CLIENT},
    {TWOLEG_APPLICATION_DELETED, CONDITION_CLIENT},
    {TWOLEG_ACCOUNT_DISABLED, CONDITION_CLIENT},
    {TWOLEG_APPLICATION_ELSEWHERE, CONDITION_CLIENT},
    {TWOLEG_USER_UNKNOWN, CONDITION_USER},
    {TWOLEG_PASSWORD_WRONG, CONDITION_USER},
    {TWOLEG_USER_DISABLED, CONDITION_USER},
    {TWOLEG_USER_DELETED, CONDITION_USER},
    {TWOLEG_USER_GENERATION, CONDITION_USER},
    {TWOLEG_REFRESH_UNKNOWN, CONDITION_USER},
    {TWOLEG_REFRESH_FOREIGN, CONDITION_USER},
    {TWOLEG_REFRESH_EXPIRED, CONDITION_USER},
    {TWOLEG_REFRESH_GENERATION, CONDITION_USER},
    {TWOLEG_REFRESH_CREDENTIAL, CONDITION_USER},
    {TWOLEG_REFRESH_REUSED, CONDITION_USER},
    {TWOLEG_PASSWORDS, CONDITION_LIMITED},
    {TWOLEG_FAILURES_ADDRESS, CONDITION_LIMITED},
    {TWOLEG_FAILURES_CLIENT, CONDITION_LIMITED},
    {TWOLEG_SLOW_HASHES, CONDITION_LIMITED},
    {TWOLEG_BUDGET, CONDITION_BUDGET},
    {TWOLEG_NOT_A_RESOURCE_SERVER, CONDITION_NOT_A_RESOURCE_SERVER},
    {TWOLEG_TOKEN_FOREIGN, CONDITION_FOREIGN_TOKEN},
    {TWOLEG_LIMIT, CONDITION_REVOCATIONS},
    {TWOLEG_NOT_FOUND, CONDITION_NOT_FOUND},
};

enum dialect_condition dialect_condition(enum twoleg_error error)
{
    for (size_t i = 0; i < sizeof refuse_conditions / sizeof *refuse_conditions; i++)
        if (refuse_conditions[i].error == error)
            return refuse_conditions[i].condition;
    return CONDITION_UNAVAILABLE;
}

struct str dialect_condition_word(enum dialect_condition condition)
{
    static const struct str words[] = {
#define CONDITION(id, word, text) {word, sizeof word - 1},
#include "dialect/conditions.def"
#undef CONDITION
    };
    return words[condition];
}

static struct str refuse_headers(const struct dialect *dialect, const struct dialect_row *row,
                                 const struct dialect_refusal *refusal, uint64_t retry_s,
                                 struct arena *arena)
{
    struct buf out;
    buf_init_arena(&out, arena, 128);
    buf_add(&out, row->header_lines);
    if (row->status == 401 && !str_equal(dialect->errors.challenge, STR("none"))) {
        buf_add(&out, STR("WWW-Authenticate: "));
        buf_add(&out, dialect->errors.challenge);
        buf_add(&out, STR("\r\n"));
    }
    if (refusal->allowed)
        buf_add(&out, http_method_allow(refusal->allowed, arena));
    if (retry_s) {
        buf_add(&out, STR("Retry-After: "));
        buf_add_u64(&out, retry_s);
        buf_add(&out, STR("\r\n"));
    }
    return buf_str(&out);
}

// The error's own words where the row has none, but one text for all that is of the client, one for
// all that is of the user and one for their limits: no file can tell an unknown one from a wrong
// secret, or from one that is compared slowly and so has a limit of its own.
static struct str refuse_message(const struct dialect *dialect, const struct dialect_row *row,
                                 const struct dialect_refusal *refusal)
{
    const struct str words[CONDITIONS] = {
        [CONDITION_CLIENT] = STR("client authentication failed"),
        [CONDITION_USER] = STR("the user's credentials or the refresh token are not good"),
        [CONDITION_LIMITED] = STR("too many failures of authentication"),
        [CONDITION_MEDIA_TYPE] = dialect->body_words,
    };
    struct str alike = words[dialect_condition(refusal->error)];
    if (row->message.len)
        return row->message;
    if (refusal->message.ptr)
        return refusal->message;
    return alike.ptr ? alike : str_from(twoleg_error_text(refusal->error));
}

void dialect_answer_refusal(const struct dialect *dialect, const struct http_request *request,
                            const struct dialect_refusal *refusal, struct http_answer *ret_answer)
{
    const struct dialect_row *row = dialect->by_condition[dialect_condition(refusal->error)];
    unsigned status = refusal->status ? refusal->status : (unsigned)row->status;
    // Rounded up: whoever comes back at that second is served.
    uint64_t retry_s = refusal->retry_us > 0
                           ? (uint64_t)((refusal->retry_us + SECOND_US - 1) / SECOND_US)
                           : (uint64_t)row->retry_after;
    const struct template_values values = {
        .code = row->code,
        .message = refuse_message(dialect, row, refusal),
        .request_id = str_of(request->id, sizeof request->id),
        .number = row->number,
        .status = status,
        .now_us = request->env ? request->env->now_us : 0,
    };
    struct buf body;
    buf_init_arena(&body, request->arena, 256);
    template_write(&row->template, &values, dialect->json_errors, &body);
    bool empty = row->template.count == 0;
    *ret_answer = (struct http_answer){
        .status = status,
        .content_type = empty ? STR_NONE : dialect->errors.content_type,
        .body = empty ? STR_NONE : buf_str(&body),
        .headers = refuse_headers(dialect, row, refusal, retry_s, request->arena),
        .no_store = true,
        .paced = retry_s > 0,
    };
    if (body.failed || !ret_answer->headers.ptr) {
        ret_answer->status = 503;
        ret_answer->content_type = STR("application/json");
        ret_answer->body = STR("{\"error\":\"temporarily_unavailable\"}");
        ret_answer->headers = STR("Retry-After: 1\r\n");
    }
}
