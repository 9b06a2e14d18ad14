// SPDX-License-Identifier: Apache-2.0
// What the store says has changed, at the start and afterwards.
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "registry/inside.h"

enum twoleg_error registry_take_account(struct registry *registry, uint64_t number, bool active)
{
    struct registry_account *account = pointer_table_find(&registry->accounts, number);
    if (account) {
        atomic_store(&account->active, active);
        return TWOLEG_NONE;
    }
    account = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *account);
    if (!account)
        return TWOLEG_NO_MEMORY;
    account->number = number;
    atomic_store(&account->active, active);
    enum twoleg_error error =
        pointer_table_add(&registry->accounts, registry->epoch, account);
    if (error)
        free(account);
    return error;
}

struct registry_account *registry_account_of(struct registry *registry, uint64_t number)
{
    struct registry_account *account = pointer_table_find(&registry->accounts, number);
    if (account || registry_take_account(registry, number, false) != TWOLEG_NONE)
        return account;
    return pointer_table_find(&registry->accounts, number);
}

uint64_t registry_word(struct application_state state)
{
    return state.generation << 2 | (uint64_t)state.status;
}

static void registry_remove(struct registry *registry, struct registry_slot *slot)
{
    struct application_state deleted = {STATUS_DELETED, 0};
    atomic_store_explicit(&slot->word, registry_word(deleted), memory_order_release);
    pointer_table_remove(&registry->by_client, slot);
    pointer_table_remove(&registry->by_number, slot);
    registry_body_drop(registry, slot);
    atomic_fetch_sub_explicit(&registry->figure_applications, 1, memory_order_relaxed);
    epoch_retire(registry->epoch, &slot->note, free);
}

static enum twoleg_error registry_add(struct registry *registry,
                                      const struct store_change *change,
                                      struct registry_account *account)
{
    struct registry_slot *slot = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *slot);
    if (!slot)
        return TWOLEG_NO_MEMORY;
    slot->number = change->number;
    slot->client = registry_client_hash(registry, change->client_id);
    atomic_store(&slot->word, registry_word(change->state));
    atomic_store(&slot->account, account);
    enum twoleg_error error = pointer_table_add(&registry->by_number, registry->epoch, slot);
    if (error) {
        free(slot);
        return error;
    }
    error = pointer_table_add(&registry->by_client, registry->epoch, slot);
    if (error) {
        // A reader may have found it by its number already.
        pointer_table_remove(&registry->by_number, slot);
        epoch_retire(registry->epoch, &slot->note, free);
        return error;
    }
    atomic_fetch_add_explicit(&registry->figure_applications, 1, memory_order_relaxed);
    return TWOLEG_NONE;
}

enum twoleg_error registry_take_application(struct registry *registry,
                                            const struct store_change *change)
{
    struct registry_slot *slot = registry_slot_find(registry, change->number);
    if (change->state.status == STATUS_DELETED) {
        if (slot)
            registry_remove(registry, slot);
        return TWOLEG_NONE;
    }
    struct registry_account *account = registry_account_of(registry, change->account);
    if (!account)
        return TWOLEG_NO_MEMORY;
    if (!slot)
        return registry_add(registry, change, account);
    atomic_store_explicit(&slot->account, account, memory_order_release);
    atomic_store_explicit(&slot->word, registry_word(change->state), memory_order_release);
    registry_body_drop(registry, slot);
    return TWOLEG_NONE;
}

static struct id_key registry_token_key(const struct token_id *id)
{
    struct id_key key;
    _Static_assert(sizeof key == sizeof id->bytes, "a token id fills the key");
    memcpy(&key, id->bytes, sizeof key);
    return key;
}

bool registry_token_revoked(const struct registry *registry, const struct token_id *id)
{
    return id_set_has(&registry->tokens, registry_token_key(id));
}

bool registry_credential_revoked(const struct registry *registry, uint64_t secret)
{
    return id_set_has(&registry->credentials, (struct id_key){{secret, 0}});
}

enum twoleg_error registry_take_revocation(struct registry *registry,
                                           const struct store_change *change)
{
    if (change->kind == CHANGE_CREDENTIAL)
        return id_set_add(&registry->credentials, (struct id_key){{change->number, 0}},
                          change->expires_s);
    return id_set_add(&registry->tokens, registry_token_key(&change->token), change->expires_s);
}

static enum twoleg_error registry_take(struct registry *registry,
                                       const struct store_change *change)
{
    enum twoleg_error error = TWOLEG_NONE;
    switch (change->kind) {
    case CHANGE_APPLICATION:
        pthread_mutex_lock(&registry->lock);
        error = registry_take_application(registry, change);
        pthread_mutex_unlock(&registry->lock);
        break;
    case CHANGE_ACCOUNT:
        pthread_mutex_lock(&registry->lock);
        error = registry_take_account(registry, change->number, change->account_active);
        pthread_mutex_unlock(&registry->lock);
        break;
    case CHANGE_USER:
        pthread_mutex_lock(&registry->lock);
        error = registry_take_user(registry, change);
        pthread_mutex_unlock(&registry->lock);
        break;
    case CHANGE_REVOCATION:
    case CHANGE_CREDENTIAL:
        error = registry_take_revocation(registry, change);
        break;
    case CHANGE_API: // registry_on_change reads them once for all
    case CHANGE_KEY:
    case CHANGE_SETTING:
        break;
    }
    return error;
}

static enum twoleg_error registry_reread_apis(struct registry *registry)
{
    struct store_reader *reader = store_reader_borrow(registry->store);
    enum twoleg_error error = registry_read_apis(registry, reader);
    store_reader_return(registry->store);
    return error;
}

static enum twoleg_error registry_fill_accounts(struct registry *registry,
                                                struct store_reader *reader)
{
    struct store_cursor *cursor;
    struct store_change change;
    enum twoleg_error error = store_accounts_begin(reader, &cursor);
    if (error)
        return error;
    while (!error && store_accounts_next(cursor, &change))
        error = registry_take_account(registry, change.number, change.account_active);
    enum twoleg_error end = store_end(cursor);
    return error ? error : end;
}

static enum twoleg_error registry_fill_states(struct registry *registry,
                                              struct store_reader *reader)
{
    struct store_cursor *cursor;
    struct store_change change;
    enum twoleg_error error = store_states_begin(reader, &cursor);
    if (error)
        return error;
    while (!error && store_states_next(cursor, &change))
        error = registry_take_application(registry, &change);
    enum twoleg_error end = store_end(cursor);
    return error ? error : end;
}

// The tokens, of which there may be millions, go in many at a time.
static enum twoleg_error registry_fill_revoked(struct registry *registry,
                                               struct store_cursor *cursor)
{
    struct id_entry tokens[ID_SET_MANY];
    struct store_change change;
    size_t count = 0;
    enum twoleg_error error = TWOLEG_NONE;
    while (!error && store_revocations_next(cursor, &change)) {
        if (change.kind != CHANGE_REVOCATION) {
            error = registry_take_revocation(registry, &change);
            continue;
        }
        stop_point("registry.revocation");
        tokens[count++] = (struct id_entry){registry_token_key(&change.token), change.expires_s};
        if (count < ID_SET_MANY)
            continue;
        error = id_set_add_many(&registry->tokens, tokens, count);
        count = 0;
    }
    return error ? error : id_set_add_many(&registry->tokens, tokens, count);
}

static enum twoleg_error registry_fill_users(struct registry *registry,
                                             struct store_reader *reader)
{
    struct store_cursor *cursor;
    struct store_change change;
    enum twoleg_error error = store_user_states_begin(reader, &cursor);
    if (error)
        return error;
    while (!error && store_user_states_next(cursor, &change))
        error = registry_take_user(registry, &change);
    enum twoleg_error end = store_end(cursor);
    return error ? error : end;
}

static enum twoleg_error registry_fill_revocations(struct registry *registry,
                                                   struct store_reader *reader)
{
    struct store_cursor *cursor;
    size_t count;
    enum twoleg_error error = store_revocations_count(reader, &count);
    if (!error)
        error = id_set_reserve(&registry->tokens, count);
    if (!error)
        error = store_revocations_begin(reader, &cursor);
    if (error)
        return error;
    error = registry_fill_revoked(registry, cursor);
    enum twoleg_error end = store_end(cursor);
    return error ? error : end;
}

// Accounts, applications and APIs.
static enum twoleg_error registry_fill_tables(struct registry *registry,
                                              struct store_reader *reader)
{
    // Under the lock from before the read on: no change can be taken in between and be overwritten
    // by what was read before it.
    pthread_mutex_lock(&registry->lock);
    enum twoleg_error error = registry_fill_accounts(registry, reader);
    if (!error)
        error = registry_fill_states(registry, reader);
    if (!error)
        error = registry_fill_users(registry, reader);
    pthread_mutex_unlock(&registry->lock);
    return error ? error : registry_read_apis(registry, reader);
}

// Harmless when repeated. Not under the lock.
static enum twoleg_error registry_fill(struct registry *registry)
{
    struct store_reader *reader = store_reader_borrow(registry->store);
    enum twoleg_error error = registry_fill_tables(registry, reader);
    if (!error)
        error = registry_fill_revocations(registry, reader);
    store_reader_return(registry->store);
    return error;
}

void registry_on_change(void *context, const struct store_change *changes, size_t count)
{
    struct registry *registry = context;
    bool apis = false;
    bool lost = false;
    for (size_t i = 0; i < count; i++) {
        apis = apis || changes[i].kind == CHANGE_API;
        lost = registry_take(registry, &changes[i]) != TWOLEG_NONE || lost;
    }
    if (apis)
        lost = registry_reread_apis(registry) != TWOLEG_NONE || lost;
    registry_repair(registry, lost);
}

void registry_repair(struct registry *registry, bool lost)
{
    if (!lost && !atomic_load(&registry->incomplete))
        return;
    // One at a time: what was lost while another thread read everything again is lost all the same.
    pthread_mutex_lock(&registry->repair_lock);
    if (lost)
        atomic_store(&registry->incomplete, true);
    if (atomic_load(&registry->incomplete) && registry_fill(registry) == TWOLEG_NONE)
        atomic_store(&registry->incomplete, false);
    pthread_mutex_unlock(&registry->repair_lock);
}

struct registry_first {
    struct store_read read; // first
    struct registry *registry;
    enum twoleg_error result;
};

static void registry_first_run(struct store_read *read, struct store_reader *reader)
{
    struct registry_first *first = (struct registry_first *)read;
    first->result = registry_fill_revocations(first->registry, reader);
}

static void registry_first_done(struct store_read *read)
{
    struct registry_first *first = (struct registry_first *)read;
    struct registry *registry = first->registry;
    if (read->result)
        first->result = read->result;
    pthread_mutex_lock(&registry->lock);
    if (--registry->loads_under_way == 0)
        pthread_cond_broadcast(&registry->idle);
    pthread_mutex_unlock(&registry->lock);
}

enum twoleg_error registry_fill_first(struct registry *registry)
{
    struct registry_first first = {.read = {.run = registry_first_run, .done = registry_first_done},
                                   .registry = registry};
    registry->loads_under_way = 1;
    enum twoleg_error error = store_read(registry->store, &first.read);
    if (error) {
        registry->loads_under_way = 0;
        return error;
    }
    struct store_reader *reader = store_reader_borrow(registry->store);
    error = registry_fill_tables(registry, reader);
    store_reader_return(registry->store);
    pthread_mutex_lock(&registry->lock);
    while (registry->loads_under_way > 0)
        pthread_cond_wait(&registry->idle, &registry->lock);
    pthread_mutex_unlock(&registry->lock);
    return error ? error : first.result;
}
