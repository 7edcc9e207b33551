"""Does it listen where the image says, and nowhere else."""

from __future__ import annotations

import ipaddress

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.model.observation import Expectations, Observed, Socket, Sockets, Start
from wherry.model.verdict import Verdict

NAME = "ports"


def ports(observed: Observed, _: Expectations) -> Verdict:
    """PASS: every port that the image declares can be reached from outside of the container, and no other can."""
    match observed.sockets:
        case Sockets(listening=()) if isinstance(observed.start, Start) and observed.start.listening_after is None:
            if observed.container.ports:
                return unknown(NAME, "it listens nowhere, see start")
            return passed(NAME, "none, as the image says")
        case Sockets() as seen:
            return _judged(seen, observed.container.ports)
        case why:
            return nothing(NAME, why)


def _judged(seen: Sockets, declared: tuple[str, ...]) -> Verdict:
    open_at = {f"{one.port}/{one.protocol}": one for one in seen.listening}
    wide = {f"{one.port}/{one.protocol}" for one in seen.listening if _leads_out(one.address)}
    wanted = {port if "/" in port else f"{port}/tcp" for port in declared}
    here = tuple(_shown(one) for one in seen.listening)
    missing, extra = sorted(wanted - open_at.keys()), sorted(open_at.keys() - wanted)
    narrow = sorted((wanted & open_at.keys()) - wide)
    if missing:
        return failed(
            NAME,
            f"nothing listens on {', '.join(missing)}, which the image declares",
            *here,
            next="[image] ports says where it listens",
        )
    if narrow:
        return failed(
            NAME, f"{', '.join(narrow)} is reached from inside alone", *here, next='listen on ":PORT", not on localhost'
        )
    loose = [port for port in extra if port in wide]
    if loose:
        return failed(
            NAME,
            f"it listens on {', '.join(loose)}, which the image does not declare",
            *here,
            next="[image] ports says where it listens",
        )
    said = f"{', '.join(sorted(wanted))}, and nothing else" if wanted else "none, as the image says"
    return passed(NAME, f"{said}; {len(extra)} inside alone" if extra else said)


def _leads_out(address: str) -> bool:
    """Whether others than the loopback reach who listens there."""
    return not ipaddress.ip_address(address).is_loopback


def _shown(one: Socket) -> str:
    return f"{one.protocol} {one.address}:{one.port}"
