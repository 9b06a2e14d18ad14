# SPDX-License-Identifier: Apache-2.0
"""Connections that are slow, idle, mute, too many, gone, or speak something else: rows A1, A2, A13
to A17, A20 and A26 of the threats."""
import pathlib
import re
import resource
import socket
import struct
import time
import urllib.parse

import pytest

from crowd import Process
from instance import PATIENCE, drain, statuses, token_request, until

CLOSE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEEP = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /oauth/token HTTP/1.1\r\nHost: x\r\n"
GOOD = b"HTTP/1.1 200"


@pytest.fixture
def configured(make_server, tmp_path):
    """A server with these options."""
    def configured(options, **more):
        config = tmp_path / "twoleg.yaml"
        config.write_text(options)
        return make_server(config=config, **more).start()

    return configured


def reset(sock):
    """Ends it by RST, not by FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def metric(text, name):
    return int(re.search(rf"^{re.escape(name)} (\d+)$", text, re.M).group(1))


def counted(server, name):
    """A metric, asked for where no cap and no crowd is in the way."""
    return metric(server.admin("GET", "/metrics").text, name)


def connections(server, what):
    return counted(server, f"twoleg_connections_{what}_total")


def left(server):
    """In one answer: between two of them who asked for the first one is closed, or not yet."""
    text = server.admin("GET", "/metrics").text
    return (metric(text, "twoleg_connections_opened_total")
            - metric(text, "twoleg_connections_closed_total"))


def until_none_is_left(server):
    """All connections that were accepted are closed, but for the one that asks."""
    until(lambda: left(server) == 1, "the connections to be closed")


# ------------------------------------------------------------------ A1, A2: slow
@pytest.mark.measuring
@pytest.mark.parametrize("start,answers", [
    (b"", []), (KEEP[:-2], [408]), (b"GET", [408]), (POST + b"Content-Length: 1000\r\n\r\n", [408]),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n", [408]),
    (POST + b"Content-Length: 9\r\nExpect: 100-continue\r\n\r\n", [100, 408])],
    ids=["nothing", "header", "line", "body", "chunk", "A23_continue"])
def test_A1_A2_slowness_ends_at_an_absolute_deadline(configured, start, answers):
    """Each byte comes in time, the whole does not."""
    server = configured("header_timeout: 300ms\nbody_timeout: 300ms\n" +
                        ("" if start else "idle_timeout: 300ms\n"))
    # Nine bytes would be a whole body; nobody who waits for 100 Continue sends them.
    drips = bool(start) and 100 not in answers
    with server.connect() as sock:
        sock.sendall(start)
        sock.settimeout(0.1)
        began, got, piece = time.monotonic(), b"", b"-"
        while piece and time.monotonic() - began < PATIENCE:
            try:
                piece = sock.recv(1000)
                got += piece
            except TimeoutError:
                if drips:
                    sock.sendall(b"a")
            except ConnectionError:
                piece = b""
    assert not piece, "it is open still"
    assert statuses(got) == answers
    assert got.count(b"Connection: close\r\n") == answers.count(408)
    assert counted(server, "twoleg_http_deadline_total") == answers.count(408)


def test_A1_A2_A3_A18_deadlines_are_ten_seconds_unless_told(server):
    lines = server.cli("config", "default").splitlines()
    for name in ("tls", "header", "body", "write"):
        assert f"#{name}_timeout: 10s" in lines
    assert "#idle_timeout: 60s" in lines


# ------------------------------------------------------------------ A13: kept for ever
@pytest.mark.measuring
def test_A13_requests_keep_a_connection_and_silence_ends_it(configured):
    server = configured("idle_timeout: 1s\n")

    def kept():
        """For three times as long; not by a machine that takes the client away for a second."""
        with server.connect() as sock:
            began = time.monotonic()
            while time.monotonic() - began < 3:
                try:
                    sock.sendall(KEEP)
                    if not sock.recv(4096).startswith(GOOD):
                        return False
                except ConnectionError:
                    return False
            assert drain(sock) == b""
            return True

    assert any(kept() for _ in range(10))


# ------------------------------------------------------------------ A14: no descriptor is left
def spent(process, seconds):
    """The share of a core that it took meanwhile."""
    began, before = time.monotonic(), process.cpu()
    time.sleep(seconds)
    return (process.cpu() - before) / (time.monotonic() - began)


@pytest.mark.measuring
def test_A14_without_descriptors_it_rests_serves_and_recovers(own_server):
    """The limit is lowered under the running server, which else admits no more than it allows."""
    server = own_server
    pid, process = server.process.pid, Process(server.process.pid)
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    known = [server.connect() for _ in range(3)]
    for sock in known:
        sock.sendall(KEEP)
        assert sock.recv(4096).startswith(GOOD)
    for _ in range(3):
        numbers = [int(file.name) for file in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
        # What is free below the highest one is taken by those that come first.
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (max(numbers) + 1, hard))
        late = [server.connect() for _ in range(max(numbers) + 1 - len(numbers) + 5)]
        waiting = late[-1]
        waiting.sendall(KEEP)
        assert spent(process, 0.5) < 0.2, "it spins"
        waiting.settimeout(0.05)
        with pytest.raises(TimeoutError):
            waiting.recv(1)
        for sock in known:
            sock.sendall(KEEP)
            assert sock.recv(4096).startswith(GOOD)
        waiting.settimeout(PATIENCE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
        assert waiting.recv(4096).startswith(GOOD)
        for sock in late:
            sock.close()
        until(lambda: process.files() <= len(numbers), "the descriptors to be closed")
    for sock in known:
        sock.close()


# ------------------------------------------------------------------ A15: too many
def test_A14_A15_connections_over_the_cap_do_no_harm(configured):
    server = configured("max_connections_per_address: 20\nmax_connections: 40\n")
    socks = [server.connect() for _ in range(60)]
    until(lambda: connections(server, "refused") == 40, "those over the cap to be refused")
    kept = 0
    for sock in socks:
        try:
            sock.sendall(CLOSE)
            kept += statuses(drain(sock)) == [200]
        except ConnectionError:
            pass
        sock.close()
    assert kept == 20
    until_none_is_left(server)
    assert statuses(server.raw(CLOSE)) == [200]


def test_A15_a_trusted_proxy_has_the_address_of_many(configured):
    server = configured("max_connections_per_address: 3\nlisten:\n  - address: 127.0.0.1:0\n"
                        "    trusted_proxies: [127.0.0.1]\n  - 127.0.0.2:0\n", listen=())
    urls = pathlib.Path(server.data, "listen").read_text().split()
    places = [urllib.parse.urlsplit(url) for url in urls]

    def served(place):
        """Of six connections that stay open together."""
        socks = [socket.create_connection((place.hostname, place.port), timeout=PATIENCE,
                                          source_address=("127.0.0.1", 0)) for _ in range(6)]
        answers = []
        for sock in socks:
            try:
                sock.sendall(KEEP)
                answers.append(sock.recv(65536)[:len(GOOD)])
            except ConnectionError:
                answers.append(b"")
        for sock in socks:
            sock.close()
        return answers.count(GOOD)

    for _ in range(2):
        assert served(places[0]) == 6
    assert served(places[1]) == 3


def test_A15_a_crowd_does_not_shut_the_operator_out(configured):
    """Who is to end an attack comes in over the admin socket, while all places are taken."""
    server = configured("max_connections: 8\n")
    socks = [server.connect() for _ in range(8)]
    for sock in socks:
        sock.sendall(KEEP)
        assert sock.recv(65536).startswith(GOOD)
    late = [server.connect() for _ in range(20)]
    assert server.cli("status", "--json")["ready"]
    for sock in socks + late:
        sock.close()


def test_A15_the_cap_of_an_address_is_exact_over_all_workers(configured):
    server = configured("workers: 3\nmax_connections_per_address: 10\nmax_connections: 40\n")

    def served(sock):
        try:
            sock.sendall(KEEP)
            return sock.recv(4096).startswith(GOOD)
        except OSError:
            return False

    def reached():
        socks = [server.connect() for _ in range(14)]
        count = sum(served(sock) for sock in socks)
        for sock in socks:
            sock.close()
        assert count <= 10
        return count == 10  # fewer while older ones are still being closed

    until(reached, "ten connections and no more")
    for _ in range(5):
        until(reached, "ten again")


# ------------------------------------------------------------------ A16, A17: gone
def test_A16_half_close_still_gets_its_answer(server, app):
    assert statuses(server.raw(token_request(app), half_close=True)) == [200]


def test_A16_connections_that_are_reset_at_once_leave_nothing(own_server):
    process = Process(own_server.process.pid)
    before = process.files()
    for _ in range(500):
        reset(own_server.connect())
    until_none_is_left(own_server)
    until(lambda: process.files() <= before, "the descriptors to be closed")
    assert statuses(own_server.raw(CLOSE)) == [200]


@pytest.mark.parametrize("end", [socket.socket.close, reset])
def test_A17_disconnect_at_every_byte(own_server, end):
    server = own_server
    app, process = server.app(), Process(server.process.pid)
    assert server.token(app).status == 200
    data, before = token_request(app), process.files()
    for length in range(len(data) + 1):
        sock = server.connect()
        sock.sendall(data[:length])
        end(sock)
    server.local.connection.close()
    until_none_is_left(server)
    assert process.files() < before + 3, "of hundreds of connections"
    assert server.token(app).status == 200


def test_A17_reset_while_answering(own_server):
    server = own_server
    for _ in range(50):
        sock = server.connect()
        sock.sendall(KEEP * 20)
        reset(sock)
    until_none_is_left(server)
    assert statuses(server.raw(CLOSE)) == [200]


# ------------------------------------------------------------------ A20, A26: something else
@pytest.mark.parametrize("data,status", [
    (b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, 400), (b"\0" * 100, 400),
    (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + CLOSE, 400),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0a" + CLOSE, 400), (b"\xff" * 5000, 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)],
    ids=["ssh", "tls", "nul", "A26_proxy_1", "A26_proxy_2", "noise", "A25_http2"])
def test_A20_A25_A26_garbage_is_refused_at_once(server, data, status):
    """Not by a deadline, which is a 408: with one answer, and none to what is behind it."""
    got = server.raw(data)
    assert statuses(got) == [status] and b"Connection: close\r\n" in got


def refusals(server):
    """Lines about bad HTTP: how many there are, and how many they say were left out."""
    lines = [line for line in server.stderr().splitlines() if "event=http_refused" in line]
    assert all(" debug " in line for line in lines)
    return len(lines), sum(int(n) for n in re.findall(r"left_out=(\d+)", "\n".join(lines)))


@pytest.mark.hooks
def test_A20_one_debug_line_each_and_no_more_than_ten_a_second(configured):
    server = configured("workers: 1\nlog_level: debug\n")
    server.hooks.clock(10)  # from now on the second is ours
    assert statuses(server.raw(b"SSH-2.0-OpenSSH_9.2\r\n")) == [400]
    until(lambda: refusals(server) == (1, 0), "one line")
    assert 'peer="127.0.0.1" reason="' in server.stderr()
    came = 1
    # A machine that is slow has seconds enough for all that come, and is asked by more at once.
    while not refusals(server)[1]:
        crowd = [server.connect() for _ in range(min(40 * came, 400))]
        for sock in crowd:
            sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
        for sock in crowd:
            assert statuses(drain(sock)) == [400]
            sock.close()
        came += len(crowd) + 1
        server.hooks.clock(10 + came)  # the next second tells of this one
        server.raw(b"SSH-2.0-OpenSSH_9.2\r\n")
        until(lambda: sum(refusals(server)) == came, "the lines, or their number")
        assert came < 10_000


def test_A20_nothing_is_written_about_garbage_unless_asked_for(own_server):
    own_server.raw(b"SSH-2.0-OpenSSH_9.2\r\n")
    own_server.stop()
    assert refusals(own_server) == (0, 0)
