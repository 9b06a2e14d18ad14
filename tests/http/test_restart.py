# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged survives: kill -9, restart, backup and restore."""
import os
import sqlite3

import pytest


@pytest.fixture
def filled(own_server):
    """Per format: an application, a good token, a revoked one, and one of a revoked generation."""
    server = own_server
    caller = server.app(name="caller", resource_server=True)
    apps = []
    for token_format in ("jwt", "sealed"):
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


def test_promise_3_changes_survive_kill_9(own_server):
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
    for token_format in ("jwt", "sealed"):
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
    server.stop()

    done = server.run_cli("restore", str(backup), "--keep-tokens", "--yes")
    assert done.returncode == 0, done
    server.start()
    verify(server, caller, apps)
    assert server.active(caller, after)
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
