// SPDX-License-Identifier: Apache-2.0
#include "crypto/password.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "base/buf.h"
#include "base/fault.h"
#include "crypto/wipe.h"

// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
#define PASSWORD_MEMORY_KIB 19456
#define PASSWORD_PASSES 2
#define PASSWORD_SALT 16
#define PASSWORD_TAG 32
// Of hashes that others made. The library's least are these.
#define PASSWORD_SALT_MIN 8
#define PASSWORD_TAG_MIN 16
#define PASSWORD_PART_MAX 64

_Static_assert(PASSWORD_SALT == crypto_pwhash_argon2id_SALTBYTES, "the library's salt");
_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_argon2id_STRBYTES, "the library's text fits");

// The memory that is taken by hashes now, in all threads: those of a big machine, each with an
// imported hash, would have more than the service may.
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t given;
    uint64_t kib;
} password_memory = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

_Static_assert(PASSWORD_MEMORY_KIB_MAX <= PASSWORD_MEMORY_KIB_ALL, "each one has its turn");

static void password_take_memory(uint64_t kib)
{
    pthread_mutex_lock(&password_memory.mutex);
    while (password_memory.kib + kib > PASSWORD_MEMORY_KIB_ALL)
        pthread_cond_wait(&password_memory.given, &password_memory.mutex);
    password_memory.kib += kib;
    pthread_mutex_unlock(&password_memory.mutex);
}

static void password_give_memory(uint64_t kib)
{
    pthread_mutex_lock(&password_memory.mutex);
    password_memory.kib -= kib;
    pthread_cond_broadcast(&password_memory.given);
    pthread_mutex_unlock(&password_memory.mutex);
}

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
    if (fault_here(FAULT_MEMORY))
        return TWOLEG_NO_MEMORY;
    password_take_memory(PASSWORD_MEMORY_KIB);
    int failed = crypto_pwhash(tag, sizeof tag, password.ptr, password.len, salt, PASSWORD_PASSES,
                               (size_t)PASSWORD_MEMORY_KIB * 1024, crypto_pwhash_ALG_ARGON2ID13);
    password_give_memory(PASSWORD_MEMORY_KIB);
    if (failed)
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
    // The library wants a number in its one spelling.
    if (len == tail.len || (len > 1 && tail.ptr[0] == '0') ||
        !str_to_u64(str_slice(tail, 0, len), ret_number))
        return false;
    *rest = str_slice(tail, len + 1, tail.len);
    return true;
}

// One part of the end of a PHC text: base64 without padding, of so many bytes.
static bool password_part(struct str text, size_t least, size_t most)
{
    uint8_t bytes[PASSWORD_PART_MAX];
    size_t len = 0;
    return sodium_base642bin(bytes, sizeof bytes, text.ptr, text.len, NULL, &len, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           len >= least && len <= most;
}

// Salt and hash: what stands behind the costs.
static bool password_is_whole(struct str rest)
{
    struct str salt, tag;
    return str_split(&rest, '$', &salt) && str_split(&rest, '$', &tag) && !rest.ptr &&
           password_part(salt, PASSWORD_SALT_MIN, PASSWORD_PART_MAX) &&
           password_part(tag, PASSWORD_TAG_MIN, PASSWORD_PART_MAX);
}

enum twoleg_error password_cost_read(struct str hash, struct password_cost *ret_cost)
{
    struct password_cost cost = {.is_id = str_starts_with(hash, STR("$argon2id$"))};
    struct str first = cost.is_id ? STR("$argon2id$v=19$m=") : STR("$argon2i$v=19$m=");
    if (!password_number(&hash, first, ',', &cost.memory_kib) ||
        !password_number(&hash, STR("t="), ',', &cost.passes) ||
        !password_number(&hash, STR("p="), '$', &cost.lanes) || cost.passes == 0 ||
        cost.lanes == 0 || !password_is_whole(hash))
        return TWOLEG_MALFORMED;
    if (cost.memory_kib > PASSWORD_MEMORY_KIB_MAX || cost.passes > PASSWORD_PASSES_MAX ||
        cost.lanes > PASSWORD_LANES_MAX ||
        cost.memory_kib * cost.passes > PASSWORD_WORK_KIB_MAX)
        return TWOLEG_RANGE;
    if (cost.memory_kib < 8 * cost.lanes)
        return TWOLEG_MALFORMED;
    *ret_cost = cost;
    return TWOLEG_NONE;
}

enum twoleg_error password_verify(struct str hash, struct str password)
{
    char text[PASSWORD_BROUGHT_MAX + 1] = {0}; // the library reads as far as a NUL
    struct password_cost cost;
    // The library takes any memory size that a hash asks for, and what a database holds may have
    // been imported: the costs are read here first.
    if (hash.len >= sizeof text || str_find(hash, '\0') != hash.len ||
        password_cost_read(hash, &cost))
        return TWOLEG_MALFORMED;
    if (password.len == 0 || password.len > PASSWORD_MAX)
        return TWOLEG_SECRET_WRONG;
    if (fault_here(FAULT_MEMORY))
        return TWOLEG_NO_MEMORY;
    memcpy(text, hash.ptr, hash.len);
    password_take_memory(cost.memory_kib);
    errno = 0;
    int failed = crypto_pwhash_str_verify(text, password.ptr, password.len);
    int reason = errno;
    password_give_memory(cost.memory_kib);
    if (!failed)
        return TWOLEG_NONE;
    // The library's one result for all failures; errno tells them apart.
    if (reason == EINVAL)
        return TWOLEG_SECRET_WRONG;
    return reason == ENOMEM ? TWOLEG_NO_MEMORY : TWOLEG_MALFORMED;
}

#define PASSWORD_TEXT_(number) #number
#define PASSWORD_TEXT(number) PASSWORD_TEXT_(number)

struct str password_nobodys(void)
{
    return STR("$argon2id$v=19$m=" PASSWORD_TEXT(PASSWORD_MEMORY_KIB)
               ",t=" PASSWORD_TEXT(PASSWORD_PASSES)
               ",p=1$bm9ib2R5cyBzYWx0IDE2Yg$dGhlIGhhc2ggdGhhdCBub2JvZHkncyB3b3JkIGdpdmU");
}
