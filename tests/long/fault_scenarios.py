# SPDX-License-Identifier: Apache-2.0
"""The scenarios of tests/long/faults. Each makes what it needs, and then gives one step: what to
do, the status it has without a fault, whether an answer is right, and what must hold, now and after
a restart, once it was acknowledged."""
import base64
import dataclasses
import itertools
import json
import os
import sqlite3
import typing

from instance import Application

ADMIN = "/admin/v1/"
PASSWORD = "a password of faults"


class Unavailable(Exception):
    """503: no answer to the question, neither yes nor no."""


def answered(answer):
    if answer.status == 503:
        raise Unavailable(answer)
    return answer


@dataclasses.dataclass
class Step:
    act: typing.Callable
    status: int = 200
    right: typing.Callable = None  # (answer) -> bool
    holds: typing.Callable = None  # (answer) -> bool, asked again and again
    after: typing.Callable = None  # (answer, did something fail?): complains once that is over
    breaks: tuple = ("memory", "io")  # kinds of faults that may cost the connection


class World:
    """A server and applications that no scenario changes."""

    def __init__(self, server, authority):
        self.server, self.authority = server, authority
        self.serial = itertools.count()
        self.jwt = server.app(name="jwt", scope="alpha beta")
        self.sealed = server.app(name="sealed", scope="alpha beta", token_format="sealed")
        self.reference = server.app(name="reference", scope="alpha beta", token_format="reference")
        self.brought = server.app(name="brought", secret="only-sixteen-cha")
        self.caller = server.app(name="caller", resource_server=True)
        self.users = server.app(name="users", scope="alpha beta", token_format="sealed",
                                grants="password refresh_token")
        server.manage("POST", "users", None, {"username": "ann", "password": PASSWORD,
                                              "scope": "alpha"})

    def fresh(self, **fields):
        """An application of this run alone, made without the command line's start."""
        made = self.server.manage("POST", "applications", None, {
            "client_id": f"f{next(self.serial)}", "name": "fresh", "scope": "alpha beta", **fields})
        return Application(made)

    def fresh_user(self):
        name = f"u{next(self.serial)}"
        self.server.manage("POST", "users", None, {"username": name, "password": PASSWORD,
                                                   "scope": "alpha"})
        return name

    def login(self, name, password=PASSWORD):
        return self.server.token(self.users, grant_type="password", username=name,
                                 password=password)

    def knows(self, name, password=PASSWORD):
        answer = answered(self.login(name, password))
        assert answer.status in (200, 400), answer
        return answer.status == 200

    def renew(self, token):
        return self.server.token(self.users, grant_type="refresh_token", refresh_token=token)

    def renews(self, token):
        answer = answered(self.renew(token))
        assert answer.status in (200, 400), answer
        return answer.status == 200

    def works(self, app):
        return answered(self.server.token(app)).status == 200

    def refused(self, app):
        return answered(self.server.token(app)).status == 401

    def good(self, token):
        return answered(self.server.introspect(self.caller, token)).json()["active"]

    def dead(self, token):
        return not self.good(token) and answered(self.server.check(token)).status == 401


SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def managed(world, method, path, app=None, body=None):
    query = f"?client_id={app.id}" if app else ""
    return lambda: world.server.admin(method, ADMIN + path + query, body)


# ------------------------------------------------------------------ tokens
def issued(world, app, **options):
    """A token that was given out is good."""
    return Step(lambda: world.server.token(app, **options),
                holds=lambda a: world.good(a.json()["access_token"]))


@scenario
def token_jwt(world):
    return issued(world, world.jwt)


@scenario
def token_sealed(world):
    return issued(world, world.sealed)


@scenario
def token_reference(world):
    """Its row is durable, or there was no answer."""
    return issued(world, world.reference)


@scenario
def token_by_post(world):
    return issued(world, world.jwt, method="post")


@scenario
def token_with_a_scope(world):
    return issued(world, world.sealed, scope="beta")


@scenario
def token_for_a_slow_hash(world):
    return issued(world, world.brought)


@scenario
def token_of_an_application_just_made(world):
    return issued(world, world.fresh())


@scenario
def token_with_a_wrong_secret(world):
    wrong = Application({"client_id": world.jwt.id, "client_secret": "wrong" * 8})
    return Step(lambda: world.server.token(wrong), 401,
                lambda a: a.error == "invalid_client")


@scenario
def token_of_an_unknown_client(world):
    unknown = Application({"client_id": "nobody", "client_secret": "wrong" * 8})
    return Step(lambda: world.server.token(unknown), 401,
                lambda a: a.error == "invalid_client")


# ------------------------------------------------------------------ users
@scenario
def token_for_a_password(world):
    """A name of its own: what is remembered costs no hash."""
    name = world.fresh_user()
    return Step(lambda: world.login(name), holds=lambda a: world.good(a.json()["access_token"]))


@scenario
def token_for_a_wrong_password(world):
    return Step(lambda: world.login("ann", "a wrong password"), 400,
                lambda a: a.error == "invalid_grant")


@scenario
def token_for_a_refresh_token(world):
    """Acknowledged, its successor goes on; refused, the one that the client has still does."""
    first = answered(world.login(world.fresh_user())).json()["refresh_token"]

    def goes_on(answer, _):
        mine = answer.json()["refresh_token"] if answer.status == 200 else first
        assert world.renew(mine).status in (200, 503)
    return Step(lambda: world.renew(first), after=goes_on,
                holds=lambda a: world.good(a.json()["access_token"]))


@scenario
def revoke_refresh(world):
    token = answered(world.login(world.fresh_user())).json()["refresh_token"]
    return Step(lambda: world.server.revoke(world.users, token),
                holds=lambda a: not world.renews(token))


@scenario
def user_create(world):
    name = f"u{next(world.serial)}"
    body = {"username": name, "password": PASSWORD, "scope": "alpha"}
    return Step(managed(world, "POST", "users", None, body), 201, holds=lambda a: world.knows(name))


def user_changed(world, method, path, body, holds):
    name = world.fresh_user()
    granted = answered(world.login(name)).json()

    def ended(answer):
        return world.dead(granted["access_token"]) and \
            not world.renews(granted["refresh_token"]) and holds(name)
    return Step(lambda: world.server.admin(method, f"{ADMIN}{path}?username={name}", body),
                holds=ended)


@scenario
def user_password(world):
    return user_changed(world, "POST", "user/password", {"password": "another password"},
                        lambda name: not world.knows(name) and
                        world.knows(name, "another password"))


@scenario
def user_disable(world):
    return user_changed(world, "POST", "user/disable", {}, lambda name: not world.knows(name))


@scenario
def user_delete(world):
    return user_changed(world, "DELETE", "user", None, lambda name: not world.knows(name))


def described(world, app):
    token = world.server.bearer(app)
    return Step(lambda: world.server.introspect(world.caller, token),
                right=lambda a: a.json()["active"] is True)


@scenario
def introspect_jwt(world):
    return described(world, world.jwt)


@scenario
def introspect_sealed(world):
    return described(world, world.sealed)


@scenario
def introspect_reference(world):
    return described(world, world.reference)


@scenario
def introspect_a_revoked_one(world):
    token = world.server.bearer(world.sealed)
    assert world.server.revoke(world.sealed, token).status == 200
    return Step(lambda: world.server.introspect(world.caller, token),
                right=lambda a: a.json() == {"active": False})


@scenario
def check_jwt(world):
    token = world.server.bearer(world.jwt)
    return Step(lambda: world.server.check(token))


@scenario
def check_sealed(world):
    token = world.server.bearer(world.sealed)
    return Step(lambda: world.server.check(token, "?scope=alpha"))


@scenario
def check_reference(world):
    token = world.server.bearer(world.reference)
    return Step(lambda: world.server.check(token, "?scope=alpha"))


@scenario
def check_without_token(world):
    return Step(world.server.check, 401)


def revoked(world, app):
    token = world.server.bearer(app)
    return Step(lambda: world.server.revoke(app, token), holds=lambda a: world.dead(token))


@scenario
def revoke_jwt(world):
    return revoked(world, world.jwt)


@scenario
def revoke_sealed(world):
    return revoked(world, world.sealed)


@scenario
def revoke_reference(world):
    return revoked(world, world.reference)


# ------------------------------------------------------------------ what is published
@scenario
def metadata_and_keys(world):
    return Step(lambda: world.server.get("/.well-known/jwks.json"),
                right=lambda a: len(a.json()["keys"]) >= 1)


@scenario
def metadata(world):
    return Step(lambda: world.server.get("/.well-known/oauth-authorization-server"),
                right=lambda a: a.json()["issuer"].startswith("http"))


@scenario
def metrics(world):
    return Step(lambda: world.server.get("/metrics"))


# ------------------------------------------------------------------ management
@scenario
def app_create(world):
    body = {"client_id": f"c{next(world.serial)}", "name": "created", "scope": "alpha"}
    return Step(managed(world, "POST", "applications", None, body), 201,
                holds=lambda a: world.works(Application(a.json())))


@scenario
def app_create_with_a_brought_secret(world):
    body = {"client_id": f"c{next(world.serial)}", "name": "created",
            "client_secret": "only-sixteen-cha"}
    return Step(managed(world, "POST", "applications", None, body), 201,
                holds=lambda a: world.works(Application(body)))


@scenario
def app_update(world):
    app = world.fresh()
    return Step(managed(world, "PATCH", "application", app, {"scope": "beta"}),
                holds=lambda a: answered(world.server.token(app)).json()["scope"] == "beta")


@scenario
def app_update_a_budget(world):
    app = world.fresh()
    listed = managed(world, "GET", "application", app)
    return Step(managed(world, "PATCH", "application", app, {"budget": "7/1h"}),
                holds=lambda a: answered(listed()).json()["budget"] == "7/1h")


@scenario
def app_disable(world):
    app = world.fresh()
    token = world.server.bearer(app)
    return Step(managed(world, "POST", "application/disable", app, {}),
                holds=lambda a: world.dead(token) and world.refused(app))


@scenario
def app_enable(world):
    app = world.fresh()
    token = world.server.bearer(app)
    world.server.act("disable", app)
    return Step(managed(world, "POST", "application/enable", app, {}),
                holds=lambda a: world.works(app) and world.dead(token))


@scenario
def app_delete(world):
    app = world.fresh()
    token = world.server.bearer(app)
    return Step(managed(world, "DELETE", "application", app),
                holds=lambda a: world.dead(token) and world.refused(app))


@scenario
def app_revoke_tokens(world):
    app = world.fresh(token_format="sealed")
    token = world.server.bearer(app)
    return Step(managed(world, "POST", "application/revoke-tokens", app, {}),
                holds=lambda a: world.works(app) and world.dead(token))


@scenario
def secret_add(world):
    app = world.fresh()
    return Step(managed(world, "POST", "application/secrets", app, {"label": "second"}), 201,
                holds=lambda a: world.works(app) and world.works(Application(
                    {"client_id": app.id, "client_secret": a.json()["client_secret"]})))


@scenario
def secret_remove_and_what_it_issued(world):
    app = world.fresh()
    token = world.server.bearer(app)
    body = {"secret": world.server.secrets(app)[0]["secret"], "revoke_tokens": True}
    return Step(managed(world, "POST", "application/secrets/remove", app, body),
                holds=lambda a: world.dead(token) and world.refused(app))


@scenario
def scope_remove(world):
    """The list of an API's scopes; each further API would cost a call of the store more."""
    scope = f"s{next(world.serial)}"
    world.server.manage("POST", "scopes", None, {"scope": scope})
    listed = managed(world, "GET", "scopes")
    return Step(managed(world, "POST", "scopes/remove", None, {"scope": scope}),
                holds=lambda a: f'"{scope}"' not in answered(listed()).text)


@scenario
def key_compromise(world):
    """Acknowledged, the key is gone and so is what it signed; what it was followed by signs."""
    token = world.server.bearer(world.jwt)
    lost = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]

    def gone(_):
        keys = answered(world.server.get("/.well-known/jwks.json")).json()["keys"]
        return lost not in {key["kid"] for key in keys} and world.dead(token) and \
            world.works(world.jwt)
    return Step(managed(world, "POST", "keys/compromise", None, {"kid": lost}), holds=gone)


key_compromise.rare = 8


@scenario
def app_list(world):
    return Step(managed(world, "GET", "applications"),
                right=lambda a: len(a.json()["applications"]) >= 4)


@scenario
def audit_list(world):
    return Step(managed(world, "GET", "audit"))


@scenario
def backup(world):
    path = f"{world.server.folder}/backup{next(world.serial)}.db"

    def sound(answer):
        copy = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok" and \
                os.stat(path).st_mode & 0o077 == 0
        finally:
            copy.close()
    return Step(managed(world, "POST", "backup", None, {"file": path}), 201, holds=sound)
