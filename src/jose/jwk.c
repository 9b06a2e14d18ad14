// SPDX-License-Identifier: Apache-2.0
#include "jose/jwk.h"

#include "codec/base64url.h"
#include "codec/json_read.h"

static const struct json_limits jwk_limits = {.bytes = JWK_TEXT_MAX, .depth = 4, .members = 32};

// Text that JSON writes as it is; every member of a thumbprint is base64url or a name.
static bool jwk_text_is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e || text.ptr[i] == '"' || text.ptr[i] == '\\')
            return false;
    return true;
}

enum twoleg_error jwk_thumbprint(const struct jwk_member *members, size_t count,
                                 struct sha256 *ret_thumbprint)
{
    struct sha256_state state;
    sha256_init(&state);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && str_compare(members[i - 1].name, members[i].name) >= 0)
            return TWOLEG_MALFORMED;
        if (!jwk_text_is_plain(members[i].name) || !jwk_text_is_plain(members[i].value))
            return TWOLEG_MALFORMED;
        sha256_add(&state, i == 0 ? STR("{\"") : STR(",\""));
        sha256_add(&state, members[i].name);
        sha256_add(&state, STR("\":\""));
        sha256_add(&state, members[i].value);
        sha256_add(&state, STR("\""));
    }
    if (count == 0)
        return TWOLEG_MALFORMED;
    sha256_add(&state, STR("}"));
    *ret_thumbprint = sha256_finish(&state);
    return TWOLEG_NONE;
}

#define JWK_MEMBER_TEXT_MAX BASE64URL_LEN(PUBLIC_MEMBER_MAX)

// The members of the public key, in the order of a thumbprint: e stands before kty, crv too, and n,
// x and y behind it. Returns how many; texts is the memory of the two that are numbers.
static size_t jwk_members(const struct sign_algorithm *algorithm, const struct public_key *key,
                          char (*texts)[2][JWK_MEMBER_TEXT_MAX], struct jwk_member members[4])
{
    const struct public_member *values[2] = {&key->first, &key->second};
    const struct str names[2] = {algorithm->first, algorithm->second};
    size_t count = 0;
    if (algorithm->curve.len)
        members[count++] = (struct jwk_member){STR("crv"), algorithm->curve};
    members[count++] = (struct jwk_member){STR("kty"), algorithm->key_type};
    for (size_t i = 0; i < 2 && names[i].len; i++) {
        base64url_encode_to((*texts)[i], values[i]->bytes, values[i]->len);
        struct str text = str_of((*texts)[i], BASE64URL_LEN(values[i]->len));
        size_t at = count++;
        for (; at > 0 && str_compare(members[at - 1].name, names[i]) > 0; at--)
            members[at] = members[at - 1];
        members[at] = (struct jwk_member){names[i], text};
    }
    return count;
}

struct jwk_kid jwk_kid(const struct sign_algorithm *algorithm, const struct public_key *key)
{
    char texts[2][JWK_MEMBER_TEXT_MAX];
    struct jwk_member members[4];
    struct sha256 thumbprint = {{0}};
    struct jwk_kid kid;
    size_t count = jwk_members(algorithm, key, &texts, members);
    // Cannot be refused: the order is right and base64url needs no escape.
    if (jwk_thumbprint(members, count, &thumbprint) != TWOLEG_NONE)
        __builtin_trap();
    _Static_assert(BASE64URL_LEN(SHA256_SIZE) == sizeof kid.text, "the kid is a whole hash");
    base64url_encode_to(kid.text, thumbprint.bytes, sizeof thumbprint.bytes);
    return kid;
}

void jwk_write(struct json_writer *json, const struct jwk *jwk)
{
    char texts[2][JWK_MEMBER_TEXT_MAX];
    struct jwk_member members[4];
    size_t count = jwk_members(jwk->algorithm, &jwk->key, &texts, members);
    json_object_begin(json);
    for (size_t i = 0; i < count; i++)
        json_key_str(json, members[i].name, members[i].value);
    json_key_str(json, STR("use"), STR("sig"));
    json_key_str(json, STR("alg"), jwk->algorithm->name);
    json_key_str(json, STR("kid"), jwk->kid);
    json_object_end(json);
}

// What a JWK says, before any of it is believed.
struct jwk_fields {
    struct str kty, crv, x, y, n, e, kid, use, alg;
    struct str key_ops; // the array's text
    bool is_private;    // d of EC, OKP and RSA, k of oct
};

static struct str *jwk_field(struct jwk_fields *fields, struct str key)
{
    const struct {
        struct str name;
        struct str *field;
    } rows[] = {
        {STR("kty"), &fields->kty}, {STR("crv"), &fields->crv}, {STR("x"), &fields->x},
        {STR("y"), &fields->y},     {STR("n"), &fields->n},     {STR("e"), &fields->e},
        {STR("kid"), &fields->kid}, {STR("use"), &fields->use}, {STR("alg"), &fields->alg},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (str_equal(rows[i].name, key))
            return rows[i].field;
    return NULL;
}

static enum twoleg_error jwk_read_fields(struct str text, struct arena *arena,
                                         struct jwk_fields *fields)
{
    struct json_reader reader;
    struct json_value value;
    struct str key;
    bool good = true;
    json_reader_init(&reader, text, arena, &jwk_limits);
    while (json_next_member(&reader, &key, &value)) {
        struct str *field = jwk_field(fields, key);
        if (field) {
            good = good && value.kind == JSON_KIND_STRING && value.text.len > 0;
            *field = value.text;
        } else if (str_equal(key, STR("key_ops"))) {
            good = good && value.kind == JSON_KIND_ARRAY;
            fields->key_ops = value.text;
        } else if (str_equal(key, STR("d")) || str_equal(key, STR("k"))) {
            fields->is_private = true;
        }
    }
    enum twoleg_error error = json_reader_error(&reader);
    return error || good ? error : TWOLEG_MALFORMED;
}

// RFC 7517 4.3: a key with key_ops is for these only.
static bool jwk_may_verify(struct str key_ops, struct arena *arena)
{
    struct json_value value;
    if (!key_ops.ptr)
        return true;
    while (json_array_next(&key_ops, arena, &value))
        if (value.kind == JSON_KIND_STRING && str_equal(value.text, STR("verify")))
            return true;
    return false;
}

// The row of this type and curve. An "alg" in the key must name the same row, and there must be one
// where the type has several.
static enum twoleg_error jwk_algorithm(const struct jwk_fields *fields,
                                       const struct sign_algorithm **ret_algorithm)
{
    const struct sign_algorithm *found = NULL, *row;
    for (size_t i = 0; (row = sign_algorithm_at(i)); i++) {
        if (!str_equal(row->key_type, fields->kty) ||
            (row->curve.len && !str_equal(row->curve, fields->crv)) ||
            (fields->alg.ptr && !str_equal(row->name, fields->alg)))
            continue;
        if (found)
            return TWOLEG_MISSING;
        found = row;
    }
    if (!found)
        return TWOLEG_UNKNOWN;
    *ret_algorithm = found;
    return TWOLEG_NONE;
}

static bool jwk_member_read(struct str text, struct public_member *ret_member)
{
    return base64url_decode(text, ret_member->bytes, sizeof ret_member->bytes,
                            &ret_member->len) == TWOLEG_NONE;
}

// MISSING, or MALFORMED: no base64url, or not of the row's length. RFC 7518 6.2.1.2 wants always
// the full length, leading zeros included.
static enum twoleg_error jwk_key(const struct jwk_fields *fields,
                                 const struct sign_algorithm *algorithm,
                                 struct public_key *ret_key)
{
    bool rsa = algorithm->coordinate_len == 0;
    struct str first = rsa ? fields->n : fields->x;
    struct str second = rsa ? fields->e : fields->y;
    if (!first.ptr || (algorithm->second.len && !second.ptr))
        return TWOLEG_MISSING;
    if (!jwk_member_read(first, &ret_key->first) ||
        (algorithm->second.len && !jwk_member_read(second, &ret_key->second)))
        return TWOLEG_MALFORMED;
    size_t len = algorithm->coordinate_len;
    bool fits = rsa || (ret_key->first.len == len &&
                        (!algorithm->second.len || ret_key->second.len == len));
    return fits ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

enum twoleg_error jwk_read(struct str text, struct arena *arena, struct jwk *ret_jwk)
{
    struct jwk_fields fields = {0};
    struct jwk jwk = {0};
    enum twoleg_error error = jwk_read_fields(text, arena, &fields);
    if (error)
        return error;
    if (!fields.kty.ptr)
        return TWOLEG_MISSING;
    if (fields.is_private || (fields.use.ptr && !str_equal(fields.use, STR("sig"))) ||
        !jwk_may_verify(fields.key_ops, arena))
        return TWOLEG_REFUSED;
    error = jwk_algorithm(&fields, &jwk.algorithm);
    if (!error)
        error = jwk_key(&fields, jwk.algorithm, &jwk.key);
    if (error)
        return error;
    jwk.kid = fields.kid;
    *ret_jwk = jwk;
    return TWOLEG_NONE;
}
