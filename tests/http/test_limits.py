# SPDX-License-Identifier: Apache-2.0
"""Limits: failures of client authentication, budgets. Rows B1, B2, B15, G6."""
import concurrent.futures
import http.client
import re
import threading
import time

import pytest

from instance import PATIENCE, Answer, Application, basic, until
from test_gate_named import log_line
from test_health_metrics import figures

FORM = "application/x-www-form-urlencoded"
FAILURES = b"too many failures of authentication"
PROXIED = "listen:\n  - address: 127.0.0.1:0\n    trusted_proxies: [127.0.0.1]\n"


@pytest.fixture
def limited(make_server, tmp_path):
    """A server with these options; the periods of a day make tests independent of their speed."""
    def limited(options, **more):
        config = tmp_path / "limits.yaml"
        config.write_text(options)
        return make_server(config=config, **more).start()

    return limited


def ask(server, client_id, secret, source="127.0.0.1", path="/oauth/token", headers=None):
    """One request on a connection of its own, from this address."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE,
                                            source_address=(source, 0))
    try:
        connection.request("POST", path, "grant_type=client_credentials&token=x",
                           {"Content-Type": FORM, "Authorization": basic(client_id, secret),
                            **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


def statuses(server, count, client_id, secret="wrong", **options):
    return [ask(server, client_id, secret, **options).status for _ in range(count)]


def shape(answer):
    """What must not differ: all but the time and the request's own number."""
    headers = [(name, "N" if name in ("Date", "X-Request-Id", "Retry-After") else value)
               for name, value in answer.headers.items()]
    return answer.status, headers, answer.body


# ------------------------------------------------------------------ failures
def test_B1_failures_of_one_address_are_limited_and_the_right_secret_is_served(limited):
    server = limited("failures_per_client: 5/1d\n")
    app = server.app()
    assert statuses(server, 8, app.id) == [401] * 5 + [429] * 3
    assert statuses(server, 20, app.id, app.secret) == [200] * 20
    assert statuses(server, 1, app.id) == [429]
    name = 'twoleg_limited_total{limit="failures_per_client"}'
    assert figures(server)[name] == 4
    assert server.cli("status", "--json")["failures_limited"] == 4


def test_B1_many_addresses_against_one_client(limited):
    """No lock-out by somebody else's guesses, and each guesser is limited by itself."""
    server = limited("failures_per_client: 3/1d\nfailures_per_address: 10/1d\n")
    app = server.app()
    for i in range(2, 42):
        assert statuses(server, 5, app.id, source=f"127.0.0.{i}") == [401] * 3 + [429] * 2
    assert statuses(server, 3, app.id, app.secret) == [200] * 3
    assert statuses(server, 3, app.id, app.secret, source="127.0.0.7") == [200] * 3


def test_B1_one_address_against_many_clients(limited):
    server = limited("failures_per_address: 10/1d\n")
    apps = [server.app(name=f"app {i}") for i in range(4)]
    found = [ask(server, apps[i % 4].id, "wrong").status for i in range(14)]
    assert found == [401] * 10 + [429] * 4
    unknown = ask(server, "unknown", "wrong")
    assert unknown.status == 429
    # A tenth of a day: it is the address that must wait, for no client has failed too often.
    assert 3600 < int(unknown.headers["Retry-After"]) <= 8640
    assert ask(server, "unknown", "wrong", source="127.0.0.2").status == 401
    assert ask(server, apps[0].id, apps[0].secret).status == 200


def test_B1_the_bytes_of_a_429(limited):
    server = limited("failures_per_client: 1/1h\n")
    app = server.app()
    began = time.monotonic()
    ask(server, app.id, "wrong")
    answer = ask(server, app.id, "wrong")
    took = int(time.monotonic() - began) + 1
    assert answer.status == 429
    assert answer.body == (b'{"error":"temporarily_unavailable","error_description":"'
                           + FAILURES + b'"}')
    assert 3600 - took <= int(answer.headers["Retry-After"]) <= 3600
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["WWW-Authenticate"] is None


@pytest.mark.parametrize("options", ["failures_per_client: 4/1d\n", "failures_per_address: 4/1d\n"])
def test_B2_unknown_id_and_wrong_secret_meet_the_same_limit_with_the_same_bytes(limited, options):
    server = limited(options)
    app, disabled = server.app(), server.app()
    server.act("disable", disabled)
    known = [shape(ask(server, app.id, "w", source="127.0.0.2")) for _ in range(7)]
    unknown = [shape(ask(server, "x" * len(app.id), "w", source="127.0.0.3")) for _ in range(7)]
    off = [shape(ask(server, disabled.id, disabled.secret, source="127.0.0.4")) for _ in range(7)]
    assert known == unknown == off
    assert [status for status, _, _ in known] == [401] * 4 + [429] * 3


@pytest.mark.parametrize("exists", [True, False])
def test_B1_another_spelling_of_the_id_is_the_same_client(limited, exists):
    server = limited("failures_per_client: 3/1d\n")
    client_id = server.app().id if exists else "nobody"
    spelt = "".join(f"%{ord(c):02x}" for c in client_id)
    found = []
    for i in range(6):
        body = "grant_type=client_credentials&client_secret=w&client_id="
        body += (client_id, spelt)[i % 2]
        found.append(server.request("POST", "/oauth/token", body, {"Content-Type": FORM}).status)
    assert found == [401] * 3 + [429] * 3
    assert ask(server, client_id, "w").status == 429  # Basic, as another method


def test_B1_introspection_and_revocation_share_the_limit(limited):
    server = limited("failures_per_client: 6/1d\n")
    caller = server.app(resource_server=True)
    for path in ("/oauth/introspect", "/oauth/revoke", "/oauth/token"):
        assert statuses(server, 2, caller.id, path=path) == [401] * 2
    for path in ("/oauth/introspect", "/oauth/revoke", "/oauth/token"):
        assert statuses(server, 1, caller.id, path=path) == [429]
        assert statuses(server, 1, caller.id, caller.secret, path=path) == [200]


def test_B1_requests_without_credentials_are_no_guesses(limited):
    server = limited("failures_per_address: 2/1d\nfailures_per_client: 2/1d\n")
    for _ in range(5):
        assert server.token(None).status == 401
    assert statuses(server, 3, "nobody") == [401, 401, 429]


def test_B1_behind_a_proxy_each_client_has_its_own_limit(limited):
    server = limited(PROXIED + "failures_per_address: 3/1d\n", listen=())
    assert statuses(server, 5, "nobody", headers={"X-Forwarded-For": "203.0.113.5"}) \
        == [401] * 3 + [429] * 2
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "203.0.113.6"}) == [401]
    # IPv6 by its /64.
    for i in range(3):
        headers = {"X-Forwarded-For": f"2001:db8::{i}"}
        assert statuses(server, 1, "nobody", headers=headers) == [401]
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "2001:db8::9"}) == [429]
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "2001:db8:0:1::9"}) == [401]


@pytest.mark.parametrize("forwarded, charged", [
    ("198.51.100.1, 203.0.113.5", "203.0.113.5"),  # the left one is the client's own word
    ("2001:db8::9", "2001:db8::9"),
    ("unknown", "local"),  # all whom the proxy does not name share one limit
    (None, "local")])
def test_B1_behind_a_proxy_the_line_names_who_is_charged(limited, forwarded, charged):
    server = limited(PROXIED + "failures_per_address: 2/1d\n", listen=())
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    paths = ("/oauth/introspect", "/oauth/revoke", "/oauth/token")
    answers = [ask(server, "nobody", "wrong", path=path, headers=headers) for path in paths]
    assert [answer.status for answer in answers] == [401, 401, 429]
    for answer in answers:
        assert f' peer="127.0.0.1" for="{charged}" ' in log_line(server, answer)


def test_B1_a_peer_that_is_no_proxy_names_nobody(limited):
    server = limited("")
    line = log_line(server, ask(server, "nobody", "w", headers={"X-Forwarded-For": "203.0.113.5"}))
    assert ' peer="127.0.0.1" ' in line and " for=" not in line


def test_a_secret_was_last_used_by_the_client_not_by_its_proxy(limited):
    server = limited(PROXIED, listen=())
    app = server.app()
    headers = {"X-Forwarded-For": "203.0.113.5"}
    assert statuses(server, 1, app.id, app.secret, headers=headers) == [200]
    until(lambda: server.secrets(app)[0].get("used_count"), "the flush of what was used last")
    assert server.secrets(app)[0]["used_address"] == "203.0.113.5"
    assert "203.0.113.5" in server.cli("secret", "list", app.id)


def test_B15_a_flood_of_ids_resets_no_limit(limited):
    server = limited("failures_per_client: 2/1d\nfailures_per_address: 1000000/1d\n")
    app = server.app()
    assert statuses(server, 3, app.id) == [401, 401, 429]
    for i in range(1000):
        nobody = Application({"client_id": f"id{i}", "client_secret": "w"})
        assert server.token(nobody).status == 401
    assert statuses(server, 1, app.id) == [429]
    assert statuses(server, 1, app.id, app.secret) == [200]


def test_G6_parallel_failures_overshoot_by_no_more_than_the_workers(limited):
    server = limited("workers: 4\nfailures_per_client: 20/1d\n")
    app = server.app()
    found = []
    threads = [threading.Thread(target=lambda: found.extend(statuses(server, 6, app.id)))
               for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {401, 429}
    assert 20 <= found.count(401) <= 20 + 4


@pytest.mark.hooks
def test_B1_recovery_by_the_time_that_passes(limited):
    server = limited("failures_per_client: 6/1h\n")
    app = server.app()
    assert statuses(server, 7, app.id) == [401] * 6 + [429]
    server.hooks.clock(590)
    assert statuses(server, 1, app.id) == [429]
    server.hooks.clock(620)
    assert statuses(server, 2, app.id) == [401, 429]
    server.hooks.clock(3 * 3600)
    assert statuses(server, 7, app.id) == [401] * 6 + [429]


@pytest.mark.hooks
@pytest.mark.parametrize("step", [7200, -7200])
def test_B1_a_wall_clock_that_is_set_changes_no_limit(limited, step):
    server = limited("failures_per_client: 2/1h\n")
    app = server.app()
    assert statuses(server, 3, app.id) == [401, 401, 429]
    server.hooks.step(step)
    answer = ask(server, app.id, "wrong")
    assert answer.status == 429 and int(answer.headers["Retry-After"]) <= 1800


# ------------------------------------------------------------------ budgets
def test_budget_per_application(limited):
    server = limited("budget: 3/1d\n")
    app, other = server.app(resource_server=True), server.app()
    found = [ask(server, app.id, app.secret) for _ in range(5)]
    assert [answer.status for answer in found] == [200] * 3 + [429] * 2
    assert found[-1].body == (b'{"error":"temporarily_unavailable","error_description":"'
                              b"the application's budget is used up; keep tokens until they expire"
                              b'"}')
    assert 28000 < int(found[-1].headers["Retry-After"]) <= 28800
    assert ask(server, other.id, other.secret).status == 200
    # Tokens are what it is about: asking for nothing, or about tokens, costs none.
    assert ask(server, app.id, app.secret, path="/oauth/introspect").status == 200
    assert ask(server, app.id, "wrong").status == 401
    assert figures(server)['twoleg_limited_total{limit="budget"}'] == 2
    assert server.cli("status", "--json")["budget_limited"] == 2


def test_budget_is_not_charged_for_refusals(limited):
    server = limited("budget: 2/1d\n")
    app = server.app(scope="alpha")
    for _ in range(5):
        assert server.token(app, scope="beta").error == "invalid_scope"
    assert [server.token(app).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.hooks
def test_budget_is_not_charged_for_what_there_was_no_place_for(limited):
    """Whoever comes again as a 503 says gets its tokens when there is a place."""
    server = limited("workers: 1\nmax_waiting: 1\nbudget: 2/1d\n")
    app, other = server.app(token_format="reference"), server.app(token_format="reference")
    assert server.token(app, scope="none-such").status == 400  # loaded
    server.hooks.hold("store.before_commit")
    try:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(ask, server, other.id, other.secret)
            server.hooks.await_waiting("store.before_commit")
            assert {server.token(app).status for _ in range(8)} == {503}
            server.hooks.release("store.before_commit")
            assert waiting.result().status == 200
    finally:
        server.hooks.release("store.before_commit")
    assert [server.token(app).status for _ in range(4)] == [200, 200, 429, 429]


@pytest.mark.hooks
def test_budget_is_not_charged_for_what_the_server_could_not_end(limited):
    """Charged, then parked; and when its token's row is there, the clock is behind."""
    server = limited("workers: 1\nbudget: 2/1d\n")
    app = server.app(token_format="reference")
    try:
        server.hooks.hold("housekeeper.turn")  # which writes, too
        server.hooks.await_waiting("housekeeper.turn")
        server.hooks.hold("store.before_commit")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(server.token, app)
            server.hooks.await_waiting("store.before_commit")
            server.hooks.step(-90)
            server.hooks.release("store.before_commit")
            assert waiting.result().status == 503
    finally:
        server.hooks.release("store.before_commit")
        server.hooks.release("housekeeper.turn")
    server.hooks.step(0)
    until(lambda: server.get("/readyz").status == 200, "the clock being good")
    assert [server.token(app).status for _ in range(3)] == [200, 200, 429]


def test_budget_with_a_burst(limited):
    server = limited("budget: 86400/1d:3\n")
    app = server.app()
    began = time.monotonic()
    found = [server.token(app).status for _ in range(20)]
    assert found[:3] == [200] * 3
    assert 3 <= found.count(200) <= 4 + time.monotonic() - began


def test_budget_that_is_only_observed_refuses_nobody(limited):
    server = limited("budget: 3/1d\nbudget_observe: true\n")
    app = server.app()
    assert [server.token(app).status for _ in range(30)] == [200] * 30
    counted = figures(server)
    assert counted['twoleg_limited_total{limit="budget_observed"}'] == 27
    assert counted['twoleg_limited_total{limit="budget"}'] == 0
    assert server.cli("status", "--json")["budget_observed"] == 27
    server.stop()
    lines = [line for line in server.stderr().splitlines() if re.search(r"\bobserved\b", line)]
    assert 1 <= len(lines) <= 27 and all("BUDGET" in line and app.id in line for line in lines)


@pytest.mark.hooks
def test_budget_comes_back_with_time(limited):
    server = limited("budget: 4/1h\n")
    app = server.app()
    assert [server.token(app).status for _ in range(5)] == [200] * 4 + [429]
    server.hooks.clock(910)
    assert [server.token(app).status for _ in range(2)] == [200, 429]


def test_limits_are_charged_once_however_often_a_handler_runs(limited):
    """After a restart the application is loaded, then a slow hash is computed: three runs."""
    server = limited("workers: 1\nbudget: 2/1d\nfailures_per_client: 2/1d\n")
    app = server.app(secret="short-secret")
    server.restart()
    assert [ask(server, app.id, app.secret).status for _ in range(3)] == [200, 200, 429]
    server.restart()
    assert [ask(server, app.id, f"wrong-{i}").status for i in range(3)] == [401, 401, 429]


# ------------------------------------------------------------------ requests in flight
@pytest.mark.hooks
def test_requests_in_flight_are_capped(limited):
    server = limited("workers: 1\nmax_waiting: 1\n")
    app = server.app()
    tokens = [server.bearer(app) for _ in range(2)]
    server.hooks.hold("store.before_commit")
    try:
        waiting = threading.Thread(target=server.revoke, args=(app, tokens[0]))
        waiting.start()
        server.hooks.await_waiting("store.before_commit")
        answer = server.revoke(app, tokens[1])
    finally:
        server.hooks.release("store.before_commit")
    waiting.join()
    assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1
    named = re.compile(r"error=OVERLOADED at=\w+\.c line=\d+ cap=max_waiting")
    until(lambda: named.search(server.stderr()), "a line that names the cap")
    assert 'twoleg_overloaded_total{cap="max_waiting"} 1' in server.get("/metrics").text
    assert server.check(tokens[0]).status == 401
    assert server.revoke(app, tokens[1]).status == 200


# ------------------------------------------------------------------ configuration
@pytest.mark.parametrize("value", ["5", "5/", "0/1m", "5/1q", "-1/1m", "5/2d", "5/1m:0", "many"])
def test_a_rate_that_is_none_is_refused_by_its_line(make_server, tmp_path, value):
    config = tmp_path / "bad.yaml"
    config.write_text(f"budget: {value}\n")
    status, words = make_server(config=config).refused()
    assert status != 0 and "bad.yaml:1:" in words and "budget" in words, words


def test_rates_are_shown_as_they_are_written(limited):
    server = limited("budget: 100/60s:20\nfailures_per_client: none\n")
    shown = server.cli("config", "show", "--config", server.config)
    assert re.search(r"^budget: 100/1m:20\b", shown, re.M), shown
    assert re.search(r"^failures_per_client: none\b", shown, re.M), shown
    assert re.search(r"^failures_per_address: 100/1m\b", shown, re.M), shown
