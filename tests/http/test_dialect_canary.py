# SPDX-License-Identifier: Apache-2.0
"""The canary in every dialect: a secret that is known goes where the dialect has it, and wherever
else a client may put it (the query, a header, a hole of the path); then it is searched for in the
log and in what is answered. B3 and B13."""
import pathlib
import urllib.parse

import pytest

import replay
from dialect_oracle import Ask, parameter
from instance import FORMATS, Server, basic, until
from test_canary import Canaries
from test_dialects import DIALECTS, send

SECRET = "129e24048c46c3bcabed1f9f267aef73f5f8e1e4"  # of a call that is printed with it
OWN = pathlib.Path(__file__).resolve().parent / "dialects"


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    """One server that speaks every dialect and one of its own, and logs all it can."""
    folder = tmp_path_factory.mktemp("loud")
    file = folder / "twoleg.yaml"
    hosts = "".join(f"  - {{name: {name}.example, dialect: {name}}}\n"
                    for name in (*DIALECTS, "odd", "odd-query"))
    file.write_text(f"workers: 1\nlog_requests: all\ndialect_folder: {OWN}\n"
                    "allow_query_credentials: true\nfailures_per_address: none\n"
                    "failures_per_client: none\nchecks:\n  - {name: odd, dialect: odd}\n"
                    "  - {name: query, dialect: odd-query}\n"
                    "  - {name: far, dialect: odd-query, scope: sms}\n"
                    f"hosts:\n{hosts}")
    server = Server(data=folder / "data", config=file).start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def app(loud):
    return loud.app(name="canary", scope="groups sms", secret=SECRET,
                    client_id="3fd97176bd7e36c0e8fbd22b4b1ab5d29540b49c")


def granted(loud, app):
    return loud.request("POST", "/oauth/token", "grant_type=client_credentials", {
        "Host": "rfc6749.example", "Authorization": basic(app.id, app.secret),
        "Content-Type": "application/x-www-form-urlencoded"})


def logged(loud, app):
    """The log of all that was asked: what one worker writes comes out in its order."""
    last = granted(loud, app).headers["X-Request-Id"]
    until(lambda: f'request="{last}"' in loud.stderr(), "the last line")
    return loud.stderr()


def wrongly(name, words):
    """The documented call with the secret in each place where it does not belong."""
    for meaning in ("client_id", "grant_type", "scope", "resource"):
        odd = Ask(name, words)
        odd.replace(parameter(name, meaning), SECRET)
        yield odd
    for part in ("query", "headers", "body"):
        odd = Ask(name, words)
        getattr(odd, part).append(("X-Odd", SECRET))
        yield odd
        odd = Ask(name, words)
        getattr(odd, part).extend([(parameter(name, "client_secret"), SECRET)] * 2)
        yield odd
    swapped = Ask(name, words)
    swapped.credentials(name, SECRET, words["{ID}"])
    yield swapped
    longer = Ask(name, words)
    longer.credentials(name, words["{ID}"], SECRET + "x")
    yield longer
    lost = Ask(name, words)
    lost.path += "/" + SECRET
    yield lost
    holed = Ask(name, words)
    first = holed.path.split("/")[1]
    holed.path = holed.path.replace(first, SECRET, 1)
    yield holed


@pytest.mark.parametrize("name", DIALECTS)
def test_B3_B13_a_secret_is_in_no_log_and_in_no_answer(loud, app, name):
    canaries = Canaries()
    canaries.add("secret", app.secret)
    words = replay.Replay(loud, f"{name}.example", app).words
    assert send(loud, Ask(name, words).bytes(f"{name}.example"))[0] == 200
    for wrong in wrongly(name, words):
        _, headers, body = send(loud, wrong.bytes(f"{name}.example"))
        assert not canaries.found("an answer", (str(headers) + body).encode()), wrong.path
    assert not canaries.found("the log", logged(loud, app).encode())


def test_B13_what_stands_in_a_hole_of_a_path_is_not_logged(loud, app):
    """Neither behind the name of a gate, where the path of the call that is asked about stands."""
    canaries = Canaries()
    canaries.add("secret", app.secret)
    place = urllib.parse.quote(app.secret)
    for headers in ({"X-Client": app.id, "X-Secret": app.secret}, {"X-Client": app.id}, {}):
        loud.request("POST", f"/{place}/v1/login?version=2", b"",
                     {"Host": "odd.example", **headers})
    assert loud.request("GET", f"/check/odd/{place}/x").status == 401
    log = logged(loud, app)
    assert 'path="/{tenant}/v1/login"' in log and 'path="odd"' in log
    assert not canaries.found("the log", log.encode())
    assert not canaries.found("the audit", loud.admin("GET", "/admin/v1/audit?limit=200").body)


# --- RFC 6750 section 2.3: an access token in the query

@pytest.mark.parametrize("kind", FORMATS)
def test_rfc6750_2_3_a_token_in_the_query_where_the_dialect_says_so(loud, kind):
    app = loud.app(name=kind, scope="groups", token_format=kind)
    token, other = (granted(loud, app).json()["access_token"] for _ in range(2))

    def check(query, gate="query/api/x", **headers):
        return loud.request("GET", f"/check/{gate}?{query}", headers=headers)

    good = check(f"a=1&access_token={token}&b=%20")
    assert (good.status, good.headers["X-Auth-Client-Id"]) == (200, app.id)
    assert good.headers["Cache-Control"] == "no-store"
    assert check(f"access_token={token}", "far").status == 403
    bearer = {"Authorization": f"Bearer {token}"}
    # In no header is as in none: Basic is no token, and a parameter without a value is none.
    assert check(f"access_token={token}", Authorization="Basic YTpi").status == 200
    assert check("access_token=&a", **bearer).status == 200
    for query, headers in (
            ("", {}), ("access_token=", {}), ("Access_token=" + token, {}), ("token=" + token, {}),
            (f"access_token={token}x", {}), (f"access_token={token}&%", {}),
            (f"access_token={token}%00", {}), (f"access_token=%20{token}", {}),
            (f"access_token={token}&access_token={token}", {}),
            ("&".join(["a=1"] * 64) + f"&access_token={token}", {}),
            (f"access_token={token}", bearer), (f"access_token={other}", bearer),
            ("access_token=x", bearer), ("%", bearer)):
        answer = check(query, **headers)
        assert answer.status == 401, query
        assert not answer.headers["X-Auth-Client-Id"]
    # The query of /check is the proxy's, at that host, too, and no other dialect takes one.
    for target, host in ((f"/check?access_token={token}", "odd-query.example"),
                         (f"/check?access_token={token}", "rfc6749.example")):
        assert loud.request("GET", target, headers={"Host": host}).status == 403
    assert check(f"access_token={token}", "odd").status == 401


def test_B3_B13_a_token_in_the_query_is_in_no_log_and_in_no_answer(loud, app):
    """Neither of a call that passes, nor of one that is refused at any step."""
    canaries = Canaries()
    for kind in FORMATS:
        caller = loud.app(name=f"{kind} in the query", token_format=kind)
        token = granted(loud, caller).json()["access_token"]
        canaries.add(kind, token)
        for gate in ("check", "check/query", "check/query/api/x", "check/odd", "check/far",
                     "check/nobody", "nowhere", "oauth/token", "token"):
            for query in (f"access_token={token}", f"access_token={token}&access_token={token}",
                          f"access_token={token}&%", f"access_token={token}x", f"{token}=x",
                          f"access_token={token}\x7f"):
                for host in ("odd-query.example", "rfc6749.example", "nobody.example"):
                    answer = loud.raw(f"GET /{gate}?{query} HTTP/1.1\r\nHost: {host}\r\n"
                                      "Connection: close\r\n\r\n".encode())
                    assert not canaries.found("an answer", answer), (gate, query)
    log = logged(loud, app)
    assert 'path="query"' in log
    assert not canaries.found("the log", log.encode())
