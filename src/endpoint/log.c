// SPDX-License-Identifier: Apache-2.0
#include "endpoint/log.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define LINES_PER_CAUSE 10 // in one second, of one worker; what is left out is counted

struct endpoint_log {
    struct {
        int64_t second;
        uint64_t seen;
    } causes[TWOLEG_ERRORS];
};

struct endpoint_log *endpoint_log_create(void)
{
    return calloc(1, sizeof(struct endpoint_log));
}

void endpoint_log_destroy(struct endpoint_log *log)
{
    free(log);
}

// Is the line to be written, and how many like it were left out in the last busy second?
static bool endpoint_log_sampled(struct endpoint_log *log, enum twoleg_error error, int64_t now_us,
                                 uint64_t *ret_left_out)
{
    int64_t second = now_us / SECOND_US;
    uint64_t left_out = 0;
    if (log->causes[error].second != second) {
        uint64_t seen = log->causes[error].seen;
        left_out = seen > LINES_PER_CAUSE ? seen - LINES_PER_CAUSE : 0;
        log->causes[error].second = second;
        log->causes[error].seen = 0;
    }
    *ret_left_out = left_out;
    return log->causes[error].seen++ < LINES_PER_CAUSE;
}

void endpoint_log(const struct endpoint_event *event)
{
    const struct http_request *request = event->request;
    struct endpoint_context *context = endpoint_context(request);
    unsigned wanted = context->server->config->log_requests;
    uint64_t left_out = 0;
    if (wanted == CONFIG_LOG_NONE || (!event->error && wanted != CONFIG_LOG_ALL))
        return;
    if (event->error &&
        !endpoint_log_sampled(context->log, event->error, request->env->now_us, &left_out))
        return;
    char peer_text[ADDRESS_TEXT_MAX];
    struct buf peer;
    buf_init(&peer, peer_text, sizeof peer_text);
    address_format(&peer, &request->peer);

    struct log_line line;
    log_begin(&line, LOG_INFO, request->env->now_us, event->error ? "refused" : "answered");
    log_word(&line, "route", request->route->name);
    log_u64(&line, "status", event->status);
    log_str(&line, "request", str_of(request->id, sizeof request->id));
    log_str(&line, "peer", buf_str(&peer));
    if (event->client_id.ptr)
        log_str(&line, "client", event->client_id);
    if (event->error) {
        const char *name = strrchr(event->file, '/');
        log_word(&line, "error", twoleg_error_name(event->error));
        log_word(&line, "at", name ? name + 1 : event->file);
        log_u64(&line, "line", (uint64_t)event->line);
    }
    if (left_out)
        log_u64(&line, "left_out", left_out);
    log_end(&line);
}
