"""The Watch port: system calls that a container makes, one by one, as the kernel tells of them (seccomp_unotify(2)). Touches
nothing itself; `system/notices.py` has the real one, tests pass plain functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from wherry.kit.value import Value

See = Callable[[int, int, tuple[int, ...]], None]
"""Told of one call before it happens: the thread's id on this machine, the call's number, its six arguments. The thread waits
meanwhile, so its memory and files are as the call will find them."""


class Wanted(Value, frozen=True, kw_only=True):
    """What to do with the calls that the kernel tells of."""

    shown: frozenset[int]
    """Numbers whose arguments matter: `see` is called. All others are only counted."""
    refused: tuple[tuple[int, int], ...] = ()
    """Number and errno: counted, and not let through."""


class Watching(Protocol):
    """A watch under way."""

    @property
    def address(self) -> str:
        """Path of the unix socket that takes the notifications' descriptor from the runtime (`listenerPath`)."""

    @property
    def counts(self) -> Mapping[int, int]:
        """How often each number was seen until now."""

    @property
    def trouble(self) -> str:
        """Why the watch ended too early; empty when it did not."""


class Watch(Protocol):
    """Watches from entering to leaving; the container must have ended before leaving, or it stands still.

    Raises UnavailableError [no-watch] where this kernel cannot do it.
    """

    def __call__(self, wanted: Wanted, see: See, /) -> AbstractContextManager[Watching]: ...


class Heard(Value, frozen=True, kw_only=True):
    """A system call that was overheard."""

    number: int
    engine: bool
    """The runtime made it, not the application."""
    times: int


class Overhearing(Protocol):
    """The kernel's audit is listened to."""

    trouble: str
    """Why not everything was heard, known when it has ended."""

    def of(self, pid: int, /) -> tuple[Heard, ...]:
        """All calls until now by processes in the pid namespace of `pid`, itself a process that was heard."""


class Overhear(Protocol):
    """Listens from entering to leaving to what seccomp's LOG action reports.

    Raises UnavailableError [no-watch] where this user may not.
    """

    def __call__(self) -> AbstractContextManager[Overhearing]: ...
