"""Docker Compose and Bake over a daemon of their own. A folder with generated files in, running services out; needs root."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.support import servers
from tests.support.buildkit import Builder
from tests.support.cli import COMMAND, variables
from tests.support.tools import go_tool

APP = Path(__file__).parents[1] / "data/compose-app"
SERVICE = "kept"
PORT = 8091
"""In its sources; `project` writes another one there."""
_COMPOSE = "github.com/docker/compose/v2"
_BUILDX = "github.com/docker/buildx"
PATIENCE = 300.0


def compose_program() -> str:
    """docker-compose; building it the first time takes five minutes."""
    return go_tool(f"{_COMPOSE}@v2.40.3", f"{_COMPOSE}/cmd")


def buildx_program() -> str:
    """docker-buildx; another five."""
    return go_tool(f"{_BUILDX}@v0.29.1", f"{_BUILDX}/cmd/buildx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The application's repository with its generated files, and the engine that they are for."""

    folder: Path
    docker: Builder
    home: Path
    """Of wherry: caches and registries.toml."""
    port: int
    file: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def wherry(self, *words: str) -> str:
        """What a command says on stdout."""
        done = subprocess.run(
            [*COMMAND, *words], cwd=self.folder, env=variables(self.home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def prepare(self) -> None:
        """The commands on top of the file, as its reader would run them."""
        text = (self.folder / self.file).read_text()
        lines = [line.removeprefix("# ") for line in text.partition("\nname:")[0].splitlines()]
        commands = lines[lines.index("Once, in this folder:") + 1 :]
        assert len(commands) >= 3, commands
        subprocess.run(["sh", "-ec", "\n".join(commands)], cwd=self.folder, check=True)

    def command(self, *words: str) -> list[str]:
        """`docker compose WORDS`; builds reach the hub by this machine's network, as the engine has no other."""
        files = ["-f", self.file]
        if "\n    build:\n" in (self.folder / self.file).read_text():
            files += ["-f", str(self._reaching())]
        return [compose_program(), *files, *words]

    def compose(self, *words: str) -> str:
        """What it says; fails when it fails."""
        done = subprocess.run(
            self.command(*words), cwd=self.folder, env=self.docker.variables | self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:]
        return done.stdout

    def _reaching(self) -> Path:
        path = self.home / "reach.json"
        build = {"network": "host", "args": {"HTTPS_PROXY": self.docker.hub.proxy}}
        path.write_text(json.dumps({"services": {SERVICE: {"build": build}}}))
        return path

    def facts(self, service: str = SERVICE) -> dict[str, Any]:
        """What the engine says of the service's container."""
        identity = self.compose("ps", "--all", "--quiet", service).strip()
        (made,) = json.loads(self.docker("inspect", identity))
        assert isinstance(made, dict)
        return made

    def pid(self, service: str = SERVICE) -> int:
        return int(self.facts(service)["State"]["Pid"])

    def ask(self, path: str, method: str = "GET", body: str = "") -> str:
        """The answer on loopback; OSError for none and for an error."""
        data = body.encode() if body else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())

    def becomes(self, wanted: str, path: str) -> float:
        """Waits until it answers that; the seconds that it took."""
        begin, seen = time.monotonic(), ""
        while time.monotonic() < begin + PATIENCE:
            try:
                seen = self.ask(path)
            except OSError as error:
                seen = str(error)
            if seen == wanted:
                return time.monotonic() - begin
            time.sleep(0.1)
        raise AssertionError(f"{path} is {seen!r}, not {wanted!r}")


def project(folder: Path, docker: Builder, port: int, settings: str = "") -> Project:
    """A fresh repository whose application listens on `port`, committed; `settings` are appended to its wherry.toml."""
    shutil.copytree(APP, folder / "app")
    source = folder / "app/main.go"
    source.write_text(source.read_text().replace(f":{PORT}", f":{port}"))
    with (folder / "app/wherry.toml").open("a") as file:
        file.write(settings)
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "one")):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *words], cwd=folder / "app", check=True
        )
    (folder / "home/config/wherry").mkdir(parents=True)
    (folder / "home/config/wherry/registries.toml").write_text(docker.hub.mirrors)
    return Project(folder=folder / "app", docker=docker, home=folder / "home", port=port)


@contextlib.contextmanager
def watched(project: Project) -> Iterator[Path]:
    """`docker compose watch` while the block runs; its output."""
    log = project.folder.parent / "watch.log"
    with log.open("wb") as output:
        child = subprocess.Popen(
            project.command("watch"), cwd=project.folder, env={**os.environ, **project.docker.variables},
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        end = time.monotonic() + 1200
        while "Watch enabled" not in log.read_text():
            assert child.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.2)
        yield log
    finally:
        child.terminate()
        child.wait(60)


def of_file(project: Project, name: str, **environment: str) -> Project:
    """The project with one of its compose files."""
    return replace(project, file=name, environment=environment)


def need_free(*ports: int) -> None:
    """Generated files say the ports that the code says: these must be nobody's."""
    held = [str(port) for port in ports if servers.answers(f"http://127.0.0.1:{port}/")]
    if held:
        servers.unavailable(f"somebody listens on port {', '.join(held)} here")


def pushed(project: Project, registry: str) -> str:
    """The digest of the application's image, built by wherry and pushed there."""
    said = project.wherry("build", ".", "--push", "-t", f"{registry}/team/{SERVICE}:1")
    match = re.search(r"@(sha256:[0-9a-f]{64})$", said)
    assert match, said
    return match[1]
