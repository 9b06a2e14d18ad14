// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/body.h"

#include "codec/duration.h"
#include "codec/json_read.h"

static const struct json_limits body_limits = {
    .bytes = (size_t)64 * 1024, .depth = 3, .members = 32};

static bool body_is_json(struct str type)
{
    struct str essence = str_slice(type, 0, str_find(type, ';'));
    return str_equal_nocase(str_trim(essence, " \t"), STR("application/json"));
}

static enum twoleg_error body_texts(struct admin_call *call, struct str array,
                                    struct manage_texts *ret_texts)
{
    struct json_value value;
    struct str *items = arena_array(call->request->arena, ADMIN_TEXTS_MAX, sizeof *items);
    size_t count = 0;
    if (!items)
        return TWOLEG_NO_MEMORY;
    while (json_array_next(&array, call->request->arena, &value)) {
        if (value.kind != JSON_KIND_STRING)
            return TWOLEG_MALFORMED;
        if (count == ADMIN_TEXTS_MAX)
            return TWOLEG_LIMIT;
        items[count++] = value.text;
    }
    if (array.ptr)
        return TWOLEG_MALFORMED;
    *ret_texts = (struct manage_texts){.items = items, .count = count};
    return TWOLEG_NONE;
}

static enum twoleg_error body_life(const struct json_value *value, struct admin_life *ret_life)
{
    int64_t us = TIME_NEVER;
    enum twoleg_error error = TWOLEG_NONE;
    if (value->kind == JSON_KIND_STRING)
        error = duration_parse(value->text, true, &us);
    else if (value->kind == JSON_KIND_INTEGER)
        error = __builtin_mul_overflow(value->integer, SECOND_US, &us) || us == TIME_NEVER
                    ? TWOLEG_RANGE
                    : TWOLEG_NONE;
    else if (value->kind != JSON_KIND_NULL)
        error = TWOLEG_MALFORMED;
    if (!error)
        *ret_life = (struct admin_life){.given = true, .us = us};
    return error;
}

static enum twoleg_error body_value(struct admin_call *call, const struct admin_field *field,
                                    const struct json_value *value, void *target)
{
    void *place = (char *)target + field->offset;
    switch (field->kind) {
    case ADMIN_TEXT:
        if (value->kind != JSON_KIND_STRING)
            return TWOLEG_MALFORMED;
        *(struct str *)place = value->text.len ? value->text : STR("");
        return TWOLEG_NONE;
    case ADMIN_BOOL:
        if (value->kind != JSON_KIND_BOOL)
            return TWOLEG_MALFORMED;
        *(struct admin_bool *)place = (struct admin_bool){.given = true, .value = value->boolean};
        return TWOLEG_NONE;
    case ADMIN_TEXTS:
        if (value->kind != JSON_KIND_ARRAY)
            return TWOLEG_MALFORMED;
        return body_texts(call, value->text, place);
    case ADMIN_LIFE:
        return body_life(value, place);
    }
    return TWOLEG_INTERNAL;
}

static enum twoleg_error body_member(struct admin_call *call, const struct admin_field *fields,
                                     size_t count, struct str key, const struct json_value *value,
                                     void *target)
{
    static const char *const kinds[] = {
        [ADMIN_TEXT] = "a text",
        [ADMIN_BOOL] = "true or false",
        [ADMIN_TEXTS] = "a list of up to 64 texts",
        [ADMIN_LIFE] = "seconds, a text such as \"1h\", or null for never",
    };
    for (size_t i = 0; i < count; i++) {
        if (!str_equal(str_from(fields[i].name), key))
            continue;
        enum twoleg_error error = body_value(call, &fields[i], value, target);
        if (error)
            admin_refuse(call, error, "\"%s\" must be %s", fields[i].name, kinds[fields[i].kind]);
        return error;
    }
    return admin_refuse(call, TWOLEG_UNKNOWN, "unknown field \"%.*s\"",
                        STR_ARG(str_slice(key, 0, 64)));
}

enum twoleg_error admin_body(struct admin_call *call, const struct admin_field *fields,
                             size_t count, void *target)
{
    const struct http_request *request = call->request;
    struct json_reader reader;
    struct json_value value;
    struct str key;
    if (request->body.len == 0)
        return TWOLEG_NONE;
    if (!body_is_json(request->content_type))
        return admin_refuse(call, TWOLEG_MEDIA_TYPE, "the body must be application/json");
    // First the whole text: a member means nothing before its object is known to be good.
    enum twoleg_error error = json_check(request->body, &body_limits);
    if (error == TWOLEG_LIMIT || error == TWOLEG_TOO_LONG)
        return admin_refuse(call, TWOLEG_MALFORMED, "the body is too deep or too long");
    if (error)
        return admin_refuse(call, error, error == TWOLEG_DUPLICATE ? "a field is given twice"
                                                                   : "the body is not JSON");
    json_reader_init(&reader, request->body, request->arena, &body_limits);
    while (json_next_member(&reader, &key, &value)) {
        error = body_member(call, fields, count, key, &value, target);
        if (error)
            return error;
    }
    error = json_reader_error(&reader);
    if (error == TWOLEG_MALFORMED)
        return admin_refuse(call, error, "the body must be a JSON object");
    return error;
}
