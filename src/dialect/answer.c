// SPDX-License-Identifier: Apache-2.0
#include "codec/json_write.h"
#include "dialect/dialect.h"

static void dialect_field(struct json_writer *json, const struct dialect_success *field,
                          const struct issued_token *token)
{
    struct str name = str_from(field->name);
    switch (field->source) {
    case FIELD_ACCESS_TOKEN:
        json_key_str(json, name, token->text);
        break;
    case FIELD_TOKEN_TYPE:
        json_key_str(json, name, STR("Bearer"));
        break;
    case FIELD_EXPIRES_IN:
        if (token->expires_in_s)
            json_key_i64(json, name, token->expires_in_s);
        break;
    case FIELD_SCOPE:
        if (token->scope.len)
            json_key_str(json, name, token->scope);
        break;
    }
}

enum twoleg_error dialect_answer_token(const struct dialect *dialect,
                                       const struct http_request *request,
                                       const struct issued_token *token,
                                       struct http_answer *ret_answer)
{
    struct buf body;
    struct json_writer json;
    // The token is copied as it is, the scope's words need no escapes: this holds it all.
    buf_init_arena(&body, request->arena, token->text.len + token->scope.len + 128);
    json_writer_init(&json, &body);
    json_object_begin(&json);
    for (size_t i = 0; i < dialect->success_count; i++)
        dialect_field(&json, &dialect->success[i], token);
    json_object_end(&json);
    if (body.failed)
        return TWOLEG_NO_MEMORY;
    *ret_answer = (struct http_answer){
        .status = 200,
        .content_type = STR("application/json"),
        .body = buf_str(&body),
        .no_store = true,
    };
    return TWOLEG_NONE;
}

const struct dialect_error *dialect_error_row(const struct dialect *dialect,
                                              enum twoleg_error error)
{
    size_t i = 0;
    while (i < dialect->error_count - 1 && dialect->errors[i].error != error)
        i++;
    return &dialect->errors[i];
}

static struct str dialect_error_headers(const struct dialect *dialect,
                                        const struct dialect_error *row, uint64_t retry_s,
                                        struct arena *arena)
{
    struct buf out;
    buf_init_arena(&out, arena, 128);
    if (row->status == 401) {
        buf_add(&out, STR("WWW-Authenticate: Basic realm=\""));
        buf_add(&out, str_from(dialect->realm));
        buf_add(&out, STR("\"\r\n"));
    }
    if (retry_s) {
        buf_add(&out, STR("Retry-After: "));
        buf_add_u64(&out, retry_s);
        buf_add(&out, STR("\r\n"));
    }
    return buf_str(&out);
}

void dialect_answer_error(const struct dialect *dialect, const struct http_request *request,
                          enum twoleg_error error, int64_t retry_us,
                          struct http_answer *ret_answer)
{
    const struct dialect_error *row = dialect_error_row(dialect, error);
    // Rounded up: whoever comes back at that second is served.
    uint64_t retry_s = retry_us > 0 ? (uint64_t)((retry_us + SECOND_US - 1) / SECOND_US)
                                    : row->retry_after_s;
    struct buf body;
    struct json_writer json;
    buf_init_arena(&body, request->arena, 256);
    json_writer_init(&json, &body);
    json_object_begin(&json);
    json_key_str(&json, STR("error"), str_from(row->code));
    json_key_str(&json, STR("error_description"),
                 str_from(row->description ? row->description : twoleg_error_text(error)));
    json_object_end(&json);
    *ret_answer = (struct http_answer){
        .status = row->status,
        .content_type = STR("application/json"),
        .body = buf_str(&body),
        .headers = dialect_error_headers(dialect, row, retry_s, request->arena),
        .no_store = true,
        .paced = retry_s > 0,
    };
    if (body.failed || !ret_answer->headers.ptr) {
        ret_answer->status = 503;
        ret_answer->body = STR("{\"error\":\"temporarily_unavailable\"}");
        ret_answer->headers = STR("Retry-After: 1\r\n");
    }
}
