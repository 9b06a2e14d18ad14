// SPDX-License-Identifier: Apache-2.0
// RFC 5077 section 5.5: ticket keys are changed regularly, and old ones are destroyed.
#include "crypto/tls_tickets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct tickets_test {
    struct tls_tickets *tickets;
    struct env env;
};

static int tickets_setup(void **state)
{
    static struct tickets_test test;
    env_init(&test.env);
    test.tickets = tls_tickets_create();
    *state = &test;
    return test.tickets ? 0 : -1;
}

static int tickets_teardown(void **state)
{
    struct tickets_test *test = *state;
    tls_tickets_destroy(test->tickets);
    env_finish(&test->env);
    return 0;
}

static void a_key_serves_its_time_and_is_replaced(void **state)
{
    struct tickets_test *test = *state;
    struct tls_ticket_key first, second;
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &first), TWOLEG_NONE);
    test->env.boot_us += TLS_TICKET_LIFE_US - 1;
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &second), TWOLEG_NONE);
    assert_memory_equal(&first, &second, sizeof first);
    test->env.boot_us += 1;
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &second), TWOLEG_NONE);
    assert_memory_not_equal(first.name, second.name, sizeof first.name);
    assert_memory_not_equal(first.cipher, second.cipher, sizeof first.cipher);
    assert_memory_not_equal(first.mac, second.mac, sizeof first.mac);
}

static void an_old_key_opens_as_long_as_its_tickets_live(void **state)
{
    struct tickets_test *test = *state;
    struct tls_ticket_key first, other;
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &first), TWOLEG_NONE);
    test->env.boot_us += TLS_TICKET_LIFE_US;
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &other), TWOLEG_NONE);
    test->env.boot_us += TLS_TICKET_LIFE_US - 1;
    assert_int_equal(tls_tickets_open_key(test->tickets, &test->env, first.name, &other),
                     TWOLEG_NONE);
    assert_memory_equal(&first, &other, sizeof first);
    test->env.boot_us += 1;
    assert_int_equal(tls_tickets_open_key(test->tickets, &test->env, first.name, &other),
                     TWOLEG_UNKNOWN);
}

static void a_foreign_name_opens_nothing(void **state)
{
    struct tickets_test *test = *state;
    struct tls_ticket_key key;
    uint8_t name[TLS_TICKET_NAME] = {0};
    assert_int_equal(tls_tickets_open_key(test->tickets, &test->env, name, &key), TWOLEG_UNKNOWN);
    assert_int_equal(tls_tickets_seal_key(test->tickets, &test->env, &key), TWOLEG_NONE);
    memcpy(name, key.name, sizeof name);
    name[0] ^= 1;
    assert_int_equal(tls_tickets_open_key(test->tickets, &test->env, name, &key), TWOLEG_UNKNOWN);
    name[0] ^= 1;
    assert_int_equal(tls_tickets_open_key(test->tickets, &test->env, name, &key), TWOLEG_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_serves_its_time_and_is_replaced, tickets_setup,
                                        tickets_teardown),
        cmocka_unit_test_setup_teardown(an_old_key_opens_as_long_as_its_tickets_live,
                                        tickets_setup, tickets_teardown),
        cmocka_unit_test_setup_teardown(a_foreign_name_opens_nothing, tickets_setup,
                                        tickets_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
