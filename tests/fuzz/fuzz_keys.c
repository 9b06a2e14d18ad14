// SPDX-License-Identifier: Apache-2.0
// Rows of keys, as somebody may have left them in the store (threats D2, D3): a line is
// `id|purpose|algorithm|state|HEX of the plain key|kid`, wrapped here under the master key. Without
// a kid it is the key's own; a line that starts with ! is wrapped and then damaged. Either all of
// them make a set in which every key is what it says, or the start is refused in words.
#include <string.h>

#include "base/fault.h"
#include "codec/json_read.h"
#include "crypto/init.h"
#include "fuzz.h"
#include "keyring/body.h"
#include "keyring/wrap.h"

#define KEYS_MAX 16

static struct env env;
static uint8_t master_bytes[MASTER_SIZE] = "thirty-two bytes that are fixed";

static int fuzz_nibble(char c)
{
    size_t at = str_find(STR("0123456789abcdef"), c);
    return at < 16 ? (int)at : 0;
}

static struct str fuzz_hex(struct arena *arena, struct str text)
{
    struct buf out;
    buf_init_arena(&out, arena, text.len / 2 + 1);
    for (size_t i = 0; i + 1 < text.len; i += 2)
        buf_add_char(&out, (char)(fuzz_nibble(text.ptr[i]) << 4 | fuzz_nibble(text.ptr[i + 1])));
    return buf_str(&out);
}

static struct str fuzz_kid(struct arena *arena, struct str algorithm, struct str der)
{
    const struct sign_algorithm *row = sign_algorithm_find(algorithm);
    struct sign_key *key = NULL;
    if (!row || sign_key_from_der(row, der, &key))
        return STR("");
    struct jwk_kid kid = jwk_kid(row, sign_key_public(key));
    sign_key_free(&key);
    return arena_copy(arena, str_of(kid.text, sizeof kid.text));
}

static bool fuzz_row(struct arena *arena, struct str line, struct store_key *key)
{
    struct str id = STR_NONE, hex = STR_NONE, kid = STR_NONE;
    bool damaged = str_starts_with(line, STR("!"));
    line = str_slice(line, damaged, line.len);
    *key = (struct store_key){.purpose = STR("")};
    if (!str_split(&line, '|', &id) || !str_split(&line, '|', &key->purpose) ||
        !str_split(&line, '|', &key->algorithm) || !str_split(&line, '|', &key->state) ||
        !str_split(&line, '|', &hex) || !str_to_u64(id, &key->id))
        return false;
    struct str plain = fuzz_hex(arena, hex);
    key->kid = str_split(&line, '|', &kid) ? kid : fuzz_kid(arena, key->algorithm, plain);
    if (wrap_seal(master_bytes, &env, plain, arena, key))
        return false;
    char *bytes = arena_alloc(arena, key->wrapped.len);
    memcpy(bytes, key->wrapped.ptr, key->wrapped.len);
    bytes[key->wrapped.len - 1] = (char)(bytes[key->wrapped.len - 1] ^ damaged);
    key->wrapped.ptr = bytes;
    // Of a key that is gone nothing is left.
    if (str_equal(key->state, STR("gone")))
        key->wrapped.len = 0;
    return true;
}

static void fuzz_signing(const struct signing_key *key, const struct keyring_set *set)
{
    struct jwk_kid kid = jwk_kid(verify_key_algorithm(key->public_key),
                                 verify_key_public(key->public_key));
    FUZZ_MUST(str_equal(key->kid, str_of(kid.text, sizeof kid.text)));
    FUZZ_MUST((key->private_key != NULL) == (key->state == KEY_SIGNING));
    FUZZ_MUST(key->state != KEY_GONE && keyring_find(set, key->kid));
    FUZZ_MUST(str_equal(verify_key_algorithm(key->public_key)->name, key->algorithm));
    if (key->state == KEY_SIGNING)
        FUZZ_MUST(keyring_signing(set, key->algorithm));
}

static void fuzz_set(const struct keyring_body *body, size_t rows)
{
    const struct keyring_set *set = &body->set;
    FUZZ_MUST(set->data_count + set->signing_count <= rows);
    for (int purpose = 0; purpose < KEY_PURPOSES; purpose++)
        FUZZ_MUST(keyring_active(set, (enum key_purpose)purpose));
    for (size_t i = 0; i < set->data_count; i++)
        FUZZ_MUST(keyring_data(set, set->data[i].purpose, set->data[i].id));
    for (size_t i = 0; i < set->signing_count; i++)
        fuzz_signing(&set->signing[i], set);
    FUZZ_MUST(json_check(set->jwks, NULL) == TWOLEG_NONE && set->guard.len > 0);
}

// The k-th allocation fails, for each k: no memory is what is said, and no row is blamed for it.
static void fuzz_faults(const struct master *master, const struct store_key *keys, size_t count,
                        enum twoleg_error expected)
{
    bool over = false;
    for (unsigned long nth = 1; !over; nth++) {
        struct keyring_body *body = NULL;
        char reason[512] = "";
        fault_arm(FAULT_MEMORY, nth, false);
        enum twoleg_error error =
            keyring_body_create(master, keys, count, 7, &body, reason);
        over = fault_count(FAULT_MEMORY) < nth;
        fault_arm(FAULT_MEMORY, 0, false);
        FUZZ_MUST(error == (over ? expected : TWOLEG_NO_MEMORY));
        keyring_body_destroy(body);
    }
}

// The rules of rotation beside them.
static void fuzz_rules(struct str text)
{
    char memory[128];
    struct buf out;
    struct rotation_rules rules, again;
    if (!rotation_rules_read(text, &rules))
        return;
    FUZZ_MUST(rules.age.value_us >= 0 && rules.life.until_us >= 0 && rules.period_us == 0);
    buf_init(&out, memory, sizeof memory);
    rotation_rules_write(&rules, &out);
    FUZZ_MUST(rotation_rules_read(buf_str(&out), &again));
    FUZZ_MUST(memcmp(&rules, &again, sizeof rules) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct master master = {.path = "/master.key", .bytes = master_bytes};
    struct store_key keys[KEYS_MAX];
    struct keyring_body *body = NULL;
    char reason[512] = "";
    struct str input = str_of(data, size);
    size_t count = 0;
    if (!env.random_left)
        FUZZ_MUST(crypto_init() == TWOLEG_NONE);
    memset(env.random, 0x5a, sizeof env.random);
    env.random_left = sizeof env.random;
    arena_init(&arena, NULL, (size_t)1 << 24);
    while (input.len && count < KEYS_MAX)
        count += fuzz_row(&arena, fuzz_line(&input), &keys[count]);
    enum twoleg_error error = keyring_body_create(&master, keys, count, 7, &body, reason);
    if (error)
        FUZZ_MUST(error == TWOLEG_REFUSED && reason[0] && !body);
    else
        fuzz_set(body, count);
    keyring_body_destroy(body);
    fuzz_faults(&master, keys, count, error);
    fuzz_rules(str_of(data, size));
    arena_finish(&arena);
    return 0;
}
