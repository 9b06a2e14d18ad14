// SPDX-License-Identifier: Apache-2.0
#include "config/check.h"

#include "codec/duration.h"

#define CONFIG_KEYS_RETIRED_MAX 50

struct str config_check_source(const struct config *config, enum config_option option)
{
    return config->origins[option].mark.line ? config->file : config->origins[option].source;
}

static void config_check_issuer(const struct config *config, struct config_report *report)
{
    if (str_ends_with(config->issuer, STR("/")))
        config_report_addf(report, config_check_source(config, CONFIG_ISSUER),
                           config->origins[CONFIG_ISSUER].mark,
                           "issuer: \"%.*s\" ends with a slash; tokens and metadata must name it "
                           "in one spelling, so leave the slash out",
                           STR_ARG(config->issuer));
}

static bool config_is_same_endpoint(const struct schema_endpoint *a,
                                    const struct schema_endpoint *b)
{
    if (a->address.family == ADDRESS_LOCAL || b->address.family == ADDRESS_LOCAL)
        return a->address.family == b->address.family && str_equal(a->path, b->path);
    return a->address.port != 0 && a->address.port == b->address.port &&
           address_equal(&a->address, &b->address);
}

static void config_check_listeners(const struct config *config, struct config_report *report)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        const struct config_listener *listener = &config->listen.items[i];
        size_t j = 0;
        while (j < i &&
               !config_is_same_endpoint(&listener->endpoint, &config->listen.items[j].endpoint))
            j++;
        if (j < i)
            config_report_addf(report, config_check_source(config, CONFIG_LISTEN), listener->mark,
                               "listen[%zu]: \"%.*s\" stands there twice", i,
                               STR_ARG(listener->endpoint.text));
    }
}

// One who is on the same machine needs no TLS, and no name could be checked.
static void config_check_tls(const struct config *config, struct config_report *report)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        const struct config_listener *listener = &config->listen.items[i];
        if (listener->tls.count && listener->endpoint.address.family == ADDRESS_LOCAL)
            config_report_addf(report, config->file, listener->mark,
                               "listen[%zu]: \"%.*s\" is a Unix socket, which has no tls", i,
                               STR_ARG(listener->endpoint.text));
    }
}

static void config_check_scope(const struct config *config, const struct config_check *check,
                               size_t index, struct config_report *report)
{
    struct str rest = check->scope;
    struct str word;
    if (check->scope.len && !str_word(&rest, &word))
        config_report_addf(report, config->file, check->mark, "checks[%zu]: scope has only blanks",
                           index);
}

static void config_check_gates(const struct config *config, struct config_report *report)
{
    for (size_t i = 0; i < config->checks.count; i++) {
        const struct config_check *check = &config->checks.items[i];
        size_t j = 0;
        while (j < i && !str_equal(check->name, config->checks.items[j].name))
            j++;
        if (j < i)
            config_report_addf(
                report, config->file, check->mark,
                "checks[%zu]: the name \"%.*s\" stands there twice, first in line %u", i,
                STR_ARG(check->name), config->checks.items[j].mark.line);
        config_check_scope(config, check, i, report);
    }
}

// A port is cut off what is asked for before it is compared.
static bool config_host_is_plain(struct str name)
{
    bool brackets = name.len > 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    struct str plain = brackets ? str_slice(name, 1, name.len - 1) : name;
    return str_find(plain, '[') == plain.len && str_find(plain, ']') == plain.len &&
           (brackets || str_find(plain, ':') == plain.len);
}

static void config_check_hosts(const struct config *config, struct config_report *report)
{
    const struct config_host *items = config->hosts.items;
    for (size_t i = 0; i < config->hosts.count; i++) {
        if (!config_host_is_plain(items[i].name))
            config_report_addf(report, config->file, items[i].mark,
                               "hosts[%zu]: the name \"%.*s\" never stands in Host: leave the port "
                               "out, and put an IPv6 address in [ ]",
                               i, STR_ARG(items[i].name));
        for (size_t k = 0; k < i; k++)
            if (str_equal(items[i].name, items[k].name))
                config_report_addf(
                    report, config->file, items[i].mark,
                    "hosts[%zu]: the name \"%.*s\" stands there twice, first in line %u", i,
                    STR_ARG(items[i].name), items[k].mark.line);
    }
}

// A life that could never be had is an error, not something to be cut in silence.
static void config_check_lives(const struct config *config, struct config_report *report)
{
    if (config->token_format != FORMAT_JWT || config->token_ttl <= config->jwt_max_ttl)
        return;
    char memory[64];
    struct buf most;
    buf_init(&most, memory, sizeof memory);
    duration_format(&most, config->jwt_max_ttl);
    // If one of the two is a default, the other is the one that the operator can find.
    enum config_option option = config->origins[CONFIG_TOKEN_TTL].origin == CONFIG_DEFAULT
                                    ? CONFIG_JWT_MAX_TTL
                                    : CONFIG_TOKEN_TTL;
    config_report_addf(report, config_check_source(config, option), config->origins[option].mark,
                       "token_ttl: longer than jwt_max_ttl (%.*s), while token_format is jwt",
                       STR_ARG(buf_str(&most)));
}

// The next key must be known everywhere before its turn, and each retired one stays in the JWKS as
// long as a token lives: a set that every client fetches must stay small.
static void config_check_rotation(const struct config *config, struct config_report *report)
{
    // As rotation_announce_us has it.
    int64_t announce = 2 * config->jwks_max_age + 2 * SECOND_US;
    const char *words = NULL;
    if (config->key_rotation == TIME_NEVER)
        return;
    if (config->key_rotation <= announce)
        words = "must be longer than twice jwks_max_age: else the next key could not be known "
                "everywhere before it signs";
    else if (config->jwt_max_ttl / config->key_rotation >= CONFIG_KEYS_RETIRED_MAX)
        words = "must be more than a fiftieth of jwt_max_ttl: else too many retired keys would "
                "have to stay published";
    if (!words)
        return;
    // If it is the default, the other one is what the operator can find.
    enum config_option option = CONFIG_KEY_ROTATION;
    if (config->origins[CONFIG_KEY_ROTATION].origin == CONFIG_DEFAULT)
        option = config->key_rotation <= announce ? CONFIG_JWKS_MAX_AGE : CONFIG_JWT_MAX_TTL;
    config_report_addf(report, config_check_source(config, option), config->origins[option].mark,
                       "key_rotation: %s", words);
}

void config_check(const struct config *config, struct config_report *report)
{
    config_check_listeners(config, report);
    config_check_tls(config, report);
    config_check_issuer(config, report);
    config_check_gates(config, report);
    config_check_hosts(config, report);
    config_check_lives(config, report);
    config_check_rotation(config, report);
}

// A proxy's address in X-Forwarded-For is passed over: it is nobody who asks.
static void config_doubt_proxies(const struct config *config, struct config_mark mark,
                                 const struct config_proxies *proxies, const char *so,
                                 struct config_report *doubts)
{
    for (size_t i = 0; i < proxies->count; i++)
        if (proxies->items[i].bits == 0)
            config_report_addf(doubts, config->file, mark,
                               "trusted_proxies has all addresses of IPv%u, so that none of them "
                               "in X-Forwarded-For is a client's: %s; name the proxies alone",
                               proxies->items[i].address.family, so);
}

void config_doubts(const struct config *config, struct config_report *doubts)
{
    for (size_t i = 0; i < config->listen.count; i++)
        config_doubt_proxies(config, config->listen.items[i].mark,
                             &config->listen.items[i].trusted_proxies,
                             "all clients share one limit of failures, so that one who guesses "
                             "locks all of them out, and no address has a limit of connections",
                             doubts);
    for (size_t i = 0; i < config->checks.count; i++)
        config_doubt_proxies(config, config->checks.items[i].mark,
                             &config->checks.items[i].trusted_proxies,
                             "the log names none of them", doubts);
}
