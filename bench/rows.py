# SPDX-License-Identifier: Apache-2.0
"""The rows of the first table: what one request costs the server's process."""
import json
import os
import statistics
import subprocess
import sys

from rig import (ALGORITHMS, APPLICATIONS, BUILD, CALLERS, ROOT, WORK, check_request, forged,
                 introspection, raw_request, token_request)
from verify import (Client, Verifier, verify_check, verify_introspection, verify_refused,
                    verify_token)

SEEN = 1_000  # ES256 tokens of the rows with seen ones
CONNECTIONS = 32
LOGGED, REVOKED = "sealed issue, logged", "sealed introspection, million revoked"
REFERENCE, MILLIONS = "reference issue", "reference issue, ten million rows"
LOOKS_AFTER = 20
TLS = ("--tls",)
FULL, RESUMED = ("--tls", "--fresh"), ("--resume",)  # a handshake for each request
TLS12 = ("--tls12",)


def load_command(target, file, seconds, options=(), connections=CONNECTIONS, cores="1"):
    """Our own load, on the client's core; `target` is a port or unix:PATH."""
    return ["taskset", "-c", cores, BUILD / "bench_load", f"--connections={connections}",
            f"--seconds={seconds}", *map(str, options), str(target), file]


def load(*args, **more):
    done = subprocess.run(load_command(*args, **more), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def requests_file(name, requests):
    file = WORK / f"{name.replace(' ', '-').replace('/', '')}.requests"
    file.write_text("\0".join(requests) + "\0")
    return file


class Row:
    """`way`: options of bench_load, which comes over TLS then; without them wrk asks."""

    def __init__(self, name, server, requests, look=None, refused=False, way=(),
                 connections=CONNECTIONS):
        self.connections = connections
        self.name, self.server, self.look, self.refused = name, server, look, refused
        self.way, self.fresh = way, len(way) > 0 and way != TLS
        self.figures, self.rates, self.void, self.noted = [], [], None, ""
        self.file = requests_file(name, requests)

    def load(self, seconds, cores="1", connections=None):
        connections = connections or self.connections
        if self.way:
            # With few at a time: what is measured is a handshake, not a queue of them.
            return load(self.server.tls_port, self.file, seconds, self.way,
                        8 if self.fresh else connections)
        env = {**os.environ, "BENCH_REQUESTS": str(self.file)}
        command = ["taskset", "-c", cores, "wrk", "-t1", f"-c{connections}",
                   f"-d{seconds}s", "-s", ROOT / "bench/replay.lua",
                   f"http://127.0.0.1:{self.server.port}/"]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        found = [line[6:] for line in done.stdout.splitlines() if line.startswith("BENCH ")]
        return json.loads(found[0])

    def measure(self, seconds):
        verifier = None
        if self.look and not self.fresh:
            port = self.server.tls_port if self.way else self.server.port
            verifier = Verifier(port, self.look, bool(self.way))
            verifier.start()
        before = self.server.cpu_us()
        result = self.load(seconds)
        used = self.server.cpu_us() - before
        looks = 0
        if verifier:
            verifier.finish()
            looks = verifier.looks
        self.judge(result, verifier)
        self.figures.append(used / max(1, result["requests"] + looks))
        self.rates.append(result["requests"] / result["us"] * 1e6)

    def judge(self, result, verifier):
        wanted = result["requests"] if self.refused else 0
        if result["broken"] or result["refused"] != wanted:
            self.void = f"{result}"
        elif verifier and verifier.bad:
            self.void = verifier.bad
        elif verifier and verifier.looks * 1000 < result["requests"]:
            self.void = f"only {verifier.looks} of {result['requests']} answers were verified"
        elif self.fresh:
            self.judge_handshakes(result)

    def judge_handshakes(self, result):
        """Beside them every look would be a handshake too, so they come afterwards."""
        right, wrong = ("resumed", "full") if "--resume" in self.way else ("full", "resumed")
        if result[wrong] or result[right] < result["requests"]:
            self.void = f"{result[wrong]} handshakes were {wrong}"
        for i in range(LOOKS_AFTER if self.look else 0):
            if not self.look(Client(self.server.tls_port, True), i):
                self.void = f"look {i} found a wrong answer"

    def note(self):
        """What has to be known beside the figure."""
        if self.name != LOGGED:
            return ""
        written = self.server.metric("twoleg_http_requests_total")
        return f"{self.server.metric('twoleg_log_dropped_total') / written:.1%} of lines dropped"

    @property
    def figure(self):
        return statistics.median(self.figures) if self.figures and not self.void else None


def rows_for(server, nginx, floor, apps):
    """All rows against one running server, with their tokens."""
    client = Client(server.port)
    sealed = [client.token(app) for app in apps["sealed"]]
    seen = [client.token(app) for app in apps["jwt"][:SEEN]]
    forgeries = [forged(token) for token in seen]
    ask = [apps["callers"][i % CALLERS] for i in range(APPLICATIONS)]
    bare = [raw_request("GET", "/bare")]
    unknown = [token_request({**app, "client_id": app["client_id"][:-4] + "none"})
               for app in apps["sealed"]]
    wrong = [token_request({**app, "client_secret": app["client_secret"][:-1] + "~"})
             for app in apps["sealed"]]
    at = lambda look, values: lambda client, i: look(client, values[i * 7919 % len(values)])
    bad = [check_request(token) for token in forgeries]
    issue = [token_request(app) for app in apps["sealed"]]
    issued = lambda client, i: verify_token(client, apps, i * 7919, "sealed")
    return [
        Row("nginx return 200", nginx, bare),
        Row("bare answer", floor, bare),
        Row("sealed issue", server, issue, issued),
        Row("ES256 issue", server, [token_request(app) for app in apps["jwt"]],
            lambda client, i: verify_token(client, apps, i * 7919 % SEEN, "jwt")),
        *(Row(f"{name} issue", server, [token_request(app) for app in apps[name]],
              lambda client, i, name=name: verify_token(client, apps, i * 7919, name))
          for name in ALGORITHMS),
        Row("sealed introspection", server, [introspection(*pair) for pair in zip(ask, sealed)],
            at(lambda client, pair: verify_introspection(client, apps, *pair),
               list(zip(apps["sealed"], sealed)))),
        Row("seen ES256 introspection", server, [introspection(*pair) for pair in zip(ask, seen)],
            at(lambda client, pair: verify_introspection(client, apps, *pair),
               list(zip(apps["jwt"], seen)))),
        Row("check sealed", server, [check_request(token) for token in sealed],
            at(lambda client, pair: verify_check(client, *pair),
               list(zip(apps["sealed"], sealed)))),
        Row("forged JWT", server, bad, at(verify_refused, bad), refused=True),
        Row("unknown client", server, unknown, at(verify_refused, unknown), refused=True),
        Row("wrong secret", server, wrong, at(verify_refused, wrong), refused=True),
        Row("nginx, TLS kept", nginx, bare, way=TLS),
        Row("nginx, TLS handshake", nginx, bare, way=FULL),
        Row("nginx, TLS resumed", nginx, bare, way=RESUMED),
        Row("sealed issue, TLS kept", server, issue, issued, way=TLS),
        Row("sealed issue, TLS handshake", server, issue, issued, way=FULL),
        Row("sealed issue, TLS resumed", server, issue, issued, way=RESUMED),
        Row("sealed issue, TLS 1.2 handshake", server, issue, issued, way=FULL + TLS12),
        Row("sealed issue, TLS 1.2 resumed", server, issue, issued, way=RESUMED + TLS12),
    ]


def logged_row(server, apps):
    """The same row on a server that writes a line for each request."""
    return Row(LOGGED, server, [token_request(app) for app in apps["sealed"]],
               lambda client, i: verify_token(client, apps, i * 7919, "sealed"))


def revoked_row(server, apps):
    """The same row on a server that has a million other tokens in its set of revoked ones."""
    client = Client(server.port)
    sealed = [client.token(app) for app in apps["sealed"]]
    ask = [apps["callers"][i % CALLERS] for i in range(APPLICATIONS)]
    pairs = list(zip(apps["sealed"], sealed))
    return Row(REVOKED, server,
               [introspection(*pair) for pair in zip(ask, sealed)],
               lambda client, i: verify_introspection(client, apps, *pairs[i * 7919 % len(pairs)]))


def reference_row(name, server, apps):
    """Of 64 at a time: a commit is for all who have come meanwhile."""
    return Row(name, server, [token_request(app) for app in apps["sealed"]],
               lambda client, i: verify_token(client, apps, i * 7919, "sealed"), connections=64)


def measure_rows(rows, rounds, seconds):
    for row in rows:  # every application is in memory, every seen token has been seen
        row.load(1)
    for turn in range(rounds):
        for row in rows:
            row.measure(seconds)
            row.noted = row.note()
            print(f"\r\033[K{turn + 1}/{rounds} {row.name} {row.figures[-1]:.2f} us", end="",
                  file=sys.stderr, flush=True)
    print("\r\033[K", end="", file=sys.stderr)
