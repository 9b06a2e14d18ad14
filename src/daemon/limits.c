// SPDX-License-Identifier: Apache-2.0
#include "daemon/limits.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/env.h"
#include "base/log.h"
#include "daemon/workers.h"

// What the server opens besides connections: the store (writer, readers, checkpoint, each with its
// WAL; a backup), the lock, the log, the master key while it is read, what libraries open, and the
// operator's places.
#define LIMITS_RESERVE (40 + (int64_t)LISTENER_OPERATOR_PLACES)
#define LIMITS_PER_WORKER (4 + WORKERS_COMING_MAX)
#define LIMITS_LEAST 8 // connections: with fewer it is no server

static void limits_note(int64_t connections, int64_t files)
{
    struct log_line line;
    log_begin(&line, LOG_WARNING, (int64_t)time(NULL) * SECOND_US, "max_connections_lowered");
    log_u64(&line, "max_connections", (uint64_t)connections);
    log_u64(&line, "open_files_limit", (uint64_t)files);
    log_end(&line);
}

static int64_t limits_reserve(const struct config *config)
{
    return LIMITS_RESERVE + LIMITS_PER_WORKER * config->workers + (int64_t)config->listen.count + 1;
}

enum twoleg_error limits_raise(struct config *config, char ret_reason[static 512])
{
    static const unsigned raised[] = {RLIMIT_NOFILE, RLIMIT_MEMLOCK};
    for (size_t i = 0; i < sizeof raised / sizeof *raised; i++) {
        struct rlimit limit;
        if (getrlimit(raised[i], &limit) != 0)
            return TWOLEG_INTERNAL;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(raised[i], &limit); // what is too low is said later
    }
    return limits_fit(config, ret_reason);
}

enum twoleg_error limits_fit(struct config *config, char ret_reason[static 512])
{
    int64_t reserve = limits_reserve(config);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return TWOLEG_INTERNAL;
    if (limit.rlim_cur >= (rlim_t)(config->max_connections + reserve))
        return TWOLEG_NONE;
    int64_t files = (int64_t)limit.rlim_cur;
    if (files < reserve + LIMITS_LEAST) {
        snprintf(ret_reason, 512, "the limit of open files is %lld, but %lld are needed at least: "
                 "raise it (ulimit -n, or LimitNOFILE= in the unit)",
                 (long long)files, (long long)(reserve + LIMITS_LEAST));
        return TWOLEG_REFUSED;
    }
    config->max_connections = files - reserve;
    limits_note(config->max_connections, files);
    return TWOLEG_NONE;
}
