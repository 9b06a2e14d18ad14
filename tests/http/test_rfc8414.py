# SPDX-License-Identifier: Apache-2.0
"""RFC 8414: metadata, and the keys it points at."""
import base64
import itertools
import json

import pytest
from jwcrypto import jwk

from instance import basic

PATHS = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]


@pytest.mark.parametrize("path", PATHS)
def test_rfc8414_3_2_document(server, path):
    answer = server.get(path)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    body = answer.json()
    assert body["issuer"] == server.url
    assert body["token_endpoint"] == server.url + "/oauth/token"
    assert body["introspection_endpoint"] == server.url + "/oauth/introspect"
    assert body["revocation_endpoint"] == server.url + "/oauth/revoke"
    assert body["jwks_uri"] == server.url + "/.well-known/jwks.json"
    assert body["grant_types_supported"] == ["client_credentials"]
    for name in ("token", "introspection", "revocation"):
        methods = body[f"{name}_endpoint_auth_methods_supported"]
        assert sorted(methods) == ["client_secret_basic", "client_secret_post"]
    assert body["response_types_supported"] == []


BASIC_POST = ["client_secret_basic", "client_secret_post"]
CC, USERS = ["client_credentials"], ["password", "refresh_token"]


@pytest.mark.parametrize("dialect,path,grants,methods", [
    ("rfc6749", "/oauth/token", CC + USERS, BASIC_POST),
    ("rti-sms", "/api/auth", CC, BASIC_POST[1:]), ("smscx", "/oauth/token", CC, BASIC_POST),
    ("rapidsos", "/oauth/token", CC, BASIC_POST[1:]),
    ("wechat", "/cgi-bin/token", ["client_credential"], []),
    ("zoom", "/oauth/token", ["account_credentials"], BASIC_POST[:1]),
    ("easypark", "/auth/v1", CC, []), ("azure-v1", None, CC, BASIC_POST[1:]),
    ("mute", "/oauth/token", CC + USERS[:1], BASIC_POST),
    ("late", "/applications", CC, BASIC_POST)])
def test_rfc8414_2_what_is_said_of_tokens_is_what_is_taken_at_the_issuers_address(
        make_server, tmp_path, dialect, path, grants, methods):
    """Whatever host is asked for it: one issuer, one document. Introspection is alike for all."""
    (tmp_path / "mute.yaml").write_text("name: mute\ntitle: Has no place for a refresh token\n"
                                        "success: {fields: [{name: t, source: access_token}]}\n")
    (tmp_path / "late.yaml").write_text(
        "name: late\ntitle: Applications go elsewhere\nbase: mute\nendpoints:\n"
        "  - {path: /users, grants: [password]}\n  - {path: '/{tenant}/token'}\n"
        "  - {path: /applications}\n  - {path: /more}\n")
    config = tmp_path / "server.yaml"
    config.write_text(f"password_grant: true\ndialect_folder: {tmp_path}\n"
                      "allow_query_credentials: true\nissuer: https://auth.example\nhosts:\n"
                      f"  - {{name: auth.example, dialect: {dialect}}}\n"
                      "  - {name: other.example, dialect: rfc6749}\n")
    server = make_server(config=config).start()
    for host in ("auth.example", "other.example", "unknown.example"):
        said = server.get(PATHS[0], {"Host": host}).json()
        assert said["grant_types_supported"] == grants, host
        assert said["token_endpoint_auth_methods_supported"] == methods
        assert said["introspection_endpoint_auth_methods_supported"] == BASIC_POST
        assert said.get("token_endpoint") == (path and "https://auth.example" + path)


def test_rfc8414_3_2_both_paths_say_the_same(server):
    assert server.get(PATHS[0]).json() == server.get(PATHS[1]).json()


def test_rfc8414_3_2_nothing_that_is_not_there(server):
    body = server.get(PATHS[0]).json()
    assert "authorization_endpoint" not in body and "registration_endpoint" not in body
    for value in body.values():
        assert value not in (None, "")


def test_rfc8414_2_scopes_of_the_default_api(server, app):
    assert {"alpha", "beta"} <= set(server.get(PATHS[0]).json()["scopes_supported"])


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def said(server, target, host, more="", body=""):
    """Status and body of an answer to a request that says to whom it was sent."""
    method = "POST" if body else "GET"
    got = server.raw(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{more}Connection: close\r\n"
                     f"Content-Length: {len(body)}\r\n\r\n{body}".encode())
    head, _, text = got.partition(b"\r\n\r\n")
    assert b"evil" not in got, got
    return head.split()[1], text


@pytest.mark.parametrize("host,more,prefix", [
    ("evil.example", "", ""), ("", "", ""), ("[::1", "", ""), ("evil:1:2", "", ""),
    ("evil:99999999", "", ""), ("x", "", "http://evil.example"),
    ("x", "", "https://evil@evil.example:1"), ("x", "X-Forwarded-Host: evil.example\r\n", ""),
    ("x", "Forwarded: host=evil.example;proto=https\r\n", ""),
    ("x", "X-Forwarded-Proto: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /evil\r\n", "")])
def test_rfc8414_A11_no_output_comes_from_host(server, app, resource_server, host, more, prefix):
    """Metadata, keys, tokens, what is said of them, challenges: as without it."""
    issuer, form = server.issuer, "Content-Type: application/x-www-form-urlencoded\r\n"
    for path in PATHS + ["/.well-known/jwks.json"]:
        assert said(server, prefix + path, host, more) == (b"200", server.get(path).body)
    mine, theirs = (f"{more}{form}Authorization: {basic(who.id, who.secret)}\r\n"
                    for who in (app, resource_server))
    status, text = said(server, prefix + "/oauth/token", host, mine,
                        "grant_type=client_credentials")
    token = json.loads(text)["access_token"]
    assert status == b"200" and claims(token)["iss"] == issuer
    status, text = said(server, prefix + "/oauth/introspect", host, theirs, f"token={token}")
    assert status == b"200" and json.loads(text)["iss"] == issuer
    for target, body in (("/oauth/token", "grant_type=client_credentials"), ("/check", ""),
                         ("/nothing", "")):
        assert said(server, prefix + target, host, more + form, body)[0] in (b"401", b"404")


def test_rfc8414_issuer_from_configuration(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("issuer: https://auth.example.org/base\n")
    body = make_server(config=config).start().get(PATHS[0]).json()
    assert body["issuer"] == "https://auth.example.org/base"
    assert body["token_endpoint"] == "https://auth.example.org/base/oauth/token"


@pytest.mark.parametrize("path", PATHS + ["/.well-known/jwks.json"])
def test_rfc8414_head_and_methods(server, path):
    head, get = server.request("HEAD", path), server.get(path)
    assert head.status == 200 and head.body == b""
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
    answer = server.request("POST", path, "x")
    assert answer.status == 405
    assert {"GET", "HEAD"} <= set(answer.headers["Allow"].replace(",", " ").split())


def test_rfc7517_5_jwks_with_caching_headers(server):
    answer = server.get("/.well-known/jwks.json")
    assert answer.status == 200
    assert "max-age=300" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith(("application/jwk-set+json",
                                                      "application/json"))
    keys = answer.json()["keys"]
    assert len(keys) >= 1
    for key in keys:
        assert key["kty"] == "EC" and key["crv"] == "P-256" and key["alg"] == "ES256"
        assert key["use"] == "sig" and key["kid"]
        assert "d" not in key


@pytest.mark.parametrize("form", ['{}', 'W/{}', '"other", {}', '{} , "other"', '*', '"a,b",W/{}'])
def test_rfc9110_13_1_2_if_none_match_is_a_list_compared_weakly(server, form):
    tag = server.get("/.well-known/jwks.json").headers["ETag"]
    known = {"If-None-Match": form.format(tag)}
    again = server.get("/.well-known/jwks.json", known)
    assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("known", ['"other"', '', 'W/', '"', '"*"', 'W/"other", "x"'])
def test_rfc9110_13_1_2_another_tag_gets_the_document(server, known):
    assert server.get("/.well-known/jwks.json", {"If-None-Match": known}).status == 200


def test_rfc8414_2_a_scope_of_two_apis_is_named_once(own_server):
    own_server.api("https://one.example", "One", "shared one")
    own_server.api("https://two.example", "Two", "shared two")
    scopes = own_server.get(PATHS[0]).json()["scopes_supported"]
    assert sorted(scopes) == ["one", "shared", "two"]


def test_rfc8414_2_scopes_without_end_are_left_out(own_server):
    """With all of them the document would not fit into a request's memory. Short words take most
    beside what they say; the document is there at each length, also for who sends the most."""
    long = {"X-One": "x" * 7000, "X-Two": "x" * 7000}
    words = ["".join(word) for word in itertools.product("abcdefghijklmnopqrst", repeat=3)]
    listed = []
    for i in range(0, len(words), 250):
        own_server.api(f"https://api.example/{i}", f"API {i}", " ".join(words[i:i + 250]))
        answer = own_server.get(PATHS[0], long)
        assert answer.status == 200 and answer.json()["token_endpoint"], f"{i} words: {answer}"
        listed.append(len(answer.json().get("scopes_supported", [])))
    # Up to 24 KiB of text.
    assert listed == [n if 4 * n <= 24 * 1024 else 0 for n in range(250, len(words) + 1, 250)]


@pytest.mark.parametrize("path", PATHS + ["/.well-known/jwks.json"])
def test_fetch_scripts_of_any_origin_may_read_what_is_public(server, path):
    origin = {"Origin": "https://app.example"}
    answer = server.get(path, origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag"
    known = server.get(path, {**origin, "If-None-Match": answer.headers["ETag"]})
    assert known.status == 304 and known.headers["Access-Control-Allow-Origin"] == "*"
    asked = server.request("OPTIONS", path, headers={
        **origin, "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "if-none-match"})
    assert asked.status == 204 and asked.body == b""
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    assert asked.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert asked.headers["Access-Control-Allow-Headers"] == "*"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/check", "/metrics"])
def test_fetch_nothing_else_is_open_to_scripts(server, path):
    for method in ("OPTIONS", "GET", "POST"):
        answer = server.request(method, path, headers={"Origin": "https://app.example"})
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_rfc7638_3_kid_is_the_thumbprint(server):
    for key in server.get("/.well-known/jwks.json").json()["keys"]:
        assert jwk.JWK(**key).thumbprint() == key["kid"]


def test_rfc7517_signing_key_survives_restart(own_server):
    before = own_server.get("/.well-known/jwks.json").json()
    own_server.restart()
    assert own_server.get("/.well-known/jwks.json").json() == before
