# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the black box. `server` lives as long as its file: tests make applications of their
own; what changes more than that takes `own_server`, and what moves the clock `timed`."""
import os

import pytest

from instance import BINARY, FORMATS, HAS_HOOKS, Server

failures = set()  # of each failure: may others beside it be why?


def pytest_configure(config):
    config.addinivalue_line("markers", "hooks: needs the test hooks of a sanitizer build")
    config.addinivalue_line("markers", "measuring: goes by deadlines, or by what a crowd costs")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What fails before or after a test itself is no measure: a sanitizer's report, for one."""
    if (yield).get_result().failed:
        failures.add(call.when == "call" and bool(item.get_closest_marker("measuring")))


def pytest_sessionfinish(session):
    """./test names the status by which it is told to try again alone."""
    if failures == {True} and session.exitstatus == pytest.ExitCode.TESTS_FAILED:
        session.exitstatus = int(os.environ.get("disturbed", session.exitstatus))


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("hooks") and not HAS_HOOKS:
            item.add_marker(pytest.mark.skip(reason=f"{BINARY} has no test hooks"))


@pytest.fixture(scope="module")
def server():
    instance = Server().start()
    yield instance
    instance.destroy()


@pytest.fixture
def own_server():
    instance = Server().start()
    yield instance
    instance.destroy()


@pytest.fixture
def make_server(tmp_path):
    """Servers as a test wants them; those that run at its end must stop cleanly."""
    made = []

    def make(**options):
        options.setdefault("data", tmp_path / f"data{len(made)}")
        made.append(Server(**options))
        return made[-1]

    yield make
    for instance in made:
        instance.destroy()


@pytest.fixture(scope="module")
def app(server):
    """An application with two scopes of the default API and a jwt life of an hour."""
    return server.app(name="plain", scope="alpha beta")


@pytest.fixture(scope="module")
def sealed_app(server):
    return server.app(name="sealed", scope="alpha beta", token_format="sealed")


@pytest.fixture(scope="module")
def resource_server(server):
    """May introspect tokens for the default API."""
    return server.app(name="resource server", resource_server=True)


@pytest.fixture(scope="module")
def reference_app(server):
    return server.app(name="reference", scope="alpha beta", token_format="reference")


@pytest.fixture(params=FORMATS)
def any_app(request, app, sealed_app, reference_app):
    return {"jwt": app, "sealed": sealed_app, "reference": reference_app}[request.param]


class Timed:
    """A server whose time moves, so it is nobody else's: what has expired stays so."""

    def __init__(self, token_format):
        self.server = Server().start()
        self.app = self.server.app(scope="alpha beta", token_format=token_format)
        self.caller = self.server.app(name="caller", resource_server=True)
        self.clock = self.server.hooks.clock
        self.step = self.server.hooks.step


@pytest.fixture(params=FORMATS)
def timed(request):
    instance = Timed(request.param)
    yield instance
    instance.server.destroy()
