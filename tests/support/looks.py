"""What people see, as text to be judged. A run's streams in, lines, words and commands out; starts pseudo-terminals."""

from __future__ import annotations

import os
import pty
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.servers import unavailable

RESULT = re.compile(r"[a-z0-9][a-z0-9._:/-]*:[A-Za-z0-9_][A-Za-z0-9_.-]*@sha256:[0-9a-f]{64}")
#: What may stand in a line that is too wide: it is of use only whole.
WHOLE = re.compile(r"sha256:[0-9a-f]{64}|\S*/\S*|\S{30,}")
_PROGRESS = re.compile(r"\r\x1b\[K[^\r\n]*(?=\r)|\r\x1b\[K")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def too_wide(text: str, width: int) -> list[str]:
    """The lines over `width` columns that would fit if they were broken between words, or hold nothing to keep whole."""
    return [line for line in text.splitlines() if len(line) > width and not _must_be(line, width)]


def _must_be(line: str, width: int) -> bool:
    words = line.split()
    longest = max(words, key=len)
    if not WHOLE.search(line):
        return False
    is_command = words[0] == "next" or line.startswith(" " * 8)
    return is_command or line.index(longest) <= 24 or len(longest) > width


def commands(text: str) -> list[str]:
    """Every command behind `next`, and those aligned below it."""
    found: list[str] = []
    within = False
    for line in text.splitlines():
        within = line.startswith("  next  ") or (within and line.startswith(" " * 8) and line[8:9] != " ")
        if within:
            found.append(line[8:].strip())
    return found


#: Exit statuses of a proof that was made, whatever it says.
PROVED = (0, 1, 5)


def follow(command: str, *, home: Path, cwd: Path) -> Done:
    """Runs a `next` line as it stands; its first word must be wherry."""
    program, *arguments = shlex.split(command)
    assert program == "wherry", command
    if arguments[0] == "run":
        return _run_for_a_while(arguments, home, cwd)
    done = wherry(*arguments, home=home, cwd=cwd)
    answered = arguments[0] == "prove" and done.code in PROVED
    return replace(done, code=0) if answered else done


def _run_for_a_while(arguments: list[str], home: Path, cwd: Path) -> Done:
    """`wherry run`, interrupted as by Ctrl-C once its port leads in, which counts; its exit code is the program's. On a free
    port, since another test may have the one that is said."""
    words = [f":{word}" if before == "-p" else word for before, word in zip(["", *arguments], arguments, strict=False)]
    with subprocess.Popen(
        [*COMMAND, *words], cwd=cwd, env=variables(home), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stderr
        said = []
        for line in process.stderr:
            said.append(line)
            if "http://" in line:
                process.send_signal(signal.SIGINT)
        code = process.wait(60)
        return Done(code=0 if any("http://" in line for line in said) else code, stdout="", stderr="".join(said))


def still(text: str) -> str:
    """What stands on a terminal in the end: no colours, and nothing of the line that changed."""
    return _COLOUR.sub("", _PROGRESS.sub("", text.replace("\r\n", "\n")))


def facts(text: str) -> set[str]:
    """The words of `text` without layout, and without numbers and the order of phases, which differ from run to run."""
    phases = r"analyze|compile|pack|prepare|store|in"
    return {word for word in still(text).split() if not re.fullmatch(rf"[\d.,:]+|({phases})[:,]?", word)}


def on_terminal(
    *arguments: str, home: Path, cwd: Path, both: bool = False, command: Iterable[str] = COMMAND, **environment: str
) -> Done:
    """`wherry ARGUMENTS` with stderr (and with `both` stdout, then both in `stderr`) on a terminal of COLUMNS columns."""
    try:
        above, below = pty.openpty()
    except OSError as error:
        unavailable(f"no terminal can be made here: {error.strerror}")
    known = variables(home, TERM="xterm", **environment)
    child = subprocess.Popen(
        [*command, *arguments], cwd=cwd, env=known, stdin=below, stdout=below if both else subprocess.PIPE, stderr=below
    )
    os.close(below)
    chunks: list[bytes] = []
    reader = threading.Thread(target=lambda: chunks.extend(until_closed(above)))
    reader.start()
    stdout = child.communicate(timeout=120)[0] or b""
    reader.join(20)
    os.close(above)
    return Done(code=child.returncode, stdout=stdout.decode(), stderr=b"".join(chunks).decode())


def until_closed(descriptor: int) -> Iterator[bytes]:
    """What comes through a terminal: a single read may get the beginning of what was written."""
    try:
        while data := os.read(descriptor, 65536):
            yield data
    except OSError:  # Linux says EIO when the other side is closed
        return
