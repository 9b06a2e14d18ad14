// SPDX-License-Identifier: Apache-2.0
// Inside of registry/ only: its parts, and what its files share.
#pragma once
#include <pthread.h>

#include "registry/body.h"
#include "registry/id_set.h"
#include "registry/pointer_table.h"
#include "registry/registry.h"

struct registry_account {
    uint64_t number;
    atomic_bool active;
};

// A user: complete and never evicted, as every token of one is held against it.
struct registry_user {
    struct epoch_note note;
    uint64_t number;
    _Atomic uint64_t word; // as a slot's
    _Atomic(struct registry_account *) account;
    size_t len;
    char username[]; // which never changes
};

struct registry_load;

// One application. Readers reach it through the tables without a lock: what they read is constant
// or atomic; the rest belongs to the registry's lock.
struct registry_slot {
    struct epoch_note note;
    uint64_t number;
    uint64_t client; // keyed hash of the client_id, which never changes
    _Atomic uint64_t word; // generation << 2 | status
    _Atomic(struct registry_account *) account;
    _Atomic(struct body *) body;
    struct registry_load *load; // under way, or NULL
    struct registry_spent spent;
};

// The placeholder of a body that is being read. It is found through its slot; it holds the number
// only, since the slot may go while the store is read.
struct registry_load {
    struct store_read read;
    struct registry *registry;
    uint64_t number;
    bool dirty; // a change overtook it: read again
    int64_t since_us; // monotonic: when its first waiter came
    struct registry_load *next; // of those under way
    enum twoleg_error result;
    struct http_job *waiters;
};

struct registry {
    struct store *store;
    struct epoch *epoch;
    size_t bodies_max;
    struct siphash_key hash;
    // A change could not be taken in (no memory, or the store could not be read): everything is
    // refused until all was read again.
    atomic_bool incomplete;
    pthread_mutex_t repair_lock; // held while incomplete is set or mended

    pthread_mutex_t lock; // of all writers; never held while the store is read by a load
    pthread_cond_t idle;  // no load is under way any more
    struct pointer_table by_number, by_client, accounts, users;
    struct registry_slot nobody; // in no table
    struct registry_account nobody_account;
    struct body nobody_body;
    struct body_list bodies;
    struct registry_load *loads;
    size_t loads_under_way;

    _Atomic(struct registry_apis *) apis; // written by whoever has borrowed the store's reader
    struct id_set tokens, credentials;

    _Atomic size_t figure_applications, figure_bodies, figure_users;
    _Atomic uint64_t figure_loads, figure_evictions;
};

// One allocation; the set's text lies behind.
struct registry_apis {
    struct epoch_note note;
    struct api_set set;
    struct str scopes; // of all of them
    struct api api[];
};

// changes.c, under the lock unless said otherwise.
enum twoleg_error registry_take_account(struct registry *registry, uint64_t number,
                                        bool active) TWOLEG_MUST_CHECK;
enum twoleg_error registry_take_application(struct registry *registry,
                                            const struct store_change *change) TWOLEG_MUST_CHECK;
enum twoleg_error registry_take_user(struct registry *registry,
                                     const struct store_change *change) TWOLEG_MUST_CHECK;
// The account of an application or a user; one that was never announced is not active. NULL without
// memory.
struct registry_account *registry_account_of(struct registry *registry, uint64_t number);
uint64_t registry_word(struct application_state state);
// Any thread but a loop's; takes what locks it needs.
enum twoleg_error registry_take_revocation(struct registry *registry,
                                           const struct store_change *change) TWOLEG_MUST_CHECK;
// For the start: reads everything that is complete. The revocations, which may be millions, are
// read by a thread of the store's beside the rest; it is back once both have been.
enum twoleg_error registry_fill_first(struct registry *registry) TWOLEG_MUST_CHECK;

// With lost: refuses everything from now on. Then tries to read it all again, if that is due.
void registry_repair(struct registry *registry, bool lost);

// apis.c. Not under the lock; with the reader that was borrowed from the store, and is given back
// after the swap: the last one to read wins.
enum twoleg_error registry_read_apis(struct registry *registry,
                                     struct store_reader *reader) TWOLEG_MUST_CHECK;

// registry.c, under the lock.
struct registry_slot *registry_slot_find(const struct registry *registry, uint64_t number);
uint64_t registry_client_hash(const struct registry *registry, struct str client_id);
void registry_body_drop(struct registry *registry, struct registry_slot *slot);
