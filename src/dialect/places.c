// SPDX-License-Identifier: Apache-2.0
// Takes parameters out of the places that a dialect has for them: body, query, headers.
#include "base/refusal.h"
#include "codec/form.h"
#include "codec/json_read.h"
#include "dialect/reading.h"

#define DUPLICATE TWOLEG_PARAMETER_DUPLICATE
#define NOWHERE DIALECT_PARAMETER_PLACES

size_t reading_count(const struct reading *reading)
{
    return reading->dialect->parameters.count;
}

const struct dialect_parameter *reading_parameter(const struct reading *reading, size_t at)
{
    return (const struct dialect_parameter *)reading->dialect->parameters.items + at;
}

// The parameter's rank of the place, or NOWHERE.
static uint8_t reading_rank(const struct dialect_parameter *parameter, enum dialect_place place)
{
    const unsigned *places = parameter->in.items;
    for (size_t i = 0; i < parameter->in.count; i++)
        if (places[i] == place)
            return (uint8_t)i;
    return NOWHERE;
}

// The index of the parameter that has this name in some place, or the count.
static size_t reading_find(const struct reading *reading, struct str name)
{
    size_t i = 0;
    while (i < reading_count(reading) && !str_equal(reading_parameter(reading, i)->name, name))
        i++;
    return i;
}

static bool reading_says_who(const struct dialect_parameter *parameter)
{
    return parameter->is == MEANING_CLIENT_ID || parameter->is == MEANING_CLIENT_SECRET;
}

// Sent without a value counts as omitted (RFC 6749 section 3.2). Of two clients the first would be
// a guess: who else reads the request may take the other one for who asks (B4).
static void reading_put(struct reading *reading, size_t at, uint8_t rank, struct str value)
{
    struct str before = reading->values[at];
    if (value.len == 0)
        return;
    if (before.ptr && reading_says_who(reading_parameter(reading, at)))
        reading->two_clients = reading->two_clients || !str_equal(before, value);
    if (before.ptr && reading->ranks[at] <= rank)
        return;
    reading->values[at] = value;
    reading->ranks[at] = rank;
}

static bool reading_seen(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

// Unknown parameters are ignored (RFC 6749 section 3.2), but not twice. Of several resources RFC
// 8707 section 2 lets us take none, and has its own code for that.
static enum twoleg_error reading_twice(struct reading *reading, size_t at)
{
    if (at == reading_count(reading))
        return REFUSE(DUPLICATE);
    reading->twice |= 1u << at;
    return reading_parameter(reading, at)->is == MEANING_RESOURCE ? REFUSE(TWOLEG_TARGET_DUPLICATE)
                                                                  : REFUSE(DUPLICATE);
}

static enum twoleg_error reading_form(struct reading *reading)
{
    struct str names[FORM_PAIRS_MAX] __attribute__((uninitialized)); // read up to count only
    struct str name, value;
    size_t count = 0;
    struct form_reader form;
    form_reader_init(&form, reading->request->body, reading->request->arena, FORM_PAIRS_MAX);
    while (form_next(&form, &name, &value)) {
        size_t at = reading_find(reading, name);
        if (reading_seen(names, count, name))
            return reading_twice(reading, at);
        names[count++] = name;
        if (at == reading_count(reading))
            continue;
        uint8_t rank = reading_rank(reading_parameter(reading, at), PLACE_BODY);
        if (rank != NOWHERE)
            reading_put(reading, at, rank, value);
    }
    return form_reader_error(&form);
}

static enum twoleg_error reading_json_error(enum twoleg_error error)
{
    switch (error) {
    case TWOLEG_NONE:
    case TWOLEG_NO_MEMORY:
    case TWOLEG_TOO_LONG:
        return error;
    case TWOLEG_DUPLICATE:
        return REFUSE(DUPLICATE);
    case TWOLEG_LIMIT:
        return REFUSE(TWOLEG_PARAMETER_COUNT);
    default:
        return REFUSE(TWOLEG_PARAMETER_MALFORMED);
    }
}

// Texts only, of ours: a number where a text belongs would be somebody's guess. NUL ends no text.
static enum twoleg_error reading_json_value(struct reading *reading, size_t at,
                                            const struct json_value *value)
{
    uint8_t rank = reading_rank(reading_parameter(reading, at), PLACE_BODY);
    if (rank == NOWHERE || value->kind == JSON_KIND_NULL)
        return TWOLEG_NONE;
    bool extra = reading_parameter(reading, at)->is == MEANING_EXTRA;
    bool text = value->kind == JSON_KIND_STRING ||
                (extra && (value->kind == JSON_KIND_INTEGER || value->kind == JSON_KIND_BOOL));
    if (!text || str_find(value->text, '\0') != value->text.len)
        return REFUSE(TWOLEG_PARAMETER_MALFORMED);
    reading_put(reading, at, rank, value->text);
    return TWOLEG_NONE;
}

static enum twoleg_error reading_json(struct reading *reading)
{
    struct json_reader json;
    struct str key;
    struct json_value value;
    enum twoleg_error error = TWOLEG_NONE;
    json_reader_init(&json, reading->request->body, reading->request->arena, NULL);
    // Read to its end whatever was found: only then is it known to be JSON at all.
    while (json_next_member(&json, &key, &value)) {
        size_t at = reading_find(reading, key);
        if (!error && at < reading_count(reading))
            error = reading_json_value(reading, at, &value);
    }
    enum twoleg_error whole = reading_json_error(json_reader_error(&json));
    return whole ? whole : error;
}

static bool reading_is_type(struct str content_type, struct str wanted)
{
    struct str type = str_slice(content_type, 0, str_find(content_type, ';'));
    return str_equal_nocase(str_trim(type, " \t"), wanted);
}

enum twoleg_error reading_body(struct reading *reading)
{
    const struct http_request *request = reading->request;
    unsigned bodies = reading->dialect->bodies;
    if (request->method == HTTP_GET || (request->body.len == 0 && (bodies & BODY_EMPTY)))
        return TWOLEG_NONE;
    struct str trimmed = str_trim(request->body, " \t\r\n");
    bool braces = trimmed.len && trimmed.ptr[0] == '{';
    unsigned as_form, as_json;
    if (reading_is_type(request->content_type, STR("application/x-www-form-urlencoded"))) {
        as_form = bodies & BODY_FORM;
        as_json = bodies & BODY_JSON_AS_FORM;
    } else if (reading_is_type(request->content_type, STR("application/json"))) {
        as_form = bodies & BODY_FORM_AS_JSON;
        as_json = bodies & BODY_JSON;
    } else if (!request->content_type.ptr && (bodies & BODY_UNLABELLED)) {
        as_form = bodies & (BODY_FORM | BODY_FORM_AS_JSON);
        as_json = bodies & (BODY_JSON | BODY_JSON_AS_FORM);
    } else {
        return REFUSE(TWOLEG_MEDIA_TYPE);
    }
    if (as_json && (braces || !as_form))
        return reading_json(reading);
    // T1: read as a form, an object would be one parameter that nobody knows.
    return as_form && !braces ? reading_form(reading) : REFUSE(TWOLEG_MEDIA_TYPE);
}

// A secret in a query ends up in somebody's log, so one that came there is refused, not used,
// unless the dialect has it there.
enum twoleg_error reading_query(struct reading *reading)
{
    const struct http_request *request = reading->request;
    struct str names[FORM_PAIRS_MAX] __attribute__((uninitialized)); // read up to count only
    struct str name, value;
    size_t count = 0;
    struct form_reader form;
    if (request->query.len == 0)
        return TWOLEG_NONE;
    form_reader_init(&form, request->query, request->arena, FORM_PAIRS_MAX);
    while (form_next(&form, &name, &value)) {
        size_t at = reading_find(reading, name);
        bool ours = at < reading_count(reading);
        uint8_t rank =
            ours ? reading_rank(reading_parameter(reading, at), PLACE_QUERY) : NOWHERE;
        if ((ours && rank == NOWHERE) || str_equal(name, STR("access_token")))
            return REFUSE(TWOLEG_CLIENT_IN_QUERY);
        if (reading->dialect->queries && reading_seen(names, count, name))
            return reading_twice(reading, at);
        names[count++] = name;
        if (ours)
            reading_put(reading, at, rank, value);
    }
    return form_reader_error(&form);
}

static enum twoleg_error reading_header(struct reading *reading, size_t at, uint8_t rank)
{
    const struct http_request *request = reading->request;
    struct str name = reading_parameter(reading, at)->name;
    bool seen = false;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!str_equal_nocase(request->headers[i].name, name))
            continue;
        if (seen)
            return reading_twice(reading, at);
        seen = true;
        reading_put(reading, at, rank, request->headers[i].value);
    }
    return TWOLEG_NONE;
}

enum twoleg_error reading_headers(struct reading *reading)
{
    for (size_t i = 0; i < reading_count(reading); i++) {
        uint8_t rank = reading_rank(reading_parameter(reading, i), PLACE_HEADER);
        enum twoleg_error error =
            rank == NOWHERE ? TWOLEG_NONE : reading_header(reading, i, rank);
        if (error)
            return error;
    }
    return TWOLEG_NONE;
}
