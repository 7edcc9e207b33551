"""Real servers beside the tests: Debian's docker-registry, dockerd, containerd. Nothing in, running ones out; stopped
by their process.

All they keep lies in a short folder of its own, since the path of a unix socket has at most 107 bytes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.tools import need

PATIENCE = 60.0


@contextlib.contextmanager
def docker_registry(extra: str = "", *, http: str = "", keep: Path | None = None) -> Iterator[str]:
    """`127.0.0.1:PORT` of a docker-registry with an empty folder, or over what is in `keep`; `extra` is appended to its
    configuration, `http` goes into the section of that name."""
    need("docker-registry")
    port = free_port()
    with short_folder() as folder:
        config = folder / "config.yml"
        storage = f"storage: {{filesystem: {{rootdirectory: {keep or folder / 'data'}}}, delete: {{enabled: true}}}}"
        config.write_text(
            f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n{storage}\n"
            f"http: {{addr: '127.0.0.1:{port}'{http and f', {http}'}}}\n{extra}"
        )
        with running(
            ["docker-registry", "serve", str(config)], folder, lambda: answers(f"http://127.0.0.1:{port}/v2/")
        ):
            yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def dockerd(*words: str, storage: str = "vfs", **environment: str) -> Iterator[str]:
    """DOCKER_HOST of a daemon of its own, without network and with the simplest storage; needs root. `words` and `environment`:
    its further flags and variables."""
    need_root()
    with short_folder() as folder, dockerd_in(folder, *words, f"--storage-driver={storage}", **environment) as host:
        yield host


@contextlib.contextmanager
def dockerd_in(folder: Path, *words: str, **environment: str) -> Iterator[str]:
    """The same, all of it in this folder: its process id in `pid`. One after another may use it."""
    need("dockerd", "containerd", "runc")
    address = folder / "docker.sock"
    for left in (
        address,
        folder / "run/containerd/containerd.pid",
    ):  # a killed one's; its process may be there uncollected
        left.unlink(missing_ok=True)
    command = [
        "dockerd",
        "--host",
        f"unix://{address}",
        "--data-root",
        f"{folder}/data",
        "--exec-root",
        f"{folder}/run",
    ]
    command += ["--pidfile", f"{folder}/pid", "--iptables=false", "--ip6tables=false", "--bridge=none", *words]
    with running(command, folder, lambda: listens(address), **environment):
        yield f"unix://{address}"


@contextlib.contextmanager
def containerd() -> Iterator[str]:
    """CONTAINERD_ADDRESS of a daemon of its own; needs root."""
    need("containerd", "ctr")
    need_root()
    with short_folder() as folder:
        config, address = folder / "config.toml", folder / "c.sock"
        config.write_text('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
        command = ["containerd", "--config", str(config), "--address", str(address)]
        command += ["--root", f"{folder}/root", "--state", f"{folder}/state"]
        with running(command, folder, lambda: listens(address)):
            yield str(address)


@contextlib.contextmanager
def podman() -> Iterator[dict[str, str]]:
    """Variables that give podman and skopeo a storage of their own; needs root, as the storage is this machine's otherwise."""
    need("podman")
    need_root()
    with short_folder() as folder:
        storage, containers = folder / "storage.conf", folder / "containers.conf"
        storage.write_text(f'[storage]\ndriver="vfs"\ngraphroot="{folder}/root"\nrunroot="{folder}/run"\n')
        containers.write_text(
            '[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n[engine]\nruntime="runc"\n'
        )
        yield {"CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers)}


@contextlib.contextmanager
def running(command: list[str], folder: Path, ready: Callable[[], bool], **environment: str) -> Iterator[None]:
    """`command` until the block ends; a test that needs it fails in CI, and is skipped elsewhere, when it does not get
    ready."""
    log = folder / "log"
    if shutil.which("setpriv"):  # a killed test run leaves no daemon behind
        command = ["setpriv", "--pdeathsig", "TERM", *command]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, env={**os.environ, **environment}
        )
    try:
        end = time.monotonic() + PATIENCE
        while not ready():
            if server.poll() is not None or time.monotonic() > end:
                unavailable(f"{command} did not start here: {log.read_text()[-1500:]}")
            time.sleep(0.05)
        yield
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def unavailable(reason: str) -> NoReturn:
    """Ends the test: failed where CI=true, skipped with the reason elsewhere."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def need_root() -> None:
    """For daemons that only root may start."""
    if os.geteuid() != 0:
        unavailable("needs root")


def need_no_chroot() -> None:
    """For commands inside containers: in a chroot a runtime starts them in the real root instead (setns(2) leaves the chroot)."""
    if os.environ.get("WHERRY_MOUNTS"):
        pytest.skip("in a chroot no command can be started inside a container")


def need_user_namespaces() -> None:
    """The kernel makes none for who is in a chroot (clone(2), EPERM)."""
    if os.environ.get("WHERRY_MOUNTS"):
        pytest.skip("in a chroot there are no user namespaces")


def need_open(path: Path) -> None:
    """For programs that another user starts: every folder down to `path` must let others in."""
    closed = next((folder for folder in (path, *path.parents) if not folder.stat().st_mode & 0o001), None)
    if closed:
        pytest.skip(f"other users may not enter {closed}")


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder with a short path, gone afterwards with what daemons mounted in it."""
    folder = Path(tempfile.mkdtemp(prefix="wh-", dir="/tmp"))
    try:
        yield folder
    finally:
        for line in reversed(Path("/proc/mounts").read_text().splitlines()):
            if line.split()[1].startswith(f"{folder}/"):
                subprocess.run(["umount", "-l", line.split()[1]], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port of 127.0.0.1 for one server that a test starts later, or for nobody. This process holds it for as long as it lives,
    so that no other worker's server gets it meanwhile: who is given any port gets none that is bound, and a server that sets
    SO_REUSEADDR, as Go's and Python's do, may listen on one that nobody listens on (socket(7))."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
    port = int(one.getsockname()[1])
    one.detach()  # open until this process ends
    return port


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as response:
            return bool(response.status)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
