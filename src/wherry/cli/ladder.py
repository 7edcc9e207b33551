"""`wherry diff --variants` as people, programs and browsers read it. A Ladder in; lines, JSON, SVG and HTML out."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

import msgspec

from wherry.kit.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wherry.cli.output import Output
    from wherry.model.ladder import Ladder, Rung

LEAST_TIMES: Final = 2
"""Below it nobody says how many times."""
HEAD: Final = ("variant", "by", "on disk", "to pull", "layers", "pkgs", "shell", "user", "build", "start")
NONE: Final = "-"
WIDTH: Final = 760
BAR: Final = 22
GAP: Final = 16
LEFT: Final = 190
RIGHT: Final = 130
COLOURS: Final = {"wherry": "#1f6f8b", "docker": "#c26a2e"}
STYLE: Final = """\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%}th,td{padding:.3rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th:nth-child(-n+2),td:nth-child(-n+2){text-align:left}svg{width:100%;height:auto}.why{color:#777;text-align:left}
"""


def show(ladder: Ladder, output: Output) -> None:
    """A table on stdout, its reasons and one sentence below it."""
    rows = [HEAD, *(cells(one) for one in ladder.rungs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        left = (text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True))
        right = (text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True))
        output.result("  ".join((*left, *right)).rstrip())
    for name, why in reasons(ladder, ladder.rungs):
        output.row(name, one_line(why))
    output.line(closing(ladder))


def reasons(ladder: Ladder, rungs: Iterable[Rung]) -> tuple[tuple[str, str], ...]:
    """What could not be shown, of these rungs and of all that Docker would have built, and why."""
    found = tuple((f"{one.variant}, {one.by}", one.why) for one in rungs if one.why)
    return (*found, *((("docker", ladder.docker),) if ladder.docker else ()))


def cells(rung: Rung) -> tuple[str, ...]:
    """A row of the table; `-` where this machine could not show it."""
    return (
        rung.variant,
        rung.by,
        size(rung.unpacked),
        size(rung.packed),
        NONE if rung.layers is None else str(rung.layers),
        NONE if rung.packages is None else str(rung.packages),
        NONE if rung.shell is None else "yes" if rung.shell else "no",
        rung.user.partition(":")[0] or NONE,
        NONE if rung.build is None else f"{rung.build:.3g}s",
        NONE if rung.start is None else f"{rung.start * 1000:.0f}ms",
    )


def size(count: int | None) -> str:
    """`8.1 MB`, `850 MB`, in powers of ten as registries count."""
    if count is None:
        return NONE
    return f"{count / 1e6:.1f} MB" if count < 100e6 else f"{count / 1e6:.0f} MB"


def closing(ladder: Ladder) -> str:
    """The sentence that can be read aloud."""
    known = [one for one in ladder.rungs if one.unpacked]
    title = f"{one_line(ladder.name)} {one_line(ladder.version)}, {ladder.platform}"
    if len(known) < 2:
        return f"{title}: too little could be built here to compare"
    most, least = known[0], known[-1]
    times = (most.unpacked or 0) / (least.unpacked or 1)
    less = f"{times:.0f} times less" if times >= LEAST_TIMES else f"{1 - 1 / times:.0%} less".replace("%", " %")
    return f"{title}: {size(most.unpacked)} as {most.variant}, {size(least.unpacked)} as {least.variant}, {less}"


def document(ladder: Ladder) -> str:
    """`--json`."""
    return msgspec.json.format(msgspec.json.encode({"schema": 1, "ladder": ladder})).decode()


def svg(ladder: Ladder) -> str:
    """A bar for each image that could be measured, as long as its files are large, the part that is pulled darker."""
    bars = [one for one in ladder.rungs if one.unpacked]
    longest = max((one.unpacked or 0 for one in bars), default=1)
    height = len(bars) * (BAR + GAP) + GAP
    title = html.escape(closing(ladder))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}" '
        f'font-family="system-ui, sans-serif" font-size="14"><title>{title}</title>'
    )
    return "\n".join((head, *(_bar(one, number, longest) for number, one in enumerate(bars)), "</svg>")) + "\n"


def _bar(rung: Rung, number: int, longest: int) -> str:
    top, room = GAP + number * (BAR + GAP), WIDTH - LEFT - RIGHT
    whole = max(2.0, room * (rung.unpacked or 0) / longest)
    part = max(1.0, room * (rung.packed or 0) / longest)
    colour, middle = COLOURS[rung.by], top + BAR * 0.7
    name = html.escape(f"{rung.variant}, {rung.by}")
    return (
        f'<text x="{LEFT - 10}" y="{middle:.0f}" text-anchor="end">{name}</text>'
        f'<rect x="{LEFT}" y="{top}" width="{whole:.1f}" height="{BAR}" fill="{colour}" opacity="0.35"/>'
        f'<rect x="{LEFT}" y="{top}" width="{part:.1f}" height="{BAR}" fill="{colour}"/>'
        f'<text x="{LEFT + whole + 8:.0f}" y="{middle:.0f}">{size(rung.unpacked)}</text>'
    )


def page(ladder: Ladder) -> str:
    """The chart and the table as one HTML page that needs nothing else."""
    title = html.escape(closing(ladder))
    head = "".join(f"<th>{html.escape(text)}</th>" for text in HEAD)
    rows = "\n".join(_row(one) for one in ladder.rungs)
    others = reasons(ladder, (one for one in ladder.rungs if one.unpacked is not None))
    below = "".join(f'<p class="why">{html.escape(f"{name}: {why}")}</p>\n' for name, why in others)
    return f"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{STYLE}</style></head>
<body>
<h1>{html.escape(f"{ladder.name} {ladder.version}")}</h1>
<p>{title}. Pale: on disk; dark: to pull.</p>
{svg(ladder)}<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
{below}</body>
</html>
"""


def _row(rung: Rung) -> str:
    if rung.unpacked is None:
        left = "".join(f"<td>{html.escape(text)}</td>" for text in (rung.variant, rung.by))
        return f'<tr>{left}<td class="why" colspan="{len(HEAD) - 2}">{html.escape(rung.why)}</td></tr>'
    return f"<tr>{''.join(f'<td>{html.escape(text)}</td>' for text in cells(rung))}</tr>"
