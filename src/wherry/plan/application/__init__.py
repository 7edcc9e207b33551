"""A Plan and what else is known in, Applications out: every decision that generated files state. Touches nothing."""

from wherry.plan.application.decide import decide
from wherry.plan.application.facts import Known

__all__ = ["Known", "decide"]
