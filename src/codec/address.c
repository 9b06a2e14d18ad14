// SPDX-License-Identifier: Apache-2.0
#include "codec/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t address_mapped[12] = {[10] = 0xff, [11] = 0xff};

static unsigned address_bits(const struct address *address)
{
    return address->family == ADDRESS_V4 ? 32 : address->family == ADDRESS_V6 ? 128 : 0;
}

static bool address_is_mapped(const struct address *address)
{
    return address->family == ADDRESS_V6 &&
           memcmp(address->bytes, address_mapped, sizeof address_mapped) == 0;
}

static void address_normalise(struct address *address)
{
    if (!address_is_mapped(address))
        return;
    address->family = ADDRESS_V4;
    memmove(address->bytes, address->bytes + 12, 4);
    memset(address->bytes + 4, 0, 12);
}

// As written: a mapped address stays IPv6. inet_pton is strict in glibc: four decimal numbers
// without leading zeros, no zone.
static bool address_read(struct str text, struct address *ret_address)
{
    char copy[INET6_ADDRSTRLEN];
    struct address address = {0};
    if (text.len == 0 || text.len >= sizeof copy || str_find(text, '\0') != text.len)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    bool v6 = str_find(text, ':') != text.len;
    if (inet_pton(v6 ? AF_INET6 : AF_INET, copy, address.bytes) != 1)
        return false;
    address.family = v6 ? ADDRESS_V6 : ADDRESS_V4;
    *ret_address = address;
    return true;
}

enum twoleg_error address_parse(struct str text, struct address *ret_address)
{
    struct address address;
    if (!address_read(text, &address))
        return TWOLEG_MALFORMED;
    address_normalise(&address);
    *ret_address = address;
    return TWOLEG_NONE;
}

// Decimal without a leading zero, so that one number has one spelling.
static bool address_number(struct str text, uint64_t *ret_value)
{
    return (text.len == 1 || !str_starts_with(text, STR("0"))) && str_to_u64(text, ret_value);
}

enum twoleg_error address_parse_port(struct str text, struct address *ret_address)
{
    struct address address;
    uint64_t port;
    bool brackets = str_starts_with(text, STR("["));
    size_t end = str_find(text, brackets ? ']' : ':');
    struct str host = str_slice(text, brackets, end);
    struct str tail = str_slice(text, end + brackets, text.len);
    if (!str_starts_with(tail, STR(":")) || brackets != (str_find(host, ':') != host.len))
        return TWOLEG_MALFORMED;
    enum twoleg_error error = address_parse(host, &address);
    if (error)
        return error;
    if (!address_number(str_slice(tail, 1, tail.len), &port))
        return TWOLEG_MALFORMED;
    if (port > UINT16_MAX)
        return TWOLEG_RANGE;
    address.port = (uint16_t)port;
    *ret_address = address;
    return TWOLEG_NONE;
}

void address_format(struct buf *out, const struct address *address)
{
    if (address->family == ADDRESS_LOCAL) {
        buf_add(out, STR("local"));
        return;
    }
    if (address->family == ADDRESS_V6) {
        char text[INET6_ADDRSTRLEN];
        inet_ntop(AF_INET6, address->bytes, text, sizeof text);
        buf_add(out, str_from(text));
        return;
    }
    for (int i = 0; i < 4; i++) {
        if (i)
            buf_add_char(out, '.');
        buf_add_u64(out, address->bytes[i]);
    }
}

void address_format_port(struct buf *out, const struct address *address)
{
    bool brackets = address->family == ADDRESS_V6;
    if (brackets)
        buf_add_char(out, '[');
    address_format(out, address);
    if (brackets)
        buf_add_char(out, ']');
    if (address->family == ADDRESS_LOCAL)
        return;
    buf_add_char(out, ':');
    buf_add_u64(out, address->port);
}

// Copies instead of casts, since the caller's memory may be of any type.
enum twoleg_error address_from_sockaddr(const struct sockaddr *from, struct address *ret_address)
{
    struct address address = {0};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        address.family = ADDRESS_V4;
        memcpy(address.bytes, &in.sin_addr, 4);
        address.port = ntohs(in.sin_port);
    } else if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        address.family = ADDRESS_V6;
        memcpy(address.bytes, &in6.sin6_addr, 16);
        address.port = ntohs(in6.sin6_port);
        address_normalise(&address);
    } else if (from->sa_family != AF_UNIX) {
        return TWOLEG_UNKNOWN;
    }
    *ret_address = address;
    return TWOLEG_NONE;
}

socklen_t address_to_sockaddr(const struct address *address, struct sockaddr_storage *ret_to)
{
    if (address->family == ADDRESS_V4) {
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(address->port)};
        memcpy(&in.sin_addr, address->bytes, 4);
        memcpy(ret_to, &in, sizeof in);
        return sizeof in;
    }
    if (address->family == ADDRESS_V6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
        memcpy(&in6.sin6_addr, address->bytes, 16);
        memcpy(ret_to, &in6, sizeof in6);
        return sizeof in6;
    }
    return 0;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_loopback(const struct address *address)
{
    static const uint8_t loopback[16] = {[15] = 1};
    if (address->family == ADDRESS_V4)
        return address->bytes[0] == 127;
    return address->family == ADDRESS_V6 &&
           memcmp(address->bytes, loopback, sizeof loopback) == 0;
}

bool address_is_any(const struct address *address)
{
    static const uint8_t any[16] = {0};
    return address->family != ADDRESS_LOCAL && memcmp(address->bytes, any, sizeof any) == 0;
}

struct address address_prefix(const struct address *address, unsigned bits)
{
    struct address prefix = {.family = address->family};
    for (unsigned i = 0; i < sizeof prefix.bytes && bits; i++) {
        unsigned kept = bits < 8 ? bits : 8;
        prefix.bytes[i] = (uint8_t)(address->bytes[i] & (0xff00u >> kept));
        bits -= kept;
    }
    return prefix;
}

enum twoleg_error cidr_parse(struct str text, struct cidr *ret_cidr)
{
    struct address address;
    size_t slash = str_find(text, '/');
    if (!address_read(str_slice(text, 0, slash), &address))
        return TWOLEG_MALFORMED;
    uint64_t bits = address_bits(&address);
    if (slash < text.len && !address_number(str_slice(text, slash + 1, text.len), &bits))
        return TWOLEG_MALFORMED;
    if (bits > address_bits(&address))
        return TWOLEG_RANGE;
    struct address prefix = address_prefix(&address, (unsigned)bits);
    if (!address_equal(&prefix, &address))
        return TWOLEG_RANGE;
    // ::ffff:0:0/96 is all of IPv4; a mapped prefix shorter than 96 bits has set bits behind it.
    if (address_is_mapped(&address)) {
        address_normalise(&address);
        bits -= 96;
    }
    *ret_cidr = (struct cidr){.address = address, .bits = (uint8_t)bits};
    return TWOLEG_NONE;
}

void cidr_format(struct buf *out, const struct cidr *cidr)
{
    address_format(out, &cidr->address);
    buf_add_char(out, '/');
    buf_add_u64(out, cidr->bits);
}

struct address address_network(const struct address *address)
{
    struct address network = *address;
    network.port = 0;
    if (network.family == ADDRESS_V6)
        memset(network.bytes + 8, 0, sizeof network.bytes - 8);
    return network;
}

bool cidr_match(const struct cidr *cidr, const struct address *address)
{
    if (address->family == ADDRESS_LOCAL || address->family != cidr->address.family)
        return false;
    struct address prefix = address_prefix(address, cidr->bits);
    return address_equal(&prefix, &cidr->address);
}
