# SPDX-License-Identifier: Apache-2.0
"""The state matrix: applications in every state, and what each door says about them."""
import pathlib
import re
import sqlite3
import urllib.parse

from instance import FORMATS

RULES = pathlib.Path(__file__).with_name("state_matrix.rules")
ENDPOINTS = ("token", "introspect", "ask", "revoke", "check")
USER_ENDPOINTS = (*ENDPOINTS, "refresh")
PASSWORD = "the password of all of them"
AUTHS = ("basic", "post")
OTHER_API = "https://other.example/"
ACCOUNT_API = "https://account.example/"
ACCOUNT = 4711


class Rules:
    def __init__(self):
        self.refusals, self.lines, self.used = {}, [], set()
        for line in RULES.read_text().splitlines():
            words = line.split("#")[0].split()
            if words and words[0] == "default":
                self.refusals[words[1]] = words[2]
            elif words:
                self.lines.append((*words[:4], " ".join(words[4:])))

    def expected(self, state, endpoint, auth, token_format):
        for i, (*place, outcome) in enumerate(self.lines):
            if all(want in ("*", have) for want, have in
                   zip(place, (state, endpoint, auth, token_format))):
                self.used.add(i)
                return outcome
        return self.refusals[endpoint]


class Subject:
    """One application in one state, with tokens it got before it came into it."""

    def __init__(self, app, caller, query=""):
        self.app, self.caller, self.query = app, caller, query
        self.tokens = {}  # by auth: one to look at
        self.spare = {}  # by auth: some to revoke
        self.user = None  # whom the tokens are for
        self.refresh = {}  # by auth: tokens of as many families; one is enough
        self.refresher = app


class Matrix:
    auths = AUTHS
    users = True  # also those whose tokens are a user's, by password

    def __init__(self, server, rounds):
        """rounds: how often the matrix will be run; each run revokes tokens."""
        self.server, self.rounds = server, rounds
        self.rules = Rules()
        self.subjects = {}  # (state, format)
        self.red_before = set()  # without any mutation
        self.callers()
        self.build_restored()
        self.build_all()
        self.build_later()
        self.edit_store()
        for (state, _), subject in self.subjects.items():
            act = getattr(self, "become_" + state, None)
            if act:
                act(subject)
        server.hooks.clock(120)  # expired: its tokens live for a minute
        self.good = server.bearer(self.plain)

    # ------------------------------------------------------------------ applications and tokens
    def callers(self):
        server = self.server
        self.resource_server = server.app(name="resource server", resource_server=True)
        for identifier, name in ((OTHER_API, "other"), (ACCOUNT_API, "account")):
            server.api(identifier, name, "alpha beta")
        self.other_server = server.app(name="other server", serves=OTHER_API)
        self.plain = server.app(name="plain", scope="alpha beta")
        # Each refresh token of an application drives out an old one: this one gets none.
        self.plain_password = server.app(name="password", scope="alpha beta", grants="password")

    def add(self, state, token_format, caller=None, query="?scope=alpha", **options):
        options.setdefault("scope", "alpha beta")
        options.setdefault("resource_server", True)
        if not options["resource_server"]:
            del options["resource_server"]
        app = self.server.app(name=state, token_format=token_format,
                              client_id=f"{state}-{token_format}", **options)
        subject = Subject(app, caller or self.resource_server, query)
        for auth in self.auths:
            fields = {"resource": self.server.issuer} if state == "audience_removed" else {}
            subject.tokens[auth] = self.server.bearer(app, auth, **fields)
            subject.spare[auth] = [self.server.bearer(app, auth, **fields)
                                   for _ in range(self.rounds)]
        self.subjects[state, token_format] = subject

    def build_restored(self):
        server = self.server
        for token_format in FORMATS:
            self.add("restored", token_format)
        backup = server.data + ".backup"
        server.cli("backup", backup)
        server.stop()
        server.cli("restore", backup, "--yes")
        server.start()

    def build_all(self):
        for token_format in FORMATS:
            for state in ("active", "disabled", "reenabled", "deleted", "recreated",
                          "secret_removed", "secret_revoked", "secret_expired", "secret_early",
                          "generation_raised", "token_revoked", "scopes_gone",
                          "tied_elsewhere", "tied_here",
                          "account_disabled"):
                self.add(state, token_format)
            self.add("expired", token_format, token_ttl="60")
            self.add("scope_removed", token_format, query="?scope=beta")
            self.add("audience_removed", token_format, query="", scope="",
                     audience=[self.server.issuer, OTHER_API])
            self.add("no_resource_server", token_format, resource_server=False)
            self.add("other_audience", token_format, self.other_server,
                     "?resource=" + urllib.parse.quote(OTHER_API))
            self.add_foreign(token_format)
            for state in () if not self.users else (
                    "user", "user_disabled", "user_reenabled", "user_deleted", "user_recreated",
                    "user_passwd", "family_ended", "user_secret_revoked",
                    "refresh_expired", "refresh_idle", "refresh_restored",
                    "refresh_revoked", "refresh_foreign"):
                self.add_user(state, token_format)

    def build_later(self):
        """By a clock that is a day ahead; the restart that follows believes another one."""
        self.server.hooks.clock(86400)
        for token_format in FORMATS:
            self.add("issued_later", token_format)

    def add_user(self, state, token_format):
        """An application with tokens for a user, by password."""
        server, name = self.server, f"{state}-{token_format}"
        app = server.app(name=state, token_format=token_format, client_id=name,
                         scope="alpha beta", resource_server=True,
                         grants="client_credentials password")
        self.make_user(name)
        subject = Subject(app, self.resource_server, "?scope=alpha")
        subject.user = name
        # They come without refresh tokens, of which a user has only so many.
        for auth in AUTHS:
            subject.spare[auth] = [self.by_password(app, name, auth).json()["access_token"]
                                   for _ in range(self.rounds)]
        server.update(app, grants="client_credentials password refresh_token")
        for auth in AUTHS:
            answers = [self.by_password(app, name, auth).json() for _ in range(3)]
            subject.tokens[auth] = answers[0]["access_token"]
            # The family of what is looked at comes last: a mutation may end those before it.
            subject.refresh[auth] = [answer["refresh_token"] for answer in reversed(answers)]
        if state == "refresh_foreign":
            subject.refresher = server.app(name="not its own", client_id="not-" + name,
                                           scope="alpha beta",
                                           grants="client_credentials password refresh_token")
        self.subjects[state, token_format] = subject

    def make_user(self, name):
        self.server.manage("POST", "users", None,
                           {"username": name, "password": PASSWORD, "scope": "alpha beta"})

    def by_password(self, app, name, auth):
        return self.server.token(app, auth, grant_type="password", username=name,
                                 password=PASSWORD)

    def add_foreign(self, token_format):
        """The tokens are an application's of our account; who acts is one of another."""
        self.add("other_account", token_format,
                 query="?resource=" + urllib.parse.quote(ACCOUNT_API))
        subject = self.subjects["other_account", token_format]
        subject.app = self.server.app(name="foreign", client_id="foreign-" + token_format,
                                      audience=ACCOUNT_API, serves=ACCOUNT_API,
                                      token_format=token_format)
        subject.caller = subject.app

    # ------------------------------------------------------------------ states
    def edit_store(self):
        """What no command can do yet: other accounts, times of secrets."""
        self.server.stop()
        store = sqlite3.connect(self.server.data + "/twoleg.db")
        foreign = [f"foreign-{f}" for f in FORMATS]
        self.move(store, ACCOUNT, 0, foreign)
        self.move(store, ACCOUNT + 1, 1, [f"account_disabled-{f}" for f in FORMATS])
        store.execute("UPDATE apis SET account = ? WHERE identifier = ?", (ACCOUNT, ACCOUNT_API))
        for state, change in (("secret_expired", "expires_us = created_us + 1"),
                              ("secret_early", "not_before_us = created_us + 86400000000")):
            done = store.execute(f"UPDATE secrets SET {change} WHERE application IN "
                                 "(SELECT number FROM applications WHERE name = ?)", (state,))
            assert done.rowcount == len(FORMATS)
        for state, change in () if not self.users else (
                ("refresh_expired", "expires_us = rotated_us + 1"),
                ("refresh_idle", "idle_us = rotated_us + 1"),
                ("refresh_restored", "epoch = epoch + 1")):
            done = store.execute(f"UPDATE refresh_tokens SET {change} WHERE user IN (SELECT number "
                                 "FROM users WHERE username LIKE ?)", (state + "-%",))
            assert done.rowcount == 3 * len(AUTHS) * len(FORMATS)
        store.commit()
        store.close()
        self.server.start()

    def move(self, store, account, status, client_ids):
        store.execute("INSERT INTO accounts (number, name, status, created_us, updated_us) "
                      "VALUES (?, ?, ?, 1, 1)", (account, f"account {account}", status))
        for client_id in client_ids:
            number, = store.execute("SELECT number FROM applications WHERE client_id = ?",
                                    (client_id,)).fetchone()
            store.execute("UPDATE applications SET account = ? WHERE number = ?", (account, number))
            for table in ("secrets", "application_apis", "application_scopes"):
                store.execute(f"UPDATE {table} SET account = ? WHERE application = ?",
                              (account, number))

    def become_disabled(self, subject):
        self.server.act("disable", subject.app)

    def become_reenabled(self, subject):
        self.server.act("disable", subject.app)
        self.server.act("enable", subject.app)

    def become_deleted(self, subject):
        self.server.delete(subject.app)

    def become_recreated(self, subject):
        self.server.delete(subject.app)
        self.server.app(name="recreated", client_id=subject.app.id, scope="alpha beta",
                        resource_server=True, token_format=subject.app.facts["token_format"])

    def become_secret_removed(self, subject):
        self.server.remove_secret(subject.app)

    def become_secret_revoked(self, subject):
        self.server.remove_secret(subject.app, revoke_tokens=True)

    def become_generation_raised(self, subject):
        self.server.act("revoke-tokens", subject.app)

    def become_token_revoked(self, subject):
        for auth in self.auths:
            for token in [subject.tokens[auth], *subject.spare[auth]]:
                assert self.server.revoke(subject.app, token).status == 200

    def become_tied_elsewhere(self, subject):
        self.server.update(subject.app, dialects="rti-sms smscx")

    def become_tied_here(self, subject):
        self.server.update(subject.app, dialects="rti-sms rfc6749")

    def become_scope_removed(self, subject):
        self.server.update(subject.app, scope="alpha")

    def become_scopes_gone(self, subject):
        self.server.update(subject.app, scope="")

    def become_audience_removed(self, subject):
        self.server.update(subject.app, audience=[OTHER_API])

    def become_user_disabled(self, subject):
        self.server.cli("user", "disable", subject.user, "--yes")

    def become_user_reenabled(self, subject):
        self.server.cli("user", "disable", subject.user, "--yes")
        self.server.cli("user", "enable", subject.user)

    def become_user_deleted(self, subject):
        self.server.cli("user", "delete", subject.user, "--yes")

    def become_user_recreated(self, subject):
        self.server.cli("user", "delete", subject.user, "--yes")
        self.make_user(subject.user)

    def become_user_passwd(self, subject):
        self.server.cli("user", "passwd", subject.user, "--yes")

    def become_family_ended(self, subject):
        for token in (token for auth in AUTHS for token in subject.refresh[auth]):
            assert self.server.revoke(subject.app, token).status == 200

    def become_user_secret_revoked(self, subject):
        """It goes on with another secret."""
        row, = self.server.secrets(subject.app)
        subject.app.secret = self.server.cli("secret", "add", subject.app.id,
                                             "--json")["client_secret"]
        self.server.manage("POST", "application/secrets/remove", subject.app,
                           {"secret": row["secret"], "revoke_tokens": True})

    def become_refresh_revoked(self, subject):
        self.server.act("revoke-tokens", subject.app)

    # ------------------------------------------------------------------ cells
    def introspected(self, caller, token, auth):
        answer = self.server.introspect(caller, token, auth)
        if answer.status != 200:
            return answer.error or str(answer.status)
        body = answer.json()
        return f"active {body.get('scope', '')}".strip() if body["active"] else "inactive"

    def cell_token(self, subject, auth):
        answer = self.by_password(self.plain_password, subject.user, auth) if subject.user else \
            self.server.token(subject.app, auth)
        return "issued" if answer.status == 200 else answer.error or str(answer.status)

    def cell_refresh(self, subject, auth):
        tokens = subject.refresh[auth]
        if subject.refresher is not subject.app:
            return self.revoked_by(subject.refresher, tokens, auth)
        answer = self.server.token(subject.refresher, auth, grant_type="refresh_token",
                                   refresh_token=tokens[0])
        if answer.status != 200:
            return answer.error or str(answer.status)
        # One that a mutation let in has been put off: the next one is as it should be.
        tokens.append(answer.json()["refresh_token"])
        tokens.pop(0)
        return "issued"

    def revoked_by(self, stranger, tokens, auth):
        """To be given one it would have to have the owner's generation as well; to end one, not."""
        answer = self.server.token(stranger, auth, grant_type="refresh_token",
                                   refresh_token=tokens[0])
        assert (answer.status, answer.error) == (400, "invalid_grant")
        answer = self.server.revoke(stranger, tokens[0], auth)
        if answer.status != 200:
            return answer.error
        tokens.pop(0)
        return "revoked"

    def cell_introspect(self, subject, auth):
        return self.introspected(subject.caller, subject.tokens[auth], auth)

    def cell_ask(self, subject, auth):
        return self.introspected(subject.app, self.good, auth)

    def cell_revoke(self, subject, auth):
        token = subject.spare[auth].pop()
        before = self.check(token).status
        answer = self.server.revoke(subject.app, token, auth)
        after = self.check(token).status
        if answer.status == 401:
            return answer.error if after == before else "revoked " + answer.error
        if before != 200:
            return "nothing"
        return "kept" if after == 200 else "revoked"

    def check(self, token, query=""):
        return self.server.check(token, query)

    def cell_check(self, subject, auth):
        answer = self.check(subject.tokens[auth], subject.query)
        if answer.status == 200:
            return "passes"
        found = re.search(r'error="([a-z_]+)"', answer.headers["WWW-Authenticate"])
        wanted = {401: "invalid_token", 403: "insufficient_scope"}.get(answer.status)
        code = found.group(1) if found else "none"
        return code if code == wanted else f"{answer.status} {code}"

    def ruled(self, state):
        """The state whose rules hold for one that is in this."""
        return state

    def run(self, states=None, formats=FORMATS):
        """All cells that are not as the rules say: (state, endpoint, auth, format, found)."""
        red = []
        for (state, token_format), subject in self.subjects.items():
            if (states and state not in states) or token_format not in formats:
                continue
            for endpoint in USER_ENDPOINTS if subject.user else ENDPOINTS:
                for auth in self.auths:
                    found = getattr(self, "cell_" + endpoint)(subject, auth)
                    wanted = self.rules.expected(self.ruled(state), endpoint, auth,
                                                 token_format)
                    if found != wanted:
                        red.append(f"{state} {endpoint} {auth} {token_format}: "
                                   f"{found}, not {wanted}")
        return red
