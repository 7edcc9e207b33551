"""Networks and published ports. Options and the image's ports in, Publish rows and reasons out; touches nothing."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, Literal

from wherry.errors import UsageError
from wherry.kit.value import Value
from wherry.model.container import Network, Options, Publish
from wherry.model.plan import Decision
from wherry.oci.config import RunConfig

_FORM: Final = re.compile(
    r"(?:(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*):)?(?:(?P<outer>\d{0,5}):)?(?P<inner>\d{1,5})(?:/(?P<protocol>\w+))?",
    re.ASCII,
)


class Published(Value, frozen=True, kw_only=True):
    """The network, what is published, and why."""

    network: Network
    publish: tuple[Publish, ...]
    decisions: tuple[Decision, ...]


def decide(options: Options, config: RunConfig) -> Published:
    """UsageError [container-option] for a port that is none, twice the same, or published from where that is impossible."""
    network: Network = options.network or "own"  # type: ignore[assignment]
    rows = tuple(publish(text) for text in options.publish)
    if rows and network not in ("own", "out"):
        why = "its ports are this machine's already" if network == "host" else "nothing leads into it"
        raise UsageError(
            "container-option", f"with --network {network} no port is published", why=why,
            where=f"-p {options.publish[0]}", next="leave one of the two out",
        )  # fmt: skip
    outer = [(row.host, row.host_port, row.protocol) for row in rows if row.host_port]
    if len(set(outer)) != len(outer):
        raise UsageError(
            "container-option",
            "one port of this machine is published twice",
            where=" ".join(f"-p {one}" for one in options.publish),
        )
    reason = {
        "own": "its own: published ports lead in, nothing leads out",
        "out": "its own: published ports lead in, and it leads out, not to this machine's loopback",
        "none": "a loopback of its own, and nothing else",
        "host": "this machine's network, as you asked",
    }[network]
    decisions = [
        Decision(name="network", value=network, reason=reason, origin="flag" if options.network else "default")
    ]
    decisions += [
        Decision(
            name="publish", value=f"{shown(row)} to {row.port}/{row.protocol}", reason="as you said", origin="flag"
        )
        for row in rows
    ]
    if not rows and network in ("own", "out") and config.exposed_ports:
        first = min(config.exposed_ports).partition("/")[0]
        decisions.append(Decision(name="publish", value="nothing", reason=f"-p {first} reaches it from this machine"))
    return Published(network=network, publish=rows, decisions=tuple(decisions))


def publish(text: str) -> Publish:
    """`8080`, `9000:8080`, `127.0.0.1:9000:8080`, `[::1]:9000:8080`, `0.0.0.0::8080/udp`. A single number is the same port
    on both sides. Loopback unless an address is said."""
    host, outer, inner, protocol = _parts(text)
    numbers = [int(number) for number in (outer or "0", inner)]
    if not all(0 <= number <= 65535 for number in numbers) or numbers[1] == 0:
        raise _refused(text, "a port is a number from 1 to 65535")
    try:
        address = str(ipaddress.ip_address(host.strip("[]"))) if host else "127.0.0.1"
    except ValueError:
        raise _refused(text, f"{host[:40]!r} is no address of this machine") from None
    if protocol not in ("tcp", "udp"):
        raise _refused(text, "the protocol is tcp or udp")
    kind: Literal["tcp", "udp"] = "udp" if protocol == "udp" else "tcp"
    return Publish(host=address, host_port=numbers[0], port=numbers[1], protocol=kind)


def _parts(text: str) -> tuple[str, str, str, str]:
    match = _FORM.fullmatch(text)
    if match is None:
        raise _refused(text, f"{text[:40]!r} is no port to publish")
    host, outer, inner, protocol = match["host"] or "", match["outer"], match["inner"], match["protocol"] or "tcp"
    if outer is None and host.isdigit():
        return "", host, inner, protocol
    if outer is None and not host:
        return "", "" if text.startswith(":") else inner, inner, protocol
    return host, outer or "", inner, protocol


def shown(row: Publish) -> str:
    """`127.0.0.1:8080`; a port that is not chosen yet is `a free port`."""
    host = f"[{row.host}]" if ":" in row.host else row.host
    return f"{host}:{row.host_port or 'a free port'}"


def _refused(text: str, message: str) -> UsageError:
    return UsageError(
        "container-option", message, where=f"-p {text[:60]}", next="-p 8080, -p 9000:8080 or -p 0.0.0.0:9000:8080"
    )
