"""Which programs can run containers here. Ports in, Runtimes out; asks each its version."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Run, Spawn, Which
from wherry.kit.text import one_line
from wherry.model.finding import Finding
from wherry.model.plan import Pairs
from wherry.runtime.client import VARIABLES
from wherry.runtime.oci import ENVIRONMENT, NAMES, Runtime, is_chroot
from wherry.runtime.rootless import session

FINAL: Final = 99
"""What stands for no release candidate, whose number is the fourth."""
#: Below these a container can reach its host in known ways; each row is one branch (F02). Distributions mend older versions
#: without another number, so this is said and not refused; what is below LEAST is refused.
SAFE: Final = {"runc": ((1, 3, 6, FINAL), (1, 4, 3, FINAL), (1, 5, 0, 3)), "crun": ((1, 20, 0, FINAL),)}
#: runc: CVE-2025-31133, -52565, -52881 and CVE-2026-41579; crun: CVE-2025-24965. What crun mends later (CVE-2026-88264, -88265)
#: needs a container without a mount on /dev, and wherry's have one.
LEAST: Final = {"runc": (1, 1, 0), "crun": (0, 19, 0), "docker": (20, 10, 0), "podman": (4, 0, 0)}
UNIFIED: Final = "/sys/fs/cgroup/unified"


def runtimes(which: Which, run: Run, spawn: Spawn) -> tuple[Runtime, ...]:
    """runc and crun, those that are here, the preferred one first."""
    found = []
    for name in NAMES:
        program = which(name)
        if program:
            found.append(
                Runtime(
                    name=name,
                    program=program,
                    version=_version(program, run),
                    run=run,
                    spawn=spawn,
                    no_pivot=is_chroot(),
                    environment=ENVIRONMENT if os.geteuid() == 0 else session(ENVIRONMENT),
                    prefix=without_unified(which) if name == "crun" else (),
                )
            )
    return tuple(found)


def client(name: str, which: Which, run: Run, spawn: Spawn, variables: Pairs) -> Runtime | None:
    """docker or podman, if it is here. UnavailableError [no-engine] when its daemon does not answer. `run` asks anew each time:
    a daemon is another one after an update."""
    program = which(name)
    if not program:
        return None
    environment = tuple(pair for pair in variables if pair[0] in VARIABLES)
    asked = Command(argv=(program, *ASKED[name]), environment=environment, directory="/", timeout=20.0)
    said = run(asked)
    if said.code:
        raise UnavailableError(
            "no-engine",
            f"{name} does not answer",
            where=program,
            why=one_line(said.stderr.decode("utf-8", "replace").strip()[-200:]),
            next=f"start it, or look with {name} info",
        )
    version = said.stdout.decode("utf-8", "replace").strip() or "0"
    return Runtime(name=name, program=program, version=version, run=run, spawn=spawn, environment=environment)


#: How each is asked for the version of what runs containers.
ASKED: Final = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version", "--format", "{{.Client.Version}}"),
}


def without_unified(which: Which, mounts: Path = Path("/proc/self/mountinfo")) -> tuple[str, ...]:
    """Words that hide version 2 of control groups from crun where both versions are mounted and the second has a controller: crun
    refuses that ("drop all controllers from cgroupv2"). The mount is taken away in a mount namespace of crun's own."""
    if os.geteuid() != 0 or not (unshare := which("unshare")) or not (shell := which("sh")):
        return ()
    lines = mounts.read_text("utf-8", "replace").splitlines()
    mixed = any(line.split()[4] == UNIFIED and " - cgroup2 " in line for line in lines)
    try:
        if not mixed or not Path(UNIFIED, "cgroup.controllers").read_text().strip():
            return ()
    except OSError:
        return ()
    return (unshare, "--mount", "--propagation", "private", shell, "-c", f'umount {UNIFIED} && exec "$@"', "crun")


def check(runtime: Runtime) -> tuple[Finding, ...]:
    """UnavailableError [old-runtime] for one that cannot be used; a warning for one with known holes."""
    numbers = _numbers(runtime.version)
    if numbers < LEAST[runtime.name]:
        raise UnavailableError(
            "old-runtime",
            f"{runtime.name} {runtime.version} is too old",
            why=f"wherry needs {'.'.join(map(str, LEAST[runtime.name]))} for seccomp and user namespaces as it uses them",
            next=f"update {runtime.name}",
        )
    branches = SAFE.get(runtime.name, ())
    if not branches:
        return ()
    near = [one for one in branches if one[:2] == numbers[:2]]
    if numbers >= branches[-1] or (near and numbers >= near[0]):
        return ()
    return (
        Finding(
            name="old-runtime",
            message=f"{runtime.name} {runtime.version} has known holes: wherry explain old-runtime",
        ),
    )


def _version(program: str, run: Run) -> str:
    # --root: without a folder that it may write to in XDG_RUNTIME_DIR, crun 1.21 does not even say its version otherwise.
    said = run(
        Command(argv=(program, "--root", "/", "--version"), environment=ENVIRONMENT, directory="/", timeout=10.0)
    )
    match = re.search(r"version (\S+)", said.stdout.decode("utf-8", "replace"))
    return match[1] if match else "0"


def _numbers(version: str) -> tuple[int, ...]:
    """Three numbers, and that of a release candidate: 1.5.0-rc.3 is 1, 5, 0, 3."""
    plain, _, suffix = version.partition("+")[0].partition("-")
    found = [int(number) for number in re.findall(r"\d+", plain)]
    candidate = re.match(r"rc\.?(\d+)", suffix)
    return (*(*found, 0, 0, 0)[:3], int(candidate[1]) if candidate else FINAL)
