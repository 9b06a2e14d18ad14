// SPDX-License-Identifier: Apache-2.0
// How a token endpoint speaks: what stands where in a request, and what answers look like. RFC 6749
// is one dialect, a const table; the endpoint reads this struct and knows no spelling itself.
#pragma once
#include "base/buf.h"
#include "base/error.h"
#include "http/http.h"
#include "model/request.h"

// Where an error of ours goes: status, the wire's error code and words. retry_after_s 0: waiting
// does not help. description NULL: the error's own text (errors.def).
struct dialect_error {
    enum twoleg_error error;
    unsigned status;
    unsigned retry_after_s;
    const char *code;
    const char *description;
};

enum dialect_field { // sources of a success answer's fields, in the answer's order
    FIELD_ACCESS_TOKEN,
    FIELD_TOKEN_TYPE,
    FIELD_EXPIRES_IN, // left out for a token that never expires
    FIELD_SCOPE,      // left out when empty
};

struct dialect_success {
    const char *name;
    enum dialect_field source;
};

struct dialect {
    const char *name;
    const struct dialect_error *errors; // the last row is for everything else
    size_t error_count;
    const struct dialect_success *success;
    size_t success_count;
    const char *realm; // of WWW-Authenticate on 401
};

extern const struct dialect dialect_rfc6749;

// Step 1 of the path: reads the form and the Authorization header, once each. With with_token the
// request is for introspection or revocation: token and token_type_hint are read too. On an error
// ret_request is filled as far as it could be read: not to be used but for the log.
enum twoleg_error dialect_read(const struct dialect *dialect, const struct http_request *request,
                               bool with_token,
                               struct token_request *ret_request) TWOLEG_MUST_CHECK;

// Step 5: the answer.
enum twoleg_error dialect_answer_token(const struct dialect *dialect,
                                       const struct http_request *request,
                                       const struct issued_token *token,
                                       struct http_answer *ret_answer) TWOLEG_MUST_CHECK;
// The row of the error; never fails (a static answer when memory is out). retry_us: after how long
// it helps to come again; 0: as the row says.
void dialect_answer_error(const struct dialect *dialect, const struct http_request *request,
                          enum twoleg_error error, int64_t retry_us,
                          struct http_answer *ret_answer);
const struct dialect_error *dialect_error_row(const struct dialect *dialect,
                                              enum twoleg_error error);
