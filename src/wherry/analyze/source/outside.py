"""What a program takes from outside: servers, environment variables, secret files. Code in, facts with places out; touches
nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from wherry.analyze.source import clients, vocabulary
from wherry.analyze.source.code import Code, Where, is_below
from wherry.analyze.source.evaluate import Evaluator
from wherry.analyze.source.expressions import is_variable_name
from wherry.analyze.source.facts import Call, Expression, Invoke, Make, Name, Text, last_name
from wherry.analyze.source.tags import names_variable
from wherry.analyze.source.viper import Viper
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
            server = next((one for prefix, one in clients.BACKINGS.items() if is_below(line.path, prefix)), "")
            if server and server not in seen:
                seen.add(server)
                place = code.place(where, line.line, line.column)
                yield Inferred(kind="backing", value=server, place=place, certainty="found")


def variables(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind environment, at most MOST, in the order of the code. Found: the literal, or a constant, is what os.Getenv is
    told; a guess: it goes through a function of the project's own, or stands in a struct tag (which may get a prefix).
    """
    best: dict[str, Inferred] = {}
    for name, place, certain in (
        *_read(code, evaluator),
        *_handed_on(code),
        *_tagged(code),
        *_by_viper(code),
        *_of_flags(code),
    ):
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
        name = last_name(call.invoke.function)
        position = positions.get(
            name, 0 if _sounds_like_it(name, code.package_of(call.invoke.function, where)) else None
        )
        if position is not None and position < len(call.invoke.arguments):
            given = call.invoke.arguments[position]
            if isinstance(given, Text) and is_variable_name(given.text):
                yield given.text, code.place(where, given.line, given.column), False


def _sounds_like_it(name: str, package: str) -> bool:
    """`envy.Get`, `config.MustEnv`, `Envar` of kingpin, `EnvVars` of urfave/cli."""
    if name.lower().startswith(("set", "unset")) or package == "os":
        return False
    return "env" in name.lower() or "env" in package.rpartition("/")[2]


def _reading(code: Code) -> Iterator[tuple[Call, Where]]:
    for call, where in code.calls:
        if call.invoke.arguments and reads_environment(call.invoke, where, code):
            yield call, where


def reads_environment(call: Invoke, where: Where, code: Code) -> bool:
    """Whether it is os.Getenv or one of its kind."""
    return (code.package_of(call.function, where), last_name(call.function)) in vocabulary.ENVIRONMENT


def _is_parameter(argument: Expression, code: Code, where: Where) -> bool:
    around = code.function_around(where)
    return around is not None and isinstance(argument, Name) and argument.name in around.parameters


def _tagged(code: Code) -> Iterator[tuple[str, Place, bool]]:
    for facts, where in code.each_file():
        for tag in facts.tags:
            for key, value in tag.pairs:
                if names_variable(key, value):
                    yield value.split(",")[0].strip(), code.place(where, tag.line, tag.column), False


def _by_viper(code: Code) -> Iterator[tuple[str, Place, bool]]:
    for name, where in Viper(code).all():
        yield name.text, code.place(where, name.line, name.column), False


def _of_flags(code: Code) -> Iterator[tuple[str, Place, bool]]:
    """`cli.StringFlag{EnvVars: []string{"DATABASE_URL"}}`."""
    for made, where in code.composites():
        for key, value in made.fields:
            listed = [one for _, one in value.fields] if isinstance(value, Make) else [value]
            for one in listed if key in ("EnvVars", "EnvVar") else ():
                if isinstance(one, Text):
                    for name in one.text.split(","):
                        yield name.strip(), code.place(where, one.line, one.column), False


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
