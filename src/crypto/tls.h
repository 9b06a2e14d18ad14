// SPDX-License-Identifier: Apache-2.0
// TLS 1.2 and 1.3 for listeners. The only place that knows OpenSSL's SSL_*. Three things: the ring
// of ticket keys (one for the process), a set of certificates (immutable, what was read from the
// files) and a connection's session.
#pragma once
#include "base/env.h"
#include "base/error.h"
#include "base/str.h"

#define TLS_REASON 512
#define TLS_DOUBT 96

// Keys of session tickets: made here, never written anywhere, so they end with the process. They
// outlive a change of certificates: a client resumes across it. A ticket is good for 12 hours at
// most; a key makes tickets for 12 hours, opens them for 12 more, and is wiped then or, if nobody
// comes, at the next handshake after that. Any thread.
struct tls_tickets;
struct tls_tickets *tls_tickets_create(void); // NULL without memory
void tls_tickets_destroy(struct tls_tickets *tickets); // after all sets that use them

// Paths of PEM files: the certificate, followed by those between it and the authority, and its key.
struct tls_pair {
    const char *certificate;
    const char *key;
};

// Reads and checks every pair. The first one is shown to clients that name no host or one that no
// certificate is for (RFC 6066 3); else the first whose names match (RFC 6125). REFUSED with words
// for a person, which name the file: unreadable, open to others, key and certificate do not belong
// together, without a host name, too weak. NO_MEMORY. One that has expired, or is not valid yet, is
// taken and shown: refused, it would take away all other certificates and listeners, too.
struct tls_set;
enum twoleg_error tls_set_load(const struct tls_pair *pairs, size_t count,
                               struct tls_tickets *tickets, int64_t now_us,
                               struct tls_set **ret_set,
                               char ret_reason[static TLS_REASON]) TWOLEG_MUST_CHECK;
// What was to be said of the life of the certificate with this number when it was read: that it has
// expired, is not valid yet or ends within 14 days. In words that follow its name; NULL: nothing.
const char *tls_set_doubt(const struct tls_set *set, size_t number);
// Which one before it is shown to everybody who names one of its hosts, so that it is never shown
// itself: with another kind of key, say. Its own number: none, or not one alone.
size_t tls_set_hidden_by(const struct tls_set *set, size_t number);
// When the first of its certificates ends: seconds since 1970.
int64_t tls_set_end(const struct tls_set *set);
void tls_set_release(struct tls_set *set); // NULL accepted; sessions keep what they use

enum tls_result {
    TLS_DONE,
    TLS_WANTS_READ,  // again when the socket is readable
    TLS_WANTS_WRITE, // again when it is writable
    TLS_END,         // the peer will send no more
    TLS_FAILED,      // nothing may follow but tls_destroy
};

// One session, on the socket, which must not block and is not closed here. The env is that of the
// thread on which all of the calls below are made. NULL without memory.
struct tls;
struct tls *tls_create(struct tls_set *set, int fd, struct env *env);
enum tls_result tls_handshake(struct tls *tls);
enum tls_result tls_recv(struct tls *tls, char *ret_bytes, size_t room, size_t *ret_len);
// After WANTS_WRITE the same bytes must come again, though they may have moved. Not for len 0.
enum tls_result tls_send(struct tls *tls, struct str bytes, size_t *ret_len);
// Received already, so that the socket does not tell: tls_recv may have more. Asked after DONE.
bool tls_has_pending(const struct tls *tls);
bool tls_is_resumed(const struct tls *tls);
// Why the handshake failed: static text for the log.
const char *tls_failure(const struct tls *tls);
void tls_shut(struct tls *tls); // close_notify, if that can be sent at once
void tls_destroy(struct tls *tls); // NULL accepted
