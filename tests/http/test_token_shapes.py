# SPDX-License-Identifier: Apache-2.0
"""What tokens of a dialect look like: they are issued so, read whoever is asked about them, and not
lost without a word when the dialect goes."""
import pathlib
import re

import pytest

import replay
from dialect_oracle import FILES, chain
from instance import Server

SHAPED = sorted(name for name in FILES if any("alphabet" in each.get("token", {})
                                              for each in chain(name)))
ACME = "name: acme\ntitle: Acme\n"
SHAPE = "token: {format: reference, alphabet: alphanumeric, length: 24, prefix: 'acme~', suffix: ="
LIKE = r"acme~[0-9A-Za-z]{24}="


def fixed(name):
    """How the documents print the dialect's tokens."""
    return replay.read(name)[0].token


class Spoken:
    def __init__(self, server):
        self.server = server
        self.caller = server.app(name="caller", resource_server=True)

    def host(self, name):
        return {"Host": f"{name}.example"}

    def token(self, app, name):
        one = replay.Replay(self.server, f"{name}.example", app)
        one.run(next(call for call in replay.read(name) if call.answer[0] == "200" and any(
            word in line for line in call.request for word in ("{BASIC}", "{SECRET}"))))
        return one.words["{TOKEN}"]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    file = folder / "twoleg.yaml"
    file.write_text("allow_query_credentials: true\nhosts:\n" + "".join(
        f"  - {{name: {name}.example, dialect: {name}}}\n" for name in FILES))
    server = Server(data=folder / "data", config=file).start()
    yield Spoken(server)
    server.destroy()


def test_every_form_that_a_document_fixes_is_held_by_its_replay():
    assert {"smscx", "rapidsos", "marketo", "apigee"} <= set(SHAPED)
    assert all(fixed(name) for name in SHAPED)
    assert fixed("smscx").pattern == "[0-9a-f]{40}"
    assert fixed("rapidsos").pattern == "[0-9A-Za-z]{28}"


@pytest.mark.parametrize("token_format", ["jwt", "sealed", "reference"])
@pytest.mark.parametrize("name", ["smscx", "rapidsos", "marketo"])
def test_the_documents_form_goes_before_the_applications_own(spoken, name, token_format):
    app = spoken.server.app(name="replay", scope="groups sms", token_format=token_format)
    token = spoken.token(app, name)
    assert fixed(name).fullmatch(token)
    facts = spoken.server.introspect(spoken.caller, token).json()
    assert facts["active"] and facts["client_id"] == app.id and facts["exp"] - facts["iat"] == 3600


@pytest.mark.parametrize("name", SHAPED)
def test_design_3_1_a_token_of_any_shape_is_read_and_revoked_at_every_door(spoken, name):
    server = spoken.server
    app = server.app(name="replay", scope="groups sms")
    other = server.app(name="replay", scope="groups sms")
    token, kept = spoken.token(app, name), spoken.token(other, name)
    for host in (name, "rfc6749", "smscx"):
        assert server.request("GET", "/check", headers={
            **spoken.host(host), "Authorization": f"Bearer {token}"}).status == 200
    assert server.revoke(other, token).error == "invalid_grant"
    assert server.active(spoken.caller, token)
    assert server.revoke(app, token).status == 200
    assert not server.active(spoken.caller, token)
    assert server.check(token).status == 401
    assert server.active(spoken.caller, kept)
    inspected = server.cli("token", "inspect", "--json", input=kept)
    assert inspected["active"] and inspected["format"] == "reference"
    server.act("revoke-tokens", other)
    assert not server.active(spoken.caller, kept)


@pytest.mark.parametrize("name", SHAPED)
def test_C15_what_is_near_a_token_of_any_shape_is_none(spoken, name):
    app = spoken.server.app(name="replay", scope="groups sms")
    token = spoken.token(app, name)
    near = [token[:-1], token[1:], token + token[-1], token.swapcase(), token[::-1], " " + token,
            token[:-1] + ("0" if token[-1] != "0" else "1"), "tlr_" + token]
    for text in near:
        assert not spoken.server.active(spoken.caller, text), text
    assert spoken.server.active(spoken.caller, token)


def test_a_dialect_without_a_format_gives_the_default_shape(spoken):
    app = spoken.server.app(name="replay", scope="groups sms", token_format="reference")
    assert re.fullmatch("tlr_[0-9A-Za-z]{33}", spoken.token(app, "rfc6749"))


@pytest.mark.hooks
@pytest.mark.parametrize("life", ["3600", "never"])
def test_T21_a_life_ends_or_never_does(make_server, tmp_path, life):
    file = tmp_path / "twoleg.yaml"
    file.write_text("dialect: smscx\n")
    server = make_server(config=file).start()
    app = server.app(scope="sms", token_format="reference", token_ttl=life)
    caller = server.app(name="caller", resource_server=True)
    answer = server.token(app).json()
    token = answer["access_token"]
    assert answer["expires_in"] == (315360000 if life == "never" else 3600)
    server.hooks.clock(3590)
    assert server.active(caller, token)
    server.hooks.clock(3600 if life == "3600" else 400 * 86400)
    assert server.active(caller, token) == (life == "never")


def test_tokens_outlive_a_restart_into_another_dialect(make_server, tmp_path):
    """40 hex digits are read though nobody speaks smscx any more: it came with the program."""
    file = tmp_path / "twoleg.yaml"
    file.write_text("dialect: smscx\n")
    server = make_server(config=file).start()
    app, caller = server.app(scope="sms"), server.app(name="caller", resource_server=True)
    tokens = [server.bearer(app) for _ in range(3)]
    assert server.active(caller, tokens[0])
    file.write_text("dialect: rfc6749\n")
    server.cli("reload")
    assert server.active(caller, tokens[1])
    server.restart(hard=True)
    assert all(server.active(caller, token) for token in tokens)
    assert server.revoke(app, tokens[2]).status == 200
    assert not server.active(caller, tokens[2])
    assert server.bearer(app).startswith("eyJ")


def own(tmp_path, shape):
    folder = tmp_path / "dialects"
    folder.mkdir(exist_ok=True)
    (folder / "acme.yaml").write_text(ACME + shape)
    file = tmp_path / "twoleg.yaml"
    file.write_text(f"dialect_folder: {folder}\ndialect: acme\n")
    return file


def test_a_shape_of_ones_own_is_lost_with_a_word_and_found_again(make_server, tmp_path):
    file = own(tmp_path, SHAPE + "}\n")
    server = make_server(config=file).start()
    app, caller = server.app(), server.app(name="caller", resource_server=True)
    tokens = [server.bearer(app) for _ in range(4)]
    assert all(re.fullmatch(LIKE, token) for token in tokens)
    server.restart()
    assert server.active(caller, tokens[0])
    own(tmp_path, SHAPE + ", checksum: true}\n")
    server.cli("reload")
    assert "warning: no dialect makes tokens as acme did" in server.stderr()
    assert not server.active(caller, tokens[1])
    assert re.fullmatch(LIKE + "[0-9A-Za-z]{6}", server.bearer(app))
    # One host is enough, and nobody need ask for it.
    (tmp_path / "dialects" / "old.yaml").write_text(ACME.replace("acme", "old") + SHAPE + "}\n")
    file.write_text(file.read_text() + "listen:\n  - {address: 127.0.0.1:0}\nhosts:\n"
                    "  - {name: old.example, dialect: old}\n"
                    "  - {name: 127.0.0.1, dialect: acme}\n")
    server.restart()
    assert all(server.active(caller, token) for token in tokens)
    assert server.revoke(app, tokens[3]).status == 200
    assert not server.active(caller, tokens[3])


def test_a_bad_shape_is_refused_and_the_old_one_stays(make_server, tmp_path):
    server = make_server(config=own(tmp_path, SHAPE + "}\n")).start()
    app = server.app()
    own(tmp_path, "token: {format: reference, alphabet: hex, length: 20}\n")
    refused = server.run_cli("reload")
    assert refused.returncode == 1
    assert "acme.yaml:3:8: token: 20 hex digits can be guessed: length must be 30 or more" in \
        refused.stderr
    assert re.fullmatch(LIKE, server.bearer(app))
    path = pathlib.Path(tmp_path / "dialects" / "acme.yaml")
    checked = server.run_cli("dialect", "check", str(path))
    assert checked.returncode == 1 and f"{path}:3:8: token: 20 hex" in checked.stderr
