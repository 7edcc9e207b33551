"""What a program takes from outside: servers, environment variables, secret files. Code in, facts with places out; touches
nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where, is_below
from wherry.analyze.source.evaluate import Evaluator
from wherry.analyze.source.expressions import is_variable_name
from wherry.analyze.source.facts import Call, Expression, Name, Text, last_name
from wherry.analyze.source.tags import ENVIRONMENT_TAGS
from wherry.model.place import Place
from wherry.model.project import Inferred

#: Environment variables that are told; who reads more has a table of them somewhere.
MOST = 64
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_SECRET = re.compile(r"/run/secrets/[A-Za-z0-9][A-Za-z0-9._-]{0,200}")


def backings(code: Code) -> Iterator[Inferred]:
    """Facts of kind backing: each server once, at the first import of a client for it. All are found."""
    seen = set()
    for facts, where in code.each_file():
        for line in facts.imports:
            server = next((one for prefix, one in vocabulary.BACKINGS.items() if is_below(line.path, prefix)), "")
            if server and server not in seen:
                seen.add(server)
                place = code.place(where, line.line, line.column)
                yield Inferred(kind="backing", value=server, place=place, certainty="found")


def variables(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind environment, at most MOST, in the order of the code. Found: the literal, or a constant, is what os.Getenv is
    told; a guess: it goes through a function of the project's own, or stands in a struct tag (which may get a prefix).
    """
    best: dict[str, Inferred] = {}
    for name, place, certain in (*_read(code, evaluator), *_handed_on(code), *_tagged(code)):
        if _VARIABLE.fullmatch(name):
            certainty = "found" if certain else "guess"
            best.setdefault(name, Inferred(kind="environment", value=name, place=place, certainty=certainty))
    return tuple(best.values())[:MOST]


def _read(code: Code, evaluator: Evaluator) -> Iterator[tuple[str, Place, bool]]:
    """Names at the call itself."""
    for call, where in _reading(code):
        argument = call.invoke.arguments[0]
        if not _is_parameter(argument, code, where):
            for known in evaluator.texts(argument, where):
                yield known.text, known.place, known.certain


def _handed_on(code: Code) -> Iterator[tuple[str, Place, bool]]:
    """Names that a function of the project's own passes on: `env("PORT", "8080")`, also when it is handed in itself."""
    positions: dict[str, int] = {"getenv": 0, "lookupEnv": 0}
    for call, where in _reading(code):
        argument, around = call.invoke.arguments[0], code.function_around(where)
        if around is not None and isinstance(argument, Name) and argument.name in around.parameters:
            positions[around.name] = around.parameters.index(argument.name)
    for call, where in code.calls:
        position = positions.get(last_name(call.invoke.function))
        if position is not None and position < len(call.invoke.arguments):
            given = call.invoke.arguments[position]
            if isinstance(given, Text) and is_variable_name(given.text):
                yield given.text, code.place(where, given.line, given.column), False


def _reading(code: Code) -> Iterator[tuple[Call, Where]]:
    for call, where in code.calls:
        function = call.invoke.function
        if call.invoke.arguments and (code.package_of(function, where), last_name(function)) in vocabulary.ENVIRONMENT:
            yield call, where


def _is_parameter(argument: Expression, code: Code, where: Where) -> bool:
    around = code.function_around(where)
    return around is not None and isinstance(argument, Name) and argument.name in around.parameters


def _tagged(code: Code) -> Iterator[tuple[str, Place, bool]]:
    for facts, where in code.each_file():
        for tag in facts.tags:
            for key, value in tag.pairs:
                if key in ENVIRONMENT_TAGS:
                    yield value.split(",")[0].strip(), code.place(where, tag.line, tag.column), False


def secret_files(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind secret-file: paths directly below /run/secrets. Found where a file is read by that literal or constant;
    a guess where the literal stands anywhere else.
    """
    best: dict[str, Inferred] = {}
    for path, place, certain in (*_opened(code, evaluator), *_written(code)):
        if _SECRET.fullmatch(path):
            certainty = "found" if certain else "guess"
            best.setdefault(path, Inferred(kind="secret-file", value=path, place=place, certainty=certainty))
    return tuple(best.values())


def _opened(code: Code, evaluator: Evaluator) -> Iterator[tuple[str, Place, bool]]:
    if not any(facts.secrets for facts, _ in code.each_file()):
        return
    for call, where in code.calls:
        function = call.invoke.function
        if call.invoke.arguments and (code.package_of(function, where), last_name(function)) in vocabulary.READS:
            for known in evaluator.texts(call.invoke.arguments[0], where):
                if known.certain:
                    yield known.text, known.place, True


def _written(code: Code) -> Iterator[tuple[str, Place, bool]]:
    for facts, where in code.each_file():
        for text in facts.secrets:
            yield text.text, code.place(where, text.line, text.column), False
