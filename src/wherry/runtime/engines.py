"""The table of engines: each turns the same Container into the same behaviour. A Runtime and a place in, a running process or how
it ended out; each row names the functions that do it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wherry.errors import UnavailableError
from wherry.formats.seccomp import Seccomp
from wherry.kit.ports import Child, Command
from wherry.kit.value import Value
from wherry.model.container import Container
from wherry.runtime import client, oci
from wherry.runtime.arguments import CLIENTS
from wherry.runtime.folders import Place
from wherry.runtime.kernel_log import KernelLog
from wherry.runtime.oci import Runtime, Streams


class Engine(Value, frozen=True, kw_only=True):
    """What one engine does, as functions."""

    prepare: Callable[[Runtime, Container, Place, str, Seccomp | None], None]
    start: Callable[[Runtime, Place, Streams], Child]
    delete: Callable[[Runtime, Place], bool]
    out_of_memory: Callable[[Runtime, Place], bool | None]
    inside: Callable[[Runtime, Place, tuple[str, ...]], Command]
    signal: Callable[[Runtime, Place, int], None]


ENGINES: Final = {
    name: Engine(
        prepare=oci.prepare,
        start=oci.start,
        delete=oci.delete,
        out_of_memory=oci.out_of_memory,
        inside=oci.inside,
        signal=oci.signal,
    )
    for name in oci.NAMES
} | {
    name: Engine(
        prepare=client.prepare,
        start=client.start,
        delete=client.delete,
        out_of_memory=client.out_of_memory,
        inside=client.inside,
        signal=client.signal,
    )
    for name in CLIENTS
}


def prepare(runtime: Runtime, container: Container, place: Place, root: str, seccomp: Seccomp | None) -> None:
    """Writes into the container's folder all that `start` needs. `root`: the unpacked image; its name in Docker or podman."""
    ENGINES[runtime.name].prepare(runtime, container, place, root, seccomp)


def start(runtime: Runtime, place: Place, streams: Streams) -> Child:
    """Starts what was prepared; returns when the program runs and `place.pid()` is known, with a child whose exit code is the
    program's. UnavailableError [cannot-start]; what is a mistake of the image has its own name."""
    return ENGINES[runtime.name].start(runtime, place, streams)


def delete(runtime: Runtime, place: Place) -> bool:
    """Kills what is left of the container and takes it away; nothing happens when there is nothing. False: the engine does not
    answer, or takes too long, so that something of it may be left; whoever looks next must try again."""
    try:
        return ENGINES[runtime.name].delete(runtime, place)
    except UnavailableError:
        return False


def out_of_memory(runtime: Runtime, place: Place, log: KernelLog | None = None) -> bool | None:
    """Whether the kernel killed it, or some process of it, at its memory limit: by its group, its engine, or what the kernel said
    since before its start. Ask before `delete`; None: nobody can say."""
    said = log.says(place.pid()) if log is not None else None
    if said:
        return True
    found = ENGINES[runtime.name].out_of_memory(runtime, place)
    return said if found is None else found


def inside(runtime: Runtime, place: Place, words: tuple[str, ...]) -> Command:
    """What runs `words` in the running container, as its user and under its limits; the exit code is theirs."""
    return ENGINES[runtime.name].inside(runtime, place, words)


def signal(runtime: Runtime, place: Place, number: int) -> None:
    """Has the engine send a signal to the program: for whoever may not send it, as its user is another."""
    ENGINES[runtime.name].signal(runtime, place, number)
