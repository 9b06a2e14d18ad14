// SPDX-License-Identifier: Apache-2.0
#include <time.h>

#include "codec/form.h"
#include "codec/json_write.h"
#include "dialect/dialect.h"

struct answering {
    const struct dialect *dialect;
    const struct http_request *request;
    const struct decision *decision;
    const struct issued_token *token;
};

// A field's value before its spelling: a text, a number, or nothing.
struct field_value {
    enum { VALUE_NONE, VALUE_TEXT, VALUE_NUMBER } kind;
    struct str text;
    int64_t number;
};

static struct field_value field_text(struct str text)
{
    return (struct field_value){text.len ? VALUE_TEXT : VALUE_NONE, text, 0};
}

// Of a token that does not expire: the life that the dialect tells of it, or its end, or nothing.
static struct field_value field_never(const struct answering *a, const struct dialect_field *field,
                                      int64_t scale)
{
    int64_t from = field->source == SOURCE_EXPIRES_AT ? a->token->issued_s * scale : 0;
    return (struct field_value){field->never ? VALUE_NUMBER : VALUE_NONE, STR_NONE,
                                from + field->never};
}

// Points in time are kept in seconds.
static struct field_value field_time(const struct answering *a, const struct dialect_field *field)
{
    bool never = a->token->expires_in_s == 0 && field->source != SOURCE_ISSUED_AT &&
                 field->source != SOURCE_REFRESH_EXPIRES_IN;
    if (field->source == SOURCE_REFRESH_EXPIRES_IN && !a->token->refresh_token.ptr)
        return field_text(STR_NONE);
    int64_t scale = field->unit == UNIT_MS ? 1000 : 1;
    if (never)
        return field_never(a, field, scale);
    int64_t seconds = field->source == SOURCE_ISSUED_AT    ? a->token->issued_s
                      : field->source == SOURCE_EXPIRES_AT ? a->token->expires_s
                      : field->source == SOURCE_REFRESH_EXPIRES_IN
                          ? a->token->refresh_expires_in_s
                          : a->token->expires_in_s;
    int64_t value = seconds * scale - field->minus;
    return (struct field_value){VALUE_NUMBER, STR_NONE, value > 0 ? value : 0};
}

static bool field_has_word(struct str words, struct str wanted)
{
    struct str word;
    while (str_word(&words, &word))
        if (str_equal(word, wanted))
            return true;
    return false;
}

// Scopes are kept in ascending order, which says nothing (RFC 6749 section 3.3), but a client may
// look for the text that it knows.
static struct str field_scope(const struct answering *a)
{
    struct str order = a->dialect->scope.order, scope = a->token->scope, word;
    struct buf out;
    if (!order.ptr || !scope.len)
        return scope;
    buf_init_arena(&out, a->request->arena, scope.len + 1);
    while (str_word(&order, &word))
        if (field_has_word(a->token->scope, word))
            buf_addf(&out, "%s%.*s", out.len ? " " : "", STR_ARG(word));
    while (str_word(&scope, &word))
        if (!field_has_word(a->dialect->scope.order, word))
            buf_addf(&out, "%s%.*s", out.len ? " " : "", STR_ARG(word));
    return out.failed ? a->token->scope : buf_str(&out);
}

static struct field_value field_value(const struct answering *a, const struct dialect_field *field)
{
    const struct application *application = a->decision->application;
    switch ((enum dialect_source)field->source) {
    case SOURCE_CONSTANT:
        return field_text(field->value);
    case SOURCE_ACCESS_TOKEN:
        return field_text(a->token->text);
    case SOURCE_EXPIRES_IN:
    case SOURCE_EXPIRES_AT:
    case SOURCE_ISSUED_AT:
    case SOURCE_REFRESH_EXPIRES_IN:
        return field_time(a, field);
    case SOURCE_REFRESH_TOKEN:
        return field_text(a->token->refresh_token);
    case SOURCE_USERNAME:
        return field_text(a->decision->username);
    case SOURCE_SCOPE:
        return field_text(field_scope(a));
    case SOURCE_CLIENT_ID:
        return field_text(application->client_id);
    case SOURCE_APPLICATION:
        return field_text(application->name);
    case SOURCE_RESOURCE:
        return field_text(a->decision->api->identifier);
    case SOURCE_REQUEST_ID:
        return field_text(str_of(a->request->id, sizeof a->request->id));
    }
    return field_text(STR_NONE);
}

static void field_write_date(int64_t seconds, struct buf *out)
{
    struct tm parts;
    time_t when = (time_t)seconds;
    char text[32];
    if (gmtime_r(&when, &parts))
        buf_add(out, str_of(text, strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

// The value as text, whatever its kind; scopes with the dialect's separator between them.
static struct str field_spell(const struct answering *a, const struct dialect_field *field,
                              const struct field_value *value)
{
    char separator = " ,+"[a->dialect->scope.separator];
    bool words = field->source == SOURCE_SCOPE && separator != ' ';
    struct buf out;
    if (value->kind != VALUE_NUMBER && !words)
        return value->text;
    buf_init_arena(&out, a->request->arena, value->text.len + 24);
    if (value->kind == VALUE_NUMBER && field->unit == UNIT_TEXT)
        field_write_date(value->number, &out);
    else if (value->kind == VALUE_NUMBER)
        buf_add_i64(&out, value->number);
    else
        for (size_t i = 0; i < value->text.len; i++)
            buf_add_char(&out, value->text.ptr[i] == ' ' ? separator : value->text.ptr[i]);
    return buf_str(&out);
}

static void field_write_words(struct json_writer *json, struct str words)
{
    struct str word;
    json_array_begin(json);
    while (str_word(&words, &word))
        json_str(json, word);
    json_array_end(json);
}

static void field_write(struct json_writer *json, const struct answering *a,
                        const struct dialect_field *field, const struct field_value *value)
{
    if (field->type == TYPE_NULL || (value->kind == VALUE_NONE && field->empty == EMPTY_NULL))
        json_nil(json);
    else if (field->type == TYPE_ARRAY && field->source != SOURCE_CONSTANT)
        field_write_words(json, value->text);
    else if (field->type == TYPE_NUMBER && value->kind == VALUE_NUMBER)
        json_i64(json, value->number);
    else if (field->type == TYPE_STRING)
        json_str(json, field_spell(a, field, value));
    else
        json_raw(json, value->text); // a constant, JSON as it stands there
}

static bool field_is_there(const struct dialect_field *field, const struct field_value *value)
{
    return value->kind != VALUE_NONE || field->empty != EMPTY_OMIT || field->type == TYPE_NULL;
}

// Closes the objects that the field does not stand in, opens those that it does.
static void answer_nest(struct json_writer *json, const struct schema_list *from,
                        const struct schema_list *to)
{
    const struct str *old = from->items, *new = to->items;
    size_t shared = 0;
    while (shared < from->count && shared < to->count && str_equal(old[shared], new[shared]))
        shared++;
    for (size_t i = from->count; i > shared; i--)
        json_object_end(json);
    for (size_t i = shared; i < to->count; i++) {
        json_key(json, new[i]);
        json_object_begin(json);
    }
}

static void answer_json(const struct answering *a, struct buf *body)
{
    static const struct schema_list outside = {NULL, 0};
    const struct dialect_field *fields = a->dialect->success.fields.items;
    const struct schema_list *inside = &outside;
    struct json_writer json;
    json_writer_init(&json, body);
    json_object_begin(&json);
    for (size_t i = 0; i < a->dialect->success.fields.count; i++) {
        struct field_value value = field_value(a, &fields[i]);
        if (!field_is_there(&fields[i], &value))
            continue;
        answer_nest(&json, inside, &fields[i].under);
        inside = &fields[i].under;
        json_key(&json, fields[i].name);
        field_write(&json, a, &fields[i], &value);
    }
    answer_nest(&json, inside, &outside);
    json_object_end(&json);
}

static void answer_form(const struct answering *a, struct buf *body)
{
    const struct dialect_field *fields = a->dialect->success.fields.items;
    for (size_t i = 0; i < a->dialect->success.fields.count; i++) {
        struct field_value value = field_value(a, &fields[i]);
        if (field_is_there(&fields[i], &value))
            form_encode_pair(body, fields[i].name, field_spell(a, &fields[i], &value));
    }
}

enum twoleg_error dialect_answer_token(const struct dialect *dialect,
                                       const struct http_request *request,
                                       const struct decision *decision,
                                       const struct issued_token *token,
                                       struct http_answer *ret_answer)
{
    const struct answering a = {dialect, request, decision, token};
    const struct dialect_success *success = &dialect->success;
    struct buf body;
    // The token is copied as it is, the scope's words need no escapes: as a rule this holds it all.
    buf_init_arena(&body, request->arena, token->text.len + token->scope.len +
                                               token->refresh_token.len + 160);
    if (success->body == SUCCESS_JSON)
        answer_json(&a, &body);
    else if (success->body == SUCCESS_FORM)
        answer_form(&a, &body);
    else
        buf_add(&body, token->text);
    if (body.failed)
        return TWOLEG_NO_MEMORY;
    *ret_answer = (struct http_answer){
        .status = (unsigned)success->status,
        .content_type = success->content_type,
        .body = buf_str(&body),
        .headers = success->header_lines,
        .no_store = true,
    };
    return TWOLEG_NONE;
}
