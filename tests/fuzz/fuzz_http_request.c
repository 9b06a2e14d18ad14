// SPDX-License-Identifier: Apache-2.0
// Header blocks: scan, parse, match. What is accepted has no NUL, no bare CR or LF, and views that
// lie inside the block; the verdict does not depend on how the bytes arrive.
#include <string.h>

#include "fuzz.h"
#include "http/head.h"
#include "http/router.h"
#include "http/target.h"

static enum twoleg_error fuzz_handler(struct http_request *request, struct http_answer *ret_answer)
{
    (void)request;
    (void)ret_answer;
    return TWOLEG_INTERNAL;
}

static const struct http_route fuzz_routes[] = {
    {"token", "/oauth/token", HTTP_POST, DOOR_ALL, fuzz_handler, false},
    {"check", "/check/{*}", HTTP_ANY, DOOR_ALL, fuzz_handler, true},
    {"secret", "/a/{}/secrets/{}", HTTP_DELETE, DOOR_ALL, fuzz_handler, false},
};

static void fuzz_inside(struct str view, struct str block)
{
    const char *end = block.ptr + block.len;
    FUZZ_MUST(!view.len || (view.ptr >= block.ptr && view.ptr + view.len <= end));
    for (size_t i = 0; i < view.len; i++)
        FUZZ_MUST(view.ptr[i] != '\0' && view.ptr[i] != '\r' && view.ptr[i] != '\n');
}

// A path that may stand in the table of routes is found by itself.
static void fuzz_route(struct str path)
{
    struct arena arena;
    struct http_router router;
    struct http_match match;
    arena_init(&arena, NULL, (size_t)1 << 20);
    char *text = arena_alloc(&arena, path.len + 1);
    memcpy(text, path.ptr, path.len);
    text[path.len] = '\0';
    const struct http_route routes[] = {
        {"own", text, HTTP_GET | HTTP_PUT, DOOR_GATE, fuzz_handler, false}};
    if (http_router_init(&router, routes, 1) == TWOLEG_NONE && str_find(path, '{') == path.len) {
        http_router_match(&router, path, HTTP_PUT, DOOR_ALL, &match);
        FUZZ_MUST(match.route == routes || !http_path_is_canonical(path));
        http_router_match(&router, path, HTTP_PUT, DOOR_ADMIN, &match);
        FUZZ_MUST(!match.route && match.allowed == 0);
    }
    arena_finish(&arena);
}

static void fuzz_allowed(unsigned methods)
{
    struct arena arena;
    arena_init(&arena, NULL, (size_t)1 << 16);
    struct str line = http_method_allow(methods, &arena);
    FUZZ_MUST(str_starts_with(line, STR("Allow: ")) && str_ends_with(line, STR("\r\n")));
    arena_finish(&arena);
}

static void fuzz_accepted(const struct http_head *head, struct str block)
{
    static struct http_router router;
    struct http_match match;
    for (size_t i = 0; i < block.len; i++) {
        FUZZ_MUST(block.ptr[i] != '\0');
        FUZZ_MUST(block.ptr[i] != '\n' || (i > 0 && block.ptr[i - 1] == '\r'));
        FUZZ_MUST(block.ptr[i] != '\r' || (i + 1 < block.len && block.ptr[i + 1] == '\n'));
    }
    for (size_t i = 0; i < head->header_count; i++) {
        fuzz_inside(head->headers[i].name, block);
        fuzz_inside(head->headers[i].value, block);
        FUZZ_MUST(head->headers[i].name.len > 0);
    }
    fuzz_inside(head->query, block);
    FUZZ_MUST(head->path.len > 0);
    FUZZ_MUST(!head->chunked || head->content_length == 0);
    if (!router.count)
        FUZZ_MUST(http_router_init(&router, fuzz_routes, 3) == TWOLEG_NONE);
    http_router_match(&router, head->path, http_method_parse(head->method), DOOR_ALL, &match);
    for (size_t i = 0; i < match.segment_count; i++)
        fuzz_inside(match.segments[i], block);
    fuzz_allowed(match.allowed);
    fuzz_route(head->path);
}

// In pieces whose lengths the input chooses, from exactly sized memory.
static enum http_refusal fuzz_pieces(const uint8_t *data, size_t size, struct http_scan *scan)
{
    size_t have = 0;
    while (have < size && !scan->end) {
        have += 1 + data[have] % 7;
        have = have > size ? size : have;
        char *copy = malloc(have);
        FUZZ_MUST(copy != NULL);
        memcpy(copy, data, have);
        enum http_refusal refusal = http_scan(scan, str_of(copy, have));
        free(copy);
        if (refusal)
            return refusal;
    }
    return HTTP_REFUSAL_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_header headers[HTTP_HEADERS_MAX];
    struct http_scan scan = {0};
    struct http_scan pieces = {0};
    struct http_head head;
    if (size == 0 || size > HTTP_HEAD_MAX)
        return 0;
    char *bytes = malloc(size);
    FUZZ_MUST(bytes != NULL);
    memcpy(bytes, data, size);
    enum http_refusal refusal = http_scan(&scan, str_of(bytes, size));
    if (size < 1024) {
        // A fault behind the end of the block is not seen by either; before it by both.
        FUZZ_MUST((fuzz_pieces(data, size, &pieces) == HTTP_REFUSAL_NONE) ==
                     (refusal == HTTP_REFUSAL_NONE));
        FUZZ_MUST(refusal || memcmp(&scan, &pieces, sizeof scan) == 0);
    }
    if (!refusal && scan.end) {
        struct str block = str_of(bytes, scan.end);
        if (http_head_parse(&scan, block, headers, &head) == HTTP_REFUSAL_NONE)
            fuzz_accepted(&head, block);
    }
    free(bytes);
    return 0;
}
