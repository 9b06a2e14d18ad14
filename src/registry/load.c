// SPDX-License-Identifier: Apache-2.0
// Loads of bodies: one per application at a time, which all requests that need it wait for.
#include <stdlib.h>

#include "base/env.h"
#include "base/fault.h"
#include "registry/inside.h"

#define LOAD_READ_MAX ((size_t)4 * 1024 * 1024)
#define LOAD_EVICTIONS_MAX 1000 // under one lock
#define LOAD_ROUNDS_MAX 32 // overtaken so often: 503, and the reader thread serves others

static void registry_body_evict(struct registry *registry)
{
    struct body *victim = body_list_victim(&registry->bodies);
    if (!victim)
        return;
    registry_body_drop(registry, victim->owner);
    atomic_fetch_add_explicit(&registry->figure_evictions, 1, memory_order_relaxed);
}

// False: there are still more.
static bool registry_body_make_room(struct registry *registry, size_t most)
{
    for (size_t i = 0; registry->bodies.count > most && i < LOAD_EVICTIONS_MAX; i++)
        registry_body_evict(registry);
    return registry->bodies.count <= most;
}

void registry_bound(struct registry *registry, size_t bodies_max)
{
    bool done = false;
    while (!done) { // workers want the lock, too
        pthread_mutex_lock(&registry->lock);
        registry->bodies_max = bodies_max;
        done = registry_body_make_room(registry, bodies_max);
        pthread_mutex_unlock(&registry->lock);
    }
}

static void registry_body_install(struct registry *registry, struct registry_slot *slot,
                                  struct body *body)
{
    while (!registry_body_make_room(registry, registry->bodies_max - 1))
        ;
    body->owner = slot;
    body_list_add(&registry->bodies, body);
    atomic_store_explicit(&registry->figure_bodies, registry->bodies.count, memory_order_relaxed);
    atomic_store_explicit(&slot->body, body, memory_order_release);
}

static enum twoleg_error registry_load_read(struct registry_load *load,
                                            struct store_reader *reader, struct body **ret_body)
{
    struct arena arena;
    struct application *application;
    arena_init(&arena, NULL, LOAD_READ_MAX);
    enum twoleg_error error =
        store_application(reader, STORE_OPERATOR, load->number, &arena, &application);
    struct body *body = error ? NULL : body_create(application);
    arena_finish(&arena);
    if (error)
        return error;
    if (!body)
        return TWOLEG_NO_MEMORY;
    *ret_body = body;
    return TWOLEG_NONE;
}

// Under the lock. False: a change came after the read began, so what was read may be from before.
static bool registry_load_settle(struct registry_load *load, enum twoleg_error error,
                                 struct body *body)
{
    struct registry *registry = load->registry;
    struct registry_slot *slot = registry_slot_find(registry, load->number);
    if (!slot) {
        body_destroy(body);
        load->result = TWOLEG_NOT_FOUND;
        return true;
    }
    if (load->dirty) {
        body_destroy(body);
        load->dirty = false;
        load->result = TWOLEG_STORE_BUSY;
        return false;
    }
    if (!error)
        registry_body_install(registry, slot, body);
    load->result = error;
    slot->load = NULL;
    return true;
}

static void registry_load_run(struct store_read *read, struct store_reader *reader)
{
    struct registry_load *load = (struct registry_load *)read;
    bool settled = false;
    for (unsigned round = 0; !settled && round < LOAD_ROUNDS_MAX; round++) {
        struct body *body = NULL;
        enum twoleg_error error = registry_load_read(load, reader, &body);
        stop_point("registry.loaded");
        pthread_mutex_lock(&load->registry->lock);
        settled = registry_load_settle(load, error, body);
        pthread_mutex_unlock(&load->registry->lock);
    }
}

// Without the lock: whoever is told may ask for the next load at once.
static void registry_load_tell(struct http_job *waiters, enum twoleg_error result)
{
    while (waiters) {
        struct http_job *job = waiters;
        waiters = job->next;
        job->next = NULL;
        job->result = result;
        http_job_done(job);
    }
}

static void registry_load_unlist(struct registry *registry, const struct registry_load *load)
{
    struct registry_load **at = &registry->loads;
    while (*at != load)
        at = &(*at)->next;
    *at = load->next;
}

void registry_give_up(struct registry *registry, int64_t age_us)
{
    struct http_job *waiters = NULL;
    pthread_mutex_lock(&registry->lock);
    int64_t oldest_us = env_mono() - age_us;
    for (struct registry_load *load = registry->loads; load; load = load->next) {
        while (load->since_us < oldest_us && load->waiters) {
            struct http_job *job = load->waiters;
            load->waiters = job->next;
            job->next = waiters;
            waiters = job;
        }
    }
    pthread_mutex_unlock(&registry->lock);
    registry_load_tell(waiters, TWOLEG_STORE_BUSY);
}

static void registry_load_done(struct store_read *read)
{
    struct registry_load *load = (struct registry_load *)read;
    struct registry *registry = load->registry;
    if (read->result)
        load->result = read->result;
    pthread_mutex_lock(&registry->lock);
    registry_load_unlist(registry, load);
    struct registry_slot *slot = registry_slot_find(registry, load->number);
    if (slot && slot->load == load)
        slot->load = NULL; // never run, or overtaken too often
    struct http_job *waiters = load->waiters;
    pthread_mutex_unlock(&registry->lock);

    registry_load_tell(waiters, load->result);
    free(load);
    pthread_mutex_lock(&registry->lock);
    if (--registry->loads_under_way == 0)
        pthread_cond_broadcast(&registry->idle);
    pthread_mutex_unlock(&registry->lock);
}

// Under the lock, which the end of the load needs: it cannot end before the job has joined.
static enum twoleg_error registry_load_start(struct registry *registry,
                                             struct registry_slot *slot)
{
    struct registry_load *load = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *load);
    if (!load)
        return TWOLEG_NO_MEMORY;
    load->read = (struct store_read){.run = registry_load_run, .done = registry_load_done};
    load->registry = registry;
    load->number = slot->number;
    load->result = TWOLEG_STOPPING;
    slot->load = load;
    enum twoleg_error error = store_read(registry->store, &load->read);
    if (error) {
        slot->load = NULL;
        free(load);
        return error;
    }
    load->next = registry->loads;
    registry->loads = load;
    registry->loads_under_way++;
    atomic_fetch_add_explicit(&registry->figure_loads, 1, memory_order_relaxed);
    return TWOLEG_NONE;
}

enum twoleg_error registry_load(struct registry *registry, uint64_t number, struct http_job *job)
{
    pthread_mutex_lock(&registry->lock);
    struct registry_slot *slot = registry_slot_find(registry, number);
    bool loaded = slot && atomic_load_explicit(&slot->body, memory_order_relaxed);
    enum twoleg_error error = slot ? TWOLEG_NONE : TWOLEG_NOT_FOUND;
    if (slot && !loaded && !slot->load)
        error = registry_load_start(registry, slot);
    if (!error && !loaded) {
        if (!slot->load->waiters)
            slot->load->since_us = env_mono();
        job->next = slot->load->waiters;
        slot->load->waiters = job;
    }
    pthread_mutex_unlock(&registry->lock);
    if (loaded) {
        job->result = TWOLEG_NONE;
        http_job_done(job);
    }
    return error;
}
