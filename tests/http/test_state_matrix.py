# SPDX-License-Identifier: Apache-2.0
"""Every state at every door as state_matrix.rules says; and each check of the gate is needed: with
it left out, at least one cell turns red."""
import re

import pytest

from instance import ROOT, UNLIMITED, Server
from matrix import AUTHS, ENDPOINTS, FORMATS, Matrix

pytestmark = pytest.mark.hooks

CHECKS = re.findall(r'"(\w+)"', re.search(r"gate_checks\[\] = \{(.*?)\}",
                                          (ROOT / "src/model/gate.c").read_text(), re.S).group(1))
# Second lines of defence, which no door can reach, not even with a thread held between the lookup
# and the gate: registry_slot_view hands out no deleted application, and what it has handed out is a
# copy of the state at that moment. tests/unit/model/test_gate.c asks the gate itself.
BEHIND = {
    "client_deleted": "the id of a deleted application is unknown before the gate is asked",
    "token_deleted": "the registry knows no deleted application when the gate is asked",
    "user_deleted": "no deleted user is found, and its refresh tokens are gone",
    "user_account": "the account is the application's, which is asked about first",
    "user_generation": "what raises it takes the refresh tokens away",
    "token_user_deleted": "a deleted user has no generation that a token could have",
}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    config = tmp_path_factory.mktemp("matrix") / "twoleg.yaml"
    config.write_text("password_grant: true\n" + UNLIMITED.read_text())
    server = Server(config=config).start()
    yield Matrix(server, rounds=len(CHECKS) + 4)
    server.hooks.clock(0)
    server.destroy()


def test_every_cell_is_as_the_rules_say(matrix):
    assert len(CHECKS) >= 20
    red = matrix.run()
    matrix.red_before = set(red)
    assert not red, "\n".join(red)
    cells = len(matrix.subjects) * len(ENDPOINTS) * len(AUTHS)
    assert cells >= 30 * len(FORMATS) * len(ENDPOINTS) * len(AUTHS)


def test_every_rule_is_used(matrix):
    unused = [line for i, line in enumerate(matrix.rules.lines) if i not in matrix.rules.used]
    assert not unused, unused


def test_the_matrix_survives_restart(matrix):
    matrix.server.restart(hard=True)
    matrix.server.hooks.clock(120)
    red = matrix.run()
    assert not red, "\n".join(red)


@pytest.mark.parametrize("check", [check for check in CHECKS if check not in BEHIND])
def test_mutation_each_check_of_the_gate_is_needed(matrix, check):
    matrix.server.hooks.mutant(check)
    try:
        red = set(matrix.run()) - matrix.red_before
    finally:
        matrix.server.hooks.mutant(None)
    assert red, f"no cell notices that {check} is left out"


def test_mutation_afterwards_all_is_green_again(matrix):
    red = matrix.run()
    assert not red, "\n".join(red)
