// SPDX-License-Identifier: Apache-2.0
// What clients and resource servers find out by themselves: RFC 8414 metadata and the JWKS
// (RFC 7517), both cacheable, with an ETag, and open to scripts of any origin: nothing in them
// depends on who asks.
#include "base/buf.h"
#include "base/fault.h"
#include "codec/base64url.h"
#include "codec/json_write.h"
#include "crypto/hash.h"
#include "endpoint/routes.h"
#include "endpoint/server.h"

#define METADATA_CORS "Access-Control-Allow-Origin: *\r\n"
#define METADATA_ROOM ((size_t)4096) // for all but the scopes: the longest URLs fit

static void metadata_list(struct json_writer *json, struct str key, struct str words)
{
    struct str word;
    json_key(json, key);
    json_array_begin(json);
    while (str_word(&words, &word))
        json_str(json, word);
    json_array_end(json);
}

static void metadata_link(struct json_writer *json, struct arena *arena, struct str key,
                          struct str issuer, struct str path)
{
    struct buf url;
    buf_init_arena(&url, arena, issuer.len + path.len);
    buf_add(&url, issuer);
    buf_add(&url, path);
    json_key_str(json, key, buf_str(&url));
}

// One issuer, one document: what it says of tokens is what is taken at the issuer's address.
static const struct dialect *metadata_dialect(const struct http_request *request)
{
    const struct dialect *dialect = endpoint_issuer_dialect(request);
    return dialect ? dialect : dialect_set_rfc6749(endpoint_dialects(request));
}

static bool metadata_is_fixed(const struct dialect_endpoint *endpoint)
{
    return str_find(endpoint->path, '{') == endpoint->path.len;
}

// There is one in the document: the first that applications ask, with an address if there is one.
static const struct dialect_endpoint *metadata_endpoint(const struct dialect *dialect)
{
    const struct dialect_endpoint *endpoints = dialect->endpoints.items;
    const struct dialect_endpoint *found = &endpoints[0];
    unsigned best = 0;
    for (size_t i = 0; i < dialect->endpoints.count; i++) {
        unsigned applications = endpoints[i].grants & GRANT_BIT(GRANT_CLIENT_CREDENTIALS) ? 2 : 0;
        unsigned worth = applications + metadata_is_fixed(&endpoints[i]);
        if (worth > best)
            found = &endpoints[i];
        best = worth > best ? worth : best;
    }
    return found;
}

// The values of grant_type that it takes, as far as the configuration lets them.
static void metadata_grants(struct json_writer *json, const struct http_request *request,
                            const struct dialect *dialect, unsigned grants)
{
    const struct dialect_grant *names = dialect->grants.items;
    if (!endpoint_config(request)->password_grant)
        grants &= GRANT_BIT(GRANT_CLIENT_CREDENTIALS);
    if (!dialect->rules.refreshes)
        grants &= ~GRANT_BIT(GRANT_REFRESH_TOKEN);
    json_key(json, STR("grant_types_supported"));
    json_array_begin(json);
    for (size_t i = 0; i < dialect->grants.count; i++)
        if (grants & GRANT_BIT(names[i].is))
            json_str(json, names[i].name);
    json_array_end(json);
}

// RFC 6749 section 2.3.1 has them in the body, under this name.
static bool metadata_has_in_body(const struct dialect *dialect, enum dialect_meaning meaning,
                                 struct str name)
{
    const struct dialect_parameter *parameters = dialect->parameters.items;
    for (size_t i = 0; i < dialect->parameters.count; i++) {
        const unsigned *places = parameters[i].in.items;
        if (parameters[i].is != meaning || !str_equal(parameters[i].name, name))
            continue;
        for (size_t k = 0; k < parameters[i].in.count; k++)
            if (places[k] == PLACE_BODY)
                return true;
    }
    return false;
}

// Those of RFC 8414 only: a pair under names of its own has no name there.
static void metadata_auth_methods(struct json_writer *json, const struct dialect *dialect)
{
    bool basic = dialect->client.methods & DIALECT_BASIC;
    bool post = dialect->client.methods & DIALECT_PARAMETERS && dialect->bodies & BODY_FORM &&
                metadata_has_in_body(dialect, MEANING_CLIENT_ID, STR("client_id")) &&
                metadata_has_in_body(dialect, MEANING_CLIENT_SECRET, STR("client_secret"));
    json_key(json, STR("token_endpoint_auth_methods_supported"));
    json_array_begin(json);
    if (basic)
        json_str(json, STR("client_secret_basic"));
    if (post)
        json_str(json, STR("client_secret_post"));
    json_array_end(json);
}

static void metadata_write(struct json_writer *json, const struct http_request *request,
                           struct str scopes)
{
    const struct config *config = endpoint_config(request);
    const struct dialect *dialect = metadata_dialect(request);
    const struct dialect_endpoint *endpoint = metadata_endpoint(dialect);
    struct arena *arena = request->arena;
    const struct str methods = STR("client_secret_basic client_secret_post");
    struct str issuer = config->issuer;
    json_object_begin(json);
    json_key_str(json, STR("issuer"), issuer);
    if (metadata_is_fixed(endpoint)) // one with a {word} is no address
        metadata_link(json, arena, STR("token_endpoint"), issuer, endpoint->path);
    metadata_link(json, arena, STR("introspection_endpoint"), issuer, STR("/oauth/introspect"));
    metadata_link(json, arena, STR("revocation_endpoint"), issuer, STR("/oauth/revoke"));
    metadata_link(json, arena, STR("jwks_uri"), issuer, STR("/.well-known/jwks.json"));
    metadata_grants(json, request, dialect, endpoint->grants);
    // Required by RFC 8414 section 2; there is no authorization endpoint.
    metadata_list(json, STR("response_types_supported"), STR(""));
    metadata_auth_methods(json, dialect);
    metadata_list(json, STR("introspection_endpoint_auth_methods_supported"), methods);
    metadata_list(json, STR("revocation_endpoint_auth_methods_supported"), methods);
    if (scopes.ptr) // recommended, not required: too many are not listed
        metadata_list(json, STR("scopes_supported"), scopes);
    if (config->service_documentation.len)
        json_key_str(json, STR("service_documentation"), config->service_documentation);
    json_object_end(json);
}

// If-None-Match: a list, compared weakly. Our tags hold no comma, so parts of others do no harm.
static bool metadata_known(struct str known, struct str tag)
{
    struct str part;
    if (str_equal(str_trim(known, " \t"), STR("*")))
        return true;
    while (str_split(&known, ',', &part)) {
        part = str_trim(part, " \t");
        bool weak = str_starts_with(part, STR("W/"));
        if (str_equal(str_slice(part, weak ? 2 : 0, part.len), tag))
            return true;
    }
    return false;
}

// The document with its caching headers; 304 when the client has it already (RFC 9110 13.1.2).
static void metadata_answer(struct http_request *request, struct str document,
                            struct http_answer *ret_answer)
{
    struct sha256 digest = sha256(document);
    struct buf headers;
    char tag[2 + BASE64URL_LEN(12)];
    tag[0] = tag[sizeof tag - 1] = '"';
    base64url_encode_to(tag + 1, digest.bytes, 12);
    buf_init_arena(&headers, request->arena, 256);
    buf_add(&headers, STR(METADATA_CORS "Access-Control-Expose-Headers: ETag\r\n"));
    buf_add(&headers, STR("Cache-Control: public, max-age="));
    buf_add_i64(&headers, endpoint_config(request)->jwks_max_age / SECOND_US);
    buf_add(&headers, STR("\r\nETag: "));
    buf_add(&headers, str_of(tag, sizeof tag));
    buf_add(&headers, STR("\r\n"));
    struct str known = http_request_header(request, STR("If-None-Match"));
    bool same = metadata_known(known, str_of(tag, sizeof tag));
    *ret_answer = (struct http_answer){
        .status = same ? 304 : 200,
        .content_type = same ? STR_NONE : STR("application/json"),
        .body = same ? STR_NONE : document,
        .headers = buf_str(&headers),
    };
}

static void metadata_unavailable(struct http_answer *ret_answer)
{
    *ret_answer = (struct http_answer){
        .status = 503,
        .content_type = STR("application/json"),
        .body = STR("{\"error\":\"temporarily_unavailable\"}"),
        .headers = STR(METADATA_CORS "Retry-After: 1\r\n"),
        .no_store = true,
    };
}

// A browser asks first when a script sends a header of its own, such as If-None-Match (Fetch
// standard, CORS-preflight).
static void metadata_preflight(struct http_answer *ret_answer)
{
    *ret_answer = (struct http_answer){
        .status = 204,
        .headers = STR(METADATA_CORS "Access-Control-Allow-Methods: GET, HEAD\r\n"
                       "Access-Control-Allow-Headers: *\r\n"
                       "Access-Control-Max-Age: 86400\r\n"),
    };
}

enum twoleg_error endpoint_metadata(struct http_request *request, struct http_answer *ret_answer)
{
    struct buf body;
    struct json_writer json;
    if (request->method == HTTP_OPTIONS) {
        metadata_preflight(ret_answer);
        return TWOLEG_NONE;
    }
    // A word has one byte around it in the text and three here. In one piece: a buffer that grows
    // leaves its smaller ones behind, and the longest list would not fit into the request's memory.
    struct str scopes = registry_scopes(endpoint_context(request)->server->registry);
    buf_init_arena(&body, request->arena, METADATA_ROOM + 2 * scopes.len);
    json_writer_init(&json, &body);
    metadata_write(&json, request, scopes);
    stop_point("metadata.written");
    if (body.failed)
        metadata_unavailable(ret_answer);
    else
        metadata_answer(request, buf_str(&body), ret_answer);
    return TWOLEG_NONE;
}

enum twoleg_error endpoint_jwks(struct http_request *request, struct http_answer *ret_answer)
{
    if (request->method == HTTP_OPTIONS) {
        metadata_preflight(ret_answer);
        return TWOLEG_NONE;
    }
    const struct keyring *keyring = endpoint_context(request)->server->keyring;
    const struct keyring_set *keys = keyring_current(keyring);
    // The answer may go out over many loop turns, and the set is good for this one only.
    struct str document = arena_copy(request->arena, keys->jwks);
    if (document.ptr && !keyring_stale(keyring))
        metadata_answer(request, document, ret_answer);
    else
        metadata_unavailable(ret_answer);
    return TWOLEG_NONE;
}
