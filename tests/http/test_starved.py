# SPDX-License-Identifier: Apache-2.0
"""Row H20: little memory and little processor time, by control groups of the tests' own (as root;
where none can be made, these are skipped). On the release build, which is what is so limited."""
import http.client
import os
import pathlib
import signal
import time

import pytest

import crowd
import instance
from instance import PATIENCE, ROOT, Server, drain, statuses, token_request, until

RELEASE = str(ROOT / "build/release/twoleg")
GROUPS = pathlib.Path("/sys/fs/cgroup")
UNIFIED = (GROUPS / "cgroup.controllers").exists()  # cgroup v2, what Debian has unless told
MIB = 1024 * 1024
if UNIFIED:
    FILES = {"limit": "memory.max", "used": "memory.current", "ended": "memory.events",
             "quota": "cpu.max", "throttled": "cpu.stat"}
    ALL = "max"
else:
    FILES = {"limit": "memory.limit_in_bytes", "used": "memory.usage_in_bytes",
             "ended": "memory.oom_control", "quota": "cpu.cfs_quota_us", "throttled": "cpu.stat"}
    ALL = -1


class Group:
    """A group of our own below the root, of one controller: so many bytes, or so many microseconds
    of each tenth of a second (which is both versions' period unless told)."""

    def __init__(self, controller, name, value):
        self.folder = GROUPS / ("" if UNIFIED else controller) / f"twoleg-test-{os.getpid()}"
        try:
            if UNIFIED:
                (GROUPS / "cgroup.subtree_control").write_text(f"+{controller}")
            self.folder.mkdir()
            self.write(name, value)
            if (self.folder / "memory.swap.max").exists():
                (self.folder / "memory.swap.max").write_text("0")
        except OSError as problem:
            self.remove()
            pytest.skip(f"no {controller} group of our own: {problem}")

    def write(self, name, value):
        (self.folder / FILES[name]).write_text(str(value))

    def read(self, name, row=None):
        """A number, or the one of a row."""
        text = (self.folder / FILES[name]).read_text()
        return int(dict(line.split() for line in text.splitlines())[row] if row else text)

    def kills(self):
        """How often the kernel ended a process for its memory."""
        return self.read("ended", "oom_kill")

    def remove(self):
        if self.folder.is_dir():
            until(lambda: not (self.folder / "cgroup.procs").read_text(), "an empty group")
            self.folder.rmdir()


class Starved(Server):
    """A server in a group from its first instruction on."""

    group = None

    def command(self):
        enter = 'echo $$ >"$0" && exec "$@"'
        return ["sh", "-c", enter, str(self.group.folder / "cgroup.procs"), *super().command()]


@pytest.fixture
def starved(tmp_path, monkeypatch):
    """Makes a server of the release build in a group: starved("memory", "limit", MIB, "words")."""
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    monkeypatch.setattr(instance, "BINARY", RELEASE)
    made = []

    def make(controller, name, value, text=""):
        config = tmp_path / "twoleg.yaml"
        config.write_text(text)
        server = Starved(data=tmp_path / "data", config=config)
        server.group = Group(controller, name, value)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.destroy()
        server.group.remove()


def hostile(server, count):
    """Connections that make the server keep as much as one may: a long header, half of a body."""
    head = (b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nX: " + 12000 * b"x" + b"\r\n\r\n")
    socks = crowd.connect_many(server.port, count)
    for sock in socks:
        sock.setblocking(False)
        try:
            sock.send(head + 60000 * b"a")
        except OSError:
            pass  # the server does not read what it has no room for
    return socks


def test_H20_a_crowd_that_fills_all_memory_there_may_be_ends_nobody(starved):
    """Twenty times what a server needs for itself, and a crowd whose bodies would take a
    hundred times as much. What lies unread in sockets is the kernel's; the second version counts it
    to the group, too: the first size of a receive buffer, and a piece over it."""
    crowd.raise_limit(12000)
    unread = 6000 * 3 * 65536 if UNIFIED else 0
    server = starved("memory", "limit", 160 * MIB + unread,
                     "header_timeout: 60s\nbody_timeout: 60s\n")
    app = server.app(token_format="sealed")
    token = server.bearer(app)
    socks = hostile(server, 6000)
    for _ in range(50):
        assert server.token(app).status == 200
    assert server.check(token).status == 200
    assert server.revoke(app, token).status == 200
    assert server.check(token).status == 401
    assert server.group.kills() == 0 and server.process.poll() is None
    assert crowd.Process(server.process.pid).memory() < 160 * MIB
    for sock in socks:
        sock.close()
    assert server.token(app).status == 200


def test_H20_what_was_acknowledged_outlives_the_end_of_memory(starved):
    """There is no more than what is used just now; the kernel ends the server in the middle of it,
    and what it had acknowledged is so."""
    server = starved("memory", "limit", 160 * MIB)
    app, caller = server.app(token_format="sealed"), server.app(resource_server=True)
    tokens, revoked, socks = [server.bearer(app) for _ in range(400)], [], []
    try:
        for token in tokens:
            assert server.revoke(app, token).status == 200
            revoked.append(token)
            if len(revoked) == 20:
                server.group.write("limit", server.group.read("used") + MIB)
            if len(revoked) >= 20:
                socks += hostile(server, 5)
    except (OSError, http.client.HTTPException):
        pass  # the server is gone
    assert server.process.wait(PATIENCE) == -signal.SIGKILL
    assert server.group.kills() >= 1 and len(revoked) >= 20
    for sock in socks:
        sock.close()
    server.process.stdout.close()
    server.group.write("limit", 160 * MIB)
    server.start()
    assert not any(server.active(caller, token) for token in revoked)
    assert server.token(app).status == 200


def answered(request, asked):
    for sock in asked:
        sock.sendall(request)
    for sock in asked:
        assert sock.recv(4096).startswith(b"HTTP/1.1 200"), "it had asked in time"


@pytest.mark.measuring
def test_H20_deadlines_are_right_on_a_hundredth_of_a_core(starved):
    """Whoever asks in time is served, however late that is; whoever does not is refused, and not
    before the deadline. A machine that is slower gives more: all of them take a quarter of a second
    at most, since who waits for a second is refused by another rule (A27)."""
    timeout = 1.5
    server = starved("cpu", "quota", ALL,
                     "header_timeout: 1500ms\nbody_timeout: 1500ms\nidle_timeout: 60s\n")
    request = token_request(server.app(token_format="sealed"))
    asked = [server.connect() for _ in range(60)]
    answered(request, asked)
    process = crowd.Process(server.process.pid)
    before = process.cpu()
    for _ in range(10):
        answered(request, asked)
    server.group.write("quota", max(1000, int((process.cpu() - before) * 40000)))
    partly = [server.connect() for _ in range(60)]
    began = time.monotonic()
    for sock in partly:
        sock.sendall(request[:60])
    for _ in range(10):
        answered(request, asked)
    for sock in partly:
        assert statuses(drain(sock)) == [408]
        assert time.monotonic() - began >= timeout, "before its deadline"
        sock.close()
    answered(request, asked)
    assert server.group.read("throttled", "nr_throttled") >= 5, "there was no lack of time"
    server.group.write("quota", ALL)
