# SPDX-License-Identifier: Apache-2.0
"""Everything at once (G9, H10): visitors at every door, over plain sockets, TLS and the admin
socket, while certificates are read again, copies are made and, at the end, the server drains. Each
answer must be the right one. Most of all this is for the tsan build: no report."""
import itertools
import random
import signal
import ssl
import threading

import pytest

from authority import Authority
from instance import (FORMATS, PATIENCE, UNLIMITED, Application, Server, drain, insist, statuses,
                      token_request, until)
from secure import CLOSE, Secure

VISITORS, ROUNDS = 6, 8
ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")


class Busy(Secure):
    """A server with several workers and every door, and what its visitors know."""

    def __init__(self, folder):
        authority = Authority(folder)
        config = folder / "twoleg.yaml"
        config.write_text(f"{UNLIMITED.read_text()}workers: 3\nlisten:\n"
                          "  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n    tls: "
                          f"[{authority.issue('busy', 'DNS:localhost').yaml()}]\n")
        server = Server(data=folder / "data", config=config, listen=())
        server.listeners = 2
        super().__init__(server.start(), authority)
        self.folder, self.serial = folder, itertools.count()
        apis = [f"urn:{algorithm}" for algorithm in ALGORITHMS]
        for identifier in apis:
            server.manage("POST", "apis", None, {"identifier": identifier, "scope": "alpha",
                                                 "algorithm": identifier[4:]})
        self.apps = [server.app(audience=identifier, scope="alpha") for identifier in apis]
        self.apps.append(server.app(scope="alpha", token_format="sealed"))
        self.slow = server.app(scope="alpha", secret="only-sixteen-cha")
        self.caller = server.app(serves=apis, resource_server=True)

    def good(self, app):
        """How its request may be answered. A machine without time has too little of the pool for
        all who ask; what needs no pool is never refused."""
        pooled = app is self.slow or app in self.apps[2:4]
        return [[200], [503]] if pooled else [[200]]


@pytest.fixture
def busy(tmp_path):
    made = Busy(tmp_path)
    yield made
    made.server.destroy()


# ------------------------------------------------------------------ what visitors do
def a_token_lives_and_dies(busy, rng):
    server, app = busy.server, rng.choice(busy.apps)
    token = insist(lambda: server.token(app)).json()["access_token"]
    assert server.check(token).status == 200
    assert server.introspect(busy.caller, token).status == 200
    assert server.revoke(app, token).status == 200
    assert server.check(token).status == 401


def refusals(busy, rng):
    server, app = busy.server, rng.choice(busy.apps)
    wrong = Application({"client_id": app.id, "client_secret": "wrong" * 8})
    assert server.token(wrong).status == 401
    assert server.token(app, scope="beyond").status == 400
    assert server.check("nonsense").status == 401
    assert statuses(server.raw(b"GARBAGE\r\n\r\n")) == [400]
    with server.connect() as sock:
        sock.sendall(token_request(app)[:-9])  # and leaves


def a_slow_secret(busy, rng):
    assert insist(lambda: busy.server.token(busy.slow)).status == 200


def what_is_published(busy, rng):
    for path in ("/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/metrics",
                 "/healthz", "/readyz"):
        assert busy.server.get(path).status == 200


def over_tls(busy, rng):
    context = busy.authority.client()
    with busy.connect(context) as sock:
        for app in rng.sample(busy.apps, 2):
            sock.sendall(token_request(app))
            assert statuses(sock.recv(65536)) in busy.good(app)
        session = sock.session
    with busy.connect(context, session=session) as sock:
        sock.sendall(CLOSE)
        assert statuses(drain(sock)) == [200]
    with busy.plain() as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00")  # and leaves


def an_application_lives_and_dies(busy, rng):
    server = busy.server
    made = Application(server.manage("POST", "applications", None, {
        "client_id": f"v{next(busy.serial)}", "name": "v", "scope": "alpha beta",
        "token_format": rng.choice(FORMATS)}))
    token = server.bearer(made, scope="beta")
    server.update(made, scope="alpha")
    assert server.check(token).status == 401, "nothing is left of its scope"
    token = server.bearer(made)
    server.manage("POST", "application/secrets", made, {"label": "second"})
    server.act("disable", made)
    assert server.check(token).status == 401 and server.token(made).status == 401
    server.act("enable", made)
    assert server.check(token).status == 401 and server.token(made).status == 200
    server.manage("GET", "applications?limit=5")
    server.manage("GET", "audit?after=0&limit=20")
    server.delete(made)
    assert server.token(made).status == 401


ACTS = (a_token_lives_and_dies, a_token_lives_and_dies, refusals, a_slow_secret, what_is_published,
        over_tls, an_application_lives_and_dies)


# ------------------------------------------------------------------ what happens to the server
def certificates_are_read_again(busy):
    before = busy.server.stderr().count("event=reloaded")
    busy.server.process.send_signal(signal.SIGHUP)
    until(lambda: busy.server.stderr().count("event=reloaded") > before, "the reload")


def a_copy_is_made(busy):
    busy.server.manage("POST", "backup", None, {
        "file": f"{busy.server.data}/copy{next(busy.serial)}.db"})


def the_next_key_is_announced(busy):
    answer = busy.server.admin("POST", "/admin/v1/keys/rotate", {"algorithm": "EdDSA"})
    assert answer.status in (200, 201, 409), answer


def the_master_key_is_replaced(busy):
    answer = busy.server.admin("POST", "/admin/v1/master/rotate", {})
    assert answer.status in (200, 409), answer


STIRS = (certificates_are_read_again, a_copy_is_made, the_next_key_is_announced,
         the_master_key_is_replaced)


def test_G9_everything_at_once(busy):
    failures = []

    def visit(seed):
        rng = random.Random(seed)
        try:
            for _ in range(ROUNDS):
                for act in rng.sample(ACTS, len(ACTS)):
                    act(busy, rng)
        except BaseException as failure:
            failures.append(failure)

    visitors = [threading.Thread(target=visit, args=(seed,)) for seed in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    stirred = 0
    for stir in itertools.cycle(STIRS):
        if not any(visitor.is_alive() for visitor in visitors):
            break
        stir(busy)
        stirred += 1
    for visitor in visitors:
        visitor.join()
    assert not failures, failures[0]
    assert stirred >= len(STIRS)


# ------------------------------------------------------------------ and how it ends
def test_H10_G9_it_drains_under_load_at_every_door(busy):
    """Whoever is answered is answered whole; the others find nobody there."""
    halves, whole = [], []

    def ask(connect, app):
        while True:
            received = b""
            try:
                with connect() as sock:
                    sock.sendall(token_request(app, "Connection: close\r\n"))
                    received = drain(sock)
            except ConnectionRefusedError:
                return
            except (OSError, ssl.SSLError):
                pass  # the kernel had taken it, the server never saw it
            good = statuses(received) in busy.good(app) and received.endswith(b"}")
            if received:
                (whole if good else halves).append(received)

    context = busy.authority.client()
    doors = [busy.server.connect, lambda: busy.connect(context)]
    askers = [threading.Thread(target=ask, args=(door, app)) for door in doors
              for app in (busy.apps[0], busy.apps[2], busy.slow)]
    for asker in askers:
        asker.start()
    until(lambda: len(whole) > 60, "load")
    busy.server.process.send_signal(signal.SIGTERM)
    for asker in askers:
        asker.join()
    assert busy.server.process.wait(PATIENCE) == 0
    assert not halves, halves[0]
    busy.server.check_stderr()
