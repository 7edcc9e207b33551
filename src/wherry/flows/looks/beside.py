"""The test program beside the application, in a copy of the container. A Scene and words in, what it said out; starts
containers.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from wherry.errors import UnavailableError
from wherry.flows.live import Live, live
from wherry.flows.looks.scene import Scene
from wherry.flows.subject import Program
from wherry.model.container import Container, Limits

PATH: Final = "/dev/wherry-inside"
"""In memory that the runtime makes for each container: no root has to have it, and the copy's root is the application's own."""
PATIENCE: Final = 20.0


@contextlib.contextmanager
def beside(scene: Scene, *words: str, limits: Limits | None = None) -> Iterator[Live]:
    """A copy of the container that runs the test program with these words; all else is as the application has it."""
    made = scene.made
    program = Program(file=scene.tester.program(made.subject.platform), path=PATH)
    subject = replace(made.subject, programs=(*made.subject.programs, program))

    def copy(container: Container) -> Container:
        return replace(
            container,
            arguments=(PATH, *words),
            directory="/",
            health=None,
            init=False,
            limits=limits or container.limits,
        )

    with live(replace(made, subject=subject), scene.machine, copy) as one:
        yield one


def said(one: Live, seconds: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """The document that the test program prints. UnavailableError [test-program] when there is none."""
    found: list[dict[str, Any]] = []

    def heard() -> bool:
        meanwhile()
        for line in one.log.text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                with contextlib.suppress(msgspec.MsgspecError):
                    found.append(msgspec.json.decode(line.encode()))
        return bool(found)

    # What it said last may come through its pipe after its end.
    if one.until(heard, seconds) or (one.wait(0.0) is not None and _after(heard)):
        return found[-1]
    raise UnavailableError(
        "test-program",
        _why(one.wait(0.0), seconds),
        why=" ".join(one.log.lines(2)),
        next="--relax seccomp shows whether the profile is why",
    )


def _after(heard: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(heard() or pause.wait(0.02) for _ in range(25))


def _why(code: int | None, seconds: float) -> str:
    if code is None:
        return f"the test program said nothing for {seconds:g} s"
    return f"the test program ended with status {code} and said nothing"
