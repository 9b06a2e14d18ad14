// SPDX-License-Identifier: Apache-2.0
// The one place where the text of a secret becomes what is stored of it.
#pragma once
#include "endpoint/admin/job.h"

// A brought secret that needs the slow hash is noted in the load, to be hashed before the change.
enum twoleg_error admin_secret_prepare(struct admin_call *call, struct admin_load *load,
                                       struct str brought) TWOLEG_MUST_CHECK;

// brought.ptr NULL: one is made and kept in the commit, to be shown once. ret_secret gets number,
// stored form and created time; slow_hash points into the load.
enum twoleg_error admin_secret_make(struct admin_call *call, const struct admin_load *load,
                                    struct str brought, uint64_t application,
                                    struct admin_commit *commit,
                                    struct secret *ret_secret) TWOLEG_MUST_CHECK;
// The members "secret" (its number) and "client_secret" (its text, when it was made by us).
void admin_secret_show(struct admin_call *call, const struct admin_commit *commit);
