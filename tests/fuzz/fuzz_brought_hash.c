// SPDX-License-Identifier: Apache-2.0
// Hashes of secrets that others made: what is taken for one is within its bounds, and can be
// compared with as that kind and as no other.
#include "crypto/brought_hash.h"
#include "crypto/init.h"
#include "fuzz.h"

// Only what is compared quickly.
static bool fuzz_is_cheap(enum brought_hash kind, struct str hash)
{
    struct password_cost cost;
    if (kind == BROUGHT_BCRYPT)
        return str_starts_with(str_slice(hash, 3, hash.len), STR("$04$"));
    if (kind == BROUGHT_PBKDF2)
        return str_find(hash, '1') < 20 && hash.len < 90;
    return password_cost_read(hash, &cost) == TWOLEG_NONE && cost.memory_kib <= 64;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str hash = str_of(data, size);
    enum brought_hash kind = 0;
    const char *problem = NULL;
    struct password_cost cost;
    FUZZ_MUST(crypto_init() == TWOLEG_NONE);
    enum twoleg_error error = brought_hash_read(hash, &kind, &problem);
    FUZZ_MUST(error == TWOLEG_NONE || error == TWOLEG_MALFORMED || error == TWOLEG_RANGE);
    FUZZ_MUST((error == TWOLEG_NONE) == (problem == NULL));
    // Whoever asks for nobody waits for a hash of ours.
    FUZZ_MUST(password_cost_read(password_nobodys(), &cost) == TWOLEG_NONE);
    if (password_cost_read(hash, &cost) == TWOLEG_NONE)
        FUZZ_MUST(cost.memory_kib * cost.passes <= PASSWORD_WORK_KIB_MAX && cost.lanes &&
                  cost.passes && cost.memory_kib >= 8 * cost.lanes);
    if (error) {
        for (kind = BROUGHT_ARGON2ID; kind <= BROUGHT_PBKDF2; kind++)
            FUZZ_MUST(brought_hash_verify(kind, hash, STR("x")) == TWOLEG_MALFORMED);
        return 0;
    }
    FUZZ_MUST(brought_hash_is_like(hash) && size <= BROUGHT_MAX);
    for (enum brought_hash other = BROUGHT_ARGON2ID; other <= BROUGHT_PBKDF2; other++) {
        bool same = other == kind || (other == BROUGHT_ARGON2ID_SHA256 && kind == BROUGHT_ARGON2ID);
        if (!same)
            FUZZ_MUST(brought_hash_verify(other, hash, STR("x")) == TWOLEG_MALFORMED);
    }
    if (!fuzz_is_cheap(kind, hash))
        return 0;
    error = brought_hash_verify(kind, hash, STR("x"));
    FUZZ_MUST(error == TWOLEG_NONE || error == TWOLEG_SECRET_WRONG);
    return 0;
}
