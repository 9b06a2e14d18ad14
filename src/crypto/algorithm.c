// SPDX-License-Identifier: Apache-2.0
// Every algorithm that a signature may have. There is no "none" and no MAC: a token checked with a
// public key cannot be one that was made with that key as a secret.
#include "crypto/sign.h"

// FIPS 186-4 D.1.2.3
static const uint8_t algorithm_p256_order[32] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};

static const struct sign_algorithm algorithm_rows[] = {
    {
        .name = STR("ES256"),
        .key_type = STR("EC"),
        .curve = STR("P-256"),
        .first = STR("x"),
        .second = STR("y"),
        .kind = SIGN_EC,
        .group = "prime256v1",
        .order = algorithm_p256_order,
        .coordinate_len = EC_COORDINATE_SIZE,
        .signature_len = 64,
    },
    {
        .name = STR("EdDSA"),
        .key_type = STR("OKP"),
        .curve = STR("Ed25519"),
        .first = STR("x"),
        .kind = SIGN_OKP,
        .coordinate_len = OKP_KEY_SIZE,
        .signature_len = 64,
    },
    {
        .name = STR("RS256"),
        .key_type = STR("RSA"),
        .first = STR("n"),
        .second = STR("e"),
        .kind = SIGN_RSA,
        .slow = true,
    },
    {
        .name = STR("PS256"),
        .key_type = STR("RSA"),
        .first = STR("n"),
        .second = STR("e"),
        .kind = SIGN_RSA_PSS,
        .slow = true,
    },
};

const struct sign_algorithm *sign_algorithm_find(struct str name)
{
    for (size_t i = 0; i < sizeof algorithm_rows / sizeof *algorithm_rows; i++)
        if (str_equal(algorithm_rows[i].name, name))
            return &algorithm_rows[i];
    return NULL;
}

const struct sign_algorithm *sign_algorithm_es256(void)
{
    return &algorithm_rows[0];
}

const struct sign_algorithm *sign_algorithm_at(size_t number)
{
    return number < sizeof algorithm_rows / sizeof *algorithm_rows ? &algorithm_rows[number] : NULL;
}
