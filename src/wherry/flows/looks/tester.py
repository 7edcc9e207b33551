"""The test program that proofs mount beside the application: compiled once, never in the image. A platform in, its file out;
runs Go the first time.

Its source is in `runtime/inside`. The binary is kept as a blob under a record of source and platform, so that from then on Go
need not be here.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from pathlib import Path
from typing import Final

import msgspec

from wherry import runtime
from wherry.cache.records import key as record_key
from wherry.flows import rooms
from wherry.flows.folders import folders_of
from wherry.flows.request import BuildRequest
from wherry.flows.subject import copy_program
from wherry.kit.ports import Machine
from wherry.kit.value import Value, decodable
from wherry.oci.digest import Digest, of_bytes
from wherry.oci.platform import Platform

SOURCES: Final = Path(runtime.__file__).parent / "inside"
IMPORT_PATH: Final = "example.com/wherry/inside"


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


def _source() -> str:
    names = sorted(path.name for path in SOURCES.iterdir() if path.suffix in (".go", ".mod"))
    whole = hashlib.sha256()
    for name in names:
        whole.update(f"{name}\0{of_bytes((SOURCES / name).read_bytes())}\0".encode())
    return whole.hexdigest()
