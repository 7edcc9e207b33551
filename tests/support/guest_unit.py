"""Runs inside the emulated machine (`tests.support.vm`) under its systemd: `api.service`, from its start to its end, and what
systemd and the kernel say of it. Who keeps the container (wherry or podman) as a word, one JSON document out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROPERTIES = ("FragmentPath", "ActiveState", "SubState", "Result", "ExecMainStatus", "MainPID", "NRestarts")
#: By who keeps the container: how its control group begins.
GROUPS = {"wherry": "wherry-*", "podman": "libpod-*"}
FACTS = ("Uid", "CapEff", "NoNewPrivs", "Seccomp")
FOLDERS = ("/etc/systemd/system", "/run/systemd/generator")
PATIENCE = 90.0
KEEPER = sys.argv[1]


def call(*words: str) -> dict[str, Any]:
    """A program's exit code and words."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return {"code": done.returncode, "said": done.stdout + done.stderr}


def shown() -> dict[str, str]:
    """What systemd says of the unit."""
    said = call("systemctl", "show", "api.service", *(f"--property={one}" for one in PROPERTIES))["said"]
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def answer() -> int:
    try:
        with urllib.request.urlopen("http://127.0.0.1:8080/healthz", timeout=10) as got:
            return int(got.status)
    except OSError:
        return 0


def until(what: Callable[[], Any]) -> Any:
    """What `what` gives when it is not false any more; None when it always was."""
    end = time.monotonic() + PATIENCE
    while not (found := what()):
        if time.monotonic() > end:
            return None
        time.sleep(0.2)
    return found


def containers() -> list[int]:
    """Their first processes."""
    if KEEPER == "podman":
        found = call("podman", "ps", "--quiet")["said"].split()
        return [int(call("podman", "inspect", "--format", "{{.State.Pid}}", one)["said"]) for one in found]
    return [int(file.read_text()) for file in Path("/var/lib/wherry").glob("containers/*/pid")]


def facts(pid: int) -> dict[str, str]:
    rows = [line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
    return {row[0]: row[1].split()[0] for row in rows if row[0] in FACTS}


def running() -> dict[str, Any]:
    """The unit while it is up."""
    seen: dict[str, Any] = {"answer": until(answer), "unit": shown(), "containers": containers()}
    return {**seen, "facts": [facts(pid) for pid in seen["containers"]]}


def stopped() -> dict[str, Any]:
    done = call("systemctl", "stop", "api.service")
    groups = [str(one) for one in Path("/sys/fs/cgroup").rglob(GROUPS[KEEPER])]
    return {**done, "unit": shown(), "answer": answer(), "containers": containers(), "groups": groups}


def everything() -> dict[str, Any]:
    path = shown()["FragmentPath"]
    verify = call("systemd-analyze", "verify", "--man=no", path)
    seen: dict[str, Any] = {"verify": verify, "text": Path(path).read_text()}
    if KEEPER == "wherry":  # what a generator makes is enabled where it is made
        seen["enable"] = call("systemctl", "enable", "api.service")
    wanted = "*.target.wants/api.service"
    seen["wanted"] = [str(one) for folder in FOLDERS for one in Path(folder).glob(wanted)]
    seen["start"] = call("systemctl", "start", "api.service")
    seen["running"] = running()
    seen["stopped"] = stopped()
    call("systemctl", "start", "api.service")
    seen["again"] = running()
    os.kill(int(seen["again"]["unit"]["MainPID"]), signal.SIGKILL)
    until(lambda: shown()["NRestarts"] == "1")
    seen["restarted"] = running()
    seen["end"] = stopped()
    seen["journal"] = call("journalctl", "--unit=api.service", "--no-pager", "--output=cat")["said"]
    return seen


print(json.dumps(everything()))
