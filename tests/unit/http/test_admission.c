// SPDX-License-Identifier: Apache-2.0
// Who comes in when places are short, who goes for that, and how TLS handshakes share the loop.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/worker_private.h"
#include "unit/http/toy.h"

#define GET_ECHO "GET /echo?q=1 HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_PARK "GET /park?p HTTP/1.1\r\nHost: x\r\n\r\n"

static struct http_listener tls_listener, unix_listener;
static struct {
    atomic_uint handshakes, most_in_a_turn, before_kept;
    unsigned in_turn;
} seen;

static struct http_welcome admission_welcome(void *context, const struct http_listener *listener)
{
    (void)context;
    return (struct http_welcome){.secure = listener == &tls_listener};
}

// Nobody gets a session, so every handshake ends with its first step.
static struct tls_set *admission_secure(void *context, const struct env *env,
                                        const struct http_listener *listener,
                                        const struct address *address)
{
    (void)context;
    (void)env;
    assert_ptr_equal(listener, &tls_listener);
    assert_null(address); // a socket pair has none
    atomic_fetch_add(&seen.handshakes, 1);
    seen.in_turn++;
    if (seen.in_turn > atomic_load(&seen.most_in_a_turn))
        atomic_store(&seen.most_in_a_turn, seen.in_turn);
    return NULL;
}

static void admission_on_turn(void *context, struct http_worker *worker)
{
    (void)context;
    (void)worker;
    seen.in_turn = 0;
    if (atomic_load(&toy.handled) == 0)
        atomic_store(&seen.before_kept, atomic_load(&seen.handshakes));
}

static void admission_start(uint32_t places)
{
    struct http_limits limits = toy_limits;
    limits.max_connections = places;
    limits.tls_us = 10 * SECOND_US;
    toy_settings.welcome = admission_welcome;
    toy_settings.secure = admission_secure;
    toy_settings.on_turn = admission_on_turn;
    memset(&seen, 0, sizeof seen);
    tls_listener = (struct http_listener){.fd = -1, .doors = DOOR_PUBLIC};
    unix_listener = (struct http_listener){.fd = -1, .doors = DOOR_PUBLIC, .path = "x"};
    toy_start(limits);
}

static int admission_teardown(void **state)
{
    (void)state;
    if (toy.running)
        toy_stop();
    return 0;
}

struct arrival {
    struct http_message message;
    int fd;
    const struct http_listener *listener;
};

static void arrival_run(struct http_message *message, struct http_worker *worker)
{
    struct arrival *arrival = (struct arrival *)message;
    http_worker_adopt(worker, arrival->fd, arrival->listener, false);
    free(arrival);
}

static int admission_connect(const struct http_listener *listener, const char *said)
{
    int ends[2];
    struct arrival *arrival = malloc(sizeof *arrival);
    assert_non_null(arrival);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    toy_say(ends[0], said);
    *arrival = (struct arrival){{NULL, arrival_run, NULL}, ends[1], listener};
    http_worker_post(toy.worker, &arrival->message);
    return ends[0];
}

static void admission_served(int fd)
{
    int status;
    toy_say(fd, GET_ECHO);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
}

static uint64_t admission_count(enum metric metric)
{
    return toy.metrics.value[metric];
}

// ------------------------------------------------------------------ caps

static void A15_connections_over_the_cap_are_closed_while_all_are_at_work(void **state)
{
    int status;
    (void)state;
    admission_start(2);
    int a = toy_connect(), b = toy_connect();
    toy_say(a, GET_PARK);
    sem_wait(&toy.parked);
    struct http_job *first = toy.job;
    toy_say(b, GET_PARK);
    sem_wait(&toy.parked);
    struct http_job *second = toy.job;
    int c = toy_connect();
    assert_string_equal(toy_read_all(c), "");
    assert_int_equal(admission_count(METRIC_CONNECTIONS_REFUSED), 1);
    http_job_done(first);
    http_job_done(second);
    assert_string_equal(toy_read(a, &status), "1 /park?p|");
    assert_string_equal(toy_read(b, &status), "1 /park?p|");
    close(a);
    int e = -1;
    for (bool in = false; !in; close(e)) { // until the server has seen that one is gone
        struct pollfd ready = {.events = POLLIN};
        char byte;
        ready.fd = e = toy_connect();
        toy_say(e, GET_ECHO);
        assert_int_equal(poll(&ready, 1, TOY_WAIT_MS), 1);
        in = recv(e, &byte, 1, 0) == 1;
    }
    close(b);
    close(c);
}

static int admission_connect_tcp(void)
{
    struct sockaddr_storage to;
    socklen_t len = address_to_sockaddr(&toy.listener.address, &to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, len), 0);
    int accepted = http_listener_accept(&toy.listener);
    assert_true(accepted >= 0);
    toy_post(toy_on_adopt, accepted, 0);
    return fd;
}

static void A15_one_address_has_its_own_cap(void **state)
{
    struct http_limits few = toy_limits;
    char reason[256];
    int status;
    (void)state;
    few.max_per_address = 2;
    toy_settings = (struct http_settings){.number = 0};
    toy_start(few);
    assert_int_equal(http_listener_open(STR("127.0.0.1:0"), 0600, &toy.listener, reason), 0);
    toy.listener.doors = DOOR_PUBLIC;
    int a = admission_connect_tcp();
    int b = admission_connect_tcp();
    int c = admission_connect_tcp();
    assert_string_equal(toy_read_all(c), "");
    int local = toy_connect(); // has no address, so no cap
    admission_served(local);
    toy_say(a, "GET /echo HTTP/1.0\r\n\r\n");
    const char *text = toy_read_all(a);
    assert_int_equal(toy_status(text), 200);
    assert_int_equal(toy_count(text, "HTTP/1.1 "), 1);
    int d = admission_connect_tcp();
    toy_say(d, GET_ECHO);
    assert_string_equal(toy_read(d, &status), "1 /echo?q=1|");
    assert_int_equal(admission_count(METRIC_CONNECTIONS_DISPLACED), 0);
    close(a);
    close(b);
    close(c);
    close(d);
    close(local);
    http_listener_close(&toy.listener);
}

// An address that has all it may have is refused before anybody goes for it.
static void A15_an_address_at_its_cap_drives_out_nobody(void **state)
{
    struct http_limits few = toy_limits;
    char reason[256];
    (void)state;
    few.max_per_address = 2;
    few.max_connections = 3;
    toy_settings = (struct http_settings){.number = 0};
    toy_start(few);
    assert_int_equal(http_listener_open(STR("127.0.0.1:0"), 0600, &toy.listener, reason), 0);
    toy.listener.doors = DOOR_PUBLIC;
    int local = toy_connect();
    int a = admission_connect_tcp(), b = admission_connect_tcp();
    for (int i = 0; i < 5; i++) {
        int c = admission_connect_tcp();
        assert_string_equal(toy_read_all(c), "");
        close(c);
    }
    admission_served(local);
    admission_served(a);
    admission_served(b);
    assert_int_equal(admission_count(METRIC_CONNECTIONS_DISPLACED), 0);
    close(a);
    close(b);
    close(local);
    http_listener_close(&toy.listener);
}

// ------------------------------------------------------------------ who goes

// Handshakes first, then who has not asked: each kind from its oldest on. Those who are kept stay,
// and those on a Unix socket.
static void A18_A27_who_has_not_begun_makes_room_oldest_first(void **state)
{
    (void)state;
    admission_start(6);
    int local = admission_connect(&unix_listener, "");
    int kept = toy_connect();
    admission_served(kept);
    int fresh[2] = {toy_connect(), toy_connect()};
    int silent[2] = {admission_connect(&tls_listener, ""), admission_connect(&tls_listener, "")};
    const int order[] = {silent[0], silent[1], fresh[0], fresh[1]};
    int later[4];
    for (size_t i = 0; i < 4; i++) {
        later[i] = toy_connect();
        admission_served(later[i]);
        assert_string_equal(toy_read_all(order[i]), ""); // gone, and nobody else yet
        assert_int_equal(admission_count(METRIC_CONNECTIONS_DISPLACED), i + 1);
        admission_served(kept);
        close(order[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        admission_served(later[i]);
        close(later[i]);
    }
    admission_served(local);
    assert_int_equal(admission_count(METRIC_CONNECTIONS_REFUSED), 0);
    close(local);
    close(kept);
}

static void admission_hold(struct http_message *message, struct http_worker *worker)
{
    (void)worker;
    free(message);
    sem_wait(&toy.parked);
}

// Until toy.parked is posted; what comes meanwhile is all there in the turn after that.
static void admission_hold_worker(void)
{
    struct http_message *message = malloc(sizeof *message);
    assert_non_null(message);
    *message = (struct http_message){NULL, admission_hold, NULL};
    http_worker_post(toy.worker, message);
}

// The place of one whose request has come, and was only not read yet, is not the one to take.
static void A15_what_has_come_in_is_answered_first(void **state)
{
    int status;
    (void)state;
    admission_start(2);
    int kept = admission_connect(&unix_listener, "");
    int asking = toy_connect();
    admission_served(kept);
    admission_hold_worker();
    toy_say(asking, GET_ECHO);
    int late = toy_connect();
    sem_post(&toy.parked);
    assert_string_equal(toy_read(asking, &status), "1 /echo?q=1|");
    assert_string_equal(toy_read_all(late), "");
    close(kept);
    close(asking);
    close(late);
}

// ------------------------------------------------------------------ handshakes in the loop

static void A18_A27_handshakes_have_a_share_of_each_turn(void **state)
{
    enum { MANY = 200 };
    int fds[MANY], status;
    (void)state;
    admission_start(MANY + 1);
    int kept = toy_connect();
    admission_hold_worker();
    for (size_t i = 0; i < MANY; i++)
        fds[i] = admission_connect(&tls_listener, "\x16\x03\x01 hello");
    toy_say(kept, GET_ECHO);
    sem_post(&toy.parked);
    assert_string_equal(toy_read(kept, &status), "1 /echo?q=1|");
    // It was served in one of the first turns, though it was ready after all of them.
    assert_in_range(atomic_load(&seen.before_kept), 0, 5 * WORKER_HANDSHAKES);
    for (size_t i = 0; i < MANY; i++) {
        assert_string_equal(toy_read_all(fds[i]), "");
        close(fds[i]);
    }
    assert_int_equal(atomic_load(&seen.handshakes), MANY);
    assert_int_equal(atomic_load(&seen.most_in_a_turn), WORKER_HANDSHAKES);
    close(kept);
}

// Nothing said, nothing made: no session is asked for.
static void A18_who_says_nothing_has_no_session(void **state)
{
    (void)state;
    admission_start(10);
    int silent = admission_connect(&tls_listener, "");
    int kept = toy_connect();
    admission_served(kept);
    assert_int_equal(atomic_load(&seen.handshakes), 0);
    toy_say(silent, "x");
    assert_string_equal(toy_read_all(silent), "");
    assert_int_equal(atomic_load(&seen.handshakes), 1);
    close(silent);
    close(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(A15_connections_over_the_cap_are_closed_while_all_are_at_work,
                                  admission_teardown),
        cmocka_unit_test_teardown(A15_one_address_has_its_own_cap, admission_teardown),
        cmocka_unit_test_teardown(A15_an_address_at_its_cap_drives_out_nobody,
                                  admission_teardown),
        cmocka_unit_test_teardown(A18_A27_who_has_not_begun_makes_room_oldest_first,
                                  admission_teardown),
        cmocka_unit_test_teardown(A15_what_has_come_in_is_answered_first, admission_teardown),
        cmocka_unit_test_teardown(A18_A27_handshakes_have_a_share_of_each_turn,
                                  admission_teardown),
        cmocka_unit_test_teardown(A18_who_says_nothing_has_no_session, admission_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
