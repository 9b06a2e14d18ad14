// SPDX-License-Identifier: Apache-2.0
#include "endpoint/slow_hash.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/refusal.h"
#include "base/siphash.h"
#include "crypto/compare.h"
#include "crypto/wipe.h"

// This part of the requests that may wait for anything may wait for one comparison. With all places
// of the pool taken that is half of them.
#define SLOW_WAITING_SHARE 128

static const char slow_kind;

struct slow_hashes {
    struct slow_secret_cache *known; // has no need of the lock
    pthread_mutex_t lock;            // of all that follows, of each work, and of the limits
    struct slow_work *under_way;     // as few as the pool has places
};

// A comparison. It is there until it has ended and all who have waited for it are gone.
struct slow_work {
    struct pool_job pool; // first
    struct slow_hashes *hashes;
    struct slow_work *next;    // of those under way
    struct slow_job *waiting;
    unsigned holders; // the pool, and those who wait or have waited
    struct sha256 digest;
    struct endpoint_limits *limits; // from which it has
    struct endpoint_taken taken;
    bool of_user, matches;
    enum brought_hash scheme;
    struct str hash, presented;
    char text[];
};

// A request that waits for one.
struct slow_job {
    struct http_job job;    // first: http_job_done hands it back as this
    struct slow_work *work; // NULL: it had ended before
    struct slow_job *next;  // of those who wait
    struct slow_outcome outcome;
    bool of_user;
};

struct slow_hashes *slow_hashes_create(struct env *env)
{
    struct slow_hashes *hashes = calloc(1, sizeof *hashes);
    if (!hashes)
        return NULL;
    pthread_mutex_init(&hashes->lock, NULL);
    hashes->known = slow_secret_cache_create(env);
    if (hashes->known)
        return hashes;
    slow_hashes_destroy(hashes);
    return NULL;
}

void slow_hashes_destroy(struct slow_hashes *hashes)
{
    if (!hashes)
        return;
    slow_secret_cache_destroy(hashes->known);
    pthread_mutex_destroy(&hashes->lock);
    free(hashes);
}

struct slow_secret_cache *slow_hashes_known(const struct slow_hashes *hashes)
{
    return hashes->known;
}

static struct slow_hashes *slow_hashes_of(const struct http_request *request)
{
    return endpoint_context(request)->server->slow;
}

// ---------------------------------------------------------------------------------- a comparison

static void slow_work_free(struct slow_work *work)
{
    wipe(work->text, work->hash.len + work->presented.len);
    free(work);
}

static void slow_work_leave(struct slow_work *work)
{
    struct slow_hashes *hashes = work->hashes;
    pthread_mutex_lock(&hashes->lock);
    bool last = --work->holders == 0;
    if (last && work->matches)
        endpoint_limit_unclaimed(work->limits, &work->digest, &work->taken);
    pthread_mutex_unlock(&hashes->lock);
    if (last)
        slow_work_free(work);
}

// From now on nobody joins it; those who wait.
static struct slow_job *slow_work_end(struct slow_work *work, bool compared)
{
    struct slow_hashes *hashes = work->hashes;
    pthread_mutex_lock(&hashes->lock);
    if (!compared)
        endpoint_limit_not_compared(&work->taken);
    struct slow_work **at = &hashes->under_way;
    while (*at != work)
        at = &(*at)->next;
    *at = work->next;
    struct slow_job *waiting = work->waiting;
    work->waiting = NULL;
    pthread_mutex_unlock(&hashes->lock);
    return waiting;
}

static void slow_work_run(struct pool_job *pool)
{
    struct slow_work *work = (struct slow_work *)pool;
    stop_point("slow.hash");
    enum twoleg_error error =
        pool->late ? TWOLEG_OVERLOADED
                   : brought_hash_verify(work->scheme, work->hash, work->presented);
    enum twoleg_error result = pool->late || error == TWOLEG_NO_MEMORY ? error : TWOLEG_NONE;
    work->matches = error == TWOLEG_NONE;
    if (!result) // before its end: whoever finds it ended finds what came of it
        slow_secret_put(work->hashes->known, &work->digest, work->matches);
    for (struct slow_job *each = slow_work_end(work, !result), *next; each; each = next) {
        next = each->next;
        each->outcome.matches = work->matches;
        each->job.result = result;
        http_job_done(&each->job);
    }
    slow_work_leave(work);
}

static uint64_t slow_hash_asker(const struct http_request *request)
{
    static const struct siphash_key fold = {0, 0}; // a collision costs a share of the queue only
    struct address network = endpoint_limit_network(request);
    return siphash(&fold, str_of(network.bytes, sizeof network.bytes));
}

static struct slow_work *slow_work_create(struct http_request *request,
                                          const struct slow_hash *question,
                                          const struct sha256 *digest,
                                          const struct endpoint_taken *taken)
{
    struct str hash = question->secret->slow_hash;
    struct slow_work *work = fault_here(FAULT_MEMORY)
                                 ? NULL
                                 : malloc(sizeof *work + hash.len + question->presented.len);
    if (!work)
        return NULL;
    *work = (struct slow_work){
        .pool = {.run = slow_work_run,
                 .owner = question->guess.application,
                 .asker = slow_hash_asker(request)},
        .hashes = slow_hashes_of(request),
        .holders = 1,
        .digest = *digest,
        .limits = endpoint_context(request)->server->limits,
        .taken = *taken,
        .of_user = question->guess.of_user,
        .scheme = (enum brought_hash)question->secret->scheme,
    };
    memcpy(work->text, hash.ptr, hash.len);
    memcpy(work->text + hash.len, question->presented.ptr, question->presented.len);
    work->hash = str_of(work->text, hash.len);
    work->presented = str_of(work->text + hash.len, question->presented.len);
    return work;
}

// ---------------------------------------------------------------------------------- who waits

static void slow_job_destroy(struct http_job *job)
{
    struct slow_job *slow = (struct slow_job *)job;
    if (slow->work)
        slow_work_leave(slow->work);
    free(slow);
}

static enum twoleg_error slow_job_create(const struct http_request *request,
                                         const struct slow_hash *question,
                                         const struct sha256 *digest, struct slow_job **ret_slow)
{
    struct slow_job *slow = fault_here(FAULT_MEMORY) ? NULL : calloc(1, sizeof *slow);
    if (!slow)
        return TWOLEG_NO_MEMORY;
    enum twoleg_error error = http_job_init(&slow->job, request, &slow_kind, slow_job_destroy);
    if (error) {
        free(slow);
        return error;
    }
    slow->outcome.digest = *digest;
    slow->of_user = question->guess.of_user;
    *ret_slow = slow;
    return TWOLEG_NONE;
}

// Under the lock, as all that follows.
static void slow_job_join(struct slow_job *slow, struct slow_work *work)
{
    slow->work = work;
    slow->next = work->waiting;
    work->waiting = slow;
    work->holders++;
}

struct sha256 slow_hash_digest(const struct http_request *request,
                               const struct slow_hash *question)
{
    struct address network = endpoint_limit_network(request);
    return slow_secret_digest(slow_hashes_of(request)->known, question->secret, &network,
                              question->presented);
}

static struct slow_work *slow_hash_find(const struct slow_hashes *hashes,
                                        const struct sha256 *digest)
{
    struct slow_work *found = NULL;
    for (struct slow_work *each = hashes->under_way; each; each = each->next)
        if (secret_equal(each->digest.bytes, digest->bytes, sizeof digest->bytes))
            found = each;
    return found;
}

// Is there a comparison under way that has taken what is short? If it turns out right it gives that
// back in a moment. All of an asker's are few: they share a quarter of the pool.
static bool slow_hash_is_soon(const struct http_request *request, const struct slow_hash *question)
{
    uint64_t asker = slow_hash_asker(request);
    for (struct slow_work *each = slow_hashes_of(request)->under_way; each; each = each->next)
        if (each->pool.asker == asker && each->of_user == question->guess.of_user &&
            endpoint_limit_hangs_on(request, &question->guess, &each->taken))
            return true;
    return false;
}

static enum twoleg_error slow_hash_submit(struct http_request *request, struct slow_work *work,
                                          struct slow_job *slow)
{
    struct slow_hashes *hashes = work->hashes;
    struct pool *pool = endpoint_context(request)->server->pool;
    enum twoleg_error error = REFUSED_BY(pool_submit(pool, &work->pool), CAP_HASHES);
    if (error)
        return error;
    slow_job_join(slow, work);
    work->next = hashes->under_way;
    hashes->under_way = work;
    return TWOLEG_NONE;
}

static enum twoleg_error slow_hash_begin(struct http_request *request,
                                         const struct slow_hash *question,
                                         const struct sha256 *digest, int64_t *ret_retry_us)
{
    struct endpoint_taken taken;
    struct slow_job *slow = NULL;
    enum twoleg_error error =
        endpoint_limit_guess(request, &question->guess, digest, &taken, ret_retry_us);
    if (error) {
        *ret_retry_us = slow_hash_is_soon(request, question) ? SECOND_US : *ret_retry_us;
        return error;
    }
    error = slow_job_create(request, question, digest, &slow);
    struct slow_work *work = error ? NULL : slow_work_create(request, question, digest, &taken);
    if (!error)
        error = work ? slow_hash_submit(request, work, slow) : TWOLEG_NO_MEMORY;
    if (!error) {
        metrics_add(request->metrics, METRIC_PASSWORD_HASHED, question->guess.of_user);
        return TWOLEG_WAIT;
    }
    endpoint_limit_not_compared(&taken);
    if (work)
        slow_work_free(work);
    free(slow);
    return error;
}

// One that is under way is as good as one that has ended; work NULL: it just has.
static enum twoleg_error slow_hash_join(struct http_request *request,
                                        const struct slow_hash *question,
                                        const struct sha256 *digest, struct slow_work *work,
                                        bool matches)
{
    struct slow_job *slow;
    int64_t most = endpoint_config(request)->max_waiting / SLOW_WAITING_SHARE;
    if (work && work->holders > (most > 1 ? most : 1)) // the pool is one of them
        return REFUSE_FULL(CAP_HASHES);
    enum twoleg_error error = slow_job_create(request, question, digest, &slow);
    if (error)
        return error;
    if (work) {
        slow_job_join(slow, work);
    } else {
        slow->outcome.matches = matches;
        http_job_done(&slow->job);
    }
    return TWOLEG_WAIT;
}

enum twoleg_error slow_hash_start(struct http_request *request, const struct slow_hash *question,
                                  int64_t *ret_retry_us)
{
    struct slow_hashes *hashes = slow_hashes_of(request);
    struct sha256 digest = slow_hash_digest(request, question);
    bool believes = endpoint_limit_believes(request, &question->guess);
    pthread_mutex_lock(&hashes->lock);
    struct slow_work *work = believes ? slow_hash_find(hashes, &digest) : NULL;
    enum slow_secret_known known =
        believes && !work ? slow_secret_find(hashes->known, &digest) : SLOW_UNKNOWN;
    enum twoleg_error error =
        work || known ? slow_hash_join(request, question, &digest, work, known == SLOW_MATCHES)
                      : slow_hash_begin(request, question, &digest, ret_retry_us);
    pthread_mutex_unlock(&hashes->lock);
    return error;
}

enum twoleg_error slow_hash_outcomes(struct http_request *request,
                                     const struct slow_outcome **ret_outcomes)
{
    const struct slow_outcome *outcomes = NULL;
    for (struct http_job *job = request->jobs; job; job = job->next) {
        if (job->kind != &slow_kind)
            continue;
        struct slow_job *slow = (struct slow_job *)job;
        if (slow->job.result)
            return REFUSED_BY(slow->job.result, CAP_HASHES);
        slow->outcome.next = outcomes;
        outcomes = &slow->outcome;
    }
    *ret_outcomes = outcomes;
    return TWOLEG_NONE;
}

void slow_hash_right(struct http_request *request, bool of_user, const struct sha256 *digest)
{
    struct slow_hashes *hashes = slow_hashes_of(request);
    if (digest && endpoint_limit_has_unclaimed(request)) {
        pthread_mutex_lock(&hashes->lock);
        endpoint_limit_right(request, digest, NULL);
        pthread_mutex_unlock(&hashes->lock);
    }
    for (struct http_job *job = request->jobs; job; job = job->next) {
        struct slow_job *slow = (struct slow_job *)job;
        if (job->kind != &slow_kind || slow->of_user != of_user)
            continue;
        pthread_mutex_lock(&hashes->lock);
        endpoint_limit_right(request, &slow->outcome.digest,
                             slow->work ? &slow->work->taken : NULL);
        pthread_mutex_unlock(&hashes->lock);
    }
}
