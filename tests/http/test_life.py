# SPDX-License-Identifier: Apache-2.0
"""What an answer says of a token's life (RFC 6749 section 5.1): the whole of it, also when a second
began while the row or the signature was waited for; callers compare it with what is documented."""
import pytest

from instance import speaking
from test_races import Call, hold  # noqa: F401 (a fixture)

pytestmark = pytest.mark.hooks

LIFE, REFRESH = 3600, 7 * 86400
DIALECT = """name: lives
title: Lives
endpoints: [{path: /oauth/token, grants: [client_credentials, password, refresh_token]}]
success:
  fields:
    - {name: access_token, source: access_token}
    - {name: expires_in, source: expires_in, type: number}
    - {name: expires_at, source: expires_at, type: number}
    - {name: issued_at, source: issued_at, type: number}
    - {name: refresh_token, source: refresh_token}
    - {name: refresh_expires_in, source: refresh_expires_in, type: number}
"""


def start(folder, **token):
    rules = ", ".join(f"{key}: {value}" for key, value in token.items())
    text = DIALECT + (f"token: {{{rules}}}\n" if rules else "")
    return speaking(folder, text, "password_grant: true\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    instance = start(tmp_path_factory.mktemp("life"))
    instance.manage("POST", "apis", None, {"identifier": "urn:slow", "scope": "alpha",
                                           "algorithm": "RS256"})
    instance.cli("user", "add", "ann", "--password-file", "-", "--scope", "alpha",
                 input="correct horse battery")
    yield instance
    instance.destroy()


@pytest.fixture
def same(tmp_path):
    instance = start(tmp_path, format="reference", reissue="same")
    yield instance
    instance.destroy()


class Late:
    """Asks, and lets seconds pass before the row is there or the signature made."""
    seconds = 0  # of each server's clock: it only goes on

    def __init__(self, server, hold, point):
        self.server, self.hold, self.point = server, hold, point

    def __call__(self, function, *args, **fields):
        self.hold(self.point)
        asking = Call(function, *args, **fields)
        self.server.hooks.await_waiting(self.point)
        Late.seconds += 7
        self.server.hooks.clock(Late.seconds)
        self.server.hooks.release(self.point)
        answer = asking.result()
        assert answer.status == 200, answer
        return answer.json()


@pytest.mark.parametrize("options, point", [
    ({"token_format": "reference"}, "store.before_commit"),
    ({"audience": "urn:slow"}, "token.signed")])
def test_rfc6749_5_1_a_new_token_has_all_of_its_life(server, hold, options,  # noqa: F811
                                                         point):
    app = server.app(scope="alpha", resource_server=True, **options)
    said = Late(server, hold, point)(server.token, app)
    assert said["expires_in"] == LIFE
    assert said["expires_at"] == said["issued_at"] + LIFE
    known = server.introspect(app, said["access_token"]).json()
    assert (known["iat"], known["exp"]) == (said["issued_at"], said["expires_at"])


@pytest.mark.parametrize("token_format", ["jwt", "reference"])
def test_rfc6749_6_new_refresh_and_access_tokens_have_all_of_their_lives(server, hold,  # noqa: F811
                                                                         token_format):
    app = server.app(scope="alpha", grants="password refresh_token", token_format=token_format)
    late = Late(server, hold, "store.before_commit")
    said = late(server.token, app, grant_type="password", username="ann",
                password="correct horse battery")
    assert (said["expires_in"], said["refresh_expires_in"]) == (LIFE, REFRESH)
    shown = said["refresh_token"]
    said = late(server.token, app, grant_type="refresh_token", refresh_token=shown)
    assert (said["expires_in"], said["refresh_expires_in"]) == (LIFE, REFRESH)
    again = server.token(app, grant_type="refresh_token", refresh_token=shown).json()
    assert again["refresh_token"] == said["refresh_token"]
    assert 0 < again["refresh_expires_in"] < REFRESH, "what is left of it"


def test_the_same_token_again_has_what_is_left_of_its_life(same, hold):  # noqa: F811
    app = same.app(scope="alpha")
    first = Late(same, same.hooks.hold, "store.before_commit")(same.token, app)
    assert (first["expires_in"], first["expires_at"] - first["issued_at"]) == (LIFE, LIFE)
    same.hooks.clock(Late.seconds + 600)
    again = same.token(app).json()
    assert again["access_token"] == first["access_token"]
    assert LIFE - 700 < again["expires_in"] <= LIFE - 600
    assert again["expires_at"] == first["expires_at"], "it ends when it ends"
    assert again["issued_at"] == first["issued_at"]
