# SPDX-License-Identifier: Apache-2.0
"""How long clients wait while something else goes on: an open loop at half of what the server can
do, so that what waits behind a stall is counted (see load.c)."""
import contextlib
import ctypes
import json
import os
import shutil
import statistics
import subprocess
import time

from rig import UNLIMITED, WORK, Twoleg, basic, copy_of, create, raw_request, token_request
from rows import CONNECTIONS, load, load_command, requests_file
from verify import Client

WRITERS = 8  # connections that change applications: the writer is never without a next batch
PAGE = 4096
PAGES = 1000
REVOCATIONS = 1000  # of a round, at most
USERS = 64
PASSWORD = "a-password-of-a-bench"
HASH_COST = (2, 19456 << 10)  # src/crypto/password.c: passes, bytes


@contextlib.contextmanager
def beside(found, target, file, **options):
    """Another load for as long as the block runs; its figures go into `found` afterwards."""
    child = subprocess.Popen(load_command(target, file, 600, **options), stdout=subprocess.PIPE)
    try:
        time.sleep(0.2)  # it is on its way
        if child.poll() is not None:
            raise SystemExit("the load beside did not run")
        yield
    finally:
        child.terminate()
        out, _ = child.communicate()
    found.append(json.loads(out))


def checked(what, result):
    if result["refused"] or result["broken"] or result["unanswered"] or result["unsent"]:
        raise SystemExit(f"{what}: {result}")
    return result


def fdatasync_us(folder, times):
    """The 99th percentile of a page written over and synced, as the write-ahead log does it."""
    path = folder / "fdatasync"
    took = []
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    os.pwrite(file, bytes(PAGE * PAGES), 0)
    os.fsync(file)
    for i in range(times):
        began = time.perf_counter()
        os.pwrite(file, i.to_bytes(2, "big") * (PAGE // 2), PAGE * (i % PAGES))
        os.fdatasync(file)
        took.append((time.perf_counter() - began) * 1e6)
    os.close(file)
    path.unlink()
    return statistics.quantiles(took, n=100)[98]


def change_request(app, i):
    """Of the operator, at the admin socket: each one is a transaction of its own."""
    body = json.dumps({"name": f"changed {i}"})
    return (f"PATCH /admin/v1/application?client_id={app['client_id']} HTTP/1.1\r\n"
            "Host: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}")


def revocations(client, apps, count):
    """Each one of a fresh token, and so a commit."""
    return [raw_request("POST", "/oauth/revoke", "token=" + client.token(app),
                        Authorization=basic(app)) for app in apps["sealed"][:count]]


def passwords(server):
    """Requests of an application that has the users' passwords."""
    socket = server.data / "admin.sock"
    [app] = create(socket, [{"name": "with users", "scope": "sms groups", "token_format": "sealed",
                             "grants": "client_credentials password"}])
    create(socket, [{"username": f"user{i}", "password": PASSWORD, "scope": "sms"}
                    for i in range(USERS)], "users")
    return [raw_request("POST", "/oauth/token",
                        f"grant_type=password&username=user{i}&password={PASSWORD}",
                        Authorization=basic(app)) for i in range(USERS)]


def bare_hashes(seconds):
    """How many Argon2id hashes a second libsodium compares by itself, on the server's core."""
    sodium = ctypes.CDLL("libsodium.so.23")
    text = ctypes.create_string_buffer(128)
    word, before = PASSWORD.encode(), os.sched_getaffinity(0)
    size = ctypes.c_ulonglong(len(word))
    os.sched_setaffinity(0, {0})
    try:
        if sodium.crypto_pwhash_str(text, word, size, ctypes.c_ulonglong(HASH_COST[0]),
                                    ctypes.c_size_t(HASH_COST[1])):
            raise SystemExit("no memory for a hash")
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds:
            if sodium.crypto_pwhash_str_verify(text, word, size):
                raise SystemExit("a password that does not fit its hash")
            count += 1
        return count / (time.perf_counter() - began)
    finally:
        os.sched_setaffinity(0, before)


class Latency:
    """The medians of some rounds; each round measures everything in turn."""

    def __init__(self, data, apps):
        self.apps = apps
        self.server = Twoleg(copy_of(data, "latency"), password_grant="true",
                             passwords_per_user="1000000/1s", **UNLIMITED)
        self.issue = requests_file("half-load", [token_request(app) for app in apps["sealed"]])
        self.signed = requests_file("pool", [token_request(app) for app in apps["RS256"]])
        self.changes = requests_file("writer", [change_request(app, i)
                                                for i, app in enumerate(apps["jwt"])])
        self.passwords = requests_file("passwords", passwords(self.server))
        self.rounds, self.others = [], {"changes": [], "signatures": [], "passwords": []}
        peak = checked("peak", load(self.server.port, self.issue, 1))
        peak = checked("peak", load(self.server.port, self.issue, 2))
        self.rate = int(peak["requests"] / peak["us"] * 1e6 / 2)

    def half(self):
        return ["--rate", self.rate]

    def p99(self, what, seconds):
        return checked(what, load(self.server.port, self.issue, seconds, self.half()))["p99_us"]

    def measure(self, seconds):
        found = {"fdatasync": fdatasync_us(self.server.data, 200 * seconds),
                 "alone": self.p99("half load", seconds)}
        with beside(self.others["changes"], f"unix:{self.server.data}/admin.sock", self.changes,
                    connections=WRITERS):
            found["writer"] = self.p99("half load beside the writer", seconds)
        with beside(self.others["signatures"], self.server.port, self.signed):
            found["pool"] = self.p99("half load beside RS256", seconds)
        with beside(self.others["passwords"], self.server.port, self.passwords,
                    connections=WRITERS):
            found["password"] = self.p99("half load beside passwords", seconds)
        found["bare"] = bare_hashes(seconds)
        grants = checked("passwords", load(self.server.port, self.passwords, seconds,
                                           connections=WRITERS))
        found["grants"] = grants["requests"] / grants["us"] * 1e6
        file = requests_file("revoke", revocations(Client(self.server.port), self.apps,
                                                   REVOCATIONS))
        with beside([], self.server.port, self.issue, options=self.half(),
                    connections=CONNECTIONS):
            revoked = checked("revocation", load(self.server.port, file, seconds, ["--each"],
                                                 connections=1))
        found["revocation"] = revoked["p99_us"]
        self.rounds.append(found)

    def finish(self):
        self.server.stop()
        shutil.rmtree(self.server.data)

    def median(self, name):
        return statistics.median(found[name] for found in self.rounds)

    def ratio(self, name, base):
        return statistics.median(found[name] / found[base] for found in self.rounds)

    def a_second(self, name):
        """Of the load beside, how much was done."""
        return statistics.median(other["requests"] / other["us"] * 1e6
                                 for other in self.others[name])
