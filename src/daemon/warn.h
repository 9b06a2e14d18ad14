// SPDX-License-Identifier: Apache-2.0
// What the operator should know at once and what is no error.
#pragma once
#include "config/config.h"
#include "crypto/tls.h"
#include "dialect/set.h"
#include "endpoint/reload.h"
#include "registry/registry.h"

// Of which configuration it is warned, and who is told besides the log.
struct warn_at {
    const struct config *config;
    const struct env *env;
    struct reload_outcome *told; // of a reload; else NULL
};

// In words, whatever the log's level is, and as an event for those who search the log.
void warn(const struct warn_at *at, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
// A gate for an API that is not there is no error: the API may be created while the server runs.
// Inside of the epoch.
void warn_of_gates(const struct warn_at *at, struct registry *registry);
// Metadata whose token_endpoint answers 421, since hosts has no name for the issuer.
void warn_of_issuer(const struct warn_at *at, const struct dialect_set *dialects);
// Applications that are tied to a dialect which nobody speaks: whoever took it away should hear
// that they are unknown clients.
void warn_of_ties(const struct warn_at *at, const struct dialect_set *dialects,
                  struct store *store);
// Tokens of a shape that no dialect has any more are known to nobody.
void warn_of_shapes(const struct warn_at *at, const struct dialect_set *before,
                    const struct dialect_set *after);
// What is hardly meant, and certificates that clients refuse or soon will, with its place in the
// file.
void warn_of_doubts(const struct warn_at *at, struct tls_set *const *certificates);
// Of a configuration file that whom the server has become cannot read; NULL: there is none.
void warn_of_unreadable(const struct warn_at *at, const char *file);
// D7: keys that may be swapped out, since the limit of locked memory is too low.
void warn_of_swap(const struct warn_at *at);
