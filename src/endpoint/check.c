// SPDX-License-Identifier: Apache-2.0
// The gate for reverse proxies (RFC 6750 section 3): may this call pass? Any method, the body is
// never read, answers 200, 401, 403 or 503 and nothing else. /check takes what is required from its
// query, /check/NAME from the configuration: there the rest of the path and the query are the
// client's, not the proxy's, in whatever spelling.
#include <string.h>

#include "base/refusal.h"
#include "codec/bearer.h"
#include "codec/form.h"
#include "codec/utf8.h"
#include "endpoint/authenticate.h"
#include "endpoint/log.h"
#include "endpoint/routes.h"
#include "model/number.h"
#include "model/scope.h"

struct check_needs {
    const struct dialect *dialect; // of the gate, of the host, or of the listener
    struct str resource; // STR_NONE: any audience of ours
    struct str scope;    // all of these words
    const struct config_proxies *proxies; // trusted by this gate, beside the listener's
};

// An unknown name would be a typing error that silently asks for less, so it is refused.
static enum twoleg_error check_query(const struct http_request *request, struct check_needs *needs)
{
    struct form_reader query;
    struct str name, value;
    form_reader_init(&query, request->query, request->arena, FORM_PAIRS_MAX);
    while (form_next(&query, &name, &value)) {
        bool scope = str_equal(name, STR("scope"));
        struct str *into = scope ? &needs->scope : &needs->resource;
        if (!scope && !str_equal(name, STR("resource")))
            return REFUSE(TWOLEG_UNKNOWN);
        if (into->ptr || value.len == 0)
            return REFUSE(TWOLEG_PARAMETER_DUPLICATE);
        *into = value;
    }
    return form_reader_error(&query);
}

static enum twoleg_error check_configured(const struct http_request *request,
                                          struct check_needs *needs)
{
    const struct config_checks *checks = &endpoint_config(request)->checks;
    struct str name = request->segments[0];
    for (size_t i = 0; i < checks->count; i++) {
        if (!str_equal(checks->items[i].name, name))
            continue;
        needs->dialect = dialect_set_gate(endpoint_dialects(request), i,
                                          request->listener->number, STR_NONE);
        needs->scope = checks->items[i].scope;
        needs->resource = checks->items[i].resource;
        needs->proxies = &checks->items[i].trusted_proxies;
        return TWOLEG_NONE;
    }
    return REFUSE(TWOLEG_UNKNOWN);
}

static enum twoleg_error check_needs_read(const struct http_request *request,
                                          struct check_needs *needs, uint64_t *ret_api)
{
    const struct api_set *apis = registry_apis(endpoint_context(request)->server->registry);
    bool named = request->segment_count > 0;
    enum twoleg_error error =
        named ? check_configured(request, needs) : check_query(request, needs);
    if (!error)
        error = scope_normalise(request->arena, needs->scope, &needs->scope);
    if (error)
        return error;
    const struct api *api = NULL;
    if (needs->resource.len)
        api = api_set_find_identifier(apis, needs->resource);
    else if (named)
        api = api_set_default(apis); // a configured gate always has one audience
    if (!api && (named || needs->resource.len))
        return REFUSE(TWOLEG_TARGET_UNKNOWN);
    *ret_api = api ? api->number : 0;
    return TWOLEG_NONE;
}

// Header values must be visible ASCII: anything else, and % itself, is percent-encoded.
static void check_header(struct buf *out, struct str name, struct str value)
{
    static const char digits[] = "0123456789ABCDEF";
    // Room for the longest spelling is taken at once; what is left of it goes back.
    size_t most = name.len + 3 * value.len + 2;
    char *start = buf_reserve(out, most);
    if (!start)
        return;
    memcpy(start, name.ptr, name.len);
    char *at = start + name.len;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = (uint8_t)value.ptr[i];
        if (c > 0x20 && c < 0x7f && c != '%') {
            *at++ = (char)c;
            continue;
        }
        *at++ = '%';
        *at++ = digits[c >> 4];
        *at++ = digits[c & 15];
    }
    *at++ = '\r';
    *at++ = '\n';
    out->len -= most - (size_t)(at - start);
}

// Words of visible ASCII and single blanks: sent as they are.
static void check_header_words(struct buf *out, struct str name, struct str value)
{
    buf_add(out, name);
    buf_add(out, value);
    buf_add(out, STR("\r\n"));
}

enum check_identity {
#define IDENTITY(id, header, words) CHECK_##id,
#include "model/identity.def"
#undef IDENTITY
    CHECK_IDENTITIES
};

static const struct {
    struct str name;
    bool words;
} check_identities[] = {
#define IDENTITY(id, header, words) {{header ": ", sizeof header + 1}, words},
#include "model/identity.def"
#undef IDENTITY
};

static void check_identity(struct buf *out, const struct endpoint_context *context,
                           const struct token_verdict *verdict)
{
    char id_text[TOKEN_ID_TEXT_MAX];
    char expires_text[24];
    char subject_text[NUMBER_TEXT_MAX];
    struct buf id, expires, subject;
    buf_init(&id, id_text, sizeof id_text);
    struct str is[CHECK_IDENTITIES] = {STR_NONE};
    buf_init(&expires, expires_text, sizeof expires_text);
    buf_init(&subject, subject_text, sizeof subject_text);
    if (verdict) {
        const struct api *api =
            api_set_find(registry_apis(context->server->registry), verdict->passed.apis[0]);
        token_write_id(&verdict->record, verdict->format, &id);
        is[CHECK_TOKEN_ID] = buf_str(&id);
        is[CHECK_CLIENT_ID] = verdict->view.body->client_id;
        is[CHECK_APPLICATION] = verdict->view.body->name;
        is[CHECK_AUDIENCE] = api ? api->identifier : STR_NONE;
        is[CHECK_SCOPE] = verdict->passed.scope;
        is[CHECK_SUBJECT] = is[CHECK_CLIENT_ID];
        if (verdict->record.subject) {
            number_write(&subject, NUMBER_USER, verdict->record.subject);
            is[CHECK_SUBJECT] = buf_str(&subject);
            is[CHECK_USERNAME] = verdict->user.username;
        }
        if (verdict->record.expires_s)
            buf_add_i64(&expires, verdict->record.expires_s);
        is[CHECK_EXPIRES] = buf_str(&expires);
    }
    for (size_t i = 0; i < CHECK_IDENTITIES; i++)
        (check_identities[i].words ? check_header_words : check_header)(
            out, check_identities[i].name, is[i]);
}

// RFC 6750 section 3.1.
static void check_challenge(struct buf *out, unsigned status, enum twoleg_error error,
                            const struct check_needs *needs)
{
    struct str challenge = needs->dialect->resource.challenge;
    // RFC 9110 section 11.2: the first parameter stands behind a blank.
    struct str next = str_find(challenge, '=') < challenge.len ? STR(", ") : STR(" ");
    if (str_equal(challenge, STR("none")))
        return;
    buf_add(out, STR("WWW-Authenticate: "));
    buf_add(out, challenge);
    if (status == 403 || error != TWOLEG_TOKEN_ABSENT)
        buf_add(out, next);
    if (status == 403)
        buf_add(out, STR("error=\"insufficient_scope\""));
    else if (error != TWOLEG_TOKEN_ABSENT)
        buf_add(out, STR("error=\"invalid_token\""));
    if (error == TWOLEG_TOKEN_SCOPE) {
        buf_add(out, STR(", scope=\""));
        buf_add(out, needs->scope);
        buf_add(out, STR("\""));
    }
    buf_add(out, STR("\r\n"));
}

// What an unread token says of its audience is the word of whoever forged it: then it is 401.
static unsigned check_status(enum twoleg_error error, bool read)
{
    if (error == TWOLEG_NONE)
        return 200;
    if (!endpoint_is_verdict(error))
        return 503;
    switch (error) {
    case TWOLEG_TOKEN_AUDIENCE:
        return read ? 403 : 401;
    case TWOLEG_TOKEN_SCOPE:
    case TWOLEG_TARGET_UNKNOWN: // the proxy asks for what nothing can have: nobody passes
    case TWOLEG_UNKNOWN:
    case TWOLEG_PARAMETER_DUPLICATE:
    case TWOLEG_PARAMETER_MALFORMED:
    case TWOLEG_PARAMETER_COUNT:
    case TWOLEG_SCOPE_MALFORMED:
    case TWOLEG_TOO_LONG:
        return 403;
    default:
        return 401;
    }
}

// Filled as the dialect says, with nothing of the request in it. A copy also where it holds no
// word: an answer may outlive the snapshot that the dialect is of.
static struct str check_template(const struct http_request *request,
                                 const struct dialect_template *template,
                                 struct template_values values, bool json)
{
    struct buf body;
    values.request_id = str_of(request->id, sizeof request->id);
    values.now_us = request->env->now_us;
    buf_init_arena(&body, request->arena, 256);
    template_write(template, &values, json, &body);
    return buf_str(&body);
}

static void check_body(const struct http_request *request, const struct dialect *dialect,
                       struct http_answer *answer)
{
    static const struct template_values words[] = {
        {.status = 503,
         .code = {"temporarily_unavailable", 23},
         .message = {"try again", 9}},
        {.status = 401,
         .code = {"invalid_token", 13},
         .message = {"the access token is missing or not good", 39}},
        {.status = 403,
         .code = {"insufficient_scope", 18},
         .message = {"the access token does not reach so far", 38}},
    };
    const struct dialect_template *templates[] = {&dialect->unavailable, &dialect->unauthorized,
                                                  &dialect->forbidden};
    size_t at = 2;
    if (answer->status == 200) {
        answer->content_type = STR("application/json");
        answer->body = STR("{\"active\":true}");
        return;
    }
    while (at > 0 && words[at].status != answer->status)
        at--;
    bool json = dialect_content_is_json(dialect->resource.content_type);
    answer->content_type = templates[at]->count ? dialect->resource.content_type : STR_NONE;
    answer->body = check_template(request, templates[at], words[at], json);
}

static enum twoleg_error check_answer(struct http_request *request, enum twoleg_error error,
                                      const struct check_needs *needs,
                                      const struct token_verdict *verdict,
                                      struct http_answer *ret_answer)
{
    static const enum metric metrics[] = {METRIC_CHECK_PASSED, METRIC_CHECK_UNAUTHORIZED,
                                          METRIC_CHECK_FORBIDDEN, METRIC_CHECK_UNAVAILABLE};
    unsigned status = check_status(error, verdict->read);
    struct buf headers;
    buf_init_arena(&headers, request->arena, 1024);
    check_identity(&headers, endpoint_context(request), error ? NULL : verdict);
    if (status == 401 || status == 403)
        check_challenge(&headers, status, error, needs);
    if (status == 503)
        buf_add(&headers, STR("Retry-After: 1\r\n"));
    if (headers.failed)
        status = 503;
    *ret_answer = (struct http_answer){
        .status = status,
        .headers = buf_str(&headers),
        .no_store = true,
    };
    check_body(request, needs->dialect, ret_answer);
    metrics_add(request->metrics,
                metrics[status == 200 ? 0 : status == 401 ? 1 : status == 403 ? 2 : 3], 1);
    struct str client_id =
        verdict->view.body && verdict->read ? verdict->view.body->client_id : STR_NONE;
    endpoint_log(&(struct endpoint_event){
        .request = request,
        .error = error,
        .client_id = client_id,
        .status = status,
        .proxies = needs->proxies,
    });
    return TWOLEG_NONE;
}

// Behind one of the dialect's schemes, in its header.
static enum twoleg_error check_header_token(const struct http_request *request,
                                            const struct dialect_resource *resource,
                                            struct str *ret_text)
{
    bool usual = str_equal_nocase(resource->header, STR("Authorization"));
    struct str value = usual ? request->authorization : STR_NONE;
    for (size_t i = 0; !usual && i < request->header_count; i++) {
        if (!str_equal_nocase(request->headers[i].name, resource->header))
            continue;
        if (value.ptr)
            return REFUSE(TWOLEG_TOKEN_MALFORMED); // which of the two would be a guess
        value = request->headers[i].value;
    }
    const struct bearer_schemes schemes = {resource->schemes.items, resource->schemes.count,
                                           resource->one_blank};
    return bearer_parse(value, &schemes, ret_text);
}

// RFC 6750 section 2.3. A query that cannot be read to its end may have a second token in it.
static enum twoleg_error check_query_token(const struct http_request *request, struct str wanted,
                                           struct str *ret_text)
{
    struct form_reader query;
    struct str name, value, found = STR_NONE;
    request->arena->wipe = true; // what is decoded is a copy of the token
    form_reader_init(&query, request->query, request->arena, FORM_PAIRS_MAX);
    while (form_next(&query, &name, &value)) {
        if (!str_equal(name, wanted) || value.len == 0)
            continue;
        if (found.ptr || !text_is_visible_ascii(value))
            return REFUSE(TWOLEG_TOKEN_MALFORMED);
        found = value;
    }
    enum twoleg_error error = form_reader_error(&query);
    if (error)
        return error == TWOLEG_NO_MEMORY ? error : REFUSE(TWOLEG_TOKEN_MALFORMED);
    *ret_text = found;
    return TWOLEG_NONE;
}

// The token as the dialect has it. Only behind the name of a gate is the query the caller's: that
// of /check is the proxy's.
static enum twoleg_error check_token(const struct http_request *request,
                                     const struct dialect *dialect, struct str *ret_text)
{
    struct str asked;
    enum twoleg_error error = check_header_token(request, &dialect->resource, ret_text);
    if (!dialect->token_in_query || request->segment_count == 0)
        return error;
    enum twoleg_error query = check_query_token(request, dialect->resource.query, &asked);
    if (query || !asked.ptr)
        return query ? query : error;
    // Two of them (section 2): whose call it is would be a guess.
    if (error != TWOLEG_TOKEN_ABSENT)
        return REFUSE(TWOLEG_TOKEN_MALFORMED);
    *ret_text = asked;
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_check(struct http_request *request, struct http_answer *ret_answer)
{
    struct check_needs needs = {
        .dialect = dialect_set_gate(endpoint_dialects(request), SIZE_MAX,
                                    request->listener->number, request->host),
    };
    struct token_verdict verdict = {0};
    struct token_question question = {.door = GATE_CHECK};
    // The gate's name is the first part of what stands behind /check/. The rest is the path that is
    // asked for, which is no more to be logged than any other.
    struct str *name = &request->segments[0];
    if (request->segment_count > 0)
        *name = str_slice(*name, 0, str_find(*name, '/'));
    enum twoleg_error error = check_needs_read(request, &needs, &question.required_api);
    question.required_scope = needs.scope;
    question.dialect = needs.dialect->name;
    if (!error)
        error = check_token(request, needs.dialect, &question.text);
    if (!error)
        error = endpoint_inspect(request, &question, &verdict);
    if (error == TWOLEG_WAIT)
        return TWOLEG_WAIT;
    return check_answer(request, error, &needs, &verdict, ret_answer);
}
