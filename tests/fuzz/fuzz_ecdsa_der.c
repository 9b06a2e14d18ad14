// SPDX-License-Identifier: Apache-2.0
// Every signature has one spelling in DER and one in JWS, and each leads back to the other.
#include <string.h>

#include "crypto/ecdsa_der.h"
#include "fuzz.h"

static void fuzz_der(struct str der, size_t coordinate_len)
{
    uint8_t raw[2 * ECDSA_COORDINATE_MAX];
    uint8_t again[ECDSA_DER_MAX];
    if (!ecdsa_raw_from_der(der, coordinate_len, raw))
        return;
    size_t len = ecdsa_der_from_raw(raw, coordinate_len, again);
    FUZZ_MUST(str_equal(str_of(again, len), der));
}

static void fuzz_raw(const uint8_t *data, size_t coordinate_len)
{
    uint8_t der[ECDSA_DER_MAX];
    uint8_t again[2 * ECDSA_COORDINATE_MAX];
    size_t len = ecdsa_der_from_raw(data, coordinate_len, der);
    FUZZ_MUST(len <= sizeof der);
    FUZZ_MUST(ecdsa_raw_from_der(str_of(der, len), coordinate_len, again));
    FUZZ_MUST(memcmp(again, data, 2 * coordinate_len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const size_t lengths[] = {1, 32, 48, ECDSA_COORDINATE_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        fuzz_der(str_of(data, size), lengths[i]);
        if (size >= 2 * lengths[i])
            fuzz_raw(data, lengths[i]);
    }
    return 0;
}
