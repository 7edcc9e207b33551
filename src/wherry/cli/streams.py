"""The three standard streams, also where the shell closed one, or where the disk behind one is full. Text in, an exit code out.

Standard library only, for the fast path. A result that nobody can have got is no success (H05); a reader that quit early is
its own business, and what could not be told on stderr changes nothing.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from typing import IO

LOST = 4


def open_all() -> None:
    """Descriptors 0 to 2 are open, so that no file of ours becomes one of them; what was closed takes nothing."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)  # the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as this process
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def say(text: str) -> int:
    """`text` on stdout; the exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        return quit_early()
    except OSError:
        return lost()
    return 0


def tell(text: str) -> None:
    """`text` on stderr, where it can be written."""
    try:  # noqa: SIM105 - importing contextlib costs more than it saves
        sys.stderr.write(text)
    except OSError:
        pass


def quit_early() -> int:
    """Nobody reads any more: nothing more is written, and nothing is said."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 1


def is_lost() -> bool:
    """Whether stdout holds something that it cannot get rid of."""
    return not flushed(sys.stdout)


def lost() -> int:
    """The error for a result that could not be written; its page is explained by `wherry explain stdout`."""
    tell(
        "error [stdout]: the result could not be written to standard output\n"
        "  where  standard output, which is closed or full\n"
        "  next   wherry explain stdout\n"
    )
    return LOST


def flushed(stream: IO[str]) -> bool:
    """Writes out what `stream` holds back; False when it cannot."""
    try:
        stream.flush()
    except (OSError, ValueError):
        return False
    return True
