"""What `wherry run --print` says, read by a shell. An engine and a text in, a container that it started out; needs root.

Each shell has a network of its own, so that nothing is published beside other tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support import servers
from tests.support.tools import need

PATIENCE = 120.0
ALONE = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Where a text is read: its engine, docker, podman, runc or crun, and the variables that lead to it."""

    engine: str
    variables: Mapping[str, str]

    def pid(self, name: str) -> int:
        """The container's first process; 0 while there is none."""
        words = ["state", name] if self.engine in ("runc", "crun") else ["inspect", "--format={{json .State}}", name]
        done = subprocess.run(
            [self.engine, *words], env={**os.environ, **self.variables}, capture_output=True, text=True, check=False
        )
        state = json.loads(done.stdout) if not done.returncode else {}
        return int(state.get("pid") or state.get("Pid") or 0)


@contextlib.contextmanager
def shell(engine: str) -> Iterator[Shell]:
    """With a daemon or storage of its own where the engine has one."""
    servers.need_root()
    need(engine, "unshare", "ip")
    with contextlib.ExitStack() as held:
        variables: Mapping[str, str] = {}
        if engine == "docker":
            variables = {"DOCKER_HOST": held.enter_context(bridged_dockerd())}
        elif engine == "podman":
            variables = held.enter_context(servers.podman())
            Path(variables["CONTAINERS_CONF"]).parent.chmod(0o755)  # root in a user namespace is another
            storage = Path(
                variables["CONTAINERS_STORAGE_CONF"]
            )  # as on most machines; vfs lets the first range of ids in alone
            storage.write_text(storage.read_text().replace('"vfs"', '"overlay"'))
        yield Shell(engine=engine, variables=variables)


@contextlib.contextmanager
def bridged_dockerd() -> Iterator[str]:
    """DOCKER_HOST of a daemon with Docker's bridge, in a network of its own: what it publishes is on that one's loopback."""
    need("dockerd", "containerd")
    with servers.short_folder() as folder:
        address = folder / "docker.sock"
        command = [*ALONE, "dockerd", "--host", f"unix://{address}", "--data-root", f"{folder}/data"]
        command += ["--exec-root", f"{folder}/run", "--pidfile", f"{folder}/pid", "--storage-driver=vfs"]
        command += ["--iptables=false", "--ip6tables=false"]
        with servers.running(command, folder, lambda: servers.listens(address)):
            yield f"unix://{address}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A container that a printed text started."""

    shell: Shell
    pid: int
    process: subprocess.Popen[bytes]

    @property
    def published_at(self) -> int:
        """A process whose loopback has the published port."""
        if self.shell.engine == "podman":
            return self.process.pid
        if self.shell.engine == "docker":
            address = self.shell.variables["DOCKER_HOST"].removeprefix("unix://")
            return int(Path(address).with_name("pid").read_text())
        return self.pid  # nobody forwards


@contextlib.contextmanager
def read(text: str, where: Shell, name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Started]:
    """A shell in `folder` that reads `text`, until the block ends; the container that it started is called `name`."""
    log = folder.with_suffix(".log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*ALONE, "sh", "-c", text],
            cwd=folder,
            env={**environment, **where.variables, "PATH": os.environ["PATH"]},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        end = time.monotonic() + PATIENCE
        while not (pid := where.pid(name)) and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        assert pid, log.read_text()
        yield Started(shell=where, pid=pid, process=process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while where.pid(name) and time.monotonic() < end:
            time.sleep(0.1)
        process.wait(PATIENCE)
    assert not where.pid(name), "it stops with its shell"
