"""Dockerfiles built by BuildKit in a daemon of its own. A context and words in, the log of the build out; needs root.

A new daemon has compiled nothing yet. What an earlier one had compiled is put into its build cache, since Go takes minutes for
its own library otherwise; images and steps are new each time.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import subprocess
import tarfile  # noqa: TID251 - what an engine writes, read by somebody else than wherry
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import servers
from tests.support.containers import Engine
from tests.support.hub import Hub

DEBIAN = "/usr/bin/docker"
CACHE = "--mount=type=cache,target=/root/.cache/go-build"
"""As generated files name Go's build cache: BuildKit tells caches apart by the target."""
PUT = f"RUN {CACHE} --mount=type=bind,target=/kept tar -xmf /kept/compiled.tar -C /root/.cache/go-build\n"
COUNT = f"RUN {CACHE} echo kilobytes $(du -sk /root/.cache/go-build)\n"
COMPILED = "compiled"
"""The folder with what everyday builds have compiled."""
TAKE = f"""RUN {CACHE} tar -cf /compiled.tar -C /root/.cache/go-build .
FROM scratch
COPY --from=0 /compiled.tar /
"""
GROWN = 1.25


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

    def keeps(self, text: str) -> list[str]:
        """Files of the daemon that hold the text: layers, build caches, what it remembers of builds."""
        root = Path(self.variables["DOCKER_HOST"].removeprefix("unix://")).parent / "data"
        command = [
            "grep",
            "--recursive",
            "--files-with-matches",
            "--fixed-strings",
            "--devices=skip",
            "--",
            text,
            str(root),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout.splitlines()

    def put_compiled(self, name: str = COMPILED) -> None:
        """What earlier builders compiled and kept under that name, else what everyday ones did; where there is some."""
        found = next((one for one in (name, COMPILED) if self._kept(one).exists()), "")
        if found:
            self._with_go(PUT, found)

    def keep_compiled(self, name: str = COMPILED) -> None:
        """For the next one, where it is a good deal more than this one was given."""
        said, kept = re.search(r"kilobytes (\d+)", self._with_go(COUNT, name).text), self._kept(name)
        had = kept.stat().st_size if kept.exists() else 0
        if said and int(said[1]) << 10 > GROWN * had:
            with tempfile.TemporaryDirectory(dir=kept.parent) as folder:  # others may read what is there
                self._with_go(TAKE, name, f"--output=type=local,dest={folder}")
                Path(folder, kept.name).rename(kept)

    def _kept(self, name: str) -> Path:
        return self.hub.shelf.folder / name / "compiled.tar"

    def _with_go(self, lines: str, name: str, *words: str) -> Log:
        kept = self._kept(name).parent
        kept.mkdir(exist_ok=True)
        with servers.short_folder() as folder:
            (folder / "Dockerfile").write_text(f"FROM {self.hub.image('golang')}\n{lines}")
            log = self.build(kept, f"--file={folder / 'Dockerfile'}", *words)
        assert log.code == 0, log.text
        return log

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
    """A builder that has no image and no step yet."""
    with servers.dockerd(storage=_storage(), HTTPS_PROXY=hub.proxy, SSL_CERT_FILE=str(hub.authority)) as host:
        yield Builder(host, hub)


def _storage() -> str:
    """vfs copies a whole image at each step, but lies on anything; overlays do not lie on overlays."""
    with servers.short_folder() as folder:
        for name in ("lower", "upper", "work", "merged"):
            (folder / name).mkdir()
        options = f"lowerdir={folder}/lower,upperdir={folder}/upper,workdir={folder}/work"
        command = ["mount", "-t", "overlay", "-o", options, "overlay", str(folder / "merged")]
        done = subprocess.run(command, capture_output=True, check=False)
    return "overlay2" if done.returncode == 0 else "vfs"


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
