# SPDX-License-Identifier: Apache-2.0
"""What is refused before any handler sees it. A rows: the threats of transport and parser."""
import pathlib
import re
import socket
import struct
import time
import urllib.parse

import pytest

from instance import (PATIENCE, Answer, UnixConnection, basic, drain, statuses, token_request,
                      until)

KEEP = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
BODY = "grant_type=client_credentials"
# What stands behind a request whose end is in doubt: it must never be answered.
NEXT = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


def get(headers="Host: x\r\n", target="/healthz", version="HTTP/1.1", method="GET"):
    return f"{method} {target} {version}\r\n{headers}Connection: close\r\n\r\n".encode("latin-1")


def post(headers, body=BODY):
    return f"POST /oauth/token HTTP/1.1\r\nHost: x\r\n{FORM}{headers}\r\n{body}".encode("latin-1")


def refused(server, data, codes=(400,)):
    """Exactly one answer of these, and the connection is closed: nothing is smuggled."""
    got = server.raw(data)
    assert len(statuses(got)) == 1 and statuses(got)[0] in codes, (data[:200], got)
    return got


def test_a_plain_request_passes(server):
    assert statuses(server.raw(get())) == [200]


def test_rfc9112_3_http_1_0_needs_no_host(server):
    got = server.raw(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert statuses(got) == [200]


@pytest.mark.parametrize("headers", ["", "Host: a\r\nHost: b\r\n", "Host: a\r\nHost: a\r\n"])
def test_A11_no_host_or_two_are_400(server, headers):
    refused(server, get(headers))


@pytest.mark.parametrize("host", ["a@b", "a/b", "a b", "a\tb"])
def test_A11_a_host_that_is_none_is_400(server, host):
    refused(server, get(f"Host: {host}\r\n"))


@pytest.mark.parametrize("name,value", [
    ("Authorization", "Basic YTpi"), ("Content-Type", "application/x-www-form-urlencoded"),
    ("Content-Length", "29")])
def test_design_3_5_two_of_a_kind_are_400(server, name, value):
    headers = f"{name}: {value}\r\n{name}: {value}\r\n"
    if name != "Content-Length":
        headers += f"Content-Length: {len(BODY)}\r\n"
    data = f"POST /oauth/token HTTP/1.1\r\nHost: x\r\n{headers}\r\n{BODY}".encode()
    refused(server, data)


@pytest.mark.parametrize("headers", [
    f"Content-Length: {len(BODY)}\r\nTransfer-Encoding: chunked\r\n",
    f"Transfer-Encoding: chunked\r\nContent-Length: {len(BODY)}\r\n",
    "Content-Length: 29\r\nContent-Length: 30\r\n", "Content-Length: 29, 29\r\n"])
def test_A7_two_lengths_are_400(server, headers):
    refused(server, post(headers, BODY + NEXT))
    refused(server, post(headers, "0\r\n\r\n" + NEXT))


@pytest.mark.parametrize("length", ["+5", "5 ", "0x5", "-1", "1e3", "18446744073709551616", "5 5",
                                    "", " ", "5,", "99999999999999999999999999", "\u00b2", "5;",
                                    "'5'"])
def test_A7_odd_content_length_is_400(server, length):
    refused(server, post(f"Content-Length: {length}\r\n", BODY + NEXT))


@pytest.mark.parametrize("coding", [
    "chunked, chunked", "xchunked", "gzip, chunked", "chunked, gzip", "identity", "gzip",
    "chunkedx",
    "chunked;q=1", "\"chunked\"", ""])
def test_A8_any_coding_but_chunked_is_refused(server, coding):
    body = "1d\r\n" + BODY + "\r\n0\r\n\r\n" + NEXT
    refused(server, post(f"Transfer-Encoding: {coding}\r\n", body), (400, 501))


@pytest.mark.parametrize("line", [
    "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", "Transfer-Encoding: chunked\x0b",
    " Transfer-Encoding: chunked", "X: y\r\n Transfer-Encoding: chunked",
    "Transfer-Encoding:\r\n chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer\x00-Encoding: chunked"])
def test_A8_odd_spelling_is_refused(server, line):
    body = "1d\r\n" + BODY + "\r\n0\r\n\r\n" + NEXT
    refused(server, post(line + "\r\n", body), (400, 501))


@pytest.mark.parametrize("data", [
    b"GET /healthz HTTP/1.1\nHost: x\n\n", b"GET /healthz HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\rc\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n",
    b"GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA\0: b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n A: fold\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b\r\n\tfold\r\n\r\n",
    b"GET /healthz\r\n\r\n", b"GET  /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1 \r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.12\r\nHost: x\r\n\r\n", b"GET /healthz http/1.1\r\nHost: x\r\n\r\n",
    b"GET\t/healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /he althz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nNo colon here\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n: no name\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA(: c\r\n\r\n"])
def test_A9_malformed_lines_are_refused(server, data):
    refused(server, data + NEXT.encode())


def test_rfc9112_2_3_another_version_is_505(server):
    refused(server, b"GET /healthz HTTP/2.0\r\nHost: x\r\n\r\n", (505,))


@pytest.mark.parametrize("data", [
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"".join(b"A%d: b\r\n" % i for i in range(3000))
    + b"\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 65536 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 1_000_000])
def test_A4_header_block_over_16_kib_is_431(server, data):
    refused(server, data, (431,))


def test_A4_200_headers_are_431(server):
    many = "".join(f"A{i}: b\r\n" for i in range(98))
    assert statuses(server.raw(get("Host: x\r\n" + many))) == [200]
    refused(server, get("Host: x\r\n" + many + many) + NEXT.encode(), (431,))


@pytest.mark.parametrize("data", [
    b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + b"a" * 65536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", b"a" * 1_000_000])
def test_A5_long_request_line_is_refused(server, data):
    refused(server, data, (400, 414))


def test_A6_body_over_64_kib_is_413_before_it_is_read(server):
    refused(server, post("Content-Length: 65537\r\n", ""), (413,))
    refused(server, post("Content-Length: 1000000000\r\nExpect: 100-continue\r\n", ""), (413,))


def test_A6_chunked_body_over_64_kib_is_413(server):
    body = "".join("4000\r\n" + "a" * 0x4000 + "\r\n" for _ in range(8))
    refused(server, post("Transfer-Encoding: chunked\r\n", body), (413,))
    refused(server, post("Transfer-Encoding: chunked\r\n", "fffffff\r\n"), (413,))


@pytest.mark.parametrize("body", [
    "10000000000000000\r\na", "fffffffffffffffff\r\n", "-1\r\n", "0x5\r\nabcde\r\n",
    " 5\r\nabcde\r\n", "\r\n",
    "g\r\n", "5\nabcde\r\n0\r\n\r\n", "5\r\nabcdeXX0\r\n\r\n", "5\r\nabcdef\r\n0\r\n\r\n",
    "5;" + "x" * 70000 + "\r\n"])
def test_A10_malformed_chunks_are_refused(server, body):
    refused(server, post("Transfer-Encoding: chunked\r\n", body), (400, 413))


def test_A10_a_thousand_trailers_are_400(server):
    body = "1d\r\n" + BODY + "\r\n0\r\n" + "T: v\r\n" * 1000 + "\r\n"
    refused(server, post("Transfer-Encoding: chunked\r\n", body + NEXT))


def test_A10_trailers_do_not_become_headers(server, app):
    auth = f"Authorization: {basic(app.id, 'wrong')}\r\nTransfer-Encoding: chunked\r\n"
    body = f"1d\r\n{BODY}\r\n0\r\nAuthorization: {basic(app.id, app.secret)}\r\n\r\n"
    assert statuses(server.raw(post(auth + "Connection: close\r\n", body)))[0] in (400, 401)


def test_A12_pipelined_requests_are_answered_in_order(server, app):
    one = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    two = b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    assert statuses(server.raw((one + two) * 100 + get())) == [200, 404] * 100 + [200]


def test_a_request_may_come_byte_by_byte(server, app):
    with server.connect() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in token_request(app, "Connection: close\r\n"):
            sock.send(bytes([byte]))
        assert statuses(drain(sock)) == [200]


@pytest.mark.parametrize("method,codes", [
    ("PUT", (405,)), ("TRACE", (405, 501)), ("PROPFIND", (405, 501)), ("CONNECT", (400, 405, 501)),
    ("FOO", (400, 501)), ("A" * 300, (400, 501)), ("post", (400, 501)), ("get", (400, 501)),
    ("G\x01T", (400,))])
def test_A21_methods(server, method, codes):
    got = server.raw(get("Host: x\r\nX-Canary: tracer\r\n", "/oauth/token", method=method))
    assert len(statuses(got)) == 1 and statuses(got)[0] in codes, got
    assert (b"Allow: POST\r\n" in got) == (statuses(got) == [405])
    assert b"tracer" not in got


@pytest.mark.parametrize("data, status", [
    (get(""), 400), (get(), 200), (get(target="/nowhere"), 404), (get(target="/check"), 401),
    (get(target="/oauth/token"), 405), (get(target="/healthz", method="FOO"), 501),
    (get(target="/oauth/introspect", headers="Host: x\r\nContent-Length: 65537\r\n"), 413),
    (get(target="/.well-known/jwks.json", method="HEAD"), 200),
    (post("Connection: close\r\nContent-Length: 29\r\n"), 401)])
def test_E1_what_has_a_body_is_what_it_says_that_it_is(server, data, status):
    """No browser shall guess at another type: what others chose stands in answers."""
    got = server.raw(data)
    assert statuses(got) == [status]
    head = got.split(b"\r\n\r\n")[0] + b"\r\n"
    assert head.count(b"\r\nContent-Type: ") == 1
    assert head.count(b"\r\nX-Content-Type-Options: nosniff\r\n") == 1


SPELLINGS = ["/{}", "/.{}", "{}/", "{}/.", "{};x", "{};x=1", "{}.", "{}%00", "{}%20", "{}#x",
             "{}%2e", "/%2e{}", "/check/..{}", "/.well-known/..{}", "/oauth/%2e%2e{}",
             "/oauth/%2E%2e{}", "/oauth/..%2f{}", "{}%2f"]


def spelt(path):
    """The path in other spellings, of which some servers make the same."""
    last = path.rindex("/")
    return [spelling.format(path) for spelling in SPELLINGS] + [
        path[:last] + "/" + path[last:], path[:last] + "/." + path[last:],
        path[:last] + "%2f" + path[last + 1:], path[:last] + "%2F" + path[last + 1:],
        f"/%{ord(path[1]):02x}" + path[2:], path.replace("/", "\\"),
        path.title(), path.upper(), path[:1] + path[1:2].upper() + path[2:]]


@pytest.mark.parametrize("target", [*spelt("/oauth/token"), "*"])
def test_A22_no_other_spelling_of_a_path(server, app, target):
    """405 would be a match, too. The gate takes any path for somebody else's, and nobody passes."""
    refusals = (403,) if target.startswith("/check/") else (400, 404)
    assert statuses(server.raw(get(target=target)))[0] in refusals
    request = token_request(app, "Connection: close\r\n").replace(b"/oauth/token",
                                                                target.encode(), 1)
    got = server.raw(request)
    assert len(statuses(got)) == 1 and statuses(got)[0] in refusals, got
    assert b"access_token" not in got


@pytest.mark.parametrize("target", spelt("/admin/v1/applications"))
def test_A22_no_other_spelling_leads_to_the_admin_api(server, app, target):
    """Neither at a listener, nor where an operator asks: there is one spelling there, too. The gate
    takes any path for somebody else's, and nobody passes."""
    refusals = (403,) if target.startswith("/check/") else (400, 404)
    got = server.raw(get(target=target))
    assert statuses(got)[0] in refusals and b"client_id" not in got, got
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(server.data + "/admin.sock")
        sock.sendall(get(target=target))
        got = drain(sock)
    assert statuses(got)[0] in refusals and b"client_id" not in got, got


def test_A22_absolute_form_target(server):
    assert statuses(server.raw(get(target="http://evil.example/healthz"))) == [200]
    path = "/.well-known/oauth-authorization-server"
    got = server.raw(get(target="http://evil.example" + path))
    assert statuses(got) == [200] and b"issuer" in got and b"evil" not in got


def test_design_3_5_operator_rights_come_from_the_admin_socket_only(server, app):
    for method in ("GET", "POST", "DELETE"):
        for path in ("/admin/v1/applications", f"/admin/v1/application?client_id={app.id}"):
            answer = server.request(method, path,
                                    headers={"Authorization": basic(app.id, app.secret)})
            assert answer.status in (403, 405), answer
            assert app.id not in answer.text
    assert server.admin("GET", "/admin/v1/applications").status == 200


@pytest.mark.parametrize("expect,status", [("100-continue", 200), ("nonsense", 417),
                                           ("100-CONTINUE", 200)])
def test_A23_expect(server, app, expect, status):
    request = token_request(app, f"Expect: {expect}\r\nConnection: close\r\n")
    found = [status for status in statuses(server.raw(request)) if status != 100]
    assert found == [status]


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "x"])
def test_A24_content_coding_is_refused(server, app, coding):
    answer = server.form("/oauth/token", {"grant_type": "client_credentials"}, app,
                         headers={"Content-Encoding": coding})
    assert answer.status == 415, answer


def test_design_3_5_head_where_get(server):
    for path in ("/healthz", "/metrics", "/.well-known/jwks.json"):
        head = server.request("HEAD", path)
        assert head.status == 200 and head.body == b"" and head.headers["Content-Length"]


def test_design_3_5_unknown_route_is_404_json(server):
    answer = server.get("/nothing/here")
    assert answer.status == 404 and b"<html" not in answer.body.lower()


def test_design_3_5_every_answer_has_date_length_and_id(server, app):
    seen = set()
    for answer in (server.get("/healthz"), server.get("/nothing"), server.check(),
                   server.token(app),
                   server.get("/oauth/token")):
        assert answer.headers["Date"].endswith("GMT")
        assert int(answer.headers["Content-Length"]) == len(answer.body)
        seen.add(answer.headers["X-Request-Id"])
    assert len(seen) == 5


def test_design_3_5_a_foreign_request_id_is_not_taken(server):
    own = server.get("/healthz").headers["X-Request-Id"]
    for foreign in ('mine"x', "mine", own):
        answer = server.get("/healthz", {"X-Request-Id": foreign})
        assert foreign not in answer.headers["X-Request-Id"]


LOG_LINE = re.compile(r'[\dTZ:.-]+ [a-z]+ event=(\w+)'
                      r'(?: \w+=(?:[^\s"=]+|"(?:[ !#-\[\]-~]|\\x[0-9a-f]{2})*(?:\.\.\.)?"))*')


def test_F7_log_lines_stay_one_line(make_server, tmp_path):
    """Of a request the name of a gate comes into them, and the ID of a client that is known."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("log_requests: all\nlog_level: debug\n")
    server = make_server(config=config).start()
    forged = 'x" event=forged status=200 y="\\'
    known = server.app(client_id=forged.replace(" ", "_"))
    assert server.token(known).status == 200
    asked = [
        *(get(target="/check/" + name) for name in (
            '"%20event=forged', "%0aevent=forged", "%1b[31m", forged.replace(" ", "%20"),
            "x" * 7000)),
        *(get(f"Host: x\r\nAuthorization: {basic(word, 'x')}\r\nUser-Agent: {word}\r\n")
          for word in (forged, "\u00e4"))]
    for data in asked:
        assert len(statuses(server.raw(data))) == 1, data
    for word in (forged, "\nevent=forged", "\x1b[31m", "x" * 8000):
        server.form("/oauth/token", {"grant_type": word, "scope": word, "client_id": word})
        server.check(urllib.parse.quote(word), "?scope=" + urllib.parse.quote(word))
    server.stop()
    events = []
    for line in server.stderr().split("\n")[:-1]:
        match = LOG_LINE.fullmatch(line)
        assert line.startswith("twoleg: ") or match and len(line) <= 1100, line
        events.append(match and match[1])
    assert "forged" not in events and events.count("answered") >= 1, events
    assert events.count("refused") >= 10, events


def test_design_3_5_unix_listener(make_server, tmp_path):
    path = tmp_path / "twoleg.sock"
    server = make_server(listen=("127.0.0.1:0", f"unix:{path}")).start()
    connection = UnixConnection(str(path))
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    assert Answer(answer.status, answer.headers, answer.read()).status == 200
    connection.close()
    server.stop()
    assert not path.exists()


def test_design_3_5_doors(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("listen:\n  - address: 127.0.0.1:0\n    doors: [public]\n")
    server = make_server(config=config, listen=()).start()
    assert server.get("/healthz").status == 200
    for path in ("/check", "/metrics"):
        assert server.get(path).status == 404
