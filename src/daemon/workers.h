// SPDX-License-Identifier: Apache-2.0
// The worker threads: one HTTP loop each, with what belongs to it alone.
#pragma once
#include "endpoint/server.h"
#include "http/worker.h"

#define WORKERS_MAX 32
#define WORKERS_COMING_MAX 16 // connections that wait for each worker to take them

struct workers;

// The server has a snapshot, and a reload from now on.
enum twoleg_error workers_create(struct server *server,
                                 struct workers **ret_workers) TWOLEG_MUST_CHECK;
enum twoleg_error workers_start(struct workers *workers) TWOLEG_MUST_CHECK;
// Whether to accept more now. What the workers have no time for waits in the backlog, so that those
// who are in are served meanwhile.
bool workers_keep_up(const struct workers *workers);
// Hands an accepted socket to the worker with the fewest connections, which at the cap makes room
// for it or closes it.
void workers_adopt(struct workers *workers, int fd, const struct http_listener *listener);
// No new requests: what is in flight may finish, until the deadline. Called before the listeners
// close, so that whoever sees them closed gets its answer with Connection: close.
void workers_drain(struct workers *workers, int64_t deadline_mono_us);
// Waits for the threads. Returns how many connections the deadline cut off.
uint32_t workers_join(struct workers *workers);
void workers_destroy(struct workers *workers); // NULL is fine
// True when each worker's loop has turned since the last call, which asks them; for one thread.
bool workers_answer(struct workers *workers);
// For the flush of last-used notes.
size_t workers_usage(const struct workers *workers, struct usage *ret_usage[WORKERS_MAX]);
