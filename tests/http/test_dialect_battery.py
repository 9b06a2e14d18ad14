# SPDX-License-Identifier: Apache-2.0
"""The raw requests of test_http_rules.py and test_rfc6749.py once more, at the endpoint of each
dialect that came with the program, around its documented call: what HTTP refuses it refuses as
everywhere, and whatever else is wrong is refused in a form of the dialect's own."""
import base64
import contextlib
import itertools
import socket

import pytest

import test_http_rules as http_rules
import test_rfc6749 as rfc6749
from dialect_oracle import bodies, http_refusal, places, refusal, required
from instance import Server, statuses
from replay import receive
from test_dialects import DIALECTS, ask, replays, send, spoken  # noqa: F401 (fixtures)
from test_http_rules import NEXT, refused

EACH = pytest.mark.parametrize("name", DIALECTS)
def cells(test):
    """What a parametrized test of another file goes through."""
    return [each[0] if isinstance(each, tuple) and len(each) == 1 else each
            for mark in test.pytestmark if mark.name == "parametrize" for each in mark.args[1]]


def around(call, name, headers, body=None):
    """The documented call with other headers behind its own, and this behind its head."""
    head, own = call.bytes(f"{name}.example").split(b"\r\n\r\n", 1)
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    return b"\r\n".join(lines) + b"\r\n" + headers.encode("latin-1") + b"\r\n" + \
        (own if body is None else body.encode("latin-1"))


@EACH
def test_A7_A8_A10_framing(spoken, ask, name):  # noqa: F811
    call = ask(name)
    for length in cells(http_rules.test_A7_odd_content_length_is_400):
        refused(spoken, around(call, name, f"Content-Length: {length}\r\n", "x" * 29 + NEXT))
    for headers in cells(http_rules.test_A7_two_lengths_are_400):
        refused(spoken, around(call, name, headers, "x" * 29 + NEXT))
        refused(spoken, around(call, name, headers, "0\r\n\r\n" + NEXT))
    chunked = "1d\r\n" + "x" * 29 + "\r\n0\r\n\r\n" + NEXT
    for coding in cells(http_rules.test_A8_any_coding_but_chunked_is_refused):
        refused(spoken, around(call, name, f"Transfer-Encoding: {coding}\r\n", chunked),
                (400, 501))
    for line in cells(http_rules.test_A8_odd_spelling_is_refused):
        refused(spoken, around(call, name, line + "\r\n", chunked), (400, 501))
    for body in cells(http_rules.test_A10_malformed_chunks_are_refused):
        refused(spoken, around(call, name, "Transfer-Encoding: chunked\r\n", body), (400, 413))


@EACH
def test_A4_A6_A9_A11_A24_heads(spoken, ask, name):  # noqa: F811
    call = ask(name)
    body = len(call.bytes("x").split(b"\r\n\r\n", 1)[1])
    length = f"Content-Length: {body}\r\n" if body else ""
    for line in ("Host: x\r\n", "Host: x\r\nHost: y\r\n", "No colon here\r\n", ": no name\r\n",
                 "A B: c\r\n", "A(: c\r\n", "A: b\rc\r\n", "A: b\0c\r\n", " A: fold\r\n",
                 "Authorization: Basic YTpi\r\nAuthorization: Basic YTpi\r\n",
                 "Content-Type: a/b\r\nContent-Type: a/b\r\n"):
        refused(spoken, around(call, name, length + line))
    refused(spoken, around(call, name, length + "A: " + "a" * 65536 + "\r\n"), (431,))
    refused(spoken, around(call, name, "".join(f"A{i}: b\r\n" for i in range(200))), (431,))
    refused(spoken, around(call, name, "Content-Length: 65537\r\n", ""), (413,))
    for expect in ("nonsense", "100-continue, x"):
        refused(spoken, around(call, name, f"{length}Expect: {expect}\r\n"), (417,))
    for coding in cells(http_rules.test_A24_content_coding_is_refused):
        found = spoken.raw(around(call, name, f"{length}Content-Encoding: {coding}\r\n"),
                           half_close=True)
        assert statuses(found) == [415], (coding, found)


def is_form(server, data, form):
    status, headers, body = send(server, data)
    assert (status, headers.get("content-type")) == form[:2], (data[:300], status, headers, body)
    assert form[2] in (None, body), (data[:300], body)
    return headers


@EACH
def test_T16_what_http_refuses_has_the_dialects_form_too(spoken, ask, name):  # noqa: F811
    """Vendor libraries parse every error body alike. As far as the host is known: what breaks the
    header block is nobody's."""
    call, host = ask(name), f"{name}.example"
    own = len(call.bytes(host).split(b"\r\n\r\n", 1)[1])
    length = f"Content-Length: {own}\r\n" if own else ""
    too_long = refusal(name, "too_long", "TOO_LONG")
    chunked = "Transfer-Encoding: chunked\r\n"
    for headers, body, form in (
            ("Content-Length: 65537\r\n", "", too_long),
            (chunked, "10001\r\n" + "x" * 65537, too_long),
            (chunked, "zz\r\n", http_refusal(name, 400, "a malformed chunk")),
            (f"{length}Content-Encoding: gzip\r\n", None,
             http_refusal(name, 415, "a content coding")),
            (f"{length}Expect: nonsense\r\n", None,
             http_refusal(name, 417, "an unknown expectation"))):
        sent = is_form(spoken, around(call, name, headers, body), form)
        assert sent["connection"] == "close" and sent["cache-control"] == "no-store"
    strange = call.bytes(host).replace(call.method.encode(), b"BREW", 1)
    is_form(spoken, strange, http_refusal(name, 501, "an unknown method"))
    for path in ("/", "//", call.path + "//", "/./" + call.path[1:], "/a/../b"):
        lost = ask(name)
        lost.path = path
        is_form(spoken, lost.bytes(host), refusal(name, "not_found", "NOT_FOUND"))


def test_what_else_stands_at_a_path_keeps_its_own_form(spoken):
    """Introspection, revocation, keys, the admin API: also for a method that they do not know."""
    answers = []
    for host in ("rfc6749.example", "rti-sms.example", "smscx.example"):
        answers.append([])
        for line in ("DELETE /oauth/introspect", "FOO /oauth/revoke", "DELETE /healthz",
                     "PUT /.well-known/jwks.json", "FOO /metrics", "PUT /admin/v1/status",
                     "GET /admin/v1/nowhere", "POST /admin//x"):
            status, headers, body = send(
                spoken, f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answers[-1].append((line, status, headers.get("allow"), body))
    assert answers[0] == answers[1] == answers[2]
    assert {answer[1] for answer in answers[0]} == {404, 405, 501}
    assert all('"error_description"' in answer[3] for answer in answers[0])


def test_A2_T16_a_body_that_does_not_come_ends_in_the_dialects_form(tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text("body_timeout: 300ms\nallow_query_credentials: true\nhosts:\n" + "".join(
        f"  - {{name: {name}.example, dialect: {name}}}\n" for name in DIALECTS))
    server = Server(data=tmp_path / "data", config=file).start()
    with contextlib.ExitStack() as stack:
        stack.callback(server.destroy)
        socks = {name: stack.enter_context(server.connect()) for name in DIALECTS}
        for name, sock in socks.items():
            sock.sendall(f"POST /token HTTP/1.1\r\nHost: {name}.example\r\n"
                         "Content-Length: 7\r\n\r\nx".encode())
        for name, sock in socks.items():
            status, headers, body = receive(sock)
            form = http_refusal(name, 408, "the request did not arrive in time")
            assert (status, headers.get("content-type")) == form[:2] and form[2] in (None, body)


def in_own_form(server, name, data, why):
    is_form(server, data, refusal(name, *why))


MALFORMED = ("malformed", "PARAMETER_MALFORMED")
TWICE = ("malformed", "PARAMETER_DUPLICATE")
MANY = ("malformed", "PARAMETER_COUNT")
MEDIA_TYPE = ("media_type", "MEDIA_TYPE")
# As forms, and why they are none; without a reason: they can be read, and hold nothing.
FORMS = {b"=": None, b"&": None, b"&&&": None, b"=&=": TWICE, b"%": MALFORMED, b"a=%ff": None,
         b"a=%c0%af": None, b"a=%ed%a0%80": None, b"a=%00": MALFORMED, b"\xff\xfe": None,
         b"\x00": MALFORMED, b"a" * 60000: None, b"+" * 2000: None, b"a=b;c=d": None,
         b"grant_type": None, b"[]": None, b"{": None, b"{}": None,
         b"grant_type=client_credentials&grant_type=client_credentials": TWICE,
         b"&".join(b"p%d=" % i for i in range(1000)): MANY}
# Likewise as JSON, which no form but {} is.
JSONS = {**{form: MALFORMED for form in FORMS}, b"{}": None,
         **{text: MALFORMED for text in (
             b"", b" ", b"[]", b"null", b'"x"', b"7", b"{", b'{"', b'{"a', b'{"a"', b'{"a":',
             b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1}}', b'{"a":1} x', b'{"a":01}',
             b'{"a":NaN}', b"{'a':1}", b'{"a":"\t"}', b'{"a":"\xff"}', b'{"a":"\\ud800"}',
             b'{"a":"\\x"}', b'\xef\xbb\xbf{"a":"b"}', b"[" * 60000,
             b'{"grant_type":["client_credentials"]}', b'{"grant_type":{"a":1}}')},
         b'{"a":1e999}': None, b'{"a":"\\u0000"}': None, b'{"a":"b","a":"b"}': TWICE,
         b'{"a":' * 200 + b"1" + b"}" * 200: MANY,
         b"{" + b",".join(b'"p%d":1' % i for i in range(1000)) + b"}": MANY}
LABELS = {"application/x-www-form-urlencoded": ("form", "json_as_form"),
          "application/json": ("form_as_json", "json"), None: ("", "")}


def why_no_body(name, label, body):
    """As docs/dialects.md has it of `bodies`."""
    kinds = bodies(name)
    assert "unlabelled" not in kinds, "teach me"
    if not body and "empty" in kinds:
        return None
    braces = body.strip(b" \t\r\n").startswith(b"{")
    as_form, as_json = (kind in kinds for kind in LABELS[label])
    if as_json and (braces or not as_form):
        return JSONS[body]
    return FORMS.get(body) if as_form and not braces else MEDIA_TYPE


def why_no_query(name, query):
    """What belongs elsewhere is not looked at further."""
    if query.startswith(b"grant_type") and "query" not in places(name, "grant_type"):
        return "in_query", "CLIENT_IN_QUERY"
    read = any("query" in places(name, each) for each in ("grant_type", "client_id"))
    return FORMS[query] if FORMS[query] != TWICE or read else None


def why_not(name, call):
    """Of a request that can be read, and has nothing in its body and query."""
    given = {header.lower() for header, _ in call.headers}
    if any(each not in given for each in required(name)):
        return "missing", "PARAMETER_MISSING"
    return ("missing", "GRANT_TYPE_MISSING") if call.basic() else \
        ("client_missing", "CLIENT_MISSING")


@EACH
def test_B5_B6_B14_bodies_and_queries_that_mean_nothing(spoken, ask, name):  # noqa: F811
    """Under every label, and without one."""
    host = f"{name}.example"
    for kind, body in itertools.product(LABELS, {**FORMS, **JSONS}):
        broken = ask(name)
        if broken.method == "GET":  # of which the body is never read
            break
        broken.query, broken.raw = [], body
        broken.header("Content-Type", kind)
        in_own_form(spoken, name, broken.bytes(host),
                    why_no_body(name, kind, body) or why_not(name, broken))
    for query in FORMS:
        broken = ask(name)
        if all(33 <= byte < 127 for byte in query) and len(query) < 4000:
            broken.query, broken.body = [], []
            broken.path += "?" + query.decode()
            in_own_form(spoken, name, broken.bytes(host),
                        why_no_query(name, query) or why_not(name, broken))


@EACH
def test_B7_B9_credentials_that_are_none(spoken, ask, name, replays):  # noqa: F811
    words = replays[name].words
    missing, malformed, wrong = (("client_missing", "CLIENT_MISSING"),
                                 ("client_malformed", "CLIENT_MALFORMED"),
                                 ("client", "CLIENT_UNKNOWN"))
    if ask(name).basic():
        tried = dict.fromkeys(cells(rfc6749.test_B7_malformed_basic_is_401_with_challenge),
                              malformed)
        tried.update({
            "basic": malformed, "Bearer x": missing, "Digest a=b": missing,
            f"Basic\t{words['{BASIC}']}": missing,
            "Basic " + base64.b64encode(f"{words['{ID}']}:".encode()).decode(): wrong,
            "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(): wrong})
        for header, why in tried.items():
            broken = ask(name)
            broken.header("Authorization", header)
            in_own_form(spoken, name, broken.bytes(f"{name}.example"), why)
        return
    for client_id, secret, why in (
            ("", "", missing), (words["{ID}"], "", missing), ("", words["{SECRET}"], missing),
            # Longer than any is.
            ("a" * 5000, "b", malformed), (words["{ID}"], "b" * 5000, malformed),
            ("\x01", "\x7f", wrong),
            (words["{ID}"] + " ", words["{SECRET}"], wrong),
            (words["{ID}"], words["{SECRET}"] + "\u00e9", wrong),
            (words["{ID}"].upper(), words["{SECRET}"], wrong)):
        broken = ask(name)
        broken.credentials(name, client_id, secret)
        in_own_form(spoken, name, broken.bytes(f"{name}.example"), why)


@EACH
def test_afterwards_the_documented_call_is_granted(spoken, ask, name):  # noqa: F811
    """Also on one connection with refusals before it: nothing of theirs is left."""
    good, bad = ask(name), ask(name)
    bad.credentials(name, "nobody", "x")
    with socket.create_connection(("127.0.0.1", spoken.port), timeout=60) as sock:
        seen = []
        for call in (good, bad, good):
            sock.sendall(call.bytes(f"{name}.example"))
            seen.append(receive(sock))
    assert [each[0] for each in seen][::2] == [seen[0][0]] * 2 and seen[0][0] in (200, 201)
    assert seen[1][2] != seen[0][2] and seen[1][0] == refusal(name, "client", "CLIENT_UNKNOWN")[0]
