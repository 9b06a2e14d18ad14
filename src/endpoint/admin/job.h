// SPDX-License-Identifier: Apache-2.0
// What an admin call waits for: one look into the store on a reader's thread, then one commit.
#pragma once
#include "crypto/password.h"
#include "endpoint/admin/call.h"
#include "endpoint/job.h"

struct admin_load;
typedef enum twoleg_error admin_loader(struct admin_load *load, struct store_reader *reader);

// Inputs are copied into the arena before the start; results are there once the job has ended.
struct admin_load {
    struct endpoint_look look;
    admin_loader *loader;

    struct str client_id; // load this application
    struct str username;  // or this user
    bool by_number;       // or the one whose number this text is
    const struct sign_algorithm *algorithm; // or make a key
    struct str secret;    // and make the slow hash of this text, unless empty
    struct admin_brought *brought; // or an imported one, and how an import of it would end
    const struct admin_list *list; // whose page is loaded
    struct str text;      // file of a copy, first row of a page, kid of a key
    struct str destination; // where the caller will put the copy
    struct keyring *keyring; // whose keys are changed, and who does it
    struct str actor;
    char request_id[HTTP_ID_LEN];
    uint64_t after;
    unsigned limit;

    struct application *application;
    struct user *user;
    struct api_set apis;
    struct password_hash hash;
    struct sign_key *key;
    struct buf out; // JSON made by the loader
    char reason[512];
};
ENDPOINT_FIRST(struct admin_load, look);

// The ended load of this call, or TWOLEG_WAIT with a new one under way. prepare fills the inputs of
// a new one. Any other error is the load's own.
enum twoleg_error admin_load(struct admin_call *call,
                             enum twoleg_error (*prepare)(struct admin_call *call,
                                                          struct admin_load *load),
                             struct admin_load **ret_load) TWOLEG_MUST_CHECK;
// The application that ?client_id= names, with the APIs. No other parameter may be given.
enum twoleg_error admin_load_named(struct admin_call *call,
                                   struct admin_load **ret_load) TWOLEG_MUST_CHECK;
// Reads ?client_id= for a load that wants more than the application.
enum twoleg_error admin_load_name(struct admin_call *call,
                                  struct admin_load *load) TWOLEG_MUST_CHECK;
// The loader that makes the slow hash; without one the application is loaded.
enum twoleg_error admin_loader_hash(struct admin_load *load, struct store_reader *reader);

// The user of the default account whose name load->username is, and the APIs; and a hash of the
// secret.
enum twoleg_error admin_loader_user(struct admin_load *load, struct store_reader *reader);

// A change on its way, with what its answer will need. Texts live in the batch.
struct admin_commit {
    struct endpoint_commit commit;
    struct manage_change change; // of the commit's batch
    struct application *application;
    struct api *api;
    struct user *user;
    struct manage_access access;
    uint64_t secret_number;
    char secret[SECRET_MAX]; // made by us, to be shown once; wiped
    size_t secret_len;
    bool alone; // a login ended without its access tokens
};
ENDPOINT_FIRST(struct admin_commit, commit);

// The ended commit of this call: TWOLEG_NONE and it is durable, else why not. *ret_commit NULL:
// there was none yet, or it can do better when it is built again: it lost a race, or there was no
// room for all that a login ends with.
enum twoleg_error admin_committed(struct admin_call *call,
                                  struct admin_commit **ret_commit) TWOLEG_MUST_CHECK;
// There was no room for what the latest commit of this call was to revoke.
bool admin_commit_full(const struct admin_call *call);
// Says so: LIMIT.
enum twoleg_error admin_refuse_full(struct admin_call *call);
// Fills the batch of a new commit; input is what was handed to admin_commit.
typedef enum twoleg_error admin_build(struct admin_call *call, struct admin_commit *commit,
                                      const void *input);
// The same, and where there is none: one is built, submitted and waited for (TWOLEG_WAIT). The
// error and the words of a build that refuses are the call's. On TWOLEG_NONE ret_commit is durable.
enum twoleg_error admin_commit(struct admin_call *call, admin_build *build, const void *input,
                               struct admin_commit **ret_commit) TWOLEG_MUST_CHECK;

// Builds a commit and submits nothing: what it would be, and whether it is refused. It is the
// caller's, to be dropped.
enum twoleg_error admin_try(struct admin_call *call, admin_build *build, const void *input,
                            struct admin_commit **ret_commit) TWOLEG_MUST_CHECK;
void admin_drop(struct admin_commit *commit);

// Waits until the registry has the application's body.
enum twoleg_error admin_wait_body(struct admin_call *call, uint64_t number) TWOLEG_MUST_CHECK;
