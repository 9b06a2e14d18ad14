// SPDX-License-Identifier: Apache-2.0
#include "manage/token.h"

enum twoleg_error manage_token_revoke(struct manage_change *change,
                                      const struct token_record *record,
                                      const struct application *application,
                                      enum token_format format, struct str token_id)
{
    struct manage_detail detail;
    enum twoleg_error error = manage_may(change, application ? application->account : 0);
    if (error)
        return error;
    struct store_verb *verb = manage_verb(change, VERB_TOKEN_REVOKE);
    verb->revoke.id = record->id;
    verb->revoke.application = record->application;
    verb->revoke.expires_s =
        format == FORMAT_REFERENCE ? token_record_forget_s(record) : record->expires_s;
    manage_detail_begin(change, &detail);
    if (application)
        json_key_str(&detail.json, STR("client_id"), application->client_id);
    json_key_str(&detail.json, STR("token_id"), token_id);
    json_key_i64(&detail.json, STR("issued"), record->issued_s);
    if (record->expires_s)
        json_key_i64(&detail.json, STR("expires"), record->expires_s);
    manage_detail_end(change, &detail, EVENT_TOKEN_REVOKE,
                      manage_object(change, NUMBER_APPLICATION, record->application));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

static enum twoleg_error manage_operator(struct manage_change *change)
{
    return change->actor->operator_rights
               ? TWOLEG_NONE
               : manage_refuse(change, TWOLEG_REFUSED, "only an operator may do that");
}

static void note_names(struct manage_detail *detail, struct str key,
                       const struct manage_texts *names)
{
    json_key(&detail->json, key);
    json_array_begin(&detail->json);
    for (size_t i = 0; i < names->count; i++)
        json_str(&detail->json, names->items[i]);
    json_array_end(&detail->json);
}

enum twoleg_error manage_reload_note(struct manage_change *change,
                                     const struct manage_texts *options,
                                     const struct manage_texts *dialects)
{
    struct manage_detail detail;
    enum twoleg_error error = manage_operator(change);
    if (error)
        return error;
    manage_detail_begin(change, &detail);
    note_names(&detail, STR("options"), options);
    if (dialects->count)
        note_names(&detail, STR("dialects"), dialects);
    manage_detail_end(change, &detail, EVENT_CONFIG_RELOAD, STR("config"));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}

enum twoleg_error manage_backup_note(struct manage_change *change, struct str file)
{
    struct manage_detail detail;
    enum twoleg_error error = manage_operator(change);
    if (error)
        return error;
    manage_detail_begin(change, &detail);
    json_key_str(&detail.json, STR("file"), file);
    manage_detail_end(change, &detail, EVENT_BACKUP, STR("store"));
    return change->batch->no_memory ? TWOLEG_NO_MEMORY : TWOLEG_NONE;
}
