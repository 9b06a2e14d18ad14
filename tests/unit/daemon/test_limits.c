// SPDX-License-Identifier: Apache-2.0
// File descriptors: connections must not take those that the store needs (H2).
#include "daemon/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/log.h"

static char said[1024];

static void limits_said(void *context, enum log_level level, struct str line)
{
    (void)context;
    (void)level;
    memcpy(said, line.ptr, line.len);
    said[line.len] = '\0';
}

static enum twoleg_error limits_try(rlim_t soft, rlim_t hard, int64_t connections,
                                    int64_t *ret_connections, char reason[static 512])
{
    struct rlimit limit = {soft, hard};
    struct config config = {.max_connections = connections, .workers = 2};
    said[0] = reason[0] = '\0';
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    log_set_sink(limits_said, NULL);
    enum twoleg_error error = limits_raise(&config, reason);
    log_set_sink(NULL, NULL);
    *ret_connections = config.max_connections;
    return error;
}

static void A14_connections_leave_descriptors_for_the_store(void **state)
{
    (void)state;
    char reason[512];
    int64_t connections;
    struct rlimit limit;
    // The soft limit is raised as far as it goes: later the sandbox forbids it.
    assert_int_equal(limits_try(100, 900, 200, &connections, reason), TWOLEG_NONE);
    assert_int_equal(connections, 200);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 900);
    assert_string_equal(said, "");
    // The hard limit is too low for all of them.
    assert_int_equal(limits_try(100, 900, 10000, &connections, reason), TWOLEG_NONE);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 900);
    assert_in_range(connections, 900 - 110, 900 - 40);
    assert_non_null(strstr(said, "event=max_connections_lowered max_connections="));
    // And for any server.
    assert_int_equal(limits_try(40, 40, 10000, &connections, reason), TWOLEG_REFUSED);
    assert_non_null(strstr(reason, "the limit of open files is 40, but "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A14_connections_leave_descriptors_for_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
