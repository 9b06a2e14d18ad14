// SPDX-License-Identifier: Apache-2.0
// Inside of crypto/ only: the keys of session tickets (RFC 5077 section 4).
#pragma once
#include "crypto/tls.h"

#define TLS_TICKET_LIFE_US (12 * 3600 * SECOND_US)
#define TLS_TICKET_NAME 16

struct tls_ticket_key {
    uint8_t name[TLS_TICKET_NAME];
    uint8_t cipher[32]; // AES-256-CBC
    uint8_t mac[32];    // HMAC-SHA-256
    int64_t made_us;    // counted while the machine sleeps, too
};

// The key for new tickets; a new one when the old one has served its time. NO_RANDOM.
enum twoleg_error tls_tickets_seal_key(struct tls_tickets *tickets, struct env *env,
                                       struct tls_ticket_key *ret_key) TWOLEG_MUST_CHECK;
// The key of this name. UNKNOWN: there is none, or its tickets have expired.
enum twoleg_error tls_tickets_open_key(struct tls_tickets *tickets, struct env *env,
                                       const uint8_t name[static TLS_TICKET_NAME],
                                       struct tls_ticket_key *ret_key) TWOLEG_MUST_CHECK;
// The callers wipe what they got.
void tls_ticket_key_finish(struct tls_ticket_key *key);
