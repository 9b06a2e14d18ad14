// SPDX-License-Identifier: Apache-2.0
#include "daemon/warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include "crypto/wipe.h"

void warn(const struct config *config, const struct env *env, const char *event,
          const char *format, ...)
{
    char words[1024]; // larger than any of ours with what it names, else cut
    struct log_line line;
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    fprintf(stderr, "twoleg: warning: %s\n", words);
    log_begin(&line, LOG_WARNING, env->now_us, event);
    log_str(&line, "issuer", config->issuer);
    log_end(&line);
}

void warn_of_gates(const struct config *config, const struct env *env, struct registry *registry)
{
    const struct config_checks *checks = &config->checks;
    const struct api_set *apis = registry_apis(registry);
    for (size_t i = 0; i < checks->count; i++) {
        const struct config_check *check = &checks->items[i];
        if (check->resource.len && !api_set_find_identifier(apis, check->resource))
            warn(config, env, "check_without_api",
                 "the gate /check/%.*s asks for tokens of %.*s, but there is no such API: it "
                 "answers 403 until one is made with `twoleg api create`",
                 STR_ARG(check->name), STR_ARG(check->resource));
    }
}

void warn_of_swap(const struct config *config, const struct env *env)
{
    struct rlimit limit;
    if (!secret_memory_is_locked() && getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
        warn(config, env, "keys_not_locked",
             "keys may be swapped out to the disk: the limit of locked memory, %llu KiB, is too "
             "low for them: raise it (ulimit -l, or LimitMEMLOCK= in the unit)",
             (unsigned long long)limit.rlim_cur / 1024);
}
