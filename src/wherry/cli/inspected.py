"""A container as text: its state, health, limits, and what keeps it apart. Values in, lines out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from wherry.cli import runbook
from wherry.cli.containers import show_hint
from wherry.cli.endings import meaning
from wherry.cli.output import Output
from wherry.kit.text import one_line

if TYPE_CHECKING:
    from wherry.flows.isolation import Row
    from wherry.flows.runbook import Kept, Measured
    from wherry.model.container import Container

#: What each kind of isolation keeps away, and what a virtual machine would have instead.
MEANINGS = {
    "user namespace": ("Root inside is nobody outside: what breaks out has no rights here.", "users of its own kernel"),
    "pid namespace": ("It sees no process of this machine, and can signal none.", "a process table of its own kernel"),
    "net namespace": ("It reaches no loopback service here; only published ports lead in.", "a network card of its own"),
    "mnt namespace": ("Of this machine's files only what is mounted is there.", "disks of its own, no shared file system code"),
    "ipc namespace": ("No shared memory or message queue of other programs.", "memory that the processor keeps apart"),
    "uts namespace": ("It cannot rename this machine.", "a name of its own, by itself"),
    "cgroup namespace": ("It does not learn where in this machine's groups it is.", "no groups of this machine at all"),
    "user map": ("Ids of files and processes cannot meet those of people here.", "ids that mean nothing outside"),
    "capabilities": ("None of root's powers, not even by a setuid program.", "root that is root of the guest only"),
    "no-new-privs": ("No program that it starts gains rights.", "the same, if the guest's kernel is asked"),
    "seccomp": ("Most of the kernel's doors are shut: most holes are behind them.", "few calls of a hypervisor"),
    "runs as": ("Its user is nobody who has anything here.", "a user of the guest"),
    "control group": ("All that it starts is counted and limited together.", "one process to this machine"),
    "root": ("What broke in can change no program and leave nothing behind.", "a disk image, read-only if wanted"),
    "mounts": ("All that can be written to is listed above.", "disks that are listed just so"),
    "limits": ("It cannot starve its neighbours of memory, time or processes.", "memory and processors set aside"),
}  # fmt: skip
#: Decisions that are limits.
LIMITS = frozenset({"memory", "cpus", "pids", "files"})
KERNEL = (
    "Both share one kernel: a hole in it that can be reached through what is left above concerns this machine. "
    "A virtual machine has a kernel of its own, at the price of memory and of a start in seconds."
)


def show_container(kept: Kept, used: tuple[Measured, ...], output: Output) -> None:
    """Its state, addresses, limits against use, and health."""
    from wherry.flows.runbook import last_words

    page, record = output.on_stdout(), kept.record
    container = record.container
    page.line(f"{container.name}   {container.image.partition('@')[0]}")
    when = f", {runbook.ago(time.time() - kept.end.finished)} ago" if kept.end and kept.end.finished else ""
    rows = [("state", runbook.state_of(kept) + when, ""), ("id", record.id, ""), ("engine", record.engine, "")]
    rows += [("pid", str(kept.pid), "")] if kept.pid else []
    rows += [
        ("port", address.replace("->", "  to ").removesuffix("/tcp"), "")
        for address in (() if kept.end else record.addresses)
    ]
    rows += [("command", " ".join(container.arguments), ""), ("user", _user(container), "")]
    rows += [(one.name, one.value, one.reason) for one in container.decisions if one.name in LIMITS]
    rows += [("relaxed", word, "") for word in container.relaxed]
    page.rows(rows)
    if kept.end is not None and (text := meaning(kept.end, container)):
        page.line(text)
    if kept.end is not None:
        show_hint(kept.end, container, page, last_words(kept.place))
    runbook.show_stats(used, output) if used else None
    if kept.condition is not None and container.health is not None:
        _show_health(kept, page)


def _user(container: Container) -> str:
    """Its ids inside, and outside where those are others."""
    inside = f"{container.user.uid}:{container.user.gid}"
    return f"{inside} inside, {container.id_base + container.user.uid} outside" if container.id_base else inside


def _show_health(kept: Kept, page: Output) -> None:
    condition, health = kept.condition, kept.record.container.health
    assert condition is not None
    assert health is not None
    asked = f"GET {health.path} on {health.port}" if health.port else " ".join(health.command)
    times = f"every {health.interval:g} s, at most {health.timeout:g} s, {health.retries} tries"
    begin = f", not counted in the first {health.start_period:g} s" if health.start_period else ""
    failing = f", {condition.failing} failures in a row" if condition.failing else ""
    probes = [
        ("ok" if one.well else "failed", f"{one.seconds:.3f} s  {one_line(one.said)}", "") for one in condition.probes
    ]
    page.rows(
        [("health", f"{condition.status}{failing}", ""), ("asked", asked, ""), ("when", times + begin, ""), *probes]
    )


def show_isolation(kept: Kept, rows: tuple[Row, ...], output: Output) -> None:
    """Container and machine side by side; then what each row is good for, beside what a virtual machine has there."""
    page = output.on_stdout()
    page.line(f"{kept.record.container.name}, process {kept.pid}, and this machine, as the kernel says them")
    page.line()
    seen = [(row.name, row.inside or "not seen", row.outside or "not seen") for row in rows]
    page.side_by_side([("", "CONTAINER", "THIS MACHINE"), *seen])
    together = [row.name for row in rows if row.inside and not row.apart]
    if together:
        page.line()
        page.line(f"NOT APART here: {', '.join(together)}. What is said of them below holds where they are.")
    page.line()
    page.side_by_side(
        [("", "WHERE THEY ARE APART", "A VIRTUAL MACHINE HAS"), *((row.name, *MEANINGS[row.name]) for row in rows)]
    )
    page.line()
    page.line(KERNEL)


def container_document(kept: Kept, used: tuple[Measured, ...], rows: tuple[Row, ...]) -> str:
    """All of it for programs."""
    document: dict[str, Any] = {
        **runbook.document_of(kept),
        "container": msgspec.to_builtins(kept.record.container),
        "condition": msgspec.to_builtins(kept.condition) if kept.condition else None,
        "usage": msgspec.to_builtins(used[0].usage) if used else None,
        "isolation": [msgspec.to_builtins(row) for row in rows] or None,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def inspected(kept: Kept, output: Output, *, isolated: bool, as_json: bool) -> None:
    """Looks, and shows."""
    from wherry.flows.isolation import isolation
    from wherry.flows.runbook import measured_now

    used = measured_now(kept) if kept.pid else ()
    rows = isolation(kept) if isolated and kept.pid else ()
    if as_json:
        output.document(container_document(kept, used, rows))
    elif isolated:
        show_isolation(kept, rows, output)
    else:
        show_container(kept, used, output)
