"""How a container's own network leads out: by slirp4netns, which the runtime starts between namespaces and program, so that
the network is there before the program's first word. A program and a folder in, hooks of config.json out, and why they failed.

It speaks TCP and UDP for the container as an ordinary process of this machine: no bridge, no packet filter, and nothing of this
machine's loopback. It is confined itself: a root of its own, no capabilities, few system calls.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

PROGRAM: Final = "slirp4netns"
FOR_ROOT: Final = ("crun",)
"""Runtimes under which an ordinary user may not enter a network before its program has begun."""
LINGERS: Final = ("crun",)
"""Runtimes that wait at the end for all that their hooks started, and only then come to the hooks of the end."""
RESOLVER: Final = "10.0.2.3"
"""Where it answers for this machine's name servers."""
FLAGS: Final = "--configure --mtu=65520 --disable-host-loopback --enable-sandbox --enable-seccomp --ready-fd=3"
PATIENCE: Final = 20
"""Seconds for the whole hook."""
#: $0 the program, $1 the container's folder; the runtime says the container's state on standard input (runtime-spec, runtime.md),
#: and crun ends by SIGPIPE, half done, where a hook has gone before it has heard all of it.
HEAR: Final = """pid=$(sed -n 's/.*"pid":[[:space:]]*\\([0-9]*\\).*/\\1/p')
"""
START: Final = f""""$0" {FLAGS} "$pid" tap0 3>"$1/outward.ready" </dev/null >"$1/outward.log" 2>&1 &
slirp=$!
echo $slirp >"$1/outward.pid"
"""
#: For a runtime that lingers: a second process, where there is GNU's tail, ends the first one with the program.
CAN_WATCH: Final = """tail --pid=$$ /dev/null 2>"$1/outward.log" || exit 1
"""
WATCH: Final = """{ tail --pid="$pid" --sleep-interval=0.1 --follow /dev/null; kill -KILL $slirp; } </dev/null >/dev/null 2>&1 &
"""
WAIT: Final = """until [ -s "$1/outward.ready" ]; do kill -0 $slirp 2>/dev/null || exit 1; sleep 0.01; done"""
#: By then its number may be another's. Not SIGTERM, which a runtime may have blocked for what it starts.
STOP: Final = f"""while read -r _; do :; done
read -r pid <"$1/outward.pid" && read -r name <"/proc/$pid/comm" || exit 0
[ "$name" != {PROGRAM} ] || kill -KILL $pid"""


def hooks(program: str, folder: str, *, lingers: bool) -> dict[str, Any]:
    """For a container whose files are in `folder`."""
    start = HEAR + (CAN_WATCH + START + WATCH if lingers else START) + WAIT
    return {
        "createRuntime": [_hook(start, program, folder) | {"timeout": PATIENCE}],
        "poststop": [_hook(STOP, program, folder)],
    }


def trouble(folder: Path) -> str:
    """What kept the network of a container whose files are in `folder` from leading out; empty: nothing did."""
    ready, log = folder / "outward.ready", folder / "outward.log"
    if not log.exists() or (ready.exists() and ready.stat().st_size):
        return ""
    lines = [line for line in log.read_text("utf-8", "replace").splitlines() if line and "WARNING" not in line]
    return f"{PROGRAM}: {lines[0] if lines else 'it ended and said nothing'}"


def _hook(script: str, program: str, folder: str) -> dict[str, Any]:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"path": "/bin/sh", "args": ["sh", "-c", script, program, folder], "env": [path]}
