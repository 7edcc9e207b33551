"""Commands and flags by which a program asks its own server whether it is well. Code in, facts with places out; touches
nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.facts import Expression, Index, Invoke, Name, Select, Text, last_name
from wherry.model.place import Place
from wherry.model.project import Inferred

ARGUMENTS = ("args", "argv", "arguments")
FLAG_SETS = ("flag", "github.com/spf13/pflag")


def health_commands(code: Code) -> tuple[Inferred, ...]:
    """Facts of kind health-command; the value is the word of the command line (`health`, `--healthcheck`). Found: os.Args or the
    standard flags are asked for it; a guess: a library knows it, at whatever level of commands.
    """
    best: dict[str, Inferred] = {}
    rows = sorted((*_compared(code), *_called(code), *_made(code)), key=lambda row: not row[2])
    for word, place, certain in rows:
        certainty = "found" if certain else "guess"
        best.setdefault(word, Inferred(kind="health-command", value=word, place=place, certainty=certainty))
    return tuple(best.values())


def _compared(code: Code) -> Iterator[tuple[str, Place, bool]]:
    """`os.Args[1] == "health"`, and the same as a case of a switch."""
    for facts, where in code.each_file():
        for one in facts.compared:
            at = Where(package=where.package, file=where.file, scope=one.scope)
            certain = _is_first_argument(one.of, at, code)
            if certain or _may_be_argument(one.of, at, code):
                yield one.text.text, code.place(where, one.text.line, one.text.column), certain


def _is_first_argument(asked: Expression, where: Where, code: Code) -> bool:
    """os.Args[1], flag.Arg(0), or the same of a variable that holds them."""
    return any(_is_first(one, where, code) for one in _held(asked, where, code))


def _is_first(asked: Expression, where: Where, code: Code) -> bool:
    if isinstance(asked, Invoke):
        first = asked.arguments[0] if asked.arguments else None
        return isinstance(first, Text) and first.text == "0" and _is_of_flags(asked, "Arg", where, code)
    if not isinstance(asked, Index) or asked.rest:
        return False
    return any(asked.at == _first_of(one, where, code) for one in _held(asked.of, where, code))


def _first_of(arguments: Expression, where: Where, code: Code) -> str | None:
    """The index of the first word after the program's name; None for what is not the command line."""
    match arguments:
        case Select(name="Args"):
            return "1" if code.package_of(arguments, where) == "os" else None
        case Index(of=whole, at="1", rest=True):
            return "0" if _first_of(whole, where, code) == "1" else None
        case Invoke():
            return "0" if _is_of_flags(arguments, "Args", where, code) else None
        case _:
            return None


def _is_of_flags(call: Invoke, name: str, where: Where, code: Code) -> bool:
    return last_name(call.function) == name and code.package_of(call.function, where) in FLAG_SETS


def _held(expression: Expression, where: Where, code: Code) -> tuple[Expression, ...]:
    """What a local variable holds; else the expression itself."""
    bound = code.locals.get((where, expression.name), ()) if isinstance(expression, Name) else ()
    return tuple(one.value for one in bound) or (expression,)


def _may_be_argument(asked: Expression, where: Where, code: Code) -> bool:
    """`args[0]` of a name that is nothing else here: arguments that were handed on."""
    if not isinstance(asked, Index) or not isinstance(asked.of, Name) or (where, asked.of.name) in code.locals:
        return False
    return not asked.rest and asked.of.name.lower() in ARGUMENTS


def _called(code: Code) -> Iterator[tuple[str, Place, bool]]:
    """`flag.Bool("healthcheck", ...)`, kingpin's `app.Command("health", ...)`."""
    for call, where in code.calls:
        name, invoke = last_name(call.invoke.function), call.invoke
        shape = vocabulary.FLAGS.get(name) if name.startswith("Bool") else None
        position = shape[0] if shape is not None else 0
        word = invoke.arguments[position] if position < len(invoke.arguments) else None
        if not isinstance(word, Text) or word.text not in vocabulary.HEALTH_COMMANDS:
            continue
        place = code.place(where, word.line, word.column)
        if shape is not None and any(code.imports(where, one) for one in vocabulary.FLAG_PACKAGES):
            yield f"--{word.text}", place, code.package_of(invoke.function, where) in FLAG_SETS
        elif name == "Command" and any(code.imports(where, one) for one in vocabulary.KINGPIN):
            yield word.text, place, False


def _made(code: Code) -> Iterator[tuple[str, Place, bool]]:
    """`cobra.Command{Use: "health"}`, `cli.Command{Name: "health"}`, `cli.BoolFlag{Name: "health"}`."""
    for made, where in code.composites():
        field = vocabulary.COMMAND_LITERALS.get(last_name(made.kind))
        for key, value in made.fields:
            if field is None or key not in field or not isinstance(value, Text):
                continue
            word = value.text.partition(" ")[0]
            if word in vocabulary.HEALTH_COMMANDS and any(code.imports(where, one) for one in vocabulary.FLAG_PACKAGES):
                dashes = "--" if last_name(made.kind) == "BoolFlag" else ""
                yield f"{dashes}{word}", code.place(where, value.line, value.column), False
