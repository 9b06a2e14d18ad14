# SPDX-License-Identifier: Apache-2.0
"""RFC 7515, 7518, 7519, 8725: forged JWTs at all doors that read one. C rows: the threats."""
import socket
import threading

import pytest

import forge


@pytest.fixture(scope="module")
def material(server, app):
    return forge.Material(server.bearer(app), server.get("/.well-known/jwks.json").json())


@pytest.mark.parametrize("row", forge.ROWS)
def test_rfc7515_forged_jwts_are_refused(server, app, resource_server, material, row):
    count = 0
    for token in forge.ROWS[row](material):
        if token == material.token:
            continue
        count += 1
        answer = server.introspect(resource_server, token)
        assert (answer.status, answer.json()) == (200, {"active": False}), (row, count, token[:200])
        if len(token) < 7000:
            header = {"Authorization": b"Bearer " + token.encode("latin-1")}
            assert server.check(headers=header).status in (400, 401), (row, count, token[:200])
        if count % 9 == 0:
            assert server.revoke(app, token).status == 200
    assert count >= 5
    assert server.active(resource_server, material.token), "the good token still is"


def test_C15_every_bit_flip_of_the_signature(server, resource_server, material):
    signature = forge.decode(material.signature)
    for byte in range(0, len(signature), 5):
        for bit in range(8):
            flipped = bytearray(signature)
            flipped[byte] ^= 1 << bit
            token = f"{material.head}.{material.body}.{forge.encode(bytes(flipped))}"
            assert not server.active(resource_server, token)


@pytest.mark.parametrize("name", ["jku", "x5u"])
def test_C4_no_url_of_a_header_is_ever_fetched(server, resource_server, material, name):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/keys"
        for token in material.with_header(**{name: url}):
            assert not server.active(resource_server, token)
            assert server.check(token).status == 401
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_C8_a_token_over_its_cap_is_refused(server, resource_server):
    for token in ("a" * 17000, "." * 60000, "a." * 20000):
        answer = server.introspect(resource_server, token)
        assert (answer.status, answer.json()) == (200, {"active": False})


def test_C2_token_of_another_server_is_refused(server, resource_server, make_server):
    other = make_server().start()
    for token_format in ("jwt", "sealed"):
        app = other.app(token_format=token_format, client_id="same-" + token_format)
        server.app(token_format=token_format, client_id="same-" + token_format)
        token = other.bearer(app)
        assert not server.active(resource_server, token)
        assert server.check(token).status == 401


def test_rfc7519_many_threads_one_verdict(server, material):
    """The cache of seen signatures answers for exactly the bytes it has seen."""
    wrong = []

    def run(token, status):
        for _ in range(20):
            if server.check(token).status != status:
                wrong.append(token)

    broken = material.token[:-2] + ("AA" if material.token[-2:] != "AA" else "BB")
    threads = [threading.Thread(target=run, args=args)
               for args in [(material.token, 200), (broken, 401)] * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
