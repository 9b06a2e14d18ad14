# SPDX-License-Identifier: Apache-2.0
"""The canary: secrets and tokens that are known are led through everything, rightly and wrongly;
then they are searched for in everything that a server writes or shows. B13 and D1."""
import base64
import binascii
import os
import pathlib
import urllib.parse

import pytest

from instance import FORMATS, Application, until
from test_memory import mappings

BROUGHT = "canary-brought-secret-of-more-than-32-bytes"
SHORT = "canary-short-pw9"
PASSWORD = "canary password of a user"


class Canaries:
    """What nobody may see, in every spelling in which it might be seen."""

    def __init__(self):
        self.texts = {}

    def add(self, what, text):
        self.texts[what] = text

    def spellings(self, text):
        raw = text.encode()
        yield raw
        yield binascii.hexlify(raw)
        yield urllib.parse.quote(text, safe="").encode()
        # In base64 what stands before it may shift it: its middle is the same in one of three.
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw)
            yield coded[4:-4]
        if "." not in text:
            try:
                yield base64.urlsafe_b64decode(text[4:-6] + "=" * (-len(text[4:-6]) % 4))
            except ValueError:
                pass

    def found(self, where, content):
        return [f"{what} in {where}" for what, text in self.texts.items()
                for spelling in self.spellings(text)
                if len(spelling) >= 12 and spelling in content]


def recorded(server):
    """All that this server will answer from now on, but for what gives out a secret or a token."""
    said, request, raw, admin = [], server.request, server.raw, server.admin

    def note(target, answer):
        gives = target.startswith(("/oauth/token", "/admin/")) and answer.status < 400
        said.append(b"" if gives else str(answer.headers).encode() + answer.body)
        return answer

    def note_raw(data):
        said.append(raw(data))
        return said[-1]

    server.request = lambda method, target, *more, **named: note(
        target, request(method, target, *more, **named))
    server.admin = lambda method, path, *more: note(path, admin(method, path, *more))
    server.raw = note_raw
    return said


@pytest.fixture
def led_through(make_server, tmp_path):
    """A server that logs all it can, after everything was done with each canary."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("log_requests: all\npassword_grant: true\n")
    config.chmod(0o600)
    server = make_server(config=config).start()
    canaries, said = Canaries(), recorded(server)
    caller = server.app(name="caller", resource_server=True)
    canaries.add("caller's secret", caller.secret)
    apps = [server.app(name="jwt", scope="alpha"),
            *(server.app(name=kind, scope="alpha", token_format=kind) for kind in FORMATS[1:]),
            server.app(name="brought", secret=BROUGHT), server.app(name="short", secret=SHORT)]
    for app in apps:
        canaries.add(f"secret of {app.facts.get('name', app.id)}", app.secret)
        lead_through(server, caller, app, canaries)
    app = server.app(name="rotated")
    canaries.add("a first secret", app.secret)
    more = server.cli("secret", "add", app.id, "--json")
    canaries.add("a second secret", more["client_secret"])
    server.remove_secret(app, revoke_tokens=True)
    lead_a_user_through(server, canaries)
    server.delete(apps[0])
    return server, canaries, apps, said


def lead_through(server, caller, app, canaries):
    good, revoked = server.bearer(app), server.bearer(app, "post")
    canaries.add(f"token of {app.id}", good)
    canaries.add(f"revoked token of {app.id}", revoked)
    assert server.active(caller, good) and server.check(good).status == 200
    assert server.revoke(app, revoked).status == 200
    server.check(revoked)
    # Wrongly: in the wrong place, cut, twice, in another's name, in the query, in odd requests.
    secret = urllib.parse.quote(app.secret)
    swapped = Application({"client_id": app.secret, "client_secret": app.id})
    for wrong in (swapped, Application({"client_id": app.id, "client_secret": app.secret + "x"})):
        assert server.token(wrong).status == 401
        assert server.token(wrong, "post").status == 401
    server.form("/oauth/token", [("grant_type", app.secret), ("scope", app.secret)], app)
    server.form("/oauth/token", [("client_secret", app.secret)] * 2, app)
    server.form(f"/oauth/token?client_secret={secret}", {"grant_type": "client_credentials"})
    server.get(f"/{secret}/{good}?access_token={good}")
    server.check(good[:-1])
    server.check(good + "A")
    server.check(query=f"?access_token={good}")
    server.get("/check", {"X-Odd": good, "User-Agent": app.secret, "Cookie": good})
    server.introspect(app, good)
    server.introspect(caller, app.secret)
    server.revoke(caller, good)
    head = f"GET /{good} HTTP/1.1\r\nHost: {secret}\r\nHost: x\r\n{app.secret}\r\n\r\n"
    server.raw(head.encode())
    server.admin("POST", "/admin/v1/applications", {"client_secret": app.secret, "odd": good})
    server.admin("POST", "/admin/v1/applications", {"name": "x", "client_secret": app.secret + " "})
    if app.secret.startswith("tls_"):  # a made one; any other may be the ID that is looked for
        server.admin("GET", f"/admin/v1/application?client_id={secret}")
        assert secret not in server.run_cli("app", "show", app.secret).stderr
    server.run_cli("token", "inspect", good)


def lead_a_user_through(server, canaries):
    app = server.app(name="with users", scope="alpha", token_format="reference",
                     grants="password refresh_token")
    canaries.add("a user's application's secret", app.secret)
    canaries.add("a user's password", PASSWORD)
    server.cli("user", "add", "ann", "--scope", "alpha", "--password-file", "-", input=PASSWORD)
    made = server.cli("user", "add", "bob", "--json")["password"]
    canaries.add("a made password", made)
    canaries.add("another made password",
                 server.cli("user", "passwd", "bob", "--yes", "--json")["password"])

    def granted(number, **fields):
        answer = server.token(app, **fields)
        assert answer.status == 200, answer
        for kind in ("access_token", "refresh_token"):
            canaries.add(f"{number} {kind} of a user", answer.json()[kind])
        return answer.json()["refresh_token"]

    first = granted("first", grant_type="password", username="ann", password=PASSWORD)
    second = granted("second", grant_type="refresh_token", refresh_token=first)
    assert server.token(app, grant_type="refresh_token", refresh_token=first).status == 200
    # Wrongly: in each other's places, cut, twice, and where none belongs.
    for name, word in (("ann", PASSWORD + "x"), (PASSWORD, "ann"), (made, made), ("ann", second)):
        server.token(app, grant_type="password", username=name, password=word)
        server.admin("POST", "/admin/v1/users", {"username": "ann", "password": word, "odd": word})
        server.admin("POST", "/admin/v1/users", {"username": "ann", "password": word})
    for text in (second[:-1], second + "A", PASSWORD):
        server.token(app, grant_type="refresh_token", refresh_token=text)
        server.token(app, grant_type="refresh_token", refresh_token=text, scope=text)
        server.token(app, grant_type=text, refresh_token=text)
        server.form("/oauth/token", [("grant_type", "refresh_token")] +
                    [("refresh_token", text)] * 2, app)
        server.get(f"/oauth/token?grant_type=refresh_token&password={urllib.parse.quote(text)}")
        server.check(text)
        server.introspect(app, text)
        server.revoke(app, text)
        server.run_cli("token", "inspect", text)
    assert server.revoke(app, second).status == 200
    server.cli("user", "disable", "ann", "--yes")
    server.token(app, grant_type="password", username="ann", password=PASSWORD)
    server.cli("user", "delete", "bob", "--yes")


def answers(server, apps):
    """What the server shows on being asked."""
    yield "metrics", server.get("/metrics").body
    yield "audit", server.admin("GET", "/admin/v1/audit?limit=200").body
    yield "applications", server.admin("GET", "/admin/v1/applications").body
    yield "status", server.admin("GET", "/admin/v1/status").body
    yield "users", server.admin("GET", "/admin/v1/users").body
    yield "user", server.admin("GET", "/admin/v1/user?username=ann").body
    for app in apps[1:]:
        for path in ("application", "application/secrets"):
            yield path, server.admin("GET", f"/admin/v1/{path}?client_id={app.id}").body


def test_B13_D1_no_secret_and_no_token_in_anything_that_is_written_or_shown(led_through, tmp_path):
    server, canaries, apps, said = led_through
    found = canaries.found("an answer", b"\n".join(said))
    assert len([answer for answer in said if b'"error"' in answer]) > 60
    for where, content in answers(server, apps):
        assert content
        found += canaries.found(where, content)
    server.cli("backup", str(tmp_path / "backup.db"))
    proc = pathlib.Path(f"/proc/{server.process.pid}")
    for where in ("cmdline", "environ"):
        found += canaries.found(where, (proc / where).read_bytes())
    files = [path for path in pathlib.Path(server.data).iterdir() if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files)
    for path in [*files, tmp_path / "backup.db", pathlib.Path(server.stderr_path)]:
        content = path.read_bytes()
        assert content or path.name == "lock", path
        found += canaries.found(path.name, content)
    if os.geteuid() == 0:  # nobody else may look there, and a core is made of nothing else
        def memory():
            return b"\n".join(content for content, _ in mappings(server)
                              if content.strip(b"\0"))
        until(lambda: not canaries.found("memory", memory()), "all of it to be gone from memory")
    assert not found, found
    assert len(server.stderr().splitlines()) > 30, "it did log"


def test_the_search_finds_what_is_there():
    canaries = Canaries()
    canaries.add("it", BROUGHT)
    for spelling in (BROUGHT.encode(), binascii.hexlify(BROUGHT.encode()),
                     base64.b64encode(b"id:" + BROUGHT.encode()),
                     base64.b64encode(b"idx:" + BROUGHT.encode())):
        assert canaries.found("x", b"before " + spelling + b" after"), spelling
    assert not canaries.found("x", b"nothing of it")
