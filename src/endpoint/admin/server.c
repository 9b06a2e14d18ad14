// SPDX-License-Identifier: Apache-2.0
// The store and the server as a whole: copies, audit, status.
#include <stdio.h>

#include "codec/utf8.h"
#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/job.h"
#include "endpoint/admin/view.h"
#include "manage/token.h"

#define FILE_MAX 4000
#define AUDIT_LATEST UINT64_MAX // no place to start from was given

struct backup_body {
    struct str file;
    struct str destination; // where the caller takes the file; empty: it stays
};

static const struct admin_field backup_fields[] = {
    {"file", ADMIN_TEXT, offsetof(struct backup_body, file)},
    {"destination", ADMIN_TEXT, offsetof(struct backup_body, destination)},
};

static enum twoleg_error backup_loader(struct admin_load *load, struct store_reader *reader)
{
    return store_backup(reader, load->text.ptr, load->reason);
}

static bool backup_is_path(struct str file)
{
    return file.len > 1 && file.len <= FILE_MAX && file.ptr[0] == '/' && text_is_plain(file);
}

static enum twoleg_error backup_read(struct admin_call *call, struct backup_body *ret_body)
{
    *ret_body = (struct backup_body){.file = STR("")};
    enum twoleg_error error = admin_body(call, backup_fields, 2, ret_body);
    if (error)
        return error;
    if (!backup_is_path(ret_body->file) ||
        (ret_body->destination.len && !backup_is_path(ret_body->destination)))
        return admin_refuse(call, TWOLEG_MALFORMED, "the copy needs a file named by an absolute "
                            "path, without control characters");
    return TWOLEG_NONE;
}

static enum twoleg_error backup_prepare(struct admin_call *call, struct admin_load *load)
{
    struct backup_body body;
    enum twoleg_error error = backup_read(call, &body);
    if (error)
        return error;
    load->text = arena_copy(&load->look.arena, body.file);
    load->destination =
        arena_copy(&load->look.arena, body.destination.len ? body.destination : body.file);
    load->loader = backup_loader;
    load->look.read.lane = LANE_COPY;
    return TWOLEG_NONE;
}

static enum twoleg_error backup_build(struct admin_call *call, struct admin_commit *commit,
                                      const void *input)
{
    const struct admin_load *load = input;
    (void)call;
    return manage_backup_note(&commit->change, load->destination);
}

enum twoleg_error admin_backup(struct admin_call *call)
{
    struct admin_load *load;
    struct admin_commit *commit;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (!error)
        error = admin_load(call, backup_prepare, &load);
    if (!error)
        error = admin_commit(call, backup_build, load, &commit);
    if (error)
        return error;
    admin_answer_begin(call);
    json_key_str(&call->json, STR("file"), load->text);
    json_key_bool(&call->json, STR("holds_master_key"), false);
    return admin_answer_end(call, 201);
}

// ---------------------------------------------------------------------------------- audit

static void audit_write(struct json_writer *json, const struct store_audit *row)
{
    json_object_begin(json);
    json_key_u64(json, STR("sequence"), row->sequence);
    admin_view_time(json, STR("at"), row->at_us);
    json_key_str(json, STR("actor"), row->actor);
    json_key_str(json, STR("action"), row->action);
    json_key_str(json, STR("object"), row->object);
    json_key_raw(json, STR("detail"), row->detail.len ? row->detail : STR("{}"));
    json_key_str(json, STR("request_id"), row->request_id);
    json_object_end(json);
}

static enum twoleg_error audit_loader(struct admin_load *load, struct store_reader *reader)
{
    struct store_cursor *cursor;
    struct store_audit row;
    struct json_writer json;
    uint64_t last;
    enum twoleg_error error = store_audit_last(reader, &last);
    // Without a place to start from: the latest, in the same order.
    if (!error && load->after == AUDIT_LATEST)
        load->after = last > load->limit ? last - load->limit : 0;
    uint64_t first = load->after;
    if (!error)
        error = store_audit_begin(reader, load->after, load->limit, &cursor);
    if (error)
        return error;
    buf_init_arena(&load->out, &load->look.arena, 4096);
    json_writer_init(&json, &load->out);
    json_object_begin(&json);
    json_key(&json, STR("audit"));
    json_array_begin(&json);
    while (store_audit_next(cursor, &row)) {
        audit_write(&json, &row);
        load->after = row.sequence;
    }
    json_array_end(&json);
    json_key_u64(&json, STR("next"), load->after);
    json_key_u64(&json, STR("older"), first);
    json_key_u64(&json, STR("newer"), last > load->after ? last - load->after : 0);
    json_object_end(&json);
    buf_add_char(&load->out, '\n');
    return store_end(cursor);
}

static enum twoleg_error audit_prepare(struct admin_call *call, struct admin_load *load)
{
    struct admin_page page;
    enum twoleg_error error = admin_page_read(call, &page);
    if (error)
        return error;
    load->after = AUDIT_LATEST;
    load->limit = (unsigned)page.limit;
    load->loader = audit_loader;
    return page.after.ptr ? admin_number(call, "after", page.after, INT64_MAX, &load->after)
                          : TWOLEG_NONE;
}

enum twoleg_error admin_audit_list(struct admin_call *call)
{
    struct admin_load *load;
    enum twoleg_error error = admin_load(call, audit_prepare, &load);
    return error ? error : admin_answer(call, 200, &load->out);
}

// ---------------------------------------------------------------------------------- status

static uint64_t status_sum(const struct server *server, enum metric metric)
{
    return metrics_sum(server->metrics, server->metrics_count, metric);
}

static void status_limited(struct json_writer *json, const struct server *server)
{
    json_key_u64(json, STR("failures_limited"),
                 status_sum(server, METRIC_LIMITED_ADDRESS) +
                     status_sum(server, METRIC_LIMITED_CLIENT) +
                     status_sum(server, METRIC_LIMITED_SLOW));
    json_key_u64(json, STR("budget_limited"), status_sum(server, METRIC_LIMITED_BUDGET));
    json_key_u64(json, STR("budget_observed"),
                 status_sum(server, METRIC_LIMITED_BUDGET_OBSERVED));
}

static void status_dialects(struct admin_call *call)
{
    struct str folder = endpoint_config(call->request)->dialect_folder;
    const struct dialect *spoken;
    json_key(&call->json, STR("dialect_folder"));
    if (folder.len)
        json_str(&call->json, folder);
    else
        json_nil(&call->json);
    json_key(&call->json, STR("dialects"));
    json_array_begin(&call->json);
    for (size_t at = 0; (spoken = dialect_set_spoken(endpoint_dialects(call->request), &at));)
        json_str(&call->json, spoken->name);
    json_array_end(&call->json);
}

static void status_store(struct json_writer *json, const struct store *store)
{
    struct store_failures failures = store_failures(store);
    json_key(json, STR("store_failure"));
    if (failures.last)
        json_str(json, str_from(store_failure_word(failures.last)));
    else
        json_nil(json);
    admin_view_time(json, STR("store_failed_at"), failures.last_us);
}

enum twoleg_error admin_status(struct admin_call *call)
{
    const struct server *server = call->server;
    enum twoleg_error error = admin_query(call, NULL, 0);
    if (error)
        return error;
    struct registry_figures figures = registry_figures(server->registry);
    admin_answer_begin(call);
    json_key_str(&call->json, STR("version"), STR(TWOLEG_VERSION));
    json_key_str(&call->json, STR("issuer"), call->context->token.issuer);
    json_key_str(&call->json, STR("data"), endpoint_config(call->request)->data);
    json_key_i64(&call->json, STR("uptime"),
                 (call->request->env->mono_us - server->started_mono_us) / SECOND_US);
    json_key_bool(&call->json, STR("ready"),
                  endpoint_state(server, call->request->env) == ENDPOINT_READY);
    json_key_u64(&call->json, STR("applications"), figures.applications);
    json_key_u64(&call->json, STR("applications_loaded"), figures.bodies);
    json_key_u64(&call->json, STR("revocations"), figures.revocations);
    status_store(&call->json, server->store);
    status_dialects(call);
    status_limited(&call->json, server);
    return admin_answer_end(call, 200);
}
