# SPDX-License-Identifier: Apache-2.0
"""Sockets that systemd hands over, beside listeners that are none of them."""
from test_service import listening, manage  # noqa: F401 (a fixture)


def test_H23_socket_beside_the_same_port_elsewhere_is_refused_in_words(manage):  # noqa: F811
    """ListenStream=443 is [::]:443; a listener 0.0.0.0:443 would be told that twoleg itself has
    it."""
    sock = listening()
    port = sock.getsockname()[1]
    server = manage([sock])
    server.listen = (f"0.0.0.0:{port}",)
    status, words = server.refused()
    assert status == 1 and f"hands over a socket at 127.0.0.1:{port}, which listen:" in words
    assert "is held by" not in words
