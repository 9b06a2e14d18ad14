# SPDX-License-Identifier: Apache-2.0
"""RFC 6750: bearer tokens at the gate, /check."""
import re
import subprocess

import pytest

from instance import BINARY, ROOT, statuses

X_AUTH = ["X-Auth-Client-Id", "X-Auth-Application", "X-Auth-Subject", "X-Auth-Scope",
          "X-Auth-Audience", "X-Auth-Token-Id", "X-Auth-Expires", "X-Auth-Username"]


def assert_refused(answer, status, error):
    assert answer.status == status, answer
    challenge = answer.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="twoleg"'), challenge
    if error is None:
        assert "error" not in challenge
    else:
        assert f'error="{error}"' in challenge
    for name in X_AUTH:
        assert answer.headers[name] in ("", None), (name, answer)


def test_rfc6750_2_1_good_token_is_200_with_all_headers(server, any_app):
    token = server.bearer(any_app)
    answer = server.check(token)
    assert answer.status == 200
    for name in X_AUTH:
        assert len(answer.headers.get_all(name)) == 1, name
        assert all(" " <= char <= "~" for char in answer.headers[name])
    assert answer.headers["X-Auth-Client-Id"] == any_app.id
    assert answer.headers["X-Auth-Application"] == any_app.facts["name"]
    assert answer.headers["X-Auth-Scope"] == "alpha beta"
    assert answer.headers["X-Auth-Subject"] == any_app.id
    assert answer.headers["X-Auth-Audience"]
    assert answer.headers["X-Auth-Token-Id"]
    assert int(answer.headers["X-Auth-Expires"]) > 1_600_000_000


def test_rfc6750_unknown_values_are_empty_headers(server):
    app = server.app(token_format="sealed", token_ttl="never")
    answer = server.check(server.bearer(app))
    assert answer.status == 200
    assert answer.headers["X-Auth-Scope"] == "" and answer.headers["X-Auth-Expires"] == ""


def test_rfc6750_headers_are_visible_ascii_whatever_the_name_is(server):
    app = server.app(name="Caf\u00e9 \u4e2d \u202e \"quoted\"")
    answer = server.check(server.bearer(app))
    assert answer.status == 200
    assert all(" " <= char <= "~" for char in answer.headers["X-Auth-Application"])


def test_rfc6750_2_1_scheme_name_has_no_case(server, app):
    token = server.bearer(app)
    for scheme in ("bearer", "BEARER", "beaRer"):
        assert server.check(headers={"Authorization": f"{scheme} {token}"}).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
                                    "PROPFIND", "TRACE"])
def test_rfc6750_gate_answers_any_method(server, app, method):
    token = server.bearer(app)
    assert server.check(token, method=method).status == 200
    assert server.check(method=method).status == 401


@pytest.mark.parametrize("method", ["QUERY", "CONNECT", "BREW", "X-Own_1"])
def test_rfc6750_gate_answers_methods_it_has_never_heard_of(server, app, method):
    for header, status in ((f"Authorization: Bearer {server.bearer(app)}\r\n", 200), ("", 401)):
        got = server.raw(f"{method} /check HTTP/1.1\r\nHost: x\r\n{header}"
                         "Connection: close\r\n\r\n".encode())
        assert statuses(got) == [status], got


@pytest.mark.parametrize("headers", [
    {"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip", "Content-Length": "0"},
    {"Expect": "nonsense"}, {"Content-Type": "application/json; q"}])
def test_rfc6750_gate_does_not_mind_how_the_body_is_described(server, app, headers):
    assert server.check(server.bearer(app), headers=headers).status == 200
    assert server.check(headers=headers).status == 401


def test_rfc6750_gate_never_reads_the_body(server, app):
    token = server.bearer(app)
    answer = server.check(token, method="POST", body="access_token=x&scope=gamma",
                          headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 200
    refused = server.check(method="POST", body="access_token=" + token,
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert refused.status == 401


def test_rfc6750_2_3_token_in_the_query_is_not_taken(server, app):
    answer = server.check(query="?access_token=" + server.bearer(app))
    assert answer.status == 403  # a query that it does not know: the proxy may mean more by it


def test_rfc6750_3_no_token_is_401_without_error_code(server):
    assert_refused(server.check(), 401, None)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer \u00e4",
                                    "Bearer a,b",
                                    "Bearer x", "Bearer " + "a.b.c", "Bearer " + "a" * 9000,
                                    "Bearer tlt_short", "Bearer \"x\""])
def test_rfc6750_3_1_malformed_token_is_401_invalid_token(server, header):
    answer = server.check(headers={"Authorization": header.encode("latin-1")})
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="twoleg"')


def test_rfc6750_3_other_schemes_are_no_token(server, app):
    for header in ("Basic YTpi", "Digest x", "Bearerx y"):
        assert_refused(server.check(headers={"Authorization": header}), 401, None)


@pytest.mark.hooks
def test_rfc6750_3_1_expired_token_is_401_invalid_token(timed):
    token = timed.server.bearer(timed.app)
    timed.clock(3590)
    assert timed.server.check(token).status == 200
    timed.clock(3601)
    assert_refused(timed.server.check(token), 401, "invalid_token")


def test_rfc6750_3_1_revoked_token_is_401_invalid_token(server, any_app):
    token = server.bearer(any_app)
    assert server.revoke(any_app, token).status == 200
    assert_refused(server.check(token), 401, "invalid_token")


def test_rfc6750_3_1_insufficient_scope_is_403_and_names_it(server, any_app):
    token = server.bearer(any_app, scope="alpha")
    assert server.check(token, "?scope=alpha").status == 200
    answer = server.check(token, "?scope=beta")
    assert_refused(answer, 403, "insufficient_scope")
    assert 'scope="beta"' in answer.headers["WWW-Authenticate"]


def test_rfc6750_several_required_scopes_are_all_needed(server, any_app):
    token = server.bearer(any_app, scope="alpha")
    whole = server.bearer(any_app)
    for query in ("?scope=alpha%20beta", "?scope=beta+alpha"):
        assert server.check(token, query).status == 403
        assert server.check(whole, query).status == 200


def test_rfc6750_required_audience_narrows(server, any_app):
    token = server.bearer(any_app)
    audience = server.check(token).headers["X-Auth-Audience"]
    assert server.check(token, "?resource=" + audience).status == 200
    other = f"https://{any_app.facts['token_format']}.example/"
    server.api(other, "other")
    assert server.check(token, "?resource=" + other).status == 403


@pytest.mark.parametrize("query", [
    "?resource=https://unknown.example/", "?resource=nonsense", "?scope=unknown-scope",
    "?scope=%22", "?resource=%00", "?scope=%zz", "?scope=alpha&scope=alpha", "?scope=alpha%00"])
def test_rfc6750_unknown_or_malformed_narrowing_never_passes(server, app, query):
    answer = server.check(server.bearer(app), query)
    assert answer.status == 403, answer


def test_rfc6750_narrowing_without_token_is_still_401(server):
    assert_refused(server.check(query="?scope=alpha"), 401, None)


def test_rfc6750_client_headers_do_not_come_back(server, app):
    answer = server.check(server.bearer(app), headers={"X-Auth-Client-Id": "admin",
                                                       "X-Auth-Scope": "everything"})
    assert answer.headers["X-Auth-Client-Id"] == app.id
    assert answer.headers["X-Auth-Scope"] == "alpha beta"


def test_rfc6750_the_recipe_overwrites_each_header_of_the_gate_and_no_token_may_stand_in_one(
        server, app, tmp_path):
    sent = {name for name, _ in server.check(server.bearer(app)).headers.items()
            if name.startswith("X-Auth-")}
    assert sent == set(X_AUTH)
    recipe = (ROOT / "README.md").read_text()
    overwritten = dict(re.findall(r"proxy_set_header (X-Auth-\S+) \$(\w+);", recipe))
    asked = dict(re.findall(r"auth_request_set \$(\w+) \$upstream_http_(x_auth_\w+);", recipe))
    assert {name: asked[variable] for name, variable in overwritten.items()} == \
        {name: name.lower().replace("-", "_") for name in sent}
    file = tmp_path / "own.yaml"
    for name in sent:
        file.write_text(f"name: own\ntitle: Own\nresource: {{header: {name}}}\n")
        done = subprocess.run([BINARY, "dialect", "check", file], capture_output=True, text=True,
                              check=False)
        assert (done.returncode, f'"{name}" is a header that means something else' in done.stderr) \
            == (1, True), done


def test_rfc6750_answers_of_the_gate_are_not_cached(server, app):
    assert "no-store" in server.check(server.bearer(app)).headers["Cache-Control"]


def test_rfc6750_two_authorization_headers_are_refused(server, app):
    token = server.bearer(app).encode()
    answer = server.raw(b"GET /check HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token
                        + b"\r\nAuthorization: Bearer " + token + b"\r\n\r\n")
    assert statuses(answer) == [400]


def test_C15_every_bit_flip_truncation_and_extension_is_refused(server, any_app):
    token = server.bearer(any_app)
    alphabet = "ABab01-_."
    for i in range(0, len(token), 7):
        for bit in range(8):
            char = chr(ord(token[i]) ^ (1 << bit))
            if "!" <= char <= "~":
                assert server.check(token[:i] + char + token[i + 1 :]).status == 401, (i, char)
    for bad in [token[:n] for n in range(1, len(token), 11)] + [token[1:]] + \
            [token + char for char in alphabet] + [token + token, token.upper(), token + "=",
                                                   token + ".x"]:
        assert server.check(bad).status == 401, bad
    assert server.check(token).status == 200
