# SPDX-License-Identifier: Apache-2.0
"""Row B2: whoever is refused has cost the same work, whatever there is of the client. Counted in
instructions of the release build, by callgrind, from the receive of a request to the send of its
answer: unlike time, that is the same on every run and on every machine."""
import contextlib
import http.client
import os
import re
import shutil
import urllib.parse

import pytest

import instance
from instance import PATIENCE, ROOT, Application, Server, basic, basic_raw, until

RELEASE = os.environ.get("TWOLEG_RELEASE_BIN", str(ROOT / "build/release/twoleg"))
REQUESTS = 200
WARM = 10
# What a difference may be, of the whole request: a search in a table takes some steps more or less.
MOST = 0.01
# Lines of the log are sampled by the second, so they would be counted for some clients only.
OPTIONS = "workers: 1\nsandbox: false\nlog_requests: none\n"


class CountedServer(Server):
    """A server whose instructions are counted while it serves a connection; those since the last
    one are written to a file when it is asked for /healthz."""

    def __init__(self, folder):
        config = folder / "twoleg.yaml"
        config.write_text(OPTIONS + instance.UNLIMITED.read_text())
        super().__init__(data=folder / "data", config=config)
        self.counts, self.parts = folder / "counts", 0

    def command(self):
        return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.counts}",
                "--toggle-collect=connection_on_readable*", "--dump-before=endpoint_healthz*",
                *super().command()]

    def counted(self):
        """Instructions since the last call."""
        assert self.get("/healthz").status == 200
        self.parts += 1
        part = self.counts.with_name(f"counts.{self.parts}")
        until(lambda: part.exists() and "\ntotals:" in part.read_text(), f"{part}")
        return int(re.search(r"^summary: (\d+)", part.read_text(), re.M).group(1))


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed: apt-get install valgrind")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(instance, "BINARY", RELEASE)
        patch.setattr(instance, "PATIENCE", 10 * PATIENCE)  # it runs fifty times slower
        server = CountedServer(tmp_path_factory.mktemp("equal")).start()
        yield server
        server.destroy()


# Every id and every secret has the length of the others: those are the client's own.
def client_id(name):
    return f"client-{name:-<12}"


def wrong(secret):
    return secret[:-8] + ("A" * 8 if secret[-8:] != "A" * 8 else "B" * 8)


def made(server, name, secrets=1, **fields):
    app = Application(server.manage("POST", "applications", None,
                                    {"name": name, "client_id": client_id(name), **fields}))
    for _ in range(secrets - 1):
        server.manage("POST", "application/secrets", app, {})
    if secrets == 0:
        server.remove_secret(app)
    return app


@pytest.fixture(scope="module")
def clients(counted):
    """Who is refused, by what there is of them: id and secret."""
    apps = {name: made(counted, name, secrets)
            for name, secrets in (("one", 1), ("two", 2), ("ten", 10), ("none", 0))}
    for kind in ("sealed", "reference"):
        apps[kind] = made(counted, kind, token_format=kind)
    for name in ("disabled", "deleted"):
        apps[name] = made(counted, name)
    apps["elsewhere"] = made(counted, "elsewhere", dialects="rti-sms smscx")
    counted.act("disable", apps["disabled"])
    counted.delete(apps["deleted"])
    asked = {name: (app.id, wrong(app.secret)) for name, app in apps.items()}
    asked["disabled, right secret"] = (apps["disabled"].id, apps["disabled"].secret)
    asked["elsewhere, right secret"] = (apps["elsewhere"].id, apps["elsewhere"].secret)
    asked["unknown"] = (client_id("nobody"), wrong(apps["one"].secret))
    return asked


def encoded(text):
    """Each character percent-encoded, as RFC 6749 section 2.3.1 allows: a second spelling."""
    return "".join(f"%{ord(c):02x}" for c in text)


WAYS = {
    "token, Basic": ("/oauth/token", "grant_type=client_credentials", basic_raw),
    "token, Basic in two spellings": (
        "/oauth/token", "grant_type=client_credentials",
        lambda name, secret: basic_raw(encoded(name), encoded(secret))),
    "token, body": ("/oauth/token", "grant_type=client_credentials", None),
    "introspect, Basic": ("/oauth/introspect", "token=x", basic),
    "revoke, Basic": ("/oauth/revoke", "token=x", basic),
}


def request_bytes(way, name, secret):
    path, body, header = WAYS[way]
    if not header:
        body += "&" + urllib.parse.urlencode({"client_id": name, "client_secret": secret})
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}",
             "Content-Type: application/x-www-form-urlencoded"]
    if header:
        lines.append(f"Authorization: {header(name, secret)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def ask(sock, request, times):
    for _ in range(times):
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert b"invalid_client" in answer.read()
        assert answer.status == 401


def instructions(server, request):
    """Of one such request."""
    with contextlib.closing(server.connect()) as sock:
        ask(sock, request, WARM)
        server.counted()
        ask(sock, request, REQUESTS)
        return server.counted() / REQUESTS


def apart(cost):
    """Who costs another amount than an unknown id, and by how much."""
    usual = cost["unknown"]
    return {name: f"{count / usual - 1:+.2%}" for name, count in cost.items()
            if abs(count / usual - 1) > MOST}


@pytest.mark.parametrize("way", WAYS)
def test_B2_every_refusal_costs_the_same_instructions(counted, clients, way):
    """What else a server does by the clock (a line of the log in each tenth of a second, a sweep)
    falls into some counts and can only add to them: who is apart is counted again, and the least
    of three counts is that client's."""
    cost = {name: instructions(counted, request_bytes(way, *asked))
            for name, asked in clients.items()}
    for _ in range(2):
        for name in {"unknown", *apart(cost)} if apart(cost) else ():
            again = instructions(counted, request_bytes(way, *clients[name]))
            cost[name] = min(cost[name], again)
    print(way, {name: round(count) for name, count in cost.items()})
    assert not apart(cost), f"{apart(cost)} against an unknown id: {cost}"


def test_the_counter_counts(counted):
    """A request with a longer name to parse costs more: else the equal counts above say nothing."""
    short = request_bytes("token, Basic", "x" * 20, "y" * 40)
    longer = request_bytes("token, Basic", "x" * 500, "y" * 40)
    assert instructions(counted, longer) > 1.03 * instructions(counted, short) > 1000
