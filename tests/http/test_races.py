# SPDX-License-Identifier: Apache-2.0
"""Races, made sure by stop points: one side is held at a named place in the server while the other
runs past it. G rows: the threats."""
import base64
import json
import threading

import pytest

from instance import FORMATS, PATIENCE, Server, drain, statuses, token_request, unread, until
from test_users import INVALID, ON, ask, granted, refresh, user

pytestmark = pytest.mark.hooks


class Call(threading.Thread):
    """A request under way in a thread of its own; result() waits for its answer."""

    def __init__(self, function, *args, **kwargs):
        super().__init__(daemon=True)
        self.function, self.args, self.kwargs = function, args, kwargs
        self.answer = self.problem = None
        self.start()

    def run(self):
        try:
            self.answer = self.function(*self.args, **self.kwargs)
        except BaseException as problem:
            self.problem = problem

    def result(self):
        self.join(PATIENCE)
        assert not self.is_alive(), "no answer"
        if self.problem:
            raise self.problem
        return self.answer


@pytest.fixture
def hold(server):
    """Holds stop points; whatever happens, all are let go at the end."""
    held = []

    def hold(point):
        held.append(point)
        server.hooks.hold(point)

    yield hold
    for point in held:
        server.hooks.release(point)


@pytest.fixture(params=FORMATS)
def fresh(request, server):
    return server.app(scope="alpha beta", token_format=request.param)


# ------------------------------------------------------------------ revoke against introspect
@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit",
                                   "store.before_publish"])
def test_G1_revocation_is_not_acknowledged_before_it_is_seen(server, fresh, app, resource_server,
                                                             hold, point):
    token = server.bearer(fresh)
    assert server.active(resource_server, token)
    hold(point)
    revoking = Call(server.revoke, fresh, token)
    server.hooks.await_waiting(point)
    assert revoking.is_alive(), "acknowledged while its commit was held"
    assert server.introspect(resource_server, token).status == 200, "readers go on meanwhile"
    assert server.token(app).status == 200, "issuing a jwt goes on meanwhile"
    server.hooks.release(point)
    assert revoking.result().status == 200
    assert not server.active(resource_server, token)
    assert server.check(token).status == 401


def test_G1_many_revocations_at_once_each_seen_at_its_acknowledgement(server, fresh,
                                                                      resource_server):
    tokens = [server.bearer(fresh) for _ in range(40)]
    wrong = []

    def revoke(part):
        for token in part:
            if server.revoke(fresh, token).status != 200 or server.check(token).status != 401 or \
                    server.active(resource_server, token):
                wrong.append(token)

    for call in [Call(revoke, tokens[i::4]) for i in range(4)]:
        call.result()
    assert not wrong


def test_G1_a_parked_revocation_runs_again_against_current_state(server, fresh, hold):
    """The generation is raised while its commit is held: it must not undo or repeat anything."""
    token = server.bearer(fresh)
    other = server.bearer(fresh)
    hold("store.before_commit")
    revoking = Call(server.revoke, fresh, token)
    server.hooks.await_waiting("store.before_commit")
    raising = Call(server.act, "revoke-tokens", fresh)
    server.hooks.release("store.before_commit")
    raising.result()
    assert revoking.result().status == 200
    for dead in (token, other):
        assert server.check(dead).status == 401
    assert server.check(server.bearer(fresh)).status == 200


# ------------------------------------------------------------------ revoke against issue
@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit"])
def test_G3_tokens_issued_while_revoke_tokens_commits_die_with_it(server, fresh, hold, point):
    before = server.bearer(fresh)
    hold(point)
    changing = Call(server.act, "revoke-tokens", fresh)
    server.hooks.await_waiting(point)
    # A reference waits for the same writer: what becomes of it then, test_reference.py shows.
    waits = fresh.facts["token_format"] == "reference"
    during = [] if waits else [server.bearer(fresh)]
    server.hooks.release(point)
    changing.result()
    for token in (before, *during):
        assert server.check(token).status == 401, "issued before the acknowledgement"
    assert server.check(server.bearer(fresh)).status == 200


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_G3_no_token_after_disable_or_delete_is_acknowledged(server, fresh, resource_server, hold,
                                                             act):
    hold("store.before_publish")
    changing = Call(server.delete, fresh) if act == "delete" else Call(server.act, act, fresh)
    server.hooks.await_waiting("store.before_publish")
    issuing = Call(server.token, fresh)
    if fresh.facts["token_format"] != "reference":  # which waits for the same writer
        issuing.result()
    server.hooks.release("store.before_publish")
    changing.result()
    answer = issuing.result()
    assert server.token(fresh).status == 401
    if answer.status == 200:
        assert not server.active(resource_server, answer.json()["access_token"])


def test_G2_a_removed_secret_never_works_after_the_acknowledgement(server, fresh, hold):
    hold("store.before_publish")
    removing = Call(server.remove_secret, fresh)
    server.hooks.await_waiting("store.before_publish")
    assert server.token(fresh).status in (200, 401)
    server.hooks.release("store.before_publish")
    removing.result()
    for _ in range(3):
        assert server.token(fresh).status == 401


# ------------------------------------------------------------------ change against slow signature
@pytest.fixture(scope="module")
def slow(server):
    """Its tokens are signed on the pool."""
    server.manage("POST", "apis", None, {"identifier": "urn:slow", "scope": "alpha",
                                         "algorithm": "RS256"})
    return server.app(audience="urn:slow", scope="alpha")


def kid(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]


def published(server):
    return {key["kid"] for key in server.get("/.well-known/jwks.json").json()["keys"]}


def test_G10_what_was_signed_before_a_revocation_is_not_given_out_after_it(server, slow, hold):
    hold("token.signed")
    asking = Call(server.token, slow)
    server.hooks.await_waiting("token.signed")
    server.act("revoke-tokens", slow)
    server.hooks.release("token.signed")
    assert server.check(asking.result().json()["access_token"]).status == 200


def test_G3_what_was_signed_before_a_disable_is_not_given_out_after_it(server, slow, hold):
    hold("token.signed")
    asking = Call(server.token, slow)
    server.hooks.await_waiting("token.signed")
    server.act("disable", slow)
    server.hooks.release("token.signed")
    assert asking.result().status == 401
    server.act("enable", slow)


def test_G4_what_a_compromised_key_signed_is_not_given_out(server, slow, hold):
    before = kid(server.bearer(slow))
    hold("token.signed")
    asking = Call(server.token, slow)
    server.hooks.await_waiting("token.signed")
    server.manage("POST", "keys/compromise", None, {"kid": before})
    server.hooks.release("token.signed")
    token = asking.result().json()["access_token"]
    assert kid(token) != before and kid(token) in published(server)
    assert server.check(token).status == 200


def test_G4_each_token_verifies_by_the_keys_fetched_after_it(make_server, tmp_path):
    """Keys rotate, half a day at a time, while others ask."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("key_rotation: 10d\njwks_max_age: 1d\ntoken_ttl: 10h\njwt_max_ttl: 20h\n")
    server = make_server(config=config).start()
    server.hooks.hold("keys.turn")  # keys turn below only
    server.hooks.await_waiting("keys.turn")
    app = server.app(scope="alpha", token_format="jwt")
    seen, loops, ended = set(), [0, 0, 0], threading.Event()

    def ask(number):
        while not ended.is_set():
            answer = server.token(app)
            if answer.status == 503:  # to who began before the clock was moved it is set back
                continue
            used = kid(answer.json()["access_token"])
            assert used in published(server)
            seen.add(used)
            loops[number] += 1

    askers = [Call(ask, number) for number in range(len(loops))]
    for turn in range(80):
        server.hooks.clock(turn * 12 * 3600)
        until(lambda: not server.hooks.post("/test/keys")["under_way"], "the keys' change")
        before = list(loops)
        until(lambda: all(now > then for now, then in zip(loops, before)) or
              not all(asker.is_alive() for asker in askers), "the askers")
    ended.set()
    for asker in askers:
        asker.result()
    server.hooks.release("keys.turn")
    assert len(seen) >= 4


# ------------------------------------------------------------------ load against change
@pytest.fixture
def unloaded(server, request):
    """Applications whose bodies are not in memory: a restart forgets them all."""
    apps = [server.app(scope="alpha beta", token_format=f) for f in FORMATS]
    server.restart()
    return apps


@pytest.mark.parametrize("change", ["disable", "delete", "secret", "scope"])
def test_design_3_3_a_load_that_a_change_overtook_is_thrown_away(server, unloaded, hold, change):
    acts = {"disable": lambda app: server.act("disable", app), "delete": server.delete,
            "scope": lambda app: server.update(app, scope="alpha"), "secret": server.remove_secret}
    for app in unloaded:
        hold("store.before_commit")
        changing = Call(acts[change], app)
        server.hooks.await_waiting("store.before_commit")
        hold("registry.loaded")
        asking = Call(server.token, app)
        server.hooks.await_waiting("registry.loaded")  # it has read what was before the change
        server.hooks.release("store.before_commit")
        changing.result()
        server.hooks.release("registry.loaded")
        answer = asking.result()
        if change == "scope":
            assert answer.status == 200 and answer.json()["scope"] == "alpha"
        else:
            assert answer.status == 401
        again = server.token(app)
        assert (again.status, again.error) == (answer.status, answer.error)


def test_design_3_3_many_wait_for_one_load(server, unloaded, hold):
    app = unloaded[0]
    hold("registry.loaded")
    asking = [Call(server.token, app) for _ in range(8)]
    server.hooks.await_waiting("registry.loaded")
    server.hooks.release("registry.loaded")
    assert [call.result().status for call in asking] == [200] * 8


def test_design_3_3_a_client_that_leaves_while_parked(server, unloaded, hold):
    app = unloaded[0]
    hold("registry.loaded")
    with server.connect() as sock:
        sock.sendall(token_request(app))
        server.hooks.await_waiting("registry.loaded")
    server.hooks.release("registry.loaded")
    assert server.token(app).status == 200


# ------------------------------------------------------------------ delete against re-create
@pytest.mark.parametrize("point", ["store.before_commit", "store.after_commit",
                                   "store.before_publish"])
@pytest.mark.parametrize("token_format", FORMATS)
def test_G8_delete_against_recreate_one_wins_and_nothing_old_lives(server, resource_server, hold,
                                                                   point, token_format):
    name = f"again-{token_format}-{point}"
    old = server.app(client_id=name, scope="alpha", token_format=token_format)
    token = server.bearer(old)
    hold(point)
    deleting = Call(server.delete, old)
    server.hooks.await_waiting(point)
    making = Call(server.admin, "POST", "/admin/v1/applications",
                  {"client_id": name, "name": "new", "scope": "alpha",
                   "token_format": token_format})
    server.hooks.release(point)
    deleting.result()
    made = making.result()
    assert made.status in (201, 409), made
    if made.status == 409:
        made = server.admin("POST", "/admin/v1/applications", {
            "client_id": name, "name": "new", "scope": "alpha", "token_format": token_format})
        assert made.status == 201
    assert server.token(old).status == 401
    assert not server.active(resource_server, token)
    old.secret = made.json()["client_secret"]
    assert server.check(server.bearer(old)).status == 200


def test_G8_two_creations_of_one_id_one_201_one_409(server, hold):
    body = {"client_id": "twin", "name": "twin", "scope": "alpha"}
    hold("store.before_commit")
    calls = [Call(server.admin, "POST", "/admin/v1/applications", body) for _ in range(2)]
    server.hooks.await_waiting("store.before_commit")
    server.hooks.release("store.before_commit")
    assert sorted(call.result().status for call in calls) == [201, 409]


# ------------------------------------------------------------------ logins
@pytest.fixture(scope="module")
def logins(tmp_path_factory):
    """Users may log in. One worker: it handles what it has read before it reads on."""
    folder = tmp_path_factory.mktemp("logins")
    config = folder / "twoleg.yaml"
    config.write_text(ON + "workers: 1\n")
    made = Server(data=folder / "data", config=config).start()
    user(made, "ann", "--scope", "alpha")
    yield made
    for point in ("store.next", "housekeeper.turn"):
        made.hooks.release(point)
    made.destroy()


@pytest.mark.parametrize("form", FORMATS)
def test_G3_no_login_is_given_out_that_revoke_tokens_has_overtaken(logins, form):
    """It is written, and before it is answered all of the application's tokens are dead."""
    server, found = logins, []
    app = server.app(scope="alpha", token_format=form, grants="password refresh_token")

    def overtaken():
        server.hooks.hold("store.next")
        asking = Call(ask, server, app, "ann")
        until(lambda: server.hooks.waiting("store.next") or not asking.is_alive(), "the writer")
        written = asking.is_alive()  # else there was no place on the pool
        raising = Call(server.act, "revoke-tokens", app)
        server.manage("GET", "application", app)  # which comes behind it, more often than not
        server.hooks.release("store.next")
        raising.result()
        found.append(asking.result())
        if found[-1].status == 200:  # it was too early or too late to be overtaken
            given = found[-1].json()
            assert server.check(given["access_token"]).status == \
                (200 if refresh(server, app, given["refresh_token"]).status == 200 else 401)
        return written and found[-1].status == 503
    until(overtaken, "a login that was overtaken")
    assert found[-1].error == "temporarily_unavailable" and "Retry-After" in found[-1].headers


def test_rfc9700_4_14_2_a_request_that_was_overtaken_is_no_second_use(logins):
    """The successor is used while it is given once more: who asks for it is refused, and nobody is
    taken for a thief."""
    server = logins
    app, stranger = (server.app(scope="alpha", token_format="sealed", token_ttl="60",
                                grants="password refresh_token") for _ in range(2))
    first = granted(server, app, "ann")["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    server.hooks.hold("housekeeper.turn")  # nobody else writes, and what was to be written is
    server.hooks.await_waiting("housekeeper.turn")
    server.update(app, token_ttl="30d")  # so that it must be noted that another one is given out
    server.hooks.hold("store.next")
    going_on = Call(refresh, server, app, second)
    server.hooks.await_waiting("store.next")  # the third is written
    with server.connect() as sock:
        sock.sendall(token_request(app, "Connection: close\r\n",
                                   "grant_type=refresh_token&refresh_token=" + first))
        until(lambda: not unread([sock]), "the request to be read")
        # It is looked up behind it.
        assert refresh(server, stranger, second).json() == INVALID
        server.hooks.release("store.next")
        server.hooks.release("housekeeper.turn")
        answer = drain(sock)
    assert statuses(answer) == [400] and b"invalid_grant" in answer
    third = going_on.result().json()["refresh_token"]
    assert refresh(server, app, third).status == 200


# ------------------------------------------------------------------ failing commits
def test_G_H_a_failed_commit_changes_nothing_and_says_503(server, fresh):
    token = server.bearer(fresh)
    for path, body in (("application/disable", {}), ("application/revoke-tokens", {})):
        server.hooks.fault("store", 1, sticky=True)
        answer = server.admin("POST", f"/admin/v1/{path}?client_id={fresh.id}", body)
        server.hooks.fault("store", 0)
        assert answer.status == 503, answer
        assert server.check(token).status == 200
    server.act("revoke-tokens", fresh)
    assert server.check(token).status == 401
