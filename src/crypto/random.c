// SPDX-License-Identifier: Apache-2.0
// OpenSSL's own generator asks for the process id each time, which is a system call for every
// signature, and it is a second generator beside the kernel's. The interface to replace it is
// deprecated in favour of a provider, which would be a whole module for these three functions.
#define OPENSSL_API_COMPAT 0x10101000L
#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#include "base/env.h"
#include "base/fault.h"

#define RANDOM_BUFFER 4096 // some forty signatures

struct random_thread {
    size_t left;
    bool failed;
    struct env env; // no part of it is buffered: requests of this size go to the system
    uint8_t bytes[RANDOM_BUFFER];
};
static _Thread_local struct random_thread random_thread;

static bool random_take(uint8_t *out, size_t len)
{
    struct random_thread *own = &random_thread;
    if (fault_here(FAULT_RANDOM))
        return false;
    if (len > sizeof own->bytes)
        return env_random(&own->env, out, len);
    if (len > own->left) {
        own->left = 0;
        if (!env_random(&own->env, own->bytes, sizeof own->bytes))
            return false;
        own->left = sizeof own->bytes;
    }
    uint8_t *at = own->bytes + sizeof own->bytes - own->left;
    memcpy(out, at, len);
    OPENSSL_cleanse(at, len); // what was handed out is not kept
    own->left -= len;
    return true;
}

static int random_bytes(unsigned char *out, int len)
{
    if (len >= 0 && random_take(out, (size_t)len))
        return 1;
    random_thread.failed = true;
    return 0;
}

static int random_status(void)
{
    return 1;
}

bool random_has_failed(void)
{
    bool failed = random_thread.failed;
    random_thread.failed = false;
    return failed;
}

// A child must not go on with the bytes that its parent uses as well.
static void random_forget(void)
{
    OPENSSL_cleanse(random_thread.bytes, sizeof random_thread.bytes);
    random_thread.left = 0;
}

bool random_install(void)
{
    static const RAND_METHOD method = {
        .bytes = random_bytes,
        .pseudorand = random_bytes,
        .status = random_status,
    };
    return RAND_set_rand_method(&method) == 1 && pthread_atfork(NULL, NULL, random_forget) == 0;
}
