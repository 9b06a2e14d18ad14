// SPDX-License-Identifier: Apache-2.0
// Chunked bodies: the result does not depend on how the bytes arrive, is never longer than what
// arrived nor than the cap.
#include <string.h>

#include "fuzz.h"
#include "http/chunked.h"

struct fuzz_result {
    enum http_refusal refusal;
    enum http_chunked_state state;
    size_t consumed, decoded;
    char *body; // as long as the input, so that a write past it is seen
};

static struct fuzz_result fuzz_run(const uint8_t *data, size_t size, bool whole)
{
    struct http_chunked chunked = {0};
    struct fuzz_result result = {.body = malloc(size)};
    FUZZ_MUST(result.body != NULL);
    while (result.consumed < size && chunked.state != CHUNKED_DONE) {
        size_t piece = whole ? size : 1 + data[result.consumed] % 5;
        size_t consumed = 0;
        size_t decoded = 0;
        piece = piece > size - result.consumed ? size - result.consumed : piece;
        memcpy(result.body + result.decoded, data + result.consumed, piece);
        result.refusal = http_chunked_feed(&chunked, result.body + result.decoded, piece,
                                           &consumed, &decoded);
        if (result.refusal)
            break;
        FUZZ_MUST(decoded <= consumed && consumed <= piece);
        result.consumed += consumed;
        result.decoded += decoded;
    }
    result.state = chunked.state;
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct fuzz_result whole = fuzz_run(data, size, true);
    struct fuzz_result pieces = fuzz_run(data, size, false);
    FUZZ_MUST(whole.refusal == pieces.refusal);
    if (!whole.refusal) {
        FUZZ_MUST(whole.state == pieces.state && whole.consumed == pieces.consumed);
        FUZZ_MUST(whole.decoded == pieces.decoded && whole.decoded <= HTTP_BODY_MAX);
        FUZZ_MUST(memcmp(whole.body, pieces.body, whole.decoded) == 0);
    }
    free(whole.body);
    free(pieces.body);
    return 0;
}
