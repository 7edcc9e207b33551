"""Text laid out: lines that fit a width, rows and columns. Strings in, lines out; touches nothing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence

LEAST = 12
"""Of a column that gives way to others."""
LABEL = 8
GAP = 2
_HELD = "\x1f"
"""Stands for a space that no line ends at; `visible` lets no control through from outside."""
_TOGETHER = re.compile(
    r"(?<!\S)\(?\d[\d.]{0,9} (?=(?:s|ms|min|h|%|B|kB|[KMG]i?B|CPUs?)[,.;:)]?(?:\s|$))"  # 0.01 s, 256 MiB, 2 CPUs
    r"|(?<!\S)[a-z]{1,12} (?=\d{1,6}\.\d\d(?:,|$))"  # analyze 0.15: a phase and its seconds
)


def wrapped(text: str, width: int, *, indent: str = "") -> list[str]:
    """`text` in lines of at most `width`, broken at spaces only, so that no digest, path or command is cut; and not between a
    number and what it counts."""
    held = _TOGETHER.sub(lambda found: found[0][:-1] + _HELD, text)
    lines = textwrap.wrap(
        held, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return [line.replace(_HELD, " ") for line in lines]


def row_lines(label: str, value: str, because: str, width: int) -> list[str]:
    """The lines of one aligned row. A label that leaves no room stands above what belongs to it."""
    head = f"  {label:<{LABEL}}"
    if len(head) + LEAST > width:
        return [head.rstrip(), *row_lines("", value, because, max(width, 2 + LABEL + LEAST))]
    values = wrapped(value, width - len(head)) or [""]
    lines = [(head if number == 0 else " " * len(head)) + part for number, part in enumerate(values)]
    if because and len(lines[-1]) + 2 + len(because) <= width:
        lines[-1] = lines[-1] + " " * (width - len(lines[-1]) - len(because)) + because
    elif because:
        lines += [" " * len(head) + part for part in wrapped(because, width - len(head))]
    return [line.rstrip() for line in lines]


def tabled(rows: Sequence[tuple[str, ...]], width: int | None = None) -> list[str]:
    """Lines of a table: whole, one a row, where there is room or no `width`. Else the last column loses its front, since a name's
    end tells most; if that is not enough the others give way, who can most first: what has spaces is wrapped, a long name in
    front stands on a line of its own."""
    *columns, ends = zip(*rows, strict=True)
    natural, last = [max(map(len, column)) for column in columns], max(map(len, ends))
    least = [
        min(wide, _longest(column) if number else LEAST)
        for number, (wide, column) in enumerate(zip(natural, columns, strict=True))
    ]
    widths, gaps = list(natural), GAP * len(columns)
    width = width or sum(widths) + gaps + last
    for number in sorted(range(len(widths)), key=lambda number: least[number] - natural[number]):
        over = sum(widths) + gaps + min(LEAST, last) - width
        widths[number] = max(least[number], widths[number] - max(0, over))
    room = max(LEAST, width - sum(widths) - gaps)
    page = []
    for *row, end in rows:
        shown = end if len(end) <= room else f"...{end[3 - room :]}"
        page += _beside([*map(wrapped, row, widths), [shown]], (*widths, room), width)
    return page


def _longest(texts: Sequence[str]) -> int:
    """Of what no line may break."""
    return max((len(part) for text in texts for part in wrapped(text, 1)), default=0)


def compared(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Lines of a label and two texts side by side: both wrapped in their columns, none shortened. The columns are as wide as
    each other, unless another border spares a long word a line of its own. Where they had less than `LEAST` each, labels stand
    above their texts."""
    first = max(len(row[0]) for row in rows)
    first = first if width - first - 2 * GAP >= 2 * LEAST else 0
    room = width - first - 2 * GAP
    needs = [_longest([row[column] for row in rows]) for column in (1, 2)]
    left = min(max(room // 2, needs[0]), room - needs[1]) if sum(needs) <= room else room // 2
    return [
        line
        for label, *texts in rows
        for line in _beside([[label], *map(wrapped, texts, (left, room - left))], (first, left, room - left), width)
    ]


def _beside(cells: Sequence[Sequence[str]], widths: Sequence[int], width: int) -> list[str]:
    """The lines of one row. What is longer than its column stays whole: what stands right of it waits for the next line, and it
    begins further left where it would leave the page."""
    begins = [sum(widths[:number]) + GAP * number for number in range(len(widths))]
    waiting, page = [list(lines) for lines in cells], []
    while any(waiting):
        line = ""
        for lines, begin in zip(waiting, begins, strict=True):
            if not lines:
                continue
            at = max(0, min(begin, width - len(lines[0])))
            if line and at < len(line) + GAP:
                break
            line = line.ljust(at) + lines.pop(0)
        page.append(line)
    return page
