// SPDX-License-Identifier: Apache-2.0
// OpenSSL's own generator asks for the process id each time, which is a system call for every
// signature, and it is a second generator beside the kernel's. The interface to replace it is
// deprecated in favour of a provider, which would be a whole module for these three functions.
#define OPENSSL_API_COMPAT 0x10101000L
#include "crypto/random.h"

#include <openssl/rand.h>
#include <pthread.h>

#include "base/env.h"
#include "base/fault.h"

struct random_thread {
    struct env env; // whose buffer lasts for some forty signatures
    bool failed;
};
static _Thread_local struct random_thread random_thread;

static int random_bytes(unsigned char *out, int len)
{
    if (len >= 0 && !fault_here(FAULT_RANDOM) && env_random(&random_thread.env, out, (size_t)len))
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
    env_finish(&random_thread.env);
    env_forked();
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
