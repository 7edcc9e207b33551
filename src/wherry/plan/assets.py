"""Files of the repository that go into the image. Settings in, checked as text; the files themselves are opened by assemble.
Touches nothing."""

from __future__ import annotations

from functools import partial

from wherry.model.plan import Asset, Decision
from wherry.model.settings import AssetSettings
from wherry.plan import paths, writable
from wherry.plan.answer import Answer, Facts, each, refuse
from wherry.plan.tiers import Keys


def decide(facts: Facts, targets: tuple[str, ...]) -> Answer[tuple[Asset, ...]]:
    """The assets in the settings' order. UsageError [path-escape] (A09), [bad-setting]."""
    given = facts.settings.image.assets or ()
    value = each(partial(_asset, facts, targets), given)
    decisions = tuple(_decision(facts, number, one) for number, one in enumerate(value))
    return Answer(value=value, decisions=decisions)


def _asset(facts: Facts, targets: tuple[str, ...], number: int, given: AssetSettings) -> Asset:
    keys: Keys = ("image", "assets", number)
    source = paths.inside(facts.settings, (*keys, "from"), given.source)
    into = paths.in_image(facts.settings, (*keys, "into"), given.into)
    programs = ("/app", *(f"/app/{name}" for name in targets))
    if into == "/app" or any(into == path or into.startswith(f"{path}/") for path in programs[1:]):
        refuse(
            facts.settings,
            (*keys, "into"),
            f"{into} is where the programs are",
            next="a folder of its own, like /srv/static or /app/static",
        )
    bits = 0 if given.mode is None else writable.mode(facts.settings, (*keys, "mode"), given.mode)
    if given.mode is not None and not 0 < bits <= 0o777:
        refuse(facts.settings, (*keys, "mode"), f"{given.mode} are no permission bits of a file", next='mode = "0444"')
    for key, patterns in (("include", given.include), ("exclude", given.exclude)):
        for place, pattern in enumerate(patterns or ()):
            if not pattern.strip() or "\0" in pattern or ".." in pattern.split("/"):
                refuse(
                    facts.settings,
                    (*keys, key, place),
                    f"{pattern[:60]!r} is no pattern",
                    next='for instance "*.html" or "docs/**"',
                )
    said = facts.settings.source(*keys).place
    return Asset(
        source=source, into=into, mode=bits, include=given.include or (), exclude=given.exclude or (), place=said
    )


def _decision(facts: Facts, number: int, asset: Asset) -> Decision:
    source = facts.settings.source("image", "assets", number)
    return Decision(
        name="asset",
        value=f"{asset.source} to {asset.into}",
        reason="as you set it",
        origin=source.origin,
        place=source.place,
    )
