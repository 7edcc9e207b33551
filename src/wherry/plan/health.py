"""How the application is asked whether it is well. Settings and sources in, one health entry or none out; touches nothing.

A wrong check restarts a program that works; so without settings there is one only where the sources leave no choice: a route
and a port, one of each.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from wherry.errors import UsageError
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Health
from wherry.model.project import Inferred
from wherry.model.settings import HealthSettings
from wherry.oci.platform import Platform
from wherry.plan import durations, ports
from wherry.plan.answer import Answer, Facts, refuse, where
from wherry.plan.name import app_path
from wherry.plan.texts import arguments
from wherry.plan.tiers import Keys
from wherry.probe.elf import ARCHITECTURES

_KEYS: Final[Keys] = ("image", "health")
#: What the probe can send; braces are a router's pattern, not a path.
_PATH: Final = re.compile(r"/[!-z|~]*", re.ASCII)
LONGEST: Final = 86400.0
#: Key → shortest and longest in seconds. The probe counts its own deadline in 16 bits.
TIMES: Final = {"interval": (1.0, LONGEST), "timeout": (1.0, LONGEST), "start_period": (0.0, LONGEST)}


def decide(facts: Facts, declared: tuple[str, ...], targets: tuple[str, ...]) -> Answer[Health | None]:
    """The entry, from `declared` ports and the names of the image's binaries. UsageError [health-incomplete], [bad-setting]."""
    given = facts.settings.image.health
    source = facts.settings.source(*_KEYS)
    if given is False:
        decision = Decision(
            name="health", value="none", reason="as you set it", origin=source.origin, place=source.place
        )
        return Answer(value=None, decisions=(decision,))
    if isinstance(given, HealthSettings):
        health = _set(facts, given, declared, targets)
        findings = _undeclared(facts, health, declared)
        decision = Decision(
            name="health", value=words(health), reason="as you set it", origin=source.origin, place=source.place
        )
        return Answer(value=health, decisions=(decision,), findings=findings)
    return _inferred(facts, declared, required=given is True)


def words(health: Health) -> str:
    """`GET /healthz every 30 s`."""
    what = " ".join(health.command) if health.command else f"GET {health.path}"
    return f"{what} every {durations.short(health.interval)}"


def unsupported(facts: Facts, health: Health | None, platforms: tuple[Platform, ...]) -> tuple[Finding, ...]:
    """A note for platforms that wherry has no probe for."""
    without = tuple(str(one) for one in platforms if one.architecture not in ARCHITECTURES)
    if not without or health is None or health.command:
        return ()
    message = f"no health check in the image for {', '.join(without)}, for which there is no probe"
    step = "name a command of your own: image.health = { command = [...] }"
    return (Finding(name="health-platform", message=message, severity="note", subject=facts.subject, next=step),)


def _set(facts: Facts, given: HealthSettings, declared: tuple[str, ...], targets: tuple[str, ...]) -> Health:
    interval, timeout, start_period = (_time(facts, key, getattr(given, key)) for key in TIMES)
    usual = Health(interval=interval, timeout=timeout, start_period=start_period)
    retries = 3 if given.retries is None else given.retries
    if not 1 <= retries <= 100:
        refuse(facts.settings, (*_KEYS, "retries"), f"{retries} retries cannot be", next="a number from 1 to 100")
    if given.command is not None:
        if given.path is not None or given.port is not None or not given.command:
            raise _incomplete(facts, "a health check is a command, or a path and a port")
        program, *rest = arguments(facts.settings, (*_KEYS, "command"), given.command)
        path = app_path(program, targets)
        if not path.startswith("/"):
            step = f"one of the image's programs ({', '.join(targets)}), or an absolute path"
            refuse(facts.settings, (*_KEYS, "command"), f"{program[:60]!r} is no program of the image", next=step)
        return msgspec.structs.replace(usual, command=(path, *rest), retries=retries)
    path = _path(facts, given)
    port = _port(facts, given, _asked(facts, declared, path))
    return msgspec.structs.replace(usual, path=path, port=port, retries=retries)


def _path(facts: Facts, given: HealthSettings) -> str:
    if given.path is None:
        routes = _routes(facts)
        if len(routes) != 1:
            raise _incomplete(facts, "the health check has no path, and the sources do not show one")
        return routes[0].value
    if not _PATH.fullmatch(given.path):
        refuse(
            facts.settings, (*_KEYS, "path"), f"{given.path[:60]!r} is no path of a URL", next="write it like /healthz"
        )
    return given.path


def _port(facts: Facts, given: HealthSettings, asked: int) -> int:
    if given.port is not None:
        if not 0 < given.port < 65536:
            refuse(facts.settings, (*_KEYS, "port"), f"{given.port} is no port", next="a number from 1 to 65535")
        return given.port
    if not asked:
        raise _incomplete(
            facts, "the health check has no port, and the image not exactly one that is known to answer it"
        )
    return asked


def _asked(facts: Facts, declared: tuple[str, ...], path: str) -> int:
    """The port that answers `path`; 0: not known."""
    if not any(port.endswith("/tcp") for port in declared) and facts.settings.image.ports is None:
        declared = tuple(f"{one.value}/tcp" for one in ports.known(facts))
    return ports.answering(facts.main.inferred, declared, path)


def _undeclared(facts: Facts, health: Health, declared: tuple[str, ...]) -> tuple[Finding, ...]:
    """A warning where the check asks a port that the image does not declare: most often the application listens elsewhere."""
    if health.command or not declared or f"{health.port}/tcp" in declared:
        return ()
    known = ", ".join(declared)
    place = facts.settings.source(*_KEYS, "port").place
    finding = Finding(
        name="health-port",
        message=f"the health check asks port {health.port}, and the image declares {known}",
        subject=facts.subject,
        place=place,
        next=f"correct image.health.port, or add {health.port} to image.ports",
    )
    return (finding,)


def _time(facts: Facts, key: str, text: str | None) -> float:
    if text is None:
        return float(getattr(Health(), key))
    word = key.replace("_", "-")
    least, most = TIMES[key]
    try:
        value = durations.seconds(text)
    except ValueError:
        refuse(
            facts.settings, (*_KEYS, word), f"{text[:40]!r} is no duration", next="write it like 30s, 1m30s or 500ms"
        )
    if not least <= value <= most:
        refuse(facts.settings, (*_KEYS, word), f"{text} is out of range", next=f"{least:g}s to {most / 3600:g}h")
    return value


def _inferred(facts: Facts, declared: tuple[str, ...], *, required: bool) -> Answer[Health | None]:
    routes = _routes(facts)
    port = _asked(facts, declared, routes[0].value if routes else "")
    seen = {(one.kind, one.value) for one in facts.main.inferred}
    serves_tls = ("tls", "server") in seen and (
        "plain-http",
        "server",
    ) not in seen  # both: TLS is a choice, off by default
    if len(routes) != 1 or not port or serves_tls:
        if required:
            raise _incomplete(facts, "the sources do not show exactly one health route and one port without TLS")
        return Answer(value=None, decisions=_left_out(routes, declared, serves_tls=serves_tls))
    health = Health(path=routes[0].value, port=port)
    place = routes[0].place
    decision = Decision(
        name="health", value=words(health), reason="guess from the sources", origin="guess", place=place
    )
    return Answer(value=health, decisions=(decision,))


def _left_out(routes: tuple[Inferred, ...], declared: tuple[str, ...], *, serves_tls: bool) -> tuple[Decision, ...]:
    """Said only where there is a route: most programs have none, and need no line about it."""
    if not routes:
        return ()
    reason = (
        f"{len(routes)} routes to choose from"
        if len(routes) > 1
        else "the server speaks TLS"
        if serves_tls
        else f"which of {', '.join(declared)} answers it is not known"
        if declared
        else "its port is not known"
    )
    return (Decision(name="health", value="none; image.health says which", reason=reason, place=routes[0].place),)


def _routes(facts: Facts) -> tuple[Inferred, ...]:
    """Health routes, each once; a readiness route only where there is no other: a program that is not ready is not dead."""
    for kind in ("health-route", "readiness-route"):
        found = {
            one.value: one for one in reversed(facts.main.inferred) if one.kind == kind and _PATH.fullmatch(one.value)
        }
        if found:
            return tuple(reversed(found.values()))
    return ()


def _incomplete(facts: Facts, message: str) -> UsageError:
    place = where(facts.settings.source(*_KEYS), _KEYS)
    return UsageError(
        "health-incomplete", message, where=place, next='image.health = { path = "/healthz", port = 8080 }'
    )
