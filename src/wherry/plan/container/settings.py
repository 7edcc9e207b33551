"""`[run]` of wherry.toml under the options of a command line. Settings and options in, options out; touches nothing.

The file's author is not the user (A07): what it says may make a container smaller, never let it reach more of this machine. So a
file of the repository publishes on the loopback alone, mounts only what lies in the repository, and has no network of others.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.container import Container, Options
from wherry.model.plan import Decision
from wherry.plan import durations
from wherry.plan.answer import refuse
from wherry.plan.container import limits, ports
from wherry.plan.texts import arguments, pairs
from wherry.plan.tiers import Effective, Keys

LOOPBACK: Final = ("127.", "::1")
#: Keys whose decision is called alike.
_TOLD: Final = ("memory", "cpus", "pids", "network", "publish", "grace")


class Merged(Value, frozen=True, kw_only=True):
    """Options with what the settings say where the command line says nothing."""

    options: Options
    kept: tuple[str, ...] = ()
    """Keys that came from the settings."""
    inside: tuple[str, ...] = ()
    """Folders and files that must lie in the repository, links followed."""


def merged(options: Options, settings: Effective, root: str) -> Merged:
    """`root`: what paths of the settings' files are relative to. UsageError [bad-setting] for a value that means nothing,
    [run-refused] for what a file of the repository may not say."""
    said = settings.run
    values: dict[str, object] = {}
    if said.memory is not None and not options.memory:
        text = said.memory
        values["memory"] = _checked(settings, ("run", "memory"), text, lambda: limits.size_of(text, ""))
    if said.cpus is not None and not options.cpus:
        values["cpus"] = f"{said.cpus:g}"
    numbers = (("pids", said.pids), ("files", said.files))
    values |= {key: number for key, number in numbers if number is not None and getattr(options, key) is None}
    if said.args is not None and not options.arguments:
        values["arguments"] = arguments(settings, ("run", "args"), said.args)
    if said.network is not None and not options.network:
        values["network"] = _network(settings, said.network)
    if said.grace is not None and options.grace is None:
        values["grace"] = _grace(settings, said.grace)
    if said.publish is not None and not options.publish and options.network in ("", "own", "out"):
        values["publish"] = tuple(_publish(settings, number, str(one)) for number, one in enumerate(said.publish))
    kept = tuple(values)
    values["environment"] = (*_environment(settings), *options.environment)
    volumes = tuple(_volume(settings, number, root) for number in range(len(said.volumes or ())))
    values["volumes"] = (*volumes, *options.volumes)
    values["tmpfs"] = (*(said.tmpfs or ()), *options.tmpfs)
    bounded = (one for number, one in enumerate(volumes) if not settings.source("run", "volumes", number).trusted)
    inside = tuple(one.partition(":")[0] for one in bounded)
    return Merged(options=replace(options, **values), kept=kept, inside=inside)


def told(container: Container, made: Merged, settings: Effective) -> Container:
    """The container whose decisions say which of them the settings made."""

    def one(decision: Decision) -> Decision:
        if decision.name not in _TOLD or decision.name not in made.kept:
            return decision
        source = settings.source("run", decision.name)
        return replace(decision, reason="as you set it", origin=source.origin, place=source.place)

    return replace(container, decisions=tuple(map(one, container.decisions)))


def _checked(settings: Effective, keys: Keys, text: str, parse: Callable[[], object]) -> str:
    try:
        parse()
    except UsageError as error:
        refuse(settings, keys, error.message, next=next(iter(error.next), ""))
    return text


def _network(settings: Effective, word: str) -> str:
    if word == "host":
        _only_you(settings, ("run", "network"), "gives no container this machine's network", "--network host")
    return word


def _grace(settings: Effective, text: str) -> float:
    try:
        return durations.seconds(text)
    except ValueError:
        refuse(settings, ("run", "grace"), f"{text[:40]!r} is no duration", next="write it like 30s")


def _publish(settings: Effective, number: int, text: str) -> str:
    keys: Keys = ("run", "publish", number)
    _checked(settings, keys, text, lambda: ports.publish(text))
    if not ports.publish(text).host.startswith(LOOPBACK):
        _only_you(settings, keys, "opens no port to other machines", f"-p {text}")
    return text


def _environment(settings: Effective) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in pairs(settings, ("run", "env"), settings.run.env))


def _volume(settings: Effective, number: int, root: str) -> str:
    """The volume with its source made absolute: the file's folder is where its paths begin."""
    keys: Keys = ("run", "volumes", number)
    text, source = (settings.run.volumes or ())[number], settings.source(*keys)
    path, colon, rest = text.partition(":")
    if not colon or not path:
        refuse(settings, keys, f"{text[:60]!r} is no volume", next="./folder:/path, or :/path:ro")
    if source.trusted:
        return text
    inside = posixpath.normpath(posixpath.join(source.directory, path))
    if path.startswith(("/", "~")) or inside.startswith("../") or inside == "..":
        _only_you(settings, keys, "mounts nothing from outside of the repository", f"-v {text[:60]}")
    return f"{posixpath.join(root, inside)}:{rest}"


def _only_you(settings: Effective, keys: Keys, words: str, step: str) -> None:
    """What a file of the repository may not say; its user may."""
    source = settings.source(*keys)
    if not source.trusted:
        place = f"{source.place}   {source.text}".rstrip() if source.place else ".".join(map(str, keys))
        raise UsageError("run-refused", f"a file of the repository {words}", where=place, next=step)
