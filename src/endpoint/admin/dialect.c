// SPDX-License-Identifier: Apache-2.0
// What applications are tied to: for whoever is about to take a dialect away.
#include "endpoint/admin/actions.h"
#include "endpoint/admin/job.h"

static void tie_write(struct json_writer *json, const struct store_tie *tie)
{
    json_object_begin(json);
    json_key_str(json, STR("dialects"), tie->dialects);
    json_key_u64(json, STR("applications"), tie->count);
    json_key_str(json, STR("client_id"), tie->client_id);
    json_object_end(json);
}

static enum twoleg_error ties_loader(struct admin_load *load, struct store_reader *reader)
{
    struct store_cursor *cursor;
    struct store_tie tie;
    struct json_writer json;
    enum twoleg_error error = store_ties_begin(reader, &cursor);
    if (error)
        return error;
    buf_init_arena(&load->out, &load->look.arena, 4096);
    json_writer_init(&json, &load->out);
    json_object_begin(&json);
    json_key(&json, STR("ties"));
    json_array_begin(&json);
    while (store_ties_next(cursor, &tie))
        tie_write(&json, &tie);
    json_array_end(&json);
    json_object_end(&json);
    buf_add_char(&load->out, '\n');
    return store_end(cursor);
}

static enum twoleg_error ties_prepare(struct admin_call *call, struct admin_load *load)
{
    load->loader = ties_loader;
    return admin_query(call, NULL, 0);
}

enum twoleg_error admin_dialect_ties(struct admin_call *call)
{
    struct admin_load *load;
    enum twoleg_error error = admin_load(call, ties_prepare, &load);
    return error ? error : admin_answer(call, 200, &load->out);
}
