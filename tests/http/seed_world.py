#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the samples of the seed documents, as printed, in a world of their own: a private mount and
network namespace (the caller made it) in which the documents' host names lead to this process and
certificates of a test's authority are believed. A front like any operator's reverse proxy stands at
port 443: token requests go to twoleg byte by byte, any other call is asked about at /check and then
recorded and answered by a stub. Usage: seed_world.py FOLDER < jobs.json > results.json"""
import fcntl
import http.client
import json
import os
import pathlib
import select
import socket
import ssl
import struct
import subprocess
import sys
import threading

from authority import Authority
from instance import Server

HOSTS = {"www.rti-sms.com": "rti-sms", "api.sms.cx": "smscx",
         "api-sandbox.rapidsos.com": "rapidsos"}
TOKEN_PATHS = ("/api/auth", "/oauth/")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        up = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP | IFF_RUNNING
        fcntl.ioctl(sock, 0x8914, up)  # SIOCSIFFLAGS


def lay_over(path, text, folder):
    """Another content for a file, in this mount namespace only."""
    cover = folder / pathlib.Path(path).name
    cover.write_text(text)
    os.chmod(cover, 0o644)
    subprocess.run(["mount", "--bind", str(cover), path], check=True)


class Front:
    """TLS at port 443, then twoleg or the stub."""

    def __init__(self, pair, port):
        self.port, self.recorded = port, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        listener = socket.create_server(("127.0.0.1", 443), backlog=16)
        self.listener = context.wrap_socket(listener, server_side=True)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except (OSError, ssl.SSLError):
                continue
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            data = b""
            while b"\r\n\r\n" not in data:
                more = client.recv(65536)
                if not more:
                    return
                data += more
            path = data.split(b" ", 2)[1].decode()
            if path.startswith(TOKEN_PATHS):
                self.pipe(client, data)
            else:
                client.sendall(self.resource(data))

    def pipe(self, client, data):
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            server.sendall(data)
            while True:
                ready = [client] if client.pending() else \
                    select.select([client, server], [], [], 60)[0]
                if not ready:
                    return
                for one, other in ((client, server), (server, client)):
                    if one not in ready:
                        continue
                    more = one.recv(65536)
                    if not more:
                        return
                    other.sendall(more)

    def resource(self, data):
        head = data.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in head[1:])
        method, path = head[0].split(" ")[:2]
        call = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        call.request(method, "/check", headers={
            name: value for name, value in headers.items()
            if name.lower() in ("host", "authorization", "content-type")})
        verdict = call.getresponse()
        body = verdict.read()
        if verdict.status == 200:
            body = json.dumps({"who": verdict.headers["X-Auth-Client-Id"]}).encode()
            self.recorded.append({"method": method, "path": path,
                                  "who": verdict.headers["X-Auth-Client-Id"]})
        return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
            verdict.status, len(body), body)


def run(job, folder, environment):
    """One sample: its file is written, the command is run in its folder."""
    place = folder / job["name"]
    place.mkdir()
    (place / job["file"]).write_text(job["text"])
    done = subprocess.run(job["command"], cwd=place, env=environment, capture_output=True,
                          text=True, timeout=120, check=False)
    return {"name": job["name"], "status": done.returncode, "out": done.stdout,
            "err": done.stderr}


def main():
    folder = pathlib.Path(sys.argv[1])
    order = json.load(sys.stdin)
    loopback_up()
    authority = Authority(folder)
    pair = authority.issue("front", ",".join(f"DNS:{host}" for host in HOSTS))
    own = authority.certificate.read_text()
    lay_over("/etc/hosts", "127.0.0.1 localhost\n" +
             "".join(f"127.0.0.1 {host}\n" for host in HOSTS), folder)
    lay_over(BUNDLE, own, folder)
    trust = folder / "trust.p12"
    if order["java"]:
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "tests", "-file",
                        str(authority.certificate), "-keystore", str(trust), "-storepass",
                        "changeit", "-storetype", "PKCS12"], check=True, capture_output=True)
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(authority.certificate),
                   "JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={trust} "
                   "-Djavax.net.ssl.trustStorePassword=changeit"}
    file = folder / "twoleg.yaml"
    file.write_text("password_grant: true\nhosts:\n" + "".join(
        f"  - {{name: {host}, dialect: {name}}}\n" for host, name in HOSTS.items()))
    server = Server(data=folder / "data", config=file).start()
    try:
        app = server.app(name="sample", scope="groups sms", client_id=order["id"],
                         secret=order["secret"], grants="client_credentials password")
        server.cli("user", "add", order["username"], "--scope", "sms", "--password-file", "-",
                   input=order["password"])
        front = Front(pair, server.port)
        results = []
        for job in order["jobs"]:
            if job.get("bearer"):
                token = server.request("POST", job["bearer"]["path"], job["bearer"]["body"], {
                    "Host": job["bearer"]["host"],
                    "Content-Type": "application/x-www-form-urlencoded"}).json()["access_token"]
                job["text"] = job["text"].replace(job["bearer"]["replaces"], token)
            results.append(run(job, folder, environment))
        json.dump({"results": results, "recorded": front.recorded, "id": app.id,
                   "metrics": server.get("/metrics").text}, sys.stdout)
    finally:
        server.destroy()


if __name__ == "__main__":
    main()
