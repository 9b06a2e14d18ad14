# SPDX-License-Identifier: Apache-2.0
"""The command line towards people and scripts: what it asks, says and hides; JSON everywhere."""
import fcntl
import json
import os
import pathlib
import pwd
import pty
import re
import shutil
import signal
import subprocess
import tempfile
import termios

import pytest

from instance import BINARY, PATIENCE, Application, Server

REFUSED, USAGE, NOT_FOUND, CONFLICT, NO_SERVER = 1, 2, 3, 4, 5


def code(server, *args, input=None):
    return server.run_cli(*args, input=input).returncode


# ------------------------------------------------------------------ --json everywhere
def run(*args, **options):
    """A command that needs no server."""
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=PATIENCE,
                          check=False, **options)


def test_json_of_commands_without_a_server(tmp_path):
    assert re.fullmatch(r"\d+\.\d+\.\d+", json.loads(run("version", "--json").stdout)["version"])
    commands = json.loads(run("help", "--json").stdout)["commands"]
    assert {"app create", "help", "serve"} <= {c["name"] for c in commands}
    one = json.loads(run("help", "app", "update", "--json").stdout)["commands"]
    assert [c["name"] for c in one] == ["app update"]
    assert "--yes".lstrip("-") in [o["name"] for o in one[0]["options"]]
    assert json.loads(run("app", "update", "x", "--help", "--json").stdout)["commands"] == one
    group = json.loads(run("help", "api", "--json").stdout)["commands"]
    assert [c["name"] for c in group] == ["api create", "api list"]
    file = tmp_path / "twoleg.yaml"
    file.write_text("token_ttl: 2h\n")
    where = ("--config", str(file), "--data", str(tmp_path), "--json")
    assert json.loads(run("config", "check", *where).stdout)["ok"] is True
    shown = json.loads(run("config", "show", *where).stdout)
    rows = {row["name"]: row for row in shown["options"]}
    assert rows["token_ttl"] == {"name": "token_ttl", "value": 7200, "origin": "file", "line": 1}
    assert rows["data"]["value"] == str(tmp_path) and rows["data"]["origin"] == "command_line"
    assert isinstance(rows["listen"]["value"], list) and rows["checks"]["value"] == []
    defaults = json.loads(run("config", "default", "--json").stdout)["options"]
    assert [row["name"] for row in defaults] == list(rows)


def error_of(done, status):
    """The one line of JSON that standard error holds."""
    assert done.returncode == status, done
    assert done.stderr.count("\n") == 1, done.stderr
    error = json.loads(done.stderr)
    assert list(error) == ["error", "message"] and error["message"]
    words = {1: "refused", 2: "usage", 3: "not_found", 4: "conflict", 5: "no_server"}
    assert error["error"] == words[status]
    return error["message"]


def test_json_errors_are_one_object(server, tmp_path):
    app = server.app(name="one")
    for status, *args in (
            (REFUSED, "app", "create", "--name", ""),
            (USAGE, "app", "create"), (USAGE, "app"), (USAGE, "nonsense"), (USAGE,),
            (USAGE, "app", "show"), (USAGE, "app", "list", "--nonsense"),
            (USAGE, "help", "nonsense"), (USAGE, "app", "delete", app.id),
            (NOT_FOUND, "app", "show", "nobody"),
            (CONFLICT, "app", "create", "--name", "n", "--client-id", app.id),
            (NO_SERVER, "app", "list", "--data", str(tmp_path / "none")),
            (NOT_FOUND, "restore", str(tmp_path / "none.db"))):
        error_of(server.run_cli(*args, "--json"), status)
    file = tmp_path / "twoleg.yaml"
    file.write_text("token_tll: 1h\ntoken_ttl: soon\n")
    message = error_of(run("config", "check", "--config", str(file), "--json"), REFUSED)
    assert message.count("\n") == 1 and "token_tll" in message and "soon" in message


def test_json_notices_are_objects(server):
    done = server.run_cli("app", "create", "--name", "n", "--scope", "zeta-new eta-new", "--json")
    notices = [json.loads(line) for line in done.stderr.splitlines()]
    assert [n["notice"] for n in notices] == ["scope_declared"] * 2
    assert "zeta-new" in notices[0]["message"] and "eta-new" in notices[1]["message"]


# ------------------------------------------------------------------ update says what it takes away
def test_update_asks_before_it_takes_something_away(own_server):
    server, api, other = own_server, "https://one.example", "https://two.example"
    for uri in (api, other):
        server.cli("api", "create", uri, "--scope", "read write")
    app = server.app(audience=[api, other], serves=[api], scope="read write",
                     grants="client_credentials password refresh_token")
    token = server.bearer(app, resource=api)
    for args, words in ((("--scope", "read"), "write"), (("--scope", ""), "read, write"),
                        (("--audience", other), api), (("--serves", "none"), api),
                        (("--serves", other), api), (("--token-format", "sealed"), "sealed"),
                        (("--grants", "password refresh_token"), "any more: client_credentials. "),
                        (("--grants", "password client_credentials"), "All its refresh tokens end"),
                        (("--grants", "client_credentials"), "any more: password, refresh_token.")):
        done = server.run_cli("app", "update", app.id, *args)
        assert done.returncode == USAGE and "--yes" in done.stderr, (args, done)
        assert words in done.stderr, (args, done.stderr)
    assert server.check(token, f"?resource={api}&scope=write").status == 200
    # What only grows or renames does not ask.
    for args in (("--scope", "write read more"), ("--name", "x"), ("--token-ttl", "5m"),
                 ("--serves", api, "--serves", other), ("--resource-server",),
                 ("--audience", api, "--audience", other),
                 ("--grants", "refresh_token password client_credentials")):
        assert code(server, "app", "update", app.id, *args) == 0, args
    assert code(server, "app", "update", app.id, "--scope", "read", "--yes") == 0
    assert server.check(token, f"?resource={api}&scope=write").status == 403
    assert code(server, "app", "update", app.id, "--token-format", "sealed", "--yes") == 0
    assert code(server, "app", "update", app.id, "--token-format", "jwt") == 0
    assert code(server, "app", "update", "nobody", "--scope", "") == NOT_FOUND


def test_update_changes_only_what_was_asked_about(own_server):
    server = own_server
    app = server.app(scope="alpha beta")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([BINARY, "app", "update", app.id, "--scope", "alpha", "--data",
                                server.data], stdin=theirs, stderr=theirs,
                               stdout=subprocess.DEVNULL)
    os.close(theirs)
    asked = b""
    while b"Go on?" not in asked:
        asked += os.read(ours, 1024)
    server.update(app, name="changed meanwhile")
    os.write(ours, b"y\n")
    assert process.wait(PATIENCE) == CONFLICT
    os.close(ours)
    assert server.cli("app", "show", app.id, "--json")["scope"] == "alpha beta"


# ------------------------------------------------------------------ app create, the small print
def test_the_printed_curl_names_a_resource_where_it_must(server):
    server.cli("api", "create", "https://r1.example/api")
    server.cli("api", "create", "urn:r2&x")

    def curl(*uris):
        args = [word for uri in uris for word in ("--audience", uri)]
        done = server.run_cli("app", "create", "--name", "n", *args)
        assert done.returncode == 0, done
        return done.stdout.splitlines()[-1]
    default = server.cli("api", "list", "--json")["apis"]
    default = next(a["identifier"] for a in default if a["default"])
    assert " -d resource=https://r1.example/api http" in curl("https://r1.example/api", "urn:r2&x")
    assert "--data-urlencode resource='urn:r2&x' " in curl("urn:r2&x", "https://r1.example/api")
    assert "resource=" not in curl("https://r1.example/api")
    assert "resource=" not in curl("https://r1.example/api", default)


def test_the_printed_curl_works_with_two_audiences(server):
    uris = ("https://r3.example/api", "https://r4.example/api")
    for uri in uris:
        server.cli("api", "create", uri)
    done = server.run_cli("app", "create", "--name", "n", "--audience", uris[0], "--audience",
                          uris[1])
    secret = re.search(r"tls_\w+", done.stdout)[0]
    line = re.search(r"Token: (curl .*?)   \(asks", done.stdout)[1]
    line = line.replace(" -d grant_type", f":{secret} -d grant_type", 1)
    told = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=PATIENCE,
                          check=False)
    assert "access_token" in told.stdout, (line, told)


def test_alike_client_ids_are_noticed(server):
    assert code(server, "app", "create", "--name", "n", "--client-id", "alike/a") == 0
    done = server.run_cli("app", "create", "--name", "n", "--client-id", "alike%2Fa")
    assert done.returncode == 0 and "alike/a" in done.stderr and "percent" in done.stderr
    done = server.run_cli("app", "create", "--name", "n", "--client-id", "alike%2Fb")
    assert done.stderr == ""
    done = server.run_cli("app", "create", "--name", "n", "--client-id", "alike/b")
    assert "alike%2Fb" in done.stderr


def test_a_secret_file_is_a_file(server, tmp_path):
    os.chdir(tmp_path)
    count = len(server.cli("app", "list", "--json")["applications"])
    done = server.run_cli("app", "create", "--name", "n", "--secret-file", "-")
    assert done.returncode == USAGE and "--json" in done.stderr
    assert len(server.cli("app", "list", "--json")["applications"]) == count
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("way", ["full", "closed", "gone"])
def test_a_secret_that_could_not_be_printed_is_said_to_be_lost(server, form, way):
    app = server.app(name="kept")
    for args in (("app", "create", "--name", "lost"), ("secret", "add", app.id)):
        command = [BINARY, *args, *form, "--data", server.data]
        if way == "closed":
            command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
        reader, writer = os.pipe()
        os.close(reader)
        with open("/dev/full", "w", encoding="ascii") as full:
            out = {"full": full, "closed": subprocess.DEVNULL, "gone": writer}[way]
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, text=True,
                                  timeout=PATIENCE, check=False)
        os.close(writer)
        assert done.returncode == REFUSED, done
        found = re.search(r"twoleg secret remove (app_\w+) (sec_\w+)", done.stderr)
        assert found and f"twoleg secret add {found[1]}" in done.stderr, done.stderr
        assert "tls_" not in done.stderr
        assert code(server, "secret", "remove", found[1], found[2], "--yes") == 0


def typed_secret(server, *keys):
    """`--client-secret-file -` at a terminal: exit status, what was shown, echo afterwards."""
    ours, theirs = pty.openpty()

    def at_terminal():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # what runs in the background ignores it

    process = subprocess.Popen([BINARY, "app", "create", "--name", "typed", "--client-id",
                                "typed-id", "--client-secret-file", "-", "--data", server.data],
                               stdin=theirs, stderr=theirs, stdout=subprocess.PIPE,
                               start_new_session=True, preexec_fn=at_terminal)
    shown = b""
    while b"Secret" not in shown:
        shown += os.read(ours, 1024)
    for key in keys:
        os.write(ours, key)
    status = process.wait(PATIENCE)
    process.stdout.close()
    echo = bool(termios.tcgetattr(theirs)[3] & termios.ECHO)
    os.write(theirs, b"END")
    while b"END" not in shown:
        shown += os.read(ours, 1024)
    os.close(ours)
    os.close(theirs)
    return status, shown, echo


def test_B13_a_secret_typed_at_a_terminal_is_not_shown(server):
    status, shown, echo = typed_secret(server, b"typed-Secret-1\n")
    assert status == 0 and b"typed-Secret-1" not in shown and echo
    app = Application({"client_id": "typed-id", "client_secret": "typed-Secret-1"})
    assert server.token(app).status == 200
    server.cli("app", "delete", "typed-id", "--yes")


def test_a_signal_gives_the_terminal_its_echo_back(server):
    status, shown, echo = typed_secret(server, b"half a sec", b"\x03")
    assert status == -signal.SIGINT and echo and b"half" not in shown
    assert code(server, "app", "show", "typed-id") == NOT_FOUND


# ------------------------------------------------------------------ words
def test_errors_name_what_was_asked_for(server, tmp_path):
    app = server.app(scope="alpha")
    for words, *args in (
            ("nobody-is-this", "app", "show", "nobody-is-this"),
            ("sec_0000000000000", "secret", "remove", app.id, "sec_0000000000000", "--yes"),
            ("paper", "secret", "remove", app.id, "paper", "--yes"),
            ("no-such", "scope", "remove", "no-such", "--yes"),
            ("urn:none", "scope", "list", "--api", "urn:none"),
            ("urn:none", "scope", "add", "x", "--api", "urn:none"),
            ("urn:none", "app", "create", "--name", "n", "--audience", "urn:none"),
            (app.id, "app", "create", "--name", "n", "--client-id", app.id),
            ("--name", "api", "create", "urn:" + "x" * 200),
            (str(tmp_path / "no/copy"), "backup", str(tmp_path / "no/copy"))):
        done = server.run_cli(*args)
        assert done.returncode in (REFUSED, NOT_FOUND, CONFLICT) and words in done.stderr, done
        assert server.data in done.stderr, done
        assert ".tmp" not in done.stderr, done
    for args in (("secret", "add", app.id, "--expires", "0"),
                 ("secret", "remove", app.id, "paper", "--yes"), ("app", "show", "")):
        assert not re.search(r'expires_in|"secret"|\?client_id', server.run_cli(*args).stderr)
    assert "x?[31my" in server.run_cli("app", "show", "x\x1b[31my").stderr


def test_without_any_data_folder_no_server_is_found(tmp_path):
    if os.path.exists("/var/lib/twoleg/twoleg.db"):
        pytest.skip("this machine has a store in /var/lib/twoleg")
    env = {k: v for k, v in os.environ.items() if k not in ("HOME", "TWOLEG_DATA",
                                                            "XDG_STATE_HOME")}
    for args in (("app", "list"), ("restore", str(tmp_path / "copy"))):
        assert run(*args, env=env).returncode == NO_SERVER


def test_a_wrong_listen_is_a_wrong_command_line(tmp_path):
    for args in (("serve",), ("config", "check"), ("config", "show")):
        done = run(*args, "--listen", "foo", "--data", str(tmp_path / "d"))
        assert done.returncode == USAGE and "--listen" in done.stderr, done


def test_D5_compromise_says_what_caches_do_not_know_of_the_key_that_signs_now(own_server):
    server = own_server

    def compromised():
        [lost] = [row["kid"] for row in server.manage("GET", "keys")["keys"]
                  if row["state"] == "signing"]
        return server.run_cli("key", "compromise", lost, "--yes").stdout

    announced_for = server.cli("key", "rotate", "--json")["announced_for"]
    assert f"unless it was announced {announced_for} seconds ago or earlier." in compromised()
    assert "do not know the new one." in compromised()


def test_D5_a_key_set_kept_under_a_longer_age_is_allowed_for_in_words(make_server, tmp_path):
    """The age was half a day until a moment ago, and caches were told that: the key waits for
    them, and no shorter time is an all-clear."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("jwks_max_age: 12h\n")
    server = make_server(config=config).start()
    config.write_text("jwks_max_age: 5m\n")
    server.cli("reload")
    announced_for = server.cli("key", "rotate", "--json")["announced_for"]
    signing, announced = server.manage("GET", "keys")["keys"]
    assert announced["state"] == "announced"
    assert announced["since"] + announced_for - announced["until"] in (0, 1)
    assert announced_for > 2 * 12 * 3600
    words = server.run_cli("key", "compromise", signing["kid"], "--yes").stdout
    assert "unless it was announced 172802 seconds ago or earlier." in words, words


def test_reload_says_that_there_are_more_warnings_than_it_tells(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("")
    server = make_server(config=config).start()
    config.write_text("checks:\n" + "".join(f"  - name: g{i}\n    resource: https://{i}.example\n"
                                            for i in range(35)))
    lines = server.run_cli("reload").stderr.splitlines()
    assert len(lines) == 33 and "/check/g31 " in lines[-2], lines
    assert lines[-1] == "twoleg: warning: and 3 more, which are in the log"
    assert "/check/g34 " in server.stderr()


def test_restore_looks_before_it_asks(own_server, tmp_path):
    server = own_server
    copy = tmp_path / "copy.db"
    server.cli("backup", str(copy))
    done = server.run_cli("restore", str(copy))
    assert done.returncode == CONFLICT and "server runs" in done.stderr
    assert "stop working" not in done.stderr and server.data in done.stderr
    server.stop()
    done = server.run_cli("restore", str(tmp_path / "none.db"))
    assert done.returncode == NOT_FOUND and "none.db" in done.stderr
    assert "stop working" not in done.stderr and server.data in done.stderr
    done = server.run_cli("restore", str(tmp_path))
    assert done.returncode == REFUSED and f"{tmp_path}: is not a regular file" in done.stderr
    assert code(server, "restore", str(copy)) == USAGE


def test_restore_after_a_change_of_the_master_key_says_who_finds_the_one(own_server, tmp_path):
    server, copy = own_server, tmp_path / "copy.db"
    server.cli("backup", str(copy))
    before = server.cli("master", "rotate", "--yes", "--json")["before"]
    server.stop()
    done = server.run_cli("restore", str(copy), "--yes", "--json")
    told = json.loads(done.stderr)
    assert done.returncode == 0 and told["notice"] == "master_key_changed"
    assert f"{server.data}/master.key.before-" in told["message"]
    assert before in server.refused()[1]
    server.config = tmp_path / "twoleg.yaml"
    server.config.write_text(f"master_key_file: {before}\n")
    server.start()


def test_a_restored_store_runs_with_the_old_master_key_in_the_present_ones_place(own_server,
                                                                                 tmp_path):
    """The other way of twoleg.1. The present key, kept aside, opens the store that was replaced."""
    server, copy = own_server, tmp_path / "copy.db"
    present, kept = pathlib.Path(server.data, "master.key"), tmp_path / "kept"
    app = server.app(token_format="jwt")
    server.cli("backup", str(copy))
    before = server.cli("master", "rotate", "--yes", "--json")["before"]
    bearer = server.bearer(app)
    server.stop()
    assert code(server, "restore", str(copy), "--yes") == 0
    [replaced] = pathlib.Path(server.data).glob("before-restore-*.db")
    present.rename(kept)
    shutil.copy(before, present)
    server.start()
    assert server.token(app).status == 200 and server.check(bearer).status == 401
    server.stop()
    assert code(server, "restore", str(replaced), "--keep-tokens", "--yes") == 0
    assert "is not the master key of this store" in server.refused()[1]
    kept.replace(present)
    server.start()
    assert server.token(app).status == 200 and server.check(bearer).status == 200


@pytest.mark.skipif(os.getuid() != 0, reason="only root has other users' folders")
def test_restore_tells_root_how_to_be_the_user_whose_folder_it_is(own_server, tmp_path):
    server, copy = own_server, tmp_path / "copy.db"
    server.cli("backup", str(copy))
    server.stop()
    os.chown(server.data, pwd.getpwnam("nobody").pw_uid, -1)
    done = server.run_cli("restore", str(copy))
    assert done.returncode == REFUSED and "stop working" not in done.stderr, done
    assert f"runuser -u nobody -- twoleg restore {copy} --data {server.data} " in done.stderr
    nameless = max(each.pw_uid for each in pwd.getpwall()) + 1
    os.chown(server.data, nameless, -1)
    done = server.run_cli("restore", str(copy), "--yes")
    assert done.returncode == REFUSED and f"belongs to uid {nameless}," in done.stderr, done


def test_one_secret_two_secrets(server):
    app = server.app()
    assert " 1 secret:" in server.run_cli("app", "delete", app.id).stderr
    server.cli("secret", "add", app.id, "--json")
    assert " 2 secrets:" in server.run_cli("app", "delete", app.id).stderr


def test_a_week_is_shown_as_a_week(server):
    done = server.run_cli("app", "create", "--name", "n", "--token-format", "sealed",
                          "--token-ttl", "1w")
    assert "Life 1 w\n" in done.stdout


def test_tables_are_clipped_and_json_is_whole(server):
    name = "ü" * 60
    server.app(name=name, client_id="clipped-" + "x" * 900)
    table = server.run_cli("app", "list").stdout
    assert max(len(line) for line in table.splitlines()) < 200
    assert "ü" * 47 + "…" in table and "ü" * 48 not in table
    assert name in {a["name"] for a in server.cli("app", "list", "--json")["applications"]}
    assert name in server.run_cli("app", "show", "clipped-" + "x" * 900).stdout


def test_an_application_can_be_shown_by_its_number(server):
    app = server.app(client_id="named-by-hand")
    number = server.cli("app", "show", app.id, "--json")["application"]
    assert re.fullmatch(r"app_\w{13}", number)
    assert number in server.run_cli("app", "show", app.id).stdout
    assert server.cli("app", "show", number, "--json")["client_id"] == app.id
    assert code(server, "app", "delete", number, "--yes") == NOT_FOUND  # only to look at
    server.app(client_id=number, name="of that ID")
    assert server.cli("app", "show", number, "--json")["name"] == "of that ID"


def test_inspect_shows_the_token_id_and_no_reason_when_good(server, any_app):
    token = server.bearer(any_app)
    good = server.cli("token", "inspect", "--json", input=token)
    assert good["reason"] is None
    assert good["token_id"] == server.check(token).headers["X-Auth-Token-Id"]
    assert good["token_id"] in server.run_cli("token", "inspect", input=token).stdout
    assert server.cli("token", "revoke", "--json", input=token)["reason"] is None
    rows = server.cli("audit", "list", "--json")["audit"]
    assert rows[-1]["detail"]["token_id"] == good["token_id"]


# ------------------------------------------------------------------ audit list
def test_audit_list_shows_the_latest_and_says_what_is_left_out(own_server):
    server = own_server
    app = server.app(client_id="by-hand")
    for i in range(6):
        server.update(app, name=f"n{i}")
    whole = server.cli("audit", "list", "--json")
    numbers = [row["sequence"] for row in whole["audit"]]
    assert whole["older"] == 0 and whole["newer"] == 0 and numbers == sorted(numbers)
    assert server.run_cli("audit", "list").stderr == ""
    latest = server.cli("audit", "list", "--limit", "3", "--json")
    assert [r["sequence"] for r in latest["audit"]] == numbers[-3:]
    assert latest["older"] == numbers[-4] and latest["newer"] == 0
    assert "--after 0" in server.run_cli("audit", "list", "--limit", "3").stderr
    first = server.cli("audit", "list", "--after", "0", "--limit", "3", "--json")
    assert [r["sequence"] for r in first["audit"]] == numbers[:3]
    assert first["newer"] == len(numbers) - 3
    told = server.run_cli("audit", "list", "--after", "0", "--limit", "3").stderr
    assert f"--after {numbers[2]}" in told


def test_audit_names_what_an_act_was_done_to(own_server):
    server = own_server
    app = server.app(client_id="by-hand", scope="alpha")
    token = server.bearer(app)
    added = server.cli("secret", "add", app.id, "--json")["secret"]
    server.cli("token", "revoke", input=token)
    server.cli("api", "create", "urn:audited")
    server.cli("scope", "add", "x", "--api", "urn:audited")
    server.cli("app", "delete", app.id, "--yes")
    lines = server.run_cli("audit", "list").stdout.splitlines()
    at = lines[0].index("ON")
    seen = {line.split()[4]: line[at:].rsplit("  ", 1)[0].strip() for line in lines[1:]}
    assert seen["application.create"] == seen["application.delete"] == "by-hand"
    assert seen["token.revoke"] == "by-hand" and seen["secret.add"] == f"by-hand {added}"
    assert seen["api.create"] == "urn:audited" and seen["scope.add"] == "urn:audited"


# ------------------------------------------------------------------ who may
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_E14_another_user_has_no_rights_on_the_admin_socket(tmp_path_factory):
    folder = tempfile.mkdtemp(prefix="twoleg-")
    server = Server(data=os.path.join(folder, "data")).start()
    try:
        # Even where somebody opened the way to it: the rights are the peer's, not the file's.
        os.chmod(folder, 0o755)
        os.chmod(server.data, 0o755)
        os.chmod(os.path.join(server.data, "admin.sock"), 0o666)
        ask = ("import http.client,socket,sys\n"
               "c=http.client.HTTPConnection('x')\n"
               "c.sock=socket.socket(socket.AF_UNIX);c.sock.connect(sys.argv[1])\n"
               "c.request('GET','/admin/v1/applications')\n"
               "a=c.getresponse();print(a.status,a.read().decode())")
        path = os.path.join(server.data, "admin.sock")

        def asked_as(*who):
            return subprocess.run(
                [*who, "/usr/bin/python3", "-c", ask, path], capture_output=True, text=True,
                timeout=PATIENCE, check=True).stdout
        stranger = asked_as("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        assert stranger.startswith("403 ") and "forbidden" in stranger, stranger
        assert asked_as().startswith("200 ")
    finally:
        server.destroy()
        shutil.rmtree(folder, ignore_errors=True)


def test_head_is_answered_where_get_is(server):
    for target in ("status", "applications", "apis", "audit"):
        answer = server.admin("HEAD", "/admin/v1/" + target)
        assert answer.status == 200 and answer.body == b"", target
    assert server.admin("HEAD", "/admin/v1/backup").status == 405


def test_a_base_beside_the_file_is_named_by_one_path(tmp_path):
    (tmp_path / "ring.yaml").write_text("name: ring\nbase: ring\ntitle: Ring\n")
    for given in ("ring.yaml", "./ring.yaml", f"{tmp_path}/ring.yaml"):
        done = run("dialect", "check", given, cwd=tmp_path)
        path = given if "/" in given else "./" + given
        assert done.returncode == REFUSED, done
        assert done.stderr.startswith(f'{path}:2:1: base: with "ring" more than 4 dialects are '
                                      "behind each other, or they are a ring\n"), done.stderr


@pytest.fixture
def chain(tmp_path):
    """A folder of five dialects, each behind the next: behind b4 they are five with rfc6749."""
    for number in range(5):
        base = f"base: b{number - 1}\n" if number else ""
        (tmp_path / f"b{number}.yaml").write_text(f"name: b{number}\ntitle: B\n{base}")
    return tmp_path


def test_a_file_has_four_dialects_behind_it(chain):
    assert run("dialect", "check", "b3.yaml", cwd=chain).stdout == "b3.yaml: ok\n"
    done = run("dialect", "check", "b4.yaml", cwd=chain)
    assert done.returncode == REFUSED, done
    assert 'b0.yaml:1:1: base: with "rfc6749" more than 4 dialects' in done.stderr, done


@pytest.mark.parametrize("own", [False, True])
def test_a_configuration_counts_dialects_as_a_check_of_one_does(chain, own):
    """Whatever is known when one is looked for: rfc6749 always is, others by the hosts before."""
    if own:
        (chain / "rfc6749.yaml").write_text("name: rfc6749\ntitle: Ours\n")
    config = chain / "twoleg.yaml"
    for usual, *hosts in (["rfc6749", "b3"], ["b3", "b0", "b2"], ["b4"], ["rfc6749", "b4"],
                          ["rfc6749", "b3", "b4"], ["rfc6749", "b2", "b1", "b4"], ["b0", "b4"]):
        config.write_text(f"dialect_folder: .\ndialect: {usual}\nhosts:\n" + "".join(
            f"  - {{name: {host}.example, dialect: {host}}}\n" for host in [*hosts, "rfc6749"]))
        done = run("config", "check", "--config", config)
        refused = "b4" in (usual, *hosts)
        assert done.returncode == (REFUSED if refused else 0), (usual, hosts, done)
        assert ("more than 4 dialects are behind each other" in done.stderr) == refused, done
    listed = run("dialect", "list", "--config", config)
    assert "/b3.yaml)\n" in listed.stdout and "/b4.yaml)\n" not in listed.stdout, listed
