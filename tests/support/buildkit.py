"""Dockerfiles built by BuildKit in a daemon of its own. A context and words in, the log of the build out; needs root."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import tarfile  # noqa: TID251 - what an engine writes, read by somebody else than wherry
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import servers
from tests.support.containers import Engine
from tests.support.hub import Hub

DEBIAN = "/usr/bin/docker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What a build said."""

    code: int
    text: str

    @property
    def steps(self) -> dict[str, str]:
        """Each step, and how it came out: DONE, CACHED, ERROR."""
        names = dict(re.findall(r"^#(\d+) (\[.+)$", self.text, re.MULTILINE))
        ends = dict(re.findall(r"^#(\d+) (DONE|CACHED|ERROR)", self.text, re.MULTILINE))
        return {name: ends.get(number, "") for number, name in names.items()}


class Builder(Engine):
    """Docker, whose builds reach the hub as if it were the world."""

    def __init__(self, host: str, hub: Hub) -> None:
        super().__init__(client(), {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"})
        self.hub = hub

    def build(self, context: Path, *words: str) -> Log:
        """`docker build WORDS` in `context`, in this machine's network: the daemon has no other."""
        through = ("--network=host", f"--build-arg=HTTPS_PROXY={self.hub.proxy}")
        done = subprocess.run(
            [self.program, "build", *through, *words, "."],
            cwd=context, env=self.variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=1800, check=False,
        )  # fmt: skip
        return Log(code=done.returncode, text=done.stdout)

    def tree(self, image: str) -> dict[str, tarfile.TarInfo]:
        """Every path of a container of the image that was never started."""
        with self._exported(image, "export") as archive:
            return {member.name: member for member in archive}

    def file(self, image: str, path: str) -> bytes:
        """The contents of one file of the image."""
        with self._exported(image, "cp", path) as archive:
            member = archive.next()
            data = member and archive.extractfile(member)
            assert data, path
            return data.read()

    @contextlib.contextmanager
    def _exported(self, image: str, verb: str, path: str = "") -> Iterator[tarfile.TarFile]:
        container = self("create", image, "/none")  # static images have no command
        try:
            words = [container] if verb == "export" else [f"{container}:{path}", "-"]
            done = subprocess.run([self.program, verb, *words], env=self.variables, capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
            with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
                yield archive
        finally:
            self("rm", container)


@contextlib.contextmanager
def builder(hub: Hub) -> Iterator[Builder]:
    """A builder that has nothing yet."""
    with servers.dockerd(storage="overlay2", HTTPS_PROXY=hub.proxy, SSL_CERT_FILE=str(hub.authority)) as host:
        yield Builder(host, hub)


def client() -> str:
    """A docker that can ask for BuildKit: since version 23 that takes a plugin, which not every client has beside it."""
    asking = {**os.environ, "DOCKER_BUILDKIT": "1"}
    for program in filter(None, (shutil.which("docker"), shutil.which(DEBIAN))):
        done = subprocess.run([program, "build", "--help"], env=asking, capture_output=True, text=True, check=False)
        if "--progress" in done.stdout:
            break
    else:
        servers.unavailable("no docker client here that can use BuildKit")
    return program
