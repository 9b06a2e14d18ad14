# SPDX-License-Identifier: Apache-2.0
"""What the tests of `app import` have in common: hashes made by PHP (its own bcrypt, libargon2),
OpenBSD's bcrypt and Python, which share no code with ours; files, and what came of them."""
import base64
import hashlib
import json
import sqlite3
import subprocess

import bcrypt as openbsd
import pytest

from instance import Application

SHORT = "old-short-pw"
LONG = "an-old-secret-of-more-than-32-characters"
GOOD = {"client_id": "good", "client_secret": LONG}


def php(code, secret):
    """What a line of PHP prints, with the secret on its standard input."""
    code = "$s = stream_get_contents(STDIN);" + code
    return subprocess.run(["php", "-r", code], input=secret, capture_output=True, text=True,
                          check=True, timeout=60).stdout


def b64(raw):
    return base64.b64encode(raw).decode()


def pbkdf2(secret, rounds, salt=b"some-salt-16byte"):
    return hashlib.pbkdf2_hmac("sha256", secret.encode(), salt, rounds)


def passlib(secret, rounds=2000, salt=b"\xfb\xff\xbfsome-salt"):
    coded = [b64(part).rstrip("=").replace("+", ".")
             for part in (salt, pbkdf2(secret, rounds, salt))]
    return f"$pbkdf2-sha256${rounds}${coded[0]}${coded[1]}"


def phc(secret):
    salt = b"some-salt"
    tag = pbkdf2(secret, 3000, salt)
    return f"$pbkdf2-sha256$i=3000,l=32${b64(salt).rstrip('=')}${b64(tag).rstrip('=')}"


def django(secret):
    return f"pbkdf2_sha256$2000$seasalt${b64(pbkdf2(secret, 2000, b'seasalt'))}"


def argon(kind, options):
    return lambda secret: php(
        f"echo password_hash($s, PASSWORD_{kind}, ['memory_cost' => 1024, {options}]);", secret)


def openbsd_bcrypt(secret):
    return openbsd.hashpw(secret.encode(), openbsd.gensalt(4)).decode()


def bcrypt(prefix):
    return lambda secret: prefix + php(
        "echo password_hash($s, PASSWORD_BCRYPT, ['cost' => 4]);", secret)[4:]


def sha256(secret):
    return hashlib.sha256(secret.encode())


# name -> (maker, how it is kept)
SCHEMES = {
    "bcrypt-2y": (bcrypt("$2y$"), "bcrypt"),
    "bcrypt-2b": (openbsd_bcrypt, "bcrypt"),
    "bcrypt-2a": (bcrypt("$2a$"), "bcrypt"),
    "bcrypt-spring": (bcrypt("{bcrypt}$2a$"), "bcrypt"),
    "argon2id": (argon("ARGON2ID", "'time_cost' => 2, 'threads' => 1"), "argon2id"),
    "argon2id-lanes": (argon("ARGON2ID", "'time_cost' => 3, 'threads' => 4"), "argon2id"),
    "argon2i": (argon("ARGON2I", "'time_cost' => 3, 'threads' => 1"), "argon2i"),
    "pbkdf2-passlib": (passlib, "pbkdf2-sha256"),
    "pbkdf2-phc": (phc, "pbkdf2-sha256"),
    "pbkdf2-django": (django, "pbkdf2-sha256"),
    "sha256-hex": (lambda secret: sha256(secret).hexdigest(), "argon2id-sha256"),
    "sha256-hex-upper": (lambda secret: sha256(secret).hexdigest().upper(), "argon2id-sha256"),
    "sha256-word": (lambda secret: "sha256:" + sha256(secret).hexdigest(), "argon2id-sha256"),
    "sha256-base64": (lambda secret: b64(sha256(secret).digest()), "argon2id-sha256"),
    "sha256-ldap": (lambda secret: "{SHA256}" + b64(sha256(secret).digest()), "argon2id-sha256"),
}


@pytest.fixture
def lines(tmp_path):
    """Writes JSON lines (of objects, or as they are) and gives the file's name."""
    def write(*rows):
        path = tmp_path / f"apps{len(list(tmp_path.iterdir()))}.jsonl"
        path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n"
                                for row in rows))
        return str(path)
    return write


def old(client_id, secret):
    app = Application({"client_id": client_id})
    app.secret = secret
    return app


def counts(server, *args, **more):
    facts = server.cli("app", "import", *args, "--json", **more)
    return facts["created"], facts["updated"], facts["unchanged"]


def refused(server, *args, status=1, **more):
    done = server.run_cli("app", "import", *args, **more)
    assert done.returncode == status, done
    assert not done.stdout, done
    return done.stderr


def rows(server, query):
    store = sqlite3.connect(f"file:{server.data}/twoleg.db?mode=ro", uri=True)
    try:
        return store.execute(query).fetchall()
    finally:
        store.close()


def applications(server):
    return rows(server, "SELECT count(*) FROM applications")[0][0]


def test_every_scheme_gets_a_token_with_the_old_secret(server, lines):
    apps = {name: old("old-" + name, f"{SHORT}-{name}") for name in SCHEMES}
    file = lines(*({"client_id": app.id, "client_secret_hash": SCHEMES[name][0](app.secret)}
                   for name, app in apps.items()))
    assert counts(server, file) == (len(SCHEMES), 0, 0)
    for name, app in apps.items():
        assert server.token(app).status == 200, name
        assert server.token(app, "post").status == 200, name
        for wrong in (app.secret + "x", app.secret[:-1], app.secret.upper()):
            assert server.token(old(app.id, wrong)).status == 401, (name, wrong)
        assert [row["kept"] for row in server.secrets(app)] == [SCHEMES[name][1]], name
    assert counts(server, file) == (0, 0, len(SCHEMES))
    server.restart()
    for name, app in apps.items():
        assert server.token(app).status == 200, name
