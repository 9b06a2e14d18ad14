// SPDX-License-Identifier: Apache-2.0
// One TLS session over a pair of sockets, against OpenSSL's client, which can do what no well-meant
// one does.
#include "crypto/tls.h"

#include <fcntl.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define FLOOD_BYTES ((size_t)100 * 1024)
#define CONFIDED "client_secret=what-only-the-server-may-know"

// Blocks that the library gave back with what the client had confided still in them.
static size_t spilled;
static size_t held; // bytes that the library has

static void *memory_alloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    void *memory = size ? malloc(size) : NULL;
    held += memory ? malloc_usable_size(memory) : 0;
    return memory;
}

static void memory_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    if (memory && memmem(memory, malloc_usable_size(memory), CONFIDED, strlen(CONFIDED)))
        spilled++;
    held -= memory ? malloc_usable_size(memory) : 0;
    free(memory);
}

static void *memory_resize(void *memory, size_t size, const char *file, int line)
{
    void *larger = memory_alloc(size, file, line);
    size_t before = memory ? malloc_usable_size(memory) : 0;
    if (memory && larger)
        memcpy(larger, memory, before < size ? before : size);
    if (larger || size == 0)
        memory_free(memory, file, line);
    return larger;
}

struct tls_test {
    char folder[64], certificate[96], key[96];
    struct env env;
    struct tls_tickets *tickets;
    struct tls *tls; // ours
    int ours, theirs;
    SSL_CTX *context;
    SSL *client; // from and to memory
    BIO *in, *out;
};

static bool pair_write(const struct tls_test *test)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    X509_EXTENSION *names =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    X509_set_version(certificate, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_add_ext(certificate, names, -1);
    bool good = X509_sign(certificate, key, EVP_sha256()) > 0;
    int fd = open(test->key, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *to = fdopen(fd, "w");
    good = good && PEM_write_PrivateKey(to, key, NULL, NULL, 0, NULL, NULL) == 1;
    fclose(to);
    to = fopen(test->certificate, "we");
    good = good && PEM_write_X509(to, certificate) == 1;
    fclose(to);
    X509_EXTENSION_free(names);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return good;
}

static int tls_setup(void **state)
{
    static struct tls_test test;
    struct tls_set *set;
    char reason[TLS_REASON];
    int both[2];
    snprintf(test.folder, sizeof test.folder, "/tmp/twoleg-tls-XXXXXX");
    if (!mkdtemp(test.folder))
        return -1;
    snprintf(test.certificate, sizeof test.certificate, "%s/certificate.pem", test.folder);
    snprintf(test.key, sizeof test.key, "%s/key.pem", test.folder);
    env_init(&test.env);
    test.tickets = tls_tickets_create();
    struct tls_pair pair = {test.certificate, test.key};
    if (!pair_write(&test) ||
        tls_set_load(&pair, 1, test.tickets, test.env.now_us, &set, reason) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, both))
        return -1;
    int room = 4 * (int)FLOOD_BYTES; // a small send takes much of it
    setsockopt(both[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    test.ours = both[0];
    test.theirs = both[1];
    test.tls = tls_create(set, test.ours, &test.env);
    tls_set_release(set); // the session keeps it
    test.context = SSL_CTX_new(TLS_client_method());
    test.client = SSL_new(test.context);
    test.in = BIO_new(BIO_s_mem());
    test.out = BIO_new(BIO_s_mem());
    SSL_set_bio(test.client, test.in, test.out);
    SSL_set_connect_state(test.client);
    *state = &test;
    return test.tls ? 0 : -1;
}

static int tls_teardown(void **state)
{
    struct tls_test *test = *state;
    SSL_free(test->client);
    SSL_CTX_free(test->context);
    tls_destroy(test->tls);
    tls_tickets_destroy(test->tickets);
    close(test->ours);
    close(test->theirs);
    unlink(test->key);
    unlink(test->certificate);
    rmdir(test->folder);
    return 0;
}

// What the client has made goes to the socket; false when that is full.
static bool client_flush(struct tls_test *test)
{
    char *bytes;
    long len = BIO_get_mem_data(test->out, &bytes);
    bool sent = len <= 0 || send(test->theirs, bytes, (size_t)len, MSG_NOSIGNAL) == len;
    BIO_reset(test->out);
    return sent;
}

static void client_take(struct tls_test *test)
{
    char bytes[16384];
    ssize_t got = recv(test->theirs, bytes, sizeof bytes, 0);
    if (got > 0)
        assert_int_equal(BIO_write(test->in, bytes, (int)got), got);
}

static void shake_hands(struct tls_test *test)
{
    enum tls_result result = TLS_WANTS_READ;
    for (int i = 0; i < 10 && result == TLS_WANTS_READ; i++) {
        client_take(test);
        SSL_do_handshake(test->client);
        assert_true(client_flush(test));
        result = tls_handshake(test->tls);
    }
    assert_int_equal(result, TLS_DONE);
    client_take(test);
}

static void client_change_key(struct tls_test *test)
{
    assert_int_equal(SSL_key_update(test->client, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    assert_int_equal(SSL_do_handshake(test->client), 1);
}

static int still_unread(const struct tls_test *test)
{
    int len = 0;
    assert_int_equal(ioctl(test->ours, FIONREAD, &len), 0);
    return len;
}

// RFC 8446 4.6.3 knows no limit for them; one receive that takes all that come is a loop that the
// peer keeps us in.
static void A18_a_flood_of_key_updates_is_not_read_to_its_end(void **state)
{
    struct tls_test *test = *state;
    char bytes[64];
    size_t len = 0;
    shake_hands(test);
    while (BIO_pending(test->out) < (long)FLOOD_BYTES)
        client_change_key(test);
    assert_true(client_flush(test));
    int before = still_unread(test);
    assert_true(before > (int)FLOOD_BYTES / 2);
    enum tls_result result = tls_recv(test->tls, bytes, sizeof bytes, &len);
    assert_true(result == TLS_WANTS_READ || result == TLS_FAILED);
    assert_true(before - still_unread(test) <= 20 * 1024);
    for (int i = 0; i < 5 && result == TLS_WANTS_READ; i++)
        result = tls_recv(test->tls, bytes, sizeof bytes, &len);
    assert_int_equal(result, TLS_FAILED);
}

static void rfc8446_4_6_3_key_updates_beside_data_are_fine(void **state)
{
    struct tls_test *test = *state;
    static char long_one[16384];
    char bytes[16384];
    size_t len = 0, total = 0;
    shake_hands(test);
    for (int i = 0; i < 200; i++) {
        client_change_key(test);
        assert_int_equal(SSL_write(test->client, long_one, sizeof long_one), sizeof long_one);
        assert_true(client_flush(test));
        for (total = 0; total < sizeof long_one; total += len) {
            enum tls_result result = TLS_WANTS_READ;
            for (int tries = 0; tries < 4 && result == TLS_WANTS_READ; tries++)
                result = tls_recv(test->tls, bytes, sizeof bytes, &len);
            assert_int_equal(result, TLS_DONE);
        }
    }
}

// A18: what a peer that has proved nothing may have us keep.
static void A18_a_client_hello_has_a_longest_length(void **state)
{
    struct tls_test *test = *state;
    static uint8_t record[5 + 16384] = {0x16, 3, 1, 0x40, 0, 1, 1, 0, 0, 3, 3};
    assert_int_equal(send(test->theirs, record, sizeof record, 0), sizeof record);
    assert_int_equal(tls_handshake(test->tls), TLS_WANTS_READ);
    assert_int_equal(send(test->theirs, record, sizeof record, 0), sizeof record);
    assert_int_equal(tls_handshake(test->tls), TLS_FAILED);
    assert_string_equal(tls_failure(test->tls), "a TLS handshake of more than 20 KiB");
}

// D7: the buffers of records are kept for other connections; what is in them must not be.
static void D7_nothing_that_was_received_stays_in_the_librarys_memory(void **state)
{
    struct tls_test *test = *state;
    static char request[12000];
    char bytes[sizeof request];
    size_t len = 0, total = 0;
    memset(request, '.', sizeof request);
    memcpy(request + sizeof request / 2, CONFIDED, strlen(CONFIDED));
    shake_hands(test);
    assert_int_equal(SSL_write(test->client, request, sizeof request), sizeof request);
    assert_true(client_flush(test));
    // The client's own copy; from now on only ours counts.
    spilled = 0;
    for (; total < sizeof request; total += len)
        assert_int_equal(tls_recv(test->tls, bytes + total, sizeof bytes - total, &len), TLS_DONE);
    assert_memory_equal(bytes, request, sizeof request);
    tls_destroy(test->tls);
    test->tls = NULL;
    assert_int_equal(spilled, 0);
}

// A15: also when what came last was not for us.
static void A15_the_buffers_of_an_idle_session_go_back(void **state)
{
    struct tls_test *test = *state;
    char bytes[64];
    size_t len = 0;
    shake_hands(test);
    assert_int_equal(tls_recv(test->tls, bytes, sizeof bytes, &len), TLS_WANTS_READ);
    size_t before = held;
    assert_int_equal(SSL_write(test->client, "GET", 3), 3);
    size_t clients = held - before;
    assert_true(client_flush(test));
    assert_int_equal(tls_recv(test->tls, bytes, sizeof bytes, &len), TLS_DONE);
    assert_int_equal(tls_send(test->tls, STR("200"), &len), TLS_DONE);
    assert_true(held - before < clients + 1024);
    client_change_key(test);
    assert_true(client_flush(test));
    assert_int_equal(tls_recv(test->tls, bytes, sizeof bytes, &len), TLS_WANTS_READ);
    assert_true(held - before < clients + 4096);
}

// A18: wherever a record is cut in two, its beginning is kept until the rest is there.
static void A18_records_in_pieces_are_put_together(void **state)
{
    struct tls_test *test = *state;
    char record[256], bytes[256];
    size_t len = 0;
    shake_hands(test);
    for (size_t cut = 1;; cut++) {
        assert_int_equal(SSL_write(test->client, CONFIDED, sizeof CONFIDED), sizeof CONFIDED);
        size_t whole = (size_t)BIO_read(test->out, record, sizeof record);
        assert_true(whole < sizeof record);
        if (cut == whole)
            break;
        assert_int_equal(send(test->theirs, record, cut, 0), cut);
        assert_int_equal(tls_recv(test->tls, bytes, sizeof bytes, &len), TLS_WANTS_READ);
        assert_int_equal(tls_recv(test->tls, bytes, sizeof bytes, &len), TLS_WANTS_READ);
        assert_int_equal(send(test->theirs, record + cut, whole - cut, 0), whole - cut);
        assert_int_equal(tls_recv(test->tls, bytes, 10, &len), TLS_DONE);
        assert_int_equal(len, 10);
        assert_int_equal(tls_recv(test->tls, bytes + 10, sizeof bytes - 10, &len), TLS_DONE);
        assert_int_equal(10 + len, sizeof CONFIDED);
        assert_memory_equal(bytes, CONFIDED, sizeof CONFIDED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(A18_a_flood_of_key_updates_is_not_read_to_its_end,
                                        tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(rfc8446_4_6_3_key_updates_beside_data_are_fine, tls_setup,
                                        tls_teardown),
        cmocka_unit_test_setup_teardown(A18_a_client_hello_has_a_longest_length, tls_setup,
                                        tls_teardown),
        cmocka_unit_test_setup_teardown(
            D7_nothing_that_was_received_stays_in_the_librarys_memory, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(A15_the_buffers_of_an_idle_session_go_back, tls_setup,
                                        tls_teardown),
        cmocka_unit_test_setup_teardown(A18_records_in_pieces_are_put_together, tls_setup,
                                        tls_teardown),
    };
    if (CRYPTO_set_mem_functions(memory_alloc, memory_resize, memory_free) != 1)
        return 1;
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
