# SPDX-License-Identifier: Apache-2.0
"""The guide's recipe for nginx, as it is printed, in front of gates that speak dialects."""
import re
import shutil
import socket
import subprocess

import pytest

from dialect_oracle import check_refusal
from instance import PATIENCE, ROOT, drain, until

NGINX = shutil.which("nginx", path=f"/usr/sbin:/usr/bin:{ROOT}/build/nginx/usr/sbin")
CONF = """daemon off; master_process off; worker_processes 1; pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;
fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
server {{ listen unix:{folder}/sock; {recipe} }} }}
"""
pytestmark = pytest.mark.skipif(
    not NGINX or subprocess.run([NGINX, "-v"], capture_output=True, check=False).returncode,
    reason="nginx is not there, or does not start: ./packages test")


@pytest.fixture
def proxied(make_server, tmp_path):
    """A server with one gate that speaks so, behind nginx; asks for /api/x there."""
    running = []

    def start(dialect):
        file = tmp_path / "twoleg.yaml"
        file.write_text(f"checks:\n  - {{name: sms, dialect: {dialect}, scope: sms}}\n")
        server = make_server(config=file).start()
        guide = (ROOT / "docs/dialects.md").read_text()
        [recipe] = re.findall(r"```nginx\n(location.*?)```", guide, re.DOTALL)
        recipe = recipe.replace("127.0.0.1:8080", f"127.0.0.1:{server.port}")
        recipe = recipe.replace("127.0.0.1:9000", f"127.0.0.1:{server.port}/healthz?")
        (tmp_path / "conf").write_text(CONF.format(folder=tmp_path, recipe=recipe))
        nginx = subprocess.Popen([NGINX, "-c", tmp_path / "conf", "-e", tmp_path / "errors"])
        running.append(nginx)
        until((tmp_path / "sock").exists, "nginx to listen")

        def ask(authorization):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.settimeout(PATIENCE)
                sock.connect(str(tmp_path / "sock"))
                sock.sendall(f"GET /api/x HTTP/1.1\r\nHost: api.example\r\n"
                             f"Connection: close\r\n{authorization}\r\n".encode())
                head, _, body = drain(sock).decode().partition("\r\n\r\n")
            kind = re.search(r"(?mi)^content-type: *(.*?)\r?$", head)
            return int(head.split()[1]), kind and kind[1], body
        return server, ask

    yield start
    for nginx in running:
        nginx.terminate()
        nginx.wait(PATIENCE)


@pytest.mark.parametrize("dialect", ["rti-sms", "smscx", "rapidsos", "rfc6749"])
def test_T16_callers_behind_nginx_read_the_dialects_refusal(proxied, dialect):
    server, ask = proxied(dialect)
    app = server.app(scope="sms groups")
    passes = f"Authorization: Bearer {server.bearer(app)}\r\n"
    lacks = f"Authorization: Bearer {server.bearer(app, scope='groups')}\r\n"
    assert ask(passes)[0] == 200
    for status, headers in ((401, ""), (401, "Authorization: Bearer nonsense\r\n"), (403, lacks)):
        kind, body, _ = check_refusal(dialect, status)
        found = ask(headers)
        assert found[:2] == (status, kind) and body in (None, found[2]), found
