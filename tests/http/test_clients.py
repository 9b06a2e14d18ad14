# SPDX-License-Identifier: Apache-2.0
"""Clients that people really use."""
import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient, OAuth2Error
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from instance import drain, statuses, token_request


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
    metadata = requests.get(url, timeout=10).json()
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
                           timeout=10,
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 200
