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

struct jwk_kid jwk_kid(const struct sign_algorithm *algorithm, const struct ec_point *point)
{
    char x[BASE64URL_LEN(EC_COORDINATE_SIZE)];
    char y[BASE64URL_LEN(EC_COORDINATE_SIZE)];
    base64url_encode_to(x, point->x, sizeof point->x);
    base64url_encode_to(y, point->y, sizeof point->y);
    const struct jwk_member members[] = {
        {STR("crv"), algorithm->curve},
        {STR("kty"), algorithm->key_type},
        {STR("x"), str_of(x, sizeof x)},
        {STR("y"), str_of(y, sizeof y)},
    };
    struct sha256 thumbprint = {{0}};
    struct jwk_kid kid;
    // Cannot be refused: the order is right and base64url needs no escape.
    if (jwk_thumbprint(members, 4, &thumbprint) != TWOLEG_NONE)
        __builtin_trap();
    _Static_assert(BASE64URL_LEN(SHA256_SIZE) == sizeof kid.text, "the kid is a whole hash");
    base64url_encode_to(kid.text, thumbprint.bytes, sizeof thumbprint.bytes);
    return kid;
}

void jwk_write(struct json_writer *json, const struct jwk *jwk)
{
    char x[BASE64URL_LEN(EC_COORDINATE_SIZE)];
    char y[BASE64URL_LEN(EC_COORDINATE_SIZE)];
    base64url_encode_to(x, jwk->point.x, sizeof jwk->point.x);
    base64url_encode_to(y, jwk->point.y, sizeof jwk->point.y);
    json_object_begin(json);
    json_key_str(json, STR("kty"), jwk->algorithm->key_type);
    json_key_str(json, STR("crv"), jwk->algorithm->curve);
    json_key_str(json, STR("x"), str_of(x, sizeof x));
    json_key_str(json, STR("y"), str_of(y, sizeof y));
    json_key_str(json, STR("use"), STR("sig"));
    json_key_str(json, STR("alg"), jwk->algorithm->name);
    json_key_str(json, STR("kid"), jwk->kid);
    json_object_end(json);
}

// What a JWK says, before any of it is believed.
struct jwk_fields {
    struct str kty, crv, x, y, kid, use, alg;
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
        {STR("y"), &fields->y},     {STR("kid"), &fields->kid}, {STR("use"), &fields->use},
        {STR("alg"), &fields->alg},
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

// The row of this type and curve. An "alg" in the key must name the same row.
static const struct sign_algorithm *jwk_algorithm(const struct jwk_fields *fields)
{
    const struct sign_algorithm *algorithm = sign_algorithm_es256();
    bool fits = str_equal(algorithm->key_type, fields->kty) &&
                str_equal(algorithm->curve, fields->crv) &&
                (!fields->alg.ptr || str_equal(algorithm->name, fields->alg));
    return fits ? algorithm : NULL;
}

static bool jwk_coordinate(struct str text, uint8_t ret_bytes[EC_COORDINATE_SIZE])
{
    size_t len;
    return base64url_decode(text, ret_bytes, EC_COORDINATE_SIZE, &len) == TWOLEG_NONE &&
           len == EC_COORDINATE_SIZE;
}

enum twoleg_error jwk_read(struct str text, struct arena *arena, struct jwk *ret_jwk)
{
    struct jwk_fields fields = {0};
    struct jwk jwk;
    enum twoleg_error error = jwk_read_fields(text, arena, &fields);
    if (error)
        return error;
    if (!fields.kty.ptr)
        return TWOLEG_MISSING;
    if (fields.is_private || (fields.use.ptr && !str_equal(fields.use, STR("sig"))) ||
        !jwk_may_verify(fields.key_ops, arena))
        return TWOLEG_REFUSED;
    jwk.algorithm = jwk_algorithm(&fields);
    if (!jwk.algorithm)
        return TWOLEG_UNKNOWN;
    if (!fields.x.ptr || !fields.y.ptr)
        return TWOLEG_MISSING;
    // RFC 7518 6.2.1.2: always the full length, leading zeros included.
    if (!jwk_coordinate(fields.x, jwk.point.x) || !jwk_coordinate(fields.y, jwk.point.y))
        return TWOLEG_MALFORMED;
    jwk.kid = fields.kid;
    *ret_jwk = jwk;
    return TWOLEG_NONE;
}
