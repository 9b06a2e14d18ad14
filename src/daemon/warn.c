// SPDX-License-Identifier: Apache-2.0
#include "daemon/warn.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config/check.h"
#include "crypto/wipe.h"
#include "daemon/certificates.h"
#include "endpoint/server.h"

// What finds no place or no memory the log alone has.
static void warn_tell(struct reload_outcome *outcome, const char *words)
{
    struct str text = outcome->warning_count < RELOAD_WARNINGS_MAX
                          ? arena_copy(&outcome->arena, str_from(words))
                          : STR_NONE;
    if (text.ptr)
        outcome->warnings[outcome->warning_count++] = text;
    else
        outcome->warnings_left++;
}

void warn(const struct warn_at *at, const char *event, const char *format, ...)
{
    char words[1024]; // larger than any of ours with what it names, else cut
    struct log_line line;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fprintf(stderr, "twoleg: warning: %s\n", words);
    log_begin(&line, LOG_WARNING, at->env->now_us, event);
    log_str(&line, "issuer", at->config->issuer);
    log_end(&line);
    if (at->told)
        warn_tell(at->told, words);
}

void warn_of_unreadable(const struct warn_at *at, const char *file)
{
    if (file && faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) != 0)
        warn(at, "configuration_unreadable",
             "%s cannot be read by %.*s, as whom the server runs: it was read at the start, but "
             "every reload will be refused", file, STR_ARG(at->config->user));
}

void warn_of_gates(const struct warn_at *at, struct registry *registry)
{
    const struct config_checks *checks = &at->config->checks;
    const struct api_set *apis = registry_apis(registry);
    for (size_t i = 0; i < checks->count; i++) {
        const struct config_check *check = &checks->items[i];
        if (check->resource.len && !api_set_find_identifier(apis, check->resource))
            warn(at, "check_without_api",
                 "the gate /check/%.*s asks for tokens of %.*s, but there is no such API: it "
                 "answers 403 until one is made with `twoleg api create`",
                 STR_ARG(check->name), STR_ARG(check->resource));
    }
}

void warn_of_issuer(const struct warn_at *at, const struct dialect_set *dialects)
{
    if (!endpoint_answers_issuer(at->config, dialects))
        warn(at, "issuer_no_host",
             "the metadata names the issuer %.*s, but hosts: does not have its host, nor a "
             "listener a dialect of its own: token requests there are answered 421, "
             "unless a proxy sends them on with another Host",
             STR_ARG(at->config->issuer));
}

// More of them would say nothing new.
#define WARN_TIES_MAX 16

static void warn_of_tie(const struct warn_at *at, const struct store_tie *tie, struct str word)
{
    warn(at, "tied_to_nothing",
         "the application %.*s%s is tied to the dialect %.*s, but no host, listener or gate speaks "
         "that: it is no client there (twoleg app update --dialects)",
         STR_ARG(tie->client_id), tie->count > 1 ? ", as others," : "", STR_ARG(word));
}

void warn_of_ties(const struct warn_at *at, const struct dialect_set *dialects,
                  struct store *store)
{
    struct store_cursor *cursor = NULL;
    struct store_tie tie;
    struct str word;
    unsigned count = 0;
    struct store_reader *reader = store_reader_borrow(store);
    enum twoleg_error error = store_ties_begin(reader, &cursor);
    while (!error && count < WARN_TIES_MAX && store_ties_next(cursor, &tie))
        for (struct str rest = tie.dialects; str_word(&rest, &word);)
            if (!dialect_set_speaks(dialects, word) && ++count <= WARN_TIES_MAX)
                warn_of_tie(at, &tie, word);
    if (!error)
        error = store_end(cursor);
    store_reader_return(store);
    if (error)
        warn(at, "ties_unknown", "what applications are tied to could not be read: %s",
             twoleg_error_text(error));
}

void warn_of_shapes(const struct warn_at *at, const struct dialect_set *before,
                    const struct dialect_set *after)
{
    const struct dialect *lost;
    size_t from = 0;
    while ((lost = dialect_set_lost(before, after, &from)))
        warn(at, "shape_lost",
             "no dialect makes tokens as %.*s did: those that are out become inactive, until one "
             "makes such again; keep one, at a host that nobody asks for, until they have expired",
             STR_ARG(lost->name));
}

void warn_of_doubts(const struct warn_at *at, struct tls_set *const *certificates)
{
    struct config_report doubts;
    struct arena arena;
    arena_init(&arena, NULL, SIZE_MAX);
    if (config_report_init(&doubts, &arena)) {
        config_doubts(at->config, &doubts);
        certificates_doubts(at->config, certificates, &doubts);
    }
    for (size_t i = 0; i < doubts.count; i++) {
        const struct config_problem *doubt = &doubts.problems[i];
        warn(at, "configuration_doubtful", "%.*s:%u:%u: %.*s", STR_ARG(doubt->source),
             doubt->mark.line, doubt->mark.column, STR_ARG(doubt->text));
    }
    arena_finish(&arena);
}

void warn_of_swap(const struct warn_at *at)
{
    struct rlimit limit;
    if (!secret_memory_is_locked() && getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        warn(at, "keys_not_locked",
             "keys may be swapped out to the disk: the limit of locked memory, %llu KiB, is too "
             "low for them: raise it (ulimit -l, or LimitMEMLOCK= in the unit)",
             (unsigned long long)limit.rlim_cur / 1024);
}
