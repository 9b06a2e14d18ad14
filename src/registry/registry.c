// SPDX-License-Identifier: Apache-2.0
#include "registry/registry.h"

#include <stdlib.h>

#include "base/fault.h"
#include "registry/inside.h"

#ifdef TWOLEG_TEST_HOOKS
static atomic_bool registry_collide;

void registry_test_collide(bool collide)
{
    atomic_store(&registry_collide, collide);
}
#endif

uint64_t registry_client_hash(const struct registry *registry, struct str client_id)
{
#ifdef TWOLEG_TEST_HOOKS
    if (atomic_load(&registry_collide))
        return 1;
#endif
    return siphash(&registry->hash, client_id);
}

struct registry_slot *registry_slot_find(const struct registry *registry, uint64_t number)
{
    return pointer_table_find(&registry->by_number, number);
}

// Whatever is known of the body is from before now: what is there goes, what is being read is read
// again.
void registry_body_drop(struct registry *registry, struct registry_slot *slot)
{
    if (slot->load)
        slot->load->dirty = true;
    struct body *body = atomic_exchange_explicit(&slot->body, NULL, memory_order_acq_rel);
    if (!body)
        return;
    body_list_remove(&registry->bodies, body);
    atomic_store_explicit(&registry->figure_bodies, registry->bodies.count, memory_order_relaxed);
    epoch_retire(registry->epoch, &body->note, body_destroy);
}

static enum twoleg_error registry_init(struct registry *registry)
{
    struct env env;
    env_init(&env);
    bool random = env_random(&env, &registry->hash, sizeof registry->hash);
    env_finish(&env);
    if (!random)
        return TWOLEG_NO_RANDOM;
    enum twoleg_error error =
        pointer_table_init(&registry->by_number, offsetof(struct registry_slot, number));
    if (!error)
        error = pointer_table_init(&registry->by_client, offsetof(struct registry_slot, client));
    if (!error)
        error = pointer_table_init(&registry->accounts, offsetof(struct registry_account, number));
    if (!error)
        error = pointer_table_init(&registry->users, offsetof(struct registry_user, number));
    if (!error)
        error = id_set_init(&registry->tokens, registry->epoch, &registry->hash);
    if (!error)
        error = id_set_init(&registry->credentials, registry->epoch, &registry->hash);
    return error;
}

enum twoleg_error registry_create(const struct registry_settings *settings,
                                  struct registry **ret_registry)
{
    struct registry *registry = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *registry);
    if (!registry)
        return TWOLEG_NO_MEMORY;
    registry->store = settings->store;
    registry->epoch = settings->epoch;
    registry->bodies_max = settings->bodies_max ? settings->bodies_max : 1;
    atomic_init(&registry->nobody.account, &registry->nobody_account);
    atomic_init(&registry->nobody.body, &registry->nobody_body);
    registry->nobody_body.application.client_id = STR("the id that nobody has");
    pthread_mutex_init(&registry->lock, NULL);
    pthread_mutex_init(&registry->repair_lock, NULL);
    pthread_cond_init(&registry->idle, NULL);
    enum twoleg_error error = registry_init(registry);
    if (!error)
        error = registry_fill_first(registry);
    // The tables grew while they were filled; what they outgrew is given back now.
    epoch_collect(registry->epoch);
    if (error) {
        registry_destroy(registry);
        return error;
    }
    *ret_registry = registry;
    return TWOLEG_NONE;
}

static void registry_free_entries(struct registry *registry)
{
    size_t at = 0;
    for (struct registry_slot *slot; (slot = pointer_table_each(&registry->by_number, &at));) {
        free(atomic_load(&slot->body));
        free(slot);
    }
    at = 0;
    for (void *account; (account = pointer_table_each(&registry->accounts, &at));)
        free(account);
    at = 0;
    for (void *user; (user = pointer_table_each(&registry->users, &at));)
        free(user);
}

void registry_destroy(struct registry *registry)
{
    if (!registry)
        return;
    pthread_mutex_lock(&registry->lock);
    while (registry->loads_under_way > 0)
        pthread_cond_wait(&registry->idle, &registry->lock);
    pthread_mutex_unlock(&registry->lock);
    registry_free_entries(registry);
    pointer_table_finish(&registry->by_number);
    pointer_table_finish(&registry->by_client);
    pointer_table_finish(&registry->accounts);
    pointer_table_finish(&registry->users);
    id_set_finish(&registry->tokens);
    id_set_finish(&registry->credentials);
    free(atomic_load(&registry->apis));
    pthread_cond_destroy(&registry->idle);
    pthread_mutex_destroy(&registry->repair_lock);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

// A body is one piece of some hundred bytes, and with many applications none of it is in the cache:
// its lines are fetched together instead of one after the other.
static void registry_body_prefetch(const struct body *body)
{
    enum { LINE = 64, LINES = 6 };
    for (size_t i = 0; body && i < LINES; i++)
        __builtin_prefetch((const char *)body + i * LINE);
}

// False when the application is deleted. The body is read before the word: the state is never
// older than the body it is used with.
static bool registry_slot_view(const struct registry_slot *slot, struct registry_view *ret_view,
                               struct body **ret_body)
{
    struct body *body = atomic_load_explicit(&slot->body, memory_order_acquire);
    registry_body_prefetch(body);
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);
    const struct registry_account *account =
        atomic_load_explicit(&slot->account, memory_order_acquire);
    struct application_state state = {(enum entity_status)(word & 3), word >> 2};
    if (state.status == STATUS_DELETED)
        return false;
    *ret_view = (struct registry_view){.number = slot->number,
                                       .state = state,
                                       .account_active = atomic_load(&account->active),
                                       .body = body ? &body->application : NULL};
    *ret_body = body;
    return true;
}

enum twoleg_error registry_client(struct registry *registry, struct str client_id,
                                  struct registry_view *ret_view)
{
    if (atomic_load_explicit(&registry->incomplete, memory_order_acquire))
        return TWOLEG_STORE_FAILED;
    if (client_id.len > CLIENT_ID_MAX)
        client_id = STR(""); // which nobody has either
    struct pointer_search search =
        pointer_table_search(&registry->by_client, registry_client_hash(registry, client_id));
    enum twoleg_error found = TWOLEG_CLIENT_UNKNOWN;
    // Nearly always one slot. Of several with the same hash the body tells which one it is; while
    // none of those loaded is the one, the others are loaded in turn. A search in vain ends at
    // nobody's slot, so that it costs what one that finds costs (row B2).
    for (;;) {
        const struct registry_slot *slot = pointer_search_next(&search);
        if (!slot && found == TWOLEG_WAIT)
            return found;
        struct str wanted = slot ? client_id : registry->nobody_body.application.client_id;
        struct registry_view view;
        struct body *body;
        if (!registry_slot_view(slot ? slot : &registry->nobody, &view, &body))
            continue;
        if (body && !str_equal(body->application.client_id, wanted))
            continue;
        *ret_view = view;
        if (body) {
            body_touch(body);
            return slot ? TWOLEG_NONE : TWOLEG_CLIENT_UNKNOWN;
        }
        found = TWOLEG_WAIT;
    }
}

enum twoleg_error registry_application(struct registry *registry, uint64_t number,
                                       struct registry_view *ret_view)
{
    if (atomic_load_explicit(&registry->incomplete, memory_order_acquire))
        return TWOLEG_STORE_FAILED;
    const struct registry_slot *slot = registry_slot_find(registry, number);
    struct body *body;
    if (!slot || !registry_slot_view(slot, ret_view, &body))
        return TWOLEG_NOT_FOUND;
    if (!body)
        return TWOLEG_WAIT;
    body_touch(body);
    return TWOLEG_NONE;
}

struct registry_spent *registry_spent(const struct registry *registry, uint64_t number)
{
    struct registry_slot *slot = registry_slot_find(registry, number);
    return slot ? &slot->spent : NULL;
}

void registry_purge(struct registry *registry, int64_t before_s)
{
    id_set_purge(&registry->tokens, before_s);
    id_set_purge(&registry->credentials, before_s);
    epoch_collect(registry->epoch);
}

void registry_mend(struct registry *registry)
{
    registry_repair(registry, false);
}

struct registry_figures registry_figures(const struct registry *registry)
{
    return (struct registry_figures){
        .applications = atomic_load(&registry->figure_applications),
        .bodies = atomic_load(&registry->figure_bodies),
        .users = atomic_load(&registry->figure_users),
        .revocations = atomic_load(&registry->tokens.count) +
                       atomic_load(&registry->credentials.count),
        .loads = atomic_load(&registry->figure_loads),
        .evictions = atomic_load(&registry->figure_evictions),
        .incomplete = atomic_load(&registry->incomplete),
    };
}
