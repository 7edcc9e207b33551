"""The one sink for what people read. Values in, lines on stdout and stderr out; touches the two streams and nothing else.

Results go to stdout, whole and last; all else to stderr (rule 1 of design §8). Text from outside is neutralised here (H01).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import IO, TYPE_CHECKING

from wherry.cli.columns import LABEL, LEAST, compared, row_lines, tabled, wrapped
from wherry.errors import Several, UnavailableError, WherryError
from wherry.kit.text import one_line, visible

if TYPE_CHECKING:  # a short push needs no more than this file
    from wherry.model.finding import Finding

WIDTH = 80
WIDEST = 120
"""Of two texts side by side: longer lines are hard to follow."""
_COLOURS = {"error": "31;1", "warning": "33;1", "note": "36;1", "next": "1", "dim": "2"}


class Output:
    """Where lines go, how wide, and whether with colour. One per run."""

    def __init__(self, stdout: IO[str], stderr: IO[str], environment: dict[str, str], *, quiet: bool = False) -> None:
        self._stdout, self._stderr, self._quiet, self._environment = stdout, stderr, quiet, environment
        self.terminal = stderr.isatty() and environment.get("TERM") != "dumb"
        self._columns = max(40, _columns(environment))
        self.width = min(WIDTH, self._columns) if self.terminal else WIDTH
        self._colour = _wants_colour(environment, terminal=self.terminal)
        self.ci = bool(environment.get("CI"))

    def on_stdout(self) -> Output:
        """The same sink with stdout for its lines too: for commands whose whole text is the result."""
        return Output(self._stdout, self._stdout, self._environment)

    def result(self, line: str) -> None:
        """A line of the result: stdout, never wrapped or shortened."""
        self._write(self._stdout, one_line(line))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """A result in columns. A terminal's width is kept; a pipe gets all, a line a row."""
        for line in tabled(
            [tuple(map(one_line, row)) for row in rows], self._columns if self._stdout.isatty() else None
        ):
            self._write(self._stdout, line)

    def document(self, text: str) -> None:
        """A whole document (JSON, a completion script, a page): stdout, as it is."""
        self._write(self._stdout, text.rstrip("\n"))

    def line(self, text: str = "") -> None:
        """A line for people: stderr, wrapped at the width between words, all of it as far in as it begins."""
        said = one_line(text)
        indent = said[: len(said) - len(said.lstrip(" "))]
        if not self._quiet:
            for part in wrapped(said, self.width, indent=indent) or [""]:
                self._write(self._stderr, part)

    def line_as_is(self, text: str) -> None:
        """A line that is laid out already: stderr, not wrapped."""
        if not self._quiet:
            self._write(self._stderr, one_line(text).rstrip())

    def details(self, rows: Iterable[tuple[str, str]]) -> None:
        """What belongs to the line above: `  where  path:line`, a label once for all its rows."""
        if not self._quiet:
            self._details(rows)

    def verbatim(self, text: str) -> None:
        """Another program's words: stderr, unwrapped, controls shown."""
        self._write(self._stderr, visible(text.rstrip("\n")))

    def row(self, label: str, value: str, because: str = "") -> None:
        """`  label  value        because`: the reason at the right edge, or on a line of its own when it does not fit."""
        self.rows(((label, value, because),))

    def rows(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Rows under one another, their values aligned."""
        sizes = (len(label) + 2 for label, _, _ in rows)
        label_width = max((LABEL, *(size for size in sizes if size + 2 + LEAST <= self.width)))
        for row in rows if not self._quiet else ():
            label, value, because = map(one_line, row)
            for part in row_lines(label.ljust(label_width), value, because, self.width):
                self._write(self._stderr, part)

    def side_by_side(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """A label and two texts a row, the first row their heads; a wider terminal gives them more room."""
        page = min(WIDEST, self._columns) if self.terminal else WIDTH
        for line in compared([(one_line(label), one_line(one), one_line(other)) for label, one, other in rows], page):
            self.line_as_is(line)

    def next(self, *commands: str) -> None:
        """Commands to go on with, one a line; each works as it stands."""
        for number, command in enumerate(commands):
            if not self._quiet:
                self._write(
                    self._stderr, f"  {self.paint('next', 'next') if number == 0 else '    '}  {one_line(command)}"
                )

    def finding(self, finding: Finding) -> None:
        """A named warning or note, with its place and what to do."""
        if self._quiet:
            return
        subject = f"{finding.subject}: " if finding.subject else ""
        self._headed(finding.severity, finding.name, subject + finding.message)
        self._details((("where", str(finding.place) if finding.place else ""), ("next", finding.next)))

    def error(self, error: WherryError) -> None:
        """An error: another program's words first, then what, where, why, next and more."""
        for one in error.errors if isinstance(error, Several) else (error,):
            if one.output:
                self.verbatim(one.output)
            self._headed("error", one.name, one.message)
            rows = [("where", place) for place in one.where] + [("why", one.why)]
            page = f"wherry explain {one.name}"
            rows += [("next" if number == 0 else "or", step) for number, step in enumerate(one.next or (page,))]
            self._details((*rows, ("more", page if one.next else "")))

    def paint(self, text: str, role: str) -> str:
        """`text` in the colour of `role`, where colour is wanted."""
        return f"\x1b[{_COLOURS[role]}m{text}\x1b[0m" if self._colour else text

    def progress(self, text: str) -> None:
        """The one changing line of a terminal; nothing elsewhere. An empty text clears it."""
        if self.terminal and not self._quiet:
            with contextlib.suppress(OSError):
                self._stderr.write("\r\x1b[K" + one_line(text)[: self.width - 1])
                self._stderr.flush()

    def _headed(self, severity: str, name: str, message: str) -> None:
        head = f"{severity} [{name}]: "
        lines = wrapped(head + one_line(message), self.width, indent="  ")
        lines[0] = lines[0].replace(severity, self.paint(severity, severity), 1)
        for line in lines:
            self._write(self._stderr, line)

    def _details(self, rows: Iterable[tuple[str, str]]) -> None:
        seen = ""
        for label, text in rows:
            if not text:
                continue
            shown = "" if label == seen else label
            seen = label
            whole = text.startswith(("wherry ", "rm ", "git add "))  # a command is copied, so it stays in one line
            parts = [one_line(text)] if whole else wrapped(one_line(text), self.width - LABEL - 1) or [""]
            for number, part in enumerate(parts):
                self._write(self._stderr, f"  {shown if number == 0 else '':<6} {part}")

    def _write(self, stream: IO[str], line: str) -> None:
        encoding = getattr(stream, "encoding", None) or "utf-8"
        try:
            stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            stream.flush()
        except BrokenPipeError:
            if stream is self._stdout:
                raise
        except OSError as error:
            if stream is self._stdout:
                raise UnavailableError(
                    "stdout",
                    "the result could not be written to standard output",
                    where="standard output, which is closed or full",
                    why=os.strerror(error.errno or 0),
                    next="write it elsewhere, or make room",
                ) from error


def standard_output(*, quiet: bool = False) -> Output:
    """The sink over this process's own streams."""
    return Output(sys.stdout, sys.stderr, dict(os.environ), quiet=quiet)


def _columns(environment: dict[str, str]) -> int:
    given = environment.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) > 0 else shutil.get_terminal_size((WIDTH, 24)).columns


def _wants_colour(environment: dict[str, str], *, terminal: bool) -> bool:
    """NO_COLOR over FORCE_COLOR or CLICOLOR_FORCE over the terminal; an empty variable counts as unset (no-color.org)."""
    if environment.get("NO_COLOR"):
        return False
    forced = environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE", "0")
    return forced not in ("", "0") or terminal
