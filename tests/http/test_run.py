# SPDX-License-Identifier: Apache-2.0
"""./run, as a newcomer types it: on a data folder of its own, with the release build."""
import json
import os
import re
import signal
import stat
import subprocess

import pytest

from dialect_oracle import DIALECTS, token
from instance import PATIENCE, ROOT

LINES = r"""\[1/4\] packages: ok
\[2/4\] build/release/twoleg: (built in \d+ s|up to date)
\[3/4\] data: (\S+) \((new|kept)\)
\[4/4\] (http://127\.0\.0\.1:\d+) ready in \d+ ms  \(Ctrl-C stops it\)
Get a token:
  (TOKEN=\$\(curl -su demo:.* (http://\S+)/oauth/token \| sed .*\))
Is it good\?
  (curl -isH "Authorization: Bearer \$TOKEN" http://\S+/check)
"""


class Run:
    def __init__(self, folder, listen="127.0.0.1:0", more=()):
        self.process = subprocess.Popen(
            ["./run", "--listen", listen, *more], cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "TWOLEG_DEMO": str(folder)})

    def lines(self):
        return re.fullmatch(LINES, self.text())

    def text(self):
        """All that is printed until the server is ready."""
        found = ""
        while "/check\n" not in found:
            line = self.process.stdout.readline()
            assert line, found + self.process.stderr.read()
            found += line
        return found

    def press_ctrl_c(self):
        """As a terminal does: to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, out + err


@pytest.fixture
def run(tmp_path):
    runs = []

    def run(**options):
        runs.append(Run(tmp_path / "demo", **options))
        return runs[-1]

    yield run
    for one in runs:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.communicate()


def test_the_printed_lines_get_a_token_and_check_it(run, tmp_path):
    first = run()
    found = first.lines()
    assert found and found.group(3) == "new"
    secret = tmp_path / "demo/secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert shell(found.group(5) + "\n" + found.group(7)).startswith("HTTP/1.1 200 OK")
    assert first.press_ctrl_c() == (0, "")

    second = run()
    found = second.lines()
    assert found.group(3) == "kept"
    second.process.terminate()
    assert second.process.wait(PATIENCE) == 0
    words = (tmp_path / "demo/log").read_text()
    assert secret.read_text().strip() not in words


def shell(line):
    return subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True,
                          timeout=PATIENCE, check=True).stdout


ANSWERS = {  # of the seed systems and one more, to the letter; of the others, that there is a token
    "rti-sms": r'\{"access_token":"eyJ[^"]+","validity_period":"3600"\}',
    "smscx": r'\{"access_token":"[0-9a-f]{40}","expires_in":3600,"token_type":"Bearer",.*\}',
    "marketo": r'\{"access_token":"[^"]+","token_type":"bearer","expires_in":\d+,.*\}',
    "rapidsos": r'\{"access_token":"[^"]+","token_type":"BearerToken",.*\}'}


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "rfc6749"])
def test_the_lines_of_a_dialect_are_answered(run, dialect):
    """As they are printed, by the application that ./run has made."""
    text = run(more=["--dialect", dialect]).text()
    lines, check = re.search(f"Get a token, as {dialect} has it:\n((?:  curl .*\n)+)"
                             r"Is it good\?\n  (curl .*)\n", text).groups()
    for line in lines.splitlines():
        answer = shell(line)
        assert re.fullmatch(ANSWERS.get(dialect, ".+"), answer), answer
        found = shell(check.replace("TOKEN", token(dialect, answer)))
        assert found.startswith("HTTP/1.1 200 OK\n"), (answer, check, found)


def test_a_line_that_names_the_api_does_so_at_another_port_too(run):
    first = run()
    issuer = first.lines().group(4)
    assert first.press_ctrl_c()[0] == 0
    text = run(more=["--dialect", "azure-v1"]).text()
    line = re.search(r"\n  (curl .*)\n", text)[1]
    assert f" resource={issuer}" in line
    assert json.loads(shell(line))["resource"] == issuer


def test_T15_a_dialect_with_a_users_grant_prints_a_line_for_it(run, tmp_path):
    for state in ("new", "kept"):
        one = run(more=["--dialect", "rapidsos"])
        found = re.search(r"\((new|kept)\)[^$]*has it:\n  (curl .*)\n  (curl .*)\nIs", one.text())
        assert found and found.group(1) == state
        for line in found.group(2, 3):
            assert re.fullmatch(ANSWERS["rapidsos"], shell(line))
        assert '"password"' in found.group(3)
        assert one.press_ctrl_c()[0] == 0
    assert stat.S_IMODE((tmp_path / "demo/password").stat().st_mode) == 0o600


def test_a_taken_port_says_by_whom_and_what_to_do(run, tmp_path):
    first = run()
    url = first.lines().group(4)
    other = Run(tmp_path / "other", listen=url.removeprefix("http://"))
    _, words = other.process.communicate(timeout=PATIENCE)
    assert other.process.returncode == 1
    assert re.search(r"held by twoleg \(process \d+\)", words)
    assert "./run --listen 127.0.0.1:8081" in words
    again = run()
    _, words = again.process.communicate(timeout=PATIENCE)
    assert again.process.returncode == 1 and url in words
    assert first.press_ctrl_c()[0] == 0


def test_usage(run):
    done = subprocess.run(["./run", "--nonsense"], cwd=ROOT, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 2 and "usage" in done.stderr


def test_a_file_for_a_dialect_is_told_where_those_of_ones_own_go():
    for name in ("./acme.yaml", "acme.yaml", "own/acme", "acme", "../dialects/zoom"):
        done = subprocess.run(["./run", "--dialect", name], cwd=ROOT, capture_output=True,
                              text=True, timeout=PATIENCE, check=False)
        assert (done.returncode, done.stdout) == (2, ""), done
        assert f'"{name}" is none' in done.stderr and "dialect_folder" in done.stderr
        assert " smscx " in done.stderr, "it lists those that there are"


def test_a_server_that_dies_by_itself_is_said(run, tmp_path):
    one = run()
    one.lines()
    os.kill(int((tmp_path / "demo/lock").read_text()), signal.SIGKILL)
    _, words = one.process.communicate(timeout=PATIENCE)
    assert one.process.returncode not in (0, None)
    assert "ended by itself" in words and str(tmp_path / "demo/log") in words


def test_another_port_warns_of_the_issuer(run, tmp_path):
    first = run()
    first.lines()
    assert first.press_ctrl_c() == (0, "")
    second = run()
    second.lines()
    status, words = second.press_ctrl_c()
    assert status == 0 and words.count("warning") == 1 and "--change-issuer" in words
