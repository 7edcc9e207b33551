"""Which programs can run containers here. Ports in, Runtimes out; asks each its version."""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UnavailableError
from wherry.kit.ports import Command, Run, Spawn, Which
from wherry.model.finding import Finding
from wherry.runtime.oci import ENVIRONMENT, NAMES, Runtime, is_chroot

#: Below these a container can reach its host in known ways; each row is one branch (F02). Distributions mend older versions
#: without another number, so this is said and not refused; what is below LEAST is refused.
SAFE: Final = {"runc": ((1, 2, 8), (1, 3, 3), (1, 4, 0)), "crun": ((1, 20, 0),)}
LEAST: Final = {"runc": (1, 1, 0), "crun": (0, 19, 0)}


def runtimes(which: Which, run: Run, spawn: Spawn) -> tuple[Runtime, ...]:
    """runc and crun, those that are here, the preferred one first."""
    found = []
    for name in NAMES:
        program = which(name)
        if program:
            version = _version(program, run)
            found.append(
                Runtime(name=name, program=program, version=version, run=run, spawn=spawn, no_pivot=is_chroot())
            )
    return tuple(found)


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
    branches = SAFE[runtime.name]
    near = [one for one in branches if one[:2] == numbers[:2]]
    if numbers >= branches[-1] or (near and numbers >= near[0]):
        return ()
    return (
        Finding(
            name="old-runtime",
            message=f"{runtime.name} {runtime.version} has known holes that {'.'.join(map(str, branches[0]))} does not",
            next="a newer one; a distribution may have mended this number: look at its security notes",
        ),
    )


def _version(program: str, run: Run) -> str:
    said = run(Command(argv=(program, "--version"), environment=ENVIRONMENT, directory="/", timeout=10.0))
    match = re.search(r"version (\S+)", said.stdout.decode("utf-8", "replace"))
    return match[1] if match else "0"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0].partition("-")[0])[:3])
