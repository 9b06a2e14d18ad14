// SPDX-License-Identifier: Apache-2.0
#include "http/scan.h"

#include <endian.h>
#include <string.h>

#define SCAN_ONES 0x0101010101010101ull

// Position of the first byte below 0x20, eight at a time; len when there is none. In a header
// block these are nearly always the line ends, so this loop is most of the scan.
static uint32_t scan_control(const char *bytes, uint32_t from, uint32_t len)
{
    while (len - from >= 8) {
        uint64_t word;
        memcpy(&word, bytes + from, sizeof word);
        word = le64toh(word);
        // The borrow can only mark a byte above a true hit, so the lowest mark is exact.
        uint64_t low = (word - SCAN_ONES * 0x20) & ~word & SCAN_ONES * 0x80;
        if (low)
            return from + (uint32_t)(__builtin_ctzll(low) / 8);
        from += 8;
    }
    while (from < len && (unsigned char)bytes[from] >= 0x20)
        from++;
    return from;
}

static enum http_refusal scan_version(struct http_scan *scan, struct str version)
{
    if (!str_starts_with(version, STR("HTTP/")) || version.ptr[6] != '.')
        return HTTP_REFUSAL_REQUEST_LINE;
    char major = version.ptr[5];
    char minor = version.ptr[7];
    if (major < '0' || major > '9' || minor < '0' || minor > '9')
        return HTTP_REFUSAL_REQUEST_LINE;
    if (major != '1' || minor > '1')
        return HTTP_REFUSAL_VERSION;
    scan->minor = (uint32_t)(minor - '0');
    return HTTP_REFUSAL_NONE;
}

// RFC 9112 section 3: exactly two blanks.
static enum http_refusal scan_request_line(struct http_scan *scan, struct str line)
{
    enum { VERSION_LEN = 8 };
    size_t method_len = str_find(line, ' ');
    if (method_len == 0 || method_len > HTTP_METHOD_MAX)
        return HTTP_REFUSAL_METHOD_MALFORMED;
    if (line.len < method_len + 3 + VERSION_LEN)
        return HTTP_REFUSAL_REQUEST_LINE;
    size_t target_at = method_len + 1;
    size_t target_end = line.len - VERSION_LEN - 1;
    struct str target = str_slice(line, target_at, target_end);
    if (line.ptr[target_end] != ' ' || str_find(target, ' ') != target.len)
        return HTTP_REFUSAL_REQUEST_LINE;
    if (target.len > HTTP_TARGET_MAX)
        return HTTP_REFUSAL_TARGET_LONG;
    scan->method_len = (uint32_t)method_len;
    scan->target_at = scan->line + (uint32_t)target_at;
    scan->target_len = (uint32_t)target.len;
    return scan_version(scan, str_slice(line, target_end + 1, line.len));
}

// What is known of a request line that has not ended: garbage is refused at once, not at the
// deadline (threat A20), and its length is bounded (A5).
static enum http_refusal scan_partial_line(const struct http_scan *scan, struct str bytes)
{
    enum { AROUND_TARGET = HTTP_METHOD_MAX + sizeof "  HTTP/1.1" };
    if (scan->lines > 0 || scan->line >= bytes.len || bytes.ptr[scan->line] == '\r')
        return HTTP_REFUSAL_NONE;
    if (bytes.ptr[scan->line] < 'A' || bytes.ptr[scan->line] > 'Z')
        return HTTP_REFUSAL_METHOD_MALFORMED;
    bool too_long = bytes.len - scan->line > HTTP_TARGET_MAX + AROUND_TARGET;
    return too_long ? HTTP_REFUSAL_TARGET_LONG : HTTP_REFUSAL_NONE;
}

static enum http_refusal scan_header_line(struct str line)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return HTTP_REFUSAL_FOLD;
    size_t colon = str_find(line, ':');
    if (colon == line.len || colon == 0)
        return HTTP_REFUSAL_NAME;
    if (line.ptr[colon - 1] == ' ' || line.ptr[colon - 1] == '\t')
        return HTTP_REFUSAL_NAME;
    return HTTP_REFUSAL_NONE;
}

// A line has ended with CR LF at `end`.
static enum http_refusal scan_line(struct http_scan *scan, struct str bytes, uint32_t end)
{
    struct str line = str_of(bytes.ptr + scan->line, end - scan->line);
    enum http_refusal refusal = HTTP_REFUSAL_NONE;
    if (line.len == 0 && scan->lines == 0) {
        if (scan->start > 0)
            return HTTP_REFUSAL_REQUEST_LINE;
        scan->start = end + 2;
    } else if (line.len == 0) {
        scan->end = end + 2;
    } else {
        refusal = scan->lines == 0 ? scan_request_line(scan, line) : scan_header_line(line);
        scan->lines++;
    }
    if (scan->lines > HTTP_HEADERS_MAX + 1)
        refusal = HTTP_REFUSAL_HEADERS_MANY;
    scan->line = end + 2;
    scan->at = end + 2;
    return refusal;
}

enum http_refusal http_scan(struct http_scan *scan, struct str bytes)
{
    uint32_t len = (uint32_t)bytes.len;
    enum http_refusal refusal = scan_partial_line(scan, bytes);
    while (!refusal && !scan->end && scan->at < len) {
        uint32_t at = scan_control(bytes.ptr, scan->at, len);
        scan->at = at;
        if (at == len)
            break;
        if (bytes.ptr[at] == '\t' && scan->lines > 0) {
            scan->at++;
            continue;
        }
        if (bytes.ptr[at] == '\n')
            return HTTP_REFUSAL_LINE_END;
        if (bytes.ptr[at] != '\r')
            return HTTP_REFUSAL_CONTROL;
        if (at + 1 == len)
            break; // the LF is still to come
        if (bytes.ptr[at + 1] != '\n')
            return HTTP_REFUSAL_LINE_END;
        refusal = scan_line(scan, bytes, at);
        if (!refusal && !scan->end)
            refusal = scan_partial_line(scan, bytes);
    }
    return refusal;
}
