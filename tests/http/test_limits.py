# SPDX-License-Identifier: Apache-2.0
"""Limits: failures of client authentication, slow hashes, budgets. Rows B1, B2, B15, G6."""
import concurrent.futures
import contextlib
import http.client
import os
import re
import select
import threading
import time
import urllib.parse

import pytest

from instance import PATIENCE, Answer, Application, basic, unread, until
from test_health_metrics import figures

FORM = "application/x-www-form-urlencoded"
FAILURES = b"too many failures of authentication"
NO_LIMIT = "failures_per_address: none\nfailures_per_client: none\n"


@pytest.fixture
def limited(make_server, tmp_path):
    """A server with these options; the periods of a day make tests independent of their speed."""
    def limited(options, **more):
        config = tmp_path / "limits.yaml"
        config.write_text(options)
        return make_server(config=config, **more).start()

    return limited


@contextlib.contextmanager
def one_core():
    """The pool of a server that is started meanwhile has one thread."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def fill(server, submit):
    """Every place of the pool: its thread holds the first, and nobody leaves the line, so once it
    has refused one it refuses all."""
    found = [submit(0)]
    server.hooks.await_waiting("slow.hash")
    found += [submit(i) for i in range(1, 40)]
    until(lambda: any(answer.done() for answer in found), "a full line")
    return found


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
    assert ask(server, "unknown", "wrong").status == 429
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
    server = limited("failures_per_address: 3/1d\nlisten:\n  - address: 127.0.0.1:0\n"
                     "    trusted_proxies: [127.0.0.1]\n", listen=())
    assert statuses(server, 5, "nobody", headers={"X-Forwarded-For": "203.0.113.5"}) \
        == [401] * 3 + [429] * 2
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "203.0.113.6"}) == [401]
    # IPv6 by its /64.
    for i in range(3):
        headers = {"X-Forwarded-For": f"2001:db8::{i}"}
        assert statuses(server, 1, "nobody", headers=headers) == [401]
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "2001:db8::9"}) == [429]
    assert statuses(server, 1, "nobody", headers={"X-Forwarded-For": "2001:db8:0:1::9"}) == [401]


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


# ------------------------------------------------------------------ slow hashes
def test_slow_hashes_ask_their_limit_first(limited):
    server = limited("workers: 1\nslow_hashes_per_client: 3/1d\n" + NO_LIMIT)
    app = server.app(secret="short-secret")
    assert ask(server, app.id, app.secret).status == 200
    found = [ask(server, app.id, f"wrong-{i}") for i in range(5)]
    assert [answer.status for answer in found] == [401, 401, 401, 429, 429]
    assert FAILURES in found[-1].body and int(found[-1].headers["Retry-After"]) > 28000
    # What was right was given back and is not hashed again; elsewhere there is another limit.
    assert ask(server, app.id, app.secret).status == 200
    assert ask(server, app.id, "wrong-9", source="127.0.0.2").status == 401
    assert figures(server)['twoleg_limited_total{limit="slow_hashes_per_client"}'] == 2


class Guessed:
    """Something that a slow hash guards, in use at 127.0.0.1."""
    right = "short-secret"

    def __init__(self, limited, options="", workers=1):
        self.server = limited(f"workers: {workers}\npassword_grant: true\n{NO_LIMIT}{options}")
        self.make()

    def make(self):
        self.app = self.server.app(secret=self.right)

    def send(self, connection, secret):
        connection.request("POST", "/oauth/token", "grant_type=client_credentials",
                           {"Content-Type": FORM, "Authorization": basic(self.app.id, secret)})

    def open(self, last):
        return http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE,
                                          source_address=(f"127.0.0.{last}", 0))

    def at(self, last, secret):
        with contextlib.closing(self.open(last)) as connection:
            self.send(connection, secret)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    @contextlib.contextmanager
    def connections(self, last, count):
        """So many, which are spread over all workers."""
        with contextlib.ExitStack() as stack:
            found = [stack.enter_context(contextlib.closing(self.open(last)))
                     for _ in range(count)]
            for connection in found:
                connection.connect()
            yield found

    def statuses(self, last, *secrets):
        return [self.at(last, secret).status for secret in secrets]

    def same(self, last, *secrets):
        """The one status that all of these get, in the same bytes."""
        shapes = [shape(self.at(last, secret)) for secret in secrets]
        assert all(each == shapes[0] for each in shapes), shapes
        return shapes[0][0]

    def change(self, right):
        self.server.remove_secret(self.app)
        self.server.cli("secret", "add", self.app.id, "--client-secret-file", "-", input=right)
        self.right = right


class GuessedUser(Guessed):
    """Through an application whose own secret is compared slowly, too: it is right each time."""

    def make(self):
        self.app = self.server.app(name="of users", grants="password", secret="brought-secret")
        self.server.cli("user", "add", "somebody", "--password-file", "-", input=self.right)

    def send(self, connection, secret):
        connection.request("POST", "/oauth/token", urllib.parse.urlencode(
            {"grant_type": "password", "username": "somebody", "password": secret}),
            {"Content-Type": FORM, "Authorization": basic(self.app.id, self.app.secret)})

    def change(self, right):
        self.server.cli("user", "passwd", "somebody", "--password-file", "-", "--yes", input=right)
        self.right = right


LOW = "slow_hashes_per_client: 4/1d\npasswords_per_user: 4/1d\n"
GUESSED = pytest.mark.parametrize("kind, wrong", [(Guessed, 401), (GuessedUser, 400)])


@GUESSED
def test_B1_no_more_guesses_are_answered_than_are_compared(limited, kind, wrong):
    """At an address where the right one was not lately: that it is known is told to nobody there,
    nor what others tried, and who uses it elsewhere goes on."""
    guessed = kind(limited, LOW)
    assert guessed.statuses(1, guessed.right, "typo") == [200, wrong]
    assert guessed.statuses(2, *"abcd") == [wrong] * 4
    assert guessed.same(2, "e", guessed.right, "typo", guessed.right) == 429
    assert guessed.statuses(2, *map(str, range(100))) == [429] * 100
    assert guessed.same(2, "e", guessed.right) == 429
    assert guessed.statuses(1, guessed.right) == [200]
    assert guessed.statuses(3, guessed.right) == [200]


@GUESSED
def test_B1_where_it_is_in_use_ten_times_as_many_guesses_are_answered(limited, kind, wrong):
    guessed = kind(limited, LOW)
    assert guessed.statuses(1, guessed.right) == [200]
    for _ in range(30):  # the same guess again is none
        assert guessed.statuses(1, "a", guessed.right) == [wrong, 200]
    assert guessed.statuses(1, *"bcd") == [wrong] * 3
    for i in range(35):
        assert guessed.statuses(1, str(i), guessed.right) == [429, 200]
    assert guessed.statuses(1, "a") == [wrong]  # is known, too
    assert guessed.same(1, "40th", guessed.right, "a", "41st") == 429
    assert guessed.statuses(2, guessed.right) == [200]


@pytest.mark.hooks
@GUESSED
def test_B1_where_it_is_in_use_a_full_pool_answers_no_more_guesses(limited, kind, wrong):
    """What the pool has no place for is as good as wrong, to who sees that a right one passes."""
    with one_core():
        guessed = kind(limited, LOW.replace("4", "18"))
    assert guessed.statuses(1, guessed.right) == [200]
    guessed.server.hooks.hold("slow.hash")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        try:
            first = fill(guessed.server, lambda i: pool.submit(guessed.at, 1, f"first-{i}"))
            assert guessed.statuses(1, "one-more", guessed.right) == [503, 200]
            assert set(guessed.statuses(1, *map(str, range(180)))) == {503}
            assert guessed.same(1, "another", guessed.right) == 503
        finally:
            guessed.server.hooks.release("slow.hash")
        assert {answer.result().status for answer in first} <= {wrong, 503}
    assert guessed.statuses(1, guessed.right) == [200]


@GUESSED
def test_B1_who_is_right_takes_nothing_of_the_limit(limited, kind, wrong):
    """Each time it is compared, as after a change."""
    guessed = kind(limited, LOW)
    for i in range(8):
        guessed.change(f"short-secret-{i}")
        assert guessed.statuses(1, guessed.right, guessed.right) == [200, 200]
    assert guessed.statuses(1, *"abcde") == [wrong] * 4 + [429]


def answers(connections):
    found = [connection.getresponse() for connection in connections]
    for answer in found:
        answer.read()
    return [answer.status for answer in found]


def answered(connections):
    """Those to which something has come."""
    ready = select.select([each.sock for each in connections], [], [], 0)[0]
    return [each for each in connections if each.sock in ready]


@pytest.mark.hooks
@GUESSED
def test_B1_a_right_one_that_comes_to_all_workers_at_once_is_compared_once(limited, kind, wrong):
    """As after a restart; more of them than may be compared in days."""
    guessed = kind(limited, LOW.replace("4", "2"), workers=8)
    guessed.server.restart()
    with guessed.connections(1, 48) as connections:
        guessed.server.hooks.hold("slow.hash")
        try:
            for connection in connections:
                guessed.send(connection, guessed.right)
            until(lambda: not unread([each.sock for each in connections]), "them being read")
            guessed.server.hooks.await_waiting("slow.hash")
        finally:
            guessed.server.hooks.release("slow.hash")
        assert set(answers(connections)) == {200}
    assert guessed.statuses(1, *"abc") == [wrong, wrong, 429]
    assert guessed.statuses(1, guessed.right) == [200]


@GUESSED
def test_B1_the_same_guess_is_none_at_any_worker(limited, kind, wrong):
    """At the limit each of them is refused again and again, and who is right goes on."""
    guessed = kind(limited, LOW, workers=4)
    assert guessed.statuses(1, guessed.right, *"abcd") == [200] + [wrong] * 4
    with guessed.connections(1, 8) as connections:
        for i in range(35):
            for connection in connections:
                guessed.send(connection, f"guess {i}")
            assert set(answers(connections)) == {429}
        assert guessed.statuses(1, guessed.right) == [200]
        assert guessed.statuses(1, "40th", guessed.right) == [429, 429]


@pytest.mark.hooks
@GUESSED
def test_B1_too_many_that_wait_for_one_comparison_are_told_to_come_again(limited, kind, wrong):
    guessed = kind(limited, LOW)
    guessed.server.hooks.hold("slow.hash")
    with guessed.connections(1, 70) as connections:
        try:
            for connection in connections:
                guessed.send(connection, guessed.right)
            until(lambda: len(answered(connections)) >= 6, "six answers")
            refused = answered(connections)
            assert answers(refused) == [503] * 6
        finally:
            guessed.server.hooks.release("slow.hash")
        assert answers([each for each in connections if each not in refused]) == [200] * 64
    assert guessed.statuses(1, guessed.right, *"abcde") == [200] + [wrong] * 4 + [429]


def test_B2_a_right_password_of_who_is_disabled_takes_what_a_wrong_one_takes(limited):
    guessed = GuessedUser(limited, LOW)
    guessed.server.cli("user", "disable", "somebody", "--yes")
    assert guessed.statuses(1, guessed.right, *"abcd") == [400] * 4 + [429]


@pytest.mark.hooks
def test_B1_what_was_not_compared_is_not_counted(limited):
    """Places for slow hashes are full of guesses at others, refused for that or late: neither takes
    anything from what may be compared for this user, or of this client's secret."""
    with one_core():
        server = limited("password_grant: true\nworkers: 1\n" + NO_LIMIT +
                         "passwords_per_user: 5/1h\nslow_hashes_per_client: 5/1h\n"
                         "listen: [{address: '127.0.0.1:0', trusted_proxies: [127.0.0.1]}]\n",
                         listen=())
    app = server.app(name="a", grants="password")
    brought = server.app(name="b", secret="short-secret")
    other = server.app(name="c", grants="password")
    server.cli("user", "add", "right", "--password-file", "-", input="correct horse battery")

    def at(address, app, fields):
        return server.form("/oauth/token", fields, app, headers={"X-Forwarded-For": address})

    def login(address, password="correct horse battery"):
        return at(address, app, {"grant_type": "password", "username": "right",
                                 "password": password}).status

    def right(address):
        return [login(address), at(address, brought, {"grant_type": "client_credentials"}).status]

    def hashes():
        return figures(server)["twoleg_password_hashes_total"]
    server.hooks.hold("slow.hash")
    crowded = []
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        try:
            fill(server, lambda i: pool.submit(at, "192.0.2.1", other, {
                "grant_type": "password", "username": f"somebody {i}", "password": "wrong"}))
            for _ in range(6):
                crowded += right("192.0.2.1")
            begun = hashes() + 5
            late = [pool.submit(login, "192.0.2.2", f"wrong {i}") for i in range(5)]
            until(lambda: hashes() == begun, "five in the line")
            server.hooks.clock(11)  # more than their second
        finally:
            server.hooks.release("slow.hash")
    assert crowded == [503] * 12 and [answer.result() for answer in late] == [503] * 5
    assert right("192.0.2.1") == right("192.0.2.2") == [200, 200]


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
