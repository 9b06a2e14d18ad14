# SPDX-License-Identifier: Apache-2.0
"""The life of certificates: what clients refuse, or soon will, is told and stops nothing."""
import datetime
import os
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from authority import Pair
from secure import Secure, configured
from test_serve import lines_of, warnings_of

DAY = datetime.timedelta(days=1)


def make(folder, name, start, end, hosts=None):
    """A pair for this host, or for these, good between so many days from now."""
    pair, key = Pair(folder / f"{name}.pem", folder / f"{name}.key"), ec.generate_private_key(
        ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
    certificate = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now + start * DAY).not_valid_after(now + end * DAY)
                   .add_extension(x509.SubjectAlternativeName(
                       [x509.DNSName(host) for host in hosts or [name]]), False)
                   .sign(key, hashes.SHA256()))
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    with os.fdopen(os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM,
                                     serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()))
    pair.end = now + end * DAY
    doubt = now + (start if start > 0 else end) * DAY
    pair.told = f"{pair.certificate} %s {doubt:%Y-%m-%d %H:%M:%S UTC}"
    return pair


def shown(secure, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with secure.connect(context, name) as sock:
        return x509.load_der_x509_certificate(sock.getpeercert(True)).subject.rfc4514_string()


@pytest.mark.parametrize("start, end, words", [
    (-9, -1, "expired on"), (1, 99, "is not valid before"), (-9, 13, "expires on")])
def test_a_certificate_that_clients_refuse_or_soon_will_is_warned_of(make_server, tmp_path, start,
                                                                     end, words):
    good, bad = make(tmp_path, "good.test", -1, 20), make(tmp_path, "bad.test", start, end)
    told = bad.told % words
    config = configured(tmp_path, [good, bad])
    server = make_server(config=config, listen=())
    secure = Secure(server.start(), None)
    assert [told in line for line in warnings_of(server) if ".pem" in line] == [True]
    assert len(lines_of(server, "configuration_doubtful")) == 1
    assert [shown(secure, name) for name in ("good.test", "bad.test")] \
        == ["CN=good.test", "CN=bad.test"]
    checked = server.run_cli("config", "check", "--config", str(config))
    assert checked.returncode == 0 and told in checked.stderr and good.certificate not in \
        checked.stderr
    # The renewal of another one is taken, and so is its own.
    again = make(tmp_path, "good.test", -1, 30)
    reloaded = server.run_cli("reload")
    assert reloaded.returncode == 0 and told in reloaded.stderr
    metric = "twoleg_tls_certificate_end_timestamp_seconds"
    assert secure.metric(metric) == min(again.end, bad.end).timestamp()
    renewed = make(tmp_path, "bad.test", -1, 25)
    assert server.run_cli("reload").stderr == ""
    assert secure.metric(metric) == renewed.end.timestamp()


def test_without_tls_no_certificate_ends(server):
    assert "twoleg_tls_certificate" not in server.admin("GET", "/metrics").text


@pytest.mark.parametrize("first, second, hidden", [
    (["a.test"], ["a.test"], True),
    (["a.test", "B.test"], ["b.test", "A.test"], True),
    (["*.e.test"], ["a.e.test", "*.e.test"], True),
    (["*.e.test"], ["a.e.test", "a.a.e.test"], False),
    (["a.e.test"], ["*.e.test"], False),
    (["a.test"], ["a.test", "b.test"], False)])
def test_a_certificate_that_is_never_shown_is_warned_of(make_server, tmp_path, first, second,
                                                        hidden):
    pairs = [make(tmp_path, "one", -1, 30, first), make(tmp_path, "two", -1, 30, second)]
    config = configured(tmp_path, pairs)
    server = make_server(config=config, listen=())
    secure = Secure(server.start(), None)
    seen = {shown(secure, host.replace("*", "star")) for host in second}
    assert ("CN=two" in seen) is not hidden
    told = f"{pairs[1].certificate} is never shown: {pairs[0].certificate} stands before it"
    checked = server.run_cli("config", "check", "--config", str(config))
    assert checked.returncode == 0
    for words in (server.stderr(), checked.stderr, server.run_cli("reload").stderr):
        assert (told in words) is hidden and ("never shown" in words) is hidden


@pytest.mark.parametrize("which", [0, 1])
def test_a_certificate_without_readable_dates_is_refused(make_server, tmp_path, which):
    """The 99th month is no date that has passed: the file is broken."""
    pair = make(tmp_path, "broken.test", -1, 20)
    path = tmp_path / "broken.test.pem"
    parts = ssl.PEM_cert_to_DER_cert(path.read_text()).split(b"\x17\r")  # an UTCTime of 13 bytes
    assert len(parts) == 3
    parts[which + 1] = b"269901000000Z" + parts[which + 1][13:]
    path.write_text(ssl.DER_cert_to_PEM_cert(b"\x17\r".join(parts)))
    status, said = make_server(config=configured(tmp_path, [pair]), listen=()).refused()
    assert status == 1 and f"the TLS certificate {path} has no readable dates" in said
