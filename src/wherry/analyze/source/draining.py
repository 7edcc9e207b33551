"""How long a program lets requests end after SIGTERM. Code in, seconds with places out; touches nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.evaluate import Evaluator, Known
from wherry.analyze.source.facts import Expression, Invoke, Make, Name, Select, last_name
from wherry.model.place import Place
from wherry.model.project import Inferred

#: Above it nobody waits: a limit of an hour means none.
LONGEST = 3600.0
_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ns|us|µs|ms|s|m|h)")


def drains(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind drain: seconds of the context that a server's Shutdown gets, one for each length. Found: the server is an
    http.Server of this code and the length a literal; else a guess.
    """
    best: dict[str, Inferred] = {}
    for length, place, certain in sorted(_limits(code, evaluator), key=lambda row: not row[2]):
        seconds = seconds_of(length)
        if 0 < seconds <= LONGEST:
            certainty = "found" if certain else "guess"
            value = f"{seconds:g}"
            best.setdefault(value, Inferred(kind="drain", value=value, place=place, certainty=certainty))
    return tuple(best.values())


def _limits(code: Code, evaluator: Evaluator) -> Iterator[tuple[str, Place, bool]]:
    for name in vocabulary.SHUTDOWNS:
        for call, where in code.calls_by_name.get(name, ()):
            function, arguments = call.invoke.function, call.invoke.arguments
            server = _server(function.of, where, code) if isinstance(function, Select) else ""
            if len(arguments) != 1 or server not in ("http", "perhaps"):
                continue
            here = code.place(where, call.invoke.line, call.invoke.column)
            for known in _lengths(arguments[0], where, code, evaluator):
                place = known.place if known.place.line else here
                yield known.text, place, known.certain and server == "http"


def _server(receiver: Expression, where: Where, code: Code) -> str:
    """`http` when it is an http.Server, empty when it is something else (tracers are shut down, too), `perhaps` when this code
    does not say.
    """
    if not any(code.imports(where, package) for package in vocabulary.WEB_PACKAGES):
        return ""
    for package, name in _kinds(receiver, where, code):
        if package == "net/http":
            return "http" if name == "Server" else ""
        if package and package not in code.by_path and not package.startswith(vocabulary.WEB_PACKAGES):
            return ""
    return "perhaps"


def _kinds(receiver: Expression, where: Where, code: Code) -> Iterator[tuple[str, str]]:
    """Types that it may be of, or functions that make it, as package and name: of what is assigned, or of the parameter."""
    name, around = last_name(receiver), code.function_around(where)
    values = [(one.value, where) for one in code.locals.get((where, name), ())]
    values += [(one.value, spot) for one, spot in code.globals.get((where.package, name), ())]
    if isinstance(receiver, Select):
        values = [one for one in code.fields.get(name, ()) if one[1].package == where.package]
    elif around is not None and name in around.parameters:
        package, _, kind = around.types[around.parameters.index(name)].lstrip("*").rpartition(".")
        yield code.imported(where, package), kind
    for value, spot in values:
        made = value.kind if isinstance(value, Make) else value.function if isinstance(value, Invoke) else value
        yield code.package_of(made, spot), last_name(made) if isinstance(value, Make) else ""


def _lengths(argument: Expression, where: Where, code: Code, evaluator: Evaluator) -> Iterator[Known]:
    """What the context of that name, or the call that makes it, is limited to."""
    for made, spot in _contexts(argument, where, code):
        limits = last_name(made.function) in vocabulary.LIMITED_CONTEXTS and len(made.arguments) > 1
        if limits and code.package_of(made.function, spot) == "context":
            length = made.arguments[1]
            if isinstance(length, Invoke) and last_name(length.function) == "Add" and length.arguments:
                length = length.arguments[0]  # context.WithDeadline(ctx, time.Now().Add(10 * time.Second))
            yield from evaluator.texts(length, spot)


def _contexts(argument: Expression, where: Where, code: Code, depth: int = 2) -> Iterator[tuple[Invoke, Where]]:
    """The calls that make a context: at hand, in a variable, or at those who call this function with it."""
    if isinstance(argument, Invoke):
        yield argument, where
    if not isinstance(argument, Name):
        return
    bound = [one for one in code.locals.get((where, argument.name), ()) if not one.position]
    for one in bound:
        if isinstance(one.value, Invoke):
            yield one.value, where
    around = code.function_around(where)
    if bound or not depth or around is None or argument.name not in around.parameters:
        return
    position = around.parameters.index(argument.name)
    for call, spot in code.calls_by_name.get(around.name, ()):
        if position < len(call.invoke.arguments):
            yield from _contexts(call.invoke.arguments[position], spot, code, depth - 1)


def seconds_of(text: str) -> float:
    """Of a number of nanoseconds, or of `1m30s` as flags and variables have it; 0 when it is neither."""
    if text.isascii() and text.isdecimal():
        return int(text) / 1e9
    parts = list(_PART.finditer(text))
    whole = "".join(part.group() for part in parts) == text
    return sum(float(part[1]) * _SECONDS[part[2]] for part in parts) if whole else 0.0
