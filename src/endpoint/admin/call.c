// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "codec/form.h"
#include "endpoint/log.h"

#define ADMIN_PARAMETERS_MAX 8
#define PAGE_DEFAULT 100
#define PAGE_MAX 1000

// What callers see of an error: a status and a word to tell it by.
static const struct admin_error {
    enum twoleg_error error;
    unsigned status;
    struct str word;
} admin_errors[] = {
    {TWOLEG_REFUSED, 403, {"forbidden", 9}},
    {TWOLEG_NOT_FOUND, 404, {"not_found", 9}},
    {TWOLEG_CONFLICT, 409, {"conflict", 8}},
    {TWOLEG_VERSION_CONFLICT, 409, {"conflict", 8}},
    {TWOLEG_MEDIA_TYPE, 415, {"media_type", 10}},
    {TWOLEG_LIMIT, 422, {"limit", 5}},
    {TWOLEG_UNKNOWN, 400, {"unknown_field", 13}},
    {TWOLEG_DUPLICATE, 400, {"invalid", 7}},
    {TWOLEG_MALFORMED, 400, {"invalid", 7}},
    {TWOLEG_MISSING, 400, {"invalid", 7}},
    {TWOLEG_RANGE, 400, {"invalid", 7}},
    {TWOLEG_TOO_LONG, 400, {"invalid", 7}},
    {TWOLEG_SCOPE_MALFORMED, 400, {"invalid", 7}},
    {TWOLEG_PARAMETER_MALFORMED, 400, {"invalid", 7}},
    {TWOLEG_PARAMETER_DUPLICATE, 400, {"invalid", 7}},
    {TWOLEG_PARAMETER_COUNT, 400, {"invalid", 7}},
    {TWOLEG_TOKEN_MALFORMED, 400, {"invalid", 7}},
    {TWOLEG_NO_MEMORY, 413, {"too_large", 9}},
    {TWOLEG_INTERNAL, 500, {"failed", 6}},
    // The last row is for everything else: the store or the system could not, try again.
    {TWOLEG_NONE, 503, {"unavailable", 11}},
};
#define ADMIN_ERRORS (sizeof admin_errors / sizeof *admin_errors)

static const struct admin_error *admin_error_row(const struct admin_call *call,
                                                 enum twoleg_error error)
{
    static const struct admin_error precondition = {
        TWOLEG_VERSION_CONFLICT, 412, {"version_conflict", 16}};
    if (error == TWOLEG_VERSION_CONFLICT && call->has_if_match)
        return &precondition;
    size_t i = 0;
    while (i < ADMIN_ERRORS - 1 && admin_errors[i].error != error)
        i++;
    return &admin_errors[i];
}

enum twoleg_error admin_refuse(struct admin_call *call, enum twoleg_error error,
                               const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(call->problem, sizeof call->problem, format, arguments);
    va_end(arguments);
    return error;
}

bool admin_explain(struct admin_call *call, enum twoleg_error error, enum store_failure failure)
{
    char words[STORE_WORDS];
    if (!store_explain(call->server->store, error, failure, words))
        return false;
    (void)admin_refuse(call, error, "%s", words);
    return true;
}

void admin_answer_begin_in(struct admin_call *call, struct arena *arena, size_t size)
{
    buf_init_arena(&call->out, arena, size);
    json_writer_init(&call->json, &call->out);
    json_object_begin(&call->json);
}

void admin_answer_begin(struct admin_call *call)
{
    admin_answer_begin_in(call, call->request->arena, 512);
}

static void admin_answer_fill(struct admin_call *call, unsigned status, struct str body)
{
    *call->answer = (struct http_answer){.status = status,
                                         .content_type = STR("application/json"),
                                         .body = body,
                                         .no_store = true};
    if (status == 503)
        call->answer->headers = STR("Retry-After: 1\r\n");
}

enum twoleg_error admin_answer(struct admin_call *call, unsigned status, const struct buf *body)
{
    if (body->failed)
        return TWOLEG_NO_MEMORY;
    admin_answer_fill(call, status, buf_str(body));
    return TWOLEG_NONE;
}

enum twoleg_error admin_answer_end(struct admin_call *call, unsigned status)
{
    json_object_end(&call->json);
    buf_add_char(&call->out, '\n');
    return admin_answer(call, status, &call->out);
}

static void admin_answer_error(struct admin_call *call, enum twoleg_error error)
{
    const struct admin_error *row = admin_error_row(call, error);
    if (!call->problem[0])
        (void)admin_explain(call, error, FAILURE_NONE);
    struct str message = str_from(call->problem[0] ? call->problem : twoleg_error_text(error));
    admin_answer_begin(call);
    json_key_str(&call->json, STR("error"), row->word);
    json_key_str(&call->json, STR("message"), message);
    if (admin_answer_end(call, row->status))
        admin_answer_fill(call, 413,
                          STR("{\"error\":\"too_large\",\"message\":\"out of memory\"}\n"));
    // Words about what an operator got wrong may repeat it; those about the server do not.
    endpoint_log(&(struct endpoint_event){
        .request = call->request,
        .error = error,
        .status = call->answer->status,
        .reason = call->answer->status >= 500 ? message : STR_NONE});
}

// Rights come from who stands at the other end of the admin socket, and from nothing else.
static enum twoleg_error admin_check_rights(struct admin_call *call)
{
    const struct http_request *request = call->request;
    bool ours = request->listener->operator_rights &&
                (request->peer_uid == geteuid() || request->peer_uid == 0);
    if (!ours)
        return admin_refuse(call, TWOLEG_REFUSED,
                            "operator rights come from the admin socket in the data folder only");
    snprintf(call->actor_name, sizeof call->actor_name, "uid:%u", (unsigned)request->peer_uid);
    call->actor =
        (struct manage_actor){.name = str_from(call->actor_name), .operator_rights = true};
    return TWOLEG_NONE;
}

// If-Match: "7" (RFC 9110 13.1.1); the version is the whole validator.
static enum twoleg_error admin_read_if_match(struct admin_call *call)
{
    struct str value = http_request_header(call->request, STR("If-Match"));
    if (!value.ptr || str_equal(value, STR("*")))
        return TWOLEG_NONE;
    if (value.len < 2 || value.ptr[0] != '"' || value.ptr[value.len - 1] != '"' ||
        !str_to_u64(str_slice(value, 1, value.len - 1), &call->if_match))
        return admin_refuse(call, TWOLEG_MALFORMED, "If-Match must be a version such as \"7\"");
    call->has_if_match = true;
    return TWOLEG_NONE;
}

enum twoleg_error admin_run(struct http_request *request, struct http_answer *ret_answer,
                            admin_action *action)
{
    struct endpoint_context *context = endpoint_context(request);
    struct admin_call call = {.request = request,
                              .answer = ret_answer,
                              .context = context,
                              .server = context->server};
    request->arena->wipe = true; // secrets and tokens pass through here
    enum twoleg_error error = admin_check_rights(&call);
    if (!error)
        error = admin_read_if_match(&call);
    if (!error)
        error = action(&call);
    if (error == TWOLEG_WAIT)
        return error;
    if (error)
        admin_answer_error(&call, error);
    return TWOLEG_NONE;
}

static const struct admin_parameter *admin_parameter_find(const struct admin_parameter *parameters,
                                                          size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(str_from(parameters[i].name), name))
            return &parameters[i];
    return NULL;
}

enum twoleg_error admin_query(struct admin_call *call, const struct admin_parameter *parameters,
                              size_t count)
{
    struct form_reader reader;
    struct str name;
    struct str value;
    for (size_t i = 0; i < count; i++)
        *parameters[i].value = STR_NONE;
    form_reader_init(&reader, call->request->query, call->request->arena, ADMIN_PARAMETERS_MAX);
    while (form_next(&reader, &name, &value)) {
        const struct admin_parameter *parameter = admin_parameter_find(parameters, count, name);
        if (!parameter)
            return admin_refuse(call, TWOLEG_UNKNOWN, "unknown parameter in the query");
        if (parameter->value->ptr)
            return admin_refuse(call, TWOLEG_DUPLICATE, "the parameter %s is given twice",
                                parameter->name);
        *parameter->value = value.len ? value : STR("");
    }
    return form_reader_error(&reader);
}

enum twoleg_error admin_number(struct admin_call *call, const char *name, struct str text,
                               uint64_t most, uint64_t *ret_number)
{
    uint64_t number;
    if (!str_to_u64(text, &number) || number > most)
        return admin_refuse(call, TWOLEG_RANGE, "%s must be a number up to %llu", name,
                            (unsigned long long)most);
    *ret_number = number;
    return TWOLEG_NONE;
}

enum twoleg_error admin_page_read(struct admin_call *call, struct admin_page *ret_page)
{
    struct str after, limit;
    uint64_t count = PAGE_DEFAULT;
    const struct admin_parameter parameters[] = {{"after", &after}, {"limit", &limit}};
    enum twoleg_error error = admin_query(call, parameters, 2);
    if (!error && limit.ptr)
        error = admin_number(call, "limit", limit, PAGE_MAX, &count);
    if (!error && count == 0)
        error = admin_refuse(call, TWOLEG_RANGE, "limit must be 1 to %d", PAGE_MAX);
    if (error)
        return error;
    *ret_page = (struct admin_page){after, (size_t)count};
    return TWOLEG_NONE;
}
