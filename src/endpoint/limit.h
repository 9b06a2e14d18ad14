// SPDX-License-Identifier: Apache-2.0
// The limits on what clients may do, of the whole server: failures of authentication, slow hashes,
// tokens. Tables of fixed size, so that nothing a client sends takes memory.
#pragma once
#include "endpoint/server.h"
#include "limit/limit.h"

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

// May one more slow hash be computed? TWOLEG_SLOW_HASHES with ret_retry_us. What is taken is given
// back for one that is not computed after all (any thread may), or whoever is right would wait for
// others' guesses; the server's limits outlive its pool.
enum twoleg_error endpoint_limit_slow(struct http_request *request, uint64_t application,
                                      struct limit_taken *ret_taken,
                                      int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// May one more password be compared for this user name? Whether there is such a user makes no
// difference. TWOLEG_PASSWORDS with ret_retry_us.
enum twoleg_error endpoint_limit_user(struct http_request *request, uint64_t account,
                                      struct str username, struct limit_taken *ret_taken,
                                      int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// May a password be taken for what is known of it, without a comparison? Not while ten times as
// many as the limit allows came beyond it: each of them would tell a right one from a wrong one.
// What this request has compared is known already. As endpoint_limit_user.
enum twoleg_error endpoint_limit_user_seen(struct http_request *request, uint64_t account,
                                           struct str username,
                                           int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// May the application be issued one more token, by its own budget or the server's? Charged once for
// a request, however often its handler runs. TWOLEG_BUDGET with ret_retry_us.
enum twoleg_error endpoint_limit_budget(struct http_request *request,
                                        const struct application *application,
                                        int64_t *ret_retry_us) TWOLEG_MUST_CHECK;
