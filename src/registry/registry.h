// SPDX-License-Identifier: Apache-2.0
// What requests read. Readers take no lock and no reference: between epoch_enter and epoch_leave
// (one loop turn) everything returned here stays valid, and nothing is kept longer.
//
// Complete and never evicted: each application's state word, a keyed hash of each client_id, live
// revocations, accounts, users, the APIs. Bounded: application bodies (SIEVE). A change drops the
// body; the next request loads it again; a load that a change overtook is thrown away and repeated.
#pragma once
#include "base/epoch.h"
#include "base/error.h"
#include "model/api.h"
#include "model/application.h"
#include "model/token_record.h"
#include "http/job.h"
#include "limit/limit.h"
#include "store/store.h"

struct registry;

struct registry_settings {
    struct store *store;
    struct epoch *epoch;
    size_t bodies_max; // application bodies kept
};

// Reads everything that is complete from the store; start only.
enum twoleg_error registry_create(const struct registry_settings *settings,
                                  struct registry **ret_registry) TWOLEG_MUST_CHECK;
// Once the loops have stopped, before or after store_close: waits for loads under way.
void registry_destroy(struct registry *registry);
// The store's on_change, or part of it: publishes before the change is answered.
void registry_on_change(void *registry, const struct store_change *changes, size_t count);

// Another bound of bodies; those beyond it go. Any thread but a loop's.
void registry_bound(struct registry *registry, size_t bodies_max);

// What is known of one application now.
struct registry_view {
    uint64_t number;
    struct application_state state;
    bool account_active;
    const struct application *body; // NULL: not loaded
};

// TWOLEG_NONE with a body; TWOLEG_WAIT: known, but its body must be loaded (ret_view->number);
// TWOLEG_CLIENT_UNKNOWN / TWOLEG_NOT_FOUND: there is none. An unknown id never reaches the store;
// its view is nobody's, with number 0 and a body without secrets.
// TWOLEG_STORE_FAILED: a change could not be taken in (memory, a read of the store), so nothing
// here is to be believed; each later change and registry_mend tries to repair that.
enum twoleg_error registry_client(struct registry *registry, struct str client_id,
                                  struct registry_view *ret_view) TWOLEG_MUST_CHECK;
enum twoleg_error registry_application(struct registry *registry, uint64_t number,
                                       struct registry_view *ret_view) TWOLEG_MUST_CHECK;

// What is known of one user now. The name is good until the turn ends.
struct registry_user_view {
    struct application_state state;
    bool account_active;
    struct str username;
};
// False: there is no such user, or no more; then the view is that of a deleted one. While a change
// could not be taken in, nothing here is to be believed; registry_application says so.
bool registry_user(const struct registry *registry, uint64_t number,
                   struct registry_user_view *ret_view);

// What an application has spent of its budget, since it is known here: kept with what is never
// evicted, so that neither a change nor a new load of the body fills it up again.
struct registry_spent {
    struct limit_bucket bucket;
    _Atomic uint32_t refused, observed; // requests beyond it; they start anew after 2^32
};
// NULL: there is no such application any more.
struct registry_spent *registry_spent(const struct registry *registry, uint64_t number);

// Starts the load of a body, or joins the one under way; the job is done when the body is there or
// the load failed (job->result). On an error the job is still the caller's.
enum twoleg_error registry_load(struct registry *registry, uint64_t number,
                                struct http_job *job) TWOLEG_MUST_CHECK;

bool registry_token_revoked(const struct registry *registry, const struct token_id *id);
bool registry_credential_revoked(const struct registry *registry, uint64_t secret);
const struct api_set *registry_apis(const struct registry *registry);
// What all APIs declare, in ascending order, each word once. STR_NONE when that is too long for a
// list that anybody may ask for.
struct str registry_scopes(const struct registry *registry);

// Forgets revocations of tokens that expired before the second. Any thread but a loop's.
void registry_purge(struct registry *registry, int64_t before_s);
// Tries again to take in what could not be; nothing to do while all is well. Any thread but a
// loop's, every second or so.
void registry_mend(struct registry *registry);
// Answers those with STORE_BUSY who have waited longer for a body than that, whatever the load
// hangs on; it goes on without them. Any thread.
void registry_give_up(struct registry *registry, int64_t age_us);

struct registry_figures {
    size_t applications, bodies, users, revocations;
    uint64_t loads, evictions;
    bool incomplete; // not ready: see registry_client
};
struct registry_figures registry_figures(const struct registry *registry);

#ifdef TWOLEG_TEST_HOOKS
// From now on all client ids have the same hash.
void registry_test_collide(bool collide);
#endif
