"""What a program's last words mean, where its exit code does not tell. Lines in, a sentence out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.model.container import Container, Tmpfs

#: The Go runtime's words before anything of the program runs (runtime/asm_amd64.s).
LEVEL: Final = re.compile(r"only be run on AMD64 processors with (v[234]) microarchitecture support")
#: Of EAGAIN when a process or thread is refused: os/exec, and Go's runtime (runtime/os_linux.go).
REFUSED: Final = re.compile(r"fork/exec \S+: resource temporarily unavailable|failed to create new OS thread")
FULL: Final = re.compile(r"\w+ (/\S*): no space left on device")
LOW: Final = re.compile(r"listen (?:tcp|udp)[46]? \S*:(\d+): bind: permission denied")


def hint(text: str, container: Container) -> str:
    """What its user can do; empty where nothing is known."""
    if level := LEVEL.search(text):
        return f"it was built for GOAMD64={level[1]}, which this machine's processor is not: build it with GOAMD64=v1"
    low = LOW.search(text)
    if low and int(low[1]) < 1024 and "CAP_NET_BIND_SERVICE" not in container.capabilities:
        return f"port {low[1]} is below 1024: --cap-add NET_BIND_SERVICE, or a port above"
    if container.limits.pids and REFUSED.search(text):
        return f"it may have {container.limits.pids} processes and threads: --pids N lets it have more"
    full = FULL.search(text)
    place = _memory(full[1], container) if full else None
    if place:
        return f"{place.path} is memory of {place.size >> 20} MiB, and full: --tmpfs {place.path}:SIZE, or -v a folder"
    return ""


def _memory(path: str, container: Container) -> Tmpfs | None:
    """The place in memory where `path` lies, if it does in one."""
    return next((one for one in container.tmpfs if f"{path}/".startswith(f"{one.path}/")), None)
