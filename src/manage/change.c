// SPDX-License-Identifier: Apache-2.0
#include "manage/change.h"

#include <stdarg.h>
#include <stdio.h>

void manage_change_init(struct manage_change *change, struct store_batch *batch,
                        const struct manage_actor *actor, struct str request_id)
{
    *change = (struct manage_change){
        .batch = batch, .actor = actor, .request_id = store_batch_copy(batch, request_id)};
}

enum twoleg_error manage_may(struct manage_change *change, uint64_t account)
{
    const struct manage_actor *actor = change->actor;
    if (actor->operator_rights || actor->account == account)
        return TWOLEG_NONE;
    return manage_refuse(change, TWOLEG_REFUSED, "this belongs to another account");
}

enum twoleg_error manage_refuse(struct manage_change *change, enum twoleg_error error,
                                const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(change->problem, sizeof change->problem, format, arguments);
    va_end(arguments);
    return error;
}

struct store_verb *manage_verb(struct manage_change *change, enum store_verb_kind kind)
{
    const struct manage_actor *actor = change->actor;
    return store_batch_add(change->batch, kind,
                           actor->operator_rights ? STORE_OPERATOR : actor->account);
}

void manage_detail_begin(struct manage_change *change, struct manage_detail *ret_detail)
{
    buf_init_arena(&ret_detail->text, &change->batch->arena, 256);
    json_writer_init(&ret_detail->json, &ret_detail->text);
    json_object_begin(&ret_detail->json);
}

struct str manage_object(struct manage_change *change, enum number_kind kind, uint64_t number)
{
    struct buf text;
    buf_init_arena(&text, &change->batch->arena, NUMBER_TEXT_MAX);
    number_write(&text, kind, number);
    if (text.failed)
        change->batch->no_memory = true;
    return buf_str(&text);
}

void manage_detail_end(struct manage_change *change, struct manage_detail *detail,
                       enum event event, struct str object)
{
    json_object_end(&detail->json);
    if (detail->text.failed)
        change->batch->no_memory = true;
    struct store_verb *verb = manage_verb(change, VERB_AUDIT);
    verb->audit.actor = store_batch_copy(change->batch, change->actor->name);
    verb->audit.action = event_word(event);
    verb->audit.object = object;
    verb->audit.detail = buf_str(&detail->text);
    verb->audit.request_id = change->request_id;
}
