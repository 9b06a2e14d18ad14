// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "crypto/wipe.h"

// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
#define PASSWORD_MEMORY_KIB 19456
#define PASSWORD_PASSES 2
#define PASSWORD_MEMORY_KIB_MAX (64 * 1024)
#define PASSWORD_PASSES_MAX 16
#define PASSWORD_SALT 16
#define PASSWORD_TAG 32

_Static_assert(PASSWORD_SALT == crypto_pwhash_argon2id_SALTBYTES, "the library's salt");
_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_argon2id_STRBYTES, "the library's text fits");

static void password_add_base64(struct buf *out, const uint8_t *bytes, size_t len)
{
    char text[sodium_base64_ENCODED_LEN(PASSWORD_TAG, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
    sodium_bin2base64(text, sizeof text, bytes, len, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
    buf_add(out, str_from(text));
}

// The library's own function for this text draws its salt by itself; ours comes from env, so that
// a failing source of randomness is an error and not the end of the process.
static void password_write(const uint8_t salt[PASSWORD_SALT], const uint8_t tag[PASSWORD_TAG],
                           struct password_hash *ret_hash)
{
    struct buf out;
    buf_init(&out, ret_hash->text, sizeof ret_hash->text - 1);
    buf_add(&out, STR("$argon2id$v=19$m="));
    buf_add_u64(&out, PASSWORD_MEMORY_KIB);
    buf_add(&out, STR(",t="));
    buf_add_u64(&out, PASSWORD_PASSES);
    buf_add(&out, STR(",p=1$"));
    password_add_base64(&out, salt, PASSWORD_SALT);
    buf_add_char(&out, '$');
    password_add_base64(&out, tag, PASSWORD_TAG);
    out.ptr[out.len] = '\0'; // cap leaves room for it
}

enum twoleg_error password_hash(struct env *env, struct str password,
                                struct password_hash *ret_hash)
{
    uint8_t salt[PASSWORD_SALT];
    uint8_t tag[PASSWORD_TAG];
    if (password.len == 0 || password.len > PASSWORD_MAX)
        return TWOLEG_RANGE;
    if (!env_random(env, salt, sizeof salt))
        return TWOLEG_NO_RANDOM;
    if (fault_here(FAULT_MEMORY) ||
        crypto_pwhash(tag, sizeof tag, password.ptr, password.len, salt, PASSWORD_PASSES,
                      (size_t)PASSWORD_MEMORY_KIB * 1024, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return TWOLEG_NO_MEMORY;
    password_write(salt, tag, ret_hash);
    wipe(tag, sizeof tag);
    return TWOLEG_NONE;
}

// The number between the prefix at the front of *rest and the end mark; both are taken off.
static bool password_number(struct str *rest, struct str prefix, char end, uint64_t *ret_number)
{
    if (!str_starts_with(*rest, prefix))
        return false;
    struct str tail = str_slice(*rest, prefix.len, rest->len);
    size_t len = str_find(tail, end);
    if (len == tail.len || !str_to_u64(str_slice(tail, 0, len), ret_number))
        return false;
    *rest = str_slice(tail, len + 1, tail.len);
    return true;
}

// The library takes any memory size that a hash asks for, and what a database holds may have been
// imported: the costs are read here first.
static bool password_affordable(struct str hash)
{
    uint64_t memory, passes, lanes;
    return password_number(&hash, STR("$argon2id$v=19$m="), ',', &memory) &&
           password_number(&hash, STR("t="), ',', &passes) &&
           password_number(&hash, STR("p="), '$', &lanes) && hash.len > 0 &&
           memory >= 8 && memory <= PASSWORD_MEMORY_KIB_MAX && passes >= 1 &&
           passes <= PASSWORD_PASSES_MAX && lanes == 1;
}

enum twoleg_error password_verify(struct str hash, struct str password)
{
    char text[PASSWORD_HASH_SIZE] = {0}; // the library reads as far as a NUL
    if (hash.len >= sizeof text || str_find(hash, '\0') != hash.len || !password_affordable(hash))
        return TWOLEG_MALFORMED;
    if (password.len == 0 || password.len > PASSWORD_MAX)
        return TWOLEG_SECRET_WRONG;
    if (fault_here(FAULT_MEMORY))
        return TWOLEG_NO_MEMORY;
    memcpy(text, hash.ptr, hash.len);
    errno = 0;
    if (crypto_pwhash_str_verify(text, password.ptr, password.len) == 0)
        return TWOLEG_NONE;
    // The library's one result for all failures; errno tells them apart.
    if (errno == EINVAL)
        return TWOLEG_SECRET_WRONG;
    return errno == ENOMEM ? TWOLEG_NO_MEMORY : TWOLEG_MALFORMED;
}
