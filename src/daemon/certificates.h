// SPDX-License-Identifier: Apache-2.0
// The certificates of the TLS listeners, and the keys of their session tickets.
#pragma once
#include "config/config.h"
#include "crypto/tls.h"

struct certificates;

// Reads the files that the configuration names. REFUSED with words for a person in ret_reason;
// NO_MEMORY.
enum twoleg_error certificates_create(const struct config *config, const struct env *env,
                                      struct certificates **ret_certificates,
                                      char ret_reason[static 512]) TWOLEG_MUST_CHECK;
// After the workers and the listeners. NULL accepted.
void certificates_destroy(struct certificates *certificates);
// What this listener of the configuration shows; NULL: plain HTTP. NULL accepted.
struct tls_server *certificates_of(const struct certificates *certificates, size_t listener);
// Reads the files again. Connections and sessions go on; new handshakes show what was read. When
// one file is bad nothing changes, and ret_reason says which. Any one thread.
enum twoleg_error certificates_reload(struct certificates *certificates, const struct env *env,
                                      char ret_reason[static 512]) TWOLEG_MUST_CHECK;
size_t certificates_count(const struct certificates *certificates); // pairs; NULL accepted
