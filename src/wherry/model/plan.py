"""Every decision about a build, made before anything runs (rule 3). Touches nothing."""

from __future__ import annotations

import math
import posixpath
from collections.abc import Iterable
from typing import Final, Literal

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.place import Place
from wherry.model.project import LeftOut
from wherry.model.toolchain import Toolchain
from wherry.oci.platform import Platform

Origin = Literal["default", "file", "environment", "flag", "found", "guess"]
"""default: wherry's own choice; file: wherry.toml; found: read in the sources or the repository; guess: inferred from them."""

Pairs = tuple[tuple[str, str], ...]


class Decision(Value, frozen=True, kw_only=True):
    """One thing decided: what, the value in words, why, and where that came from. `name` is known to `wherry explain`."""

    name: str
    value: str
    reason: str
    origin: Origin = "default"
    place: Place | None = None


class Target(Value, frozen=True, kw_only=True):
    """One main inside a compilation. `file` is the name `go build -o DIR/` gives it; `name` is what the image calls it."""

    import_path: str
    name: str
    file: str


class Compilation(Value, frozen=True, kw_only=True):
    """One `go build -o DIRECTORY/ FLAGS PACKAGES`: all mains of one platform that share flags and environment."""

    platform: Platform
    directory: str
    """Absolute working directory."""
    targets: tuple[Target, ...]
    flags: tuple[str, ...] = ()
    """In order, -ldflags with per-package patterns included; without -o and packages."""
    environment: Pairs = ()
    """Go's variables, sorted: GOOS, GOARCH, GOARM..., CGO_ENABLED, GOFLAGS (empty), GOENV=off, GOTOOLCHAIN, GOWORK, CC ...;
    the compile room adds what any child needs (HOME, PATH, GOCACHE, git overrides)."""
    cgo: bool = False


class Asset(Value, frozen=True, kw_only=True):
    """Files of the repository copied into the image."""

    source: str
    """File or folder, relative to the project root."""
    into: str
    """Absolute folder in the image; a source folder's contents go into it, a file lands in it."""
    mode: int = 0
    """Permission bits for files; 0 keeps executable or not as 0555 or 0444."""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    """gitignore-style globs relative to `source`."""
    place: Place | None = None
    """Where the settings say so."""


class WritableDirectory(Value, frozen=True, kw_only=True):
    """An empty directory in the image that the application's user may write to."""

    path: str
    mode: int = 0o755


#: Runtimes mount these; what an image has there is hidden.
MOUNTED: Final = ("/proc", "/sys", "/dev")


def may_be_writable(folder: str) -> bool:
    """Whether a folder of the image, a normal absolute path, can be the user's: not the root, nor what is relied upon."""
    kept = ("/app", *MOUNTED)
    return folder not in ("/", "/etc") and not any(folder == one or folder.startswith(f"{one}/") for one in kept)


def declarable(paths: Iterable[str]) -> tuple[str, ...]:
    """The outermost folders that `[image] writable` can name so that these paths can be written. What lies in / itself stands for
    a folder, since / can never be writable, unless its ending says that it is a file."""
    folders = set()
    for path in paths:
        above = posixpath.dirname(path)
        folders.add(path if above == "/" and not posixpath.splitext(path)[1] else above)
    found = {one for one in folders if may_be_writable(one)}
    return tuple(sorted(one for one in found if not any(one.startswith(f"{other}/") for other in found)))


class Health(Value, frozen=True, kw_only=True):
    """One entry that feeds HEALTHCHECK, compose and Kubernetes probes. Times in seconds."""

    port: int = 0
    path: str = ""
    command: tuple[str, ...] = ()
    """The application's own check; then port and path are empty."""
    interval: float = 30.0
    timeout: float = 3.0
    start_period: float = 5.0
    retries: int = 3

    def words(self, probe: str) -> tuple[str, ...]:
        """What asks, in exec form: its own command, else `probe`, which ends by itself before an engine kills it."""
        return self.command or (probe, str(self.port), self.path or "/", str(max(1, math.ceil(self.timeout) - 1)))


class BaseChoice(Value, frozen=True, kw_only=True):
    """Which base: `static`, `scratch`, or a place (`docker://REF`, `oci:DIR[:TAG]`, `oci-archive:FILE` ...)."""

    name: str
    lock: str = ""
    """What wherry.lock calls it; empty for what cannot be locked."""
    digest: str = ""
    """The index or manifest that it must be, from wherry.lock or the reference itself; empty: what the name means today."""
    certificates: tuple[str, ...] = ()
    """Extra CA files (PEM), relative to the project root, appended to the bundle."""


class Packing(Value, frozen=True, kw_only=True):
    """How layers are packed."""

    format: str = "oci"
    """oci or docker."""
    compression: str = "gzip"
    """gzip, zstd or none."""
    level: int = 0
    """0: the compressor's default of this plan (gzip 1, zstd 3)."""


class ImagePlan(Value, frozen=True, kw_only=True):
    """One image: everything that goes into its layers and config, for each platform alike."""

    name: str
    version: str
    """As a tag, which holds no `+`: 1.4.0-dirty; `latest` when nothing is known."""
    full_version: str
    """As people, labels and Go's own build information have it: 1.4.0+dirty; `latest` when nothing is known."""
    references: tuple[str, ...] = ()
    """Names asked for by -t, expanded."""
    targets: tuple[Target, ...]
    """Binaries in it; the first is the entrypoint unless `entrypoint` says otherwise."""
    platforms: tuple[Platform, ...]
    base: BaseChoice
    user: str = "65532:65532"
    environment: Pairs = ()
    labels: Pairs = ()
    annotations: Pairs = ()
    entrypoint: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    working_directory: str = ""
    ports: tuple[str, ...] = ()
    """`8080/tcp`."""
    volumes: tuple[str, ...] = ()
    stop_signal: str = ""
    writable: tuple[WritableDirectory, ...] = ()
    assets: tuple[Asset, ...] = ()
    health: Health | None = None
    created: int = 0
    """Unix seconds, for config and history."""
    packing: Packing = Packing()
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()


class Hook(Value, frozen=True, kw_only=True):
    """A program the user's wherry.toml wants run before compiling (`go generate ./...`)."""

    argv: tuple[str, ...]
    directory: str


class Plan(Value, frozen=True, kw_only=True):
    """A whole build: what runs, what it makes, and why."""

    root: str
    toolchain: Toolchain
    hooks: tuple[Hook, ...] = ()
    compilations: tuple[Compilation, ...]
    images: tuple[ImagePlan, ...]
    left_out: tuple[LeftOut, ...] = ()
    """Programs that get no image unless named."""
    decisions: tuple[Decision, ...] = ()
    """About the whole: toolchain, flags, GOFLAGS merged, cgo."""
    findings: tuple[Finding, ...] = ()
