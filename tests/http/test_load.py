# SPDX-License-Identifier: Apache-2.0
"""bench_load, with which bench/run and the tests of overload measure, against servers that stall,
refuse and break off as told."""
import json
import pathlib
import socket
import subprocess
import threading
import time

import pytest

from instance import BINARY

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
STALL = 0.5
LOAD = pathlib.Path(BINARY).with_name("bench_load")


class Stub(threading.Thread):
    """Answers each request by what `answer`, asked with its number, gives: None breaks off."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer, self.asked, self.accepted = answer, 0, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            with sock:
                self.serve(sock)

    def serve(self, sock):
        while self.next_request(sock):
            status = self.answer(self.asked)
            self.asked += 1
            if status is None:
                return
            sock.sendall(f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\n{{}}".encode())

    @staticmethod
    def next_request(sock):
        text = b""
        while not text.endswith(b"\r\n\r\n"):
            got = sock.recv(len(REQUEST) - len(text))
            if not got:
                return False
            text += got
        return True

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def load(tmp_path):
    stubs = []

    def run(answer, *options):
        file = tmp_path / "requests"
        file.write_bytes(REQUEST + b"\0")
        stubs.append(Stub(answer))
        done = subprocess.run([LOAD, *map(str, options), str(stubs[-1].port), file],
                              capture_output=True, text=True, timeout=60, check=True)
        return stubs[-1], json.loads(done.stdout)

    yield run
    for stub in stubs:
        stub.stop()


def test_an_open_loop_counts_what_waits_behind_a_stall(load):
    def answer(number):
        time.sleep(STALL if number == 100 else 0)
        return 200
    stub, found = load(answer, "--rate", 500, "--seconds", 2, "--connections", 1)
    assert found["requests"] == stub.asked == 1000 and found["statuses"] == {"200": 1000}
    assert found["unsent"] == found["broken"] == found["unanswered"] == 0
    # 250 were due in that time; a loop that waits for the answer would have found a single one.
    assert found["p99_us"] > STALL * 1e6 * 0.9
    assert found["p99_us"] <= found["p999_us"] <= found["max_us"]


def test_what_is_refused_and_what_breaks_off_is_counted(load):
    def answer(number):
        return None if number % 10 == 9 else 503 if number % 10 == 4 else 200
    stub, found = load(answer, "--rate", 200, "--seconds", 1, "--connections", 1)
    assert stub.asked == 200 and stub.accepted >= 20
    assert found["statuses"] == {"200": 160, "503": 20}
    assert (found["requests"], found["refused"], found["broken"]) == (180, 20, 20)
    assert 0 < found["refused_p50_us"] <= found["refused_max_us"]


def test_a_connection_for_each_request(load):
    stub, found = load(lambda _: 200, "--fresh", "--seconds", 1, "--connections", 1)
    assert found["requests"] == stub.asked == stub.accepted > 0 and found["broken"] == 0
