// SPDX-License-Identifier: Apache-2.0
// The limits on what clients may do, of the whole server: failures of authentication, slow hashes,
// tokens. Tables of fixed size, so that nothing a client sends takes memory.
#pragma once
#include "endpoint/asked.h"
#include "endpoint/server.h"

// NULL: memory, or no randomness.
struct endpoint_limits *endpoint_limits_create(struct env *env);
void endpoint_limits_destroy(struct endpoint_limits *limits); // NULL is fine

// Whom failures are charged to: the client's address, by its /64 with IPv6. Behind a trusted proxy
// that is the forwarded one, so that one client's failures are not everybody's.
struct address endpoint_limit_network(const struct http_request *request);

// May the address have one more TLS handshake? Without it the dearest thing that a stranger can ask
// for would be free.
bool endpoint_limit_handshake(struct endpoint_context *context, const struct env *env,
                              const struct address *address);

// Client authentication has failed: charges that, and returns the same error; or, when there were
// too many, another one, with ret_retry_us. Whether the id exists makes no difference. Nothing is
// ever asked here before the check, so a right secret is never locked out.
enum twoleg_error endpoint_limit_failure(struct http_request *request,
                                         const struct client_auth_wait *attempt,
                                         enum twoleg_error error,
                                         int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// An attempt at what a slow hash guards. Whether there is such a user makes no difference.
struct endpoint_guess {
    uint64_t application; // whose secret it is, or that a user's password comes through
    bool of_user;         // it is a user's password:
    uint64_t account;
    struct str username;
};

// What a comparison has taken from the limit on them. Zeroed: nothing.
struct endpoint_taken {
    struct limit_taken rows[GUESS_ROWS];
};

// May what is remembered of earlier comparisons be the answer, or what comes of one that is under
// way, instead of another one? Not while ten times as many as may be compared were asked for,
// compared or refused: each of them would tell a right one from a wrong one.
bool endpoint_limit_believes(const struct http_request *request,
                             const struct endpoint_guess *guess);

// May it be compared? TWOLEG_SLOW_HASHES or TWOLEG_PASSWORDS with ret_retry_us. digest: of what is
// presented; the same again tells nothing new. What is taken is given back, once, by whoever finds
// that it was not compared after all or that it was right: else who is right would wait for others'
// guesses. This and the next one: one caller at a time in the whole server.
enum twoleg_error endpoint_limit_guess(struct http_request *request,
                                       const struct endpoint_guess *guess,
                                       const struct sha256 *digest,
                                       struct endpoint_taken *ret_taken,
                                       int64_t *ret_retry_us) TWOLEG_MUST_CHECK;
// It was refused: might it be compared if what this one has taken were given back?
bool endpoint_limit_hangs_on(const struct http_request *request,
                             const struct endpoint_guess *guess,
                             const struct endpoint_taken *taken);
// Whoever asked is let in; taken, which may be NULL, is what this comparison took.
void endpoint_limit_right(struct http_request *request, const struct sha256 *digest,
                          struct endpoint_taken *taken);
// It was right, but whoever asked is gone, or was not let in: what it took is given back when
// somebody is. One caller at a time, as above.
void endpoint_limit_unclaimed(struct endpoint_limits *limits, const struct sha256 *digest,
                              const struct endpoint_taken *taken);
// Is there anything of that? Any thread.
bool endpoint_limit_has_unclaimed(const struct http_request *request);
// After all. Any thread: the server's limits outlive its pool.
void endpoint_limit_not_compared(struct endpoint_taken *taken);

// May the application be issued one more token, by its own budget or the server's? Charged once for
// a request, however often its handler runs. TWOLEG_BUDGET with ret_retry_us.
enum twoleg_error endpoint_limit_budget(struct http_request *request,
                                        const struct application *application,
                                        int64_t *ret_retry_us) TWOLEG_MUST_CHECK;
// The request is refused: what a budget gave for it is given back, once. Else a full pool or a
// store that is behind would use up the budget of whoever comes again as it is told to. (Who leaves
// before the answer gets nothing back: a row of its token may have been written.)
void endpoint_limit_not_issued(struct http_request *request);
