"""Forwarded ports: halves that end, resets, many at once, large ones; what is taken or forbidden."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.servers import free_port
from wherry.errors import UnavailableError, UsageError
from wherry.kit.attending import Opening
from wherry.system.forwarding import Forwarder


@contextlib.contextmanager
def served(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback; the port where a Forwarder leads to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    one, _ = server.accept()
                    threading.Thread(target=serve, args=(one,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        forwarder = Forwarder((Opening(inner=server.getsockname()[1]),))
        forwarder.to(0)
        try:
            yield int(forwarder.addresses[0].partition("->")[0].rpartition(":")[2])
        finally:
            forwarder.close()
            with contextlib.suppress(OSError):  # wakes accept, which would take up whatever has this number later
                server.shutdown(socket.SHUT_RDWR)


def counted(one: socket.socket) -> None:
    """Reads all, then says how much it was: only right when an end of one half does not end the other."""
    with one:
        total = 0
        while data := one.recv(1 << 16):
            total += len(data)
        one.sendall(b"%d" % total)


def all_of(one: socket.socket) -> bytes:
    found = b""
    while data := one.recv(1 << 16):
        found += data
    return found


def test_one_half_ends_before_the_other() -> None:
    with served(counted) as port, socket.create_connection(("127.0.0.1", port), 10) as one:
        one.sendall(b"x" * 3_000_000)
        one.shutdown(socket.SHUT_WR)
        assert all_of(one) == b"3000000"


def test_many_at_once() -> None:
    def ask(number: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 20) as one:
            one.sendall(b"x" * number)
            one.shutdown(socket.SHUT_WR)
            return all_of(one)

    with served(counted) as port, ThreadPoolExecutor(50) as pool:
        assert list(pool.map(ask, range(200))) == [b"%d" % number for number in range(200)]


def test_a_port_where_nothing_listens_is_a_reset() -> None:
    forwarder = Forwarder((Opening(inner=free_port()),))
    forwarder.to(0)
    port = int(forwarder.addresses[0].partition("->")[0].rpartition(":")[2])
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.0.0.1", port), 10) as one:
        one.recv(1)  # where the forwarder is quicker than we are, connecting already says it
    forwarder.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 10)


def test_a_server_that_goes_takes_the_connection_with_it() -> None:
    with served(lambda one: one.close()) as port, socket.create_connection(("127.0.0.1", port), 10) as one:
        assert all_of(one) == b""


def test_a_port_in_use_frees_the_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError) as caught:
            Forwarder((Opening(inner=1), Opening(outer=port, inner=2)))
        assert caught.value.name == "port-in-use"
        assert f"-p 127.0.0.1::{2}   on a free port" in caught.value.next


def test_an_address_of_another_machine() -> None:
    with pytest.raises(UnavailableError) as caught:
        Forwarder((Opening(host="192.0.2.1", inner=1),))
    assert caught.value.name == "port-refused"


def test_ipv6_is_written_as_such() -> None:
    try:
        forwarder = Forwarder((Opening(host="::1", inner=80),))
    except UnavailableError:
        pytest.skip("this machine has no IPv6")
    assert forwarder.addresses[0].startswith("[::1]:")
    forwarder.close()
