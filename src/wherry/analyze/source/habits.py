"""What a program does that its image must provide for: TLS, zones, users, temporary files, children, stopping. Code in, facts
out.
"""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where, is_below
from wherry.analyze.source.facts import Call, Name, Select, Text, last_name
from wherry.model.place import Place
from wherry.model.project import Inferred


def habits(code: Code) -> tuple[Inferred, ...]:
    """Facts of kind tls, plain-http, zones, users, temp-files, children, and environment for what a library reads: each value
    once, at its first place. All are found: the call or the import means it.
    """
    found: dict[tuple[str, str], Inferred] = {}
    for kind, value, place in (*_of_calls(code), *_of_names(code)):
        found.setdefault((kind, value), Inferred(kind=kind, value=value, place=place, certainty="found"))
    return tuple(found.values())


def _of_calls(code: Code) -> Iterator[tuple[str, str, Place]]:
    for call, where in code.calls:
        invoke, name = call.invoke, last_name(call.invoke.function)
        package = code.package_of(invoke.function, where)
        meaning = vocabulary.HABITS.get((package, name))
        if meaning is None and not package and isinstance(invoke.function, Select):
            meaning = _of_method(name, where, code)
        if meaning is not None and not _is_fixed_zone(name, call):
            yield *meaning, code.place(where, invoke.line, invoke.column)


def _of_method(name: str, where: Where, code: Code) -> tuple[str, str] | None:
    if name in vocabulary.TLS_METHODS:
        return ("tls", "server")
    plain = any(name == method and code.imports(where, package) for package, method in vocabulary.PLAIN_METHODS)
    return ("plain-http", "server") if plain else None


def _is_fixed_zone(name: str, call: Call) -> bool:
    """`time.LoadLocation("UTC")` needs no zone files."""
    first = call.invoke.arguments[0] if call.invoke.arguments else None
    return name == "LoadLocation" and isinstance(first, Text) and first.text in ("", "UTC", "Local")


def _of_names(code: Code) -> Iterator[tuple[str, str, Place]]:
    for made, where in code.composites():
        meaning = vocabulary.HABIT_TYPES.get((code.package_of(made.kind, where), last_name(made.kind)))
        if meaning is not None:
            yield *meaning, code.place(where, made.line, made.column)
    for facts, where in code.each_file():
        for mention in facts.mentions:
            alias, _, name = mention.name.rpartition(".")
            meaning = vocabulary.HABIT_NAMES.get((code.imported(where, alias), name))
            if meaning is not None:
                yield *meaning, code.place(where, mention.line, mention.column)
        for line in facts.imports:
            if line.path in vocabulary.HABIT_IMPORTS:
                yield *vocabulary.HABIT_IMPORTS[line.path], code.place(where, line.line, line.column)


def stopping(code: Code) -> tuple[Inferred, ...]:
    """At most one fact of kind graceful-stop: `shutdown` when SIGTERM is caught and something is shut down, `signal`
    when only caught.
    """
    caught = next(_signal_places(code), None)
    if caught is None:
        return ()
    stops = any(name in code.calls_by_name for name in vocabulary.STOPS)
    return (Inferred(kind="graceful-stop", value="shutdown" if stops else "signal", place=caught, certainty="found"),)


def _signal_places(code: Code) -> Iterator[Place]:
    for call, where in code.calls:
        invoke, name = call.invoke, last_name(call.invoke.function)
        package = code.package_of(invoke.function, where)
        library = any(name == known and is_below(package, prefix) for prefix, known in vocabulary.SIGNAL_LIBRARIES)
        standard = (
            package == "os/signal" and name in vocabulary.SIGNAL_CALLS and _catches_termination(call, where, code)
        )
        group = name == "SignalHandler" and any(last_name(one) == "SIGTERM" for one in invoke.arguments)
        if library or standard or group:
            yield code.place(where, invoke.line, invoke.column)


def _catches_termination(call: Call, where: Where, code: Code) -> bool:
    """Named among the signals, or no signal is named (then all are meant), or they come in a variable beside a mention
    of SIGTERM.
    """
    signals = call.invoke.arguments[1:]
    if not signals:
        return True
    if any(last_name(one) == "SIGTERM" for one in signals):
        return True
    if not any(isinstance(one, Name) for one in signals):
        return False
    files = code.packages[where.package].files
    return any(mention.name.endswith(".SIGTERM") for file in files for mention in file.facts.mentions)
