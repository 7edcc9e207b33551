"""Warnings about this machine, told once a day. A container in, the same one without what was told today out; keeps a record."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from wherry.cache.folders import prepare
from wherry.cache.records import Records, key
from wherry.flows.folders import folders_of
from wherry.kit.ports import Machine
from wherry.model.container import Container

DAY: Final = 86_400
DAILY: Final = "old-runtime"


def fresh(container: Container, machine: Machine) -> Container:
    """What `wherry run` still has to say; `wherry prove` and `wherry doctor` say all of it each time."""
    if not any(one.name == DAILY for one in container.findings):
        return container
    records, today = Records(prepare(folders_of(machine))), int(machine.now() // DAY)
    kept = []
    for finding in container.findings:
        known = key("told", finding.name, finding.message, today)
        if finding.name == DAILY and records.get(known) is not None:
            continue
        if finding.name == DAILY:
            records.put(known, b"1")
        kept.append(finding)
    return replace(container, findings=tuple(kept))
