// SPDX-License-Identifier: Apache-2.0
// One thread's contexts: a copy of each key that the thread has used.
#include <stdlib.h>

#include "base/fault.h"
#include "keyring/keyring.h"

struct keyring_context {
    struct keyring_context *next;
    uint64_t id; // of the key, which never changes
    struct signer *signer;
    struct verifier_ctx *verifier;
};

struct keyring_worker {
    struct keyring *keyring;
    uint64_t serial; // of the set that the contexts are of
    struct keyring_context *contexts;
};

struct keyring_worker *keyring_worker_create(struct keyring *keyring)
{
    struct keyring_worker *worker = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *worker);
    if (worker)
        worker->keyring = keyring;
    return worker;
}

static void keyring_worker_forget(struct keyring_worker *worker)
{
    while (worker->contexts) {
        struct keyring_context *context = worker->contexts;
        worker->contexts = context->next;
        signer_free(&context->signer);
        verifier_free(&context->verifier);
        free(context);
    }
}

void keyring_worker_destroy(struct keyring_worker *worker)
{
    if (!worker)
        return;
    keyring_worker_forget(worker);
    free(worker);
}

static struct keyring_context *keyring_worker_context(struct keyring_worker *worker,
                                                      const struct signing_key *key)
{
    uint64_t serial = keyring_current(worker->keyring)->serial;
    if (worker->serial != serial)
        keyring_worker_forget(worker);
    worker->serial = serial;
    for (struct keyring_context *context = worker->contexts; context; context = context->next)
        if (context->id == key->id)
            return context;
    struct keyring_context *context = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *context);
    if (!context)
        return NULL;
    context->id = key->id;
    context->next = worker->contexts;
    worker->contexts = context;
    return context;
}

struct signer *keyring_signer(struct keyring_worker *worker, const struct signing_key *key)
{
    if (!key->private_key)
        return NULL;
    struct keyring_context *context = keyring_worker_context(worker, key);
    if (!context)
        return NULL;
    if (!context->signer && signer_create(key->private_key, &context->signer) != TWOLEG_NONE)
        return NULL;
    return context->signer;
}

struct verifier_ctx *keyring_verifier(struct keyring_worker *worker, const struct signing_key *key)
{
    struct keyring_context *context = keyring_worker_context(worker, key);
    if (!context)
        return NULL;
    if (!context->verifier && verifier_create(key->public_key, &context->verifier) != TWOLEG_NONE)
        return NULL;
    return context->verifier;
}
