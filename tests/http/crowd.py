# SPDX-License-Identifier: Apache-2.0
"""Connections by the thousand, from several source addresses, and what a server holds for them."""
import json
import pathlib
import resource
import select
import socket
import subprocess
import threading
import time

from instance import PATIENCE, ROOT, token_request

LOAD = ROOT / "build/release/bench_load"


def raise_limit(files):
    """This many descriptors, or as many as there may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = files if hard == resource.RLIM_INFINITY else min(files, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most


def connect_many(port, count, each=900, host="127.0.0.1", first=10):
    """So many connections, at most `each` from one address: 127.0.0.10 and those behind it."""
    socks = []
    for i in range(count):
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        sock.bind((f"127.0.0.{first + i // each}", 0))
        sock.connect((host, port))
        socks.append(sock)
    return socks


def load(target, requests, folder, *args):
    """What bench_load reports after it has sent these requests."""
    file = folder / "requests"
    file.write_bytes(b"".join(request + b"\0" for request in requests))
    done = subprocess.run([LOAD, *map(str, args), str(target), file], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    report["good"] = report["requests"] - report["refused"]
    return report


class Process:
    """What the kernel says of a process."""

    def __init__(self, pid):
        self.folder = pathlib.Path(f"/proc/{pid}")

    def cpu(self):
        """Seconds of all threads that are there now."""
        ran = [(task / "schedstat").read_text() for task in (self.folder / "task").iterdir()]
        return sum(int(text.split()[0]) for text in ran) / 1e9

    def memory(self):
        """Bytes of its own: RssAnon."""
        rows = dict(line.split(":", 1) for line in
                    (self.folder / "status").read_text().splitlines())
        return int(rows["RssAnon"].split()[0]) * 1024

    def files(self):
        return len(list((self.folder / "fd").iterdir()))


class Drip(threading.Thread):
    """Sends one byte of a header on each connection every so often, and notes which of them the
    server has closed, and when. A byte that comes in time never completes a request."""

    def __init__(self, socks, every):
        super().__init__(daemon=True)
        self.every, self.began = every, time.monotonic()
        self.open = {sock.fileno(): sock for sock in socks}
        self.closed = []  # seconds after the first byte
        self.unanswered = 0  # of those, closed without a 408
        self.poll = select.epoll()
        for sock in socks:
            sock.setblocking(False)
            self.poll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)

    def run(self):
        for sock in self.open.values():
            sock.send(b"GET /healthz HTTP/1.1\r\nX: ")
        self.began = time.monotonic()
        due = self.began + self.every
        while self.open:
            for file, _ in self.poll.poll(max(0.0, due - time.monotonic()), 1000):
                self.end(file)
            if time.monotonic() >= due:
                self.drip()
                due += self.every

    def drip(self):
        for file, sock in list(self.open.items()):
            try:
                sock.send(b"a")
            except OSError:
                self.end(file)

    def end(self, file):
        sock = self.open.pop(file, None)
        if sock is None:
            return
        self.poll.unregister(sock)
        try:
            self.unanswered += not sock.recv(100).startswith(b"HTTP/1.1 408")
        except OSError:
            self.unanswered += 1
        sock.close()
        self.closed.append(time.monotonic() - self.began)


class GoodClient(threading.Thread):
    """Asks for a token every few milliseconds, on a connection that it keeps; latencies in ms."""

    def __init__(self, server, app, pause=0.004):
        super().__init__(daemon=True)
        self.sock, self.pause = server.connect(), pause
        self.request = token_request(app)
        self.latencies, self.bad, self.ending = [], [], threading.Event()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run(self):
        try:
            while not self.ending.wait(self.pause):
                began = time.perf_counter()
                self.sock.sendall(self.request)
                answer = self.sock.recv(65536)
                self.latencies.append((time.perf_counter() - began) * 1000)
                if not answer.startswith(b"HTTP/1.1 200"):
                    self.bad.append(answer[:60])
        except OSError as error:
            self.bad.append(repr(error))

    def finish(self):
        self.ending.set()
        self.join()
        self.sock.close()

    def p99(self, since=0):
        found = sorted(self.latencies[since:])
        return found[len(found) * 99 // 100]
