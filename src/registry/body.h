// SPDX-License-Identifier: Apache-2.0
// Bodies of applications: each a deep copy in one allocation, kept in the order of SIEVE (Zhang et
// al., NSDI 2024): a hit sets one mark, the hand passes over what was hit and drops the first that
// was not.
#pragma once
#include <stdatomic.h>

#include "base/epoch.h"
#include "base/error.h"
#include "model/application.h"

// The request that a body was loaded for touches it too: only what is touched again is hot.
enum body_heat { BODY_FRESH, BODY_COLD, BODY_HOT };

struct body {
    struct epoch_note note;
    struct body *newer, *older;
    void *owner; // what points to the body: told when it is dropped
    _Atomic unsigned char heat;
    struct application application; // its arrays and text lie behind
};

struct body *body_create(const struct application *application); // NULL without memory
void body_destroy(void *body);
// Readers: writes nothing when it is hot already, so that a hot body's cache line stays shared.
static inline void body_touch(struct body *body)
{
    unsigned char heat = atomic_load_explicit(&body->heat, memory_order_relaxed);
    if (heat != BODY_HOT)
        atomic_store_explicit(&body->heat, (unsigned char)(heat + 1), memory_order_relaxed);
}

struct body_list {
    struct body *newest, *oldest, *hand;
    size_t count;
};

void body_list_add(struct body_list *list, struct body *body);
void body_list_remove(struct body_list *list, struct body *body);
struct body *body_list_victim(struct body_list *list); // NULL when empty; it stays in the list
