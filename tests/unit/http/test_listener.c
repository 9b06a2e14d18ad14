// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/buf.h"
#include "http/listener.h"

static char listener_reason[256];

static enum twoleg_error listener_try(const char *spec, struct http_listener *ret_listener)
{
    return http_listener_open(str_from(spec), 0600, ret_listener, listener_reason);
}

static void addresses_get_a_real_port(void **state)
{
    struct http_listener listener;
    (void)state;
    assert_int_equal(listener_try("127.0.0.1:0", &listener), TWOLEG_NONE);
    assert_int_equal(listener.address.family, ADDRESS_V4);
    assert_int_not_equal(listener.address.port, 0);
    assert_int_equal(http_listener_accept(&listener), -1);
    assert_int_equal(errno, EAGAIN);
    http_listener_close(&listener);
    http_listener_close(&listener);
}

static void a_taken_port_names_its_holder(void **state)
{
    struct http_listener listener;
    struct http_listener second = {.fd = -7};
    char spec[ADDRESS_TEXT_MAX];
    char expected[64];
    struct buf text;
    (void)state;
    assert_int_equal(listener_try("127.0.0.1:0", &listener), TWOLEG_NONE);
    buf_init(&text, spec, sizeof spec - 1);
    address_format_port(&text, &listener.address);
    spec[text.len] = '\0';
    assert_int_equal(listener_try(spec, &second), TWOLEG_CONFLICT);
    assert_int_equal(second.fd, -7); // results are set on success only
    snprintf(expected, sizeof expected, "port %u is held by ", listener.address.port);
    assert_memory_equal(listener_reason, expected, strlen(expected));
    snprintf(expected, sizeof expected, "(process %d)", (int)getpid());
    assert_non_null(strstr(listener_reason, expected));
    http_listener_close(&listener);
}

static void bad_specs_are_refused_in_words(void **state)
{
    static const char *const specs[] = {"", "127.0.0.1", "localhost:80", "unix:",
                                        "127.0.0.1:65536"};
    struct http_listener listener;
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        assert_int_equal(listener_try(specs[i], &listener), TWOLEG_MALFORMED);
        assert_true(listener_reason[0] != '\0');
    }
}

static void a_unix_socket_has_its_mode_and_goes_away(void **state)
{
    char folder[] = "/tmp/twoleg-listener-XXXXXX";
    char spec[128];
    struct http_listener listener;
    struct http_listener second;
    struct stat found;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(spec, sizeof spec, "unix:%s/admin.sock", folder);
    assert_int_equal(listener_try(spec, &listener), TWOLEG_NONE);
    assert_int_equal(lstat(spec + 5, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(listener.address.family, ADDRESS_LOCAL);
    assert_int_equal(listener_try(spec, &second), TWOLEG_CONFLICT);
    // Killed: the path stays, nobody answers.
    close(listener.fd);
    assert_int_equal(listener_try(spec, &second), TWOLEG_NONE);
    http_listener_close(&second);
    assert_int_equal(lstat(spec + 5, &found), -1);
    // Something that is no socket is never removed.
    FILE *file = fopen(spec + 5, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(listener_try(spec, &second), TWOLEG_CONFLICT);
    assert_int_equal(unlink(spec + 5), 0);
    assert_int_equal(rmdir(folder), 0);
}

static int listener_room(int fd, int which)
{
    int bytes = 0;
    socklen_t len = sizeof bytes;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, which, &bytes, &len), 0);
    return bytes;
}

// Someone who connects, and our end of that.
static int listener_connect(struct http_listener *listener, int *ret_theirs)
{
    struct sockaddr_storage to = {0};
    assert_int_equal(listener_try("127.0.0.1:0", listener), TWOLEG_NONE);
    socklen_t len = address_to_sockaddr(&listener->address, &to);
    *ret_theirs = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    connect(*ret_theirs, (const struct sockaddr *)&to, len);
    struct pollfd ready = {.fd = listener->fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, -1), 1);
    int fd = http_listener_accept(listener);
    assert_true(fd >= 0);
    return fd;
}

// Someone who uploads fast, and is read as fast: the room for what is not read does not grow by it,
// as it would by itself.
static void H20_the_kernel_holds_no_more_for_who_sends_much(void **state)
{
    static char piece[64 * 1024];
    struct http_listener listener;
    size_t received = 0;
    int sender;
    (void)state;
    int fd = listener_connect(&listener, &sender);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (received < (size_t)32 * 1024 * 1024) {
        (void)!send(sender, piece, sizeof piece, 0);
        assert_int_equal(poll(&ready, 1, -1), 1);
        ssize_t got = recv(fd, piece, sizeof piece, 0);
        received += got > 0 ? (size_t)got : 0;
    }
    assert_in_range(listener_room(fd, SO_RCVBUF), 1, 128 * 1024);
    close(fd);
    close(sender);
    http_listener_close(&listener);
}

// What the kernel holds of what was sent and not taken.
static uint32_t listener_untaken(int fd)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof memory;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len), 0);
    return memory[SK_MEMINFO_WMEM_QUEUED];
}

// Someone who asks on and on and takes none of the answers, of whatever length: SECURITY.md counts
// 128 KiB for each.
static void H20_the_kernel_holds_no_more_for_who_reads_nothing(void **state)
{
    static const size_t lengths[] = {400, 2500, 64 * 1024};
    static char piece[64 * 1024];
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct http_listener listener;
        int reader, fd = listener_connect(&listener, &reader);
        size_t sent = 0;
        ssize_t put;
        while ((put = send(fd, piece, lengths[i], MSG_DONTWAIT)) > 0)
            sent += (size_t)put;
        assert_true(sent > 0);
        assert_in_range(listener_untaken(fd), 0, 128 * 1024);
        close(fd);
        close(reader);
        http_listener_close(&listener);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_get_a_real_port),
        cmocka_unit_test(a_taken_port_names_its_holder),
        cmocka_unit_test(bad_specs_are_refused_in_words),
        cmocka_unit_test(a_unix_socket_has_its_mode_and_goes_away),
        cmocka_unit_test(H20_the_kernel_holds_no_more_for_who_sends_much),
        cmocka_unit_test(H20_the_kernel_holds_no_more_for_who_reads_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
