# SPDX-License-Identifier: Apache-2.0
"""RFC 6749: the token endpoint for client_credentials. B rows: the threats of client authentication
and form decoding."""
import base64
import re
import sqlite3
import urllib.parse

import pytest

from instance import Application, basic, basic_raw, statuses

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = "grant_type=client_credentials"
# Every door where a client authenticates, with a body that is whole otherwise.
DOORS = {"/oauth/token": GRANT, "/oauth/introspect": "token=x", "/oauth/revoke": "token=x"}


def post(server, body, app=None, headers=None):
    """A body as it stands, as `app` by Basic if given."""
    auth = {"Authorization": basic(app.id, app.secret)} if app else {}
    return server.request("POST", "/oauth/token", body, {**FORM, **auth, **(headers or {})})


def assert_error(answer, status, code):
    """Section 5.2: the shape of every refusal."""
    assert (answer.status, answer.error) == (status, code), answer
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert set(answer.json()) <= {"error", "error_description", "error_uri"}
    description = answer.json().get("error_description", "")
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*", description)
    assert int(answer.headers["Content-Length"]) == len(answer.body)


# ------------------------------------------------------------------ 2.3.1 client password
@pytest.mark.parametrize("method", ["basic", "post"])
def test_rfc6749_2_3_1_both_methods_give_a_token(server, any_app, method):
    assert server.token(any_app, method).status == 200


def test_rfc6749_2_3_1_scheme_name_has_no_case(server, app):
    header = "bASIC" + basic(app.id, app.secret)[5:]
    assert post(server, GRANT, headers={"Authorization": header}).status == 200


def test_rfc6749_2_3_1_basic_unencoded_credentials_work_too(server):
    app = server.app(client_id="raw+id/%zz", secret="s" * 30 + "+/%41=:~")
    for header in (basic(app.id, app.secret), basic_raw(app.id, app.secret)):
        answer = post(server, GRANT, headers={"Authorization": header})
        assert answer.status == 200, (header, answer)


def test_rfc6749_2_3_1_client_id_with_colon_needs_encoding(server):
    app = server.app(client_id="urn:client:7", secret="k" * 40)
    assert post(server, GRANT, app).status == 200
    assert server.token(app, "post").status == 200


def test_rfc6749_2_3_1_client_id_in_body_beside_basic_if_equal(server, app):
    """Only the secret makes it a second method; the id alone is redundant (RFC 6749 3.2.1)."""
    assert post(server, f"{GRANT}&client_id={app.id}", app).status == 200
    assert_error(post(server, f"{GRANT}&client_id=x{app.id}", app), 400, "invalid_request")


@pytest.mark.parametrize("path", DOORS)
def test_B4_basic_and_body_credentials_together_are_refused(server, app, path):
    body = f"{DOORS[path]}&client_id={app.id}&client_secret={app.secret}"
    header = {**FORM, "Authorization": basic(app.id, app.secret)}
    assert_error(server.request("POST", path, body, header), 400, "invalid_request")


@pytest.mark.parametrize("path", DOORS)
def test_B4_basic_of_A_with_client_id_of_B_never_gives_rights_of_B(server, app, resource_server,
                                                                   path):
    other = server.app(scope="gamma")
    token = server.bearer(other)
    for who, more in ((other, ""), (other, "&scope=gamma"), (resource_server, f"&token={token}"),
                      (other, f"&token={token}"), (other, f"&client_secret={other.secret}")):
        body = DOORS[path].replace("token=x", "y=x") + f"&client_id={who.id}{more}"
        answer = server.request("POST", path, body,
                                {**FORM, "Authorization": basic(app.id, app.secret)})
        assert_error(answer, 400, "invalid_request")
    assert server.check(token).status == 200


@pytest.mark.parametrize("path", DOORS)
def test_B3_credentials_in_the_query_are_refused_and_never_logged(own_server, path):
    server = own_server
    app = server.app(resource_server=True)
    token = server.bearer(app)
    header = {"Authorization": basic(app.id, app.secret)}
    for query, headers in (({"client_id": app.id, "client_secret": app.secret}, {}),
                           ({"client_secret": app.secret}, header), ({"token": token}, header),
                           ({"access_token": token}, header)):
        answer = server.request("POST", f"{path}?{urllib.parse.urlencode(query)}", DOORS[path],
                                {**FORM, **headers})
        assert_error(answer, 400, "invalid_request")
        assert app.secret not in answer.text and token not in answer.text
    server.stop()  # so that all lines are written
    assert server.stderr().count("error=CLIENT_IN_QUERY") == 4
    assert app.secret not in server.stderr() and token not in server.stderr()


@pytest.mark.parametrize("header", [
    "Basic", "Basic ", "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(),
    "Basic " + base64.b64encode(b":").decode(), "Basic " + base64.b64encode(b":secret").decode(),
    "Basic " + base64.b64encode(b"id\0:secret").decode(), "Basic " + "A" * 8001, "Basic a===",
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()])
def test_B7_malformed_basic_is_401_with_challenge(server, header):
    answer = post(server, GRANT, headers={"Authorization": header})
    assert_error(answer, 401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_B7_basic_of_64_kib_is_refused(server):
    header = "Basic " + base64.b64encode(b"a:" + b"b" * 65536).decode()
    answer = server.raw(b"POST /oauth/token HTTP/1.1\r\nHost: x\r\nAuthorization: "
                        + header.encode() + b"\r\n\r\n")
    assert statuses(answer) == [431]


def test_B7_wrong_base64_spelling_of_right_credentials_is_401(server, app):
    good = base64.b64encode(f"{app.id}:{app.secret}".encode()).decode()
    for bad in (good[:4] + "\t" + good[4:], good[:4] + " " + good[4:], good + "=", good + "!"):
        assert post(server, GRANT, headers={"Authorization": "Basic " + bad}).status == 401, bad


def test_B8_ids_and_secrets_are_compared_as_bytes(server):
    app = server.app(client_id="CaseSensitive", secret="Secret-" * 6)
    for client_id, secret in (("casesensitive", app.secret), (app.id, app.secret.upper()),
                              (app.id + " ", app.secret), (app.id, app.secret + " "),
                              (" " + app.id, app.secret), (app.id, app.secret[:-1]),
                              (app.id, app.secret + "x"), (app.id + "\u0301", app.secret)):
        answer = post(server, GRANT, headers={"Authorization": basic(client_id, secret)})
        assert_error(answer, 401, "invalid_client")


def test_B8_no_other_bytes_are_the_same_id(own_server):
    """Not UTF-8, an overlong C, a Cyrillic, full-width or combined letter, blanks that are not
    seen: whatever some text functions make of them."""
    server = own_server
    for name in ("CaseSensitive", "cafe", "caf"):
        app = server.app(client_id=name, secret="Secret-" * 6)
    for client_id in (b"caf\xe9", b"\xc1\x83aseSensitive", "\u0421aseSensitive".encode(),
                      b"CaseSensitive\xff", "\uff23aseSensitive".encode(),
                      b"CaseSensitive\xc2\xa0", b"CaseSensiti\xe2\x80\x8bve",
                      "cafe\u0301".encode(), "caf\u00e9".encode(), b"CASESENSITIVE"):
        header = "Basic " + base64.b64encode(client_id + b":" + app.secret.encode()).decode()
        answer = post(server, GRANT, headers={"Authorization": header})
        assert_error(answer, 401, "invalid_client")
        pair = urllib.parse.urlencode({"client_id": client_id, "client_secret": app.secret})
        assert_error(post(server, f"{GRANT}&{pair}"), 401, "invalid_client")
    assert server.token(app).status == 200


@pytest.mark.parametrize("method", ["basic", "post"])
def test_B9_empty_secret_never_matches(server, app, method):
    bare = server.app()
    bare.secret = ""
    answer = server.token(bare, method)
    assert_error(answer, 401, "invalid_client")


@pytest.mark.parametrize("path", DOORS)
def test_B9_missing_secret_is_401(server, app, path):
    bare = {"Authorization": basic(app.id, "")}
    for pairs, headers in (("", {}), (f"&client_id={app.id}", {}), ("", bare),
                           (f"&client_id={app.id}&client_secret=", {}),
                           (f"&client_id={app.id}&client_secret", {})):
        answer = server.request("POST", path, DOORS[path] + pairs, {**FORM, **headers})
        assert_error(answer, 401, "invalid_client")
        assert "WWW-Authenticate" in answer.headers


def test_B9_application_whose_secrets_are_all_removed_is_401(server):
    app = server.app()
    for secret in listed(server.cli("secret", "list", app.id, "--json")):
        server.cli("secret", "remove", app.id, secret_number(secret), "--yes")
    for secret in (app.secret, "", "x"):
        app.secret = secret
        assert_error(server.token(app), 401, "invalid_client")


def listed(answer):
    """The rows of a --json listing, bare or under one key."""
    if isinstance(answer, list):
        return answer
    return next(value for value in answer.values() if isinstance(value, list))


def secret_number(row):
    return str(row["secret"])


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_B10_disabled_and_deleted_applications_are_401(server, act):
    app = server.app(scope="alpha")
    assert server.token(app).status == 200
    server.cli("app", act, app.id, "--yes")
    for method in ("basic", "post"):
        assert_error(server.token(app, method), 401, "invalid_client")


def admitted(server, app, secret):
    """Does it get in with this secret? The doors, all of them, must agree."""
    found = set()
    for path, body in DOORS.items():
        answer = server.request("POST", path, body,
                                {**FORM, "Authorization": basic(app.id, secret)})
        assert answer.status in (200, 401), answer
        found.add(answer.status)
    assert len(found) == 1, found
    return found == {200}


def test_B10_the_old_secret_is_good_beside_the_new_one_until_it_is_removed(server):
    """Replacing a secret: its grace is as long as the operator lets it, and no longer."""
    app = server.app(resource_server=True)
    token, [old] = server.bearer(app), server.secrets(app)
    new = server.cli("secret", "add", app.id, "--json")["client_secret"]
    assert admitted(server, app, app.secret) and admitted(server, app, new)
    server.cli("secret", "remove", app.id, old["secret"], "--yes")
    assert admitted(server, app, new)
    for _ in range(3):  # whichever worker it comes to
        assert not admitted(server, app, app.secret)
        server.local.connection.close()
    assert server.check(token).status == 200


@pytest.mark.hooks
def test_B10_a_secret_with_an_end_is_good_until_then_to_the_second(own_server):
    server = own_server
    app = server.app(resource_server=True)
    more = server.cli("secret", "add", app.id, "--expires", "1h", "--json")["client_secret"]
    server.hooks.clock(3590)
    assert admitted(server, app, more)
    server.hooks.clock(3601)
    assert not admitted(server, app, more) and admitted(server, app, app.secret)


@pytest.mark.parametrize("method", ["basic", "post"])
def test_B2_every_failed_authentication_gives_the_same_bytes(own_server, method):
    server = own_server
    states = ("active", "disabled", "deleted", "expired", "without_secret", "slow")
    apps = {state: server.app(name=state, scope="alpha", secret="hunter2" if state == "slow" else
                              None) for state in states}
    assert server.token(apps["active"], method).status == 200
    server.act("disable", apps["disabled"])
    server.delete(apps["deleted"])
    server.remove_secret(apps["without_secret"])
    server.stop()
    store = sqlite3.connect(server.data + "/twoleg.db")
    with store:  # no command makes a secret that has expired
        done = store.execute("UPDATE secrets SET expires_us = created_us + 1 WHERE application = "
                             "(SELECT number FROM applications WHERE name = 'expired')")
        assert done.rowcount == 1
    store.close()
    server.start()

    def seen(client_id, secret):
        answer = server.token(Application({"client_id": client_id, "client_secret": secret}),
                              method)
        headers = [pair for pair in answer.headers.items()
                   if pair[0] not in ("Date", "X-Request-Id")]
        return answer.status, headers, answer.body

    unknown = seen("app_doesnotexist", apps["active"].secret)
    assert unknown[0] == 401
    for state, app in apps.items():
        right, wrong = seen(app.id, app.secret), seen(app.id, "wrong")
        assert wrong == unknown, state
        assert (right == unknown) == (state not in ("active", "slow")), state


# ------------------------------------------------------------------ 3.2 the endpoint
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_rfc6749_3_2_only_post(server, app, method):
    answer = server.request(method, "/oauth/token?grant_type=client_credentials",
                            headers={"Authorization": basic(app.id, app.secret)})
    assert answer.status == 405
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data",
                                  "application/x-www-form-urlencodedx", "application/x-www-form",
                                  ""])
def test_B12_wrong_content_type_is_400_invalid_request(server, app, kind):
    assert_error(post(server, GRANT, app, {"Content-Type": kind}), 400, "invalid_request")


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded;charset=UTF-8",
                                  "application/x-www-form-urlencoded; charset=utf-8",
                                  "Application/X-WWW-Form-Urlencoded"])
def test_B12_content_type_may_have_parameters_and_case(server, app, kind):
    assert post(server, GRANT, app, {"Content-Type": kind}).status == 200


@pytest.mark.parametrize("accept", ["text/html", "*/*", "application/xml", "text/html,*/*;q=0.1"])
def test_rfc6749_5_2_errors_stay_json_whatever_accept_says(server, accept):
    assert_error(post(server, GRANT, headers={"Accept": accept}), 401, "invalid_client")


def test_rfc6749_3_2_parameters_without_value_are_as_if_omitted(server, app):
    answer = post(server, GRANT + "&scope=", app)
    assert answer.status == 200
    assert answer.json()["scope"] == "alpha beta"
    assert_error(post(server, "grant_type=", app), 400, "invalid_request")


def test_rfc6749_3_2_unknown_parameters_are_ignored(server, app):
    assert post(server, GRANT + "&colour=green&colour2=", app).status == 200


@pytest.mark.parametrize("name,value", [
    ("grant_type", "client_credentials"), ("scope", "alpha"), ("client_id", "a"),
    ("client_secret", "b"), ("scope", ""), ("colour", "green")])
def test_B5_duplicated_parameter_is_invalid_request(server, app, name, value):
    pair = urllib.parse.urlencode({name: value})
    body = "&".join([GRANT, pair, pair])
    authenticated = name not in ("client_id", "client_secret")
    assert_error(post(server, body, app if authenticated else None), 400, "invalid_request")


@pytest.mark.parametrize("value", ["%", "%2", "%zz", "%00", "a%", "a%0", "%u0041", "a%00b"])
@pytest.mark.parametrize("name", ["scope", "client_id", "client_secret", "colour"])
def test_B6_malformed_percent_or_nul_in_form_is_400(server, app, name, value):
    named = None if name.startswith("client_") else app
    assert_error(post(server, f"{GRANT}&{name}={value}", named), 400, "invalid_request")
    assert_error(post(server, f"{GRANT}&{name}{value}=1", named), 400, "invalid_request")
    for path in ("/oauth/introspect", "/oauth/revoke"):
        answer = server.request("POST", path, f"token=x&{name}={value}",
                                {**FORM, "Authorization": basic(app.id, app.secret)})
        assert_error(answer, 400, "invalid_request")


def test_B6_basic_is_decoded_once_or_read_as_it_is(server):
    """A percent that is malformed, or stands for NUL, is a character like others there."""
    app = server.app(client_id="a%41%zz", secret="s%2Bs%" + "x" * 30)
    for client_id in ("a%41%zz", "a%2541%25zz", "%61%2541%25zz"):
        for secret in (app.secret, app.secret.replace("%", "%25")):
            header = {"Authorization": basic_raw(client_id, secret)}
            assert post(server, GRANT, headers=header).status == 200, (client_id, secret)
    twice = app.secret.replace("%", "%2525")
    for client_id, secret in (("a%252541%2525zz", app.secret), ("aA%zz", app.secret),
                              (app.id, twice), (app.id, app.secret.replace("%2B", "+")),
                              (app.id, app.secret.replace("%2B", " ")), (app.id + "%00", "x"),
                              (app.id, app.secret + "%00"), (app.id + "%00", app.secret)):
        header = {"Authorization": basic_raw(client_id, secret)}
        assert_error(post(server, GRANT, headers=header), 401, "invalid_client")


def test_B6_exactly_one_decoding(server):
    app = server.app(scope="a%20b a+b")
    assert post(server, GRANT + "&scope=a%2520b", app).json()["scope"] == "a%20b"
    assert post(server, GRANT + "&scope=a%2Bb", app).json()["scope"] == "a+b"
    assert_error(post(server, GRANT + "&scope=a%20b", app), 400, "invalid_scope")
    assert_error(post(server, GRANT + "&scope=a+b", app), 400, "invalid_scope")


def test_B6_names_are_decoded_too(server, app):
    assert post(server, "grant%5Ftype=client%5fcredentials", app).status == 200


@pytest.mark.parametrize("body,code", [
    ("", "invalid_request"), ("&", "invalid_request"), ("&&&=", "invalid_request"),
    ("grant_type", "invalid_request"), ("=client_credentials", "invalid_request"),
    ("grant_type=client_credentials;scope=alpha", "unsupported_grant_type"),
    ("&".join(f"p{i}=1" for i in range(1000)) + "&" + GRANT, "invalid_request")])
def test_B14_odd_forms_are_400(server, app, body, code):
    assert_error(post(server, body, app), 400, code)


# ------------------------------------------------------------------ 3.3 scope
def test_rfc6749_3_3_omitted_scope_is_all_of_the_applications(server, any_app):
    assert server.token(any_app).json()["scope"] == "alpha beta"


@pytest.mark.parametrize("asked,given", [("alpha", "alpha"), ("beta alpha", "alpha beta"),
                                         ("beta", "beta")])
def test_rfc6749_3_3_subset(server, any_app, asked, given):
    answer = server.token(any_app, scope=asked)
    assert answer.status == 200
    assert sorted(answer.json()["scope"].split()) == given.split()


@pytest.mark.parametrize("scope", [
    "gamma", "alpha gamma", "ALPHA", 'al"pha', "al\\pha", "alpha\tbeta", "alpha\nbeta", "\u00e4",
    "alpha\x7f", "x" * 5000, " ".join(f"s{i}" for i in range(9000))])
def test_B11_scope_not_ours_or_malformed_is_invalid_scope(server, app, scope):
    assert_error(server.token(app, scope=scope), 400, "invalid_scope")


@pytest.mark.parametrize("scope, given", [
    ("alpha alpha", "alpha"), (" alpha", "alpha"), ("alpha ", "alpha"),
    ("alpha  beta", "alpha beta"), (" ", None)])
def test_B11_odd_spacing_or_repetition_gives_no_more_than_asked(server, app, scope, given):
    answer = server.token(app, scope=scope)
    if given:
        assert answer.status == 200 and answer.json()["scope"] == given
    else:
        assert_error(answer, 400, "invalid_scope")


def test_B11_application_without_scope_gets_no_scope(server):
    app = server.app()
    answer = server.token(app)
    assert answer.status == 200 and not answer.json().get("scope")
    assert_error(server.token(app, scope="alpha"), 400, "invalid_scope")


# ------------------------------------------------------------------ 4.4, 5.1 the good answer
def test_rfc6749_5_1_fields_types_and_headers(server, any_app):
    answer = server.token(any_app)
    assert answer.status == 200
    body = answer.json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert body["token_type"] == "Bearer"
    assert type(body["expires_in"]) is int and 3590 <= body["expires_in"] <= 3600
    assert re.fullmatch(r"[A-Za-z0-9\-._~+/]+=*", body["access_token"])
    assert answer.headers["Content-Type"] in ("application/json", "application/json;charset=UTF-8")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Pragma"] == "no-cache"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["Date"] and answer.headers["X-Request-Id"]


def test_rfc6749_4_4_3_no_refresh_token(server, any_app):
    assert "refresh_token" not in server.token(any_app).json()


def test_rfc6749_5_1_each_token_is_another(server, any_app):
    assert len({server.bearer(any_app) for _ in range(50)}) == 50


def test_rfc6749_5_1_never_expiring_token_has_no_expires_in(server):
    app = server.app(token_format="sealed", token_ttl="never")
    assert "expires_in" not in server.token(app).json()


def test_rfc6749_5_1_shape_of_sealed_token(server, sealed_app):
    token = server.bearer(sealed_app)
    assert re.fullmatch(r"tlt_[A-Za-z0-9_-]+", token)


# ------------------------------------------------------------------ 5.2 the errors
@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "nonsense",
                                   "client_credentials ", "CLIENT_CREDENTIALS",
                                   "urn:ietf:params:oauth:grant-type:jwt-bearer"])
def test_rfc6749_5_2_unsupported_grant_type(server, app, grant):
    answer = server.form("/oauth/token", {"grant_type": grant}, app)
    assert_error(answer, 400, "unsupported_grant_type")


def test_rfc6749_5_2_missing_grant_type(server, app):
    assert_error(post(server, "scope=alpha", app), 400, "invalid_request")


def test_rfc6749_5_2_invalid_client_by_basic_is_401_with_basic_challenge(server, app):
    answer = post(server, GRANT, headers={"Authorization": basic(app.id, "wrong")})
    assert_error(answer, 401, "invalid_client")
    assert re.match(r'Basic realm="[^"]*"', answer.headers["WWW-Authenticate"])


def test_rfc6749_5_2_invalid_client_by_post_is_401(server, app):
    answer = post(server, f"{GRANT}&client_id={app.id}&client_secret=wrong")
    assert_error(answer, 401, "invalid_client")
    assert "WWW-Authenticate" in answer.headers  # RFC 9110 15.5.2: a 401 has one


def test_rfc6749_5_2_unknown_scheme_is_invalid_client(server):
    for header in ("Digest x", "Bearer abc", "Negotiate", "Basicx YTpi"):
        assert_error(post(server, GRANT, headers={"Authorization": header}), 401, "invalid_client")


def test_B16_introspect_and_revoke_without_authentication_are_401(server, app):
    token = server.bearer(app)
    for path in ("/oauth/introspect", "/oauth/revoke"):
        answer = server.form(path, {"token": token})
        assert_error(answer, 401, "invalid_client")
        assert "WWW-Authenticate" in answer.headers


def test_B13_no_secret_and_no_token_in_the_log(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("log_requests: all\nlog_level: debug\n")
    server = make_server(config=config).start()
    app, wrong = server.app(), "canary-wrong-secret-1234567890"
    token = server.bearer(app)
    assert server.check(token).status == 200 and server.check(token + "x").status == 401
    for answer in (post(server, GRANT, headers={"Authorization": basic(app.id, wrong)}),
                   post(server, f"{GRANT}&client_id={app.id}&client_secret={wrong}"),
                   post(server, f"{GRANT}&scope=\"{wrong}", app)):
        assert answer.status in (400, 401), answer
    server.stop()  # so that all lines are written
    said = server.stderr()
    assert said.count("event=answered") >= 2 and said.count("event=refused") == 4, said
    for secret in (wrong, app.secret, *token.split(".")):
        assert secret not in said, secret
