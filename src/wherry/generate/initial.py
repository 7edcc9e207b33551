"""The first wherry.toml: what was found, each line with its place, and nothing else. A plan in, a file out; touches nothing."""

from __future__ import annotations

from wherry.formats.toml import Plain, key, quoted, value
from wherry.kit.text import one_line
from wherry.model.application import Application
from wherry.model.file import File
from wherry.model.plan import Decision, Health, ImagePlan

NAME = "wherry.toml"
HEAD = """\
# What `wherry init` found in the sources. A line that you remove is looked for
# again at each build; `wherry plan --why` shows everything that was decided.
"""
LONGEST = 60
"""Of a place beside a value."""

Row = tuple[str, str, str]
"""A key, its value as TOML, and where it was found."""


def settings(images: tuple[tuple[ImagePlan, Application], ...], packages: tuple[str, ...]) -> File:
    """`packages`: what a bare build builds, named only where there is a choice."""
    parts = [HEAD]
    if packages:
        parts.append(f"packages = {value(packages)}\n")
    for image, application in images:
        prefix = f"main.{key(image.targets[0].name)}." if len(images) > 1 else ""
        parts += _table(f"{prefix}image", _image(image, application))
        parts += _table(f"{prefix}generate", _generate(application))
        parts += _table(f"{prefix}prove", _prove(image, application))
    return File(path=NAME, text="\n".join(parts), once=True)


def _table(name: str, rows: tuple[Row, ...]) -> tuple[str, ...]:
    if not rows:
        return ()
    said = tuple((f"{one} = {text}", place) for one, text, place in rows)
    width = max(len(text) for text, _ in said)
    lines = (f"{text.ljust(width)}  # {place}" if place else text for text, place in said)
    return ("\n".join((f"[{name}]", *lines, "")),)


def _image(image: ImagePlan, application: Application) -> tuple[Row, ...]:
    rows: list[Row] = []
    ports: tuple[Plain, ...] = tuple(
        int(one.removesuffix("/tcp")) if one.endswith("/tcp") else one for one in application.runs.ports
    )
    if application.runs.unordered:
        rows.append(("# ports", value(ports), "put the one that people ask first"))
    elif ports:
        rows.append(("ports", value(ports), _place(image.decisions, "port")))
    elif said := next((one for one in image.decisions if one.name == "port"), None):
        rows.append(("ports", value(()), said.reason if said.origin == "found" else ""))
    if image.health and image.health.path:
        rows.append(("health", value(_health(image.health)), _place(image.decisions, "health")))
    return tuple(rows)


def _health(health: Health) -> dict[str, Plain]:
    return {"path": health.path, "port": health.port}


def _generate(application: Application) -> tuple[Row, ...]:
    rows: list[Row] = []
    if application.runs.backing:
        kinds = tuple(one.kind for one in application.runs.backing)
        rows.append(("backing", value(kinds), _place(application.decisions, "backing")))
    return tuple(rows)


def _prove(image: ImagePlan, application: Application) -> tuple[Row, ...]:
    """What was found, and what `wherry prove` cannot see until somebody says more: else a first proof in CI would end with 5.
    Readiness is asked while requests are under way, so it needs the slow route, too, which no source shows."""
    if not application.port:
        return ()
    ready = application.runs.readiness
    names: tuple[Plain, ...] = ("ready", "drain") if image.health else ("health", "ready", "drain")
    rows: tuple[Row, ...] = (("ready-route", quoted(ready), ""),) if ready else ()
    return (*rows, ("unknown", value(names), "until slow-route names a GET that takes a second"))


def _place(decisions: tuple[Decision, ...], name: str) -> str:
    """Where it was found; nothing where the user said so, who knows."""
    found = next(
        (one for one in decisions if one.name == name and one.place and one.origin in ("found", "guess")), None
    )
    return one_line(str(found.place))[:LONGEST] if found else ""
