# SPDX-License-Identifier: Apache-2.0
"""The scenarios of tests/long/faults in which a client speaks TLS. Beside the client of a run two
others keep their connections, one plain and one over TLS: they never notice anything."""
import http.client
import pathlib
import shutil
import signal
import ssl
import urllib.parse

from authority import Authority, Pair, openssl
from fault_scenarios import Step, scenario
from instance import UNLIMITED, Answer, token_request, until
from secure import CLOSE, KEEP, V12, V13, Secure

# What a fault may cost, beside the answer: the connection.
BREAKS = ("memory", "io", "library", "random")
EVENTS = ("reloaded", "reload_refused")
SECOND = "second.example"  # a name of the second certificate


def configure(folder):
    """The configuration of all scenarios, and who signed its certificates."""
    folder = pathlib.Path(folder)
    authority = Authority(folder)
    first = [authority.issue(name, "DNS:localhost,IP:127.0.0.1") for name in ("one", "two")]
    second = authority.issue("second", f"DNS:{SECOND}")
    shown = Pair(folder / "shown.pem", folder / "shown.key")
    show(first[0], shown)
    config = folder / "twoleg.yaml"
    config.write_text(f"{UNLIMITED.read_text()}password_grant: true\n"
                      "listen:\n  - address: 127.0.0.1:0\n"
                      f"  - address: 127.0.0.1:0\n    tls: [{shown.yaml()}, {second.yaml()}]\n")
    authority.first, authority.shown = first, shown
    authority.serials = [openssl("x509", "-in", pair.certificate, "-noout", "-serial").strip()[7:]
                         for pair in first]
    return config, authority


def show(pair, shown):
    for name in ("certificate", "key"):
        shutil.copy(getattr(pair, name), getattr(shown, name))


def exchange(sock, request):
    """One request on a connection that is there."""
    sock.sendall(request)
    response = http.client.HTTPResponse(sock)
    response.begin()
    return Answer(response.status, response.headers, response.read())


class Others:
    """Connections that were there before the fault."""

    def __init__(self, secure):
        self.secure, self.life, self.socks = secure, None, []

    def join(self):
        if self.life != self.secure.server.life:
            self.leave()
            self.life = self.secure.server.life
            self.socks = [self.secure.server.connect(), self.secure.connect()]
            self.go_on()

    def leave(self):
        while self.socks:
            self.socks.pop().close()

    def go_on(self):
        """After a restart none of them is there any more."""
        if self.life == self.secure.server.life:
            for sock in self.socks:
                assert exchange(sock, KEEP).status == 200, "another connection suffered"


def visited(world):
    """What a scenario needs of a server that speaks TLS."""
    if not hasattr(world, "secure"):
        world.secure = Secure(world.server, world.authority)
        world.others = Others(world.secure)
    world.others.join()
    return world.secure


def visit(secure, context, request=CLOSE, name="localhost", session=None):
    """The answer; a ConnectionError when there is none. A certificate that is not for the name is
    a wrong answer, whatever failed."""
    try:
        with secure.connect(context, name, session=session) as sock:
            answer = exchange(sock, request)
            answer.reused, answer.session = sock.session_reused, sock.session
            return answer
    except ssl.SSLCertVerificationError as problem:
        raise AssertionError(f"the wrong certificate: {problem}") from problem
    except (ssl.SSLError, OSError) as problem:
        raise ConnectionError(repr(problem)) from problem


def step(world, act, after=None, **more):
    def look(answer, faulty):
        world.others.go_on()
        assert after is None or after(answer, faulty), f"{answer} is not so"
    return Step(act, breaks=BREAKS, after=look, **more)


def handshake(world, version, name):
    secure = visited(world)
    context = secure.authority.client(version, version)
    return step(world, lambda: visit(secure, context, name=name))


@scenario
def tls_handshake(world):
    return handshake(world, V13, SECOND)


@scenario
def tls_handshake_12(world):
    return handshake(world, V12, "localhost")


def resumption(world, version):
    """Where nothing fails, it is resumed."""
    secure = visited(world)
    context = secure.authority.client(version, version)
    session = visit(secure, context).session
    return step(world, lambda: visit(secure, context, session=session),
                lambda answer, faulty: faulty or answer.reused)


@scenario
def tls_resumed(world):
    return resumption(world, V13)


@scenario
def tls_resumed_12(world):
    return resumption(world, V12)


def issued(world, act):
    return step(world, act, holds=lambda a: world.good(a.json()["access_token"]))


@scenario
def tls_token(world):
    secure = visited(world)
    context = secure.authority.client()
    return issued(world, lambda: visit(secure, context, token_request(world.jwt)))


@scenario
def tls_token_on_a_kept_connection(world):
    secure = visited(world)
    sock = secure.connect()

    def act():
        with sock:
            try:
                return exchange(sock, token_request(world.jwt))
            except (ssl.SSLError, OSError) as problem:
                raise ConnectionError(repr(problem)) from problem
    return issued(world, act)


def lines_of(server, words):
    return server.stderr().count(words)


@scenario
def tls_reload(world):
    """The new certificate is shown once the log says so, the old one when it says the opposite."""
    secure, server = visited(world), world.server
    before = shown_serial(secure)
    chosen = 1 - world.authority.serials.index(before)
    done, refused = (server.stderr().count(f"event={event}") for event in EVENTS)

    def told(count, event):
        return server.stderr().count(f"event={event}") > count

    def act():
        show(world.authority.first[chosen], world.authority.shown)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: told(done, EVENTS[0]) or told(refused, EVENTS[1]) or
              server.process.poll() is not None, "the line about the reload")
        if server.process.poll() is not None:
            raise ConnectionError("it ended")
        return Answer(200 if told(done, EVENTS[0]) else 503, {}, b"")

    def after(answer, faulty):
        now = world.authority.serials[chosen] if answer.status == 200 else before
        return shown_serial(secure) == now
    return step(world, act, after)


def shown_serial(secure):
    with secure.connect() as sock:
        return sock.getpeercert()["serialNumber"]
