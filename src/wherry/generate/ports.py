"""Which port of the machine leads into which container. Applications in, numbers out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final

from wherry.kit.value import Value

LOOPBACK: Final = "127.0.0.1:"


class Published(Value, frozen=True, kw_only=True):
    """One entry of `ports`."""

    service: str
    port: str
    """`8080/tcp`, inside."""
    host_port: int

    def entry(self, address: str = LOOPBACK) -> str:
        """`127.0.0.1:8080:8080`, `127.0.0.1:53:53/udp`."""
        number, _, protocol = self.port.partition("/")
        return f"{address}{self.host_port}:{number}" + (f"/{protocol}" if protocol not in ("", "tcp") else "")


def published(wanted: Iterable[tuple[str, str]]) -> tuple[Published, ...]:
    """Each service with a port, in order, gets the same number of the machine, or the next one that nobody has yet: upwards,
    and from the last one downwards."""
    taken: set[tuple[int, str]] = set()
    found = []
    for service, port in wanted:
        number, _, protocol = port.partition("/")
        others = chain(range(int(number), 1 << 16), range(int(number) - 1, 0, -1))
        host = next(one for one in others if (one, protocol) not in taken)
        taken.add((host, protocol))
        found.append(Published(service=service, port=port, host_port=host))
    return tuple(found)


def entries(service: str, ports: tuple[Published, ...], address: str = LOOPBACK) -> list[str]:
    """The `ports` of one service."""
    return [one.entry(address) for one in ports if one.service == service]
