// SPDX-License-Identifier: Apache-2.0
// What was read, written and read again is the same; no mapped address is left; a prefix matches
// its own address; what an address is counted by is its prefix of 64 bits, or itself.
#include <string.h>

#include "codec/address.h"
#include "fuzz.h"

static struct str fuzz_text(const struct buf *out)
{
    FUZZ_MUST(!out->failed && out->len < ADDRESS_TEXT_MAX);
    return buf_str(out);
}

static void fuzz_plain(struct str text)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char memory[64];
    struct buf out;
    struct address address;
    struct address again;
    if (address_parse(text, &address))
        return;
    FUZZ_MUST(address.family == ADDRESS_V4 || memcmp(address.bytes, mapped, sizeof mapped) != 0);
    buf_init(&out, memory, sizeof memory);
    address_format(&out, &address);
    FUZZ_MUST(address_parse(fuzz_text(&out), &again) == TWOLEG_NONE);
    FUZZ_MUST(address_equal(&address, &again));
}

static void fuzz_network(const struct address *address)
{
    struct address prefix = address_prefix(address, address->family == ADDRESS_V6 ? 64 : 32);
    struct address network = address_network(address);
    FUZZ_MUST(address_equal(&network, &prefix) && network.port == 0);
}

static void fuzz_port(struct str text)
{
    char memory[64];
    struct buf out;
    struct address address;
    struct address again;
    struct sockaddr_storage storage;
    if (address_parse_port(text, &address))
        return;
    buf_init(&out, memory, sizeof memory);
    address_format_port(&out, &address);
    FUZZ_MUST(address_parse_port(fuzz_text(&out), &again) == TWOLEG_NONE);
    FUZZ_MUST(address_equal(&address, &again) && address.port == again.port);
    fuzz_network(&address);
    address_to_sockaddr(&address, &storage);
    FUZZ_MUST(!address_from_sockaddr((const struct sockaddr *)&storage, &again));
    FUZZ_MUST(address_equal(&address, &again) && address.port == again.port);
}

static void fuzz_cidr(struct str text)
{
    char memory[64];
    struct buf out;
    struct cidr cidr;
    struct cidr again;
    if (cidr_parse(text, &cidr))
        return;
    FUZZ_MUST(cidr_match(&cidr, &cidr.address));
    buf_init(&out, memory, sizeof memory);
    cidr_format(&out, &cidr);
    FUZZ_MUST(cidr_parse(fuzz_text(&out), &again) == TWOLEG_NONE);
    FUZZ_MUST(address_equal(&cidr.address, &again.address) && cidr.bits == again.bits);
}

// As the kernel gives it: whatever family, and a text that fits.
static void fuzz_raw(const uint8_t *data, size_t size)
{
    struct sockaddr_storage storage;
    struct address address;
    char memory[64];
    struct buf out;
    memset(&storage, 0, sizeof storage);
    memcpy(&storage, data, size < sizeof storage ? size : sizeof storage);
    if (address_from_sockaddr((const struct sockaddr *)&storage, &address))
        return;
    buf_init(&out, memory, sizeof memory);
    address_format_port(&out, &address);
    FUZZ_MUST(fuzz_text(&out).len > 0);
    FUZZ_MUST((address_to_sockaddr(&address, &storage) == 0) ==
              (address.family == ADDRESS_LOCAL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of(data, size);
    fuzz_plain(text);
    fuzz_port(text);
    fuzz_cidr(text);
    fuzz_raw(data, size);
    return 0;
}
