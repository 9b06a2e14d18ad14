# SPDX-License-Identifier: Apache-2.0
"""RFC 9068: the JWT profile for access tokens."""
import json
import time

import pytest
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.jose.errors import ExpiredTokenError
from jwcrypto import jwk, jws, jwt

from instance import ROOT


def parts(server, token):
    """Header and claims, after the signature has been verified through the JWKS."""
    keys = jwk.JWKSet.from_json(server.get("/.well-known/jwks.json").text)
    verified = jwt.JWT(jwt=token, key=keys, algs=["ES256"])
    return json.loads(verified.header), json.loads(verified.claims)


def test_rfc9068_2_1_header(server, app):
    header, _ = parts(server, server.bearer(app))
    assert header["typ"] == "at+jwt" and header["alg"] == "ES256"
    assert header["kid"] in [key["kid"] for key in
                             server.get("/.well-known/jwks.json").json()["keys"]]
    assert set(header) == {"typ", "alg", "kid"}


def test_rfc9068_2_2_claims(server, app):
    _, claims = parts(server, server.bearer(app))
    assert claims["iss"] == server.url
    assert claims["aud"] in (server.url, [server.url])
    assert claims["sub"] == app.id and claims["client_id"] == app.id
    assert sorted(claims["scope"].split(" ")) == ["alpha", "beta"]
    assert type(claims["iat"]) is int and type(claims["exp"]) is int
    assert claims["exp"] - claims["iat"] == 3600
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["jti"]


def test_rfc9068_2_2_jti_is_never_the_same(server, app):
    assert len({parts(server, server.bearer(app))[1]["jti"] for _ in range(20)}) == 20


def test_rfc9068_2_2_3_no_scope_claim_without_scope(server):
    _, claims = parts(server, server.bearer(server.app()))
    assert claims.get("scope", "x") != ""


def test_rfc9068_3_audience_follows_resource(server):
    server.api("https://aud.example/", "aud")
    app = server.app(name="aud", audience="https://aud.example/", scope="one")
    _, claims = parts(server, server.bearer(app, resource="https://aud.example/"))
    assert claims["aud"] in ("https://aud.example/", ["https://aud.example/"])


@pytest.mark.parametrize("ttl,seconds", [("1", 1), ("1s", 1), ("90", 90), ("10m", 600),
                                         ("2h", 7200),
                                         ("1d", 86400)])
def test_rfc9068_life_is_the_applications(server, ttl, seconds):
    app = server.app(token_ttl=ttl)
    answer = server.token(app).json()
    _, claims = parts(server, answer["access_token"]) if seconds > 60 else (None, None)
    assert answer["expires_in"] in (seconds, seconds - 1)
    if claims:
        assert claims["exp"] - claims["iat"] == seconds


def test_rfc9068_jwt_refuses_to_live_for_ever(server):
    done = server.run_cli("app", "create", "--name", "n", "--token-format", "jwt", "--token-ttl",
                          "never", "--json")
    assert done.returncode in (1, 2), done
    assert done.stderr


def test_rfc9068_client_ids_that_need_escaping_stay_exact(server):
    app = server.app(client_id='quote"back\\slash', secret="x" * 40)
    _, claims = parts(server, server.bearer(app))
    assert claims["client_id"] == app.id


def test_rfc9068_signature_covers_every_part(server, app):
    token = server.bearer(app)
    keys = jwk.JWKSet.from_json(server.get("/.well-known/jwks.json").text)
    other = server.bearer(app)
    head, body, signature = token.split(".")
    mixed = f"{head}.{other.split('.')[1]}.{signature}"
    with pytest.raises(jws.InvalidJWSSignature):
        check = jws.JWS()
        check.deserialize(mixed)
        check.verify(next(iter(keys["keys"])))
    assert server.check(mixed).status == 401


@pytest.mark.hooks
def test_H13_a_verifier_needs_the_leeway_that_is_documented_and_our_doors_grant_none(own_server):
    """Verified by a clock that is a minute behind at the first moment, or ahead at the last."""
    told = " ".join((ROOT / "SECURITY.md").read_text().split())
    assert "allow its clock 60 s, for `exp` and `iat` (there is no `nbf`), and no more" in told
    server = own_server
    token = server.bearer(server.app(token_format="jwt"))
    keys = JsonWebKey.import_key_set(server.get("/.well-known/jwks.json").json())
    claims = JsonWebToken(["ES256"]).decode(token, keys)
    assert "nbf" not in claims
    claims.validate(now=claims["iat"] - 60)
    claims.validate(now=claims["exp"] - 1 + 60, leeway=60)
    for late, leeway in ((-1 + 60, 0), (61, 60)):
        with pytest.raises(ExpiredTokenError):
            claims.validate(now=claims["exp"] + late, leeway=leeway)
    server.hooks.clock(claims["exp"] - time.time() - 10)
    assert server.check(token).status == 200
    server.hooks.clock(claims["exp"] - time.time() + 0.01)
    assert server.check(token).status == 401
