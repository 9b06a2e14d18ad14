# SPDX-License-Identifier: Apache-2.0
"""`app import`: applications with the IDs and secrets they had elsewhere."""
import json
import pathlib
import re

import pytest

from imported import (GOOD, LONG, SCHEMES, SHORT, applications, b64, counts, lines, old, refused,
                      rows, sha256)
from instance import ROOT, basic_raw, insist

__all__ = ["lines"]  # a fixture


@pytest.fixture
def server(own_server):
    return own_server


def seen(server, app):
    """What a caller sees of an answer, but for the time and the request's number."""
    answer = server.token(app)
    headers = [pair for pair in answer.headers.items() if pair[0] not in ("Date", "X-Request-Id")]
    return answer.status, headers, answer.body


def slow_hash_limits(server):
    text = server.get("/metrics").text
    return int(re.search(r'limit="slow_hashes_per_client"} (\d+)', text)[1])


def test_B1_B2_guesses_at_imported_secrets_look_like_an_unknown_id_and_meet_the_limit(
        make_server, lines, tmp_path):
    """Near or far, each guess costs one slow hash: the bound of the hashes counts them, and gives
    back what a right one took."""
    config = tmp_path / "twoleg.yaml"
    config.write_text("workers: 1\nslow_hashes_per_client: 5/1d\n"
                      "failures_per_address: none\nfailures_per_client: none\n")
    server = make_server(config=config).start()
    file = lines(*({"client_id": name, "client_secret_hash": maker(SHORT)}
                   for name, (maker, _) in SCHEMES.items()))
    assert counts(server, file) == (len(SCHEMES), 0, 0)
    unknown = seen(server, old("nobody", SHORT))
    assert unknown[0] == 401
    guesses = (SHORT[:-1] + "x", "x" + SHORT[1:], SHORT[:-1], "x", "x" * 1024)
    for number, name in enumerate(SCHEMES):
        assert server.token(old(name, SHORT)).status == 200, name
        for guess in guesses:
            assert seen(server, old(name, guess)) == unknown, (name, guess)
        assert slow_hash_limits(server) == number, name
        answer = server.token(old(name, SHORT + "x"))
        assert answer.status == 429 and answer.headers["Retry-After"], (name, answer)
        assert slow_hash_limits(server) == number + 1, name
        assert server.token(old(name, SHORT)).status == 200, name  # known by now


EXAMPLES = [(path.relative_to(ROOT), form, number, text)
            for path in (ROOT / "docs/import.md", ROOT / "README.md")
            for number, (form, text) in enumerate(
                re.findall(r"^```(json|csv)\n(.*?)^```$", path.read_text(), re.M | re.S))]


@pytest.mark.parametrize("path, form, number, text", EXAMPLES)
def test_the_examples_of_the_documents(server, tmp_path, path, form, number, text):
    """As printed; the secret of each is old-secret-of-NAME."""
    file = tmp_path / f"apps.{form}"
    file.write_text(text)
    names = re.findall(r'^{"client_id": "([^"]*)"' if form == "json" else r"^(?!client_id)(\w+),",
                       text, re.M)
    count = len(names)
    assert count == len(text.splitlines()) - (form == "csv")
    for options, word in ((["--dry-run"], "would be created"), ([], "created"), ([], "unchanged")):
        done = server.run_cli("app", "import", str(file), *options)
        assert done.returncode == 0 and f"{count} {word}" in done.stdout, done
        if path.name == "import.md" and form == "json":
            shown = f"twoleg app import apps.jsonl{' --dry-run' if options else ''}\n    "
            assert shown + done.stdout in (ROOT / path).read_text()
    for name in names:
        for secret, status in (("old-secret-of-", 200), ("old-secret-of-x", 401)):
            asked = old(name, secret + name)
            assert insist(lambda asked=asked: server.token(asked)).status == status, name


def test_there_is_an_example_of_each_form():
    assert sorted((str(path), form) for path, form, *_ in EXAMPLES) == [
        ("README.md", "csv"), ("docs/import.md", "csv"), ("docs/import.md", "json")]


def test_plain_secrets_and_all_other_facts(server, lines):
    server.api("https://api.example/", "an API", "alpha")
    file = lines(
        {"client_id": "a:b/c%20d", "client_secret": SHORT, "name": "Ärger & Co", "scope": "x y"},
        {"client_id": "long", "client_secret": LONG, "scope": "alpha beta", "token_ttl": "2h",
         "audience": "https://api.example/", "token_format": "sealed", "budget": "100/1m",
         "budget_mode": "observe", "resource_server": True, "dialects": "smscx rfc6749"},
        {"client_id": "ever", "client_secret": LONG, "token_ttl": None,
         "token_format": "sealed"})
    done = server.run_cli("app", "import", file, "--json")
    assert done.returncode == 0, done
    assert json.loads(done.stdout) == {"dry_run": False, "applications": 3, "created": 3,
                                       "updated": 0, "unchanged": 0}
    told = [json.loads(line)["message"] for line in done.stderr.splitlines()]
    assert len([text for text in told if '"x"' in text]) == 1, told
    assert server.token(old("a:b/c%20d", SHORT), scope="x").status == 200
    facts = server.cli("app", "show", "long", "--json")
    assert facts["name"] == "long" and facts["token_ttl"] == 7200
    assert facts["scope"] == "alpha beta" and facts["serves"] == ["https://api.example/"]
    assert facts["token_format"] == "sealed" and facts["audience"] == ["https://api.example/"]
    assert facts["budget"] == "100/1m" and facts["budget_mode"] == "observe"
    assert sorted(facts["dialects"].split()) == ["rfc6749", "smscx"]
    assert [row["kept"] for row in facts["secrets"]] == ["hmac"]
    assert "expires_in" not in server.token(old("ever", LONG)).json()
    assert server.cli("app", "show", "a:b/c%20d", "--json")["name"] == "Ärger & Co"


def test_rfc6749_a2_a_secret_with_blanks_inside_is_known_however_it_is_sent(server, lines):
    """Keyed and slow ones, by Basic as it is and form-encoded, and in a body."""
    for secret in ("correct  horse battery", "correct horse " * 3 + "battery"):
        name = f"of {len(secret)}".replace(" ", "-")
        assert counts(server, lines({"client_id": name, "client_secret": secret})) == (1, 0, 0)
        assert server.token(old(name, secret)).status == 200, secret
        assert server.form("/oauth/token", {"grant_type": "client_credentials"}, headers={
            "Authorization": basic_raw(name, secret)}).status == 200, secret
        assert server.token(old(name, secret), "post").status == 200, secret
        wrong = old(name, secret.replace("horse ", "horse"))
        assert server.token(wrong, "post").status == 401, secret


def test_csv_as_spreadsheets_write_it(server, tmp_path):
    server.api("https://one.example/", "one", "")
    server.api("https://two.example/", "two", "")
    file = tmp_path / "apps.csv"
    file.write_bytes(
        b"\xef\xbb\xbfclient_id,name,client_secret,scope,audience,token_ttl,resource_server\r\n"
        b'csv-1,"A ""quoted"", name",' + SHORT.encode() + b",a b,,,\r\n"
        b"\r\n"
        b'csv-2,,"' + LONG.encode() + b'",,https://one.example/ https://two.example/,90,true')
    assert counts(server, str(file)) == (2, 0, 0)
    assert counts(server, "-", input=file.read_text("utf-8")) == (0, 0, 2)
    facts = server.cli("app", "show", "csv-1", "--json")
    assert facts["name"] == 'A "quoted", name' and facts["scope"] == "a b"
    facts = server.cli("app", "show", "csv-2", "--json")
    both = ["https://one.example/", "https://two.example/"]
    assert sorted(facts["audience"]) == sorted(facts["serves"]) == both
    assert facts["token_ttl"] == 90
    assert server.token(old("csv-1", SHORT)).status == 200


def test_a_dry_run_says_all_and_changes_nothing(server, lines):
    file = lines(GOOD, {"client_id": "b", "client_secret": SHORT, "scope": "new"},
                 {"client_id": "c", "client_secret_hash": sha256(SHORT).hexdigest()})
    before = rows(server, "SELECT max(sequence) FROM change_feed")
    done = server.run_cli("app", "import", file, "--dry-run")
    assert done.returncode == 0, done
    assert done.stdout == "3 applications: 3 would be created, 0 would be updated, 0 unchanged\n"
    assert 'the scope "new" is not known yet: the import would declare it by ' in done.stderr
    assert rows(server, "SELECT max(sequence) FROM change_feed") == before
    assert applications(server) == 0
    assert rows(server, "SELECT count(*) FROM scopes WHERE name = 'new'") == [(0,)]


def test_what_is_there_with_other_facts_is_refused_or_updated(server, lines):
    app = server.app(name="mine", client_id="good", scope="a b", secret=LONG)
    assert counts(server, lines({**GOOD, "scope": "b a"})) == (0, 0, 1)
    assert counts(server, lines({**GOOD, "name": "mine", "token_ttl": "1h"})) == (0, 0, 1)
    changed = lines({**GOOD, "name": "theirs", "scope": "a", "token_ttl": 60, "budget": "5/1m",
                     "token_format": "sealed", "client_secret": SHORT, "dialects": "rfc6749"})
    said = refused(server, changed)
    assert (":1: " in said and
            "other facts: name, token format, life of tokens, budget, dialects, scope, audience or "
            "served APIs, secret\n" in said), said
    assert "nothing was imported. With --update, what is there becomes" in said, said
    assert counts(server, changed, "--update", "--dry-run") == (0, 1, 0)
    assert counts(server, lines({**GOOD, "scope": "b a"})) == (0, 0, 1)
    assert counts(server, changed, "--update") == (0, 1, 0)
    assert counts(server, changed) == (0, 0, 1)
    facts = server.cli("app", "show", "good", "--json")
    assert (facts["name"], facts["scope"], facts["token_ttl"]) == ("theirs", "a", 60)
    assert [row["kept"] for row in facts["secrets"]] == ["hmac", "argon2id"]
    for secret in (LONG, SHORT):
        assert server.token(old(app.id, secret)).status == 200
    actions = [row[0] for row in rows(server, "SELECT action FROM audit ORDER BY sequence")]
    assert actions[-2:] == ["application.update", "secret.add"], actions


def test_one_secret_is_known_again_in_every_form(server, lines):
    """What was imported as a hash is there when the text comes, and the other way round."""
    forms = {name: maker for name, (maker, _) in SCHEMES.items()}
    file = lines(*({"client_id": name, "client_secret_hash": maker(SHORT)}
                   for name, maker in forms.items()))
    assert counts(server, file) == (len(forms), 0, 0)
    assert counts(server, lines(*({"client_id": name, "client_secret": SHORT}
                                  for name in forms))) == (0, 0, len(forms))
    server.app(name="keyed", client_id="keyed", secret=LONG)
    assert counts(server, lines({"client_id": "keyed",
                                 "client_secret_hash": sha256(LONG).hexdigest()})) == (0, 0, 1)
    said = refused(server, lines({"client_id": "keyed",
                                  "client_secret_hash": sha256(SHORT).hexdigest()}))
    assert "other facts: secret\n" in said, said


def test_B1_sha256_is_kept_under_a_slow_hash_unless_the_secrets_are_long(server, lines):
    """Whoever reads the store must not try a billion short secrets a second."""
    digest = sha256(LONG)
    plain = [{"client_id": name, "client_secret_hash": digest.hexdigest()}
             for name in ("slow", "fast")]
    assert counts(server, lines(plain[0])) == (1, 0, 0)
    assert counts(server, lines(plain[1]), "--long-secrets") == (1, 0, 0)
    assert [server.secrets(old(name, LONG))[0]["kept"] for name in ("slow", "fast")] == [
        "argon2id-sha256", "hmac"]
    server.stop()
    store = b"".join(path.read_bytes() for path in pathlib.Path(server.data).glob("twoleg.db*"))
    for spelling in (digest.digest(), digest.hexdigest().encode(), b64(digest.digest()).encode()):
        assert spelling not in store
    server.start()
    for name in ("slow", "fast"):
        assert server.token(old(name, LONG)).status == 200
        assert server.token(old(name, LONG + "x")).status == 401


def test_D1_no_imported_secret_or_hash_is_written_anywhere(make_server, lines, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("log_requests: all\n")
    config.chmod(0o600)
    server = make_server(config=config).start()
    secrets = {"plain-short": "canary-short-8731", "plain-long": "canary-long-secret-" + "7" * 20}
    hashes = {name: maker("canary-hashed-" + name) for name, (maker, _) in SCHEMES.items()}
    file = lines(*({"client_id": name, "client_secret": text} for name, text in secrets.items()),
                 *({"client_id": name, "client_secret_hash": text}
                   for name, text in hashes.items()))
    done = server.run_cli("app", "import", file)
    assert done.returncode == 0, done
    again = server.run_cli("app", "import", lines({"client_id": "plain-short",
                                                   "client_secret": "canary-other-one"}))
    assert again.returncode == 4 or again.returncode == 1, again
    bad = server.run_cli("app", "import", lines(
        '{"client_id":"z","client_secret":"canary-in-a-bad-line', "canary,with,commas"))
    assert bad.returncode == 1, bad
    for name, secret in secrets.items():
        assert server.token(old(name, secret)).status == 200
    audit = json.dumps(server.cli("audit", "list", "--json"))
    said = done.stdout + done.stderr + again.stderr + bad.stderr + audit + server.stderr()
    assert "application.import" in audit
    for text in [*secrets.values(), *hashes.values(), "canary"]:
        assert text not in said, text
        assert text[-20:] not in said, text


def test_the_line_that_is_asked_twice_of_the_admin_api(server):
    """The route itself: a body that is no import, and one that is."""
    path = "/admin/v1/applications/import"
    assert server.admin("POST", path, {}).status == 400
    assert server.admin("GET", path).status == 405
    assert server.admin("POST", path + "?client_id=x", GOOD).status == 400
    answer = server.admin("POST", path, GOOD)
    assert answer.status == 200 and answer.json()["result"] == "created", answer
    assert server.admin("POST", path, GOOD).json()["result"] == "unchanged"
    assert server.admin("POST", path, {**GOOD, "scope": "s"}).status == 409
    assert server.admin("POST", "/admin/v1/applications", {
        "name": "x", "client_secret_hash": "0" * 64}).status == 400
    assert server.request("POST", path, "{}").status == 403


def test_grants_are_imported_compared_and_updated(server, lines, tmp_path):
    portal = {"client_id": "portal", "client_secret": LONG, "grants": "password client_credentials"}
    assert counts(server, lines(portal), "--dry-run") == (1, 0, 0)
    assert applications(server) == 0
    assert counts(server, lines(portal)) == (1, 0, 0)
    assert server.cli("app", "show", "portal", "--json")["grants"] == "client_credentials password"
    assert counts(server, lines(portal)) == (0, 0, 1)
    file = tmp_path / "apps.csv"
    file.write_text("client_id,client_secret,grants\nportal," + LONG + ",client_credentials\n"
                    "plain," + LONG + ",\n")
    assert "with other facts: grants" in refused(server, file)
    assert counts(server, file, "--update") == (1, 1, 0)
    assert counts(server, file) == (0, 0, 2)
    assert server.cli("app", "show", "portal", "--json")["grants"] == "client_credentials"
    assert '"grants" must be ' in refused(server, lines({**portal, "grants": "implicit"}))


def test_users_grants_that_are_off_are_noticed_once(server, lines):
    file = lines(*({"client_id": f"p{i}", "client_secret": LONG, "grants": "password"}
                   for i in range(3)))
    for words in (("app", "import", file), ("app", "create", "--name", "n", "--grants", "password"),
                  ("app", "update", "p1", "--grants", "client_credentials password")):
        done = server.run_cli(*words)
        assert done.returncode == 0 and done.stderr.count("password_grant: false") == 1, done
    done = server.run_cli("app", "update", "p1", "--grants", "client_credentials", "--yes")
    assert done.returncode == 0 and "password_grant" not in done.stderr


def test_the_words_of_an_import_are_true(server, lines):
    said = refused(server, lines({"client_id": "a b", "client_secret": LONG, "scope": "fresh"}))
    assert "a client ID is" in said and "the name" not in said
    assert "scope" not in said, "nothing is imported, so nothing is declared"
    file = lines({"client_id": "one", "client_secret": LONG, "scope": "fresh"})
    done = server.run_cli("app", "import", file)
    assert done.stdout == "1 application: 1 created, 0 updated, 0 unchanged\n"
    assert 'the scope "fresh" is not known yet: the import declares it by ' in done.stderr
