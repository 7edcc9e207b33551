"""A profile as people read it: what was seen, what it allows, how it was proved, what it suggests. Values in, lines out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import msgspec

from wherry.cli.documents import SCHEMA
from wherry.cli.output import Output
from wherry.kit.value import Value

if TYPE_CHECKING:
    from wherry.flows.profile import Profiled
    from wherry.model.profile import Exercised, Profile

MOST = 8
"""Of any list for people; --json has all."""


class Asked(Value, frozen=True, kw_only=True):
    """What the user said, for what is said back."""

    subject: str = ""
    folder: str = "."
    file: str = ""
    """Empty: the profile goes to stdout."""
    as_json: bool = False


def show(made: Profiled, output: Output, asked: Asked) -> int:
    """The report on stderr; on stdout the file's name, the profile, or everything as JSON. The exit status: 1 when the exercise
    failed, since then nothing is proved."""
    profile = made.profile
    output.line(f"{profile.subject} on {profile.engine}, {profile.architecture}")
    output.line()
    output.rows([*_seen(profile), *_allowed(profile), *_proved(profile)])
    for finding in profile.findings:
        output.finding(finding)
    if profile.suggestions:
        output.line()
        output.line("for [image] of wherry.toml, from what was seen:")
        for one in profile.suggestions:
            output.line_as_is(f"    {one.line}")
            output.line(f"        {one.why}")
    output.line(sentence(profile))
    if asked.as_json:
        output.document(document(made))
    elif asked.file:
        output.line("docker and podman:")
        output.line_as_is(f"    --security-opt no-new-privileges --security-opt {shlex.quote(f'seccomp={asked.file}')}")
        output.next(again(asked))
        output.result(asked.file)
    else:
        output.document(made.text)
    return 1 if profile.recorded.failed or profile.proved.failed else 0


def again(asked: Asked) -> str:
    """The command that runs the same under its profile."""
    there = () if asked.folder in ("", ".") else ("-C", asked.folder)
    return shlex.join(("wherry", "run", *there, "--seccomp", asked.file, *filter(None, (asked.subject,))))


def document(made: Profiled) -> str:
    """`--json`."""
    said = msgspec.to_builtins(made.profile) | {"seccomp": msgspec.json.decode(made.text)}
    return msgspec.json.format(msgspec.json.encode({"schema": SCHEMA, **said}), indent=2).decode()


def sentence(profile: Profile) -> str:
    """`healthy with 62 of 364 system calls, killed at any other; what the binary can call`."""
    mode = "what the binary can call" if profile.mode == "safe" and profile.bounded else "what was seen"
    if profile.mode == "safe" and not profile.bounded:
        mode = "wherry's default, since nothing bounds it from above"
    counts = f"{len(profile.names)} of {profile.before} system calls"
    if profile.recorded.failed or profile.proved.failed:
        return f"NOT proved, since the exercise failed: {counts}; {mode}"
    return f"healthy with {counts}, killed at any other; {mode}"


def _seen(profile: Profile) -> list[tuple[str, str, str]]:
    seen = profile.recording
    files = {state: [one for one in seen.files if one.state == state] for state in ("there", "missing", "denied")}
    counted = f"{len(seen.calls)} system calls" + ("" if seen.detailed else ", beyond those of every program")
    rows = [("recorded", counted, _asked(profile.recorded))]
    for state in ("missing", "denied"):
        names = _listed(tuple(dict.fromkeys(one.path for one in files[state])))
        rows += [(state, names, "")] if names else []
    written = _listed(tuple(one.path for one in files["there"] if one.intent == "write"))
    programs = _listed(tuple(one.path for one in files["there"] if one.intent == "run")[1:])
    ports = _listed(tuple(f"{one.port}/{one.protocol}" for one in seen.bound if one.port))
    hosts = _listed(tuple(f"{one.address}:{one.port}" if one.port else one.address for one in seen.reached))
    named = (("written", written), ("programs", programs), ("ports", ports), ("hosts", hosts))
    rows += [(label, text, "") for label, text in named if text]
    refused = _listed(tuple(name for name, _ in seen.refused))
    return rows + ([("refused", refused, "tried, and not needed")] if refused else [])


def _allowed(profile: Profile) -> list[tuple[str, str, str]]:
    ceiling = profile.ceiling
    if ceiling.why:
        rows = [("ceiling", "unknown", ceiling.why)]
    elif not ceiling.complete:
        rows = [("ceiling", f"{len(ceiling.names)} at least", ceiling.unclear[0])]
    else:
        rows = [("ceiling", f"{len(ceiling.names)} system calls", "all that the binary can make")]
        rows += [] if profile.bounded else [("", "not a bound", "it starts other programs")]
    if profile.unexercised:
        word = "allowed" if profile.mode == "safe" else "refused"
        rows.append(("unseen", _listed(profile.unexercised), f"linked, {word}"))
    rows.append(("profile", f"{len(profile.names)} system calls", profile.mode))
    return rows + ([("added", _listed(profile.added), "seen only when it was proved")] if profile.added else [])


def _proved(profile: Profile) -> list[tuple[str, str, str]]:
    code = profile.proved.exit_code
    end = "had to be killed" if code is None else f"ended with status {code}"
    label = "not proved" if profile.recorded.failed or profile.proved.failed else "proved"
    return [(label, f"healthy, {end}", _asked(profile.proved))]


def _asked(done: Exercised) -> str:
    answers = sum(times for _, _, times in done.answers)
    words = [f"{answers} request{'' if answers == 1 else 's'}"] if answers else []
    words += [f"script: status {done.script}"] if done.script is not None else []
    return ", ".join(words)


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")
