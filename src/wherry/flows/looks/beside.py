"""The test program beside the application: compiled once, mounted in a copy of the container, never in the image. A Scene and
words in, what it said out; runs Go the first time, starts containers.

Its source is in `runtime/inside`. The binary is kept as a blob under a record of source and platform, so that from then on Go
need not be here.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from wherry import runtime
from wherry.cache.records import key as record_key
from wherry.errors import UnavailableError
from wherry.flows import rooms
from wherry.flows.folders import folders_of
from wherry.flows.live import Live, live
from wherry.flows.request import BuildRequest
from wherry.flows.subject import Program, copy_program
from wherry.kit.ports import Machine
from wherry.kit.value import Value, decodable
from wherry.model.container import Container, Limits
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import Platform

if TYPE_CHECKING:
    from wherry.flows.looks.scene import Scene

SOURCES: Final = Path(runtime.__file__).parent / "inside"
IMPORT_PATH: Final = "example.com/wherry/inside"
PATH: Final = "/dev/wherry-inside"
"""In memory that the runtime makes for each container: no root has to have it, and the copy's root is the application's own."""
PATIENCE: Final = 20.0


class _Kept(Value, frozen=True, kw_only=True):
    digest: str
    size: int


class Tester:
    """The test program of one run, for each platform once."""

    def __init__(self, machine: Machine, scratch: str) -> None:
        self.machine, self.scratch = machine, scratch
        self._lock, self._files = threading.Lock(), dict[Platform, str]()

    def program(self, platform: Platform) -> str:
        """Its file, executable by all. The errors of `find_toolchain` and `compile_all` where it has to be compiled."""
        with self._lock:
            if platform not in self._files:
                file = Path(self.scratch, f"inside-{platform.architecture}{platform.variant}")
                copy_program(str(self._kept(platform)), file)
                self._files[platform] = str(file)
            return self._files[platform]

    def _kept(self, platform: Platform) -> Path:
        blobs = rooms.blobs(self.machine, self.scratch, BuildRequest())
        name = record_key("inside", _source(), str(platform))
        known = blobs.records.get(name)
        with contextlib.suppress(msgspec.MsgspecError):
            one = msgspec.json.decode(known or b"", type=decodable(_Kept))
            file = blobs.get(Digest(one.digest), one.size)
            if file:
                return file
        data = compiled(self.machine, self.scratch, platform).read_bytes()
        digest = blobs.add(data)
        blobs.records.put(name, msgspec.json.encode(_Kept(digest=str(digest), size=len(data))))
        return blobs.path(digest)


def compiled(machine: Machine, scratch: str, platform: Platform) -> Path:
    """The test program's file, compiled now."""
    from wherry.compile import Workplace, compile_all
    from wherry.kit.goenv import go_environment
    from wherry.model.plan import Compilation, Target
    from wherry.toolchain import find_toolchain

    toolchain = find_toolchain(machine.environment, which=machine.which, run=machine.run)
    environment = {"CGO_ENABLED": "0", "GOARCH": platform.architecture, "GOOS": platform.os, "GOWORK": "off"}
    one = Compilation(
        platform=platform,
        directory=str(SOURCES),
        targets=(Target(import_path=IMPORT_PATH, name="inside", file="inside"),),
        flags=("-trimpath", "-buildvcs=false", "-ldflags=-s -w"),
        environment=tuple(environment.items()),
    )
    place = Workplace(
        toolchain=toolchain,
        environment=go_environment(machine.environment, toolchain.environment, root=str(SOURCES)),
        kept=folders_of(machine).binaries,
        scratch=scratch,
        reader=scratch,
    )
    (binary,) = compile_all((one,), place, machine.run).binaries
    return Path(binary.file)


@contextlib.contextmanager
def beside(scene: Scene, *words: str, limits: Limits | None = None) -> Iterator[Live]:
    """A copy of the container that runs the test program with these words; all else is as the application has it."""
    made = scene.made
    program = Program(file=scene.tester.program(made.subject.platform), path=PATH)
    subject = replace(made.subject, programs=(*made.subject.programs, program))

    def copy(container: Container) -> Container:
        return replace(
            container,
            arguments=(PATH, *words),
            directory="/",
            health=None,
            init=False,
            limits=limits or container.limits,
        )

    with live(replace(made, subject=subject), scene.machine, copy) as one:
        yield one


def said(one: Live, seconds: float = PATIENCE, meanwhile: Callable[[], object] = lambda: None) -> dict[str, Any]:
    """The document that the test program prints. UnavailableError [test-program] when there is none."""
    found: list[dict[str, Any]] = []

    def heard() -> bool:
        meanwhile()
        for line in one.log.text().splitlines(keepends=True):
            if line.startswith("{") and line.endswith("\n"):
                with contextlib.suppress(msgspec.MsgspecError):
                    found.append(msgspec.json.decode(line.encode()))
        return bool(found)

    # What it said last may come through its pipe after its end.
    if one.until(heard, seconds) or (one.wait(0.0) is not None and _after(heard)):
        return found[-1]
    raise UnavailableError(
        "test-program",
        _why(one.wait(0.0), seconds),
        why=" ".join(one.log.lines(2)),
        next="--relax seccomp shows whether the profile is why",
    )


def _after(heard: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(heard() or pause.wait(0.02) for _ in range(25))


def _why(code: int | None, seconds: float) -> str:
    if code is None:
        return f"the test program said nothing for {seconds:g} s"
    return f"the test program ended with status {code} and said nothing"


def _source() -> str:
    names = sorted(path.name for path in SOURCES.iterdir() if path.suffix in (".go", ".mod"))
    whole = hashlib.sha256()
    for name in names:
        whole.update(f"{name}\0{of_bytes((SOURCES / name).read_bytes())}\0".encode())
    return whole.hexdigest()
