// SPDX-License-Identifier: Apache-2.0
#include "crypto/tls_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "crypto/library_memory.h"
#include "crypto/wipe.h"

#define FILE_MAX ((off_t)256 * 1024) // a chain of four has 8 KiB
#define FILE_CHAIN_MAX 16
#define FILE_SIGNATURE_MAX 2048 // by the largest RSA key that the library takes, 16384 bits
#define FILE_STRENGTH 112 // bits: RSA of 2048, P-256, Ed25519
#define LIFE_SHORT_S (14 * 24 * 3600) // what is left of it then is worth a warning
#define FILE_CLOSED __attribute__((cleanup(file_close)))

struct file_text {
    char *bytes;
    size_t len, room;
};
#define FILE_TEXT_WIPED __attribute__((cleanup(file_text_finish)))

static void file_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void file_text_finish(struct file_text *text)
{
    OPENSSL_clear_free(text->bytes, text->room);
}

static enum twoleg_error __attribute__((format(printf, 2, 3)))
file_refuse(char *reason, const char *format, ...)
{
    // Without memory a good file looks like a bad one.
    if (library_lacked_memory())
        return TWOLEG_NO_MEMORY;
    va_list args;
    va_start(args, format);
    vsnprintf(reason, TLS_REASON, format, args);
    va_end(args);
    return TWOLEG_REFUSED;
}

static bool file_owner_trusted(const struct stat *status)
{
    return status->st_uid == 0 || status->st_uid == geteuid();
}

// Who may write to the folder may put another key in its place.
static enum twoleg_error file_check_folder(const char *path, char *reason)
{
    char folder[PATH_MAX];
    struct stat status;
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (len >= sizeof folder)
        return file_refuse(reason, "the path of a TLS key is too long");
    memcpy(folder, path, len);
    folder[len] = '\0';
    const char *where = !slash ? "." : len == 0 ? "/" : folder;
    if (stat(where, &status) != 0)
        return file_refuse(reason, "the folder of the TLS key %s: %s", path, strerror(errno));
    if (!file_owner_trusted(&status))
        return file_refuse(reason,
                           "the folder of the TLS key, %s, belongs to another user (uid %u): "
                           "chown it to the server's user",
                           where, status.st_uid);
    if (status.st_mode & (S_IWGRP | S_IWOTH))
        return file_refuse(reason,
                           "the folder of the TLS key, %s, is writable by others: chmod go-w %s",
                           where, where);
    return TWOLEG_NONE;
}

// systemd's own files: an access list shows as group bits.
static bool file_is_credential(const char *path)
{
    const char *folder = getenv("CREDENTIALS_DIRECTORY");
    size_t len = folder ? strlen(folder) : 0;
    return len > 0 && strncmp(path, folder, len) == 0 && path[len] == '/' &&
           !strchr(path + len + 1, '/');
}

// As for the master key (threat D3), but links are followed, since what renews certificates sets
// them: then the folders on both of its ends count.
static enum twoleg_error file_check_key(const char *path, const struct stat *status, char *reason)
{
    char real[PATH_MAX];
    mode_t wide =
        file_is_credential(path) ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    if (!file_owner_trusted(status))
        return file_refuse(reason,
                           "the TLS key %s belongs to another user (uid %u): chown it to the "
                           "server's user",
                           path, status->st_uid);
    if (status->st_mode & wide)
        return file_refuse(reason, "the TLS key %s is open to others (mode %04o): chmod 600 %s",
                           path, status->st_mode & 07777, path);
    if (!realpath(path, real))
        return file_refuse(reason, "the TLS key %s: %s", path, strerror(errno));
    enum twoleg_error error = file_check_folder(path, reason);
    return error ? error : file_check_folder(real, reason);
}

static bool file_fill(int fd, struct file_text *text)
{
    ssize_t got = 1;
    while (got > 0 && text->len < text->room) {
        got = fault_here(FAULT_IO) ? (errno = EIO, -1)
                                   : read(fd, text->bytes + text->len, text->room - text->len);
        if (got < 0 && errno == EINTR)
            got = 1;
        else
            text->len += got > 0 ? (size_t)got : 0;
    }
    return got == 0;
}

static enum twoleg_error file_read(const char *path, bool is_key, struct file_text *ret_text,
                                   char *reason)
{
    const char *what = is_key ? "key" : "certificate";
    struct stat status;
    // Not blocking: somebody may have put a FIFO there.
    int fd FILE_CLOSED = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return file_refuse(reason, "the TLS %s %s cannot be opened: %s", what, path,
                           strerror(errno));
    if (!S_ISREG(status.st_mode))
        return file_refuse(reason, "the TLS %s %s is not a regular file", what, path);
    if (status.st_size > FILE_MAX)
        return file_refuse(reason, "the TLS %s %s is larger than 256 KiB", what, path);
    enum twoleg_error error = is_key ? file_check_key(path, &status, reason) : TWOLEG_NONE;
    if (error)
        return error;
    size_t room = (size_t)status.st_size + 1; // so that a file that grows is noticed
    ret_text->bytes = fault_here(FAULT_MEMORY) ? NULL : OPENSSL_zalloc(room);
    if (!ret_text->bytes)
        return TWOLEG_NO_MEMORY;
    ret_text->room = room;
    if (!file_fill(fd, ret_text))
        return file_refuse(reason, "the TLS %s %s cannot be read, or changed meanwhile", what,
                           path);
    return TWOLEG_NONE;
}

// Never asks on a terminal.
static int file_no_password(char *room, int size, int writing, void *asked)
{
    (void)room;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

// With the first signature the library works out what it keeps with an RSA key, the primes among
// it: now, while what it allocates is locked. And a key that cannot sign is found before a client
// does.
static bool file_key_signs(EVP_PKEY *key)
{
    static const unsigned char text[1];
    unsigned char signature[FILE_SIGNATURE_MAX];
    size_t len = sizeof signature;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool signs = context && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestSign(context, signature, &len, text, sizeof text) == 1;
    EVP_MD_CTX_free(context);
    return signs;
}

static enum twoleg_error file_load_key(const char *path, EVP_PKEY **ret_key, char *reason)
{
    LIBRARY_SECRET secret = library_secret_begin();
    struct file_text text FILE_TEXT_WIPED = {NULL, 0, 0};
    bool asked = false;
    enum twoleg_error error = file_read(path, true, &text, reason);
    if (error)
        return error;
    BIO *bio = BIO_new_mem_buf(text.bytes, (int)text.len);
    if (!bio)
        return TWOLEG_NO_MEMORY;
    *ret_key = PEM_read_bio_PrivateKey(bio, NULL, file_no_password, &asked);
    BIO_free(bio);
    if (asked)
        return file_refuse(reason, "the TLS key %s has a password: store it without one", path);
    if (!*ret_key)
        return file_refuse(reason, "the TLS key %s holds no private key in PEM form", path);
    if (EVP_PKEY_get_security_bits(*ret_key) < FILE_STRENGTH)
        return file_refuse(reason, "the TLS key %s is too weak (%d bits of %s)", path,
                           EVP_PKEY_get_bits(*ret_key), EVP_PKEY_get0_type_name(*ret_key));
    if (!file_key_signs(*ret_key))
        return file_refuse(reason, "the TLS key %s cannot sign", path);
    return TWOLEG_NONE;
}

static enum twoleg_error file_parse_chain(BIO *bio, const char *path,
                                          struct tls_credentials *credentials, char *reason)
{
    credentials->leaf = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (!credentials->leaf)
        return file_refuse(reason, "the TLS certificate %s holds no certificate in PEM form",
                           path);
    credentials->chain = sk_X509_new_null();
    if (!credentials->chain)
        return TWOLEG_NO_MEMORY;
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        bool many = sk_X509_num(credentials->chain) >= FILE_CHAIN_MAX;
        if (many || !sk_X509_push(credentials->chain, next)) {
            X509_free(next);
            return many ? file_refuse(reason, "the TLS certificate %s is followed by more than %d",
                                      path, FILE_CHAIN_MAX)
                        : TWOLEG_NO_MEMORY;
        }
    }
    // The usual end is that no line starts another one.
    unsigned long why = ERR_peek_last_error();
    if (ERR_GET_LIB(why) != ERR_LIB_PEM || ERR_GET_REASON(why) != PEM_R_NO_START_LINE)
        return file_refuse(reason, "the TLS certificate %s: number %d in the file is damaged",
                           path, sk_X509_num(credentials->chain) + 2);
    ERR_clear_error();
    return TWOLEG_NONE;
}

static enum twoleg_error file_load_chain(const char *path, struct tls_credentials *credentials,
                                         char *reason)
{
    struct file_text text FILE_TEXT_WIPED = {NULL, 0, 0};
    enum twoleg_error error = file_read(path, false, &text, reason);
    if (error)
        return error;
    BIO *bio = BIO_new_mem_buf(text.bytes, (int)text.len);
    if (!bio)
        return TWOLEG_NO_MEMORY;
    error = file_parse_chain(bio, path, credentials, reason);
    BIO_free(bio);
    return error;
}

// RFC 6125 6.4.4: a client looks at the subjectAltName only.
static bool file_names_host(const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && !found; i++) {
        int type = sk_GENERAL_NAME_value(names, i)->type;
        found = type == GEN_DNS || type == GEN_IPADD;
    }
    GENERAL_NAMES_free(names);
    return found;
}

static enum twoleg_error file_check_chain(const struct tls_credentials *credentials,
                                          const struct tls_pair *pair, char *reason)
{
    if (!file_names_host(credentials->leaf))
        return file_refuse(reason,
                           "the TLS certificate %s names no host: it needs a subjectAltName with "
                           "a DNS name or an address",
                           pair->certificate);
    if (X509_check_private_key(credentials->leaf, credentials->key) != 1)
        return file_refuse(reason, "the TLS key %s does not belong to the certificate %s",
                           pair->key, pair->certificate);
    if (ASN1_TIME_to_tm(X509_get0_notBefore(credentials->leaf), NULL) != 1 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(credentials->leaf), NULL) != 1)
        return file_refuse(reason, "the TLS certificate %s has no readable dates",
                           pair->certificate);
    return TWOLEG_NONE;
}

enum twoleg_error tls_credentials_load(const struct tls_pair *pair,
                                       struct tls_credentials *ret_credentials,
                                       char ret_reason[static TLS_REASON])
{
    struct tls_credentials credentials = {NULL, NULL, NULL};
    ERR_clear_error();
    enum twoleg_error error = file_load_chain(pair->certificate, &credentials, ret_reason);
    if (!error)
        error = file_load_key(pair->key, &credentials.key, ret_reason);
    if (!error)
        error = file_check_chain(&credentials, pair, ret_reason);
    if (error)
        tls_credentials_finish(&credentials);
    else
        *ret_credentials = credentials;
    return error;
}

void tls_credentials_finish(struct tls_credentials *credentials)
{
    X509_free(credentials->leaf);
    sk_X509_pop_free(credentials->chain, X509_free);
    EVP_PKEY_free(credentials->key);
    *credentials = (struct tls_credentials){NULL, NULL, NULL};
}

static void file_write_date(const ASN1_TIME *time, char ret_text[static 32])
{
    struct tm t = {0};
    if (ASN1_TIME_to_tm(time, &t) != 1 || !strftime(ret_text, 32, "%Y-%m-%d %H:%M:%S UTC", &t))
        memcpy(ret_text, "an unreadable date", sizeof "an unreadable date");
}

int64_t tls_life_end(const X509 *leaf)
{
    struct tm t = {0};
    return ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &t) == 1 ? (int64_t)timegm(&t) : 0;
}

void tls_life_doubt(const X509 *leaf, int64_t now_us, char ret_words[static TLS_DOUBT])
{
    const ASN1_TIME *start = X509_get0_notBefore(leaf), *end = X509_get0_notAfter(leaf);
    time_t now = (time_t)(now_us / SECOND_US), soon = now + LIFE_SHORT_S;
    char date[32];
    bool early = X509_cmp_time(start, &now) > 0;
    file_write_date(early ? start : end, date);
    ret_words[0] = '\0';
    if (early)
        snprintf(ret_words, TLS_DOUBT, "is not valid before %s: clients refuse it", date);
    else if (X509_cmp_time(end, &now) <= 0)
        snprintf(ret_words, TLS_DOUBT, "expired on %s: clients refuse it", date);
    else if (X509_cmp_time(end, &soon) <= 0)
        snprintf(ret_words, TLS_DOUBT, "expires on %s", date);
    ERR_clear_error();
}
