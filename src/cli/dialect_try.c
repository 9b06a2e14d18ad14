// SPDX-License-Identifier: Apache-2.0
#include "cli/dialect_try.h"

#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "dialect/schema.h"
#include "grant/grant.h"
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
    json_t *said; // how it is read and what is answered: printed at the end
    struct str bytes;
    struct http_request request;
    struct env env;
};

// Typed into a terminal or kept in a file, lines end with LF alone, as the first one shows: up to
// the empty line a CR is put before each. A CR in a body, as a chunked one has, is none of theirs.
static struct str try_line_ends(struct cli *cli, struct str raw)
{
    struct buf out;
    size_t at = 0, first = str_find(raw, '\n');
    if (first > 0 && raw.ptr[first - 1] == '\r')
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

static bool try_has_length(const struct http_head *head)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (str_equal_nocase(head->headers[i].name, STR("Content-Length")))
            return true;
    return false;
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
    if (head->content_length > rest.len)
        return cli_fail(CLI_REFUSED, "Content-Length says %llu bytes, the body has %zu",
                        (unsigned long long)head->content_length, rest.len);
    // A line end that an editor put behind the body is no part of it.
    t->request.body = try_has_length(head) ? str_slice(rest, 0, head->content_length)
                                           : str_trim(rest, "\r\n");
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

// ------------------------------------------------------------------------------------ what is read

// A client that mixes up its fields sends its secret as any of them: no value is printed anywhere,
// only how long it is.
static void try_client(const struct trying *t, const struct token_request *form,
                       enum twoleg_error error)
{
    static const char *const methods[] = {[CLIENT_NONE] = "none", [CLIENT_BASIC] = "HTTP Basic",
                                          [CLIENT_POST] = "parameters"};
    // Who the client is comes last, so of a request that cannot be read it is not known.
    bool unread = form->method == CLIENT_NONE && error && error != TWOLEG_CLIENT_MISSING;
    json_t *client = json_pack("{s:s, s:b}", "method", unread ? "unread" : methods[form->method],
                               "authorization", t->request.authorization.ptr != NULL);
    if (form->method != CLIENT_NONE) {
        json_object_set_new(client, "id_bytes", json_integer((json_int_t)form->client_id.len));
        json_object_set_new(client, "secret_bytes",
                            json_integer((json_int_t)form->client_secret.len));
    }
    json_object_set_new(t->said, "client", client);
}

// A grant demands parameters that the dialect does not.
static bool try_grant_needs(const struct token_request *form, unsigned meaning)
{
    switch (form->grant) {
    case GRANT_MISSING:
        return meaning == MEANING_GRANT_TYPE;
    case GRANT_PASSWORD:
        return meaning == MEANING_USERNAME || meaning == MEANING_PASSWORD;
    case GRANT_REFRESH_TOKEN:
        return meaning == MEANING_REFRESH_TOKEN;
    default:
        return false;
    }
}

static struct str try_note(const struct trying *t, const struct dialect_parameter *parameter,
                           const struct dialect_found *found, bool needed)
{
    struct buf note;
    buf_init_arena(&note, t->request.arena, 64);
    if (found->twice)
        buf_add(&note, STR("sent twice in one place"));
    else if (!found->there && parameter->fallback.ptr)
        buf_addf(&note, "not sent, so it is %.*s", STR_ARG(parameter->fallback));
    else if (!found->there)
        buf_add(&note, needed ? STR("missing") : STR("not sent"));
    else if (found->other)
        buf_addf(&note, "must be %.*s", STR_ARG(parameter->equals));
    else if (parameter->claim.ptr)
        buf_addf(&note, "copied to the claim %.*s", STR_ARG(parameter->claim));
    return buf_str(&note);
}

// The places that the dialect has it in.
static struct str try_places(const struct trying *t, const struct dialect_parameter *parameter)
{
    const unsigned *places = parameter->in.items;
    struct buf text;
    buf_init_arena(&text, t->request.arena, 32);
    for (size_t i = 0; i < parameter->in.count; i++)
        buf_addf(&text, "%s%s", i ? " or " : "", dialect_place_word(places[i]));
    return buf_str(&text);
}

static void try_parameters(const struct trying *t, const struct token_request *form)
{
    const struct dialect_parameter *each = t->dialect->parameters.items;
    struct dialect_found found[DIALECT_PARAMETERS_MAX];
    json_t *rows = json_array();
    dialect_look(t->dialect, &t->request, found);
    for (size_t i = 0; i < t->dialect->parameters.count; i++, each++) {
        if (each->is == MEANING_TOKEN || each->is == MEANING_TOKEN_TYPE_HINT)
            continue;
        bool needed = each->required || try_grant_needs(form, each->is);
        struct str note = try_note(t, each, &found[i], needed);
        struct str places = try_places(t, each);
        const char *place = found[i].there ? dialect_place_word(found[i].place) : NULL;
        json_t *bytes = found[i].there ? json_integer((json_int_t)found[i].len) : json_null();
        json_t *row = json_pack("{s:s%, s:s, s:s%, s:s?, s:o, s:b, s:s%}", "name", each->name.ptr,
                                each->name.len, "is", dialect_meaning_word(each->is), "in",
                                places.ptr, places.len, "sent_in", place, "bytes", bytes, "missing",
                                needed && !found[i].there && !each->fallback.ptr, "note",
                                note.len ? note.ptr : "", note.len);
        json_array_append_new(rows, row);
    }
    json_object_set_new(t->said, "parameters", rows);
}

static void try_reading(const struct trying *t, const struct dialect_endpoint *endpoint,
                        const struct token_request *form, enum twoleg_error error)
{
    static const char *const grants[GRANTS] = {
        [GRANT_MISSING] = "none",
        [GRANT_UNKNOWN] = "one that this endpoint does not know",
        [GRANT_CLIENT_CREDENTIALS] = "client_credentials",
        [GRANT_PASSWORD] = "password",
        [GRANT_REFRESH_TOKEN] = "refresh_token"};
    json_object_set_new(t->said, "endpoint",
                        json_stringn(endpoint->path.ptr, endpoint->path.len));
    json_object_set_new(t->said, "grant", json_string(grants[form->grant]));
    try_client(t, form, error);
    try_parameters(t, form);
}

// ------------------------------------------------------------------------------------ the answer

static enum cli_exit try_answered(const struct trying *t, const struct http_answer *answer)
{
    char date[HTTP_DATE_LEN];
    struct str parts[HTTP_ANSWER_PARTS];
    struct buf text;
    http_date_write(t->env.now_us, date);
    const struct http_frame frame = {
        .date = str_of(date, sizeof date),
        .id = str_of(t->request.id, sizeof t->request.id),
        .minor = 1,
        .keep_alive = true,
        .head = t->request.method == HTTP_HEAD,
    };
    if (http_answer_write(answer, &frame, t->request.arena, parts))
        return cli_fail(CLI_REFUSED, "out of memory");
    buf_init_arena(&text, t->request.arena, 1024);
    for (size_t i = 0; i < HTTP_ANSWER_PARTS; i++)
        for (size_t k = 0; k < parts[i].len; k++)
            if (parts[i].ptr[k] != '\r')
                buf_add_char(&text, parts[i].ptr[k]);
    json_object_set_new(t->said, "status", json_integer(answer->status));
    json_object_set_new(t->said, "answer", json_stringn(text.ptr, text.len));
    return text.failed ? cli_fail(CLI_REFUSED, "out of memory") : CLI_DONE;
}

// What a client gets whose credentials are good, with words in the place of what is its own.
static enum cli_exit try_granted(const struct trying *t, const struct token_request *form)
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
    return error ? cli_fail(CLI_REFUSED, "%s", twoleg_error_text(error)) : try_answered(t, &answer);
}

// The names of what is missing: they are the file's.
static void try_add_missing(const struct trying *t, struct buf *why)
{
    size_t i;
    json_t *row;
    const char *before = ": ";
    json_array_foreach(json_object_get(t->said, "parameters"), i, row) {
        if (!json_is_true(json_object_get(row, "missing")))
            continue;
        buf_addf(why, "%s%s in %s", before, show_member(row, "name"), show_member(row, "in"));
        before = ", ";
    }
}

// Not the path that was asked for: it may have a token in it.
static void try_add_paths(const struct trying *t, struct buf *why)
{
    const struct dialect_endpoint *items = t->dialect->endpoints.items;
    for (size_t i = 0; i < t->dialect->endpoints.count; i++)
        buf_addf(why, "%s%.*s", i ? ", " : "; the endpoints are ", STR_ARG(items[i].path));
}

static enum cli_exit try_refused(const struct trying *t, const struct dialect_endpoint *endpoint,
                                 enum twoleg_error error)
{
    const struct dialect_refusal refusal = {
        .error = error, .allowed = error == TWOLEG_METHOD ? endpoint->methods : 0};
    enum dialect_condition condition = dialect_condition(error);
    struct str word = dialect_condition_word(condition);
    struct http_answer answer;
    struct buf why;
    dialect_answer_refusal(t->dialect, &t->request, &refusal, &answer);
    buf_init_arena(&why, t->request.arena, 256);
    buf_add(&why, str_from(endpoint ? twoleg_error_text(error) : "no endpoint has this path"));
    if (condition == CONDITION_MISSING)
        try_add_missing(t, &why);
    if (!endpoint)
        try_add_paths(t, &why);
    json_object_set_new(t->said, "refused",
                        json_pack("{s:s%, s:s%}", "condition", word.ptr, word.len, "why", why.ptr,
                                  why.len));
    return why.failed ? cli_fail(CLI_REFUSED, "out of memory") : try_answered(t, &answer);
}

// What a client is refused that may use every grant, at a server that has users.
static enum twoleg_error try_grant(const struct trying *t, const struct token_request *form)
{
    const struct application application = {.grants = ~0u};
    const struct client client = {.application = &application};
    const struct grant_context granting = {.arena = t->request.arena, .users = true};
    struct str scope;
    enum twoleg_error error = grant_check(&granting, form, &client);
    if (!error && form->scope.ptr)
        error = grant_read_scope(granting.arena, form->scope, &scope);
    return error;
}

static enum cli_exit try_run(struct trying *t)
{
    struct token_request form = {0};
    const struct dialect_endpoint *endpoint = dialect_find_endpoint(t->dialect, t->request.path);
    if (dialect_path_is_ours(t->request.path))
        return cli_fail(CLI_REFUSED,
                        "this path is the server's own, whatever the dialect: it is not tried");
    if (!endpoint)
        return try_refused(t, NULL, TWOLEG_NOT_FOUND);
    enum twoleg_error error = dialect_read(t->dialect, endpoint, &t->request, &form);
    if (!error && form.method == CLIENT_NONE)
        error = TWOLEG_CLIENT_MISSING;
    if (!error)
        error = try_grant(t, &form);
    try_reading(t, endpoint, &form, error);
    return error ? try_refused(t, endpoint, error) : try_granted(t, &form);
}

// ------------------------------------------------------------------------------------ printing

static void try_print_client(const json_t *client)
{
    const char *method = show_member(client, "method");
    printf("client      ");
    if (json_object_get(client, "id_bytes"))
        printf("%s, an id of %lld bytes and a secret of %lld\n", method,
               (long long)json_integer_value(json_object_get(client, "id_bytes")),
               (long long)json_integer_value(json_object_get(client, "secret_bytes")));
    else if (strcmp(method, "unread") == 0)
        printf("not looked at, since the request is refused before\n");
    else
        printf("none of the ways that the dialect takes%s\n",
               json_is_true(json_object_get(client, "authorization"))
                   ? "; there is an Authorization header"
                   : "");
}

static void try_print(const struct trying *t)
{
    static const struct show_column columns[] = {
        {"PARAMETER", "name", SHOW_TEXT}, {"IS", "is", SHOW_TEXT},   {"IN", "in", SHOW_TEXT},
        {"SENT IN", "sent_in", SHOW_TEXT}, {"BYTES", "bytes", SHOW_COUNT},
        {"NOTE", "note", SHOW_TEXT},
    };
    const json_t *refused = json_object_get(t->said, "refused");
    if (json_object_get(t->said, "endpoint")) {
        printf("endpoint    %s\n", show_member(t->said, "endpoint"));
        printf("grant       %s\n", show_member(t->said, "grant"));
        try_print_client(json_object_get(t->said, "client"));
        putchar('\n');
        show_table(t->cli, json_object_get(t->said, "parameters"), columns,
                   sizeof columns / sizeof *columns);
        putchar('\n');
    }
    if (refused)
        printf("It is refused (%s): %s. The answer:\n\n", show_member(refused, "condition"),
               show_member(refused, "why"));
    else
        printf("If the client's credentials are good it is answered:\n\n");
    printf("%s\n", show_member(t->said, "answer"));
}

enum cli_exit dialect_try(struct cli *cli, const struct dialect *dialect)
{
    struct trying t = {.cli = cli, .dialect = dialect, .said = json_object()};
    env_init(&t.env);
    env_tick(&t.env);
    enum cli_exit code = try_input(&t);
    if (!code)
        code = try_parse(&t);
    if (!code)
        code = try_run(&t);
    if (!code && !show_json(cli, t.said))
        try_print(&t);
    json_decref(t.said);
    env_finish(&t.env);
    return code;
}
