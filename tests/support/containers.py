"""Images at work. An image in, what its application answered and what the kernel said of it out; starts containers as root."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support import run_hardened
from tests.support.tools import need
from wherry.model.image import StoredImage
from wherry.oci.layer import Packed
from wherry.oci.unpack import extract

PATIENCE = 60.0


def hardened(
    runtime: str, image: str, *words: str, port: int, path: str = "/", environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """One run by run_hardened: its rows by name, and what else it said under an empty name."""
    need(runtime)
    done = subprocess.run(
        [sys.executable, "-P", str(run_hardened.__file__), runtime, image, "--port", str(port), "--get", path, *words],
        env={**os.environ, **(environment or {})}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    rows = dict(re.findall(r"^  (\w+) +(.*)$", done.stdout, re.MULTILINE))
    return {**rows, "": done.stdout + done.stderr, "status": str(done.returncode)}


def once_under_runc(image: str) -> str:
    """What a program says that ends by itself."""
    need("runc")
    with tempfile.TemporaryDirectory(prefix="wherry-once-") as folder:
        container = run_hardened.Runc(image, Path(folder), [])
        container.start()
        assert container.process is not None
        assert container.process.wait(PATIENCE) == 0
        return (Path(folder) / "log").read_text().strip()


def check_hardened(rows: Mapping[str, str], path: str = "/") -> None:
    """The application answered 2xx as 65532 on a read-only root, without any capability."""
    assert rows.get("answer", "").startswith(f"GET {path} 2"), rows[""]
    assert rows["user"] == "uid 65532, gid 65532"
    assert rows["root"] == "read-only"
    assert rows["caps"] == "none, and none to be had"
    assert rows["setuid"] == "cannot gain privileges"
    assert "SIGTERM" in rows["stop"]


class Engine:
    """`docker` or `podman` with the variables of a test's own daemon or storage."""

    def __init__(self, program: str, variables: Mapping[str, str]) -> None:
        need(program)
        self.program, self.variables = program, {**os.environ, **variables}

    def __call__(self, *words: str) -> str:
        done = subprocess.run(
            [self.program, *words], env=self.variables, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def failure(self, *words: str) -> str:
        """What it says when it fails; empty where it does not."""
        done = subprocess.run(
            [self.program, *words], env=self.variables, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr if done.returncode else ""

    @contextlib.contextmanager
    def running(self, image: str, *flags: str, words: tuple[str, ...] = ()) -> Iterator[str]:
        """A container's id; it has a loopback of its own and no other network. `words` are for the image."""
        name = self("run", "--detach", "--network=none", *flags, image, *words)
        try:
            yield name
        finally:
            self("rm", "--force", name)

    def get(self, container: str, port: int, path: str) -> tuple[int, str]:
        """Status and body of the application's first answer."""
        return get(int(self("inspect", "--format={{.State.Pid}}", container)), port, path)


def get(pid: int, port: int, path: str) -> tuple[int, str]:
    """Status and body of the first answer in the network of process `pid`."""
    answers: list[tuple[int, str]] = [(0, "")]

    def ask() -> None:
        end = time.monotonic() + PATIENCE
        while answers[-1][0] == 0 and time.monotonic() < end:
            answers.append(run_hardened.get(port, path))
            time.sleep(0.02)

    run_hardened.in_network_of(pid, ask)
    return answers[-1]


def unpacked(image: StoredImage, layout: Path, root: Path) -> Path:
    """The image's files below `root`, with their owners."""
    root.mkdir(parents=True)
    layers = [(layout / "blobs" / layer.digest.path, layer) for layer in image.layers]
    extract(
        [Packed(file=str(file), media_type=one.media_type, digest=one.digest) for file, one in layers],
        root,
        owners=True,
    )
    root.chmod(0o755)
    return root


@contextlib.contextmanager
def emulated(root: Path, *words: str) -> Iterator[int]:
    """An arm64 program of `root` under qemu, as 65532 with a network of its own; its process id."""
    need("qemu-aarch64-static", "unshare", "chroot", "ip")
    with subprocess.Popen([*isolated(root), *words], stdin=subprocess.DEVNULL) as child:
        try:
            own, host = Path(f"/proc/{child.pid}/ns/net"), Path("/proc/self/ns/net").readlink()
            end = time.monotonic() + PATIENCE
            while own.readlink() == host and time.monotonic() < end:
                time.sleep(0.01)
            yield child.pid
        finally:
            child.kill()


def isolated(root: Path) -> list[str]:
    """The start of a command line that emulates a program in `root` behind a loopback of its own."""
    emulator = Path(shutil.copy(shutil.which("qemu-aarch64-static") or "", root))
    up = 'ip link set lo up && exec chroot --userspec=65532:65532 "$0" "$@"'
    return ["unshare", "--net", "sh", "-c", up, str(root), f"/{emulator.name}"]
