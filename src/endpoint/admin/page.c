// SPDX-License-Identifier: Apache-2.0
#include "endpoint/admin/page.h"

static enum twoleg_error page_loader(struct admin_load *load, struct store_reader *reader)
{
    const struct admin_list *list = load->list;
    struct store_page page = {
        .account = list->account, .after = load->text, .limit = load->limit};
    struct store_cursor *cursor;
    struct json_writer json;
    struct str name, last = STR_NONE;
    unsigned count = 0;
    enum twoleg_error error = list->begin(reader, &page, &cursor);
    if (error)
        return error;
    buf_init_arena(&load->out, &load->look.arena, 4096);
    json_writer_init(&json, &load->out);
    json_array_begin(&json);
    while (list->row(cursor, &json, &name))
        if (++count == load->limit)
            last = arena_copy(&load->look.arena, name);
    json_array_end(&json);
    load->text = last; // a full page may have a next one
    return store_end(cursor);
}

static enum twoleg_error page_prepare(struct admin_call *call, struct admin_load *load)
{
    struct admin_page page;
    enum twoleg_error error = admin_page_read(call, &page);
    if (error)
        return error;
    load->loader = page_loader;
    load->list = call->list;
    load->text = page.after.ptr ? arena_copy(&load->look.arena, page.after) : STR_NONE;
    load->limit = (unsigned)page.limit;
    return TWOLEG_NONE;
}

enum twoleg_error admin_list_answer(struct admin_call *call, const struct admin_list *list)
{
    struct admin_load *load;
    call->list = list;
    enum twoleg_error error = admin_load(call, page_prepare, &load);
    if (error)
        return error;
    if (load->out.failed)
        return TWOLEG_NO_MEMORY;
    // In the load's memory: a page may be longer than a request's.
    struct str rows = buf_str(&load->out);
    admin_answer_begin_in(call, &load->look.arena, rows.len + 2048);
    json_key_raw(&call->json, str_from(list->key), rows);
    if (load->text.ptr)
        json_key_str(&call->json, STR("next"), load->text);
    else
        json_key_nil(&call->json, STR("next"));
    return admin_answer_end(call, 200);
}
