"""What one Go file says, cut down to what inference asks for. Touches nothing.

Values only, so that the facts of unchanged files can be kept between runs.
"""

from __future__ import annotations

from wherry.kit.value import Value


class Text(Value, frozen=True, kw_only=True, tag="t", array_like=True):
    """A string or number literal."""

    text: str
    line: int
    column: int


class Name(Value, frozen=True, kw_only=True, tag="n", array_like=True):
    """An identifier."""

    name: str


class Select(Value, frozen=True, kw_only=True, tag="s", array_like=True):
    """`of.name`: a field, a method or a name of a package."""

    of: Expression
    name: str


class Add(Value, frozen=True, kw_only=True, tag="a", array_like=True):
    """`left + right`."""

    left: Expression
    right: Expression


class Times(Value, frozen=True, kw_only=True, tag="x", array_like=True):
    """`left * right`."""

    left: Expression
    right: Expression


class Index(Value, frozen=True, kw_only=True, tag="i", array_like=True):
    """`of[at]`, or `of[at:]` with `rest`; `at` is a number's text, else empty."""

    of: Expression
    at: str
    rest: bool = False


class Invoke(Value, frozen=True, kw_only=True, tag="c", array_like=True):
    """A call inside an expression."""

    function: Expression
    arguments: tuple[Expression, ...]
    line: int
    column: int


class Make(Value, frozen=True, kw_only=True, tag="m", array_like=True):
    """A composite literal: `kind{key: value}`; elements without a key have an empty one."""

    kind: Expression
    fields: tuple[tuple[str, Expression], ...]
    line: int
    column: int


class Other(Value, frozen=True, kw_only=True, tag="o", array_like=True):
    """Anything else."""


Expression = Text | Name | Select | Add | Times | Index | Invoke | Make | Other


class Import(Value, frozen=True, kw_only=True, array_like=True):
    """An import line; `alias` is `_`, `.`, a name, or empty."""

    path: str
    alias: str
    line: int
    column: int


class Call(Value, frozen=True, kw_only=True, array_like=True):
    """A call worth a look. `prefixes` are the routes of the closures around it; `scope` is its function, -1 outside of
    any.
    """

    invoke: Invoke
    scope: int
    prefixes: tuple[Expression, ...] = ()


class Binding(Value, frozen=True, kw_only=True, array_like=True):
    """`name = value`; `of_field` when it is a field of something, whatever that is; `position` counts names before a
    single call.
    """

    name: str
    value: Expression
    scope: int
    of_field: bool = False
    constant: bool = False
    position: int = 0


class Tag(Value, frozen=True, kw_only=True, array_like=True):
    """A struct field with a tag that holds a default or names an environment variable."""

    field: str
    pairs: tuple[tuple[str, str], ...]
    line: int
    column: int


class Variable(Value, frozen=True, kw_only=True, array_like=True):
    """A package-level `var` that the linker's -X can set: a string without a value, or with a literal one."""

    name: str
    line: int
    column: int


class Mention(Value, frozen=True, kw_only=True, array_like=True):
    """A name selected from something, or a route written where it is no argument (`case "/healthz":`)."""

    name: str
    line: int
    column: int


class Compared(Value, frozen=True, kw_only=True, array_like=True):
    """A literal that something is compared with: `of == "text"`, or `case "text":` in `switch of`."""

    of: Expression
    text: Text
    scope: int


class Function(Value, frozen=True, kw_only=True, array_like=True):
    """A function or method: its scope number, parameters with their types as they are written (`*http.Server`), and what its
    return statements say."""

    name: str
    scope: int
    parameters: tuple[str, ...]
    returns: tuple[tuple[Expression, ...], ...] = ()
    types: tuple[str, ...] = ()


class FileFacts(Value, frozen=True, kw_only=True):
    """One file. `generated` and `whole` say whether it carries Go's generated-code line, and whether it could be
    parsed.
    """

    package: str = ""
    imports: tuple[Import, ...] = ()
    calls: tuple[Call, ...] = ()
    bindings: tuple[Binding, ...] = ()
    composites: tuple[tuple[int, Make], ...] = ()
    tags: tuple[Tag, ...] = ()
    variables: tuple[Variable, ...] = ()
    mentions: tuple[Mention, ...] = ()
    routes: tuple[Mention, ...] = ()
    compared: tuple[Compared, ...] = ()
    """With words that are names of a health command."""
    secrets: tuple[Text, ...] = ()
    """Literals below /run/secrets."""
    functions: tuple[Function, ...] = ()
    whole: bool = True


def dotted(expression: Expression) -> str:
    """`http.Server` of Select(Name(http), Server); empty for anything but names and selections."""
    match expression:
        case Name(name=name):
            return name
        case Select(of=of, name=name):
            before = dotted(of)
            return f"{before}.{name}" if before else ""
        case _:
            return ""


def last_name(expression: Expression) -> str:
    """`Server` of `http.Server` or of `x().Server`."""
    match expression:
        case Name(name=name) | Select(name=name):
            return name
        case _:
            return ""
