# SPDX-License-Identifier: Apache-2.0
"""Users and the password grant (RFC 6749 section 4.3): off until it is wanted, bounded by rights,
alike for whoever is refused. The refresh tokens that come from it are in test_refresh.py and
test_grace.py."""
import base64
import json
import os
import re
import subprocess
import urllib.parse

import pytest

from instance import BINARY, FORMATS, ROOT, UNLIMITED, Server, insist

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
    answer = insist(lambda: ask(server, app, name, **fields))
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


def test_a_refresh_token_is_told_from_a_text_that_is_no_token(server):
    name = user(server, "mixed up", "--scope", "alpha")
    mine = server.app(name="mixed up", scope="alpha", grants="password refresh_token")
    token = granted(server, mine, name)["refresh_token"]
    shown = server.run_cli("token", "inspect", input=token)
    assert shown.returncode == 1, shown
    assert shown.stdout == "Verdict: refused, a refresh token, not an access token\n"
    body = json.loads(server.run_cli("token", "inspect", "--json", input=token).stdout)
    assert body == {"token_type": "refresh_token", "active": False,
                    "reason": "a refresh token, not an access token"}
    broken = server.run_cli("token", "inspect", input=token[:-1])
    assert broken.stdout == "Verdict: refused, not a token of ours\n"
    assert refresh(server, mine, token).status == 200  # to ask has used nothing up


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
    assert len({tuple(pair for pair in answer.headers.items()
                      if pair[0] not in ("Date", "X-Request-Id")) for answer in answers}) == 1


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


def test_the_readmes_lines_get_a_users_token(server):
    """As they are printed, but for the application's id, its secret beside it, and the address."""
    readme = (ROOT / "README.md").read_text()
    app = server.app(name="Billing", scope="sms groups")
    [lines] = re.findall(r"^```\n(printf .*?)```$", readme, re.MULTILINE | re.DOTALL)
    lines = lines.replace("curl -u app_...", f"curl -s -u {app.id}:{app.secret}")
    lines = lines.replace("app_...", app.id).replace("http://127.0.0.1:8080", server.url)
    done = subprocess.run(["bash", "-ec", lines], capture_output=True, text=True, check=True, env={
        **os.environ, "PASSWORD": "a word & a blank", "TWOLEG_DATA": server.data,
        "PATH": f"{os.path.dirname(os.path.abspath(BINARY))}:{os.environ['PATH']}"})
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["scope"] == "sms" and answer["refresh_token"]
