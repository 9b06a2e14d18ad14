# SPDX-License-Identifier: Apache-2.0
"""What is left in the memory of a server, and what it says when there is none. Rows D7, H22."""
import contextlib
import ctypes.util
import os
import pathlib
import pwd
import shutil
import signal
import socket
import sqlite3
import tempfile

import pytest
from cryptography.hazmat.primitives import serialization

import instance
from instance import PATIENCE, ROOT, Server, release_by, two_admins, until
from secure import CLOSE, Secure
from test_reload import METADATA, authority, reloading, secure  # noqa: F401 the fixtures

RELEASE = str(ROOT / "build/release/twoleg")


def private_number(pair):
    """The number that is an EC key, as OpenSSL holds it on processors of our kind."""
    key = serialization.load_pem_private_key(pathlib.Path(pair.key).read_bytes(), None)
    return key.private_numbers().private_value.to_bytes(32, "little")


def mappings(server):
    """Writable memory of the server, which no user but root may look into: its bytes, and the flags
    that the kernel shows (lo: locked, dd: in no core dump, dc: in no child)."""
    with open(f"/proc/{server.process.pid}/smaps") as maps, \
            open(f"/proc/{server.process.pid}/mem", "rb", buffering=0) as memory:
        place = ""
        for line in maps:
            if line.startswith("VmFlags:"):
                first, last = (int(end, 16) for end in place.split()[0].split("-"))
                # Not the shadow of AddressSanitizer, which is without end.
                if "rw" in place.split()[1] and last - first < 1 << 30:
                    memory.seek(first)
                    with contextlib.suppress(OSError):  # it was given back meanwhile
                        yield memory.read(last - first), set(line.split()[1:])
            elif "-" in line.split()[0]:
                place = line


def in_memory(server, what):
    return sum(content.count(what) for content, _ in mappings(server))


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into memory")


@root_only
@pytest.mark.parametrize("token_format, algorithm", [("sealed", "ES256"), ("jwt", "ES256"),
                                                     ("jwt", "RS256"), ("reference", "ES256")])
def test_D7_what_was_issued_and_asked_for_is_gone(own_server, token_format, algorithm):
    api = f"https://{algorithm.lower()}.example"
    own_server.cli("api", "create", api, "--name", "x", "--algorithm", algorithm, "--json")
    app = own_server.app(audience=api, token_format=token_format)
    caller = own_server.app(audience=api, resource_server=True)
    token = own_server.bearer(app, "post")
    assert own_server.active(caller, token)
    for what in (app.secret, caller.secret, token):
        until(lambda: not in_memory(own_server, what.encode()), f"{what} to be gone")


@root_only
@pytest.mark.hooks
def test_D7_a_key_that_was_replaced_under_load_goes(reloading, authority):  # noqa: F811
    """A worker is in the middle of an answer while its key is replaced."""
    old, new = (authority.issue(name, "DNS:localhost") for name in ("old", "new"))
    server = reloading.start("workers: 2\n" + secure([old]), listen=())
    assert in_memory(server, private_number(old)) and not in_memory(server, private_number(new))
    server.hooks.hold("metadata.written")
    admins = two_admins(server)
    context = authority.client()
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as sock, \
            context.wrap_socket(sock, server_hostname="localhost") as session:
        session.sendall(f"GET {METADATA} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        server.hooks.await_waiting("metadata.written")
        reloading.write("workers: 2\n" + secure([new]))
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "event=reloaded" in server.stderr(), "the reload")
        release_by(admins)
        assert session.recv(65536)
    until(lambda: not in_memory(server, private_number(old)), "the old key to be gone")
    assert in_memory(server, private_number(new))


@pytest.mark.hooks
def test_H22_a_reload_without_memory_says_so(reloading):
    """Whichever allocation fails first, each signal has its line: a manager waits for it."""
    server = reloading.start()

    def lines():
        return server.stderr().count("event=reloaded") + server.stderr().count("reload_refused")
    for nth in (1, 2, 3):  # the report's memory is the first
        before = lines()
        server.hooks.fault("memory", nth)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: lines() > before, f"a line about the reload, allocation {nth}")
    assert 'event=reload_refused problems=0 reason="out of memory"' in server.stderr()
    assert reloading.changed("jwks_max_age: 77s\n") == ["jwks_max_age"]


# ------------------------------------------------------------------ where keys lie
def opened(wrapped, master, row):
    """A key of the store, opened by what nobody here wrote."""
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    number, purpose, algorithm, kid = row
    texts = [algorithm, kid, "twoleg signing key v1"] if purpose == "sign" else [
        "twoleg data key v1"]
    about = purpose.encode() + b"\0" + number.to_bytes(8, "big") + b"".join(
        text.encode() + b"\0" for text in texts)
    plain = ctypes.create_string_buffer(len(wrapped))
    length, size = ctypes.c_ulonglong(), ctypes.c_ulonglong
    assert sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        plain, ctypes.byref(length), None, wrapped[24:], size(len(wrapped) - 24), about,
        size(len(about)), wrapped[:24], master) == 0
    return plain.raw[:length.value]


def secret_parts(key):
    """What of a private key must not be seen, as it may lie in memory: numbers of either order."""
    numbers = getattr(key, "private_numbers", None)
    if numbers is None:
        raw = (serialization.Encoding.Raw, serialization.PrivateFormat.Raw,
               serialization.NoEncryption())
        return {"seed": [key.private_bytes(*raw)]}
    numbers = numbers()
    names = ["d", "p", "q", "dmp1", "dmq1", "iqmp"] if hasattr(numbers, "p") else ["private_value"]
    parts = {}
    for name in names:
        number = getattr(numbers, name)
        size = (number.bit_length() + 7) // 8
        parts[name] = [number.to_bytes(size, order) for order in ("little", "big")]
    return parts


def secrets_of(server, pairs):
    """Every key of a server, by name: each a list of forms in which it may lie in memory."""
    master = pathlib.Path(server.data, "master.key").read_bytes()
    found = {"master": [master]}
    store = sqlite3.connect(f"file:{server.data}/twoleg.db?mode=ro", uri=True)
    for *row, wrapped in store.execute("SELECT id, purpose, algorithm, kid, wrapped FROM keys "
                                       "WHERE state IN ('active', 'signing')"):
        plain = opened(wrapped, master, row)
        parts = {"bytes": [plain]} if row[1] != "sign" else secret_parts(
            serialization.load_der_private_key(plain, None))
        found.update((f"{row[1]} {row[2]} {name}", forms) for name, forms in parts.items())
    store.close()
    for name, pair in pairs.items():
        text = pathlib.Path(pair.key).read_bytes()
        parts = secret_parts(serialization.load_pem_private_key(text, None))
        found.update((f"TLS {name} {part}", forms) for part, forms in parts.items())
    return found


@pytest.fixture
def release(tmp_path, monkeypatch):
    """Makes servers of the release build: AddressSanitizer makes mlock do nothing, and builds with
    test hooks leave each allocation of OpenSSL to malloc."""
    if not os.path.exists(RELEASE):
        pytest.skip(f"there is no release build at {RELEASE}")
    monkeypatch.setattr(instance, "BINARY", RELEASE)
    made = []

    def make(kind=Server, listeners=1, **options):
        made.append(kind(**options))
        made[-1].listeners = listeners
        return made[-1].start()
    yield make
    for server in made:
        server.destroy()


ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")


def use_every_key(server, pairs, authority):  # noqa: F811
    for algorithm in ALGORITHMS:
        api = f"https://{algorithm.lower()}.example"
        server.cli("api", "create", api, "--name", "x", "--algorithm", algorithm)
        app = server.app(audience=api, token_format="jwt")
        for _ in range(3):
            server.bearer(app, "post")
    for name in pairs:
        assert Secure(server, authority).ask(CLOSE, name=name).startswith(b"HTTP/1.1 200")


@root_only
def test_D7_private_keys_are_locked_and_in_no_core_dump(release, authority, tmp_path):  # noqa: F811
    """Wherever in the memory of a server a key is found that it works with."""
    kinds = {"ec.example": ("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
             "rsa.example": ("rsa:2048",), "ed.example": ("ed25519",)}
    pairs = {name: authority.issue(name, f"DNS:{name}", key_kind=kind)
             for name, kind in kinds.items()}
    file = tmp_path / "twoleg.yaml"
    file.write_text("workers: 2\nlisten:\n  - address: 127.0.0.1:0\n  - address: 127.0.0.1:0\n"
                    f"    tls: [{', '.join(pair.yaml() for pair in pairs.values())}]\n")
    server = release(data=tmp_path / "data", config=file, listen=(), listeners=2)
    use_every_key(server, pairs, authority)
    places = list(mappings(server))
    for name, forms in secrets_of(server, pairs).items():
        flags = [shown for content, shown in places for form in forms if form in content]
        assert flags, f"{name} is nowhere"
        assert all({"lo", "dd", "dc"} <= shown for shown in flags), (name, flags)


class Tight(Server):
    """May lock no memory."""

    def command(self):
        return ["prlimit", "--memlock=0:0", *super().command()]


def test_D7_keys_that_cannot_be_locked_are_said(release):
    folder, args = tempfile.mkdtemp(prefix="twoleg-"), []  # pytest's own is closed to other users
    if os.geteuid() == 0:  # who may lock without limit
        nobody = pwd.getpwnam("nobody")
        os.chmod(folder, 0o755)
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        args = ["--user", "nobody"]
    server = release(Tight, data=folder + "/data", args=args)
    assert server.token(server.app()).status == 200
    [words] = [line for line in server.stderr().splitlines() if "swapped" in line]
    assert words.startswith("twoleg: warning: keys ") and "0 KiB" in words and "ulimit -l" in words
    until(lambda: server.stderr().count("event=keys_not_locked") == 1, "the event in the log")
    server.stop()
    shutil.rmtree(folder)


def test_D7_keys_that_are_locked_need_no_words(release, tmp_path):
    server = release(data=tmp_path / "data")
    assert server.token(server.app()).status == 200
    assert "swapped" not in server.stderr()
