"""A container's folder handed over to a monitor. A place and a runtime in, a running container out; talks to the new process."""

from __future__ import annotations

import msgspec

from wherry import errors
from wherry.kit.attending import Attendant
from wherry.kit.ports import Machine
from wherry.kit.value import Value, decodable
from wherry.model.plan import Pairs
from wherry.runtime.folders import Place
from wherry.runtime.oci import Runtime


class Task(Value, frozen=True, kw_only=True):
    """What a monitor is asked to do."""

    place: str
    running: bool
    """True: it runs already, and its monitor has died."""
    name: str
    program: str
    version: str
    no_pivot: bool
    environment: Pairs
    prefix: tuple[str, ...]


class Answer(Value, frozen=True, kw_only=True):
    """What the monitor says: nothing, or the error of the start."""

    kind: str = ""
    """The class of the error."""
    name: str = ""
    message: str = ""
    where: tuple[str, ...] = ()
    why: str = ""
    next: tuple[str, ...] = ()
    output: str = ""


def hand_over(attendant: Attendant, place: Place, runtime: Runtime, *, running: bool) -> None:
    """Returns when it runs, with the lock of `place` in the monitor's hands. The start's errors; UnavailableError
    [monitor-died]."""
    task = Task(
        place=str(place.path),
        running=running,
        name=runtime.name,
        program=runtime.program,
        version=runtime.version,
        no_pivot=runtime.no_pivot,
        environment=runtime.environment,
        prefix=runtime.prefix,
    )
    said = attendant.ask(msgspec.json.encode(task), (place.lock,))
    if not said:
        error = errors.UnavailableError(
            "monitor-died",
            "the monitor of the container ended before it had started it",
            why=f"process {attendant.pid} is gone",
            next="the same command again",
        )
        raise error.with_output(place.monitor_said())
    answer = msgspec.json.decode(said, type=decodable(Answer))
    if answer.kind:
        raise error_of(answer)


def runtime_of(task: Task, machine: Machine) -> Runtime:
    """The runtime that the task names, with this machine's doors."""
    return Runtime(
        name=task.name,
        program=task.program,
        version=task.version,
        run=machine.run,
        spawn=machine.spawn,
        no_pivot=task.no_pivot,
        environment=task.environment,
        prefix=task.prefix,
    )


def answer_to(error: errors.WherryError) -> Answer:
    """The error as it goes through a socket."""
    return Answer(
        kind=type(error).__name__,
        name=error.name,
        message=error.message,
        where=error.where,
        why=error.why,
        next=error.next,
        output=error.output[-(1 << 16) :],
    )


def error_of(answer: Answer) -> errors.WherryError:
    """The same error here."""
    kinds: dict[str, type[errors.WherryError]] = {one.__name__: one for one in KINDS}
    error = kinds.get(answer.kind, errors.UnavailableError)(
        answer.name, answer.message, where=answer.where, why=answer.why, next=answer.next
    )
    return error.with_output(answer.output)


KINDS = (
    errors.UsageError,
    errors.RefusedError,
    errors.BuildError,
    errors.UnavailableError,
    errors.UnknownError,
    errors.CorruptError,
)
