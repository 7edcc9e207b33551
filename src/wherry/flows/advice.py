"""What a recording suggests for wherry.toml. A recording and a container in, lines with what was seen out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.model.container import Container
from wherry.model.plan import declarable
from wherry.model.profile import Suggestion
from wherry.model.recording import FileUse, Recording

ROOTS = ("/etc/ssl", "/etc/pki", "/usr/share/ca-certificates", "/usr/local/share/certs", "/system/etc/security")
"""Where crypto/x509 looks for certificates (root_linux.go)."""
ZONES = ("/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo")
"""Where the time package looks for time zones (zoneinfo_unix.go)."""
NAMES = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf")
NOWHERE = ("/proc/", "/sys/", "/dev/")


def advice(recording: Recording, container: Container) -> tuple[Suggestion, ...]:
    """Writable directories, ports, certificates, time zones, name lookup; nothing for what is there already."""
    return (
        *_writable(recording, container),
        *_ports(recording, container),
        *_missing(recording.files, ROOTS, 'base = "static"', "certificates were looked for"),
        *_missing(recording.files, ZONES, 'base = "static"', "time zones were looked for"),
        *_lookups(recording),
    )


def _writable(recording: Recording, container: Container) -> Iterator[Suggestion]:
    declared = tuple(one.path for one in container.tmpfs) + tuple(one.path for one in container.binds if one.writable)
    wrote = [
        one.path
        for one in recording.files
        if one.intent == "write" and not one.path.startswith(NOWHERE) and not _beneath(one.path, declared)
    ]
    folders = declarable(wrote)
    if folders:
        listed = ", ".join(f'"{folder}"' for folder in folders)
        yield Suggestion(line=f"writable = [{listed}]", why=f"it wanted to write {', '.join(sorted(wrote)[:3])}")


def _ports(recording: Recording, container: Container) -> Iterator[Suggestion]:
    declared = {one.partition("/")[0] for one in container.ports}
    local = ("127.", "::1")
    bound = sorted(
        {one.port for one in recording.bound if one.port and one.protocol in ("tcp", "udp")}
        - {int(one) for one in declared if one.isdigit()}
    )
    if bound:
        yield Suggestion(line=f"ports = {bound}", why="it listens there, and the image does not say so")
    inside = [one for one in recording.bound if one.port and one.address.startswith(local)]
    for one in inside:
        yield Suggestion(
            line=f"# it listens on {one.address}:{one.port} alone", why="nobody outside the container reaches that"
        )


def _missing(files: tuple[FileUse, ...], roots: tuple[str, ...], line: str, what: str) -> Iterator[Suggestion]:
    asked = [one for one in files if one.intent in ("read", "look") and _beneath(one.path, roots)]
    if asked and all(one.state == "missing" for one in asked):
        yield Suggestion(line=line, why=f"{what}, and this image has none: {asked[0].path}")


def _lookups(recording: Recording) -> Iterator[Suggestion]:
    missing = [one.path for one in recording.files if one.path in NAMES[:1] and one.state == "missing"]
    if missing:
        yield Suggestion(line="# --network own", why=f"names were looked up without {missing[0]}")


def _beneath(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
