# SPDX-License-Identifier: Apache-2.0
"""Documented calls as text: tests/dialects/NAME.replay. A dialect needs its YAML file and one of
these, nothing else.

    == what the call shows
    > POST /api/auth HTTP/1.1
    > Content-Type: application/x-www-form-urlencoded
    >
    > grant_type=client_credentials&client_id={ID}&client_secret={SECRET}
    < 200
    < Content-Type: application/json
    < !WWW-Authenticate
    <
    < {"access_token":"{TOKEN}","validity_period":"3600"}

Host and Content-Length are added where they are missing; /check/NAME/... is a gate that reads as
the dialect does, whatever stands behind its name. An answer's body is compared byte by byte
where one stands there, and `< (empty)` is an empty one; `< @NAME JSON` is a claim of the token that
was answered, a JWT. A line `token: REGEX` above the calls is what every token that is answered must
look like. Words in braces: in requests ID, SECRET, BASIC (their base64), ENDLESS and ENDLESS_BASIC
(of an application of the same name and secret whose tokens never expire), USER and PASSWORD (of one
with all scopes), TOKEN and REFRESH (the last ones that were answered), OLD (the token before it),
AUDIENCE (the default API, encoded); in answers TOKEN, REFRESH, SAME (the token of before), LEFT (of
a life of an hour), REQUEST_ID, S and MS (now), E (an hour from now, in seconds), FAR and FAR_DATE
(ten years from now), DATE, ANY.
"""
import base64
import calendar
import json
import pathlib
import re
import socket
import time
import urllib.parse

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "dialects"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
TEN_YEARS = 315360000
WORDS = {
    "{TOKEN}": r"(?P<token>[!-~]+?)",
    "{LEFT}": r"(?:3600|3[0-5][0-9]{2})",
    "{REFRESH}": r"(?P<refresh>[!-~]+?)",
    "{REQUEST_ID}": r"[0-9a-f]{24}",
    "{S}": r"(?P<s>[0-9]{10})",
    "{MS}": r"(?P<ms>[0-9]{13})",
    "{E}": r"(?P<e>[0-9]{10})",
    "{FAR}": r"(?P<far>[0-9]{10})",
    "{FAR_DATE}": f"(?P<date>{DATE})",
    "{DATE}": DATE,
    "{ANY}": r".*?",
}


class Call:
    def __init__(self, title, line):
        self.title, self.line, self.token = title, line, None
        self.request, self.answer = [], []


def read(name):
    """The calls of a dialect's file, in order."""
    calls, token = [], None
    for number, line in enumerate((FOLDER / f"{name}.replay").read_text().splitlines(), 1):
        if line.startswith("== "):
            calls.append(Call(line[3:], number))
            calls[-1].token = token
        elif line.startswith("token: ") and not calls:
            token = re.compile(line[7:])
        elif line.startswith(">"):
            calls[-1].request.append(line[2:])
        elif line.startswith("<"):
            calls[-1].answer.append(line[2:])
        else:
            assert not line or line.startswith("#"), f"{name}.replay:{number}: {line!r}"
    assert calls and all(call.request and call.answer for call in calls), name
    return calls


def pattern(text):
    parts = re.split("(" + "|".join(map(re.escape, WORDS)) + ")", text)
    seen, out = set(), ""
    for part in parts:
        known = WORDS.get(part)
        out += re.sub(r"\?P<\w+>", "", known) if known and part in seen else known or \
            re.escape(part)
        seen.add(part)
    return re.compile(out)


def receive(sock):
    """One answer: its status, its headers in lower case, its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, f"the connection ended after {data!r}"
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {key.lower(): value.strip() for key, value in
               (line.split(":", 1) for line in lines[1:])}
    while len(body) < int(headers["content-length"]):
        more = sock.recv(65536)
        assert more, f"the body ended after {body!r}"
        body += more
    assert ("content-type" in headers) == ("x-content-type-options" in headers), lines
    return int(lines[0].split()[1]), headers, body.decode()


def claims(token):
    """What stands in a JWT, not verified."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


class Replay:
    """The calls of one dialect against a server that speaks it to a host of its own."""

    def __init__(self, server, host, app, user=("", ""), endless=""):
        self.server, self.host = server, host
        pair, other = (base64.b64encode(f"{name}:{app.secret}".encode()).decode()
                       for name in (app.id, endless))
        self.words = {"{ID}": app.id, "{SECRET}": app.secret, "{BASIC}": pair,
                      "{ENDLESS}": endless, "{ENDLESS_BASIC}": other,
                      "{USER}": user[0], "{PASSWORD}": user[1],
                      "{AUDIENCE}": urllib.parse.quote(server.url, safe="")}

    def fill(self, text):
        for word, value in self.words.items():
            text = text.replace(word, value)
        return text

    def bytes(self, call):
        lines = [self.fill(line) for line in call.request]
        end = lines.index("") if "" in lines else len(lines)
        head, body = lines[:end], "\n".join(lines[end + 1:]).encode()
        names = {line.split(":")[0].lower() for line in head[1:]}
        if "host" not in names:
            head.insert(1, f"Host: {self.host}")
        if body and not names & {"content-length", "transfer-encoding"}:
            head.append(f"Content-Length: {len(body)}")
        if "transfer-encoding" in names:
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        return "\r\n".join(head).encode() + b"\r\n\r\n" + body

    def check(self, call, status, headers, body):
        where = f"{call.title} (line {call.line}): {status} {headers} {body}"
        end = call.answer.index("") if "" in call.answer else len(call.answer)
        assert status == int(call.answer[0]), where
        for line in call.answer[1:end]:
            if line == "(empty)":
                assert body == "" and "content-type" not in headers, where
            elif line.startswith("@"):
                continue
            elif line.startswith("!"):
                assert line[1:].lower() not in headers, where
            else:
                name, value = line.split(":", 1)
                wanted = pattern(self.fill(value.strip()))
                assert wanted.fullmatch(headers.get(name.lower(), "")), f"{line}: {where}"
        if end == len(call.answer):
            return
        match = pattern(self.fill_answer("\n".join(call.answer[end + 1:]))).fullmatch(body)
        assert match, f"not {call.answer[end + 1:]}: {where}"
        found = match.groupdict()
        if found.get("token"):
            assert not call.token or call.token.fullmatch(found["token"]), where
            self.words["{OLD}"] = self.words.get("{TOKEN}", "")
        for word in ("token", "refresh"):
            if found.get(word):
                self.words["{%s}" % word.upper()] = found[word]
        for line in call.answer[1:end]:
            if line.startswith("@"):
                name, value = line[1:].split(" ", 1)
                assert claims(found["token"]).get(name) == json.loads(value), where
        for key, unit, later in (("s", 1, 0), ("ms", 1000, 0), ("e", 1, 3600),
                                 ("far", 1, TEN_YEARS)):
            if found.get(key):
                assert abs(int(found[key]) / unit - later - time.time()) < 300, where
        if found.get("date"):
            end = calendar.timegm(time.strptime(found["date"], "%Y-%m-%dT%H:%M:%SZ"))
            assert abs(end - TEN_YEARS - time.time()) < 300, where

    def fill_answer(self, text):
        """All but what an answer brings anew."""
        text = text.replace("{SAME}", self.words.get("{TOKEN}", "{SAME}"))
        return "".join(part if part in ("{TOKEN}", "{REFRESH}") else self.fill(part)
                       for part in re.split("({TOKEN}|{REFRESH})", text))

    def run(self, call):
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as sock:
            sock.sendall(self.bytes(call))
            self.check(call, *receive(sock))
