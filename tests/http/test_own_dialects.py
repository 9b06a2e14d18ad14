# SPDX-License-Identifier: Apache-2.0
"""Dialects of one's own, from a folder: what a file can say and no shipped dialect does, and what
is looked at before it is spoken."""
import calendar
import json
import os
import pathlib
import re
import subprocess
import time
import urllib.parse

import pytest

import replay
from instance import BINARY, FORMATS, ROOT, Server, basic, basic_raw

FOLDER = pathlib.Path(__file__).resolve().parent / "dialects"
FORM = "application/x-www-form-urlencoded"
NAMES = ("odd", "odd-form", "odd-bare", "odd-claims", "odd-query", "odd-login")


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    file = folder / "twoleg.yaml"
    file.write_text(f"dialect_folder: {FOLDER}\nallow_query_credentials: true\nchecks:\n"
                    "  - {name: odd, dialect: odd}\n"
                    "  - {name: far, dialect: odd, scope: voice}\nhosts:\n" +
                    "".join(f"  - {{name: {name}.example, dialect: {name}}}\n" for name in NAMES))
    server = Server(data=folder / "data", config=file).start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def client(odd):
    return odd.app(name="odd & even", scope="mail sms", token_format="sealed")


def ask(server, body=b"", query="version=2", path="/acme/v1/login", host="odd", method="POST",
        **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request(method, path + (f"?{query}" if query else ""), body,
                          {"Host": f"{host}.example", **headers})


def pair(app):
    return {"X_Client": app.id, "X_Secret": app.secret}


def seconds(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def test_fields_of_every_type_and_depth(odd, client):
    answer = ask(odd, **pair(client))
    assert answer.status == 201
    assert answer.headers["X-Powered-By"] == "gears"
    assert answer.headers["Link"] == '</v2>; rel="next"'
    token = answer.json()["data"]["token"]
    assert abs(seconds(token["began"]) - time.time()) < 60
    assert seconds(token["ends"]) - seconds(token["began"]) == 3600
    assert answer.text == (
        '{"kind":"token","data":{"token":{"value":"%s","began":"%s","ends":"%s"},'
        '"scopes":["mail","sms"],"ttl":3600},"refresh":null,"old":false,"version":2,"note":"",'
        '"roles":["a", {"b": []}],"limits":{"a": 1},"trace":"%s"}' % (
            token["value"], token["began"], token["ends"], answer.headers["X-Request-Id"]))


def test_a_client_with_a_username_and_a_password(odd, client):
    body = {"username": client.id, "password": client.secret}
    for secret, status in ((client.secret, 200), ("wrong", 401)):
        form = urllib.parse.urlencode({**body, "password": secret})
        answer = ask(odd, form, "", "/login", "odd-login", Content_Type=FORM)
        assert answer.status == status, answer


def test_a_token_without_end_and_without_scope(odd):
    nothing = odd.app(name="nothing", token_format="sealed", token_ttl="never")
    data = ask(odd, **pair(nothing)).json()["data"]
    assert data["ttl"] is None and data["scopes"] == [] and "ends" not in data["token"]


@pytest.mark.parametrize("scopes,given", [
    ("sms", ["sms"]), ("sms,mail", ["mail", "sms"]), (",sms,,mail,", ["mail", "sms"]),
    ("sms,voice", ["sms"]), ("sms mail", ["mail", "sms"]), ("voice", []), (",", None)])
def test_T19_commas_and_words_that_are_dropped(odd, client, scopes, given):
    answer = ask(odd, query="version=2&scopes=" + urllib.parse.quote(scopes), **pair(client))
    assert (answer.status, answer.status == 201 and answer.json()["data"]["scopes"]) == \
        ((201, given) if given is not None else (422, False)), answer


def test_bodies_by_what_they_are_and_not_by_their_label(odd, client):
    fields = {"version": "2", "X-Client": client.id, "X-Secret": client.secret}
    form, document = urllib.parse.urlencode(fields), json.dumps(fields)
    for body, label in ((form, FORM), (form, "application/json"), (form, None), (document, None),
                        (document, "application/json; charset=utf-8")):
        headers = {"Content_Type": label} if label else {}
        assert ask(odd, body.encode(), None, **headers).status == 201, (body, label)
    for body, label in ((document, FORM), (form, "text/plain"), (document, "text/json")):
        answer = ask(odd, body.encode(), None, Content_Type=label)
        assert answer.status == 400, (body, label)


def test_a_body_may_be_missing_and_a_get_has_none(odd, client):
    assert ask(odd, Content_Type="text/plain", **pair(client)).status == 201
    assert ask(odd, method="GET", **pair(client)).status == 201
    for method in ("HEAD", "OPTIONS", "PUT"):
        answer = ask(odd, method=method, **pair(client))
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


def test_the_first_place_that_has_a_parameter_is_taken(odd, client):
    # Of query and body the query goes first.
    body = b"version=2&scopes=sms"
    answer = ask(odd, body, "version=2&scopes=mail", Content_Type=FORM, **pair(client))
    assert answer.json()["data"]["scopes"] == ["mail"]
    assert ask(odd, body, None, Content_Type=FORM, **pair(client)).json()["data"]["scopes"] == \
        ["sms"]
    # Of one that has a value and one that has none the former is meant.
    assert ask(odd, b"version=2", "version=", Content_Type=FORM, **pair(client)).status == 201


def test_B4_two_places_name_one_client_or_none(odd, client):
    other = odd.app(name="other", scope="voice", token_format="sealed")
    same, theirs = (urllib.parse.urlencode({"X-Client": who.id, "X-Secret": who.secret}).encode()
                    for who in (client, other))
    assert ask(odd, same, Content_Type=FORM, **pair(client)).status == 201
    assert ask(odd, theirs, Content_Type=FORM).status == 201
    for headers in (pair(client), {"X_Client": client.id}, {"X_Secret": client.secret}):
        assert ask(odd, theirs, Content_Type=FORM, **headers).status == 400, headers


def test_B5_no_place_has_a_parameter_twice(odd, client):
    twice = "POST /a/v1/login?version=2 HTTP/1.1\r\nHost: odd.example\r\nContent-Length: 0\r\n" \
        f"X-Client: {client.id}\r\nX-Secret: {client.secret}\r\nx-client: {client.id}\r\n\r\n"
    assert odd.raw(twice.encode(), half_close=True).startswith(b"HTTP/1.1 400 ")
    assert ask(odd, query="version=2&version=2", **pair(client)).status == 400
    assert ask(odd, b"version=2&version=2", Content_Type=FORM, **pair(client)).status == 400


def test_B4_basic_where_only_parameters_are_known(odd, client):
    other = odd.app(name="second")
    answer = ask(odd, Authorization=basic(other.id, other.secret), **pair(client))
    assert answer.status == 400, "who asked would be a guess"
    assert ask(odd, Authorization=basic(other.id, other.secret)).status == 401
    assert ask(odd, Authorization="Bearer x", **pair(client)).status == 201


def test_what_must_be_there_and_how(odd, client):
    for query in (None, "version=", "version=3", "version=2%20", "Version=2"):
        assert ask(odd, query=query, **pair(client)).status == 400, query
    for query in ("version=2&X-Secret=x", "version=2&grant_type=password"):
        assert ask(odd, query=query, **pair(client)).status == 400, query


@pytest.mark.parametrize("path,status", [
    ("/acme/v1/login", 201), ("/acme/v1/login/", 201), ("/a%20b/v1/login", 201),
    ("/acme/v1/login//", 404), ("//v1/login", 404), ("/./v1/login", 404), ("/%2e%2e/v1/login", 404),
    ("/a%2fb/v1/login", 404), ("/acme/V1/login", 404), ("/acme/v1/login/x", 404),
    ("/admin/v1/login", 404), ("/check/v1/login", 403)])
def test_A22_paths_with_a_hole(odd, client, path, status):
    assert ask(odd, path=path, **pair(client)).status == status


def test_a_refusal_with_words_and_headers_of_its_own(odd):
    answer = ask(odd, X_Client="nobody", X_Secret="x" * 40)
    assert answer.headers["X-Reason"] == "nobody"
    assert answer.headers["WWW-Authenticate"] is None, "it takes parameters only"
    assert answer.headers["Content-Type"] == "application/json"
    match = re.fullmatch(
        r'\{"trace":"([0-9a-f]{24})","at":"([-0-9T:Z]{20})","status":401,"code":7\}', answer.text)
    assert match and match[1] == answer.headers["X-Request-Id"]
    assert abs(seconds(match[2]) - time.time()) < 60
    assert "X-Reason" not in ask(odd, query=None).headers


def test_the_answer_as_a_form(odd, client):
    answer = ask(odd, host="odd-form", query="version=2&scopes=sms%2Bmail", **pair(client))
    assert answer.status == 200 and answer.headers["Content-Type"] == FORM
    assert answer.headers["X-Powered-By"] == "springs" and "Link" not in answer.headers
    fields = urllib.parse.parse_qsl(answer.text, keep_blank_values=True, strict_parsing=True)
    assert fields[1:] == [("ttl", "3599500"), ("may do", "mail+sms"), ("who & what", "odd & even")]
    assert fields[0][0] == "token"
    none = ask(odd, host="odd-form", **pair(client))
    assert ("may do", "") in urllib.parse.parse_qsl(none.text, keep_blank_values=True)
    assert ask(odd, host="odd-form", query="version=2&scopes=voice%2Bsms", **pair(client)).status \
        == 422, "a section that stands in the file says all of its plain values"


def test_the_answer_is_the_token(odd, client):
    answer = ask(odd, host="odd-bare", **pair(client))
    assert answer.status == 201 and answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert odd.request("GET", "/check/odd", headers={"X-Access-Token": answer.text}).status == 200


def test_the_resource_side_in_a_header_of_its_own(odd, client):
    token = ask(odd, **pair(client)).json()["data"]["token"]["value"]

    def check(status, name="odd", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = odd.request("GET", f"/check/{name}/x", headers=headers)
        assert answer.status == status, headers
        return answer

    for value in (token, f"Token {token}", f"token   {token} "):
        assert check(200, X_Access_Token=value).headers["X-Auth-Client-Id"] == client.id
    wrong = check(401, Authorization=f"Bearer {token}")
    assert wrong.headers["WWW-Authenticate"] == "Token"
    assert wrong.text == f"no: invalid_token 401 {wrong.headers['X-Request-Id']}"
    assert wrong.headers["Content-Type"] == "text/plain"
    for value in ("", "x", f"Bearer {token}", f"none {token}", f"Token{token}",
                  f"{token} {token}"):
        check(401, X_Access_Token=value)
    assert check(401, X_Access_Token="x").headers["WWW-Authenticate"] == \
        'Token error="invalid_token"', "RFC 9110 section 11.2: no comma before the first"
    far = check(403, "far", X_Access_Token=token)
    assert far.text == "not so far: the access token does not reach so far"
    assert far.headers["WWW-Authenticate"] == \
        'Token error="insufficient_scope", scope="voice"'
    twice = f"GET /check/odd HTTP/1.1\r\nHost: x\r\nX-Access-Token: {token}\r\n" \
        f"x-access-token: {token}\r\n\r\n"
    assert odd.raw(twice.encode(), half_close=True).startswith(b"HTTP/1.1 401 ")


def ext(odd, app, fields, as_json=False, **headers):
    """The claims of a token that is asked for with these extra parameters."""
    fields = {"grant_type": "client_credentials", **fields}
    body = json.dumps(fields) if as_json else urllib.parse.urlencode(fields)
    answer = ask(odd, body.encode(), None, "/token", "odd-claims",
                 Content_Type="application/json" if as_json else FORM,
                 Authorization=basic(app.id, app.secret), **headers)
    if answer.status != 200:
        return answer.status
    token = answer.json()["access_token"]
    assert odd.check(token).status == 200, "it is good as any other"
    return replay.claims(token)


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_extra_parameters_become_claims_under_ext(odd, algorithm):
    odd.cli("api", "create", f"https://{algorithm}.example", "--name", algorithm,
            "--algorithm", algorithm)
    app = odd.app(name=algorithm, audience=f"https://{algorithm}.example", token_format="sealed")
    claims = ext(odd, app, {"account_id": 'a"b\\c\u00e9', "colour": "red"}, X_Tenant="acme")
    assert claims["ext"] == {"account": 'a"b\\c\u00e9', "tenant": "acme"}
    assert claims["client_id"] == app.id
    # Never one of ours; nothing where nothing was sent.
    claims = ext(odd, app, {"iss": "https://evil.example"})
    assert claims["iss"] == odd.issuer and claims["ext"] == {"iss": "https://evil.example"}
    assert "ext" not in ext(odd, app, {"account_id": "", "colour": "red"})
    assert ext(odd, app, {"account_id": 7}, as_json=True)["ext"] == {"account": "7"}


def test_what_no_claim_can_hold_is_refused(odd):
    app = odd.app(name="claims")
    assert ext(odd, app, {"account_id": "x" * 256})["ext"] == {"account": "x" * 256}
    assert ext(odd, app, {"account_id": "x" * 257}) == 413
    # And not too much of them together: 1024 bytes as JSON.
    assert ext(odd, app, {"account_id": '"' * 256, "iss": '"' * 244})["ext"]["iss"] == '"' * 244
    assert ext(odd, app, {"account_id": '"' * 256, "iss": '"' * 245}) == 413
    for value in ("a\nb", "\x7f", "\udcff", "\udced\udca0\udc80", "\udcc0\udcaf"):
        fields = {"account_id": value.encode("utf-8", "surrogateescape")}
        assert ext(odd, app, fields) == 400, value
    assert ext(odd, app, {"account_id": ["a"]}, as_json=True) == 400


# --- By the guide alone

def test_what_the_guide_has_one_write_is_spoken(make_server, tmp_path):
    """Each block of its ten minutes, as it stands there but for the port."""
    guide = (ROOT / "docs/dialects.md").read_text()
    text = guide[guide.index("## Write one"):guide.index("## The keys")]
    request, dialect, tried, config, commands = (
        "".join(line[7:] + "\n" for line in block.splitlines())
        for block in re.findall(r"((?:^       .*\n(?:\n(?=       ))?)+)", text, re.M))
    folder = tmp_path / "dialects"
    folder.mkdir()
    (folder / "acme.yaml").write_text(dialect)
    assert run("dialect", "check", "acme.yaml", cwd=folder).stdout == "acme.yaml: ok\n"
    printed = run("dialect", "try", "./acme.yaml", input=request, cwd=folder).stdout
    first, last = tried.split("...\n")
    assert printed.startswith(first) and printed.endswith(last), printed
    file = tmp_path / "twoleg.yaml"
    file.write_text(config)
    server = make_server(config=file).start()
    lines = commands.replace("http://127.0.0.1:8080", server.url).splitlines()
    assert lines[0].startswith("twoleg serve ") and lines[1].startswith("export TWOLEG_DATA=")
    (tmp_path / "twoleg").symlink_to(BINARY)
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines[2:])], cwd=tmp_path, capture_output=True, text=True,
        check=True, env={**os.environ, "TWOLEG_DATA": server.data,
                         "PATH": f"{tmp_path}:{os.environ['PATH']}"})
    answer = re.search(r'\{"token":"([^"]+)","ttl":"3600"\}$', done.stdout)
    assert answer, done
    assert server.check(answer[1]).status == 200
    (folder / "acme.yaml").write_text(dialect.replace("/login", "login"))
    assert "does not start with /" in server.run_cli("reload").stderr
    assert server.request("POST", "/login", b"").status == 400, "the old one stays"


# --- Before it is spoken

def run(*args, **options):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, check=False, **options)


def test_check_finds_a_base_beside_the_file(tmp_path):
    for name in NAMES:
        assert run("dialect", "check", FOLDER / f"{name}.yaml").returncode == 0
    beside = run("dialect", "check", "odd-bare.yaml", cwd=FOLDER)
    assert beside.stdout == "odd-bare.yaml: ok\n"
    alone = tmp_path / "odd-bare.yaml"
    alone.write_text((FOLDER / "odd-bare.yaml").read_text())
    assert 'there is no dialect "odd"' in run("dialect", "check", alone).stderr


@pytest.mark.parametrize("file", sorted((ROOT / "dialects").glob("*.yaml")),
                         ids=lambda file: file.stem)
def test_check_takes_each_shipped_file_where_it_lies(file):
    """Beside a copy of rfc6749.yaml, which then is an own one and goes before the shipped one."""
    for name, folder in ((file.name, file.parent), (f"dialects/{file.name}", ROOT)):
        done = run("dialect", "check", name, cwd=folder)
        assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith(f"{name}: ok")


def test_a_copy_of_rfc6749_is_as_good_as_the_shipped_one(make_server, tmp_path):
    (tmp_path / "rfc6749.yaml").write_text(run("dialect", "show", "rfc6749").stdout)
    (tmp_path / "plain.yaml").write_text("name: plain\ntitle: Nothing else\n")
    for name in ("plain.yaml", "rfc6749.yaml"):
        assert run("dialect", "check", name, cwd=tmp_path).stdout == f"{name}: ok\n"
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"dialect_folder: {tmp_path}\nhosts:\n" + "".join(
        f"  - {{name: {name}.example, dialect: {name}}}\n" for name in ("rfc6749", "plain")))
    server = make_server(config=file).start()
    app, caller = server.app(), server.app(name="caller", resource_server=True)
    for server.host in ("rfc6749.example", "plain.example"):
        token = server.bearer(app)
        assert server.active(caller, token) and server.check(token).status == 200


def test_check_wants_the_name_under_which_the_server_looks(tmp_path):
    file = tmp_path / "other.yaml"
    file.write_text("name: acme\ntitle: Acme\n")
    checked = run("dialect", "check", file)
    assert checked.returncode == 1 and "looks for the dialect acme in acme.yaml" in checked.stderr


@pytest.mark.parametrize("query", [
    "version=2", "version=2&scopes={}", "version=2&grant_type={}", "version={}", "{}=2",
    "version=2&{}=1&{}=1", "version=2&X-Secret={}"])
def test_B13_try_prints_nothing_that_was_sent(query):
    """Also of a client that has mixed up its fields."""
    word = "c4n4ry-Zx9"
    for path in ("/acme/v1/login", f"/{word}/v1/login", f"/{word}"):
        for headers in (f"X-Client: {word}\nX-Secret: {word}\n", f"Authorization: Basic {word}\n",
                        f"X-Client: {word}\nContent-Type: {word}\nAccept: {word}\n",
                        f"{word}: x\n"):
            for body in ("", f'{{"X-Secret":"{word}"}}', f"X-Secret={word}&{word}={word}",
                         f'{{"{word}":{word}'):
                text = f"POST {path}?{query.format(word, word)} HTTP/1.1\nHost: {word}\n" \
                    f"{headers}\n{body}"
                done = run("dialect", "try", "./odd.yaml", input=text, cwd=FOLDER)
                assert word not in done.stdout + done.stderr, text


def tried(name, request, code=0, cwd=FOLDER):
    """What try says with --json; the rows of its parameters by their names."""
    done = run("dialect", "try", name, "--json", input=request, cwd=cwd)
    assert (done.returncode, done.stderr) == (code, ""), done
    said = json.loads(done.stdout)
    return said, {row["name"]: row for row in said.get("parameters", [])}


def test_try_shows_a_token_that_ends_when_its_life_is_over():
    request = "POST /acme/v1/login?version=2 HTTP/1.1\nHost: x\nX-Client: a\nX-Secret: b\n\n"
    said, _ = tried("./odd.yaml", request)
    token = json.loads(said["answer"].split("\n\n", 1)[1])["data"]["token"]
    assert seconds(token["ends"]) - seconds(token["began"]) == 3600


def test_try_names_what_is_missing_and_shows_each_parameter():
    head = "POST /a/v1/login?{} HTTP/1.1\nHost: x\nX-Secret: 12345\n\n"
    said, rows = tried("./odd.yaml", head.format("scopes=a,b"))
    assert said["refused"] == {"condition": "missing", "why":
                               "a required parameter is missing: version in query or body"}
    assert said["status"] == 400 and said["answer"].startswith("HTTP/1.1 400 Bad Request\n")
    assert said["client"] == {"method": "unread", "authorization": False}
    assert (rows["version"]["missing"], rows["version"]["bytes"]) == (True, None)
    assert [(rows[name]["in"], rows[name]["sent_in"], rows[name]["bytes"])
            for name in ("scopes", "X-Secret", "X-Client")] == [
                ("query or body", "query", 3), ("header or body", "header", 5),
                ("header or body", None, None)]
    assert rows["grant_type"]["note"] == "not sent, so it is client_credentials"
    said, rows = tried("./odd.yaml", head.format("version=3"))
    assert rows["version"]["note"] == "must be 2" and said["refused"]["condition"] == "malformed"
    said, rows = tried("./odd.yaml", head.format("version=2"))
    assert said["client"]["method"] == "none" and said["refused"]["condition"] == "client_missing"
    text = run("dialect", "try", "./odd.yaml", input=head.format("scopes=a"), cwd=FOLDER).stdout
    assert "\nIt is refused (missing): a required parameter is missing: version in query or body." \
        " The answer:\n\nHTTP/1.1 400 Bad Request\n" in text
    assert re.search(r"^version +extra +query or body +- +- +missing$", text, re.M)


def test_try_shows_claims_and_headers_and_what_a_grant_demands():
    said, rows = tried("./odd-claims.yaml", "POST /token HTTP/1.1\nHost: x\nX-Tenant: acme\n"
                       "Authorization: Basic YTpi\n"
                       f"Content-Type: {FORM}\n\ngrant_type=client_credentials&account_id=seven77")
    assert said["client"] == {"method": "HTTP Basic", "authorization": True, "id_bytes": 1,
                              "secret_bytes": 1}
    assert rows["account_id"]["note"] == "copied to the claim account"
    assert (rows["account_id"]["sent_in"], rows["account_id"]["bytes"]) == ("body", 7)
    assert (rows["X-Tenant"]["sent_in"], rows["X-Tenant"]["bytes"]) == ("header", 4)
    assert said["status"] == 200 and "refused" not in said
    said, rows = tried("singleview", "POST /v1/api/svplatform/tokenOauth2 HTTP/1.1\nHost: x\n\n")
    assert said["refused"]["condition"] in ("missing", "media_type")
    for body, missing in (("grant_type=password&username=a", "password in body"),
                          ("grant_type=refresh_token", "refresh_token in body"),
                          ("scope=a", "grant_type in body")):
        said, _ = tried("rfc6749", "POST /oauth/token HTTP/1.1\nHost: x\nAuthorization: Basic "
                        f"YTpi\nContent-Type: {FORM}\n\n{body}")
        assert said["refused"]["why"].endswith(f": {missing}"), said


def test_try_answers_where_nothing_stands():
    said, _ = tried("rti-sms", "POST /c4n4ry-Zx9 HTTP/1.1\nHost: x\n\n")
    assert said["refused"] == {"condition": "not_found", "why":
                               "no endpoint has this path; the endpoints are /api/auth"}
    assert said["status"] == 404 and said["answer"].startswith("HTTP/1.1 404 Not Found\n")


def test_try_says_when_a_pair_is_none_that_the_dialect_takes():
    text = run("dialect", "try", "./odd.yaml", cwd=FOLDER, input="GET /a/v1/login?version=2 "
               "HTTP/1.1\nHost: x\nAuthorization: Basic YTpi\n\n").stdout
    assert "client      none of the ways that the dialect takes; there is an Authorization " \
        "header\n" in text


# --- RFC 6749 section 2.3.1, RFC 9110 section 12.5.1

def test_rfc6749_2_3_1_raw_basic_is_not_decoded(odd):
    """`basic: raw`: what stands there is what was given out, % and + too."""
    app = odd.app(name="raw", secret="per%41cent+plus-" + "x" * 32)
    spelt = {"raw": app.secret, "decoded": urllib.parse.unquote_plus(app.secret),
             "encoded": urllib.parse.quote_plus(app.secret)}

    def status(host, path, secret):
        return ask(odd, b"grant_type=client_credentials", None, path, host, Content_Type=FORM,
                   Authorization=basic_raw(app.id, secret)).status

    assert {how: status("odd-query", "/token", spelt[how]) for how in spelt} == \
        {"raw": 200, "decoded": 401, "encoded": 401}
    # And of `basic: decoded` the other way round.
    assert {how: status("odd-claims", "/token", spelt[how]) for how in spelt} == \
        {"raw": 401, "decoded": 401, "encoded": 200}


@pytest.mark.parametrize("accept,status", [
    (None, 200), ("*/*", 200), ("application/json", 200), ("text/html, application/*;q=0.1", 200),
    ("text/html", 406), ("application/json;q=0", 406), ("*/*, application/json;q=0.0", 406)])
def test_rfc9110_12_5_1_accept_json_lets_a_missing_header_pass(odd, accept, status):
    app = odd.app(name="accept")
    headers = {"Accept": accept} if accept else {}
    answer = ask(odd, b"grant_type=client_credentials", None, "/token", "odd-query",
                 Content_Type=FORM, Authorization=basic(app.id, app.secret), **headers)
    assert answer.status == status


def test_a_dialect_gives_sealed_tokens_whatever_the_application_has(odd):
    for token_format in FORMATS:
        app = odd.app(name=token_format, token_format=token_format)
        token = ask(odd, b"grant_type=client_credentials", None, "/token", "odd-query",
                    Content_Type=FORM, Authorization=basic_raw(app.id, app.secret)
                    ).json()["access_token"]
        assert token.startswith("tlt_") and odd.check(token).status == 200


def test_own_dialects_go_first_but_introspection_does_not_change(make_server, tmp_path):
    folder = tmp_path / "dialects"
    folder.mkdir()
    (folder / "rfc6749.yaml").write_text(
        "name: rfc6749\ntitle: Ours\nendpoints:\n  - path: /ours\nparameters:\n"
        "  - {name: user, is: client_id}\n  - {name: token, is: client_secret}\n"
        "errors:\n  body: empty\n")
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"dialect_folder: {folder}\n")
    server = make_server(config=file).start()
    app, caller = server.app(), server.app(name="caller", resource_server=True)
    fields = {"grant_type": "client_credentials", "user": app.id, "token": app.secret}
    answer = server.form("/ours", fields)
    assert answer.status == 200
    assert server.active(caller, answer.json()["access_token"])
    assert server.form("/ours", {**fields, "token": "x"}).text == ""
    assert server.form("/oauth/introspect", {"token": "x"}).error == "invalid_client"


def test_a_folder_that_is_not_there_is_said(tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"dialect_folder: {tmp_path}/nowhere\n")
    status, words = Server(data=tmp_path / "data", config=file).refused()
    assert status == 1
    assert f'{file}:1:1: dialect_folder: there is no folder "{tmp_path}/nowhere"' in words


@pytest.mark.parametrize("name", ["a.example:8080", "::1", "a]", "[::1]:80"])
def test_a_host_that_nobody_can_ask_for_is_refused(tmp_path, name):
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"hosts:\n  - {{name: '{name}', dialect: rfc6749}}\n")
    checked = run("config", "check", "--config", file)
    assert checked.returncode == 1 and f'{file}:2:5: hosts[0]: the name "{name}" never stands' in \
        checked.stderr


def test_sixty_four_dialects_are_loaded_and_no_more(make_server, tmp_path):
    folder = tmp_path / "dialects"
    folder.mkdir()
    text = (FOLDER / "odd.yaml").read_text()

    def write(count):
        for number in range(count):
            (folder / f"odd-{number}.yaml").write_text(
                text.replace("name: odd", f"name: odd-{number}", 1))
        file.write_text(f"dialect_folder: {folder}\nhosts:\n" + "".join(
            f"  - {{name: h{number}.example, dialect: odd-{number}}}\n" for number in range(count)))

    file = tmp_path / "twoleg.yaml"
    write(63)  # and rfc6749
    server = make_server(config=file).start()
    app = server.app(token_format="sealed")
    assert ask(server, host="h62", **pair(app)).status == 201
    write(64)
    refused = server.run_cli("reload")
    assert refused.returncode == 1 and "more than 64 dialects" in refused.stderr
    assert ask(server, host="H62", **pair(app)).status == 201
