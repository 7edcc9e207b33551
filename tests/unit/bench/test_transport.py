"""What the bench sends to registries: layouts that are whole, and a proxy that is as far away as it says."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bench.transport import LAYERS, made
from bench.workshop import PROJECT, Workshop
from wherry.store import place as places
from wherry.store.layout import Layout


@pytest.mark.parametrize("platforms", [1, 3])
def test_a_layout_is_whole(platforms: int, tmp_path: Path) -> None:
    shop = cast(Workshop, SimpleNamespace(root=tmp_path))
    folder = made(shop, 3000 * platforms, platforms)
    place = places.parse(f"oci:{folder}:1")
    assert isinstance(place, places.LayoutPlace)
    keeper = Layout(place)
    stored = keeper.open()
    assert len(stored.images) == platforms
    for image in stored.images:
        assert len(image.layers) == LAYERS
        assert sum(len(chunk) for layer in image.layers for chunk in keeper.blob(layer)) == 3000
    assert made(shop, 3000 * platforms, platforms) == folder


def test_a_round_trip_through_the_proxy_takes_longer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        threading.Thread(target=echo, args=(upstream,), daemon=True).start()
        argv = [sys.executable, "-m", "bench.delay", f"127.0.0.1:{upstream.getsockname()[1]}", "100"]
        with subprocess.Popen(argv, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as proxy:
            assert proxy.stdout is not None
            with socket.create_connection(("127.0.0.1", int(proxy.stdout.readline()))) as near:
                near.sendall(b"warm")
                assert near.recv(4) == b"warm"
                began = time.monotonic()
                near.sendall(b"ping")
                assert near.recv(4) == b"ping"
                assert time.monotonic() - began > 0.09
            proxy.terminate()


def echo(upstream: socket.socket) -> None:
    connection, _ = upstream.accept()
    with connection:
        while data := connection.recv(1024):
            connection.sendall(data)
