// SPDX-License-Identifier: Apache-2.0
// What the parameters of a request mean: step 1 of the path.
#include <stddef.h>

#include "base/refusal.h"
#include "codec/basic.h"
#include "codec/json_write.h"
#include "codec/percent.h"
#include "codec/utf8.h"
#include "dialect/reading.h"

// Where a meaning goes; those without a member of their own are only checked.
static const size_t reading_targets[] = {
    [MEANING_GRANT_TYPE] = offsetof(struct token_request, grant_type),
    [MEANING_CLIENT_ID] = offsetof(struct token_request, client_id),
    [MEANING_CLIENT_SECRET] = offsetof(struct token_request, client_secret),
    [MEANING_SCOPE] = offsetof(struct token_request, scope),
    [MEANING_RESOURCE] = offsetof(struct token_request, resource),
    [MEANING_TOKEN] = offsetof(struct token_request, token),
    [MEANING_TOKEN_TYPE_HINT] = offsetof(struct token_request, token_type_hint),
    [MEANING_USERNAME] = offsetof(struct token_request, username),
    [MEANING_PASSWORD] = offsetof(struct token_request, password),
    [MEANING_REFRESH_TOKEN] = offsetof(struct token_request, refresh_token),
};

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

// The values that go into a claim. They are the client's, so they are kept apart from what we say
// ourselves, and short: every call to the API carries them, and must fit with all else into what is
// read of a token.
static enum twoleg_error reading_claims(const struct reading *reading, struct token_request *ret)
{
    struct buf out;
    struct json_writer json;
    size_t count = 0;
    buf_init_arena(&out, reading->request->arena, 256);
    json_writer_init(&json, &out);
    json_object_begin(&json);
    for (size_t i = 0; i < reading_count(reading); i++) {
        struct str value = reading->values[i];
        struct str claim = reading_parameter(reading, i)->claim;
        if (!claim.ptr || !value.ptr)
            continue;
        if (value.len > DIALECT_CLAIM_MAX)
            return REFUSE(TWOLEG_TOO_LONG);
        if (!text_is_plain(value))
            return REFUSE(TWOLEG_PARAMETER_MALFORMED);
        json_key_str(&json, claim, value);
        count++;
    }
    json_object_end(&json);
    if (out.failed)
        return TWOLEG_NO_MEMORY;
    if (out.len > DIALECT_EXT_MAX)
        return REFUSE(TWOLEG_TOO_LONG);
    if (count)
        ret->ext = buf_str(&out);
    return TWOLEG_NONE;
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
    const struct http_request *request = reading->request;
    struct str id, secret;
    enum twoleg_error error =
        reading->dialect->client.trim
            ? basic_parse_trimmed(request->authorization, request->arena, &id, &secret)
            : basic_parse(request->authorization, request->arena, &id, &secret);
    if (error)
        return error;
    if (ret->client_secret.ptr)
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    if (ret->client_id.ptr && !reading_same_client(request, id, ret->client_id))
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    ret->method = CLIENT_BASIC;
    ret->client_id = id;
    ret->client_secret = secret;
    return TWOLEG_NONE;
}

static enum twoleg_error reading_client(const struct reading *reading, struct token_request *ret)
{
    unsigned methods = reading->dialect->client.methods;
    struct str header = reading->request->authorization;
    if (reading->two_clients)
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    if ((methods & DIALECT_BASIC) && header.ptr)
        return reading_basic(reading, ret);
    if (!(methods & DIALECT_PARAMETERS))
        ret->client_id = ret->client_secret = STR_NONE;
    ret->method = ret->client_id.ptr && ret->client_secret.ptr ? CLIENT_POST : CLIENT_NONE;
    // B4: who else reads the request may take the other pair for who asks.
    if (ret->method == CLIENT_POST &&
        str_equal_nocase(str_slice(header, 0, str_find(header, ' ')), STR("Basic")))
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
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

// RFC 9110 section 12.5.1, as far as JSON goes: of the ranges that have it the closest one counts,
// unless it is worth nothing.
struct accepting {
    size_t closest;
    bool takes;
};

static void accepting_add(struct accepting *json, struct str accept)
{
    static const struct str ranges[] = {
        {"*/*", 3}, {"application/*", 13}, {"application/json", 16}};
    struct str range;
    while (str_split(&accept, ',', &range)) {
        struct str part;
        size_t close = 3;
        bool worthless = false;
        struct str type = str_trim(str_slice(range, 0, str_find(range, ';')), " \t");
        while (close > 0 && !str_equal_nocase(type, ranges[close - 1]))
            close--;
        while (str_split(&range, ';', &part)) {
            part = str_trim(part, " \t");
            if (str_equal_nocase(str_slice(part, 0, 3), STR("q=0")))
                worthless = str_trim(str_slice(part, 3, part.len), ".0").len == 0;
        }
        if (close > json->closest || (close == json->closest && !worthless))
            json->takes = close && !worthless;
        json->closest = close > json->closest ? close : json->closest;
    }
}

// A list may come in several lines (RFC 9110 section 5.3).
static enum twoleg_error reading_accept(const struct reading *reading)
{
    const struct http_request *request = reading->request;
    enum dialect_accept rule = reading->dialect->accept;
    struct accepting json = {0};
    bool there = false;
    for (size_t i = 0; rule != ACCEPT_ANY && i < request->header_count; i++) {
        if (!str_equal_nocase(request->headers[i].name, STR("Accept")))
            continue;
        there = true;
        accepting_add(&json, request->headers[i].value);
    }
    if (rule == ACCEPT_ANY || (there ? json.takes : rule != ACCEPT_REQUIRED))
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
    if (!error && reading->dialect->headers)
        error = reading_headers(reading);
    enum twoleg_error lacking = reading_finish(reading, ret);
    if (!error)
        error = lacking;
    if (!error)
        error = reading_client(reading, ret);
    if (!error)
        error = reading_scope(reading, &ret->scope);
    if (!error && reading->dialect->claims)
        error = reading_claims(reading, ret);
    return error;
}

static void reading_begin(struct reading *reading, const struct dialect *dialect,
                          const struct http_request *request)
{
    reading->dialect = dialect;
    reading->request = request;
    reading->two_clients = false;
    reading->twice = 0;
    for (size_t i = 0; i < reading_count(reading); i++)
        reading->values[i] = STR_NONE;
    request->arena->wipe = true;
}

void dialect_look(const struct dialect *dialect, const struct http_request *request,
                  struct dialect_found found[DIALECT_PARAMETERS_MAX])
{
    struct reading reading;
    reading_begin(&reading, dialect, request);
    // What is wrong in one place says nothing of the others; dialect_read has the error.
    (void)!reading_query(&reading);
    (void)!reading_body(&reading);
    (void)!reading_headers(&reading);
    for (size_t i = 0; i < reading_count(&reading); i++) {
        const struct dialect_parameter *parameter = reading_parameter(&reading, i);
        const unsigned *places = parameter->in.items;
        struct str value = reading.values[i];
        found[i] = (struct dialect_found){.there = value.ptr != NULL, .len = value.len};
        found[i].twice = reading.twice & 1u << i;
        if (value.ptr)
            found[i].place = (enum dialect_place)places[reading.ranks[i]];
        found[i].other = value.ptr && parameter->equals.ptr &&
                         !str_equal(parameter->equals, value);
    }
}

enum twoleg_error dialect_read(const struct dialect *dialect,
                               const struct dialect_endpoint *endpoint,
                               const struct http_request *request,
                               struct token_request *ret_request)
{
    struct reading reading __attribute__((uninitialized));
    reading_begin(&reading, dialect, request);
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
