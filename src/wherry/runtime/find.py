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
from wherry.runtime.holes import holes, numbers
from wherry.runtime.oci import ENVIRONMENT, NAMES, Runtime, is_chroot
from wherry.runtime.outward import FOR_ROOT, PROGRAM
from wherry.runtime.rootless import session

OLD: Final = "old-runtime"
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
                    outward="" if name in FOR_ROOT and os.geteuid() != 0 else which(PROGRAM),
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


def check(runtime: Runtime, *, relaxed: bool = False) -> tuple[Finding, ...]:
    """UnavailableError [old-runtime] for one that cannot be used, and unless `relaxed` for one with known holes that nobody
    mends; a warning where a distribution looks after it and does not say that they are mended."""
    if numbers(runtime.version) < LEAST[runtime.name]:
        raise UnavailableError(
            OLD,
            f"{runtime.name} {runtime.version} is too old",
            why=f"wherry needs {'.'.join(map(str, LEAST[runtime.name]))} for seccomp and user namespaces as it uses them",
            next=f"update {runtime.name}",
        )
    known = holes(runtime.name, runtime.version, runtime.program)
    if not known.names:
        return ()
    if not known.packaged and not relaxed:
        raise UnavailableError(
            OLD,
            f"{runtime.name} {runtime.version} lets containers out: {', '.join(known.names)}",
            where=runtime.program,
            why="it is no package of this machine's distribution, which would mend them without another number",
            next=(f"update {runtime.name}", "another --engine", "--relax old-runtime   for images that you trust"),
        )
    said = f"{runtime.name} {runtime.version} is old, and nobody says that it is mended: {', '.join(known.names)}"
    return (Finding(name=OLD, message=said),)


def _version(program: str, run: Run) -> str:
    # --root: without a folder that it may write to in XDG_RUNTIME_DIR, crun 1.21 does not even say its version otherwise.
    said = run(
        Command(argv=(program, "--root", "/", "--version"), environment=ENVIRONMENT, directory="/", timeout=10.0)
    )
    match = re.search(r"version (\S+)", said.stdout.decode("utf-8", "replace"))
    return match[1] if match else "0"
