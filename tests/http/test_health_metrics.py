# SPDX-License-Identifier: Apache-2.0
"""/healthz, /readyz, /metrics."""
import re
import secrets

import pytest

from instance import basic, token_request, until


def figures(server):
    answer = server.get("/metrics")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    found = {}
    for line in answer.text.splitlines():
        if line and not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert series not in found, series
            found[series] = float(value)
    return found


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health(server, path):
    assert server.get(path).status == 200
    assert server.request("HEAD", path).status == 200
    assert server.request("POST", path, "x").status == 405


def test_metrics_are_prometheus_text(server):
    for line in server.get("/metrics").text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) twoleg_[a-z0-9_]+ .+|"
                            r"(twoleg|process)_[a-z0-9_]+"
                            r"(\{[a-z]+=\"[^\"]*\"(,[a-z]+=\"[^\"]*\")*\})? "
                            r"[-+0-9.eE]+", line), line


def test_metrics_count(server, app):
    before = figures(server)
    server.token(app)
    server.check(server.bearer(app))
    after = figures(server)
    name = 'twoleg_tokens_issued_total{format="jwt"}'
    assert after[name] == before[name] + 2
    name = 'twoleg_checks_total{answer="200"}'
    assert after[name] == before[name] + 1


def test_F9_series_are_bounded_whatever_clients_send(server, app):
    """CVE-2026-16100: a label made from the attacker's text."""
    before = set(figures(server))
    for _ in range(150):
        word = secrets.token_hex(6)
        server.form("/oauth/token", {"grant_type": word, "scope": word},
                    headers={"Authorization": basic(word, word), "User-Agent": word})
        server.get("/" + word)
        server.check(word, "?scope=" + word)
    assert set(figures(server)) == before


def test_metrics_name_no_client(server, app):
    server.token(app)
    assert app.id not in server.get("/metrics").text


def test_not_ready_while_draining_and_after_it_gone(make_server):
    server = make_server().start()
    assert server.get("/readyz").status == 200
    server.stop()
    with pytest.raises(OSError):
        server.connect()


@pytest.mark.hooks
def test_the_status_is_ready_when_readyz_is(own_server):
    server = own_server
    for step, ready in ((0, True), (-120, False), (0, True)):
        server.hooks.step(step)
        answer = server.get("/readyz")
        assert (answer.status, answer.headers["Retry-After"]) == \
            ((200, None) if ready else (503, "1"))
        assert server.cli("status", "--json")["ready"] is ready


@pytest.mark.hooks
def test_a_load_counts_once_however_many_wait_for_it(own_server):
    server, opened = own_server, "twoleg_connections_opened_total"
    app = server.app(name="a")
    server.restart()  # no application is loaded
    before = figures(server)
    server.hooks.hold("registry.loaded")
    with server.connect() as one, server.connect() as two:
        try:
            one.sendall(token_request(app))
            server.hooks.await_waiting("registry.loaded")
            two.sendall(token_request(app))
            until(lambda: figures(server)[opened] >= before[opened] + 2, "the second")
        finally:
            server.hooks.release("registry.loaded")
        for sock in (one, two):
            assert b" 200 " in sock.recv(65536)
    name = "twoleg_application_loads_total"
    assert figures(server)[name] == before[name] + 1
