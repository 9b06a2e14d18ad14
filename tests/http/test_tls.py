# SPDX-License-Identifier: Apache-2.0
"""TLS listeners, by clients that nobody here wrote (threats A18, A20; D3 for key files)."""
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from authority import Authority, openssl
from instance import PATIENCE, basic, drain, statuses, token_request, until
from secure import CLOSE, KEEP, V12, V13, Secure, configured

STALL = 1.5  # tls_timeout of the server whose deadlines are waited for


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def pairs(authority):
    return {"local": authority.issue("local", "DNS:localhost,IP:127.0.0.1"),
            "other": authority.issue("other", "DNS:auth.example.org,DNS:*.api.example.org")}


@pytest.fixture(scope="module")
def secure(tmp_path_factory, authority, pairs):
    from instance import Server
    folder = tmp_path_factory.mktemp("secure")
    config = configured(folder, pairs.values(), "log_level: debug\ntls_timeout: 10m\n")
    server = Server(data=folder / "data", config=config, listen=())
    yield Secure(server.start(), authority)
    server.destroy()


@pytest.fixture
def make_secure(make_server, tmp_path, authority):
    def make(pairs, more=""):
        server = make_server(config=configured(tmp_path, pairs, more), listen=())
        return Secure(server.start(), authority)
    return make


@pytest.fixture
def hasty(make_secure, pairs):
    """Its deadlines pass soon, so nothing else is asked of it."""
    return make_secure([pairs["local"]], f"tls_timeout: {int(STALL * 1000)}ms\n")


@pytest.fixture(scope="module")
def secure_app(secure):
    return secure.server.app(name="secure", scope="alpha")


# ------------------------------------------------------------------ versions and suites
@pytest.mark.parametrize("version", [V12, V13])
def test_a_token_over_tls(secure, secure_app, version):
    context = secure.authority.client(version, version)
    with secure.connect(context) as sock:
        assert sock.version() == {V12: "TLSv1.2", V13: "TLSv1.3"}[version]
        assert sock.compression() is None
        sock.sendall(token_request(secure_app, "Connection: close\r\n"))
        answer = drain(sock)
    assert statuses(answer) == [200] and b'"access_token"' in answer


def test_requests_oauthlib_over_https(secure, secure_app):
    session = OAuth2Session(client=BackendApplicationClient(client_id=secure_app.id))
    session.verify = str(secure.authority.certificate)
    session.trust_env = False
    url = secure.url.replace("127.0.0.1", "localhost")
    token = session.fetch_token(url + "/oauth/token", verify=session.verify,
                                auth=HTTPBasicAuth(secure_app.id, secure_app.secret))
    assert token["token_type"] == "Bearer"
    assert session.get(url + "/check").status_code == 200


def test_the_issuer_and_the_ready_line_are_https(secure):
    assert secure.url.startswith("https://")
    answer = secure.ask(CLOSE.replace(b"/healthz", b"/.well-known/oauth-authorization-server"))
    assert f'"issuer":"{secure.url}"'.encode() in answer


def test_rfc6797_7_2_every_answer_over_tls_says_so_and_no_other(secure, server):
    line = b"\r\nStrict-Transport-Security: max-age=31536000\r\n"
    for request in (CLOSE, CLOSE.replace(b"/healthz", b"/nowhere"), b"bad\r\n\r\n"):
        assert line in secure.ask(request)
    assert b"Strict-Transport" not in server.raw(CLOSE)


def failed(secure):
    return secure.metric('twoleg_tls_handshakes_total{result="failed"}')


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_A19_no_older_version(secure, version):
    context = secure.authority.client(version, version)
    context.set_ciphers("ALL:@SECLEVEL=0")
    before = failed(secure)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        secure.ask(context=context)
    until(lambda: failed(secure) == before + 1, "the server to count that it refused it")
    until(lambda: 'reason="a TLS version before 1.2"' in secure.server.stderr(), "the reason")


def accepted(secure, suites):
    """Those of the suites of TLS 1.2 with which a handshake succeeds."""
    found = []
    for suite in suites:
        context = secure.authority.client(V12, V12)
        try:
            context.set_ciphers(suite + ":@SECLEVEL=0")
        except ssl.SSLError:
            continue  # the client's library lacks it
        try:
            with secure.connect(context) as sock:
                assert sock.cipher()[:2] == (suite, "TLSv1.2") and sock.compression() is None
                found.append(suite)
        except (ssl.SSLError, ConnectionError):
            pass
    return found


@pytest.mark.parametrize("kind,name", [(("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "ECDSA"),
                                       (("rsa:2048",), "RSA")])
def test_A19_of_all_suites_only_aead_with_forward_secrecy(make_secure, authority, kind, name):
    """As a scanner does: each suite that the client's library has, one after the other."""
    secure = make_secure([authority.issue("scanned" + name, "DNS:localhost", key_kind=kind)],
                         "max_connections_per_address: 5000\n")
    every = openssl("ciphers", "-tls1_2", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").strip().split(":")
    suites = [suite for suite in every if not suite.startswith("TLS_")]
    found = accepted(secure, suites)
    assert set(found) == {f"ECDHE-{name}-AES128-GCM-SHA256", f"ECDHE-{name}-AES256-GCM-SHA384",
                          f"ECDHE-{name}-CHACHA20-POLY1305"}
    until(lambda: failed(secure) + len(found) > 60, "all that the client has offered")


def test_A19_of_tls_1_3_only_its_aead_suites(secure):
    """What a client may choose from: the suite without a whole tag is not among it."""
    for suite, good in (("TLS_AES_128_GCM_SHA256", True), ("TLS_AES_256_GCM_SHA384", True),
                        ("TLS_CHACHA20_POLY1305_SHA256", True),
                        ("TLS_AES_128_CCM_8_SHA256", False), ("TLS_AES_128_CCM_SHA256", False)):
        before = failed(secure)
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}",
                               "-tls1_3", "-ciphersuites", suite], input=b"", check=False,
                              capture_output=True, timeout=PATIENCE)
        assert (f"New, TLSv1.3, Cipher is {suite}".encode() in done.stdout) == good, done
        until(lambda: failed(secure) == before + (not good), "the count of those refused")


def test_rfc7301_http11_is_chosen_and_others_are_told(secure):
    context = secure.authority.client()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with secure.connect(context) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["smtp"])
    with pytest.raises(ssl.SSLError, match="(?i)application.protocol"):
        secure.ask(context=context)


# ------------------------------------------------------------------ names
@pytest.mark.parametrize("name,wanted", [("localhost", "local"), ("auth.example.org", "other"),
                                         ("x.api.example.org", "other"),
                                         ("nobody.example", "local"), (None, "local")])
def test_rfc6066_3_the_certificate_is_chosen_by_name(secure, name, wanted):
    context = secure.authority.client()
    context.check_hostname = False
    with secure.connect(context, name=name) as sock:
        subject = dict(pair[0] for pair in sock.getpeercert()["subject"])
    assert subject["commonName"] == wanted


# ------------------------------------------------------------------ sessions
def session_of(secure, context):
    with secure.connect(context) as sock:
        sock.sendall(CLOSE)
        assert statuses(drain(sock)) == [200]
        return sock.session


def resumes(secure, context, session):
    with secure.connect(context, session=session) as sock:
        sock.sendall(CLOSE)
        assert statuses(drain(sock)) == [200]
        return sock.session_reused


@pytest.mark.parametrize("version", [V12, V13])
def test_a_session_is_resumed_and_counted(secure, version):
    context = secure.authority.client(version, version)
    before = secure.metric('twoleg_tls_handshakes_total{result="resumed"}')
    assert resumes(secure, context, session_of(secure, context))
    assert secure.metric('twoleg_tls_handshakes_total{result="resumed"}') == before + 1


def greeted(secure, context, name, session=None):
    """Whether the session went on, and the one to go on with."""
    with secure.connect(context, name=name, session=session) as sock:
        sock.sendall(CLOSE)
        assert statuses(drain(sock)) == [200]
        return sock.session_reused, sock.session


@pytest.mark.parametrize("version", [V12, V13])
def test_rfc6066_3_no_session_goes_on_under_another_name(secure, version):
    """Nor without one, where it was made with one; two of these have the same certificate."""
    context = secure.authority.client(version, version)
    context.check_hostname = False
    names = ["localhost", "auth.example.org", "x.api.example.org", "nobody.example", None]
    for made in names:
        resumed, session = greeted(secure, context, made)
        assert not resumed
        for asked in names:
            resumed, other = greeted(secure, context, asked, session)
            assert resumed == (asked == made), (made, asked)
            # What comes of a handshake that began with the wrong one is the name's own.
            assert greeted(secure, context, asked, other)[0]


def test_rfc8446_c_4_who_resumes_gets_the_ticket_of_the_next_time(secure):
    context = secure.authority.client(V13, V13)
    session = session_of(secure, context)
    for _ in range(3):
        with secure.connect(context, session=session) as sock:
            sock.sendall(CLOSE)
            assert statuses(drain(sock)) == [200] and sock.session_reused
            assert sock.session.id != session.id  # of TLS 1.3: the ticket's hash
            session = sock.session


@pytest.mark.parametrize("version", [V12, V13])
def test_certificates_are_read_again_and_sessions_go_on(make_secure, authority, tmp_path, version):
    first, second = (authority.issue(f"{n}{version}", "DNS:localhost") for n in ("first", "second"))
    secure = make_secure([first])
    context = authority.client(version, version)
    session = session_of(secure, context)
    with secure.connect(context) as old:
        serial = old.getpeercert()["serialNumber"]
        for name in ("certificate", "key"):
            shutil.copy(getattr(second, name), getattr(first, name))
        secure.server.process.send_signal(signal.SIGHUP)
        until(lambda: "event=reloaded" in secure.server.stderr(), "the line about the reload")
        old.sendall(CLOSE)
        assert statuses(drain(old)) == [200]
    assert resumes(secure, context, session)
    with secure.connect(context) as new:
        assert new.getpeercert()["serialNumber"] != serial


def test_a_bad_certificate_changes_nothing_at_a_reload(make_secure, authority):
    pair, other = authority.issue("kept", "DNS:localhost"), authority.issue("foreign", "DNS:x")
    secure = make_secure([pair])
    shutil.copy(other.key, pair.key)
    secure.server.process.send_signal(signal.SIGHUP)
    until(lambda: "event=reload_refused" in secure.server.stderr(), "the refusal")
    assert f"{pair.key} does not belong to the certificate" in secure.server.stderr()
    assert statuses(secure.ask()) == [200]


@pytest.mark.hooks
def test_ticket_keys_rotate_and_expire(make_secure, pairs):
    secure = make_secure([pairs["local"]])
    context = secure.authority.client(V12, V12)
    session = session_of(secure, context)
    secure.server.hooks.clock(11 * 3600)
    assert resumes(secure, context, session)
    secure.server.hooks.clock(25 * 3600)
    assert not resumes(secure, context, session)


def test_tickets_end_with_the_process(make_secure, pairs, authority):
    secure = make_secure([pairs["local"]])
    context = authority.client(V12, V12)
    session = session_of(secure, context)
    secure.server.restart()
    assert not resumes(secure, context, session)


# ------------------------------------------------------------------ A18
def test_A18_a_stalled_handshake_is_closed_by_its_deadline(hasty):
    began = time.monotonic()
    with hasty.plain() as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert drain(sock) == b""
        assert time.monotonic() - began >= STALL * 0.9


def finish(client, sock, incoming, outgoing):
    """The handshake goes on to its end; what the client then has to send is still in outgoing."""
    while True:
        try:
            client.do_handshake()
            return
        except ssl.SSLWantReadError:
            sock.sendall(outgoing.read())
            piece = sock.recv(65536)
            assert piece
            incoming.write(piece)


def everything(client):
    """What a client without a socket of its own can read of what it was given."""
    received = b""
    try:
        while piece := client.read(65536):
            received += piece
    except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
        pass
    return received


def hello(context):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return client, incoming, outgoing


def test_A18_the_deadline_does_not_move_with_each_byte(hasty):
    _, _, outgoing = hello(hasty.authority.client())
    whole, sent = outgoing.read(), 0
    with hasty.plain() as sock:
        try:
            for byte in whole:
                sock.sendall(bytes([byte]))
                sent += 1
                time.sleep(STALL / 20)
        except ConnectionError:
            pass
    assert 0 < sent < len(whole) / 2, sent


def test_A18_a_handshake_byte_by_byte(secure):
    client, incoming, outgoing = hello(secure.authority.client())
    with secure.plain() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        done = False
        while not done:
            for byte in outgoing.read():
                sock.sendall(bytes([byte]))
            try:
                client.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                incoming.write(sock.recv(65536))
        client.write(CLOSE)
        # The end of the handshake and the request come together: the socket tells only once.
        sock.sendall(outgoing.read())
        incoming.write(drain(sock))
        assert statuses(everything(client)) == [200]


@pytest.mark.parametrize("version", [V12, V13])
def test_A18_records_of_one_byte(secure, secure_app, version):
    with secure.connect(secure.authority.client(version, version)) as sock:
        for byte in token_request(secure_app, "Connection: close\r\n"):
            sock.sendall(bytes([byte]))
        assert statuses(drain(sock)) == [200]


@pytest.mark.parametrize("version", [V12, V13])
def test_many_records_that_come_at_once(secure, version):
    """Several requests, each byte a record of its own, in one segment: TLS has received what the
    socket then does not announce any more."""
    client, incoming, outgoing = hello(secure.authority.client(version, version))
    with secure.plain() as sock:
        finish(client, sock, incoming, outgoing)
        for byte in KEEP * 6 + CLOSE:
            client.write(bytes([byte]))
        sock.sendall(outgoing.read())
        incoming.write(drain(sock))
        assert statuses(everything(client)) == [200] * 7


def test_a_long_body_over_tls(secure, secure_app):
    """More than a record, more than a slab."""
    body = b"grant_type=client_credentials&pad=" + b"x" * 60000
    head = (f"POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: "
            f"{basic(secure_app.id, secure_app.secret)}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n").encode()
    assert statuses(secure.ask(head + body)) == [200]


def test_A18_renegotiation_is_refused(secure):
    client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{secure.port}",
                               "-tls1_2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
    # What comes before the end of the handshake is not taken for the command.
    lines = []
    for line in client.stdout:
        lines.append(line)
        if b"Extended master secret" in line:
            break
    client.stdin.write(b"R\n")
    client.stdin.flush()
    rest, _ = client.communicate(timeout=PATIENCE)
    assert b"RENEGOTIATING" in rest and b"no renegotiation" in rest, b"".join(lines) + rest
    assert statuses(secure.ask()) == [200]


def test_A18_no_early_data(secure, tmp_path):
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_bytes(CLOSE)
    common = ["s_client", "-connect", f"127.0.0.1:{secure.port}", "-tls1_3"]
    with subprocess.Popen(["openssl", *common, "-sess_out", str(session), "-ign_eof"],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as client:
        client.communicate(CLOSE, timeout=PATIENCE)
    text = openssl("sess_id", "-in", str(session), "-noout", "-text")
    assert "Max Early Data: 0" in text
    said = openssl(*common, "-sess_in", str(session), "-ign_eof", input=CLOSE.decode())
    assert "Reused, TLSv1.3" in said and "Early data was not sent" in said


# ------------------------------------------------------------------ A20
@pytest.mark.parametrize("data", [CLOSE, b"SSH-2.0-OpenSSH_9.2\r\n", b"\x00" * 64, b"\xff" * 512,
                                  b"\x16\x03\x01\x00\x05\x02garbage"])
def test_A20_what_is_no_tls_is_closed_at_once(secure, data):
    def counted():
        return failed(secure), secure.metric("twoleg_http_deadline_total")

    failures, deadlines = counted()
    with secure.plain() as sock:
        sock.sendall(data)
        assert b"HTTP" not in drain(sock)
    assert counted() == (failures + 1, deadlines), "it was heard out"


def test_A20_plain_http_at_a_tls_listener_is_named_in_the_log(secure):
    with secure.plain() as sock:
        sock.sendall(CLOSE)
        drain(sock)
    until(lambda: "plain HTTP at a TLS listener" in secure.server.stderr(), "the line")


def test_A20_tls_at_a_plain_listener_is_closed_at_once(server, authority):
    _, _, outgoing = hello(authority.client())
    assert statuses(server.raw(outgoing.read())) == [400]  # and not 408, by a deadline


def test_a_client_that_leaves_amid_the_handshake_costs_nothing(secure):
    for _ in range(20):
        with secure.plain() as sock:
            sock.sendall(b"\x16\x03\x01\x02\x00")
    assert statuses(secure.ask()) == [200]


def test_the_end_is_told(secure, make_secure, pairs):
    """RFC 8446 6.1: close_notify, so that a client can tell an end from a cut."""
    context = secure.authority.client()
    with secure.connect(context, suppress_ragged_eofs=False) as sock:
        sock.sendall(CLOSE)
        while sock.recv(65536):
            pass
    hasty = make_secure([pairs["local"]], "idle_timeout: 1s\n")
    with hasty.connect(context, suppress_ragged_eofs=False) as sock:  # idle, by its deadline
        assert sock.recv(65536) == b""


def test_stopping_lets_a_handshake_end_but_does_not_wait_for_a_stall(make_secure, pairs):
    secure = make_secure([pairs["local"]], "tls_timeout: 10m\n")
    client, incoming, outgoing = hello(secure.authority.client())
    with secure.plain() as stalled, secure.plain() as good:
        stalled.sendall(b"\x16\x03\x01\x02\x00")
        good.sendall(outgoing.read())
        incoming.write(good.recv(65536))
        secure.server.process.send_signal(signal.SIGTERM)
        until(lambda: "event=stopping" in secure.server.stderr(), "the server's stopping")
        finish(client, good, incoming, outgoing)
        client.write(KEEP)
        good.sendall(outgoing.read())
        incoming.write(drain(good))
        received = everything(client)
        assert statuses(received) == [200]
    assert secure.server.process.wait(PATIENCE) == 0


def test_many_clients_at_once(secure, secure_app):
    failed = []

    def work():
        context = secure.authority.client()
        for _ in range(10):
            with secure.connect(context) as sock:
                for _ in range(3):
                    sock.sendall(token_request(secure_app))
                    if not sock.recv(65536).startswith(b"HTTP/1.1 200"):
                        failed.append(1)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


# ------------------------------------------------------------------ files
def refusal(make_server, tmp_path, pair, more=""):
    status, words = make_server(config=configured(tmp_path, [pair], more), listen=()).refused()
    assert status == 1
    return words


def test_a_pair_that_does_not_belong_together(make_server, tmp_path, authority):
    one, other = authority.issue("one", "DNS:x"), authority.issue("two", "DNS:x")
    one.key = other.key
    words = refusal(make_server, tmp_path, one)
    assert f"{one.key} does not belong to the certificate {one.certificate}" in words


def test_a_certificate_without_a_host(make_server, tmp_path, authority):
    pair = authority.issue("nameless", "")
    assert f"{pair.certificate} names no host" in refusal(make_server, tmp_path, pair)


def test_files_that_are_missing_or_hold_something_else(make_server, tmp_path, authority):
    pair = authority.issue("swapped", "DNS:x")
    pair.certificate, pair.key = pair.key, pair.certificate
    assert "holds no certificate" in refusal(make_server, tmp_path, pair)
    pair.certificate = str(tmp_path / "missing.pem")
    assert f"{pair.certificate} cannot be opened: No such file" in refusal(make_server, tmp_path,
                                                                          pair)


def test_a_weak_key(make_server, tmp_path, authority):
    pair = authority.issue("weak", "DNS:x", key_kind=("rsa:1024",))
    assert "is too weak (1024 bits of RSA)" in refusal(make_server, tmp_path, pair)


def test_a_key_with_a_password(make_server, tmp_path, authority):
    pair = authority.issue("locked", "DNS:x")
    openssl("ec", "-in", pair.key, "-aes256", "-passout", "pass:secret", "-out", pair.key)
    assert "has a password" in refusal(make_server, tmp_path, pair)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_D3_a_key_that_others_may_read(make_server, tmp_path, authority, mode):
    pair = authority.issue("open", "DNS:x")
    os.chmod(pair.key, mode)
    assert f"{pair.key} is open to others (mode 0{mode:o})" in refusal(make_server, tmp_path, pair)


def test_D3_a_key_in_a_folder_that_others_may_write(make_server, tmp_path, authority):
    pair = authority.issue("loose", "DNS:x")
    folder = tmp_path / "loose"
    folder.mkdir()
    os.chmod(folder, 0o777)
    pair.key = shutil.move(pair.key, folder)
    assert "is writable by others" in refusal(make_server, tmp_path, pair)


def test_a_key_behind_a_link_is_followed_to_its_end(make_secure, tmp_path, authority):
    """What renews certificates keeps links to the newest."""
    pair = authority.issue("linked", "DNS:localhost")
    link = tmp_path / "live.key"
    link.symlink_to(pair.key)
    pair.key = str(link)
    assert statuses(make_secure([pair]).ask()) == [200]


def test_an_rsa_certificate_with_its_chain(make_secure, authority):
    pair = authority.issue("rsa", "DNS:localhost", key_kind=("rsa:2048",))
    chain = pathlib.Path(pair.certificate)
    chain.write_text(chain.read_text() + authority.certificate.read_text())
    assert statuses(make_secure([pair]).ask()) == [200]


def test_the_configuration_is_shown_and_a_unix_socket_refused(make_server, tmp_path, pairs):
    server = make_server()
    config = configured(tmp_path, pairs.values())
    shown = server.run_cli("config", "show", "--config", str(config)).stdout
    assert f"tls: [{pairs['local'].yaml()}, {pairs['other'].yaml()}]" in shown
    config.write_text(shown)
    assert server.run_cli("config", "check", "--config", str(config)).returncode == 0
    config.write_text(f"listen:\n  - {{address: 'unix:/tmp/x', tls: [{pairs['local'].yaml()}]}}\n")
    done = server.run_cli("config", "check", "--config", str(config))
    assert done.returncode != 0 and "is a Unix socket, which has no tls" in done.stderr
