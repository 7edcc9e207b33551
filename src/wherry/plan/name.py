"""What images and binaries are called. Touches nothing."""

from __future__ import annotations

import re
import shlex
from typing import Final

from wherry.errors import UsageError
from wherry.model.plan import Decision
from wherry.model.project import Main
from wherry.oci import reference
from wherry.plan import template
from wherry.plan.answer import Answer, Facts, because

_FOREIGN: Final = re.compile(r"[^a-z0-9]+", re.ASCII)
_REPOSITORY: Final = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*", re.ASCII
)


def decide(facts: Facts) -> Answer[str]:
    """The image's name: a legal repository. UsageError [bad-setting] for a name in the settings that is none."""
    own = legal(facts.main.name)
    given, source = facts.settings.image.name, facts.settings.source("image", "name")
    if given is None:
        reason = (
            "name of the program"
            if own == facts.main.name
            else f"{facts.main.name} in the letters that image names may have"
        )
        return Answer(value=own, decisions=(Decision(name="name", value=own, reason=reason[:60]),))
    origin = template.Origin(keys=("image", "name"), source=source)
    name = template.expand(given, template.slots(facts, name=own), origin, clean=legal)
    if not _REPOSITORY.fullmatch(name) or len(name) > 200:
        raise UsageError(
            "bad-setting",
            f"{name[:80]!r} is no image name",
            where=origin.place,
            next="lower-case letters and digits, joined by - _ or ., with / between parts",
        )
    reason, kind = because(source, "")
    return Answer(
        value=name, decisions=(Decision(name="name", value=name, reason=reason, origin=kind, place=source.place),)
    )


def legal(text: str) -> str:
    """`text` as one part of a repository's name: lower case, what is not allowed becomes `-`."""
    if _REPOSITORY.fullmatch(text) and "/" not in text:
        return text
    return _FOREIGN.sub("-", text.lower()).strip("-") or "app"


def references(facts: Facts, name: str) -> Answer[tuple[str, ...]]:
    """The names of -t, filled in and checked. Values become legal where they land; literal text must be legal itself.
    UsageError [bad-reference], [bad-template]."""
    slots = template.slots(facts, name=name)
    expanded = {text: _reference(text, slots) for text in facts.inputs.request.references}
    changed = tuple(one for text, one in expanded.items() if "{" in text)
    decisions = (
        (Decision(name="references", value=", ".join(changed), reason="-t filled in", origin="flag"),)
        if changed
        else ()
    )
    return Answer(value=tuple(dict.fromkeys(expanded.values())), decisions=decisions)


def _reference(text: str, slots: template.Slots) -> str:
    origin = template.Origin(keys=(f"-t {text}",))
    head, slash, tail = text.rpartition("/")
    repository, colon, label = tail.partition(":")
    path = template.expand(head + slash + repository, slots, origin, clean=_path)
    filled = path + colon + template.expand(label, slots, origin, clean=_tag)
    try:
        return str(reference.parse(filled))
    except UsageError as error:
        raise error.at(origin.place) from None


def _path(value: str) -> str:
    return "/".join(legal(part) for part in value.split("/"))


def _tag(value: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", value, flags=re.ASCII)


def check_same(named: tuple[tuple[str, Main], ...]) -> tuple[UsageError, ...]:
    """An error for each image name that two mains would get."""
    folders: dict[str, list[str]] = {}
    for name, main in named:
        folders.setdefault(name, []).append(main.directory)
    return tuple(
        UsageError(
            "same-name",
            f"{len(mains)} programs would become the image {name}",
            where=tuple(f"./{one}" for one in mains),
            next=f'[main."./{mains[-1]}".image] name = "{name}-2" in wherry.toml names one of them',
        )
        for name, mains in folders.items()
        if len(mains) > 1
    )


def check_same_references(images: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[UsageError, ...]:
    """An error for each -t that two images, given as name and references, would get."""
    owners: dict[str, list[str]] = {}
    for image, names in images:
        for one in names:
            owners.setdefault(one, []).append(image)
    return tuple(
        UsageError(
            "same-name",
            f"{len(several)} images would be called {one}",
            where=tuple(several[:4]),
            next=f"wherry build -t {shlex.quote(reference.parse(one).name.rpartition('/')[0] or 'local')}/{{name}}:{{version}}",
        )
        for one, several in owners.items()
        if len(several) > 1
    )


def app_path(word: str, targets: tuple[str, ...]) -> str:
    """The path in the image of a program that settings name: a binary's name alone means the one in /app."""
    return f"/app/{word}" if word in targets else word
