# SPDX-License-Identifier: Apache-2.0
"""Users and the password grant (RFC 6749 section 4.3): off until it is wanted, bounded by rights,
alike for whoever is refused; and the refresh tokens that come from it (section 6)."""
import base64
import concurrent.futures
import json
import sqlite3
import urllib.parse

import pytest

from instance import FORMATS, UNLIMITED, Server

PASSWORD = "correct horse battery"
ON = "password_grant: true\n"
INVALID = {"error": "invalid_grant", "error_description":
           "the user's credentials or the refresh token are not good"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("users")
    config = folder / "twoleg.yaml"
    config.write_text(ON + UNLIMITED.read_text())
    made = Server(data=folder / "data", config=config).start()
    yield made
    made.destroy()


@pytest.fixture(scope="module")
def app(server):
    return server.app(name="password", scope="alpha beta",
                      grants="client_credentials password refresh_token", resource_server=True)


def user(server, name, *args, password=PASSWORD):
    server.cli("user", "add", name, "--password-file", "-", *args, input=password)
    return name


def ask(server, app, name, password=PASSWORD, **fields):
    return server.token(app, grant_type="password", username=name, password=password, **fields)


def granted(server, app, name, **fields):
    answer = ask(server, app, name, **fields)
    assert answer.status == 200, answer
    return answer.json()


def refresh(server, app, token, **fields):
    return server.token(app, grant_type="refresh_token", refresh_token=token, **fields)


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_rfc6749_4_3_the_password_grant_is_off_until_it_is_configured(make_server):
    server = make_server().start()
    app = server.app(name="a", grants="client_credentials password")
    user(server, "ann")
    answer = ask(server, app, "ann")
    assert (answer.status, answer.error) == (400, "unsupported_grant_type")
    assert server.token(app).status == 200
    found = server.get("/.well-known/oauth-authorization-server").json()
    assert found["grant_types_supported"] == ["client_credentials"]


def test_rfc6749_4_3_an_application_has_it_only_when_it_was_given(server, app):
    user(server, "per-app", "--scope", "alpha")
    plain = server.app(name="plain", scope="alpha")
    answer = ask(server, plain, "per-app")
    assert (answer.status, answer.error) == (400, "unauthorized_client")
    server.cli("app", "update", plain.id, "--grants", "password", "--yes")
    assert ask(server, plain, "per-app").status == 200
    answer = server.token(plain)
    assert (answer.status, answer.error) == (400, "unauthorized_client")
    assert "refresh_token" not in granted(server, plain, "per-app")


@pytest.mark.parametrize("grants", ["", "refresh_token", "client_credentials refresh_token",
                                    "implicit", "client_credentials,password"])
def test_wrong_grants_are_refused(server, grants):
    done = server.run_cli("app", "create", "--name", "x", "--grants", grants)
    assert done.returncode == 2 and "--grants" in done.stderr
    answer = server.admin("POST", "/admin/v1/applications", {"name": "x", "grants": grants})
    assert answer.status == 400 and "grants" in answer.text


@pytest.mark.parametrize("missing", ["username", "password"])
def test_rfc6749_4_3_2_name_and_password_are_required(server, app, missing):
    fields = {"username": "x", "password": "y"}
    del fields[missing]
    answer = server.token(app, grant_type="password", **fields)
    assert (answer.status, answer.error) == (400, "invalid_request")


@pytest.mark.parametrize("form", FORMATS)
def test_rfc9068_2_2_the_token_speaks_for_the_user(server, app, form):
    name = user(server, "subject-" + form, "--scope", "alpha")
    mine = server.app(name=form, scope="alpha beta", token_format=form,
                      grants="password client_credentials", resource_server=True)
    number = server.cli("user", "show", name, "--json")["user"]
    token = granted(server, mine, name)["access_token"]
    if form == "jwt":
        assert claims(token)["sub"] == number and claims(token)["client_id"] == mine.id
    headers = server.check(token).headers
    assert headers["X-Auth-Subject"] == number and headers["X-Auth-Username"] == name
    assert headers["X-Auth-Client-Id"] == mine.id
    body = server.introspect(app, token).json()
    assert body["active"] and body["sub"] == number and body["username"] == name
    shown = server.manage("POST", "tokens/inspect", None, {"token": token})
    assert shown["user"] == number and shown["username"] == name
    own = server.check(server.bearer(mine)).headers
    assert own["X-Auth-Subject"] == mine.id and own["X-Auth-Username"] == ""


def test_rfc9700_4_15_no_client_has_the_subject_of_a_user(server, tmp_path):
    user(server, "subject")
    number = server.cli("user", "show", "subject", "--json")["user"]
    refused = server.run_cli("app", "create", "--name", "x", "--client-id", number)
    assert refused.returncode == 1 and "be taken for a user" in refused.stderr
    file = tmp_path / "apps.jsonl"
    file.write_text(json.dumps({"client_id": number, "client_secret": "x" * 40}))
    refused = server.run_cli("app", "import", str(file))
    assert refused.returncode == 1 and ".jsonl:1: " in refused.stderr, refused
    assert "be taken for a user" in refused.stderr
    assert server.app(name="x", client_id="usr_acme").id == "usr_acme"  # no number


def test_rfc6749_3_3_the_scope_is_what_both_have_of_what_was_asked(server, app):
    name = user(server, "bounded", "--scope", "alpha gamma")
    assert granted(server, app, name)["scope"] == "alpha"
    assert granted(server, app, name, scope="alpha")["scope"] == "alpha"
    for scope in ("beta", "gamma", "alpha beta"):
        answer = ask(server, app, name, scope=scope)
        assert (answer.status, answer.error) == (400, "invalid_scope"), scope
    nothing = user(server, "no scope")
    assert ask(server, app, nothing).error == "invalid_scope"


def test_rfc8707_a_user_has_rights_for_the_apis_it_was_given(server):
    server.api("https://users.example/", "users", "alpha")
    name = user(server, "elsewhere", "--audience", "https://users.example/", "--scope", "alpha")
    both = server.app(name="both", scope="alpha", grants="password",
                      audience=[server.issuer, "https://users.example/"])
    assert ask(server, both, name).error == "invalid_target"
    granted(server, both, name, resource="https://users.example/")


def test_B2_whoever_is_refused_gets_the_same_bytes(server, app):
    known, disabled = user(server, "known"), user(server, "off")
    server.cli("user", "disable", disabled, "--yes")
    answers = [ask(server, app, known, "wrong password"), ask(server, app, "nobody"),
               ask(server, app, disabled), ask(server, app, disabled, "wrong password"),
               ask(server, app, "n" * 300), ask(server, app, "\u00e4\x01"),
               ask(server, app, known, "x" * 2000)]
    for answer in answers:
        assert answer.status == 400 and answer.json() == INVALID, answer
    assert len({answer.body for answer in answers}) == 1
    lengths = [sorted(key for key in answer.headers if key != "Date") for answer in answers]
    assert all(each == lengths[0] for each in lengths)


def test_B2_a_row_without_words_says_the_same_of_every_user(make_server, tmp_path):
    """A file of one's own, which leaves the words to us."""
    (tmp_path / "mute.yaml").write_text(
        "name: mute\ntitle: says no more than it must\nerrors:\n"
        "  body: '{\"detail\":\"{message}\"}'\n  rows:\n    - {when: [user], status: 400}\n")
    config = tmp_path / "mute-server.yaml"
    config.write_text(f"{ON}{UNLIMITED.read_text()}dialect_folder: {tmp_path}\ndialect: mute\n")
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    known, gone = user(server, "known"), user(server, "gone")
    server.cli("user", "disable", gone, "--yes")
    token = granted(server, app, known)["refresh_token"]
    answers = [ask(server, app, "nobody"), ask(server, app, known, "a wrong password"),
               ask(server, app, gone), ask(server, app, gone, "a wrong password"),
               refresh(server, app, token[:-1]), refresh(server, app, "x" + token),
               refresh(server, server.app(name="b", grants="password refresh_token"), token)]
    assert {(answer.status, answer.text) for answer in answers} == {
        (400, json.dumps({"detail": INVALID["error_description"]}, separators=(",", ":")))}


def hashes(server):
    return int(next(line.split()[-1] for line in server.get("/metrics").text.splitlines()
                    if line.startswith("twoleg_password_hashes_total")))


def test_B2_an_unknown_name_costs_the_hash_that_a_wrong_password_costs(server, app):
    known, disabled = user(server, "hashed"), user(server, "hashed off")
    server.cli("user", "disable", disabled, "--yes")
    for name, password in ((known, "wrong wrong"), ("nobody here", "wrong wrong"),
                           (disabled, PASSWORD)):
        before = hashes(server)
        for i in range(3):
            ask(server, app, name, password + str(i))
        assert hashes(server) - before == 3, name


def test_a_right_password_is_compared_once_and_then_remembered(make_server, tmp_path):
    config = tmp_path / "one.yaml"
    config.write_text(ON + "workers: 1\n")
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password")
    name = user(server, "again")
    for _ in range(3):
        granted(server, app, name)
    assert hashes(server) == 1
    server.cli("user", "passwd", name, "--password-file", "-", "--yes", input="another one 1")
    assert ask(server, app, name).json() == INVALID
    granted(server, app, name, password="another one 1")


def test_B1_a_guesser_meets_a_limit_that_shuts_out_nobody_else(make_server, tmp_path):
    config = tmp_path / "limits.yaml"
    config.write_text(ON + "workers: 1\npasswords_per_user: 5/1d\n"
                      "failures_per_address: none\nfailures_per_client: none\n"
                      "listen: [{address: '127.0.0.1:0', trusted_proxies: [127.0.0.1]}]\n")
    server = make_server(config=config, listen=()).start()
    app = server.app(name="a", grants="password")
    known, other = user(server, "guessed"), user(server, "not guessed")

    def at(address, name, password):
        return server.form("/oauth/token", {"grant_type": "password", "username": name,
                                            "password": password}, app,
                           headers={"X-Forwarded-For": address})
    assert at("192.0.2.1", known, PASSWORD).status == 200
    answers = [at("192.0.2.1", known, f"guess number {i}") for i in range(6)]
    assert [answer.status for answer in answers] == [400] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    before = hashes(server)
    assert at("192.0.2.1", known, "guess number 9").status == 429
    assert hashes(server) == before  # nothing dear is done for it
    assert at("192.0.2.1", known, PASSWORD).status == 200  # found right not long ago
    assert at("192.0.2.2", known, PASSWORD).status == 200  # from elsewhere, compared there
    assert at("192.0.2.1", other, PASSWORD).status == 200
    unknown = [at("192.0.2.1", "nobody", f"guess number {i}").status for i in range(6)]
    assert unknown == [400] * 5 + [429]
    # Longer than any may be: it costs no hash, and so may not count either, for any name.
    long = [at("192.0.2.1", "never asked", "x" * 1025).status for _ in range(6)]
    assert long == [400] * 6 and at("192.0.2.1", "never asked", "guess").status == 400
    # What is found right without a hash must not make guesses free: 50, of which 7 were made.
    beyond = [at("192.0.2.1", known, f"more {i}").status for i in range(42)]
    assert beyond == [429] * 42 and at("192.0.2.1", known, PASSWORD).status == 200
    # One that was asked for before is none.
    assert [at("192.0.2.1", known, "more 1").status for _ in range(9)] == [429] * 9
    assert at("192.0.2.1", known, PASSWORD).status == 200
    refused = [at("192.0.2.1", known, password) for password in ("one more", PASSWORD)]
    assert [answer.status for answer in refused] == [429, 429]
    assert refused[0].body == refused[1].body
    waits = [int(answer.headers["Retry-After"]) for answer in refused]
    assert 0 <= waits[0] - waits[1] <= 60 and waits[1] > 100, "and the same wait for either"
    assert at("192.0.2.2", known, PASSWORD).status == 200


@pytest.mark.parametrize("change", ["passwd", "disable", "delete"])
def test_a_change_of_the_user_ends_its_tokens_at_once(server, app, change):
    name = user(server, "ends-" + change, "--scope", "alpha")
    answer = granted(server, app, name)
    token = answer["access_token"]
    assert server.check(token).status == 200
    server.cli("user", change, name, "--yes")
    assert server.check(token).status == 401
    assert server.introspect(app, token).json() == {"active": False}
    assert refresh(server, app, answer["refresh_token"]).json() == INVALID
    assert ask(server, app, name).json() == INVALID
    if change == "disable":
        server.cli("user", "enable", name)
        assert server.check(token).status == 401
        assert refresh(server, app, answer["refresh_token"]).json() == INVALID
        granted(server, app, name)
    if change == "delete":
        user(server, name, "--scope", "alpha")
        assert server.check(token).status == 401
        granted(server, app, name)


def test_enabled_with_keep_tokens_they_come_back(server, app):
    name = user(server, "kept", "--scope", "alpha")
    answer = granted(server, app, name)
    server.cli("user", "disable", name, "--yes")
    server.cli("user", "enable", name, "--keep-tokens")
    server.cli("user", "enable", name)  # is active: nothing was taken away
    assert server.check(answer["access_token"]).status == 200
    assert refresh(server, app, answer["refresh_token"]).status == 200


@pytest.mark.parametrize("form", FORMATS)
def test_rfc7009_2_2_what_was_revoked_while_the_user_was_disabled_stays_so(server, form):
    """Its user may come back with all of its tokens, but for those that were given back."""
    name = user(server, "revoked off " + form, "--scope", "alpha")
    mine = server.app(name=form, scope="alpha", token_format=form, grants="password")
    token, other = (granted(server, mine, name)["access_token"] for _ in range(2))
    server.cli("user", "disable", name, "--yes")
    assert server.revoke(mine, token).status == 200
    server.cli("user", "enable", name, "--keep-tokens")
    assert [server.check(each).status for each in (token, other)] == [401, 200]


def test_a_restart_keeps_users_and_what_became_of_them(make_server, tmp_path):
    config = tmp_path / "on.yaml"
    config.write_text(ON)
    server = make_server(config=config).start()
    app = server.app(name="a", scope="alpha", grants="password refresh_token")
    names = [user(server, f"user {i}", "--scope", "alpha") for i in range(3)]
    answers = [granted(server, app, name) for name in names]
    server.cli("user", "disable", names[0], "--yes")
    server.cli("user", "delete", names[1], "--yes")
    server.restart(hard=True)
    assert [server.check(each["access_token"]).status for each in answers] == [401, 401, 200]
    assert refresh(server, app, answers[2]["refresh_token"]).status == 200
    assert [row["username"] for row in server.cli("user", "list", "--json")["users"]] == \
        [names[0], names[2]]


# ------------------------------------------------------------------------------- refresh tokens

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
    token = granted(server, app, name)["refresh_token"]
    server.cli("app", "update", app.id, "--grants", left, "--yes")
    refused = refresh(server, app, token)
    assert (refused.status, refused.error) == (400, "unauthorized_client")
    server.cli("app", "update", app.id, "--grants", grants)
    assert refresh(server, app, token).json() == INVALID
    assert server.check(answer["access_token"]).status == 200
    server.cli("app", "revoke-tokens", app.id, "--yes")
    assert server.check(answer["access_token"]).status == 401


def test_rfc9700_4_14_2_the_one_before_gives_the_same_successor_for_a_while(server, app):
    name = user(server, "twice", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    successors = {refresh(server, app, first).json()["refresh_token"] for _ in range(3)}
    assert len(successors) == 1
    assert refresh(server, app, successors.pop()).status == 200


@pytest.mark.hooks
def test_rfc9700_4_14_2_used_later_it_ends_all_of_its_family(make_server, tmp_path):
    config = tmp_path / "on.yaml"
    config.write_text(ON)
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    name = user(server, "stolen")
    first = granted(server, app, name)["refresh_token"]
    other = granted(server, app, name)["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    server.hooks.clock(20)
    assert refresh(server, app, first).json()["refresh_token"] == second
    server.hooks.clock(31)
    assert refresh(server, app, first).json() == INVALID
    assert refresh(server, app, second).json() == INVALID
    assert refresh(server, app, other).status == 200  # from another login
    row = next(row for row in server.cli("audit", "list", "--json")["audit"]
               if row["action"] == "refresh.reuse")
    assert row["object"].startswith("usr_")
    server.hooks.clock(0)


def test_two_before_is_no_grace(server, app):
    name = user(server, "older", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    third = refresh(server, app, second).json()["refresh_token"]
    assert refresh(server, app, first).json() == INVALID
    assert refresh(server, app, third).json() == INVALID


@pytest.mark.hooks
@pytest.mark.parametrize("options,seconds", [("refresh_idle: 1m", 61), ("refresh_ttl: 1m", 61)])
def test_a_refresh_token_has_an_end(make_server, tmp_path, options, seconds):
    config = tmp_path / "end.yaml"
    config.write_text(ON + options + "\n")
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    name = user(server, "ended")
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


def test_a_refresh_token_is_no_access_token(server, app):
    name = user(server, "mistaken", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    assert server.check(token).status == 401
    assert server.introspect(app, token).json() == {"active": False}


def test_rfc9700_4_14_2_of_many_at_once_all_get_the_one_successor(server, app):
    name = user(server, "raced", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            answers = list(pool.map(lambda _: refresh(server, app, token), range(8)))
            assert [answer.status for answer in answers] == [200] * 8
            successors = {answer.json()["refresh_token"] for answer in answers}
            assert len(successors) == 1
            token = successors.pop()


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


def test_a_restored_store_has_no_refresh_tokens_from_before(make_server, tmp_path):
    config = tmp_path / "on.yaml"
    config.write_text(ON)
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    token = granted(server, app, user(server, "restored"))["refresh_token"]
    server.cli("backup", str(tmp_path / "copy"))
    server.stop()
    server.cli("restore", str(tmp_path / "copy"), "--yes")
    server.start()
    assert refresh(server, app, token).json() == INVALID


# ------------------------------------------------------------------------------- commands

def test_a_made_password_is_shown_once_and_works(server, app):
    made = server.cli("user", "add", "made", "--scope", "alpha", "--json")
    assert len(made["password"]) >= 20 and made["user"].startswith("usr_")
    granted(server, app, "made", password=made["password"])
    assert "password" not in server.cli("user", "show", "made", "--json")


@pytest.mark.parametrize("args,secret,code,words", [
    (("user", "add", "short", "--password-file", "-"), "short", 1, "8 bytes"),
    (("user", "add", "long", "--password-file", "-"), "x" * 1025, 1, "1024"),
    (("user", "add", "controls", "--password-file", "-"), "one\x07two three", 1, "control"),
    (("user", "add", ""), None, 1, "name"),
    (("user", "add", "n" * 257), None, 1, "256"),
    (("user", "add", "two\nlines"), None, 1, "control"),
    (("user", "add", "x", "--audience", "https://nowhere.example/"), None, 3, "no API"),
    (("user", "add", "x", "--scope", 'a"b'), None, 1, "scope"),
    (("user", "passwd", "nobody at all", "--yes"), None, 3, "no user"),
    (("user", "disable", "nobody at all", "--yes"), None, 3, "no user"),
    (("user", "delete", "nobody at all", "--yes"), None, 3, "no user"),
    (("user", "show", "nobody at all"), None, 3, "no user"),
])
def test_bad_input_of_users_is_refused_in_words(server, args, secret, code, words):
    done = server.run_cli(*args, input=secret)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


def test_a_name_is_taken_once(server):
    user(server, "taken")
    done = server.run_cli("user", "add", "taken")
    assert done.returncode == 4 and "taken" in done.stderr
    server.cli("user", "delete", "taken", "--yes")
    user(server, "taken")


@pytest.mark.parametrize("body,status", [
    ({}, 400), ({"username": "x", "role": "admin"}, 400), ({"username": 7}, 400),
    ({"username": "x", "password": None}, 400), ({"username": "x", "audience": "a"}, 400)])
def test_E8_bodies_with_what_does_not_belong_there_are_refused(server, body, status):
    answer = server.admin("POST", "/admin/v1/users", body)
    assert answer.status == status, answer


def test_a_list_of_users_goes_on_page_after_page(server):
    names = [user(server, f"page {i:02}") for i in range(5)]
    found, after = [], "page"
    while after:
        query = urllib.parse.urlencode({"limit": 2, "after": after})
        page = server.admin("GET", "/admin/v1/users?" + query).json()
        found += [row["username"] for row in page["users"]]
        after = page["next"]
    assert [name for name in found if name.startswith("page ")] == names


def test_a_removed_scope_leaves_users_too(server, app):
    server.cli("scope", "add", "fleeting")
    name = user(server, "scoped", "--scope", "alpha fleeting")
    server.cli("scope", "remove", "fleeting", "--yes")
    shown = server.cli("user", "show", name, "--json")
    assert [row["scope"] for row in shown["apis"]] == ["alpha"]
