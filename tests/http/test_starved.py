# SPDX-License-Identifier: Apache-2.0
"""Row H20: little memory and little processor time, by control groups of the tests' own (cgroup v1,
as root; elsewhere these are skipped). On the release build, which is what would be so limited."""
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
MIB = 1024 * 1024


class Group:
    """A child of the root group of one controller, with what it allows."""

    def __init__(self, controller, limits):
        self.folder = GROUPS / controller / f"twoleg-test-{os.getpid()}"
        try:
            self.folder.mkdir()
            for name, value in limits.items():
                self.write(name, value)
        except OSError as problem:
            self.remove()
            pytest.skip(f"no {controller} group of our own: {problem}")

    def write(self, name, value):
        (self.folder / f"{self.folder.parent.name}.{name}").write_text(str(value))

    def read(self, name):
        return (self.folder / f"{self.folder.parent.name}.{name}").read_text()

    def kills(self):
        """How often the kernel ended a process for its memory."""
        rows = dict(line.split() for line in self.read("oom_control").splitlines())
        return int(rows["oom_kill"])

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
    """Makes a server of the release build in a group: starved("cpu", {"shares": 2}, "options")."""
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    monkeypatch.setattr(instance, "BINARY", RELEASE)
    made = []

    def make(controller, limits, text=""):
        config = tmp_path / "twoleg.yaml"
        config.write_text(text)
        server = Starved(data=tmp_path / "data", config=config)
        server.group = Group(controller, limits)
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
    hundred times as much."""
    crowd.raise_limit(12000)
    server = starved("memory", {"limit_in_bytes": 160 * MIB},
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
    for sock in socks:
        sock.close()
    assert server.token(app).status == 200


def test_H20_what_was_acknowledged_outlives_the_end_of_memory(starved):
    """There is no more than what is used just now; the kernel ends the server in the middle of it,
    and what it had acknowledged is so."""
    server = starved("memory", {"limit_in_bytes": 160 * MIB})
    app, caller = server.app(token_format="sealed"), server.app(resource_server=True)
    tokens, revoked, socks = [server.bearer(app) for _ in range(400)], [], []
    try:
        for token in tokens:
            assert server.revoke(app, token).status == 200
            revoked.append(token)
            if len(revoked) == 20:
                usage = int(server.group.read("usage_in_bytes"))
                server.group.write("limit_in_bytes", usage + MIB)
            if len(revoked) >= 20:
                socks += hostile(server, 5)
    except (OSError, http.client.HTTPException):
        pass  # the server is gone
    assert server.process.wait(PATIENCE) == -signal.SIGKILL
    assert server.group.kills() >= 1 and len(revoked) >= 20
    for sock in socks:
        sock.close()
    server.process.stdout.close()
    server.group.write("limit_in_bytes", 160 * MIB)
    server.start()
    assert not any(server.active(caller, token) for token in revoked)
    assert server.token(app).status == 200


def test_H20_deadlines_are_right_on_a_hundredth_of_a_core(starved):
    """Whoever asks in time is served, however late that is; whoever does not is refused, and not
    before the deadline."""
    timeout = 1.5
    server = starved("cpu", {"cfs_period_us": 100000, "cfs_quota_us": 1000},
                     "header_timeout: 1500ms\nbody_timeout: 1500ms\nidle_timeout: 60s\n")
    app = server.app(token_format="sealed")
    request = token_request(app)
    partly, asked = [[server.connect() for _ in range(60)] for _ in range(2)]
    began = time.monotonic()
    for sock in partly:
        sock.sendall(request[:60])
    for _ in range(10):
        for sock in asked:
            sock.sendall(request)
        for sock in asked:
            assert sock.recv(4096).startswith(b"HTTP/1.1 200"), "it had asked in time"
    for sock in partly:
        assert statuses(drain(sock)) == [408]
        assert time.monotonic() - began >= timeout, "before its deadline"
        sock.close()
    for sock in asked:
        sock.sendall(request)
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
        sock.close()
    throttled = dict(line.split() for line in server.group.read("stat").splitlines())
    assert int(throttled["nr_throttled"]) >= 5, "there was no lack of time"
    server.group.write("cfs_quota_us", -1)
