# SPDX-License-Identifier: Apache-2.0
"""The server as a service: what it gives up, what a service manager hears and hands over."""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import pytest

from authority import Authority
from instance import BINARY, HAS_HOOKS, PATIENCE, ROOT, Server, drain, statuses, until

UNIT = ROOT / "packaging/twoleg.service"
EXPOSURE_MOST = 12  # tenths


def status_of(pid):
    """/proc/PID/status as a dict."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


class Manager(Server):
    """Plays systemd: holds the listening sockets and the socket for notes."""

    def __init__(self, sockets, watchdog_us=None, **options):
        super().__init__(listen=(), **options)
        self.sockets, self.watchdog_us = sockets, watchdog_us
        self.notes_path = os.path.join(self.folder, "notify")
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notes.bind(self.notes_path)
        self.notes.settimeout(PATIENCE)

    def spawn(self):
        def hand_over():
            # Above all of them first: one may already have the number of another.
            high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(self.sockets)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)
                os.close(fd)

        env = {**os.environ, "NOTIFY_SOCKET": self.notes_path,
               "LISTEN_FDS": str(len(self.sockets))}
        if self.watchdog_us:
            env["WATCHDOG_USEC"] = str(self.watchdog_us)
        with open(self.stderr_path, "ab") as stderr:
            self.process = subprocess.Popen(
                ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *self.command()], env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, bufsize=0,
                preexec_fn=hand_over, pass_fds=range(3, 3 + len(self.sockets)))

    def note(self):
        return self.notes.recv(1000).decode()

    def destroy(self):
        super().destroy()
        self.notes.close()


@pytest.fixture
def manage():
    servers = []

    def make(*args, **options):
        servers.append(Manager(*args, **options))
        return servers[-1]
    yield make
    for server in servers:
        server.destroy()


def listening():
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    sock.listen(1024)
    return sock


# ------------------------------------------------------------------ what it gives up
def test_D7_no_core_no_new_rights_no_calls(own_server):
    status = status_of(own_server.process.pid)
    assert status["NoNewPrivs"] == "1"
    limits = pathlib.Path(f"/proc/{own_server.process.pid}/limits").read_text()
    core = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
    assert core.split()[4:6] == ["0", "0"]
    if HAS_HOOKS:
        return  # sanitizers make calls of their own; units test the filter in every build
    until(lambda: "event=sandbox" in own_server.stderr(), "the line in the log")
    if "seccomp_why" in own_server.stderr():
        pytest.skip("this kernel has no filter of system calls")
    for task in os.listdir(f"/proc/{own_server.process.pid}/task"):
        assert status_of(f"{own_server.process.pid}/task/{task}")["Seccomp"] == "2"


@pytest.mark.skipif(HAS_HOOKS, reason="a build with sanitizers is not locked in")
def test_backups_leave_the_data_folder_by_the_command_line_only(own_server, tmp_path):
    until(lambda: "event=sandbox" in own_server.stderr(), "the line in the log")
    if "landlock_why" in own_server.stderr():
        pytest.skip("this kernel has no Landlock")
    answer = own_server.admin("POST", "/admin/v1/backup", {"file": str(tmp_path / "copy")})
    assert answer.status != 201 and not (tmp_path / "copy").exists()
    own_server.cli("backup", str(tmp_path / "copy"))
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o600
    assert not [name for name in os.listdir(own_server.data) if name.startswith("staged-")]
    row = own_server.cli("audit", "list", "--limit", "1", "--json")["audit"][-1]
    assert row["detail"]["file"] == str(tmp_path / "copy")


def test_sandbox_can_be_switched_off(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("sandbox: false\n")
    server = make_server(config=config).start()
    assert status_of(server.process.pid)["Seccomp"] == "0"
    assert server.get("/healthz").status == 200


@pytest.fixture
def nobodys():
    """A folder that any user can reach, nobody's: pytest's own is closed to others."""
    nobody = pwd.getpwnam("nobody")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="twoleg-"))
    folder.chmod(0o755)
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_becomes_the_user_once_its_ports_are_bound(make_server, nobodys):
    nobody = pwd.getpwnam("nobody")
    server = make_server(data=nobodys / "data", args=("--user", "nobody")).start()
    status = status_of(server.process.pid)
    assert set(status["Uid"].split()) == {str(nobody.pw_uid)}
    assert set(status["Gid"].split()) == {str(nobody.pw_gid)}
    assert int(status["CapPrm"], 16) == int(status["CapEff"], 16) == 0
    assert os.stat(server.data).st_uid == nobody.pw_uid
    assert "runs as root" not in server.stderr()
    assert server.token(server.app()).status == 200
    server.stop()


@pytest.mark.skipif(HAS_HOOKS, reason="the leak check at the end of such a build traces it")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start it as another user")
def test_D7_its_memory_is_read_by_no_process_of_its_own_user(make_server, nobodys):
    """Nor is it dumped into a pipe, which a limit of 0 does not stop: the files in /proc of a
    process that is not dumpable are root's (proc(5)). Whoever gives up root is not dumpable by
    that alone, so this one starts as its user, as the unit has it."""
    nobody = pwd.getpwnam("nobody")
    server = make_server(data=nobodys / "data")
    binary, *rest = server.command()
    shutil.copy(binary, nobodys / "twoleg")  # where that user can reach it
    server.command = lambda: ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}",
                              "--clear-groups", nobodys / "twoleg", *rest]
    server.start()
    assert set(status_of(server.process.pid)["Uid"].split()) == {str(nobody.pw_uid)}
    for name in ("mem", "fd", "environ"):
        assert os.stat(f"/proc/{server.process.pid}/{name}").st_uid == 0, name
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_only_root_can_read_is_said_at_the_start(make_server, nobodys):
    """Not when the certificate is renewed, and no reload is taken any more."""
    pair = Authority(nobodys).issue("local", "DNS:localhost")
    config = nobodys / "twoleg.yaml"
    config.write_text(f"user: nobody\nlisten: [{{address: '127.0.0.1:0', tls: [{pair.yaml()}]}}]\n")
    status, words = make_server(data=nobodys / "data", config=config, listen=()).refused()
    assert status == 1 and f"the TLS key {pair.key} cannot be opened: Permission denied" in words
    shutil.chown(pair.key, "nobody")
    server = make_server(data=nobodys / "data", config=config, listen=())
    server.listeners = 1
    server.start()
    server.cli("reload")
    server.stop()
    assert "every reload" not in server.stderr()
    config.chmod(0o600)
    server.start()
    assert f"{config} cannot be read by nobody" in server.stderr()
    done = server.run_cli("reload")
    assert done.returncode == 1 and "Permission denied" in done.stderr, done
    server.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_dialect_that_cannot_be_reached_is_not_taken_for_none(make_server, nobodys):
    """Else the one of this name that came with the program would be spoken without a word."""
    folder, config = nobodys / "dialects", nobodys / "twoleg.yaml"
    folder.mkdir()
    (folder / "ebay.yaml").write_text("name: ebay\ntitle: Ours\nendpoints: [{path: /mine}]\n")
    config.write_text(f"user: nobody\ndialect_folder: {folder}\ndialect: ebay\n")
    folder.chmod(0o700)
    status, words = make_server(data=nobodys / "data", config=config).refused()
    assert status == 1 and f"{folder}/ebay.yaml" in words and "ermission" in words, words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can stay root")
def test_D7_root_without_a_user_is_warned_of(make_server):
    server = make_server().start()
    [words] = [line for line in server.stderr().splitlines()
               if line.startswith("twoleg: warning: ") and "runs as root" in line]
    assert "user:" in words
    until(lambda: "event=runs_as_root" in server.stderr(), "the event in the log")
    server.stop()
    server.args = ["--user", "root"]  # who says so knows it
    server.start()
    assert server.stderr().count("runs as root") == 1


def test_unknown_user_is_refused_in_words(make_server):
    status, words = make_server(args=("--user", "no-such-user")).refused()
    assert status == 1 and "no user no-such-user" in words


# ------------------------------------------------------------------ the service manager
def test_notes_say_ready_and_stopping(manage):
    server = manage([listening()]).start()
    assert server.note() == "READY=1"
    server.process.send_signal(signal.SIGTERM)
    assert server.note() == "STOPPING=1"
    assert server.process.wait(PATIENCE) == 0


def test_H23_watchdog_hears_of_a_server_that_answers(manage):
    server = manage([listening()], watchdog_us=2_000_000).start()
    assert [server.note(), server.note(), server.note()] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]


@pytest.mark.hooks
def test_H23_watchdog_hears_nothing_of_workers_that_hang(manage):
    server = manage([listening()], watchdog_us=2_000_000).start()
    assert [server.note(), server.note()] == ["READY=1", "WATCHDOG=1"]
    server.hooks.hold("worker.answer")
    server.notes.setblocking(False)
    with pytest.raises(BlockingIOError):
        while server.note():  # those of a second or more that it took us to come here
            pass
    server.notes.settimeout(2.5)
    with pytest.raises(TimeoutError):  # one note may have been under way
        server.note(), server.note()
    server.kill9()


def test_H23_socket_activation_takes_sockets_in_place_of_addresses(manage, tmp_path):
    first, path = listening(), str(tmp_path / "sock")
    second = socket.socket(socket.AF_UNIX)
    second.bind(path)
    second.listen()
    server = manage([second, first])
    server.spawn()
    lines = [server.process.stdout.readline().decode() for _ in range(2)]
    assert lines == [f"ready unix:{path}\n", f"ready http://127.0.0.1:{first.getsockname()[1]}\n"]
    server.stop()
    assert os.path.exists(path), "it is the manager's"


def test_H23_socket_that_no_listener_names_is_refused_in_words(manage):
    sock = listening()
    server = manage([sock])
    server.listen = ("127.0.0.1:0",)
    status, words = server.refused()
    assert status == 1 and f"127.0.0.1:{sock.getsockname()[1]}" in words


def test_H23_what_is_handed_over_must_listen(manage):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    status, words = manage([sock]).refused()
    assert status == 1 and "descriptor 3" in words


def test_H23_restart_refuses_no_connection(manage):
    server = manage([listening()]).start()
    ended, failures, done = threading.Event(), [], [0]

    def visit():
        while not ended.is_set():
            try:
                with server.connect() as sock:
                    sock.sendall(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n"
                                 b"Connection: close\r\n\r\n")
                    answer = sock.recv(1000)
                    assert answer.startswith(b"HTTP/1.1 200 "), answer[:400]
                    done[0] += 1
            except (OSError, AssertionError) as failure:
                failures.append(repr(failure))

    visitors = [threading.Thread(target=visit) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for _ in range(3):
        before = done[0]
        until(lambda: done[0] > before + 50, "visitors")
        server.restart()
    before = done[0]
    until(lambda: done[0] > before + 50 or failures, "visitors after the restart")
    ended.set()
    for visitor in visitors:
        visitor.join()
    assert not failures, failures[:3]


def test_H23_what_came_while_a_crashed_server_was_away_is_served(manage):
    """The manager's socket outlives each crash, and so does whoever has connected since."""
    server = manage([listening()]).start()
    app = server.app(token_format="sealed")
    token = server.bearer(app)
    ask = (f"GET /check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
           f"Authorization: Bearer {token}\r\n\r\n").encode()
    for _ in range(5):
        server.kill9()
        waiting = [server.connect() for _ in range(8)]
        for sock in waiting:
            sock.sendall(ask)
        server.start()
        for sock in waiting:
            assert statuses(drain(sock)) == [200]
            sock.close()


# ------------------------------------------------------------------ the unit
def test_H23_the_unit_bounds_a_storm_of_restarts():
    lines = UNIT.read_text().splitlines()
    assert {"Restart=on-failure", "RestartSec=1", "StartLimitIntervalSec=60", "StartLimitBurst=5",
            "WatchdogSec=30"} <= set(lines)
    # In [Unit]: systemd only warns of them elsewhere.
    assert lines.index("StartLimitBurst=5") < lines.index("[Service]")


def test_the_unit_makes_the_folder_that_the_manual_puts_sockets_into():
    folders = set(re.findall(r"unix:/run/([^/]+)/", (ROOT / "docs/twoleg.yaml.5").read_text()))
    assert folders == {"twoleg"}
    assert {"RuntimeDirectory=twoleg", "RuntimeDirectoryMode=0755"} <= set(
        UNIT.read_text().splitlines())


def test_unit_exposure_is_low():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    done = subprocess.run(["systemd-analyze", "security", "--offline=true",
                           f"--threshold={EXPOSURE_MOST}", str(UNIT)], capture_output=True,
                          text=True, timeout=PATIENCE, check=False)
    if "nknown" in done.stderr and "offline" in done.stderr:
        pytest.skip("this systemd-analyze has no --offline")
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    assert "ignoring" not in done.stderr, done.stderr


def test_unit_allows_the_memory_that_is_counted():
    """As SECURITY.md has it for the default of max_connections."""
    [allowed] = re.findall(r"^MemoryMax=(\d+)G$", UNIT.read_text(), re.M)
    words = (ROOT / "SECURITY.md").read_text()
    table = words[words.index("| of | each | in all |"):].split("\n\n")[0]
    each = re.findall(r"\| (\d+) KiB \|", table)
    sums = [float(gib) for gib in re.findall(r"([0-9.]+) GiB \|", table)]
    default = subprocess.run([BINARY, "config", "default", "--json"], capture_output=True,
                             text=True, check=True).stdout
    [most] = [int(row["default"]) for row in json.loads(default)["options"]
              if row["name"] == "max_connections"]
    assert [round(int(kib) * most / 2**20, 1) for kib in each] == sums[:3]
    assert len(sums) == 5 and sum(sums) < int(allowed), sums
    assert f"`MemoryMax={allowed}G`" in words


# ------------------------------------------------------------------ bash completion
def complete(*words):
    script = f"""COMP_WORDS=({' '.join(repr(w) for w in words)})
        COMP_CWORD={len(words) - 1}
        . {ROOT}/packaging/twoleg.bash && _twoleg && printf '%s\\n' "${{COMPREPLY[@]}}\""""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                          timeout=PATIENCE)
    assert not done.stderr, done.stderr
    return set(done.stdout.splitlines()) - {""}


def test_completion_knows_every_command_and_option():
    told = subprocess.run([BINARY, "help"], capture_output=True, text=True, check=True).stdout
    commands = [line.split("  ")[1] for line in told.splitlines() if line.startswith("  ")
                and not line.startswith("   ")]
    first = {command.split()[0] for command in commands}
    assert {"serve", "app", "secret", "help"} <= first
    assert complete(BINARY, "") == first
    assert complete(BINARY, "app", "cr") == {"create"}
    assert complete(BINARY, "app", "revoke-tokens", "x", "--y") == {"--yes"}
    assert "--token-format" in complete(BINARY, "app", "create", "--name", "x", "--")
    assert complete(BINARY, "app", "create", "--token-format", "") == {"jwt", "sealed",
                                                                             "reference"}
    assert complete(BINARY, "serve", "--u") == {"--user"}


@pytest.mark.parametrize("word", [".*", "/", "a/b", "[", "*", "\\", "$(touch {0})", "`touch {0}`",
                                  "e/x/;1e touch {0};#"])
def test_completion_takes_words_as_they_are(word, tmp_path):
    """Also where they would be an expression, or a command of it."""
    made = tmp_path / "made"
    word = word.format(made)
    assert complete(BINARY, word, "") == complete(BINARY, "nonsense", "")
    for before in ((), ("app", "create")):
        assert complete(BINARY, *before, f"--{word}", "") == complete(BINARY, *before, "--none", "")
    assert complete(BINARY, "app", "create", word, "--sc") == {"--scope"}
    assert complete(BINARY, "app", word) == complete(BINARY, "app", "create", word) == set()
    assert not made.exists()


ALGORITHMS = {"ES256", "EdDSA", "RS256", "PS256"}


@pytest.mark.parametrize("words,offered", [
    (("api", "create", "u", "--algorithm", ""), ALGORITHMS), (("key", "rotate", ""), ALGORITHMS),
    (("app", "create", "--grants", ""), {"client_credentials", "password", "refresh_token"}),
    (("app", "create", "--budget", ""), {"none", "default"}),
    (("app", "update", "x", "--token-format", "=", "se"), {"sealed"}),
    (("app", "create", "--name", ""), set()), (("serve", "--listen", ""), set()),
    (("app", "create", "--dialects", "a"), {"amadeus", "apigee", "azampay", "azure-v1", "all"}),
    (("dialect", "show", "w"), {"wechat"}), (("help", "ba"), {"backup"}),
    (("app", "show", ""), set()), (("secret", "remove", ""), set())])
def test_completion_offers_the_values_that_there_are(words, offered):
    assert complete(BINARY, *words) == offered


@pytest.mark.parametrize("words", [
    ("user", "add", "x", "--password-file"), ("app", "create", "--secret-file"), ("--config",),
    ("dialect", "check"), ("dialect", "try"), ("dialect", "example"), ("backup",), ("restore",)])
def test_completion_offers_files(words, tmp_path):
    (tmp_path / "one word").write_text("")
    (tmp_path / "other").write_text("")
    assert complete(BINARY, *words, f"{tmp_path}/o") == {f"{tmp_path}/one word",
                                                         f"{tmp_path}/other"}
