// SPDX-License-Identifier: Apache-2.0
// The certificates of the TLS listeners.
#pragma once
#include "config/config.h"
#include "crypto/tls.h"

// Reads the files that the configuration names: one set for each listener in the configured order,
// NULL for plain HTTP. Each bad file is a problem of the report, with its place (MALFORMED).
// NO_MEMORY.
enum twoleg_error certificates_load(const struct config *config, struct tls_tickets *tickets,
                                    int64_t now_us, struct config_report *report,
                                    struct tls_set ***ret_sets) TWOLEG_MUST_CHECK;
void certificates_release(struct tls_set **sets, size_t count); // NULL accepted
// What there is to say of those that were read, with its place: warnings.
void certificates_doubts(const struct config *config, struct tls_set *const *sets,
                         struct config_report *doubts);
// Reads and forgets them. As certificates_load, and without an error certificates_doubts.
enum twoleg_error certificates_check(const struct config *config, int64_t now_us,
                                     struct config_report *report,
                                     struct config_report *doubts) TWOLEG_MUST_CHECK;
size_t certificates_count(const struct config *config); // pairs
