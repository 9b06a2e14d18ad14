# SPDX-License-Identifier: Apache-2.0
"""Reload: SIGHUP and `twoleg reload` put one new snapshot of configuration and certificates in the
place of the old one, whole, or say why not. Rows G7, H11, H22."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import threading

import pytest

from authority import Authority
from instance import (Application, FORMATS, HAS_HOOKS, PATIENCE, basic, release_by, statuses,
                      token_request, two_admins, unread, until)
from test_health_metrics import figures
from test_service import listening, manage  # noqa: F401 the fixture

METADATA = "/.well-known/oauth-authorization-server"
FORM = "application/x-www-form-urlencoded"


class Reloading:
    """A server with a configuration file that tests write anew."""

    def __init__(self, make_server, folder):
        self.make_server = make_server
        self.file = folder / "twoleg.yaml"

    def start(self, text="", **options):
        self.file.write_text(text)
        self.server = self.make_server(config=self.file, **options).start()
        return self.server

    def write(self, text):
        """As whoever changes a file of a running server does: nobody reads half of it."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    def reload(self, text):
        self.write(text)
        return self.server.cli("reload", "--json")

    def refused(self, text):
        self.write(text)
        done = self.server.run_cli("reload")
        assert done.returncode != 0 and not done.stdout
        return done.returncode, done.stderr

    def changed(self, text):
        return [change["option"] for change in self.reload(text)["changes"]]


@pytest.fixture
def reloading(make_server, tmp_path):
    return Reloading(make_server, tmp_path)


def max_age(server):
    return int(server.get(METADATA).headers["Cache-Control"].split("max-age=")[1])


# ------------------------------------------------------------------ what is taken over
def test_changed_options_are_in_force_when_the_command_ends(reloading):
    server = reloading.start("jwks_max_age: 60s\n")
    assert max_age(server) == 60
    answer = reloading.reload("\njwks_max_age: 90s\nservice_documentation: https://a.example\n")
    assert answer == {"certificates": 0, "dialects": [], "warnings": [], "changes": [
        {"option": "service_documentation", "before": '""', "after": "https://a.example",
         "line": 3, "column": 1},
        {"option": "jwks_max_age", "before": "1m", "after": "90s", "line": 2, "column": 1}]}
    assert max_age(server) == 90
    assert server.get(METADATA).json()["service_documentation"] == "https://a.example"
    assert reloading.reload("")["changes"][1] == {"option": "jwks_max_age", "before": "90s",
                                                  "after": "5m"}
    assert "service_documentation" not in server.get(METADATA).json()


def test_the_command_says_what_has_changed(reloading):
    server = reloading.start("token_ttl: 1h\n")
    reloading.write("token_ttl: 15m\n")
    assert server.cli("reload") == "token_ttl: 15m, before 1h\n"
    assert server.cli("reload") == "No option has changed, and no dialect.\n"
    assert server.app().facts["token_ttl"] == 900
    rows = server.cli("audit", "list", "--json")["audit"]
    assert [row["detail"]["options"] for row in rows if row["action"] == "config.reload"] == \
        [["token_ttl"], []]
    assert figures(server)['twoleg_reloads_total{result="taken"}'] == 2


def test_sighup_takes_over_what_has_changed(reloading):
    server = reloading.start()
    reloading.write("log_requests: all\njwks_max_age: 77s\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "event=reloaded changes=2" in server.stderr(), "the reload")
    assert 'event=reload_changes option=log_requests before="refused" after="all"' in \
        server.stderr()
    assert max_age(server) == 77
    assert server.token(server.app()).status == 200
    server.stop()
    assert "event=answered route=token" in server.stderr()


def test_E16_a_reload_by_a_signal_is_in_the_audit(reloading):
    server = reloading.start()
    reloading.write("jwks_max_age: 77s\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "event=reloaded changes=1" in server.stderr(), "the reload")
    last = server.cli("audit", "list", "--json")["audit"][-1]
    assert (last["action"], last["actor"], last["detail"], last["request_id"]) == \
        ("config.reload", f"uid:{os.getuid()}", {"options": ["jwks_max_age"]}, "")


def test_level_of_the_log(reloading):
    server = reloading.start("log_level: error\n")
    server.get("/nowhere")
    reloading.reload("log_level: debug\n")
    server.raw(b"bad\r\n\r\n")
    server.stop()
    assert "event=http_refused" in server.stderr() and "event=started" not in server.stderr()


def test_proxies_and_gates(reloading):
    server = reloading.start("log_requests: all\nlisten: [127.0.0.1:0]\n", listen=())
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    assert server.request("GET", "/check/sms", headers=forwarded).status == 403
    assert reloading.changed(
        "log_requests: all\nlisten:\n  - address: 127.0.0.1:0\n    trusted_proxies: [127.0.0.1]\n"
        "checks: [{name: sms}]\n") == ["listen", "checks"]
    assert server.request("GET", "/check/sms", headers=forwarded).status == 401
    server.stop()
    first, second = [line for line in server.stderr().splitlines() if "route=check" in line]
    assert "for=" not in first and 'for="203.0.113.9"' in second


def test_limits(reloading):
    server = reloading.start("budget: 2/1d\nfailures_per_client: 2/1d\n")
    app = server.app()
    wrong = Application({**app.facts, "client_secret": "wrong"})
    assert [server.token(app).status for _ in range(3)] == [200, 200, 429]
    assert [server.token(wrong).status for _ in range(3)] == [401, 401, 429]
    reloading.reload("budget: 2/1d\nbudget_observe: true\nfailures_per_client: 3/1d\n")
    assert server.token(app).status == 200
    assert [server.token(wrong).status for _ in range(4)] == [401, 401, 401, 429]
    reloading.reload("budget: 2/1d\nfailures_per_client: none\n")
    assert [server.token(app).status, server.token(wrong).status] == [429, 401]
    reloading.reload("")
    assert server.token(app).status == 200


def test_deadlines_hold_for_connections_that_wait_already(reloading):
    server = reloading.start("idle_timeout: 1h\nheader_timeout: 10m\n")
    with server.connect() as idle, server.connect() as slow:
        for sock in (idle, slow):
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b" 200 " in sock.recv(4096)
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        until(lambda: not unread([slow]), "the line being read")
        reloading.reload("idle_timeout: 100ms\nheader_timeout: 100ms\n")
        assert idle.recv(4096) == b""
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")


def connections_of(server, count):
    """How many of so many connections stand."""
    socks = [server.connect() for _ in range(count)]
    try:
        for sock in socks:
            sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        return sum(1 for sock in socks if answered(sock))
    finally:
        for sock in socks:
            sock.close()


def answered(sock):
    try:
        return b" 200 " in sock.recv(4096)
    except ConnectionError:
        return False


def test_caps_of_connections(reloading):
    server = reloading.start("max_connections_per_address: 3\n")
    assert connections_of(server, 8) == 3
    reloading.reload("max_connections_per_address: 6\n")
    until(lambda: connections_of(server, 8) == 6, "connections of before to be gone")


def test_rules_of_rotation(reloading):
    server = reloading.start("jwt_max_ttl: 12h\nkey_rotation: 90d\n")
    app = server.app(token_format="jwt", token_ttl="10h")
    [key] = server.cli("key", "list", "--json")["keys"]
    assert key["until"] - key["since"] == 90 * 86400
    assert server.token(app).json()["expires_in"] == 10 * 3600
    reloading.reload("jwt_max_ttl: 2h\nkey_rotation: 30d\njwks_max_age: 10s\n")
    [key] = server.cli("key", "list", "--json")["keys"]
    assert key["until"] - key["since"] == 30 * 86400
    assert server.token(app).json()["expires_in"] == 2 * 3600


@pytest.mark.hooks
def test_D5_tokens_of_a_longer_life_outlive_the_reload_that_shortens_it(reloading):
    server = reloading.start("jwt_max_ttl: 12h\nkey_rotation: never\njwks_max_age: 10s\n")
    app = server.app(token_format="jwt", token_ttl="12h")
    token = server.bearer(app)
    reloading.reload("jwt_max_ttl: 1h\nkey_rotation: never\njwks_max_age: 10s\n")
    server.cli("key", "rotate")
    server.hooks.clock(3600)
    until(lambda: any(k["state"] == "retired"
                      for k in server.cli("key", "list", "--json")["keys"]), "the next key")
    server.hooks.clock(11 * 3600)
    assert server.check(token).status == 200
    assert len(server.cli("key", "list", "--json")["keys"]) == 2


# ------------------------------------------------------------------ what is refused
@pytest.mark.parametrize("text,place", [
    ("token_ttl: 15m\ntoken_tll: 1m\n", ":2:1: unknown key"),
    ("token_ttl: soon\n", ":1:12: token_ttl:"),
    ("token_ttl: 15m\ntoken_ttl: 15m\n", ":2:1: duplicate key"),
    ("token_ttl: 2d\njwt_max_ttl: 1d\n", ":1:1: token_ttl: longer than jwt_max_ttl"),
    ("token_ttl: [\n", ":2:1: "),
])
@pytest.mark.parametrize("how", ["command", "signal"])
def test_H22_what_is_wrong_is_said_with_its_place_and_the_old_one_stays(reloading, text, place,
                                                                       how):
    server = reloading.start("jwks_max_age: 60s\n")
    words = place.split(": ", 1)[1]
    if how == "command":
        code, said = reloading.refused(text)
        assert code == 1 and str(reloading.file) + place in said and server.data in said
    else:
        reloading.write(text)
        server.process.send_signal(signal.SIGHUP)
    until(lambda: "event=reload_refused" in server.stderr(), "the refusal")
    line = place.split(":")[1]
    assert re.search(rf'event=reload_problem file=".*twoleg.yaml" line={line} reason="{words}',
                     server.stderr())
    assert max_age(server) == 60
    assert figures(server)['twoleg_reloads_total{result="refused"}'] == 1
    assert reloading.changed("jwks_max_age: 70s\n") == ["jwks_max_age"]
    assert max_age(server) == 70


def test_H22_a_missing_file_is_said_and_the_old_one_stays(reloading):
    server = reloading.start("jwks_max_age: 60s\n")
    reloading.file.unlink()
    done = server.run_cli("reload")
    assert done.returncode == 1 and f"{reloading.file}: No such file" in done.stderr
    assert max_age(server) == 60


def test_H22_every_problem_is_said_as_json_too(reloading):
    server = reloading.start()
    reloading.write("a: 1\nb: 2\n")
    done = server.run_cli("reload", "--json")
    said = json.loads(done.stderr)
    assert done.returncode == 1 and said["error"] == "refused"
    answer = server.admin("POST", "/admin/v1/reload", {})
    assert answer.status == 422 and answer.error == "invalid"
    assert [(p["source"], p["line"], p["column"]) for p in answer.json()["problems"]] == \
        [(str(reloading.file), 1, 1), (str(reloading.file), 2, 1)]
    many = "".join(f"unknown_option_number_{i}: 1\n" for i in range(90))
    _, words = reloading.refused(many)
    assert "use `twoleg config check`" in words and f"{reloading.file}:1:1: " in words


@pytest.mark.parametrize("text,option", [
    ("workers: 3", "workers"), ("user: nobody", "user"), ("sandbox: false", "sandbox"),
    ("issuer: https://elsewhere.example", "issuer"), ("token_prefix: xyz_", "token_prefix"),
    ("master_key_file: /etc/twoleg.key", "master_key_file"),
    ("listen: [127.0.0.1:0, 127.0.0.2:0]", "listen"),
    ("listen: [127.0.0.3:0]", "listen[0].address"),
    ("listen: [{address: 127.0.0.1:0, doors: [public]}]", "listen[0].doors"),
])
def test_H22_what_needs_a_restart_is_named_and_nothing_is_taken(reloading, text, option):
    server = reloading.start("jwks_max_age: 60s\nlisten: [127.0.0.1:0]\n", listen=())
    rest = "" if text.startswith("listen") else "listen: [127.0.0.1:0]\n"
    code, words = reloading.refused(f"jwks_max_age: 70s\n{text}\n{rest}")
    assert code == 4 and "only a restart takes it over" in words
    place = 2 if not option.startswith("listen[") else "2:1[0-9]"
    assert re.search(rf"{reloading.file}:{place}.*{re.escape(option)}: needs a restart", words), \
        words
    assert words.count("needs a restart") == 1
    assert max_age(server) == 60


def test_H22_an_option_that_stands_there_no_more_needs_its_restart_too(reloading):
    server = reloading.start("workers: 3\nlisten: [127.0.0.1:0]\n", listen=())
    code, words = reloading.refused("")
    assert code == 4 and f"{reloading.file}: workers: needs a restart" in words
    assert "listen" in words and server.get("/healthz").status == 200


def test_what_nobody_writes_down_stays_as_it_was_found(reloading, make_server, tmp_path):
    """The data folder, the issuer and the number of threads are not in the file."""
    server = reloading.start("token_ttl: 1h\n")
    issuer = server.issuer
    assert reloading.changed("token_ttl: 2h\n") == ["token_ttl"]
    assert server.issuer == issuer
    assert reloading.changed(f"token_ttl: 2h\nissuer: {issuer}\n") == []
    assert reloading.changed("token_ttl: 2h\n") == []


def test_a_server_without_a_file_has_nothing_new(make_server):
    server = make_server().start()
    assert server.cli("reload", "--json") == {"changes": [], "dialects": [], "certificates": 0,
                                              "warnings": []}
    server.stop()
    assert server.run_cli("reload").returncode == 5


def test_only_the_operator_may(server):
    answer = server.request("POST", "/admin/v1/reload", "{}", {"Content-Type": "application/json"})
    assert answer.status == 403
    assert server.admin("GET", "/admin/v1/reload").status == 405
    assert server.admin("POST", "/admin/v1/reload", {"file": "/etc/passwd"}).status == 400


# ------------------------------------------------------------------ certificates
@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def secure(pairs, more=""):
    listed = ", ".join(pair.yaml() for pair in pairs)
    return f"listen: [{{address: '127.0.0.1:0', tls: [{listed}]}}]\n{more}"


def shown(server, authority, name):
    """The name on the certificate that a client sees who asks for this one."""
    context = authority.client()
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as sock, \
            context.wrap_socket(sock, server_hostname=name) as session:
        return dict(pair[0] for pair in session.getpeercert()["subject"])["commonName"]


def test_certificates_and_options_come_together_or_not_at_all(reloading, authority):
    local = authority.issue("local", "DNS:localhost")
    other = authority.issue("other", "DNS:other.example")
    server = reloading.start(secure([local]), listen=())
    assert shown(server, authority, "other.example") == "local"
    answer = reloading.reload(secure([local, other], "token_ttl: 5m\n"))
    assert answer["certificates"] == 2
    assert [change["option"] for change in answer["changes"]] == ["listen", "token_ttl"]
    assert shown(server, authority, "other.example") == "other"
    key = pathlib.Path(other.key)
    good = key.read_bytes()
    shutil.copy(local.key, key)
    code, words = reloading.refused(secure([local, other], "token_ttl: 6m\n"))
    assert code == 1 and f"{other.key} does not belong to the certificate" in words
    assert f"{reloading.file}:1:" in words
    assert shown(server, authority, "other.example") == "other"
    assert server.app().facts["token_ttl"] == 300
    key.write_bytes(good)
    assert reloading.changed(secure([other], "token_ttl: 6m\n")) == ["listen", "token_ttl"]
    assert shown(server, authority, "localhost") == "other"


def test_a_listener_does_not_change_its_protocol(reloading, authority):
    pair = authority.issue("plain", "DNS:localhost")
    server = reloading.start("listen: [127.0.0.1:0]\n", listen=())
    code, words = reloading.refused(secure([pair]))
    assert code == 4 and "listen[0].tls: needs a restart (plain HTTP is in force" in words
    assert server.get("/healthz").status == 200


@pytest.mark.skipif(HAS_HOOKS, reason="a build with sanitizers is not locked in")
def test_a_folder_that_the_sandbox_does_not_know_is_said(reloading, authority, tmp_path_factory):
    pair = authority.issue("known", "DNS:localhost")
    server = reloading.start(secure([pair]), listen=())
    until(lambda: "event=sandbox" in server.stderr(), "the line in the log")
    if "landlock_why" in server.stderr():
        pytest.skip("this kernel has no Landlock")
    elsewhere = Authority(tmp_path_factory.mktemp("elsewhere")).issue("new", "DNS:localhost")
    code, words = reloading.refused(secure([elsewhere]))
    assert code == 1 and "the sandbox has no such folder" in words and "restart" in words


def test_a_configuration_that_is_a_link(make_server, tmp_path):
    """As a cluster's manager hands files out: the link goes to another folder, and moves."""
    folder = tmp_path / "mounted"
    for number in (1, 2):
        (folder / f"sets/{number}").mkdir(parents=True)
        (folder / f"sets/{number}/twoleg.yaml").write_text(f"jwks_max_age: {number}0s\n")
    (folder / "current").symlink_to("sets/1")
    (folder / "twoleg.yaml").symlink_to("current/twoleg.yaml")
    server = make_server(config=folder / "twoleg.yaml").start()
    (folder / "next").symlink_to("sets/2")
    (folder / "next").rename(folder / "current")
    assert [c["after"] for c in server.cli("reload", "--json")["changes"]] == ["20s"]
    assert max_age(server) == 20


def test_config_check_reads_certificates(server, authority, tmp_path):
    pair, other = authority.issue("checked", "DNS:localhost"), authority.issue("x", "DNS:x")
    file = tmp_path / "twoleg.yaml"
    file.write_text(secure([pair, other]))
    assert server.run_cli("config", "check", "--config", str(file)).returncode == 0
    shutil.copy(other.key, pair.key)
    os.unlink(other.certificate)
    done = server.run_cli("config", "check", "--config", str(file))
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith(f"{file}:1:") and f"{pair.key} does not belong" in first
    assert second.startswith(f"{file}:1:") and str(other.certificate) in second


# ------------------------------------------------------------------ under load
class Visitor(threading.Thread):
    """Asks on a kept connection until it is told to stop; what it saw must be of one snapshot."""

    def __init__(self, server, app, number):
        super().__init__(daemon=True)
        self.server, self.app, self.number = server, app, number
        self.ended = threading.Event()
        self.seen, self.failures, self.answers = set(), [], 0

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            connection.connect()
            connection.auto_open = 0  # a connection that is closed is a failure
            while not self.ended.is_set():
                self.look(connection)
                self.ask(connection)
        except Exception as failure:
            self.failures.append(repr(failure))
        finally:
            connection.close()

    def look(self, connection):
        connection.request("GET", METADATA)
        answer = connection.getresponse()
        document = json.loads(answer.read())
        age = answer.headers["Cache-Control"].split("max-age=")[1]
        self.seen.add((answer.status, age, document["service_documentation"]))
        self.answers += 1

    def ask(self, connection):
        connection.request("POST", "/oauth/token", "grant_type=client_credentials",
                           {"Content-Type": FORM, "Authorization": basic(self.app.id,
                                                                         self.app.secret)})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            self.failures.append((answer.status, body[:200]))
        self.answers += 1


def sets(number):
    """Two options that stand in one answer, and others that are changed with them."""
    return (f"jwks_max_age: {10 + number}s\nservice_documentation: https://s{number}.example\n"
            f"log_requests: {['refused', 'all'][number]}\nidle_timeout: {60 + number}s\n"
            f"max_connections: {9000 + number}\nbudget: {[10**6, 'none'][number]}"
            f"{['/1s', ''][number]}\njwt_max_ttl: {24 + number}h\n"
            f"application_cache: {1000 + number}\n")


def test_G7_reloads_under_load_fail_no_request_and_mix_nothing(reloading):
    server = reloading.start(sets(0))
    apps = [server.app(token_format=f) for f in FORMATS]
    visitors = [Visitor(server, apps[i % 3], i) for i in range(6)]
    for visitor in visitors:
        visitor.start()
    reloads = 0
    # Both snapshots must have been seen, by somebody who asked while they were exchanged.
    while reloads < 40 or len(set().union(*(set(v.seen) for v in visitors))) < 2:
        reloading.write(sets((reloads + 1) % 2))
        if reloads % 2:
            assert len(server.cli("reload", "--json")["changes"]) == 8
        else:
            before = size_of_log(server)
            server.process.send_signal(signal.SIGHUP)
            until(lambda: b"event=reloaded changes=8" in log_after(server, before), "the reload")
        reloads += 1
        assert reloads < 1000
    for visitor in visitors:
        visitor.ended.set()
    for visitor in visitors:
        visitor.join()
    assert not [visitor.failures for visitor in visitors if visitor.failures]
    assert set().union(*(v.seen for v in visitors)) == {(200, "10", "https://s0.example"),
                                                        (200, "11", "https://s1.example")}
    assert sum(visitor.answers for visitor in visitors) > reloads


def size_of_log(server):
    return os.stat(server.stderr_path).st_size


def log_after(server, offset):
    with open(server.stderr_path, "rb") as log:
        log.seek(offset)
        return log.read()


@pytest.mark.hooks
def test_G7_a_request_that_waits_is_answered_from_one_snapshot(reloading):
    """Its handler runs again after the reload: nothing of its first run is left."""
    server = reloading.start("jwt_max_ttl: 3h\nlog_requests: all\n")
    app = server.app(token_format="jwt", token_ttl="2h")
    server.restart()  # no application is loaded
    server.hooks.hold("registry.loaded")
    try:
        with server.connect() as sock:
            sock.sendall(token_request(app))
            server.hooks.await_waiting("registry.loaded")
            reloading.reload("jwt_max_ttl: 1h\nlog_requests: none\n")
            server.hooks.release("registry.loaded")
            answer = sock.recv(65536)
    finally:
        server.hooks.release("registry.loaded")
    assert statuses(answer) == [200] and b'"expires_in":3600' in answer
    server.stop()
    assert "route=token" not in server.stderr()


@pytest.mark.hooks
def test_G7_an_answer_that_is_being_made_keeps_its_snapshot(reloading):
    """A worker is held between the two parts of an answer, while its snapshot is replaced."""
    server = reloading.start("workers: 2\n" + sets(0))
    server.hooks.hold("metadata.written")
    admins = two_admins(server)
    with server.connect() as sock:
        sock.sendall(f"GET {METADATA} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.hooks.await_waiting("metadata.written")
        for number in (1, 0, 1):
            offset = size_of_log(server)
            reloading.write("workers: 2\n" + sets(number))
            server.process.send_signal(signal.SIGHUP)
            until(lambda: b"event=reloaded changes=8" in log_after(server, offset), "the reload")
        release_by(admins)
        answer = sock.recv(65536)
    assert b"max-age=10\r\n" in answer and b"https://s0.example" in answer
    assert max_age(server) == 11


# ------------------------------------------------------------------ a thousand signals
def process_facts(server):
    """Descriptors, threads, and what is resident, in KiB."""
    pid = server.process.pid
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    figure = {key: int(re.search(rf"{key}:\s+(\d+)", status)[1]) for key in ("Threads", "VmRSS")}
    return len(os.listdir(f"/proc/{pid}/fd")), figure["Threads"], figure["VmRSS"]


def test_H11_a_thousand_signals_leave_nothing_behind(reloading, authority):
    """A thousand on the release build; sanitizers find at the end what is left of a few."""
    rounds = 200 if HAS_HOOKS else 1000
    pair = authority.issue("thousand", "DNS:localhost")
    text = secure([pair], sets(0).replace("log_requests: refused\n", ""))
    server = reloading.start(text, listen=())
    until(lambda: "event=sandbox" in server.stderr(), "the last line of the start")
    offset, before = size_of_log(server), None
    for number in range(rounds):
        server.process.send_signal(signal.SIGUSR1)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: b"event=reloaded " in log_after(server, offset), f"reload {number}")
        # One line each, and no other.
        said = log_after(server, offset)
        assert said.count(b"\n") == 1 and b"changes=0 dialects=0 certificates=1\n" in said, said
        offset += len(said)
        if number == 99:
            before = process_facts(server)
    until(lambda: process_facts(server)[:2] == before[:2], "descriptors and threads of before")
    if not HAS_HOOKS:  # a sanitizer keeps what was freed
        assert process_facts(server)[2] <= before[2] + 1024
    assert shown(server, authority, "localhost") == "thousand"


def test_H11_signals_that_come_at_once_lose_no_change(reloading):
    server = reloading.start()
    for age in range(10, 60):
        reloading.write(f"jwks_max_age: {age}s\n")
        server.process.send_signal(signal.SIGHUP)
    until(lambda: max_age(server) == 59, "the last one")


# ------------------------------------------------------------------ the service manager
def test_notes_say_reloading_and_ready_again(manage, tmp_path):  # noqa: F811
    config = tmp_path / "twoleg.yaml"
    config.write_text("token_ttl: 1h\n")
    server = manage([listening()], config=config).start()
    assert server.note() == "READY=1"
    for text in ("token_ttl: 2h\n", "token_ttl: never\n"):  # the second one is refused
        config.write_text(text)
        server.process.send_signal(signal.SIGHUP)
        first, second = server.note().splitlines()
        assert first == "RELOADING=1" and int(second.removeprefix("MONOTONIC_USEC=")) > 0
        assert server.note() == "READY=1"
    assert "event=reload_refused" in server.stderr()
