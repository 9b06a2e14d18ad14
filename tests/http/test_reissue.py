# SPDX-License-Identifier: Apache-2.0
"""Who asks again gets the same token while it lives, where the dialect has it so (`reissue: same`),
or another one that takes its place (`replace`); what was revoked is never given out again (G10,
V37)."""
import pathlib
import threading

import pytest

from instance import FORMATS, UNLIMITED, insist, speaking, until
from test_races import Call, hold  # noqa: F401 (a fixture)
from test_reference import counted, rows
from test_users import INVALID, granted, refresh, user
from test_users import ask as ask_password

LIFE = 3600
FILE = """name: again
title: Again
token: {format: reference, reissue: same}
success:
  fields:
    - {name: access_token, source: access_token}
    - {name: expires_in, source: expires_in, type: number}
    - {name: issued_at, source: issued_at, type: number}
    - {name: scope, source: scope}
"""


def start(folder, reissue="same"):
    return speaking(folder, FILE.replace("same", reissue), "workers: 3\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    instance = start(tmp_path_factory.mktemp("again"))
    yield instance
    instance.destroy()


@pytest.fixture
def own(tmp_path):
    instance = start(tmp_path)
    yield instance
    instance.destroy()


@pytest.fixture
def replacing(tmp_path):
    instance = start(tmp_path, "replace")
    yield instance
    instance.destroy()


@pytest.fixture(scope="module")
def caller(server):
    return server.app(name="caller", resource_server=True)


def at_once(server, app, count=24):
    """Each on a connection of its own, so that all workers are asked."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.token(app)))
               for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status for answer in answers] == [200] * count
    return {answer.json()["access_token"] for answer in answers}


@pytest.mark.parametrize("token_format", FORMATS)
def test_all_workers_at_once_give_one_token_and_write_one_row(server, caller,
                                                                       token_format):
    before = rows(server)
    app = server.app(scope="alpha beta", token_format=token_format)
    first = at_once(server, app)
    assert len(first) == 1 and first == at_once(server, app)
    assert rows(server) == before + 1
    assert server.active(caller, *first)


def test_another_question_has_another_answer(server):
    app, other = server.app(scope="alpha beta"), server.app(scope="alpha beta")
    tokens = [server.bearer(app), server.bearer(app, scope="alpha"), server.bearer(other),
              server.bearer(app, scope="beta")]
    assert len(set(tokens)) == 4
    assert server.bearer(app, scope="beta alpha") == tokens[0], "the same in another order"
    assert [server.bearer(app), server.bearer(app, scope="alpha")] == tokens[:2]
    second = server.cli("secret", "add", app.id, "--json")["client_secret"]
    first, app.secret = app.secret, second
    assert server.bearer(app) != tokens[0], "else who loses one secret loses the other's tokens"
    app.secret = first
    assert server.bearer(app) == tokens[0]


def test_G10_V37_what_was_revoked_is_never_given_out_again(server, caller):
    app = server.app(scope="alpha")
    seen = []
    for _ in range(20):
        token = server.bearer(app)
        assert token not in seen and server.active(caller, token)
        seen.append(token)
        assert server.revoke(app, token).status == 200
        assert not server.active(caller, token)
    last = at_once(server, app)
    assert len(last) == 1 and last.isdisjoint(seen)
    server.act("revoke-tokens", app)
    again = at_once(server, app)
    assert len(again) == 1 and again.isdisjoint(seen) and again.isdisjoint(last)
    assert not server.active(caller, *last)


@pytest.mark.hooks
@pytest.mark.parametrize("point", ["store.before_commit", "store.before_publish"])
def test_G10_a_revocation_under_way_is_not_overtaken(server, caller, hold, point):
    app = server.app(scope="alpha")
    token = server.bearer(app)
    hold(point)
    revoking = Call(server.revoke, app, token)
    server.hooks.await_waiting(point)
    assert server.bearer(app) == token, "it is not revoked yet"
    server.hooks.release(point)
    assert revoking.result().status == 200
    other = server.bearer(app)
    assert other != token
    assert server.active(caller, other) and not server.active(caller, token)


@pytest.mark.hooks
def test_G10_a_revocation_while_the_row_is_on_its_way(server, caller, hold):
    """All tokens of the application are revoked while the first one is being written."""
    app = server.app(scope="alpha")
    hold("store.before_publish")
    asking = Call(server.token, app)
    server.hooks.await_waiting("store.before_publish")
    changing = Call(server.act, "revoke-tokens", app)
    server.hooks.release("store.before_publish")
    changing.result()
    first = asking.result()
    assert first.status == 200
    token = server.bearer(app)
    assert server.active(caller, token)
    if first.json()["access_token"] != token:
        assert not server.active(caller, first.json()["access_token"])


@pytest.mark.hooks
def test_a_life_shrinks_and_never_are_two_alive(own):
    server = own
    app, caller = server.app(scope="alpha"), server.app(name="caller", resource_server=True)
    alive, ended, began = None, [], {}
    for step in range(0, 4 * LIFE, LIFE // 7):
        server.hooks.clock(step)
        answer = server.token(app).json()
        token, left = answer["access_token"], answer["expires_in"]
        assert 0 < left <= LIFE
        if alive and token != alive:
            assert not server.active(caller, alive), "given up while it was alive"
            ended.append(alive)
        if token not in began:
            assert left == LIFE, "a new one has all of its life"
            began[token] = answer["issued_at"]
        assert answer["issued_at"] == began[token]
        assert abs(began[token] + LIFE - left - (began[next(iter(began))] + step)) <= 5
        assert token not in ended
        alive = token
    assert len(began) == 4 and not any(server.active(caller, token) for token in ended)


@pytest.mark.hooks
def test_a_life_without_end_has_one_token(own):
    app = own.app(scope="alpha", token_format="reference", token_ttl="never")
    first = own.token(app).json()
    assert "expires_in" not in first
    own.hooks.clock(500 * 86400)
    own.restart()
    assert own.bearer(app) == first["access_token"]


@pytest.mark.hooks
def test_H12_after_a_clock_that_was_ahead_nobody_is_locked_out(own):
    """No other is written beside a token of the next life, so that one is given; what is from
    further ahead is in nobody's way. Only a restart gives up a time that was believed."""
    caller = own.app(name="caller", resource_server=True)
    near, far = own.app(scope="alpha"), own.app(scope="alpha")
    own.hooks.clock(LIFE)
    ahead = own.bearer(near)
    own.hooks.clock(3 * LIFE)
    beyond = own.bearer(far)
    own.restart()
    answer = own.token(near).json()
    assert answer["access_token"] == ahead and LIFE - 60 < answer["expires_in"] <= 2 * LIFE
    assert own.bearer(near) == ahead and own.active(caller, ahead)
    other = own.bearer(far)
    assert other != beyond and own.bearer(far) == other and own.active(caller, other)
    own.hooks.clock(LIFE // 2)
    assert own.active(caller, own.bearer(near)) and own.active(caller, own.bearer(far))


def test_D1_a_restart_and_another_master_key_change_nothing_and_no_text_is_kept(own):
    apps = [own.app(scope="alpha") for _ in range(3)]
    tokens = [own.bearer(app) for app in apps]
    own.restart()
    assert [own.bearer(app) for app in apps] == tokens
    own.cli("master", "rotate", "--yes")
    assert [own.bearer(app) for app in apps] == tokens
    assert own.revoke(apps[0], tokens[0]).status == 200
    own.restart(hard=True)
    now = [own.bearer(app) for app in apps]
    assert now[1:] == tokens[1:] and now[0] != tokens[0]
    own.stop()
    stored = b"".join(file.read_bytes() for file in
                      pathlib.Path(own.data).iterdir() if file.is_file())
    assert len(stored) > 4096
    assert not any(token.encode() in stored for token in [*tokens, *now])


@pytest.mark.hooks
def test_other_rights_and_lives_have_other_tokens(own):
    app = own.app(scope="alpha beta")
    token = own.bearer(app)
    own.cli("app", "update", app.id, "--scope", "alpha", "--yes")
    assert own.token(app).json()["scope"] == "alpha" and own.bearer(app) != token
    own.cli("app", "update", app.id, "--scope", "alpha beta", "--token-ttl", "600", "--yes")
    short = own.token(app).json()
    assert short["access_token"] != token and 0 < short["expires_in"] <= 600
    own.act("disable", app)
    assert own.token(app).status == 401
    own.act("enable", app)
    assert own.bearer(app) not in (token, short["access_token"])


def test_a_restored_store_gives_out_no_token_of_before(own, tmp_path):
    """A restore sets another epoch: what was out is dead, so it must not be given out either."""
    app, caller = own.app(scope="alpha"), own.app(name="caller", resource_server=True)
    token = own.bearer(app)
    backup = str(tmp_path / "backup.db")
    own.cli("backup", backup)
    own.stop()
    own.cli("restore", backup, "--yes")
    own.start()
    other = own.bearer(app)
    assert other != token and own.active(caller, other) and not own.active(caller, token)
    assert own.bearer(app) == other


# ------------------------------------------------------------------ logins

def logins(folder, reissue):
    text = FILE.replace("same", reissue) + "    - {name: refresh_token, source: refresh_token}\n"
    server = speaking(folder, text, "password_grant: true\nworkers: 1\n" + UNLIMITED.read_text())
    app = server.app(scope="alpha beta", resource_server=True,
                     grants="client_credentials password refresh_token")
    return server, app, user(server, "ann", "--scope", "alpha beta")


@pytest.fixture
def both(tmp_path, request):
    made = logins(tmp_path, request.param)
    yield made
    made[0].destroy()


@pytest.mark.parametrize("both", ["same"], indirect=True)
def test_rfc7009_2_1_each_login_has_the_same_token_until_it_ends(both):
    server, app, name = both
    first, other = granted(server, app, name), granted(server, app, name)
    assert first["access_token"] != other["access_token"]
    later = refresh(server, app, first["refresh_token"]).json()
    assert later["access_token"] == first["access_token"]
    assert server.revoke(app, later["refresh_token"]).status == 200
    tokens = [first["access_token"], other["access_token"]]
    assert alive(server, app, tokens) == tokens[1:]
    assert refresh(server, app, later["refresh_token"]).json() == INVALID
    tokens.append(granted(server, app, name)["access_token"])
    assert alive(server, app, tokens) == tokens[1:] and len(set(tokens)) == 3
    again = refresh(server, app, other["refresh_token"]).json()["access_token"]
    assert again == other["access_token"] and alive(server, app, tokens) == tokens[1:]


@pytest.mark.parametrize("both", ["replace"], indirect=True)
def test_rfc7009_2_1_what_takes_a_place_ends_with_the_login_that_it_came_from(both):
    server, app, name = both
    first, other = granted(server, app, name), granted(server, app, name)
    later = refresh(server, app, first["refresh_token"]).json()
    tokens = [answer["access_token"] for answer in (first, other, later)]
    assert alive(server, app, tokens) == tokens[2:]
    assert server.revoke(app, other["refresh_token"]).status == 200
    assert alive(server, app, tokens) == tokens[2:]
    assert server.revoke(app, later["refresh_token"]).status == 200
    assert alive(server, app, tokens) == []
    tokens.append(granted(server, app, name)["access_token"])
    assert alive(server, app, tokens) == tokens[3:] and len(set(tokens)) == 4


@pytest.mark.hooks
@pytest.mark.parametrize("both", ["same"], indirect=True)
def test_rfc9700_4_14_2_a_lost_answer_is_given_again_where_the_next_token_has_begun(both):
    """The token that came with the answer has expired when it is asked for again: the next one
    lives much longer than was known of that login, and must end with it all the same."""
    server, app, name = both
    life = 20 * 3600
    server.update(app, token_ttl=str(life))
    first = granted(server, app, name)
    server.hooks.clock(life - 15)
    second = refresh(server, app, first["refresh_token"]).json()
    assert second["access_token"] == first["access_token"] and second["expires_in"] <= 15
    server.hooks.clock(life + 5)
    again = refresh(server, app, first["refresh_token"])
    assert again.status == 200, again
    again = again.json()
    assert again["refresh_token"] == second["refresh_token"]
    assert again["access_token"] != first["access_token"] and again["expires_in"] > life - 60
    assert alive(server, app, [again["access_token"]])
    assert server.revoke(app, again["refresh_token"]).status == 200
    assert not alive(server, app, [again["access_token"]])
    server.hooks.clock(0)
    kept = server.stored("SELECT expires_s - revoked_us / 1000000 FROM revoked_tokens")
    assert kept > life - 60, "so long must it be known that the login has ended"


# ------------------------------------------------------------------ replace

def alive(server, caller, tokens):
    return [token for token in tokens if server.active(caller, token)]


def test_a_new_token_takes_the_place_of_the_old_one(replacing):
    server = replacing
    app, other = server.app(scope="alpha beta"), server.app(scope="alpha")
    caller = server.app(name="caller", resource_server=True)
    untouched, seen = server.bearer(other), []
    for fields in ({}, {}, {"scope": "alpha"}, {"scope": "beta"}, {}):
        token = server.bearer(app, **fields)
        assert token not in seen
        seen.append(token)
        assert alive(server, caller, seen) == [token], "whatever it is for"
    second = server.cli("secret", "add", app.id, "--json")["client_secret"]
    app.secret = second
    seen.append(server.bearer(app))
    assert alive(server, caller, [*seen, untouched]) == [seen[-1], untouched]
    server.restart(hard=True)
    seen.append(server.bearer(app))
    assert alive(server, caller, [*seen, untouched]) == [seen[-1], untouched]
    assert server.revoke(app, seen[-1]).status == 200
    assert not alive(server, caller, seen)
    assert server.bearer(app) not in seen
    assert rows(server) == len(seen) + 2


def test_what_has_ended_already_costs_no_place_of_a_revocation(replacing):
    """Those are 10 000 for an application, and each login would take one after `revoke-tokens`."""
    server = replacing
    app = server.app(scope="alpha")
    first = server.bearer(app)
    server.cli("app", "revoke-tokens", app.id, "--yes")
    assert server.check(first).status == 401
    second = server.bearer(app)
    assert server.stored("SELECT count(*) FROM revoked_tokens") == 0
    server.bearer(app)
    assert server.stored("SELECT count(*) FROM revoked_tokens") == 1
    assert server.check(second).status == 401


def test_of_many_at_once_one_token_is_left(replacing):
    server = replacing
    app, caller = server.app(scope="alpha"), server.app(name="caller", resource_server=True)
    seen = set()
    for _ in range(5):
        tokens = at_once(server, app)
        assert tokens.isdisjoint(seen), "what was replaced does not come again"
        seen |= tokens
        assert len(alive(server, caller, seen)) == 1


@pytest.mark.hooks
@pytest.mark.parametrize("point", ["store.before_commit", "store.before_publish"])
def test_G10_the_old_one_lives_until_the_new_one_is_durable(replacing, point):
    server = replacing
    app, caller = server.app(scope="alpha"), server.app(name="caller", resource_server=True)
    old = server.bearer(app)
    assert server.active(caller, old)
    server.hooks.hold(point)
    asking = Call(server.bearer, app)
    server.hooks.await_waiting(point)
    assert server.active(caller, old)
    server.hooks.release(point)
    token = asking.result()
    assert alive(server, caller, [old, token]) == [token]


@pytest.mark.hooks
def test_one_is_alive_at_any_time(replacing):
    server = replacing
    app, caller = server.app(scope="alpha"), server.app(name="caller", resource_server=True)
    seen = []
    for step in range(0, 3 * LIFE, LIFE // 4 + 1):
        server.hooks.clock(step)
        answer = server.token(app).json()
        assert answer["expires_in"] == LIFE and answer["access_token"] not in seen
        seen.append(answer["access_token"])
        assert alive(server, caller, seen) == seen[-1:]
    server.hooks.clock(3 * LIFE + LIFE)
    assert not alive(server, caller, seen)


# ------------------------------------------------------------------ replace, at once

def meet(server, *calls):
    """All have found the same token, or none, when the first of them is written."""
    before = counted(server, "twoleg_token_lookups_total")
    server.hooks.hold("store.before_commit")
    try:
        under_way = [Call(*calls[0])]
        server.hooks.await_waiting("store.before_commit")
        under_way += [Call(*call) for call in calls[1:]]
        until(lambda: counted(server, "twoleg_token_lookups_total") == before + len(calls),
              "their looks")
    finally:
        server.hooks.release("store.before_commit")
    answers = [call.result() for call in under_way]
    assert [answer.status for answer in answers] == [200] * len(calls), answers
    return [answer.json() for answer in answers]


def texts(answers):
    return [answer["access_token"] for answer in answers]


@pytest.mark.hooks
def test_who_asks_for_the_same_at_once_is_given_the_same(replacing):
    server = replacing
    app, caller = server.app(scope="alpha beta"), server.app(name="caller", resource_server=True)
    for before in ([], [server.bearer(app)]):
        answers = meet(server, *[(server.token, app)] * 6)
        assert len(set(texts(answers))) == 1
        assert alive(server, caller, before + texts(answers)) == texts(answers)
        assert all(0 < answer["expires_in"] <= LIFE for answer in answers)


@pytest.mark.hooks
def test_who_asks_for_another_one_at_once_has_it_and_the_last_one_lives(replacing):
    server = replacing
    app, caller = server.app(scope="alpha beta"), server.app(name="caller", resource_server=True)

    def ask(scope):
        return server.token(app, scope=scope)
    answers = meet(server, *[(ask, scope) for scope in ("alpha", "beta", "alpha beta") * 2])
    assert {answer["scope"] for answer in answers} == {"alpha", "beta", "alpha beta"}
    assert len({*alive(server, caller, texts(answers))}) == 1


@pytest.mark.hooks
@pytest.mark.parametrize("both", ["replace"], indirect=True)
def test_logins_of_one_user_at_once_are_all_good_and_the_last_one_has_the_token(both):
    server, app, name = both
    first = granted(server, app, name)
    answers = meet(server, *[(ask_password, server, app, name)] * 8)
    tokens = [first["access_token"], *texts(answers)]
    assert len(set(tokens)) == 9 and len(alive(server, app, tokens)) == 1
    # Each is a login of its own: it goes on, and has the token then.
    for answer in answers:
        later = refresh(server, app, answer["refresh_token"]).json()["access_token"]
        tokens.append(later)
        assert alive(server, app, tokens) == [later]


@pytest.mark.parametrize("both", ["replace"], indirect=True)
def test_an_application_and_each_user_have_a_token_of_their_own(both):
    server, app, ann = both
    bob = user(server, "bob", "--scope", "alpha")
    own, anns, bobs = server.bearer(app), granted(server, app, ann), granted(server, app, bob)
    tokens = [own, *texts([anns, bobs])]
    assert alive(server, app, tokens) == tokens
    for ask, place in ((lambda: granted(server, app, ann)["access_token"], 1),
                       (lambda: refresh(server, app, bobs["refresh_token"]).json()["access_token"],
                        2), (lambda: server.bearer(app, scope="alpha"), 0)):
        before, tokens[place] = tokens[place], ask()
        assert alive(server, app, [before, *tokens]) == tokens
    other = server.app(scope="alpha", grants="password")
    granted(server, other, ann)
    assert alive(server, app, tokens) == tokens


@pytest.mark.parametrize("both", ["replace"], indirect=True)
def test_users_and_their_application_at_once_are_in_nobodys_way(both):
    server, app, ann = both
    bob = user(server, "bob", "--scope", "alpha")
    who = {"ann": lambda: ask_password(server, app, ann), "app": lambda: server.token(app),
           "bob": lambda: ask_password(server, app, bob)}
    for ask in who.values():
        assert insist(ask).status == 200  # no password is hashed then
    for _ in range(3):
        calls = [(name, Call(ask)) for name, ask in who.items() for _ in range(6)]
        tokens = {name: set() for name in who}
        for name, call in calls:
            assert call.result().status == 200, call.result()
            tokens[name].add(call.result().json()["access_token"])
        assert [len(alive(server, app, each)) for each in tokens.values()] == [1, 1, 1]


@pytest.mark.hooks
@pytest.mark.parametrize("both", ["replace"], indirect=True)
def test_rfc9700_4_14_2_a_refresh_token_shown_twice_at_once_gives_one_token(both):
    server, app, name = both
    token = granted(server, app, name)["refresh_token"]
    for _ in range(3):
        answers = meet(server, *[(refresh, server, app, token)] * 4)
        assert len(set(texts(answers))) == len({each["refresh_token"] for each in answers}) == 1
        assert alive(server, app, texts(answers)[:1])
        token = answers[0]["refresh_token"]


@pytest.mark.hooks
@pytest.mark.parametrize("both", ["same", "replace"], indirect=True)
def test_H1_a_login_is_written_whole_or_not_at_all(both):
    """Were its token's row there first, the next login could take its place before the answer."""
    server, app, name = both
    granted(server, app, name)
    server.hooks.hold("store.before_publish")
    asking = Call(ask_password, server, app, name)
    server.hooks.await_waiting("store.before_publish")
    server.restart(hard=True)
    with pytest.raises(OSError):
        asking.result()
    assert server.stored("SELECT count(*) FROM reference_tokens") == 2
    assert server.stored("SELECT count(*) FROM reference_tokens t JOIN refresh_tokens r"
                         " ON r.family = t.family") == 2


@pytest.mark.hooks
@pytest.mark.parametrize("both", ["same", "replace"], indirect=True)
def test_H3_a_refresh_that_fails_at_any_step_of_the_store_loses_nothing(both):
    """What was not answered was not done, or is done again alike: the refresh token is not lost."""
    server, app, name = both
    login, failed, met = granted(server, app, name), 0, True
    while met:
        failed += 1
        server.hooks.fault("store", failed)
        answer = refresh(server, app, login["refresh_token"])
        met = server.hooks.fault("store", 0) >= failed
        assert answer.status in ((200, 503) if met else (200,))  # it may have been nobody's step
        if server.get("/readyz").status != 200:
            server.restart()  # a commit has failed: nobody knows what is on the disk
        again = refresh(server, app, login["refresh_token"]).json()
        good = alive(server, app, [login["access_token"], again["access_token"]])
        assert good[-1] == again["access_token"]
        assert len(set(good)) == 1
        login = again
    assert failed > 10
