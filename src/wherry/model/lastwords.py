"""What a program's last words mean, where its exit code does not tell. Lines in, a sentence out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.model.container import Container

#: The Go runtime's words before anything of the program runs (runtime/asm_amd64.s).
LEVEL: Final = re.compile(r"only be run on AMD64 processors with (v[234]) microarchitecture support")
LOW: Final = re.compile(r"listen (?:tcp|udp)[46]? \S*:(\d+): bind: permission denied")


def hint(text: str, container: Container) -> str:
    """What its user can do; empty where nothing is known."""
    if level := LEVEL.search(text):
        return f"it was built for GOAMD64={level[1]}, which this machine's processor is not: build it with GOAMD64=v1"
    low = LOW.search(text)
    if low and int(low[1]) < 1024 and "CAP_NET_BIND_SERVICE" not in container.capabilities:
        return f"port {low[1]} is below 1024: --cap-add NET_BIND_SERVICE, or a port above"
    return ""
