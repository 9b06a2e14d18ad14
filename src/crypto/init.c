// SPDX-License-Identifier: Apache-2.0
#include "crypto/init.h"

#include <openssl/crypto.h>
#include <sodium.h>

#include "crypto/library_memory.h"
#include "crypto/random.h"

enum twoleg_error crypto_init(void)
{
    library_memory_install();
    // A configuration file could load other providers into us, and handlers at exit would free
    // what threads that still run are using.
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT |
                                OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS,
                            NULL) != 1)
        return TWOLEG_INTERNAL;
    if (!random_install())
        return TWOLEG_INTERNAL;
    // sodium_init ends the process when there is no randomness at all, and says 1 the second time.
    if (sodium_init() < 0)
        return TWOLEG_NO_RANDOM;
    return TWOLEG_NONE;
}
