# SPDX-License-Identifier: Apache-2.0
"""Row H16, from outside: the store of the first release, served by this one. tests/store/core.sql
is such a store, and core.json what it gave out."""
import hashlib
import json
import os
import pathlib
import sqlite3
import threading

import pytest

from instance import FORMATS, ROOT, Application, insist, stored
from test_service import listening, manage  # noqa: F401 (a fixture)

LATEST = max(int(path.stem) for path in (ROOT / "src/store/schema").glob("*.sql"))
CORE = json.loads((ROOT / "tests/store/core.json").read_text())


def core_store(folder):
    """A data folder as the first release left it."""
    folder.mkdir(mode=0o700)
    db = sqlite3.connect(folder / "twoleg.db")
    db.executescript((ROOT / "tests/store/core.sql").read_text())
    db.close()
    (folder / "master.key").write_bytes(bytes.fromhex(CORE["master_key"]))
    for file in folder.iterdir():
        file.chmod(0o600)
    return folder


def core_app(name):
    return Application({"client_id": name, "client_secret": CORE["secrets"][name]})


# What each step has added, the latest first.
ADDED = {8: "DROP INDEX reference_tokens_sole; ALTER TABLE reference_tokens DROP COLUMN nonce;"
            "ALTER TABLE refresh_tokens DROP COLUMN credential;",
         7: "ALTER TABLE applications DROP COLUMN refresh_term;"
            "ALTER TABLE refresh_tokens DROP COLUMN term; DROP INDEX revoked_tokens_application;"
            "ALTER TABLE revoked_tokens DROP COLUMN generation;"
            "CREATE INDEX revoked_tokens_application ON revoked_tokens (application, expires_s);",
         6: "ALTER TABLE reference_tokens DROP COLUMN family;"
            "ALTER TABLE refresh_tokens DROP COLUMN tokens_until_s;",
         5: "DROP INDEX applications_by_dialects; ALTER TABLE applications DROP COLUMN dialects;",
         4: "DROP TABLE refresh_tokens; DROP TABLE user_scopes; DROP TABLE user_apis;"
            "ALTER TABLE applications DROP COLUMN grants;",
         3: "DROP TABLE reference_tokens;",
         2: "ALTER TABLE applications DROP COLUMN budget;"
            "ALTER TABLE applications DROP COLUMN budget_mode;"}


def to_schema(data, schema):
    """What this release has written, in the schema of an earlier one."""
    db = sqlite3.connect(os.path.join(data, "twoleg.db"), isolation_level=None)
    for step, undo in ADDED.items():
        db.executescript(undo if step > schema else "")
    db.execute(f"PRAGMA user_version = {schema if schema > 1 else 0}")
    db.close()


def test_H16_what_the_first_release_gave_out_works(make_server, tmp_path):
    server = make_server(data=core_store(tmp_path / "core")).start()
    assert f"was brought from schema 1 to {LATEST}; before-002.db beside it" in server.stderr()
    caller = core_app("caller")
    states = {name: server.active(caller, token) for name, token in CORE["tokens"].items()}
    assert states == {"good": True, "revoked": False, "of_removed_secret": False,
                      "of_old_generation": False}
    assert server.check(CORE["tokens"]["good"], "?scope=send").status in (200, 403)
    found = {name: server.token(core_app(name)).status for name in CORE["secrets"]}
    assert found == {**dict.fromkeys(CORE["secrets"], 200), "disabled": 401, "deleted": 401}
    assert [row["kid"] for row in server.cli("key", "list", "--json")["keys"]]
    assert len(server.cli("audit", "list", "--json", "--limit", "1000")["audit"]) >= 18
    # What is new works on what is old, and what is old goes on.
    server.update(core_app("jwt"), budget="1/1d")
    assert [server.token(core_app("jwt")).status for _ in range(2)] == [200, 429]
    assert server.revoke(core_app("sealed"), CORE["tokens"]["good"]).status == 200
    server.restart(hard=True)
    assert "was brought" not in server.stderr().split("event=started")[-1]
    assert not server.active(caller, CORE["tokens"]["good"])


@pytest.mark.parametrize("schema,token_format", [(1, "jwt"), (1, "sealed"), (3, "sealed"),
                                                 (3, "reference")])
def test_H16_tokens_out_survive_the_upgrade(own_server, schema, token_format):
    server = own_server
    caller = server.app(name="caller", resource_server=True)
    app = server.app(scope="alpha", token_format=token_format)
    good, revoked = server.bearer(app), server.bearer(app)
    assert server.revoke(app, revoked).status == 200
    server.stop()
    to_schema(server.data, schema)
    kept = server.stored("SELECT group_concat(client_id || generation || name || ttl_us)"
                         " FROM applications")
    server.start()
    assert server.stored("SELECT group_concat(client_id || generation || name || ttl_us)"
                         " FROM applications WHERE dialects = ''") == kept
    assert server.stored("PRAGMA user_version") == LATEST
    assert server.active(caller, good) and not server.active(caller, revoked)
    assert server.check(good).status == 200 and server.check(revoked).status == 401
    assert server.token(app).status == 200
    assert {row["dialects"] for row in server.cli("app", "list", "--json")["applications"]} == \
        {"all"}


PASSWORD = "a word of hers"


def allowing_users(make_server, tmp_path, **facts):
    config = tmp_path / "on.yaml"
    config.write_text("password_grant: true\n")
    server = make_server(config=config).start()
    return server, server.app(scope="alpha", resource_server=True, **facts)


def add_ann(server):
    server.cli("user", "add", "ann", "--scope", "alpha", "--password-file", "-", input=PASSWORD)


def log_in(server, app):
    return insist(lambda: server.token(app, grant_type="password", username="ann",
                                       password=PASSWORD))


def test_H16_users_come_to_a_store_that_knew_none(make_server, tmp_path):
    """From schema 3: reference tokens live on, applications have the grant that all had."""
    server, app = allowing_users(make_server, tmp_path, token_format="reference")
    token = server.bearer(app)
    server.stop()
    to_schema(server.data, 3)
    server.start()
    assert f"was brought from schema 3 to {LATEST}; before-004.db beside it" in server.stderr()
    assert server.active(app, token)
    add_ann(server)
    assert server.token(app).status == 200
    assert log_in(server, app).error == "unauthorized_client"
    server.update(app, grants="password")
    assert log_in(server, app).status == 200


@pytest.mark.parametrize("form", FORMATS)
def test_H16_a_refresh_whose_answer_was_lost_meanwhile_is_answered(make_server, tmp_path, form):
    """A row of schema 5 says nothing of how long its access tokens live; one that comes with what
    the release before has given out must end with the login all the same."""
    server, app = allowing_users(make_server, tmp_path, token_format=form,
                                 grants="password refresh_token")
    add_ann(server)
    first = log_in(server, app).json()["refresh_token"]
    second = server.token(app, grant_type="refresh_token", refresh_token=first).json()
    # However long the stop takes, the grace is not over.
    server.change_store("UPDATE refresh_tokens SET rotated_us = unixepoch() * 1000000 + 25000000")
    server.stop()
    to_schema(server.data, 5)
    server.start()
    again = server.token(app, grant_type="refresh_token", refresh_token=first).json()
    assert again["refresh_token"] == second["refresh_token"]
    assert server.active(app, again["access_token"])
    assert server.revoke(app, second["refresh_token"]).status == 200
    assert not server.active(app, again["access_token"])


@pytest.mark.parametrize("form", FORMATS)
def test_H16_logins_of_before_go_on(make_server, tmp_path, form):
    """From schema 5, whose access tokens do not say which refresh token they came with: what was
    out stays valid, and a login ends with what came from it since."""
    server, app = allowing_users(make_server, tmp_path, token_format=form, grants="password")
    add_ann(server)
    old = log_in(server, app).json()["access_token"]  # as the release before gives one out
    server.update(app, grants="password refresh_token")
    logins = [log_in(server, app).json()["refresh_token"] for _ in range(2)]
    server.stop()
    to_schema(server.data, 5)
    server.start()
    assert f"was brought from schema 5 to {LATEST}; before-006.db beside it" in server.stderr()
    assert server.active(app, old) and server.check(old).status == 200
    assert server.revoke(app, logins[1]).status == 200
    first = server.token(app, grant_type="refresh_token", refresh_token=logins[0]).json()
    assert server.active(app, first["access_token"])
    assert server.revoke(app, first["refresh_token"]).status == 200
    assert not server.active(app, first["access_token"]) and server.active(app, old)
    assert server.revoke(app, old).status == 200 and not server.active(app, old)


def test_H16_an_upgrade_under_load_refuses_nobody(manage):  # noqa: F811
    """The listening socket outlives the old program, as with systemd."""
    server = manage([listening()]).start()
    app = server.app(scope="alpha", token_format="sealed")
    for i in range(200):
        server.manage("POST", "applications", None, {"client_id": f"a{i}", "name": "a"})
    ended, failures, tokens = threading.Event(), [], []

    def visit():
        while not ended.is_set():
            try:
                answer = server.form("/oauth/token", {"grant_type": "client_credentials"}, app,
                                     headers={"Connection": "close"})
                assert answer.status == 200, answer
                tokens.append(answer.json()["access_token"])
            except (OSError, AssertionError) as failure:
                failures.append(repr(failure))

    visitors = [threading.Thread(target=visit) for _ in range(3)]
    for visitor in visitors:
        visitor.start()
    try:
        for _ in range(3):
            before = len(tokens)
            while len(tokens) < before + 5:
                assert not failures, failures[:3]
            server.stop()
            to_schema(server.data, 1)
            server.start()
            assert server.stored("PRAGMA user_version") == LATEST
    finally:
        ended.set()
        for visitor in visitors:
            visitor.join()
    assert not failures, failures[:3]
    assert {server.check(token).status for token in tokens} == {200}


def test_H16_a_newer_schema_is_refused_in_words_and_left_alone(make_server, tmp_path):
    data = core_store(tmp_path / "newer")
    db = sqlite3.connect(data / "twoleg.db")
    db.execute("INSERT INTO schema_version VALUES (?, 0)", (LATEST + 1,))
    db.commit()
    db.close()

    def content():
        return hashlib.sha256((data / "twoleg.db").read_bytes()).hexdigest()

    before = content()
    status, words = make_server(data=data).refused()
    assert status == 1
    assert f"{data}/twoleg.db: was written by a newer twoleg (schema {LATEST + 1}; this one " \
        f"knows schema {LATEST}): use that release, or restore a backup from before" in words
    assert content() == before and not list(pathlib.Path(data).glob("before-*"))


def test_H16_back_by_the_copy_from_before(make_server, tmp_path):
    """What a downgrade beyond what the schema allows is left with; and up again."""
    data = core_store(tmp_path / "core")
    server = make_server(data=data).start()
    server.cli("app", "create", "--name", "later", "--client-id", "later")
    server.stop()
    server.cli("restore", str(data / "before-002.db"), "--keep-tokens", "--yes")
    assert stored(data, "PRAGMA user_version") == 0
    server.start()
    assert server.active(core_app("caller"), CORE["tokens"]["good"])
    assert server.token(core_app("jwt")).status == 200
    assert server.run_cli("app", "show", "later").returncode != 0
