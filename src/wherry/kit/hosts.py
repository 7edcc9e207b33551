"""Which hosts never leave this machine or its network. Names and literal addresses in, answers out; asks nobody."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_loopback(host: str) -> bool:
    """True for localhost, names below it, and addresses that never leave this machine."""
    name = host.lower().rstrip(".").strip("[]")
    found = address(name)
    return name == "localhost" or name.endswith(".localhost") or (found is not None and found.is_loopback)


def is_internal(host: str) -> bool:
    """True for loopback and for literal addresses that are not public, in any of the spellings that resolvers take
    (0x7f.1, 2130706433)."""
    found = address(host)
    if found is not None:
        return not found.is_global
    last = host.rstrip(".").rpartition(".")[2].lower()
    return is_loopback(host) or last.isdecimal() or last.startswith("0x")


def address(text: str) -> Address | None:
    """A literal address, an IPv4 one inside IPv6 as itself; None for a name."""
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
