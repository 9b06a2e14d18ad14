# SPDX-License-Identifier: Apache-2.0
"""More connections than there are places, of which most mean nothing: whoever asks is served."""
import pathlib
import socket
import ssl
import urllib.parse

import pytest

from authority import Authority
from instance import PATIENCE, UnixConnection, drain, statuses, until
from secure import CLOSE, KEEP, Secure

PLACES = 40


@pytest.fixture
def flooded(make_server, tmp_path):
    """A server with a listener of each kind; its certificate is of `authority`."""
    authority = Authority(tmp_path)
    pair = authority.issue("local", "DNS:localhost,IP:127.0.0.1")

    def make(more, trusted=""):
        config = tmp_path / "twoleg.yaml"
        config.write_text(f"listen:\n  - address: 127.0.0.1:0\n    tls: [{pair.yaml()}]\n{trusted}"
                          f"  - 127.0.0.1:0\n  - unix:{tmp_path}/public.sock\n{more}")
        secure = Secure(make_server(config=config, listen=()).start(), authority)
        secure.path = str(tmp_path / "public.sock")
        urls = pathlib.Path(secure.server.data, "listen").read_text().split()
        [secure.plain_port] = [urllib.parse.urlsplit(url).port for url in urls
                               if url.startswith("http:")]
        return secure

    return make


def hello(secure):
    outgoing = ssl.MemoryBIO()
    client = secure.authority.client().wrap_bio(ssl.MemoryBIO(), outgoing,
                                                server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def come(secure, count, said=b"", port=None):
    """So many connections that say this and no more, a few from each address."""
    taken = secure.metric("twoleg_connections_opened_total")
    socks = []
    for i in range(count):
        sock = socket.create_connection(("127.0.0.1", port or secure.port), timeout=PATIENCE,
                                        source_address=(f"127.0.0.{10 + i // 9}", 0))
        try:
            sock.sendall(said)
        except ConnectionError:
            pass  # it has gone for another one already
        socks.append(sock)
    until(lambda: secure.metric("twoleg_connections_opened_total") >= taken + count, "them")
    return socks


def local(secure):
    connection = UnixConnection(secure.path)
    connection.request("GET", "/healthz")
    status = connection.getresponse().status
    connection.close()
    return status


def plain(secure):
    with socket.create_connection(("127.0.0.1", secure.plain_port), timeout=PATIENCE) as sock:
        sock.sendall(CLOSE)
        return statuses(drain(sock))


def kept(sock):
    sock.sendall(KEEP)
    return sock.recv(65536)[:12]


@pytest.mark.parametrize("kind", ["silent", "hello", "fresh"])
def test_A1_A15_A18_A27_a_flood_that_asks_for_nothing_goes_first(flooded, kind):
    """Those who connect and say nothing, who stop amid their handshake, who connect in the clear
    and ask for nothing: ten times as many as there are places, from many addresses."""
    secure = flooded(f"max_connections: {PLACES}\nworkers: 2\n")
    said = hello(secure) if kind == "hello" else b""
    port = secure.plain_port if kind == "fresh" else None
    socks = []
    with secure.connect() as regular:
        assert kept(regular) == b"HTTP/1.1 200"
        for _ in range(10):
            socks += come(secure, PLACES, said, port)
            assert kept(regular) == b"HTTP/1.1 200", "who was there is served"
            assert statuses(secure.ask()) == [200], "who comes gets in"
            assert plain(secure) == [200] and local(secure) == 200
    assert secure.metric("twoleg_connections_refused_total") == 0
    gone = secure.metric("twoleg_connections_displaced_total")
    assert 9 * PLACES <= gone <= 10 * (PLACES + 3), gone
    for sock in socks:
        sock.close()


def test_A15_A27_who_keeps_a_place_without_using_it_goes_for_who_comes(flooded):
    """They have asked once, so they count as known: only after a second, and the oldest first."""
    secure = flooded("max_connections: 8\nmax_connections_per_address: 9\nworkers: 1\n")
    socks = []
    # Without a look at the metrics, whose connection would have a place until its end is noticed.
    for _ in range(8):
        socks.append(socket.create_connection(("127.0.0.1", secure.plain_port), timeout=PATIENCE))
        assert kept(socks[-1]) == b"HTTP/1.1 200"

    def served():
        try:
            return plain(secure) == [200]
        except ConnectionError:
            return False

    until(served, "a place")
    assert drain(socks[0]) == b"", "the oldest went"
    for sock in socks:
        sock.close()


def shakes(secure, source):
    """Whether a handshake from this address is completed."""
    raw = socket.create_connection(("127.0.0.1", secure.port), timeout=PATIENCE,
                                   source_address=(source, 0))
    try:
        with secure.authority.client().wrap_socket(raw, server_hostname="localhost") as sock:
            sock.sendall(CLOSE)
            return statuses(drain(sock)) == [200]
    except OSError:
        raw.close()
        return False


def test_A18_A27_an_address_has_so_many_handshakes(flooded):
    secure = flooded("handshakes_per_address: 5/1d\n", "    trusted_proxies: [127.0.0.8]\n")
    for sock in come(secure, 9):
        sock.close()  # nothing was said, nothing is charged
    assert [shakes(secure, "127.0.0.10") for _ in range(8)] == [True] * 5 + [False] * 3
    assert secure.metric('twoleg_limited_total{limit="handshakes_per_address"}') == 3
    assert shakes(secure, "127.0.0.11"), "another address"
    assert all(shakes(secure, "127.0.0.8") for _ in range(8)), "a proxy is many"
    with socket.create_connection(("127.0.0.1", secure.plain_port), timeout=PATIENCE,
                                  source_address=("127.0.0.10", 0)) as sock:
        sock.sendall(CLOSE)
        assert statuses(drain(sock)) == [200]
