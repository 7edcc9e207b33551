"""Starts one container or program and waits for its first 200: python -m bench.first HOW WHERE PATH COMMAND... The seconds from
the start of COMMAND come out as a Sample in the last line; then all is ended, outside of the clock.

HOW: `port` asks a port of this machine; `pid-file`, `cid-file` (Docker's) the network of the process that the file leads to.
WHERE: the port; the file and, behind a colon, the port there.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.results import Sample
from wherry.system.namespaces import dial

PATIENCE = 60.0
STEP = 0.001
#: Where Docker's groups are: version 1, version 2 by cgroupfs and by systemd.
GROUPS = ("memory/docker/{0}", "docker/{0}", "system.slice/docker-{0}.scope")


def by_pid_file(file: Path) -> int:
    """0 while it is not written."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return 0


def by_cid_file(file: Path) -> int:
    """The container's first process, as its group has it: to ask Docker would cost time that is not Docker's."""
    try:
        identity = file.read_text().strip()
    except OSError:
        return 0
    for group in GROUPS if identity else ():
        with contextlib.suppress(OSError, IndexError, ValueError):
            return int(Path("/sys/fs/cgroup", group.format(identity), "cgroup.procs").read_text().split()[0])
    return 0


HOW: dict[str, Callable[[Path], int]] = {"pid-file": by_pid_file, "cid-file": by_cid_file}


def well(pid: int, port: int, path: str) -> bool:
    """Whether it answers 200 now."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        connection.sock = dial(pid, ("127.0.0.1", port)) if pid else socket.create_connection(("127.0.0.1", port), 5.0)
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    """1 when there was none in time."""
    how, where, path, *command = sys.argv[1:]
    file, _, port = where.rpartition(":")
    find = HOW.get(how)
    if file:
        Path(file).unlink(missing_ok=True)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a child would inherit that it is ignored
    began = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    pid, found = 0, False
    while not found and child.poll() is None and time.perf_counter() - began < PATIENCE:
        pid = find(Path(file)) if find else 0
        found = (pid > 0 or find is None) and well(pid, int(port), path)
        if not found:
            time.sleep(STEP)
    wall = time.perf_counter() - began
    if pid:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    else:
        child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=PATIENCE)
    if not found:
        print(said.decode("utf-8", "replace")[-1500:])
        return 1
    print(msgspec.json.encode(Sample(wall=wall)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
