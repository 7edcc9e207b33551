"""What copying and changing images has to tell, as text and as JSON. Values in, lines out."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from wherry.cli.documents import SCHEMA
from wherry.cli.output import Output, standard_output
from wherry.cli.progress import Progress
from wherry.kit.ports import Event, Machine
from wherry.kit.text import megabytes, seconds
from wherry.model.image import Published
from wherry.system.machine import real_machine

if TYPE_CHECKING:
    from wherry.flows.changed import Changed
    from wherry.flows.copy import Copied


def push(
    source: str,
    names: tuple[str, ...],
    *,
    platforms: tuple[str, ...] = (),
    referrers: bool = False,
    as_json: bool = False,
) -> None:
    """`wherry push`."""
    from wherry.flows.push import push as flow

    run_copy(lambda machine: flow(source, names, machine, platforms=platforms, referrers=referrers), as_json=as_json)


def copy(
    source: str,
    names: tuple[str, ...],
    *,
    platforms: tuple[str, ...] = (),
    referrers: bool = False,
    as_json: bool = False,
) -> None:
    """`wherry copy`."""
    from wherry.flows.copy import CopyRequest
    from wherry.flows.copy import copy as flow

    request = CopyRequest(source=source, destinations=names, platforms=platforms, referrers=referrers)
    run_copy(lambda machine: flow(request, machine), as_json=as_json)


def run_copy(flow: Callable[[Machine], Copied], *, as_json: bool) -> None:
    """Runs a copy with progress, and tells its story."""
    output, began = standard_output(), time.monotonic()
    with Progress(output, Event(phase="copy")) as progress:
        copied = flow(_early(real_machine(progress.event)))
    show_copied(copied, output, spent=time.monotonic() - began, as_json=as_json)


def _early(machine: Machine) -> Machine:
    """`machine`, which knows of the blobs that are on their way already, if any are."""
    begun = sys.modules.get("wherry.cli.early")
    return replace(machine, early=begun.found) if begun else machine


def run_change(flow: Callable[[Machine], Changed], *, as_json: bool) -> None:
    """Runs a change of a published image, and tells its story."""
    output = standard_output()
    with Progress(output, Event(phase="copy")) as progress:
        changed = flow(real_machine(progress.event))
    show_changed(changed, output, as_json=as_json)


def show_copied(copied: Copied, output: Output, *, spent: float, as_json: bool) -> None:
    """The story of a copy on stderr, names with digests alone on stdout."""
    for finding in copied.findings:
        output.finding(finding)
    output.rows([("from", copied.source, ""), *_places(copied.published)])
    sent = sum(row.sent for row in copied.published)
    what = _count(len(copied.platforms), "platform") if copied.platforms else "one artifact"
    along = f", {_count(copied.attached, 'attached thing')} along" if copied.attached else ""
    moved = f"{megabytes(sent)} sent" if sent else "all of it was there already"
    output.line(f"{what}{along}, {megabytes(copied.size)}; {moved}, in {seconds(spent)} s")
    if copied.placed:
        output.line(copied.placed)
    _results(copied.published, output, as_json=as_json)
    if as_json:
        output.document(copied_document(copied, spent))


def show_changed(changed: Changed, output: Output, *, as_json: bool) -> None:
    """What an image was, and what it is now."""
    for finding in changed.findings:
        output.finding(finding)
    bases = zip(("off", "onto"), changed.bases, ("", ""), strict=False)
    output.rows([("from", changed.source, ""), *_places(changed.published), *bases])
    if len(changed.replaced) > 1:
        rows = ((str(one.platform), str(one.old), str(one.new)) for one in changed.replaced)
        output.rows([row for name, old, new in rows for row in ((name, old, ""), ("is now", new, ""))])
    if changed.old == changed.digest:
        output.line("nothing to change, so the digest stays")
    else:
        count = _count(len(changed.replaced), "image") if changed.replaced else "one artifact"
        output.line(f"{count} changed, its own layers as they were")
    _results(changed.published, output, as_json=as_json)
    if as_json:
        output.document(changed_document(changed))


def copied_document(copied: Copied, spent: float) -> str:
    """`--json` of copy, push and pull."""
    said = msgspec.to_builtins(copied, enc_hook=str) | {"published": _published(copied.published)}
    return _text({"schema": SCHEMA, **said, "seconds": round(spent, 4)})


def changed_document(changed: Changed) -> str:
    """`--json` of annotate and rebase."""
    rows = [{"platform": str(one.platform), "old": one.old, "new": one.new} for one in changed.replaced]
    said = msgspec.to_builtins(changed, enc_hook=str) | {"published": _published(changed.published), "replaced": rows}
    return _text({"schema": SCHEMA, **said})


def _published(published: tuple[Published, ...]) -> list[dict[str, object]]:
    return [
        {"reference": one.reference, "place": one.place, "digest": one.digest, "sent": one.sent, "renamed": one.renamed}
        for one in published
    ]


def _places(published: tuple[Published, ...]) -> list[tuple[str, str, str]]:
    return [
        ("to" if number == 0 else "", row.place, f"{megabytes(row.sent)} sent" if row.sent else "")
        for number, row in enumerate(published)
    ]


def _results(published: tuple[Published, ...], output: Output, *, as_json: bool) -> None:
    for row in (row for row in published if row.renamed):
        output.line(f"Docker's store calls {row.digest}")
        output.line(f"by its config, {row.renamed}")
    if published:
        output.next(f"wherry inspect {shlex.quote(published[0].place)}")
    for row in published if not as_json else ():
        output.result(row.reference)


def _text(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2).decode()


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
