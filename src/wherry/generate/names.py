"""What generated files call one another and what they count on in each other. Applications in, paths and words out; touches
nothing."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.plan import Pairs
from wherry.probe.elf import ARCHITECTURES

Applications = tuple[Application, ...]


class Member(Value, frozen=True, kw_only=True):
    """One application of a file; with others beside it, what is its own carries its name."""

    applications: Applications
    application: Application

    @property
    def alone(self) -> bool:
        return len(self.applications) == 1

    @property
    def first(self) -> bool:
        return self.application is self.applications[0]

    def own(self, name: str) -> str:
        """`build`, or `build-api`."""
        return name if self.alone else f"{name}-{service(self.application)}"


DEV: Final = "dev"
"""The variant with a debugger, and its stage."""
SOURCES: Final = "/src"
"""Where the repository's root lies in a stage that compiles; in `dev` the sources are copied there."""
DEBUGGER: Final = 2345
"""Where Delve listens in the container of `dev`."""
MODULES: Final = "/go/pkg/mod"
COMPILED: Final = "/root/.cache/go-build"
"""GOMODCACHE and GOCACHE of a stage that compiles: caches are mounted there."""
NETRC: Final = "netrc"
"""The build's secret with the credentials of private modules."""
SECRETS: Final = "/run/secrets"
"""Where a container finds its secrets, a file each."""
SCRATCH: Final = 64 << 20
"""Bytes that /tmp, and each directory that need not be kept, may hold where that can be limited."""
PROBE: Final = "/wherry/probe"
"""Wherry's own check in the image, where the application has none."""


def members_of(applications: Applications) -> tuple[Member, ...]:
    """All of them, in their order."""
    return tuple(Member(applications=applications, application=one) for one in applications)


def dockerfile(applications: Applications, application: Application, variant: str) -> str:
    """Path of the Dockerfile relative to the files' home: `Dockerfile`, `dev.Dockerfile`, `NAME.Dockerfile`,
    `NAME.dev.Dockerfile`."""
    own = (service(application),) if len(applications) > 1 else ()
    kind = (DEV,) if variant == DEV else ()
    return ".".join((*own, *kind, "Dockerfile"))


def home(applications: Applications) -> str:
    """The folder of all files, relative to the repository's root."""
    return applications[0].home


def from_root(applications: Applications, path: str) -> str:
    """A path relative to the files' home, as seen from the repository's root, where a build's context begins."""
    return posixpath.normpath(posixpath.join(home(applications), path))


def from_home(applications: Applications, path: str = ".") -> str:
    """A path relative to the repository's root, as seen from the files' home: `.`, `../..`."""
    return posixpath.relpath(posixpath.normpath(path), posixpath.normpath(home(applications)))


def service(application: Application) -> str:
    """The application among others: its name's last part."""
    return application.name.rpartition("/")[2]


def secret_files(application: Application) -> Pairs:
    """Variables that the code reads, that nothing has set, and that say where one of its secrets lies: DATABASE_PASSWORD_FILE
    for the secret `database-password`."""
    runs = application.runs
    files = {f"{variable(name)}_FILE": f"{SECRETS}/{name}" for name in runs.secrets}
    set_already = {name for name, _ in runs.environment}
    return tuple((name, files[name]) for name in runs.variables if name in files and name not in set_already)


def variable(text: str) -> str:
    """`text` as an environment variable: `SHOP_API`."""
    made = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
    return f"_{made}" if made[:1].isdigit() else made


def check(application: Application) -> tuple[str, ...]:
    """What asks whether it is well, in exec form: its own command, else wherry's probe; empty where there is nothing to ask or
    one of the platforms has no probe."""
    health = application.runs.health
    without = any(platform.architecture not in ARCHITECTURES for platform in application.platforms)
    if health is None or (without and not health.command):
        return ()
    return health.words(PROBE)
