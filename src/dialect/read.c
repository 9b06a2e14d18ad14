// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "base/refusal.h"
#include "codec/basic.h"
#include "codec/form.h"
#include "codec/json_read.h"
#include "codec/percent.h"
#include "dialect/dialect.h"

#define DUPLICATE TWOLEG_PARAMETER_DUPLICATE
#define NOWHERE DIALECT_PARAMETER_PLACES

// What was found of each parameter, in the dialect's order.
struct reading {
    const struct dialect *dialect;
    const struct http_request *request;
    struct str values[DIALECT_PARAMETERS_MAX];
    uint8_t ranks[DIALECT_PARAMETERS_MAX]; // the value's place, as the parameter lists them
};

// Where a meaning goes; those without a member of their own are only checked.
static const size_t reading_targets[] = {
    [MEANING_GRANT_TYPE] = offsetof(struct token_request, grant_type),
    [MEANING_CLIENT_ID] = offsetof(struct token_request, client_id),
    [MEANING_CLIENT_SECRET] = offsetof(struct token_request, client_secret),
    [MEANING_SCOPE] = offsetof(struct token_request, scope),
    [MEANING_RESOURCE] = offsetof(struct token_request, resource),
    [MEANING_TOKEN] = offsetof(struct token_request, token),
    [MEANING_TOKEN_TYPE_HINT] = offsetof(struct token_request, token_type_hint),
};

static size_t reading_count(const struct reading *reading)
{
    return reading->dialect->parameters.count;
}

static const struct dialect_parameter *reading_parameter(const struct reading *reading, size_t at)
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

// Sent without a value counts as omitted (RFC 6749 section 3.2).
static void reading_put(struct reading *reading, size_t at, uint8_t rank, struct str value)
{
    if (value.len == 0 || (reading->values[at].ptr && reading->ranks[at] <= rank))
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
static enum twoleg_error reading_twice(const struct reading *reading, size_t at)
{
    return at < reading_count(reading) && reading_parameter(reading, at)->is == MEANING_RESOURCE
               ? REFUSE(TWOLEG_TARGET_DUPLICATE)
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

static enum twoleg_error reading_body(struct reading *reading)
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

// A secret in a query ends up in somebody's log, so one that came there is refused, not used, unless
// the dialect has it there.
static enum twoleg_error reading_query(struct reading *reading)
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

static enum twoleg_error reading_headers(struct reading *reading)
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

// What was read goes to its place in the request; what the dialect demands is there.
static enum twoleg_error reading_finish(const struct reading *reading, struct token_request *ret)
{
    enum twoleg_error error = TWOLEG_NONE;
    for (size_t i = 0; i < reading_count(reading); i++) {
        const struct dialect_parameter *parameter = reading_parameter(reading, i);
        struct str value = reading->values[i].ptr ? reading->values[i] : parameter->fallback;
        bool missing = parameter->required && !value.ptr;
        if (!error && missing)
            error = REFUSE(parameter->is == MEANING_GRANT_TYPE ? TWOLEG_GRANT_TYPE_MISSING
                                                               : TWOLEG_PARAMETER_MISSING);
        if (!error && parameter->equals.ptr && value.ptr && !str_equal(parameter->equals, value))
            error = REFUSE(TWOLEG_PARAMETER_MALFORMED);
        if (parameter->is != MEANING_EXTRA && value.ptr)
            *(struct str *)(void *)((char *)ret + reading_targets[parameter->is]) = value;
    }
    return error;
}

// Basic and a client_id in the body may go together only when they name the same client.
static bool reading_same_client(const struct http_request *request, struct str basic_id,
                                struct str body_id)
{
    struct str decoded;
    if (str_equal(basic_id, body_id))
        return true;
    return percent_decode_or_raw(basic_id, PERCENT_PLUS_BLANK, request->arena, &decoded) ==
               TWOLEG_NONE &&
           str_equal(decoded, body_id);
}

static enum twoleg_error reading_basic(const struct reading *reading, struct token_request *ret)
{
    struct str id, secret;
    enum twoleg_error error =
        basic_parse(reading->request->authorization, reading->request->arena, &id, &secret);
    if (error)
        return error;
    if (ret->client_secret.ptr)
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    if (ret->client_id.ptr && !reading_same_client(reading->request, id, ret->client_id))
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    if (reading->dialect->client.trim)
        while (secret.len && secret.ptr[secret.len - 1] == ' ')
            secret.len--;
    ret->method = CLIENT_BASIC;
    ret->client_id = id;
    ret->client_secret = secret;
    return TWOLEG_NONE;
}

static enum twoleg_error reading_client(const struct reading *reading, struct token_request *ret)
{
    unsigned methods = reading->dialect->client.methods;
    if (!(methods & DIALECT_PARAMETERS))
        ret->client_id = ret->client_secret = STR_NONE;
    if ((methods & DIALECT_BASIC) && reading->request->authorization.ptr)
        return reading_basic(reading, ret);
    ret->method = ret->client_id.ptr && ret->client_secret.ptr ? CLIENT_POST : CLIENT_NONE;
    return TWOLEG_NONE;
}

static enum grant_kind reading_grant(const struct dialect *dialect,
                                     const struct dialect_endpoint *endpoint, struct str name)
{
    const struct dialect_grant *grants = dialect->grants.items;
    if (!name.ptr)
        return GRANT_MISSING;
    for (size_t i = 0; i < dialect->grants.count; i++)
        if (str_equal(grants[i].name, name))
            return endpoint->grants & 1u << grants[i].is ? (enum grant_kind)grants[i].is
                                                         : GRANT_UNKNOWN;
    return GRANT_UNKNOWN;
}

// The words of a list that has another separator, as RFC 6749 section 3.3 has them.
static enum twoleg_error reading_scope(const struct reading *reading, struct str *scope)
{
    char separator = " ,+"[reading->dialect->scope.separator];
    if (separator == ' ' || !scope->ptr)
        return TWOLEG_NONE;
    char *words = arena_alloc(reading->request->arena, scope->len);
    if (!words)
        return TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < scope->len; i++)
        words[i] = scope->ptr[i] == separator ? ' ' : scope->ptr[i];
    *scope = str_of(words, scope->len);
    return TWOLEG_NONE;
}

// RFC 9110 section 12.5.1, as far as JSON goes: a range that has it and is not worth nothing.
static bool reading_takes_json(struct str accept)
{
    struct str range;
    while (str_split(&accept, ',', &range)) {
        struct str rest = range;
        struct str part;
        bool takes = false, worthless = false;
        for (size_t i = 0; str_split(&rest, ';', &part); i++) {
            part = str_trim(part, " \t");
            if (i == 0)
                takes = str_equal(part, STR("*/*")) ||
                        str_equal_nocase(part, STR("application/*")) ||
                        str_equal_nocase(part, STR("application/json"));
            else if (str_starts_with(part, STR("q=0")))
                worthless = str_trim(str_slice(part, 3, part.len), ".0").len == 0;
        }
        if (takes && !worthless)
            return true;
    }
    return false;
}

static enum twoleg_error reading_accept(const struct reading *reading)
{
    enum dialect_accept rule = reading->dialect->accept;
    if (rule == ACCEPT_ANY)
        return TWOLEG_NONE;
    struct str accept = http_request_header(reading->request, STR("Accept"));
    if (accept.ptr ? reading_takes_json(accept) : rule != ACCEPT_REQUIRED)
        return TWOLEG_NONE;
    return REFUSE(TWOLEG_NOT_ACCEPTABLE);
}

static enum twoleg_error reading_run(struct reading *reading,
                                     const struct dialect_endpoint *endpoint,
                                     struct token_request *ret)
{
    if (endpoint && !(endpoint->methods & reading->request->method))
        return REFUSE(TWOLEG_METHOD);
    enum twoleg_error error = reading_accept(reading);
    if (!error)
        error = reading_query(reading);
    if (!error)
        error = reading_body(reading);
    if (!error)
        error = reading_headers(reading);
    enum twoleg_error lacking = reading_finish(reading, ret);
    if (!error)
        error = lacking;
    if (!error)
        error = reading_client(reading, ret);
    if (!error)
        error = reading_scope(reading, &ret->scope);
    return error;
}

enum twoleg_error dialect_read(const struct dialect *dialect,
                               const struct dialect_endpoint *endpoint,
                               const struct http_request *request,
                               struct token_request *ret_request)
{
    struct reading reading __attribute__((uninitialized));
    reading.dialect = dialect;
    reading.request = request;
    for (size_t i = 0; i < reading_count(&reading); i++)
        reading.values[i] = STR_NONE;
    request->arena->wipe = true;
    ret_request->rules = &dialect->rules;
    enum twoleg_error error = reading_run(&reading, endpoint, ret_request);
    if (endpoint)
        ret_request->grant = reading_grant(dialect, endpoint, ret_request->grant_type);
    else if (!error && !ret_request->token.ptr)
        error = REFUSE(TWOLEG_TOKEN_MISSING);
    // It is the cap that has no room for a decoded copy of so long a body: to send it again later
    // would not help.
    if (error == TWOLEG_NO_MEMORY &&
        request->arena->cap - request->arena->total < request->body.len)
        error = REFUSE(TWOLEG_TOO_LONG);
    return error;
}
