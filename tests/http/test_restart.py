# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged survives: kill -9, restart, backup and restore."""
import os
import random
import shutil
import sqlite3
import threading

import pytest

from instance import FORMATS, Application, until


@pytest.fixture
def filled(own_server):
    """Per format: an application, a good token, a revoked one, and one of a revoked generation."""
    server = own_server
    caller = server.app(name="caller", resource_server=True)
    apps = []
    for token_format in FORMATS:
        app = server.app(name=token_format, scope="alpha", token_format=token_format)
        good, revoked = server.bearer(app), server.bearer(app)
        assert server.revoke(app, revoked).status == 200
        ended = server.app(name="ended", token_format=token_format)
        dead = server.bearer(ended)
        server.cli("app", "revoke-tokens", ended.id, "--yes")
        apps.append((app, good, [revoked, dead], ended))
    return server, caller, apps


def verify(server, caller, apps):
    for app, good, dead, ended in apps:
        assert server.active(caller, good) and server.check(good).status == 200
        for token in dead:
            assert not server.active(caller, token) and server.check(token).status == 401
        assert server.check(server.bearer(app)).status == 200
        assert server.check(server.bearer(ended)).status == 200


@pytest.mark.parametrize("hard", [False, True])
def test_promise_3_tokens_and_revocations_survive(filled, hard):
    server, caller, apps = filled
    verify(server, caller, apps)
    for _ in range(2):
        server.restart(hard=hard)
        verify(server, caller, apps)


def test_H1_promise_3_changes_survive_kill_9(own_server):
    server = own_server
    apps = [server.app(name=f"a{i}", scope="alpha") for i in range(5)]
    server.cli("app", "disable", apps[0].id, "--yes")
    server.cli("app", "delete", apps[1].id, "--yes")
    server.cli("app", "update", apps[2].id, "--scope", "alpha beta")
    server.restart(hard=True)
    assert server.token(apps[0]).status == 401
    assert server.token(apps[1]).status == 401
    assert server.token(apps[2]).json()["scope"] == "alpha beta"
    assert server.token(apps[3]).status == 200


def test_design_3_1_a_deleted_id_made_anew_gets_no_old_rights(own_server):
    """CVE-2026-55670: recycled identifiers."""
    server = own_server
    caller = server.app(name="caller", resource_server=True)
    for token_format in FORMATS:
        name = "again-" + token_format
        old = server.app(client_id=name, token_format=token_format)
        token = server.bearer(old)
        server.cli("app", "delete", name, "--yes")
        new = server.app(client_id=name, token_format=token_format)
        for _ in range(2):
            assert not server.active(caller, token)
            assert server.token(old).status == 401
            assert server.check(server.bearer(new)).status == 200
            server.restart(hard=True)


def test_backup_while_running_and_restore(filled, make_server, tmp_path):
    server, caller, apps = filled
    backup = tmp_path / "copy.db"
    done = server.run_cli("backup", str(backup))
    assert done.returncode == 0, done
    assert "master" in (done.stdout + done.stderr).lower(), "says that the master key is not in it"
    assert os.stat(backup).st_mode & 0o077 == 0
    late = server.app(name="late")
    after = server.bearer(apps[0][0])
    unknown = server.bearer(apps[FORMATS.index("reference")][0])
    server.stop()

    done = server.run_cli("restore", str(backup), "--keep-tokens", "--yes")
    assert done.returncode == 0, done
    server.start()
    verify(server, caller, apps)
    assert server.active(caller, after)
    assert not server.active(caller, unknown), "its row came after the copy"
    assert server.token(late).status == 401

    server.stop()
    done = server.run_cli("restore", str(backup), "--yes")
    assert done.returncode == 0, done
    server.start()
    for app, good, dead, _ in apps:
        for token in [good, after] + dead:
            assert not server.active(caller, token), "a restore ends earlier tokens"
            assert server.check(token).status == 401
        assert server.check(server.bearer(app)).status == 200


# ------------------------------------------------------------------ backups under load
# What a change writes, beside its row of the audit.
WHOLE = {"application.create": "select count(*) from applications where status = 2 or number in "
                               "(select application from secrets)",
         "application.delete": "select count(*) from applications where status = 2",
         "token.revoke": "select count(*) from revoked_tokens"}


class Writer(threading.Thread):
    """Changes without an end; facts are what was acknowledged, in order."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.rng = server, random.Random(number)
        self.facts, self.problem, self.ended = [], None, False
        self.lasting = server.app(name="lasting", scope="alpha")
        self.start()

    def run(self):
        try:
            while not self.ended:
                self.change()
        except BaseException as problem:
            self.problem = problem

    def change(self):
        server = self.server
        app = Application(server.manage("POST", "applications", None, {
            "name": "w", "scope": "alpha", "token_format": self.rng.choice(FORMATS)}))
        self.facts.append(("works", app))
        token = server.bearer(self.lasting)
        assert server.revoke(self.lasting, token).status == 200
        self.facts.append(("dead", token))
        token = server.bearer(app)
        server.act("revoke-tokens", app)
        self.facts.append(("dead", token))
        if self.rng.random() < 0.3:
            self.facts.remove(("works", app))
            server.delete(app)
            self.facts.append(("refused", app))


def holds(server, kind, what):
    if kind == "dead":
        return server.check(what).status == 401
    return server.token(what).status == (200 if kind == "works" else 401)


def halves(path):
    """Changes without their row of the audit, or the other way round: each is one transaction."""
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert store.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        return {act: store.execute(f"select (select count(*) from audit where action = ?) - "
                                   f"({rows})", (act,)).fetchone()[0]
                for act, rows in WHOLE.items()}
    finally:
        store.close()


def test_H17_twenty_backups_under_load_restore_consistently(own_server, make_server, tmp_path):
    server = own_server
    writers = [Writer(server, number) for number in range(3)]
    until(lambda: all(len(writer.facts) > 3 for writer in writers), "writes")
    copies = []
    for number in range(20):
        due = [fact for writer in writers for fact in list(writer.facts)]
        path = tmp_path / f"copy{number}.db"
        server.cli("backup", str(path))
        copies.append((path, due))
    for writer in writers:
        writer.ended = True
        writer.join()
        assert writer.problem is None, writer.problem
    deleted = {fact[1].id for writer in writers for fact in writer.facts if fact[0] == "refused"}
    for path, due in copies:
        assert halves(path) == dict.fromkeys(WHOLE, 0), path
        restored = make_server()
        os.mkdir(restored.data, 0o700)
        shutil.copy(server.data + "/master.key", restored.data)
        restored.cli("restore", str(path), "--keep-tokens", "--yes")
        restored.start()
        # What was deleted since may be there in the copy, or not.
        due = [fact for fact in due if fact[0] != "works" or fact[1].id not in deleted]
        for kind, what in due[-10:] + random.Random(1).sample(due, min(10, len(due))):
            assert holds(restored, kind, what), f"{path.name}: {kind} {what}"
        restored.kill9()


def test_restore_refuses_what_is_no_backup(own_server, tmp_path):
    server = own_server
    app = server.app()
    server.stop()
    for name, content in (("empty", b""), ("text", b"no database" * 100),
                          ("head", b"SQLite format 3\0" * 100)):
        (tmp_path / name).write_bytes(content)
        done = server.run_cli("restore", str(tmp_path / name), "--yes")
        assert done.returncode != 0 and done.stderr, name
    done = server.run_cli("restore", str(tmp_path / "missing"), "--yes")
    assert done.returncode == 3, done
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("create table t (x)")
    foreign.commit()
    foreign.close()
    assert server.run_cli("restore", str(tmp_path / "foreign.db"), "--yes").returncode != 0
    server.start()
    assert server.token(app).status == 200


def test_restore_is_refused_while_the_server_runs(own_server, tmp_path):
    backup = str(tmp_path / "copy.db")
    own_server.cli("backup", backup)
    done = own_server.run_cli("restore", backup, "--yes")
    assert done.returncode in (1, 4) and done.stderr
    assert own_server.get("/readyz").status == 200


def test_backup_refuses_to_overwrite(own_server, tmp_path):
    (tmp_path / "there").write_text("mine")
    done = own_server.run_cli("backup", str(tmp_path / "there"))
    assert done.returncode == 4, done
    assert (tmp_path / "there").read_text() == "mine"


def test_D1_a_copy_of_the_folder_without_the_master_key_holds_nothing_usable(filled, tmp_path):
    server, caller, apps = filled
    backup = tmp_path / "copy.db"
    server.cli("backup", str(backup))
    server.stop()
    stores = [backup] + [os.path.join(server.data, name) for name in os.listdir(server.data)
                         if name.startswith("twoleg.db")]
    text = b"".join(open(path, "rb").read() for path in stores)
    for app, good, dead, _ in apps:
        for canary in [app.secret, good, *dead]:
            assert canary.encode() not in text
            assert canary not in server.stderr()
    assert b"PRIVATE KEY" not in text
    server.start()
