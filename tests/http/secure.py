# SPDX-License-Identifier: Apache-2.0
"""A server with a TLS listener, and its visitors."""
import socket
import ssl
import urllib.parse

from instance import PATIENCE, drain

V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
CLOSE = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
KEEP = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


class Secure:
    """A started server with a TLS listener."""

    def __init__(self, server, authority):
        self.server, self.authority = server, authority

    @property
    def url(self):
        return next(url for url in self.server.urls if url.startswith("https:"))

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port

    def connect(self, context=None, name="localhost", **options):
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        context = context or self.authority.client()
        try:
            return context.wrap_socket(sock, server_hostname=name, **options)
        except BaseException:
            sock.close()
            raise

    def ask(self, request=CLOSE, context=None, **options):
        with self.connect(context, **options) as sock:
            sock.sendall(request)
            return drain(sock)

    def plain(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def metric(self, name):
        text = self.server.admin("GET", "/metrics").text
        [line] = [line for line in text.splitlines() if line.startswith(name + " ")]
        return int(line.split()[1])


def configured(folder, pairs, more=""):
    file = folder / "twoleg.yaml"
    listed = ", ".join(pair.yaml() for pair in pairs)
    file.write_text(f"listen:\n  - address: 127.0.0.1:0\n    tls: [{listed}]\n    doors: "
                    f"[public, gate]\n{more}")
    return file
