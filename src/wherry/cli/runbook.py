"""The runbook as text: lists, stops, logs, use. Values in, lines and documents out."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from wherry.cli.containers import show_hint
from wherry.cli.endings import brief, meaning
from wherry.cli.output import Output
from wherry.kit.text import seconds
from wherry.plan.container.limits import shown

if TYPE_CHECKING:
    from wherry.flows.runbook import Kept, Measured, Stopped
    from wherry.runtime.logs import Line

HEADS = ("NAME", "STATE", "SINCE", "PORTS", "IMAGE")
USE = ("NAME", "CPU", "THROTTLED", "MEMORY", "PEAK", "PIDS", "OOM")


def show_listing(rows: tuple[Kept, ...], now: float, output: Output, *, everything: bool) -> None:
    """A table on stdout; its head alone, and words on stderr, when there are none. `everything`: those that ended were asked
    for, too."""
    table: list[tuple[str, ...]] = [HEADS]
    for kept in rows:
        record = kept.record
        since = (kept.end.finished if kept.end else record.started) or record.created
        open_now = () if kept.end else record.addresses
        ports = " ".join(address.removesuffix("/tcp") for address in open_now)
        image = record.container.image.partition("@")[0]
        table.append((record.container.name, state_of(kept), ago(now - since), ports or "-", image))
    output.table(table)
    if not rows:
        more = "none is kept that has ended" if everything else "wherry ps --all lists those that have ended, too"
        output.line(f"no container runs; {more}")


def state_of(kept: Kept) -> str:
    """`running`, `healthy`, `ended 2` ..."""
    if kept.end is not None:
        return brief(kept.end)
    if kept.state == "running" and kept.condition is not None:
        return {"starting": "running, starting"}.get(kept.condition.status, kept.condition.status)
    return kept.state


def listing_document(rows: tuple[Kept, ...]) -> str:
    """All that is known, as JSON."""
    return _text([document_of(kept) for kept in rows])


def document_of(kept: Kept) -> dict[str, Any]:
    """One container for programs."""
    record = kept.record
    return {
        "name": record.container.name,
        "id": record.id,
        "state": kept.state,
        "health": kept.condition.status if kept.condition else None,
        "pid": kept.pid or None,
        "image": record.container.image,
        "engine": record.engine,
        "foreground": record.foreground,
        "addresses": list(record.addresses),
        "created": record.created,
        "started": record.started or None,
        "end": msgspec.to_builtins(kept.end) if kept.end else None,
    }


def show_stopped(stopped: Stopped, output: Output) -> None:
    """Its name on stdout, what its exit code means beside it."""
    name, end = stopped.record.container.name, stopped.end
    output.result(name)
    if stopped.was_over:
        output.line(f"{name} had ended before, {brief(end)}")
        show_hint(end, stopped.record.container, output, stopped.said)
        return
    if end.why == "lost":
        output.line(f"{name} has ended after {seconds(stopped.seconds)} s; nothing of it was kept")
        return
    text = meaning(end, stopped.record.container)
    output.line(f"{text or f'{name} has ended'}, after {seconds(stopped.seconds)} s")
    show_hint(end, stopped.record.container, output, stopped.said)


def show_log(lines: Iterable[Line], output: Output, *, timestamps: bool) -> None:
    """Each line to our stream of the same name, as it was said; wherry's own notes to stderr."""
    streams = {"stdout": sys.stdout.buffer, "stderr": sys.stderr.buffer}
    begun = dict.fromkeys(streams, True)
    for line in lines:
        stream = streams.get(line.stream)
        if stream is None:
            output.line(f"wherry: {line.text.decode('utf-8', 'replace')}")
            continue
        head = f"{line.time} ".encode() if timestamps and begun[line.stream] else b""
        stream.write(head + line.text + (b"\n" if line.whole else b""))
        stream.flush()
        begun[line.stream] = line.whole


def show_stats(found: tuple[Measured, ...], output: Output) -> None:
    """A table on stdout."""
    table: list[tuple[str, ...]] = [USE]
    for one in found:
        used = one.usage
        cpu = "-" if one.processors is None else f"{one.processors:.2f}"
        table.append(
            (
                one.record.container.name,
                cpu + (f" of {used.cpu_limit:g}" if used.cpu_limit else ""),
                "-" if not used.periods else f"{100 * (used.throttled or 0) / used.periods:.0f} %",
                _size(used.memory) + (f" of {shown(used.memory_limit)}" if used.memory_limit else ""),
                _size(used.memory_peak),
                f"{'-' if used.pids is None else used.pids}" + (f" of {used.pids_limit}" if used.pids_limit else ""),
                "-" if used.oom_kills is None else str(used.oom_kills),
            )
        )
    output.table(table)


def stats_document(found: tuple[Measured, ...]) -> str:
    """The same for programs."""
    return _text(
        [
            {"name": one.record.container.name, "processors": one.processors, **msgspec.to_builtins(one.usage)}
            for one in found
        ]
    )


def _size(value: int | None) -> str:
    return "-" if value is None else shown(value)


def ago(passed: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if passed >= 2 * length:
            return f"{passed / length:.0f} {unit}"
    return f"{max(0, passed):.0f} s"


def _text(document: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
