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

enum limit_kind { KIND_ADDRESS, KIND_CLIENT }; // of the keys in the table of failures

enum { CHARGED_BUDGET = 1 << 0, CHARGED_PASSWORD = 1 << 1 }; // bits of request->charged

// Guesses beyond the limit that go before those who were found right lately meet it, too.
#define GUESSES_BEYOND 10

struct endpoint_limits {
    struct limit_table *failures, *slow, *handshakes, *passwords;
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
        .passwords = endpoint_limit_table(env, FAILURE_CELLS),
    };
    if (limits->failures && limits->slow && limits->handshakes && limits->passwords)
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

enum twoleg_error endpoint_limit_slow(struct http_request *request, uint64_t application,
                                      struct limit_taken *ret_taken, int64_t *ret_retry_us)
{
    struct endpoint_limits *limits = endpoint_context(request)->server->limits;
    struct address network = endpoint_limit_network(request);
    uint64_t key = endpoint_limit_key(limits->slow, &network, application);
    struct limit_rate rate = limit_rate_of(&endpoint_config(request)->slow_hashes_per_client);
    int64_t wait_us = limit_take(limits->slow, key, &rate, request->env->boot_us, ret_taken);
    if (wait_us == 0)
        return TWOLEG_NONE;
    *ret_retry_us = wait_us;
    metrics_add(request->metrics, METRIC_LIMITED_SLOW, 1);
    return REFUSE(TWOLEG_SLOW_HASHES);
}

// What one user name from one address is counted under.
struct limit_user {
    uint64_t passwords, beyond; // keys: of what was compared, and of what was not for the limit
    struct limit_rate rate, beyond_rate;
};

static struct limit_user endpoint_limit_user_of(const struct http_request *request,
                                                uint64_t account, struct str username)
{
    const struct limit_table *table = endpoint_context(request)->server->limits->passwords;
    struct address network = endpoint_limit_network(request);
    uint64_t name = limit_key(table, username, account);
    struct limit_rate rate = limit_rate_of(&endpoint_config(request)->passwords_per_user);
    uint64_t burst = (uint64_t)rate.burst * GUESSES_BEYOND;
    return (struct limit_user){
        .passwords = endpoint_limit_key(table, &network, name),
        .beyond = endpoint_limit_key(table, &network, name + 1),
        .rate = rate,
        .beyond_rate = {.interval_us = (rate.interval_us + GUESSES_BEYOND - 1) / GUESSES_BEYOND,
                        .burst = burst < UINT32_MAX ? (uint32_t)burst : UINT32_MAX},
    };
}

static enum twoleg_error endpoint_limit_passwords(struct http_request *request, int64_t wait_us,
                                                  int64_t *ret_retry_us)
{
    if (wait_us == 0) {
        request->charged |= CHARGED_PASSWORD;
        return TWOLEG_NONE;
    }
    *ret_retry_us = wait_us;
    metrics_add(request->metrics, METRIC_LIMITED_USER, 1);
    return REFUSE(TWOLEG_PASSWORDS);
}

enum twoleg_error endpoint_limit_user(struct http_request *request, uint64_t account,
                                      struct str username, struct limit_taken *ret_taken,
                                      int64_t *ret_retry_us)
{
    struct limit_table *table = endpoint_context(request)->server->limits->passwords;
    struct limit_user user = endpoint_limit_user_of(request, account, username);
    int64_t now_us = request->env->boot_us;
    int64_t wait_us = limit_take(table, user.passwords, &user.rate, now_us, ret_taken);
    if (wait_us)
        limit_charge(table, user.beyond, &user.beyond_rate, now_us);
    return endpoint_limit_passwords(request, wait_us, ret_retry_us);
}

enum twoleg_error endpoint_limit_user_seen(struct http_request *request, uint64_t account,
                                           struct str username, int64_t *ret_retry_us)
{
    if (request->charged & CHARGED_PASSWORD)
        return TWOLEG_NONE;
    const struct limit_table *table = endpoint_context(request)->server->limits->passwords;
    struct limit_user user = endpoint_limit_user_of(request, account, username);
    int64_t now_us = request->env->boot_us;
    bool many = limit_wait(table, user.beyond, &user.beyond_rate, now_us) > 0;
    // Refused when and for as long as a guess is, which nothing is known of.
    int64_t wait_us = many ? limit_wait(table, user.passwords, &user.rate, now_us) : 0;
    return endpoint_limit_passwords(request, wait_us, ret_retry_us);
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

enum twoleg_error endpoint_limit_budget(struct http_request *request,
                                        const struct application *application,
                                        int64_t *ret_retry_us)
{
    const struct server *server = endpoint_context(request)->server;
    struct limit_rate rate = limit_rate_of(application->budget.own
                                               ? &application->budget.rate
                                               : &endpoint_config(request)->budget);
    if (rate.burst == 0 || request->charged & CHARGED_BUDGET)
        return TWOLEG_NONE;
    struct registry_spent *spent = registry_spent(server->registry, application->number);
    if (!spent)
        return REFUSE(TWOLEG_CLIENT_UNKNOWN); // deleted since this turn looked it up
    request->charged |= CHARGED_BUDGET;
    int64_t wait_us = limit_bucket_take(&spent->bucket, &rate, request->env->boot_us);
    if (wait_us == 0)
        return TWOLEG_NONE;
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
