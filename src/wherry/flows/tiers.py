"""All that is said of a build besides its sources: a request in, tiers of settings out; reads wherry.toml."""

from __future__ import annotations

from pathlib import Path

from wherry.analyze.layout import Layout
from wherry.flows import rooms
from wherry.flows.request import BuildRequest
from wherry.kit.ports import Machine
from wherry.plan import read, variables
from wherry.plan.tiers import Tier


def read_tiers(request: BuildRequest, layout: Layout, machine: Machine) -> tuple[Tier, ...]:
    """All settings, lowest first: the user's own file, wherry.toml, WHERRY_ variables, --set, flags."""
    user_file = Path(machine.environment.config_home, "wherry", read.NAME)
    return (
        *read.read_tiers(Path(layout.root), rooms.standing(request), user_file),
        variables.from_environment(machine.environment.wherry),
        variables.from_assignments(request.assignments),
        Tier(
            origin="flag", settings=request.settings, places=tuple((keys, None, text) for keys, text in request.spelled)
        ),
    )
