// SPDX-License-Identifier: Apache-2.0
// IP addresses and prefixes. One address has one form: an IPv4-mapped IPv6 address becomes IPv4
// wherever it comes in (threat F2), and every other spelling but the usual ones is refused (F3).
#pragma once
#include <sys/socket.h>

#include "base/buf.h"
#include "base/error.h"

enum address_family {
    ADDRESS_LOCAL = 0, // a Unix socket's peer: no address; no prefix matches it
    ADDRESS_V4 = 4,
    ADDRESS_V6 = 6,
};

struct address {
    uint8_t family;    // enum address_family
    uint8_t bytes[16]; // network order; IPv4 in the first four, the others zero
    uint16_t port;     // host order; 0 = none. Not part of the comparison
};

#define ADDRESS_TEXT_MAX 48 // bytes of the longest text, "[v6]:port"

// Four decimal numbers without leading zeros, or IPv6 without brackets and zone. MALFORMED.
TWOLEG_MUST_CHECK
enum twoleg_error address_parse(struct str text, struct address *ret_address);
// "1.2.3.4:80", "[2001:db8::1]:80"; the port 0 to 65535 is required. MALFORMED, RANGE (port).
TWOLEG_MUST_CHECK
enum twoleg_error address_parse_port(struct str text, struct address *ret_address);

// RFC 5952; "local" for a Unix peer.
void address_format(struct buf *out, const struct address *address);
void address_format_port(struct buf *out, const struct address *address);

// AF_INET, AF_INET6 and AF_UNIX; UNKNOWN for any other.
TWOLEG_MUST_CHECK
enum twoleg_error address_from_sockaddr(const struct sockaddr *from, struct address *ret_address);
// For bind and connect; 0 for ADDRESS_LOCAL.
socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret_to);

bool address_equal(const struct address *a, const struct address *b); // without the port
bool address_is_loopback(const struct address *address);
bool address_is_any(const struct address *address); // 0.0.0.0 or ::, whatever its port is
// The address with all bits behind the first `bits` zero, without port.
struct address address_prefix(const struct address *address, unsigned bits);
// What peers are counted by: the /64 of IPv6, of which one machine has all; else the address.
struct address address_network(const struct address *address);

struct cidr {
    struct address address;
    uint8_t bits; // 0 to 32 or 128
};

// "10.0.0.0/8", or an address alone (its full length). MALFORMED; RANGE: too many bits, or bits
// set behind the prefix, where a person probably meant another one.
TWOLEG_MUST_CHECK
enum twoleg_error cidr_parse(struct str text, struct cidr *ret_cidr);
void cidr_format(struct buf *out, const struct cidr *cidr); // always with /bits
bool cidr_match(const struct cidr *cidr, const struct address *address);
