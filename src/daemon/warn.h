// SPDX-License-Identifier: Apache-2.0
// What the operator should know at once and what is no error.
#pragma once
#include "config/config.h"
#include "dialect/set.h"
#include "registry/registry.h"

// In words, whatever the log's level is, and as an event for those who search the log.
void warn(const struct config *config, const struct env *env, const char *event,
          const char *format, ...) __attribute__((format(printf, 4, 5)));
// A gate for an API that is not there is no error: the API may be created while the server runs.
// Inside of the epoch.
void warn_of_gates(const struct config *config, const struct env *env, struct registry *registry);
// Metadata whose token_endpoint answers 421, since hosts has no name for the issuer.
void warn_of_issuer(const struct config *config, const struct env *env,
                    const struct dialect_set *dialects);
// Applications that are tied to a dialect which nobody speaks: whoever took it away should hear
// that they are unknown clients.
void warn_of_ties(const struct config *config, const struct env *env,
                  const struct dialect_set *dialects, struct store *store);
// Tokens of a shape that no dialect has any more are known to nobody.
void warn_of_shapes(const struct config *config, const struct env *env,
                    const struct dialect_set *before, const struct dialect_set *after);
// Of a configuration file that whom the server has become cannot read; NULL: there is none.
void warn_of_unreadable(const struct config *config, const struct env *env, const char *file);
// D7: keys that may be swapped out, since the limit of locked memory is too low.
void warn_of_swap(const struct config *config, const struct env *env);
