// SPDX-License-Identifier: Apache-2.0
// Different bytes have different texts of one width; a credential is good as it was made, and not
// with one bit changed or one byte cut (threat C15).
#include <string.h>

#include "codec/base62.h"
#include "base/arena.h"
#include "fuzz.h"

static void fuzz_order(const uint8_t *data, size_t len)
{
    char memory[2][128];
    struct buf first;
    struct buf second;
    buf_init(&first, memory[0], sizeof memory[0]);
    buf_init(&second, memory[1], sizeof memory[1]);
    base62_encode(&first, data, len);
    base62_encode(&second, data + len, len);
    FUZZ_MUST(first.len == BASE62_LEN(len) && second.len == first.len);
    int bytes = memcmp(data, data + len, len);
    int texts = memcmp(first.ptr, second.ptr, first.len);
    // The digits ascend in ASCII, so the order of the numbers is the order of the texts.
    FUZZ_MUST((bytes > 0) == (texts > 0) && (bytes < 0) == (texts < 0));
}

static void fuzz_checksum(struct arena *arena, struct str text)
{
    struct buf out;
    (void)credential_checksum_ok(text);
    buf_init_arena(&out, arena, text.len + CREDENTIAL_CHECKSUM_LEN);
    buf_add(&out, text);
    credential_checksum_append(&out, 0);
    FUZZ_MUST(credential_checksum_ok(buf_str(&out)));
    size_t at = (unsigned char)text.ptr[0] % out.len;
    out.ptr[at] = (char)(out.ptr[at] ^ (1 << (text.len % 8)));
    FUZZ_MUST(!credential_checksum_ok(buf_str(&out)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    arena_init(&arena, NULL, (size_t)1 << 26);
    fuzz_checksum(&arena, str_of(data, size));
    if (size >= 2 && size / 2 <= BASE62_BYTES_MAX)
        fuzz_order(data, size / 2);
    arena_finish(&arena);
    return 0;
}
