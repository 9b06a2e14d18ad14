# SPDX-License-Identifier: Apache-2.0
"""Password grants, each of a user that was never asked for before: a right password is remembered,
and what is to be measured is that every grant waits for one Argon2id hash of its own."""
import ctypes
import os
import time

from memory import clone
from rig import UNLIMITED, Twoleg, basic, copy_of, create, raw_request
from rows import load, requests_file

USERS = 12_000  # 5 rounds of two loads of 3 s, with twice the users that a core hashes at 100/s
AGAIN = 8
PASSWORD = "a-password-of-a-bench"
HASH_COST = (2, 19456 << 10)  # src/crypto/password.c: passes, bytes
WAITING = 4  # connections: the pool is never without a next one, and none waits for a second
SPARE_S = 2  # of a load beside: it begins before what it goes beside, and ends after it


def many_users(data, name):
    """A copy of the store with an application that has users' passwords, and the users: like one,
    their hash too."""
    copy = copy_of(data, name)
    server = Twoleg(copy, password_grant="true")
    [app] = create(copy / "admin.sock", [{"name": "with users", "scope": "sms groups",
                                          "token_format": "sealed",
                                          "grants": "client_credentials password"}])
    create(copy / "admin.sock", [{"username": "first", "password": PASSWORD, "scope": "sms"}],
           "users")
    server.stop()
    clone(copy, "user", ("username", "first"), USERS, {"username": "'user' || n.i"})
    return copy, app


def bare_hashes(seconds):
    """How many Argon2id hashes a second libsodium compares by itself: one thread on the server's
    core, for there the server's pool has one too."""
    sodium = ctypes.CDLL("libsodium.so.23")
    if sodium.sodium_init() < 0:  # else it knows nothing of the processor, and takes thrice as long
        raise SystemExit("libsodium does not start")
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


class Passwords:
    """The users of one server, each of them for one grant."""

    def __init__(self, data, name):
        self.data, self.app = many_users(data, name)
        self.server = Twoleg(self.data, password_grant="true", passwords_per_user="1000000/1s",
                             **UNLIMITED)
        self.asked, self.given, self.before = 0, 0, 0

    def requests(self, name, count):
        if self.asked + count > USERS:
            raise SystemExit(f"{self.asked} users were asked for, and {count} more are needed: "
                             f"there are {USERS}")
        first = self.asked + 1
        self.asked += count
        return requests_file(name, [
            raw_request("POST", "/oauth/token",
                        f"grant_type=password&username=user{i}&password={PASSWORD}",
                        Authorization=basic(self.app)) for i in range(first, first + count)])

    def enough(self, seconds, rate):
        """Twice as many as can be asked for in that time. Each is asked for once, in turn."""
        self.given, self.before = int(2 * rate * (seconds + SPARE_S)), self.hashed()
        return self.requests("passwords", self.given)

    def judged(self, result):
        if result["requests"] >= self.given:
            raise SystemExit(f"all {self.given} users were asked for, so the pool stood still")
        if self.hashed() - self.before != result["requests"]:
            raise SystemExit(f"{self.hashed() - self.before} passwords were hashed for {result}")
        return result

    def hashed(self):
        return self.server.metric("twoleg_password_hashes_total")

    def again(self, seconds):
        """The load of users who have just been there, whose passwords are remembered."""
        file = self.requests("passwords again", AGAIN)
        load(self.server.port, file, 60, ["--each"], AGAIN)
        return load(self.server.port, file, seconds, connections=AGAIN)
