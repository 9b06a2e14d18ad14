# SPDX-License-Identifier: Apache-2.0
"""Signing keys and the master key over their lives (design 3.6; C22, D2, D4, D5, G4)."""
import http.client
import json
import os
import pathlib
import threading
import time

import pytest
from jwcrypto import jwk, jws

from instance import until

DAY = 86400
CONFIG = """
key_rotation: 30d
jwks_max_age: 1d
token_ttl: 10h
jwt_max_ttl: 20h
"""


def keys(server):
    return server.manage("GET", "keys")["keys"]


def states(server):
    return [key["state"] for key in keys(server)]


def signing(server):
    [key] = [key for key in keys(server) if key["state"] == "signing"]
    return key["kid"]


def kids(server):
    return {key["kid"] for key in server.get("/.well-known/jwks.json").json()["keys"]}


def header(token):
    parsed = jws.JWS()
    parsed.deserialize(token)
    return parsed.jose_header


class Verifier:
    """A resource server that asks for no unknown key, and caches behind each other on the way to
    it, each of which keeps the key set as long as it may: the last as of the first one's end."""

    def __init__(self, server, age, caches=1):
        self.server, self.age, self.keeps = server, age, caches * age
        self.fetched, self.text, self.set = None, None, None

    def fetch(self, now):
        answer = self.server.get("/.well-known/jwks.json")
        assert f"max-age={self.age}" in answer.headers["Cache-Control"]
        self.text, self.set, self.fetched = answer.text, None, now

    def stale(self, now):
        return self.fetched is None or now - self.fetched >= self.keeps

    def verify(self, token, now):
        if self.stale(now):
            self.fetch(now)
        self.set = self.set or jwk.JWKSet.from_json(self.text)
        key = self.set.get_key(header(token)["kid"])
        assert key is not None, f"an unknown key {now - self.fetched} s after the set was fetched"
        parsed = jws.JWS()
        parsed.deserialize(token)
        parsed.verify(key)


def next_step(server, now):
    """Eight hours on, or just before or after the next change: what the hook adds to the time."""
    changes = [key["until"] - time.time() for key in keys(server) if key.get("until")]
    return min([now + 8 * 3600] + [at for change in changes for at in (change - 30, change + 1)
                                   if at > now])


@pytest.fixture
def rotating(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text(CONFIG)
    return make_server(config=config).start()


@pytest.mark.hooks
def test_C22_D5_G4_months_of_rotation_under_cached_key_sets(rotating):
    """Verifiers that fetch at all sorts of times never meet a token of a key that they do not
    know, and no live token ever loses its key."""
    server = rotating
    # The server turns the keys by itself, too: with a clock that it read eight hours ago, when
    # the hook moves it meanwhile. Here only the hook does.
    server.hooks.hold("keys.turn")
    server.hooks.await_waiting("keys.turn")
    app = server.app(name="a", token_format="jwt")
    caller = server.app(name="caller", resource_server=True)
    verifiers, early = [Verifier(server, DAY) for _ in range(3)], []
    seen, live, turn, now, before = set(), [], 0, 0, states(server)
    while now < 130 * DAY:
        server.hooks.clock(now)
        # In the server's time, which goes on meanwhile: a fetch counts from before it was asked
        # for, and a set is old by what the time is after the token was made.
        last = Verifier(server, DAY, caches=2)
        last.fetch(now + time.time())
        # To the end: the next step must not overtake a commit.
        until(lambda: not server.hooks.post("/test/keys")["under_way"], "the keys' change")
        after = states(server)
        assert after.count("signing") == 1
        # Nobody fetched later before this change.
        early += [last] if after != before else []
        token = server.bearer(app)
        seen.add(header(token)["kid"])
        live = [(made, old) for made, old in live if now - made < 9 * 3600] + [(now, token)]
        assert header(token)["kid"] in kids(server)
        early = [verifier for verifier in early if not verifier.stale(now + time.time())]
        known = [verifier for number, verifier in enumerate(verifiers)
                 if turn % len(verifiers) == number or verifier.fetched is not None]
        for verifier in known + early:
            for _, old in live:
                verifier.verify(old, now + time.time())
        assert server.active(caller, token) and server.active(caller, live[0][1])
        turn, now, before = turn + 1, next_step(server, now), after
    assert len(seen) >= 4
    assert len(keys(server)) <= 3, "what is over is gone"
    acts = [row["action"] for row in server.manage("GET", "audit?after=0&limit=1000")["audit"]]
    for act in ("key.announce", "key.sign", "key.retire", "key.end"):
        assert acts.count(act) >= 3, act
    server.hooks.release("keys.turn")


@pytest.mark.hooks
def test_D5_a_key_goes_through_every_state_and_restarts_in_each(rotating):
    server = rotating
    app = server.app(name="a", token_format="jwt")
    first = signing(server)

    def reach(now, wanted):
        server.hooks.clock(now)
        until(lambda: server.hooks.post("/test/keys") and states(server) == wanted,
              f"the states {wanted}")
        for hard in (True, False):
            server.restart(hard=hard)
            server.hooks.clock(now)
            assert states(server) == wanted
            assert server.check(server.bearer(app)).status == 200

    old = server.bearer(app)
    assert states(server) == ["signing"]
    reach(27 * DAY, ["signing"])
    reach(28 * DAY, ["signing", "announced"])
    assert server.get("/.well-known/jwks.json").text.count('"kid"') == 2
    reach(29.9 * DAY, ["signing", "announced"])
    assert signing(server) == first
    old = server.bearer(app)
    reach(30 * DAY + 600, ["retired", "signing"])
    assert server.check(old).status == 200 and first in kids(server)
    reach(30 * DAY + 7 * 3600, ["retired", "signing"])
    assert server.check(old).status == 200
    reach(31 * DAY, ["signing"])
    assert first not in kids(server) and signing(server) != first


@pytest.mark.hooks
def test_D5_a_clock_that_is_set_rotates_nothing(rotating):
    server = rotating
    server.hooks.step(40 * DAY)
    server.hooks.post("/test/keys")
    assert states(server) == ["signing"], "a step forward is not believed at once"


@pytest.mark.hooks
def test_D5_a_shorter_max_age_does_not_hurry_a_key(rotating, tmp_path):
    """Caches that were filled before the restart go by what they were told."""
    server = rotating
    server.stop()
    (tmp_path / "twoleg.yaml").write_text(CONFIG.replace("jwks_max_age: 1d", "jwks_max_age: 10s"))
    server.start()
    server.cli("key", "rotate")
    server.hooks.clock(DAY)
    server.hooks.post("/test/keys")
    assert states(server) == ["signing", "announced"]
    server.hooks.clock(2 * DAY + 60)
    until(lambda: server.hooks.post("/test/keys") and states(server) == ["retired", "signing"],
          "the next key")


@pytest.mark.hooks
def test_D5_a_shorter_life_ends_no_key_before_its_tokens(rotating, tmp_path):
    server = rotating
    app = server.app(name="a", token_format="jwt", token_ttl="20h")
    token = server.bearer(app)
    first = signing(server)
    server.stop()
    (tmp_path / "twoleg.yaml").write_text(
        CONFIG.replace("20h", "1h").replace("10h", "1h").replace("1d", "10s"))
    server.start()
    server.cli("key", "rotate")
    server.hooks.clock(19 * 3600)
    server.hooks.post("/test/keys")
    assert first in kids(server) and server.check(token).status == 200


def test_D5_rotate_announces_once(own_server):
    server = own_server
    first = signing(server)
    done = server.cli("key", "rotate", "--json")
    assert [key["state"] for key in done["keys"]] == ["announced"]
    assert signing(server) == first
    assert {first, done["keys"][0]["kid"]} == kids(server)
    assert server.run_cli("key", "rotate").returncode == 4
    assert server.run_cli("key", "rotate", "HS256").returncode == 3
    listed = server.cli("key", "list")
    assert "announced" in listed and first in listed


@pytest.mark.parametrize("announced", [False, True])
def test_D5_a_compromised_key_is_dead_at_once(own_server, announced):
    server = own_server
    app = server.app(name="a", token_format="jwt")
    caller = server.app(name="caller", resource_server=True)
    token = server.bearer(app)
    assert server.active(caller, token) and server.check(token).status == 200
    lost = signing(server)
    if announced:
        follows = server.cli("key", "rotate", "--json")["keys"][0]["kid"]
    done = server.cli("key", "compromise", lost, "--yes", "--json")
    assert [key["state"] for key in done["keys"]] == ["gone", "signing"]
    for _ in range(2):
        assert not server.active(caller, token)
        assert server.check(token).status == 401
        assert lost not in kids(server)
        fresh = server.bearer(app)
        assert header(fresh)["kid"] == signing(server) != lost
        if announced:
            assert signing(server) == follows
        assert server.active(caller, fresh)
        server.restart(hard=True)
    assert server.run_cli("key", "compromise", lost, "--yes").returncode == 3
    assert server.run_cli("key", "compromise", signing(server)).returncode == 2, "asks first"
    rows = server.manage("GET", "audit?after=0")["audit"]
    assert [row["object"] for row in rows if row["action"] == "key.compromise"] == [lost]


@pytest.mark.parametrize("announced", [False, True])
def test_D6_a_key_given_up_since_the_copy_stays_gone_after_a_restore(own_server, tmp_path,
                                                                     announced):
    server, copy = own_server, tmp_path / "copy.db"
    app = server.app(name="a", token_format="jwt")
    lost, token = signing(server), server.bearer(app)
    if announced:
        follows = server.cli("key", "rotate", "--json")["keys"][0]["kid"]
    server.cli("backup", str(copy))
    server.cli("key", "compromise", lost, "--yes")
    server.stop()
    told = server.run_cli("restore", str(copy), "--yes", "--keep-tokens")
    assert told.returncode == 0 and "warning" not in told.stderr
    for _ in range(2):
        server.start()
        assert lost not in kids(server) and server.check(token).status == 401
        fresh = server.bearer(app)
        assert header(fresh)["kid"] == signing(server) != lost
        assert server.check(fresh).status == 200
        if announced:
            assert signing(server) == follows
        server.stop()
    # Where the store is gone, nobody can know it; that is said.
    for words in ((), ("--json",)):
        for name in ("twoleg.db", "twoleg.db-wal", "twoleg.db-shm"):
            (pathlib.Path(server.data) / name).unlink(missing_ok=True)
        told = server.run_cli("restore", str(copy), "--yes", *words)
        assert told.returncode == 0 and "warning" in told.stderr
        assert "key compromise" in told.stderr
    assert json.loads(told.stderr)["notice"] == "gone_keys_unknown"
    assert json.loads(told.stdout)["gone_keys_known"] is False
    server.start()
    assert signing(server) == lost


@pytest.mark.hooks
def test_D5_a_key_does_not_wait_for_a_backup(own_server, tmp_path):
    server = own_server
    lost = signing(server)
    server.hooks.hold("store.copy")
    done = []
    copy = threading.Thread(target=lambda: done.append(
        server.run_cli("backup", str(tmp_path / "copy.db")).returncode))
    copy.start()
    server.hooks.await_waiting("store.copy")
    assert server.run_cli("key", "compromise", lost, "--yes").returncode == 0
    assert lost not in kids(server)
    server.hooks.release("store.copy")
    copy.join()
    assert done == [0]


@pytest.mark.hooks
def test_D5_nobody_goes_by_keys_from_before_a_change_that_could_not_be_read(own_server):
    """The end of a key is durable and acknowledged, and this server's memory lags behind it."""
    server = own_server
    app = server.app(name="a", token_format="jwt")
    caller = server.app(name="caller", resource_server=True)
    token, lost = server.bearer(app), signing(server)
    assert server.active(caller, token)
    server.hooks.hold("store.before_publish")
    done = []
    call = threading.Thread(target=lambda: done.append(
        server.run_cli("key", "compromise", lost, "--yes").returncode))
    call.start()
    server.hooks.await_waiting("store.before_publish")
    server.hooks.fault("store", 1, sticky=True)
    server.hooks.release("store.before_publish")
    call.join()
    assert done == [0]
    assert server.token(app).status == 503
    assert server.check(token).status == 503
    assert server.introspect(caller, token).status == 503
    unavailable = server.get("/.well-known/jwks.json")
    assert (unavailable.status, unavailable.headers["Retry-After"]) == (503, "1")
    assert server.get("/readyz").status == 503
    server.hooks.fault("store", 0)
    until(lambda: server.get("/readyz").status == 200, "the keys to be read again")
    assert server.check(token).status == 401 and not server.active(caller, token)
    assert lost not in kids(server) and header(server.bearer(app))["kid"] != lost


def test_D1_a_key_that_is_gone_leaves_no_private_half(own_server):
    import sqlite3
    server = own_server
    lost = signing(server)
    server.cli("key", "compromise", lost, "--yes")
    server.stop()
    db = sqlite3.connect(os.path.join(server.data, "twoleg.db"))
    assert db.execute("SELECT length(wrapped) FROM keys WHERE kid = ?", (lost,)).fetchone() == (0,)
    db.close()


@pytest.mark.parametrize("text,words", [
    ("key_rotation: 1d\njwks_max_age: 12h\n", "jwks_max_age"),
    ("key_rotation: 1h\njwt_max_ttl: 30d\n", "jwt_max_ttl"),
    ("key_rotation: 10m\n", "1h"),
])
def test_D5_unsafe_rules_are_refused_in_words(make_server, tmp_path, text, words):
    config = tmp_path / "twoleg.yaml"
    config.write_text(text)
    status, said = make_server(config=config).refused()
    assert status != 0 and "key_rotation" in said and words in said


# ---------------------------------------------------------------------------------- master key

def attempt(act):
    """What failed may have been the connection."""
    try:
        return act()
    except (OSError, http.client.HTTPException):
        return None


def insist(act):
    until(lambda: attempt(act) is not None, "an answer")


def master(server):
    return pathlib.Path(server.data, "master.key")


def befores(server):
    return sorted(pathlib.Path(server.data).glob("master.key.*"))


def test_D4_master_rotate_keeps_everything(own_server, tmp_path):
    server = own_server
    app = server.app(name="a", token_format="sealed")
    other = server.app(name="b", token_format="jwt")
    tokens = [server.bearer(app), server.bearer(other)]
    old = master(server).read_bytes()
    server.cli("backup", str(tmp_path / "copy.db"))
    done = server.cli("master", "rotate", "--yes", "--json")
    new = master(server).read_bytes()
    assert new != old and len(new) == 32 and master(server).stat().st_mode & 0o777 == 0o600
    assert [path.read_bytes() for path in befores(server)] == [old]
    assert done["before"] == str(befores(server)[0])
    for _ in range(2):
        for token in tokens:
            assert server.check(token).status == 200
        assert server.check(server.bearer(app)).status == 200
        server.restart(hard=True)
    server.stop()
    # The copy from before opens with the key from before, and with no other.
    server.run_cli("restore", str(tmp_path / "copy.db"), "--keep-tokens", "--yes")
    status, said = server.refused()
    assert status != 0 and "from before a change of its master key" in said, said
    assert str(befores(server)[0]) in said, said
    befores(server)[0].rename(master(server))
    server.start()
    assert server.check(tokens[0]).status == 200


def test_G4_master_rotate_under_load(own_server):
    server = own_server
    app = server.app(name="a", token_format="sealed")
    signer = server.app(name="b", token_format="jwt")
    stop, wrong = threading.Event(), []

    def load():
        while not stop.is_set():
            for who in (app, signer):
                answer = server.token(who)
                if answer.status != 200:
                    wrong.append(answer)
                elif server.check(answer.json()["access_token"]).status != 200:
                    wrong.append("check")
                if server.get("/readyz").status != 200:
                    wrong.append("not ready")

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(6):
        server.cli("master", "rotate", "--yes")
        server.run_cli("key", "rotate")
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert len(befores(server)) == 6
    server.restart(hard=True)
    assert server.token(app).status == 200


@pytest.mark.hooks
@pytest.mark.parametrize("point", ["master.made", "store.before_commit", "store.after_commit",
                                   "store.before_publish", "master.committed", "master.kept",
                                   "master.placed"])
def test_H1_master_rotate_survives_kill_9_anywhere(own_server, point):
    server = own_server
    app = server.app(name="a", token_format="sealed")
    signer = server.app(name="b", token_format="jwt")
    tokens = [server.bearer(app), server.bearer(signer)]
    server.hooks.hold(point)
    answers = []

    def rotate():
        answers.append(server.run_cli("master", "rotate", "--yes").returncode)

    thread = threading.Thread(target=rotate)
    thread.start()
    server.hooks.await_waiting(point)
    server.kill9()
    thread.join()
    assert answers != [0], "nothing was acknowledged"
    server.start()
    assert not [p for p in befores(server) if p.suffix in (".next", ".new")]
    for token in tokens:
        assert server.check(token).status == 200
    assert server.token(app).status == 200
    server.cli("master", "rotate", "--yes")
    server.restart(hard=True)
    for token in tokens:
        assert server.check(token).status == 200


@pytest.mark.hooks
@pytest.mark.parametrize("kind", ["io", "memory", "store", "random"])
def test_H7_whatever_fails_in_master_rotate_loses_no_key(make_server, kind):
    """The k-th call fails, for every k until none does: the server goes on or a start heals it."""
    server = make_server().start()
    app = server.app(name="a", token_format="sealed")
    token = server.bearer(app)
    failed = 0
    for nth in range(1, 60):
        attempt(lambda: server.hooks.fault(kind, nth))  # its own answer may be what fails
        code = attempt(lambda: server.admin("POST", "/admin/v1/master/rotate", {}).status)
        insist(lambda: server.hooks.fault(kind, 0))
        failed += code != 200
        if nth % 6 == 0 or code != 200:
            server.restart(hard=True)
        # Where the new set could not be read, nobody goes by the old one until it is.
        until(lambda: server.get("/readyz").status == 200, "the keys to be read again")
        assert server.check(token).status == 200, (kind, nth, code)
        if code == 200 and nth > 12:
            break
    assert kind == "random" or failed > 0


def test_D4_a_named_master_key_is_replaced_where_it_lies(make_server, tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir(mode=0o700)
    named = folder / "the.key"
    named.write_bytes(os.urandom(32))
    named.chmod(0o600)
    config = tmp_path / "twoleg.yaml"
    config.write_text(f"master_key_file: {named}\n")
    server = make_server(config=config).start()
    token = server.bearer(server.app())
    old = named.read_bytes()
    server.cli("master", "rotate", "--yes")
    assert named.read_bytes() != old
    server.restart()
    assert server.check(token).status == 200
    # Put there by somebody while the server runs: that one is not overwritten.
    kept = named.read_bytes()
    named.write_bytes(os.urandom(32))
    refused = server.run_cli("master", "rotate", "--yes")
    assert refused.returncode != 0 and "not the master key in use" in refused.stderr
    named.write_bytes(kept)
    server.cli("master", "rotate", "--yes")


@pytest.mark.hooks
def test_D5_a_key_in_the_making_holds_up_nothing_else(rotating):
    """To make an RSA key takes long; meanwhile the housekeeper goes on, and so does everyone."""
    server = rotating
    server.hooks.hold("key.make")
    server.hooks.clock(40 * DAY)
    server.hooks.await_waiting("key.make")
    app = server.app(name="meanwhile", token_format="jwt")
    assert server.token(app).status == 200
    until(lambda: server.secrets(app)[0].get("used_count"), "the flush of what was used last")
    server.hooks.release("key.make")
    until(lambda: "announced" in states(server), "the key that was made")
