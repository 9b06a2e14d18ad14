// SPDX-License-Identifier: Apache-2.0
// What a token endpoint is sent: three lines for Content-Type, Authorization and query (an empty
// one was not sent; an Authorization after ! is encoded first), then the body. Whatever comes is
// read as the rules say or refused with a row of the dialect's table.
#include "codec/json_read.h"
#include "codec/utf8.h"
#include "requests.h"

static const struct dialect *fuzz_dialect(void)
{
    return fuzz_shipped(STR("rfc6749"));
}

static void fuzz_parameter(struct str value)
{
    FUZZ_MUST(value.ptr || value.len == 0);
    FUZZ_MUST(!value.ptr || str_find(value, '\0') == value.len);
}

static void fuzz_form(const struct http_request *request, const struct token_request *form)
{
    const struct str values[] = {form->grant_type, form->scope,         form->resource,
                                 form->client_id,  form->client_secret, form->token,
                                 form->token_type_hint};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        fuzz_parameter(values[i]);
    bool both = form->client_id.ptr && form->client_secret.ptr;
    switch (form->method) {
    case CLIENT_BASIC:
        FUZZ_MUST(request->authorization.len > 6 && both && form->client_id.len);
        FUZZ_MUST(str_find(form->client_id, ':') == form->client_id.len);
        break;
    case CLIENT_POST:
        FUZZ_MUST(!request->authorization.ptr && both);
        FUZZ_MUST(form->client_id.len && form->client_secret.len);
        break;
    case CLIENT_NONE:
        FUZZ_MUST(!request->authorization.ptr && !both);
        break;
    }
}

// What is granted can be told, with any scope and in little memory.
static void fuzz_success(const struct http_request *request, const struct token_request *form)
{
    struct http_answer answer;
    const struct issued_token token = {.text = STR("tlt_token"),
                                       .scope = form->scope,
                                       .expires_in_s = form->resource.ptr ? 0 : 60};
    if (!utf8_valid(form->scope))
        return;
    static const struct application application = {.client_id = {"id", 2}, .name = {"name", 4}};
    static const struct api api = {.identifier = {"https://api", 11}};
    const struct decision decision = {.application = &application, .api = &api};
    FUZZ_MUST(dialect_answer_token(fuzz_dialect(), request, &decision, &token, &answer) ==
              TWOLEG_NONE);
    FUZZ_MUST(answer.status == 200 && answer.no_store);
    FUZZ_MUST(json_check(answer.body, NULL) == TWOLEG_NONE);
}

static void fuzz_limited(enum twoleg_error error, size_t cap)
{
    struct arena arena;
    struct http_answer answer;
    struct http_request request = {.arena = &arena};
    arena_init(&arena, NULL, cap);
    const struct dialect_refusal refusal = {.error = error, .retry_us = 1500000};
    dialect_answer_refusal(fuzz_dialect(), &request, &refusal, &answer);
    FUZZ_MUST(json_check(answer.body, NULL) == TWOLEG_NONE);
    FUZZ_MUST(cap < 100 ? answer.status == 503
                        : str_ends_with(answer.headers, STR("Retry-After: 2\r\n")));
    arena_finish(&arena);
}

static void fuzz_answer(const struct http_request *request, enum twoleg_error error)
{
    struct http_answer answer;
    const struct dialect_refusal refusal = {.error = error};
    dialect_answer_refusal(fuzz_dialect(), request, &refusal, &answer);
    FUZZ_MUST(answer.status == 400 || answer.status == 401 || answer.status == 413);
    FUZZ_MUST(str_starts_with(answer.body, STR("{\"error\":\"invalid_")));
    FUZZ_MUST(str_ends_with(answer.body, STR("\"}")));
    FUZZ_MUST((answer.status == 401) == (answer.headers.len > 0));
    FUZZ_MUST(answer.no_store);
}

static void fuzz_read(struct str input, bool with_token)
{
    const struct str path = STR("/oauth/token");
    struct arena arena;
    struct token_request form = {0};
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct http_request request = {.method = HTTP_POST, .arena = &arena};
    request.content_type = fuzz_line(&input);
    request.authorization = fuzz_authorization(&arena, fuzz_line(&input));
    request.query = fuzz_line(&input);
    request.body = input;
    enum twoleg_error error = dialect_read(
        fuzz_dialect(), with_token ? NULL : dialect_find_endpoint(fuzz_dialect(), path), &request,
        &form);
    FUZZ_MUST(arena.wipe);
    if (error)
        fuzz_answer(&request, error);
    else
        fuzz_form(&request, &form);
    fuzz_success(&request, &form);
    fuzz_limited(error, ARENA_REQUEST_CAP);
    fuzz_limited(error, 64);
    FUZZ_MUST(error || !with_token || form.token.len > 0);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(str_of(data, size), false);
    fuzz_read(str_of(data, size), true);
    return 0;
}
