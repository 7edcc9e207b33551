"""The rivals: what each is called with, in a table. A job in, commands out; what became of it in, its size out.

All get the same flags for Go (`-trimpath -ldflags=-w`, cgo off; ko's own default would strip more), the same base image, the same
modules and a cache of the same warmth; nobody writes an SBOM.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import images
from bench.apps import App, current_edit
from bench.sample import Call
from bench.services import Engine
from bench.workshop import PROJECT, Workshop, wherry_program

GO_BUILD = ("build", "-trimpath", "-buildvcs=true", "-ldflags=-w")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One app to be built by one tool."""

    shop: Workshop
    app: App
    tool: str
    place: Literal["layout", "registry"]

    @property
    def source(self) -> Path:
        return self.shop.source(self.app, self.tool)

    @property
    def out(self) -> Path:
        return self.shop.out(self.app, self.tool)

    @property
    def edit(self) -> str:
        """What the tool's copy of the source says now."""
        return current_edit(self.source, self.app)

    @property
    def repository(self) -> str:
        return f"{self.app.name}-{self.tool}"

    @property
    def reference(self) -> str:
        return f"{self.shop.registry}/{self.repository}:bench"

    @property
    def platforms(self) -> tuple[str, ...]:
        return self.app.platforms or (self.shop.platform,)

    def call(self, *argv: str, **extra: str) -> Call:
        """The command in the tool's copy of the source, with `extra` variables."""
        environment = tuple((self.shop.environment | extra).items())
        return Call(argv=argv, directory=str(self.source), environment=environment)

    def engine_call(self, engine: Engine, *arguments: str) -> Call:
        argv = (*engine.command, *arguments)
        return Call(argv=argv, directory=str(self.source), environment=engine.environment, daemon=engine.daemon)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One row. `engine` is the Workshop's attribute that must be there for it."""

    name: str
    title: str
    calls: Callable[[Job], tuple[Call, ...]]
    look: Callable[[Job], int]
    """The size, once the edit was found in what was made; EditMissingError."""
    engine: str = ""
    edits: bool = True
    """False: it works on what bare go made."""


def go(job: Job) -> tuple[Call, ...]:
    program = job.shop.go
    calls = []
    for platform in job.platforms:
        system, _, architecture = platform.partition("/")
        argv = (program, *GO_BUILD, "-o", f"{job.out}/{architecture}/", *job.app.mains)
        calls.append(job.call(*argv, CGO_ENABLED="0", GOOS=system, GOARCH=architecture))
    return tuple(calls)


def binary(job: Job) -> Path:
    """What bare go made of the job's first main for its first platform."""
    architecture = job.platforms[0].partition("/")[2]
    return job.shop.out(job.app, "go") / architecture / Path(job.app.mains[0]).name


def look_at_binary(job: Job) -> int:
    data = binary(job).read_bytes()
    if job.edit.encode() not in data:
        raise images.EditMissingError(f"the binary does not hold {job.edit}")
    return len(data)


def look_at_image(job: Job) -> int:
    if job.place == "registry":
        return images.pushed_size(job.shop.registry, job.repository, job.edit)
    images.check_layout(job.out, job.edit)
    return 0


def wherry(job: Job) -> tuple[Call, ...]:
    platforms = ("--platform", ",".join(job.app.platforms)) if job.app.platforms else ()
    tag = ":bench" if len(job.app.mains) == 1 else ""
    place = ("-o", f"oci:{job.out}{tag}") if job.place == "layout" else ("--push", "-t", job.reference)
    return (job.call(wherry_program(), "build", *job.app.mains, *platforms, *place),)


def ko(job: Job) -> tuple[Call, ...]:
    return ko_with(job)


def ko_cache(job: Job) -> tuple[Call, ...]:
    return ko_with(job, KOCACHE=str(job.shop.root / "kocache"))


def ko_with(job: Job, **extra: str) -> tuple[Call, ...]:
    """Its base comes by digest from the local registry, which saves it a question."""
    places = {"layout": ("--push=false", f"--oci-layout-path={job.out}"), "registry": ("--bare", "--tags=bench")}
    flags = ("--sbom=none", "--ldflags=-w", "--platform=" + ",".join(job.platforms))
    repository = f"{job.shop.registry}/{job.repository}"
    call = job.call(
        job.shop.ko,
        "build",
        *job.app.mains,
        *flags,
        *places[job.place],
        KO_DOCKER_REPO=repository,
        KO_DEFAULTBASEIMAGE=job.shop.base,
        **extra,
    )
    return (call,)


def docker(job: Job) -> tuple[Call, ...]:
    """`layout` is Docker's own store: its engine cannot write layouts."""
    engine, file = job.shop.docker, job.shop.root / f"{job.app.name}.docker"
    build = job.engine_call(engine, "build", "-q", "--network=none", "-f", str(file), "-t", job.reference, ".")
    push = job.engine_call(engine, "push", "-q", job.reference)
    return (build,) if job.place == "layout" else (build, push)


def buildah(job: Job) -> tuple[Call, ...]:
    """The host's caches are mounted, as `-v`: cache mounts of its version cannot begin with anything."""
    engine, file = job.shop.buildah, job.shop.root / f"{job.app.name}.buildah"
    mounts = ("-v", f"{job.shop.cache}:/cache", "-v", f"{job.shop.root}/modules:/modules")
    flags = ("--layers", "--network=none", "--pull-never", *mounts, "-f", str(file))
    build = job.engine_call(engine, "bud", "-q", *flags, "-t", job.reference, ".")
    place = f"oci:{job.out}:bench" if job.place == "layout" else f"docker://{job.reference}"
    return (build, job.engine_call(engine, "push", "-q", "--tls-verify=false", job.reference, place))


def pack(job: Job) -> tuple[Call, ...]:
    return (alone(job.shop, "pack", str(binary(job)), str(job.out)),)


def send(job: Job) -> tuple[Call, ...]:
    return (alone(job.shop, "send", str(binary(job)), str(job.out), job.shop.registry, job.repository),)


def alone(shop: Workshop, *arguments: str) -> Call:
    """The part of the work that nobody can avoid, which times itself."""
    argv = (sys.executable, "-m", "bench.alone", *arguments)
    return Call(argv=argv, directory=str(PROJECT), environment=tuple(shop.environment.items()), own_clock=True)


def unseen(job: Job) -> int:  # noqa: ARG001 - the table's signature
    return 0


def look_at_docker(job: Job) -> int:
    return look_at_image(job) if job.place == "registry" else 0


TOOLS = (
    Tool(name="go", title="bare `go build`", calls=go, look=look_at_binary),
    Tool(name="pack", title="packing that binary alone", calls=pack, look=unseen, edits=False),
    Tool(name="send", title="packing and sending that binary alone", calls=send, look=unseen, edits=False),
    Tool(name="wherry", title="wherry", calls=wherry, look=look_at_image),
    Tool(name="ko", title="ko", calls=ko, look=look_at_image),
    Tool(name="ko-cache", title="ko with KOCACHE", calls=ko_cache, look=look_at_image),
    Tool(name="docker", title="Docker, BuildKit, cache mounts", calls=docker, look=look_at_docker, engine="docker"),
    Tool(name="buildah", title="buildah, mounted caches", calls=buildah, look=look_at_image, engine="buildah"),
)


def find(name: str) -> Tool:
    return next(tool for tool in TOOLS if tool.name == name)
