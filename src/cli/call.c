// SPDX-License-Identifier: Apache-2.0
#include "cli/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/answer.h"
#include "codec/form.h"

#define CALL_ANSWER_MAX ((size_t)64 * 1024 * 1024)
#define CALL_TIMEOUT_S 600 // a copy of a large store takes its time
#define CALL_NOTICE_S 5    // until who waits hears that it does

struct call {
    struct cli *cli;
    int socket;
    struct arena arena;
    struct call_refusal *refusal;
    unsigned waits; // of CALL_NOTICE_S each, one behind the other, in which nothing came
    bool told;
};

static __attribute__((format(printf, 3, 4))) enum cli_exit
call_fail(struct call *call, enum cli_exit code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->refusal->message, sizeof call->refusal->message, format, arguments);
    va_end(arguments);
    return code;
}

static void call_finish(struct call *call)
{
    if (call->socket >= 0)
        close(call->socket);
    arena_finish(&call->arena);
}

const char *cli_path(struct cli *cli, const char *path, const char *name, const char *value)
{
    struct buf text;
    buf_init_arena(&text, &cli->arena, 256);
    buf_addf(&text, "/admin/v1%s", path);
    if (value) {
        buf_addf(&text, "?%s=", name);
        form_encode(&text, str_from(value));
    }
    buf_add_char(&text, '\0');
    return text.failed ? NULL : text.ptr;
}

// ---------------------------------------------------------------------------------- connect

static enum cli_exit call_no_server(struct call *call, int reason)
{
    const struct cli *cli = call->cli;
    if (reason == EACCES || reason == EPERM)
        return call_fail(call, CLI_REFUSED, "%s belongs to another user: run this as that user, "
                         "or as root", cli->folder);
    if (access(cli->folder, F_OK) != 0)
        return call_fail(call, CLI_NO_SERVER, "there is no data folder %s, so no server runs on "
                         "it. Start one with `twoleg serve --data DIR`, or name another folder "
                         "with --data", cli->folder);
    return call_fail(call, CLI_NO_SERVER, "no server runs on the data folder %s (%s). Start it "
                     "with `twoleg serve --data %s`, or name another folder with --data",
                     cli->folder, strerror(reason), cli->folder);
}

// A socket's address has 107 bytes; through the open folder any path will do.
static int call_connect(struct call *call)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval timeout = {.tv_sec = CALL_TIMEOUT_S}, notice = {.tv_sec = CALL_NOTICE_S};
    int folder = open(call->cli->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno;
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/admin.sock", folder);
    call->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int reason = 0;
    if (call->socket < 0 ||
        connect(call->socket, (const struct sockaddr *)&address, sizeof address) != 0)
        reason = errno;
    close(folder);
    if (reason)
        return reason;
    setsockopt(call->socket, SOL_SOCKET, SO_RCVTIMEO, &notice, sizeof notice);
    setsockopt(call->socket, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
    return 0;
}

// ---------------------------------------------------------------------------------- exchange

static bool call_send(struct call *call, struct str bytes)
{
    while (bytes.len) {
        ssize_t sent = send(call->socket, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
    return true;
}

static struct str call_request(struct call *call, const char *method, const char *path,
                               const json_t *body)
{
    struct buf text;
    char *json = body ? json_dumps(body, JSON_COMPACT) : NULL;
    buf_init_arena(&text, &call->arena, 1024);
    buf_addf(&text, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", method, path);
    if (json)
        buf_addf(&text, "Content-Type: application/json\r\n");
    if (call->cli->if_match && strcmp(method, "GET") != 0)
        buf_addf(&text, "If-Match: \"%lld\"\r\n", (long long)call->cli->if_match);
    if (strcmp(method, "GET") != 0)
        buf_addf(&text, "Content-Length: %zu\r\n", json ? strlen(json) : 0);
    buf_add(&text, STR("\r\n"));
    if (json) {
        buf_add(&text, str_from(json));
        explicit_bzero(json, strlen(json)); // it may hold a brought secret
        free(json);
    } else if (body) {
        text.failed = true;
    }
    return buf_str(&text);
}

static bool call_waits_on(struct call *call)
{
    if (!call->told)
        cli_notice("no_answer_yet", "the server has not answered for %d seconds: it is busy, or it "
                   "hangs (this waits for up to %d; Ctrl-C leaves, and what was asked for may "
                   "still be done)", CALL_NOTICE_S, CALL_TIMEOUT_S);
    call->told = true;
    return ++call->waits < CALL_TIMEOUT_S / CALL_NOTICE_S;
}

// The server closes after its answer. False when it broke off or sent too much.
static bool call_receive(struct call *call, struct buf *text)
{
    for (;;) {
        char part[16384];
        ssize_t got = recv(call->socket, part, sizeof part, 0);
        if (got < 0 && (errno == EINTR || (errno == EAGAIN && call_waits_on(call))))
            continue;
        if (got <= 0)
            return got == 0;
        call->waits = 0;
        buf_add(text, str_of(part, (size_t)got));
        explicit_bzero(part, (size_t)got);
        if (text->failed || text->len > CALL_ANSWER_MAX)
            return false;
    }
}

static enum cli_exit call_code(unsigned status)
{
    if (status < 300)
        return CLI_DONE;
    if (status == 404)
        return CLI_NOT_FOUND;
    return status == 409 || status == 412 ? CLI_CONFLICT : CLI_REFUSED;
}

static enum cli_exit call_judge(struct call *call, const struct cli_answer *answer,
                                json_t **ret_answer)
{
    enum cli_exit code = call_code(answer->status);
    call->refusal->status = answer->status;
    json_error_t error;
    json_t *json = json_loadb(answer->body.ptr ? answer->body.ptr : "", answer->body.len,
                              JSON_REJECT_DUPLICATES, &error);
    if (code) {
        const char *message = json_string_value(json_object_get(json, "message"));
        call_fail(call, code, "%s", message ? message : "the server refused");
    } else if (!json_is_object(json)) {
        code = call_fail(call, CLI_REFUSED, "the server on %s gave no JSON", call->cli->folder);
    }
    if (code || !ret_answer)
        json_decref(json);
    else
        *ret_answer = json;
    return code;
}

static enum cli_exit call_exchange(struct call *call, struct str request, json_t **ret_answer)
{
    struct buf text;
    struct cli_answer answer;
    int reason = call_connect(call);
    if (reason)
        return call_no_server(call, reason);
    // A server that refuses early may close before all is sent; its answer is there all the same.
    bool sent = call_send(call, request);
    buf_init_arena(&text, &call->arena, 64 * 1024);
    if (!call_receive(call, &text) || !cli_answer_read(buf_str(&text), &answer))
        return call_fail(call, CLI_REFUSED, "the server on %s broke off%s", call->cli->folder,
                         sent ? " before its answer was whole: whether the change was made is "
                                "not known" : "");
    return call_judge(call, &answer, ret_answer);
}

enum cli_exit cli_call_quietly(struct cli *cli, const char *method, const char *path, json_t *body,
                               json_t **ret_answer, struct call_refusal *ret_refusal)
{
    struct call __attribute__((cleanup(call_finish))) call = {
        .cli = cli, .socket = -1, .refusal = ret_refusal};
    arena_init(&call.arena, NULL, 2 * CALL_ANSWER_MAX);
    call.arena.wipe = true;
    struct str request = path ? call_request(&call, method, path, body) : STR_NONE;
    json_decref(body);
    *ret_refusal = (struct call_refusal){.status = 0};
    if (!request.ptr)
        return call_fail(&call, CLI_REFUSED, "out of memory");
    return call_exchange(&call, request, ret_answer);
}

// With whose refusal it is: behind a sentence, or in the title of several lines.
static enum cli_exit call_tell(const struct cli *cli, enum cli_exit code, struct str message)
{
    size_t end = str_find(message, '\n');
    struct str title = str_slice(message, 0, end);
    bool titled = end < message.len && end > 0 && message.ptr[end - 1] == ':';
    const char *colon = titled ? ":" : "";
    title.len -= titled;
    return cli_fail(code, "%.*s (data folder %s)%s%.*s", STR_ARG(title), cli->folder, colon,
                    STR_ARG(str_slice(message, end, message.len)));
}

enum cli_exit cli_call(struct cli *cli, const char *method, const char *path, json_t *body,
                       json_t **ret_answer)
{
    struct call_refusal refusal;
    if (!cli_folder(cli)) {
        json_decref(body);
        return CLI_NO_SERVER;
    }
    enum cli_exit code = cli_call_quietly(cli, method, path, body, ret_answer, &refusal);
    if (code && refusal.status) // others name the folder themselves
        return call_tell(cli, code, str_trim(str_from(refusal.message), "\n"));
    return code ? cli_fail(code, "%s", refusal.message) : CLI_DONE;
}

static const char *call_page(struct cli *cli, const char *path, const char *after)
{
    const char *place = cli_path(cli, path, "after", after);
    struct buf text;
    buf_init_arena(&text, &cli->arena, 256);
    buf_addf(&text, "%s%climit=1000", place ? place : "", after ? '&' : '?');
    buf_add_char(&text, '\0');
    return place && !text.failed ? text.ptr : NULL;
}

enum cli_exit cli_call_pages(struct cli *cli, const char *path, const char *member,
                             json_t **ret_rows)
{
    json_t *rows = json_array();
    json_t *answer = NULL;
    const char *next = NULL; // in the answer before
    do {
        const char *page = call_page(cli, path, next);
        json_decref(answer);
        enum cli_exit code = cli_call(cli, "GET", page, NULL, &answer);
        if (code) {
            json_decref(rows);
            return code;
        }
        json_array_extend(rows, json_object_get(answer, member));
        next = json_string_value(json_object_get(answer, "next"));
    } while (next);
    json_decref(answer);
    *ret_rows = rows;
    return CLI_DONE;
}

bool cli_server_runs(struct cli *cli)
{
    struct call __attribute__((cleanup(call_finish))) call = {.cli = cli, .socket = -1};
    arena_init(&call.arena, NULL, 0);
    return cli_folder(cli) && call_connect(&call) == 0;
}
