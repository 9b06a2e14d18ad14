# SPDX-License-Identifier: Apache-2.0
"""The state matrix once more, at the host of each dialect that came with the program: the same
decisions as everywhere, in the dialect's own form. Each dialect takes the applications of one
format; together they take all."""
import copy

import pytest

import dialect_oracle as oracle
from instance import FORMATS, Server
from matrix import ACCOUNT_API, OTHER_API, Matrix

pytestmark = pytest.mark.hooks

NO_SCOPE = {"scopes_gone", "audience_removed", "other_account"}
TIES = {"tied_here": {"rti-sms", "rfc6749"}, "tied_elsewhere": {"rti-sms", "smscx"}}


# One of each kind: what the client is, what the token is, where it is asked. test_state_matrix.py
# leaves out each in turn.
BROKEN = {"client_status": "disabled", "token_revoked": "token_revoked",
          "application_dialect": "tied_here"}


class SpokenMatrix(Matrix):
    """Every host has its dialect, and asks as the first documented call does."""
    auths = ("basic",)
    users = False  # the first documented call is nobody's but the application's
    name = "rfc6749"  # the listener's own, in which the tokens are asked for
    demands = False  # a scope

    def speak(self, name):
        self.name, self.server.host = name, f"{name}.example"
        words = {"{ID}": "id", "{SECRET}": "secret", "{BASIC}": "x", "{AUDIENCE}": "x"}
        self.call = oracle.Ask(name, words)
        scope = oracle.parameter(name, "scope")
        self.demands = scope in oracle.required(name)
        self.call.drop(scope)
        if self.demands:
            self.call.put(scope, "alpha")

    def ruled(self, state):
        return {True: "active", False: "tied_elsewhere"}[self.name in TIES[state]] \
            if state in TIES else state

    def request(self, call):
        head, body = call.bytes(self.server.host).split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split()
        return self.server.request(method, target, body or None,
                                   dict(line.split(": ", 1) for line in lines[1:]))

    def cell_token(self, subject, auth):
        state = next(key[0] for key, each in self.subjects.items() if each is subject)
        call, resource = copy.deepcopy(self.call), oracle.parameter(self.name, "resource")
        call.credentials(self.name, subject.app.id, subject.app.secret)
        if resource in call.names():
            call.replace(resource, {"audience_removed": OTHER_API, "other_account": ACCOUNT_API}
                         .get(state, self.server.issuer))
        answer = self.request(call)
        refused = oracle.refusal(self.name, "client", "CLIENT_UNKNOWN")
        if (answer.status, answer.headers["Content-Type"], answer.text) == refused or \
                (refused[2] is None and answer.status == refused[0]):
            return "invalid_client"
        # Who has no scope any more is known, but where one must be named there is none to name.
        if self.demands and state in NO_SCOPE and (answer.status, answer.text) == \
                oracle.refusal(self.name, "scope", "SCOPE_REFUSED")[::2]:
            return "issued"
        granted = answer.status in (200, 201) and oracle.token(self.name, answer.text)
        return "issued" if granted and self.check(granted).status != 401 else f"{answer}"

    def check(self, token, query=""):
        return self.server.check(None, query, headers=oracle.presented(self.name, token))

    def cell_check(self, subject, auth):
        answer = self.check(subject.tokens[auth], subject.query)
        if answer.status == 200:
            return "passes"
        kind, body, challenge = oracle.check_refusal(self.name, answer.status)
        code = oracle.CHECK[answer.status][1]
        said = answer.headers["WWW-Authenticate"] or "none"
        form = said.startswith(challenge) and (challenge == "none") != (f'error="{code}"' in said)
        same = (answer.headers["Content-Type"], answer.text) == (kind, body)
        return code if form and same else f"{answer} is not {kind} {body} {challenge}"


@pytest.fixture(scope="module")
def matrix(tmp_path_factory):
    file = tmp_path_factory.mktemp("matrix") / "twoleg.yaml"
    file.write_text("allow_query_credentials: true\nfailures_per_address: none\n"
                    "failures_per_client: none\n"
                    "listen:\n  - {address: 127.0.0.1:0, dialect: rfc6749}\nhosts:\n" +
                    "".join(f"  - {{name: {name}.example, dialect: {name}}}\n"
                            for name in oracle.DIALECTS))
    server = Server(config=file, listen=()).start()
    made = SpokenMatrix(server, rounds=-(-len(oracle.DIALECTS) // len(FORMATS)) + 2 * len(BROKEN))
    yield made
    server.hooks.clock(0)
    server.destroy()


@pytest.mark.parametrize("at,name", enumerate(oracle.DIALECTS), ids=oracle.DIALECTS)
def test_every_cell_in_the_form_of_each_dialect(matrix, at, name):
    matrix.speak(name)
    token_format = FORMATS[at % len(FORMATS)]
    red = matrix.run(formats=(token_format,))
    assert not red, "\n".join(red)
    answer = matrix.server.check()
    kind, body, challenge = oracle.check_refusal(name, 401)
    assert (answer.status, answer.headers["Content-Type"], answer.text) == (401, kind, body)
    assert (answer.headers["WWW-Authenticate"] or "none") == challenge


@pytest.mark.parametrize("check,state", BROKEN.items())
def test_mutation_a_check_that_is_left_out_is_seen_in_a_dialect(matrix, check, state):
    matrix.speak("rapidsos")
    assert not matrix.run({state})
    matrix.server.hooks.mutant(check)
    try:
        red = matrix.run({state})
    finally:
        matrix.server.hooks.mutant(None)
    assert any(line.startswith(state) for line in red), red
