// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verb.h"

typedef enum twoleg_error verb_function(struct round *round, const struct store_verb *verb);

static verb_function *const verb_functions[] = {
    [VERB_APPLICATION_CREATE] = verb_application_create,
    [VERB_APPLICATION_UPDATE] = verb_application_update,
    [VERB_APPLICATION_DELETE] = verb_application_delete,
    [VERB_APPLICATION_API_SET] = verb_application_api_set,
    [VERB_SECRET_CREATE] = verb_secret_create,
    [VERB_SECRET_REMOVE] = verb_secret_remove,
    [VERB_SECRET_USED] = verb_secret_used,
    [VERB_API_CREATE] = verb_api_create,
    [VERB_SCOPE_CREATE] = verb_scope_create,
    [VERB_SCOPE_REMOVE] = verb_scope_remove,
    [VERB_TOKEN_REVOKE] = verb_token_revoke,
    [VERB_CREDENTIAL_REVOKE] = verb_credential_revoke,
    [VERB_KEY_CREATE] = verb_key_create,
    [VERB_KEY_STATE] = verb_key_state,
    [VERB_SETTING_SET] = verb_setting_set,
    [VERB_SETTING_CREATE] = verb_setting_set,
    [VERB_REVOCATIONS_PURGE] = verb_revocations_purge,
    [VERB_AUDIT] = verb_audit,
    [VERB_API_RENAME_DEFAULT] = verb_api_rename_default,
    [VERB_KEY_REWRAP] = verb_key_rewrap,
    [VERB_TOKEN_ADD] = verb_token_add,
    [VERB_TOKENS_PURGE] = verb_tokens_purge,
    [VERB_USER_CREATE] = verb_user_create,
    [VERB_USER_UPDATE] = verb_user_update,
    [VERB_USER_DELETE] = verb_user_delete,
    [VERB_REFRESH_ADD] = verb_refresh_add,
    [VERB_REFRESH_ROTATE] = verb_refresh_rotate,
    [VERB_REFRESH_REVOKE] = verb_refresh_revoke,
    [VERB_REFRESH_NOTE] = verb_refresh_note,
    [VERB_TOKEN_REPLACE] = verb_token_replace,
};

enum twoleg_error verb_run(struct round *round, const struct store_verb *verb)
{
    if ((size_t)verb->kind >= sizeof verb_functions / sizeof verb_functions[0])
        return TWOLEG_RANGE;
    return verb_functions[verb->kind](round, verb);
}

enum twoleg_error verb_simple(struct round *round, enum statement_id id, uint64_t first)
{
    struct statement statement = statement_begin(round->database, id);
    statement_number(&statement, first);
    return statement_run(&statement);
}

enum twoleg_error verb_simple_two(struct round *round, enum statement_id id, uint64_t first,
                                  uint64_t second)
{
    struct statement statement = statement_begin(round->database, id);
    statement_number(&statement, first);
    statement_number(&statement, second);
    return statement_run(&statement);
}
