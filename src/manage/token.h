// SPDX-License-Identifier: Apache-2.0
// What an operator does to one token, and to the store as a whole.
#pragma once
#include "manage/access.h"
#include "manage/change.h"
#include "model/token_record.h"

// The record must have been read from a token of ours, of that format. Its id is kept until it
// would have expired; that of a reference token longer, since it may be found again
// (token_record_forget_s). The application is the token's own; NULL when it is gone, and then only
// an operator may. token_id is the id that people know it by, for the audit.
enum twoleg_error manage_token_revoke(struct manage_change *change,
                                      const struct token_record *record,
                                      const struct application *application,
                                      enum token_format format,
                                      struct str token_id) TWOLEG_MUST_CHECK;
// Says in the audit which options and dialects were taken over while the server ran, by name.
enum twoleg_error manage_reload_note(struct manage_change *change,
                                     const struct manage_texts *options,
                                     const struct manage_texts *dialects) TWOLEG_MUST_CHECK;
// Says in the audit that a copy was made, and where.
enum twoleg_error manage_backup_note(struct manage_change *change,
                                     struct str file) TWOLEG_MUST_CHECK;
