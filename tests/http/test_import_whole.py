# SPDX-License-Identifier: Apache-2.0
"""`app import`, whole or not at all: bad lines, long files, and what cuts it short."""
import contextlib
import json
import os
import pty
import re
import resource
import signal
import subprocess
import time

import pytest

import instance
from imported import (GOOD, LONG, SHORT, applications, b64, counts, django, lines, old, passlib,
                      refused, rows)
from instance import BINARY, PATIENCE, ROOT, Server, UnixConnection, until

__all__ = ["lines"]  # a fixture


@pytest.fixture
def server(own_server):
    return own_server


ROW = {**GOOD, "client_id": "row"}
BAD = {
    "no JSON": ("{", "not one whole JSON object: see its character 1"),
    "broken JSON": ('{"client_id":"é" x}', "not one whole JSON object: see its character 18"),
    "no object": ("17", "not one whole JSON object"),
    "two objects": ('{"client_id":"a"} {}', "not one whole JSON object"),
    "twice": ('{"client_id":"a","client_id":"b"}', "a fact is given twice"),
    "deep": ('{"client_id":[[1]]}', "too deep"),
    "no id": ({"client_secret": LONG}, "no client_id"),
    "empty id": ({**ROW, "client_id": ""}, "no client_id"),
    "odd id": ({**ROW, "client_id": "a b"}, "a client ID is"),
    "long id": ({**ROW, "client_id": "a" * 1025}, "longer than 1024 bytes"),
    "unknown fact": ({**ROW, "scopes": "a"}, 'no fact "scopes"; did you mean "scope"?'),
    "their name for it": ({"client_id": "x", "secret": "a"}, 'did you mean "client_secret"?'),
    "their hash": ({"client_id": "x", "hash": "a"}, 'did you mean "client_secret_hash"?'),
    "their life": ({**ROW, "ttl": 60}, 'no fact "ttl"; did you mean "token_ttl"?'),
    "long name": ({**ROW, "client_secret_expires_in": 1}, 'no fact "client_secret_expires_in"'),
    "longer name": ({**ROW, "client_secret_expires_at_": 1}, '"client_secret_expires_at"...'),
    "nothing near": ({**ROW, "redirect_uris": []}, 'no fact "redirect_uris"\n'),
    "hidden switch": ({**ROW, "dry_run": True}, 'no fact "dry_run"'),
    "id no text": ({"client_id": 7, "client_secret": LONG}, '"client_id" must be a text'),
    "no secret": ({"client_id": "x"}, "not neither"),
    "two secrets": ({**ROW, "client_secret_hash": "0" * 64}, "not both"),
    "odd secret": ({**ROW, "client_secret": "p\u00e4ss"}, "takes the hash, as client_secret_hash"),
    "blank at the end": ({**ROW, "client_secret": "a b "}, "visible ASCII"),
    "long secret": ({**ROW, "client_secret": "a" * 1025}, "longer than 1024 bytes"),
    "empty secret": ({**ROW, "client_secret": ""}, "is empty"),
    "hash as secret": ({**ROW, "client_secret": "$2b$12$abc"}, "looks like a hash"),
    "Spring's as secret": ({**ROW, "client_secret": "{bcrypt}$2b$12$abc"}, "looks like a hash"),
    "name": ({**ROW, "name": "a\tb"}, "without control characters"),
    "scope": ({**ROW, "scope": 'a"b'}, "scope"),
    "audience": ({**ROW, "audience": ["https://none.example/"]}, "no API has the identifier"),
    "audience no text": ({**ROW, "audience": [1]}, '"audience" must be'),
    "life": ({**ROW, "token_ttl": "soon"}, '"token_ttl" must be'),
    "endless jwt": ({**ROW, "token_ttl": "never"}, "a jwt must expire"),
    "endless here": ({**ROW, "token_ttl": "never"}, "reference (--token-format, token_format)"),
    "format": ({**ROW, "token_format": "paper"}, '"token_format" must be'),
    "budget": ({**ROW, "budget": "many"}, '"budget" must be'),
    "dialect": ({**ROW, "dialects": "klingon"}, "there is no dialect klingon here"),
    "flag": ({**ROW, "resource_server": "yes"}, "must be true or false"),
}
HASH = {"client_id": "x"}
COSTLY = "$argon2id$v=19$m={},t={},p={}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
BAD_HASHES = {
    "nothing": ("", "none of the hashes"),
    "md5": ("5f4dcc3b5aa765d61d8327deb882cf99", "none of the hashes"),
    "sha1 of LDAP": ("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "none of the hashes"),
    "bcrypt cost behind the word": ("{bcrypt}$2b$15$" + "a" * 53, "bcrypt cost is over 14"),
    "bcrypt cost": ("$2b$15$" + "a" * 53, "bcrypt cost is over 14"),
    "bcrypt of old": ("$2x$10$" + "a" * 53, "no whole bcrypt"),
    "bcrypt cut": ("$2b$10$" + "a" * 52, "no whole bcrypt"),
    "bcrypt digit": ("$2b$10$" + "a" * 52 + "-", "no whole bcrypt"),
    "bcrypt cost 0": ("$2b$00$" + "a" * 53, "no whole bcrypt"),
    "rounds": (passlib(SHORT).replace("$2000$", "$2000001$"), "over 2000000"),
    "few rounds": (passlib(SHORT).replace("$2000$", "$999$"), "under 1000"),
    "django rounds": (django(SHORT).replace("$2000$", "$99999999999$"), "over 2000000"),
    "no salt": ("pbkdf2_sha256$2000$$" + b64(bytes(32)), "no whole PBKDF2"),
    "cut tag": ("$pbkdf2-sha256$2000$c2FsdA$AAAA", "no whole PBKDF2"),
    "more": (passlib(SHORT) + "$x", "no whole PBKDF2"),
    "pbkdf2-sha512": ("$pbkdf2-sha512$2000$c2FsdA$AAAA", "only hashes with SHA-256"),
    "argon2 memory": (COSTLY.format(262145, 1, 1), "costs too much"),
    "argon2 passes": (COSTLY.format(8, 17, 1), "costs too much"),
    "argon2 work": (COSTLY.format(262144, 5, 1), "costs too much"),
    "argon2 lanes": (COSTLY.format(1024, 1, 17), "costs too much"),
    "argon2d": (COSTLY.format(64, 2, 1).replace("id$", "d$"), "Argon2d"),
    "argon2 cut": (COSTLY.format(64, 2, 1)[:-20] + "!", "no whole Argon2"),
    "long": ("$2b$10$" + "a" * 300, "longer than 256 bytes"),
}


def test_bad_lines_are_all_named_and_nothing_is_half_done(server, lines):
    cases = {**BAD, **{name: ({**HASH, "client_secret_hash": text}, words)
                       for name, (text, words) in BAD_HASHES.items()}}
    for name, (row, words) in cases.items():
        said = refused(server, lines(GOOD, "", row))
        assert ":3: " in said and words in said, (name, said)
        assert "nothing was imported" in said, (name, said)
        assert LONG not in said, name
    assert applications(server) == 0
    said = refused(server, lines(GOOD, *(row for row, _ in BAD.values())))
    assert sum(f".jsonl:{number}: " in said for number in range(2, 100)) == 20, said
    assert f".jsonl: and {len(BAD) - 20} more bad lines\n" in said, said
    assert "data folder" not in said, said
    assert applications(server) == 0
    said = refused(server, lines(GOOD, "x" * 33_000, {**GOOD, "client_id": "b"}, GOOD))
    assert ":2: it is longer than 32768 bytes" in said, said
    assert ":4: the client ID of line 1 again" in said, said


@pytest.mark.parametrize("text, words", [
    ("", "no application in it"),
    ("client_id,client_secret\n", "no application in it"),
    ("[\n{}\n]\n", ":1: JSON lines are wanted"),
    ("client_id;client_secret\na;b\n", ":1: the columns are separated by commas"),
    ("client_id,client_id\n", ':1: the column "client_id" is there twice'),
    ("client_id,secret\n", ':1: there is no column "secret"; did you mean'),
    ('client_id,"client_secret\n', ":1: the quotes of the header"),
    ("client_id,client_secret\nx\n", ":2: it has 1 fields, the header has 2"),
    ("client_id,client_secret\nx,y,z\n", ":2: it has 3 fields, the header has 2"),
    ('client_id,client_secret\nx,"y\nz"\n', ":2: the quotes of field 2"),
    ('client_id,client_secret\nx,y"z\n', ":2: the quotes of field 2"),
    ("client_id,client_secret\n,y\n", ":2: it has no client_id"),
    ("client_id, client_secret\nx,y\n", ":1: field 2 has a blank at an end"),
    ("client_id,client_secret\nx, y\n", ":2: field 2 has a blank at an end"),
    ("client_id,client_secret\nx,y \r\n", ":2: field 2 has a blank at an end"),
    ("client_id,client_secret\n x,y\n", ":2: field 1 has a blank at an end"),
    ('client_id,client_secret\nx," y"\n', ':2: "client_secret": a secret is visible ASCII'),
    ("client_id\tclient_secret\n", ":1: it has a control character"),
    ("client_id," + "name," * 7000 + "\nx,y\n", ":1: it is longer than 32768 bytes"),
    ("client_id,client_secret,resource_server\nx,y,1\n", ":2: \"resource_server\" must be true"),
])
def test_bad_csv_is_named(server, tmp_path, text, words):
    file = tmp_path / "apps.csv"
    file.write_text(text)
    said = refused(server, str(file))
    assert words in said, said
    assert words.startswith(":2:") or said.count(str(file)) <= 2, said
    assert applications(server) == 0


def test_what_is_no_text_or_no_file(server, tmp_path):
    file = tmp_path / "apps.csv"
    file.write_bytes(b"client_id,client_secret\nx\xff,y\n")
    assert ":2: it is not UTF-8" in refused(server, str(file))
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"):
        file.write_bytes(b'{"client_id":"x","client_secret":"y"}\n'
                         b'{"client_id":"z","client_secret":"y","name":"' + bad + b'"}\n')
        assert ":2: it is not UTF-8" in refused(server, str(file)), bad
    assert "No such file" in refused(server, str(tmp_path / "none"))
    assert "Is a directory" in refused(server, str(tmp_path))
    server.stop()
    file.write_text("client_id,client_secret\nx,y\n")
    said = refused(server, str(file), status=5)
    assert said.startswith(f"twoleg: no server runs on the data folder {server.data} "), said
    assert said.endswith(f"twoleg: {file}: nothing was imported\n"), said


def test_thousands_of_lines_and_again(server, lines):
    count = 2_000
    file = lines(*({"client_id": f"many-{i}", "client_secret": f"{LONG}-{i}", "scope": "s"}
                   for i in range(count)))
    command = [BINARY, "app", "import", file]
    env = {**os.environ, "TWOLEG_DATA": server.data}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280,
                          check=False)
    assert done.returncode == 0, done
    assert done.stdout == f"{count} applications: {count} created, 0 updated, 0 unchanged\n"
    for i in (0, 1_311, count - 1):
        assert server.token(old(f"many-{i}", f"{LONG}-{i}")).status == 200
    before = rows(server, "SELECT max(sequence) FROM audit")
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=280,
                          check=False)
    assert done.stdout == f"{count} applications: 0 created, 0 updated, {count} unchanged\n"
    assert rows(server, "SELECT max(sequence) FROM audit") == before
    assert rows(server, "SELECT count(*) FROM secrets") == [(count,)]


@pytest.mark.hooks
@pytest.mark.parametrize("where", ["a terminal", "a file"])
def test_an_import_tells_after_a_second_what_became_of_how_many(server, lines, where):
    """Be the lines as few as they like: here one of them takes so long."""
    assert counts(server, lines({**GOOD, "client_id": "there"})) == (1, 0, 0)
    file = lines({**GOOD, "client_id": "there"}, {**GOOD, "client_id": "new"},
                 {**GOOD, "client_id": "newer"})
    ours, theirs = pty.openpty()
    server.hooks.hold("store.before_commit")
    try:
        process = subprocess.Popen([BINARY, "app", "import", file, "--data", server.data],
                                   stdout=subprocess.DEVNULL,
                                   stderr=theirs if where == "a terminal" else subprocess.PIPE)
        server.hooks.await_waiting("store.before_commit")
        # The command's own second, by the same clock, has begun before ours.
        second = time.monotonic() + 1.1
        until(lambda: time.monotonic() > second, "the end of this second")
    finally:
        server.hooks.release("store.before_commit")
    said = process.communicate(timeout=PATIENCE)[1] or b""
    assert process.returncode == 0, said
    os.close(theirs)
    with open(ours, "rb", buffering=0) as terminal, contextlib.suppress(OSError):  # EIO: its end
        while more := terminal.read(4096):
            said += more
    begins = b"\r" if where == "a terminal" else b"twoleg: "
    assert begins + b"2 of 3 applications: 1 created, 0 updated, 1 unchanged" in said, said


def parts(count):
    return [{"client_id": f"part-{i}", "client_secret": f"{LONG}-{i}", "scope": f"s{i % 7} t"}
            for i in range(count)]


def begin(server, file):
    return subprocess.Popen([BINARY, "app", "import", file], text=True,
                            env={**os.environ, "TWOLEG_DATA": server.data},
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("killed", ["the command", "the server"])
def test_H1_what_a_kill_cuts_short_is_whole_line_by_line_and_goes_on(server, lines, killed):
    """Whichever of the two it hits: the lines up to some line are there whole, no others."""
    count = 1000
    file = lines(*parts(count))
    process = begin(server, file)
    until(lambda: applications(server) > 20, "the second pass")
    if killed == "the server":
        server.kill9()
    else:
        process.send_signal(signal.SIGKILL)
    _, said = process.communicate(timeout=60)
    if killed == "the command":
        server.restart()  # its last line may be under way: a server that stops ends that first
    if killed == "the server":
        assert process.returncode in (1, 5), said
        line = int(re.search(r"stopped at line (\d+)\. What stands before it", said)[1])
        server.start()
    made = applications(server)
    assert 20 < made < count
    if killed == "the server":  # the change of the line that was under way may have come about
        assert made in (line - 1, line), said
    there = dict(rows(server, "SELECT client_id, count(secrets.number) FROM applications LEFT JOIN "
                              "secrets ON application = applications.number GROUP BY client_id"))
    assert there == {f"part-{i}": 1 for i in range(made)}
    last = server.cli("app", "show", f"part-{made - 1}", "--json")
    assert last["scope"] == f"s{(made - 1) % 7} t"
    assert counts(server, file) == (count - made, 0, made)
    for i in (0, made - 1, made, count - 1):
        assert server.token(old(f"part-{i}", f"{LONG}-{i}"), scope="t").status == 200


@pytest.mark.hooks
@pytest.mark.parametrize("change, words", [
    ("shorter", "the file ends here, but went on when it was checked"),
    ("another ID", "the file was changed after it was checked")])
def test_a_file_that_changes_between_the_passes_is_noticed(server, lines, change, words):
    count = 1000  # more than what is read ahead
    file = lines(*parts(count))
    server.hooks.hold("store.before_commit")
    try:
        process = begin(server, file)
        server.hooks.await_waiting("store.before_commit")
        with open(file, "r+b") as text:
            whole = text.read()
            at = whole.index(b'{"client_id": "part-950"')
            text.seek(at)
            if change == "shorter":
                text.truncate()
            else:
                text.write(whole[at:].replace(b'"part-950"', b'"part-95x"'))
    finally:
        server.hooks.release("store.before_commit")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1 and f"{file}:951: {words}" in said, said
    assert "stopped at line 951" in said and applications(server) == 950, said


@pytest.mark.hooks
def test_G8_two_imports_at_once_add_a_secret_once(make_server, lines, tmp_path):
    """Both have looked at the application before either change is there: one of them is refused,
    and finds the secret when it is done again."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("workers: 1\n")
    server = make_server(config=config).start()
    line = {"client_id": "good", "client_secret_hash": django(SHORT)}
    assert counts(server, lines(GOOD)) == (1, 0, 0)
    calls = [UnixConnection(os.path.join(server.data, "admin.sock")) for _ in range(2)]
    server.hooks.hold("store.before_commit")
    try:
        for number, call in enumerate(calls):
            call.request("POST", "/admin/v1/applications/import",
                         json.dumps({**line, "update": True}), {"Content-Type": "application/json"})
            if number == 0:
                server.hooks.await_waiting("store.before_commit")
        # The worker and the reader take what comes in turn: when this is answered, that was read.
        assert server.secrets(old("good", LONG))[0]["kept"] == "hmac"
    finally:
        server.hooks.release("store.before_commit")
    found = sorted(call.getresponse().status for call in calls)
    assert found == [200, 409]
    assert [row["kept"] for row in server.secrets(old("good", LONG))] == ["hmac", "pbkdf2-sha256"]
    assert counts(server, lines(line)) == (0, 0, 1)
    for call in calls:
        call.close()


ROOM = 72 * 1024 * 1024  # 50 are needed for the tables, libraries and all


def test_a_hundred_thousand_lines_take_no_memory_each(tmp_path, lines, monkeypatch):
    """Some 20 MiB are to spare, 200 bytes a line. With the release build: sanitizers keep what is
    freed."""
    release = os.environ.get("TWOLEG_RELEASE_BIN", str(ROOT / "build/release/twoleg"))
    if not os.path.exists(release):
        pytest.skip(f"there is no release build at {release}")
    monkeypatch.setattr(instance, "BINARY", release)
    server = Server(data=tmp_path / "release").start()
    try:
        done = subprocess.run([release, "app", "import", lines(*parts(100_000)), "--dry-run"],
                              env={**os.environ, "TWOLEG_DATA": server.data}, text=True,
                              capture_output=True, timeout=280, check=False,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS,
                                                                    (ROOM, ROOM)))
    finally:
        server.destroy()
    assert done.returncode == 0, done
    assert done.stdout.startswith("100000 applications: 100000 would be created, "), done


@pytest.mark.hooks
def test_a_server_that_fails_midway_is_said_with_the_line(server, lines):
    file = lines(*({"client_id": f"fail-{i}", "client_secret": f"{LONG}-{i}"} for i in range(20)))
    assert counts(server, file, "--dry-run") == (20, 0, 0)
    # The checks need no commit: the 12th of the second pass does not come about.
    server.hooks.fault("store", 0)
    counted = lines({"client_id": "one", "client_secret": LONG})
    assert counts(server, counted) == (1, 0, 0)
    each = server.hooks.fault("store", 0)
    server.hooks.fault("store", 11 * each + 3)
    words = refused(server, file)
    made = applications(server) - 1
    assert 0 < made < 20, words
    assert f"{file}:{made + 1}: " in words, words
    assert f"stopped at line {made + 1}" in words and f"({made} created" in words, words
    assert counts(server, file) == (20 - made, 0, made)
