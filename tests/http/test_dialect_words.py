# SPDX-License-Identifier: Apache-2.0
"""What the command line says of dialects to whoever manages applications (design 3.8): true words,
and lines that work as they are printed."""
import base64
import json
import re
import subprocess

import pytest

from instance import BINARY, PATIENCE, ROOT

OWN = "name: acme\ntitle: Acme\nendpoints:\n  - path: /login\n"


def run(*args, **options):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=PATIENCE,
                          check=False, **options)


@pytest.fixture
def speaking(make_server, tmp_path):
    """A server of which the configuration says so, with the dialect acme in its folder."""
    folder = tmp_path / "dialects"
    folder.mkdir()
    (folder / "acme.yaml").write_text(OWN)

    def start(text):
        file = tmp_path / "twoleg.yaml"
        file.write_text(f"dialect_folder: {folder}\n{text}")
        return make_server(config=file).start()

    return start


def created(server, *args):
    done = server.run_cli("app", "create", "--name", "n", *args)
    assert done.returncode == 0, done
    return done


def first_line(words):
    found = re.search(r"\nToken: (curl .*)   \((.*)\)\n$", words)
    return found and found.groups()


def run_line(line, words):
    """The printed line with the printed secret where the line has it."""
    secret = re.search(r"^Secret +(\S+)", words, re.MULTILINE)[1]
    client_id = re.search(r"^Client ID +(\S+)", words, re.MULTILINE)[1]
    line = line.replace(f"-u {client_id} ", f"-u {client_id}:{secret} ")
    line = line.replace("BASE64_OF_ID:SECRET",
                        base64.b64encode(f"{client_id}:{secret}".encode()).decode())
    line = line.replace("SECRET", secret)
    line = line.replace("USERNAME", "ann").replace("PASSWORD", "correct horse battery")
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=PATIENCE,
                          check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name, asks", [("rfc6749", True), ("ebay", True), ("rti-sms", False),
                                        ("smscx", False), ("wechat", False), ("azampay", False),
                                        ("zoho", False)])
def test_app_create_prints_the_line_of_the_dialect_that_is_spoken(speaking, name, asks):
    server = speaking(f"dialect: {name}\nallow_query_credentials: true\n")
    words = created(server, "--scope", "sms").stdout
    line, how = first_line(words)
    assert ("SECRET" in line) == ("SECRET" in how) == (not asks), words
    answer = run_line(line, words)
    assert "access_token" in answer or "accessToken" in answer["data"], answer


@pytest.mark.parametrize("config, args", [
    ("dialect: acme\n", ()),
    ("hosts: [{name: a.example, dialect: rti-sms}]\n", ()),
    ("dialect: rfc6749\n", ("--grants", "password")),
    ("dialect: rapidsos\n", ("--grants", "password")),
    ("dialect: rti-sms\n", ("--dialects", "smscx"))])
def test_app_create_prints_no_line_that_would_be_refused(speaking, config, args):
    assert "Token:" not in created(speaking(config), *args).stdout


def test_app_create_prints_the_users_line_to_whom_has_that_grant_only(speaking):
    server = speaking("dialect: rapidsos\npassword_grant: true\n")
    server.cli("user", "add", "ann", "--password-file", "-", input="correct horse battery")
    words = created(server, "--grants", "password").stdout
    assert run_line(first_line(words)[0], words)["token_type"] == "BearerToken"


def test_app_create_leaves_an_id_to_the_reader_that_a_line_would_read_otherwise(speaking):
    server = speaking("dialect: wechat\nallow_query_credentials: true\n")
    line, _ = first_line(created(server, "--client-id", "a'b&c").stdout)
    assert "appid=CLIENT_ID&" in line and "a'b&c" not in line


def test_app_create_says_which_format_the_dialect_gives(speaking):
    server = speaking("dialect: smscx\n")
    assert "   Format jwt (smscx gives reference)   Life" in created(server).stdout
    assert "   Format reference   Life" in created(server, "--token-format", "reference").stdout


# ------------------------------------------------------------------ reload
def test_a_reload_names_the_dialects_whose_files_have_changed(speaking, tmp_path):
    folder = tmp_path / "dialects"
    (folder / "base.yaml").write_text("name: base\ntitle: Base\n")
    (folder / "child.yaml").write_text("name: child\ntitle: Child\nbase: base\n")
    server = speaking("dialect: acme\nchecks: [{name: a, dialect: child}]\n")
    assert server.cli("reload", "--json") == {"changes": [], "dialects": [], "certificates": 0,
                                              "warnings": []}
    (folder / "acme.yaml").write_text(OWN.replace("/login", "/enter"))
    assert server.cli("reload") == "The dialect acme has changed.\n"
    (folder / "base.yaml").write_text("name: base\ntitle: Base\nresource: {schemes: [Own]}\n")
    assert server.cli("reload", "--json")["dialects"] == ["base", "child"]
    assert server.cli("reload") == "No option has changed, and no dialect.\n"
    rows = server.cli("audit", "list", "--json")["audit"]
    details = [row["detail"] for row in rows if row["action"] == "config.reload"]
    assert {"options": [], "dialects": ["acme"]} in details
    assert 'event=reload_changes dialect="acme"\n' in server.stderr()


def test_a_reload_says_what_the_log_warns_of(speaking, tmp_path):
    file = tmp_path / "dialects/acme.yaml"
    shape = "token: {format: reference, alphabet: hex, length: %d}\n"
    file.write_text(OWN + shape % 44)
    server = speaking("dialect: acme\n")
    assert server.cli("reload", "--json")["warnings"] == []
    file.write_text(OWN + shape % 46)
    done = server.run_cli("reload")
    assert done.returncode == 0 and done.stdout == "The dialect acme has changed.\n", done
    assert done.stderr.startswith("twoleg: warning: no dialect makes tokens as acme did: "), done
    file.write_text(OWN + shape % 48)
    warned = server.cli("reload", "--json")["warnings"]
    assert done.stderr == "".join(f"twoleg: warning: {text}\n" for text in warned)
    assert server.run_cli("reload").stderr == ""


def test_a_refused_reload_ends_with_what_is_wrong(speaking, tmp_path):
    server = speaking("dialect: acme\n")
    (tmp_path / "dialects/acme.yaml").write_text(OWN + "colour: red\n")
    done = server.run_cli("reload")
    assert done.returncode == 1
    assert re.fullmatch(r"twoleg: .*\n.*acme\.yaml:5:1: unknown key.*\n", done.stderr), done.stderr
    said = server.run_cli("reload", "--json").stderr
    assert json.loads(said)["message"].endswith("resource)"), said


# ------------------------------------------------------------------ lives and users
@pytest.mark.parametrize("life", ["1w", "never"])
def test_T21_a_life_that_a_jwt_has_not_says_what_to_do(speaking, life):
    server = speaking("dialect: smscx\nhosts: [{name: a.example, dialect: smscx},"
                      " {name: b.example, dialect: rfc6749}]\n")
    done = server.run_cli("app", "create", "--name", "n", "--token-ttl", life)
    assert done.returncode == 1
    assert "reference (--token-format, token_format) also where a dialect" in done.stderr
    done = server.run_cli("app", "create", "--name", "n", "--token-ttl", life, "--token-format",
                          "reference")
    assert done.returncode == 0, done
    assert "never (not for a jwt)" in server.run_cli("app", "create", "--help").stdout


@pytest.mark.parametrize("text", ["dialect: smscx\n", "hosts: [{name: a.example, dialect: smscx},"
                                  " {name: b.example, dialect: looker}]\n"
                                  "checks: [{name: x, dialect: rti-sms}]\n"])
def test_T21_where_all_get_references_such_a_life_needs_no_word_of_a_format(speaking, text):
    """As in the panel of SMS.CX: 1 day, 1 week or never."""
    server = speaking(text + "allow_query_credentials: true\n")
    made = {}
    for life, form in (("1d", "jwt"), ("1w", "reference"), ("never", "reference")):
        app = server.cli("app", "create", "--name", life, "--token-ttl", life, "--json")
        assert app["token_format"] == form, app
        made[life] = app["client_id"]
    server.cli("app", "update", made["1d"], "--name", "still", "--yes")
    assert server.cli("app", "show", made["1d"], "--json")["token_format"] == "jwt"
    server.cli("app", "update", made["1d"], "--token-ttl", "never", "--yes")
    shown = server.cli("app", "show", made["1d"], "--json")
    assert (shown["token_format"], shown["token_ttl"]) == ("reference", None)
    done = server.run_cli("app", "create", "--name", "n", "--token-ttl", "never", "--token-format",
                          "jwt")
    assert done.returncode == 1 and "a jwt must expire" in done.stderr


def test_without_a_terminal_what_would_happen_is_said_as_such(speaking):
    server = speaking("dialect: acme\n")
    server.cli("user", "add", "ann", "--password-file", "-", input="correct horse battery")
    done = server.run_cli("user", "delete", "ann")
    assert done.returncode == 2
    assert done.stderr.startswith("This would happen: The user is deleted for ever;"), done.stderr
    assert "this would happen: " in server.run_cli("user", "delete", "ann", "--json").stderr
    assert server.cli("user", "show", "ann", "--json")["username"] == "ann"


def test_a_dialect_of_the_command_line_that_is_not_there(make_server):
    code, said = make_server(args=["--dialect", "nope"]).refused()
    assert code == 1 and 'there is no dialect "nope"' in said
    assert not any(line.startswith(":") for line in said.splitlines()), said
    assert "those of your own need dialect_folder" in said


@pytest.mark.parametrize("name", ["./acme.yaml", "acme.yaml", "/etc/acme"])
def test_a_file_in_the_place_of_a_name_is_told_where_those_of_ones_own_go(make_server, name):
    code, said = make_server(args=["--dialect", name]).refused()
    assert code == 2 and f'--dialect: "{name}" is no name: ' in said and "dialect_folder" in said


def test_a_dialect_that_is_in_no_file_of_its_folder(speaking, tmp_path):
    server = speaking("dialect: acme\n")
    (tmp_path / "dialects/acme.yaml").unlink()
    said = server.run_cli("reload").stderr
    assert f"and no {tmp_path}/dialects/acme.yaml" in said, said


def test_rfc9110_15_5_7_the_status_of_what_is_not_acceptable_has_its_words(speaking):
    server = speaking("dialect: orange\n")
    answer = server.raw(b"POST /oauth/v3/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                        b"Content-Type: application/x-www-form-urlencoded\r\n"
                        b"Content-Length: 29\r\n\r\ngrant_type=client_credentials")
    assert answer.startswith(b"HTTP/1.1 406 Not Acceptable\r\n"), answer


def test_T14_the_readme_shows_an_answer_as_it_is(speaking):
    """Its times are milliseconds, of a clock that is read in whole seconds."""
    readme = (ROOT / "README.md").read_text()
    [shown] = re.findall(r'^\{"access_token":.*"issued_at":.*\}$', readme, re.MULTILINE)
    server = speaking("dialect: rapidsos\n")
    app = server.app()
    body = {"client_id": app.id, "client_secret": app.secret, "grant_type": "client_credentials"}
    answer = server.request("POST", "/oauth/token", json.dumps(body),
                            {"Content-Type": "application/x-www-form-urlencoded"})

    def form(text):
        """Letters and digits as such, but the thousandths of times and whole lives."""
        return re.sub(r"\d(?=\d*000,)", "9", re.sub(r"\b\w{28}\b", "TOKEN", text))
    assert form(shown) == form(answer.text) and '"issued_at":9999999999000,' in form(shown)


def test_the_guide_stands_in_one_folder(tmp_path):
    """docs/dialects.md: all its commands run where its first file is written."""
    guide = (ROOT / "docs/dialects.md").read_text()
    file = re.search(r"^       name: acme\n(?:       .*\n)*", guide, re.MULTILINE)[0]
    request = re.search(r"^       POST /login(?:.*\n)*?       user=.*\n", guide, re.MULTILINE)[0]
    (tmp_path / "dialects").mkdir()
    (tmp_path / "dialects/acme.yaml").write_text(re.sub("^       ", "", file, flags=re.MULTILINE))
    (tmp_path / "request").write_text(re.sub("^       ", "", request, flags=re.MULTILINE))
    commands = re.findall(r"`twoleg (dialect (?:check|try) .*?)`", guide.split("## The keys")[0])
    assert len(commands) == 2
    for command in commands:
        done = subprocess.run(["sh", "-c", f"{BINARY} {command}"], cwd=tmp_path,
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 0, done


def test_status_names_the_dialects_that_are_spoken_own_ones_too(speaking):
    server = speaking("dialect: rti-sms\nhosts: [{name: a.example, dialect: acme}]\n")
    assert server.cli("status", "--json")["dialects"] == ["rti-sms", "acme"]
    assert re.search(r"^Dialects +rti-sms acme$", server.cli("status"), re.MULTILINE)
    done = server.run_cli("dialect", "show", "nobody")
    assert done.returncode == 3 and "there is no dialect nobody" in done.stderr


@pytest.fixture
def without(tmp_path):
    """An environment in which no server runs on the data folder."""
    return {"TWOLEG_DATA": str(tmp_path / "nobody"), "HOME": str(tmp_path)}


def test_list_names_own_dialects_too_with_their_files(speaking, tmp_path, without):
    folder = tmp_path / "dialects"
    (folder / "ebay.yaml").write_text("name: ebay\ntitle: Ours\nbase: acme\n")
    config = tmp_path / "relative.yaml"
    config.write_text("dialect_folder: dialects\ndialect: acme\n")
    shipped = json.loads(run("dialect", "list", "--json", env=without).stdout)["dialects"]
    assert len(shipped) > 20 and {row["file"] for row in shipped} == {None}
    server = speaking("dialect: acme\n")
    assert server.cli("status", "--json")["dialect_folder"] == str(folder)
    listed = server.cli("dialect", "list", "--json")["dialects"]
    own = {row["name"]: row for row in listed if row["file"]}
    assert own == {
        "acme": {"name": "acme", "title": "Acme", "example": None, "file": f"{folder}/acme.yaml",
                 "needs_allow_query_credentials": False},
        "ebay": {"name": "ebay", "title": "Ours", "example": None, "file": f"{folder}/ebay.yaml",
                 "needs_allow_query_credentials": False}}
    assert [row["name"] for row in listed] == [row["name"] for row in shipped] + ["acme"]
    assert [row for row in listed if not row["file"]] == \
        [row for row in shipped if row["name"] != "ebay"]
    text = server.cli("dialect", "list")
    assert f"\nacme           Acme (own: {folder}/acme.yaml)\n" in text
    by_config = run("dialect", "list", "--json", "--config", "relative.yaml", env=without,
                    cwd=tmp_path)
    assert json.loads(by_config.stdout)["dialects"] == listed and by_config.stderr == ""
    assert json.loads(run("dialect", "list", "--json", "--data", server.data,
                          env=without).stdout)["dialects"] == listed


def test_a_name_is_that_of_the_server_in_every_command(speaking, tmp_path, without):
    """An own file goes before a shipped one of its name, also where that one is a base."""
    folder = tmp_path / "dialects"
    (folder / "ebay.yaml").write_text("name: ebay\ntitle: Ours\nbase: acme\nexample: ours {url}\n")
    (folder / "rti-sms.yaml").write_text("name: rti-sms\ntitle: Ours\n")
    config = tmp_path / "twoleg.yaml"
    config.write_text("dialect_folder: dialects\n")
    server = speaking("dialect: ebay\nhosts: [{name: r.example, dialect: rti-sms-renew}]\n")
    request = "POST /api/auth HTTP/1.1\r\nHost: x\r\n\r\n"
    for place in (["--data", server.data], ["--config", config]):
        def said(command, name, status=0, where=tuple(place)):
            done = run("dialect", command, name, *where, env=without, input=request)
            assert done.returncode == status, done
            return done.stdout + done.stderr
        for name in ("acme", "ebay"):
            assert said("show", name) == (folder / f"{name}.yaml").read_text()
            assert said("check", name) == f"{folder}/{name}.yaml: ok\n"
            assert "the endpoints are /login." in said("try", name)
        assert said("example", "ebay").startswith("ours {url}\n")
        assert "the endpoints are /oauth/token." in said("try", "rti-sms")
        assert said("show", "zoom") == (ROOT / "dialects/zoom.yaml").read_text()
        assert "there is no dialect nobody" in said("check", "nobody", 3)
    assert run("dialect", "show", "ebay", env=without).stdout == \
        (ROOT / "dialects/ebay.yaml").read_text()
    assert run("dialect", "try", "ebay", "--data", tmp_path, env=without).returncode == 5


def test_list_has_room_for_a_thousand_files(tmp_path, without):
    (tmp_path / "twoleg.cfg").write_text(f"dialect_folder: {tmp_path}\n")
    for number in range(1000):
        (tmp_path / f"d{number}.yaml").write_text(f"name: d{number}\ntitle: D\n")
    done = run("dialect", "list", "--config", tmp_path / "twoleg.cfg", env=without)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("(own: ") == 1000


def test_list_warns_of_a_file_that_is_no_dialect(tmp_path, without):
    config = tmp_path / "here.yaml"
    config.write_text(f"dialect_folder: {tmp_path}\n")
    (tmp_path / "fine.yaml").write_text("name: fine\ntitle: Fine\n")
    (tmp_path / "other.yaml").write_text("name: fine\ntitle: Fine\n")
    (tmp_path / ".hidden.yaml").write_text("")
    done = run("dialect", "list", "--json", "--config", config, env=without)
    assert done.returncode == 0
    assert [row["name"] for row in json.loads(done.stdout)["dialects"] if row["file"]] == ["fine"]
    notices = [json.loads(line) for line in done.stderr.splitlines()]
    assert [notice["notice"] for notice in notices] == ["dialect_refused"] * 2
    for notice, name in zip(notices, ("here", "other")):
        command = re.search(r"`twoleg (dialect check (.*))`", notice["message"])
        assert command[2] == f"{tmp_path}/{name}.yaml"
        assert run(*command[1].split(), env=without).returncode == 1


def test_list_says_where_it_was_told_to_look_and_could_not(tmp_path, without):
    done = run("dialect", "list", "--data", str(tmp_path), env=without)
    assert (done.returncode, done.stdout) == (5, "") and str(tmp_path) in done.stderr
    config = tmp_path / "twoleg.yaml"
    config.write_text("dialect_folder: nowhere\n")
    done = run("dialect", "list", "--config", config, env=without)
    assert (done.returncode, done.stdout) == (1, "") and f"{tmp_path}/nowhere" in done.stderr
    config.write_text("colour: red\n")
    done = run("dialect", "list", "--config", config, env=without)
    assert (done.returncode, done.stdout) == (1, "") and ":1:1: unknown key" in done.stderr
    del without["HOME"], without["TWOLEG_DATA"]
    assert run("dialect", "list", env=without).returncode == 0
