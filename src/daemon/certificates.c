// SPDX-License-Identifier: Apache-2.0
#include "daemon/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"

#define LISTENER_PAIRS 64 // as in the table of options

// Landlock forbids to open, and lets ask: a folder that no file lay in when the server started.
static bool certificates_locked_out(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    bool refused = fd < 0 && errno == EACCES;
    if (fd >= 0)
        close(fd);
    return refused && access(path, R_OK) == 0;
}

// Each pair by itself, since a set says only what is wrong with the first one.
static bool certificates_report(const struct config *config, const struct config_listener *listener,
                                const struct tls_pair *pairs, int64_t now_us,
                                struct config_report *report)
{
    bool found = false;
    for (size_t i = 0; i < listener->tls.count; i++) {
        struct tls_set *set = NULL;
        char words[TLS_REASON];
        bool bad = tls_set_load(&pairs[i], 1, NULL, now_us, &set, words) == TWOLEG_REFUSED;
        tls_set_release(set);
        if (!bad)
            continue;
        bool locked_out = certificates_locked_out(pairs[i].certificate) ||
                          certificates_locked_out(pairs[i].key);
        struct buf line = config_report_text(report);
        buf_addf(&line, "%s%s", words,
                 locked_out ? ": the sandbox has no such folder since the start; a new one needs a "
                              "restart"
                            : "");
        config_report_add(report, config->file, listener->tls.items[i].mark, &line);
        found = true;
    }
    return found;
}

static enum twoleg_error certificates_load_one(const struct config *config, size_t index,
                                               struct tls_tickets *tickets, int64_t now_us,
                                               struct config_report *report,
                                               struct tls_set **ret_set)
{
    const struct config_listener *listener = &config->listen.items[index];
    struct tls_pair pairs[LISTENER_PAIRS];
    char words[TLS_REASON];
    for (size_t i = 0; i < listener->tls.count; i++)
        pairs[i] = (struct tls_pair){listener->tls.items[i].certificate.ptr,
                                     listener->tls.items[i].key.ptr};
    enum twoleg_error error =
        tls_set_load(pairs, listener->tls.count, tickets, now_us, ret_set, words);
    // A file that was mended in between is worth its words, too.
    if (error == TWOLEG_REFUSED && !certificates_report(config, listener, pairs, now_us, report))
        config_report_addf(report, config->file, listener->mark, "%s", words);
    return error == TWOLEG_REFUSED ? TWOLEG_MALFORMED : error;
}

enum twoleg_error certificates_load(const struct config *config, struct tls_tickets *tickets,
                                    int64_t now_us, struct config_report *report,
                                    struct tls_set ***ret_sets)
{
    size_t count = config->listen.count;
    struct tls_set **sets =
        fault_here(FAULT_MEMORY) ? NULL : calloc(count + 1, sizeof *sets);
    enum twoleg_error error = sets ? TWOLEG_NONE : TWOLEG_NO_MEMORY;
    for (size_t i = 0; i < count && error != TWOLEG_NO_MEMORY; i++) {
        if (!config->listen.items[i].tls.count)
            continue;
        enum twoleg_error one =
            certificates_load_one(config, i, tickets, now_us, report, &sets[i]);
        error = one ? one : error;
    }
    if (error)
        certificates_release(sets, count);
    else
        *ret_sets = sets;
    return error;
}

void certificates_release(struct tls_set **sets, size_t count)
{
    for (size_t i = 0; sets && i < count; i++)
        tls_set_release(sets[i]);
    free(sets);
}

static void certificates_doubt(const struct config *config,
                               const struct config_certificates *tls, const struct tls_set *set,
                               size_t number, struct config_report *doubts)
{
    const struct config_certificate *item = &tls->items[number];
    const char *life = tls_set_doubt(set, number);
    size_t hidden_by = tls_set_hidden_by(set, number);
    struct buf words;
    if (life) {
        words = config_report_text(doubts);
        buf_addf(&words, "the TLS certificate %s %s", item->certificate.ptr, life);
        config_report_add(doubts, config->file, item->mark, &words);
    }
    if (hidden_by == number)
        return;
    words = config_report_text(doubts);
    buf_addf(&words, "the TLS certificate %s is never shown: %s stands before it and has all its "
             "hosts, and of those that have a host the first is shown, whatever its key",
             item->certificate.ptr, tls->items[hidden_by].certificate.ptr);
    config_report_add(doubts, config->file, item->mark, &words);
}

void certificates_doubts(const struct config *config, struct tls_set *const *sets,
                         struct config_report *doubts)
{
    for (size_t i = 0; i < config->listen.count; i++)
        for (size_t j = 0; j < config->listen.items[i].tls.count; j++)
            certificates_doubt(config, &config->listen.items[i].tls, sets[i], j, doubts);
}

enum twoleg_error certificates_check(const struct config *config, int64_t now_us,
                                     struct config_report *report, struct config_report *doubts)
{
    struct tls_set **sets = NULL;
    enum twoleg_error error = certificates_load(config, NULL, now_us, report, &sets);
    if (!error)
        certificates_doubts(config, sets, doubts);
    certificates_release(sets, config->listen.count);
    return error;
}

size_t certificates_count(const struct config *config)
{
    size_t pairs = 0;
    for (size_t i = 0; i < config->listen.count; i++)
        pairs += config->listen.items[i].tls.count;
    return pairs;
}
