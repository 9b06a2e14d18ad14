# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens (RFC 6749 section 6): good once, bound to what they came from, ended together with
the access tokens that came with them."""
import concurrent.futures
import copy
import sqlite3
import time

import pytest

from instance import FORMATS, insist, until
from test_races import Call
from test_users import (INVALID, ON, PASSWORD, app, granted, refresh, server,  # noqa: F401
                        user)


@pytest.fixture
def own(make_server, tmp_path):
    """Makes a server of one's own, and an application of it whose users may log in."""
    def make(options="", **facts):
        config = tmp_path / "on.yaml"
        config.write_text(ON + options)
        server = make_server(config=config).start()
        return server, server.app(**{"name": "a", "scope": "alpha", "resource_server": True,
                                     "grants": "password refresh_token", **facts})
    return make


def test_rfc6749_4_4_3_client_credentials_never_get_a_refresh_token(server, app):
    assert "refresh_token" not in server.token(app).json()


def test_rfc6749_6_a_refresh_token_gives_a_token_and_its_successor(server, app):
    name = user(server, "fresh", "--scope", "alpha beta")
    first = granted(server, app, name)
    second = refresh(server, app, first["refresh_token"]).json()
    assert second["scope"] == "alpha beta" and second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert server.check(second["access_token"]).headers["X-Auth-Username"] == name
    third = refresh(server, app, second["refresh_token"], scope="alpha").json()
    assert third["scope"] == "alpha"
    # Less was asked for once; what was granted is still granted.
    assert refresh(server, app, third["refresh_token"]).json()["scope"] == "alpha beta"


@pytest.mark.hooks
def test_rfc6749_6_it_is_not_used_up_where_no_answer_has_a_place_for_the_next_one(make_server,
                                                                                  tmp_path):
    folder = tmp_path / "dialects"
    folder.mkdir()
    (folder / "mute.yaml").write_text("name: mute\ntitle: Mute\nsuccess:\n  fields:\n"
                                      "    - {name: access_token, source: access_token}\n")
    config = tmp_path / "mute.yaml"
    config.write_text(ON + f"dialect_folder: {folder}\nhosts:\n"
                      "  - {name: mute.example, dialect: mute}\n"
                      "  - {name: full.example, dialect: rfc6749}\n")
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")

    def at(host, **fields):
        return server.form("/oauth/token", fields, app, headers={"Host": host})
    name = user(server, "mute")
    token = at("full.example", grant_type="password", username=name,
               password=PASSWORD).json()["refresh_token"]
    refused = at("mute.example", grant_type="refresh_token", refresh_token=token)
    assert (refused.status, refused.error) == (400, "unsupported_grant_type")
    server.hooks.clock(60)
    assert at("full.example", grant_type="refresh_token", refresh_token=token).status == 200
    server.hooks.clock(0)


def test_rfc6749_6_never_more_than_was_granted(server, app):
    name = user(server, "no more", "--scope", "alpha beta")
    answer = granted(server, app, name, scope="alpha")
    more = refresh(server, app, answer["refresh_token"], scope="alpha beta")
    assert (more.status, more.error) == (400, "invalid_scope")
    # Refused, it was not used up.
    assert refresh(server, app, answer["refresh_token"]).json()["scope"] == "alpha"


@pytest.mark.parametrize("left", ["client_credentials password", "client_credentials"])
def test_rfc6749_6_refresh_tokens_end_for_good_with_the_grant(server, left):
    """They would wake when the application may refresh again. Access tokens go on to their end."""
    grants = "client_credentials password refresh_token"
    app = server.app(name="left", scope="alpha", grants=grants)
    name = user(server, f"until {left}", "--scope", "alpha")
    answer = granted(server, app, name)
    asked = server.run_cli("app", "update", app.id, "--grants", left)
    assert asked.returncode == 2 and "All its refresh tokens end" in asked.stderr, asked
    assert refresh(server, app, answer["refresh_token"]).status == 200
    ending = granted(server, app, name)
    token = ending["refresh_token"]
    server.cli("app", "update", app.id, "--grants", left, "--yes")
    refused = refresh(server, app, token)
    assert (refused.status, refused.error) == (400, "unauthorized_client")
    server.cli("app", "update", app.id, "--grants", grants)
    assert refresh(server, app, token).json() == INVALID
    # Neither it nor what has come since is anything but dead; what came with it can be ended still.
    other = granted(server, app, name)
    assert refresh(server, app, token).json() == INVALID
    assert refresh(server, app, other["refresh_token"]).status == 200
    last = [answer["access_token"], ending["access_token"], other["access_token"]]
    assert [server.check(each).status for each in last] == [200] * 3
    assert server.revoke(app, token).status == 200
    assert [server.check(each).status for each in last] == [200, 401, 200]
    server.cli("app", "revoke-tokens", app.id, "--yes")
    assert [server.check(each).status for each in last] == [401] * 3


@pytest.mark.hooks
@pytest.mark.parametrize("options,seconds", [("refresh_idle: 1m", 61), ("refresh_ttl: 1m", 61)])
def test_a_refresh_token_has_an_end(own, options, seconds):
    server, app = own(options + "\n")
    name = user(server, "ended", "--scope", "alpha")
    answers = [granted(server, app, name)["refresh_token"] for _ in range(2)]
    server.hooks.clock(40)
    renewed = refresh(server, app, answers[0]).json()["refresh_token"]
    server.hooks.clock(seconds)
    assert refresh(server, app, answers[1]).json() == INVALID
    wanted = 200 if "idle" in options else 400  # use puts off the one, not the other
    assert refresh(server, app, renewed).status == wanted
    server.hooks.clock(0)


def test_it_is_bound_to_its_application_and_to_its_generation(server, app):
    name = user(server, "bound", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    other = server.app(name="other", scope="alpha", grants="password refresh_token")
    assert refresh(server, other, token).json() == INVALID
    assert refresh(server, app, token).status == 200  # a foreign one's try ends nothing
    token = granted(server, other, name)["refresh_token"]
    server.act("revoke-tokens", other)
    assert refresh(server, other, token).json() == INVALID


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: t + "A", lambda t: t[:-1] + "*",
                                   lambda t: "x" + t[1:], lambda t: t.upper(), lambda t: "tlf_",
                                   lambda t: "a.b.c", lambda t: "\u00e4" * 40])
def test_C15_a_text_that_is_none_is_refused_and_ends_nothing(server, app, spoil):
    name = "spoilt"
    if not any(row["username"] == name for row in server.cli("user", "list", "--json")["users"]):
        user(server, name, "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    assert refresh(server, app, spoil(token)).json() == INVALID
    assert refresh(server, app, token).status == 200


def test_rfc7009_2_revoking_it_ends_its_family(server, app):
    name = user(server, "revoked", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    other = server.app(name="stranger", scope="alpha", grants="password refresh_token")
    answer = server.revoke(other, second)
    assert answer.status == 400 and answer.error == "invalid_grant"
    assert server.revoke(app, second, token_type_hint="access_token").status == 200
    assert refresh(server, app, second).json() == INVALID
    assert server.revoke(app, second).status == 200  # section 2.2: once more is no error


def alive(server, caller, *tokens):
    """What /check and introspection say of each, which is the same."""
    states = [server.check(token).status == 200 for token in tokens]
    assert [server.active(caller, token) for token in tokens] == states
    return states


@pytest.mark.parametrize("form", FORMATS)
def test_rfc7009_2_1_the_access_tokens_of_a_family_end_with_it(server, app, form):
    name = user(server, "ends " + form, "--scope", "alpha")
    mine = server.app(name=form, scope="alpha", token_format=form,
                      grants="client_credentials password refresh_token")
    own = server.bearer(mine)
    first, other = granted(server, mine, name), granted(server, mine, name)
    second = refresh(server, mine, first["refresh_token"]).json()
    again = refresh(server, mine, first["refresh_token"]).json()  # the answer was lost
    alone = refresh(server, mine, second["refresh_token"]).json()
    assert server.revoke(mine, alone["access_token"]).status == 200
    family = [answer["access_token"] for answer in (first, second, again)]
    assert alive(server, app, *family, alone["access_token"]) == [True] * 3 + [False]
    # One of them alone ends nothing else.
    last = refresh(server, mine, alone["refresh_token"]).json()
    family.append(last["access_token"])
    assert alive(server, app, *family) == [True] * 4
    assert server.revoke(mine, last["refresh_token"]).status == 200
    assert alive(server, app, *family) == [False] * 4
    assert alive(server, app, own, other["access_token"]) == [True, True]
    renewed = refresh(server, mine, other["refresh_token"]).json()["access_token"]
    assert alive(server, app, renewed) == [True]
    assert server.revoke(mine, family[0]).status == 200  # section 2.2: dead already
    shown = server.manage("POST", "tokens/inspect", None, {"token": family[0]})
    assert not shown["active"] and "refresh token" in shown["reason"]


@pytest.mark.parametrize("form", FORMATS)
def test_G1_nothing_that_is_refreshed_meanwhile_outlives_the_end(server, app, form):
    name = user(server, "chased " + form, "--scope", "alpha")
    mine = server.app(name="chased", scope="alpha", token_format=form,
                      grants="password refresh_token")
    for _ in range(10):
        given = [granted(server, mine, name)]

        def go_on(given=given):
            while True:
                answer = insist(lambda: refresh(server, mine, given[-1]["refresh_token"]))
                if answer.status != 200:
                    return answer
                given.append(answer.json())
        going = Call(go_on)
        until(lambda: len(given) > 3 or not going.is_alive(), "successors")
        assert insist(lambda: server.revoke(mine, given[0]["refresh_token"])).status == 200
        assert going.result().json() == INVALID
        assert len(given) > 3
        assert alive(server, app, *(one["access_token"] for one in given)) == [False] * len(given)


def other_secret(server, app):
    other = copy.copy(app)
    other.secret = server.cli("secret", "add", app.id, "--json")["client_secret"]
    return other


def test_rfc9700_2_2_2_logins_end_with_the_tokens_of_the_secret_they_were_got_with(own):
    server, app = own()
    name = user(server, "many", "--scope", "alpha")
    row, = server.secrets(app)
    other = other_secret(server, app)
    by_one = [granted(server, app, name)["refresh_token"] for _ in range(2)]
    by_other = [granted(server, other, name)["refresh_token"] for _ in range(2)]
    # The secret that was shown last counts.
    gone = [by_one[0], refresh(server, app, by_other[0]).json()["refresh_token"]]
    kept = [by_other[1], refresh(server, other, by_one[1]).json()["refresh_token"]]
    server.cli("secret", "remove", app.id, row["secret"], "--revoke-tokens", "--yes")
    for _ in range(2):
        assert [refresh(server, other, token).json() for token in gone] == [INVALID] * 2
        answers = [refresh(server, other, token) for token in kept]
        assert [answer.status for answer in answers] == [200, 200]
        kept = [answer.json()["refresh_token"] for answer in answers]
        server.restart(hard=True)
    assert server.revoke(other, gone[0]).status == 200  # it may still be given back


def test_logins_go_on_with_another_secret_where_only_the_secret_went(server):
    app = server.app(name="one went", scope="alpha", grants="password refresh_token")
    name = user(server, "goes on", "--scope", "alpha")
    row, = server.secrets(app)
    other = other_secret(server, app)
    token = granted(server, app, name)["refresh_token"]
    server.cli("secret", "remove", app.id, row["secret"], "--yes")
    assert refresh(server, other, token).status == 200


@pytest.mark.parametrize("form", FORMATS)
def test_rfc7009_2_1_a_restart_brings_none_of_them_back(own, tmp_path, form):
    server, app = own(token_format=form, grants="client_credentials password refresh_token")
    name = user(server, "restarted", "--scope", "alpha")
    ended, other = granted(server, app, name), granted(server, app, name)
    lasting = server.app(name="lasting", scope="alpha", token_format="sealed", token_ttl="never",
                         grants="password refresh_token")
    never = granted(server, lasting, name)
    assert "expires_in" not in never
    for owner, answer in ((app, ended), (lasting, never)):
        assert server.revoke(owner, answer["refresh_token"]).status == 200
    tokens = [ended["access_token"], never["access_token"], other["access_token"]]
    for hard in (True, False):
        server.restart(hard=hard)
        assert alive(server, app, *tokens) == [False, False, True]
    server.cli("backup", str(tmp_path / "copy"))
    server.stop()
    server.cli("restore", str(tmp_path / "copy"), "--keep-tokens", "--yes")
    server.start()
    assert alive(server, app, *tokens) == [False, False, True]


def test_a_family_ends_where_the_application_has_another_format_since(server, app):
    """The family is what is ended, not the format of today."""
    name = user(server, "formats", "--scope", "alpha")
    mine = server.app(name="formats", scope="alpha", token_format="sealed",
                      grants="password refresh_token")
    answer, tokens = granted(server, mine, name), []
    for form in FORMATS:
        server.update(mine, token_format=form)
        answer = refresh(server, mine, answer["refresh_token"]).json()
        tokens.append(answer["access_token"])
    assert alive(server, app, *tokens) == [True] * len(FORMATS)
    assert server.revoke(mine, answer["refresh_token"]).status == 200
    assert alive(server, app, *tokens) == [False] * len(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_rfc7009_2_1_an_operator_ends_one_login(server, app, form):
    name = user(server, "one login " + form, "--scope", "alpha")
    mine = server.app(name="operated", scope="alpha", token_format=form,
                      grants="password refresh_token")
    ended, other = granted(server, mine, name), granted(server, mine, name)
    later = refresh(server, mine, ended["refresh_token"]).json()
    done = server.run_cli("token", "revoke", input=ended["refresh_token"] + "\n")
    assert (done.returncode, done.stdout) == (0, "The refresh token is revoked, and all that came "
                                                 "from the same password\n"), done
    assert refresh(server, mine, later["refresh_token"]).json() == INVALID
    tokens = [answer["access_token"] for answer in (ended, later, other)]
    assert alive(server, app, *tokens) == [False, False, True]
    assert refresh(server, mine, other["refresh_token"]).status == 200
    row = [row for row in server.cli("audit", "list", "--json", "--limit", "1000")["audit"]
           if row["action"] == "refresh.revoke"][-1]
    assert row["actor"].startswith("uid:") and row["detail"]["client_id"] == mine.id
    assert row["detail"]["access_tokens"] is True
    assert row["object"] == server.cli("user", "show", name, "--json")["user"]
    done = server.run_cli("token", "revoke", input=later["refresh_token"])
    assert done.returncode == 0 and "no such refresh token, or no more" in done.stdout


LOGIN_ROWS = "SELECT count(*) FROM audit WHERE action LIKE 'refresh.%'"
PART = ("The refresh token is revoked, and all refresh tokens that came from the same password; "
        "the access tokens that came with them live on: this application has as many single "
        "revocations")


@pytest.fixture
def crowded(own):
    """A server, and an application of it that may revoke no more, with logins from before."""
    server, app = own()
    name = user(server, "full", "--scope", "alpha")
    logins = [granted(server, app, name) for _ in range(3)]
    server.revoke_many(app, 10000)
    return server, app, name, logins


def make_room(server):
    server.change_store("DELETE FROM revoked_tokens")


def test_rfc7009_2_1_where_no_more_is_revoked_a_login_ends_without_its_access_tokens(crowded):
    """Who cannot revoke everything is told so, each time, until it is done; and the refresh token
    is dead all the same."""
    server, app, name, logins = crowded
    full = server.revoke(app, logins[1]["access_token"])
    assert full.status == 429 and server.check(logins[1]["access_token"]).status == 200
    given_back = logins[1]["refresh_token"]
    for life in range(2):
        for _ in range(2):
            refused = server.revoke(app, given_back)
            assert (refused.status, refused.body) == (full.status, full.body)
            assert refresh(server, app, given_back).json() == INVALID
        server.restart(hard=life == 0)
    for _ in range(25):  # those that die are not the oldest of twenty
        granted(server, app, name)
    assert server.revoke(app, given_back).status == 429
    assert alive(server, app, *(answer["access_token"] for answer in logins)) == [True] * 3
    assert server.stored(LOGIN_ROWS) == 1, "one row of the audit, however often it comes"
    make_room(server)
    assert refresh(server, app, given_back).json() == INVALID
    assert server.revoke(app, given_back).status == 200
    assert alive(server, app, *(answer["access_token"] for answer in logins)) == [True, False, True]
    assert server.revoke(app, given_back).status == 200
    told = [row["detail"]["access_tokens"] for row in server.cli("audit", "list", "--json")["audit"]
            if row["action"] == "refresh.revoke"]
    assert told == [False, True]


def test_rfc9700_4_14_2_a_login_that_is_used_twice_ends_there_without_its_access_tokens(crowded):
    server, app, _, logins = crowded
    first, last = logins[0]["refresh_token"], logins[0]
    for _ in range(2):
        last = refresh(server, app, last["refresh_token"]).json()
    for token in (first, last["refresh_token"], first):
        assert refresh(server, app, token).json() == INVALID
    assert alive(server, app, last["access_token"]) == [True]
    assert server.stored(LOGIN_ROWS) == 1
    make_room(server)
    assert server.revoke(app, last["refresh_token"]).status == 200
    assert alive(server, app, logins[0]["access_token"], last["access_token"]) == [False, False]


def test_rfc7009_2_1_an_operator_is_told_that_access_tokens_live_on(crowded):
    server, app, _, logins = crowded
    token = logins[0]["refresh_token"]
    for _ in range(2):
        done = server.run_cli("token", "revoke", input=token)
        assert done.returncode == 1 and done.stdout.startswith(PART), done
        assert "`twoleg app revoke-tokens` ends all its tokens" in done.stdout
        assert refresh(server, app, token).json() == INVALID
        said = server.manage("POST", "tokens/revoke", None, {"token": token})
        assert said.pop("reason") in done.stdout
        assert said == {"token_type": "refresh_token", "revoked": True, "access_tokens": False}
    assert server.run_cli("token", "revoke", "--json", input=token).returncode == 1
    refused = server.run_cli("token", "revoke", input=logins[0]["access_token"])
    assert refused.returncode == 1 and not refused.stdout, refused
    assert "10000 of tokens that live or 100000 in all" in refused.stderr
    assert alive(server, app, logins[0]["access_token"]) == [True]
    assert server.stored(LOGIN_ROWS) == 1
    make_room(server)
    assert server.manage("POST", "tokens/revoke", None, {"token": token}) == {
        "token_type": "refresh_token", "revoked": True, "access_tokens": True, "reason": None}
    assert alive(server, app, logins[0]["access_token"]) == [False]


def test_rfc7009_5_when_all_tokens_have_ended_there_is_room_again(crowded):
    server, app, name, logins = crowded
    assert server.revoke(app, logins[0]["refresh_token"]).status == 429
    server.cli("app", "revoke-tokens", app.id, "--yes")
    for _ in range(2):
        login = granted(server, app, name)
        assert alive(server, app, login["access_token"]) == [True]
        assert server.revoke(app, login["refresh_token"]).status == 200
        assert alive(server, app, login["access_token"]) == [False]
        server.restart(hard=True)
        assert alive(server, app, login["access_token"]) == [False]
    assert [server.revoke(app, each["refresh_token"]).status for each in logins] == [200] * 3


@pytest.mark.hooks
def test_rfc7009_2_1_a_refresh_token_that_has_expired_ends_its_access_tokens(own):
    server, app = own("refresh_ttl: 1m\n", token_format="sealed", token_ttl="30d")
    login = granted(server, app, user(server, "late", "--scope", "alpha"))
    for day in range(1, 5):
        server.hooks.clock(day * 86400)
        server.hooks.turn("housekeeper.turn")
    until(lambda: server.stored("SELECT idle_us FROM refresh_tokens") == 0, "the purge")
    assert refresh(server, app, login["refresh_token"]).json() == INVALID
    assert alive(server, app, login["access_token"]) == [True]
    assert server.revoke(app, login["refresh_token"]).status == 200
    assert alive(server, app, login["access_token"]) == [False]
    server.hooks.clock(0)


@pytest.mark.hooks
def test_rfc7009_2_1_a_login_whose_access_tokens_have_expired_ends_whole(crowded):
    server, app, _, logins = crowded
    given_back = logins[0]["refresh_token"]
    server.hooks.clock(3600 + 43200 - 600)  # one of them may live half a day longer
    assert server.revoke(app, given_back).status == 429
    server.hooks.clock(3600 + 43200 + 600)
    assert [server.revoke(app, given_back).status for _ in range(2)] == [200, 200]
    server.hooks.clock(0)


@pytest.mark.hooks
def test_rfc7009_2_1_the_end_of_a_login_is_kept_while_its_access_tokens_live(own):
    server, app = own("refresh_ttl: 90d\nrefresh_idle: 90d\n", token_format="sealed",
                      token_ttl="30d")
    first = granted(server, app, user(server, "short", "--scope", "alpha"))
    server.update(app, token_ttl="60")
    last = refresh(server, app, first["refresh_token"]).json()
    assert server.revoke(app, last["refresh_token"]).status == 200
    kept = server.stored("SELECT expires_s - revoked_us / 1000000 FROM revoked_tokens")
    assert 0 <= first["expires_in"] - kept + 1 <= 60, "the longest life that one of them has"


@pytest.mark.parametrize("ttl", ["30d", "never"])
def test_rfc7009_2_1_the_same_again_ends_with_its_login_however_long_it_lives(server, app, ttl):
    """What was noted of the login says that its end may be forgotten sooner."""
    name = user(server, "again " + ttl, "--scope", "alpha")
    mine = server.app(name="again", scope="alpha", token_format="sealed", token_ttl="60",
                      grants="password refresh_token")
    first = granted(server, mine, name)["refresh_token"]
    second = refresh(server, mine, first).json()["refresh_token"]
    assert refresh(server, mine, first).json()["refresh_token"] == second
    server.update(mine, token_ttl=None if ttl == "never" else ttl)
    again = refresh(server, mine, first).json()
    assert again["refresh_token"] == second and again.get("expires_in") != 60
    assert alive(server, app, again["access_token"]) == [True]
    assert server.revoke(mine, second).status == 200
    assert alive(server, app, again["access_token"]) == [False]
    kept = server.stored("SELECT expires_s FROM revoked_tokens ORDER BY revoked_us DESC")
    assert kept == 0 if "expires_in" not in again else kept > time.time() + 29 * 86400


def test_a_deleted_applications_refresh_token_can_be_revoked(server):
    name = user(server, "of a deleted one", "--scope", "alpha")
    mine = server.app(name="deleted", scope="alpha", grants="password refresh_token")
    token = granted(server, mine, name)["refresh_token"]
    server.delete(mine)
    assert server.manage("POST", "tokens/revoke", None, {"token": token})["revoked"]
    assert not server.manage("POST", "tokens/revoke", None, {"token": token})["revoked"]


def test_a_refresh_token_is_no_access_token(server, app):
    name = user(server, "mistaken", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    assert server.check(token).status == 401
    assert server.introspect(app, token).json() == {"active": False}


def test_D1_nothing_readable_of_passwords_and_refresh_tokens_is_stored(server, app):
    name = user(server, "stored", "--scope", "alpha", password="a canary among words")
    first = granted(server, app, name, password="a canary among words")["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    store = sqlite3.connect(f"file:{server.data}/twoleg.db?mode=ro", uri=True)
    dump = "\n".join(store.iterdump())
    store.close()
    for text in ("a canary among words", first[4:30], second[4:30]):
        assert text not in dump


def test_a_user_has_so_many_logins_with_one_application(server, app):
    name = user(server, "many", "--scope", "alpha")
    tokens = [granted(server, app, name)["refresh_token"] for _ in range(22)]
    found = [refresh(server, app, token).status for token in (tokens[0], tokens[1], tokens[2],
                                                              tokens[-1])]
    assert found == [400, 400, 200, 200]


def test_a_restored_store_has_no_refresh_tokens_from_before(own, tmp_path):
    server, app = own()
    token = granted(server, app, user(server, "restored", "--scope", "alpha"))["refresh_token"]
    server.cli("backup", str(tmp_path / "copy"))
    server.stop()
    server.cli("restore", str(tmp_path / "copy"), "--yes")
    server.start()
    assert refresh(server, app, token).json() == INVALID


@pytest.mark.hooks
def test_a_login_after_the_clock_was_set_back_is_not_the_oldest_one(own):
    server, app = own()
    name = user(server, "last", "--scope", "alpha")
    for _ in range(20):
        granted(server, app, name)
    server.hooks.step(-45)
    token = granted(server, app, name)["refresh_token"]
    assert refresh(server, app, token).status == 200
    server.hooks.step(0)
