// SPDX-License-Identifier: Apache-2.0
// The load that wrk cannot make: a connection or a TLS handshake for each request, resumed
// sessions, and an open loop. There requests are due at fixed times, whatever the server does, and
// their latency counts from when they were due; so a server that stalls is not asked less, and what
// waits behind the stall is counted. Sends whole requests, made before, as replay.lua does; prints
// one line of JSON, also when SIGTERM ends it.
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/priority.h"
#include "histogram.h"
#include "link.h"

#define NS_SECOND INT64_C(1000000000)
#define LOAD_SPIN_NS INT64_C(60000)    // so near to a due time we do not sleep: waking takes longer
#define LOAD_GRACE_NS (10 * NS_SECOND) // for answers that are under way at the end
#define LOAD_OPEN_NS (60 * NS_SECOND)  // until all connections must be open
#define LOAD_SLEEP_NS (NS_SECOND / 10)
#define LOAD_EVENTS 256
#define LOAD_STATUS_MAX 1000u

struct load_options {
    uint64_t connections;
    uint64_t seconds;
    uint64_t rate;   // a second; 0: as fast as answers come
    uint64_t status; // another one counts as refused
    bool tls;
    bool fresh;  // a connection for each request
    bool resume; // whose TLS session is resumed
    bool old;    // TLS 1.2 instead of 1.3
    bool each;   // every request once, in turn, then the end
    const char *also; // a second server, for every other connection; NULL: there is none
};

struct load {
    struct load_options options;
    struct link_target target, also;
    char *text; // of all requests
    struct str *requests;
    size_t request_count;
    struct link *links;
    struct link **idle; // a ring: the longest idle goes first
    size_t idle_first, idle_count;
    int64_t begun, ends;
    uint64_t planned; // open loop
    uint64_t sent, random;
    uint64_t broken, full, resumed;
    uint64_t statuses[LOAD_STATUS_MAX];
    struct histogram right, refused;
};

static volatile sig_atomic_t load_stopped;

static void load_on_stop(int signal)
{
    (void)signal;
    load_stopped = 1;
}

static int64_t load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_SECOND + now.tv_nsec;
}

// ------------------------------------------------------------------ what is sent, and when

static struct str load_next(struct load *load)
{
    if (load->options.each)
        return load->requests[load->sent % load->request_count];
    load->random ^= load->random << 13; // xorshift64
    load->random ^= load->random >> 7;
    load->random ^= load->random << 17;
    return load->requests[load->random % load->request_count];
}

static int64_t load_due(const struct load *load, uint64_t number)
{
    uint64_t rate = load->options.rate;
    return load->begun + (int64_t)(number / rate) * NS_SECOND +
           (int64_t)(number % rate) * NS_SECOND / (int64_t)rate;
}

// Whether one more is to be sent now; when it was due.
static bool load_is_due(const struct load *load, int64_t now, int64_t *ret_due)
{
    if (load->options.each && load->sent >= load->request_count)
        return false;
    *ret_due = load->options.rate ? load_due(load, load->sent) : now;
    return load->options.rate ? load->sent < load->planned && *ret_due <= now : now < load->ends;
}

static void load_push(struct load *load, struct link *link)
{
    link->busy = false;
    load->idle[(load->idle_first + load->idle_count++) % load->options.connections] = link;
}

static struct link *load_pop(struct load *load)
{
    struct link *link = load->idle[load->idle_first];
    load->idle_first = (load->idle_first + 1) % load->options.connections;
    load->idle_count--;
    link->busy = true;
    return link;
}

static void load_count(struct load *load, struct link *link)
{
    int64_t took = load_now() - link->due;
    load->statuses[link->status]++; // of three digits
    histogram_add(link->status == load->options.status ? &load->right : &load->refused, took);
}

static void load_take(struct load *load, struct link *link, enum link_result result)
{
    if (link->handshaken)
        *(link->resumed ? &load->resumed : &load->full) += 1;
    link->handshaken = false;
    if (result == LINK_GOES || result == LINK_WAITS)
        return;
    if (result == LINK_ANSWERED && load->begun)
        load_count(load, link);
    if (result == LINK_ANSWERED && (load->options.fresh || link->closes))
        link_close(link);
    if (result == LINK_BROKEN)
        load->broken++;
    if (link->busy)
        load_push(load, link);
}

static void load_send(struct load *load)
{
    int64_t due;
    while (load->idle_count > 0 && load_is_due(load, load_now(), &due)) {
        struct link *link = load_pop(load);
        struct str request = load_next(load);
        load->sent++;
        link->due = due;
        load_take(load, link, link_ask(link, request));
    }
}

static void load_wait(struct load *load, int64_t ns)
{
    struct epoll_event events[LOAD_EVENTS];
    struct timespec sleep = {.tv_sec = ns / NS_SECOND, .tv_nsec = ns % NS_SECOND};
    int count = epoll_pwait2(load->target.epoll, events, LOAD_EVENTS, &sleep, NULL);
    for (int i = 0; i < count; i++) {
        struct link *link = events[i].data.ptr;
        load_take(load, link, link_run(link));
    }
}

static int64_t load_sleep(const struct load *load)
{
    if (!load->options.rate || load->idle_count == 0 || load->sent >= load->planned)
        return LOAD_SLEEP_NS;
    int64_t left = load_due(load, load->sent) - load_now() - LOAD_SPIN_NS;
    return left < 0 ? 0 : left < LOAD_SLEEP_NS ? left : LOAD_SLEEP_NS;
}

static bool load_goes_on(const struct load *load)
{
    int64_t now = load_now(), due;
    bool busy = load->idle_count < load->options.connections;
    bool more = load->options.rate && load->sent < load->planned;
    return load_is_due(load, now, &due) || ((busy || more) && now < load->ends + LOAD_GRACE_NS);
}

// Before the clock starts: kept connections are opened, and who resumes fetches its first ticket.
static bool load_open(struct load *load)
{
    bool asks = load->options.resume;
    int64_t until = load_now() + LOAD_OPEN_NS;
    load->idle_count = 0;
    for (size_t i = 0; i < load->options.connections; i++) {
        struct link *link = &load->links[i];
        link_init(link, load->options.also && i % 2 ? &load->also : &load->target);
        link->busy = true;
        if (load->options.fresh && !asks)
            load_push(load, link);
        else
            load_take(load, link, link_ask(link, asks ? load->requests[0] : STR_NONE));
    }
    while (load->idle_count < load->options.connections && load_now() < until)
        load_wait(load, LOAD_SLEEP_NS);
    bool good = load->idle_count == load->options.connections && load->broken == 0;
    load->full = load->resumed = 0;
    return good;
}

static void load_run(struct load *load)
{
    load->begun = load_now();
    load->ends = load->begun + (int64_t)load->options.seconds * NS_SECOND;
    load->planned = load->options.seconds * load->options.rate;
    if (load->options.each && load->planned > load->request_count)
        load->planned = load->request_count;
    while (load_goes_on(load)) {
        if (load_stopped && load->ends > load_now()) {
            load->ends = load_now();
            load->planned = load->sent;
        }
        load_send(load);
        load_wait(load, load_sleep(load));
    }
}

// ------------------------------------------------------------------ options, report

static bool load_read(struct load *load, const char *path)
{
    FILE *file = fopen(path, "rb");
    long size = -1;
    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    load->text = size > 0 ? malloc((size_t)size) : NULL;
    bool good = load->text && fseek(file, 0, SEEK_SET) == 0 &&
                fread(load->text, 1, (size_t)size, file) == (size_t)size;
    if (file)
        fclose(file);
    struct str rest = good ? str_of(load->text, (size_t)size) : STR_NONE, request;
    for (size_t i = 0; i < rest.len; i++)
        load->request_count += rest.ptr[i] == '\0';
    load->requests = calloc(load->request_count + 1, sizeof *load->requests);
    for (size_t i = 0; load->requests && i < load->request_count; i++) {
        str_split(&rest, '\0', &request);
        load->requests[i] = request;
    }
    return good && load->requests && load->request_count > 0;
}

static void load_report_times(const char *name, const struct histogram *histogram)
{
    printf(",\"%sp50_us\":%.1f,\"%sp99_us\":%.1f,\"%sp999_us\":%.1f,\"%smax_us\":%.1f", name,
           (double)histogram_quantile(histogram, 500000) / 1e3, name,
           (double)histogram_quantile(histogram, 990000) / 1e3, name,
           (double)histogram_quantile(histogram, 999000) / 1e3, name,
           (double)histogram->max / 1e3);
}

static void load_report(const struct load *load)
{
    const char *comma = "";
    printf("{\"requests\":%" PRIu64 ",\"us\":%" PRId64 ",\"refused\":%" PRIu64
           ",\"broken\":%" PRIu64,
           load->right.count + load->refused.count, (load_now() - load->begun) / 1000,
           load->refused.count, load->broken);
    printf(",\"unanswered\":%zu,\"unsent\":%" PRIu64 ",\"full\":%" PRIu64 ",\"resumed\":%" PRIu64,
           (size_t)load->options.connections - load->idle_count,
           load->planned > load->sent ? load->planned - load->sent : 0, load->full, load->resumed);
    load_report_times("", &load->right);
    load_report_times("refused_", &load->refused);
    printf(",\"statuses\":{");
    for (unsigned i = 0; i < LOAD_STATUS_MAX; i++)
        if (load->statuses[i]) {
            printf("%s\"%u\":%" PRIu64, comma, i, load->statuses[i]);
            comma = ",";
        }
    printf("}}\n");
}

static bool load_options_read(int argc, char **argv, struct load_options *ret_options)
{
    static const struct option rows[] = {
        {"connections", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'},        {"status", required_argument, NULL, 'w'},
        {"tls", no_argument, NULL, 't'},               {"fresh", no_argument, NULL, 'f'},
        {"resume", no_argument, NULL, 'm'},            {"each", no_argument, NULL, 'e'},
        {"tls12", no_argument, NULL, 'o'},             {"also", required_argument, NULL, 'a'},
        {0}};
    struct load_options options = {.connections = 32, .seconds = 3, .status = 200};
    bool good = true;
    int key;
    while ((key = getopt_long(argc, argv, "", rows, NULL)) != -1) {
        uint64_t *number = key == 'c'   ? &options.connections
                           : key == 's' ? &options.seconds
                           : key == 'r' ? &options.rate
                           : key == 'w' ? &options.status
                                        : NULL;
        options.tls = options.tls || key == 't' || key == 'm' || key == 'o';
        options.old = options.old || key == 'o';
        options.fresh = options.fresh || key == 'f' || key == 'm';
        options.resume = options.resume || key == 'm';
        options.each = options.each || key == 'e';
        options.also = key == 'a' ? optarg : options.also;
        good = good && key != '?' && (!number || str_to_u64(str_from(optarg), number));
    }
    *ret_options = options;
    return good && argc - optind == 2 && options.connections - 1 < 100000 &&
           options.seconds - 1 < 3600 && options.rate < 10000000;
}

static bool load_prepare(struct load *load, char **argv)
{
    load->random = (uint64_t)load_now() | 1;
    prctl(PR_SET_TIMERSLACK, 1);
    signal(SIGTERM, load_on_stop);
    // What waits for a core behind others is a client, and would count as the server's time.
    priority_prompt();
    const char *also = load->options.also ? load->options.also : argv[0];
    if (!link_target_parse(argv[0], &load->target) || !link_target_parse(also, &load->also)) {
        fprintf(stderr, "bench_load: a server is PORT, ADDR:PORT or unix:PATH\n");
        return false;
    }
    if (!load_read(load, argv[1])) {
        fprintf(stderr, "bench_load: %s holds no requests with a NUL behind each\n", argv[1]);
        return false;
    }
    load->target.epoll = epoll_create1(EPOLL_CLOEXEC);
    load->links = calloc(load->options.connections, sizeof *load->links);
    load->idle = calloc(load->options.connections, sizeof(struct link *));
    if (load->target.epoll < 0 || !load->links || !load->idle ||
        (load->options.tls && !link_target_secure(&load->target, load->options.resume,
                                                   load->options.old))) {
        fprintf(stderr, "bench_load: no memory\n");
        return false;
    }
    load->also.epoll = load->target.epoll;
    load->also.tls = load->target.tls; // one context for both
    load->also.resume = load->target.resume;
    return true;
}

int main(int argc, char **argv)
{
    static struct load load;
    if (!load_options_read(argc, argv, &load.options)) {
        fprintf(stderr, "usage: bench_load [--connections N] [--seconds N] [--rate N] [--status N] "
                        "[--tls] [--tls12] [--fresh] [--resume] [--each] [--also TARGET] "
                        "PORT|ADDR:PORT|unix:PATH FILE\n");
        return 2;
    }
    if (!load_prepare(&load, argv + optind))
        return 1;
    if (!load_open(&load)) {
        fprintf(stderr, "bench_load: not all connections could be opened\n");
        return 1;
    }
    load_run(&load);
    load_report(&load);
    for (size_t i = 0; i < load.options.connections; i++)
        link_finish(&load.links[i]);
    link_target_finish(&load.target);
    free(load.idle);
    free(load.links);
    free(load.requests);
    free(load.text);
    return 0;
}
