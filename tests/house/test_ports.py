"""The port that a test holds for its server is given to nobody else: two workers run at once."""

from __future__ import annotations

import errno
import socket

import pytest

from tests.support.servers import free_port


def test_a_held_port_is_for_its_own_server() -> None:
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use") as caught:
        other.bind(("127.0.0.1", port))
    assert caught.value.errno == errno.EADDRINUSE
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)
    for _ in range(2):  # one after another
        with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port), 5):
            pass
