// SPDX-License-Identifier: Apache-2.0
#include "http/head.h"

#include <llhttp.h>

#include "http/target.h"

// What llhttp's callbacks and the rules about single headers see.
struct head_run {
    struct http_head *head;
    size_t room;
    bool in_value;
    enum http_refusal refusal;
    unsigned hosts, authorizations, content_types, lengths, codings;
};

// The block arrives in one piece, so a span comes in one piece too; llhttp does not promise it,
// so a second piece must continue the first.
static int head_span(struct str *span, const char *at, size_t len)
{
    if (!span->ptr)
        *span = str_of(at, len);
    else if (span->ptr + span->len == at)
        span->len += len;
    else
        return -1;
    return 0;
}

static int head_on_name(llhttp_t *parser, const char *at, size_t len)
{
    struct head_run *run = parser->data;
    struct http_head *head = run->head;
    if (head->header_count == 0 || run->in_value) {
        if (head->header_count == run->room)
            return -1;
        head->headers[head->header_count++] = (struct http_header){0};
        run->in_value = false;
    }
    return head_span(&head->headers[head->header_count - 1].name, at, len);
}

static int head_on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct head_run *run = parser->data;
    if (run->head->header_count == 0)
        return -1;
    run->in_value = true;
    return head_span(&run->head->headers[run->head->header_count - 1].value, at, len);
}

static int head_on_complete(llhttp_t *parser)
{
    (void)parser;
    return 1; // no body for llhttp: ours is read by its length or by chunked.c
}

static const llhttp_settings_t head_settings = {
    .on_header_field = head_on_name,
    .on_header_value = head_on_value,
    .on_headers_complete = head_on_complete,
};

// RFC 9110 section 5.6.2.
static bool head_is_token(struct str text)
{
    static const struct str marks = {"!#$%&'*+-.^_`|~", 15};
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && str_find(marks, c) == marks.len)
            return false;
    }
    return text.len > 0;
}

// llhttp knows no methods but its own. Any other token is no fault of the block, so GET stands in
// for it and the rest is judged by the same rules.
static llhttp_errno_t head_execute(struct head_run *run, struct str block, bool stand_in)
{
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &head_settings);
    parser.data = run;
    if (!stand_in)
        return llhttp_execute(&parser, block.ptr, block.len);
    run->head->header_count = 0;
    run->in_value = false;
    llhttp_errno_t result = llhttp_execute(&parser, "GET", 3);
    size_t from = run->head->method.len;
    return result ? result : llhttp_execute(&parser, block.ptr + from, block.len - from);
}

static enum http_refusal head_run_llhttp(struct head_run *run, struct str block)
{
    struct str method = run->head->method;
    // These two change how llhttp reads what follows (RFC 9110 9.3.6: no proxy here).
    bool apart = str_equal(method, STR("CONNECT")) || str_equal(method, STR("PRI"));
    llhttp_errno_t result = apart ? HPE_INVALID_METHOD : head_execute(run, block, false);
    // INVALID_CONSTANT: a method of RTSP or ICE. Our own scan has seen the version before.
    if (result == HPE_INVALID_METHOD || result == HPE_INVALID_CONSTANT) {
        if (!head_is_token(method))
            return HTTP_REFUSAL_METHOD_MALFORMED;
        run->head->pending = HTTP_REFUSAL_METHOD_UNKNOWN;
        result = head_execute(run, block, true);
    }
    // Perhaps a form that only the unknown method has, like CONNECT's.
    if (result == HPE_INVALID_URL)
        return run->head->pending ? HTTP_REFUSAL_METHOD_UNKNOWN : HTTP_REFUSAL_TARGET;
    if (result == HPE_INVALID_CONTENT_LENGTH)
        return HTTP_REFUSAL_LENGTH_MALFORMED;
    // Java sends "Upgrade: h2c": that pauses the parser behind the block, which is all we want.
    if (result != HPE_OK && result != HPE_PAUSED_UPGRADE)
        return HTTP_REFUSAL_SYNTAX;
    return HTTP_REFUSAL_NONE;
}

// RFC 9112 section 3.2: an authority without userinfo. Its text chooses how is spoken and nothing
// else, but what is no host at all is refused (threat A11).
static enum http_refusal head_host(struct head_run *run, struct str value)
{
    if (run->hosts++)
        return HTTP_REFUSAL_HOST_TWICE;
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && str_find(STR("-._~%!$&'()*+,;=:[]"), c) == sizeof "-._~%!$&'()*+,;=:[]" - 1)
            return HTTP_REFUSAL_HOST_MALFORMED;
    }
    run->head->host = value;
    return HTTP_REFUSAL_NONE;
}

// RFC 9112 section 6.3. The raw value: blanks behind the number are refused too (threat A7).
static enum http_refusal head_length(struct head_run *run, struct str raw)
{
    if (run->lengths++)
        return HTTP_REFUSAL_LENGTH_TWICE;
    if (!str_to_u64(raw, &run->head->content_length))
        return HTTP_REFUSAL_LENGTH_MALFORMED;
    return HTTP_REFUSAL_NONE;
}

static enum http_refusal head_coding(struct head_run *run, struct str value)
{
    if (run->codings++)
        return HTTP_REFUSAL_CODING_TWICE;
    if (run->head->minor == 0)
        return HTTP_REFUSAL_CODING_OLD;
    if (!str_equal_nocase(value, STR("chunked")))
        return HTTP_REFUSAL_CODING_UNKNOWN;
    run->head->chunked = true;
    return HTTP_REFUSAL_NONE;
}

static enum http_refusal head_once(unsigned *seen, enum http_refusal twice, struct str value,
                                   struct str *ret_value)
{
    if ((*seen)++)
        return twice;
    *ret_value = value;
    return HTTP_REFUSAL_NONE;
}

// RFC 9112 section 9.3; close wins over keep-alive.
static void head_connection(struct http_head *head, struct str value)
{
    struct str option;
    bool close = false;
    while (str_split(&value, ',', &option)) {
        option = str_trim(option, " \t");
        close |= str_equal_nocase(option, STR("close"));
        if (head->minor == 0 && str_equal_nocase(option, STR("keep-alive")))
            head->keep_alive = true;
    }
    if (close)
        head->keep_alive = false;
}

// The first one counts.
static void head_suspend(struct http_head *head, enum http_refusal refusal)
{
    if (!head->pending)
        head->pending = refusal;
}

static enum http_refusal head_expect(struct http_head *head, struct str value)
{
    if (!str_equal_nocase(value, STR("100-continue")))
        head_suspend(head, HTTP_REFUSAL_EXPECTATION);
    else
        head->expects_continue = head->minor > 0; // RFC 9110 10.1.1: ignored in HTTP/1.0
    return HTTP_REFUSAL_NONE;
}

static enum http_refusal head_content_coding(struct http_head *head, struct str value)
{
    if (!str_equal_nocase(value, STR("identity")))
        head_suspend(head, HTTP_REFUSAL_CONTENT_CODING);
    return HTTP_REFUSAL_NONE;
}

// The names that mean something here have different lengths, but for Host and its kind.
static enum http_refusal head_meaning(struct head_run *run, struct str name, struct str raw,
                                      struct str value)
{
    struct http_head *head = run->head;
    switch (name.len) {
    case 4:
        return str_equal_nocase(name, STR("Host")) ? head_host(run, value) : HTTP_REFUSAL_NONE;
    case 6:
        return str_equal_nocase(name, STR("Expect")) ? head_expect(head, value)
                                                     : HTTP_REFUSAL_NONE;
    case 10:
        if (str_equal_nocase(name, STR("Connection")))
            head_connection(head, value);
        return HTTP_REFUSAL_NONE;
    case 12:
        return !str_equal_nocase(name, STR("Content-Type"))
                   ? HTTP_REFUSAL_NONE
                   : head_once(&run->content_types, HTTP_REFUSAL_CONTENT_TYPE_TWICE, value,
                               &head->content_type);
    case 13:
        return !str_equal_nocase(name, STR("Authorization"))
                   ? HTTP_REFUSAL_NONE
                   : head_once(&run->authorizations, HTTP_REFUSAL_AUTHORIZATION_TWICE, value,
                               &head->authorization);
    case 14:
        return str_equal_nocase(name, STR("Content-Length")) ? head_length(run, raw)
                                                             : HTTP_REFUSAL_NONE;
    case 16:
        return str_equal_nocase(name, STR("Content-Encoding")) ? head_content_coding(head, value)
                                                               : HTTP_REFUSAL_NONE;
    case 17:
        return str_equal_nocase(name, STR("Transfer-Encoding")) ? head_coding(run, value)
                                                                : HTTP_REFUSAL_NONE;
    default:
        return HTTP_REFUSAL_NONE;
    }
}

static struct str head_trim(struct str value)
{
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = str_of(value.ptr + 1, value.len - 1);
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    return value;
}

static enum http_refusal head_each(struct head_run *run)
{
    struct http_head *head = run->head;
    for (size_t i = 0; i < head->header_count; i++) {
        struct http_header *header = &head->headers[i];
        struct str raw = header->value.ptr ? header->value : STR("");
        header->value = head_trim(raw);
        enum http_refusal refusal = head_meaning(run, header->name, raw, header->value);
        if (refusal)
            return refusal;
    }
    return run->codings && run->lengths ? HTTP_REFUSAL_LENGTH_AND_CODING : HTTP_REFUSAL_NONE;
}

enum http_refusal http_head_parse(const struct http_scan *scan, struct str bytes,
                                  struct http_header *headers, struct http_head *ret_head)
{
    *ret_head = (struct http_head){
        .method = str_of(bytes.ptr + scan->start, scan->method_len),
        .minor = scan->minor,
        .keep_alive = scan->minor > 0,
        .headers = headers,
    };
    struct head_run run = {.head = ret_head, .room = scan->lines - 1};
    struct str block = str_slice(bytes, scan->start, scan->end);
    enum http_refusal syntax = head_run_llhttp(&run, block);
    if (syntax && syntax != HTTP_REFUSAL_SYNTAX)
        return syntax;
    // llhttp lumps the faults of headers together; ours have names, as far as it came.
    enum http_refusal refusal = head_each(&run);
    if (!refusal && syntax)
        refusal = syntax;
    if (!refusal && scan->minor > 0 && run.hosts == 0)
        refusal = HTTP_REFUSAL_HOST_MISSING;
    struct str authority = STR_NONE;
    if (!refusal)
        refusal = http_target_split(str_of(bytes.ptr + scan->target_at, scan->target_len),
                                    &ret_head->path, &ret_head->query, &authority);
    if (authority.ptr) // RFC 9112 section 3.2.2: then Host is not looked at
        ret_head->host = authority;
    return refusal;
}
