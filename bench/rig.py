# SPDX-License-Identifier: Apache-2.0
"""What bench/run measures with: servers, requests, applications."""
import atexit
import base64
import concurrent.futures
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = pathlib.Path(os.environ.get("TWOLEG_RELEASE_BUILD", ROOT / "build/release"))
WORK = pathlib.Path(os.environ.get("TWOLEG_BENCH_DIR", ROOT / "build/bench"))
APPLICATIONS = 10_000
ALGORITHMS = {name: f"urn:bench:{name}" for name in ("EdDSA", "RS256", "PS256")}
CALLERS = 10  # resource servers that introspect
# Of the rows that are refused: high enough to refuse none, so that counting is part of the cost.
UNLIMITED = {"failures_per_address": "1000000/1s", "failures_per_client": "1000000/1s",
             "handshakes_per_address": "1000000/1s"}


# ---------------------------------------------------------------------------------- processes
class Process:
    """A server under measurement."""

    def __init__(self, command, cores, log=None):
        self.log = open(log or WORK / "server.log", "ab")
        self.child = subprocess.Popen(["taskset", "-c", cores, *map(str, command)],
                                      stdout=subprocess.PIPE, stderr=self.log)
        self.pid = self.child.pid
        atexit.register(self.child.kill)  # after a failure nothing is left running

    def line(self):
        line = self.child.stdout.readline().decode().strip()
        if not line:
            raise SystemExit(f"it did not start: see {WORK}/server.log")
        return line

    def cpu_us(self):
        """User and system time of all threads, from the scheduler's own nanoseconds."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
        return total / 1000

    def settle(self):
        """Waits for what a start leaves to be done behind it, such as a large store's check."""
        deadline, before = time.monotonic() + 300, self.cpu_us()
        while time.monotonic() < deadline:
            time.sleep(1)
            now = self.cpu_us()
            if now - before < 10_000:
                return self
            before = now
        raise SystemExit(f"it comes to no rest: see {WORK}/server.log")

    def memory_mb(self):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        rows = dict(line.split(":", 1) for line in text.splitlines())
        return [int(rows[key].split()[0]) / 1024 for key in ("VmRSS", "RssAnon")]

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(30)
        finally:
            self.child.stdout.close()
            self.log.close()


class Twoleg(Process):
    """Options of the configuration by their names."""

    def __init__(self, data, cores="0", tls=False, log=None, **options):
        self.data = pathlib.Path(data)
        config = WORK / f"{self.data.name}.yaml"
        listen = "listen:\n  - 127.0.0.1:0\n"
        if tls:
            pair = "{certificate: %s, key: %s}" % certificate()
            listen += f"  - {{address: 127.0.0.1:0, tls: [{pair}]}}\n"
        config.write_text(listen + "".join(f"{key}: {value}\n" for key, value in options.items()))
        super().__init__([BUILD / "twoleg", "serve", "--data", data, "--config", config], cores,
                         log)
        self.port = urllib.parse.urlsplit(self.line().split()[1]).port
        self.tls_port = urllib.parse.urlsplit(self.line().split()[1]).port if tls else None

    def metric(self, name):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/metrics")
        rows = connection.getresponse().read().decode().splitlines()
        connection.close()
        return int(next(row.split()[-1] for row in rows if row.startswith(name + " ")))


class Floor(Process):
    def __init__(self, size):
        super().__init__([BUILD / "bench_floor", size], "0")
        self.port = int(self.line())


class Nginx(Process):
    """One worker process; its master does nothing, so the worker's time is all there is."""

    CONF = """daemon off; master_process off; worker_processes 1; pid %(dir)s/nginx.pid;
error_log %(dir)s/nginx.log;
events { worker_connections 256; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 60s;
client_body_temp_path %(dir)s/t1; proxy_temp_path %(dir)s/t2; fastcgi_temp_path %(dir)s/t3;
uwsgi_temp_path %(dir)s/t4; scgi_temp_path %(dir)s/t5; default_type application/json;
ssl_protocols TLSv1.3; ssl_certificate %(certificate)s; ssl_certificate_key %(key)s;
server { listen 127.0.0.1:%(port)d; listen 127.0.0.1:%(tls_port)d ssl;
location / { return 200 '%(body)s'; } } }
"""

    def __init__(self, size):
        self.port, self.tls_port = free_port(), free_port()
        folder = WORK / "nginx"
        pair = dict(zip(("certificate", "key"), certificate()))
        folder.mkdir(exist_ok=True)
        conf = folder / "nginx.conf"
        conf.write_text(self.CONF % {"dir": folder, "port": self.port,
                                     "tls_port": self.tls_port, **pair,
                                     "body": '{"a":"' + "x" * (size - 8) + '"}'})
        super().__init__(["/usr/sbin/nginx", "-c", conf, "-e", folder / "nginx.log"], "0")
        wait_for_port(self.port)


def certificate():
    """The paths of a certificate and its key, which all servers here show."""
    paths = WORK / "certificate.pem", WORK / "certificate.key"
    if not paths[0].exists() or paths[0].stat().st_mtime < time.time() - 25 * 86400:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out",
                        paths[0], "-keyout", paths[1]], capture_output=True, check=True)
        paths[1].chmod(0o600)
    return paths


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
    raise SystemExit(f"nobody listens on port {port}")


# ---------------------------------------------------------------------------------- requests
FORM = "application/x-www-form-urlencoded"


def raw_request(method, target, body="", **headers):
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines += [f"Content-Type: {FORM}", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines) + "\r\n\r\n" + body


def basic(app):
    pair = f"{app['client_id']}:{app['client_secret']}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def token_request(app):
    return raw_request("POST", "/oauth/token", "grant_type=client_credentials",
                       Authorization=basic(app))


def introspection(caller, token):
    return raw_request("POST", "/oauth/introspect", "token=" + token, Authorization=basic(caller))


def check_request(token):
    return raw_request("GET", "/check", Authorization="Bearer " + token)


def forged(token):
    """The same JWT with one bit of its jti's tag flipped: refused by the tag alone."""
    head, claims, signature = token.split(".")
    text = json.loads(base64.urlsafe_b64decode(claims + "=="))
    jti = bytearray(base64.urlsafe_b64decode(text["jti"] + "=="))
    jti[-1] ^= 1
    text["jti"] = base64.urlsafe_b64encode(jti).decode().rstrip("=")
    claims = base64.urlsafe_b64encode(json.dumps(text, separators=(",", ":")).encode()).decode()
    return ".".join([head, claims.rstrip("="), signature])


# ---------------------------------------------------------------------------------- data
def create(path, body, kind="applications"):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))

    def one(body):
        connection.request("POST", f"/admin/v1/{kind}", json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        facts = json.loads(answer.read())
        if answer.status != 201:
            raise SystemExit(f"no application: {answer.status} {facts}")
        return {key: facts.get(key) for key in ("client_id", "client_secret")}

    return [one(item) for item in body]


def copy_of(data, name):
    """The folder of a stopped server, for another one."""
    copy = WORK / name
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("admin.sock", "listen", "lock"))
    return copy


def prepare():
    """The applications, made through the admin socket on many connections, and kept."""
    data, listed = WORK / "data", WORK / "applications.json"
    if data.exists() and listed.exists():
        apps = json.loads(listed.read_text())
        if set(ALGORITHMS) <= set(apps):
            return data, apps
    shutil.rmtree(data, ignore_errors=True)
    server = Twoleg(data, "0,1")
    apps = {}
    first = {"name": "first", "scope": "sms groups"}
    create(data / "admin.sock", [first])
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        for kind in ("sealed", "jwt"):
            bodies = [{"name": f"{kind} {i}", "scope": "sms groups", "token_format": kind}
                      for i in range(APPLICATIONS)]
            shares = [bodies[i::32] for i in range(32)]
            made = pool.map(create, [data / "admin.sock"] * 32, shares)
            apps[kind] = [app for share in made for app in share]
    # Fewer: what is measured is the signature, which is the same for all.
    create(data / "admin.sock", [{"identifier": uri, "algorithm": name, "scope": "sms groups"}
                                 for name, uri in ALGORITHMS.items()], "apis")
    for name, uri in ALGORITHMS.items():
        apps[name] = create(data / "admin.sock", [
            {"name": f"{name} {i}", "scope": "sms groups", "audience": [uri]}
            for i in range(APPLICATIONS // 10)])
    apps["callers"] = create(data / "admin.sock", [
        {"name": f"resource server {i}", "resource_server": True,
         "serves": list(ALGORITHMS.values())} for i in range(CALLERS)])
    server.stop()
    listed.write_text(json.dumps(apps))
    return data, apps
