# SPDX-License-Identifier: Apache-2.0
"""`dialect try` shows what a server answers: the same requests, to both."""
import base64
import json
import socket
import subprocess

import pytest

from dialect_oracle import parameter
from instance import BINARY, Server
from test_dialects import DIALECTS, ask, replays, send, spoken  # noqa: F401 (fixtures)

NAME = "name: {0}\ntitle: {0}\n"
OWN = {"mute": NAME + "success: {{fields: [{{name: t, source: access_token}}]}}\n",
       "bare": NAME + "success: {{body: token}}\n", "like": NAME}
USER = {"username": "ann", "password": "correct horse battery"}


def same(server, which, data):
    """What try shows, once it was compared with what the server answers."""
    status, headers, body = send(server, data)
    done = subprocess.run([BINARY, "dialect", "try", which, "--json"], capture_output=True,
                          input=data, check=True)
    said = json.loads(done.stdout)
    head, shown = said["answer"].split("\n\n", 1)
    shown_headers = dict(line.lower().split(": ", 1) for line in head.split("\n")[1:])
    assert said["status"] == status, (which, data, said, body)
    assert sorted(shown_headers) == sorted(headers)
    assert shown_headers.get("content-type") == headers.get("content-type")
    if "refused" in said:
        assert shown == body.replace(headers["x-request-id"], shown_headers["x-request-id"])
    return said


def changed(ask, name, grant, fields):  # noqa: F811
    """The documented call with another grant, and with fields named by their meanings."""
    call = ask(name)
    for meaning, value in (("grant_type", grant), *fields.items()):
        call.put(parameter(name, meaning), value)
    return call.bytes(f"{name}.example")


@pytest.mark.parametrize("name", DIALECTS)
def test_rfc6749_4_3_6_to_a_client_that_may_use_every_grant(spoken, ask, name,  # noqa: F811
                                                             replays):  # noqa: F811
    words = replays[name].words
    user = {"username": words["{USER}"], "password": words["{PASSWORD}"]}
    first = send(spoken, changed(ask, "rfc6749", "password", user))[2]
    token = {"refresh_token": json.loads(first)["refresh_token"]}
    for grant, fields in (("refresh_token", {}), ("password", {}), ("no-such-grant", user),
                          ("password", {"username": user["username"]}), ("password", user),
                          ("password", {**user, "scope": '"'}), ("refresh_token", token)):
        same(spoken, name, changed(ask, name, grant, fields))


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Dialects of one's own that have every grant, and not each a place for a refresh token."""
    folder = tmp_path_factory.mktemp("own")
    for name, text in OWN.items():
        (folder / f"{name}.yaml").write_text(text.format(name))
    file = folder / "server.cfg"
    file.write_text(f"password_grant: true\ndialect_folder: {folder}\nhosts:\n" +
                    "".join(f"  - {{name: {name}.example, dialect: {name}}}\n" for name in OWN))
    server = Server(data=folder / "data", config=file).start()
    server.cli("user", "add", USER["username"], "--password-file", "-", input=USER["password"])
    yield server, folder, server.app(name="all", grants="password refresh_token")
    server.destroy()


@pytest.mark.parametrize("name, refreshes", [("mute", False), ("bare", False), ("like", True)])
def test_rfc6749_6_of_a_refresh_where_no_answer_has_a_place_for_the_next_token(own, name,
                                                                               refreshes):
    server, folder, app = own
    token = server.form("/oauth/token", {"grant_type": "password", **USER}, app,
                        headers={"Host": "like.example"}).json()["refresh_token"]
    pair = base64.b64encode(f"{app.id}:{app.secret}".encode()).decode()

    def tried(body):
        return same(server, folder / f"{name}.yaml", (
            f"POST /oauth/token HTTP/1.1\r\nHost: {name}.example\r\nAuthorization: Basic {pair}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode())

    assert tried("grant_type=refresh_token")["refused"]["condition"] == "missing"
    assert tried("grant_type=refresh_token&refresh_token=%")["status"] == 400
    assert tried("grant_type=refresh_token&scope=%22&refresh_token=" + token)["status"] == 400
    said = tried("grant_type=refresh_token&refresh_token=" + token)
    assert said.get("refused", {}).get("condition") == (None if refreshes else "grant")


def tried(request, *args):
    done = subprocess.run([BINARY, "dialect", "try", *args, "--json"], capture_output=True,
                          input=request, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("head, body", [
    ("", b"grant_type=client_credentials\r\n"),
    ("Transfer-Encoding: chunked\n", b"1d\r\ngrant_type=client_credentials\r\n0\r\n\r\n")])
def test_rfc9112_2_2_lines_that_end_with_lf_before_a_body_with_cr(head, body):
    """Which a header block must not have, and a body may."""
    said = tried(("POST /oauth/token HTTP/1.1\nHost: x\nAuthorization: Basic YTpi\n"
                  f"Content-Type: application/x-www-form-urlencoded\n{head}\n").encode() + body,
                 "rfc6749")
    assert (said["status"], said["grant"]) == (200, "client_credentials"), said


def test_rfc9110_8_6_a_length_of_nothing_is_none_at_all():
    """Bytes behind it are another request's."""
    head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n" \
        "Content-Type: application/x-www-form-urlencoded\r\n"
    said = [tried(f"{head}{length}\r\ngrant_type=client_credentials".encode(), "rfc6749")
            for length in ("Content-Length: 0\r\n", "")]
    assert [each["status"] for each in said] == [400, 200]
    assert said[0]["refused"]["condition"] == "missing"


@pytest.mark.parametrize("name", ["smscx", "rti-sms", "azure-v1"])
def test_rfc9110_9_3_2_and_other_requests_at_the_edge(spoken, ask, name):  # noqa: F811
    """Paths that are no endpoint; and HEAD, which has no body."""
    for path in ("/", "//", "/nowhere//", "/a/%2f", "/a%2fb/c"):
        call = ask(name)
        call.path = path
        same(spoken, name, call.bytes(f"{name}.example"))
    call.method, call.path = "HEAD", ask(name).path
    with socket.create_connection(("127.0.0.1", spoken.port), timeout=60) as sock:
        call.header("Connection", "close")
        sock.sendall(call.bytes(f"{name}.example"))
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    said = tried(call.bytes("x"), name)
    length = answer.partition(b"Content-Length: ")[2].split(b"\r\n")[0].decode()
    assert answer.startswith(b"HTTP/1.1 405 ") and answer.endswith(b"\r\n\r\n")
    assert said["status"] == 405 and said["answer"].endswith("\n\n")
    assert f"\nContent-Length: {length}\n" in said["answer"]


@pytest.mark.parametrize("path", ["/healthz", "/oauth/introspect", "/Check/x",
                                  "/.well-known/jwks.json"])
def test_A22_a_path_of_the_servers_own_is_not_tried(path):
    done = subprocess.run([BINARY, "dialect", "try", "smscx"], capture_output=True, check=False,
                          input=f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"the server's own, whatever the dialect" in done.stderr


@pytest.mark.parametrize("query, headers, body, twice", [
    ("", "", "grant_type=client_credentials&grant_type=client_credentials", ["grant_type"]),
    ("", "", "grant_type=client_credentials&scope=&scope=a", ["scope"]),
    ("", "", "grant_type=client_credentials&resource=a&resource=b", ["resource"]),
    ("?region=1&region=1", "X-Shop: 1\r\nx-shop: 2\r\n", "grant_type=client_credentials",
     ["region", "X-Shop"]),
    ("?region=1", "", "grant_type=client_credentials&region=1&nobody=a&nobody=a", [])])
def test_rfc6749_3_2_the_parameter_that_came_twice_is_named(tmp_path, query, headers, body, twice):
    file = tmp_path / "own.yaml"
    file.write_text(NAME.format("own") + "parameters:\n  - {name: region, in: [query, body]}\n"
                    "  - {name: X-Shop, in: [header]}\n")
    said = tried((f"POST /oauth/token{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic YTpi\r\n"
                  f"{headers}Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
                  ).encode(), file)
    assert said["refused"]["condition"] == ("target" if "resource" in twice else "malformed")
    assert sorted(row["name"] for row in said["parameters"] if "twice" in row["note"]) == \
        sorted(twice)
