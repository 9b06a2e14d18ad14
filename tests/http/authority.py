# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of the tests' own, made by the openssl command."""
import os
import ssl
import subprocess


def openssl(*args, input=None):
    done = subprocess.run(["openssl", *args], input=input, capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, f"openssl {args}: {done.stderr}"
    return done.stdout


class Pair:
    """A certificate's file and its key's."""

    def __init__(self, certificate, key):
        self.certificate, self.key = str(certificate), str(key)

    def yaml(self):
        return f"{{certificate: {self.certificate}, key: {self.key}}}"


class Authority:
    def __init__(self, folder):
        self.folder = folder
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", str(self.key), "-out", str(self.certificate), "-days", "30",
                "-subj", "/CN=tests")

    def issue(self, name, names, days=21, key_kind=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """A pair for these names, as subjectAltName spells them; days may be negative."""
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        request, extension = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={names}\n" if names else "basicConstraints=CA:FALSE")
        openssl("req", "-newkey", *key_kind, "-nodes", "-keyout", pair.key, "-out", str(request),
                "-subj", f"/CN={name}")
        os.chmod(pair.key, 0o600)
        openssl("x509", "-req", "-in", str(request), "-CA", str(self.certificate), "-CAkey",
                str(self.key), "-CAcreateserial", "-days", str(days), "-extfile", str(extension),
                "-out", pair.certificate)
        return pair

    def client(self, lowest=ssl.TLSVersion.TLSv1_2, highest=ssl.TLSVersion.TLSv1_3):
        context = ssl.create_default_context(cafile=str(self.certificate))
        context.minimum_version, context.maximum_version = lowest, highest
        return context
