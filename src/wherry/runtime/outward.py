"""How a container's own network leads out: by slirp4netns, which the runtime starts between namespaces and program, so that
the network is there before the program's first word. A program and a folder in, hooks of config.json out; touches nothing.

It speaks TCP and UDP for the container as an ordinary process of this machine: no bridge, no packet filter, and nothing of this
machine's loopback. It is confined itself: a root of its own, no capabilities, few system calls.
"""

from __future__ import annotations

from typing import Any, Final

PROGRAM: Final = "slirp4netns"
LEADS_OUT: Final = ("runc",)
"""crun 1.8 waits at the end for all that its hooks started."""
RESOLVER: Final = "10.0.2.3"
"""Where it answers for this machine's name servers."""
FLAGS: Final = "--configure --mtu=65520 --disable-host-loopback --enable-sandbox --enable-seccomp --ready-fd=3"
PATIENCE: Final = 20
"""Seconds for the whole hook."""
#: $0 the program, $1 the container's folder; the runtime says the container's state on standard input (runtime-spec, runtime.md).
START: Final = f"""pid=$(sed -n 's/.*"pid":[[:space:]]*\\([0-9]*\\).*/\\1/p')
"$0" {FLAGS} "$pid" tap0 3>"$1/outward.ready" </dev/null >"$1/outward.log" 2>&1 &
echo $! >"$1/outward.pid"
until [ -s "$1/outward.ready" ]; do
  kill -0 $! 2>/dev/null || {{ sed 's/^/{PROGRAM}: /' "$1/outward.log" >&2; exit 1; }}
  sleep 0.01
done"""
#: By then its number may be another's. Not SIGTERM, which a runtime may have blocked for what it starts.
STOP: Final = (
    f"""read -r pid <"$1/outward.pid" && [ "$(cat "/proc/$pid/comm")" = {PROGRAM} ] && kill -KILL "$pid"; exit 0"""
)


def hooks(program: str, folder: str) -> dict[str, Any]:
    """For a container whose files are in `folder`."""
    return {
        "createRuntime": [_hook(START, program, folder) | {"timeout": PATIENCE}],
        "poststop": [_hook(STOP, program, folder)],
    }


def _hook(script: str, program: str, folder: str) -> dict[str, Any]:
    path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"path": "/bin/sh", "args": ["sh", "-c", script, program, folder], "env": [path]}
