"""Which TCP ports a program listens on by default. Code in, ports with places out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where, is_below
from wherry.analyze.source.evaluate import UNKNOWN, Evaluator, Known
from wherry.analyze.source.facts import Call, Select, Text, last_name
from wherry.analyze.source.settings import Settings
from wherry.model.project import Inferred

SERVICES = {"http": 80, "https": 443}
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
#: How flags and variables for a listening address are called: last word of the name.
LISTENING = frozenset(
    ("port", "addr", "address", "listen", "bind", "listenaddr", "listenaddress", "bindaddr", "hostport")
)
#: Words that make such a name mean somebody else's address.
ELSEWHERE = frozenset(
    (
        *(
            "redis",
            "db",
            "database",
            "mysql",
            "postgres",
            "pg",
            "sql",
            "mongo",
            "smtp",
            "mail",
            "nats",
            "kafka",
            "etcd",
            "consul",
            "vault",
        ),
        *(
            "upstream",
            "backend",
            "target",
            "remote",
            "peer",
            "join",
            "advertise",
            "broadcast",
            "master",
            "leader",
            "proxy",
            "statsd",
        ),
        *(
            "jaeger",
            "otel",
            "otlp",
            "collector",
            "graphite",
            "memcached",
            "ldap",
            "dns",
            "resolver",
            "server",
            "client",
            "api",
            "from",
        ),
        *(
            "ip",
            "mac",
            "email",
            "host",
            "dest",
            "destination",
            "forward",
            "syslog",
            "source",
            "src",
            "exporter",
            "scrape",
        ),
    )
)


def ports(code: Code, settings: Settings, evaluator: Evaluator) -> tuple[Inferred, ...]:
    """Facts of kind port, or loopback-port when the default address cannot be reached from outside of a container.

    Certainty is found when a literal or constant stands at the listening call itself.

    Where listening calls are there but their addresses are not understood, flags named like a listening address are
    guesses.
    """
    listening, found = False, []
    for address in _addresses(code, evaluator):
        listening = True
        found += [_inferred(known, port) for known in address if (port := port_of(known.text))]
    if not found and listening:
        found = [
            msgspec.structs.replace(_inferred(known, port), certainty="guess")
            for setting in settings.all
            if is_listening_name(setting.name)
            for known in evaluator.texts(setting.default, setting.where)
            if (port := port_of(known.text)) and port > 9
        ]
    return _once(found)


def _addresses(code: Code, evaluator: Evaluator) -> Iterator[tuple[Known, ...]]:
    """The possible addresses of each spot that listens."""
    for call, where in code.calls:
        row = listener_of(call, code, where)
        if row is not None:
            yield address_of(row, call, where, code, evaluator)
    for made, where in code.composites():
        package = code.package_of(made.kind, where)
        for prefix, kind, field in vocabulary.SERVERS:
            value = dict(made.fields).get(field)
            if value is not None and last_name(made.kind) == kind and is_below(package, prefix):
                yield evaluator.texts(value, where)
    for value, where in code.fields.get("Addr", ()):
        if code.imports(where, "net/http") and not isinstance(value, Text):
            continue
        if code.imports(where, "net/http") and where.scope >= 0 and _is_assigned(code, where):
            yield evaluator.texts(value, where)


def nowhere(code: Code, ports: tuple[Inferred, ...]) -> tuple[Inferred, ...]:
    """At most one fact of kind listens, `nowhere`: nothing in the project's own code is a server, is called as if it listened, or
    lets another module's framework run."""
    frameworks = (*vocabulary.FRAMEWORKS, *(prefix for prefix, _, _ in vocabulary.SERVERS if prefix != "net/http"))
    strange = (
        bool(ports)
        or any(_may_listen(call, where, code) for call, where in code.calls)
        or any(last_name(made.kind) == "Server" for made, _ in code.composites())
        or any(
            is_below(line.path, one) for facts, _ in code.each_file() for line in facts.imports for one in frameworks
        )
    )
    if strange or not code.packages or not code.packages[0].files:
        return ()
    place = code.place(Where(package=0, file=0), 1, 1)
    return (Inferred(kind="listens", value="nowhere", place=place, certainty="found"),)


def _may_listen(call: Call, where: Where, code: Code) -> bool:
    """Functions of the project's own were looked at themselves."""
    name, package = last_name(call.invoke.function), code.package_of(call.invoke.function, where)
    if listener_of(call, code, where) is not None or name.startswith(("Listen", "Serve")):
        return True
    return name.startswith(("Run", "Start")) and (
        package not in code.by_path if package else name not in code.functions
    )


def _is_assigned(code: Code, where: Where) -> bool:
    facts = code.packages[where.package].files[where.file].facts
    return any(one.of_field and one.name == "Addr" and one.scope == where.scope for one in facts.bindings)


def listener_of(call: Call, code: Code, where: Where) -> vocabulary.Listener | None:
    """How this call listens; None: it does not."""
    return next((row for row in vocabulary.LISTENERS if _listens(row, call, code, where)), None)


def _listens(row: vocabulary.Listener, call: Call, code: Code, where: Where) -> bool:
    function = call.invoke.function
    if last_name(function) != row.name:
        return False
    package = code.package_of(function, where)
    if not row.method:
        exact = row.package in ("net", "net/http", "crypto/tls")
        return package == row.package if exact else bool(package) and is_below(package, row.package)
    return isinstance(function, Select) and not package and code.imports(where, row.package)


def address_of(
    row: vocabulary.Listener, call: Call, where: Where, code: Code, evaluator: Evaluator
) -> tuple[Known, ...]:
    """What it may be told to listen on."""
    invoke = call.invoke
    if row.argument < len(invoke.arguments):
        return evaluator.texts(invoke.arguments[row.argument], where)
    if not row.default:
        return ()
    return (Known(text=row.default, place=code.place(where, invoke.line, invoke.column)),)


def port_of(address: str) -> int:
    """The port of `:8080`, `0.0.0.0:8080`, `8080`, `:http`; 0 when there is none, or it is chosen by the system."""
    _, separator, port = address.rpartition(":")
    if not separator and UNKNOWN in port:
        return 0
    port = port.rstrip("/")
    if port in SERVICES and separator:
        return SERVICES[port]
    return int(port) if port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536 else 0


def is_listening_name(name: str) -> bool:
    """`web.listen-address`, `PORT`, `http_addr`; not `redis-addr`."""
    words = _words(name)
    return bool(words) and words[-1] in LISTENING and not ELSEWHERE & set(words)


def _words(name: str) -> list[str]:
    """`listenAddr`, `LISTEN_ADDR` and `listen-addr` as listen, addr."""
    spaced = "".join(
        f" {character}" if character.isupper() and position and name[position - 1].islower() else character
        for position, character in enumerate(name)
    )
    for separator in "-_.":
        spaced = spaced.replace(separator, " ")
    return spaced.lower().split()


def _inferred(known: Known, port: int) -> Inferred:
    kind = "loopback-port" if known.text.rpartition(":")[0] in LOOPBACK else "port"
    return Inferred(kind=kind, value=str(port), place=known.place, certainty="found" if known.certain else "guess")


def _once(found: list[Inferred]) -> tuple[Inferred, ...]:
    """Each port once, as sure as its surest sight."""
    best: dict[str, Inferred] = {}
    for one in sorted(found, key=lambda one: (one.kind != "port", one.certainty != "found")):
        best.setdefault(one.value, one)
    return tuple(best.values())
