"""One application as generated files see it: every decision that a Dockerfile, compose, Kubernetes, a Makefile or CI states,
made once, so that no two files can disagree. Touches nothing."""

from __future__ import annotations

from typing import Final, Literal

from wherry.kit.value import Value
from wherry.model.container import Limits
from wherry.model.finding import Finding
from wherry.model.place import Place
from wherry.model.plan import Asset, Decision, Health, Pairs, WritableDirectory
from wherry.oci.platform import Platform

Meaning = Literal["version", "revision", "date"]
"""What -X puts into a variable."""
BaseKind = Literal["static", "scratch", "distroless", "alpine", "debian", "own"]
"""What image.base is, as far as files have to know; `own`: only who made it knows what is in it."""


class Stamp(Value, frozen=True, kw_only=True):
    """A string variable of the program that the linker sets (-X), found in the sources."""

    variable: str
    """`main.version`."""
    meaning: Meaning = "version"
    at: int = 0
    """Its place among all words of -ldflags: their order is part of a program's build ID, so of its bytes."""


class Program(Value, frozen=True, kw_only=True):
    """One main of the image."""

    name: str
    """Its file in the image is /app/NAME."""
    package: str
    """As `go build` is told from `Sources.directory`: `.` or `./cmd/api`."""
    import_path: str
    linker_flags: tuple[str, ...] = ()
    """The values of -ldflags as words, without -X of `stamps`."""
    stamps: tuple[Stamp, ...] = ()


class Sources(Value, frozen=True, kw_only=True):
    """What compiling takes. All paths are relative to the repository's root, where a build's context begins."""

    go: str
    """The toolchain's version: 1.26.8."""
    go_line: str = ""
    """The `go` line of the main's go.mod: below 1.25 Go does not know the processors' limit."""
    module: str = ""
    """The module path of the main."""
    module_directory: str = "."
    """The folder of its go.mod."""
    directory: str = "."
    """Where `go build` is started."""
    workspace: str = ""
    """The go.work in use, or empty (then GOWORK=off)."""
    module_files: tuple[str, ...] = ()
    """Each go.mod, go.sum, go.work and go.work.sum that `go mod download` reads; only such as are there."""
    replaced_outside: tuple[str, ...] = ()
    """Folders that go.mod or go.work name outside the repository: no context can hold them."""
    vendored: bool = False
    private: tuple[str, ...] = ()
    """GOPRIVATE patterns: a build needs credentials for them."""
    flags: tuple[str, ...] = ()
    """Of `go build`, in order, without -o, -ldflags and packages; -buildvcs among them."""
    environment: Pairs = ()
    """Go's variables beside GOOS, GOARCH and those that derive from the platform; sorted."""
    cgo: bool = False
    static: bool = True
    """Whether the programs need no C library where they run."""
    stamped: bool = True
    """Whether the commit is in the binary (-buildvcs=true), so .git must be there when it is compiled."""
    tracked: tuple[str, ...] = ()
    """Files that git knows, sorted: an ignore file that hides one of them makes the build +dirty."""
    embeds: tuple[str, ...] = ()
    """Patterns of //go:embed (see Main): nothing may hide what they match, nor what lies in a folder that they match."""


class Pin(Value, frozen=True, kw_only=True):
    """An image that a file stands on, by name and digest."""

    role: str
    """builder, musl-builder, static, dynamic, alpine, debian, postgres, redis; base: image.base, where a registry has it."""
    reference: str
    """With its registry and a tag: `docker.io/library/golang:1.26.8-trixie`."""
    digest: str = ""
    """sha256:... of the index; empty when neither wherry.lock nor a registry said it."""

    def __str__(self) -> str:
        """As Docker users write it."""
        short = self.reference.removeprefix("docker.io/").removeprefix("library/")
        return f"{short}@{self.digest}" if self.digest else short


UNPRIVILEGED: Final = 1024
"""The kernel's net.ipv4.ip_unprivileged_port_start (ip-sysctl.rst)."""
NONROOT_HOME: Final = WritableDirectory(path="/home/nonroot", mode=0o700)
"""Where distroless and images of `wherry build` have the user 65532 at home, as its own."""
PORTS: Final = {"postgres": 5432, "redis": 6379}
"""Where clients of each kind of server ask, unless they are told another port."""


class Backing(Value, frozen=True, kw_only=True):
    """A server that the code talks to, found from its imports or said in wherry.toml."""

    kind: Literal["postgres", "redis"]
    place: Place | None = None
    urls: tuple[str, ...] = ()
    """Variables that the code hands to the client as its URL or DSN, whatever they are called; sorted."""
    addresses: tuple[str, ...] = ()
    """Variables that it hands to the client as host and port."""


class Runs(Value, frozen=True, kw_only=True):
    """How it runs, wherever that is."""

    user: int = 65532
    group: int = 65532
    ports: tuple[str, ...] = ()
    """`8080/tcp`; the first is the one that people ask."""
    unordered: bool = False
    """The sources have several ports, and neither they nor the settings say which of them people ask."""
    limits: Limits = Limits()
    memory_request: int = 0
    """Bytes that Kubernetes keeps for it."""
    cpu_request: float = 0.0
    go_memory_limit: int = 0
    """GOMEMLIMIT in bytes, below the limit; 0 where the image or the settings say it, or nothing is limited."""
    go_processors: int = 0
    """GOMAXPROCS; 0 where Go knows better (1.25 and later read the limit)."""
    health: Health | None = None
    """Liveness: is it alive. None: nothing to ask was found."""
    asked: int = 0
    """The TCP port that `liveness` and `readiness` are asked at; 0: there is nothing to ask, or nobody knows where."""
    liveness: str = ""
    """The path that says whether it is alive, also where `health` is a command; empty: none was found."""
    readiness: str = ""
    """The path that says whether it wants requests; empty: that of `health`."""
    tls: bool = False
    """It serves TLS itself."""
    grace: float = 30.0
    """Seconds from SIGTERM to SIGKILL."""
    drain: float = 0.0
    """Seconds that it may take to answer what is under way after SIGTERM."""
    stop_signal: str = ""
    environment: Pairs = ()
    """Of the image, sorted as there."""
    variables: tuple[str, ...] = ()
    """Names of environment variables that the code, or a library that it imports (GIN_MODE), is known to read."""
    usual: Pairs = ()
    """What files set beside the image, where the code reads it: `LOG_LEVEL`, `info`."""
    debugging: Pairs = ()
    """What files for development set, over the image and `usual`: `GIN_MODE`, `debug`."""
    secrets: tuple[str, ...] = ()
    """Names of files that it reads at /run/secrets/NAME."""
    writable: tuple[WritableDirectory, ...] = ()
    """Folders that the settings give the user: whoever makes the image makes them."""
    home: WritableDirectory | None = None
    """What HOME names, where the base has it as the user's own; None: there is none, or nobody knows of it."""
    volumes: tuple[str, ...] = ()
    certificates: bool = True
    """It speaks TLS to others, so it needs authorities."""
    zones: bool = True
    """It loads time zones."""
    children: bool = False
    """It starts other programs, so something must collect them."""
    seccomp: str = ""
    """Path of a recorded profile, relative to the root; empty: the engine's own."""
    backing: tuple[Backing, ...] = ()

    @property
    def places(self) -> tuple[WritableDirectory, ...]:
        """All folders of the user beside /tmp, each once: where `wherry run` has memory, and every other runtime must, too, or
        the same program fails there on its read-only root."""
        given = {one.path for one in self.writable}
        return (*self.writable, *((self.home,) if self.home and self.home.path not in given else ()))

    @property
    def low_port(self) -> int:
        """The lowest port that only root may listen on unless the kernel is told otherwise; 0: there is none, or it is root."""
        low = [number for number in (int(one.partition("/")[0]) for one in self.ports) if number < UNPRIVILEGED]
        return min(low) if low and self.user else 0


class Application(Value, frozen=True, kw_only=True):
    """The whole: one image, its sources, and how it runs."""

    name: str
    """Of the image, without a registry: `http-api`."""
    image: str
    """Where it is published, without tag and digest: `registry.example.com/team/http-api`; else the name."""
    digest: str = ""
    """Of the published image, where it is known."""
    version: str
    """Of the nearest release, as its tag says; else 0.0.0. Never that of a commit: a file would be stale after each."""
    source: str = ""
    """Web address of the repository; empty when there is none."""
    branch: str = ""
    """The branch that is published, as settings say; empty: whichever is the default where CI runs. No clone in CI knows it."""
    licences: tuple[str, ...] = ()
    home: str = "."
    """Where the files go: the folder of wherry.toml, else of the main's module, relative to the root."""
    base: str = "static"
    """image.base as it was said: a short name, a reference or a place."""
    base_kind: BaseKind = "static"
    certificates: tuple[str, ...] = ()
    """PEM files with more authorities to trust, relative to the repository's root."""
    platforms: tuple[Platform, ...] = ()
    programs: tuple[Program, ...]
    """The first is the entrypoint unless `entrypoint` says more."""
    entrypoint: tuple[str, ...] = ()
    """Whole; empty: the first program."""
    arguments: tuple[str, ...] = ()
    working_directory: str = ""
    """Empty: the base's own, `/` on bases that wherry chose."""
    labels: Pairs = ()
    """Beside the org.opencontainers.image ones."""
    assets: tuple[Asset, ...] = ()
    sources: Sources
    runs: Runs = Runs()
    size_budget: int = 0
    """Most bytes of the unpacked image; 0: no budget."""
    pins: tuple[Pin, ...] = ()
    replicas: int = 2
    most_replicas: int = 10
    namespace: str = ""
    host: str = ""
    """The public name, for Ingress and Gateway; empty: none is asked for."""
    gateway: str = ""
    """The Gateway that its HTTP routes attach to: `NAME` or `NAMESPACE/NAME`."""
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """The whole entrypoint in exec form."""
        return self.entrypoint or (f"/app/{self.programs[0].name}",)

    @property
    def scratches(self) -> tuple[WritableDirectory, ...]:
        """`runs.places` without a home that the image has files in: where nothing copies them, an empty folder hides them."""
        home = self.runs.home
        filled = home and any(f"{one.into.rstrip('/')}/".startswith(f"{home.path}/") for one in self.assets)
        return tuple(one for one in self.runs.places if one != home or not filled)

    @property
    def port(self) -> int:
        """The port that people ask; 0: it listens nowhere."""
        return next((int(one.removesuffix("/tcp")) for one in self.runs.ports if one.endswith("/tcp")), 0)

    def pin(self, role: str) -> Pin:
        """The image of that role. KeyError: plan/application.py has forgotten one."""
        found = next((one for one in self.pins if one.role == role), None)
        if found is None:
            raise KeyError(role)
        return found

    @property
    def own_base(self) -> Pin | None:
        """image.base, where it is a registry's image."""
        return next((one for one in self.pins if one.role == "base"), None)
