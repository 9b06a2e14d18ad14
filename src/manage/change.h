// SPDX-License-Identifier: Apache-2.0
// One change that somebody wants: the right to it, the verbs and the audit row are put into one
// batch, so that there is never one without the other. Nothing here waits, commits or draws
// randomness: numbers, clock and what is there now are handed in.
#pragma once
#include "base/error.h"
#include "codec/json_write.h"
#include "model/event.h"
#include "model/number.h"
#include "store/store.h"

#define MANAGE_PROBLEM_MAX 512

struct manage_actor {
    struct str name;      // as in audit rows: "uid:0"
    bool operator_rights; // may change what belongs to any account
    uint64_t account;     // else the one account whose things it may change
};

struct manage_change {
    struct store_batch *batch; // not owned; its clock is the change's
    const struct manage_actor *actor;
    struct str request_id;
    char problem[MANAGE_PROBLEM_MAX]; // words for a person when a function refused
};

// The request's texts are copied into the batch.
void manage_change_init(struct manage_change *change, struct store_batch *batch,
                        const struct manage_actor *actor, struct str request_id);

// TWOLEG_REFUSED when the actor may not change what belongs to the account.
enum twoleg_error manage_may(struct manage_change *change, uint64_t account) TWOLEG_MUST_CHECK;

// Sets the words and gives the error back, so that a refusal is one line.
enum twoleg_error manage_refuse(struct manage_change *change, enum twoleg_error error,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

// A verb of the change, with the account the actor is bound to.
struct store_verb *manage_verb(struct manage_change *change, enum store_verb_kind kind);

// The audit row's detail: an object that the caller fills between begin and end. Never a secret.
struct manage_detail {
    struct buf text;
    struct json_writer json;
};
void manage_detail_begin(struct manage_change *change, struct manage_detail *ret_detail);
// Adds the audit row. The object is the batch's: see manage_object.
void manage_detail_end(struct manage_change *change, struct manage_detail *detail,
                       enum event event, struct str object);
// The number's text, in the batch.
struct str manage_object(struct manage_change *change, enum number_kind kind, uint64_t number);
