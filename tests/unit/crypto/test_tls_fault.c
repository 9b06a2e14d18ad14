// SPDX-License-Identifier: Apache-2.0
// Certificates are loaded at a start where the k-th call fails, each k in a process of its own: so
// what the library prepares once is met, too. Of its ten thousand allocations each 61st fails; an
// argument says which else: with 1 it takes some minutes.
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "crypto/init.h"
#include "crypto/tls.h"

#define NOW_US ((int64_t)1700000000 * SECOND_US)

static unsigned library_stride = 61;

enum outcome { LOADED = 10, REFUSED = 11, NOT_MET = 12, WRONG = 13 };

struct files {
    char folder[64];
    char certificate[96], key[96];
};

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *certificate = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost");
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(NOW_US / SECOND_US) - 3600);
    ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(NOW_US / SECOND_US) + 3600);
    X509_set_version(certificate, X509_VERSION_3);
    X509_set_pubkey(certificate, key);
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void write_files(struct files *files)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key);
    FILE *file = fopen(files->certificate, "we");
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(PEM_write_X509(file, certificate), 1); // as its own chain
    fclose(file);
    file = fopen(files->key, "we");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

// In a process that has not used the library before.
static void in_child(void (*run)(const void *), const void *argument, int *ret_status)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        run(argument);
        _exit(WRONG);
    }
    assert_int_equal(waitpid(child, ret_status, 0), child);
}

static void child_write(const void *argument)
{
    struct files files = *(const struct files *)argument;
    write_files(&files);
    _exit(LOADED);
}

struct attempt {
    const struct files *files;
    enum fault_kind kind;
    unsigned long nth;
    bool sticky;
};

// What a start does. A refusal leaves nothing behind and has words or says that memory ran out; and
// once the fault has passed, the same files load, unless the library could not prepare itself: it
// never tries that again.
static void child_load(const void *argument)
{
    const struct attempt *attempt = argument;
    struct tls_pair pair = {attempt->files->certificate, attempt->files->key};
    struct tls_set *set = NULL;
    char reason[TLS_REASON] = "";
    if (crypto_init() != TWOLEG_NONE)
        _exit(WRONG);
    struct tls_tickets *tickets = tls_tickets_create();
    fault_arm(attempt->kind, attempt->nth, attempt->sticky);
    enum twoleg_error error = tls_set_load(&pair, 1, tickets, NOW_US, &set, reason);
    bool met = fault_count(attempt->kind) >= attempt->nth;
    fault_arm(attempt->kind, 0, false);
    if ((error == TWOLEG_NONE) != (set != NULL) ||
        (error && error != TWOLEG_NO_MEMORY && !reason[0]) ||
        (error == TWOLEG_NONE && attempt->sticky && met && attempt->nth == 1))
        _exit(WRONG);
    tls_set_release(set);
    if (error && attempt->kind != FAULT_LIBRARY) {
        if (tls_set_load(&pair, 1, tickets, NOW_US, &set, reason) != TWOLEG_NONE)
            _exit(WRONG);
        tls_set_release(set);
    }
    tls_tickets_destroy(tickets);
    _exit(!met ? NOT_MET : error ? REFUSED : LOADED);
}

static int load(const struct attempt *attempt)
{
    int status;
    in_child(child_load, attempt, &status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) < LOADED || WEXITSTATUS(status) > NOT_MET)
        fail_msg("kind %d, call %lu: status %d", (int)attempt->kind, attempt->nth, status);
    return WEXITSTATUS(status);
}

static void every(const struct files *files, enum fault_kind kind, bool sticky, unsigned stride)
{
    struct attempt attempt = {files, kind, 1, sticky};
    unsigned refused = 0;
    for (int got = REFUSED; got != NOT_MET; attempt.nth += stride) {
        got = load(&attempt);
        refused += got == REFUSED;
    }
    assert_true(attempt.nth > 1 + stride);
    assert_true(refused > 0);
}

static void H6_H7_certificates_are_loaded_whole_or_not(void **state)
{
    (void)state;
    struct files files = {.folder = "/tmp/twoleg-tls-XXXXXX"};
    int status;
    assert_non_null(mkdtemp(files.folder));
    snprintf(files.certificate, sizeof files.certificate, "%s/c.pem", files.folder);
    snprintf(files.key, sizeof files.key, "%s/k.pem", files.folder);
    umask(077);
    in_child(child_write, &files, &status);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == LOADED);
    for (int sticky = 0; sticky < 2; sticky++) {
        every(&files, FAULT_MEMORY, sticky, 1);
        every(&files, FAULT_IO, sticky, 1);
        every(&files, FAULT_LIBRARY, sticky, library_stride);
    }
    unlink(files.certificate);
    unlink(files.key);
    rmdir(files.folder);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        library_stride = (unsigned)strtoul(argv[1], NULL, 10);
    if (library_stride == 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(H6_H7_certificates_are_loaded_whole_or_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
