# SPDX-License-Identifier: Apache-2.0
"""A refresh token that comes again (RFC 9700 section 4.14.2): for half a minute it gives the same
successor, and after that it was stolen, and its login ends."""
import concurrent.futures

import pytest

from instance import insist
from test_health_metrics import figures
from test_races import Call
from test_refresh import alive, own  # noqa: F401 the fixture
from test_users import INVALID, app, granted, refresh, server, user  # noqa: F401


def reused(server):
    """How many logins have ended since a token of theirs came again."""
    return figures(server)["twoleg_refresh_reuse_total"]


def test_rfc9700_4_14_2_the_one_before_gives_the_same_successor_for_a_while(server, app):
    name = user(server, "twice", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    successors = {refresh(server, app, first).json()["refresh_token"] for _ in range(3)}
    assert len(successors) == 1
    assert refresh(server, app, successors.pop()).status == 200


@pytest.mark.hooks
def test_rfc9700_4_14_2_used_later_it_ends_all_of_its_family(own):
    server, app = own()
    name = user(server, "stolen", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    other = granted(server, app, name)["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    server.hooks.clock(20)
    assert refresh(server, app, first).json()["refresh_token"] == second
    access = [refresh(server, app, token).json()["access_token"] for token in (first, other)]
    assert alive(server, app, *access) == [True, True]
    server.hooks.clock(31)
    assert refresh(server, app, first).json() == INVALID
    assert refresh(server, app, second).json() == INVALID
    assert alive(server, app, *access) == [False, True]  # the other one is from another login
    assert refresh(server, app, other).status == 200
    server.restart(hard=True)
    assert alive(server, app, *access) == [False, True]
    row = next(row for row in server.cli("audit", "list", "--json")["audit"]
               if row["action"] == "refresh.reuse")
    assert row["object"].startswith("usr_")
    server.hooks.clock(0)


def test_two_before_is_no_grace(server, app):
    name = user(server, "older", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    second = refresh(server, app, first).json()["refresh_token"]
    third = refresh(server, app, second).json()["refresh_token"]
    assert refresh(server, app, first).json() == INVALID
    assert refresh(server, app, third).json() == INVALID


def test_rfc9700_4_14_2_of_many_at_once_all_get_the_one_successor(server, app):
    name = user(server, "raced", "--scope", "alpha")
    token = granted(server, app, name)["refresh_token"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            answers = list(pool.map(lambda _: refresh(server, app, token), range(8)))
            assert [answer.status for answer in answers] == [200] * 8
            successors = {answer.json()["refresh_token"] for answer in answers}
            assert len(successors) == 1
            token = successors.pop()


# ------------------------------------------------------------------------------- the clock
# The trusted clock stands still until the wall clock has caught up; what is held against it must
# not be told by the wall clock.
@pytest.mark.hooks
@pytest.mark.parametrize("back", [20, 45, 55])
def test_rfc9700_4_14_2_a_clock_set_back_shortens_no_grace(own, back):
    server, app = own()
    name = user(server, "early", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    raced = granted(server, app, name)["refresh_token"]
    server.hooks.step(-back)
    second = refresh(server, app, first).json()["refresh_token"]
    assert refresh(server, app, first).json()["refresh_token"] == second
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: refresh(server, app, raced), range(4)))
    assert [answer.status for answer in answers] == [200] * 4
    server.hooks.clock(back + 20)
    assert refresh(server, app, first).json()["refresh_token"] == second
    server.hooks.clock(back + 31)
    assert refresh(server, app, first).json() == INVALID
    server.hooks.clock(0)
    server.hooks.step(0)


@pytest.mark.hooks
@pytest.mark.parametrize("ahead,good", [(25, True), (9 * 60, False), (86400, False)])
def test_H12_a_clock_that_was_ahead_makes_no_grace_longer(own, ahead, good):
    """Logins that it renewed go on by the right time; the token before is used a second time."""
    server, app = own()
    name = user(server, "ahead", "--scope", "alpha")
    first, other = (granted(server, app, name)["refresh_token"] for _ in range(2))
    server.hooks.clock(ahead)
    second, renewed = (refresh(server, app, token).json()["refresh_token"]
                       for token in (first, other))
    server.restart()
    assert refresh(server, app, renewed).status == 200
    again = refresh(server, app, first)
    assert again.json().get("refresh_token") == second if good else again.json() == INVALID
    assert reused(server) == (not good)
    assert refresh(server, app, second).status == (200 if good else 400)


@pytest.mark.hooks
def test_rfc9700_4_14_2_who_came_in_time_may_wait_for_a_signature(own):
    server, _ = own()
    server.manage("POST", "apis", None, {"identifier": "urn:slow", "scope": "alpha",
                                         "algorithm": "RS256"})
    app = server.app(name="slow", audience="urn:slow", scope="alpha",
                     grants="password refresh_token")
    name = user(server, "waits", "--audience", "urn:slow", "--scope", "alpha")
    first = granted(server, app, name)["refresh_token"]
    second = insist(lambda: refresh(server, app, first)).json()["refresh_token"]
    server.hooks.clock(15)
    server.hooks.hold("token.signed")
    try:
        asking = Call(refresh, server, app, first)
        server.hooks.await_waiting("token.signed")
        server.hooks.clock(31)
    finally:
        server.hooks.release("token.signed")
    assert asking.result().json()["refresh_token"] == second
    assert insist(lambda: refresh(server, app, second)).status == 200
    assert reused(server) == 0
