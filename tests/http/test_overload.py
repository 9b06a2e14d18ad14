# SPDX-License-Identifier: Apache-2.0
"""More than the server can serve: it goes on serving what it can. On the release build, since what
is measured are ratios of cost and bytes of memory; the full size is in tests/long/overload."""
import itertools
import json
import os
import select
import socket
import struct

import bcrypt
import pytest

import crowd
import instance
from authority import Authority
from crowd import Drip, GoodClient, Process, connect_many
from instance import ROOT, Application, Server, drain, statuses, token_request, until

RELEASE = str(ROOT / "build/release/twoleg")
RS256 = "https://rs256.example/"
ASK = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
UNBOUND = ("max_connections: 20000\nmax_connections_per_address: 20000\n"
           "failures_per_address: none\nfailures_per_client: none\nslow_hashes_per_client: none\n")


@pytest.fixture
def release(tmp_path, monkeypatch):
    """Makes servers of the release build, with a configuration."""
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    monkeypatch.setattr(instance, "BINARY", RELEASE)
    crowd.raise_limit(20000)
    made = []

    def make(text, listen=("127.0.0.1:0",)):
        (tmp_path / "twoleg.yaml").write_text(UNBOUND + text)
        made.append(Server(data=tmp_path / "data", config=tmp_path / "twoleg.yaml",
                           listen=listen).start())
        return made[-1]

    yield make
    for server in made:
        server.destroy()


def costs_no_more(usual, crowded, rounds=10):
    """Requests for a second of CPU time, half as many at least in one of some rounds: where what is
    wrong costs a request twice its time, it does so in each."""
    found = []
    while len(found) < rounds:
        found.append(crowded() / usual())
        if found[-1] > 1 / 2:
            return
    pytest.fail(f"of what there is without a crowd: {found}")


def signers(server, count=8):
    """Applications whose tokens are signed on the pool."""
    server.cli("api", "create", RS256, "--algorithm", "RS256")
    return [server.app(name=f"r{i}", audience=RS256, scope="a") for i in range(count)]


@pytest.mark.measuring
def test_A27_ten_times_as_many_who_never_pause_get_as_much_done(release, tmp_path):
    """What a token costs stays what it was: the loops do not refuse away the time in which the
    pool signs. Counted in CPU time of the server, since others work on this machine too."""
    server = release("")
    requests = [token_request(app) for app in signers(server)]
    process = Process(server.process.pid)

    def served(connections):
        before = process.cpu()
        report = crowd.load(server.port, requests, tmp_path, "--connections", connections,
                            "--seconds", 2)
        assert set(report["statuses"]) <= {"200", "503"} and report["broken"] == 0, report
        return report, report["good"] / (process.cpu() - before)

    def crowded():
        report, worth = served(512)
        assert report["refused"], "it was no overload"
        # A connection gets its first refusal at once, and then at most four a second.
        assert report["refused"] <= 512 * (2 + 4 * report["us"] / 1e6), report
        return worth

    costs_no_more(lambda: served(32)[1], crowded)
    # Whoever waits for a second is refused, also where the machine had no time.
    until(lambda: served(8)[0]["refused"] == 0, "the load to be gone, and so its marks")


def test_A27_G1_what_is_revoked_in_a_crowd_is_revoked(release, tmp_path):
    """The crowd asks for signatures by the pool, ten times as many as fit, while others revoke:
    each acknowledgement holds at once, at both doors, and each gets one in the end."""
    server = release("")
    requests = [token_request(app) for app in signers(server)]
    apps = [server.app(name=f, token_format=f, scope="a") for f in ("jwt", "sealed")]
    caller = server.app(name="caller", resource_server=True)
    tokens = [(app, server.bearer(app)) for _ in range(10) for app in apps]
    child = crowd.start_load(server.port, requests, tmp_path, "--connections", 512,
                             "--seconds", 600)

    def acknowledged(app, token):
        status = server.revoke(app, token).status
        assert status in (200, 503), status
        return status == 200

    try:
        until(lambda: Process(server.process.pid).files() > 512, "the crowd")
        for app, token in tokens:
            until(lambda: acknowledged(app, token), "an acknowledgement")
            assert server.check(token).status == 401
            assert not server.active(caller, token)
    finally:
        child.terminate()
    assert crowd.finish_load(child)["refused"], "it was no overload"


@pytest.mark.measuring
def test_A27_whoever_waits_a_second_is_refused_at_once(release):
    """The pause is for clients that do not; and what need not wait for the pool is served."""
    server = release("max_waiting: 1\nworkers: 1\n")
    app = signers(server, 1)[0]
    quick = server.app(name="quick", token_format="sealed")

    def crowd_refused():
        """All ask at the same moment. Somebody is served, since there is one place; a machine that
        goes from client to server and back with each request may serve them all."""
        socks = connect_many(server.port, 50)
        for sock in socks:
            sock.sendall(token_request(app))
        answers = [sock.recv(4096) for sock in socks]
        refused = [answer for answer in answers if answer.startswith(b"HTTP/1.1 503")]
        assert all(b"Retry-After: 1\r\n" in answer for answer in refused), answers
        assert all(b'"temporarily_unavailable"' in answer for answer in refused), answers
        assert len(refused) < 50, "nobody was served"
        assert server.token(quick).status == 200
        for sock in socks:
            sock.close()
        return refused

    until(crowd_refused, "a refusal")
    assert server.cli("app", "list", "--json"), "an operator gets in"


@pytest.mark.measuring
def test_A27_who_asks_for_the_first_time_is_refused_ahead_of_who_asks_again(release, tmp_path):
    """Whoever does not wait the second of Retry-After is let wait, and nobody else: the one place
    is taken by a hash that lasts, one client asks again at once, and another one, who asks after
    that for the first time, has its refusal before."""
    server = release("workers: 1\nmax_waiting: 1\n")
    kept = bcrypt.hashpw(b"the right one", bcrypt.gensalt(11)).decode()
    (tmp_path / "slow.jsonl").write_text(json.dumps({"client_id": "slow",
                                                     "client_secret_hash": kept}))
    server.cli("app", "import", tmp_path / "slow.jsonl")
    guesses = (token_request(Application({"client_id": "slow", "client_secret": f"guess {i}"}))
               for i in itertools.count())  # one that was wrong is remembered, and takes no place

    def ahead():
        with server.connect() as place, server.connect() as again, server.connect() as first:
            place.sendall(next(guesses))
            again.sendall(next(guesses))
            if statuses(again.recv(4096)) != [503]:
                return False  # it has the place
            again.sendall(next(guesses))
            first.sendall(next(guesses))
            heard = select.select([again, first], [], [], instance.PATIENCE)[0]
            refused = [statuses(sock.recv(4096)) for sock in (first, again)]
            compared = statuses(place.recv(4096)) == [401]  # not by a place of the round before
            return compared and heard == [first] and refused == [[503], [503]]

    # A machine that has no time for the test lets both be heard before it looks.
    assert any(ahead() for _ in range(20))


@pytest.mark.measuring
def test_A1_A15_connections_that_drip_end_by_their_deadline_and_disturb_nobody(release):
    server = release("header_timeout: 2s\n")
    app = server.app(token_format="sealed", scope="a")
    good = GoodClient(server, app)
    good.start()
    drip = Drip(connect_many(server.port, 2000), 0.25)
    drip.start()
    drip.join(instance.PATIENCE + 20)
    good.finish()
    assert not good.bad and good.latencies, good.bad
    assert not drip.open, f"{len(drip.open)} of 2000 are still there"
    assert len(drip.closed) == 2000 and drip.unanswered == 0, drip.unanswered
    assert server.process.poll() is None


def growth(server, connect, ask, count, crowds=2):
    """Bytes for each of so many connections: just opened, idle after a request, and likewise when
    the crowd has gone and another one has come; and how many there are in all from now on."""
    process = Process(server.process.pid)
    warm = [connect() for _ in range(50)]
    for sock in warm:
        ask(sock)
        sock.close()
    before, found = process.memory(), []
    for _ in range(crowds):
        socks = [connect() for _ in range(count)]
        found.append((process.memory() - before) / count)
        for sock in socks:
            ask(sock)
        found.append((process.memory() - before) / count)
        open_files = process.files()
        for sock in socks:
            sock.close()
        until(lambda: process.files() <= open_files - count, "the connections to be closed")
    return found, lambda: process.memory() - before


def asked(sock):
    sock.sendall(ASK)
    assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def test_A15_an_idle_connection_holds_at_most_one_kib(release):
    server = release("workers: 1\n")
    found, _ = growth(server, server.connect, asked, 4000)
    assert max(found) < 1024, found


def test_A15_an_idle_tls_connection_holds_at_most_25_kib(release, tmp_path):
    authority = Authority(tmp_path)
    pair = authority.issue("local", "DNS:localhost,IP:127.0.0.1")
    server = release(f"workers: 1\nlisten:\n  - address: 127.0.0.1:0\n    tls: [{pair.yaml()}]\n",
                     listen=())
    context = authority.client()

    def connect():
        sock = socket.create_connection(("127.0.0.1", server.port), timeout=instance.PATIENCE)
        return context.wrap_socket(sock, server_hostname="localhost")

    found, left = growth(server, connect, asked, 300, crowds=1)
    assert max(found) < 25 * 1024, found
    until(lambda: left() < 300 * 5 * 1024, "memory to be given back")


@pytest.mark.measuring
def test_A15_a_crowd_goes_and_everybody_else_is_served(release, tmp_path):
    """And costs them nothing while it is there: CPU time of a good request, since a crowd of
    connections is nothing to wait for, and others work on this machine too."""
    server = release("")
    request, process = token_request(server.app(token_format="sealed")), Process(server.process.pid)

    def worth():
        before = process.cpu()
        report = crowd.load(server.port, [request], tmp_path, "--connections", 4, "--seconds", 1)
        assert report["refused"] == 0 and report["broken"] == 0, report
        return report["good"] / (process.cpu() - before)

    def crowded():
        socks = connect_many(server.port, 3000)
        found = worth()
        for sock in socks[::100]:
            asked(sock)
        many = process.files()
        for sock in socks:
            sock.close()
        until(lambda: process.files() < many - 2990, "the descriptors to be closed")
        return found

    costs_no_more(worth, crowded)
    with server.connect() as sock:
        sock.sendall(ASK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert statuses(drain(sock)) == [200]


def test_A4_what_comes_before_the_end_of_a_header_is_bounded(release):
    """All that may come without an end, and what holds it, on each of many connections."""
    server = release("workers: 1\nheader_timeout: 10m\n")
    process, head = Process(server.process.pid), b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: "
    with server.connect() as other:
        asked(other)
        before = process.memory()
        socks = [server.connect() for _ in range(500)]

        def held():
            return (process.memory() - before) / len(socks)

        for sock in socks:
            sock.sendall(head + b"a" * (16_000 - len(head)))
        # Others are accepted and read between requests, so answers do not tell that all are in.
        until(lambda: held() > 8_000, "the heads to be taken in")
        assert held() < 32 * 1024
        for sock in socks:
            sock.sendall(b"a" * 100_000)
            assert sock.recv(4096).startswith(b"HTTP/1.1 431")
        assert held() < 32 * 1024
        for sock in socks:
            sock.close()
    until(lambda: process.memory() - before < 3 * 1024 * 1024, "memory to be given back")


def test_A12_A13_requests_without_end_on_one_connection_hold_nothing(release):
    """The million of the row is asked in tests/long/overload."""
    server = release("workers: 1\n")
    process = Process(server.process.pid)
    with server.connect() as sock:
        crowd.ask_on(sock, ASK, 5_000)

        def grown():
            before = process.memory()
            crowd.ask_on(sock, ASK, 50_000)
            return process.memory() - before

        # What waits for a client that is slow takes memory once; what each request keeps, always.
        least = min(grown() for _ in range(3))
        assert least < 64 * 1024, "more than a byte for each"


@pytest.mark.measuring
def test_A17_ten_thousand_who_leave_amid_their_request_leave_nothing(release):
    server = release("workers: 1\n")
    process, request = Process(server.process.pid), token_request(server.app())
    with server.connect() as other:
        asked(other)
        files = process.files()

        def leave(count):
            for i in range(count):
                with server.connect() as sock:
                    sock.sendall(request[:i % (len(request) + 1)])
                    if i % 2:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                        struct.pack("ii", 1, 0))
            until(lambda: process.files() <= files, "the descriptors to be closed")
            asked(other)
            return process.memory()

        # The first of them who come while the server has no time are there together, and so make
        # it larger once. A connection has hundreds of bytes, a slab 4 KiB; of these 64 are kept.
        found = [leave(2_000)]
        while len(found) < 4 and (len(found) < 2 or found[-1] - found[-2] >= 1024 * 1024):
            found.append(leave(10_000))
    assert found[-1] - found[-2] < 1024 * 1024, f"of each ten thousand: {found}"


@pytest.mark.measuring
@pytest.mark.parametrize("served", [True, False], ids=["served", "refused"])
def test_A27_ten_times_as_many_who_come_anew_each_time(release, tmp_path, served):
    """A connection for each request: accepting must not take the time of serving, nor refusing that
    of the pool, where no connection tells who comes again."""
    server = release("")
    process = Process(server.process.pid)
    requests = [token_request(server.app(token_format="sealed"))] if served else \
        [token_request(app) for app in signers(server)]

    def worth(connections):
        before = process.cpu()
        report = crowd.load(server.port, requests, tmp_path, "--fresh", "--connections",
                            connections, "--seconds", 1)
        assert report["broken"] == 0, report
        return report["good"] / (process.cpu() - before)

    costs_no_more(lambda: worth(32), lambda: worth(320))
