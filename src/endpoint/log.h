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
    struct str client_id;    // as claimed or found; STR_NONE when unknown
    unsigned status;
    const char *file; // the source line that refused, for us alone
    int line;
};

void endpoint_log(const struct endpoint_event *event);

// ENDPOINT_LOG(request, error, client_id, status) names the line it stands on.
#define ENDPOINT_LOG(request_, error_, client_id_, status_)                                        \
    endpoint_log(&(struct endpoint_event){.request = (request_),                                   \
                                          .error = (error_),                                       \
                                          .client_id = (client_id_),                               \
                                          .status = (status_),                                     \
                                          .file = __FILE__,                                        \
                                          .line = __LINE__})
