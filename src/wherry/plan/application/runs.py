"""How an application runs, wherever that is: what every file says of user, ports, limits, health and stopping. Facts in, Runs
out; touches nothing."""

from __future__ import annotations

import math
import posixpath
import re
from functools import partial
from typing import Final

from wherry.errors import UsageError
from wherry.kit.text import numbers as numbers_of
from wherry.model.application import NONROOT_HOME, Backing, BaseKind, Runs
from wherry.model.container import Limits
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Health, WritableDirectory
from wherry.plan import paths
from wherry.plan.answer import Answer, Ledger, refuse, where
from wherry.plan.application import numbers, variables
from wherry.plan.application.facts import Facts
from wherry.plan.application.pins import base_kind
from wherry.plan.application.questions import Questions
from wherry.plan.application.questions import decide as decided
from wherry.plan.container import limits
from wherry.plan.container.environment import SHARE
from wherry.plan.tiers import Keys
from wherry.plan.user import NAMES

DRAIN: Final = 10.0
GRACE: Final = 30.0
"""What Kubernetes waits unless told otherwise, said in every file alike. `wherry run` waits 10 s, as `docker stop` does: somebody
sits before it."""
MARGIN: Final = 5.0
"""Seconds between the end of draining and SIGKILL: closing what is open, writing the last lines."""
CPU_REQUEST: Final = 0.1
KNOWS_LIMIT: Final = (1, 25)
"""Since this `go` line Go reads the processors' limit itself (go1.25 notes)."""
SHELLS: Final = frozenset(("sh", "bash", "ash", "dash", "busybox", "curl", "wget"))
AT_HOME: Final[tuple[BaseKind, ...]] = ("static", "distroless")
"""Bases with a home of nonroot."""
BARE: Final = ("static", "scratch", "distroless")
MEMORY_UNITS: Final = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
SECRETS: Final = "/run/secrets/"
_SECRET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", re.ASCII)


def decide(facts: Facts, ledger: Ledger) -> Runs:
    """All of it; mistakes go into `ledger`."""
    image, said = facts.image, facts.settings
    user, _, group = image.user.partition(":")
    limited = ledger.ask(partial(_limits, facts), Limits())
    drain = ledger.ask(partial(_drain, facts), DRAIN)
    environment = dict(image.environment)
    read = _named(facts, "environment", "postgres-url", "redis-url", "redis-address")
    soft = ledger.ask(partial(_go_memory, facts, limited, environment), 0)
    if not image.ports and said.image.ports is None:
        ledger.findings.append(_no_port(facts))
    if image.health and image.health.command:
        ledger.ask(partial(_no_shell, facts, image.health), None)
    ledger.findings += (*_strange_route(facts), *_strange_port(facts))
    questions = ledger.ask(partial(decided, facts), Questions())
    return Runs(
        user=int(user),
        group=int(group or user),
        ports=_ports(facts, questions.asked),
        unordered=_unordered(facts),
        limits=limited,
        memory_request=ledger.ask(partial(_memory_request, facts, limited), 0),
        cpu_request=ledger.ask(partial(_cpu_request, facts, limited), 0.0),
        go_memory_limit=soft,
        go_processors=_go_processors(facts, limited, environment),
        health=image.health,
        asked=questions.asked,
        liveness=questions.liveness,
        readiness=questions.readiness,
        tls=_serves_tls(facts),
        grace=ledger.ask(partial(_grace, facts, drain), GRACE),
        drain=drain,
        stop_signal=image.stop_signal,
        environment=image.environment,
        variables=read,
        usual=variables.usual(facts, read),
        debugging=variables.debugging(facts, read),
        secrets=ledger.ask(partial(_secrets, facts), ()),
        writable=image.writable,
        home=_home(facts, int(user)),
        volumes=image.volumes,
        certificates=bool([one for one in facts.inferred("tls") if one.value == "client"]),
        zones=bool(facts.inferred("zones")) and not [one for one in facts.inferred("zones") if one.value == "embedded"],
        children=bool(facts.inferred("children")),
        seccomp=ledger.ask(partial(_seccomp, facts), ""),
        backing=ledger.take(_backing(facts, said.generate.backing)),
    )


def _home(facts: Facts, user: int) -> WritableDirectory | None:
    """Only bases that have the folder: a home that the image lacks is `/` to every runtime."""
    return NONROOT_HOME if user == NAMES["nonroot"] and base_kind(facts) in AT_HOME else None


def _ports(facts: Facts, asked: int) -> tuple[str, ...]:
    """In the settings' order; without one, since sources have none (a port for metrics is often opened before the one that people
    use), the one with routes for people comes first, or where there is not just one, the one that answers what is asked."""
    if facts.settings.image.ports is not None:
        return facts.image.ports
    first = _visited(facts) or f"{asked}/tcp"
    return tuple(sorted(facts.image.ports, key=lambda port: port != first))


def _unordered(facts: Facts) -> bool:
    return facts.settings.image.ports is None and len(facts.image.ports) > 1 and not _visited(facts)


def _visited(facts: Facts) -> str:
    """The one port with routes for people; empty where there is none, or several."""
    found = {f"{one.value}/tcp" for one in facts.inferred("visited-port")}.intersection(facts.image.ports)
    return next(iter(found)) if len(found) == 1 else ""


def _limits(facts: Facts) -> Answer[Limits]:
    run = facts.settings.run
    memory = numbers.memory(facts, ("run", "memory"), run.memory, limits.MEMORY)
    cpus = numbers.cpus(facts, ("run", "cpus"), run.cpus, limits.CPUS)
    return Answer(
        value=Limits(memory=memory, cpus=cpus, pids=run.pids or limits.PIDS, files=run.files or limits.FILES),
        decisions=(
            Decision(name="memory", value=limits.shown(memory), reason="", place=facts.place("run", "memory")),
            Decision(name="cpus", value=f"{cpus:g}", reason="", place=facts.place("run", "cpus")),
        ),
    )


def _memory_request(facts: Facts, limited: Limits) -> Answer[int]:
    keys: Keys = ("generate", "memory-request")
    value = numbers.memory(
        facts, keys, facts.settings.generate.memory_request, max(limited.memory // 2, limits.LEAST_MEMORY)
    )
    if limited.memory and value > limited.memory:
        raise _above(facts, keys, f"a request of {limits.shown(value)}", ("memory", limits.shown(limited.memory)))
    return Answer(value=value)


def _cpu_request(facts: Facts, limited: Limits) -> Answer[float]:
    keys: Keys = ("generate", "cpu-request")
    usual = min(CPU_REQUEST, limited.cpus) if limited.cpus else CPU_REQUEST
    value = numbers.cpus(facts, keys, facts.settings.generate.cpu_request, usual)
    if limited.cpus and value > limited.cpus:
        raise _above(facts, keys, f"a request of {value:g} processors", ("cpus", f"{limited.cpus:g}"))
    return Answer(value=value)


def _go_memory(facts: Facts, limited: Limits, environment: dict[str, str]) -> Answer[int]:
    """GOMEMLIMIT, since Go does not read the limit (golang/go#75164); what the user says must hold."""
    said = environment.get("GOMEMLIMIT", "")
    if not said:
        return Answer(value=int(limited.memory * SHARE))
    keys: Keys = ("image", "env", "GOMEMLIMIT")
    match = re.fullmatch(r"(\d{1,15})([KMGT]iB|B)?", said, re.ASCII)
    if match is None and said != "off":
        refuse(
            facts.settings,
            keys,
            f"Go ends at its start with GOMEMLIMIT={said[:30]}",
            next="like 200MiB, or leave it out",
        )
    if match and limited.memory and int(match[1]) * MEMORY_UNITS[match[2] or ""] >= limited.memory:
        raise _above(facts, keys, f"GOMEMLIMIT={said}", ("memory", limits.shown(limited.memory)))
    return Answer(value=0)


def _above(facts: Facts, keys: Keys, what: str, limit: tuple[str, str]) -> UsageError:
    """`limit`: the key of [run] that sets it, and what it is."""
    key, shown = limit
    limit_place = where(facts.settings.source("run", key), ())
    return UsageError(
        "limits-conflict",
        f"{what} is not below the limit of {shown}",
        where=tuple(filter(None, (where(facts.settings.source(*keys), keys), limit_place))),
        why="the limit would end the program before Go or the cluster could act",
        next=f"lower it, or raise run.{key}",
    )


def _go_processors(facts: Facts, limited: Limits, environment: dict[str, str]) -> int:
    module = next((one for one in facts.known.project.modules if one.path == facts.main.module), None)
    line = numbers_of(module.go) if module else ()
    if "GOMAXPROCS" in environment or not limited.cpus or line >= KNOWS_LIMIT:
        return 0
    return max(1, math.ceil(limited.cpus))


def _drain(facts: Facts) -> Answer[float]:
    found = facts.only("drain")
    usual = float(found.value) if found else DRAIN
    return Answer(value=numbers.seconds(facts, ("generate", "drain"), facts.settings.generate.drain, usual))


def _grace(facts: Facts, drain: float) -> Answer[float]:
    """Not shorter than draining: SIGKILL would cut off what is under way."""
    keys: Keys = ("run", "grace")
    value = numbers.seconds(facts, keys, facts.settings.run.grace, max(GRACE, drain + MARGIN))
    if value < drain:
        source = facts.settings.source(*keys)
        raise UsageError(
            "limits-conflict",
            f"a grace of {value:g} s is shorter than the {drain:g} s that draining may take",
            where=where(source, keys),
            next=f'run.grace = "{drain + MARGIN:g}s", or a shorter generate.drain',
        )
    return Answer(value=value)


def _secrets(facts: Facts) -> Answer[tuple[str, ...]]:
    said = facts.settings.generate.secrets
    for number, name in enumerate(said or ()):
        if not _SECRET.fullmatch(name):
            refuse(
                facts.settings,
                ("generate", "secrets", number),
                f"{name[:60]!r} is no name of a secret",
                next="like db-password",
            )
    if said is not None:
        return Answer(value=tuple(dict.fromkeys(said)))
    found = (one.value.removeprefix(SECRETS) for one in facts.inferred("secret-file"))
    return Answer(value=tuple(sorted(one for one in found if _SECRET.fullmatch(one))))


def _seccomp(facts: Facts) -> Answer[str]:
    said = facts.settings.generate.seccomp
    if said is None:
        return Answer(value="")
    return Answer(value=posixpath.normpath(paths.inside(facts.settings, ("generate", "seccomp"), said)))


def _backing(facts: Facts, said: tuple[str, ...] | None) -> Answer[tuple[Backing, ...]]:
    found = facts.inferred("backing")
    kinds = tuple(dict.fromkeys(one.value for one in found)) if said is None else said
    places = {one.value: one.place for one in reversed(found)}
    made = tuple(
        Backing(
            kind="postgres" if kind == "postgres" else "redis",
            place=places.get(kind),
            urls=_named(facts, f"{kind}-url"),
            addresses=_named(facts, f"{kind}-address"),
        )
        for kind in sorted(set(kinds))
    )
    decisions = tuple(
        Decision(
            name="backing",
            value=one.kind,
            reason="the code imports a client of it" if said is None else "as you set it",
            origin="found" if said is None else "file",
            place=one.place if said is None else facts.place("generate", "backing"),
        )
        for one in made
    )
    return Answer(value=made, decisions=decisions)


def _named(facts: Facts, *kinds: str) -> tuple[str, ...]:
    """Names of variables, sorted, each once."""
    return tuple(sorted({one.value for one in facts.inferred(*kinds)}))


def _serves_tls(facts: Facts) -> bool:
    """TLS and nothing else: with both it is a choice, off by default."""
    return bool([one for one in facts.inferred("tls") if one.value == "server"]) and not facts.inferred("plain-http")


def _no_port(facts: Facts) -> Finding:
    return Finding(
        name="no-port",
        message="no port was found, so files open none and nothing asks whether it is well",
        severity="note",
        subject=facts.image.name,
        next="image.ports = [8080], where it listens on one; [] says that it has none",
    )


def _no_shell(facts: Facts, health: Health) -> Answer[None]:
    """UsageError [shell-probe] for a check by a program that the base does not have."""
    name = posixpath.basename(health.command[0])
    base = facts.settings.image.base or "static"
    if name in SHELLS and base in BARE:
        keys: Keys = ("image", "health", "command")
        raise UsageError(
            "shell-probe",
            f"the health check starts {name}, and the base {base} has none",
            where=where(facts.settings.source(*keys), keys),
            why="such a container would never be healthy",
            next='image.health = { path = "/healthz", port = 8080 }, or a subcommand of your program',
        )
    return Answer(value=None)


def _strange_port(facts: Facts) -> tuple[Finding, ...]:
    """A warning where the settings name a port, and the sources surely another."""
    found = tuple(f"{one.value}/tcp" for one in facts.inferred("port") if one.certainty == "found")
    if facts.settings.image.ports is None or not found or set(found) & set(facts.image.ports):
        return ()
    return (
        Finding(
            name="port-differs",
            message=f"the settings say port {', '.join(facts.image.ports) or 'none'}, and the sources show {', '.join(found)}",
            subject=facts.image.name,
            place=facts.place("image", "ports"),
            next="correct image.ports, or leave it out",
        ),
    )


def _strange_route(facts: Facts) -> tuple[Finding, ...]:
    """A warning where the check asks for a path that the sources do not serve, though they serve others."""
    health, known = facts.image.health, facts.inferred("health-route", "readiness-route")
    if health is None or not health.path or not known or health.path in {one.value for one in known}:
        return ()
    return (
        Finding(
            name="health-route",
            message=f"the health check asks for {health.path}, and the sources show {', '.join(one.value for one in known)}",
            subject=facts.image.name,
            place=facts.place("image", "health", "path") or known[0].place,
            next=f'image.health.path = "{known[0].value}"',
        ),
    )
