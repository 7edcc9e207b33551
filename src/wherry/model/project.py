"""What is known of a Go repository from reading it. Touches nothing.

Facts are what files say; guesses (`certainty="guess"`) are inferred, and carry the place they were inferred from.
"""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.place import Place


class Module(Value, frozen=True, kw_only=True):
    """One go.mod. `directory` is relative to the project root ("." for the root itself)."""

    path: str
    directory: str
    go: str = ""
    """The `go` line, for instance 1.26.1; empty when there is none."""
    toolchain: str = ""
    """The `toolchain` line, for instance go1.26.8."""
    local_replaces: tuple[str, ...] = ()
    """Directories that `replace` points to, relative to the project root or absolute when outside."""
    vendored: bool = False


class ModuleVersion(Value, frozen=True, kw_only=True):
    """The version of one module at this commit: nested modules have tags of their own, like `sub/v1.2.3`."""

    module: str
    """Its path."""
    tag: str = ""
    version: str = ""
    """As in `Vcs`."""


class Vcs(Value, frozen=True, kw_only=True):
    """The git state the sources are in, read without running any program the repository chose (A01, A02)."""

    revision: str
    """Full commit hash."""
    tag: str = ""
    """The nearest version tag that belongs to this module (v1.2.3), if any."""
    version: str = ""
    """What `git describe` would say in Go's or semver's words: 1.2.3, 1.2.4-0.20260102030405-abcdef123456, with +dirty if so."""
    modules: tuple[ModuleVersion, ...] = ()
    """The same of each module that mains are in."""
    dirty: bool = False
    changed_files: int = 0
    time: int = 0
    """Commit time, Unix seconds."""
    branch: str = ""
    source: str = ""
    """Web address of the origin remote, without credentials; empty when there is none."""


class Inferred(Value, frozen=True, kw_only=True):
    """One inferred fact about a main. `kind` and `value`: port and loopback-port (a number), listens (nowhere: there is no
    port, and nothing that could have one), health-route and readiness-route (a path), route-port (the port that answers such
    a path: 8080/healthz), visited-port (one that answers paths of another kind, too), tls (client, server), plain-http
    (server), zones (LoadLocation, embedded), graceful-stop (shutdown, signal), users, temp-files and children (a function's
    name), version-variable, revision-variable and date-variable (a full name for -X), drain (seconds that a server's Shutdown
    may take; one for each length), health-command (the word that makes the program ask itself: health, --healthcheck), backing
    (postgres, redis), postgres-url, redis-url and redis-address (a variable that is handed to that server's client), environment
    (a variable's name, at most 64), secret-file (a path directly below /run/secrets)."""

    kind: str
    value: str
    place: Place
    certainty: str = "guess"
    """found (a literal in a call that means exactly this) or guess (one of several, or through a default)."""


class CgoUse(Value, frozen=True, kw_only=True):
    """A package that needs cgo: `import_path` says which, `place` where the main's module imports it, `why` how we know."""

    import_path: str
    place: Place | None = None
    why: str = ""


class Main(Value, frozen=True, kw_only=True):
    """A `package main` worth an image."""

    import_path: str
    name: str
    """What `go build` would call the binary: the last element, without a major version suffix."""
    module: str
    directory: str
    """Relative to the project root; absolute in the module cache when the project came by module path."""
    cgo: tuple[CgoUse, ...] = ()
    embeds: tuple[str, ...] = ()
    """Patterns of //go:embed in the project's own packages, for Go's path.Match, relative to the root, without `all:`; sorted."""
    inferred: tuple[Inferred, ...] = ()


class LeftOut(Value, frozen=True, kw_only=True):
    """A `package main` that gets no image, and why: test, testdata, tool, generator, example, excluded by build tags."""

    directory: str
    reason: str


class Project(Value, frozen=True, kw_only=True):
    """A Go repository, or a module fetched by path and version."""

    root: str
    """Absolute path: the folder of .git, go.work or the outermost go.mod; of `module@version`, the module cache's."""
    working_directory: str
    """Where `go` is to be started from (absolute)."""
    modules: tuple[Module, ...]
    workspace: str = ""
    """Path of go.work relative to root, if one is in use."""
    mains: tuple[Main, ...]
    left_out: tuple[LeftOut, ...] = ()
    vcs: Vcs | None = None
    remote: str = ""
    """`module@version` when the project was named that way; then version comes from here."""
    version: str = ""
    """Version of a remote module, without the v; empty for a local project (see vcs)."""
    licences: tuple[str, ...] = ()
    """SPDX identifiers of the project's own licence files."""
    findings: tuple[Finding, ...] = ()

    def version_of(self, module: str) -> ModuleVersion | None:
        """Tag and version of a module as git knows them; None without git."""
        if self.vcs is None:
            return None
        usual = ModuleVersion(module=module, tag=self.vcs.tag, version=self.vcs.version)
        return next((one for one in self.vcs.modules if one.module == module), usual)


class ModuleFiles(Value, frozen=True, kw_only=True):
    """What `go mod download` reads for the mains of one module: its go.mod and go.sum, those of the folders that it is replaced
    by, of the workspace and its modules. Paths relative to the root, sorted; only files that are there."""

    directory: str
    """The module's."""
    files: tuple[str, ...]
    outside: tuple[str, ...] = ()
    """Folders that one of them names and that lie outside of the root."""


class Holdings(Value, frozen=True, kw_only=True):
    """Files of a repository that generated files must neither forget nor hide."""

    modules: tuple[ModuleFiles, ...] = ()
    tracked: tuple[str, ...] = ()
    """What git knows, relative to the root, sorted; empty without git."""

    def of(self, directory: str) -> ModuleFiles:
        """Those of the module in `directory`."""
        return next(
            (one for one in self.modules if one.directory == directory), ModuleFiles(directory=directory, files=())
        )
