"""What runs beside the tools: a registry on loopback, and a Docker daemon of our own. Starts processes and ends exactly those."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from wherry.kit.value import Value

REGISTRY_CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}}}}}
http: {{addr: "{address}"}}
"""


class ServiceError(Exception):
    """A service did not start; its last words are in the text."""


class Engine(Value, frozen=True, kw_only=True):
    """Something that builds from Dockerfiles: the words every command of it begins with, its variables, and its daemon."""

    command: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    daemon: int = 0
    absent: str = ""
    """Why it is not here; else empty."""


@contextlib.contextmanager
def running(argv: list[str], log: Path, environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """The process while the block lasts."""
    with log.open("wb") as output:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """Host and port of an empty registry (CNCF distribution)."""
    if not shutil.which("docker-registry"):
        raise ServiceError("docker-registry is not installed")
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, log = folder / "config.yml", folder / "log"
    config.write_text(REGISTRY_CONFIG.format(folder=folder / "data", address=f"127.0.0.1:{port}"))
    with running(["docker-registry", "serve", str(config)], log) as process:
        wait(process, log, lambda: socket.create_connection(("127.0.0.1", port), 1).close())
        yield f"localhost:{port}"


@contextlib.contextmanager
def dockerd(folder: Path, *, wanted: bool) -> Iterator[Engine]:
    """Debian's Docker with everything of its own in `folder` and no network, so that nothing of the machine changes."""
    client = next(
        (path for path in ("/usr/bin/docker", shutil.which("docker") or "") if path and Path(path).exists()), ""
    )
    reason = absence(wanted, dockerd=shutil.which("dockerd"), docker=client)
    if reason:
        yield Engine(absent=reason)
        return
    folder.mkdir()
    sock, log = folder / "docker.sock", folder / "log"
    options = {"host": f"unix://{sock}", "data-root": folder / "data", "exec-root": folder / "exec"}
    flags = ["iptables=false", "ip-masq=false", "ip-forward=false", "bridge=none", f"pidfile={folder / 'pid'}"]
    argv = ["dockerd", *(f"--{name}={value}" for name, value in options.items()), *(f"--{flag}" for flag in flags)]
    with running(argv, log) as process:
        environment = {
            "DOCKER_HOST": f"unix://{sock}",
            "DOCKER_BUILDKIT": "1",
            "HOME": str(folder),
            "PATH": os.environ["PATH"],
        }
        engine = Engine(command=(client,), environment=tuple(environment.items()), daemon=process.pid)
        wait(process, log, lambda: command(engine, "version"))
        yield engine


def buildah(folder: Path, *, wanted: bool) -> Engine:
    """Buildah with a storage of its own in `folder`."""
    program = shutil.which("buildah") or ""
    reason = absence(wanted, buildah=program)
    if reason:
        return Engine(absent=reason)
    argv = (program, "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "overlay")
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"], "BUILDAH_ISOLATION": "oci", "TMPDIR": str(folder)}
    if runc := shutil.which("runc"):  # the default, crun, refuses some control group set-ups
        environment["BUILDAH_RUNTIME"] = runc
    folder.mkdir()
    return Engine(command=argv, environment=tuple(environment.items()))


def absence(wanted: bool, **programs: str | None) -> str:
    """Why an engine cannot be had; empty when it can."""
    missing = [name for name, path in programs.items() if not path]
    if not wanted:
        return "not asked for"
    if missing:
        return f"{missing[0]} is not installed"
    return "" if os.geteuid() == 0 else "it needs root"


def command(engine: Engine, *arguments: str) -> str:
    """Runs the engine outside of any measurement; what it said. CalledProcessError."""
    done = subprocess.run(
        (*engine.command, *arguments), env=dict(engine.environment), check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def wait(process: subprocess.Popen[bytes], log: Path, answers: object) -> None:
    """Until `answers()` raises nothing; ServiceError after 30 seconds or when the process ends."""
    assert callable(answers)
    for _ in range(300):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            answers()
            return
        time.sleep(0.1)
    raise ServiceError(f"{process.args!r} did not start: {log.read_text(errors='replace')[-1000:]}")


def unmount(folder: Path) -> None:
    """Whatever engines left mounted under `folder`, innermost first."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for mount in sorted((one for one in mounts if one.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "-l", mount], check=False)
