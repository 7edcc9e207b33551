"""Which port answers a health route, and which others, of a program that listens on several. Code in, ports out; touches
nothing.

A route and a listener belong together where both name one router: a variable, a field, net/http's own, or what one function
makes and the listener is given. Anything else says nothing: a probe of the wrong port restarts a program that works.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.evaluate import Evaluator, Known
from wherry.analyze.source.facts import Expression, Invoke, Name, Select, last_name
from wherry.analyze.source.listening import address_of, listener_of, port_of
from wherry.analyze.source.routes import registered, visited
from wherry.model.project import Inferred

Router = tuple[Where, str]
"""Where a variable is known, and its name; what a function makes has none."""

USUAL: Final[Router] = (Where(package=-1, file=-1), "DefaultServeMux")
HANDLERS: Final = {"ListenAndServe": 1, "ListenAndServeTLS": 3}
"""Functions of net/http that listen → which argument is the handler; methods of other packages serve their own value."""
STEPS: Final = 5


def serving(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind route-port, `8080/healthz`, and visited-port, `8080`, each once, at a route's place."""
    ports: dict[Router, set[int]] = defaultdict(set)
    for router, known in _served(code, evaluator):
        numbers = {port for one in known if (port := port_of(one.text))}
        if len(numbers) == 1:
            ports[router] |= numbers
    found: dict[tuple[str, str], Inferred] = {}
    for call, where, route in registered(code, evaluator):
        for port in _asked_at(call.invoke, where, code, ports):
            fact = Inferred(kind="route-port", value=f"{port}{route.value}", place=route.place)
            found.setdefault((fact.kind, fact.value), fact)
    for call, where in visited(code, evaluator):
        for port in _asked_at(call.invoke, where, code, ports):
            place = code.place(where, call.invoke.line, call.invoke.column)
            found.setdefault(("visited-port", str(port)), Inferred(kind="visited-port", value=str(port), place=place))
    return tuple(found.values())


def _asked_at(invoke: Invoke, where: Where, code: Code, ports: Mapping[Router, set[int]]) -> tuple[int, ...]:
    return tuple(sorted({port for router in _of_call(invoke, where, code) for port in ports.get(router, ())}))


def _served(code: Code, evaluator: Evaluator) -> Iterator[tuple[Router, tuple[Known, ...]]]:
    """Routers, and the addresses that they may be asked at."""
    for call, where in code.calls:
        row = listener_of(call, code, where)
        if row is None:
            continue
        address, function, arguments = address_of(row, call, where, code, evaluator), call.invoke.function, call.invoke
        if row.package == "net/http":
            position = HANDLERS[row.name]
            for router in _handler(arguments.arguments[position : position + 1], where, code):
                yield router, address
        elif row.method and isinstance(function, Select):
            for router in _routers(function.of, where, code):
                yield router, address
    assigned = {spot.package for binding, spot in _assigned(code) if binding == "Handler"}
    for made, where in code.composites():
        fields = dict(made.fields)
        is_server = last_name(made.kind) == "Server" and code.package_of(made.kind, where) == "net/http"
        if not is_server or "Addr" not in fields or ("Handler" not in fields and where.package in assigned):
            continue
        handler = (fields["Handler"],) if "Handler" in fields else ()
        for router in _handler(handler, where, code):
            yield router, evaluator.texts(fields["Addr"], where)


def _assigned(code: Code) -> Iterator[tuple[str, Where]]:
    for facts, where in code.each_file():
        for binding in facts.bindings:
            if binding.of_field:
                yield binding.name, where


def _handler(given: tuple[Expression, ...], where: Where, code: Code) -> Iterator[Router]:
    """Of what net/http is told to serve; nothing, or nil, is its own router."""
    if given in ((), (Name(name="nil"),)):
        yield USUAL
    for one in given:
        yield from _routers(one, where, code)


def _of_call(invoke: Invoke, where: Where, code: Code) -> Iterator[Router]:
    """Where a call registers its route: at what it is called on, and so at what its function makes."""
    if isinstance(invoke.function, Select):
        yield from _routers(invoke.function.of, where, code)
    yield where, ""


def _routers(expression: Expression, where: Where, code: Code, steps: int = STEPS) -> Iterator[Router]:
    """Every router that an expression may be: handlers around it are looked through, groups of it are its own."""
    if not steps:
        return
    match expression:
        case Name(name=name):
            yield from _named(name, where, code, steps)
        case Select(name=name):
            package = code.package_of(expression, where)
            if package == "net/http" and name == "DefaultServeMux":
                yield USUAL
            elif not package:
                yield (Where(package=where.package, file=-1), f".{name}")
        case Invoke(function=function, arguments=arguments):
            yield from _made(function, where, code)
            if (
                isinstance(function, Select)
                and last_name(function) in vocabulary.GROUPS | vocabulary.REGISTRATIONS.keys()
            ):
                yield from _routers(function.of, where, code, steps - 1)
            for one in arguments:
                yield from _routers(one, where, code, steps - 1)
        case _:
            return


def _named(name: str, where: Where, code: Code, steps: int) -> Iterator[Router]:
    if code.imported(where, name) == "net/http":
        yield USUAL
        return
    bound = [one.value for one in code.locals.get((where, name), ())]
    if not bound and (where.package, name) in code.globals:
        yield (Where(package=where.package, file=-1), name)
        return
    yield where, name
    for value in bound[:STEPS]:
        if isinstance(value, Invoke | Select):
            yield from _routers(value, where, code, steps - 1)


def _made(function: Expression, where: Where, code: Code) -> Iterator[Router]:
    """What a function of the project's own makes: whatever routes it registers."""
    package = code.package_of(function, where)
    wanted = code.by_path.get(package) if package else where.package
    for _, spot in code.functions.get(last_name(function), ()):
        if spot.package == wanted:
            yield spot, ""
