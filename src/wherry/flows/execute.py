"""`wherry exec`: a running container and words in, their exit code out; runs them inside, as its user and under its limits."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import WherryError
from wherry.flows import attend
from wherry.flows.engines import engine_for
from wherry.flows.runbook import Kept
from wherry.flows.terminal import fed, in_terminal
from wherry.kit.ports import Command, Machine
from wherry.kit.value import Value
from wherry.runtime import engines, oci

NOT_FOUND: Final = (126, 127, 255, 1)
"""How runc, crun, docker and podman end when the program is not there."""
RUNTIMES: Final = (b"exec failed", b'time="', b"ERRO[", b"20")
"""How runc and crun (a date) begin what they say themselves."""


class Wanted(Value, frozen=True, kw_only=True):
    """How it is run."""

    words: tuple[str, ...]
    stdin: bool = False
    terminal: bool = False


def execute(kept: Kept, wanted: Wanted, machine: Machine, write: attend.Write) -> int:
    """Runs it to its end. BuildError [no-entrypoint] where the image has no such program, with the way on."""
    runtime = engine_for(machine, kept.record.engine)
    command = engines.inside(runtime, kept.place, wanted.words)
    log = kept.place.path / f"exec-{os.getpid()}.log"
    before: tuple[str, ...] = ()
    if runtime.name in oci.NAMES:
        before = ("--log", str(log), "--log-format", "json")
    flags = ("--tty",) if wanted.terminal else ()
    if runtime.name not in oci.NAMES and (wanted.stdin or wanted.terminal):
        flags = (*flags, "--interactive")
    try:
        code = _ended(_with(command, before, flags), wanted, machine, _without_runtime(write, log))
        if code in NOT_FOUND:
            _explain(kept, log)
        return code
    finally:
        with contextlib.suppress(OSError):
            log.unlink()


def _ended(command: Command, wanted: Wanted, machine: Machine, write: attend.Write) -> int:
    if wanted.terminal:
        return in_terminal(command, machine.spawn)
    with attend.pipes(write) as streams:
        streams.stdin = fed() if wanted.stdin else -1
        child = machine.spawn(command, stdin=streams.stdin, stdout=streams.stdout, stderr=streams.stderr)
        streams.close()
        try:
            code = child.wait()
        except KeyboardInterrupt:
            child.signal(2)
            code = child.wait(1.0)
            if code is None:
                child.signal(9)
            return 130
    return 0 if code is None else code


def _with(command: Command, before: tuple[str, ...], flags: tuple[str, ...]) -> Command:
    place = command.argv.index("exec")
    return replace(command, argv=(*command.argv[:place], *before, "exec", *flags, *command.argv[place + 1 :]))


def _without_runtime(write: attend.Write, log: Path) -> attend.Write:
    """Without the runtime's own last words: they are in `log` by then, and `_explain` says them once."""

    def filtered(name: str, data: bytes) -> None:
        its_own = name == "stderr" and data.startswith(RUNTIMES) and log.exists() and log.stat().st_size > 0
        if not its_own:
            write(name, data)

    return filtered


def _explain(kept: Kept, log: Path) -> None:
    """Raises what the runtime said, if it was the runtime that ended so, and not the program."""
    if not log.exists() or not log.stat().st_size:
        return
    error: WherryError = oci.explained(log, 0)
    name = kept.record.container.name
    raise error.with_next(
        f"wherry debug {shlex.quote(name)}   tools from elsewhere, beside it",
        f"wherry inspect {shlex.quote(name)} --isolation",
    )
