// SPDX-License-Identifier: Apache-2.0
// Data keys and signing keys, unwrapped, as one immutable set that is replaced whole. The master
// key is only seen here: it wraps them in the store and nothing else.
#pragma once
#include "base/env.h"
#include "base/epoch.h"
#include "crypto/mac.h"
#include "crypto/sign.h"
#include "jose/jwk.h"
#include "jose/jws.h"
#include "jose/jwt.h"
#include "keyring/rotation.h"
#include "store/store.h"

struct keyring;

enum key_purpose { KEY_SECRET, KEY_SEAL, KEY_JTI, KEY_PURPOSES };

struct data_key {
    uint32_t id;
    enum key_purpose purpose;
    bool active;          // the one that new things are made with
    struct mac_key mac;   // KEY_SECRET, KEY_JTI
    uint8_t raw[32];      // KEY_SEAL
};

struct signing_key {
    uint64_t id;
    struct str kid;       // RFC 7638 thumbprint
    struct str algorithm; // RFC 7518 3.1 "alg"
    enum key_state state;
    struct sign_key *private_key; // of a key that signs, else NULL: no longer or not yet needed
    struct verify_key *public_key;
    struct jws_header header; // the same for each of its tokens
    int64_t created_us;
    int64_t state_us;       // since when it is in this state
    int64_t last_expiry_us; // of a retired key: when the last of its tokens has expired
};

struct keyring_set {
    const struct data_key *data;
    size_t data_count;
    const struct signing_key *signing; // announced, signing and retired ones
    size_t signing_count;
    struct str jwks; // the JWKS document (RFC 7517), ready to be sent
    uint64_t serial;  // another for each set
    uint64_t last_id; // of all keys that the store ever had
    struct str guard; // one of the keys as it is wrapped: who wraps another says it must be there
};

struct keyring_settings {
    struct store *store;
    struct epoch *epoch;
    const char *folder;          // where a master key is created for a new store: DIR/master.key
    const char *master_key_file; // or NULL: systemd credential "twoleg-master-key", then the folder
    struct env *env;
    struct rotation_rules rotation; // as configured: period and values only
};

// Reads or creates the master key, makes the first data keys and the first signing key in a new
// store (one batch, so that two servers cannot both), unwraps all. A wide mode, foreign owner,
// symlink, wrong or truncated key, or a missing one on a store that has keys is refused in words;
// nothing is rewritten. ret_notice gets a clear note when a master key was created, else "".
enum twoleg_error keyring_create(const struct keyring_settings *settings,
                                 struct keyring **ret_keyring, char ret_reason[static 512],
                                 char ret_notice[static 512]) TWOLEG_MUST_CHECK;
void keyring_destroy(struct keyring *keyring); // wipes
// Whether a server would take the file that its configuration names for the master key; which
// store's it is tells only the store. REFUSED, in words.
enum twoleg_error keyring_check_master_key(const char *path,
                                           char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// For CHANGE_KEY: reads the keys again and swaps the set. Any thread but a loop's.
void keyring_on_change(void *keyring, const struct store_change *changes, size_t count);

// A new private key. Its kid never begins with a dash: that would look like an option to whoever
// must type it in a hurry. RSA takes seconds. NO_MEMORY, NO_RANDOM, INTERNAL.
enum twoleg_error keyring_key_create(const struct sign_algorithm *algorithm,
                                     struct sign_key **ret_private_key) TWOLEG_MUST_CHECK;

struct keyring_row {
    struct store_key key;
    struct str guard; // VERB_KEY_CREATE's expected_wrapped
};

// The row of a signing key for an algorithm that has none yet, in the arena: nobody waits for it in
// a cache of the JWKS, so it signs at once. Its id is the next one of the current set: of two made
// from one set the store takes the first (TWOLEG_CONFLICT), and none once the master key is another
// (TWOLEG_VERSION_CONFLICT). May wait while the keys are read again, which is rare and short.
// NO_MEMORY, NO_RANDOM, INTERNAL.
enum twoleg_error keyring_first_row(struct keyring *keyring, const struct sign_key *private_key,
                                    const struct sign_algorithm *algorithm, struct env *env,
                                    struct arena *arena,
                                    struct keyring_row *ret_row) TWOLEG_MUST_CHECK;

// A change could not be read: the set may be older than what was acknowledged. The server is not
// ready, and nobody may issue, believe or publish by this set. Each later change and keyring_mend
// tries again.
bool keyring_stale(const struct keyring *keyring);

// Reads them again if they are stale. Any thread but a loop's, every second or so.
void keyring_mend(struct keyring *keyring);

// Valid until the loop turn ends.
const struct keyring_set *keyring_current(const struct keyring *keyring);
const struct data_key *keyring_active(const struct keyring_set *set, enum key_purpose purpose);
const struct data_key *keyring_data(const struct keyring_set *set, enum key_purpose purpose,
                                    uint32_t id);
const struct signing_key *keyring_signing(const struct keyring_set *set, struct str algorithm);
const struct signing_key *keyring_find(const struct keyring_set *set, struct str kid);

// The contexts of one worker: made when first used with a set, kept until the set is replaced.
struct keyring_worker;
struct keyring_worker *keyring_worker_create(struct keyring *keyring); // NULL without memory
void keyring_worker_destroy(struct keyring_worker *worker);
// NULL without memory or when the key has no private half. What they return is the worker's, and
// good until its next call: by then another set may have replaced this one.
struct signer *keyring_signer(struct keyring_worker *worker, const struct signing_key *key);
struct verifier_ctx *keyring_verifier(struct keyring_worker *worker, const struct signing_key *key);

#ifdef TWOLEG_TEST_HOOKS
// A change of keys is on its way to the disk.
bool keyring_test_changing(struct keyring *keyring);
#endif
