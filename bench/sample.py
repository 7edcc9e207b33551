"""One command in, one Sample out. Starts the command under a stopwatch and waits for it; touches a log file.

CPU is user and system time of all its processes, as wait4 counts them; memory that of the largest single one. What a daemon does
for the command is added where its process id is given.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.results import Sample
from wherry.kit.value import Value

STOPWATCH = Path(__file__).with_name("stopwatch.py")
TICKS = os.sysconf("SC_CLK_TCK")


class CallFailedError(Exception):
    """A measured command ended badly; its last words are in the text."""


class Call(Value, frozen=True, kw_only=True):
    """One command. `argv[0]` is an absolute path, `environment` is the whole of it."""

    argv: tuple[str, ...]
    directory: str
    environment: tuple[tuple[str, str], ...]
    daemon: int = 0
    """Process whose CPU time, with that of its finished children, belongs to the command."""
    own_clock: bool = False
    """The command's last line is a Sample in JSON: it timed only the part that counts."""


def measure(calls: tuple[Call, ...], log: Path) -> Sample:
    """All `calls`, one after the other, as one Sample; CallFailedError."""
    samples = [measure_one(call, log) for call in calls]
    memories = [sample.memory for sample in samples]
    return Sample(
        wall=sum(sample.wall for sample in samples),
        cpu=sum(sample.cpu for sample in samples),
        memory=max(memories) if all(memories) else 0,
    )


def measure_one(call: Call, log: Path) -> Sample:
    report = log.with_suffix(".stopwatch")
    before = daemon_cpu(call.daemon)
    with log.open("wb") as output:
        done = subprocess.run(
            [sys.executable, "-I", "-S", STOPWATCH, report, *call.argv],
            cwd=call.directory,
            env=dict(call.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    said = log.read_text(errors="replace")
    if done.returncode:
        raise CallFailedError(f"{Path(call.argv[0]).name} ended with {done.returncode}: {said[-1500:].strip()}")
    if call.own_clock:
        return own_sample(said)
    wall, cpu, memory = report.read_text().split()
    return Sample(
        wall=float(wall),
        cpu=float(cpu) + daemon_cpu(call.daemon) - before,
        memory=0 if call.daemon else int(memory),
    )


def own_sample(output: str) -> Sample:
    """The Sample in the last line of `output`."""
    last = json.loads(output.strip().splitlines()[-1])
    return Sample(wall=last["wall"], cpu=last["cpu"], memory=last["memory"])


def daemon_cpu(process: int) -> float:
    """CPU seconds of `process` and its finished children so far (proc(5), stat, fields 14 to 17); 0 for process 0."""
    if not process:
        return 0.0
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS
