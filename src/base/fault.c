// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#ifdef TWOLEG_TEST_HOOKS
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct fault {
    atomic_ulong calls;
    atomic_ulong fails_at;
    atomic_bool sticky;
};

static struct fault faults[FAULT_KINDS];

bool fault_here(enum fault_kind kind)
{
    struct fault *fault = &faults[kind];
    unsigned long call = atomic_fetch_add(&fault->calls, 1) + 1;
    unsigned long at = atomic_load(&fault->fails_at);
    return at && (call == at || (call > at && atomic_load(&fault->sticky)));
}

void fault_arm(enum fault_kind kind, unsigned long nth, bool sticky)
{
    atomic_store(&faults[kind].calls, 0);
    atomic_store(&faults[kind].sticky, sticky);
    atomic_store(&faults[kind].fails_at, nth);
}

unsigned long fault_count(enum fault_kind kind)
{
    return atomic_load(&faults[kind].calls);
}

#define STOP_POINTS 8

static struct {
    char name[48];
    bool held;
    bool waiting;  // somebody does, for the end of this hold
    unsigned hold; // which one it is: whoever was let go leaves, though the next one has begun
} stops[STOP_POINTS];
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stop_moved = PTHREAD_COND_INITIALIZER;
static atomic_uint stop_count; // held points; spares the lock while there are none

static int stop_find(const char *name)
{
    for (int i = 0; i < STOP_POINTS; i++)
        if (stops[i].name[0] && strcmp(stops[i].name, name) == 0)
            return i;
    return -1;
}

void stop_point(const char *name)
{
    if (atomic_load(&stop_count) == 0)
        return;
    pthread_mutex_lock(&stop_lock);
    int i = stop_find(name);
    if (i >= 0 && stops[i].held) {
        unsigned hold = stops[i].hold;
        stops[i].waiting = true;
        while (stops[i].hold == hold)
            pthread_cond_wait(&stop_moved, &stop_lock);
    }
    pthread_mutex_unlock(&stop_lock);
}

bool stop_hold(const char *name)
{
    pthread_mutex_lock(&stop_lock);
    int i = stop_find(name);
    for (int k = 0; i < 0 && k < STOP_POINTS; k++)
        if (!stops[k].held)
            i = k;
    bool fits = i >= 0 && strlen(name) < sizeof stops[0].name;
    if (fits && !stops[i].held) {
        snprintf(stops[i].name, sizeof stops[i].name, "%s", name);
        stops[i].held = true;
        atomic_fetch_add(&stop_count, 1);
    }
    pthread_mutex_unlock(&stop_lock);
    return fits;
}

bool stop_waiting(const char *name)
{
    pthread_mutex_lock(&stop_lock);
    int i = stop_find(name);
    bool waiting = i >= 0 && stops[i].waiting;
    pthread_mutex_unlock(&stop_lock);
    return waiting;
}

bool stop_release(const char *name)
{
    pthread_mutex_lock(&stop_lock);
    int i = stop_find(name);
    bool held = i >= 0 && stops[i].held;
    if (held) {
        stops[i].held = stops[i].waiting = false;
        stops[i].hold++;
        atomic_fetch_sub(&stop_count, 1);
        pthread_cond_broadcast(&stop_moved);
    }
    pthread_mutex_unlock(&stop_lock);
    return held;
}

static char mutant[48];
static atomic_bool mutant_live;

bool mutant_drops(const char *check)
{
    return atomic_load(&mutant_live) && strcmp(mutant, check) == 0;
}

bool mutant_set(const char *check)
{
    atomic_store(&mutant_live, false);
    if (!check || !*check)
        return true;
    if (strlen(check) >= sizeof mutant)
        return false;
    snprintf(mutant, sizeof mutant, "%s", check);
    atomic_store(&mutant_live, true);
    return true;
}
#endif
