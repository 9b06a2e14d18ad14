# SPDX-License-Identifier: Apache-2.0
"""RFC 7662: introspection."""
import time

import pytest

from instance import Application, basic, until


def test_rfc7662_2_2_active_token(server, any_app, resource_server):
    answer = server.introspect(resource_server, server.bearer(any_app))
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body["active"] is True
    assert body["client_id"] == any_app.id
    assert sorted(body["scope"].split(" ")) == ["alpha", "beta"]
    assert body["token_type"] == "Bearer"
    assert type(body["exp"]) is int and type(body["iat"]) is int
    assert body["exp"] - body["iat"] == 3600 and abs(body["iat"] - time.time()) < 60
    assert body["sub"] == any_app.id
    assert body["iss"] and body["aud"] and body["jti"]


def test_rfc7662_2_2_values_agree_with_the_gate(server, any_app, resource_server):
    token = server.bearer(any_app)
    body = server.introspect(resource_server, token).json()
    headers = server.check(token).headers
    assert body["jti"] == headers["X-Auth-Token-Id"]
    assert str(body["exp"]) == headers["X-Auth-Expires"]
    assert body["aud"] in (headers["X-Auth-Audience"], [headers["X-Auth-Audience"]])


def test_rfc7662_2_2_never_expiring_token_has_no_exp(server, resource_server):
    app = server.app(token_format="sealed", token_ttl="never")
    body = server.introspect(resource_server, server.bearer(app)).json()
    assert body["active"] is True and "exp" not in body


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "tlt_" + "A" * 80, "\u00e4\u00f6",
                                   "x" * 9000,
                                   "eyJhbGciOiJub25lIn0.e30.", "." * 8000])
def test_rfc7662_2_2_bad_token_is_inactive_and_says_no_more(server, resource_server, token):
    answer = server.introspect(resource_server, token)
    assert (answer.status, answer.json()) == (200, {"active": False})


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
def test_rfc7662_2_1_hint_is_only_a_hint(server, any_app, resource_server, hint):
    token = server.bearer(any_app)
    assert server.introspect(resource_server, token, token_type_hint=hint).json()["active"]


@pytest.mark.parametrize("method", ["basic", "post"])
def test_rfc7662_2_1_both_methods(server, any_app, resource_server, method):
    assert server.introspect(resource_server, server.bearer(any_app), method).json()["active"]


def test_rfc7662_2_3_without_authentication_is_401(server, app, resource_server):
    token = server.bearer(app)
    for header in (None, basic(resource_server.id, "wrong"), basic("nobody", "x"),
                   "Bearer " + token):
        headers = {"Authorization": header} if header else {}
        answer = server.form("/oauth/introspect", {"token": token}, headers=headers)
        assert answer.status == 401 and answer.error == "invalid_client", answer
        assert "WWW-Authenticate" in answer.headers


def test_rfc7662_4_B16_only_resource_servers(server, any_app):
    token = server.bearer(any_app)
    answer = server.introspect(any_app, token)
    assert (answer.status, answer.error) == (403, "unauthorized_client")


def test_rfc7662_4_B16_resource_server_of_another_api_sees_nothing(server, any_app):
    """CVE-2026-37979, CVE-2026-58425: any confidential client could ask about any token."""
    uri = f"https://other-{any_app.facts['token_format']}.example/"
    server.api(uri, "other")
    other = server.app(name="other", serves=uri)
    assert server.introspect(other, server.bearer(any_app)).json() == {"active": False}


def test_rfc7662_2_1_missing_and_duplicate_token(server, app, resource_server):
    for fields in ([], [("token", "")], [("token", "a"), ("token", "b")]):
        answer = server.form("/oauth/introspect", fields, resource_server)
        assert (answer.status, answer.error) == (400, "invalid_request"), fields


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_rfc7662_2_1_only_post(server, method):
    answer = server.request(method, "/oauth/introspect?token=x")
    assert answer.status == 405 and answer.headers["Allow"] == "POST"


@pytest.mark.hooks
def test_rfc7662_2_2_expired_at_exactly_now(timed):
    token = timed.server.bearer(timed.app)
    exp = timed.server.introspect(timed.caller, token).json()["exp"]
    timed.clock(exp - time.time() - 10)
    assert timed.server.active(timed.caller, token)
    timed.clock(exp - time.time() + 0.01)
    assert not timed.server.active(timed.caller, token)


@pytest.mark.hooks
def test_H12_a_step_back_never_revives_what_had_expired(timed):
    token = timed.server.bearer(timed.app)
    timed.clock(4000)
    assert not timed.server.active(timed.caller, token)
    timed.clock(0)
    assert not timed.server.active(timed.caller, token)


@pytest.mark.hooks
def test_H12_tokens_issued_after_a_step_back_are_good(timed):
    """Two hours too early for a moment must not cost two hours of service."""
    timed.step(7200)
    assert timed.server.active(timed.caller, timed.server.bearer(timed.app))
    timed.step(0)
    token = timed.server.bearer(timed.app)
    assert timed.server.active(timed.caller, token) and timed.server.check(token).status == 200
    timed.step(-50)
    token = timed.server.bearer(timed.app)
    assert timed.server.active(timed.caller, token) and timed.server.check(token).status == 200


@pytest.mark.hooks
def test_H12_a_passing_step_forward_leaves_nothing_behind(timed):
    """Proven on a live server: what was issued after a glitch of 40 days lived 40 days longer."""
    timed.step(40 * 86400)
    before = timed.server.bearer(timed.app)
    secret = timed.server.manage("POST", "application/secrets", timed.app, {"expires_in": 86400})
    timed.step(0)
    token = timed.server.bearer(timed.app)
    for each in (before, token):
        facts = timed.server.introspect(timed.caller, each).json()
        assert facts["active"] and abs(facts["iat"] - time.time()) < 60, facts
    again = Application({**timed.app.facts, "client_secret": secret["client_secret"]})
    assert timed.server.token(again).status == 200
    timed.clock(3700)
    assert not timed.server.active(timed.caller, token)


@pytest.mark.hooks
def test_H12_a_step_forward_that_stands_is_believed(timed):
    token = timed.server.bearer(timed.app)
    timed.step(7200)
    assert timed.server.active(timed.caller, token)
    timed.clock(61)
    assert not timed.server.active(timed.caller, token)
    assert timed.server.active(timed.caller, timed.server.bearer(timed.app))


@pytest.mark.hooks
def test_H12_far_behind_nothing_is_issued_and_what_expires_still_does(timed):
    token = timed.server.bearer(timed.app)
    timed.step(-7200)
    answer = timed.server.token(timed.app)
    assert (answer.status, answer.error) == (503, "temporarily_unavailable")
    ready = timed.server.get("/readyz")
    assert (ready.status, ready.json()) == (503, {"status": "clock"})
    assert timed.server.get("/healthz").status == 200
    assert timed.server.active(timed.caller, token) and timed.server.check(token).status == 200
    timed.clock(3700)
    assert not timed.server.active(timed.caller, token)
    assert timed.server.check(token).status == 401
    timed.step(0)
    assert timed.server.get("/readyz").status == 200
    assert timed.server.active(timed.caller, timed.server.bearer(timed.app))


@pytest.mark.hooks
def test_H12_a_restart_gives_up_a_clock_that_was_years_ahead(timed):
    """Believed for long; only a restart gives it up. A token of then would live for years, and the
    next key would wait for as long."""
    server, years = timed.server, 2 * 365 * 86400
    before = server.bearer(timed.app)

    def announced():
        return [key["since"] for key in server.cli("key", "list", "--json")["keys"]
                if key["state"] == "announced"]

    timed.step(years)
    assert server.active(timed.caller, before)
    timed.clock(61)
    ahead = server.bearer(timed.app)
    facts = server.introspect(timed.caller, ahead).json()
    assert facts["active"] and facts["iat"] > time.time() + years - 60
    until(announced, "the next key")
    timed.step(0)
    assert server.token(timed.app).status == 503
    server.restart()
    assert not server.active(timed.caller, ahead) and server.check(ahead).status == 401
    words = server.run_cli("token", "inspect", "--json", input=ahead).stdout
    assert '"reason": "the token was issued by a clock that was ahead"' in words
    assert server.active(timed.caller, before)
    assert server.active(timed.caller, server.bearer(timed.app))
    assert announced()[0] > time.time() + years - 60
    server.cli("key", "rotate")
    assert abs(announced()[0] - time.time()) < 60
    assert server.run_cli("key", "rotate").returncode == 4
    assert server.revoke(timed.app, ahead).status == 200
    assert server.cli("status", "--json")["revocations"] == 1, "its time will come"


@pytest.mark.hooks
def test_H12_a_reference_of_a_clock_an_hour_ahead_goes_on(timed):
    """It may be what is given out again: refused, it would lock out whoever asks for it."""
    server = timed.server
    goes_on = server.cli("app", "show", timed.app.id, "--json")["token_format"] == "reference"
    timed.step(3600)
    timed.clock(61)
    ahead = server.bearer(timed.app)
    server.restart()
    assert server.active(timed.caller, ahead) is goes_on
    assert server.check(ahead).status == (200 if goes_on else 401)


@pytest.mark.hooks
def test_H12_after_2038_and_2106_it_goes_on(timed):
    """Where 32 bits of seconds end, signed and unsigned."""
    before = timed.server.bearer(timed.app)
    for end in (2**31, 2**32):
        timed.clock(end - time.time() - 60)
        across = timed.server.bearer(timed.app)
        timed.clock(end - time.time() + 60)
        assert timed.server.active(timed.caller, across)
        token = timed.server.bearer(timed.app)
        facts = timed.server.introspect(timed.caller, token).json()
        assert facts["active"] and end < facts["iat"] < end + 120
        assert timed.server.check(token).status == 200
        assert timed.server.revoke(timed.app, token).status == 200
        assert not timed.server.active(timed.caller, token)
        timed.clock(end - time.time() + 4000)
        assert not timed.server.active(timed.caller, across)
    assert not timed.server.active(timed.caller, before)


@pytest.mark.hooks
def test_H12_a_frozen_clock_keeps_no_token_alive(timed):
    """The wall clock stands while time passes: nothing is issued then, and what expires does."""
    token, refused = timed.server.bearer(timed.app), 0
    for passed in range(240, 4801, 240):
        timed.step(-passed)
        timed.clock(passed)
        refused += timed.server.token(timed.app).status == 503
    assert refused > 15
    assert not timed.server.active(timed.caller, token)
    timed.step(0)
    assert timed.server.active(timed.caller, timed.server.bearer(timed.app))


@pytest.mark.hooks
def test_H12_a_second_that_comes_twice_revives_nothing_and_refuses_nobody(timed):
    """A leap second, as the kernel tells it: the last second of the day again."""
    token = timed.server.bearer(timed.app)
    expires = timed.server.introspect(timed.caller, token).json()["exp"]
    timed.clock(expires - time.time() + 0.2)
    assert not timed.server.active(timed.caller, token)
    for step in (-1, -0.5, 0):
        timed.step(step)
        assert not timed.server.active(timed.caller, token), "it had expired"
        assert timed.server.check(token).status == 401
        fresh = timed.server.bearer(timed.app)
        facts = timed.server.introspect(timed.caller, fresh).json()
        assert facts["active"] and facts["exp"] == facts["iat"] + 3600, facts
        assert timed.server.check(fresh).status == 200
        assert timed.server.get("/readyz").status == 200


@pytest.mark.hooks
def test_H12_the_log_says_once_what_is_wrong_with_the_clock(timed):
    timed.step(-7200)
    until(lambda: "event=clock state=behind" in timed.server.stderr(), "the word of the log")
    timed.step(0)
    until(lambda: "event=clock state=right" in timed.server.stderr(), "the word of the log")
    assert timed.server.stderr().count("event=clock") == 2


def test_rfc7662_2_2_jti_is_the_tokens_own_and_that_of_the_gate(server, app, resource_server):
    import base64
    import json
    token = server.bearer(app)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert server.introspect(resource_server, token).json()["jti"] == claims["jti"]
    assert server.check(token).headers["X-Auth-Token-Id"] == claims["jti"]
