"""How a container runs: an image's config, options and this machine in, a Container with every reason out. Touches nothing."""

from wherry.plan.container.decide import decide
from wherry.plan.container.facts import Facts

__all__ = ["Facts", "decide"]
