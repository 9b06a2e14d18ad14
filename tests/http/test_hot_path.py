# SPDX-License-Identifier: Apache-2.0
"""Design 3.3: on the paths of token, introspect and check a warm worker allocates nothing and makes
no system call but epoll_wait, recv and send. Counted on the release build, whatever build the
other tests run on: the sanitizers allocate on their own."""
import collections
import http.client
import os
import pathlib
import re
import socket
import struct
import subprocess
import urllib.parse

import pytest

import instance
from authority import Authority
from instance import PATIENCE, ROOT, Server, basic
from traced import Strace

RELEASE = os.environ.get("TWOLEG_RELEASE_BIN", str(ROOT / "build/release/twoleg"))
REQUESTS = 2000
WARM = 200  # the first ones fill caches and pools
# One getrandom(2) fills 4 KiB: 24 bytes of it go into a sealed token, 16 into a jwt's name; of
# another 4 KiB some hundred go into its signature.
RANDOM_MOST = REQUESTS // 25


class HotServer(Server):
    """A release build with one worker and two doors, plain and TLS; its allocations are counted in
    a file."""

    def __init__(self, folder, counter):
        config = folder / "twoleg.yaml"
        self.authority = Authority(folder)
        pair = self.authority.issue("local", "DNS:localhost")
        hosts = {"localhost": "rfc6749", "127.0.0.1": "rfc6749", "same.example": "marketo"}
        config.write_text("workers: 1\nbudget: 1000000/1s\nallow_query_credentials: true\n"
                          "hosts:\n" +
                          "".join(f"  - {{name: {name}, dialect: {dialect}}}\n"
                                  for name, dialect in hosts.items()) +
                          "listen:\n  - 127.0.0.1:0\n  - address: 127.0.0.1:0\n"
                          f"    doors: [public, gate]\n    tls: [{pair.yaml()}]\n")
        super().__init__(data=folder / "data", config=config, listen=())
        self.counts = folder / "counts"
        self.counts.write_bytes(bytes(256 * 16))
        self.counter = counter

    def command(self):
        return ["env", f"LD_PRELOAD={self.counter}", f"COUNT_MALLOC_FILE={self.counts}",
                *super().command()]

    def start(self):
        super().start()
        secure = self.process.stdout.readline().decode().split()[1]  # the second "ready" line
        self.tls_port = urllib.parse.urlsplit(secure).port
        return self

    def connect_tls(self):
        sock = socket.create_connection(("127.0.0.1", self.tls_port), timeout=PATIENCE)
        return self.authority.client().wrap_socket(sock, server_hostname="localhost")

    def allocations(self):
        return dict(struct.iter_unpack("=QQ", self.counts.read_bytes()))

    def busy(self):
        """Nanoseconds of CPU of each thread so far."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        return {int(task.name): int((task / "schedstat").read_text().split()[0])
                for task in tasks.iterdir()}


@pytest.fixture(scope="module")
def hot(tmp_path_factory):
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    folder = tmp_path_factory.mktemp("hot")
    counter = folder / "count_malloc.so"
    source = pathlib.Path(__file__).with_name("count_malloc.c")
    subprocess.run(["cc", "-std=gnu11", "-O2", "-fPIC", "-shared", "-o", counter, source],
                   check=True)
    kept, instance.BINARY = instance.BINARY, RELEASE
    server = HotServer(folder, counter).start()
    yield server
    server.destroy()
    instance.BINARY = kept


def whole_request(method, target, authorization, host="localhost", **fields):
    """In one piece, so that the server needs one recv for it."""
    body = urllib.parse.urlencode(fields)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    if authorization:
        lines.append(f"Authorization: {authorization}")
    if body:
        lines += ["Content-Type: application/x-www-form-urlencoded",
                  f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@pytest.fixture(scope="module")
def requests(hot):
    """What is asked, by name."""
    apps = {kind: hot.app(name=kind, scope="alpha beta", token_format=kind)
            for kind in ("sealed", "jwt")}
    api = hot.app(name="api", resource_server=True)
    tokens = {kind: hot.bearer(app) for kind, app in apps.items()}

    words = [f"scope{i}" for i in range(100)]
    many = hot.app(name="many", scope=" ".join(words), token_format="sealed")

    def issue(app, **fields):
        return whole_request("POST", "/oauth/token", basic(app.id, app.secret),
                             grant_type="client_credentials", **fields)

    def introspect(kind):
        return whole_request("POST", "/oauth/introspect", basic(api.id, api.secret),
                             token=tokens[kind])

    return {
        "sealed issue": issue(apps["sealed"]),
        "ES256 issue": issue(apps["jwt"]),
        "issue of many scopes": issue(many, scope=" ".join(reversed(words))),
        "issue by post": whole_request(
            "POST", "/oauth/token", None, grant_type="client_credentials",
            client_id=apps["sealed"].id, client_secret=apps["sealed"].secret),
        "the same reference again": whole_request(
            "GET", "/identity/oauth/token?grant_type=client_credentials&" + urllib.parse.urlencode(
                {"client_id": apps["jwt"].id, "client_secret": apps["jwt"].secret}), None,
            "same.example"),
        "sealed introspection": introspect("sealed"),
        "seen ES256 introspection": introspect("jwt"),
        "check sealed": whole_request("GET", "/check", "Bearer " + tokens["sealed"]),
        "check seen ES256": whole_request("GET", "/check", "Bearer " + tokens["jwt"]),
    }


NAMES = ["sealed issue", "ES256 issue", "issue of many scopes", "issue by post",
         "the same reference again", "sealed introspection", "seen ES256 introspection",
         "check sealed", "check seen ES256"]


def ask(sock, request, times):
    for _ in range(times):
        sock.sendall(request)
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        body = answer.read()
        assert answer.status == 200, (answer.status, body)
        assert b'"active":false' not in body


# TLS has buffers for a record while one is read or written, whoever asks.
WAYS = [("plain", name) for name in NAMES] + [("TLS", name) for name in NAMES[:2] + NAMES[-2:]]


@pytest.mark.parametrize("way,name", WAYS)
def test_a_warm_worker_allocates_nothing(hot, requests, way, name):
    with hot.connect_tls() if way == "TLS" else hot.connect() as sock:
        ask(sock, requests[name], WARM)
        busy, allocations = hot.busy(), hot.allocations()
        ask(sock, requests[name], REQUESTS)
    worked = {thread: ns - busy.get(thread, 0) for thread, ns in hot.busy().items()}
    worker = max(worked, key=worked.get)
    grown = hot.allocations().get(worker, 0) - allocations.get(worker, 0)
    assert worker in allocations, "the counter never saw the worker's thread"
    assert grown == 0, f"{grown} allocations in {REQUESTS} requests"


def test_the_counter_counts(hot):
    """A first connection is allocated: that must be seen, or the zeros above say nothing."""
    before = sum(hot.allocations().values())
    hot.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert sum(hot.allocations().values()) > before


def by_thread(strace):
    calls = collections.defaultdict(collections.Counter)
    # "<... epoll_wait resumed>" is the second half of a call that was counted already.
    for line in strace.lines():
        found = re.match(r"(\d+) +(\w+)\(", line)
        if found:
            calls[int(found.group(1))][found.group(2)] += 1
    return calls


@pytest.mark.parametrize("way,name", WAYS)
def test_a_warm_worker_calls_but_epoll_recv_and_send(hot, requests, tmp_path, way, name):
    recv, send = ("read", "write") if way == "TLS" else ("recvfrom", "sendto")
    with hot.connect_tls() if way == "TLS" else hot.connect() as sock:
        ask(sock, requests[name], WARM)
        with Strace(hot.process.pid, tmp_path / "calls") as strace:
            ask(sock, requests[name], REQUESTS)
    worker = max(by_thread(strace).values(), key=lambda calls: calls[recv])
    assert worker.pop(recv) == REQUESTS
    assert worker.pop(send) == REQUESTS
    # One more for the sweep of the deadlines, four times a second.
    assert worker.pop("epoll_wait", 0) + worker.pop("epoll_pwait", 0) <= 1.1 * REQUESTS
    assert worker.pop("getrandom", 0) <= RANDOM_MOST
    assert not worker
