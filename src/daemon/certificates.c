// SPDX-License-Identifier: Apache-2.0
#include "daemon/certificates.h"

#include <stdio.h>
#include <stdlib.h>

#define LISTENER_PAIRS 64 // as in the table of options

struct certificates {
    const struct config *config;
    struct tls_tickets *tickets;
    size_t count;
    struct tls_server *servers[]; // one for each listener of the configuration, NULL: plain
};

static enum twoleg_error certificates_load(const struct certificates *certificates, size_t index,
                                           const struct env *env, struct tls_set **ret_set,
                                           char *reason)
{
    const struct config_listener *listener = &certificates->config->listen.items[index];
    struct tls_pair pairs[LISTENER_PAIRS];
    char words[TLS_REASON];
    for (size_t i = 0; i < listener->tls.count; i++)
        pairs[i] = (struct tls_pair){listener->tls.items[i].certificate.ptr,
                                     listener->tls.items[i].key.ptr};
    enum twoleg_error error = tls_set_load(pairs, listener->tls.count, certificates->tickets,
                                           env->now_us, ret_set, words);
    // The address may be cut, the file is what matters.
    if (error)
        snprintf(reason, 512, "%.*s: %.450s",
                 STR_ARG(str_slice(listener->endpoint.text, 0, 50)),
                 words[0] ? words : twoleg_error_text(error));
    return error;
}

static enum twoleg_error certificates_load_all(const struct certificates *certificates,
                                               const struct env *env, struct tls_set **sets,
                                               char *reason)
{
    enum twoleg_error error = TWOLEG_NONE;
    for (size_t i = 0; i < certificates->count && !error; i++)
        if (certificates->config->listen.items[i].tls.count)
            error = certificates_load(certificates, i, env, &sets[i], reason);
    for (size_t i = 0; i < certificates->count && error; i++) {
        tls_set_release(sets[i]);
        sets[i] = NULL;
    }
    return error;
}

static enum twoleg_error certificates_init(struct certificates *certificates,
                                           const struct env *env, struct tls_set **sets,
                                           char *reason)
{
    certificates->tickets = tls_tickets_create();
    if (!certificates->tickets)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = certificates_load_all(certificates, env, sets, reason);
    for (size_t i = 0; i < certificates->count && !error; i++) {
        if (!sets[i])
            continue;
        certificates->servers[i] = tls_server_create(sets[i]);
        if (certificates->servers[i])
            sets[i] = NULL;
        else
            error = TWOLEG_NO_MEMORY;
    }
    for (size_t i = 0; i < certificates->count; i++)
        tls_set_release(sets[i]);
    return error;
}

enum twoleg_error certificates_create(const struct config *config, const struct env *env,
                                      struct certificates **ret_certificates,
                                      char ret_reason[static 512])
{
    size_t count = config->listen.count;
    struct certificates *certificates =
        calloc(1, sizeof *certificates + count * sizeof certificates->servers[0]);
    struct tls_set **sets = calloc(count + 1, sizeof *sets);
    enum twoleg_error error = TWOLEG_NO_MEMORY;
    if (certificates && sets) {
        certificates->config = config;
        certificates->count = count;
        error = certificates_init(certificates, env, sets, ret_reason);
    }
    free(sets);
    if (error)
        certificates_destroy(certificates);
    else
        *ret_certificates = certificates;
    return error;
}

void certificates_destroy(struct certificates *certificates)
{
    if (!certificates)
        return;
    for (size_t i = 0; i < certificates->count; i++)
        tls_server_destroy(certificates->servers[i]);
    tls_tickets_destroy(certificates->tickets);
    free(certificates);
}

struct tls_server *certificates_of(const struct certificates *certificates, size_t listener)
{
    return certificates && listener < certificates->count ? certificates->servers[listener] : NULL;
}

enum twoleg_error certificates_reload(struct certificates *certificates, const struct env *env,
                                      char ret_reason[static 512])
{
    struct tls_set **sets = calloc(certificates->count + 1, sizeof *sets);
    if (!sets)
        return TWOLEG_NO_MEMORY;
    ret_reason[0] = '\0';
    enum twoleg_error error = certificates_load_all(certificates, env, sets, ret_reason);
    for (size_t i = 0; i < certificates->count && !error; i++)
        if (sets[i])
            tls_server_swap(certificates->servers[i], sets[i]);
    free(sets);
    return error;
}

size_t certificates_count(const struct certificates *certificates)
{
    size_t pairs = 0;
    for (size_t i = 0; certificates && i < certificates->count; i++)
        pairs += certificates->config->listen.items[i].tls.count;
    return pairs;
}
