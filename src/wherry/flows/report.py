"""What a build has to tell, as values: for the command line, for `--json`, for `import wherry`. Touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.binary import Compiled
from wherry.model.finding import Finding
from wherry.model.image import Built, Published
from wherry.model.plan import ImagePlan, Plan
from wherry.oci.digest import Digest


class Timing(Value, frozen=True, kw_only=True):
    """Wall-clock seconds of one phase: analyze, plan, compile, pack, store."""

    phase: str
    seconds: float


class ImageReport(Value, frozen=True, kw_only=True):
    """One image: its plan, what was built, and where it now lies."""

    plan: ImagePlan
    built: Built
    bases: tuple[str, ...] = ()
    """What the base holds, in words, for each platform."""
    base: Digest | None = None
    """What the base's name meant; None for static and scratch."""
    published: tuple[Published, ...] = ()


class BuildReport(Value, frozen=True, kw_only=True):
    """One run of `wherry build`."""

    plan: Plan
    images: tuple[ImageReport, ...]
    compiled: Compiled
    timings: tuple[Timing, ...] = ()
    seconds: float = 0.0
    findings: tuple[Finding, ...] = ()
    forgotten: str = ""
    """Why the next equal build cannot be answered by looking; empty when it can."""
    placed: str = ""
    """Why the images lie where they lie, in a sentence; empty when the user said where."""

    runs: bool = False
    """Whether this machine has a program that runs containers."""

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """Those of the plan, of each image's plan, and of publishing; each once."""
        own = (one for image in self.plan.images for one in image.findings)
        return tuple(dict.fromkeys((*self.plan.findings, *own, *self.findings)))
