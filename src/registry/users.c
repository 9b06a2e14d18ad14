// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "registry/inside.h"

bool registry_user(const struct registry *registry, uint64_t number,
                   struct registry_user_view *ret_view)
{
    const struct registry_user *user = pointer_table_find(&registry->users, number);
    struct application_state state = {STATUS_DELETED, 0};
    *ret_view = (struct registry_user_view){.state = state};
    if (!user)
        return false;
    uint64_t word = atomic_load_explicit(&user->word, memory_order_acquire);
    const struct registry_account *account =
        atomic_load_explicit(&user->account, memory_order_acquire);
    *ret_view = (struct registry_user_view){
        .state = {(enum entity_status)(word & 3), word >> 2},
        .account_active = atomic_load(&account->active),
        .username = str_of(user->username, user->len),
    };
    return ret_view->state.status != STATUS_DELETED;
}

static void users_remove(struct registry *registry, struct registry_user *user)
{
    struct application_state deleted = {STATUS_DELETED, 0};
    atomic_store_explicit(&user->word, registry_word(deleted), memory_order_release);
    pointer_table_remove(&registry->users, user);
    atomic_fetch_sub_explicit(&registry->figure_users, 1, memory_order_relaxed);
    epoch_retire(registry->epoch, &user->note, free);
}

static enum twoleg_error users_add(struct registry *registry, const struct store_change *change,
                                   struct registry_account *account)
{
    struct str name = change->client_id;
    struct registry_user *user =
        fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *user + name.len);
    if (!user)
        return TWOLEG_NO_MEMORY;
    user->number = change->number;
    user->len = name.len;
    if (name.len)
        memcpy(user->username, name.ptr, name.len);
    atomic_store(&user->word, registry_word(change->state));
    atomic_store(&user->account, account);
    enum twoleg_error error = pointer_table_add(&registry->users, registry->epoch, user);
    if (error)
        free(user);
    else
        atomic_fetch_add_explicit(&registry->figure_users, 1, memory_order_relaxed);
    return error;
}

enum twoleg_error registry_take_user(struct registry *registry, const struct store_change *change)
{
    struct registry_user *user = pointer_table_find(&registry->users, change->number);
    if (change->state.status == STATUS_DELETED) {
        if (user)
            users_remove(registry, user);
        return TWOLEG_NONE;
    }
    struct registry_account *account = registry_account_of(registry, change->account);
    if (!account)
        return TWOLEG_NO_MEMORY;
    if (!user)
        return users_add(registry, change, account);
    atomic_store_explicit(&user->account, account, memory_order_release);
    atomic_store_explicit(&user->word, registry_word(change->state), memory_order_release);
    return TWOLEG_NONE;
}
