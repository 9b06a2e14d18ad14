// SPDX-License-Identifier: Apache-2.0
#include "jose/jwt.h"

#include <stddef.h>

#include "codec/base64url.h"
#include "codec/json_read.h"

static const struct json_limits jwt_header_limits = {.bytes = 8192, .depth = 6, .members = 32};
static const struct json_limits jwt_payload_limits = {.bytes = JWT_MAX, .depth = 16, .members = 64};

enum twoleg_error jwt_split(struct str token, struct jwt_parts *ret_parts)
{
    if (token.len > JWT_MAX)
        return TWOLEG_TOO_LONG;
    size_t first = str_find(token, '.');
    struct str tail = str_slice(token, first + 1, token.len);
    size_t second = str_find(tail, '.');
    struct str signature = str_slice(tail, second + 1, tail.len);
    // A part too few leaves the signature empty, a part too many leaves a dot in it.
    if (first == 0 || second == 0 || signature.len == 0 ||
        str_find(signature, '.') != signature.len)
        return TWOLEG_MALFORMED;
    *ret_parts = (struct jwt_parts){
        .header = str_slice(token, 0, first),
        .payload = str_slice(tail, 0, second),
        .signature = signature,
        .signed_text = str_slice(token, 0, first + 1 + second),
    };
    return TWOLEG_NONE;
}

static enum twoleg_error jwt_decode(struct str part, struct arena *arena, struct str *ret_text)
{
    size_t cap = BASE64URL_BYTES(part.len);
    size_t len;
    if (part.len > JWT_MAX)
        return TWOLEG_TOO_LONG;
    char *text = arena_alloc(arena, cap ? cap : 1);
    if (!text)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = base64url_decode(part, text, cap, &len);
    if (error)
        return error;
    *ret_text = str_of(text, len);
    return TWOLEG_NONE;
}

// Text that is safe to hand on: there, and the same text for code that stops at a NUL.
static bool jwt_is_text(const struct json_value *value)
{
    return value->kind == JSON_KIND_STRING && value->text.len > 0 &&
           str_find(value->text, '\0') == value->text.len;
}

// Names are short and mostly differ in length or first letter: that much is compared in place.
static inline bool jwt_name_equal(struct str name, struct str key)
{
    return name.len == key.len && name.ptr[0] == key.ptr[0] && str_equal(name, key);
}

// --- The header

// What must not be there: extensions that we would have to understand (RFC 7515 4.1.11), payloads
// that are not encoded (RFC 7797), encryption and compression (RFC 7516).
static bool jwt_header_forbids(struct str key)
{
    return jwt_name_equal(STR("crit"), key) || jwt_name_equal(STR("b64"), key) ||
           jwt_name_equal(STR("enc"), key) || jwt_name_equal(STR("zip"), key);
}

struct jwt_header_fields {
    struct str alg, typ, kid;
    bool forbidden;
};

static struct str *jwt_header_field(struct jwt_header_fields *fields, struct str key)
{
    if (jwt_name_equal(STR("alg"), key))
        return &fields->alg;
    if (jwt_name_equal(STR("typ"), key))
        return &fields->typ;
    return jwt_name_equal(STR("kid"), key) ? &fields->kid : NULL;
}

static enum twoleg_error jwt_read_header_fields(struct str json, struct arena *arena,
                                                struct jwt_header_fields *fields)
{
    struct json_reader reader;
    struct json_value value;
    struct str key;
    bool good = true;
    json_reader_init(&reader, json, arena, &jwt_header_limits);
    while (json_next_member(&reader, &key, &value)) {
        struct str *field = jwt_header_field(fields, key);
        fields->forbidden |= jwt_header_forbids(key);
        if (!field)
            continue;
        good = good && jwt_is_text(&value);
        *field = value.text;
    }
    enum twoleg_error error = json_reader_error(&reader);
    return error || good ? error : TWOLEG_MALFORMED;
}

enum twoleg_error jwt_read_header(struct str header, struct arena *arena,
                                  struct jwt_header *ret_header)
{
    struct jwt_header_fields fields = {0};
    struct str json;
    enum twoleg_error error = jwt_decode(header, arena, &json);
    if (!error)
        error = jwt_read_header_fields(json, arena, &fields);
    if (error)
        return error;
    if (fields.forbidden)
        return TWOLEG_REFUSED;
    if (!fields.alg.ptr || !fields.typ.ptr || !fields.kid.ptr)
        return TWOLEG_MISSING;
    // RFC 7515 4.1.9: a media type without regard to case, "application/" may be left out.
    if (!str_equal_nocase(fields.typ, JWT_TYPE) &&
        !str_equal_nocase(fields.typ, STR("application/at+jwt")))
        return TWOLEG_UNKNOWN;
    const struct sign_algorithm *algorithm = sign_algorithm_find(fields.alg);
    if (!algorithm)
        return TWOLEG_UNKNOWN;
    *ret_header = (struct jwt_header){algorithm, fields.kid};
    return TWOLEG_NONE;
}

// --- The claims

enum jwt_claim_kind { JWT_CLAIM_TEXT, JWT_CLAIM_TIME, JWT_CLAIM_AUDIENCE, JWT_CLAIM_OBJECT };

struct jwt_claim_row {
    struct str name;
    enum jwt_claim_kind kind;
    bool required; // RFC 9068 2.2
    size_t offset;
};

static const struct jwt_claim_row jwt_claim_rows[] = {
    {STR("iss"), JWT_CLAIM_TEXT, true, offsetof(struct jwt_claims, iss)},
    {STR("sub"), JWT_CLAIM_TEXT, true, offsetof(struct jwt_claims, sub)},
    {STR("client_id"), JWT_CLAIM_TEXT, true, offsetof(struct jwt_claims, client_id)},
    {STR("jti"), JWT_CLAIM_TEXT, true, offsetof(struct jwt_claims, jti)},
    {STR("aud"), JWT_CLAIM_AUDIENCE, true, 0},
    {STR("exp"), JWT_CLAIM_TIME, true, offsetof(struct jwt_claims, exp)},
    {STR("iat"), JWT_CLAIM_TIME, true, offsetof(struct jwt_claims, iat)},
    {STR("nbf"), JWT_CLAIM_TIME, false, offsetof(struct jwt_claims, nbf)},
    {STR("scope"), JWT_CLAIM_TEXT, false, offsetof(struct jwt_claims, scope)},
    {STR("cnf"), JWT_CLAIM_OBJECT, false, offsetof(struct jwt_claims, cnf)},
};
#define JWT_CLAIM_ROWS (sizeof jwt_claim_rows / sizeof *jwt_claim_rows)

static size_t jwt_claim_find(struct str key)
{
    size_t i = 0;
    while (i < JWT_CLAIM_ROWS && !jwt_name_equal(jwt_claim_rows[i].name, key))
        i++;
    return i;
}

// RFC 7519 4.1.3: one text, or an array of them. An empty array is no audience.
static enum twoleg_error jwt_read_audience(const struct json_value *value, struct arena *arena,
                                           struct jwt_claims *claims)
{
    if (jwt_is_text(value)) {
        claims->aud[claims->aud_count++] = value->text;
        return TWOLEG_NONE;
    }
    if (value->kind != JSON_KIND_ARRAY)
        return TWOLEG_MALFORMED;
    struct str rest = value->text;
    struct json_value each;
    while (json_array_next(&rest, arena, &each)) {
        if (!jwt_is_text(&each))
            return TWOLEG_MALFORMED;
        if (claims->aud_count == JWT_AUDIENCE_MAX)
            return TWOLEG_LIMIT;
        claims->aud[claims->aud_count++] = each.text;
    }
    return claims->aud_count && !rest.ptr ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

static enum twoleg_error jwt_read_time(const struct json_value *value, int64_t *ret_seconds)
{
    if (value->kind != JSON_KIND_INTEGER)
        return TWOLEG_MALFORMED;
    if (value->integer < 0 || value->integer > JWT_TIME_MAX)
        return TWOLEG_RANGE;
    *ret_seconds = value->integer;
    return TWOLEG_NONE;
}

static enum twoleg_error jwt_read_claim(const struct jwt_claim_row *row,
                                        const struct json_value *value, struct arena *arena,
                                        struct jwt_claims *claims)
{
    void *field = (char *)claims + row->offset;
    bool good = false;
    switch (row->kind) {
    case JWT_CLAIM_AUDIENCE:
        return jwt_read_audience(value, arena, claims);
    case JWT_CLAIM_TIME:
        return jwt_read_time(value, field);
    case JWT_CLAIM_TEXT:
        good = jwt_is_text(value);
        break;
    case JWT_CLAIM_OBJECT:
        good = value->kind == JSON_KIND_OBJECT;
        break;
    }
    if (good)
        *(struct str *)field = value->text;
    return good ? TWOLEG_NONE : TWOLEG_MALFORMED;
}

static enum twoleg_error jwt_read_claims_json(struct str json, struct arena *arena,
                                              struct jwt_claims *claims)
{
    struct json_reader reader;
    struct json_value value;
    struct str key;
    enum twoleg_error wrong = TWOLEG_NONE; // the first claim that is
    bool seen[JWT_CLAIM_ROWS + 1] = {false};
    json_reader_init(&reader, json, arena, &jwt_payload_limits);
    while (json_next_member(&reader, &key, &value)) {
        size_t row = jwt_claim_find(key);
        // The same claim twice is the reader's to refuse, but until it has, nothing is added twice.
        if (row < JWT_CLAIM_ROWS && !wrong && !seen[row])
            wrong = jwt_read_claim(&jwt_claim_rows[row], &value, arena, claims);
        seen[row] = true;
    }
    enum twoleg_error error = json_reader_error(&reader);
    if (error || wrong)
        return error ? error : wrong;
    for (size_t i = 0; i < JWT_CLAIM_ROWS; i++)
        if (jwt_claim_rows[i].required && !seen[i])
            return TWOLEG_MISSING;
    return TWOLEG_NONE;
}

enum twoleg_error jwt_read_claims(struct str payload, struct arena *arena,
                                  struct jwt_claims *ret_claims)
{
    struct jwt_claims claims = {0};
    struct str json;
    enum twoleg_error error = jwt_decode(payload, arena, &json);
    if (!error)
        error = jwt_read_claims_json(json, arena, &claims);
    if (error)
        return error;
    *ret_claims = claims;
    return TWOLEG_NONE;
}

// --- The whole

enum twoleg_error jwt_read_known(struct str token, const struct jwt_known_header *known,
                                 struct arena *arena, struct jwt *ret_jwt)
{
    struct jwt jwt;
    enum twoleg_error error = jwt_split(token, &jwt.parts);
    if (error)
        return error;
    if (known && str_equal(jwt.parts.header, known->text))
        jwt.header = known->header;
    else
        error = jwt_read_header(jwt.parts.header, arena, &jwt.header);
    if (!error)
        error = jwt_read_claims(jwt.parts.payload, arena, &jwt.unverified);
    if (error)
        return error;
    *ret_jwt = jwt;
    return TWOLEG_NONE;
}

enum twoleg_error jwt_read(struct str token, struct arena *arena, struct jwt *ret_jwt)
{
    return jwt_read_known(token, NULL, arena, ret_jwt);
}

enum twoleg_error jwt_verify(const struct jwt *jwt, const struct jwt_key *key,
                             const struct jwt_claims **ret_claims)
{
    uint8_t signature[SIGNATURE_MAX];
    size_t len;
    if (jwt->header.algorithm != verifier_algorithm(key->verifier) ||
        !str_equal(jwt->header.kid, key->kid))
        return TWOLEG_TOKEN_KEY;
    if (base64url_decode(jwt->parts.signature, signature, sizeof signature, &len) != TWOLEG_NONE)
        return TWOLEG_TOKEN_FORGED;
    enum twoleg_error error =
        verifier_check(key->verifier, jwt->parts.signed_text, str_of(signature, len));
    if (!error)
        *ret_claims = &jwt->unverified;
    return error;
}
