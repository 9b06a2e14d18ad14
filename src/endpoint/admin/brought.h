// SPDX-License-Identifier: Apache-2.0
// A secret that an application has had elsewhere: its text, its SHA-256 or a slow hash of it.
#pragma once
#include "endpoint/admin/application.h"
#include "endpoint/admin/job.h"

enum admin_brought_kind { BROUGHT_TEXT, BROUGHT_SHA256, BROUGHT_HASH };

// What an import of it comes to, decided once and before anything is changed.
enum admin_import { IMPORT_UNDECIDED, IMPORT_CREATE, IMPORT_UPDATE, IMPORT_NOTHING };

struct admin_brought {
    enum admin_brought_kind kind;
    struct str text;      // BROUGHT_TEXT, and of BROUGHT_HASH what will be stored
    struct sha256 digest; // the others: BROUGHT_TEXT has it, too
    bool is_long;         // has 32 characters or more: seen, or promised by whoever has the file
    enum secret_scheme scheme; // BROUGHT_HASH
    bool dry_run;
    int64_t now_us; // of the request
    bool is_there; // the application has it already
    enum admin_import end;
    bool adds_secret, changes_facts; // IMPORT_UPDATE
};

// One of client_secret and client_secret_hash, checked, in the load's memory.
enum twoleg_error admin_brought_read(struct admin_call *call, const struct application_body *body,
                                     struct admin_load *load) TWOLEG_MUST_CHECK;

// A loader: the application of load->client_id, or none, and the APIs; whether the secret is one of
// its slow ones; and where it is not, the slow hash of what needs one.
enum twoleg_error admin_loader_brought(struct admin_load *load, struct store_reader *reader);

// Whether it is one of the application's keyed secrets.
bool admin_brought_is_keyed(struct admin_call *call, const struct application *application,
                            const struct admin_brought *brought);

// As admin_secret_make.
enum twoleg_error admin_brought_make(struct admin_call *call, const struct admin_load *load,
                                     uint64_t application, struct admin_commit *commit,
                                     struct secret *ret_secret) TWOLEG_MUST_CHECK;
