"""Profile-guided optimisation. Settings in, the flag out; touches nothing."""

from __future__ import annotations

from wherry.model.plan import Decision
from wherry.plan import paths
from wherry.plan.answer import Answer, Facts, because


def decide(facts: Facts) -> Answer[tuple[str, ...]]:
    """No flag for `auto`, which is Go's own default; `-pgo=off`, or the profile's absolute path. UsageError [path-escape]."""
    chosen = facts.settings.build.pgo or "auto"
    if chosen == "auto":
        return Answer(value=())
    source = facts.settings.source("build", "pgo")
    reason, origin = because(source, "")
    decision = Decision(name="pgo", value=chosen, reason=reason, origin=origin, place=source.place)
    if chosen == "off":
        return Answer(value=("-pgo=off",), decisions=(decision,))
    path = paths.inside(facts.settings, ("build", "pgo"), chosen)
    return Answer(value=(f"-pgo={facts.inputs.project.root}/{path}",), decisions=(decision,))
