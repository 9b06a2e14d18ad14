// SPDX-License-Identifier: Apache-2.0
// Dialects. A first line `file` has a dialect's file behind it: it is refused in words that can be
// printed, or compiled and then asked. Any other first line is the name of a shipped dialect, then
// come a line each of method, target, Content-Type, Authorization (after ! it is encoded first) and
// one more header, then the body. Whatever comes is answered as the dialect's rows say.
#include "codec/json_read.h"
#include "codec/utf8.h"
#include "http/router.h"
#include "http/target.h"
#include "requests.h"

static void fuzz_body(const struct http_answer *answer)
{
    if (answer->body.len && dialect_content_is_json(answer->content_type))
        FUZZ_MUST(json_check(answer->body, NULL) == TWOLEG_NONE);
    FUZZ_MUST(answer->no_store);
    FUZZ_MUST(answer->headers.len == 0 || str_ends_with(answer->headers, STR("\r\n")));
}

static void fuzz_success(const struct dialect *dialect, const struct http_request *request,
                         const struct token_request *form)
{
    static const struct application application = {.client_id = {"i\"d", 3}, .name = {"n\\", 2}};
    static const struct api api = {.identifier = {"https://api", 11}};
    const struct decision decision = {.application = &application, .api = &api};
    struct http_answer answer;
    for (int64_t life = 0; life <= 3600; life += 3600) {
        const struct issued_token token = {.text = STR("tlt_token"),
                                           .scope = utf8_valid(form->scope) ? form->scope
                                                                            : STR("a b"),
                                           .expires_in_s = life,
                                           .issued_s = 1700000000};
        FUZZ_MUST(dialect_answer_token(dialect, request, &decision, &token, &answer) ==
                  TWOLEG_NONE);
        FUZZ_MUST(answer.status == 200 || answer.status == 201);
        fuzz_body(&answer);
    }
}

static void fuzz_refusals(const struct dialect *dialect, const struct http_request *request)
{
    struct http_answer answer;
    for (int error = TWOLEG_NONE; error < TWOLEG_ERRORS; error++) {
        const struct dialect_refusal refusal = {
            .error = (enum twoleg_error)error,
            .retry_us = error % 2 ? 1500000 : 0,
            .allowed = error == TWOLEG_METHOD ? (unsigned)HTTP_POST : 0,
        };
        dialect_answer_refusal(dialect, request, &refusal, &answer);
        FUZZ_MUST(answer.status == 200 || (answer.status >= 400 && answer.status <= 599));
        fuzz_body(&answer);
    }
}

static void fuzz_ask(const struct dialect *dialect, struct http_request *request)
{
    struct token_request form = {0};
    const struct dialect_endpoint *endpoint = dialect_find_endpoint(dialect, request->path);
    if (!endpoint)
        endpoint = dialect->endpoints.items; // what is read there, read here
    struct dialect_found found[DIALECT_PARAMETERS_MAX];
    enum twoleg_error error = dialect_read(dialect, endpoint, request, &form);
    dialect_look(dialect, request, found);
    // What is shown to whoever writes a dialect is what is read.
    for (size_t i = 0; i < dialect->parameters.count; i++) {
        const struct dialect_parameter *each = &((struct dialect_parameter *)
                                                     dialect->parameters.items)[i];
        FUZZ_MUST(found[i].there == (found[i].len > 0));
        FUZZ_MUST(!found[i].there || each->is != MEANING_SCOPE || error ||
                  found[i].len == form.scope.len);
    }
    FUZZ_MUST(request->arena->wipe && form.rules && form.grant < GRANTS);
    FUZZ_MUST(!error || error != TWOLEG_INTERNAL);
    // A grant that the endpoint does not have is never taken for one that it has.
    FUZZ_MUST(form.grant < GRANT_CLIENT_CREDENTIALS || endpoint->grants & 1u << form.grant);
    if (!error && form.method == CLIENT_BASIC)
        FUZZ_MUST(dialect->client.methods & DIALECT_BASIC);
    if (!error && form.method == CLIENT_POST)
        FUZZ_MUST(dialect->client.methods & DIALECT_PARAMETERS);
    // What goes into a claim is a short object, whatever the client wrote.
    FUZZ_MUST(form.ext.len == 0 || (dialect->claims && form.ext.len <= DIALECT_EXT_MAX &&
                                    form.ext.ptr[0] == '{' && utf8_valid(form.ext) &&
                                    json_check(form.ext, NULL) == TWOLEG_NONE));
    fuzz_success(dialect, request, &form);
}

static void fuzz_request(const struct dialect *dialect, struct str input)
{
    struct arena arena;
    struct str name, path, query, authority;
    arena_init(&arena, NULL, ARENA_REQUEST_CAP);
    struct http_request request = {.arena = &arena};
    struct http_header header;
    request.method = http_method_parse(fuzz_line(&input));
    if (http_target_split(fuzz_line(&input), &path, &query, &authority) == HTTP_REFUSAL_NONE) {
        request.path = path;
        request.query = query;
    }
    request.content_type = fuzz_line(&input);
    request.authorization = fuzz_authorization(&arena, fuzz_line(&input));
    name = fuzz_line(&input);
    size_t colon = str_find(name, ':');
    header = (struct http_header){str_slice(name, 0, colon),
                                  str_trim(str_slice(name, colon + 1, name.len), " ")};
    request.headers = &header;
    request.header_count = name.len > 0;
    request.body = input;
    fuzz_ask(dialect, &request);
    fuzz_refusals(dialect, &request);
    arena_finish(&arena);
}

// What is issued in a shape can be read again, so it is one of the server's.
static void fuzz_shape(const struct dialect *dialect)
{
    const struct token_shape *shape = dialect->rules.shape;
    if (!shape)
        return;
    FUZZ_MUST(dialect->rules.has_format && dialect->rules.format == FORMAT_REFERENCE);
    FUZZ_MUST(token_shape_check(shape) == TWOLEG_NONE);
}

static void fuzz_file(struct str text)
{
    struct arena arena;
    struct config_report report;
    struct buf out;
    const struct dialect *dialect;
    arena_init(&arena, NULL, (size_t)1 << 24);
    struct dialect_library library = {.arena = &arena, .report = &report};
    FUZZ_MUST(config_report_init(&report, &arena));
    enum twoleg_error error = dialect_load(&library, STR("x.yaml"), text, &dialect);
    buf_init_arena(&out, &arena, 1024);
    config_report_print(&report, &out);
    FUZZ_MUST(error == TWOLEG_NO_MEMORY || !error == (out.len == 0));
    FUZZ_MUST(!error || error == TWOLEG_MALFORMED || error == TWOLEG_NO_MEMORY);
    if (!error)
        fuzz_shape(dialect);
    if (!error)
        fuzz_request(dialect, STR("POST\n/\napplication/x-www-form-urlencoded\n!a:b\nX: y\n"
                                  "grant_type=client_credentials&scope=a+b"));
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of(data, size);
    struct str first = fuzz_line(&input);
    const struct dialect *dialect = fuzz_shipped(first);
    if (str_equal(first, STR("file")))
        fuzz_file(input);
    else if (dialect)
        fuzz_request(dialect, input);
    return 0;
}
