// SPDX-License-Identifier: Apache-2.0
// What happens to connections over time: parking, vanished clients, deadlines, drain.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/fault.h"
#include "http/worker_private.h"
#include "unit/http/toy.h"

#define GET_ECHO "GET /echo?q=1 HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_BUSY "GET /fail?busy HTTP/1.1\r\nHost: x\r\n\r\n"
#define GET_PARK "GET /park?p HTTP/1.1\r\nHost: x\r\n\r\n"

static int life_setup(void **state)
{
    (void)state;
    toy_start(toy_limits);
    return 0;
}

static int life_teardown(void **state)
{
    (void)state;
    if (toy.running)
        toy_stop();
    return 0;
}

static struct http_job *life_parked(void)
{
    sem_wait(&toy.parked);
    return toy.job;
}

static void a_parked_request_is_resumed_from_another_thread(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    for (int i = 0; i < 20; i++) {
        toy_say(fd, "POST /park HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
        http_job_done(life_parked());
        assert_string_equal(toy_read(fd, &status), "4 /park?|body");
    }
    close(fd);
    toy_stop();
    assert_int_equal(atomic_load(&toy.destroyed), 20); // with their requests
}

// The next request, and a half close, wait until the parked one is answered.
static void A16_requests_behind_a_parked_one_wait(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    toy_say(fd, GET_PARK GET_ECHO);
    struct http_job *job = life_parked();
    toy_say(fd, GET_PARK);
    shutdown(fd, SHUT_WR);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 20), 0);
    http_job_done(job);
    assert_string_equal(toy_read(fd, &status), "1 /park?p|");
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    http_job_done(life_parked());
    assert_string_equal(toy_read(fd, &status), "1 /park?p|");
    assert_string_equal(toy_read_all(fd), "");
    close(fd);
}

static void two_connections_are_parked_independently(void **state)
{
    int a = toy_connect();
    int b = toy_connect();
    int status;
    (void)state;
    toy_say(a, GET_PARK);
    struct http_job *job_a = life_parked();
    toy_say(b, GET_PARK);
    struct http_job *job_b = life_parked();
    http_job_done(job_b);
    assert_string_equal(toy_read(b, &status), "1 /park?p|");
    job_a->result = TWOLEG_STORE_BUSY;
    http_job_done(job_a);
    toy_read(a, &status);
    assert_int_equal(status, 503);
    close(a);
    close(b);
}

// Its slot may belong to somebody else by then: the serial tells.
static void a_client_that_vanished_while_parked_disturbs_nobody(void **state)
{
    int status;
    (void)state;
    for (int i = 0; i < 20; i++) {
        int fd = toy_connect();
        toy_say(fd, GET_PARK);
        struct http_job *job = life_parked();
        close(fd);
        int other = toy_connect();
        toy_say(other, GET_ECHO);
        assert_string_equal(toy_read(other, &status), "1 /echo?q=1|");
        http_job_done(job);
        toy_say(other, GET_ECHO);
        assert_string_equal(toy_read(other, &status), "1 /echo?q=1|");
        close(other);
    }
}

// Its connection does not wait for the job, and the job then finds nobody.
static void a_vanished_client_cancels(void **state)
{
    int fd = toy_connect();
    (void)state;
    toy_say(fd, GET_PARK);
    struct http_job *job = life_parked();
    close(fd);
    for (int i = 0; i < TOY_WAIT_MS && http_worker_connections(toy.worker) > 0; i++)
        poll(NULL, 0, 1);
    assert_int_equal(http_worker_connections(toy.worker), 0);
    http_job_done(job);
    toy_stop();
    assert_int_equal(atomic_load(&toy.destroyed), 1);
    assert_int_equal(atomic_load(&toy.handled), 0);
}

static void a_job_whose_worker_has_closed_the_client_is_destroyed(void **state)
{
    int fd = toy_connect();
    (void)state;
    toy_say(fd, GET_PARK);
    struct http_job *job = life_parked();
    job->handle.serial++; // as if the slot had gone to another request
    http_job_done(job);
    int other = toy_connect();
    int status;
    toy_say(other, GET_ECHO);
    toy_read(other, &status);
    assert_int_equal(atomic_load(&toy.destroyed), 1);
    close(fd);
    close(other);
}

static void a_sleeping_worker_holds_up_no_reclamation(void **state)
{
    int fd = toy_connect();
    int status;
    (void)state;
    toy_say(fd, GET_ECHO);
    toy_read(fd, &status);
    uint64_t seen = 0;
    for (int i = 0; i < TOY_WAIT_MS && seen != EPOCH_IDLE; i++) {
        poll(NULL, 0, 1);
        seen = atomic_load(&toy.epoch.readers[0].seen);
    }
    assert_true(seen == EPOCH_IDLE);
    close(fd);
}

static void A1_A2_a_slow_request_is_answered_408(void **state)
{
    static const char *const texts[] = {
        "GET /echo HTTP/1.1\r\nHo", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"};
    struct http_limits quick = toy_limits;
    (void)state;
    toy_stop();
    quick.header_us = 50000;
    quick.body_us = 50000;
    toy_start(quick);
    for (size_t i = 0; i < 2; i++) {
        int fd = toy_connect();
        toy_say(fd, texts[i]);
        const char *text = toy_read_all(fd);
        assert_int_equal(toy_status(text), 408);
        assert_non_null(strstr(text, "Connection: close\r\n"));
        close(fd);
    }
}

// One byte now and then does not move the deadline.
static void A1_a_trickle_does_not_help(void **state)
{
    struct http_limits quick = toy_limits;
    (void)state;
    toy_stop();
    quick.header_us = 50000;
    toy_start(quick);
    int fd = toy_connect();
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int sent = 0;
    toy_say(fd, "GET /echo HTTP/1.1\r\nX: ");
    while (poll(&ready, 1, 10) == 0 && sent++ < 500)
        toy_say(fd, "x");
    assert_true(sent < 500);
    assert_int_equal(toy_status(toy_read_all(fd)), 408);
    close(fd);
}

static void A3_A13_idle_and_unread_connections_are_closed(void **state)
{
    struct http_limits quick = toy_limits;
    int status;
    (void)state;
    toy_stop();
    quick.idle_us = 50000;
    quick.write_us = 50000;
    toy_start(quick);
    int idle = toy_connect();
    int used = toy_connect_saying(GET_ECHO);
    int deaf = toy_connect_saying("GET /long HTTP/1.1\r\nHost: x\r\n\r\n");
    toy_read(used, &status);
    assert_string_equal(toy_read_all(idle), "");
    assert_string_equal(toy_read_all(used), "");
    struct pollfd gone = {.fd = deaf, .events = 0};
    assert_int_equal(poll(&gone, 1, TOY_WAIT_MS), 1);
    assert_true(gone.revents & POLLHUP);
    close(idle);
    close(used);
    close(deaf);
}

static void drain_answers_what_is_in_flight(void **state)
{
    int idle = toy_connect();
    int parked = toy_connect();
    int body = toy_connect();
    (void)state;
    toy_say(body, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbo");
    toy_say(parked, GET_PARK GET_ECHO);
    struct http_job *job = life_parked();
    toy_drain(10 * SECOND_US);
    assert_string_equal(toy_read_all(idle), "");
    toy_say(body, "dy");
    const char *text = toy_read_all(body);
    assert_non_null(strstr(text, "4 /echo?|body"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    http_job_done(job);
    text = toy_read_all(parked);
    assert_non_null(strstr(text, "1 /park?p|"));
    assert_int_equal(toy_count(text, "HTTP/1.1 "), 1); // the second one is new
    close(idle);
    close(body);
    close(parked);
    toy_join();
}

// The backlog is accepted to its end: those requests are answered, and nobody waits for the mute.
static void drain_answers_what_was_accepted_last(void **state)
{
    int parked = toy_connect();
    (void)state;
    toy_say(parked, GET_PARK);
    struct http_job *job = life_parked();
    toy_drain(10 * SECOND_US);
    int late = toy_connect_saying(GET_ECHO);
    int mute = toy_connect();
    assert_int_equal(toy_status(toy_read_all(late)), 200);
    assert_string_equal(toy_read_all(mute), "");
    http_job_done(job);
    assert_int_equal(toy_status(toy_read_all(parked)), 200);
    close(late);
    close(mute);
    close(parked);
    toy_join();
}

static void drain_ends_at_its_deadline(void **state)
{
    int parked = toy_connect();
    (void)state;
    toy_say(parked, GET_PARK);
    struct http_job *job = life_parked();
    toy_drain(20000);
    assert_string_equal(toy_read_all(parked), "");
    close(parked);
    toy_join();
    job->destroy(job);
}

// The pool and the store end after the workers: what they still hand back has nobody to go to.
static void a_job_that_ends_after_its_worker_is_destroyed(void **state)
{
    int parked = toy_connect();
    (void)state;
    toy_say(parked, GET_PARK);
    struct http_job *job = life_parked();
    toy_drain(0);
    assert_string_equal(toy_read_all(parked), "");
    close(parked);
    assert_int_equal(pthread_join(toy.thread, NULL), 0);
    http_job_done(job);
    assert_int_equal(atomic_load(&toy.destroyed), 0);
    toy_finish();
    assert_int_equal(atomic_load(&toy.destroyed), 1);
}

// Its client is told, and is served again; the job finds nobody.
static void a_request_does_not_wait_for_ever(void **state)
{
    struct http_limits quick = toy_limits;
    int status;
    (void)state;
    toy_stop();
    quick.park_us = 20000;
    toy_start(quick);
    int fd = toy_connect();
    toy_say(fd, GET_PARK);
    struct http_job *job = life_parked();
    assert_non_null(strstr(toy_read(fd, &status), "took too long"));
    assert_int_equal(status, 503);
    http_job_done(job);
    toy_say(fd, GET_ECHO);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    toy_say(fd, GET_PARK);
    http_job_done(life_parked());
    assert_string_equal(toy_read(fd, &status), "1 /park?p|");
    close(fd);
    toy_stop();
    assert_int_equal(atomic_load(&toy.destroyed), 2);
}

static int life_late; // a client's end

// Its request comes just before the deadline is looked at.
static void life_expire(struct http_message *message, struct http_worker *worker)
{
    toy_say(life_late, GET_ECHO);
    connection_expire(worker->slots[0].connection);
    free(message);
}

// H20: the server itself was late, so what came in time is served before anybody is closed.
static void H20_what_has_come_before_the_idle_deadline_is_served(void **state)
{
    int status;
    (void)state;
    life_late = toy_connect();
    toy_say(life_late, GET_ECHO);
    toy_read(life_late, &status);
    toy_post(life_expire, -1, 0);
    assert_string_equal(toy_read(life_late, &status), "1 /echo?q=1|");
    close(life_late);
}

static void A27_requests_that_wait_are_bounded(void **state)
{
    struct http_limits few = toy_limits;
    int status;
    (void)state;
    toy_stop();
    few.max_parked = 1;
    toy_start(few);
    int a = toy_connect();
    int b = toy_connect();
    for (int i = 0; i < 3; i++) { // the bound is given back each time
        toy_say(a, GET_PARK);
        struct http_job *job_a = life_parked();
        toy_say(b, GET_PARK);
        toy_read(b, &status);
        assert_int_equal(status, 503);
        assert_int_equal(atomic_load(&toy.handed_out), i + 1); // nothing is done for who is refused
        toy_say(b, GET_ECHO); // whoever need not wait is served
        assert_string_equal(toy_read(b, &status), "1 /echo?q=1|");
        http_job_done(job_a);
        assert_string_equal(toy_read(a, &status), "1 /park?p|");
    }
    toy_say(a, GET_PARK);
    struct http_job *job = life_parked();
    close(a); // gives it back too
    for (int i = 0; i < TOY_WAIT_MS && http_worker_connections(toy.worker) > 1; i++)
        poll(NULL, 0, 1);
    toy_say(b, GET_PARK);
    http_job_done(life_parked());
    assert_string_equal(toy_read(b, &status), "1 /park?p|");
    http_job_done(job);
    close(b);
}

// Its first refusal comes at once, the next one not before it is let go; others are not held up.
static void A27_who_comes_again_too_early_waits(void **state)
{
    struct http_limits patient = toy_limits;
    int status;
    (void)state;
    toy_stop();
    patient.hold_us = 3600 * SECOND_US;
    patient.max_parked = 1;
    toy_start(patient);
    int a = toy_connect();
    int b = toy_connect();
    toy_say(a, GET_BUSY);
    toy_read(a, &status);
    assert_int_equal(status, 503);
    toy_say(a, GET_BUSY);
    toy_say(b, GET_ECHO);
    assert_string_equal(toy_read(b, &status), "1 /echo?q=1|");
    toy_say(b, GET_BUSY);
    toy_read(b, &status);
    assert_int_equal(status, 503);
    struct pollfd ready = {.fd = a, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 20), 0);
    toy_say(b, GET_BUSY); // as many are held as may be: refused at once, and out
    assert_non_null(strstr(toy_read_all(b), "Connection: close"));
    toy_drain(TOY_WAIT_MS * 1000);
    assert_int_equal(toy_status(toy_read_all(a)), 503);
    toy_join();
    close(a);
    close(b);
}

// Also whoever has never come before: of those with a connection each nobody can tell who has.
static void A27_in_a_crowd_whoever_is_refused_waits(void **state)
{
    enum { CROWD = 300, ROUNDS = 100 };
    struct http_limits patient = toy_limits;
    int fds[CROWD];
    int status;
    int held = -1;
    (void)state;
    toy_stop();
    patient.hold_us = 3600 * SECOND_US;
    toy_start(patient);
    // A round in which the worker or we got no time for so long is no crowd.
    for (int round = 0; round < ROUNDS && held < 0; round++) {
        for (int i = 0; i < CROWD; i++)
            fds[i] = toy_connect_saying(GET_BUSY);
        for (int i = 0; i < CROWD; i++) {
            struct pollfd ready = {.fd = fds[i], .events = POLLIN};
            if (held < 0 && poll(&ready, 1, 200) == 0) {
                held = fds[i];
                continue;
            }
            if (held < 0) {
                toy_read(fds[i], &status);
                assert_int_equal(status, 503);
            }
            close(fds[i]);
        }
    }
    assert_true(held >= 0);
    toy_drain(TOY_WAIT_MS * 1000);
    assert_int_equal(toy_status(toy_read_all(held)), 503);
    toy_join();
    close(held);
}

static void A27_what_is_held_goes_with_its_client_and_never_for_operators(void **state)
{
    struct http_limits patient = toy_limits;
    int status;
    (void)state;
    toy_stop();
    patient.hold_us = 1; // until the next sweep
    toy_start(patient);
    int fd = toy_connect();
    for (int i = 0; i < 3; i++) {
        toy_say(fd, GET_BUSY);
        toy_read(fd, &status);
        assert_int_equal(status, 503);
    }
    toy_say(fd, GET_ECHO);
    assert_string_equal(toy_read(fd, &status), "1 /echo?q=1|");
    toy_say(fd, GET_BUSY);
    close(fd); // the sweep finds nobody
    toy_stop();
    patient.hold_us = 3600 * SECOND_US;
    patient.max_parked = 1;
    toy_start(patient);
    toy.listener.operator_rights = true;
    strcpy(toy.listener.path, "admin.sock");
    int a = toy_connect();
    int b = toy_connect();
    for (int i = 0; i < 3; i++) {
        toy_say(a, GET_BUSY);
        toy_read(a, &status);
        assert_int_equal(status, 503);
    }
    toy_say(a, GET_PARK);
    struct http_job *job_a = life_parked();
    toy_say(b, GET_PARK); // one more than may wait
    http_job_done(life_parked());
    assert_string_equal(toy_read(b, &status), "1 /park?p|");
    http_job_done(job_a);
    assert_string_equal(toy_read(a, &status), "1 /park?p|");
    close(a);
    close(b);
}

// Each socket call fails once: connections end, nothing leaks, the next one is served.
static void A17_failing_sockets_and_memory_end_connections_only(void **state)
{
    int status;
    (void)state;
    for (int kind = FAULT_MEMORY; kind <= FAULT_IO; kind += FAULT_IO - FAULT_MEMORY) {
        for (unsigned long nth = 1; nth <= 6; nth++) {
            fault_arm((enum fault_kind)kind, nth, false);
            int fd = toy_connect();
            toy_say(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
                        "12345" GET_ECHO);
            shutdown(fd, SHUT_WR);
            toy_read_all(fd);
            close(fd);
            fault_arm((enum fault_kind)kind, 0, false);
            fd = toy_connect();
            toy_say(fd, GET_ECHO);
            toy_read(fd, &status);
            assert_int_equal(status, 200);
            close(fd);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_parked_request_is_resumed_from_another_thread,
                                        life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(A16_requests_behind_a_parked_one_wait, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(two_connections_are_parked_independently, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(a_client_that_vanished_while_parked_disturbs_nobody,
                                        life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(a_vanished_client_cancels, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(a_job_whose_worker_has_closed_the_client_is_destroyed,
                                        life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(a_sleeping_worker_holds_up_no_reclamation, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(A1_A2_a_slow_request_is_answered_408, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(A1_a_trickle_does_not_help, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(A3_A13_idle_and_unread_connections_are_closed, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(drain_answers_what_is_in_flight, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(drain_answers_what_was_accepted_last, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(drain_ends_at_its_deadline, life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(a_job_that_ends_after_its_worker_is_destroyed, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(a_request_does_not_wait_for_ever, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(H20_what_has_come_before_the_idle_deadline_is_served,
                                        life_setup, life_teardown),
        cmocka_unit_test_setup_teardown(A27_requests_that_wait_are_bounded, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(A27_in_a_crowd_whoever_is_refused_waits, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(A27_who_comes_again_too_early_waits, life_setup,
                                        life_teardown),
        cmocka_unit_test_setup_teardown(
            A27_what_is_held_goes_with_its_client_and_never_for_operators, life_setup,
            life_teardown),
        cmocka_unit_test_setup_teardown(A17_failing_sockets_and_memory_end_connections_only,
                                        life_setup, life_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
