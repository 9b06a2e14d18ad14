// SPDX-License-Identifier: Apache-2.0
#include "cli/dialect_try.h"

#include <string.h>
#include <unistd.h>

#include "http/answer.h"
#include "http/chunked.h"
#include "http/head.h"
#include "http/router.h"

#define TRY_INPUT_MAX (HTTP_HEAD_MAX + 2 * HTTP_BODY_MAX)
#define TRY_SAMPLE_LIFE_S 3600

// A request on its way from standard input to the dialect.
struct trying {
    struct cli *cli;
    const struct dialect *dialect;
    struct str bytes;
    struct http_request request;
    struct env env;
};

// Typed into a terminal or kept in a file, lines end with LF alone: up to the empty line a CR is
// put before each.
static struct str try_line_ends(struct cli *cli, struct str raw)
{
    struct buf out;
    size_t at = 0;
    if (str_find(raw, '\r') < raw.len)
        return raw;
    buf_init_arena(&out, &cli->arena, raw.len + 256);
    for (bool head = true; head && at < raw.len;) {
        struct str rest = str_slice(raw, at, raw.len);
        size_t len = str_find(rest, '\n');
        buf_add(&out, str_slice(rest, 0, len));
        buf_add(&out, STR("\r\n"));
        at += len < rest.len ? len + 1 : len;
        head = len > 0;
    }
    buf_add(&out, str_slice(raw, at, raw.len));
    return buf_str(&out);
}

static enum cli_exit try_input(struct trying *t)
{
    char *memory = arena_alloc(&t->cli->arena, TRY_INPUT_MAX + 1);
    size_t len = 0;
    ssize_t got = 1;
    if (!memory)
        return cli_fail(CLI_REFUSED, "out of memory");
    while (got > 0 && len <= TRY_INPUT_MAX) {
        got = read(STDIN_FILENO, memory + len, TRY_INPUT_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (got < 0 || len > TRY_INPUT_MAX)
        return cli_fail(CLI_REFUSED, got < 0 ? "standard input cannot be read"
                                             : "the request is too long");
    t->bytes = try_line_ends(t->cli, str_of(memory, len));
    return t->bytes.ptr ? CLI_DONE : cli_fail(CLI_REFUSED, "out of memory");
}

static enum cli_exit try_malformed(enum http_refusal refusal)
{
    const struct http_refusal_row *row = http_refusal_row(refusal);
    return cli_fail(CLI_REFUSED, "not an HTTP request that any server takes: %s (it would be "
                                 "answered %u)", row->reason, row->status);
}

static enum cli_exit try_body(struct trying *t, const struct http_head *head, size_t end)
{
    struct str rest = str_slice(t->bytes, end, t->bytes.len);
    if (head->chunked) {
        struct http_chunked chunked = {0};
        size_t consumed, decoded;
        // What was read is ours to decode in place.
        enum http_refusal refusal = http_chunked_feed(
            &chunked, (char *)(uintptr_t)rest.ptr, rest.len, &consumed, &decoded);
        if (refusal)
            return try_malformed(refusal);
        if (chunked.state != CHUNKED_DONE)
            return cli_fail(CLI_REFUSED, "the last chunk is missing");
        t->request.body = str_slice(rest, 0, decoded);
        return CLI_DONE;
    }
    // A line end that an editor put behind the body is no part of it.
    if (!head->content_length)
        rest = str_trim(rest, "\r\n");
    if (head->content_length > rest.len)
        return cli_fail(CLI_REFUSED, "Content-Length says %llu bytes, the body has %zu",
                        (unsigned long long)head->content_length, rest.len);
    t->request.body = head->content_length ? str_slice(rest, 0, head->content_length) : rest;
    return CLI_DONE;
}

static enum cli_exit try_parse(struct trying *t)
{
    struct http_scan scan = {0};
    struct http_head head;
    enum http_refusal refusal = http_scan(&scan, t->bytes);
    if (!refusal && !scan.end)
        return cli_fail(CLI_REFUSED, "the request's header does not end: an empty line is missing");
    struct http_header *headers =
        refusal ? NULL : arena_array(&t->cli->arena, scan.lines, sizeof *headers);
    if (!refusal && !headers)
        return cli_fail(CLI_REFUSED, "out of memory");
    if (!refusal)
        refusal = http_head_parse(&scan, str_slice(t->bytes, 0, scan.end), headers, &head);
    if (!refusal)
        refusal = head.pending;
    if (refusal)
        return try_malformed(refusal);
    t->request = (struct http_request){
        .method = http_method_parse(head.method),
        .path = head.path,
        .query = head.query,
        .authorization = head.authorization,
        .content_type = head.content_type,
        .headers = head.headers,
        .header_count = head.header_count,
        .arena = &t->cli->arena,
        .env = &t->env,
    };
    http_id_write(t->env.now_us, 0, 0, t->request.id);
    return try_body(t, &head, scan.end);
}

// ------------------------------------------------------------------------------------ printing

static void try_print_client(const struct token_request *form)
{
    static const char *const methods[] = {[CLIENT_NONE] = "none", [CLIENT_BASIC] = "HTTP Basic",
                                          [CLIENT_POST] = "parameters"};
    printf("client      %s", methods[form->method]);
    if (form->method != CLIENT_NONE)
        printf(", an id of %zu bytes and a secret of %zu", form->client_id.len,
               form->client_secret.len);
    putchar('\n');
}

// A client that mixes up its fields sends its secret as any of them, so no value is printed.
static void try_print_len(const char *name, struct str text)
{
    if (text.ptr)
        printf("%-11s %zu bytes\n", name, text.len);
}

static void try_print_reading(const struct dialect_endpoint *endpoint,
                              const struct token_request *form)
{
    static const char *const grants[GRANTS] = {
        [GRANT_MISSING] = "none",
        [GRANT_UNKNOWN] = "one that this endpoint does not know",
        [GRANT_CLIENT_CREDENTIALS] = "client_credentials",
        [GRANT_PASSWORD] = "password",
        [GRANT_REFRESH_TOKEN] = "refresh_token"};
    printf("endpoint    %.*s\n", STR_ARG(endpoint->path));
    printf("grant       %s\n", grants[form->grant]);
    try_print_client(form);
    if (form->username.ptr || form->password.ptr)
        printf("user        a name of %zu bytes and a password of %zu\n", form->username.len,
               form->password.len);
    try_print_len("scope", form->scope);
    try_print_len("resource", form->resource);
}

static enum cli_exit try_print_answer(const struct trying *t, const struct http_answer *answer)
{
    char date[HTTP_DATE_LEN];
    struct str parts[HTTP_ANSWER_PARTS];
    http_date_write(t->env.now_us, date);
    const struct http_frame frame = {
        .date = str_of(date, sizeof date),
        .id = str_of(t->request.id, sizeof t->request.id),
        .minor = 1,
        .keep_alive = true,
    };
    if (http_answer_write(answer, &frame, t->request.arena, parts))
        return cli_fail(CLI_REFUSED, "out of memory");
    for (size_t i = 0; i < HTTP_ANSWER_PARTS; i++)
        for (size_t k = 0; k < parts[i].len; k++)
            if (parts[i].ptr[k] != '\r')
                putchar(parts[i].ptr[k]);
    putchar('\n');
    return CLI_DONE;
}

// What a client gets whose credentials are good, with words in the place of what is its own.
static enum cli_exit try_answer(const struct trying *t, const struct token_request *form)
{
    bool user = form->grant != GRANT_CLIENT_CREDENTIALS;
    const struct application application = {.client_id = STR("CLIENT_ID"),
                                            .name = STR("APPLICATION")};
    const struct api api = {.identifier = STR("https://issuer.example")};
    const struct decision decision = {.application = &application, .api = &api,
                                      .username = user ? STR("USERNAME") : STR_NONE};
    const struct issued_token token = {
        .text = STR("ACCESS_TOKEN"),
        .scope = STR("SCOPE_1 SCOPE_2"),
        .expires_in_s = TRY_SAMPLE_LIFE_S,
        .expires_s = t->env.now_us / SECOND_US + TRY_SAMPLE_LIFE_S,
        .issued_s = t->env.now_us / SECOND_US,
        .refresh_token = user ? STR("REFRESH_TOKEN") : STR_NONE,
        .refresh_expires_in_s = TRY_SAMPLE_LIFE_S,
    };
    struct http_answer answer;
    enum twoleg_error error =
        dialect_answer_token(t->dialect, &t->request, &decision, &token, &answer);
    if (error)
        return cli_fail(CLI_REFUSED, "%s", twoleg_error_text(error));
    printf("\nIf the client's credentials are good it is answered:\n\n");
    return try_print_answer(t, &answer);
}

static enum cli_exit try_refusal(const struct trying *t, const struct dialect_endpoint *endpoint,
                                 enum twoleg_error error)
{
    const struct dialect_refusal refusal = {
        .error = error, .allowed = error == TWOLEG_METHOD ? endpoint->methods : 0};
    struct http_answer answer;
    dialect_answer_refusal(t->dialect, &t->request, &refusal, &answer);
    printf("\nIt is refused (%.*s): %s. The answer:\n\n",
           STR_ARG(dialect_condition_word(dialect_condition(error))), twoleg_error_text(error));
    return try_print_answer(t, &answer);
}

static enum twoleg_error try_grant_error(const struct token_request *form)
{
    if (form->grant == GRANT_MISSING)
        return TWOLEG_GRANT_TYPE_MISSING;
    bool password = form->grant == GRANT_PASSWORD && !(form->username.ptr && form->password.ptr);
    bool refresh = form->grant == GRANT_REFRESH_TOKEN && !form->refresh_token.ptr;
    if (password || refresh)
        return TWOLEG_PARAMETER_MISSING;
    return form->grant == GRANT_UNKNOWN ? TWOLEG_GRANT_TYPE_UNSUPPORTED : TWOLEG_NONE;
}

// Not the path that was asked for: it may have a token in it.
static enum cli_exit try_nowhere(const struct trying *t)
{
    const struct dialect_endpoint *items = t->dialect->endpoints.items;
    struct buf paths;
    buf_init_arena(&paths, t->request.arena, 256);
    for (size_t i = 0; i < t->dialect->endpoints.count; i++) {
        buf_add(&paths, i ? STR(", ") : STR(""));
        buf_add(&paths, items[i].path);
    }
    return cli_fail(CLI_REFUSED,
                    "%.*s has no endpoint at the path of this request: it is answered 404 (there "
                    "is %.*s)",
                    STR_ARG(t->dialect->name), STR_ARG(buf_str(&paths)));
}

static enum cli_exit try_run(struct trying *t)
{
    struct token_request form = {0};
    const struct dialect_endpoint *endpoint = dialect_find_endpoint(t->dialect, t->request.path);
    if (!endpoint)
        return try_nowhere(t);
    enum twoleg_error error = dialect_read(t->dialect, endpoint, &t->request, &form);
    if (!error && form.method == CLIENT_NONE)
        error = TWOLEG_CLIENT_MISSING;
    if (!error)
        error = try_grant_error(&form);
    try_print_reading(endpoint, &form);
    return error ? try_refusal(t, endpoint, error) : try_answer(t, &form);
}

enum cli_exit dialect_try(struct cli *cli, const struct dialect *dialect)
{
    struct trying t = {.cli = cli, .dialect = dialect};
    env_init(&t.env);
    env_tick(&t.env);
    enum cli_exit code = try_input(&t);
    if (!code)
        code = try_parse(&t);
    if (!code)
        code = try_run(&t);
    env_finish(&t.env);
    return code;
}
