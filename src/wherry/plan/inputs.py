"""All that a plan is made from, as one value. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.lock import Lock
from wherry.model.plan import Pairs
from wherry.model.project import Project
from wherry.model.toolchain import Toolchain
from wherry.plan.tiers import Tier


class Request(Value, frozen=True, kw_only=True):
    """What only the user may say, by flag or WHERRY_ variable: never a file of the repository (reliability A04-A08)."""

    packages: tuple[str, ...] = ()
    """Words of the command line; empty: what the settings say, else the only main."""
    directory: str = "."
    """Where the user stands, relative to the project root."""
    references: tuple[str, ...] = ()
    """Names asked for by -t, as templates."""
    untrusted: bool = False
    """Somebody else's code: no cgo, no stamping, local toolchain, fixed environment, no hooks."""
    toolchain: str = "local"
    """local; auto lets Go fetch the version that go.mod wants; or a version like go1.26.1."""
    hooks: bool | None = None
    """True runs the hooks of wherry.toml, False leaves them out, None refuses to build while there are any."""
    pass_environment: tuple[str, ...] = ()
    """Names of environment variables that templates may read (A08)."""


class PlanInputs(Value, frozen=True, kw_only=True):
    """Everything that decisions depend on; equal inputs give equal plans."""

    project: Project
    toolchain: Toolchain
    tiers: tuple[Tier, ...] = ()
    """Lowest first."""
    request: Request = Request()
    environment: Pairs = ()
    """Of the process: SOURCE_DATE_EPOCH, and the variables named by `pass_environment`; nothing else is read."""
    programs: Pairs = ()
    """Helper programs found on PATH, name to absolute path: `cc`, `git`."""
    lock: Lock | None = None
    """wherry.lock, if there is one."""
