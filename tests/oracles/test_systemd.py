"""What `wherry run --print systemd` and `--print quadlet` write, under a real systemd: in an emulated machine it is verified,
wanted at boot, started, asked, stopped, and started anew when its keeper is killed. The result is written to docs/oracles.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support import apps, opinions
from tests.support.vm import Kind, run_in_vm
from tests.support.vm_root import SITE

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

GUEST = Path(__file__).parents[1] / "support/guest_unit.py"
#: A drop-in, since this machine's wherry is no installed one.
UNIT = f"""
wherry run --engine runc --name api -p 127.0.0.1:8080:8080 --print systemd oci:/shared/good:1.2.3 \\
  >/etc/systemd/system/api.service 2>/dev/null
mkdir /etc/systemd/system/api.service.d
printf '[Service]\\nEnvironment=PYTHONPATH=/shared/src:/{SITE}\\n' >/etc/systemd/system/api.service.d/machine.conf
systemctl daemon-reload
python3 unit.py wherry
"""
#: The machine has no bridge. What the file says to make before is made by its own lines.
QUADLET = f"""
mkdir -p /etc/containers/systemd
wherry run --name api --network host --print quadlet oci:/shared/good:1.2.3 >/etc/containers/systemd/api.container 2>/dev/null
sed -n 's/^# \\(.* -m wherry .*\\)$/\\1/p' /etc/containers/systemd/api.container >first
PYTHONPATH=/shared/src:/{SITE} sh -e first 2>&1
systemctl daemon-reload
python3 unit.py podman
"""
CASES = {
    "bookworm-unit": ("bookworm", UNIT),
    "trixie-unit": ("trixie", UNIT),
    "trixie-quadlet": ("trixie", QUADLET),
}


@pytest.fixture(scope="module", params=CASES)
def seen(request: pytest.FixtureRequest) -> dict[str, Any]:
    release, script = CASES[request.param]
    place = apps.place("good").removeprefix("oci:").rpartition(":")[0]
    files = {"good": Path(place), "unit.py": GUEST}
    kind = Kind(release=release, memory_mb=1024, systemd=True)
    done = run_in_vm(f"set -e\n{script}", files, kind=kind, timeout=400)
    assert done.code == 0, f"{done.stdout}{done.stderr}\n{done.console[-2000:]}"
    found = {**json.loads(done.stdout.splitlines()[-1]), "case": request.param}
    record(str(request.param), found)
    return found


def record(name: str, seen: dict[str, Any]) -> None:
    release, _, kind = name.partition("-")
    moments = {one: seen[one] for one in ("running", "stopped", "again", "restarted", "end")}
    shown = ("ActiveState", "Result", "NRestarts")
    rows = tuple(
        (moment, str(one["answer"]), *(one["unit"][name] for name in shown)) for moment, one in moments.items()
    )
    text = f"What `wherry run --print {'quadlet' if kind == 'quadlet' else 'systemd'}` writes, in an emulated machine."
    head = ("moment", "answer", "state", "result", "restarts")
    opinions.record(f"systemd, {kind} on Debian {release}", text, "", *opinions.table(head, rows))


def test_systemd_finds_no_fault_in_it(seen: dict[str, Any]) -> None:
    assert seen["verify"] == {"code": 0, "said": ""}, seen["text"]
    assert seen.get("enable", {"code": 0})["code"] == 0, seen["enable"]
    assert len(seen["wanted"]) == 1, "it is started at boot"


def test_it_runs_hardened(seen: dict[str, Any]) -> None:
    assert seen["start"]["code"] == 0, seen["start"]
    running = seen["running"]
    assert (running["answer"], running["unit"]["SubState"]) == (200, "running"), seen["journal"]
    (facts,) = running["facts"]
    # With the machine's own network there is no user namespace: /sys could not be mounted in one.
    assert (int(facts["Uid"]) > 1 << 29) == ("--network host" not in CASES[seen["case"]][1])
    assert int(facts["Uid"]) >= 65532
    assert (int(facts["CapEff"], 16), facts["NoNewPrivs"], facts["Seccomp"]) == (0, "1", "2")


@pytest.mark.parametrize("time", ["stopped", "end"])
def test_it_stops_in_peace_and_leaves_nothing(seen: dict[str, Any], time: str) -> None:
    stop = seen[time]
    assert (stop["code"], stop["answer"], stop["containers"], stop["groups"]) == (0, 0, [], []), seen["journal"]
    assert stop["unit"]["ActiveState"] == "inactive"
    assert (stop["unit"]["Result"], stop["unit"]["ExecMainStatus"]) == ("success", "0")


def test_it_is_started_anew_when_its_keeper_is_killed(seen: dict[str, Any]) -> None:
    before, after = seen["again"], seen["restarted"]
    assert (before["answer"], after["answer"]) == (200, 200), seen["journal"]
    assert after["unit"]["NRestarts"] == "1"
    assert len(after["containers"]) == 1, "what the killed one left was taken away"
    assert after["containers"] != before["containers"]
