# SPDX-License-Identifier: Apache-2.0
"""How long clients wait while something else goes on: an open loop at half of what the server can
do, so that what waits behind a stall is counted (see load.c)."""
import concurrent.futures
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import time

from passwords import WAITING, Passwords, bare_hashes
from rig import basic, raw_request, token_request
from rows import CONNECTIONS, load, load_command, requests_file
from verify import Client

WRITERS = 8  # connections that change applications: the writer is never without a next batch
PAGE = 4096
PAGES = 1000
REVOCATIONS = 1000  # of a round, at most
BEHIND = 5  # src/base/priority.h: how far the writer steps behind the workers


class Spoilt(Exception):
    """A round in which the machine could not keep up with what half load had been before."""


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
        raise Spoilt(f"{what}: {result}")
    return result


def a_second(result):
    return result["requests"] / result["us"] * 1e6


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


def fdatasync_beside_us(folder, times):
    """The same on the server's core and as far back as its writer: what is left between this and a
    revocation is twoleg's, and not the wait for a core that others use."""
    def as_the_writer():
        os.sched_setaffinity(0, {0})  # this thread alone, as is what follows
        os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) + BEHIND)
        return fdatasync_us(folder, times)
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        return thread.submit(as_the_writer).result()


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


# What is measured beside another load -> half load by itself, just before: the host's pace changes.
JUST_BEFORE = {"writer": "alone", "pool": "alone again", "password": "alone at last"}


class Latency:
    """The medians of some rounds; each round measures everything in turn."""

    def __init__(self, data, apps):
        self.apps = apps
        self.passwords = Passwords(data, "latency")
        self.server = self.passwords.server
        self.issue = requests_file("half-load", [token_request(app) for app in apps["sealed"]])
        self.signed = requests_file("pool", [token_request(app) for app in apps["RS256"]])
        self.changes = requests_file("writer", [change_request(app, i)
                                                for i, app in enumerate(apps["jwt"])])
        self.rounds, self.others = [], {"changes": [], "signatures": [], "passwords": []}
        self.rate = 0
        self.peak(1)  # every application is in memory

    def peak(self, seconds):
        return a_second(checked("peak", load(self.server.port, self.issue, seconds)))

    def half(self):
        return ["--rate", self.rate]

    def p99(self, what, seconds):
        return checked(what, load(self.server.port, self.issue, seconds, self.half()))["p99_us"]

    def measure(self, seconds):
        found = {"fdatasync": fdatasync_us(self.server.data, 200 * seconds),
                 "peak": self.peak(1)}
        self.rate = int(found["peak"] / 2)
        found["alone"] = self.p99("half load", seconds)
        with beside(self.others["changes"], f"unix:{self.server.data}/admin.sock", self.changes,
                    connections=WRITERS):
            found["writer"] = self.p99("half load beside the writer", seconds)
        found["alone again"] = self.p99("half load", seconds)
        with beside(self.others["signatures"], self.server.port, self.signed):
            found["pool"] = self.p99("half load beside RS256", seconds)
        self.measure_passwords(found, seconds)
        file = requests_file("revoke", revocations(Client(self.server.port), self.apps,
                                                   REVOCATIONS))
        with beside([], self.server.port, self.issue, options=self.half(),
                    connections=CONNECTIONS):
            found["fdatasync beside"] = fdatasync_beside_us(self.server.data, 200 * seconds)
            revoked = checked("revocation", load(self.server.port, file, seconds, ["--each"],
                                                 connections=1))
        found["revocation"] = revoked["p99_us"]
        self.rounds.append(found)

    def measure_passwords(self, found, seconds):
        found["bare"] = bare_hashes(seconds)
        file = self.passwords.enough(seconds, found["bare"])
        grants = checked("passwords", load(self.server.port, file, seconds, ["--each"], WAITING))
        found["grants"] = a_second(self.passwords.judged(grants))
        file = self.passwords.enough(seconds, found["bare"])
        found["alone at last"] = self.p99("half load", seconds)
        with beside(self.others["passwords"], self.server.port, file, options=["--each"],
                    connections=WAITING):
            found["password"] = self.p99("half load beside passwords", seconds)
        self.passwords.judged(checked("passwords", self.others["passwords"][-1]))
        found["again"] = a_second(checked("passwords again", self.passwords.again(seconds)))

    def finish(self):
        self.server.stop()
        shutil.rmtree(self.server.data)

    def median(self, name):
        return statistics.median(found[name] for found in self.rounds)

    def ratio(self, name, base):
        return statistics.median(found[name] / found[base] for found in self.rounds)

    def beside_a_second(self, name):
        """Of the load beside, how much was done."""
        return statistics.median(map(a_second, self.others[name]))
