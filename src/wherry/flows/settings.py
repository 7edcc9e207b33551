"""What the settings say about running: a subject in, `[run]` and `[prove]` as they count for it out; reads wherry.toml."""

from __future__ import annotations

from pathlib import Path

from wherry.analyze.layout import Layout, locate
from wherry.errors import BuildError, UsageError
from wherry.flows import rooms
from wherry.flows.request import BuildRequest
from wherry.flows.subject import Subject
from wherry.kit.files import is_beneath
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.container import Options
from wherry.plan.container.settings import Merged, merged
from wherry.plan.tiers import Effective, effective, known_as

SETTINGS = "wherry.toml"
ELSEWHERE = frozenset(
    f"WHERRY_{one}" for one in ("RUN_DIR", "DATA_DIR", "CACHE_DIR", "CACHE_LIMIT", "OFFLINE", "AUTHFILE")
)
"""Variables of wherry that are no settings."""


class Said(Value, frozen=True, kw_only=True):
    """The settings of one subject; `root` is what their paths are relative to."""

    settings: Effective = Effective()
    root: str = "/"


def said_of(build: BuildRequest, subject: Subject, machine: Machine) -> Said:
    """A package's own settings; for an image those of the repository one stands in, with the `[main.NAME]` that it says it is."""
    if subject.tiers:
        return Said(settings=effective(subject.tiers, subject.names), root=subject.settings_root)
    if _is_silent(build, machine):
        return Said()
    from wherry.flows.tiers import read_tiers

    layout = layout_of(build)
    tiers = read_tiers(build, layout, machine)
    return Said(settings=effective(tiers, known_as(tiers, subject.names)), root=layout.root)


def _is_silent(build: BuildRequest, machine: Machine) -> bool:
    """Whether nobody says anything, so that no repository need be looked at: no file of settings here, above or in the user's
    own folder, no variables, no flags."""
    here = rooms.standing(build)
    files = (Path(machine.environment.config_home, "wherry"), here, *here.parents)
    given = build.assignments or build.spelled or build.settings != BuildRequest().settings
    variables = any(text and name not in ELSEWHERE for name, text in machine.environment.wherry)
    return not given and not variables and not any((one / SETTINGS).exists() for one in files)


def layout_of(build: BuildRequest) -> Layout:
    """The repository one stands in; the folder alone where its go.mod cannot be read, since an image needs none."""
    here = str(rooms.standing(build))
    try:
        return locate(here)
    except BuildError:
        return Layout(root=here, working_directory=here)


def with_settings(options: Options, said: Said) -> Merged:
    """The command line's options over `[run]`. UsageError [bad-setting], [run-refused]."""
    made = merged(options, said.settings, said.root)
    for path in made.inside:
        if not is_beneath(Path(path), Path(said.root)):
            raise UsageError(
                "run-refused",
                "a file of the repository mounts nothing from outside of it, through links neither",
                where=path,
                next=f"-v {path}:...",
            )
    return made
