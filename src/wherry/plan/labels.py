"""Labels and annotations: what the image says of itself (image-spec, annotations.md). Settings and facts in, sorted pairs out;
touches nothing.

A base's are never inherited: they speak of the base. The base's digest is added by assemble, which knows it.
"""

from __future__ import annotations

from typing import Final, Literal

from wherry.model.plan import Decision, Pairs
from wherry.model.settings import Text
from wherry.plan import created, template
from wherry.plan.answer import Answer, Facts
from wherry.plan.texts import LABEL, pairs
from wherry.plan.tiers import Keys

PREFIX: Final = "org.opencontainers.image."


def decide(facts: Facts, name: str, base: str) -> Answer[Pairs]:
    """The config's labels: the standard ones, then the settings'. An empty text removes one. UsageError [bad-setting]."""
    return _with_own(facts, name, "labels", (*standard(facts, name), *_base(base)))


def decide_annotations(facts: Facts, name: str) -> Answer[Pairs]:
    """The manifest's and index's annotations, likewise."""
    return _with_own(facts, name, "annotations", standard(facts, name))


def standard(facts: Facts, name: str) -> Pairs:
    """What is known of title, version, source, revision, licence and time; nothing that is not known."""
    project = facts.inputs.project
    vcs = project.vcs
    known = (
        ("created", created.rfc3339(facts.created) if facts.created else ""),
        ("licenses", project.licences[0] if len(project.licences) == 1 else ""),
        ("revision", vcs.revision if vcs else ""),
        ("source", vcs.source if vcs else ""),
        ("title", name.rpartition("/")[2]),
        ("version", facts.version),
    )
    return tuple((PREFIX + key, value) for key, value in known if value)


def _base(base: str) -> Pairs:
    name = base.removeprefix("docker://")
    return ((PREFIX + "base.name", name),) if name != base else ()


def _with_own(facts: Facts, name: str, key: Literal["labels", "annotations"], standard: Pairs) -> Answer[Pairs]:
    keys: Keys = ("image", key)
    given: dict[str, Text] | None = facts.settings.image.labels if key == "labels" else facts.settings.image.annotations
    slots = template.slots(facts, name=name)
    own = tuple(
        (one, _filled(facts, (*keys, one), value, slots)) for one, value in pairs(facts.settings, keys, given, LABEL)
    )
    value = tuple(sorted((one, text) for one, text in {**dict(standard), **dict(own)}.items() if text))
    if not own:
        return Answer(value=value)
    source = facts.settings.source(*keys)
    shown = ", ".join(one for one, _ in own)
    decision = Decision(
        name="labels", value=shown, reason=f"{key}, as you set them", origin=source.origin, place=source.place
    )
    return Answer(value=value, decisions=(decision,))


def _filled(facts: Facts, keys: Keys, text: str, slots: template.Slots) -> str:
    return template.expand(text, slots, template.Origin(keys=keys, source=facts.settings.source(*keys)))
