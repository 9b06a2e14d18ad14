# SPDX-License-Identifier: Apache-2.0
"""Each dialect that came with the program answers its documented calls: tests/dialects/*.replay."""
import pathlib
import subprocess

import pytest

import replay
from instance import BINARY, Server

DIALECTS = sorted(path.stem for path in
                  (pathlib.Path(__file__).resolve().parents[2] / "dialects").glob("*.yaml"))
CALLS = [pytest.param(name, call, id=f"{name}-{call.title}".replace(" ", "_"))
         for name in DIALECTS for call in
         (replay.read(name) if (replay.FOLDER / f"{name}.replay").exists() else [])]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """One server that speaks every dialect, each to a host of its own."""
    folder = tmp_path_factory.mktemp("spoken")
    file = folder / "twoleg.yaml"
    hosts = "".join(f"  - {{name: {name}.example, dialect: {name}}}\n" for name in DIALECTS)
    file.write_text("allow_query_credentials: true\nfailures_per_address: none\n"
                    "failures_per_client: none\nhosts:\n" + hosts)
    server = Server(data=folder / "data", config=file).start()
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def replays(spoken):
    """One for each dialect: a later call uses the token of an earlier one."""
    app = spoken.app(name="replay", scope="groups sms",
                     client_id="3fd97176bd7e36c0e8fbd22b4b1ab5d29540b49c",
                     secret="129e24048c46c3bcabed1f9f267aef73f5f8e1e4")
    return {name: replay.Replay(spoken, f"{name}.example", app) for name in DIALECTS}


def test_every_dialect_is_replayed_and_listed():
    assert DIALECTS == sorted(path.stem for path in replay.FOLDER.glob("*.replay"))
    listed = subprocess.run([BINARY, "dialect", "list"], capture_output=True, text=True,
                            check=True).stdout
    assert DIALECTS == sorted(line.split()[0] for line in listed.splitlines())


@pytest.mark.parametrize("name,call", CALLS)
def test_documented_call(replays, name, call):
    replays[name].run(call)
