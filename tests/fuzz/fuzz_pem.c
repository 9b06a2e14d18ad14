// SPDX-License-Identifier: Apache-2.0
// Files of certificates and keys: a line with the key's mode (empty: there is no key), the
// certificate's file, a line =key, the key's file. What is taken belongs together;
// anything else is refused in words that name a file.
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "crypto/tls_file.h"
#include "fuzz.h"

#define NOW_US (INT64_C(1735689600) * SECOND_US) // 2025-01-01

static char folder[64];
static char certificate_path[96], key_path[96];

static void fuzz_clean(void)
{
    unlink(certificate_path);
    unlink(key_path);
    rmdir(folder);
}

static void fuzz_prepare(void)
{
    if (folder[0])
        return;
    snprintf(folder, sizeof folder, "/tmp/twoleg-fuzz-pem-XXXXXX");
    FUZZ_MUST(mkdtemp(folder));
    snprintf(certificate_path, sizeof certificate_path, "%s/certificate", folder);
    snprintf(key_path, sizeof key_path, "%s/key", folder);
    atexit(fuzz_clean);
}

static void fuzz_file(const char *path, struct str text, mode_t mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FUZZ_MUST(fd >= 0 && write(fd, text.ptr ? text.ptr : "", text.len) == (ssize_t)text.len);
    FUZZ_MUST(fchmod(fd, mode) == 0 && close(fd) == 0);
}

// Up to the line "=key"; the rest stands behind it.
static struct str fuzz_until_key(struct str *rest)
{
    static const struct str mark = {"\n=key\n", 6};
    for (size_t at = 0; at + mark.len <= rest->len; at++) {
        if (!str_equal(str_slice(*rest, at, at + mark.len), mark))
            continue;
        struct str part = str_slice(*rest, 0, at + 1);
        *rest = str_slice(*rest, at + mark.len, rest->len);
        return part;
    }
    struct str all = *rest;
    *rest = STR("");
    return all;
}

static mode_t fuzz_mode(struct str line)
{
    mode_t mode = 0;
    for (size_t i = 0; i < line.len; i++)
        mode = mode << 3 | (mode_t)(line.ptr[i] & 7);
    return mode & 0777;
}

static void fuzz_taken(const struct tls_credentials *credentials)
{
    char doubt[TLS_DOUBT];
    FUZZ_MUST(credentials->leaf && credentials->key);
    FUZZ_MUST(X509_check_private_key(credentials->leaf, credentials->key) == 1);
    tls_life_doubt(credentials->leaf, NOW_US, doubt);
    FUZZ_MUST(memchr(doubt, '\0', sizeof doubt));
    FUZZ_MUST(tls_life_end(credentials->leaf) > NOW_US / SECOND_US || doubt[0]);
    FUZZ_MUST(sk_X509_num(credentials->chain) <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = str_of(data, size);
    struct str mode = fuzz_line(&input);
    struct str certificate = fuzz_until_key(&input);
    struct tls_credentials credentials;
    struct tls_pair pair = {certificate_path, key_path};
    char reason[TLS_REASON] = "";
    fuzz_prepare();
    fuzz_file(certificate_path, certificate, 0644);
    unlink(key_path);
    if (mode.len)
        fuzz_file(key_path, input, fuzz_mode(mode));
    if (str_starts_with(mode, STR("d")))
        pair.key = folder;
    chmod(folder, str_starts_with(mode, STR("w")) ? 0777 : 0700);
    enum twoleg_error error = tls_credentials_load(&pair, &credentials, reason);
    if (error) {
        FUZZ_MUST(error == TWOLEG_REFUSED && memchr(reason, '\0', sizeof reason));
        FUZZ_MUST(strstr(reason, folder));
    } else {
        FUZZ_MUST(!reason[0]);
        fuzz_taken(&credentials);
        tls_credentials_finish(&credentials);
    }
    FUZZ_MUST(ERR_peek_error() == 0);
    return 0;
}
