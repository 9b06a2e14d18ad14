// SPDX-License-Identifier: Apache-2.0
// /healthz: the process answers. /readyz: it can do its work. /metrics: Prometheus text, a fixed
// set of series whatever clients send.
#include <stdatomic.h>

#include "base/buf.h"
#include "base/log.h"
#include "crypto/tls.h"
#include "endpoint/routes.h"
#include "endpoint/server.h"

// As every 503: nobody knows for how long, so it is worth another look.
static struct str health_headers(bool good)
{
    return good ? STR_NONE : STR("Retry-After: 1\r\n");
}

enum twoleg_error endpoint_healthz(struct http_request *request, struct http_answer *ret_answer)
{
    (void)request;
    *ret_answer = (struct http_answer){.status = 200,
                                       .content_type = STR("application/json"),
                                       .body = STR("{\"status\":\"ok\"}"),
                                       .no_store = true};
    return TWOLEG_NONE;
}

enum endpoint_state endpoint_state(const struct server *server, const struct env *env)
{
    if (atomic_load(&server->draining))
        return ENDPOINT_DRAINING;
    if (store_stopped(server->store))
        return ENDPOINT_STORE_STOPPED;
    if (registry_figures(server->registry).incomplete || keyring_stale(server->keyring))
        return ENDPOINT_CHANGES_MISSED;
    return env_clock_state(env).clock == ENV_CLOCK_BEHIND ? ENDPOINT_CLOCK : ENDPOINT_READY;
}

enum twoleg_error endpoint_readyz(struct http_request *request, struct http_answer *ret_answer)
{
    static const struct str bodies[] = {
        [ENDPOINT_READY] = STR("{\"status\":\"ready\"}"),
        [ENDPOINT_DRAINING] = STR("{\"status\":\"draining\"}"),
        [ENDPOINT_STORE_STOPPED] = STR("{\"status\":\"store stopped\"}"),
        [ENDPOINT_CHANGES_MISSED] = STR("{\"status\":\"changes missed\"}"),
        [ENDPOINT_CLOCK] = STR("{\"status\":\"clock\"}"),
    };
    enum endpoint_state state = endpoint_state(endpoint_context(request)->server, request->env);
    *ret_answer = (struct http_answer){.status = state == ENDPOINT_READY ? 200 : 503,
                                       .content_type = STR("application/json"),
                                       .body = bodies[state],
                                       .headers = health_headers(state == ENDPOINT_READY),
                                       .no_store = true};
    return TWOLEG_NONE;
}

static void metrics_row(struct buf *out, const char *type, const char *name, const char *help,
                        uint64_t value)
{
    buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", name, help, name, type, name,
             (unsigned long long)value);
}

static void metrics_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    metrics_row(out, "gauge", name, help, value);
}

static void metrics_tokens(struct buf *out, const struct store *store)
{
    struct store_figures figures = store_figures(store);
    metrics_row(out, "counter", "twoleg_reference_rows_written_total",
                "Rows of reference tokens written", figures.tokens_written);
    metrics_row(out, "counter", "twoleg_reference_rows_purged_total",
                "Rows of reference tokens removed, since they had expired or their application is "
                "deleted", figures.tokens_purged);
    if (figures.tokens_counted)
        metrics_gauge(out, "twoleg_reference_rows", "Rows of reference tokens, about",
                      figures.tokens);
}

static void metrics_failures(struct buf *out, const struct store *store)
{
    struct store_failures failures = store_failures(store);
    buf_add(out, STR("# HELP twoleg_store_failures_total Commits that failed\n"
                     "# TYPE twoleg_store_failures_total counter\n"));
    for (enum store_failure i = FAILURE_NONE + 1; i < STORE_FAILURES; i++)
        buf_addf(out, "twoleg_store_failures_total{why=\"%s\"} %llu\n", store_failure_word(i),
                 (unsigned long long)failures.counts[i]);
}

// None without TLS: 0 would look like one that ended long ago.
static void metrics_certificates(struct buf *out, const struct snapshot *snapshot)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < snapshot->config.listen.count; i++) {
        int64_t end = snapshot->certificates[i] ? tls_set_end(snapshot->certificates[i]) : first;
        first = end < first ? end : first;
    }
    if (first != INT64_MAX)
        metrics_gauge(out, "twoleg_tls_certificate_end_timestamp_seconds",
                      "When the first of the certificates in use ends",
                      first > 0 ? (uint64_t)first : 0);
}

enum twoleg_error endpoint_metrics(struct http_request *request, struct http_answer *ret_answer)
{
    struct server *server = endpoint_context(request)->server;
    struct registry_figures figures = registry_figures(server->registry);
    struct buf out;
    buf_init_arena(&out, request->arena, 8192);
    metrics_write(server->metrics, server->metrics_count, &out);
    metrics_row(&out, "counter", "twoleg_log_dropped_total",
                "Log lines dropped because their ring was full", log_dropped());
    metrics_row(&out, "counter", "twoleg_application_loads_total",
                "Applications loaded from the store", figures.loads);
    metrics_row(&out, "counter", "twoleg_application_evictions_total",
                "Applications dropped from memory to make room", figures.evictions);
    metrics_gauge(&out, "twoleg_applications", "Applications known", figures.applications);
    metrics_gauge(&out, "twoleg_application_bodies", "Applications loaded", figures.bodies);
    metrics_gauge(&out, "twoleg_revocations", "Revocations kept", figures.revocations);
    metrics_tokens(&out, server->store);
    metrics_failures(&out, server->store);
    metrics_gauge(&out, "twoleg_store_stopped", "1 when no commit is acknowledged any more",
                  store_stopped(server->store));
    metrics_certificates(&out, endpoint_context(request)->snapshot);
    metrics_gauge(&out, "twoleg_uptime_seconds", "Seconds since the start",
                  (uint64_t)((request->env->mono_us - server->started_mono_us) / SECOND_US));
    *ret_answer = (struct http_answer){
        .status = out.failed ? 503 : 200,
        .content_type = STR("text/plain; version=0.0.4; charset=utf-8"),
        .body = buf_str(&out),
        .headers = health_headers(!out.failed),
        .no_store = true,
    };
    return TWOLEG_NONE;
}
