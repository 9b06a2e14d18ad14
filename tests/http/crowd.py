# SPDX-License-Identifier: Apache-2.0
"""Connections by the thousand, from several source addresses, and what a server holds for them."""
import json
import multiprocessing
import os
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


def start_load(target, requests, folder, *args):
    """Has bench_load send these requests until its --seconds are over or it is terminated."""
    file = folder / "requests"
    file.write_bytes(b"".join(request + b"\0" for request in requests))
    return subprocess.Popen([LOAD, *map(str, args), str(target), file], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def finish_load(child):
    """What it reports when it has ended."""
    said, errors = child.communicate()
    assert child.returncode == 0, errors
    report = json.loads(said)
    report["good"] = report["requests"] - report["refused"]
    return report


def load(*args):
    return finish_load(start_load(*args))


def ask_on(sock, request, count, batch=1000):
    """So many requests on one connection, a batch of them in one piece. All answers have one
    length, so that bytes tell how many came."""
    sock.sendall(request)
    first = sock.recv(65536)
    assert first.startswith(b"HTTP/1.1 200"), first
    for _ in range(count // batch):
        sock.sendall(request * batch)
        left = batch * len(first)
        while left:
            piece = sock.recv(left)
            assert piece, f"closed with {left} bytes to come"
            left -= len(piece)


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


class Drip:
    """Sends one byte of a header on each connection every so often, and notes which of them the
    server has closed, and when. A byte that comes in time never completes a request. In a process
    of its own that everybody else goes before, a few bytes at a time: what it takes of the machine
    is no fault of the server."""
    STEP = 0.01  # seconds; each sends its share of the bytes

    def __init__(self, socks, every):
        self.every, self.socks = every, socks
        self.steps, self.at = round(every / self.STEP), 0
        self.open, self.closed = {}, []  # closed: seconds after the first byte
        self.unanswered = 0  # of those, closed without a 408
        self.result, self.given = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.get_context("fork").Process(target=self.run, daemon=True)

    def start(self):
        self.process.start()
        self.given.close()
        for sock in self.socks:
            sock.close()

    def join(self, timeout):
        """Until the server has closed all, or so long; then what was found can be read."""
        if not self.result.poll(timeout):
            self.process.kill()
        else:
            self.open, self.closed, self.unanswered = self.result.recv()
        self.process.join()

    def run(self):
        os.nice(19)
        self.poll = select.epoll()
        for sock in self.socks:
            sock.setblocking(False)
            self.open[sock.fileno()] = sock
            self.poll.register(sock, select.EPOLLIN | select.EPOLLRDHUP)
        for sock in self.socks:
            sock.send(b"GET /healthz HTTP/1.1\r\nX: ")
        due = self.began = time.monotonic()
        while self.open and time.monotonic() - self.began < PATIENCE + 20:
            due += self.STEP
            time.sleep(max(0.0, due - time.monotonic()))
            for file, _ in self.poll.poll(0, 1000):
                self.end(file)
            self.drip()
        self.given.send((list(self.open), self.closed, self.unanswered))

    def drip(self):
        self.at = (self.at + 1) % self.steps
        for sock in self.socks[self.at::self.steps]:
            try:
                if sock.fileno() in self.open:
                    sock.send(b"a")
            except OSError:
                self.end(sock.fileno())

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
