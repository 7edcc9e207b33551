"""How layers and manifests are written. Settings in, one value out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.errors import UsageError
from wherry.kit import compress
from wherry.model.plan import Decision, Packing
from wherry.oci import media
from wherry.plan.answer import Answer, Facts, because, refuse, where

DEFAULTS: Final = {"gzip": 1, "zstd": 3, "none": 0}


def decide(facts: Facts) -> Answer[Packing]:
    """Format, compression and level. UsageError [format-compression] for a pair that is none, [bad-setting] for a level."""
    image = facts.settings.image
    form, method = image.format or "oci", image.compression or "gzip"
    source = facts.settings.source("image", "compression")
    if (form, method) not in media.LAYER:
        raise UsageError(
            "format-compression",
            f"images of format {form} have no layers packed with {method}",
            where=where(source, ("image", "compression")),
            next="use format oci, or compression gzip",
        )
    level = image.level or 0
    if image.level is not None and image.level not in compress.levels(method):
        levels = compress.levels(method)
        step = f"{levels[0]} to {levels[-1]} for {method}" if levels else "leave image.level out"
        refuse(facts.settings, ("image", "level"), f"{method} has no level {image.level}", next=step)
    reason, origin = because(source, "every registry and engine reads it")
    value = f"{form}, {method}" + (f" level {level or DEFAULTS[method]}" if method != "none" else "")
    decision = Decision(name="packing", value=value, reason=reason, origin=origin, place=source.place)
    return Answer(value=Packing(format=form, compression=method, level=level), decisions=(decision,))
