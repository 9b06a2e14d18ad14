// SPDX-License-Identifier: Apache-2.0
#include "endpoint/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/refusal.h"
#include "endpoint/client_address.h"
#include "endpoint/log.h"
#include "limit/limit.h"

// Cells of each row. 2 MiB for failures, touched as failures come; what many networks together can
// make look busy is only the answer to failures.
#define FAILURE_CELLS ((size_t)65536)
// Likewise, touched as addresses come.
#define HANDSHAKE_CELLS ((size_t)65536)
// Only applications of ours get here, so nobody can fill these.
#define SLOW_CELLS ((size_t)16384)
// Each name that somebody makes up costs a hash, which is little where a charge lasts for hours. So
// one application at one address brings no more names than these to their limit, and makes no more
// than one cell in twenty look busy. 8 MiB, touched as guesses come.
#define PASSWORD_CELLS ((size_t)262144)
#define GUESS_NAMES ((uint32_t)PASSWORD_CELLS / 64)

enum limit_kind { KIND_ADDRESS, KIND_CLIENT }; // of the keys in the table of failures

// Bits of request->charged: its budget was asked, and gave one token: whose, and the time it takes
// until there is another one.
enum { CHARGED_BUDGET = 1 << 0, CHARGED_TOKEN = 1 << 1 };

// So many times as many guesses as are compared, and nothing remembered is believed.
#define GUESSES_BELIEVED 10

struct endpoint_limits {
    struct limit_table *failures, *slow, *handshakes, *passwords;
    struct asked_table *asked;
};

static struct limit_table *endpoint_limit_table(struct env *env, size_t cells)
{
    struct siphash_key key;
    if (!env_random_u64(env, &key.k0) || !env_random_u64(env, &key.k1))
        return NULL;
    return limit_table_create(&key, cells);
}

struct endpoint_limits *endpoint_limits_create(struct env *env)
{
    struct endpoint_limits *limits = malloc(sizeof *limits);
    if (!limits)
        return NULL;
    *limits = (struct endpoint_limits){
        .failures = endpoint_limit_table(env, FAILURE_CELLS),
        .slow = endpoint_limit_table(env, SLOW_CELLS),
        .handshakes = endpoint_limit_table(env, HANDSHAKE_CELLS),
        .passwords = endpoint_limit_table(env, PASSWORD_CELLS),
        .asked = asked_table_create(),
    };
    if (limits->failures && limits->slow && limits->handshakes && limits->passwords &&
        limits->asked)
        return limits;
    endpoint_limits_destroy(limits);
    return NULL;
}

void endpoint_limits_destroy(struct endpoint_limits *limits)
{
    if (!limits)
        return;
    limit_table_destroy(limits->failures);
    limit_table_destroy(limits->slow);
    limit_table_destroy(limits->handshakes);
    limit_table_destroy(limits->passwords);
    asked_table_destroy(limits->asked);
    free(limits);
}

struct address endpoint_limit_network(const struct http_request *request)
{
    struct address address = endpoint_client_address(request, NULL);
    return address_network(&address);
}

// Hashed with the family, which two addresses may differ in alone.
static uint64_t endpoint_limit_key(const struct limit_table *table, const struct address *network,
                                   uint64_t second)
{
    uint8_t bytes[1 + sizeof network->bytes] = {network->family};
    memcpy(bytes + 1, network->bytes, sizeof network->bytes);
    return limit_key(table, str_of(bytes, sizeof bytes), second);
}

bool endpoint_limit_handshake(struct endpoint_context *context, const struct env *env,
                              const struct address *address)
{
    struct limit_table *table = context->server->limits->handshakes;
    struct limit_rate rate = limit_rate_of(&context->snapshot->config.handshakes_per_address);
    struct address network = address_network(address);
    if (limit_take(table, endpoint_limit_key(table, &network, 0), &rate, env->boot_us, NULL) == 0)
        return true;
    metrics_add(context->metrics, METRIC_LIMITED_HANDSHAKES, 1);
    return false;
}

// An id that no application has is a client like any other here, so that nobody learns from a limit
// which ids exist; nor from its time, so both hashes are made for either.
static uint64_t endpoint_limit_client(const struct limit_table *table,
                                      const struct client_auth_wait *attempt)
{
    struct str number = str_of(&attempt->application, sizeof attempt->application);
    uint64_t known = limit_key(table, number, 0);
    uint64_t unknown = limit_key(table, attempt->client_id, 1);
    uint64_t client = attempt->application ? known : unknown;
    return client > KIND_CLIENT ? client : client + KIND_CLIENT + 1;
}

enum twoleg_error endpoint_limit_failure(struct http_request *request,
                                         const struct client_auth_wait *attempt,
                                         enum twoleg_error error, int64_t *ret_retry_us)
{
    struct endpoint_limits *limits = endpoint_context(request)->server->limits;
    const struct config *config = endpoint_config(request);
    struct address network = endpoint_limit_network(request);
    int64_t now_us = request->env->boot_us;
    uint64_t address = endpoint_limit_key(limits->failures, &network, KIND_ADDRESS);
    uint64_t client = endpoint_limit_key(limits->failures, &network,
                                         endpoint_limit_client(limits->failures, attempt));
    struct limit_rate per_address = limit_rate_of(&config->failures_per_address);
    struct limit_rate per_client = limit_rate_of(&config->failures_per_client);
    int64_t wait_address = limit_wait(limits->failures, address, &per_address, now_us);
    int64_t wait_client = limit_wait(limits->failures, client, &per_client, now_us);
    // Nothing is charged beyond a limit: so no address can put more into the table than its rate.
    if (wait_address == 0 && wait_client == 0) {
        limit_charge(limits->failures, address, &per_address, now_us);
        limit_charge(limits->failures, client, &per_client, now_us);
        return error;
    }
    *ret_retry_us = wait_address > wait_client ? wait_address : wait_client;
    metrics_add(request->metrics,
                wait_address ? METRIC_LIMITED_ADDRESS : METRIC_LIMITED_CLIENT, 1);
    return wait_address ? REFUSE(TWOLEG_FAILURES_ADDRESS) : REFUSE(TWOLEG_FAILURES_CLIENT);
}

// A row of a table that guesses are counted in.
struct limit_row {
    struct limit_table *table; // NULL: none
    uint64_t key;
    struct limit_rate rate;
};

// The rows of an application have a table in which there are no names, so that names of somebody's
// making are not taken for guesses through somebody else's application.
static void endpoint_limit_rows(const struct http_request *request,
                                const struct endpoint_guess *guess,
                                struct limit_row ret_rows[static GUESS_ROWS])
{
    struct endpoint_limits *limits = endpoint_context(request)->server->limits;
    const struct config *config = endpoint_config(request);
    struct address network = endpoint_limit_network(request);
    uint64_t application = guess->of_user ? ~guess->application : guess->application;
    uint64_t key = endpoint_limit_key(limits->slow, &network, application);
    if (!guess->of_user) {
        ret_rows[0] = (struct limit_row){limits->slow, key,
                                         limit_rate_of(&config->slow_hashes_per_client)};
        ret_rows[1] = (struct limit_row){.table = NULL};
        return;
    }
    uint64_t name = limit_key(limits->passwords, guess->username, guess->account);
    struct limit_rate rate = limit_rate_of(&config->passwords_per_user);
    ret_rows[0] = (struct limit_row){limits->slow, key, limit_rate_times(&rate, GUESS_NAMES)};
    ret_rows[1] = (struct limit_row){
        limits->passwords, endpoint_limit_key(limits->passwords, &network, name), rate};
}

static void endpoint_limit_give_back(struct limit_taken taken[static GUESS_ROWS])
{
    for (size_t i = 0; i < GUESS_ROWS; i++) {
        limit_return(&taken[i]);
        taken[i] = (struct limit_taken){.table = NULL};
    }
}

// When is there one of each row again?
static int64_t endpoint_limit_wait(const struct limit_row rows[static GUESS_ROWS], uint32_t times,
                                   int64_t now_us)
{
    int64_t longest_us = 0;
    for (size_t i = 0; i < GUESS_ROWS; i++) {
        struct limit_rate rate = limit_rate_times(&rows[i].rate, times);
        int64_t wait_us = limit_wait(rows[i].table, rows[i].key, &rate, now_us);
        longest_us = wait_us > longest_us ? wait_us : longest_us;
    }
    return longest_us;
}

// Of each row one, at so many times its rate; or of none, and when there is one again.
static int64_t endpoint_limit_take(const struct limit_row rows[static GUESS_ROWS], uint32_t times,
                                   int64_t now_us, struct limit_taken ret_taken[static GUESS_ROWS])
{
    for (size_t i = 0; i < GUESS_ROWS; i++) {
        struct limit_rate rate = limit_rate_times(&rows[i].rate, times);
        int64_t wait_us = limit_take(rows[i].table, rows[i].key, &rate, now_us, &ret_taken[i]);
        if (wait_us == 0)
            continue;
        endpoint_limit_give_back(ret_taken);
        int64_t longest_us = endpoint_limit_wait(rows, times, now_us);
        return wait_us > longest_us ? wait_us : longest_us;
    }
    return 0;
}

bool endpoint_limit_believes(const struct http_request *request,
                             const struct endpoint_guess *guess)
{
    struct limit_row rows[GUESS_ROWS];
    endpoint_limit_rows(request, guess, rows);
    return endpoint_limit_wait(rows, GUESSES_BELIEVED, request->env->boot_us) == 0;
}

// What there is no room for needs none: nothing is believed until there is. So only what was taken
// is remembered, and nobody drives out others' by more than their limits allow.
static void endpoint_limit_ask(struct http_request *request,
                               const struct limit_row rows[static GUESS_ROWS],
                               const struct sha256 *digest)
{
    struct asked_table *asked = endpoint_context(request)->server->limits->asked;
    struct limit_taken taken[GUESS_ROWS] = {{.table = NULL}};
    bool limited = rows[0].rate.burst > 0 || rows[1].rate.burst > 0;
    if (limited && !asked_table_find(asked, digest) &&
        endpoint_limit_take(rows, GUESSES_BELIEVED, request->env->boot_us, taken) == 0)
        asked_table_put(asked, digest, taken);
}

enum twoleg_error endpoint_limit_guess(struct http_request *request,
                                       const struct endpoint_guess *guess,
                                       const struct sha256 *digest,
                                       struct endpoint_taken *ret_taken, int64_t *ret_retry_us)
{
    struct limit_row rows[GUESS_ROWS];
    struct endpoint_taken taken = {{{.table = NULL}}};
    endpoint_limit_rows(request, guess, rows);
    endpoint_limit_ask(request, rows, digest);
    int64_t wait_us = endpoint_limit_take(rows, 1, request->env->boot_us, taken.rows);
    if (wait_us == 0) {
        *ret_taken = taken;
        return TWOLEG_NONE;
    }
    *ret_retry_us = wait_us;
    metrics_add(request->metrics, guess->of_user ? METRIC_LIMITED_USER : METRIC_LIMITED_SLOW, 1);
    return guess->of_user ? REFUSE(TWOLEG_PASSWORDS) : REFUSE(TWOLEG_SLOW_HASHES);
}

bool endpoint_limit_hangs_on(const struct http_request *request,
                             const struct endpoint_guess *guess,
                             const struct endpoint_taken *taken)
{
    struct limit_row rows[GUESS_ROWS];
    endpoint_limit_rows(request, guess, rows);
    for (size_t i = 0; i < GUESS_ROWS; i++) {
        const struct limit_taken *each = &taken->rows[i];
        bool same = each->table == rows[i].table && each->key == rows[i].key;
        int64_t wait_us =
            limit_wait(rows[i].table, rows[i].key, &rows[i].rate, request->env->boot_us);
        if (wait_us > (same ? rows[i].rate.interval_us : 0))
            return false;
    }
    return true;
}

void endpoint_limit_not_compared(struct endpoint_taken *taken)
{
    endpoint_limit_give_back(taken->rows);
}

void endpoint_limit_right(struct http_request *request, const struct sha256 *digest,
                          struct endpoint_taken *taken)
{
    struct asked_table *table = endpoint_context(request)->server->limits->asked;
    const struct asked *asked = asked_table_find(table, digest);
    struct asked given = asked ? *asked : (struct asked){.taken = {{.table = NULL}}};
    asked_table_remove(table, digest);
    endpoint_limit_give_back(given.taken);
    endpoint_limit_give_back(given.compared);
    if (taken)
        endpoint_limit_give_back(taken->rows);
}

void endpoint_limit_unclaimed(struct endpoint_limits *limits, const struct sha256 *digest,
                              const struct endpoint_taken *taken)
{
    asked_table_keep(limits->asked, digest, taken->rows);
}

bool endpoint_limit_has_unclaimed(const struct http_request *request)
{
    return asked_table_keeps(endpoint_context(request)->server->limits->asked);
}

// The application's own word, else the server's.
static bool endpoint_limit_observes(const struct http_request *request,
                                    const struct application *application)
{
    if (application->budget.mode == BUDGET_MODE_DEFAULT)
        return endpoint_config(request)->budget_observe;
    return application->budget.mode == BUDGET_MODE_OBSERVE;
}

static void endpoint_limit_observe(struct http_request *request, struct str client_id)
{
    metrics_add(request->metrics, METRIC_LIMITED_BUDGET_OBSERVED, 1);
    endpoint_log(&(struct endpoint_event){
        .request = request, .error = REFUSE(TWOLEG_BUDGET), .client_id = client_id,
        .status = 200, .observed = true});
}

static struct limit_rate endpoint_limit_tokens(const struct http_request *request,
                                               const struct application *application)
{
    return limit_rate_of(application->budget.own ? &application->budget.rate
                                                 : &endpoint_config(request)->budget);
}

enum twoleg_error endpoint_limit_budget(struct http_request *request,
                                        const struct application *application,
                                        int64_t *ret_retry_us)
{
    const struct server *server = endpoint_context(request)->server;
    struct limit_rate rate = endpoint_limit_tokens(request, application);
    if (rate.burst == 0 || request->charged.bits & CHARGED_BUDGET)
        return TWOLEG_NONE;
    struct registry_spent *spent = registry_spent(server->registry, application->number);
    if (!spent)
        return REFUSE(TWOLEG_CLIENT_UNKNOWN); // deleted since this turn looked it up
    request->charged.bits |= CHARGED_BUDGET;
    int64_t wait_us = limit_bucket_take(&spent->bucket, &rate, request->env->boot_us);
    if (wait_us == 0) {
        request->charged = (struct http_charge){request->charged.bits | CHARGED_TOKEN,
                                                application->number, rate.interval_us};
        return TWOLEG_NONE;
    }
    if (endpoint_limit_observes(request, application)) {
        atomic_fetch_add_explicit(&spent->observed, 1, memory_order_relaxed);
        endpoint_limit_observe(request, application->client_id);
        return TWOLEG_NONE;
    }
    atomic_fetch_add_explicit(&spent->refused, 1, memory_order_relaxed);
    *ret_retry_us = wait_us;
    metrics_add(request->metrics, METRIC_LIMITED_BUDGET, 1);
    return REFUSE(TWOLEG_BUDGET);
}

// By what was taken: a reload may have changed the rate, and the application need not be loaded.
void endpoint_limit_not_issued(struct http_request *request)
{
    struct http_charge *charged = &request->charged;
    if (!(charged->bits & CHARGED_TOKEN))
        return;
    charged->bits &= ~(unsigned)CHARGED_TOKEN;
    struct registry_spent *spent =
        registry_spent(endpoint_context(request)->server->registry, charged->whom);
    if (spent)
        limit_bucket_return(&spent->bucket, charged->amount);
}
