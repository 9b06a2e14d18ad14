# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, read-only, broken, damaged or held by another program; a process that was
stopped. Failing calls come from tests/long/disk.c, preloaded, so this runs on the release build."""
import os
import pathlib
import re
import select
import signal
import sqlite3
import subprocess
import time

import pytest

import instance
from instance import ROOT, Server, basic, drain, statuses, token_request, until

RELEASE = str(ROOT / "build/release/twoleg")


class FailingServer(Server):
    """A server whose disk fails as fail() says."""

    def __init__(self, folder, config):
        super().__init__(data=folder / "data", config=config)
        self.library, self.control = folder / "disk.so", folder / "fail"
        self.control.write_bytes(b"n")
        subprocess.run(["cc", "-std=gnu11", "-O2", "-Wall", "-fPIC", "-shared", "-o", self.library,
                        ROOT / "tests/long/disk.c", "-ldl"], check=True)

    def command(self):
        return ["env", f"LD_PRELOAD={self.library}", f"DISK_DIR={self.data}",
                f"DISK_FAIL={self.control}", *super().command()]

    def fail(self, how):
        with open(self.control, "r+b") as control:  # in place: the server has it mapped
            control.write(how)


@pytest.fixture
def disk(make_disk):
    return make_disk()


@pytest.fixture
def make_disk(tmp_path, monkeypatch):
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    monkeypatch.setattr(instance, "BINARY", RELEASE)
    made = []

    def make(text=""):
        (tmp_path / "twoleg.yaml").write_text(text)
        made.append(FailingServer(tmp_path, tmp_path / "twoleg.yaml").start())
        return made[-1]

    yield make
    for server in made:
        server.fail(b"n")
        server.destroy()


@pytest.fixture
def known(disk):
    """An application, a caller, and tokens: one good, some to be revoked."""
    app = disk.app(name="a", scope="alpha")
    caller = disk.app(name="caller", resource_server=True)
    return app, caller, disk.bearer(app), [disk.bearer(app) for _ in range(20)]


def reading_goes_on(server, app, caller, token):
    assert server.token(app).status == 200
    assert server.active(caller, token)
    assert server.check(token).status == 200
    assert server.get("/.well-known/jwks.json").status == 200


@pytest.mark.parametrize("how", [b"f", b"r"])
def test_H4_H5_full_and_read_only_disks_refuse_writes_only(disk, known, how):
    app, caller, good, tokens = known
    reference = disk.app(name="reference", token_format="reference")
    row = disk.bearer(reference)
    assert disk.revoke(app, tokens[0]).status == 200
    for _ in range(3):
        disk.fail(how)
        answer = disk.token(reference)
        assert answer.status == 503 and answer.headers["Retry-After"], answer
        assert disk.check(row).status == 200
        for token in tokens[1:4]:
            answer = disk.revoke(app, token)
            assert answer.status == 503 and answer.headers["Retry-After"], answer
        assert disk.admin("POST", "/admin/v1/applications", {"name": "x"}).status == 503
        reading_goes_on(disk, app, caller, good)
        disk.fail(b"n")
    if how == b"f":  # a read-only file system is an error of the disk: the fsync rule
        assert disk.revoke(app, tokens[1]).status == 200, "no restart is needed"
    disk.restart(hard=True)
    assert not disk.active(caller, tokens[0])
    assert disk.revoke(app, tokens[2]).status == 200
    assert disk.active(caller, row) and disk.active(caller, disk.bearer(reference))
    reading_goes_on(disk, app, caller, good)


@pytest.mark.parametrize("how, why, words", [
    (b"f", "disk_full", "the change cannot be stored: the disk of the data folder is full"),
    (b"r", "read_only", "read-only"),
    (b"s", "io_error", "until the server is restarted"),
])
def test_H4_H5_an_operator_is_told_what_ails_the_disk(disk, known, how, why, words):
    """In the answer of each command, in the log, in the metrics and in the status."""
    app, *_ = known
    commands = [("app", "create", "--name", "y"), ("app", "disable", app.id, "--yes"),
                ("key", "rotate"), ("reload",)]
    assert disk.cli("status", "--json")["store_failure"] is None
    disk.fail(how)
    for command in commands:
        done = disk.run_cli(*command)
        assert done.returncode == 1 and words in done.stderr, (command, done)
    disk.fail(b"n")
    until(lambda: f" error event=store_failed why={why} commits=" in disk.stderr(), "the line")
    assert re.search(r"event=refused route=\S+ status=503 .* error=STORE_\w+ .*reason=\".*" + words,
                     disk.stderr()), "and one of the call that failed"
    counted = re.search(rf'store_failures_total{{why="{why}"}} (\d+)', disk.get("/metrics").text)
    assert int(counted[1]) >= 1
    status = disk.cli("status", "--json")
    assert status["store_failure"] == why and status["store_failed_at"] > 1e9
    assert why in disk.run_cli("status").stdout


def test_H4_a_copy_that_finds_no_room_says_so(disk, known, tmp_path):
    disk.fail(b"b")
    done = disk.run_cli("backup", str(tmp_path / "copy.db"))
    disk.fail(b"n")
    assert done.returncode == 1 and "the copy failed: the disk of the data" in done.stderr, done
    assert not (tmp_path / "copy.db").exists()


def test_H8_an_operator_is_told_of_a_lock(disk):
    other = sqlite3.connect(disk.data + "/twoleg.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    done = disk.run_cli("app", "create", "--name", "y")
    other.close()
    assert done.returncode == 1 and "another program holds the lock" in done.stderr, done
    assert disk.cli("status", "--json")["store_failure"] == "locked"


def test_E16_a_reload_that_the_audit_cannot_have_changes_nothing(disk):
    def documentation():
        metadata = disk.get("/.well-known/oauth-authorization-server").json()
        return metadata.get("service_documentation")

    disk.config.write_text("service_documentation: https://a.example\n")
    disk.fail(b"f")
    done = disk.run_cli("reload")
    assert done.returncode != 0 and "cannot be stored" in done.stderr, done
    disk.process.send_signal(signal.SIGHUP)
    until(lambda: disk.stderr().count("event=reload_refused") == 2, "the signal's reload")
    assert documentation() is None
    disk.fail(b"n")
    disk.cli("reload")
    assert documentation() == "https://a.example"
    rows = disk.cli("audit", "list", "--json")["audit"]
    assert sum(row["action"] == "config.reload" for row in rows) == 1


@pytest.mark.parametrize("how", [b"i", b"a"])
def test_H5_no_inode_and_no_right_stop_a_start_but_no_running_server(disk, known, how):
    """What is open already needs neither; a start that cannot open says so, and spoils nothing."""
    app, caller, good, tokens = known
    disk.fail(how)
    assert disk.revoke(app, tokens[0]).status == 200
    reading_goes_on(disk, app, caller, good)
    disk.stop()
    for _ in range(2):
        status, words = disk.refused()
        last = words.strip().splitlines()[-1]
        assert status > 0 and last.startswith(f"twoleg: {disk.data}"), (status, words)
    disk.fail(b"n")
    disk.start()
    assert not disk.active(caller, tokens[0])
    assert disk.revoke(app, tokens[1]).status == 200
    reading_goes_on(disk, app, caller, good)


def test_H3_after_a_failed_sync_nothing_is_acknowledged(disk, known):
    app, caller, good, tokens = known
    disk.fail(b"s")
    assert disk.revoke(app, tokens[0]).status == 503
    disk.fail(b"n")
    for token in tokens[:5]:
        assert disk.revoke(app, token).status == 503, "a second try would lie"
    assert disk.get("/readyz").status == 503
    reading_goes_on(disk, app, caller, good)
    disk.restart()
    assert disk.revoke(app, tokens[1]).status == 200
    assert not disk.active(caller, tokens[1])
    reading_goes_on(disk, app, caller, good)


def test_H8_a_lock_of_another_process_costs_writes_only(disk, known):
    app, caller, good, tokens = known
    other = sqlite3.connect(disk.data + "/twoleg.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert disk.revoke(app, tokens[0]).status == 503
    reading_goes_on(disk, app, caller, good)
    other.execute("ROLLBACK")
    other.close()
    assert disk.revoke(app, tokens[0]).status == 200
    assert not disk.active(caller, tokens[0])


def test_H8_who_waits_for_a_lock_is_told_and_nobody_else_waits(disk, known):
    """A crowd of writers meets the lock: each gets its 503 once it has waited as long as may be,
    nothing is left in a queue for the time after, and readers notice nothing."""
    app, caller, good, _ = known
    tokens = [disk.bearer(app) for _ in range(120)]
    other = sqlite3.connect(disk.data + "/twoleg.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = [disk.connect() for _ in tokens]
    for sock, token in zip(waiting, tokens):
        body = f"token={token}"
        sock.sendall(f"POST /oauth/revoke HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                     f"Authorization: {basic(app.id, app.secret)}\r\n"
                     f"Content-Type: application/x-www-form-urlencoded\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    asked = 0
    while not select.select(waiting, [], [], 0)[0]:
        reading_goes_on(disk, app, caller, good)
        asked += 1
    assert asked, "readers were served while the writers waited"
    answers = [drain(sock) for sock in waiting]
    assert all(statuses(answer) == [503] and b"Retry-After" in answer for answer in answers)
    for sock in waiting:
        sock.close()
    other.execute("ROLLBACK")
    other.close()
    assert disk.revoke(app, tokens[0]).status == 200
    assert not disk.active(caller, tokens[0])
    assert all(disk.active(caller, token) for token in tokens[1:]), "a 503 that was none"
    reading_goes_on(disk, app, caller, good)


def make_large(path):
    """So large that it is checked behind the start."""
    store = sqlite3.connect(path)
    store.executemany("INSERT INTO audit (at_us, actor, action, detail) VALUES (0, 'x', 'x', ?)",
                      [("x" * 1000,)] * 1000)
    store.commit()
    store.close()


def hide_revocations(path):
    """They change places with an empty index: each page is sound, and lies where another should."""
    store = sqlite3.connect(path)
    [size] = store.execute("PRAGMA page_size").fetchone()
    roots = dict(store.execute("SELECT name, rootpage FROM sqlite_master"))
    store.close()
    data = bytearray(path.read_bytes())
    first, second = ((roots[name] - 1) * size
                     for name in ("revoked_tokens", "revoked_credentials_application"))
    held = data[first:first + size]
    data[first:first + size] = data[second:second + size]
    data[second:second + size] = held
    path.write_bytes(data)


def test_H9_revocations_that_lie_elsewhere_are_missed_at_the_start(disk, known):
    assert disk.revoke(known[0], known[3][0]).status == 200
    disk.stop()
    hide_revocations(pathlib.Path(disk.data, "twoleg.db"))
    status, words = disk.refused()
    assert status == 1 and "is damaged: restore a backup" in words


def test_H9_damage_that_is_found_behind_the_start_stops_it(disk, known):
    app, caller, good, tokens = known
    assert disk.revoke(app, tokens[0]).status == 200
    disk.stop()
    path = pathlib.Path(disk.data, "twoleg.db")
    make_large(path)
    disk.start()
    assert disk.revoke(app, tokens[1]).status == 200, "large alone is no damage"
    disk.stop()
    hide_revocations(path)
    disk.start()
    until(lambda: disk.get("/readyz").json() == {"status": "store stopped"}, "the check's end")
    until(lambda: "event=store_stopped why=damaged" in disk.stderr(), "the word of the log")
    assert disk.revoke(app, tokens[2]).status == 503


def stopped(server):
    """Each of its threads: the signal stops them one after the other, and one that has not stopped
    yet would still answer, long before the stop ends."""
    tasks = pathlib.Path(f"/proc/{server.process.pid}/task")
    server.process.send_signal(signal.SIGSTOP)
    until(lambda: {task.read_text().rpartition(")")[2].split()[0]
                   for task in tasks.glob("*/stat")} == {"T"}, "all threads having stopped")


@pytest.mark.measuring
def test_H20_deadlines_are_right_after_a_stop_and_nobody_is_closed_for_it(make_disk):
    """Stopped for longer than any deadline. Whoever had asked in time is served; what had not been
    whole in time is refused; and whoever comes then finds a server that works."""
    disk = make_disk("idle_timeout: 6s\nheader_timeout: 6s\nbody_timeout: 6s\n")
    app = disk.app(name="a", scope="alpha")
    idle, partly, asked = [[disk.connect() for _ in range(100)] for _ in range(3)]
    request = token_request(app)
    for sock in partly:
        sock.sendall(request[:-40])  # its deadline has begun
    for sock in asked + idle:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    stopped(disk)
    for sock in asked:
        sock.sendall(request)
    time.sleep(7)  # the stop is what this is about
    disk.process.send_signal(signal.SIGCONT)
    for sock in asked:
        assert sock.recv(4096).startswith(b"HTTP/1.1 200"), "it had asked in time"
        sock.sendall(request)
    for sock in asked:
        assert sock.recv(4096).startswith(b"HTTP/1.1 200"), "its deadline is a new one"
    for sock in partly:
        assert statuses(drain(sock)) == [408]
    for sock in idle:
        assert drain(sock) == b""
    assert disk.token(app).status == 200
    for sock in idle + partly + asked:
        sock.close()


def test_H20_a_process_that_was_stopped_goes_on(disk, known):
    app, caller, good, tokens = known
    with disk.connect() as idle:
        stopped(disk)
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(1)  # the stop is what this is about
        disk.process.send_signal(signal.SIGCONT)
        assert idle.recv(12) == b"HTTP/1.1 200"
    until(lambda: disk.get("/readyz").status == 200, "being ready")
    assert disk.revoke(app, tokens[0]).status == 200
    reading_goes_on(disk, app, caller, good)
