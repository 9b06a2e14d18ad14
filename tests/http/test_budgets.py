# SPDX-License-Identifier: Apache-2.0
"""Budgets of an application's own (design 3.5): applied, changed, only observed, shown."""
import re
import threading
import time

import pytest

from instance import Application
from test_health_metrics import figures

ADMIN = "/admin/v1/application?client_id="


@pytest.fixture
def served(make_server, tmp_path):
    """A server with these options; the periods of a day make tests independent of their speed."""
    def served(options="workers: 2\n"):
        config = tmp_path / "budgets.yaml"
        config.write_text(options)
        return make_server(config=config).start()

    return served


def statuses(server, app, count):
    return [server.token(app).status for _ in range(count)]


def shown(server, app):
    row = server.cli("app", "show", app.id, "--json")
    return row["budget"], row["budget_mode"]


# ------------------------------------------------------------------ applied
def test_budget_each_application_has_its_own_budget(served):
    server = served("workers: 2\nbudget: 5/1d\n")
    small, none, plain = (server.app(budget="2/1d"), server.app(budget="none"), server.app())
    burst = server.app(budget="1000/1d:1")
    for app, count in ((small, 2), (plain, 5), (burst, 1)):
        found = [server.token(app) for _ in range(count + 3)]
        assert [answer.status for answer in found] == [200] * count + [429] * 3
        assert found[-1].error == "temporarily_unavailable"
    assert statuses(server, none, 30) == [200] * 30
    assert statuses(server, small, 1) == [429]
    assert figures(server)['twoleg_limited_total{limit="budget"}'] == 10
    row = server.cli("app", "show", small.id, "--json")
    assert (row["budget_limited"], row["budget_observed"]) == (4, 0)


def test_budget_used_up_budgets_slow_nobody_else(served):
    server = served("workers: 1\n")
    for i in range(60):
        made = server.manage("POST", "applications", None,
                             {"client_id": f"a{i}", "name": "a", "budget": "1/1d"})
        assert statuses(server, Application(made), 2) == [200, 429]
    assert statuses(server, server.app(budget="200/1d"), 201) == [200] * 200 + [429]


@pytest.mark.hooks
def test_budget_retry_after_is_when_it_is_served_again(served):
    server = served("workers: 1\n")
    app = server.app(budget="4/1h")
    assert statuses(server, app, 4) == [200] * 4
    wait = int(server.token(app).headers["Retry-After"])
    assert 800 < wait <= 900
    server.hooks.clock(wait - 60)
    answer = server.token(app)
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 60
    server.hooks.clock(wait)
    assert statuses(server, app, 2) == [200, 429]


def test_G6_parallel_requests_never_overshoot_a_budget(served):
    server = served("workers: 4\n")
    app, found = server.app(budget="40/1d"), []
    threads = [threading.Thread(target=lambda: found.extend(statuses(server, app, 8)))
               for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found.count(200), found.count(429)) == (40, 40)


# ------------------------------------------------------------------ changed
def test_promise_3_a_changed_budget_holds_once_it_is_acknowledged(served):
    server = served("workers: 4\n")
    app = server.app(budget="1/1d")
    assert statuses(server, app, 2) == [200, 429]
    for budget, status in (("none", 200), ("1/1d", 429), ("default", 200), ("1/12h", 429)):
        server.update(app, budget=budget)
        with_new_connections = []
        threads = [threading.Thread(target=lambda: with_new_connections.extend(
            statuses(server, app, 2))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(with_new_connections) == {status}, budget
    # No other change fills it up, nor does a change of it.
    for change in ({"name": "other"}, {"token_format": "sealed"}, {"budget": "1/1d"}):
        server.update(app, **change)
        assert statuses(server, app, 1) == [429], change


@pytest.mark.hooks
def test_a_larger_budget_does_not_wait_for_the_smaller_ones_end(served):
    server = served("workers: 1\n")
    app = server.app(budget="1/1d")
    assert statuses(server, app, 2) == [200, 429]
    server.update(app, budget="60/1h")
    answer = server.token(app)
    assert answer.status == 429 and int(answer.headers["Retry-After"]) <= 60
    server.hooks.clock(61)
    assert statuses(server, app, 2) == [200, 429]


def test_H1_promise_3_a_budget_survives_kill_9(served):
    server = served()
    app = server.app(budget="3/1d:2", budget_mode="enforce")
    server.restart(hard=True)
    assert shown(server, app) == ("3/1d:2", "enforce")
    assert statuses(server, app, 3) == [200, 200, 429]


# ------------------------------------------------------------------ only observed
def observed_lines(server):
    return [line for line in server.stderr().splitlines() if "event=observed" in line]


def test_an_application_can_be_observed_alone(served):
    server = served("workers: 1\n")
    app, other = server.app(budget="3/1d", budget_mode="observe"), server.app(budget="3/1d")
    began = time.monotonic()
    assert statuses(server, app, 83) == [200] * 83
    took = time.monotonic() - began
    assert statuses(server, other, 4) == [200] * 3 + [429]
    counted = figures(server)
    assert counted['twoleg_limited_total{limit="budget_observed"}'] == 80
    assert counted['twoleg_limited_total{limit="budget"}'] == 1
    for row in (server.cli("status", "--json"), server.cli("app", "show", app.id, "--json")):
        assert row["budget_observed"] == 80
    assert re.search(r"^Budget observed +80$", server.cli("app", "show", app.id), re.M)
    server.stop()
    lines = observed_lines(server)
    # Ten a second and worker.
    assert 1 <= len(lines) <= 10 * (took + 2) and all(app.id in line for line in lines)


def test_the_applications_word_goes_before_the_servers(served):
    server = served("budget: 2/1d\nbudget_observe: true\n")
    plain, enforced = server.app(), server.app(budget_mode="enforce")
    free = server.app(budget="none", budget_mode="observe")
    assert statuses(server, plain, 4) == [200] * 4
    assert statuses(server, enforced, 4) == [200, 200, 429, 429]
    assert statuses(server, free, 4) == [200] * 4
    server.update(enforced, budget_mode="default")
    assert statuses(server, enforced, 1) == [200]
    server.update(plain, budget_mode="enforce")
    assert statuses(server, plain, 1) == [429]
    row = server.cli("status", "--json")
    assert (row["budget_limited"], row["budget_observed"]) == (3, 3)


# ------------------------------------------------------------------ given and shown
def test_the_command_line_sets_and_shows_it(served):
    server = served()
    app = server.app(budget="100/60s:20")
    assert shown(server, app) == ("100/1m:20", "default")
    text = server.cli("app", "update", app.id, "--budget", "5/1h", "--budget-mode", "observe")
    assert re.search(r"^Budget +5/1h$", text, re.M)
    assert re.search(r"^Budget mode +observe$", text, re.M)
    listed = server.cli("app", "list", "--json")["applications"]
    assert [(row["budget"], row["budget_mode"]) for row in listed] == [("5/1h", "observe")]
    server.cli("app", "update", app.id, "--budget", "default", "--budget-mode", "default")
    assert shown(server, app) == ("default", "default")
    detail = server.cli("audit", "list", "--limit", "1", "--json")["audit"][0]["detail"]
    assert detail["before"]["budget"] == "5/1h" and detail["after"]["budget"] == "default"
    assert detail["before"]["budget_mode"] == "observe"


@pytest.mark.parametrize("value", ["5", "5/", "0/1m", "5/1q", "-1/1m", "5/2d", "5/1m:0", "many", "",
                                   "1000001/1m", "None", "5/1m:", "5/1m 6", "1e3/1m"])
def test_what_is_no_budget_is_refused(server, value):
    app = server.app(budget="7/1m")
    answer = server.admin("PATCH", ADMIN + app.id, {"budget": value})
    assert answer.status == 400, answer
    assert '\\"budget\\" must be a rate such as 100/1m or 100/1m:20, none, or default' \
        in answer.text
    done = server.run_cli("app", "update", app.id, "--budget", value)
    assert done.returncode == 2 and "--budget" in done.stderr
    assert shown(server, app) == ("7/1m", "default")


@pytest.mark.parametrize("body", [{"budget": 5}, {"budget": None}, {"budget": ["1/1m"]},
                                  {"budget_mode": True}, {"budget_mode": "on"}, {"budget_mode": ""},
                                  {"budgets": "5/1m"}, {"budget_observe": True}])
def test_odd_members_are_refused_by_their_name(server, body):
    app = server.app(budget="7/1m")
    answer = server.admin("PATCH", ADMIN + app.id, body)
    assert answer.status == 400, answer
    assert f'\\"{next(iter(body))}\\"' in answer.text
    assert shown(server, app) == ("7/1m", "default")


def test_a_mode_that_is_none_is_refused_by_the_command_line(server):
    done = server.run_cli("app", "create", "--name", "x", "--budget-mode", "on")
    assert done.returncode == 2 and "enforce, observe or default" in done.stderr
