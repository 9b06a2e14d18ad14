# SPDX-License-Identifier: Apache-2.0
"""RFC 8707: the resource parameter chooses the audience."""
import pytest

from instance import FORMATS

SMS, MAIL = "https://sms.example/v1", "urn:example:mail"


@pytest.fixture(scope="module")
def apis(server):
    server.api(SMS, "sms", "send")
    server.api(MAIL, "mail")


@pytest.fixture(scope="module", params=FORMATS)
def both(request, server, apis):
    """May ask tokens for both APIs."""
    return server.app(name="both", token_format=request.param, audience=[SMS, MAIL])


@pytest.fixture(scope="module")
def servers(server, apis):
    return {SMS: server.app(name="sms server", serves=SMS),
            MAIL: server.app(name="mail server", serves=MAIL)}


@pytest.mark.parametrize("uri", [SMS, MAIL])
def test_rfc8707_2_audience_is_the_resource(server, both, servers, uri):
    token = server.bearer(both, resource=uri)
    body = server.introspect(servers[uri], token).json()
    assert body["active"] and body["aud"] in (uri, [uri])
    assert server.check(token).headers["X-Auth-Audience"] == uri


def test_rfc8707_2_token_for_one_is_not_for_the_other(server, both, servers):
    token = server.bearer(both, resource=SMS)
    assert not server.active(servers[MAIL], token)
    assert server.check(token, "?resource=" + SMS).status == 200
    assert server.check(token, "?resource=" + MAIL).status == 403


@pytest.mark.parametrize("uri", [
    "https://unknown.example/", SMS + "/", SMS.upper(), SMS + "#fragment", "sms", "relative/path",
    "https://", "\u00e4", "https://sms.example/v1?x", "a" * 4000])
def test_rfc8707_2_unknown_or_malformed_resource_is_invalid_target(server, both, uri):
    answer = server.token(both, resource=uri)
    assert (answer.status, answer.error) == (400, "invalid_target")


def test_rfc8707_2_resource_that_is_not_the_applications_is_invalid_target(server, apis, app):
    answer = server.token(app, resource=SMS)
    assert (answer.status, answer.error) == (400, "invalid_target")
    only_sms = server.app(name="only sms", audience=SMS)
    answer = server.token(only_sms, resource=MAIL)
    assert (answer.status, answer.error) == (400, "invalid_target")


def test_rfc8707_2_serving_an_api_gives_no_right_to_ask_tokens_for_it(server, servers):
    answer = server.token(servers[SMS], resource=SMS)
    assert (answer.status, answer.error) == (400, "invalid_target")


def test_rfc8707_one_audience_needs_no_resource(server, apis):
    app = server.app(name="one", audience=SMS)
    assert server.check(server.bearer(app)).headers["X-Auth-Audience"] == SMS


def test_rfc8707_default_api_is_identified_by_the_issuer(server, app):
    assert server.check(server.bearer(app)).headers["X-Auth-Audience"] == server.url
    assert server.check(server.bearer(app, resource=server.url)).status == 200


def test_rfc8707_2_two_resources_are_refused(server, both):
    answer = server.form("/oauth/token", [("grant_type", "client_credentials"), ("resource", SMS),
                                          ("resource", MAIL)], both)
    assert (answer.status, answer.error) == (400, "invalid_target")
    assert answer.json()["error_description"] == "one resource a token"


def test_rfc8707_2_none_of_several_named_says_to_name_one(server, both):
    answer = server.token(both)
    assert (answer.status, answer.error) == (400, "invalid_target")
    assert answer.json()["error_description"] == "name one of the application's resources"


def test_rfc8707_scope_belongs_to_the_api(server, apis):
    """The scope of one API is no scope of the other."""
    app = server.app(name="sms sender", audience=SMS, scope="send")
    assert server.token(app, resource=SMS, scope="send").status == 200
    default = server.app(name="nothing")
    assert server.token(default, scope="send").error == "invalid_scope"
