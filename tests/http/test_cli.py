# SPDX-License-Identifier: Apache-2.0
"""The command line against a running server: what it prints, its exit codes, its secrets."""
import concurrent.futures
import json
import os
import pathlib
import pty
import re
import signal
import stat
import subprocess
import time

import pytest

from instance import BINARY, PATIENCE

REFUSED, USAGE, NOT_FOUND, CONFLICT, NO_SERVER = 1, 2, 3, 4, 5


def code(server, *args, input=None):
    return server.run_cli(*args, input=input).returncode


def test_the_version_is_told_as_other_programs_do():
    asked = [subprocess.run([BINARY, word], capture_output=True, text=True, timeout=PATIENCE,
                            check=True).stdout for word in ("version", "--version")]
    assert re.fullmatch(r"twoleg \d+\.\d+\.\d+\n", asked[0]) and asked[1] == asked[0]


def test_who_waits_for_a_server_that_hangs_hears_of_it(own_server):
    own_server.process.send_signal(signal.SIGSTOP)
    asks = subprocess.Popen([BINARY, "status", "--data", own_server.data], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert "the server has not answered for 5 seconds" in asks.stderr.readline()
    finally:
        own_server.process.send_signal(signal.SIGCONT)
    out, rest = asks.communicate(timeout=PATIENCE)
    assert asks.returncode == 0 and "Version" in out and rest == ""


# ------------------------------------------------------------------ app create
def test_app_create_prints_for_people_as_promised(server):
    done = server.run_cli("app", "create", "--name", "Billing", "--scope", "sms groups")
    assert done.returncode == 0, done
    pattern = (r"Application  Billing\n"
               r"Client ID    (app_[0-9a-z]{13})\n"
               r"Secret       (tls_[0-9A-Za-z]{49})  \(shown once\)\n"
               r"Scope        sms groups   Format jwt   Life 1 h\n"
               r"\n"
               r"Token: curl -u (\S+) -d grant_type=client_credentials "
               r"(http://127\.0\.0\.1:\d+/oauth/token)   \(asks for the secret\)\n")
    found = re.fullmatch(pattern, done.stdout)
    assert found, done.stdout
    assert found[3] == found[1] and found[4] == server.url + "/oauth/token"
    assert 'scope "sms"' in done.stderr and 'scope "groups"' in done.stderr
    again = server.run_cli("app", "create", "--name", "Billing 2", "--scope", "sms groups")
    assert again.returncode == 0 and again.stderr == ""  # declared by now


def test_app_create_json_has_exactly_its_keys(server):
    answer = server.cli("app", "create", "--name", "N", "--scope", "a", "--token-format", "sealed",
                        "--token-ttl", "1d", "--json")
    assert list(answer) == ["client_id", "client_secret", "name", "scope", "token_format",
                            "token_ttl"]
    assert answer["token_ttl"] == 86400 and answer["token_format"] == "sealed"
    never = server.cli("app", "create", "--name", "N", "--token-format", "sealed", "--token-ttl",
                       "never", "--json")
    assert never["token_ttl"] is None


def test_brought_ids_and_secrets_of_any_visible_characters(server):
    visible = "".join(chr(c) for c in range(0x21, 0x7F))
    for client_id in (visible, "x" * 1024, "..", "a/b", "%2e", "a:b+c&d=e"):
        for secret in ("short!", visible, "s" * 1024, "of old  times"):
            app = server.app(client_id=client_id, secret=secret, scope="alpha")
            assert app.id == client_id
            assert server.token(app).status == 200
            assert server.cli("app", "show", client_id, "--json")["client_id"] == client_id
            server.cli("app", "delete", client_id, "--yes")
    for bad in ("a b", "ü", "x" * 1025, ""):
        assert code(server, "app", "create", "--name", "n", "--client-id", bad) == REFUSED
    for bad in ("a b ", " a", "\u00fc", "x" * 1025, "", "\n"):
        assert code(server, "app", "create", "--name", "n", "--client-secret-file", "-",
                    input=bad) == REFUSED


def test_one_newline_at_the_end_of_a_secret_file_is_not_the_secrets(server, tmp_path):
    for end in ("", "\n", "\r\n"):
        file = tmp_path / "brought"
        file.write_text("correct-horse" + end)
        app = server.app(client_secret_file=file, scope="alpha")
        assert app.secret is None
        app.secret = "correct-horse"
        assert server.token(app).status == 200


def test_secret_file_is_new_private_and_the_only_place(server, tmp_path):
    out = tmp_path / "secret"
    done = server.run_cli("app", "create", "--name", "n", "--secret-file", str(out))
    assert done.returncode == 0 and str(out) in done.stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    secret = out.read_text()
    assert re.fullmatch(r"tls_[0-9A-Za-z]{49}", secret)
    assert secret not in done.stdout + done.stderr
    # It is there: refused before anything is made, and left as it is.
    count = len(server.cli("app", "list", "--json")["applications"])
    assert code(server, "app", "create", "--name", "n", "--secret-file", str(out)) == CONFLICT
    assert len(server.cli("app", "list", "--json")["applications"]) == count
    assert out.read_text() == secret
    # A refusal leaves no empty file behind.
    other = tmp_path / "other"
    assert code(server, "app", "create", "--name", "", "--secret-file", str(other)) == REFUSED
    assert not other.exists()


def test_life_and_format_are_checked(server):
    def create(*args):
        return code(server, "app", "create", "--name", "n", *args)
    assert create("--token-ttl", "soon") == USAGE
    assert create("--token-format", "paper") == USAGE
    assert create("--token-ttl", "never") == REFUSED
    assert create("--token-ttl", "25h") == REFUSED
    assert create("--token-ttl", "0") == REFUSED
    assert create("--token-ttl", "11y", "--token-format", "sealed") == REFUSED
    assert create("--token-ttl", "25h", "--token-format", "sealed") == 0
    assert create("--token-ttl", "1") == 0
    assert "jwt_max_ttl" in server.run_cli("app", "create", "--name", "n", "--token-ttl",
                                           "25h").stderr


# ------------------------------------------------------------------ exit codes, words
def test_exit_codes(server, tmp_path):
    app = server.app()
    assert code(server, "app", "show", app.id) == 0
    assert code(server, "app", "show", "nobody") == NOT_FOUND
    assert code(server, "app", "delete", "nobody", "--yes") == NOT_FOUND
    assert code(server, "secret", "remove", app.id, "sec_0000000000000", "--yes") == NOT_FOUND
    assert code(server, "app", "create", "--name", "n", "--audience",
                "https://no.example") == NOT_FOUND
    assert code(server, "app", "create", "--name", "n", "--client-id", app.id) == CONFLICT
    assert code(server, "app", "create") == USAGE
    assert code(server, "app", "update", app.id) == USAGE
    assert code(server, "app", "list", "--data", str(tmp_path / "none")) == NO_SERVER


def test_every_error_names_the_folder(server, tmp_path):
    for args in (("app", "show", "nobody"), ("app", "create", "--name", "")):
        assert server.data in server.run_cli(*args).stderr
    nowhere = str(tmp_path / "nowhere")
    assert nowhere in server.run_cli("app", "list", "--data", nowhere).stderr


def test_near_misses_are_named(server):
    assert '"app list"' in server.run_cli("app", "lst").stderr
    assert '"--scope"' in server.run_cli("app", "create", "--scop", "x").stderr


def test_help_of_everything():
    def run(*args):
        return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=PATIENCE,
                              check=True).stdout
    names = re.findall(r"^  ([a-z][a-z -]*[a-z])", run("help"), re.M)
    assert "app create" in names and "help" in names
    for name in names:
        assert run("help", *name.split()) == run(*name.split(), "--help")
        assert f"usage: twoleg {name}" in run("help", *name.split())
    assert re.fullmatch(r"twoleg \d+\.\d+\.\d+\n", run("version"))


def test_a_full_disk_does_not_look_like_success(server):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([BINARY, "app", "list", "--data", server.data], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == REFUSED and done.stderr


def test_a_data_folder_whose_path_is_longer_than_a_socket_address(server, tmp_path):
    far = tmp_path / ("x" * 120)
    far.symlink_to(server.data)
    assert server.cli("status", "--json", "--data", str(far))["data"] == server.data


# ------------------------------------------------------------------ destructive acts
@pytest.mark.parametrize("act", ["disable", "delete", "revoke-tokens"])
def test_destructive_acts_want_yes_without_a_terminal(server, act):
    app = server.app(scope="alpha")
    token = server.bearer(app)
    done = server.run_cli("app", act, app.id)
    assert done.returncode == USAGE and "--yes" in done.stderr and "stop working" in done.stderr
    assert server.check(token).status == 200
    assert code(server, "app", act, app.id, "--yes") == 0
    assert server.check(token).status == 401


def test_destructive_acts_ask_at_a_terminal(server):
    app = server.app()

    def answered(text):
        ours, theirs = pty.openpty()
        process = subprocess.Popen([BINARY, "app", "delete", app.id, "--data", server.data],
                                   stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL)
        os.close(theirs)
        os.write(ours, text)
        status = process.wait(PATIENCE)
        os.close(ours)
        return status
    assert answered(b"n\n") == REFUSED
    assert code(server, "app", "show", app.id) == 0
    assert answered(b"y\n") == 0
    assert code(server, "app", "show", app.id) == NOT_FOUND


# ------------------------------------------------------------------ what changes do
def test_enable_leaves_old_tokens_dead_unless_kept(server):
    app = server.app(scope="alpha")
    old = server.bearer(app)
    server.cli("app", "disable", app.id, "--yes")
    server.cli("app", "enable", app.id, "--keep-tokens")
    assert server.check(old).status == 200
    server.cli("app", "enable", app.id)  # it is active: nothing was taken away
    assert server.check(old).status == 200
    server.cli("app", "disable", app.id, "--yes")
    server.cli("app", "enable", app.id)
    assert server.check(old).status == 401
    assert server.check(server.bearer(app)).status == 200


def test_secret_rotation_without_downtime(server, tmp_path):
    app = server.app(scope="alpha")
    first = server.cli("secret", "list", app.id, "--json")["secrets"][0]["secret"]
    old_secret, old = app.secret, server.bearer(app)
    added = server.cli("secret", "add", app.id, "--label", "second", "--expires", "90d", "--json")
    app.secret = added["client_secret"]
    assert server.token(app).status == 200
    server.cli("secret", "remove", app.id, first, "--yes")
    assert server.check(old).status == 200  # lives on
    app.secret = old_secret
    assert server.token(app).status == 401
    app.secret = added["client_secret"]
    new = server.bearer(app)
    server.cli("secret", "remove", app.id, added["secret"], "--revoke-tokens", "--yes")
    assert server.check(new).status == 401


def test_ten_live_secrets_are_the_most(server):
    app = server.app()
    for _ in range(9):
        server.cli("secret", "add", app.id, "--json")
    done = server.run_cli("secret", "add", app.id)
    assert done.returncode == REFUSED and "10" in done.stderr


def test_update_changes_what_is_given_only(server):
    app = server.app(name="Old", scope="alpha beta")
    server.cli("app", "update", app.id, "--name", "New")
    shown = server.cli("app", "show", app.id, "--json")
    assert shown["name"] == "New" and shown["scope"] == "alpha beta"
    server.cli("app", "update", app.id, "--scope", "beta", "--token-format", "sealed",
               "--token-ttl", "never", "--yes")
    shown = server.cli("app", "show", app.id, "--json")
    assert shown["scope"] == "beta" and shown["token_ttl"] is None
    assert code(server, "app", "update", app.id, "--token-format", "jwt") == REFUSED


def test_apis_and_scopes(server):
    api = "https://sms.example/api"
    server.cli("api", "create", api, "--name", "SMS", "--scope", "send read")
    assert code(server, "api", "create", api) == CONFLICT
    assert code(server, "api", "create", "not a uri") == REFUSED
    row = next(a for a in server.cli("api", "list", "--json")["apis"] if a["identifier"] == api)
    assert row["scope"] == "read send" and not row["default"]
    app = server.app(audience=api, scope="send", serves=api)
    shown = server.cli("app", "show", app.id, "--json")
    assert shown["audience"] == [api] and shown["serves"] == [api]
    server.cli("app", "update", app.id, "--serves", "none", "--yes")
    assert server.cli("app", "show", app.id, "--json")["serves"] == []
    server.cli("scope", "add", "more", "--api", api)
    assert code(server, "scope", "add", "more", "--api", api) == CONFLICT
    token = server.bearer(app)
    assert server.check(token, "?resource=" + api).status == 200
    server.cli("scope", "remove", "send", "--api", api, "--yes")
    assert server.check(token, "?resource=" + api).status == 401
    assert [r["scope"] for r in server.cli("scope", "list", "--api", api, "--json")["scopes"]] == [
        "more", "read"]
    assert code(server, "scope", "remove", "send", "--api", api, "--yes") == NOT_FOUND


# ------------------------------------------------------------------ tokens
def test_token_inspect_ends_in_a_verdict(server, any_app):
    token = server.bearer(any_app)
    good = server.run_cli("token", "inspect", input=token + "\n")
    assert good.returncode == 0 and good.stdout.splitlines()[-1] == "Verdict: good"
    assert any_app.id in good.stdout
    assert server.cli("token", "inspect", "--json", input=token)["active"] is True
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    forged = server.run_cli("token", "inspect", input=forged)
    assert forged.returncode == REFUSED
    assert re.fullmatch(r"Verdict: refused, .+", forged.stdout.splitlines()[-1])
    assert code(server, "token", "inspect", input="") == USAGE


def test_token_revoke_kills_this_one_only(server, any_app):
    one, two = server.bearer(any_app), server.bearer(any_app)
    server.cli("token", "revoke", input=one)
    assert server.check(one).status == 401 and server.check(two).status == 200
    assert "revoked" in server.run_cli("token", "inspect", input=one).stdout.splitlines()[-1]
    again = server.cli("token", "revoke", "--json", input=one)
    assert again["revoked"] is False
    assert code(server, "token", "revoke", input="nonsense") == REFUSED


# ------------------------------------------------------------------ list, audit
def test_app_list_is_whole_beyond_one_page(own_server):
    made = {own_server.manage("POST", "applications", None, {"name": f"n{i}"})["client_id"]
            for i in range(25)}
    page = own_server.admin("GET", "/admin/v1/applications?limit=10").json()
    assert len(page["applications"]) == 10 and page["next"]
    seen, after = [], None
    while True:
        target = "/admin/v1/applications?limit=10" + (f"&after={after}" if after else "")
        page = own_server.admin("GET", target).json()
        seen += [row["client_id"] for row in page["applications"]]
        after = page["next"]
        if after is None:
            break
    assert seen == sorted(made)
    listed = own_server.cli("app", "list", "--json")["applications"]
    assert {row["client_id"] for row in listed} == made
    lines = own_server.run_cli("app", "list").stdout.splitlines()
    assert len(lines) == 26 and len({line.index(" ") > 0 for line in lines}) == 1


def test_api_list_is_whole_beyond_one_page(own_server):
    scope = " ".join(f"a-scope-with-a-long-name-{i:03}" for i in range(50))
    made = [f"https://api.example/{i:03}" for i in range(150)]
    for identifier in made:
        own_server.manage("POST", "apis", None, {"identifier": identifier, "scope": scope})
    page = own_server.admin("GET", "/admin/v1/apis?limit=10").json()
    assert len(page["apis"]) == 10 and page["next"] == page["apis"][-1]["identifier"]
    page = own_server.admin("GET", "/admin/v1/apis?limit=1000").json()
    assert 10 < len(page["apis"]) < 150 and page["next"], "a page ends before memory does"
    listed = [row["identifier"] for row in own_server.cli("api", "list", "--json")["apis"]]
    assert [one for one in listed if one in made] == made
    scopes = own_server.cli("scope", "list", "--json")["scopes"]
    assert len([row for row in scopes if row["identifier"] in made]) == 150 * 50
    assert own_server.admin("GET", "/admin/v1/apis?after=nobody").status == 404
    assert own_server.admin("GET", "/admin/v1/apis?limit=0").status == 400
    assert code(own_server, "scope", "list", "--api", "nobody") == NOT_FOUND


def test_E16_each_change_has_its_audit_row_and_no_secret(own_server):
    server = own_server
    app = server.app(name="audited", scope="alpha")
    brought = server.app(name="brought", secret="canary-short")
    server.cli("app", "update", app.id, "--name", "renamed")
    server.cli("app", "disable", app.id, "--yes")
    server.cli("app", "enable", app.id)
    server.cli("app", "revoke-tokens", app.id, "--yes")
    added = server.cli("secret", "add", app.id, "--json")
    server.cli("secret", "remove", app.id, added["secret"], "--yes")
    server.cli("token", "revoke", input=server.bearer(app))
    server.cli("app", "delete", app.id, "--yes")
    rows = [r for r in server.cli("audit", "list", "--json")["audit"] if r["actor"] != "server"]
    assert [r["action"] for r in rows] == [
        "scope.add", "application.create", "application.create", "application.update",
        "application.disable", "application.enable", "application.revoke_tokens", "secret.add",
        "secret.remove", "token.revoke", "application.delete"]
    assert all(r["actor"] == f"uid:{os.getuid()}" and r["request_id"] and r["at"] for r in rows)
    update = rows[3]["detail"]
    assert update["before"]["name"] == "audited" and update["after"]["name"] == "renamed"
    text = json.dumps(rows)
    for secret in (app.secret, brought.secret, added["client_secret"]):
        assert secret not in text
    last = rows[-1]["sequence"]
    assert server.cli("audit", "list", "--after", str(last), "--json")["audit"] == []


def test_B13_no_command_shows_a_secret_again(own_server):
    app = own_server.app(name="one", scope="alpha")
    for args in (("app", "show", app.id), ("app", "list"), ("secret", "list", app.id),
                 ("audit", "list"), ("status",)):
        for form in ((), ("--json",)):
            assert app.secret not in own_server.run_cli(*args, *form).stdout
    for file in pathlib.Path(own_server.data).iterdir():
        if file.is_file():
            assert app.secret.encode() not in file.read_bytes(), file


# ------------------------------------------------------------------ backup, restore
def test_backup_and_restore(own_server, tmp_path):
    server, copy = own_server, tmp_path / "copy.db"
    app = server.app(scope="alpha")
    before = server.bearer(app)
    told = server.run_cli("backup", str(copy))
    assert told.returncode == 0 and "master key" in told.stdout
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert code(server, "backup", str(copy)) == CONFLICT
    later = server.app(scope="alpha")
    assert code(server, "restore", str(copy), "--yes") == CONFLICT  # a server runs
    server.stop()
    assert code(server, "restore", str(tmp_path / "none.db"), "--yes") == NOT_FOUND
    assert code(server, "restore", str(copy)) == USAGE
    done = server.run_cli("restore", str(copy), "--yes")
    assert done.returncode == 0 and "dead" in done.stdout, done
    server.start()
    assert server.token(app).status == 200 and server.token(later).status == 401
    assert server.check(before).status == 401


@pytest.mark.hooks
def test_H17_a_backup_that_fails_leaves_nothing(own_server, tmp_path):
    """Also when the copy is made, and its row of the audit cannot be written."""
    server, failed, words = own_server, 0, set()
    server.hooks.fault("store", 1_000_000)
    server.cli("backup", str(tmp_path / "whole.db"))
    calls = server.hooks.fault("store", 0)
    before = sorted(os.listdir(server.data))
    for nth in range(1, calls + 1):
        server.hooks.fault("store", nth)
        done = server.run_cli("backup", str(tmp_path / f"copy-{nth}.db"))
        server.hooks.fault("store", 0)
        if done.returncode:
            failed += 1
            words.add(done.stderr)
            assert not (tmp_path / f"copy-{nth}.db").exists()
        assert sorted(os.listdir(server.data)) == before, nth
    assert failed > 1 and len(words) > 1, words


def test_what_a_backup_that_was_killed_left_goes_with_the_next(own_server, tmp_path):
    data, hour_ago = pathlib.Path(own_server.data), time.time() - 3600
    stale = [data / "staged-1700000000.000000001.db",
             data / "staged-1700000000.000000002.db.tmp",
             tmp_path / ".twoleg-staged-1700000000.000000003.db"]
    kept = [data / "staged-1700000000.000000004.db",  # of one that is under way
            data / "backup-1700000000.000000005.db", data / "staged-mine.db",
            tmp_path / "staged-1700000000.000000006.db"]
    for file in stale + kept:
        file.write_bytes(b"copy")
        if file != kept[0]:
            os.utime(file, (hour_ago, hour_ago))
    own_server.cli("backup", str(tmp_path / "whole.db"))
    assert [file.name for file in stale + kept if file.exists()] == [file.name for file in kept]
    assert (tmp_path / "whole.db").stat().st_size > 4096


def test_restore_can_keep_tokens(own_server, tmp_path):
    server, copy = own_server, tmp_path / "copy.db"
    app = server.app(scope="alpha", token_format="sealed")
    token = server.bearer(app)
    server.cli("backup", str(copy))
    server.stop()
    server.cli("restore", str(copy), "--yes", "--keep-tokens")
    server.start()
    assert server.check(token).status == 200


# ------------------------------------------------------------------ the admin API itself
def test_E14_no_operator_rights_over_tcp(server):
    for method, target in (("GET", "/admin/v1/applications"), ("POST", "/admin/v1/applications"),
                           ("GET", "/admin/v1/audit")):
        answer = server.request(method, target)
        assert answer.status == 403 and answer.error == "forbidden"
        assert answer.headers["Cache-Control"] == "no-store"


def test_E8_unknown_fields_are_400(server):
    for field in ("role", "account_id", "secret_hash", "created_at", "number", "Name"):
        answer = server.admin("POST", "/admin/v1/applications", {"name": "n", field: "x"})
        assert answer.status == 400 and answer.error == "unknown_field", field
    app = server.app()
    target = "/admin/v1/application?client_id=" + app.id
    for field in ("client_id", "client_secret", "status", "generation"):
        assert server.admin("PATCH", target, {field: "x"}).status == 400, field


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '{"name":1}', '{"name":"a","name":"b"}',
                                  '{"name":{"a":{"b":{"c":{}}}}}', '{"name":"\\ud800"}',
                                  '{"name":"a"}x', '{"token_ttl":1.5,"name":"a"}',
                                  '{"audience":"x","name":"a"}', '{"audience":[1],"name":"a"}',
                                  '{"token_ttl":99999999999999999,"name":"a"}'])
def test_malformed_bodies_are_400(server, body):
    answer = admin_raw(server, body, "application/json")
    assert answer.status == 400 and answer.json()["message"], answer


def admin_raw(server, body, media_type):
    from instance import Answer, UnixConnection
    connection = UnixConnection(os.path.join(server.data, "admin.sock"))
    try:
        connection.request("POST", "/admin/v1/applications", body, {"Content-Type": media_type})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def test_B12_other_media_types_are_415(server):
    for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/jsonx"):
        assert admin_raw(server, '{"name":"n"}', media_type).status == 415
    assert admin_raw(server, '{"name":"n"}', "application/json; charset=utf-8").status == 201


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=1e9", "limit=1001", "limit=",
                                   "limit=1&limit=2", "other=1", "after=%zz"])
def test_E12_bad_pages_are_400(server, query):
    assert server.admin("GET", "/admin/v1/applications?" + query).status == 400


def test_E15_a_lost_update_is_412(server):
    app = server.app()
    target = "/admin/v1/application?client_id=" + app.id
    from instance import UnixConnection

    def patch(name, version):
        connection = UnixConnection(os.path.join(server.data, "admin.sock"))
        connection.request("PATCH", target, json.dumps({"name": name}),
                           {"Content-Type": "application/json", "If-Match": version})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status
    tag = server.admin("GET", target).headers["ETag"]
    assert patch("first", tag) == 200
    assert patch("second", tag) == 412
    assert patch("third", "nonsense") == 400
    assert server.cli("app", "show", app.id, "--json")["name"] == "first"


def in_parallel(count, act):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(act, range(count)))


def test_G8_two_operators_with_one_name(server):
    def create(_):
        return server.admin("POST", "/admin/v1/applications",
                            {"name": "n", "client_id": "wanted-by-many"}).status
    assert sorted(in_parallel(6, create)) == [201] + [409] * 5


def test_G8_a_new_scope_declared_by_many_at_once(server):
    def create(_):
        return server.admin("POST", "/admin/v1/applications",
                            {"name": "n", "scope": "raced-one raced-two"}).status
    assert in_parallel(6, create) == [201] * 6


def test_admin_methods_are_405_with_allow(server):
    answer = server.admin("DELETE", "/admin/v1/applications")
    assert answer.status == 405 and "GET" in answer.headers["Allow"]
    assert server.admin("GET", "/admin/v1/nowhere").status == 404
