# SPDX-License-Identifier: Apache-2.0
"""What a dialect's refusal must look like, read from its YAML file by somebody else's parser; and
token requests taken apart, so that one thing in them can be made wrong."""
import base64
import json
import re
import urllib.parse

import yaml

import replay
from instance import ROOT

ERRORS = dict(re.findall(r'^ERROR\((\w+), "([^"]*)"\)', (ROOT / "src/base/errors.def").read_text(),
                         re.M))
FILES = {path.stem: yaml.safe_load(path.read_text())
         for path in (ROOT / "dialects").glob("*.yaml")}
DIALECTS = sorted(FILES)


def chain(name):
    """The dialect, its base, the base's base, at last rfc6749."""
    while name:
        yield FILES[name]
        name = None if name == "rfc6749" else FILES[name].get("base", "rfc6749")


def errors(name, key):
    return next(each["errors"][key] for each in chain(name) if key in each.get("errors", {}))


def challenge(name):
    """WWW-Authenticate of a 401; RFC 6749 section 5.2: no Basic where none is taken."""
    said = errors(name, "challenge")
    methods = next(each["client"]["methods"] for each in chain(name) if "client" in each)
    return None if said == "none" or (said.startswith("Basic") and "basic" not in methods) else said


def http_refusal(name, status, reason):
    """Of what HTTP itself refuses, which keeps its status: likewise."""
    return refusal(name, "malformed", "PARAMETER_MALFORMED", status, reason)


def refusal(name, condition, error, status=None, reason=None):
    """Status, content type and body (None: it holds a time or an id) for an error of ours."""
    row = next(row for each in chain(name) for row in each.get("errors", {}).get("rows", [])
               if condition in row["when"])
    body, status = row.get("body") or errors(name, "body"), status or row["status"]
    if body == "empty":
        return status, None, ""
    number = row.get("number") or next((each["errors"].get("number", 0) for each in chain(name)
                                        if "errors" in each), 0)
    for word, value in (("code", row.get("code", "")), ("number", str(number)),
                        ("message", row.get("message") or reason or words(name, error)),
                        ("status", str(status))):
        body = body.replace("{%s}" % word, value)
    return status, errors(name, "content_type"), None if "{request_id}" in body else body


def words(name, error):
    """Of an error, where no row has others."""
    if error != "MEDIA_TYPE":
        return ERRORS[error]
    kinds = [kind for kind, of in (
        ("application/x-www-form-urlencoded", {"form", "json_as_form"}),
        ("application/json", {"json", "form_as_json"}),
        ("without Content-Type", {"unlabelled"}), ("empty", {"empty"})) if bodies(name) & of]
    return "the body must be " + " or ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))


def bodies(name):
    return set(next(each["bodies"] for each in chain(name) if "bodies" in each))


def endpoints(name):
    return next(each["endpoints"] for each in chain(name) if "endpoints" in each)


def fields(name):
    return next(each["success"]["fields"] for each in chain(name)
                if "fields" in each.get("success", {}))


def body_kind(name):
    return next((each["success"]["body"] for each in chain(name)
                 if "body" in each.get("success", {})), "json")


def token(name, body):
    """What the answer of a granted call gives out."""
    kind = body_kind(name)
    field = next(each for each in fields(name) if each.get("source") == "access_token")
    if kind == "token":
        return body
    found = dict(urllib.parse.parse_qsl(body)) if kind == "form" else json.loads(body)
    for under in field.get("under", []):
        found = found[under]
    return found[field["name"]]


def resource(name, key):
    return next(each["resource"][key] for each in chain(name) if key in each.get("resource", {}))


def presented(name, token):
    """The header of a call, as the dialect has it."""
    scheme = resource(name, "schemes")[-1]
    return {resource(name, "header"): token if scheme == "none" else f"{scheme} {token}"}


# The words of /check, src/endpoint/check.c.
CHECK = {401: ("unauthorized", "invalid_token", "the access token is missing or not good"),
         403: ("forbidden", "insufficient_scope", "the access token does not reach so far")}


def check_refusal(name, status):
    """Content type and body of a call that /check refuses, and how its challenge begins."""
    key, code, message = CHECK[status]
    body = resource(name, key)
    assert "{request_id}" not in body and "{time}" not in body, "teach me"
    for word, value in (("code", code), ("message", message), ("status", str(status))):
        body = body.replace("{%s}" % word, value)
    kind = None if body == "empty" else resource(name, "content_type")
    return kind, "" if body == "empty" else body, resource(name, "challenge")


class Ask:
    """The first documented call that is granted, as parts."""

    def __init__(self, name, words):
        call = next(each for each in replay.read(name) if each.answer[0] == "200")
        lines = call.request
        for word, value in words.items():
            lines = [line.replace(word, value) for line in lines]
        end = lines.index("") if "" in lines else len(lines)
        self.method, target, _ = lines[0].split()
        self.path, _, query = target.partition("?")
        self.query = urllib.parse.parse_qsl(query, keep_blank_values=True)
        self.headers = [tuple(line.split(": ", 1)) for line in lines[1:end]]
        self.json = "\n".join(lines[end + 1:]).lstrip().startswith("{")
        text = "\n".join(lines[end + 1:])
        self.body = list(json.loads(text).items()) if self.json else \
            urllib.parse.parse_qsl(text, keep_blank_values=True)
        self.raw = None  # a body as it is

    def names(self):
        return [name for name, _ in self.body + self.query]

    def place(self, name):
        return self.body if any(name == each for each, _ in self.body) else self.query

    def replace(self, name, value):
        place = self.place(name)
        place[:] = [(each, value if each == name else old) for each, old in place]

    def put(self, name, value):
        """Into the place that it has, or that the others have."""
        self.drop(name)
        (self.body or self.query).append((name, value))

    def drop(self, name):
        for place in (self.body, self.query):
            place[:] = [pair for pair in place if pair[0] != name]

    def double(self, name):
        place = self.place(name)
        place.append(next(pair for pair in place if pair[0] == name))

    def header(self, name, value):
        self.headers = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def basic(self):
        return any(name == "Authorization" for name, _ in self.headers)

    def credentials(self, name, client_id, secret):
        """As this dialect wants them."""
        if self.basic():
            pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
            self.header("Authorization", "Basic " + pair)
            return
        for meaning, value in (("client_id", client_id), ("client_secret", secret)):
            self.replace(parameter(name, meaning), value)

    def bytes(self, host):
        target = self.path + ("?" + urllib.parse.urlencode(self.query) if self.query else "")
        if self.raw is not None:
            body = self.raw
        elif self.json:
            body = ("{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in self.body) +
                    "}").encode()
        else:
            body = urllib.parse.urlencode(self.body).encode()
        lines = [f"{self.method} {target} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def parameter(name, meaning):
    """What the dialect calls it."""
    return next(row["name"] for each in chain(name) for row in each.get("parameters", [])
                if row.get("is") == meaning)


def places(name, meaning):
    """Where the dialect has it."""
    return next(row.get("in", ["body"]) for each in chain(name)
                for row in each.get("parameters", []) if row.get("is") == meaning)


def required(name):
    """The names of the parameters that must be there, in lower case."""
    return {row["name"].lower() for each in chain(name) for row in each.get("parameters", [])
            if row.get("required")}


def has_default_grant(name):
    return any(row.get("is") == "grant_type" and "default" in row
               for each in chain(name) for row in each.get("parameters", []))
