# SPDX-License-Identifier: Apache-2.0
"""How soon a server is there, how large it is, and what its workers share."""
import concurrent.futures
import os
import shutil
import signal
import socket
import sqlite3
import statistics
import subprocess
import time

from rig import BUILD, UNLIMITED, WORK, Twoleg, copy_of, create, free_port, token_request
from rows import CONNECTIONS, Row, load, requests_file
from verify import Client

REVOCATIONS = 1_000_000


def hot_us(servers, file, seconds):
    """CPU a request while two clients, on both cores like the servers, ask for one application.
    Each client has half of its connections at either server: were there one client to a server, the
    system would keep each pair on a core of its own, which two workers of one server can never
    have, and most of the difference would be that."""
    ports = [server.port for server in servers]
    before = sum(server.cpu_us() for server in servers)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        halves = [pool.submit(load, port, file, seconds, ["--also", other], CONNECTIONS // 2, "0,1")
                  for port, other in ((ports[0], ports[-1]), (ports[-1], ports[0]))]
        results = [half.result() for half in halves]
    used = sum(server.cpu_us() for server in servers) - before
    for result in results:
        if result["broken"] or result["refused"]:
            raise SystemExit(f"hot application: {result}")
    return used / sum(result["requests"] for result in results)


def measure_hot(data, apps, rounds, seconds):
    """Two workers of one server on one application, against two servers of one worker each under
    the same load: all that differs is what the workers share."""
    copy = copy_of(data, "copy")
    file = requests_file("hot application", [token_request(apps["sealed"][0])])
    figures = {1: [], 2: []}
    for _ in range(rounds):
        for workers, folders in ((1, (data, copy)), (2, (data,))):
            servers = [Twoleg(folder, "0,1", workers=workers) for folder in folders]
            hot_us(servers, file, 1)
            figures[workers].append(hot_us(servers, file, seconds))
            for server in servers:
                server.stop()
    shutil.rmtree(copy)
    return [statistics.median(figures[workers]) for workers in (1, 2)]


def first_token_ms(data, app, times):
    """From exec to the first token's last byte, the median and the longest; the port is known
    before, so nothing is read."""
    took = []
    request = token_request(app).encode()
    os.sched_setaffinity(0, {0, 1})  # we ask on one core while it starts on the other
    for _ in range(times):
        port = free_port()
        with open(WORK / "server.log", "ab") as log:
            began = time.perf_counter()
            child = subprocess.Popen([str(BUILD / "twoleg"), "serve", "--data", str(data),
                                      "--listen", f"127.0.0.1:{port}"],
                                     stdout=subprocess.DEVNULL, stderr=log)
            answer = first_answer(port, request)
        took.append((time.perf_counter() - began) * 1000)
        child.send_signal(signal.SIGTERM)
        child.wait(30)
        if b'"access_token":"' not in answer:
            raise SystemExit(f"the first answer was {answer[:200]}")
    os.sched_setaffinity(0, {1})
    return statistics.median(took), max(took)


def first_answer(port, request):
    deadline = time.perf_counter() + 10
    while time.perf_counter() < deadline:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                sock.sendall(request)
                return sock.recv(4096)
        time.sleep(0.0002)
    raise SystemExit("nobody answered in 10 s")


def fresh_data():
    """A folder as after the first start, with one application."""
    data = WORK / "fresh"
    shutil.rmtree(data, ignore_errors=True)
    server = Twoleg(data)
    app = create(data / "admin.sock", [{"name": "demo", "scope": "sms groups",
                                        "token_format": "sealed"}])[0]
    server.stop()
    return data, app


def idle_memory(data):
    server = Twoleg(data)
    time.sleep(0.5)
    memory = server.memory_mb()
    server.stop()
    return memory


CLONE = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
INSERT INTO {table} SELECT {columns} FROM {table} t, n WHERE t.{key} = :old
"""


def clone_rows(store, table, key, old, count, change):
    names = [row[1] for row in store.execute(f"PRAGMA table_info({table})")]
    columns = ", ".join(change.get(name, "t." + name) for name in names)
    store.execute(CLONE.format(table=table, columns=columns, key=key), {"count": count, "old": old})


def clone(copy, kind, which, count, change, numbered=()):
    """Into the store of a copy so many rows like one of the table of that kind, by SQL, with what
    belongs to it; the numbered of those have numbers of their own."""
    number = {"number": "1000000 + n.i"}
    store = sqlite3.connect(copy / "twoleg.db")
    column, value = which
    old = store.execute(f"SELECT number FROM {kind}s WHERE {column} = ?", (value,)).fetchone()[0]
    clone_rows(store, f"{kind}s", "number", old, count, {**number, **change})
    for table in (f"{kind}_apis", f"{kind}_scopes", *numbered):
        own = {"number": "2000000 + n.i"} if table in numbered else {}
        clone_rows(store, table, kind, old, count, {kind: number["number"], **own})
    store.commit()
    store.close()


def many_applications(data, app, count):
    """A copy of the store with so many applications, like that one."""
    copy = copy_of(data, "many")
    clone(copy, "application", ("client_id", app["client_id"]), count,
          {"client_id": "printf('app_%013d', n.i)", "name": "'clone ' || n.i"}, ("secrets",))
    return copy, [f"app_{i:013d}" for i in range(1, count + 1)]


def many_memory(data, app):
    """Just started, and after each application was asked for: wrong secrets load them too."""
    copy, ids = many_applications(data, app, 100_000)
    server = Twoleg(copy, **UNLIMITED)
    client = Client(server.port)
    for _ in range(10):
        client.token(app)
    started = server.memory_mb()
    row = Row("many applications", server,
              [token_request({"client_id": one, "client_secret": "x" * 51}) for one in ids])
    os.environ["BENCH_ORDER"] = "each"
    asked = 0
    while asked < len(ids):
        asked += row.load(2)["requests"]
    del os.environ["BENCH_ORDER"]
    asked = server.memory_mb()
    server.stop()
    shutil.rmtree(copy)
    return started, asked


def million_revoked(data):
    """A copy of the store whose applications have revoked so many tokens, written by SQL. The ids
    rise, which is quicker to write; in memory they are hashed."""
    copy = copy_of(data, "revoked")
    store = sqlite3.connect(copy / "twoleg.db")
    store.execute("PRAGMA synchronous = OFF")
    store.execute("PRAGMA cache_size = -200000")
    apps = store.execute("SELECT account, number FROM applications WHERE status = 0").fetchall()
    expires = int(time.time()) + 86400
    store.executemany(
        "INSERT INTO revoked_tokens (account, application, id, expires_s, revoked_us)"
        " VALUES (?, ?, ?, ?, 0)",
        ((*apps[i % len(apps)], i.to_bytes(4, "big") + os.urandom(12), expires)
         for i in range(REVOCATIONS)))
    store.commit()
    store.close()
    return copy


def revocation_bytes(data, revoked):
    """Memory of one live revocation: two servers, just started, that differ in nothing else."""
    bytes_of = {folder: idle_memory(folder)[1] * 1024 * 1024 for folder in (data, revoked)}
    return (bytes_of[revoked] - bytes_of[data]) / REVOCATIONS
