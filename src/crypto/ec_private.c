// SPDX-License-Identifier: Apache-2.0
// These functions of the library are of its older interface; the newer one has only the decoders.
#define OPENSSL_API_COMPAT 0x10101000L
#include "crypto/ec_private.h"

#include <openssl/ec.h>

static void ec_private_free(EC_KEY **key)
{
    EC_KEY_free(*key); // wipes the number
}

// What the PKCS #8 says that its key is.
static bool ec_private_has_curve(const X509_ALGOR *algorithm, int curve)
{
    const ASN1_OBJECT *kind;
    const void *parameter;
    int type;
    X509_ALGOR_get0(&kind, &type, &parameter, algorithm);
    return OBJ_obj2nid(kind) == NID_X9_62_id_ecPublicKey && type == V_ASN1_OBJECT &&
           OBJ_obj2nid(parameter) == curve;
}

bool ec_private_read(const char *group, const PKCS8_PRIV_KEY_INFO *pkcs8, size_t len,
                     uint8_t *ret_point, uint8_t *ret_number)
{
    const X509_ALGOR *algorithm;
    const uint8_t *der;
    int der_len, curve = OBJ_sn2nid(group);
    if (PKCS8_pkey_get0(NULL, &der, &der_len, &algorithm, pkcs8) != 1 ||
        !ec_private_has_curve(algorithm, curve))
        return false;
    const uint8_t *end = der + der_len;
    __attribute__((cleanup(ec_private_free))) EC_KEY *key = EC_KEY_new_by_curve_name(curve);
    // Where the key names a curve of its own, that one is taken.
    if (!key || !d2i_ECPrivateKey(&key, &der, der_len) || der != end ||
        EC_GROUP_get_curve_name(EC_KEY_get0_group(key)) != curve)
        return false;
    return EC_POINT_point2oct(EC_KEY_get0_group(key), EC_KEY_get0_public_key(key),
                              POINT_CONVERSION_UNCOMPRESSED, ret_point, 1 + 2 * len,
                              NULL) == 1 + 2 * len &&
           BN_bn2nativepad(EC_KEY_get0_private_key(key), ret_number, (int)len) == (int)len;
}
