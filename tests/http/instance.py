# SPDX-License-Identifier: Apache-2.0
"""One running twoleg on a data folder of its own, and what tests do with it."""
import base64
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("TWOLEG_BIN", str(ROOT / "build/asan/twoleg"))
UNLIMITED = ROOT / "tests/http/unlimited.yaml"  # a configuration
HAS_HOOKS = "release" not in BINARY
PATIENCE = 60  # seconds until a test gives up on something that must come
REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
           "WARNING: ThreadSanitizer")


FORMATS = ("jwt", "sealed", "reference")  # of access tokens


class Answer:
    """An HTTP answer, read to its end."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The OAuth error code of the body, or None."""
        try:
            return self.json().get("error")
        except ValueError:
            return None

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:300]!r}>"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Application:
    """An application as `app create --json` gave it."""

    def __init__(self, facts):
        self.facts = facts
        self.id = facts["client_id"]
        self.secret = facts.get("client_secret")

    def __repr__(self):
        return f"<application {self.id}>"


def basic(client_id, secret):
    """An Authorization header, encoded as RFC 6749 section 2.3.1 says."""
    pair = urllib.parse.quote_plus(client_id) + ":" + urllib.parse.quote_plus(secret)
    return "Basic " + base64.b64encode(pair.encode()).decode()


def basic_raw(client_id, secret):
    """An Authorization header as most clients write it: nothing is encoded."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def token_request(app, headers="", body="grant_type=client_credentials"):
    """The bytes of a token request."""
    return (f"POST /oauth/token HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {basic(app.id, app.secret)}\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n{headers}\r\n{body}").encode()


class Hooks:
    """The test hooks of the sanitizer builds, over the admin socket."""

    def __init__(self, server):
        self.server = server

    def post(self, path, **body):
        answer = self.server.admin("POST", path, body)
        assert answer.status == 200, answer
        return answer.json() if answer.body else {}

    def clock(self, seconds):
        """Time has passed: it is so many seconds later than it is."""
        self.post("/test/clock", offset_us=int(seconds * 1_000_000))

    def step(self, seconds):
        """Only the wall clock is set, so many seconds ahead of the time that has passed."""
        self.post("/test/clock", step_us=int(seconds * 1_000_000))

    def hold(self, point):
        self.post("/test/stop", point=point, act="hold")

    def release(self, point):
        self.post("/test/stop", point=point, act="release")

    def waiting(self, point):
        return self.post("/test/stop", point=point, act="waiting")["waiting"]

    def await_waiting(self, point):
        until(lambda: self.waiting(point), f"a thread at {point}")

    def turn(self, point):
        """The one thread that comes there has gone from there to there."""
        for _ in range(2):
            self.hold(point)
            try:
                self.await_waiting(point)
            finally:
                self.release(point)

    def fault(self, kind, nth, sticky=False):
        return self.post("/test/fault", kind=kind, nth=nth, sticky=sticky)["count"]

    def mutant(self, check):
        self.post("/test/mutant", check=check or "")


def two_admins(server):
    """Each of two workers has one of them: that of the other one can let a held one go."""
    admins = [UnixConnection(os.path.join(server.data, "admin.sock")) for _ in range(2)]
    for admin in admins:
        admin.request("GET", "/healthz")
        admin.getresponse().read()
    return admins


def release_by(admins, point="metadata.written"):
    for admin in admins:
        admin.request("POST", "/test/stop", json.dumps({"point": point, "act": "release"}),
                      {"Content-Type": "application/json"})
    for admin in admins:
        assert admin.getresponse().read()
        admin.close()


def until(condition, what):
    """Waits for what another thread or process will do; the time is no part of the test."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s in vain for {what}"
        select.select([], [], [], 0.002)


def insist(ask):
    """Its answer, once it is no 503: whoever waits for the pool for a second, on a machine without
    time, is refused, and asks again."""
    answers = []

    def answered():
        answers.append(ask())
        return answers[-1].status != 503

    until(answered, "a place on the pool")
    return answers[-1]


def unread(socks):
    """What the kernel holds of what was sent on these connections, since the other end has not
    read it: bytes. An answer on another connection does not tell that it has."""
    ends = {(sock.getsockname()[1], sock.getpeername()[1]) for sock in socks}
    found = 0
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, _, queues = line.split()[:5]
        ports = int(local[-4:], 16), int(remote[-4:], 16)
        sent, received = (int(queue, 16) for queue in queues.split(":"))
        found += sent * (ports in ends) + received * (ports[::-1] in ends)
    return found


class Server:
    def __init__(self, data=None, config=None, listen=("127.0.0.1:0",), args=()):
        self.own_folder = data is None
        self.folder = tempfile.mkdtemp(prefix="twoleg-") if data is None else None
        self.data = str(data or os.path.join(self.folder, "data"))
        self.config, self.listen, self.args = config, listen, list(args)
        self.listeners = max(1, len(listen))  # those of a configuration are more, perhaps
        self.process = None
        self.host = None  # whom requests are for, where it is not the address
        self.stderr_path = self.data.rstrip("/") + ".stderr"
        self.hooks = Hooks(self)
        self.local = threading.local()
        self.life = 0  # connections of an earlier life are stale

    # ------------------------------------------------------------------ life
    def command(self):
        command = [BINARY, "serve", "--data", self.data]
        if self.config:
            command += ["--config", str(self.config)]
        for address in self.listen:
            command += ["--listen", address]
        return command + self.args

    def start(self):
        self.spawn()
        lines = []
        for _ in range(self.listeners):
            ready = select.select([self.process.stdout], [], [], PATIENCE)[0]
            line = self.process.stdout.readline().decode() if ready else ""
            if not line.startswith("ready "):
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"no ready line but {line!r}; stderr: {self.stderr()}")
            lines.append(line.split()[1])
        self.urls = lines
        self.url = lines[0]
        self.port = urllib.parse.urlsplit(self.url).port
        self.life += 1
        return self

    def spawn(self):
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=stderr,
                                            bufsize=0)  # select sees what readline has not

    def refused(self):
        """Starts a server that must refuse to start; gives its exit status and words."""
        self.spawn()
        out, _ = self.process.communicate(timeout=PATIENCE)
        assert b"ready" not in out, out
        self.check_stderr()  # a sanitizer's report ends with a status like that of a refusal
        return self.process.returncode, self.stderr()

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is not None:
            self.check_stderr()  # it may have ended by itself
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(PATIENCE + 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("SIGTERM did not end the server: " + self.stderr()) from None
        finally:
            self.process.stdout.close()
        assert status == 0, f"exit status {status} after SIGTERM: {self.stderr()}"
        self.check_stderr()

    def kill9(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.check_stderr()

    def restart(self, hard=False):
        self.kill9() if hard else self.stop()
        return self.start()

    def stderr(self):
        try:
            return pathlib.Path(self.stderr_path).read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def check_stderr(self):
        text = self.stderr()
        for report in REPORTS:
            assert report not in text, text

    def destroy(self):
        try:
            self.stop()
        finally:
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    # ------------------------------------------------------------------ store
    def stored(self, question):
        """What the store says, in the first column of the first row."""
        return stored(self.data, question)

    def change_store(self, *statement):
        """What no command can do, while the server is away: how many rows it has changed."""
        self.stop()
        store = sqlite3.connect(os.path.join(self.data, "twoleg.db"))
        with store:
            changed = store.execute(*statement).rowcount
        store.close()
        self.start()
        return changed

    def revoke_many(self, app, count, expires_s=0):
        """So many revocations of an application, of tokens that expire then (0: never)."""
        assert self.change_store(
            "INSERT INTO revoked_tokens WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL"
            " SELECT i + 1 FROM n LIMIT ?) SELECT CAST(printf('%016d', i) AS BLOB), account,"
            " number, ?, generation, generation FROM n, applications WHERE client_id = ?",
            (count, expires_s, app.id)) == count

    # ------------------------------------------------------------------ command line
    def run_cli(self, *args, input=None):
        """The command line on this server's data folder: a CompletedProcess, whatever it says."""
        env = {**os.environ, "TWOLEG_DATA": self.data}
        return subprocess.run([BINARY, *args], input=input, capture_output=True, text=True,
                              timeout=PATIENCE + 20, env=env, check=False)

    def cli(self, *args, input=None):
        """A command that must work; its JSON if it printed some, else its text."""
        done = self.run_cli(*args, input=input)
        assert done.returncode == 0, \
            f"{args}: exit {done.returncode}: {done.stdout}{done.stderr}\n{self.stderr()[-2000:]}"
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def app(self, name="test", secret=None, **options):
        """app create: app(scope="a b", token_format="sealed", resource_server=True)."""
        args = ["app", "create", "--name", name, "--json"]
        for key, value in options.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            for one in values:
                args += ["--" + key.replace("_", "-")] + ([] if one is True else [str(one)])
        if secret is not None:
            args += ["--client-secret-file", "-"]
        app = Application(self.cli(*args, input=secret))
        app.secret = secret or app.secret
        return app

    # ------------------------------------------------------------------ HTTP
    def request(self, method, target, body=None, headers=None):
        connection = getattr(self.local, "connection", None)
        headers = {**({"Host": self.host} if self.host else {}), **(headers or {})}
        fresh = connection is None or self.local.life != self.life
        if fresh:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            self.local.connection, self.local.life = connection, self.life
        try:
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            result = Answer(answer.status, answer.headers, answer.read())
        except (ConnectionError, http.client.HTTPException):
            connection.close()
            self.local.connection = None
            if fresh:
                raise
            return self.request(method, target, body, headers)
        # Who comes again too early on the connection of such a refusal is held for half a second.
        if answer.will_close or "Retry-After" in answer.headers:
            connection.close()
            self.local.connection = None
        return result

    def get(self, target, headers=None):
        return self.request("GET", target, headers=headers)

    def form(self, path, fields, app=None, method="basic", headers=None):
        """A form, as `app` if given: credentials go into the header or into the form."""
        headers = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        fields = list(fields.items()) if isinstance(fields, dict) else list(fields)
        if app is not None and method == "basic":
            headers["Authorization"] = basic(app.id, app.secret)
        elif app is not None:
            fields += [("client_id", app.id), ("client_secret", app.secret)]
        return self.request("POST", path, urllib.parse.urlencode(fields), headers)

    def token(self, app, method="basic", **fields):
        return self.form("/oauth/token", {"grant_type": "client_credentials", **fields}, app,
                         method)

    def bearer(self, app, method="basic", **fields):
        """An access token that must be issued."""
        answer = self.token(app, method, **fields)
        assert answer.status == 200, answer
        return answer.json()["access_token"]

    def introspect(self, caller, token, method="basic", **fields):
        return self.form("/oauth/introspect", {"token": token, **fields}, caller, method)

    def active(self, caller, token):
        answer = self.introspect(caller, token)
        assert answer.status == 200, answer
        return answer.json()["active"]

    def revoke(self, app, token, method="basic", **fields):
        return self.form("/oauth/revoke", {"token": token, **fields}, app, method)

    def check(self, token=None, query="", method="GET", headers=None, body=None):
        headers = dict(headers or {})
        if token is not None:
            headers["Authorization"] = "Bearer " + token
        return self.request(method, "/check" + query, body, headers)

    def admin(self, method, path, body=None):
        connection = UnixConnection(os.path.join(self.data, "admin.sock"))
        try:
            text = None if body is None else json.dumps(body)
            headers = {} if body is None else {"Content-Type": "application/json"}
            connection.request(method, path, text, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def manage(self, method, path, app=None, body=None):
        """A change through the admin API, which must work."""
        if app is not None:
            path += "?" + urllib.parse.urlencode({"client_id": app.id})
        answer = self.admin(method, "/admin/v1/" + path, body)
        assert 200 <= answer.status < 300, answer
        return answer.json() if answer.body else {}

    def api(self, identifier, name, scope=""):
        self.manage("POST", "apis", None, {"identifier": identifier, "name": name, "scope": scope})

    def act(self, act, app):
        """disable, enable, revoke-tokens"""
        return self.manage("POST", "application/" + act, app, {})

    def delete(self, app):
        return self.manage("DELETE", "application", app)

    def update(self, app, **changes):
        return self.manage("PATCH", "application", app, changes)

    def secrets(self, app):
        return self.manage("GET", "application/secrets", app)["secrets"]

    def remove_secret(self, app, revoke_tokens=False):
        for row in self.secrets(app):
            self.manage("POST", "application/secrets/remove", app,
                        {"secret": row["secret"], "revoke_tokens": revoke_tokens})

    @property
    def issuer(self):
        return self.get("/.well-known/oauth-authorization-server").json()["issuer"]

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def raw(self, data, half_close=False):
        """Sends bytes on a connection of their own; all that comes back until the server closes
        it, or until nothing more is owed: the bytes should ask for Connection: close."""
        with self.connect() as sock:
            try:
                sock.sendall(data)
                if half_close:
                    sock.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass
            return drain(sock)


def stored(folder, question):
    """What the store of a data folder says, in the first column of the first row."""
    store = sqlite3.connect(f"file:{folder}/twoleg.db?mode=ro", uri=True)
    try:
        return store.execute(question).fetchone()[0]
    finally:
        store.close()


def speaking(folder, dialect, options=""):
    """A server that was started on data in the folder, and speaks this dialect of one's own."""
    name = re.match("name: (.*)", dialect)[1]
    dialects, config = folder / "dialects", folder / "twoleg.yaml"
    dialects.mkdir(parents=True)
    (dialects / f"{name}.yaml").write_text(dialect)
    config.write_text(f"dialect_folder: {dialects}\ndialect: {name}\n{options}")
    return Server(data=folder / "data", config=config).start()


def drain(sock):
    received = b""
    try:
        while True:
            piece = sock.recv(65536)
            if not piece:
                return received
            received += piece
    except ConnectionError:
        return received


def statuses(data):
    """The status codes of the answers in raw bytes."""
    found = []
    for piece in data.split(b"HTTP/1.1 ")[1:]:
        found.append(int(piece[:3]))
    return found
