# SPDX-License-Identifier: Apache-2.0
"""Each dialect that came with the program answers its documented calls: tests/dialects/*.replay."""
import base64
import json
import os
import socket
import subprocess
import urllib.parse

import pytest

import replay
from dialect_oracle import (DIALECTS, FILES, Ask, body_kind, challenge, endpoints,
                            has_default_grant, parameter, presented, refusal, resource,
                            token as given)
from instance import BINARY, Server

CALLS = [pytest.param(name, call, id=f"{name}-{call.title}".replace(" ", "_"))
         for name in DIALECTS for call in
         (replay.read(name) if (replay.FOLDER / f"{name}.replay").exists() else [])]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """One server that speaks every dialect, each to a host of its own and at a gate of its own."""
    folder = tmp_path_factory.mktemp("spoken")
    file = folder / "twoleg.yaml"
    hosts = "".join(f"  - {{name: {name}.example, dialect: {name}}}\n" for name in DIALECTS)
    checks = "".join(f"  - {{name: {name}, dialect: {name}}}\n" for name in DIALECTS)
    file.write_text("password_grant: true\n"
                    "allow_query_credentials: true\nfailures_per_address: none\n"
                    "failures_per_client: none\nhosts:\n" + hosts + "checks:\n" + checks)
    server = Server(data=folder / "data", config=file).start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def replays(spoken):
    """One for each dialect: a later call uses the token of an earlier one."""
    user = ("a.user@example.org", "the-word-of-the-user")
    spoken.cli("user", "add", user[0], "--scope", "groups sms", "--password-file", "-",
               input=user[1])
    app = spoken.app(name="replay", scope="groups sms",
                     grants="client_credentials password refresh_token",
                     client_id="3fd97176bd7e36c0e8fbd22b4b1ab5d29540b49c",
                     secret="129e24048c46c3bcabed1f9f267aef73f5f8e1e4")
    endless = spoken.app(name="replay", scope="groups sms", secret=app.secret, token_ttl="never",
                         token_format="reference")
    return {name: replay.Replay(spoken, f"{name}.example", app, user, endless.id)
            for name in DIALECTS}


def test_every_dialect_is_replayed_and_listed():
    assert DIALECTS == sorted(path.stem for path in replay.FOLDER.glob("*.replay"))
    listed = subprocess.run([BINARY, "dialect", "list"], capture_output=True, text=True,
                            check=True).stdout
    assert DIALECTS == sorted(line.split()[0] for line in listed.splitlines())


@pytest.mark.parametrize("name,call", CALLS)
def test_documented_call(replays, name, call):
    replays[name].run(call)


# --- What is wrong is refused in the dialect's own form

def send(server, data):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        sock.sendall(data)
        return replay.receive(sock)


def expect(spoken, name, ask, condition, error):
    status, headers, body = send(spoken, ask.bytes(f"{name}.example"))
    wanted = refusal(name, condition, error)
    assert (status, headers.get("content-type")) == wanted[:2], (status, headers, body)
    assert wanted[2] is None or body == wanted[2]
    return headers


@pytest.fixture
def ask(replays):
    return lambda name: Ask(name, replays[name].words)


@pytest.mark.parametrize("name", DIALECTS)
def test_B5_no_parameter_may_come_twice(spoken, ask, name):
    for parameter_name in ask(name).names():
        twice = ask(name)
        twice.double(parameter_name)
        resource = parameter_name == parameter(name, "resource")
        expect(spoken, name, twice, "target" if resource and not twice.json else "malformed",
               "TARGET_DUPLICATE" if resource else "PARAMETER_DUPLICATE")


@pytest.mark.parametrize("name", DIALECTS)
def test_B6_B14_malformed_and_too_many_parameters(spoken, ask, name):
    for bad in ("a=%zz", "a=%", "a=%00", "&".join(f"p{i}=1" for i in range(65))):
        broken = ask(name)
        error = "PARAMETER_COUNT" if "p64" in bad else "PARAMETER_MALFORMED"
        if broken.json:
            broken.raw = b'{"a":"\\u0000' if "%" in bad else \
                b"{" + b",".join(b'"p%d":"x"' % i for i in range(65)) + b"}"
        elif broken.method == "GET" or not broken.body:
            broken.path += "?" + bad
            broken.query = []
        else:
            broken.raw = bad.encode()
        expect(spoken, name, broken, "malformed", error)


@pytest.mark.parametrize("name", DIALECTS)
def test_who_is_not_known_is_refused_in_the_same_bytes(spoken, ask, name, replays):
    words = replays[name].words
    disabled = spoken.app(name="off", scope="groups sms", secret="x" * 40)
    spoken.cli("app", "disable", disabled.id, "--yes")
    deleted = spoken.app(name="gone", scope="groups sms", secret="x" * 40)
    spoken.cli("app", "delete", deleted.id, "--yes")
    seen = set()
    for client_id, secret in ((words["{ID}"], "wrong"), ("nobody", "x" * 40),
                              (disabled.id, "x" * 40), (deleted.id, "x" * 40)):
        wrong = ask(name)
        wrong.credentials(name, client_id, secret)
        expect(spoken, name, wrong, "client", "SECRET_WRONG")
        status, headers, body = send(spoken, wrong.bytes(f"{name}.example"))
        assert headers.get("www-authenticate") == (challenge(name) if status == 401 else None)
        seen.add((status, body))
    if len(seen) > 1:  # a dialect without words of its own for it has ours
        pytest.fail(f"{name} tells them apart: {seen}")


@pytest.mark.parametrize("name", DIALECTS)
def test_grants_methods_and_bodies_that_the_dialect_has_not(spoken, ask, name):
    grant = parameter(name, "grant_type")
    if not has_default_grant(name):
        other = ask(name)
        other.replace(grant, "authorization_code")
        expect(spoken, name, other, "grant", "GRANT_TYPE_UNSUPPORTED")
        none = ask(name)
        none.drop(grant)
        expect(spoken, name, none, "missing", "GRANT_TYPE_MISSING")
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        put = ask(name)
        put.method = method
        allow = expect(spoken, name, put, "method", "METHOD")["allow"]
        assert allow.split(", ") == sorted(endpoints(name)[0].get("methods", ["POST"]))
    text = ask(name)
    if text.body:
        text.header("Content-Type", "text/plain")
        expect(spoken, name, text, "media_type", "MEDIA_TYPE")


@pytest.mark.parametrize("name", DIALECTS)
def test_a_path_where_nothing_stands_is_refused_in_the_dialects_words(spoken, ask, name):
    """T16: also a 404 has the body that callers of this system read."""
    lost = ask(name)
    lost.path += "/nowhere"
    status, headers, _ = send(spoken, lost.bytes(f"{name}.example"))
    assert (status, headers["cache-control"]) == (404, "no-store")
    expect(spoken, name, lost, "not_found", "NOT_FOUND")


def test_no_refusal_of_wechats_has_the_number_of_success(spoken, ask):
    """Its callers look at errcode, whatever the status."""
    seen = set()
    for change in (lambda call: setattr(call, "method", "PUT"),
                   lambda call: setattr(call, "path", "/x"),
                   lambda call: call.drop("grant_type"), lambda call: call.drop("secret"),
                   lambda call: call.query.append(("a", "1")) or call.query.append(("a", "2")),
                   lambda call: call.query.append(("scope", "sms"))):
        wrong = ask("wechat")
        change(wrong)
        body = json.loads(send(spoken, wrong.bytes("wechat.example"))[2])
        assert body["errcode"] > 0, body
        seen.add(body["errcode"])
    assert len(seen) > 2


@pytest.mark.parametrize("name", DIALECTS)
def test_B4_two_ways_at_once_are_none(spoken, ask, name, replays):
    """Also where only one of them is known: who else reads the request may know the other."""
    two, words = ask(name), replays[name].words
    if not two.basic():
        two.header("Authorization", "Basic " + base64.b64encode(b"nobody:secret").decode())
    elif two.method == "GET":  # of which the body is never read
        two.query.append((parameter(name, "client_secret"), words["{SECRET}"]))
        expect(spoken, name, two, "in_query", "CLIENT_IN_QUERY")
        return
    else:
        two.body += [(parameter(name, "client_id"), words["{ID}"]),
                     (parameter(name, "client_secret"), words["{SECRET}"])]
        if not two.json:
            two.header("Content-Type", "application/x-www-form-urlencoded")
    expect(spoken, name, two, "malformed", "CLIENT_TWO_METHODS")


@pytest.mark.parametrize("name", DIALECTS)
def test_without_credentials(spoken, ask, name):
    nobody = ask(name)
    nobody.header("Authorization", None)
    for meaning in ("client_id", "client_secret"):
        nobody.drop(parameter(name, meaning))
    expect(spoken, name, nobody, "client_missing", "CLIENT_MISSING")


# What callers of the three read when a gate or a server cannot answer, or too much is asked, word
# for word: no replay makes that, and the oracle, which reads the dialect's file, agrees with a
# wrong one. The types of SMS.CX are those of its closed list (seed-systems 2.2).
GATE_FAILED = {"smscx": '{"error":{"type":"server_error","message":"try again",'
                        '"uri":"","code":1600}}',
               "rapidsos": '{"detail":"try again"}', "rti-sms": ""}
FAILED = {"smscx": (500, '{"error":{"type":"server_error","message":"try again",'
                         '"uri":"/oauth/token","code":1600}}'),
          "rapidsos": (500, '{"detail":"try again"}'), "rti-sms": (503, "")}
LIMITED = {
    "smscx": ("/oauth/token", "basic",
              '{"error":{"type":"rate_limit","message":"too many failures of authentication",'
              '"uri":"/oauth/token","code":1600}}',
              '{"error":{"type":"rate_limit","message":"the application\'s budget is used up; '
              'keep tokens until they expire","uri":"/oauth/token","code":1600}}'),
    "rti-sms": ("/api/auth", "post", "", ""),
    "rapidsos": ("/oauth/token", "post", '{"detail":"too many failures of authentication"}',
                 '{"detail":"the application\'s budget is used up; keep tokens until they '
                 'expire"}')}


@pytest.mark.hooks
def test_design_3_8_a_gate_that_cannot_tell_says_so_in_the_dialects_form(spoken, replays):
    """Callers of SMS.CX read error.type of every refusal, whoever it comes from."""
    token = json.loads(send(spoken, Ask("smscx", replays["smscx"].words).bytes(
        "smscx.example"))[2])["access_token"]
    spoken.hooks.fault("store", 1, sticky=True)
    try:
        for name in DIALECTS:
            answer = spoken.request("GET", "/check", headers={
                "Host": f"{name}.example", **presented(name, token)})
            body = resource(name, "unavailable")
            assert (answer.status, answer.text) == (503, "" if body == "empty" else body)
            assert answer.headers["Retry-After"] == "1"
            assert answer.text == GATE_FAILED.get(name, answer.text)
    finally:
        spoken.hooks.fault("store", 0)
    assert spoken.check(token).status == 200


@pytest.mark.hooks
def test_T16_a_server_that_cannot_answer_says_so_in_the_dialects_form(spoken, ask):
    """Of an application that nobody asked about yet: it stands in the store only."""
    apps = {name: spoken.app(name=name, scope="groups sms", secret="x" * 40) for name in DIALECTS}
    spoken.hooks.fault("store", 1, sticky=True)
    try:
        for name in DIALECTS:
            call = ask(name)
            call.credentials(name, apps[name].id, apps[name].secret)
            assert expect(spoken, name, call, "unavailable", "STORE_FAILED")["retry-after"] == "1"
            status, _, body = send(spoken, call.bytes(f"{name}.example"))
            assert (status, body) == FAILED.get(name, (status, body))
    finally:
        spoken.hooks.fault("store", 0)


def test_B1_what_is_too_much_is_429_in_the_dialects_own_words(make_server, tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text("failures_per_client: 1/1d\nbudget: 1/1d\nhosts:\n" + "".join(
        f"  - {{name: {name}.example, dialect: {name}}}\n" for name in LIMITED))
    server = make_server(config=file).start()
    for name, (path, method, of_failures, of_budget) in LIMITED.items():
        app = server.app(name=name)
        for secret, status, body in (("wrong", 429, of_failures), (app.secret, 429, of_budget)):
            app.secret = secret
            first, second = (server.form(path, {"grant_type": "client_credentials"}, app, method,
                                         {"Host": f"{name}.example"}) for _ in range(2))
            assert first.status != status
            assert (second.status, second.text) == (status, body)
            assert int(second.headers["Retry-After"]) > 3600


# --- Which dialect is spoken

def test_another_host_is_misdirected(spoken, replays):
    call = Ask("rfc6749", replays["rfc6749"].words)
    for host in ("nobody.example", "rfc6749.example.org", "127.0.0.1", "example"):
        assert send(spoken, call.bytes(host))[0] == 421
    for host in ("rfc6749.example", "RFC6749.Example", "rfc6749.example:8443"):
        assert send(spoken, call.bytes(host))[0] == 200
    # Only tokens are asked for at a host.
    assert spoken.get("/healthz").status == 200


def test_rfc9112_3_2_2_the_host_of_an_absolute_target_goes_before_host(spoken, replays):
    for target, host, status in (("rfc6749", "rti-sms", 200), ("rti-sms", "rfc6749", 404),
                                 ("nobody", "rfc6749", 421), ("rfc6749", "nobody", 200),
                                 ("x@rfc6749", "rfc6749", 421)):
        call = Ask("rfc6749", replays["rfc6749"].words)
        call.path = f"http://{target}.example:80{call.path}"
        assert send(spoken, call.bytes(f"{host}.example"))[0] == status, (target, host)


def test_a_listener_with_a_dialect_of_its_own_speaks_it_to_every_host_that_is_not_named(
        make_server, tmp_path):
    file = tmp_path / "twoleg.yaml"
    listen = "listen:\n  - 127.0.0.1:0\n  - {address: 127.0.0.1:0, dialect: rti-sms}\n"
    file.write_text(listen)
    server = make_server(config=file, listen=())
    server.listeners = 2
    server.start()
    app = server.app(token_format="sealed")
    ports = [urllib.parse.urlsplit(url).port for url in server.urls]
    form = urllib.parse.urlencode({"grant_type": "client_credentials", "client_id": app.id,
                                   "client_secret": app.secret})

    def status(listener, host, path):
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(form)}\r\n" \
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        with socket.create_connection(("127.0.0.1", ports[listener]), timeout=60) as sock:
            sock.sendall((head + form).encode())
            return replay.receive(sock)[0]

    both = [(listener, path) for listener in (0, 1) for path in ("/oauth/token", "/api/auth")]
    assert [status(listener, "any", path) for listener, path in both] == [200, 404, 404, 200]
    file.write_text(listen + "hosts:\n  - {name: named.example, dialect: smscx}\n")
    server.cli("reload")
    assert [status(listener, "any", path) for listener, path in both] == [421, 421, 404, 200]
    assert [status(listener, "named.example", path) for listener, path in both] == [200, 404] * 2


def test_a_secret_in_the_query_needs_the_operators_word(tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text("dialect: wechat\n")
    status, words = Server(data=tmp_path / "data", config=file).refused()
    assert status == 1
    assert f"{file}:1:1: the dialect wechat takes a client's credentials from the query" in words
    checked = subprocess.run([BINARY, "config", "check", "--config", file], capture_output=True,
                             text=True, check=False)
    assert checked.returncode == 1 and "allow_query_credentials: true" in checked.stderr


def test_B3_a_token_in_the_query_needs_the_operators_word(tmp_path):
    (tmp_path / "asks.yaml").write_text("name: asks\ntitle: Asks\nresource: {query: key}\n")
    (tmp_path / "based.yaml").write_text("name: based\ntitle: Based\nbase: asks\n")
    (tmp_path / "calm.yaml").write_text(
        "name: calm\ntitle: Calm\nbase: asks\nresource: {query: none}\n")
    file = tmp_path / "twoleg.yaml"
    for name, allowed, words in (("asks", "false", "takes access tokens from the query"),
                                 ("based", "false", "takes access tokens from the query"),
                                 ("based", "true", ""), ("calm", "false", "")):
        file.write_text(f"dialect_folder: {tmp_path}\nallow_query_credentials: {allowed}\nchecks:\n"
                        f"  - {{name: sms, dialect: {name}}}\n")
        done = subprocess.run([BINARY, "config", "check", "--config", file], capture_output=True,
                              text=True, check=False)
        assert done.returncode == (1 if words else 0) and words in done.stderr, (name, done)
    checked = subprocess.run([BINARY, "dialect", "check", tmp_path / "asks.yaml"], check=True,
                             capture_output=True, text=True)
    assert "it needs allow_query_credentials: true" in checked.stdout


def test_B1_refusals_that_are_sent_with_200_count_and_are_limited(make_server, tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text("dialect: wechat\nallow_query_credentials: true\nfailures_per_client: 3/1d\n")
    server = make_server(config=file).start()
    app = server.app()

    def ask(secret):
        return server.get(f"/cgi-bin/token?grant_type=client_credential&appid={app.id}"
                          f"&secret={secret}")

    wrong = [ask("wrong") for _ in range(5)]
    assert [answer.status for answer in wrong] == [200] * 5
    assert [answer.json()["errcode"] for answer in wrong] == [40013] * 3 + [45009] * 2
    assert int(wrong[4].headers["Retry-After"]) > 3600
    assert "access_token" in ask(app.secret).json(), "who has the right one is not locked out"
    metrics = server.get("/metrics").text
    for count, row in ((3, 'token_refused_total{error="invalid_client"}'),
                       (2, 'token_refused_total{error="other"}')):
        assert f"twoleg_{row} {count}\n" in metrics, metrics


def test_own_dialects_are_read_from_their_folder_and_again_at_a_reload(make_server, tmp_path):
    folder = tmp_path / "dialects"
    folder.mkdir()
    own = folder / "acme.yaml"
    good = "name: acme\ntitle: Acme\nendpoints:\n  - path: /login\n"
    own.write_text(good)
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"dialect_folder: {folder}\ndialect: acme\n")
    server = make_server(config=file).start()
    app = server.app()
    fields = {"grant_type": "client_credentials"}
    assert server.form("/login", fields, app).status == 200
    assert server.form("/oauth/token", fields, app).status == 404
    own.write_text(good + "colour: red\n")
    refused = server.run_cli("reload")
    assert refused.returncode == 1 and "acme.yaml:5:1: unknown key" in refused.stderr
    assert server.form("/login", fields, app).status == 200, "the old set stays"
    own.write_text(good.replace("/login", "/enter"))
    server.cli("reload")
    assert server.form("/enter", fields, app).status == 200
    assert server.form("/login", fields, app).status == 404


@pytest.mark.parametrize("name", DIALECTS)
def test_the_example_gets_a_token_that_passes(spoken, replays, tmp_path, name):
    """The lines that ./run prints, as they are but for Host, which curl takes from a file. The last
    one shows the token."""
    lines = subprocess.run([BINARY, "dialect", "example", name], capture_output=True, text=True,
                           check=True).stdout
    words = replays[name].words
    for word, value in (("{url}", spoken.url), ("{issuer}", spoken.url), ("{scope}", "sms"),
                        ("{id}", words["{ID}"]), ("{secret}", words["{SECRET}"]),
                        ("{username}", words["{USER}"]), ("{password}", words["{PASSWORD}"]),
                        ("{basic}", words["{BASIC}"])):
        lines = lines.replace(word, value)
    (tmp_path / ".curlrc").write_text(f'header = "Host: {name}.example"\n')
    def shell(line):
        return subprocess.run(["bash", "-c", line], env={**os.environ, "CURL_HOME": str(tmp_path)},
                              capture_output=True, text=True, check=True).stdout
    *asks, check = lines.splitlines()
    listed = json.loads(subprocess.run([BINARY, "dialect", "example", name, "--json"],
                                       capture_output=True, check=True).stdout)
    assert [line for line in listed.values() if line] == subprocess.run(
        [BINARY, "dialect", "example", name], capture_output=True, text=True,
        check=True).stdout.splitlines()
    for line in asks:
        token = given(name, shell(line))
        passed = spoken.request("GET", "/check", headers={
            "Host": f"{name}.example", **presented(name, token)})
        user = words["{USER}"] if words["{PASSWORD}"] in line else ""
        assert (passed.status, passed.headers["X-Auth-Username"]) == (200, user)
        assert shell(check.replace("TOKEN", token)).startswith("HTTP/1.1 200 OK\n")
    assert len(asks) == 1 + ("user_example" in FILES[name])


@pytest.mark.parametrize("name", DIALECTS)
def test_try_reads_what_the_server_reads(replays, name):
    """The first documented call, and no secret comes out."""
    one = Ask(name, replays[name].words)
    done = subprocess.run([BINARY, "dialect", "try", name], input=one.bytes("x"),
                          capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "grant       client_credentials" in text
    assert "HTTP/1.1 200 OK" in text or "HTTP/1.1 201" in text
    assert "ACCESS_TOKEN" in text
    secret = replays[name].words["{SECRET}"]
    assert secret not in text and secret not in done.stderr.decode()


# --- Rows of the seed systems that need more than one call

@pytest.mark.parametrize("end", [" ", "  ", "\n", "\r\n", "\t", " \n"])
def test_T5_white_space_behind_the_secret(spoken, replays, end):
    """`echo ID:SECRET | base64` has a line end in it."""
    words = replays["smscx"].words
    header = "Basic " + base64.b64encode(f"{words['{ID}']}:{words['{SECRET}']}{end}".encode()) \
        .decode()
    for host, status in (("smscx", 200), ("rfc6749", 401), ("ebay", 401)):
        path = "/identity/v1/oauth2/token" if host == "ebay" else "/oauth/token"
        answer = spoken.request("POST", path, "grant_type=client_credentials", {
            "Host": f"{host}.example", "Authorization": header,
            "Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == status, (host, answer)


def test_T8_basic_in_both_spellings(spoken):
    app = spoken.app(name="spellings", scope="sms", client_id="a+b%41", secret="s%2B+" * 8)
    for pair in (f"{app.id}:{app.secret}", "a%2Bb%2541:" + "s%252B%2B" * 8):
        header = "Basic " + base64.b64encode(pair.encode()).decode()
        answer = spoken.request("POST", "/oauth/token", "grant_type=client_credentials", {
            "Host": "smscx.example", "Authorization": header,
            "Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status == 200, answer


def test_T11_credentials_may_be_long_dotted_texts(spoken):
    client_id, secret = ("eyJ." + "a-_" * 340)[:1024], ("x.y-" * 256)[:1024]
    app = spoken.app(name="long", scope="sms", client_id=client_id, secret=secret)
    answer = spoken.form("/api/auth", {"grant_type": "client_credentials"}, app, "post",
                         {"Host": "rti-sms.example"})
    assert answer.status == 200 and list(answer.json()) == ["access_token", "validity_period"]


def test_T12_the_misspelt_name_is_not_sent(spoken, replays):
    answer = send(spoken, Ask("rapidsos", replays["rapidsos"].words).bytes("rapidsos.example"))[2]
    assert '"access_token":' in answer and "acces_token" not in answer


def shape(name, body):
    """The names of an answer's fields, and the JSON types of what stands there."""
    kind = body_kind(name)
    if kind == "json":
        return json.loads(body, object_pairs_hook=lambda pairs: [
            (key, value if isinstance(value, list) else type(value)) for key, value in pairs])
    return [key for key, _ in urllib.parse.parse_qsl(body)] if kind == "form" else str


@pytest.mark.parametrize("name", DIALECTS)
def test_T21_a_token_that_never_expires_has_each_field_that_others_have(spoken, ask, replays, name):
    """Callers read the life without asking whether it is there. RFC 6749 section 5.1 has it as
    optional, and Facebook's tokens of applications had none."""
    hour, endless = ask(name), ask(name)
    endless.credentials(name, replays[name].words["{ENDLESS}"], replays[name].words["{SECRET}"])
    said, of_endless = (shape(name, send(spoken, call.bytes(f"{name}.example"))[2])
                        for call in (hour, endless))
    if name in ("rfc6749", "singleview", "facebook"):
        assert [each for each in said if each not in of_endless] in (
            [("expires_in", int)], ["expires"])
    else:
        assert said == of_endless


@pytest.mark.parametrize("life,seconds", [("1d", 86400), ("1w", 604800), ("never", 315360000)])
def test_T21_lives_of_smscx(spoken, life, seconds):
    app = spoken.app(name="life", scope="sms", token_ttl=life, token_format="sealed")
    answer = spoken.form("/oauth/token", {"grant_type": "client_credentials"}, app,
                         headers={"Host": "smscx.example"})
    assert answer.json()["expires_in"] == seconds
