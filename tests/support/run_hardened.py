"""An image in, one hardened run of its app out: its answer, what the kernel says of it, its end. Without wherry's own runtime
room: a second opinion on its images.

python tests/support/run_hardened.py runc FOLDER:TAG --port 8080 --get /path     an OCI layout, as root, with no engine
python tests/support/run_hardened.py podman|docker NAME --port 8080 --get /path  an image that the engine has
"""

from __future__ import annotations

import argparse
import ctypes
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from wherry.errors import WherryError
from wherry.oci.config import RunConfig
from wherry.oci.layer import Packed
from wherry.oci.unpack import extract
from wherry.store.layout import Layout
from wherry.store.place import LayoutPlace

MEMORY = 64 << 20
TMPFS = "rw,noexec,nosuid,nodev,size=16m,mode=1777"
SECONDS = 20
CLONE_NEWNET = 0x40000000


class Container(Protocol):
    """One run: `start` gives the app's process id on this host, `stop` its exit status."""

    def start(self) -> int: ...

    def stop(self) -> int: ...


# Running


def bundle(image: RunConfig, writable: list[str]) -> dict[str, Any]:
    """The runtime configuration: read-only but for `writable`, numeric user, nothing that the app could become root with."""
    uid, _, gid = image.user.partition(":")
    if not uid.isdigit() or uid == "0":
        raise SystemExit(f"error: the image's user is {image.user!r}, which is not a number other than root's")
    hidden = ("acpi", "kcore", "keys", "latency_stats", "timer_list", "timer_stats", "sched_debug", "scsi")
    frozen = ("bus", "fs", "irq", "sys", "sysrq-trigger")
    safe = ["nosuid", "noexec", "nodev"]
    own = [*TMPFS.split(",")[1:], f"uid={uid}", f"gid={gid or uid}"]
    return {
        "ociVersion": "1.0.2",
        "hostname": "demo",
        "root": {"path": "rootfs", "readonly": True},
        "process": {
            "args": [*(image.entrypoint or ()), *(image.cmd or ())],
            "env": image.env or (),
            "cwd": image.working_dir or "/",
            "user": {"uid": int(uid), "gid": int(gid or uid)},
            "capabilities": {name: [] for name in ("bounding", "effective", "inheritable", "permitted", "ambient")},
            "noNewPrivileges": True,
            "rlimits": [{"type": "RLIMIT_CORE", "hard": 0, "soft": 0}],
        },
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc", "options": safe},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755", "size=64k"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*safe, "ro"]},
            *(
                {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": own}
                for path in ("/tmp", *writable)
            ),
        ],
        "linux": {
            "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")],
            "resources": {
                "devices": [{"allow": False, "access": "rwm"}],
                "memory": {"limit": MEMORY, "swap": MEMORY},
                "pids": {"limit": 64},
            },
            "maskedPaths": [*(f"/proc/{name}" for name in hidden), "/sys/firmware"],
            "readonlyPaths": [f"/proc/{name}" for name in frozen],
        },
    }


class Runc:
    """Runs an OCI layout's image by runc alone."""

    def __init__(self, reference: str, folder: Path, writable: list[str]) -> None:
        self.writable = writable
        directory, _, tag = reference.rpartition(":")
        self.layout, self.folder, self.name = Layout(LayoutPlace(directory=directory, tag=tag)), folder, folder.name
        self.runc = ["runc", "--root", str(folder / "state")]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> int:
        """Unpacks, and starts the app."""
        machine = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
        image = next(one for one in self.layout.open().images if one.platform.architecture == machine)
        root = self.folder / "rootfs"
        root.mkdir()
        root.chmod(0o755)
        blobs = Path(self.layout.place.directory, "blobs/sha256")
        layers = [(str(blobs / layer.digest.removeprefix("sha256:")), layer) for layer in image.layers]
        packed = [Packed(file=file, media_type=one.media_type, digest=one.digest) for file, one in layers]
        extract(packed, root, owners=True)
        for name in ("proc", "dev", "sys", "tmp"):
            (root / name).mkdir(exist_ok=True)
        configuration = bundle(image.settings.config or RunConfig(), self.writable)
        (self.folder / "config.json").write_text(json.dumps(configuration))
        pid_file = self.folder / "pid"
        command = [*self.runc, "run", "--bundle", str(self.folder), "--pid-file", str(pid_file)]
        # pivot_root needs a mount point below it, which a plain chroot is not.
        if not any(line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines()):
            command.append("--no-pivot")
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen([*command, self.name], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: pid_file.exists() or self.process is None or self.process.poll() is not None)
        if not pid_file.exists():
            raise SystemExit(f"error: runc could not start it\n{(self.folder / 'log').read_text().strip()}")
        return int(pid_file.read_text())

    def stop(self) -> int:
        """SIGTERM, then the app's exit status."""
        assert self.process is not None
        subprocess.run([*self.runc, "kill", self.name, "TERM"], check=False)
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            subprocess.run([*self.runc, "kill", self.name, "KILL"], check=False)
            return self.process.wait(SECONDS)


class Engine:
    """Runs an image that podman or docker has."""

    def __init__(self, engine: str, reference: str, port: int, writable: list[str]) -> None:
        """`port` is published on loopback where this user may not enter the container's network."""
        self.writable = [
            f"--volume={path}" for path in writable
        ]  # made with the owner and mode that the image has there
        self.engine, self.reference, self.name = engine, reference, f"wherry-demo-{os.getpid()}"
        self.network = ["--network=none"] if os.geteuid() == 0 else ["-p", f"127.0.0.1::{port}"]
        self.port = port

    def ask(self, *arguments: str) -> str:
        """What the engine prints; when it fails the run ends with status 4, as the app is not to blame."""
        done = subprocess.run([self.engine, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            subprocess.run([self.engine, "rm", "--force", self.name], capture_output=True, check=False)
            print(f"error: {self.engine} {arguments[0]} failed\n{done.stderr.strip()}", file=sys.stderr)
            raise SystemExit(4)
        return done.stdout.strip()

    def start(self) -> int:
        """Starts the app."""
        flags = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", f"--memory={MEMORY}"]
        flags += ["--pids-limit=64", f"--tmpfs=/tmp:{TMPFS}", f"--name={self.name}", *self.network]
        flags += self.writable
        self.ask("run", "--detach", *flags, self.reference)
        return int(self.ask("inspect", "--format={{.State.Pid}}", self.name))

    def published(self) -> int:
        """The port on this host's loopback."""
        return int(self.ask("port", self.name, str(self.port)).rpartition(":")[2])

    def stop(self) -> int:
        """SIGTERM, then the app's exit status; the container is removed."""
        self.ask("stop", f"--time={SECONDS}", self.name)
        status = int(self.ask("inspect", "--format={{.State.ExitCode}}", self.name))
        self.ask("rm", "--force", "--volumes", self.name)
        return status


# Looking


def wait_for(what: Callable[[], bool]) -> None:
    """Until `what()` holds, or SECONDS are over."""
    end = time.monotonic() + SECONDS
    while not what() and time.monotonic() < end:
        time.sleep(0.002)


def in_network_of(pid: int, work: Callable[[], None]) -> None:
    """Does `work` on a thread that has entered the network namespace of `pid`."""

    def entered() -> None:
        with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        work()

    thread = threading.Thread(target=entered)
    thread.start()
    thread.join()


def get(port: int, path: str) -> tuple[int, str]:
    """Status and first characters of the app's answer; 0 and why, while it does not answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(2000).decode(errors="backslashreplace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)
    finally:
        connection.close()


def answer(container: Container, pid: int, port: int, path: str) -> tuple[int, str]:
    """The app's first answer."""
    answers = [(0, "nothing was asked")]

    def answered() -> bool:
        answers.append(get(port, path))
        return answers[-1][0] != 0

    if isinstance(container, Engine) and os.geteuid() != 0:
        port = container.published()
        wait_for(answered)
    else:
        in_network_of(pid, lambda: wait_for(answered))
    return answers[-1]


def observed(pid: int) -> Iterator[tuple[str, str]]:
    """What the kernel says of the app's process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    yield "user", f"uid {status['Uid'][1]}, gid {status['Gid'][1]}"
    capabilities = {int(status[name][0], 16) for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")}
    yield "caps", "none, and none to be had" if capabilities == {0} else f"CapEff {status['CapEff'][0]}"
    yield "setuid", "cannot gain privileges" if status["NoNewPrivs"] == ["1"] else "may gain privileges"
    mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    options = next((mount[5].split(",") for mount in reversed(mounts) if mount[4] == "/"), ["unknown"])
    yield "root", "read-only" if "ro" in options else "writable"
    yield "network", network(pid)
    yield "memory", f"{status['VmRSS'][0]} kB used, limit {memory_limit(pid)}"


def network(pid: int) -> str:
    """Whether the process has a network of its own, and its devices; needs root."""
    if os.geteuid() != 0:
        return "not looked at, which needs root"
    devices = [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]
    own = Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()
    return f"{'its own' if own else 'the one of this host'}: {', '.join(devices)}"


def memory_limit(pid: int) -> str:
    """The limit of the process's control group, version 1 or 2."""
    for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, group = line.split(":", 2)
        file = "memory/{}/memory.limit_in_bytes" if "memory" in controllers.split(",") else "{}/memory.max"
        path = Path("/sys/fs/cgroup", file.format(group.strip("/")))
        if path.exists():
            text = path.read_text().strip()
            limited = text.isdigit() and int(text) < 1 << 60
            return f"{int(text) >> 10} kB" if limited else "none: this host lets the runtime set none"
    return "not shown by this host"


def show(name: str, text: str) -> None:
    """One aligned line."""
    printable = "".join(character if character.isprintable() else "·" for character in text)
    print(f"  {name:<9} {printable[:68]}", flush=True)


def run(container: Container, arguments: argparse.Namespace) -> int:
    """Starts, asks, looks, stops; 1 when the app did not answer 2xx or did not stop in peace."""
    pid = container.start()
    start = time.monotonic()
    try:
        status, body = answer(container, pid, arguments.port, arguments.get)
        show(
            "answer",
            f"GET {arguments.get} {status or 'failed'}, {(time.monotonic() - start) * 1000:.0f} ms after start",
        )
        show("", " ".join(body.split()))
        for name, text in observed(pid):
            show(name, text)
    finally:
        start = time.monotonic()
        code = container.stop()
    show("stop", f"SIGTERM, exit status {code} after {(time.monotonic() - start) * 1000:.0f} ms")
    return 0 if 200 <= status < 300 and code == 0 else 1


def main() -> int:
    """The arguments, a scratch folder, one run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runtime", choices=("runc", "podman", "docker"))
    parser.add_argument("image")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--get", default="/")
    parser.add_argument(
        "--writable", action="append", default=[], metavar="DIR", help="a directory that the app may write to"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    if arguments.runtime != "runc":
        return run(Engine(arguments.runtime, arguments.image, arguments.port, arguments.writable), arguments)
    with tempfile.TemporaryDirectory(prefix="wherry-demo-") as folder:
        try:
            return run(Runc(arguments.image, Path(folder), arguments.writable), arguments)
        except WherryError as error:
            raise SystemExit(f"error [{error.name}]: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
