"""The ports of an application under the names by which Service, probes and policies speak of them. An application in, ports
out; touches nothing."""

from __future__ import annotations

from wherry.kit.value import Value
from wherry.model.application import Application


class Port(Value, frozen=True, kw_only=True):
    """One port of the container."""

    name: str
    number: int
    protocol: str = "TCP"
    served: int = 0
    """The Service's port that leads to it; 0: the Service has none, only the kubelet asks it."""


def ports(application: Application) -> tuple[Port, ...]:
    """Each once. `http` (`https` where it serves TLS itself) is the first TCP port where HTTP is spoken there; others are called
    after their number, since nothing is known of what they speak."""
    declared = [_parsed(one) for one in application.runs.ports]
    checked = application.runs.asked
    made = [
        Port(
            name=_name(application, number, protocol),
            number=number,
            protocol=protocol.upper(),
            served=_served(application, number, declared) if protocol == "tcp" else number,
        )
        for number, protocol in dict.fromkeys(declared)
    ]
    if checked and (checked, "tcp") not in declared:
        made.append(Port(name="health", number=checked))
    return tuple(made)


def _parsed(text: str) -> tuple[int, str]:
    number, _, protocol = text.partition("/")
    return int(number), protocol or "tcp"


def _name(application: Application, number: int, protocol: str) -> str:
    if protocol == "tcp" and number == application.port and number == application.runs.asked:
        return "https" if application.runs.tls else "http"
    return f"{protocol}-{number}"


def _served(application: Application, number: int, declared: list[tuple[int, str]]) -> int:
    """What others dial: the port of the web where HTTP is spoken, unless another one has it; else the same number."""
    usual = {"http": 80, "https": 443}.get(_name(application, number, "tcp"), number)
    return number if any(other == usual for other, protocol in declared if protocol == "tcp") else usual
