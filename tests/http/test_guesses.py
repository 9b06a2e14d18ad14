# SPDX-License-Identifier: Apache-2.0
"""Guesses at what a slow hash guards: brought secrets, users' passwords. Rows B1, B2."""
import concurrent.futures
import contextlib
import http.client
import os
import select
import urllib.parse

import pytest

from instance import PATIENCE, Answer, basic, insist, unread, until
from test_connections import reset
from test_health_metrics import figures
from test_limits import FAILURES, FORM, ask, limited, shape  # noqa: F401 the fixture

NO_LIMIT = "failures_per_address: none\nfailures_per_client: none\n"


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


def test_slow_hashes_ask_their_limit_first(limited):
    server = limited("workers: 1\nslow_hashes_per_client: 3/1d\n" + NO_LIMIT)
    app = server.app(secret="short-secret")
    assert insist(lambda: ask(server, app.id, app.secret)).status == 200
    found = [insist(lambda guess=f"wrong-{i}": ask(server, app.id, guess)) for i in range(5)]
    assert [answer.status for answer in found] == [401, 401, 401, 429, 429]
    assert FAILURES in found[-1].body and int(found[-1].headers["Retry-After"]) > 28000
    # What was right was given back and is not hashed again; elsewhere there is another limit.
    assert ask(server, app.id, app.secret).status == 200
    assert insist(lambda: ask(server, app.id, "wrong-9", source="127.0.0.2")).status == 401
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
        return [insist(lambda guess=secret: self.at(last, guess)).status for secret in secrets]

    def tries(self, last, *secrets):
        """Likewise, where there may be no place on the pool."""
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
    name = "somebody"

    def make(self):
        self.app = self.server.app(name="of users", grants="password", secret="brought-secret")
        self.server.cli("user", "add", "somebody", "--password-file", "-", input=self.right)

    def send(self, connection, secret):
        connection.request("POST", "/oauth/token", urllib.parse.urlencode(
            {"grant_type": "password", "username": self.name, "password": secret}),
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
            assert guessed.tries(1, "one-more", guessed.right) == [503, 200]
            assert set(guessed.tries(1, *map(str, range(180)))) == {503}
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
        assert set(answers(connections)) <= {200, 503}  # late, on a machine without time
    assert guessed.statuses(1, guessed.right, *"abc") == [200, wrong, wrong, 429]
    assert guessed.statuses(1, guessed.right) == [200]


@pytest.mark.hooks
@GUESSED
def test_B1_while_others_may_be_right_the_next_comes_again_soon(limited, kind, wrong):
    """What these took may be given back in a moment; what wrong ones took comes back with time."""
    guessed = kind(limited, LOW.replace("4", "2"))
    assert guessed.statuses(1, "") == [wrong]  # none; the client of users is known from now on
    with guessed.connections(1, 2) as connections:
        guessed.server.hooks.hold("slow.hash")
        try:
            guessed.send(connections[0], guessed.right)
            guessed.server.hooks.await_waiting("slow.hash")
            guessed.send(connections[1], "a")
            until(lambda: not unread([connections[1].sock]), "it being read")
            answer = guessed.at(1, "b")
            assert answer.status == 429 and answer.headers["Retry-After"] == "1"
        finally:
            guessed.server.hooks.release("slow.hash")
        assert set(answers(connections)) <= {200, wrong, 503}
    assert guessed.statuses(1, guessed.right, *"abc") == [200, wrong, wrong, 429]
    assert int(guessed.at(1, "c").headers["Retry-After"]) > 40000


@pytest.mark.hooks
def test_B1_anothers_comparison_brings_a_used_up_name_no_sooner_back(limited):
    guessed = GuessedUser(limited, LOW.replace("4", "2"))
    assert guessed.statuses(1, "") == [400]  # none; the client is known from now on
    guessed.name = "ann"
    assert guessed.statuses(1, *"abc") == [400, 400, 429]
    with guessed.connections(1, 1) as connections:
        guessed.server.hooks.hold("slow.hash")
        try:
            guessed.name = "bob"
            guessed.send(connections[0], "a")
            guessed.server.hooks.await_waiting("slow.hash")
            guessed.name = "ann"
            answer = guessed.at(1, "c")
            assert answer.status == 429 and int(answer.headers["Retry-After"]) > 40000
        finally:
            guessed.server.hooks.release("slow.hash")
        assert set(answers(connections)) <= {400, 503}


def alive(server):
    """Connections."""
    found = figures(server)
    return found["twoleg_connections_opened_total"] - found["twoleg_connections_closed_total"]


@pytest.mark.hooks
@GUESSED
def test_B1_who_is_right_takes_nothing_when_the_first_who_asked_has_left(limited, kind, wrong):
    """It comes again, and finds what came of its own question."""
    guessed = kind(limited, LOW)
    assert guessed.statuses(1, "") == [wrong]  # none; the client of users is known from now on
    others = alive(guessed.server)
    with guessed.connections(1, 1) as connections:
        guessed.server.hooks.hold("slow.hash")
        try:
            guessed.send(connections[0], guessed.right)
            guessed.server.hooks.await_waiting("slow.hash")
            reset(connections[0].sock)
            until(lambda: alive(guessed.server) <= others, "its end")
        finally:
            guessed.server.hooks.release("slow.hash")
    assert guessed.statuses(1, guessed.right, *"abc") == [200] + [wrong] * 3
    # What the first took is there for the fourth as soon as its end has come to the worker.
    until(lambda: guessed.statuses(1, guessed.right, "d") == [200, wrong], "the fourth")
    assert guessed.statuses(1, guessed.right, "e") == [200, 429]


@GUESSED
def test_B1_the_same_guess_is_none_at_any_worker(limited, kind, wrong):
    """At the limit each of them is refused again and again, and who is right goes on."""
    guessed = kind(limited, LOW, workers=4)
    assert guessed.statuses(1, guessed.right, *"abcd") == [200] + [wrong] * 4

    def refused(guess):
        with guessed.connections(1, 8) as connections:
            for connection in connections:
                guessed.send(connection, guess)
            found = set(answers(connections))
        assert found <= {429, 503}  # late, on a machine without time
        return found == {429}
    for i in range(35):
        until(lambda guess=f"guess {i}": refused(guess), "a place on the pool")
    assert guessed.statuses(1, guessed.right) == [200]
    assert guessed.statuses(1, "40th", guessed.right) == [429, 429]


@pytest.mark.hooks
@GUESSED
def test_B1_too_many_that_wait_for_one_comparison_are_told_to_come_again(limited, kind, wrong):
    """One of 128 that may wait at all."""
    guessed = kind(limited, LOW + "max_waiting: 1024\n")
    guessed.server.hooks.hold("slow.hash")
    with guessed.connections(1, 14) as connections:
        try:
            for connection in connections:
                guessed.send(connection, guessed.right)
            until(lambda: len(answered(connections)) >= 6, "six answers")
            refused = answered(connections)
            assert answers(refused) == [503] * 6
            assert figures(guessed.server)['twoleg_overloaded_total{cap="hash_pool"}'] >= 6
        finally:
            guessed.server.hooks.release("slow.hash")
        others = answers([each for each in connections if each not in refused])
        assert len(others) == 8 and set(others) <= {200, 503}  # late, on a machine without time
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
                                 "password": password})

    def secret(address):
        return at(address, brought, {"grant_type": "client_credentials"})

    def hashes():
        return figures(server)["twoleg_password_hashes_total"]
    server.hooks.hold("slow.hash")
    crowded = []
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        try:
            fill(server, lambda i: pool.submit(at, "192.0.2.1", other, {
                "grant_type": "password", "username": f"somebody {i}", "password": "wrong"}))
            for _ in range(6):
                crowded += [login("192.0.2.1").status, secret("192.0.2.1").status]
            begun = hashes() + 5
            late = [pool.submit(login, "192.0.2.2", f"wrong {i}") for i in range(5)]
            until(lambda: hashes() == begun, "five in the line")
            server.hooks.clock(11)  # more than their second
        finally:
            server.hooks.release("slow.hash")
    assert crowded == [503] * 12 and [answer.result().status for answer in late] == [503] * 5
    for address in ("192.0.2.1", "192.0.2.2"):
        for right in (login, secret):
            assert insist(lambda: right(address)).status == 200
