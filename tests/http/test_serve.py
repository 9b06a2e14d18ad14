# SPDX-License-Identifier: Apache-2.0
"""Start, refusal to start, and stop."""
import contextlib
import ctypes
import json
import os
import pathlib
import random
import select
import signal
import socket
import stat
import subprocess
import threading

import pytest

from instance import BINARY, PATIENCE, drain, statuses, token_request, unread, until


def test_ready_line_and_listen_file(make_server):
    server = make_server().start()
    assert server.url.startswith("http://127.0.0.1:")
    assert (pathlib.Path(server.data) / "listen").read_text().split()[-1] == server.url


def test_first_start_makes_a_private_folder(make_server):
    server = make_server().start()
    assert stat.S_IMODE(os.stat(server.data).st_mode) == 0o700
    for name in os.listdir(server.data):
        mode = os.stat(os.path.join(server.data, name)).st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0, name


def test_taken_port_is_refused_in_words(make_server):
    first = make_server().start()
    status, words = make_server(listen=(f"127.0.0.1:{first.port}",)).refused()
    assert status == 1
    assert f"port {first.port} is held by twoleg (process {first.process.pid})" in words
    assert first.get("/healthz").status == 200


def test_second_server_on_the_same_folder_is_refused_in_words(make_server, tmp_path):
    first = make_server(data=tmp_path / "shared").start()
    second = make_server(data=tmp_path / "shared")
    status, words = second.refused()
    assert status == 1 and str(tmp_path / "shared") in words
    app = first.app()
    assert first.token(app).status == 200


@pytest.mark.parametrize("name,mode", [("master.key", 0o644), ("master.key", 0o640),
                                       ("twoleg.db", 0o644),
                                       (".", 0o755), (".", 0o770)])
def test_D3_wide_modes_are_refused_with_a_clear_line(make_server, name, mode):
    server = make_server().start()
    server.stop()
    path = os.path.join(server.data, name)
    os.chmod(path, mode)
    status, words = server.refused()
    assert status == 1
    assert "chmod " in words and server.data in words
    os.chmod(path, 0o700 if name == "." else 0o600)
    server.start()


def test_D3_master_key_that_is_a_symlink_is_refused(make_server, tmp_path):
    server = make_server().start()
    server.stop()
    key = pathlib.Path(server.data) / "master.key"
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    status, words = server.refused()
    assert status == 1 and f"{key} is a symbolic link" in words


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 32, None])
def test_D4_wrong_master_key_is_refused_and_nothing_is_written(make_server, content):
    server = make_server().start()
    app = server.app()
    token = server.bearer(app)
    server.stop()
    key = pathlib.Path(server.data) / "master.key"
    right = key.read_bytes()
    if content is None:
        key.unlink()
    else:
        key.write_bytes(content)
    database = (pathlib.Path(server.data) / "twoleg.db").read_bytes()
    status, words = server.refused()
    assert status == 1 and "master" in words.lower()
    assert (pathlib.Path(server.data) / "twoleg.db").read_bytes() == database
    key.write_bytes(right)
    key.chmod(0o600)
    server.start()
    assert server.check(token).status == 200 and server.token(app).status == 200


def test_H10_sigterm_finishes_what_is_in_flight(make_server):
    server = make_server().start()
    app = server.app()
    request = token_request(app)
    socks = [server.connect() for _ in range(10)]
    for sock in socks:
        sock.sendall(request[:-20])
    until(lambda: not unread(socks), "the requests' heads being read")
    server.process.send_signal(signal.SIGTERM)

    def closed():
        try:
            server.connect().close()
            return False
        except OSError:
            return True

    until(closed, "the listener's end")
    for sock in socks:
        sock.sendall(request[-20:])
        got = drain(sock)
        assert statuses(got) == [200] and b"Connection: close" in got
        sock.close()
    assert server.process.wait(PATIENCE) == 0


def test_H10_sigterm_under_load_resets_nobody(make_server):
    server = make_server().start()
    app = server.app()
    wrong, good = [], []

    def load():
        while True:
            try:
                sock = server.connect()
            except OSError:
                return
            with sock:
                try:
                    sock.sendall(token_request(app, "Connection: close\r\n"))
                    got = drain(sock)
                except ConnectionError:
                    got = b""
                (good if statuses(got) == [200] else wrong).append(got)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    until(lambda: len(good) > 50, "load")
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert server.process.wait(PATIENCE) == 0
    # A connection that the kernel had taken but the server never saw is closed without an answer.
    assert [got for got in wrong if got] == []


def test_sigterm_closes_idle_connections_at_once(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("drain_timeout: 10m\n")  # longer than anybody waits for it here
    server = make_server(config=config).start()
    with server.connect() as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert sock.recv(1000)
        server.stop()


def test_sigint_stops_it_too(make_server):
    server = make_server().start()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(PATIENCE) == 0


def test_a_left_over_socket_file_is_no_obstacle(make_server):
    server = make_server().start()
    server.kill9()
    assert os.path.exists(os.path.join(server.data, "admin.sock"))
    server.start()
    assert stat.S_IMODE(os.stat(os.path.join(server.data, "admin.sock")).st_mode) == 0o600


@pytest.mark.parametrize("text,words", [
    ("token_tll: 1h\n", ['unknown key "token_tll"', 'Did you mean "token_ttl"', "1:1"]),
    ("a: 1\nb: 2\n", ['"a"', '"b"']),
    ("token_ttl: 1x\n", ["token_ttl"]),
    ("listen: [nonsense]\n", ["listen"]),
    ("token_ttl: 1h\ntoken_ttl: 2h\n", ["token_ttl"]),
    ("workers: 1000\n", ["workers"]),
    ("user: nosuch-user\n", ["user: there is no user nosuch-user"]),
    ("master_key_file: /none/key\n", ["there is no master key /none/key"]),
    ("{", ["1:"])])
def test_config_errors_name_the_place_and_the_server_does_not_start(make_server, tmp_path, text,
                                                                    words):
    config = tmp_path / "twoleg.yaml"
    config.write_text(text)
    status, said = make_server(config=config, listen=()).refused()
    assert status == 1
    for word in words:
        assert word in said, said
    done = subprocess.run([BINARY, "config", "check", "--config", str(config)], capture_output=True,
                          text=True,
                          timeout=PATIENCE, check=False)
    assert done.returncode == 1
    for word in [*words, "twoleg.yaml:"]:
        assert word in done.stderr, done


def test_missing_config_file_is_refused(make_server, tmp_path):
    status, words = make_server(config=tmp_path / "nowhere.yaml").refused()
    assert status == 1 and "nowhere.yaml" in words


def test_usage_errors_are_2(make_server):
    for args in (["serve", "--nonsense"], ["nonsense"], ["app"], ["app", "nonsense"],
                 ["serve", "--listen"]):
        done = subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        assert done.returncode == 2 and done.stderr, args


def test_no_server_is_5(make_server, tmp_path):
    server = make_server()
    done = server.run_cli("app", "list")
    assert done.returncode == 5 and server.data in done.stderr


def lines_of(server, event):
    return [line for line in server.stderr().splitlines() if f"event={event}" in line]


def warnings_of(server):
    """But that of root, who runs some of these tests."""
    return [line for line in server.stderr().splitlines()
            if line.startswith("twoleg: warning: ") and "runs as root" not in line]


def free_port():
    """One that the system gives to nobody by itself, so that it is still free in a moment."""
    first = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(first // 2, first)
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def test_an_issuer_that_leads_elsewhere_is_said_once_and_can_be_changed(make_server):
    server = make_server().start()
    first = server.url
    assert server.issuer == first and warnings_of(server) == []
    server.stop()
    server.listen = (f"127.0.0.1:{free_port()}",)
    server.start()
    assert server.issuer == first != server.url
    [words] = warnings_of(server)
    assert first in words and server.url in words
    assert "issuer:" in words and "--change-issuer" in words
    assert len(lines_of(server, "issuer_elsewhere")) == 1
    server.stop()
    server.args = ["--change-issuer"]
    server.start()
    assert server.issuer == server.url
    server.stop()
    server.args = []
    server.start()
    assert server.issuer == server.url and len(warnings_of(server)) == 1


def test_a_configured_issuer_needs_no_warning(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("issuer: https://auth.example.org\n")
    server = make_server(config=config).start()
    server.stop()
    server.start()
    assert server.issuer == "https://auth.example.org" and warnings_of(server) == []
    server.stop()
    config.write_text("token_ttl: 1h\n")
    server.start()
    assert server.issuer == "https://auth.example.org" and len(warnings_of(server)) == 1


def test_an_issuer_of_this_machine_at_every_address_is_warned_of(make_server, tmp_path):
    server = make_server(listen=("0.0.0.0:0",)).start()
    [words] = warnings_of(server)
    assert f"http://127.0.0.1:{server.port}" in words and "issuer:" in words
    config = tmp_path / "twoleg.yaml"
    config.write_text(f"issuer: http://127.0.0.1:{server.port}\n")
    server.stop()
    server.config = config
    server.start()
    assert len(warnings_of(server)) == 1


def test_config_show_says_that_a_store_keeps_its_issuer(make_server):
    shown = make_server().run_cli("config", "show").stdout
    [line] = [line for line in shown.splitlines() if line.startswith("issuer:")]
    assert "an existing store keeps its own" in line


def test_a_taken_port_leaves_nothing_behind(make_server):
    first = make_server().start()
    second = make_server(listen=(f"127.0.0.1:{first.port}",))
    second.refused()
    assert not os.path.exists(second.data)
    second.listen = ("127.0.0.1:0",)
    second.start()
    assert second.stderr().count("twoleg: created the master key") == 1


def test_the_note_of_a_new_master_key_survives_a_start_that_fails(make_server, tmp_path):
    taken = tmp_path / "taken.sock"
    taken.write_text("")
    server = make_server(listen=(f"unix:{taken}",))
    status, words = server.refused()
    assert status == 1 and str(taken) in words
    assert words.count("twoleg: created the master key") == 1


def test_a_socket_may_lie_in_a_data_folder_that_is_not_there_yet(make_server, tmp_path):
    server = make_server(data=tmp_path / "new",
                         listen=("127.0.0.1:0", f"unix:{tmp_path}/new/gate.sock")).start()
    assert server.urls[1] == f"unix:{tmp_path}/new/gate.sock"
    assert stat.S_ISSOCK(os.stat(tmp_path / "new/gate.sock").st_mode)


def test_what_cannot_be_listened_at_is_named(make_server):
    status, words = make_server(listen=("192.0.2.1:8080",)).refused()
    assert status == 1 and "192.0.2.1:8080: cannot listen" in words


def test_the_master_key_is_named_as_an_option_that_exists(make_server):
    server = make_server().start()
    server.stop()
    key = pathlib.Path(server.data) / "master.key"
    key.rename(key.with_name("away"))
    for content in (None, b"\0" * 32):
        if content:
            key.write_bytes(content)
            key.chmod(0o600)
        _, words = server.refused()
        assert words.splitlines()[-1].count("master_key_file") == 1
        assert "--master-key-file" not in words


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_stopping_and_stopped_are_logged(make_server, name):
    server = make_server().start()
    server.process.send_signal(getattr(signal, name))
    assert server.process.wait(PATIENCE) == 0
    [stopping] = lines_of(server, "stopping")
    [stopped] = lines_of(server, "stopped")
    assert f"signal={name[3:]}" in stopping and "connections_cut_off=0" in stopped


def test_connections_that_the_deadline_cuts_off_are_counted(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("drain_timeout: 0s\n")
    server = make_server(config=config).start()
    with server.connect() as one, server.connect() as other:
        for sock in (one, other):
            sock.sendall(token_request(server.app(name=str(sock.fileno())))[:-20])
        until(lambda: not unread([one, other]), "the requests' heads being read")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
    [stopped] = lines_of(server, "stopped")
    assert int(stopped.split("connections_cut_off=")[1]) >= 2


def test_other_signals_kill_nobody(make_server):
    server = make_server().start()
    for name in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE):
        server.process.send_signal(name)
    until(lambda: lines_of(server, "reloaded"), "the line about SIGHUP")
    assert server.get("/healthz").status == 200
    server.stop()
    assert len(lines_of(server, "reloaded")) == 1


def test_a_gate_without_its_api_is_warned_of(make_server, tmp_path):
    config = tmp_path / "twoleg.yaml"
    config.write_text("checks:\n  - name: sms\n    resource: https://sms.example.org\n"
                      "  - name: all\n")
    server = make_server(config=config).start()
    server.api("https://sms.example.org", "SMS")
    [words] = warnings_of(server)
    assert "/check/sms" in words and "https://sms.example.org" in words and "403" in words
    server.listen = (server.url.removeprefix("http://"),)
    server.stop()
    server.start()
    assert len(warnings_of(server)) == 1


def test_rfc8414_an_issuer_at_which_no_token_request_is_answered_is_warned_of(make_server,
                                                                               tmp_path):
    file = tmp_path / "twoleg.yaml"
    named = "hosts:\n  - {name: named.example, dialect: smscx}\n"
    ours = "  - {name: 127.0.0.1, dialect: rfc6749}\n"
    own = "listen:\n  - {address: '127.0.0.1:8080', dialect: smscx}\n"

    def checked(text, *more):
        other = tmp_path / "other.yaml"
        other.write_text(text)
        done = server.run_cli("config", "check", "--config", str(other), *more)
        assert done.returncode == 0, done.stderr
        return done.stderr

    file.write_text(named)
    server = make_server(config=file).start()
    [words] = warnings_of(server)
    assert server.url in words and "421" in words
    document = server.get("/.well-known/oauth-authorization-server").json()
    path = document["token_endpoint"].removeprefix(server.url)
    assert server.token(server.app()).status == server.form(path, {}).status == 421
    file.write_text(named + ours)
    server.cli("reload")
    assert server.token(server.app()).status == 200 and len(warnings_of(server)) == 1
    file.write_text(named)
    server.cli("reload")
    until(lambda: warnings_of(server) == [words] * 2, "the warning of a reload")

    assert "421" in checked(named)
    assert json.loads(checked(named, "--json"))["notice"] == "issuer_no_host"
    for good in (named + ours, named + own, "issuer: https://named.example\n" + named, own):
        assert checked(good) == ""


@contextlib.contextmanager
def opened(file):
    """Gives what waits until somebody has opened the file."""
    libc = ctypes.CDLL(None)
    watch = libc.inotify_init()
    try:
        assert libc.inotify_add_watch(watch, os.fsencode(file), 0x20) >= 0  # IN_OPEN
        yield lambda: select.select([watch], [], [], PATIENCE)[0]
    finally:
        os.close(watch)


def test_sighup_while_the_configuration_is_read_is_a_reload_later(make_server, tmp_path):
    file = tmp_path / "twoleg.yaml"
    file.write_text("# long\n" * 100000)  # some milliseconds
    server = make_server(config=file)
    with opened(file) as is_opened:
        server.spawn()
        assert is_opened()
        server.process.send_signal(signal.SIGHUP)
    until(lambda: "event=reloaded changes=0" in server.stderr() or
          server.process.poll() is not None, "the reload")
    assert server.process.poll() is None


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
@pytest.mark.parametrize("where, listen", [
    ("listen:\n  - {address: '127.0.0.1:0', trusted_proxies: ['%s']}\n", ()),
    ("checks:\n  - {name: sms, trusted_proxies: [10.0.0.1, '%s']}\n", ("127.0.0.1:0",))])
def test_proxies_who_are_everybody_are_warned_of(make_server, tmp_path, where, listen, everybody):
    file = tmp_path / "twoleg.yaml"
    file.write_text(where % everybody)
    server = make_server(config=file, listen=listen).start()
    told = f"warning: {file}:2:5: trusted_proxies has all addresses"
    checked = server.run_cli("config", "check", "--config", str(file))
    assert checked.returncode == 0 and told in checked.stderr
    assert len(warnings_of(server)) == 1 and told in warnings_of(server)[0]
    assert told in server.run_cli("reload").stderr
    assert len(warnings_of(server)) == 2
    file.write_text(where % "10.0.0.0/8")
    assert server.run_cli("config", "check", "--config", str(file)).stderr == ""
