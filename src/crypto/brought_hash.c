// SPDX-License-Identifier: Apache-2.0
#include "crypto/brought_hash.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"

#define BCRYPT_LEN 60
#define BCRYPT_HASH_AT 29 // behind the salt
#define PBKDF2_SALT_MAX 128
#define PBKDF2_TAG_MIN 16
#define PBKDF2_TAG_MAX 64
#define PBKDF2_BLOCK 32 // bytes of SHA-256: each block of the tag costs all rounds

// ---------------------------------------------------------------------------------- reading

struct brought_hash_parts {
    enum brought_hash kind;
    uint64_t rounds; // PBKDF2, and the two behind it
    uint8_t salt[PBKDF2_SALT_MAX];
    size_t salt_len;
    uint8_t tag[PBKDF2_TAG_MAX];
    size_t tag_len;
    const char *problem;
};

static enum twoleg_error brought_hash_refuse(struct brought_hash_parts *parts,
                                             enum twoleg_error error, const char *problem)
{
    parts->problem = problem;
    return error;
}

static enum twoleg_error brought_hash_read_argon2(struct str text, struct brought_hash_parts *parts)
{
    struct password_cost cost;
    enum twoleg_error error = password_cost_read(text, &cost);
    if (error == TWOLEG_RANGE)
        return brought_hash_refuse(parts, error,
                                "this Argon2 hash costs too much: up to 256 MiB, 16 passes, 16 "
                                "lanes, and 1 GiB as memory times passes");
    if (error)
        return brought_hash_refuse(parts, error,
                                "it is no whole Argon2 hash: $argon2id$v=19$m=...,t=...,p=...$"
                                "salt$hash");
    parts->kind = cost.is_id ? BROUGHT_ARGON2ID : BROUGHT_ARGON2I;
    return TWOLEG_NONE;
}

static enum twoleg_error brought_hash_read_argon2d(struct str text,
                                                   struct brought_hash_parts *parts)
{
    (void)text;
    return brought_hash_refuse(parts, TWOLEG_MALFORMED,
                            "Argon2d is not for secrets (its time tells about them) and cannot be "
                            "checked here; argon2id and argon2i can");
}

static bool brought_hash_is_bcrypt_digit(char c)
{
    static const char digits[] =
        "./ABCDEFGHIJKLMNOPQRSTUVWXYZ" "abcdefghijklmnopqrstuvwxyz0123456789";
    return c && strchr(digits, c);
}

static enum twoleg_error brought_hash_read_bcrypt(struct str text, struct brought_hash_parts *parts)
{
    uint64_t cost = 0;
    bool whole = text.len == BCRYPT_LEN && str_find(STR("aby"), text.ptr[2]) < 3 &&
                 text.ptr[3] == '$' && text.ptr[6] == '$' &&
                 str_to_u64(str_slice(text, 4, 6), &cost) && cost >= 4;
    for (size_t i = 7; whole && i < BCRYPT_LEN; i++)
        whole = brought_hash_is_bcrypt_digit(text.ptr[i]);
    if (!whole)
        return brought_hash_refuse(parts, TWOLEG_MALFORMED,
                                "it is no whole bcrypt hash: $2a$, $2b$ or $2y$, two digits of "
                                "cost from 04, $, and 53 characters");
    if (cost > BROUGHT_BCRYPT_COST_MAX)
        return brought_hash_refuse(parts, TWOLEG_RANGE,
                                "its bcrypt cost is over 14: each attempt would take seconds");
    parts->kind = BROUGHT_BCRYPT;
    return TWOLEG_NONE;
}

// Standard base64 without padding, where passlib writes a dot for the plus.
static bool brought_hash_bytes(struct str text, int variant, uint8_t *bytes, size_t size,
                            size_t *ret_len)
{
    char plain[BROUGHT_MAX];
    if (text.len > sizeof plain)
        return false;
    for (size_t i = 0; i < text.len; i++)
        plain[i] = text.ptr[i] == '.' && variant == sodium_base64_VARIANT_ORIGINAL_NO_PADDING
                       ? '+'
                       : text.ptr[i];
    return sodium_base642bin(bytes, size, plain, text.len, NULL, ret_len, NULL, variant) == 0;
}

static enum twoleg_error brought_hash_check_pbkdf2(struct brought_hash_parts *parts, bool whole)
{
    size_t blocks = (parts->tag_len + PBKDF2_BLOCK - 1) / PBKDF2_BLOCK;
    if (!whole || parts->salt_len == 0 || parts->tag_len < PBKDF2_TAG_MIN)
        return brought_hash_refuse(parts, TWOLEG_MALFORMED,
                                "it is no whole PBKDF2 hash: $pbkdf2-sha256$rounds$salt$hash, or "
                                "pbkdf2_sha256$rounds$salt$hash as Django writes it");
    if (parts->rounds > BROUGHT_ROUNDS_MAX / blocks)
        return brought_hash_refuse(parts, TWOLEG_RANGE,
                                "its PBKDF2 rounds are over 2000000: each attempt would take "
                                "seconds");
    if (parts->rounds < BROUGHT_ROUNDS_MIN)
        return brought_hash_refuse(parts, TWOLEG_RANGE,
                                "its PBKDF2 rounds are under 1000: that is no slow hash");
    parts->kind = BROUGHT_PBKDF2;
    return TWOLEG_NONE;
}

// "29000", or as the PHC's own rules have it "i=29000" or "i=29000,l=32".
static bool brought_hash_rounds(struct str text, uint64_t *ret_rounds, uint64_t *ret_len)
{
    size_t comma = str_find(text, ',');
    struct str len = str_slice(text, comma + 1, text.len);
    struct str rounds = str_slice(text, 0, comma);
    if (str_starts_with(rounds, STR("i=")))
        rounds = str_slice(rounds, 2, rounds.len);
    if (comma < text.len && (!str_starts_with(len, STR("l=")) ||
                             !str_to_u64(str_slice(len, 2, len.len), ret_len)))
        return false;
    return str_to_u64(rounds, ret_rounds);
}

static enum twoleg_error brought_hash_read_pbkdf2(struct str text, struct brought_hash_parts *parts)
{
    struct str rest = str_slice(text, sizeof "$pbkdf2-sha256$" - 1, text.len);
    struct str rounds, salt, tag;
    uint64_t len = 0;
    int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    bool whole = str_split(&rest, '$', &rounds) && str_split(&rest, '$', &salt) &&
                 str_split(&rest, '$', &tag) && !rest.ptr &&
                 brought_hash_rounds(rounds, &parts->rounds, &len) &&
                 brought_hash_bytes(salt, variant, parts->salt, sizeof parts->salt,
                                 &parts->salt_len) &&
                 brought_hash_bytes(tag, variant, parts->tag, sizeof parts->tag, &parts->tag_len) &&
                 (len == 0 || len == parts->tag_len);
    return brought_hash_check_pbkdf2(parts, whole);
}

// Django's salt is text, and its hash is padded.
static enum twoleg_error brought_hash_read_django(struct str text, struct brought_hash_parts *parts)
{
    struct str rest = str_slice(text, sizeof "pbkdf2_sha256$" - 1, text.len);
    struct str rounds, salt, tag;
    bool whole = str_split(&rest, '$', &rounds) && str_split(&rest, '$', &salt) &&
                 str_split(&rest, '$', &tag) && !rest.ptr &&
                 str_to_u64(rounds, &parts->rounds) && salt.len <= sizeof parts->salt &&
                 brought_hash_bytes(tag, sodium_base64_VARIANT_ORIGINAL, parts->tag,
                                 sizeof parts->tag, &parts->tag_len);
    if (whole && salt.len)
        memcpy(parts->salt, salt.ptr, salt.len);
    parts->salt_len = whole ? salt.len : 0;
    return brought_hash_check_pbkdf2(parts, whole);
}

static enum twoleg_error brought_hash_read_other(struct str text, struct brought_hash_parts *parts)
{
    (void)text;
    return brought_hash_refuse(parts, TWOLEG_MALFORMED,
                            "of PBKDF2 only hashes with SHA-256 can be checked here");
}

static const struct brought_hash_row {
    struct str prefix;
    enum twoleg_error (*read)(struct str text, struct brought_hash_parts *parts);
} brought_hash_rows[] = {
    {{"$argon2id$", 10}, brought_hash_read_argon2},    {{"$argon2i$", 9}, brought_hash_read_argon2},
    {{"$argon2d$", 9}, brought_hash_read_argon2d},     {{"$2", 2}, brought_hash_read_bcrypt},
    {{"$pbkdf2-sha256$", 15}, brought_hash_read_pbkdf2},
    {{"pbkdf2_sha256$", 14}, brought_hash_read_django}, {{"$pbkdf2", 7}, brought_hash_read_other},
    {{"pbkdf2_", 7}, brought_hash_read_other},
};

static const struct brought_hash_row *brought_hash_row(struct str text)
{
    for (size_t i = 0; i < sizeof brought_hash_rows / sizeof *brought_hash_rows; i++)
        if (str_starts_with(text, brought_hash_rows[i].prefix))
            return &brought_hash_rows[i];
    return NULL;
}

bool brought_hash_is_like(struct str text)
{
    return brought_hash_row(text) != NULL;
}

static enum twoleg_error brought_hash_take(struct str text, struct brought_hash_parts *ret_parts)
{
    const struct brought_hash_row *row = brought_hash_row(text);
    *ret_parts = (struct brought_hash_parts){.problem = NULL};
    if (!row)
        return brought_hash_refuse(ret_parts, TWOLEG_MALFORMED,
                                "it is none of the hashes that can be checked here: SHA-256 in "
                                "hex or base64, bcrypt, PBKDF2 or Argon2");
    if (text.len > BROUGHT_MAX || str_find(text, '\0') != text.len)
        return brought_hash_refuse(ret_parts, TWOLEG_MALFORMED,
                                   "the hash is longer than 256 bytes");
    return row->read(text, ret_parts);
}

enum twoleg_error brought_hash_read(struct str text, enum brought_hash *ret_kind,
                                 const char **ret_problem)
{
    struct brought_hash_parts parts;
    enum twoleg_error error = brought_hash_take(text, &parts);
    if (error)
        *ret_problem = parts.problem;
    else
        *ret_kind = parts.kind;
    return error;
}

// ---------------------------------------------------------------------------------- verifying

static enum twoleg_error brought_hash_verdict(bool equal)
{
    return equal ? TWOLEG_NONE : TWOLEG_SECRET_WRONG;
}

// The library takes C strings and some 32 KiB of memory.
struct brought_hash_bcrypt {
    struct crypt_data data;
    char hash[BCRYPT_LEN + 1];
    char presented[PASSWORD_MAX + 1];
};

static enum twoleg_error brought_hash_verify_bcrypt(const struct brought_hash_parts *parts,
                                                 struct str hash, struct str presented)
{
    (void)parts;
    if (str_find(presented, '\0') != presented.len)
        return TWOLEG_SECRET_WRONG;
    struct brought_hash_bcrypt *work =
        fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *work);
    if (!work)
        return TWOLEG_NO_MEMORY;
    memcpy(work->hash, hash.ptr, hash.len);
    memcpy(work->presented, presented.ptr, presented.len);
    const char *made = crypt_r(work->presented, work->hash, &work->data);
    // The salt's last digit has bits that mean nothing, and that not everybody writes alike.
    bool equal = made && strlen(made) == BCRYPT_LEN &&
                 secret_equal(made + BCRYPT_HASH_AT, work->hash + BCRYPT_HASH_AT,
                              BCRYPT_LEN - BCRYPT_HASH_AT);
    wipe(work, sizeof *work);
    free(work);
    return brought_hash_verdict(equal);
}

static enum twoleg_error brought_hash_verify_pbkdf2(const struct brought_hash_parts *parts,
                                                 struct str hash, struct str presented)
{
    (void)hash;
    uint8_t made[PBKDF2_TAG_MAX];
    if (fault_here(FAULT_MEMORY) ||
        PKCS5_PBKDF2_HMAC(presented.ptr, (int)presented.len, parts->salt, (int)parts->salt_len,
                          (int)parts->rounds, EVP_sha256(), (int)parts->tag_len, made) != 1)
        return TWOLEG_NO_MEMORY;
    bool equal = secret_equal(made, parts->tag, parts->tag_len);
    wipe(made, sizeof made);
    return brought_hash_verdict(equal);
}

// The digest is a password like any other: in hex, as it cannot hold a NUL then.
#define BROUGHT_HEX (2 * SHA256_SIZE)

static void brought_hash_hex(char hex[static BROUGHT_HEX], const struct sha256 *digest)
{
    struct buf out;
    buf_init(&out, hex, BROUGHT_HEX);
    buf_add_hex(&out, digest->bytes, sizeof digest->bytes);
}

enum twoleg_error brought_hash_verify_sha256(struct str hash, const struct sha256 *digest)
{
    char hex[BROUGHT_HEX];
    brought_hash_hex(hex, digest);
    enum twoleg_error error = password_verify(hash, str_of(hex, sizeof hex));
    wipe(hex, sizeof hex);
    return error;
}

enum twoleg_error brought_hash_make_sha256(struct env *env, const struct sha256 *digest,
                                        struct password_hash *ret_hash)
{
    char hex[BROUGHT_HEX];
    brought_hash_hex(hex, digest);
    enum twoleg_error error = password_hash(env, str_of(hex, sizeof hex), ret_hash);
    wipe(hex, sizeof hex);
    return error;
}

enum twoleg_error brought_hash_verify(enum brought_hash kind, struct str hash,
                                      struct str presented)
{
    struct brought_hash_parts parts;
    bool over_sha256 = kind == BROUGHT_ARGON2ID_SHA256;
    if (brought_hash_take(hash, &parts) ||
        parts.kind != (over_sha256 ? BROUGHT_ARGON2ID : kind))
        return TWOLEG_MALFORMED;
    if (presented.len == 0 || presented.len > PASSWORD_MAX)
        return TWOLEG_SECRET_WRONG;
    if (kind == BROUGHT_BCRYPT)
        return brought_hash_verify_bcrypt(&parts, hash, presented);
    if (kind == BROUGHT_PBKDF2)
        return brought_hash_verify_pbkdf2(&parts, hash, presented);
    if (!over_sha256)
        return password_verify(hash, presented);
    struct sha256 digest = sha256(presented);
    enum twoleg_error error = brought_hash_verify_sha256(hash, &digest);
    wipe(&digest, sizeof digest);
    return error;
}
