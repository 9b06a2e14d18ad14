// SPDX-License-Identifier: Apache-2.0
// One line a request: refusals are sampled per cause, successes only when log_requests asks.
#pragma once
#include "endpoint/server.h"

struct endpoint_log; // of one worker: what was logged in this second

struct endpoint_log *endpoint_log_create(void); // NULL without memory
void endpoint_log_destroy(struct endpoint_log *log);

struct endpoint_event {
    const struct http_request *request;
    enum twoleg_error error; // TWOLEG_NONE: it went well
    // As presented or found; STR_NONE when unknown. It is written only when it is an id of ours:
    // people swap id and secret.
    struct str client_id;
    unsigned status;
    const struct config_proxies *proxies; // trusted beside the listener's; NULL: none
    struct str reason; // in words, of our own; or STR_NONE
    bool observed; // it would be refused for the error, but for now that is only counted
};

// A refusal's line names the error and the source line that decided (base/refusal.h), and for whom
// the peer asked where that is a trusted proxy: whom the limits charge, unless it is a gate's own.
void endpoint_log(const struct endpoint_event *event);
