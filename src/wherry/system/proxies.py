"""Which proxy a request goes through. The user's proxy variables and an address in, a proxy's URL out; touches nothing.

As Go and curl read them: lower case first, NO_PROXY with domains, addresses, networks and ports; loopback never goes through one.
"""

from __future__ import annotations

import ipaddress

from wherry.kit.hosts import is_loopback

Pairs = tuple[tuple[str, str], ...]


def proxy_for(scheme: str, host: str, port: int, variables: Pairs) -> str:
    """URL of the proxy for `scheme`://`host`:`port`, or empty."""
    known = dict(variables)
    proxy = _either(known, f"{scheme}_proxy") or _either(known, "all_proxy")
    if not proxy or is_loopback(host) or _excluded(host.lower().rstrip("."), port, _either(known, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _excluded(host: str, port: int, rules: str) -> bool:
    return any(_matches(host, port, rule.strip().lower()) for rule in rules.split(",") if rule.strip())


def _matches(host: str, port: int, rule: str) -> bool:
    if rule == "*":
        return True
    name, colon, wanted = rule.rpartition(":")
    if (
        colon
        and wanted.isdecimal()
        and "]" not in wanted
        and name.count(":") in (0, *range(2, 9))
        and _address(rule) is None
    ):
        if int(wanted) != port:
            return False
        rule = name
    address = _address(host.strip("[]"))
    if address is not None:
        return _in_network(address, rule.strip("[]"))
    domain = rule.removeprefix("*").lstrip(".")
    return (host == domain and not rule.startswith((".", "*"))) or host.endswith(f".{domain}")


def _in_network(address: ipaddress.IPv4Address | ipaddress.IPv6Address, rule: str) -> bool:
    try:
        return address in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _either(known: dict[str, str], name: str) -> str:
    return known.get(name) or known.get(name.upper(), "")
