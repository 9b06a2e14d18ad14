// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "http/deadline.h"
#include "http/peers.h"

static struct address peers_address(const char *text)
{
    struct address address;
    assert_int_equal(address_parse(str_from(text), &address), TWOLEG_NONE);
    return address;
}

static void A15_a_cap_per_address(void **state)
{
    struct http_peers peers;
    struct address a = peers_address("192.0.2.1");
    struct address b = peers_address("192.0.2.2");
    (void)state;
    http_peers_init(&peers, (struct siphash_key){1, 2});
    assert_int_equal(http_peers_add(&peers, &a, 2), TWOLEG_NONE);
    assert_int_equal(http_peers_add(&peers, &a, 2), TWOLEG_NONE);
    assert_int_equal(http_peers_add(&peers, &a, 2), TWOLEG_LIMIT);
    assert_int_equal(http_peers_add(&peers, &b, 2), TWOLEG_NONE);
    http_peers_remove(&peers, &a);
    assert_int_equal(http_peers_add(&peers, &a, 2), TWOLEG_NONE);
    http_peers_finish(&peers);
}

static void A15_ipv6_counts_by_its_64(void **state)
{
    struct http_peers peers;
    struct address a = peers_address("2001:db8:0:1::1");
    struct address same = peers_address("2001:db8:0:1:ffff::2");
    struct address other = peers_address("2001:db8:0:2::1");
    (void)state;
    http_peers_init(&peers, (struct siphash_key){1, 2});
    assert_int_equal(http_peers_add(&peers, &a, 1), TWOLEG_NONE);
    assert_int_equal(http_peers_add(&peers, &same, 1), TWOLEG_LIMIT);
    assert_int_equal(http_peers_add(&peers, &other, 1), TWOLEG_NONE);
    http_peers_finish(&peers);
}

// Against a plain array: adding and removing at random loses nothing and leaves nothing.
static void the_table_counts_exactly(void **state)
{
    enum { ADDRESSES = 300, STEPS = 40000, MAX = 3 };
    uint32_t counts[ADDRESSES] = {0};
    struct http_peers peers;
    (void)state;
    srand(7);
    http_peers_init(&peers, (struct siphash_key){3, 4});
    for (int i = 0; i < STEPS; i++) {
        int n = rand() % ADDRESSES;
        struct address address = {.family = ADDRESS_V4,
                                  .bytes = {10, 0, (uint8_t)(n >> 8), (uint8_t)n}};
        if (rand() % 2) {
            enum twoleg_error error = http_peers_add(&peers, &address, MAX);
            assert_int_equal(error, counts[n] == MAX ? TWOLEG_LIMIT : TWOLEG_NONE);
            counts[n] += error == TWOLEG_NONE;
        } else if (counts[n]) {
            http_peers_remove(&peers, &address);
            counts[n]--;
        }
    }
    uint32_t used = 0;
    for (int n = 0; n < ADDRESSES; n++)
        used += counts[n] > 0;
    assert_int_equal(peers.used, used);
    http_peers_finish(&peers);
}

static void A1_deadlines_pass_in_order(void **state)
{
    struct http_deadlines deadlines = {
        .length = {[HTTP_WAIT_IDLE] = 60, [HTTP_WAIT_HEADER] = 10, [HTTP_WAIT_BODY] = 10}};
    struct http_deadline a = {0};
    struct http_deadline b = {0};
    (void)state;
    http_deadlines_init(&deadlines);
    http_deadline_set(&deadlines, &a, HTTP_WAIT_HEADER, 100);
    http_deadline_set(&deadlines, &b, HTTP_WAIT_HEADER, 101);
    assert_null(http_deadlines_passed(&deadlines, 109));
    assert_ptr_equal(http_deadlines_passed(&deadlines, 110), &a);
    http_deadline_set(&deadlines, &a, HTTP_WAIT_IDLE, 110);
    assert_null(http_deadlines_passed(&deadlines, 110));
    assert_ptr_equal(http_deadlines_passed(&deadlines, 111), &b);
    http_deadline_clear(&b);
    http_deadline_clear(&b);
    assert_null(http_deadlines_passed(&deadlines, 169));
    assert_ptr_equal(http_deadlines_passed(&deadlines, 170), &a);
}

// A reload that shortens a deadline does so for those that wait, and the list stays in order.
static void A1_deadlines_change_for_those_that_wait(void **state)
{
    struct http_deadlines deadlines = {.length = {[HTTP_WAIT_IDLE] = 60, [HTTP_WAIT_BODY] = 60}};
    struct http_deadline waiting[3] = {{0}};
    struct http_deadline other = {0};
    (void)state;
    http_deadlines_init(&deadlines);
    http_deadline_set(&deadlines, &other, HTTP_WAIT_BODY, 100);
    http_deadline_set(&deadlines, &waiting[0], HTTP_WAIT_IDLE, 100);
    http_deadline_set(&deadlines, &waiting[1], HTTP_WAIT_IDLE, 105);
    http_deadlines_change(&deadlines, HTTP_WAIT_IDLE, 10);
    http_deadline_set(&deadlines, &waiting[2], HTTP_WAIT_IDLE, 107);
    for (int64_t now = 100, next = 0; now < 130; now++) {
        struct http_deadline *passed = http_deadlines_passed(&deadlines, now);
        assert_ptr_equal(passed, now == 110 || now == 115 || now == 117 ? &waiting[next++] : NULL);
        if (passed)
            http_deadline_clear(passed);
    }
    http_deadlines_change(&deadlines, HTTP_WAIT_BODY, 90);
    assert_null(http_deadlines_passed(&deadlines, 189));
    assert_ptr_equal(http_deadlines_passed(&deadlines, 190), &other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(A15_a_cap_per_address),
        cmocka_unit_test(A15_ipv6_counts_by_its_64),
        cmocka_unit_test(the_table_counts_exactly),
        cmocka_unit_test(A1_deadlines_pass_in_order),
        cmocka_unit_test(A1_deadlines_change_for_those_that_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
