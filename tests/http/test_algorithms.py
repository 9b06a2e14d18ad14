# SPDX-License-Identifier: Apache-2.0
"""Algorithms per API: the first API with one brings its key; slow signatures do not hold up the
loops (design 3.1, 3.3)."""
import base64
import collections
import concurrent.futures
import json
import statistics
import threading
import time

import pytest
from jwcrypto import jwk, jwt

import instance

ALGORITHMS = ["ES256", "EdDSA", "RS256", "PS256"]


def uri(algorithm):
    return f"https://{algorithm.lower()}.example/"


def api(server, algorithm):
    """Its application. The API is there already when another test was first."""
    there = server.cli("api", "list", "--json")["apis"]
    if uri(algorithm) not in [one["identifier"] for one in there]:
        server.cli("api", "create", uri(algorithm), "--algorithm", algorithm)
    return server.app(name=algorithm, audience=uri(algorithm), scope="alpha")


def keys(server):
    return server.get("/.well-known/jwks.json").json()["keys"]


def verified(server, token, algs):
    found = jwk.JWKSet.from_json(server.get("/.well-known/jwks.json").text)
    done = jwt.JWT(jwt=token, key=found, algs=algs)
    return json.loads(done.header), json.loads(done.claims)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_rfc9068_jwcrypto_verifies_through_the_jwks(server, algorithm):
    app = api(server, algorithm)
    token = server.bearer(app)
    header, claims = verified(server, token, [algorithm])
    assert header["alg"] == algorithm and claims["aud"] == uri(algorithm)
    assert [key["alg"] for key in keys(server) if key["kid"] == header["kid"]] == [algorithm]
    assert jwk.JWK(**next(key for key in keys(server) if key["kid"] == header["kid"])
                   ).thumbprint() == header["kid"]  # RFC 7638
    for other in set(ALGORITHMS) - {algorithm}:
        with pytest.raises(Exception):
            verified(server, token, [other])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seen_token_is_checked_twice_and_dies_when_it_is_revoked(server, algorithm):
    app = api(server, algorithm)
    reader = server.app(name="reader", serves=uri(algorithm))
    token = server.bearer(app)
    for _ in range(2):  # the second time through the cache
        assert server.active(reader, token)
        assert server.check(token).status == 200
    assert not server.active(reader, token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:])
    assert server.revoke(app, token).status == 200
    assert not server.active(reader, token)
    assert server.check(token).status == 401


def swapped(token, algorithm):
    """The token with another algorithm in its header, under the same kid."""
    header, rest = token.split(".", 1)
    facts = json.loads(base64.urlsafe_b64decode(header + "=="))
    facts["alg"] = algorithm
    text = json.dumps(facts, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode() + "." + rest


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_C1_C2_a_key_has_one_algorithm(server, algorithm):
    app = api(server, algorithm)
    reader = server.app(name="reader", serves=uri(algorithm))
    token = server.bearer(app)
    for other in (*ALGORITHMS, "HS256", "none", "RS512"):
        assert server.active(reader, swapped(token, other)) == (other == algorithm)


def test_the_first_api_brings_the_key_and_the_next_one_takes_it(own_server):
    assert [key["alg"] for key in keys(own_server)] == ["ES256"]
    for name in "ab":
        own_server.cli("api", "create", f"urn:{name}", "--algorithm", "EdDSA")
    assert collections.Counter(key["alg"] for key in keys(own_server)) == {"ES256": 1, "EdDSA": 1}
    before = {key["kid"] for key in keys(own_server)}
    own_server.restart(hard=True)
    assert {key["kid"] for key in keys(own_server)} == before
    app = own_server.app(name="x", audience="urn:b", scope="alpha")
    assert verified(own_server, own_server.bearer(app), ["EdDSA"])[1]["aud"] == "urn:b"
    listed = {one["identifier"]: one["algorithm"]
              for one in own_server.cli("api", "list", "--json")["apis"]}
    assert listed["urn:a"] == listed["urn:b"] == "EdDSA"
    assert "EdDSA" in own_server.run_cli("api", "list").stdout


def test_apis_made_at_once_share_one_key_each(own_server):
    made = [(f"urn:{algorithm}:{i}", algorithm) for i in range(4) for algorithm in ALGORITHMS]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: own_server.admin(
            "POST", "/admin/v1/apis", {"identifier": one[0], "algorithm": one[1]}), made))
    assert {answer.status for answer in answers} == {201}, answers
    assert collections.Counter(key["alg"] for key in keys(own_server)) == dict.fromkeys(
        ALGORITHMS, 1)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "es256", "", "RS512"])
def test_C2_other_algorithms_are_refused_in_words(server, algorithm):
    done = server.run_cli("api", "create", "urn:refused", "--algorithm", algorithm)
    assert done.returncode == 1 and "ES256, EdDSA, RS256 or PS256" in done.stderr
    assert "urn:refused" not in server.run_cli("api", "list").stdout


def test_no_private_part_is_published(server):
    for algorithm in ALGORITHMS:
        api(server, algorithm)
    for key in keys(server):
        assert not set(key) & {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_what_changed_while_it_was_signed_counts(make_server):
    """The client's request is decided anew after its wait: no token for who was disabled."""
    own_server = make_server(config=instance.UNLIMITED).start()
    app = api(own_server, "RS256")
    stop, odd = threading.Event(), []

    def ask():
        while not stop.is_set():
            answer = own_server.token(app)
            if answer.status not in (200, 401, 503):
                odd.append(answer)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        own_server.act("disable", app)
        own_server.act("enable", app)
    own_server.act("disable", app)
    stop.set()
    for thread in threads:
        thread.join()
    assert not odd
    assert own_server.token(app).status == 401


@pytest.mark.measuring
def test_rsa_on_the_pool_does_not_hold_up_its_worker(make_server, tmp_path):
    """One worker. While many ask for RSA tokens, sealed ones do not stand in their line; what does
    not fit into the application's share of the pool is refused, not queued."""
    config = tmp_path / "one.yaml"
    config.write_text("workers: 1\n")
    server = make_server(config=config).start()
    rsa = api(server, "RS256")
    sealed = server.app(name="sealed", token_format="sealed", scope="alpha")
    stop, seen, waited = threading.Event(), collections.Counter(), []

    def ask():
        while not stop.is_set():
            began = time.monotonic()
            answer = server.token(rsa)
            seen[answer.status] += 1
            if answer.status == 200:
                waited.append(time.monotonic() - began)
            if answer.status == 503:
                assert answer.headers["Retry-After"]
                stop.wait(0.05)

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    try:
        instance.until(lambda: seen[200] > 10, "tokens signed with RSA")
        took = []
        for _ in range(40):
            began = time.monotonic()
            assert server.token(sealed).status == 200
            took.append(time.monotonic() - began)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(seen) <= {200, 503} and seen[200]
    assert statistics.median(took) < statistics.median(waited)
    assert server.token(rsa).status == 200
