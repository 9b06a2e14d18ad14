# SPDX-License-Identifier: Apache-2.0
"""Applications tied to dialects: elsewhere each is an unknown client (design 3.8). The matrix has
the doors at one listener (test_state_matrix.py), test_equal_work.py what a refusal costs; here are
hosts, listeners, gates and the command line."""
import json

import pytest

from instance import FORMATS, Application, until

FIELDS = {"grant_type": "client_credentials"}
PATHS = {"rfc6749": "/oauth/token", "smscx": "/oauth/token", "rti-sms": "/api/auth"}


@pytest.fixture
def spoken(make_server, tmp_path):
    """Three hosts, a dialect each; what has no Host of these is nobody's."""
    file = tmp_path / "hosts.yaml"
    file.write_text("failures_per_address: none\nfailures_per_client: none\nhosts:\n" + "".join(
        f"  - {{name: {name}.example, dialect: {name}}}\n" for name in PATHS) +
        "checks:\n  - {name: sms, dialect: smscx}\n  - {name: any}\n")
    return make_server(config=file).start()


def ask(server, app, name):
    return server.form(PATHS[name], FIELDS, app, "post", {"Host": f"{name}.example"})


def question(server, app, token, host):
    return server.form("/oauth/introspect", {"token": token}, app, headers={"Host": host})


def statuses(server, app):
    return {name: ask(server, app, name).status for name in PATHS}


def passes(server, token, host="nobody.example", gate=""):
    return server.check(token, gate, headers={"Host": host}).status


def seen(answer):
    """All that a client can see of an answer, but the request's own id and time."""
    headers = {name: value for name, value in answer.headers.items()
               if name not in ("Date", "X-Request-Id")}
    return answer.status, answer.text, headers


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("method", ["basic", "post"])
def test_B2_elsewhere_it_is_an_unknown_client(spoken, name, method):
    app = spoken.app(name="tied", scope="sms", dialects=" ".join({*PATHS} - {name}))
    disabled = spoken.app(name="disabled")
    spoken.act("disable", disabled)
    unknown = Application({"client_id": "nobody", "client_secret": app.secret})
    wrong = Application({"client_id": app.id, "client_secret": unknown.secret[::-1]})
    host = {"Host": f"{name}.example"}
    found = [seen(spoken.form(PATHS[name], FIELDS, each, method, host))
             for each in (unknown, app, wrong, disabled)]
    assert found[0][0] in (400, 401) and found == found[:1] * 4
    for path in ("/oauth/introspect", "/oauth/revoke"):
        found = [seen(spoken.form(path, {"token": "x"}, each, method, host))
                 for each in (unknown, app, wrong, disabled)]
        assert found[0][0] == 401 and found == found[:1] * 4, path


def test_it_is_known_where_it_is_tied_to(spoken):
    app = spoken.app(name="tied", scope="sms", dialects="smscx rti-sms", resource_server=True)
    assert statuses(spoken, app) == {"rfc6749": 401, "smscx": 200, "rti-sms": 200}
    assert statuses(spoken, spoken.app(name="free")) == dict.fromkeys(PATHS, 200)
    assert ask(spoken, app, "rti-sms").json().keys() == {"access_token", "validity_period"}


def test_introspection_and_revocation_are_of_the_host_that_is_asked(spoken):
    app = spoken.app(name="tied", scope="sms", dialects="smscx", resource_server=True)
    token = ask(spoken, app, "smscx").json()["access_token"]
    assert question(spoken, app, token, "smscx.example").json()["active"]
    for host in ("rfc6749.example", "rti-sms.example", "nobody.example"):
        answer = question(spoken, app, token, host)
        assert (answer.status, answer.error) == (401, "invalid_client"), host
        revoked = spoken.form("/oauth/revoke", {"token": token}, app, headers={"Host": host})
        assert (revoked.status, revoked.error) == (401, "invalid_client"), host
    assert passes(spoken, token, "smscx.example") == 200
    free = spoken.app(name="free", scope="sms", resource_server=True)
    assert question(spoken, free, token, "rfc6749.example").json()["active"], \
        "a resource server asks about tokens where it likes"
    revoked = spoken.form("/oauth/revoke", {"token": token}, app, headers={"Host": "smscx.example"})
    assert revoked.status == 200 and passes(spoken, token, "smscx.example") == 401


@pytest.mark.parametrize("token_format", FORMATS)
def test_a_gate_knows_its_own_world_only_also_of_what_it_has_seen(spoken, token_format):
    app = spoken.app(name="tied", scope="sms", dialects="smscx", token_format=token_format)
    token = ask(spoken, app, "smscx").json()["access_token"]
    for _ in range(3):
        assert passes(spoken, token, "smscx.example") == 200
        assert passes(spoken, token, "rti-sms.example") == 401
        assert passes(spoken, token) == 401, "the listener's own, rfc6749"
        assert passes(spoken, token, "rti-sms.example", "/sms") == 200, "the gate's own goes first"
        assert passes(spoken, token, "smscx.example", "/any") == 401
    refused = spoken.check(token, headers={"Host": "rti-sms.example"})
    forged = spoken.check(token[:-9] + "AAAAAAAAA", headers={"Host": "rti-sms.example"})
    assert seen(refused) == seen(forged)
    # A change holds for the next question, whatever the worker remembers of the token.
    for tie, status in (("rti-sms", 401), ("all", 200), ("wechat", 401), ("smscx wechat", 200)):
        spoken.update(app, dialects=tie)
        assert passes(spoken, token, "smscx.example") == status, tie


def test_a_change_holds_once_it_is_acknowledged(spoken):
    app = spoken.app(name="moving", scope="sms")
    for tie, known in (("smscx", {"smscx"}), ("rfc6749 rti-sms", {"rfc6749", "rti-sms"}),
                       ("wechat", set()), ("all", set(PATHS))):
        spoken.update(app, dialects=tie)
        assert {name for name, status in statuses(spoken, app).items() if status == 200} == known


def test_ties_survive_a_restart_and_are_shown(spoken):
    app = spoken.app(name="tied", dialects="smscx rti-sms smscx")
    free = spoken.app(name="free")
    spoken.restart(hard=True)
    assert statuses(spoken, app) == {"rfc6749": 401, "smscx": 200, "rti-sms": 200}
    shown = {row["client_id"]: row["dialects"]
             for row in spoken.cli("app", "list", "--json")["applications"]}
    assert shown == {app.id: "rti-sms smscx", free.id: "all"}
    assert spoken.cli("app", "show", app.id, "--json")["dialects"] == "rti-sms smscx"
    assert "Dialects         rti-sms smscx" in spoken.run_cli("app", "show", app.id).stdout


def test_changes_are_in_the_audit(spoken):
    app = spoken.app(name="tied", dialects="smscx")
    spoken.update(app, dialects="all")
    rows = spoken.cli("audit", "list", "--json")["audit"][-2:]
    details = [row["detail"] for row in rows]
    details = [json.loads(each) if isinstance(each, str) else each for each in details]
    assert details[0]["after"]["dialects"] == "smscx"
    assert (details[1]["before"]["dialects"], details[1]["after"]["dialects"]) == ("smscx", "all")


@pytest.mark.parametrize("names,words", [
    ("smsxc", "there is no dialect smsxc here (twoleg dialect list"),
    ("smscx,rti-sms", '"dialects" must be all, or names'),
    ("", '"dialects" must be all, or names'), ("  ", '"dialects" must be all, or names'),
    ("all smscx", '"dialects" must be all, or names'),
    ("SMSCX", '"dialects" must be all, or names'),
    ("a" * 33, '"dialects" must be all, or names'),
    (" ".join(f"dialect-{i}" for i in range(60)), "in all at most 512 bytes")])
def test_bad_names_are_refused_in_words(spoken, names, words):
    app = spoken.app(name="free")
    for command in (("create", "--name", "x"), ("update", app.id, "--yes")):
        done = spoken.run_cli("app", *command, "--dialects", names)
        assert done.returncode != 0 and words in done.stderr, done
    assert statuses(spoken, app) == dict.fromkeys(PATHS, 200)


def test_what_takes_something_away_asks(spoken):
    app = spoken.app(name="free")

    def update(names):
        return spoken.run_cli("app", "update", app.id, "--dialects", names, input="no\n").stderr

    assert "where these dialects are spoken: all but smscx" in update("smscx")
    assert statuses(spoken, app) == dict.fromkeys(PATHS, 200)
    spoken.update(app, dialects="smscx rti-sms")
    assert "are spoken: smscx." in update("rti-sms rfc6749")
    assert update("rti-sms smscx rfc6749") == "", "only adds"
    assert statuses(spoken, app) == dict.fromkeys(PATHS, 200)
    assert update("all") == ""


@pytest.fixture
def own(make_server, tmp_path):
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "acme.yaml").write_text(
        "name: acme\ntitle: Acme\nendpoints:\n  - path: /login\nerrors:\n"
        "  body: '{\"said\":\"{message}\"}'\n  rows:\n    - {when: [client], status: 403}\n")
    (folder / "other.yaml").write_text("name: other\ntitle: Nobody speaks it\n")
    file = tmp_path / "own.yaml"
    file.write_text(f"dialect_folder: {folder}\ndialect: acme\n"
                    "checks:\n  - {name: gate, dialect: rfc6749}\n")
    server = make_server(config=file).start()
    server.file, server.folder_of_dialects = file, folder
    return server


def test_a_dialect_of_ones_own(own):
    app = own.app(dialects="acme")
    assert own.form("/login", FIELDS, app).status == 200
    refused = own.run_cli("app", "create", "--name", "x", "--dialects", "other")
    assert "must be named in the configuration first" in refused.stderr


def test_B2_a_row_without_words_says_the_same_of_every_client(own):
    apps = [own.app(dialects="smscx"), own.app(), own.app(),
            Application({"client_id": "nobody", "client_secret": "x" * 40})]
    apps[1].secret = "wrong"
    own.act("disable", apps[2])
    found = {seen(own.form("/login", FIELDS, app))[:2] for app in apps}
    assert found == {(403, '{"said":"client authentication failed"}')}


def test_a_dialect_that_is_taken_away_is_said(own):
    """It stays an unknown client and nothing else happens: a reload is no place to be refused for
    what somebody once gave an application."""
    tied, both, free = own.app(dialects="acme"), own.app(dialects="acme rfc6749"), own.app()
    words = f"the application {tied.id} is tied to the dialect acme, but no host, listener or gate"
    others = f"the application {both.id} is tied to the dialect acme, but no host, listener or gate"
    plain = own.file.with_name("plain.yaml")
    plain.write_text("dialect: rfc6749\n")

    def checked(file):
        return own.run_cli("config", "check", "--config", str(file), "--data", own.data)

    assert "tied" not in checked(own.file).stderr + own.stderr()
    done = checked(plain)
    assert done.returncode == 0 and words in done.stderr and others in done.stderr
    said = own.run_cli("config", "check", "--config", str(plain), "--data", own.data, "--json")
    notices = [json.loads(line) for line in said.stderr.splitlines()]
    assert [each["notice"] for each in notices] == ["tied_to_nothing"] * 2
    second = own.app(dialects="acme")  # of the same kind: one line for both
    assert checked(plain).stderr.count(", as others, is tied to the dialect acme") == 1
    own.delete(second)
    own.file.write_text(f"dialect_folder: {own.folder_of_dialects}\ndialect: rfc6749\n")
    own.cli("reload")
    until(lambda: words in own.stderr() and others in own.stderr(), "the warning of a reload")
    own.stop()
    assert own.run_cli("config", "check", "--config", str(plain), "--data", own.data).stderr == ""
    before = own.stderr().count(words)
    own.start()
    assert own.stderr().count(words) == before + 1
    assert [own.token(app).status for app in (tied, both, free)] == [401, 200, 200]
    assert own.cli("app", "show", tied.id, "--json")["dialects"] == "acme"
