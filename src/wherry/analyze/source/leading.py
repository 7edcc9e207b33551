"""Which environment variables lead a program to its servers: what it hands to the client's own calls. Code in, facts with places
out; touches nothing.

`redis.ParseURL(os.Getenv("STORE"))` says more than any name does: STORE is the address of a Redis.
"""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source import clients
from wherry.analyze.source.code import Code, Where, is_below
from wherry.analyze.source.expressions import is_variable_name
from wherry.analyze.source.facts import Expression, Invoke, Make, Name, Select, Text, last_name
from wherry.analyze.source.outside import reads_environment
from wherry.analyze.source.settings import Settings
from wherry.analyze.source.tags import names_variable
from wherry.analyze.source.viper import Viper
from wherry.model.project import Inferred

DEPTH = 6
#: Functions whose value is one of their arguments, whole.
THROUGH = frozenset(("TrimSpace", "Or", "ToString"))
#: Values of one name that are followed.
MOST = 8


def leading(code: Code, settings: Settings, imported: frozenset[str]) -> tuple[Inferred, ...]:
    """Facts of kind postgres-url, redis-url and redis-address: names of variables, each once for each kind, in the order of the
    code. All are guesses: between the variable and the call may be more. `imported`: the servers whose clients are."""
    found: dict[tuple[str, str], Inferred] = {}
    follow = _Follow(code, settings)
    for kind, value, where in (*_called(code), *_made(code)):
        for text, spot in follow.names(value, where) if kind.partition("-")[0] in imported else ():
            place = code.place(spot, text.line, text.column)
            found.setdefault((kind, text.text), Inferred(kind=kind, value=text.text, place=place))
    return tuple(found.values())


def _called(code: Code) -> Iterator[tuple[str, Expression, Where]]:
    """Arguments of calls that connect."""
    for call, where in code.calls:
        function, arguments = call.invoke.function, call.invoke.arguments
        package, name = code.package_of(function, where), last_name(function)
        for row in clients.CONNECTIONS if package else ():
            if row.name != name or row.argument >= len(arguments) or not is_below(package, row.package):
                continue
            if row.package not in clients.OF_ANY_DRIVER or _is_postgres(arguments[row.argument - 1]):
                yield row.kind, arguments[row.argument], where


def _is_postgres(driver: Expression) -> bool:
    return not isinstance(driver, Text) or driver.text.startswith(("pgx", "pq", "postgres", "cloudsqlpostgres"))


def _made(code: Code) -> Iterator[tuple[str, Expression, Where]]:
    """Fields of options that name an address."""
    for made, where in code.composites():
        package, fields = code.package_of(made.kind, where), dict(made.fields)
        for prefix, name, field, kind in clients.OPTIONS if package else ():
            if last_name(made.kind) == name and field in fields and is_below(package, prefix):
                yield kind, fields[field], where


class _Follow:
    """From an expression back to the variables that it may come from."""

    def __init__(self, code: Code, settings: Settings) -> None:
        self._code = code
        self._settings = settings
        self._viper = Viper(code)

    def names(self, expression: Expression, where: Where, depth: int = DEPTH) -> Iterator[tuple[Text, Where]]:
        """Literals with the names, where they stand."""
        if depth <= 0:
            return
        match expression:
            case Invoke():
                yield from self._call(expression, where, depth - 1)
            case Name():
                for value, spot in self._values(expression.name, where):
                    yield from self.names(value, spot, depth - 1)
            case Select():
                yield from self._field(expression.name, where, depth - 1)
            case Make():  # a list of addresses
                for key, value in expression.fields:
                    if not key:
                        yield from self.names(value, where, depth - 1)
            case _:
                return

    def _call(self, call: Invoke, where: Where, depth: int) -> Iterator[tuple[Text, Where]]:
        first = next(iter(call.arguments), None)
        setting = self._settings.made_by(call, where)
        if setting is not None:
            yield from self.names(setting.default, where, depth)
        elif isinstance(first, Text) and is_variable_name(first.text):
            yield first, where  # os.Getenv, and whatever a project calls its own
        elif isinstance(first, Name) and reads_environment(call, where, self._code):
            yield from ((one, spot) for one, spot in self._values(first.name, where) if isinstance(one, Text))
        else:
            yield from ((one, where) for one in self._viper.names(call, where))
            for one in call.arguments if last_name(call.function) in THROUGH else ():
                yield from self.names(one, where, depth)

    def _values(self, name: str, where: Where) -> Iterator[tuple[Expression, Where]]:
        """What a name may stand for: what is assigned, a flag's default, what callers pass."""
        bound = [one for one in self._code.locals.get((where, name), ()) if not one.position]
        yield from ((one.value, where) for one in bound[:MOST])
        yield from ((one.default, one.where) for one in self._settings.into_name(name, where)[:MOST])
        around = self._code.function_around(where)
        if not bound and around is not None and name in around.parameters:
            yield from self._passed(around.name, around.parameters.index(name), where)
        elif not bound:
            yield from ((one.value, spot) for one, spot in self._code.globals.get((where.package, name), ())[:MOST])

    def _passed(self, function: str, position: int, where: Where) -> Iterator[tuple[Expression, Where]]:
        own = self._code.packages[where.package].import_path
        for call, spot in self._code.calls_by_name.get(function, ())[:MOST]:
            named = call.invoke.function
            here = isinstance(named, Name) and spot.package == where.package
            if (here or self._code.package_of(named, spot) == own) and position < len(call.invoke.arguments):
                yield call.invoke.arguments[position], spot

    def _field(self, name: str, where: Where, depth: int) -> Iterator[tuple[Text, Where]]:
        """Of a field: its tag, else what it gets anywhere."""
        tagged = False
        for facts, spot in self._code.each_file():
            for tag in facts.tags:
                named = (
                    next((value for key, value in tag.pairs if names_variable(key, value)), "").split(",")[0].strip()
                )
                if tag.field == name and named:
                    tagged = True
                    yield Text(text=named, line=tag.line, column=tag.column), spot
        values = [] if tagged else self._code.fields.get(name, [])
        near = [one for one in values if one[1].package == where.package]
        for value, spot in (near or values)[:MOST]:
            if not (isinstance(value, Select) and value.name == name):
                yield from self.names(value, spot, depth)
        for setting in () if tagged else self._settings.into_field(name, where)[:MOST]:
            yield from self.names(setting.default, setting.where, depth)
