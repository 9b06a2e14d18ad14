// SPDX-License-Identifier: Apache-2.0
#include "endpoint/log.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/refusal.h"
#include "endpoint/client_address.h"

struct endpoint_log {
    struct log_sample causes[TWOLEG_ERRORS];
};

struct endpoint_log *endpoint_log_create(void)
{
    return calloc(1, sizeof(struct endpoint_log));
}

void endpoint_log_destroy(struct endpoint_log *log)
{
    free(log);
}

static bool endpoint_log_wanted(const struct endpoint_event *event, uint64_t *ret_left_out)
{
    const struct endpoint_context *context = endpoint_context(event->request);
    unsigned wanted = endpoint_config(event->request)->log_requests;
    *ret_left_out = 0;
    if (wanted == CONFIG_LOG_NONE)
        return false;
    if (!event->error)
        return wanted == CONFIG_LOG_ALL;
    return log_sample(&context->log->causes[event->error], event->request->env->now_us,
                      ret_left_out);
}

static void endpoint_log_address(struct log_line *line, const char *key,
                                 const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];
    struct buf out;
    buf_init(&out, text, sizeof text);
    address_format(&out, address);
    log_str(line, key, buf_str(&out));
}

static void endpoint_log_client(struct log_line *line, const struct endpoint_event *event)
{
    struct registry_view view;
    struct registry *registry = endpoint_context(event->request)->server->registry;
    if (!event->client_id.ptr)
        return;
    enum twoleg_error found = registry_client(registry, event->client_id, &view);
    if (found == TWOLEG_NONE || found == TWOLEG_WAIT)
        log_str(line, "client", event->client_id);
    else
        log_u64(line, "unknown_client_of_bytes", event->client_id.len);
}

static void endpoint_log_refusal(struct log_line *line, enum twoleg_error error)
{
    struct refusal refusal = refusal_of(error);
    log_word(line, "error", twoleg_error_name(error));
    if (refusal.line == 0)
        return;
    log_word(line, "at", refusal.file);
    log_u64(line, "line", (uint64_t)refusal.line);
    if (refusal.cap)
        log_word(line, "cap", cap_word(refusal.cap));
}

static void endpoint_count_cap(const struct endpoint_event *event)
{
    static const enum metric metrics[CAPS] = {
#define CAP(name, word) [CAP_##name] = METRIC_CAP_##name,
#include "base/caps.def"
#undef CAP
    };
    enum cap cap = refusal_of(event->error).cap;
    if (event->error == TWOLEG_OVERLOADED && cap)
        metrics_add(event->request->metrics, metrics[cap], 1);
}

void endpoint_log(const struct endpoint_event *event)
{
    const struct http_request *request = event->request;
    endpoint_count_cap(event);
    uint64_t left_out;
    struct log_line line;
    if (!endpoint_log_wanted(event, &left_out))
        return;
    log_begin(&line, LOG_INFO, request->env->now_us,
              event->observed ? "observed" : event->error ? "refused" : "answered");
    log_word(&line, "route", request->route->name);
    if (request->segment_count > 0)
        log_str(&line, "path", request->segments[0]);
    log_u64(&line, "status", event->status);
    log_str(&line, "request", str_of(request->id, sizeof request->id));
    struct address client = endpoint_client_address(request, event->proxies);
    endpoint_log_address(&line, "peer", &request->peer);
    if (!address_equal(&client, &request->peer))
        endpoint_log_address(&line, "for", &client);
    endpoint_log_client(&line, event);
    if (event->error)
        endpoint_log_refusal(&line, event->error);
    if (event->reason.ptr)
        log_str(&line, "reason", event->reason);
    if (left_out)
        log_u64(&line, "left_out", left_out);
    log_end(&line);
}
