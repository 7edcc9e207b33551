"""Runs inside the emulated machine (`tests.support.vm`), by its own Python: `wherry run` as root and as ordinary users, and what
the kernel says of each container. Rows `user:engine:group` as words, one line of JSON with a list out.

`group`: `own` gives the user a control group as a service manager would, `none` does not, and for `systemd` the user's manager is
started.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

IMAGE = "oci:/shared/layout:1.2.3"
GROUPS = Path("/sys/fs/cgroup")
FILES = ("memory.max", "memory.swap.max", "cpu.max", "pids.max", "pids.current")
STATUS = ("Uid", "Gid", "Groups", "CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp")
UIDS = {"root": 0, "ada": 1000, "bob": 1001}
PATIENCE = 90.0


def delegate(uid: int) -> Path:
    """A group of the user's with all that limits, and one in it for the session."""
    group = GROUPS / f"user-{uid}"
    if not group.exists():
        group.mkdir()
        (group / "cgroup.subtree_control").write_text("+cpu +memory +pids")
        (group / "session").mkdir()
        for folder in (group, group / "session"):
            for name in (".", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"):
                os.chown(folder / name, uid, uid)
    return group / "session"


def command(user: str, engine: str, session: Path) -> list[str]:
    """`wherry run` by that user, in that control group."""
    words = ["wherry", "run", "--engine", engine, "-p", "127.0.0.1::8080", IMAGE]
    become = ["setpriv", f"--reuid={UIDS[user]}", f"--regid={UIDS[user]}", "--clear-groups"] if user != "root" else []
    home = "/root" if user == "root" else f"/home/{user}"
    enter = f"""[ ! -e {session} ] || echo 0 >{session}/cgroup.procs; exec "$@\""""
    return ["sh", "-ec", enter, "sh", *become, "env", f"HOME={home}", *words]


def until(what: Any) -> Any:
    """What `what` gives when it is not false any more."""
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        if time.monotonic() > end:
            return None
        time.sleep(0.1)
    return found


def answer(address: str) -> int:
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as got:
            return int(got.status)
    except OSError:
        return 0


def tightest(name: str, folder: Path) -> str:
    """The first limit from the group upwards."""
    while folder != GROUPS:
        text = (folder / name).read_text().strip() if (folder / name).exists() else "max"
        if not text.startswith("max"):
            return text
        folder = folder.parent
    return "max"


def looked(pid: int) -> dict[str, Any]:
    """What the kernel says of the container's program."""
    lines = [line.partition(":") for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    status = {name: value.split() for name, _, value in lines if name in STATUS}
    group = Path(f"/proc/{pid}/cgroup").read_text().strip().removeprefix("0::")
    folder = GROUPS / group.strip("/")
    files = {name: (folder / name).read_text().strip() for name in FILES if (folder / name).exists()}
    limits = {name: tightest(name, folder) for name in ("memory.max", "cpu.max", "pids.max")}
    kinds = ("user", "net", "pid", "mnt", "ipc", "uts", "cgroup")
    inside, here = Path(f"/proc/{pid}/ns"), Path("/proc/self/ns")
    shared = [kind for kind in kinds if (inside / kind).readlink() == (here / kind).readlink()]
    maps = Path(f"/proc/{pid}/uid_map").read_text().split()
    root = next(x.split() for x in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if x.split()[4] == "/")
    return {
        "status": status,
        "group": group,
        "files": files,
        "limits": limits,
        "shared": shared,
        "uid_map": maps,
        "root": root[5],
    }


def run(row: str) -> dict[str, Any]:
    """One container from its start to its end."""
    user, engine, given = row.split(":")
    session = delegate(UIDS[user]) if given == "own" else GROUPS / "session"
    if given == "systemd":
        subprocess.run(["systemctl", "start", f"user@{UIDS[user]}.service"], check=True)
    log = Path("/tmp", row)
    began = time.monotonic()
    with log.open("wb") as out:
        process = subprocess.Popen(command(user, engine, session), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    said = until(lambda: re.search(r"http://127\.0\.0\.1:\d+", log.read_text()) or process.poll() is not None)
    seen: dict[str, Any] = {"row": row}
    if said not in (None, True):
        seen["answer"] = until(lambda: answer(said[0]))
        seen["seconds"] = round(time.monotonic() - began, 1)
        files = [
            *Path("/home").glob("*/.local/share/wherry/run/containers/*/pid"),
            *Path("/var/lib/wherry").glob("containers/*/pid"),
        ]
        seen |= looked(int(files[0].read_text()))
        process.send_signal(signal.SIGINT)
    try:
        seen["code"] = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        seen["code"] = None
    left = [str(one) for one in GROUPS.rglob("wherry-*") if one.is_dir()]
    return {**seen, "log": log.read_text(errors="replace"), "left": left}


print(json.dumps([run(row) for row in sys.argv[1:]]))
