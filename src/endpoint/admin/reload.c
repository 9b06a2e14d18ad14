// SPDX-License-Identifier: Apache-2.0
// Reading the configuration again. The daemon's own thread does it; the call waits for what came of
// it, so that whoever asked knows.
#include "endpoint/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "endpoint/admin/actions.h"
#include "endpoint/admin/body.h"
#include "endpoint/admin/call.h"

#define RELOAD_WORDS_MAX 4500 // of a message; what does not fit is in the log

static const char kind_reload;

static void reload_destroy(struct http_job *job)
{
    struct reload_order *order = (struct reload_order *)job;
    reload_outcome_finish(&order->outcome);
    free(order);
}

static enum twoleg_error reload_begin(struct admin_call *call)
{
    struct server *server = call->server;
    struct reload_order *order = fault_here(FAULT_MEMORY) ? NULL : malloc(sizeof *order);
    if (!order)
        return TWOLEG_OVERLOADED;
    if (!reload_outcome_init(&order->outcome) ||
        http_job_init(&order->job, call->request, &kind_reload, reload_destroy)) {
        reload_outcome_finish(&order->outcome);
        free(order);
        return TWOLEG_OVERLOADED;
    }
    snprintf(order->caller.actor, sizeof order->caller.actor, "%.*s",
             STR_ARG(call->actor.name));
    memcpy(order->caller.request_id, call->request->id, HTTP_ID_LEN);
    order->caller.request_id_len = HTTP_ID_LEN;
    server->reload_order(server->reload, order);
    return TWOLEG_WAIT;
}

static void reload_write_place(struct json_writer *json, struct config_mark mark)
{
    if (!mark.line)
        return;
    json_key_u64(json, STR("line"), mark.line);
    json_key_u64(json, STR("column"), mark.column);
}

// Whoever reads them all should know that there are more.
static void reload_write_warnings(struct json_writer *json, const struct reload_outcome *outcome)
{
    char more[64];
    json_key(json, STR("warnings"));
    json_array_begin(json);
    for (size_t i = 0; i < outcome->warning_count; i++)
        json_str(json, outcome->warnings[i]);
    snprintf(more, sizeof more, "and %zu more, which are in the log", outcome->warnings_left);
    if (outcome->warnings_left)
        json_str(json, str_from(more));
    json_array_end(json);
}

// In the outcome's arena, which lives as long as the request: that of a request is too small for
// many warnings, or a hundred problems.
static enum twoleg_error reload_answer(struct admin_call *call, struct reload_outcome *outcome)
{
    struct json_writer *json = &call->json;
    admin_answer_begin_in(call, &outcome->arena, 1024);
    json_key(json, STR("changes"));
    json_array_begin(json);
    for (size_t i = 0; i < outcome->changes.count; i++) {
        const struct config_change *change = &outcome->changes.items[i];
        json_object_begin(json);
        json_key_str(json, STR("option"),
                     str_from(config_schema()->rows[change->option].name));
        json_key_str(json, STR("before"), change->before);
        json_key_str(json, STR("after"), change->after);
        reload_write_place(json, change->mark);
        json_object_end(json);
    }
    json_array_end(json);
    json_key(json, STR("dialects"));
    json_array_begin(json);
    for (size_t i = 0; i < outcome->dialect_count; i++)
        json_str(json, outcome->dialects[i]);
    json_array_end(json);
    json_key_u64(json, STR("certificates"), outcome->certificates);
    reload_write_warnings(json, outcome);
    return admin_answer_end(call, 200);
}

// Whole lines, as many as a message holds.
static struct str reload_lines(struct reload_outcome *outcome)
{
    struct buf text;
    buf_init_arena(&text, &outcome->arena, 1024);
    buf_add(&text, outcome->error == TWOLEG_CONFLICT
                       ? STR("the configuration is good, but only a restart takes it over; the old "
                             "one stays:\n")
                       : STR("the configuration was not taken over, the old one stays:\n"));
    config_report_print(&outcome->report, &text);
    struct str lines = buf_str(&text);
    if (lines.len <= RELOAD_WORDS_MAX)
        return lines;
    size_t end = RELOAD_WORDS_MAX;
    while (end > 0 && lines.ptr[end - 1] != '\n')
        end--;
    text.len = end;
    buf_add(&text, STR("and more: see the log, or use `twoleg config check`\n"));
    return buf_str(&text);
}

static enum twoleg_error reload_refuse(struct admin_call *call, struct reload_outcome *outcome)
{
    bool conflict = outcome->error == TWOLEG_CONFLICT;
    struct buf text;
    struct json_writer json;
    buf_init_arena(&text, &outcome->arena, 1024);
    json_writer_init(&json, &text);
    json_object_begin(&json);
    json_key_str(&json, STR("error"), conflict ? STR("conflict") : STR("invalid"));
    json_key_str(&json, STR("message"), reload_lines(outcome));
    json_key(&json, STR("problems"));
    json_array_begin(&json);
    for (size_t i = 0; i < outcome->report.count; i++) {
        const struct config_problem *problem = &outcome->report.problems[i];
        json_object_begin(&json);
        json_key_str(&json, STR("source"), problem->source);
        reload_write_place(&json, problem->mark);
        json_key_str(&json, STR("message"), problem->text);
        json_object_end(&json);
    }
    json_array_end(&json);
    json_object_end(&json);
    buf_add_char(&text, '\n');
    return admin_answer(call, conflict ? 409 : 422, &text);
}

enum twoleg_error admin_reload(struct admin_call *call)
{
    struct reload_order *order =
        (struct reload_order *)http_job_find(call->request, &kind_reload);
    enum twoleg_error error = order ? order->job.result : admin_query(call, NULL, 0);
    if (!error && !order)
        error = admin_body(call, NULL, 0, NULL);
    if (error)
        return error;
    if (!order)
        return reload_begin(call);
    struct reload_outcome *outcome = &order->outcome;
    if (!outcome->error)
        return reload_answer(call, outcome);
    if (!config_report_is_clean(&outcome->report))
        return reload_refuse(call, outcome);
    return outcome->reason[0] ? admin_refuse(call, outcome->error, "%s", outcome->reason)
                              : outcome->error;
}
