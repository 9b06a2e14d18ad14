// SPDX-License-Identifier: Apache-2.0
// Bodies of applications: each a deep copy in one allocation, kept in the order of SIEVE (Zhang et
// al., NSDI 2024): a hit sets one bit, the hand passes over what was hit and drops the first that
// was not.
#pragma once
#include <stdatomic.h>

#include "base/error.h"
#include "model/application.h"

struct body {
    struct body *newer, *older;
    void *owner; // what points to the body: told when it is dropped
    atomic_bool visited;
    struct application application; // its arrays and text lie behind
};

struct body *body_create(const struct application *application); // NULL without memory
void body_destroy(void *body);
// Readers: writes only when the bit is not set yet, so that a hot body's cache line stays shared.
static inline void body_touch(struct body *body)
{
    if (!atomic_load_explicit(&body->visited, memory_order_relaxed))
        atomic_store_explicit(&body->visited, true, memory_order_relaxed);
}

struct body_list {
    struct body *newest, *oldest, *hand;
    size_t count;
};

void body_list_add(struct body_list *list, struct body *body);
void body_list_remove(struct body_list *list, struct body *body);
struct body *body_list_victim(struct body_list *list); // NULL when empty; it stays in the list
