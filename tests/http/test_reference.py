# SPDX-License-Identifier: Apache-2.0
"""Reference tokens (design 3.1): in the store, on the disk, before they are given out. What they
share with the other formats stands in the tests of those: `any_app`, `timed`, the state matrix."""
import hashlib
import re
import sqlite3
import threading

import pytest

from instance import PATIENCE, drain, statuses, token_request, unread, until
from test_health_metrics import figures
from test_races import Call, hold  # noqa: F401 (a fixture)
from traced import Strace

REQUESTS, AT_ONCE = 60, 6


@pytest.fixture(scope="module")
def app(server):
    return server.app(name="reference", scope="alpha beta", token_format="reference")


def rows(server, where="1"):
    return server.stored(f"SELECT count(*) FROM reference_tokens WHERE {where}")


def audited(server):
    return len(server.cli("audit", "list", "--json", "--limit", "1000")["audit"])


def counted(server, name):
    return figures(server)[name]


# ------------------------------------------------------------------ one row, before the answer
class Calls(Strace):
    """The writes, syncs and sends of a process, in the order in which they ended."""

    def __init__(self, pid, path):
        super().__init__(pid, path, "-xx", "-s", "5000", "-e", "trace=pwrite64,fdatasync,sendto")

    def events(self):
        """(what, file descriptor, bytes): a call begins with its line and ends with its result."""
        under_way = {}
        for line in self.lines():
            thread, text = line.split(None, 1)
            begun = re.match(r'(\w+)\((\d+)(?:, "([^"]*)")?', text)
            if begun:
                name, number, data = begun.groups()
                call = (name, int(number), bytes.fromhex((data or "").replace("\\x", "")))
                if name == "sendto":
                    yield call  # it could arrive before the call returns
                elif "<unfinished" in text:
                    under_way[thread] = call
                else:
                    yield call
            elif thread in under_way and "resumed>" in text:
                yield under_way.pop(thread)


def test_promise_3_every_answer_comes_after_the_sync_of_its_row(server, app, tmp_path):
    with Calls(server.process.pid, tmp_path / "calls") as calls:
        callers = [threading.Thread(target=lambda: [server.bearer(app) for _ in range(10)])
                   for _ in range(AT_ONCE)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    written, synced, answers = [], [], 0  # bytes by descriptor, since the last sync and before it
    for name, number, data in calls.events():
        if name == "pwrite64":
            written.append((number, data))
        elif name == "fdatasync":
            synced += [data for file, data in written if file == number]
            written = [(file, data) for file, data in written if file != number]
        elif b'"access_token"' in data:
            token = re.search(rb'"access_token":"([^"]+)"', data).group(1)
            digest = hashlib.sha256(token).digest()
            assert any(digest in page for page in synced), f"answer {answers} before its sync"
            assert not any(token in page for page in synced), "the text itself is never written"
            answers += 1
    assert answers == REQUESTS
    assert rows(server) >= REQUESTS


def test_design_3_1_one_row_for_each_token_and_none_for_the_others(server, app):
    others = [server.app(name=kind, token_format=kind) for kind in ("jwt", "sealed")]
    before, audit = rows(server), audited(server)
    for _ in range(3):
        server.bearer(app)
        for other in others:
            server.bearer(other)
    for wrong in ("wrong", "alpha gamma"):
        assert server.token(app, scope=wrong).status == 400
    assert rows(server) == before + 3
    assert audited(server) == audit


def test_the_text_has_its_shape_and_the_answer_its_members(server, app):
    answer = server.token(app, scope="beta").json()
    assert re.fullmatch(r"tlr_[0-9A-Za-z]{33}", answer.pop("access_token"))
    assert answer == {"token_type": "Bearer", "expires_in": 3600, "scope": "beta"}
    never = server.app(token_format="reference", token_ttl="never")
    assert "expires_in" not in server.token(never).json()


# ------------------------------------------------------------------ waiting for the commit
@pytest.mark.hooks
@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit",
                                   "store.before_publish"])
def test_promise_3_nothing_is_given_out_before_the_commit(server, app, hold, point):  # noqa: F811
    others = [server.app(name=kind, token_format=kind) for kind in ("jwt", "sealed")]
    hold(point)
    issuing = Call(server.token, app)
    server.hooks.await_waiting(point)
    assert issuing.is_alive(), "answered while its commit was held"
    assert [server.token(other).status for other in others] == [200, 200], "others go on"
    server.hooks.release(point)
    answer = issuing.result()
    assert answer.status == 200
    assert server.check(answer.json()["access_token"]).status == 200


@pytest.fixture
def single(make_server, tmp_path):
    """One worker: what it has read is handled before it reads on."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("workers: 1\n")
    config.chmod(0o600)
    return make_server(config=config).start()


@pytest.mark.hooks
@pytest.mark.parametrize("change, rows_written, status", [
    ("disable", 1, 401), ("delete", 1, 401), ("secret", 1, 401), ("scope", 2, 200),
    ("revoke-tokens", 2, 200)])
def test_G3_a_token_that_a_change_overtook_is_not_given_out(single, change, rows_written, status):
    """It is decided before the change is published, and its row written afterwards."""
    server = single
    app = server.app(name=change, scope="alpha beta", token_format="reference")
    acts = {"delete": server.delete, "scope": lambda app: server.update(app, scope="alpha"),
            "secret": server.remove_secret}
    server.bearer(app)  # it is in memory
    before = rows(server)
    server.hooks.hold("store.before_publish")
    changing = Call(acts.get(change, lambda app: server.act(change, app)), app)
    server.hooks.await_waiting("store.before_publish")
    with server.connect() as sock:
        sock.sendall(token_request(app, "Connection: close\r\n"))
        until(lambda: not unread([sock]), "the request to be read")
        server.hooks.release("store.before_publish")
        answer = drain(sock)
    changing.result()
    assert statuses(answer) == [status], answer
    assert rows(server) == before + rows_written, "the race was none"
    if status == 200:
        token = re.search(rb'"access_token":"([^"]+)"', answer).group(1).decode()
        assert server.check(token).headers["X-Auth-Scope"] == \
            ("alpha" if change == "scope" else "alpha beta")
    assert server.token(app).status == status


# ------------------------------------------------------------------ looking up
def test_a_token_is_looked_up_once_by_each_worker(own_server):
    server = own_server
    token = server.bearer(server.app(scope="alpha", token_format="reference"))
    for _ in range(20):
        assert server.check(token).status == 200
    assert 1 <= counted(server, "twoleg_token_lookups_total") <= 2  # as many as there are workers


def test_C15_what_is_made_up_is_not_looked_up(own_server):
    server = own_server
    good = server.bearer(server.app(token_format="reference"))
    for i in range(4, 31):
        wrong = good[:i] + ("x" if good[i] != "x" else "y") + good[i + 1:]
        assert server.check(wrong).status == 401
        assert server.check(good[:i]).status == 401
        assert server.check(good + good[i]).status == 401
    assert server.check(good.swapcase()).status == 401
    assert counted(server, "twoleg_token_lookups_total") == 0
    assert server.check(good).status == 200


def test_tokens_of_many_connections_are_all_found(server, app, resource_server):
    tokens, problems = [], []

    def visit():
        try:
            for _ in range(15):
                token = server.bearer(app)
                assert server.check(token).status == 200
                assert server.active(resource_server, token)
                tokens.append(token)
        except AssertionError as problem:
            problems.append(problem)

    visitors = [threading.Thread(target=visit) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert not problems, problems[0]
    assert len(set(tokens)) == 120


# ------------------------------------------------------------------ a store that fails
@pytest.mark.hooks
def test_H4_a_commit_that_fails_is_503_and_others_go_on(own_server):
    server = own_server
    app = server.app(token_format="reference")
    others = [server.app(name=kind, token_format=kind) for kind in ("jwt", "sealed")]
    for each in (app, *others):
        assert server.check(server.bearer(each)).status == 200
    server.hooks.fault("store", 1, sticky=True)
    answer = server.token(app)
    assert answer.status == 503 and answer.headers["Retry-After"], answer
    assert "access_token" not in answer.body.decode()
    assert [server.token(other).status for other in others] == [200, 200]
    server.hooks.fault("store", 0)
    assert server.check(server.bearer(app)).status == 200


@pytest.mark.hooks
def test_H7_a_read_that_fails_is_503_and_no_verdict(own_server):
    server = own_server
    app = server.app(token_format="reference")
    caller = server.app(name="caller", resource_server=True)
    token = server.bearer(app)
    server.active(caller, "x")  # its body is there
    server.hooks.fault("store", 1, sticky=True)
    assert server.check(token).status == 503
    assert server.introspect(caller, token).status == 503
    assert server.revoke(app, token).status == 503
    server.hooks.fault("store", 0)
    assert server.check(token).status == 200 and server.active(caller, token)


@pytest.mark.hooks
def test_a_vanished_client_leaves_nothing_behind(own_server):
    server = own_server
    app = server.app(token_format="reference")
    server.hooks.hold("store.before_commit")
    with server.connect() as sock:
        sock.sendall(token_request(app))
        server.hooks.await_waiting("store.before_commit")
    server.hooks.release("store.before_commit")
    until(lambda: counted(server, "twoleg_reference_rows_written_total") == 1, "the row")
    assert server.check(server.bearer(app)).status == 200
    assert statuses(server.raw(token_request(app, "Connection: close\r\n"))) == [200]


# ------------------------------------------------------------------ rows that leave
@pytest.mark.hooks
def test_design_3_1_rows_leave_when_they_have_expired(own_server):
    server = own_server
    hour, never = (server.app(token_format="reference", token_ttl=ttl) for ttl in ("1h", "never"))
    gone = server.app(token_format="reference", token_ttl="never")
    tokens = [server.bearer(hour) for _ in range(20)]
    lasting, dead = server.bearer(never), server.bearer(gone)
    server.delete(gone)
    assert rows(server) == 22
    server.hooks.turn("housekeeper.turn")
    server.hooks.clock(3 * 3600)
    # Takes away what had expired ten minutes before the time that it noted before.
    server.hooks.turn("housekeeper.turn")
    # All at once where the clock was noted once more in between.
    until(lambda: rows(server) in (21, 1), "the deleted application's row to leave")
    assert server.check(lasting).status == 200
    server.hooks.clock(4 * 3600)
    until(lambda: rows(server) == 1, "the rows to leave")
    assert counted(server, "twoleg_reference_rows_purged_total") == 21
    until(lambda: counted(server, "twoleg_reference_rows") == 1, "the count")
    assert server.check(lasting).status == 200
    assert {server.check(token).status for token in [*tokens, dead]} == {401}


@pytest.mark.hooks
def test_design_3_1_rows_leave_a_server_that_is_restarted_often(own_server):
    """What it has counted of the ten minutes is kept in the store, as that of revocations."""
    server = own_server
    server.bearer(server.app(token_format="reference"))
    server.hooks.turn("housekeeper.turn")
    server.stop()
    store = sqlite3.connect(f"{server.data}/twoleg.db", isolation_level=None)
    note = store.execute("SELECT value FROM settings WHERE name = 'purge_tokens'").fetchone()[0]
    before, counted_s, now = (int(word) for word in note.split())
    assert abs(now - before - 600) <= PATIENCE and counted_s <= PATIENCE
    # As if lives like this one had made up the time, and the token had ended long before.
    store.execute("UPDATE settings SET value = ? WHERE name = 'purge_tokens'",
                  (f"{before} 600 {now}",))
    bucket = before // 1024 - 2
    store.execute("UPDATE reference_tokens SET expires_s = ?, place = place % (1 << 39) + ?",
                  (bucket * 1024 - 1, bucket << 39))
    store.close()
    server.start()
    until(lambda: rows(server) == 0, "the row to leave")
