# SPDX-License-Identifier: Apache-2.0
"""Refresh tokens (RFC 6749 section 6) where the wall clock is set; the rest is in test_users.py."""
import concurrent.futures

import pytest

from test_users import INVALID, ON, granted, refresh, user


# The trusted clock stands still until the wall clock has caught up; what is held against it must
# not be told by the wall clock.
@pytest.mark.hooks
@pytest.mark.parametrize("back", [20, 45, 55])
def test_rfc9700_4_14_2_a_clock_set_back_shortens_no_grace(make_server, tmp_path, back):
    config = tmp_path / "on.yaml"
    config.write_text(ON)
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    name = user(server, "early")
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
def test_a_login_after_the_clock_was_set_back_is_not_the_oldest_one(make_server, tmp_path):
    config = tmp_path / "on.yaml"
    config.write_text(ON)
    server = make_server(config=config).start()
    app = server.app(name="a", grants="password refresh_token")
    name = user(server, "last")
    for _ in range(20):
        granted(server, app, name)
    server.hooks.step(-45)
    token = granted(server, app, name)["refresh_token"]
    assert refresh(server, app, token).status == 200
    server.hooks.step(0)
