"""Containers as text: what was decided, where it answers, how it ended. Values in, lines out."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TextIO

from wherry.cli.output import Output

if TYPE_CHECKING:
    from wherry.cli.progress import Progress
    from wherry.flows.attend import Write
    from wherry.flows.container import RunRequest
    from wherry.flows.run import Detached, Watcher
    from wherry.flows.session import Session
    from wherry.kit.ports import Machine
    from wherry.model.container import Container
    from wherry.model.finding import Finding
    from wherry.runtime.folders import End, Record
    from wherry.runtime.health import Condition

LAST = 4096
"""Bytes of a program's last words that are looked at."""
#: Decisions worth a row, by their labels.
SHOWN = {
    "user": "user",
    "capabilities": "caps",
    "writable": "writable",
    "rootfs": "root",
    "memory": "memory",
    "gomemlimit": "heap",
    "cpus": "cpus",
    "gomaxprocs": "threads",
    "network": "network",
    "userns": "ids",
}
#: Decisions that are variables.
VARIABLES = {"gomemlimit": "GOMEMLIMIT=", "gomaxprocs": "GOMAXPROCS="}
QUIET = "from "
"""How ids begin that are nobody's: only others are worth a row."""


def wanted(words: dict[str, Any]) -> Detached | None:
    """Takes what only a detached container has out of `words`; None: it is to stay in the foreground."""
    from wherry.flows.run import Detached
    from wherry.plan.container.limits import size_of
    from wherry.runtime.logs import Keep

    size, files = size_of(words.pop("log_size"), "--log-size"), words.pop("log_files")
    remove, detach = words.pop("remove"), words.pop("detach")
    return Detached(remove=remove, keep=Keep(size=max(size, 1 << 12), files=files)) if detach else None


Instead = tuple[str, str]
"""Nothing is started: the form that is printed, or the folder that becomes a bundle; both empty: it is."""


def instead(words: dict[str, Any]) -> Instead:
    """Takes what is done instead of running out of `words`. UsageError [container-option] for both."""
    form, folder = words.pop("form") or "", words.pop("bundle")
    if form and folder:
        from wherry.errors import UsageError

        where = f"--print {form} --bundle {folder}"
        raise UsageError("container-option", "--print writes no bundle", where=where, next="leave one of them out")
    return form, folder


def run(
    request: RunRequest, kept: Detached | None, instead: Instead, ends: tuple[Machine, Watcher, Output, Session | None]
) -> int:
    """Runs, detaches, prints or writes a bundle; the exit code."""
    from msgspec.structs import replace

    from wherry.flows import run as flows

    machine, watcher, output, session = ends
    if any(instead):
        return _instead(request, instead, (machine, watcher, output))
    if kept is None:
        words, write = bytearray(), watcher.write

        def kept_too(name: str, data: bytes) -> None:
            words[:] = (words + data)[-LAST:]
            write(name, data)

        ran = flows.run(request, machine, replace(watcher, write=kept_too), session)
        show_end(ran.end, ran.container, output, words.decode("utf-8", "replace"))
        return exit_code(ran.end)
    going = flows.detach(request, kept, machine, watcher, session)
    if going.end is None:
        output.result(going.record.container.name)
        return 0
    for line in going.said:
        output.verbatim(line.text.decode("utf-8", "replace"))
    said = b"\n".join(line.text for line in going.said).decode("utf-8", "replace")
    show_end(going.end, going.record.container, output, said)
    return exit_code(going.end)


def _instead(request: RunRequest, instead: Instead, ends: tuple[Machine, Watcher, Output]) -> int:
    form, folder = instead
    machine, watcher, output = ends
    if form:
        from wherry.flows.printed import printed

        output.document(printed(request, form, machine, watcher.decided))
        return 0
    import shlex

    from wherry.flows.bundle import bundle

    made = bundle(request, folder, machine)
    watcher.decided(made.container)
    output.next(shlex.join((made.runtime.name, "run", "--bundle", folder, made.container.name)))
    return 0


def show_findings(findings: tuple[Finding, ...], output: Output) -> None:
    """What was mended before."""
    for finding in findings:
        output.finding(finding)


def health_told(output: Output) -> Callable[[Condition], None]:
    """A line for each change of its health; what begins is not worth one."""
    known = ["starting"]

    def told(condition: Condition) -> None:
        if condition.status == known[0]:
            return
        known[0] = condition.status
        last = condition.probes[-1].said if condition.probes else ""
        output.line(f"{condition.status}: {last}" if condition.status == "unhealthy" else condition.status)

    return told


def written(stdout: TextIO, stderr: TextIO) -> Write:
    """The program's own words as they are, to our streams of the same name."""
    lock = threading.Lock()
    streams = {"stdout": stdout, "stderr": stderr}

    def write(name: str, data: bytes) -> None:
        with lock, contextlib.suppress(OSError, ValueError):
            stream = streams[name]
            stream.flush()
            stream.buffer.write(data)
            stream.buffer.flush()

    return write


def decided(progress: Progress, output: Output) -> Callable[[Container], None]:
    """What is shown before it starts; from then on the program speaks."""

    def told(container: Container) -> None:
        progress.end()
        show_decided(container, output)

    return told


def show_decided(container: Container, output: Output) -> None:
    """Before it starts: what, as whom, within which limits."""
    output.progress("")
    output.line(f"{container.name}   {container.image.partition('@')[0]}   {container.platform}")
    told = {one.name: one for one in container.decisions if not one.value.startswith(QUIET)}
    shown = [(label, told[name]) for name, label in SHOWN.items() if name in told]
    output.rows([(_aligned(label), VARIABLES.get(one.name, "") + one.value, one.reason) for label, one in shown])
    for finding in container.findings:
        output.finding(finding)


def show_started(record: Record, output: Output) -> None:
    """Where it answers; of one with ports of which none leads in, how one would."""
    own = record.container
    inside = tuple(port.partition("/")[0] for port in own.ports if not port.endswith("/udp"))
    if inside and not own.publish and own.network in ("own", "out"):
        output.row(_aligned("port"), "none is published", f"-p {inside[0]} does that")
    for address in record.addresses:
        outer, _, inner = address.partition("->")
        output.row(_aligned("port"), f"http://{outer}" if inner.endswith("/tcp") else outer, f"to {inner}")


def _aligned(label: str) -> str:
    """As wide as the widest: rows of one container, though some are told later than others."""
    return label.ljust(max(map(len, SHOWN.values())))


def show_end(end: End, container: Container, output: Output, said: str = "") -> None:
    """How it ended, where that is worth a word, and what its last words mean."""
    from wherry.cli.endings import meaning

    text = meaning(end, container)
    if text:
        output.line(text)
    show_hint(end, container, output, said)


def show_hint(end: End, container: Container, output: Output, said: str) -> None:
    """What its last words mean, where that is known."""
    from wherry.model.lastwords import hint

    if end.code and (step := hint(said, container)):
        output.line(step)


def exit_code(end: End) -> int:
    """The program's own; 137 when nobody saw it."""
    return 137 if end.code is None else end.code
