// SPDX-License-Identifier: Apache-2.0
#include <stddef.h>

#include "base/refusal.h"
#include "codec/basic.h"
#include "codec/form.h"
#include "codec/percent.h"
#include "dialect/dialect.h"

#define DUPLICATE TWOLEG_PARAMETER_DUPLICATE

// The parameters we know; all others are ignored (RFC 6749 section 3.2), but not twice. Of several
// resources RFC 8707 section 2 lets us take none, and has its own code for that.
static const struct parameter {
    struct str name;
    size_t at;
    enum twoleg_error twice;
} parameters[] = {
    {{"grant_type", 10}, offsetof(struct token_request, grant_type), DUPLICATE},
    {{"scope", 5}, offsetof(struct token_request, scope), DUPLICATE},
    {{"resource", 8}, offsetof(struct token_request, resource), TWOLEG_TARGET_DUPLICATE},
    {{"client_id", 9}, offsetof(struct token_request, client_id), DUPLICATE},
    {{"client_secret", 13}, offsetof(struct token_request, client_secret), DUPLICATE},
    {{"token", 5}, offsetof(struct token_request, token), DUPLICATE},
    {{"token_type_hint", 15}, offsetof(struct token_request, token_type_hint), DUPLICATE},
};
#define PARAMETERS (sizeof parameters / sizeof *parameters)

static const struct parameter *dialect_parameter(struct str name)
{
    for (size_t i = 0; i < PARAMETERS; i++)
        if (str_equal(parameters[i].name, name))
            return &parameters[i];
    return NULL;
}

static void dialect_put(struct token_request *request, const struct parameter *parameter,
                        struct str value)
{
    struct str *into = (struct str *)(void *)((char *)request + parameter->at);
    *into = value;
}

static bool dialect_seen(const struct str *names, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name))
            return true;
    return false;
}

static enum twoleg_error dialect_form(const struct http_request *request,
                                      struct token_request *ret)
{
    struct str names[FORM_PAIRS_MAX] __attribute__((uninitialized)); // read up to count only
    struct str name, value;
    size_t count = 0;
    struct form_reader form;
    form_reader_init(&form, request->body, request->arena, FORM_PAIRS_MAX);
    while (form_next(&form, &name, &value)) {
        const struct parameter *parameter = dialect_parameter(name);
        if (dialect_seen(names, count, name))
            return REFUSE(parameter ? parameter->twice : TWOLEG_PARAMETER_DUPLICATE);
        names[count++] = name;
        // Sent without a value counts as omitted (RFC 6749 section 3.2).
        if (parameter && value.len)
            dialect_put(ret, parameter, value);
    }
    return form_reader_error(&form);
}

// A secret in a query ends up in somebody's log, so one that came there is refused, not used.
static enum twoleg_error dialect_query(const struct http_request *request)
{
    struct str name, value;
    struct form_reader form;
    if (request->query.len == 0)
        return TWOLEG_NONE;
    form_reader_init(&form, request->query, request->arena, FORM_PAIRS_MAX);
    while (form_next(&form, &name, &value))
        if (dialect_parameter(name) || str_equal(name, STR("access_token")))
            return REFUSE(TWOLEG_CLIENT_IN_QUERY);
    return form_reader_error(&form);
}

static bool dialect_is_form(struct str content_type)
{
    struct str type = str_slice(content_type, 0, str_find(content_type, ';'));
    return str_equal_nocase(str_trim(type, " \t"), STR("application/x-www-form-urlencoded"));
}

// Basic and a client_id in the body may go together only when they name the same client.
static bool dialect_same_client(const struct http_request *request, struct str basic_id,
                                struct str body_id)
{
    struct str decoded;
    if (str_equal(basic_id, body_id))
        return true;
    return percent_decode_or_raw(basic_id, PERCENT_PLUS_BLANK, request->arena, &decoded) ==
               TWOLEG_NONE &&
           str_equal(decoded, body_id);
}

static enum twoleg_error dialect_client(const struct http_request *request,
                                        struct token_request *ret)
{
    struct str id, secret;
    enum twoleg_error error =
        basic_parse(request->authorization, request->arena, &id, &secret);
    if (error == TWOLEG_CLIENT_MISSING && !request->authorization.ptr) {
        ret->method = ret->client_id.ptr && ret->client_secret.ptr ? CLIENT_POST : CLIENT_NONE;
        return TWOLEG_NONE;
    }
    if (error)
        return error;
    if (ret->client_secret.ptr)
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    if (ret->client_id.ptr && !dialect_same_client(request, id, ret->client_id))
        return REFUSE(TWOLEG_CLIENT_TWO_METHODS);
    ret->method = CLIENT_BASIC;
    ret->client_id = id;
    ret->client_secret = secret;
    return TWOLEG_NONE;
}

enum twoleg_error dialect_read(const struct dialect *dialect, const struct http_request *request,
                               bool with_token, struct token_request *ret_request)
{
    (void)dialect; // where a parameter stands and what it is called: one place in this dialect
    request->arena->wipe = true;
    enum twoleg_error error = dialect_query(request);
    if (!error && !dialect_is_form(request->content_type))
        error = REFUSE(TWOLEG_MEDIA_TYPE);
    if (!error)
        error = dialect_form(request, ret_request);
    if (!error)
        error = dialect_client(request, ret_request);
    if (!error && with_token && !ret_request->token.ptr)
        error = REFUSE(TWOLEG_TOKEN_MISSING);
    // It is the cap that has no room for a decoded copy of so long a body: to send it again later
    // would not help.
    if (error == TWOLEG_NO_MEMORY &&
        request->arena->cap - request->arena->total < request->body.len)
        error = REFUSE(TWOLEG_TOO_LONG);
    return error;
}
