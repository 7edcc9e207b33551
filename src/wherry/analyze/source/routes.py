"""Routes that tell whether a program is well or ready. Code in, routes with places out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.evaluate import UNKNOWN, Evaluator, Known
from wherry.analyze.source.facts import Call, Expression, Invoke, Name, Select, last_name
from wherry.model.project import Inferred

METHODS = ("GET", "HEAD", "ANY")
#: First parts of paths that tell of the program itself, as those for its health do: no visitor comes for them.
ITSELF = frozenset(("-", "buildinfo", "debug", "metrics", "pprof", "version"))
LONGEST = 200


def routes(code: Code, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind health-route and readiness-route. A registration with a literal path is found; `case "/healthz":`
    is a guess.
    """
    found = [route for _, _, route in registered(code, evaluator)]
    for facts, where in code.each_file():
        for route in facts.routes:
            kind = kind_of(route.name)
            if kind and _is_web(code, where):
                place = code.place(where, route.line, route.column)
                found.append(Inferred(kind=kind, value=route.name, place=place, certainty="guess"))
    return _once(found)


def registered(code: Code, evaluator: Evaluator) -> Iterator[tuple[Call, Where, Inferred]]:
    """The calls that register such a route."""
    for call, where in code.calls:
        for known, prefix in _registered(call, where, code, evaluator):
            path = path_of(known.text)
            kind = kind_of(path)
            if kind and len(path) < LONGEST:
                sure = known.certain and UNKNOWN not in prefix + known.text
                yield call, where, _inferred(kind, _joined(prefix, path), known, sure=sure)


def visited(code: Code, evaluator: Evaluator) -> Iterator[tuple[Call, Where]]:
    """The calls that register a route of any other kind than those that tell of the program itself."""
    for call, where in code.calls:
        if last_name(call.invoke.function) != "Use" and any(
            _is_visited(_joined(prefix, path_of(known.text)))
            for known, prefix in _registered(call, where, code, evaluator)
        ):
            yield call, where


def _is_visited(path: str) -> bool:
    return not kind_of(path) and path.split("/")[1] not in ITSELF


def _registered(call: Call, where: Where, code: Code, evaluator: Evaluator) -> Iterator[tuple[Known, str]]:
    """Paths that this call registers, with the prefix of the group it registers them in."""
    name, arguments = last_name(call.invoke.function), call.invoke.arguments
    position = vocabulary.REGISTRATIONS.get(name)
    if position is None or position >= len(arguments) or not isinstance(call.invoke.function, Select | Name):
        return
    alone = len(arguments) == 1
    if (alone and name != "Path") or not _is_web(code, where):
        return
    prefix = "".join(_prefix(one, where, evaluator) for one in call.prefixes) + _group(
        call.invoke, where, code, evaluator
    )
    path = arguments[position]
    known = evaluator.texts(path, where)
    if not known and isinstance(path, Invoke) and len(path.arguments) == 1:  # prefixed("/healthz")
        known, prefix = evaluator.texts(path.arguments[0], where), UNKNOWN
    for one in known:
        yield one, prefix


def _group(invoke: Invoke, where: Where, code: Code, evaluator: Evaluator, depth: int = 4) -> str:
    """The prefix of the receiver: `api := r.Group("/api")`, or a chain `r.PathPrefix("/api").Subrouter()`."""
    function = invoke.function
    receiver: Expression = function.of if isinstance(function, Select) else function
    if isinstance(receiver, Name):
        bound = code.locals.get((where, receiver.name), ())
        receiver = bound[-1].value if bound else receiver
    if depth <= 0 or not isinstance(receiver, Invoke):
        return ""
    before = _group(receiver, where, code, evaluator, depth - 1)
    opens = last_name(receiver.function) in vocabulary.GROUPS and receiver.arguments
    return before + (_prefix(receiver.arguments[0], where, evaluator) if opens else "")


def _prefix(expression: Expression, where: Where, evaluator: Evaluator) -> str:
    known = evaluator.texts(expression, where)
    if not known:
        return ""
    return path_of(known[0].text).rstrip("/").removesuffix("/*")


def path_of(pattern: str) -> str:
    """The path of a route pattern: `GET /healthz`, `example.com/healthz`, `/healthz/`, `/healthz{$}`."""
    method, separator, rest = pattern.partition(" ")
    if separator and method in METHODS:
        pattern = rest.strip()
    pattern = pattern.replace(UNKNOWN, "")
    while "//" in pattern:
        pattern = pattern.replace("//", "/")
    slash = pattern.find("/")
    path = pattern[slash:] if slash >= 0 else f"/{pattern}"
    path = path.removesuffix("{$}").removesuffix("*")
    return path.rstrip("/") or "/"


def kind_of(path: str) -> str:
    """health-route, readiness-route, or empty. The last part of the path decides; one before it may too
    (`/health/ready`).
    """
    if not path.startswith("/") or not path.isprintable() or " " in path:
        return ""
    last = path.rstrip("/").rpartition("/")[2].lower()
    if last in vocabulary.READY:
        return "readiness-route"
    return "health-route" if last in vocabulary.HEALTH else ""


def _joined(prefix: str, path: str) -> str:
    return f"{prefix.replace(UNKNOWN, '')}{path}".replace("//", "/")


def _is_web(code: Code, where: Where) -> bool:
    return any(code.imports(where, package) for package in vocabulary.WEB_PACKAGES)


def _inferred(kind: str, path: str, known: Known, *, sure: bool) -> Inferred:
    return Inferred(kind=kind, value=path, place=known.place, certainty="found" if sure else "guess")


def _once(found: list[Inferred]) -> tuple[Inferred, ...]:
    """Each path once; registrations come first and are the surest."""
    return tuple({(one.kind, one.value): one for one in reversed(found)}.values())[::-1]
