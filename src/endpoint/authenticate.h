// SPDX-License-Identifier: Apache-2.0
// Steps that the endpoints share: who asks, and the waits on the way.
#pragma once
#include "endpoint/server.h"

// Client authentication for a request; TWOLEG_WAIT when a job was started and the handler is to be
// run again. A failure is charged to whoever failed; ret_retry_us is set when one was refused for
// its number (RFC 6585 section 4): after how long another is looked at.
enum twoleg_error endpoint_authenticate(struct http_request *request, enum gate_door door,
                                        const struct token_request *form,
                                        struct client *ret_client,
                                        int64_t *ret_retry_us) TWOLEG_MUST_CHECK;

// token_inspect for a request, loading what must be loaded.
enum twoleg_error endpoint_inspect(struct http_request *request,
                                   const struct token_question *question,
                                   struct token_verdict *ret_verdict) TWOLEG_MUST_CHECK;

// Waits for the body of an application. TWOLEG_WAIT, or the reason why it cannot be had.
enum twoleg_error endpoint_load(struct http_request *request, uint64_t number) TWOLEG_MUST_CHECK;

// The answer to a request that failed, in the dialect it came in, and its line in the log; the
// refusal's retry_us is endpoint_authenticate's or 0. TWOLEG_WAIT is not answered but handed on.
enum twoleg_error endpoint_refuse(struct http_request *request, const struct dialect *dialect,
                                  struct str client_id, const struct dialect_refusal *refusal,
                                  struct http_answer *ret_answer);

// False: the service failed to decide (memory, store, overload), which is no verdict on anything.
bool endpoint_is_verdict(enum twoleg_error error);
