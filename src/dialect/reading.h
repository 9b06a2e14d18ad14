// SPDX-License-Identifier: Apache-2.0
// Between places.c and read.c.
#pragma once
#include "dialect/dialect.h"

// What was found of each parameter, in the dialect's order.
struct reading {
    const struct dialect *dialect;
    const struct http_request *request;
    struct str values[DIALECT_PARAMETERS_MAX];
    uint8_t ranks[DIALECT_PARAMETERS_MAX]; // the value's place, as the parameter lists them
    bool two_clients; // two places name different ones
    unsigned twice;   // bits of those that one place has twice
};

size_t reading_count(const struct reading *reading);
const struct dialect_parameter *reading_parameter(const struct reading *reading, size_t at);

// Each refuses what its place has twice, or what does not belong there.
enum twoleg_error reading_query(struct reading *reading) TWOLEG_MUST_CHECK;
enum twoleg_error reading_body(struct reading *reading) TWOLEG_MUST_CHECK;
enum twoleg_error reading_headers(struct reading *reading) TWOLEG_MUST_CHECK;
