# SPDX-License-Identifier: Apache-2.0
"""RFC 7009: revocation."""
import os
import sqlite3
import time

import pytest

from instance import PATIENCE, UNLIMITED, basic, until
from test_users import INVALID, ON, granted, refresh, user


def test_rfc7009_2_1_revoked_token_is_dead_everywhere(server, any_app, resource_server):
    token = server.bearer(any_app)
    assert server.active(resource_server, token)
    answer = server.revoke(any_app, token)
    assert answer.status == 200
    assert not server.active(resource_server, token)
    assert server.check(token).status == 401


def test_rfc7009_2_1_only_that_token_dies(server, any_app, resource_server):
    token, other = server.bearer(any_app), server.bearer(any_app)
    server.revoke(any_app, token)
    assert server.active(resource_server, other)


@pytest.mark.parametrize("method", ["basic", "post"])
def test_rfc7009_2_1_both_methods(server, any_app, method):
    token = server.bearer(any_app)
    assert server.revoke(any_app, token, method).status == 200
    assert server.check(token).status == 401


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense", ""])
def test_rfc7009_2_1_hint_is_only_a_hint(server, any_app, hint):
    token = server.bearer(any_app)
    assert server.revoke(any_app, token, token_type_hint=hint).status == 200
    assert server.check(token).status == 401


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "tlt_" + "A" * 80, "\u00e4\u00f6",
                                   "x" * 9000])
def test_rfc7009_2_2_invalid_token_is_200(server, app, token):
    assert server.revoke(app, token).status == 200


def test_rfc7009_2_2_again_is_200(server, any_app):
    token = server.bearer(any_app)
    for _ in range(3):
        assert server.revoke(any_app, token).status == 200


def test_rfc7009_2_2_answer_is_empty_json_object_not_cached(server, app):
    answer = server.revoke(app, server.bearer(app))
    assert answer.body in (b"{}", b"")
    assert answer.headers["Cache-Control"] == "no-store"


def test_rfc7009_2_1_missing_token_is_invalid_request(server, app):
    answer = server.form("/oauth/revoke", {"token_type_hint": "access_token"}, app)
    assert (answer.status, answer.error) == (400, "invalid_request")
    answer = server.form("/oauth/revoke", {"token": ""}, app)
    assert (answer.status, answer.error) == (400, "invalid_request")


def test_rfc7009_2_1_duplicate_token_is_invalid_request(server, app):
    token = server.bearer(app)
    answer = server.form("/oauth/revoke", [("token", token), ("token", token)], app)
    assert (answer.status, answer.error) == (400, "invalid_request")
    assert server.check(token).status == 200


def test_rfc7009_2_1_without_authentication_is_401(server, app):
    token = server.bearer(app)
    for headers in ({}, {"Authorization": basic(app.id, "wrong")},
                    {"Authorization": "Bearer " + token}):
        answer = server.form("/oauth/revoke", {"token": token}, headers=headers)
        assert (answer.status, answer.error) == (401, "invalid_client"), answer
    assert server.check(token).status == 200


def test_rfc7009_5_B16_foreign_token_stays(server, any_app, resource_server):
    token = server.bearer(any_app)
    stranger = server.app(name="stranger", scope="alpha beta")
    for who in (stranger, resource_server):
        answer = server.revoke(who, token)
        assert (answer.status, answer.error) == (400, "invalid_grant"), answer
        assert server.check(token).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_rfc7009_2_1_only_post(server, app, method):
    answer = server.request(method, "/oauth/revoke")
    assert answer.status == 405 and answer.headers["Allow"] == "POST"


@pytest.mark.hooks
def test_rfc7009_2_2_token_that_is_dead_for_good_is_200_and_writes_nothing(timed):
    token = timed.server.bearer(timed.app)
    assert timed.server.revoke(timed.app, token).status == 200
    timed.server.hooks.fault("store", 1, sticky=True)
    assert timed.server.revoke(timed.app, token).status == 200
    timed.server.hooks.fault("store", 0)


@pytest.mark.hooks
def test_rfc7009_2_2_expired_token_is_200_and_stays_revoked_whatever_the_clock_does(timed):
    token = timed.server.bearer(timed.app)
    timed.clock(3700)
    assert timed.server.revoke(timed.app, token).status == 200
    timed.clock(0)
    timed.server.restart()  # the time of the new process is the true one again
    assert timed.server.check(token).status == 401


@pytest.mark.hooks
def test_H12_a_revocation_outlives_a_clock_that_was_wrong_for_hours(timed):
    """Proven on a live server: 40 days too early for one purge, a restart, and it was alive."""
    server = timed.server
    token = server.bearer(timed.app)
    assert server.revoke(timed.app, token).status == 200
    timed.step(40 * 86400)
    until(lambda: "state=ahead" in server.stderr(), "the look at the clock")
    for hours in (0, 1, 6):
        timed.clock(61 + hours * 3600)
        until(lambda: "state=right" in server.stderr(), "the look at the clock")
    assert not server.active(timed.caller, token)
    timed.step(0)
    until(lambda: "state=behind" in server.stderr(), "the look at the clock")
    assert server.cli("status", "--json")["revocations"] == 1
    server.restart()
    assert not server.active(timed.caller, token) and server.check(token).status == 401


@pytest.mark.hooks
def test_H12_a_login_outlives_a_clock_that_was_wrong_for_hours(make_server, tmp_path):
    """It has expired by the wrong time, by which others log in."""
    config = tmp_path / "on.yaml"
    config.write_text(ON + UNLIMITED.read_text())
    server = make_server(config=config).start()
    app = server.app(scope="alpha", grants="password refresh_token")
    name = user(server, "ann", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    server.hooks.step(40 * 86400)
    until(lambda: "state=ahead" in server.stderr(), "the look at the clock")
    for hours in (0, 1, 6):
        server.hooks.clock(61 + hours * 3600)
        until(lambda: "state=right" in server.stderr(), "the look at the clock")
        granted(server, app, name)
        server.hooks.turn("housekeeper.turn")
    assert refresh(server, app, token).json() == INVALID
    server.hooks.step(0)
    server.restart()
    assert refresh(server, app, token).status == 200


@pytest.mark.hooks
def test_rfc7009_2_a_revocation_is_forgotten_long_after_its_token(timed):
    server = timed.server
    assert server.revoke(timed.app, server.bearer(timed.app)).status == 200
    days = 0

    def forgotten():
        nonlocal days
        days += 1
        timed.clock(days * 86400)
        return server.cli("status", "--json")["revocations"] == 0

    until(forgotten, "the purge")
    assert days > 2
    server.restart()
    assert server.cli("status", "--json")["revocations"] == 0


# Of a reference token longer, which may be found again (reissue).
@pytest.mark.parametrize("form", ["jwt", "sealed"])
def test_rfc7009_2_a_revocation_counts_until_its_token_has_expired(make_server, tmp_path, form):
    config = tmp_path / "long.yaml"
    config.write_text("jwt_max_ttl: 30d\n")
    server = make_server(config=config).start()
    app = server.app(token_ttl="30d", token_format=form)
    began = time.monotonic()
    answer = server.token(app).json()
    assert server.revoke(app, answer["access_token"]).status == 200
    kept = server.stored("SELECT expires_s - revoked_us / 1000000 FROM revoked_tokens")
    assert 0 <= answer["expires_in"] - kept + 1 <= 3 + time.monotonic() - began


@pytest.mark.hooks
def test_rfc7009_2_an_expired_token_is_revoked_once(own_server):
    server = own_server
    app = server.app(token_ttl="60", token_format="sealed")
    token = server.bearer(app)
    server.hooks.clock(61)
    assert [server.revoke(app, token).status for _ in range(5)] == [200] * 5
    server.hooks.clock(0)
    assert server.stored("SELECT count(*) FROM audit WHERE action = 'token.revoke'") == 1
    assert server.check(token).status == 401  # whatever the clock does


@pytest.mark.hooks
def test_rfc7009_5_revocations_of_expired_tokens_take_no_place_without_end(own_server):
    server = own_server
    app = server.app(token_ttl="60", token_format="sealed")
    server.revoke_many(app, 10000, expires_s=1)
    expired, rows = server.bearer(app), "SELECT count(*) FROM revoked_tokens"
    server.hooks.clock(61)
    assert server.revoke(app, expired).status == 200 and server.stored(rows) == 10000
    alive = server.bearer(app)
    assert server.revoke(app, alive).status == 200 and server.check(alive).status == 401
    assert server.stored(rows) == 10001
    told = server.run_cli("token", "revoke", input=expired)
    assert (told.returncode, told.stdout) == \
        (0, "The token was no good before: the token has expired\n"), told
    assert server.manage("POST", "tokens/revoke", None, {"token": expired}) == \
        {"token_type": "access_token", "revoked": False, "reason": "the token has expired"}
    assert server.stored(rows) == 10001
    server.hooks.clock(0)


@pytest.mark.hooks
def test_rfc7009_2_a_purge_that_is_cut_short_goes_on_at_once(own_server):
    """Not a day later: each of its slices may meet a store that has no time."""
    server = own_server
    server.revoke_many(server.app(), 1200, expires_s=1)
    for day in range(1, 6):  # the purge of each day fails
        server.hooks.fault("store", 1, sticky=True)
        server.hooks.clock(day * 86400)
        server.hooks.turn("housekeeper.turn")
        assert server.stored("SELECT count(*) FROM revoked_tokens") == 1200
    server.hooks.fault("store", 0)
    until(lambda: server.stored("SELECT count(*) FROM revoked_tokens") == 0, "the purge")


@pytest.mark.hooks
def test_rfc7009_2_a_server_that_is_restarted_often_forgets_too(own_server):
    """What it has counted of the day is kept in the store, and the next life goes on from it."""
    server = own_server
    app = server.app()
    assert server.revoke(app, server.bearer(app)).status == 200
    server.hooks.turn("housekeeper.turn")
    server.stop()
    path = os.path.join(server.data, "twoleg.db")
    db = sqlite3.connect(path, isolation_level=None)
    note = db.execute("SELECT value FROM settings WHERE name = 'purge'").fetchone()[0]
    before, counted, now = (int(word) for word in note.split())
    assert abs(now - before - 86400) <= PATIENCE and counted <= PATIENCE
    assert abs(time.time() - now) <= PATIENCE
    # As if lives like this one had made up a day, and the token had ended long before.
    db.execute("UPDATE settings SET value = ? WHERE name = 'purge'", (f"{before} 86400 {now}",))
    db.execute("UPDATE revoked_tokens SET expires_s = ?", (before - 1,))
    db.close()
    server.start()
    until(lambda: server.cli("status", "--json")["revocations"] == 0, "the purge")
    server.restart()
    assert server.cli("status", "--json")["revocations"] == 0


@pytest.mark.hooks
def test_rfc7009_2_1_foreign_token_is_refused_alive_or_dead_alike(timed):
    token = timed.server.bearer(timed.app)
    stranger = timed.server.app(name="stranger", scope="alpha beta")
    alive = timed.server.revoke(stranger, token)
    assert (alive.status, alive.error) == (400, "invalid_grant")
    assert timed.server.check(token).status == 200
    assert timed.server.revoke(timed.app, token).status == 200
    dead = timed.server.revoke(stranger, token)
    assert (dead.status, dead.body) == (alive.status, alive.body)
    timed.server.cli("app", "delete", timed.app.id, "--yes")
    gone = timed.server.revoke(stranger, token)
    assert (gone.status, gone.body) == (alive.status, alive.body)


def test_rfc7009_H1_a_revocation_survives_kill_9(own_server):
    app = own_server.app()
    token, kept = own_server.bearer(app), own_server.bearer(app)
    assert own_server.revoke(app, token).status == 200
    own_server.restart(hard=True)
    assert own_server.check(token).status == 401
    assert own_server.check(kept).status == 200


@pytest.mark.hooks
def test_rfc7009_2_2_a_failed_write_is_never_200(server, any_app):
    """CVE-2020-15223: a store error during revocation was reported as success."""
    token = server.bearer(any_app)
    server.hooks.fault("store", 1, sticky=True)
    try:
        answer = server.revoke(any_app, token)
        assert answer.status == 503, answer
    finally:
        server.hooks.fault("store", 0)
    assert server.check(token).status == 200
    assert server.revoke(any_app, token).status == 200
    assert server.check(token).status == 401
