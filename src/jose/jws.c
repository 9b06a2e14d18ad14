// SPDX-License-Identifier: Apache-2.0
#include "jose/jws.h"

#include <string.h>

#include "codec/base64url.h"
#include "codec/json_write.h"

enum twoleg_error jws_header_init(struct jws_header *header,
                                  const struct sign_algorithm *algorithm, struct str type,
                                  struct str kid)
{
    char text[BASE64URL_BYTES(JWS_HEADER_MAX)];
    struct buf out;
    struct json_writer json;
    buf_init(&out, text, sizeof text);
    json_writer_init(&json, &out);
    json_object_begin(&json);
    json_key_str(&json, STR("alg"), algorithm->name);
    json_key_str(&json, STR("typ"), type);
    json_key_str(&json, STR("kid"), kid);
    json_object_end(&json);
    if (out.failed)
        return TWOLEG_TOO_LONG;
    base64url_encode_to(header->text, out.ptr, out.len);
    header->len = BASE64URL_LEN(out.len);
    return TWOLEG_NONE;
}

size_t jws_size(const struct jws_header *header, size_t signature_len, size_t payload_len)
{
    return header->len + 1 + BASE64URL_LEN(payload_len) + 1 + BASE64URL_LEN(signature_len);
}

enum twoleg_error jws_write(const struct jws_header *header, struct signer *signer,
                            struct str payload, struct buf *out)
{
    size_t size = jws_size(header, signer_signature_len(signer), payload.len);
    size_t signed_len = header->len + 1 + BASE64URL_LEN(payload.len);
    char *at = buf_reserve(out, size);
    if (!at)
        return TWOLEG_TOO_LONG;
    memcpy(at, header->text, header->len);
    at[header->len] = '.';
    base64url_encode_to(at + header->len + 1, payload.ptr, payload.len);
    struct signature signature;
    enum twoleg_error error = signer_sign(signer, str_of(at, signed_len), &signature);
    if (error) {
        out->len -= size;
        return error;
    }
    at[signed_len] = '.';
    base64url_encode_to(at + signed_len + 1, signature.bytes, signature.len);
    return TWOLEG_NONE;
}
