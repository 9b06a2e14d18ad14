# SPDX-License-Identifier: Apache-2.0
"""What is left in the memory of a server, and what it says when there is none. Rows D7, H22."""
import os
import pathlib
import signal
import socket

import pytest
from cryptography.hazmat.primitives import serialization

from instance import PATIENCE, release_by, two_admins, until
from test_reload import METADATA, authority, reloading, secure  # noqa: F401 the fixtures


def private_number(pair):
    """The number that is an EC key, as OpenSSL holds it on processors of our kind."""
    key = serialization.load_pem_private_key(pathlib.Path(pair.key).read_bytes(), None)
    return key.private_numbers().private_value.to_bytes(32, "little")


def in_memory(server, what):
    """How often it is in the memory of the server, which no user but root may look into."""
    found = 0
    with open(f"/proc/{server.process.pid}/maps") as maps, \
            open(f"/proc/{server.process.pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            first, last = (int(place, 16) for place in line.split()[0].split("-"))
            # Not the shadow of AddressSanitizer, which is without end.
            if "rw" in line.split()[1] and last - first < 1 << 30:
                memory.seek(first)
                found += memory.read(last - first).count(what)
    return found


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into memory")


@root_only
@pytest.mark.parametrize("token_format, algorithm", [("sealed", "ES256"), ("jwt", "ES256"),
                                                     ("jwt", "RS256")])
def test_D7_what_was_issued_and_asked_for_is_gone(own_server, token_format, algorithm):
    api = f"https://{algorithm.lower()}.example"
    own_server.cli("api", "create", api, "--name", "x", "--algorithm", algorithm, "--json")
    app = own_server.app(audience=api, token_format=token_format)
    caller = own_server.app(audience=api, resource_server=True)
    token = own_server.bearer(app, "post")
    assert own_server.active(caller, token)
    for what in (app.secret, caller.secret, token):
        until(lambda: not in_memory(own_server, what.encode()), f"{what} to be gone")


@root_only
@pytest.mark.hooks
def test_D7_a_key_that_was_replaced_under_load_goes(reloading, authority):  # noqa: F811
    """A worker is in the middle of an answer while its key is replaced."""
    old, new = (authority.issue(name, "DNS:localhost") for name in ("old", "new"))
    server = reloading.start("workers: 2\n" + secure([old]), listen=())
    assert in_memory(server, private_number(old)) and not in_memory(server, private_number(new))
    server.hooks.hold("metadata.written")
    admins = two_admins(server)
    context = authority.client()
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as sock, \
            context.wrap_socket(sock, server_hostname="localhost") as session:
        session.sendall(f"GET {METADATA} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.hooks.await_waiting("metadata.written")
        reloading.write("workers: 2\n" + secure([new]))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "event=reloaded" in server.stderr(), "the reload")
        release_by(admins)
        assert session.recv(65536)
    until(lambda: not in_memory(server, private_number(old)), "the old key to be gone")
    assert in_memory(server, private_number(new))


@pytest.mark.hooks
def test_H22_a_reload_without_memory_says_so(reloading):
    """Whichever allocation fails first, each signal has its line: a manager waits for it."""
    server = reloading.start()

    def lines():
        return server.stderr().count("event=reloaded") + server.stderr().count("reload_refused")
    for nth in (1, 2, 3):  # the report's memory is the first
        before = lines()
        server.hooks.fault("memory", nth)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: lines() > before, f"a line about the reload, allocation {nth}")
    assert 'event=reload_refused problems=0 reason="out of memory"' in server.stderr()
    assert reloading.changed("jwks_max_age: 77s\n") == ["jwks_max_age"]
