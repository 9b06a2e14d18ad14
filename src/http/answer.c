// SPDX-License-Identifier: Apache-2.0
#include "http/answer.h"

#include <string.h>
#include <time.h>

#include "base/buf.h"

// A body up to this length is copied behind the header block: one plain send is cheaper than a
// gathering one.
#define ANSWER_COPY_MAX ((size_t)2048)
// Everything in a header block but the handler's own lines and the content type.
#define ANSWER_FIXED_MAX ((size_t)384)

static struct str answer_reason(unsigned status)
{
    switch (status) {
    case 200: return STR("200 OK");
    case 201: return STR("201 Created");
    case 202: return STR("202 Accepted");
    case 204: return STR("204 No Content");
    case 302: return STR("302 Found");
    case 303: return STR("303 See Other");
    case 304: return STR("304 Not Modified");
    case 400: return STR("400 Bad Request");
    case 401: return STR("401 Unauthorized");
    case 403: return STR("403 Forbidden");
    case 404: return STR("404 Not Found");
    case 405: return STR("405 Method Not Allowed");
    case 406: return STR("406 Not Acceptable");
    case 408: return STR("408 Request Timeout");
    case 409: return STR("409 Conflict");
    case 412: return STR("412 Precondition Failed");
    case 413: return STR("413 Content Too Large");
    case 414: return STR("414 URI Too Long");
    case 415: return STR("415 Unsupported Media Type");
    case 417: return STR("417 Expectation Failed");
    case 421: return STR("421 Misdirected Request");
    case 422: return STR("422 Unprocessable Content");
    case 428: return STR("428 Precondition Required");
    case 429: return STR("429 Too Many Requests");
    case 431: return STR("431 Request Header Fields Too Large");
    case 500: return STR("500 Internal Server Error");
    case 501: return STR("501 Not Implemented");
    case 502: return STR("502 Bad Gateway");
    case 503: return STR("503 Service Unavailable");
    case 505: return STR("505 HTTP Version Not Supported");
    default: return STR_NONE;
    }
}

// The room was computed before, so putting cannot fail.
static char *answer_put(char *at, struct str text)
{
    memcpy(at, text.ptr, text.len);
    return at + text.len;
}
#define ANSWER_PUT(at, literal) answer_put((at), STR(literal))

static char *answer_put_number(char *at, uint64_t value)
{
    char digits[20];
    size_t from = sizeof digits;
    do
        digits[--from] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    return answer_put(at, str_of(digits + from, sizeof digits - from));
}

// A status that a dialect made up has its number and no words (RFC 9112 section 4 allows that).
static char *answer_put_status(char *at, unsigned status)
{
    struct str reason = answer_reason(status);
    at = ANSWER_PUT(at, "HTTP/1.1 ");
    if (reason.ptr)
        return answer_put(at, reason);
    at = answer_put_number(at, status % 1000);
    return ANSWER_PUT(at, " ");
}

static char *answer_put_head(char *at, const struct http_answer *answer,
                             const struct http_frame *frame, bool bodiless)
{
    at = answer_put_status(at, answer->status);
    at = ANSWER_PUT(at, "\r\nDate: ");
    at = answer_put(at, frame->date);
    if (answer->content_type.ptr && !bodiless) {
        at = ANSWER_PUT(at, "\r\nContent-Type: ");
        at = answer_put(at, answer->content_type);
        // What others chose stands in bodies: no browser shall guess that it is a page (E1).
        at = ANSWER_PUT(at, "\r\nX-Content-Type-Options: nosniff");
    }
    if (!bodiless) {
        at = ANSWER_PUT(at, "\r\nContent-Length: ");
        at = answer_put_number(at, answer->body.len);
    }
    at = ANSWER_PUT(at, "\r\nX-Request-Id: ");
    at = answer_put(at, frame->id);
    if (frame->secure)
        at = ANSWER_PUT(at, "\r\nStrict-Transport-Security: max-age=31536000");
    if (answer->no_store)
        at = ANSWER_PUT(at, "\r\nCache-Control: no-store\r\nPragma: no-cache");
    at = ANSWER_PUT(at, "\r\n");
    if (answer->headers.len)
        at = answer_put(at, answer->headers);
    if (!frame->keep_alive)
        at = ANSWER_PUT(at, "Connection: close\r\n");
    else if (frame->minor == 0)
        at = ANSWER_PUT(at, "Connection: keep-alive\r\n");
    return ANSWER_PUT(at, "\r\n");
}

enum twoleg_error http_answer_write(const struct http_answer *answer,
                                    const struct http_frame *frame, struct arena *arena,
                                    struct str ret_parts[static HTTP_ANSWER_PARTS])
{
    // RFC 9110 15.3.5, 15.4.5: these have neither body nor length.
    bool bodiless = answer->status == 204 || answer->status == 304;
    struct str body = bodiless || frame->head ? STR_NONE : answer->body;
    bool copy = body.len <= ANSWER_COPY_MAX;
    size_t room = ANSWER_FIXED_MAX + answer->content_type.len + answer->headers.len +
                  (copy ? body.len : 0);
    char *start = arena_alloc(arena, room);
    if (!start)
        return TWOLEG_NO_MEMORY;
    char *at = answer_put_head(start, answer, frame, bodiless);
    if (copy && body.len)
        at = answer_put(at, body);
    ret_parts[0] = str_of(start, (size_t)(at - start));
    ret_parts[1] = copy ? STR_NONE : body;
    return TWOLEG_NONE;
}

void http_date_write(int64_t now_us, char ret_date[static HTTP_DATE_LEN])
{
    static const char days[7][5] = {"Sun,", "Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(now_us / SECOND_US);
    struct tm t;
    memset(&t, 0, sizeof t);
    gmtime_r(&seconds, &t);
    struct buf date;
    char text[HTTP_DATE_LEN + 8]; // room for the NUL that formatting adds
    buf_init(&date, text, sizeof text);
    buf_addf(&date, "%s %02d %s %04d %02d:%02d:%02d GMT", days[t.tm_wday], t.tm_mday,
             months[t.tm_mon], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    memcpy(ret_date, text, HTTP_DATE_LEN);
}

static void answer_hex(char *at, size_t digits, uint64_t value)
{
    for (size_t i = digits; i-- > 0; value >>= 4)
        at[i] = "0123456789abcdef"[value & 15];
}

void http_id_write(int64_t now_us, uint32_t worker, uint64_t counter,
                   char ret_id[static HTTP_ID_LEN])
{
    enum { TIME = 11, WORKER = 2, COUNTER = HTTP_ID_LEN - TIME - WORKER };
    answer_hex(ret_id, TIME, (uint64_t)now_us / 1000);
    answer_hex(ret_id + TIME, WORKER, worker);
    answer_hex(ret_id + TIME + WORKER, COUNTER, counter);
}
