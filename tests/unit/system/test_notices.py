"""The Watch port before any kernel speaks: what it opens it closes, and a runtime that hands nothing over is told."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

from wherry.kit.notices import Wanted
from wherry.system.notices import Notices, watch

NOBODY = Wanted(shown=frozenset())


def see(_: int, __: int, ___: tuple[int, ...]) -> None:
    raise AssertionError("nothing was called")


def test_nothing_is_left_when_nobody_comes() -> None:
    before = sys.getswitchinterval()
    with watch(NOBODY, see) as watching:
        address = Path(watching.address)
        assert address.is_socket()
        assert address.parent.stat().st_mode & 0o777 == 0o700
        assert len(watching.address) < 100, "the path of a unix socket has at most 107 bytes"
    assert not address.parent.exists()
    assert watching.trouble == ""
    assert watching.counts == {}
    assert sys.getswitchinterval() == before


def test_a_runtime_that_hands_nothing_over() -> None:
    notices = Notices(NOBODY, see)
    notices.start()
    with socket.socket(socket.AF_UNIX) as runtime:
        runtime.connect(notices.address)
        runtime.send(b"{}")
        end = time.monotonic() + 20.0
        while not notices.trouble and time.monotonic() < end:
            time.sleep(0.005)
    notices.stop()
    assert notices.trouble == "the runtime handed over nothing"


def test_a_listener_that_is_none() -> None:
    """Any other descriptor ends the watch with its reason; nothing hangs."""
    notices = Notices(NOBODY, see)
    notices.start()
    with socket.socket(socket.AF_UNIX) as runtime, Path("/dev/zero").open("rb") as other:
        runtime.connect(notices.address)
        socket.send_fds(runtime, [b"{}"], [other.fileno()])
        end = time.monotonic() + 20.0
        while "kernel" not in notices.trouble and time.monotonic() < end:
            time.sleep(0.005)
    notices.stop()
    assert notices.trouble.startswith("the kernel ended the watch")
