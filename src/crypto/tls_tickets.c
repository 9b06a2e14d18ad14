// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_tickets.h"

#include <pthread.h>
#include <string.h>

#include "crypto/wipe.h"

// The newest first. One that has served its time still opens what it sealed.
#define TICKET_KEYS 2

struct tls_tickets {
    pthread_mutex_t lock; // held for a copy, once in a handshake that costs a thousand times that
    struct tls_ticket_key keys[TICKET_KEYS];
    size_t count;
};

struct tls_tickets *tls_tickets_create(void)
{
    struct tls_tickets *tickets = secret_memory_alloc(sizeof *tickets);
    if (tickets)
        pthread_mutex_init(&tickets->lock, NULL);
    return tickets;
}

void tls_tickets_destroy(struct tls_tickets *tickets)
{
    if (!tickets)
        return;
    pthread_mutex_destroy(&tickets->lock);
    secret_memory_free(tickets, sizeof *tickets);
}

void tls_ticket_key_finish(struct tls_ticket_key *key)
{
    wipe(key, sizeof *key);
}

static void tickets_drop_expired(struct tls_tickets *tickets, const struct env *env)
{
    while (tickets->count > 0) {
        struct tls_ticket_key *oldest = &tickets->keys[tickets->count - 1];
        if (env->boot_us - oldest->made_us < 2 * TLS_TICKET_LIFE_US)
            return;
        wipe(oldest, sizeof *oldest);
        tickets->count--;
    }
}

static bool tickets_turn(struct tls_tickets *tickets, struct env *env)
{
    struct tls_ticket_key fresh = {.made_us = env->boot_us};
    bool random = env_random(env, fresh.name, sizeof fresh.name) &&
                  env_random(env, fresh.cipher, sizeof fresh.cipher) &&
                  env_random(env, fresh.mac, sizeof fresh.mac);
    if (random) {
        memmove(&tickets->keys[1], &tickets->keys[0],
                (TICKET_KEYS - 1) * sizeof tickets->keys[0]);
        tickets->keys[0] = fresh;
        tickets->count += tickets->count < TICKET_KEYS;
    }
    tls_ticket_key_finish(&fresh);
    return random;
}

enum twoleg_error tls_tickets_seal_key(struct tls_tickets *tickets, struct env *env,
                                       struct tls_ticket_key *ret_key)
{
    enum twoleg_error error = TWOLEG_NONE;
    pthread_mutex_lock(&tickets->lock);
    tickets_drop_expired(tickets, env);
    bool due = tickets->count == 0 ||
               env->boot_us - tickets->keys[0].made_us >= TLS_TICKET_LIFE_US;
    if (due && !tickets_turn(tickets, env))
        error = TWOLEG_NO_RANDOM;
    else
        *ret_key = tickets->keys[0];
    pthread_mutex_unlock(&tickets->lock);
    return error;
}

enum twoleg_error tls_tickets_open_key(struct tls_tickets *tickets, struct env *env,
                                       const uint8_t name[static TLS_TICKET_NAME],
                                       struct tls_ticket_key *ret_key)
{
    enum twoleg_error error = TWOLEG_UNKNOWN;
    pthread_mutex_lock(&tickets->lock);
    tickets_drop_expired(tickets, env);
    for (size_t i = 0; i < tickets->count && error; i++)
        if (memcmp(name, tickets->keys[i].name, TLS_TICKET_NAME) == 0) {
            *ret_key = tickets->keys[i];
            error = TWOLEG_NONE;
        }
    pthread_mutex_unlock(&tickets->lock);
    return error;
}
