// SPDX-License-Identifier: Apache-2.0
// Refresh tokens as they come; behind 'n', the start of one from which a first and a next one are
// made, and then changed as the rest says. What is read names a family, and no text that differs by
// one character is read.
#include <string.h>

#include "crypto/init.h"
#include "fuzz.h"
#include "token/refresh.h"

#define PREFIX STR("tlf_")

static struct data_key key;
static struct env env;

static void fuzz_prepare(void)
{
    static bool prepared;
    if (!prepared) {
        FUZZ_MUST(crypto_init() == TWOLEG_NONE);
        FUZZ_MUST(mac_key_init(&key.mac, "one more fixed key", 18) == TWOLEG_NONE);
        prepared = true;
    }
    memset(env.random, 0x5a, sizeof env.random);
    env.random_left = sizeof env.random;
}

static bool fuzz_read(struct str text)
{
    uint64_t family = 7, again = 8;
    bool found = refresh_token_read(text, PREFIX, &family);
    FUZZ_MUST(found ? family != 0 : family == 7);
    FUZZ_MUST(refresh_token_read(text, PREFIX, &again) == found && (!found || again == family));
    FUZZ_MUST(!refresh_token_read(text, STR("other"), &again));
    if (!found)
        return false;
    char changed[REFRESH_TEXT_MAX];
    FUZZ_MUST(text.len <= sizeof changed && str_starts_with(text, PREFIX));
    for (size_t i = 0; i < text.len; i++) {
        memcpy(changed, text.ptr, text.len);
        changed[i] = (char)(changed[i] ^ 1);
        FUZZ_MUST(!refresh_token_read(str_of(changed, text.len), PREFIX, &again));
    }
    return true;
}

// Each pair of bytes changes a character.
static void fuzz_changed(struct refresh_token token, struct str changes)
{
    for (size_t i = 0; i + 1 < changes.len; i += 2)
        token.text[(uint8_t)changes.ptr[i] % token.len] ^= changes.ptr[i + 1];
    fuzz_read(refresh_token_str(&token)); // with a checksum that was made to fit it is another one
}

static void fuzz_made(struct str input)
{
    struct refresh_token first, next, again;
    struct sha256 hash;
    uint64_t family = 0, found;
    for (size_t i = 0; i < 8 && i < input.len; i++)
        family = family << 8 | (uint8_t)input.ptr[i];
    FUZZ_MUST(refresh_token_first(&env, PREFIX, family, &first) == TWOLEG_NONE);
    FUZZ_MUST(refresh_token_read(refresh_token_str(&first), PREFIX, &found) == (family != 0));
    hash = sha256(refresh_token_str(&first));
    refresh_token_next(&key, PREFIX, family, &hash, &next);
    refresh_token_next(&key, PREFIX, family, &hash, &again);
    FUZZ_MUST(str_equal(refresh_token_str(&next), refresh_token_str(&again)));
    FUZZ_MUST(!str_equal(refresh_token_str(&next), refresh_token_str(&first)));
    FUZZ_MUST(fuzz_read(refresh_token_str(&next)) == (family != 0));
    fuzz_changed(next, str_slice(input, 8, input.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of(data, size);
    fuzz_prepare();
    if (size && data[0] == 'n')
        fuzz_made(str_slice(input, 1, size));
    else
        fuzz_read(input);
    return 0;
}
