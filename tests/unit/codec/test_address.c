// SPDX-License-Identifier: Apache-2.0
#include "codec/address.h"

#include <netinet/in.h>
#include <sys/un.h>

#include "codec_test.h"

static char memory[128];
static struct buf out;

static struct str shown(const struct address *address)
{
    buf_init(&out, memory, sizeof memory);
    address_format(&out, address);
    return buf_str(&out);
}

static struct str shown_port(const struct address *address)
{
    buf_init(&out, memory, sizeof memory);
    address_format_port(&out, address);
    return buf_str(&out);
}

static struct address parsed(const char *text)
{
    struct address address;
    assert_error(address_parse(str_from(text), &address), TWOLEG_NONE, str_from(text));
    return address;
}

static struct cidr range(const char *text)
{
    struct cidr cidr;
    assert_error(cidr_parse(str_from(text), &cidr), TWOLEG_NONE, str_from(text));
    return cidr;
}

static void rfc5952_4_one_text_for_each_address(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"0.0.0.0", "0.0.0.0"},
        {"255.255.255.255", "255.255.255.255"},
        {"10.20.30.4", "10.20.30.4"},
        {"::", "::"},
        {"::1", "::1"},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
        {"2001:0db8::0001", "2001:db8::1"},
        {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
        {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
        {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address = parsed(rows[i][0]);
        assert_text(shown(&address), str_from(rows[i][1]));
    }
}

static void F2_mapped_addresses_are_ipv4(void **state)
{
    (void)state;
    static const char *const mapped[] = {"::ffff:10.0.0.1", "::FFFF:a00:1", "0:0:0:0:0:ffff:a00:1"};
    struct address plain = parsed("10.0.0.1");
    for (size_t i = 0; i < COUNT(mapped); i++) {
        struct address address = parsed(mapped[i]);
        assert_true(address_equal(&address, &plain));
        assert_text(shown(&address), STR("10.0.0.1"));
    }
    struct address near = parsed("::fffe:10.0.0.1");
    assert_int_equal(near.family, ADDRESS_V6);
    near = parsed("::10.0.0.1");
    assert_int_equal(near.family, ADDRESS_V6);
}

static void F3_other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", " ", "1", "1.2", "1.2.3", "1.2.3.4.5", "010.0.0.1", "1.2.3.04", "00.0.0.0", "256.1.1.1",
        "1.2.3.256", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1..2.3", ".1.2.3", "1.2.3.", "-1.2.3.4",
        "+1.2.3.4", "0x7f.1", "0x7f.0.0.1", "2130706433", "127.1", "1.2.3.4/8", "1.2.3.a",
        "1,2,3,4",
        "1.2.3.0004", "1.2.3.99999999999999999999", "localhost", "local", "unknown", "*",
        ":", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "::12345", "::g", "[::1]",
        "::1%eth0", "fe80::1%1", "::1.2.3", "::1.2.3.04", "::256.1.1.1", "1:2:3:4:5:6:7:1.2.3.4",
        "::ffff:1.2.3.4.5", "1:", ":1", "1:2:3:4:5:6:7:", "::1/128", "::1 ", "0::0::0",
        "11111111111111111111111111111111111111111111111111",
    };
    struct address address;
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_error(address_parse(str_from(bad[i]), &address), TWOLEG_MALFORMED, str_from(bad[i]));
    assert_error(address_parse(STR("1.2.3.4\0x"), &address), TWOLEG_MALFORMED, STR(""));
    assert_error(address_parse(STR_NONE, &address), TWOLEG_MALFORMED, STR(""));
}

static void addresses_with_ports(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:0", "127.0.0.1:8080", "[::1]:65535",
                                       "[2001:db8::1]:443"};
    static const char *const bad[] = {
        "", ":", ":80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:080", "1.2.3.4:+80", "1.2.3.4:80 ",
        "1.2.3.4:http", "1.2.3.4:80:80", "::1:80", "[::1]", "[::1]80", "[::1:80", "[::1] :80",
        "[1.2.3.4]:80", "[]:80", "[::1%lo]:80", "localhost:80", "1.2.3.4:-1", "[::1]]:80",
    };
    struct address address;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_error(address_parse_port(str_from(good[i]), &address), TWOLEG_NONE,
                     str_from(good[i]));
        assert_text(shown_port(&address), str_from(good[i]));
    }
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_error(address_parse_port(str_from(bad[i]), &address), TWOLEG_MALFORMED,
                     str_from(bad[i]));
    assert_error(address_parse_port(STR("1.2.3.4:65536"), &address), TWOLEG_RANGE, STR(""));
    assert_error(address_parse_port(STR("[::ffff:1.2.3.4]:8"), &address), TWOLEG_NONE, STR(""));
    assert_text(shown_port(&address), STR("1.2.3.4:8"));
}

static void sockaddr_goes_round(void **state)
{
    (void)state;
    static const char *const rows[] = {"192.0.2.7:8080", "[2001:db8::7]:443"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct sockaddr_storage storage;
        struct address address;
        struct address back;
        assert_false(address_parse_port(str_from(rows[i]), &address));
        socklen_t len = address_to_sockaddr(&address, &storage);
        assert_int_equal(len, i ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
        assert_int_equal(address_from_sockaddr((struct sockaddr *)&storage, &back), TWOLEG_NONE);
        assert_text(shown_port(&back), str_from(rows[i]));
    }
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6, .sin6_port = htons(9)};
    mapped.sin6_addr.s6_addr[10] = mapped.sin6_addr.s6_addr[11] = 0xff;
    mapped.sin6_addr.s6_addr[15] = 5;
    struct address address;
    assert_int_equal(address_from_sockaddr((struct sockaddr *)&mapped, &address), TWOLEG_NONE);
    assert_text(shown_port(&address), STR("0.0.0.5:9"));
}

static void a_unix_peer_is_local(void **state)
{
    (void)state;
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    struct sockaddr_storage storage;
    struct address address;
    assert_int_equal(address_from_sockaddr((struct sockaddr *)&un, &address), TWOLEG_NONE);
    assert_text(shown(&address), STR("local"));
    assert_text(shown_port(&address), STR("local"));
    assert_int_equal(address_to_sockaddr(&address, &storage), 0);
    assert_false(address_is_loopback(&address));
    struct cidr all4 = range("0.0.0.0/0");
    struct cidr all6 = range("::/0");
    assert_false(cidr_match(&all4, &address));
    assert_false(cidr_match(&all6, &address));
    struct sockaddr other = {.sa_family = AF_PACKET};
    assert_int_equal(address_from_sockaddr(&other, &address), TWOLEG_UNKNOWN);
}

static void loopback_and_prefix(void **state)
{
    (void)state;
    static const char *const loopback[] = {"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"};
    static const char *const others[] = {"126.0.0.1", "128.0.0.1", "0.0.0.0", "::", "::2",
                                         "7f00::1"};
    for (size_t i = 0; i < COUNT(loopback); i++) {
        struct address address = parsed(loopback[i]);
        assert_true(address_is_loopback(&address));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        struct address address = parsed(others[i]);
        assert_false(address_is_loopback(&address));
    }
    struct address address = parsed("2001:db8:1:2:ffff:ffff:ffff:ffff");
    struct address prefix = address_prefix(&address, 64);
    assert_text(shown(&prefix), STR("2001:db8:1:2::"));
    prefix = address_prefix(&address, 63);
    assert_text(shown(&prefix), STR("2001:db8:1:2::"));
    prefix = address_prefix(&address, 62);
    assert_text(shown(&prefix), STR("2001:db8:1::"));
    prefix = address_prefix(&address, 200);
    assert_true(address_equal(&prefix, &address));
}

static void F3_cidr_edges_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *cidr, *inside[3], *outside[3];
    } rows[] = {
        {"0.0.0.0/0", {"0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"}, {"::1", "::", "::2"}},
        {"10.0.0.0/8", {"10.0.0.0", "10.255.255.255", "::ffff:10.0.0.1"},
         {"9.255.255.255", "11.0.0.0", "a00::"}},
        {"192.0.2.128/25", {"192.0.2.128", "192.0.2.255", "192.0.2.200"},
         {"192.0.2.127", "192.0.3.0", "193.0.2.129"}},
        {"192.0.2.4/31", {"192.0.2.4", "192.0.2.5", "192.0.2.4"},
         {"192.0.2.3", "192.0.2.6", "192.0.3.4"}},
        {"192.0.2.5", {"192.0.2.5", "192.0.2.5", "::ffff:192.0.2.5"},
         {"192.0.2.4", "192.0.2.6", "::192.0.2.5"}},
        {"::/0", {"::", "::1", "ffff::"}, {"0.0.0.0", "1.2.3.4", "::ffff:1.2.3.4"}},
        {"2001:db8::/33", {"2001:db8::", "2001:db8:7fff:ffff::1", "2001:db8::5"},
         {"2001:db8:8000::", "2001:db7::", "2001:db9::"}},
        {"2001:db8::1/128", {"2001:db8::1", "2001:db8::1", "2001:db8::1"},
         {"2001:db8::", "2001:db8::2", "2001:db8::3"}},
        {"::ffff:0:0/96", {"0.0.0.0", "255.1.2.3", "::ffff:9.9.9.9"}, {"::1", "::", "1::"}},
        {"::ffff:10.0.0.0/104", {"10.0.0.0", "10.9.9.9", "10.255.255.255"},
         {"11.0.0.0", "9.255.255.255", "::a00:0"}},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cidr cidr = range(rows[i].cidr);
        for (size_t k = 0; k < 3; k++) {
            struct address in = parsed(rows[i].inside[k]);
            struct address not_in = parsed(rows[i].outside[k]);
            if (!cidr_match(&cidr, &in) || cidr_match(&cidr, &not_in))
                fail_msg("%s: %s or %s", rows[i].cidr, rows[i].inside[k], rows[i].outside[k]);
        }
    }
}

static void F3_bad_cidrs_are_refused(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "", "/", "/8", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8 ",
        "10.0.0.0 /8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0", "10/8", "010.0.0.0/8", "0x0a.0.0.0/8",
        "1.2.3/24", "::1%lo/128", "[::1]/128", "10.0.0.0/a", "10.0.0.0/99999999999999999999",
    };
    static const char *const range_errors[] = {
        "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/4", "1.2.3.5/31", "::/129", "2001:db8::1/64",
        "::ffff:0:0/90", "::ffff:10.0.0.1/104", "128.0.0.0/0", "::ffff:0:0/0", "10.0.0.0/256",
        "10.0.0.0/4294967304",
    };
    struct cidr cidr;
    for (size_t i = 0; i < COUNT(malformed); i++)
        assert_error(cidr_parse(str_from(malformed[i]), &cidr), TWOLEG_MALFORMED,
                     str_from(malformed[i]));
    for (size_t i = 0; i < COUNT(range_errors); i++) {
        struct str text = str_from(range_errors[i]);
        assert_error(cidr_parse(text, &cidr), TWOLEG_RANGE, text);
    }
}

static void cidr_text_goes_round(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"10.0.0.0/8", "10.0.0.0/8"},
                                          {"1.2.3.4", "1.2.3.4/32"},
                                          {"::1", "::1/128"},
                                          {"::ffff:0:0/96", "0.0.0.0/0"},
                                          {"::ffff:1.2.3.4", "1.2.3.4/32"},
                                          {"2001:db8::/32", "2001:db8::/32"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct cidr cidr = range(rows[i][0]);
        buf_init(&out, memory, sizeof memory);
        cidr_format(&out, &cidr);
        assert_text(buf_str(&out), str_from(rows[i][1]));
    }
}

static void peers_are_counted_by_their_64_or_by_their_address(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"[2001:db8:0:1:2:3:4:5]:9", "2001:db8:0:1::"},
                                          {"[::ffff:1.2.3.4]:9", "1.2.3.4"},
                                          {"192.0.2.255:9", "192.0.2.255"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address address, expected;
        assert_int_equal(address_parse_port(str_from(rows[i][0]), &address), TWOLEG_NONE);
        assert_int_equal(address_parse(str_from(rows[i][1]), &expected), TWOLEG_NONE);
        struct address network = address_network(&address);
        assert_true(address_equal(&network, &expected) && network.port == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc5952_4_one_text_for_each_address),
        cmocka_unit_test(F2_mapped_addresses_are_ipv4),
        cmocka_unit_test(F3_other_spellings_are_refused),
        cmocka_unit_test(addresses_with_ports),
        cmocka_unit_test(sockaddr_goes_round),
        cmocka_unit_test(a_unix_peer_is_local),
        cmocka_unit_test(loopback_and_prefix),
        cmocka_unit_test(F3_cidr_edges_are_exact),
        cmocka_unit_test(F3_bad_cidrs_are_refused),
        cmocka_unit_test(cidr_text_goes_round),
        cmocka_unit_test(peers_are_counted_by_their_64_or_by_their_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
