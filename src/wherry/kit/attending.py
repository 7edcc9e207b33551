"""Ports for what lives beside a container: its forwarded ports and its monitor. `system/` has the real ones; touches nothing."""

from __future__ import annotations

from typing import Protocol

from wherry.kit.value import Value


class Opening(Value, frozen=True, kw_only=True):
    """A TCP port of this machine that leads into a container."""

    host: str = "127.0.0.1"
    outer: int = 0
    """0: a free one."""
    inner: int


class Forwarding(Protocol):
    """Listens from the start; leads to a container once `to` says its process."""

    addresses: tuple[str, ...]
    """`127.0.0.1:8080->8080/tcp`, with the ports that were free."""

    def to(self, pid: int, /) -> None:
        """From now on connections lead to the network of `pid`."""

    def close(self) -> None:
        """Frees the ports; connections under way end with their peers."""


class Forward(Protocol):
    """Listens on all of `openings`, or on none.

    Raises UsageError [port-in-use] or UnavailableError [port-refused]."""

    def __call__(self, openings: tuple[Opening, ...], /) -> Forwarding: ...


class Attendant(Protocol):
    """A process of wherry's own that will look after one container, and outlives this one."""

    pid: int

    def ask(self, message: bytes, descriptors: tuple[int, ...] = (), /) -> bytes:
        """Sends the message with open descriptors, which it then has, too; its answer, empty when it ended without one."""

    def close(self) -> None:
        """It goes on with what it was asked, or ends when it was asked nothing."""


class Engage(Protocol):
    """Starts an Attendant, without waiting until it can hear. Raises UnavailableError [program-start]."""

    def __call__(self) -> Attendant: ...
