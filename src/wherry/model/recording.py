"""What an application did while it was watched. Touches nothing."""

from __future__ import annotations

from typing import Literal

from wherry.kit.value import Value

Intent = Literal["read", "write", "look", "run"]
"""What a file was wanted for: its content, a change, whether and what it is, to be executed."""
State = Literal["there", "missing", "denied"]
"""As it was just before: there, not there, or there and not to be had (rights, a read-only file system)."""


class FileUse(Value, frozen=True, kw_only=True):
    """A path, as the program named it, made absolute."""

    path: str
    intent: Intent
    state: State
    times: int = 1


class Bound(Value, frozen=True, kw_only=True):
    """An address that the program took for itself."""

    protocol: Literal["tcp", "udp", "unix", "other"]
    address: str
    port: int = 0


class Reached(Value, frozen=True, kw_only=True):
    """An address that the program wanted to speak to."""

    protocol: Literal["tcp", "udp", "unix", "other"]
    address: str
    port: int = 0
    times: int = 1


class Recording(Value, frozen=True, kw_only=True):
    """Everything that was seen, sorted."""

    calls: tuple[tuple[str, int], ...] = ()
    """Names of the application's own system calls, with how often; those in `silent` were not counted."""
    engine: tuple[str, ...] = ()
    """What the runtime itself called between loading the profile and starting the program."""
    refused: tuple[tuple[str, int], ...] = ()
    """Tried, and answered with an error."""
    silent: tuple[str, ...] = ()
    """Allowed without being told of."""
    files: tuple[FileUse, ...] = ()
    bound: tuple[Bound, ...] = ()
    reached: tuple[Reached, ...] = ()
    started: bool = False
    """The program itself was seen to start."""
    trouble: str = ""
    """Why the recording is not whole; empty when it is."""
    detailed: bool = True
    """False: only names could be seen, no files, ports or hosts."""
