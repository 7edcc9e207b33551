"""How a container starts and stops: variables, entrypoint, arguments, folder, volumes, stop signal. Touches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from wherry.model.finding import Finding
from wherry.model.plan import Decision, Pairs
from wherry.plan import paths, template
from wherry.plan.answer import Answer, Facts, each, refuse
from wherry.plan.name import app_path
from wherry.plan.texts import arguments, pairs
from wherry.plan.tiers import Keys

#: Signals that a program can handle (signal(7)); KILL and STOP it cannot.
SIGNALS: Final = (
    *(
        "HUP",
        "INT",
        "QUIT",
        "ILL",
        "TRAP",
        "ABRT",
        "BUS",
        "FPE",
        "USR1",
        "SEGV",
        "USR2",
        "PIPE",
        "ALRM",
        "TERM",
        "STKFLT",
    ),
    *("CHLD", "CONT", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"),
)
GIN: Final = "GIN_MODE"
HIDING: Final = ("/", "/app")
"""Where programs lie."""
_SECRET: Final = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:$|_(?!FILE$|PATH$|DIR$|URL$|NAME$))",
    re.IGNORECASE,
)


def environment(facts: Facts, name: str) -> Answer[Pairs]:
    """The container's variables, sorted: those of the settings, and GIN_MODE for a program with gin, unless they say it; a
    warning for those that look like secrets. UsageError [bad-setting], [bad-template]."""
    given = pairs(facts.settings, ("image", "env"), facts.settings.image.env)
    slots = template.slots(facts, name=name)
    filled = tuple((key, template.expand(value, slots, _origin(facts, "image", "env", key))) for key, value in given)
    secret = tuple(key for key, value in filled if value and _SECRET.search(key))
    own = _released(facts, dict(filled))
    decisions = own.decisions
    if filled:
        source = facts.settings.source("image", "env")
        shown = ", ".join(key for key, _ in filled)
        said = Decision(
            name="environment", value=shown, reason="as you set it", origin=source.origin, place=source.place
        )
        decisions = (said, *decisions)
    findings = (_secret(facts, secret),) if secret else ()
    return Answer(value=tuple(sorted((*filled, *own.value))), decisions=decisions, findings=findings)


def _released(facts: Facts, said: Mapping[str, str]) -> Answer[Pairs]:
    """gin starts in debug mode unless it is told otherwise: it lists its routes and warns, in production as well."""
    reads = (
        one for one in facts.main.inferred if (one.kind, one.value, one.certainty) == ("environment", GIN, "found")
    )
    found = next(reads, None)
    if found is None or GIN in said:
        return Answer(value=())
    decision = Decision(
        name="environment",
        value=f"{GIN}=release",
        reason="the code uses gin, which starts in debug mode without it",
        origin="found",
        place=found.place,
    )
    return Answer(value=((GIN, "release"),), decisions=(decision,))


def entrypoint(facts: Facts, targets: tuple[str, ...]) -> Answer[tuple[str, ...]]:
    """The program and its fixed arguments; empty for the main's own binary. UsageError [bad-setting] for a relative path."""
    keys: Keys = ("image", "entrypoint")
    given = facts.settings.image.entrypoint
    if not given:
        return Answer(value=())
    program, *rest = arguments(facts.settings, keys, given)
    path = app_path(program, targets)
    if not path.startswith("/"):
        step = f"one of the image's programs ({', '.join(targets)}), or an absolute path"
        refuse(facts.settings, keys, f"{program[:60]!r} is no program of the image", next=step)
    source = facts.settings.source(*keys)
    value = " ".join((path, *rest))
    decision = Decision(
        name="entrypoint", value=value, reason="as you set it", origin=source.origin, place=source.place
    )
    return Answer(value=(path, *rest), decisions=(decision,))


def args(facts: Facts) -> Answer[tuple[str, ...]]:
    """Arguments that whoever starts the container may replace."""
    keys: Keys = ("image", "args")
    given = facts.settings.image.args
    if not given:
        return Answer(value=())
    value = arguments(facts.settings, keys, given)
    source = facts.settings.source(*keys)
    decision = Decision(
        name="args", value=" ".join(value), reason="as you set it", origin=source.origin, place=source.place
    )
    return Answer(value=value, decisions=(decision,))


def workdir(facts: Facts) -> Answer[str]:
    """The working directory; empty for the base's own, which is `/` in wherry's."""
    keys: Keys = ("image", "workdir")
    given = facts.settings.image.workdir
    if given is None or given == "/":
        return Answer(value=given or "")
    path = paths.in_image(facts.settings, keys, given)
    source = facts.settings.source(*keys)
    decision = Decision(name="workdir", value=path, reason="as you set it", origin=source.origin, place=source.place)
    return Answer(value=path, decisions=(decision,))


def volumes(facts: Facts) -> Answer[tuple[str, ...]]:
    """Directories kept outside the container, each once. UsageError [bad-setting] for one that would hide the programs."""
    value = tuple(dict.fromkeys(each(partial(_volume, facts), facts.settings.image.volumes or ())))
    if not value:
        return Answer(value=())
    source = facts.settings.source("image", "volumes")
    decision = Decision(
        name="volumes", value=", ".join(value), reason="as you set it", origin=source.origin, place=source.place
    )
    return Answer(value=value, decisions=(decision,))


def _volume(facts: Facts, number: int, path: str) -> str:
    keys: Keys = ("image", "volumes", number)
    inside = paths.in_image(facts.settings, keys, path)
    if inside in HIDING:
        refuse(facts.settings, keys, f"a volume at {inside} would hide the image's programs", next="like /data")
    return inside


def stop_signal(facts: Facts) -> Answer[str]:
    """`SIGTERM`, `SIGQUIT` and so on; empty for the engine's default, which is SIGTERM. UsageError [bad-setting]."""
    keys: Keys = ("image", "stop-signal")
    given = facts.settings.image.stop_signal
    if given is None:
        return Answer(value="")
    name = given.upper().removeprefix("SIG")
    if name not in SIGNALS and not re.fullmatch(r"RTM(?:IN\+|AX-)(?:[1-9]|1[0-5])", name, re.ASCII):
        refuse(
            facts.settings,
            keys,
            f"{given[:40]!r} is no signal that a program can handle",
            next="for instance SIGTERM, SIGINT or SIGQUIT",
        )
    source = facts.settings.source(*keys)
    decision = Decision(
        name="stop-signal", value=f"SIG{name}", reason="as you set it", origin=source.origin, place=source.place
    )
    return Answer(value=f"SIG{name}", decisions=(decision,))


def _origin(facts: Facts, *keys: str) -> template.Origin:
    return template.Origin(keys=keys, source=facts.settings.source(*keys))


def _secret(facts: Facts, names: tuple[str, ...]) -> Finding:
    return Finding(
        name="secret-env",
        message=f"{', '.join(names)} would be readable by everybody who has the image",
        subject=facts.subject,
        place=facts.settings.source("image", "env", names[0]).place,
        next="give secrets to the container when it starts, best as files",
    )
