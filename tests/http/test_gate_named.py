# SPDX-License-Identifier: Apache-2.0
"""Configured gates, /check/NAME, and whose request a proxy asks about (design 3.5)."""
import pytest

CONFIG = """
log_requests: all
checks:
  - name: sms
    scope: sms
  - name: mail
    resource: https://mail.example
    scope: send
  - name: nowhere
    resource: https://nowhere.example
  - name: proxied
    trusted_proxies: [127.0.0.0/8]
"""


@pytest.fixture(scope="module")
def gates(tmp_path_factory):
    from instance import Server
    folder = tmp_path_factory.mktemp("gates")
    file = folder / "twoleg.yaml"
    file.write_text(CONFIG)
    server = Server(data=folder / "data", config=file).start()
    server.cli("api", "create", "https://mail.example", "--scope", "send sms")
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def default_app(gates):
    return gates.app(name="default", scope="sms other", token_format="sealed")


@pytest.fixture(scope="module")
def mail_app(gates):
    return gates.app(name="mail", scope="send sms", audience="https://mail.example")


def ask(server, path, token, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.request("GET", path, headers={"Authorization": f"Bearer {token}", **headers})


def log_line(server, answer):
    from instance import until
    request = answer.headers["X-Request-Id"]
    until(lambda: request in server.stderr(), "the request's log line")
    return next(line for line in server.stderr().splitlines() if request in line)


def refusal_line(server, refuse):
    """Of each cause only some are logged in a second, so it is asked for again until one is."""
    from instance import until
    seen = []

    def lines():
        return [line for line in server.stderr().splitlines()
                if any(request in line for request in seen)]

    def logged():
        seen.append(refuse().headers["X-Request-Id"])
        return lines()
    until(logged, "a refusal's log line")
    return lines()[0]


def test_gate_takes_its_scope_from_the_configuration(gates, default_app):
    assert ask(gates, "/check/sms", gates.bearer(default_app)).status == 200
    lesser = gates.bearer(default_app, scope="other")
    answer = ask(gates, "/check/sms", lesser)
    assert answer.status == 403
    assert 'error="insufficient_scope", scope="sms"' in answer.headers["WWW-Authenticate"]


def test_gate_takes_its_audience_from_the_configuration(gates, default_app, mail_app):
    assert ask(gates, "/check/mail", gates.bearer(mail_app)).status == 200
    assert ask(gates, "/check/mail", gates.bearer(default_app)).status == 403


def test_gate_without_a_resource_is_for_the_default_api_only(gates, mail_app):
    # It has the scope's name, at another API.
    assert ask(gates, "/check/sms", gates.bearer(mail_app)).status == 403


def test_gate_of_an_api_that_does_not_exist_lets_nobody_pass(gates, default_app, mail_app):
    for app in (default_app, mail_app):
        answer = ask(gates, "/check/nowhere", gates.bearer(app))
        assert answer.status == 403
        assert "error=TARGET_UNKNOWN" in log_line(gates, answer)


def test_unknown_gate_lets_nobody_pass_and_is_named_in_the_log(gates, default_app):
    answer = ask(gates, "/check/smz", gates.bearer(default_app))
    assert answer.status == 403
    assert 'path="smz"' in log_line(gates, answer)


@pytest.mark.parametrize("rest", ["/", "/api/send", "?scope=other", "/x?scope=nothing&a=b",
                                  "//x", "/a%2fb", "/../mail", "/%00/.",
                                  "?resource=https://mail.example"])
def test_A22_gate_ignores_what_the_client_put_behind_its_name(gates, default_app, rest):
    assert ask(gates, "/check/sms" + rest, gates.bearer(default_app)).status == 200
    lesser = gates.bearer(default_app, scope="other")
    assert ask(gates, "/check/sms" + rest, lesser).status == 403


@pytest.mark.parametrize("forwarded, seen", [
    ("203.0.113.7", "203.0.113.7"),
    ("198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the left one is the client's own word
    ("203.0.113.7, 127.0.0.9", "203.0.113.7"),     # a chain of trusted proxies
    ("203.0.113.7:4711", "203.0.113.7"),
    ("2001:db8::1", "2001:db8::1"),
    ("[2001:db8::1]:4711", "2001:db8::1"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
])
def test_F1_F2_trusted_proxy_says_whose_request_it_is(gates, default_app, forwarded, seen):
    answer = ask(gates, "/check/proxied", gates.bearer(default_app), X_Forwarded_For=forwarded)
    assert answer.status == 200
    assert f'for="{seen}"' in log_line(gates, answer)


@pytest.mark.parametrize("forwarded", ["unknown", "203.0.113.7, _hidden", "010.0.0.1",
                                       "203.0.113.7,", '"203.0.113.7"', "127.0.0.1"])
def test_F1_what_is_no_address_of_a_client_is_nobody(gates, default_app, forwarded):
    answer = ask(gates, "/check/proxied", gates.bearer(default_app), X_Forwarded_For=forwarded)
    assert answer.status == 200
    assert 'for="local"' in log_line(gates, answer)


def test_F1_untrusted_peer_is_not_believed(gates, default_app):
    answer = ask(gates, "/check", gates.bearer(default_app), X_Forwarded_For="203.0.113.7")
    assert answer.status == 200
    assert "203.0.113.7" not in log_line(gates, answer)


def test_refusal_names_the_source_line_that_decided(gates, default_app):
    lesser = gates.bearer(default_app, scope="other")
    line = refusal_line(gates, lambda: ask(gates, "/check/sms", lesser))
    assert "error=TOKEN_SCOPE at=gate.c line=" in line
    line = refusal_line(gates, lambda: ask(gates, "/check/sms", "tlt_nonsense"))
    assert "error=TOKEN_MALFORMED at=reference.c line=" in line  # the last format that looked


def test_B13_secret_in_the_place_of_the_id_is_not_logged(gates, default_app):
    for form, auth in (({}, (default_app.secret, default_app.id)),
                       ({"client_id": default_app.secret, "client_secret": default_app.id}, None)):
        from instance import basic
        headers = {"Authorization": basic(*auth)} if auth else {}
        answer = gates.form("/oauth/token", {"grant_type": "client_credentials", **form},
                            headers=headers)
        assert answer.status == 401
        assert "unknown_client_of_bytes=" in log_line(gates, answer)
    assert default_app.secret not in gates.stderr()
