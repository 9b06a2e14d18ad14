// SPDX-License-Identifier: Apache-2.0
// The one file with OpenSSL's low-level hash. It is deprecated, but EVP allocates a context and
// fetches the algorithm for each one-shot hash (1.15 us against 0.1 us here), and its contexts
// cannot lie on the stack. The code below it is the same, SHA extensions included.
#define OPENSSL_API_COMPAT 0x10101000L
#include "crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct sha256_state), "the state fits");
_Static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256_state), "and is aligned");
_Static_assert(SHA256_SIZE == SHA256_DIGEST_LENGTH, "one length");

static SHA256_CTX *sha256_context(struct sha256_state *state)
{
    return (SHA256_CTX *)state->opaque;
}

void sha256_init(struct sha256_state *state)
{
    SHA256_Init(sha256_context(state));
}

void sha256_add(struct sha256_state *state, struct str part)
{
    if (part.len)
        SHA256_Update(sha256_context(state), part.ptr, part.len);
}

struct sha256 sha256_finish(struct sha256_state *state)
{
    struct sha256 hash;
    SHA256_Final(hash.bytes, sha256_context(state));
    OPENSSL_cleanse(state, sizeof *state);
    return hash;
}

struct sha256 sha256(struct str text)
{
    struct sha256_state state;
    sha256_init(&state);
    sha256_add(&state, text);
    return sha256_finish(&state);
}
