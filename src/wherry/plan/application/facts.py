"""What a decision about one application is made from. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.lock import Lock
from wherry.model.place import Place
from wherry.model.plan import ImagePlan, Plan
from wherry.model.project import Holdings, Inferred, Main, Project
from wherry.plan.tiers import Effective, Tier


class Known(Value, frozen=True, kw_only=True):
    """Everything that decisions about all applications depend on."""

    plan: Plan
    project: Project
    holdings: Holdings
    tiers: tuple[Tier, ...] = ()
    lock: Lock | None = None


class Facts(Value, frozen=True, kw_only=True):
    """The same about one image."""

    known: Known
    image: ImagePlan
    main: Main
    settings: Effective

    def inferred(self, *kinds: str) -> tuple[Inferred, ...]:
        """What the sources say of these kinds, each value once, surer ones first."""
        found = (one for one in self.main.inferred if one.kind in kinds)
        unique: dict[tuple[str, str], Inferred] = {}
        for one in sorted(found, key=lambda one: one.certainty != "found"):
            unique.setdefault((one.kind, one.value), one)
        return tuple(unique.values())

    def only(self, kind: str) -> Inferred | None:
        """The one of that kind; None where there are several or none."""
        found = self.inferred(kind)
        return found[0] if len(found) == 1 else None

    def place(self, *keys: str | int) -> Place | None:
        """Where the settings say it."""
        return self.settings.source(*keys).place
