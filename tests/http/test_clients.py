# SPDX-License-Identifier: Apache-2.0
"""Clients that people really use."""
import time
import types

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from authlib.oauth2.rfc6749 import wrappers
from oauthlib.oauth2 import BackendApplicationClient, LegacyApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session
from requests_oauthlib.compliance_fixes import facebook_compliance_fix

from instance import PATIENCE, UNLIMITED, Server, drain, statuses, token_request


@pytest.fixture(autouse=True)
def plain_http(monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.parametrize("in_body", [False, True])
def test_requests_oauthlib_gets_a_token_and_calls(server, any_app, in_body):
    session = OAuth2Session(client=BackendApplicationClient(client_id=any_app.id))
    how = {"include_client_id": True, "client_secret": any_app.secret} if in_body else \
        {"auth": HTTPBasicAuth(any_app.id, any_app.secret)}
    token = session.fetch_token(server.url + "/oauth/token", **how)
    assert token["token_type"] == "Bearer" and set(token["scope"]) == {"alpha", "beta"}
    assert session.get(server.url + "/check").status_code == 200


def test_requests_oauthlib_understands_a_refusal(server, app):
    session = OAuth2Session(client=BackendApplicationClient(client_id=app.id))
    with pytest.raises(OAuth2Error) as caught:
        session.fetch_token(server.url + "/oauth/token", auth=HTTPBasicAuth(app.id, "wrong"))
    assert caught.value.error == "invalid_client"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_gets_introspects_and_revokes(server, any_app, resource_server, method):
    session = AuthlibSession(any_app.id, any_app.secret, token_endpoint_auth_method=method,
                             revocation_endpoint_auth_method=method, scope="alpha")
    token = session.fetch_token(server.url + "/oauth/token", grant_type="client_credentials")
    assert token["scope"] == "alpha" and token["access_token"]
    assert session.get(server.url + "/check").status_code == 200
    asking = AuthlibSession(resource_server.id, resource_server.secret,
                            token_endpoint_auth_method=method)
    answer = asking.introspect_token(server.url + "/oauth/introspect", token=token["access_token"])
    assert answer.json()["active"] is True
    gone = session.revoke_token(server.url + "/oauth/revoke", token=token["access_token"])
    assert gone.status_code == 200
    assert session.get(server.url + "/check").status_code == 401


def test_authlib_reads_the_metadata(server, app):
    url = server.url + "/.well-known/oauth-authorization-server"
    metadata = requests.get(url, timeout=PATIENCE).json()
    session = AuthlibSession(app.id, app.secret)
    assert session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


def test_a_client_that_asks_for_100_continue(server, app):
    """curl does so for larger bodies, old .NET for all."""
    request = token_request(app, "Expect: 100-continue\r\nConnection: close\r\n")
    with server.connect() as sock:
        sock.sendall(request[:-29])
        assert sock.recv(1000).startswith(b"HTTP/1.1 100")
        sock.sendall(request[-29:])
        assert statuses(drain(sock)) == [200]


def test_a_java_client_that_offers_h2c(server, app):
    answer = server.form("/oauth/token", {"grant_type": "client_credentials"}, app, headers={
        "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c",
        "HTTP2-Settings": "AAMAAABkAAQAoAAAAAIAAAAA"})
    assert answer.status == 200


def test_a_client_that_sends_chunks(server, app):
    def pieces():
        yield b"grant_type="
        yield b"client_credentials"

    answer = requests.post(server.url + "/oauth/token", data=pieces(), auth=(app.id, app.secret),
                           timeout=PATIENCE,
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 200


# ------------------------------------------------------------------ the password grant
WORD = "a word with blanks, % & +"


@pytest.fixture(scope="module")
def with_users(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    config = folder / "twoleg.yaml"
    config.write_text("password_grant: true\n" + UNLIMITED.read_text())
    server = Server(data=folder / "data", config=config).start()
    server.cli("user", "add", "J\u00fcrgen", "--scope", "alpha beta", "--password-file", "-",
               input=WORD)
    server.old_app = server.app(name="old", scope="alpha beta",
                                grants="client_credentials password refresh_token")
    yield server
    server.destroy()


@pytest.mark.parametrize("in_body", [False, True])
def test_rfc6749_4_3_6_requests_oauthlib_logs_in_and_refreshes(with_users, in_body):
    app, url, renewed = with_users.old_app, with_users.url, []
    auth = {} if in_body else {"auth": HTTPBasicAuth(app.id, app.secret)}
    more = {"client_id": app.id, "client_secret": app.secret} if in_body else {}
    session = OAuth2Session(client=LegacyApplicationClient(client_id=app.id),
                            auto_refresh_url=url + "/oauth/token",
                            auto_refresh_kwargs=more or {"auth": auth.get("auth")},
                            token_updater=renewed.append)
    token = session.fetch_token(url + "/oauth/token", username="J\u00fcrgen", password=WORD, **auth,
                                **({"include_client_id": True, **more} if in_body else {}))
    assert set(token["scope"]) == {"alpha", "beta"} and token["refresh_token"]
    assert session.get(url + "/check").status_code == 200
    session.token = {**token, "expires_in": -1, "expires_at": 1}
    # What has expired it renews by itself, on the way to the call.
    assert session.get(url + "/check", **({} if in_body else {
        "client_id": app.id, "client_secret": app.secret})).status_code == 200
    assert len(renewed) == 1 and renewed[0]["refresh_token"] != token["refresh_token"]
    assert renewed[0]["access_token"] != token["access_token"]


def test_rfc6749_5_2_requests_oauthlib_understands_a_wrong_password(with_users):
    app = with_users.old_app
    session = OAuth2Session(client=LegacyApplicationClient(client_id=app.id))
    with pytest.raises(OAuth2Error) as caught:
        session.fetch_token(with_users.url + "/oauth/token", username="J\u00fcrgen",
                            password="wrong wrong", auth=HTTPBasicAuth(app.id, app.secret))
    assert caught.value.error == "invalid_grant"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_rfc6749_4_3_6_authlib_logs_in_refreshes_and_revokes(with_users, method):
    app, url = with_users.old_app, with_users.url
    session = AuthlibSession(app.id, app.secret, token_endpoint_auth_method=method,
                             revocation_endpoint_auth_method=method, scope="alpha")
    token = session.fetch_token(url + "/oauth/token", username="J\u00fcrgen", password=WORD)
    assert token["scope"] == "alpha"
    assert session.get(url + "/check").headers["X-Auth-Username"] == "J%C3%BCrgen"
    fresh = session.refresh_token(url + "/oauth/token", refresh_token=token["refresh_token"])
    assert fresh["refresh_token"] != token["refresh_token"]
    assert session.get(url + "/check").status_code == 200
    gone = session.revoke_token(url + "/oauth/revoke", token=fresh["refresh_token"],
                                token_type_hint="refresh_token")
    assert gone.status_code == 200
    answer = with_users.token(app, grant_type="refresh_token",
                              refresh_token=fresh["refresh_token"])
    assert (answer.status, answer.error) == (400, "invalid_grant")


def test_the_fix_of_requests_oauthlib_for_facebook_reads_the_dialects_answer(make_server, tmp_path):
    """A form labelled as text, which it cannot read without; it gives the life its name."""
    file = tmp_path / "twoleg.yaml"
    file.write_text("dialect: facebook\nallow_query_credentials: true\n")
    server = make_server(config=file).start()
    app = server.app(scope="alpha beta")
    session = facebook_compliance_fix(OAuth2Session(
        client=BackendApplicationClient(client_id=app.id)))
    token = session.fetch_token(server.url + "/oauth/access_token", method="GET",
                                include_client_id=True, client_secret=app.secret)
    assert token["expires_in"] == "3600" and token["access_token"].startswith("eyJ")
    assert session.get(server.url + "/check").status_code == 200


def test_T10_authlib_renews_by_itself_where_rti_sms_says_expires_in_too(make_server, tmp_path,
                                                                        monkeypatch):
    """Of validity_period no library knows when to ask again."""
    file, renewed = tmp_path / "twoleg.yaml", []
    file.write_text("hosts: [{name: 127.0.0.1, dialect: rti-sms-renew},"
                    " {name: plain.example, dialect: rti-sms}]\n")
    server = make_server(config=file).start()
    app = server.app(scope="alpha beta")
    session, plain = (AuthlibSession(
        app.id, app.secret, token_endpoint_auth_method="client_secret_post",
        token_endpoint=server.url + "/api/auth", grant_type="client_credentials",
        update_token=lambda token, access_token: renewed.append((access_token, dict(token))))
        for _ in range(2))
    plain.headers["Host"] = "plain.example"
    first = session.fetch_token()
    assert first["validity_period"] == "3600" and not first.is_expired()
    assert session.get(server.url + "/check").status_code == 200 and not renewed
    assert plain.fetch_token().is_expired() is None
    monkeypatch.setattr(wrappers, "time", types.SimpleNamespace(time=lambda: time.time() + 3601))
    assert session.get(server.url + "/check").status_code == 200
    [(before, after)] = renewed
    assert before == first["access_token"] != after["access_token"] == session.token["access_token"]
