# SPDX-License-Identifier: Apache-2.0
"""The client that looks at all of an answer, while another one makes the load."""
import http.client
import json
import socket
import ssl
import threading

from rig import ALGORITHMS, check_request, introspection, token_request

PAUSE = 1 / 400  # seconds between two looks


class Client:
    """A connection of our own that reads every answer to its end."""

    def __init__(self, port, tls=False):
        self.last = None
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.sock = context.wrap_socket(self.sock)

    def ask(self, request):
        self.sock.sendall(request.encode())
        answer = http.client.HTTPResponse(self.sock)
        answer.begin()
        body = answer.read()
        self.last = answer.status, body[:300]
        return answer.status, answer.headers, body

    def token(self, app):
        status, _, body = self.ask(token_request(app))
        if status != 200:
            raise SystemExit(f"no token for {app['client_id']}: {status} {body}")
        return json.loads(body)["access_token"]


def verify_token(client, apps, at, kind):
    app = apps[kind][at % len(apps[kind])]
    status, headers, body = client.ask(token_request(app))
    facts = json.loads(body)
    good = (status == 200 and set(facts) == {"access_token", "token_type", "expires_in", "scope"}
            and facts["token_type"] == "Bearer"
            and 3590 < facts["expires_in"] <= 3600  # it may have waited for its signature
            and facts["scope"] == "groups sms" and headers["Cache-Control"] == "no-store"
            and headers["Content-Type"] == "application/json")
    return good and verify_introspection(client, apps, app, facts["access_token"])


def verify_introspection(client, apps, app, token):
    status, _, body = client.ask(introspection(apps["callers"][0], token))
    facts = json.loads(body)
    wanted = {"active", "scope", "client_id", "token_type", "exp", "iat", "sub", "aud", "iss",
              "jti"}
    return (status == 200 and set(facts) == wanted and facts["active"] is True
            and facts["client_id"] == facts["sub"] == app["client_id"]
            and facts["scope"] == "groups sms" and facts["exp"] - facts["iat"] == 3600
            and facts["aud"] in (facts["iss"], *ALGORITHMS.values()))


def verify_check(client, app, token):
    status, headers, _ = client.ask(check_request(token))
    return (status == 200 and headers["X-Auth-Client-Id"] == app["client_id"]
            and headers["X-Auth-Scope"] == "groups sms")


def verify_refused(client, request):
    status, headers, body = client.ask(request)
    return status == 401 and "WWW-Authenticate" in headers and "error" in json.loads(body)


class Verifier(threading.Thread):
    """Asks beside the load, on a connection of its own, and looks at all of the answer."""

    def __init__(self, port, look, tls=False):
        super().__init__(daemon=True)
        self.client, self.look = Client(port, tls), look
        self.looks, self.bad, self.ending = 0, None, threading.Event()

    def run(self):
        try:
            while not self.ending.wait(PAUSE) and not self.bad:
                if not self.look(self.client, self.looks):
                    self.bad = f"look {self.looks} found {self.client.last}"
                self.looks += 1
        except (OSError, ValueError, KeyError, http.client.HTTPException) as error:
            self.bad = repr(error)

    def finish(self):
        self.ending.set()
        self.join()
        self.client.sock.close()
