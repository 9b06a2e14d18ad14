// SPDX-License-Identifier: Apache-2.0
// What applications are tied to: for whoever is about to take a dialect away; and what is spoken to
// a new one.
#include "endpoint/admin/dialect.h"

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

static struct str example_line(const struct admin_call *call, const struct dialect *dialect,
                               const struct application *application)
{
    unsigned grants = application->grants;
    if (grants & GRANT_BIT(GRANT_CLIENT_CREDENTIALS))
        return dialect->example;
    if (grants & GRANT_BIT(GRANT_PASSWORD) && endpoint_config(call->request)->password_grant)
        return dialect->user_example;
    return STR_NONE;
}

void admin_dialect_show_example(struct admin_call *call, const struct application *application)
{
    struct json_writer *json = &call->json;
    struct str issuer = call->context->token.issuer;
    const struct dialect *dialect = endpoint_issuer_dialect(call->request);
    if (dialect && !application_speaks(application, dialect->name))
        dialect = NULL;
    struct str line = dialect ? example_line(call, dialect, application) : STR_NONE;
    json_key_str(json, STR("issuer"), issuer);
    if (dialect)
        json_key_str(json, STR("dialect"), dialect->name);
    if (dialect && dialect->rules.has_format)
        json_key_str(json, STR("dialect_format"), token_format_name(dialect->rules.format));
    if (line.ptr)
        json_key_str(json, STR("example"), line);
}
