// SPDX-License-Identifier: Apache-2.0
// Samples for tests/long/timing. Two things, in random order, each from the same memory:
//
//   timing net SAMPLES A B PORT        requests, until the last byte of the answer has come
//   timing token SAMPLES A B DATA      texts, read as tokens with the keys of this data folder
//   timing compare SAMPLES A B SECRET  bytes, compared with those of a third file as secrets are
//
// A and B name files of the same length. Writes 32-bit words: nanoseconds << 1 | which of the two.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "crypto/compare.h"
#include "crypto/init.h"
#include "token/token.h"

#define TEXT_MAX 4096
#define WARM 2000 // samples that do not count

struct timing {
    char texts[2][TEXT_MAX];
    char text[TEXT_MAX]; // the one whose turn it is
    size_t len;
    char secret[TEXT_MAX];
    int fd;
    struct token_context context;
    struct arena_pool pool;
    struct env env;
    struct metrics metrics;
    struct epoch epoch;
};

static void timing_fail(const char *what)
{
    fprintf(stderr, "timing: %s\n", what);
    exit(2);
}

static size_t timing_read(const char *path, char text[static TEXT_MAX])
{
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(text, 1, TEXT_MAX, file) : 0;
    if (!file || len == 0 || len == TEXT_MAX)
        timing_fail("a text that cannot be read, or is too long");
    fclose(file);
    return len;
}

// ---------------------------------------------------------------------------------- net
static void net_prepare(struct timing *t, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (t->fd < 0 || connect(t->fd, (struct sockaddr *)&address, sizeof address) ||
        setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
        timing_fail("nobody listens");
}

static bool net_is_whole(const char *answer, size_t len)
{
    const char *body = strstr(answer, "\r\n\r\n");
    const char *length = strstr(answer, "Content-Length: ");
    if (!body || !length)
        return false;
    return (size_t)(body + 4 - answer) + strtoul(length + 16, NULL, 10) == len;
}

static void net_once(struct timing *t)
{
    char answer[TEXT_MAX];
    size_t len = 0;
    if (send(t->fd, t->text, t->len, 0) != (ssize_t)t->len)
        timing_fail("the server went away");
    do {
        ssize_t got = recv(t->fd, answer + len, sizeof answer - 1 - len, 0);
        if (got <= 0)
            timing_fail("the server went away");
        len += (size_t)got;
        answer[len] = '\0';
    } while (!net_is_whole(answer, len));
    if (strncmp(answer, "HTTP/1.1 401", 12) != 0)
        timing_fail("an answer other than 401");
}

// ---------------------------------------------------------------------------------- token
static void token_prepare(struct timing *t, const char *data)
{
    char reason[512], notice[512];
    struct store_settings settings = {
        .folder = data, .readers = 1, .queue_batches = 16, .queue_bytes = 1024 * 1024};
    struct keyring_settings keys = {.epoch = &t->epoch, .folder = data, .env = &t->env};
    epoch_init(&t->epoch);
    arena_pool_init(&t->pool, 8);
    if (store_open(&settings, &keys.store, reason) ||
        keyring_create(&keys, &t->context.keyring, reason, notice))
        timing_fail(reason);
    t->context.keys = keyring_worker_create(t->context.keyring);
    t->context.cache = token_cache_create(64);
    t->context.env = &t->env;
    t->context.metrics = &t->metrics;
    t->context.prefix = STR("tlt_");
    if (!t->context.keys || !t->context.cache)
        timing_fail("no memory");
}

static void token_once(struct timing *t)
{
    struct arena arena;
    struct token_record record;
    enum token_format format;
    arena_init(&arena, &t->pool, ARENA_REQUEST_CAP);
    enum twoleg_error error =
        token_read(&t->context, str_of(t->text, t->len), NULL, &arena, &record, &format);
    arena_finish(&arena);
    // What is refused for another reason has not come to where its secret is compared.
    if (error != TWOLEG_TOKEN_FORGED)
        timing_fail(twoleg_error_text(error));
}

// ---------------------------------------------------------------------------------- compare
static void compare_prepare(struct timing *t, const char *secret)
{
    if (timing_read(secret, t->secret) != t->len)
        timing_fail("the secret has another length");
}

static void compare_once(struct timing *t)
{
    if (secret_equal(t->text, t->secret, t->len))
        timing_fail("it is the secret");
}

static const struct timing_way {
    const char *name;
    void (*prepare)(struct timing *t, const char *argument);
    void (*once)(struct timing *t);
} ways[] = {
    {"net", net_prepare, net_once},
    {"token", token_prepare, token_once},
    {"compare", compare_prepare, compare_once},
};

// ---------------------------------------------------------------------------------- samples
// Both are read, whichever it is: what is done beforehand must not tell either. Volatile, or the
// compiler may branch on it.
static void timing_choose(struct timing *t, unsigned which)
{
    volatile char mask = (char)-(int)which;
    for (size_t i = 0; i < t->len; i++)
        t->text[i] = (char)(t->texts[0][i] ^ (mask & (t->texts[0][i] ^ t->texts[1][i])));
}

static uint64_t timing_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void timing_sample(struct timing *t, const struct timing_way *way, unsigned long samples)
{
    for (unsigned long i = 0; i < WARM + samples; i++) {
        uint64_t random;
        if (!env_random_u64(&t->env, &random))
            timing_fail("no randomness");
        unsigned which = random & 1;
        timing_choose(t, which);
        uint64_t began = timing_ns();
        way->once(t);
        uint64_t took = timing_ns() - began;
        uint32_t word = (uint32_t)(took > INT32_MAX ? INT32_MAX : took) << 1 | which;
        if (i >= WARM)
            fwrite(&word, sizeof word, 1, stdout);
    }
}

int main(int argc, char **argv)
{
    static struct timing t;
    const struct timing_way *way = NULL;
    for (size_t i = 0; argc == 6 && i < sizeof ways / sizeof *ways; i++)
        if (strcmp(ways[i].name, argv[1]) == 0)
            way = &ways[i];
    if (!way)
        timing_fail("net|token|compare SAMPLES A B PORT|DATA|SECRET");
    t.len = timing_read(argv[3], t.texts[0]);
    if (timing_read(argv[4], t.texts[1]) != t.len)
        timing_fail("A and B differ in length");
    if (crypto_init())
        timing_fail("no cryptography");
    env_init(&t.env);
    way->prepare(&t, argv[5]);
    timing_sample(&t, way, strtoul(argv[2], NULL, 10));
    return fflush(stdout) == 0 ? 0 : 2;
}
