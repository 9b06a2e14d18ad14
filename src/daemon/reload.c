// SPDX-License-Identifier: Apache-2.0
#include "daemon/reload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/certificates.h"
#include "daemon/limits.h"
#include "daemon/snapshot.h"
#include "daemon/warn.h"
#include "keyring/change.h"
#include "manage/token.h"

struct reload {
    struct reload_settings settings;
    struct metrics metrics;
    struct env env;
    unsigned reader; // of the registry
    pthread_t thread;
    pthread_mutex_t lock; // of what follows
    pthread_cond_t wake;
    struct reload_order *first; // the oldest
    bool asked;
    unsigned uid; // of whoever asked
    bool stopping;
};

// ---------------------------------------------------------------------------------- the act

// What is in force until the next publication, which only this thread makes.
static const struct snapshot *reload_running(const struct reload *reload)
{
    return atomic_load(&reload->settings.server->snapshot);
}

// Of both sets: what an option has added or taken away is said with the option.
static enum twoleg_error reload_compare_dialects(const struct dialect_set *before,
                                                 const struct dialect_set *after,
                                                 struct reload_outcome *outcome)
{
    const struct dialect *changed;
    outcome->dialects =
        arena_array(&outcome->arena, DIALECT_LIBRARY_MAX, sizeof *outcome->dialects);
    if (!outcome->dialects)
        return TWOLEG_NO_MEMORY;
    for (size_t at = 0; (changed = dialect_set_changed(before, after, &at));) {
        struct str name = arena_copy(&outcome->arena, changed->name);
        if (!name.ptr)
            return TWOLEG_NO_MEMORY;
        outcome->dialects[outcome->dialect_count++] = name;
    }
    return TWOLEG_NONE;
}

static enum twoleg_error reload_judge(struct reload *reload, struct snapshot *fresh,
                                      struct reload_outcome *outcome)
{
    const struct config *running = &reload_running(reload)->config;
    struct config_report *report = &outcome->report;
    enum twoleg_error error = config_keep(running, &fresh->config);
    if (!error)
        error = limits_fit(&fresh->config, outcome->reason);
    if (!error)
        error = config_compare(running, &fresh->config, &outcome->arena, report,
                               &outcome->changes);
    if (error)
        return error;
    // The next start reads its certificates from folders that this process may not see.
    if (!config_report_is_clean(report))
        return TWOLEG_CONFLICT;
    error = dialect_set_create(&fresh->config, report, &fresh->dialects);
    if (!error)
        error = reload_compare_dialects(reload_running(reload)->dialects, fresh->dialects, outcome);
    if (error)
        return error;
    outcome->certificates = certificates_count(&fresh->config);
    return certificates_load(&fresh->config, reload->settings.tickets, reload->env.now_us, report,
                             &fresh->certificates);
}

static enum twoleg_error reload_note(struct store_batch *batch, const struct reload_caller *caller,
                                     const struct reload_outcome *outcome)
{
    const struct config_changes *changes = &outcome->changes;
    struct str names[CONFIG_OPTIONS];
    const struct manage_actor actor = {.name = str_from(caller->actor), .operator_rights = true};
    struct manage_change change;
    for (size_t i = 0; i < changes->count; i++)
        names[i] = str_from(config_schema()->rows[changes->items[i].option].name);
    manage_change_init(&change, batch, &actor,
                       str_of(caller->request_id, caller->request_id_len));
    return manage_reload_note(&change, &(struct manage_texts){names, changes->count},
                              &(struct manage_texts){outcome->dialects, outcome->dialect_count});
}

// E16: its row and the rules of rotation are durable before a worker can make anything under the
// new configuration. It is the last that can fail.
static enum twoleg_error reload_commit(struct reload *reload, const struct snapshot *fresh,
                                       const struct reload_caller *caller,
                                       struct reload_outcome *outcome)
{
    const struct rotation_rules rules = snapshot_rotation(&fresh->config);
    struct store_batch *batch = store_batch_create(reload->env.now_us);
    if (!batch)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = reload_note(batch, caller, outcome);
    if (!error)
        error = keyring_change_rules(reload->settings.server->keyring, &rules, &reload->env,
                                     batch, outcome->reason);
    store_batch_destroy(batch);
    return error;
}

static enum twoleg_error reload_make(struct reload *reload, const struct reload_caller *caller,
                                     struct reload_outcome *outcome, struct snapshot **ret_fresh)
{
    struct config config;
    struct snapshot *fresh;
    enum twoleg_error error =
        config_load(reload->settings.sources, &config, &outcome->report);
    if (!error)
        error = snapshot_create(&config, &fresh);
    if (error)
        return error;
    error = reload_judge(reload, fresh, outcome);
    if (!error)
        error = reload_commit(reload, fresh, caller, outcome);
    if (error)
        snapshot_destroy(fresh);
    else
        *ret_fresh = fresh;
    return error;
}

static void reload_publish(struct reload *reload, struct snapshot *fresh,
                           struct reload_outcome *outcome)
{
    struct server *server = reload->settings.server;
    size_t bodies = (size_t)fresh->config.application_cache;
    const struct warn_at at = {&fresh->config, &reload->env, outcome};
    warn_of_shapes(&at, reload_running(reload)->dialects, fresh->dialects);
    snapshot_publish(server, fresh);
    registry_bound(server->registry, bodies);
    epoch_enter(server->turns, reload->reader);
    warn_of_gates(&at, server->registry);
    epoch_leave(server->turns, reload->reader);
    warn_of_doubts(&at, fresh->certificates);
    warn_of_issuer(&at, fresh->dialects);
    warn_of_ties(&at, fresh->dialects, server->store);
}

// ---------------------------------------------------------------------------------- the log

static void reload_log_change(const struct reload *reload, const struct config_change *change)
{
    struct log_line line;
    log_begin(&line, LOG_INFO, reload->env.now_us, "reload_changes");
    log_word(&line, "option", config_schema()->rows[change->option].name);
    log_str(&line, "before", change->before);
    log_str(&line, "after", change->after);
    log_end(&line);
}

static void reload_log_dialect(const struct reload *reload, struct str name)
{
    struct log_line line;
    log_begin(&line, LOG_INFO, reload->env.now_us, "reload_changes");
    log_str(&line, "dialect", name);
    log_end(&line);
}

static void reload_log_problem(const struct reload *reload, const struct config_problem *problem)
{
    struct log_line line;
    log_begin(&line, LOG_ERROR, reload->env.now_us, "reload_problem");
    log_str(&line, "file", problem->source);
    log_u64(&line, "line", problem->mark.line);
    log_str(&line, "reason", problem->text);
    log_end(&line);
}

static const char *reload_reason(const struct reload_outcome *outcome)
{
    if (outcome->reason[0])
        return outcome->reason;
    if (config_report_is_clean(&outcome->report))
        return twoleg_error_text(outcome->error);
    return outcome->error == TWOLEG_CONFLICT ? "it needs a restart; the old one stays"
                                             : "it is wrong; the old one stays";
}

static void reload_log(const struct reload *reload, const struct reload_outcome *outcome)
{
    enum twoleg_error error = outcome->error;
    struct log_line line;
    for (size_t i = 0; !error && i < outcome->changes.count; i++)
        reload_log_change(reload, &outcome->changes.items[i]);
    for (size_t i = 0; !error && i < outcome->dialect_count; i++)
        reload_log_dialect(reload, outcome->dialects[i]);
    for (size_t i = 0; error && i < outcome->report.count; i++)
        reload_log_problem(reload, &outcome->report.problems[i]);
    log_begin(&line, error ? LOG_ERROR : LOG_INFO, reload->env.now_us,
              error ? "reload_refused" : "reloaded");
    log_u64(&line, error ? "problems" : "changes",
            error ? outcome->report.count + outcome->report.dropped : outcome->changes.count);
    if (!error) {
        log_u64(&line, "dialects", outcome->dialect_count);
        log_u64(&line, "certificates", outcome->certificates);
    } else {
        log_str(&line, "reason", str_from(reload_reason(outcome)));
    }
    log_end(&line);
}

// A manager waits until it hears READY again, whatever came of it.
static void reload_run(struct reload *reload, const struct reload_caller *caller,
                       struct reload_outcome *outcome)
{
    struct snapshot *fresh;
    char note[80];
    env_tick(&reload->env);
    snprintf(note, sizeof note, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)reload->env.mono_us);
    notify_say(reload->settings.notify, note);
    // Without memory for a report, too, whoever asked hears that nothing came of it.
    outcome->error = outcome->report.problems ? reload_make(reload, caller, outcome, &fresh)
                                              : TWOLEG_NO_MEMORY;
    if (!outcome->error)
        reload_publish(reload, fresh, outcome);
    metrics_add(&reload->metrics,
                outcome->error ? METRIC_RELOADS_REFUSED : METRIC_RELOADS, 1);
    reload_log(reload, outcome);
    notify_say(reload->settings.notify, "READY=1");
}

// ---------------------------------------------------------------------------------- the thread

// Signals that come while one is under way are one more afterwards: what they announce may have
// been written after it was read.
static void reload_run_asked(struct reload *reload, unsigned uid)
{
    struct reload_outcome outcome;
    struct reload_caller caller = {.request_id_len = 0};
    snprintf(caller.actor, sizeof caller.actor, "uid:%u", uid);
    (void)reload_outcome_init(&outcome);
    reload_run(reload, &caller, &outcome);
    reload_outcome_finish(&outcome);
}

static void *reload_main(void *context)
{
    struct reload *reload = context;
    pthread_mutex_lock(&reload->lock);
    while (!reload->stopping) {
        struct reload_order *order = reload->first;
        if (!order && !reload->asked) {
            pthread_cond_wait(&reload->wake, &reload->lock);
            continue;
        }
        if (order)
            reload->first = order->next;
        else
            reload->asked = false;
        unsigned uid = reload->uid;
        pthread_mutex_unlock(&reload->lock);
        if (!order) {
            reload_run_asked(reload, uid);
        } else {
            reload_run(reload, &order->caller, &order->outcome);
            http_job_done(&order->job);
        }
        pthread_mutex_lock(&reload->lock);
    }
    pthread_mutex_unlock(&reload->lock);
    return NULL;
}

enum twoleg_error reload_start(const struct reload_settings *settings, struct reload **ret_reload)
{
    struct server *server = settings->server;
    size_t size = (sizeof(struct reload) + 63) & ~(size_t)63;
    struct reload *reload = aligned_alloc(64, size);
    if (!reload)
        return TWOLEG_NO_MEMORY;
    memset(reload, 0, size);
    reload->settings = *settings;
    env_init(&reload->env);
    pthread_mutex_init(&reload->lock, NULL);
    pthread_cond_init(&reload->wake, NULL);
    if (!epoch_register(server->turns, &reload->reader) ||
        pthread_create(&reload->thread, NULL, reload_main, reload) != 0) {
        free(reload);
        return TWOLEG_NO_MEMORY;
    }
    server->metrics[server->metrics_count++] = &reload->metrics;
    *ret_reload = reload;
    return TWOLEG_NONE;
}

void reload_ask(struct reload *reload, unsigned uid)
{
    pthread_mutex_lock(&reload->lock);
    reload->asked = true;
    reload->uid = uid;
    pthread_cond_signal(&reload->wake);
    pthread_mutex_unlock(&reload->lock);
}

void reload_order(struct reload *reload, struct reload_order *order)
{
    order->next = NULL;
    pthread_mutex_lock(&reload->lock);
    struct reload_order **at = &reload->first;
    while (*at)
        at = &(*at)->next;
    *at = order;
    pthread_cond_signal(&reload->wake);
    pthread_mutex_unlock(&reload->lock);
}

void reload_stop(struct reload *reload)
{
    if (!reload)
        return;
    pthread_mutex_lock(&reload->lock);
    reload->stopping = true;
    pthread_cond_signal(&reload->wake);
    pthread_mutex_unlock(&reload->lock);
    pthread_join(reload->thread, NULL);
    while (reload->first) {
        struct reload_order *order = reload->first;
        reload->first = order->next;
        order->job.result = TWOLEG_STOPPING;
        http_job_done(&order->job);
    }
    pthread_cond_destroy(&reload->wake);
    pthread_mutex_destroy(&reload->lock);
    env_finish(&reload->env);
    free(reload);
}
