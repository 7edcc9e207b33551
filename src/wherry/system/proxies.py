"""Which proxy a request goes through. The user's proxy variables and an address in, a proxy's URL out; touches nothing.

As Go reads them (golang.org/x/net/http/httpproxy), since `go` beside us reads the same ones: capitals first, NO_PROXY with
domains, addresses, networks and ports; loopback never goes through one. ALL_PROXY besides, as curl does.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

from wherry.errors import UnavailableError
from wherry.kit.hosts import Address, address, is_loopback

Pairs = tuple[tuple[str, str], ...]
SCHEMES = ("http", "https")


def proxy_for(scheme: str, host: str, port: int, variables: Pairs) -> str:
    """URL of the proxy for `scheme`://`host`:`port`, or empty."""
    known = dict(variables)
    proxy = _either(known, f"{scheme}_proxy") or _either(known, "all_proxy")
    if not proxy or is_loopback(host) or _excluded(host.lower().rstrip("."), port, _either(known, "no_proxy")):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def parse(proxy: str) -> tuple[str, str]:
    """A proxy's address alone, and its `user:password` or empty. UnavailableError [proxy], which shows no password."""
    try:
        parts = urlsplit(proxy)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise _no_proxy("its address cannot be read") from None
    if parts.scheme not in SCHEMES or not host or not proxy.isprintable() or " " in proxy:
        known = parts.scheme.isalnum() and parts.scheme not in SCHEMES and host
        raise _no_proxy(f"it speaks {parts.scheme}" if known else "its address cannot be read")
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", user


def _no_proxy(why: str) -> UnavailableError:
    return UnavailableError(
        "proxy",
        "the proxy that HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names cannot be used",
        why=why,
        next="write it like http://proxy.example:3128, or name the host in NO_PROXY",
    )


def _excluded(host: str, port: int, rules: str) -> bool:
    found = address(host)
    return any(_matches(host, found, port, rule.strip().lower()) for rule in rules.split(",") if rule.strip())


def _matches(host: str, literal: Address | None, port: int, rule: str) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        return literal is not None and _in_network(literal, rule)
    name, wanted = _split(rule)
    if wanted and wanted != str(port):
        return False
    ruled = address(name)
    if literal is not None or ruled is not None:
        return literal is not None and literal == ruled
    domain = name.removeprefix("*") if name.startswith("*.") else name
    if domain.startswith("."):
        return host.endswith(domain)
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _split(rule: str) -> tuple[str, str]:
    """Host and port, the port empty when there is none; `::1` is an address, `[::1]:80` one with a port."""
    name, colon, port = rule.rpartition(":")
    if colon and port.isdecimal() and (":" not in name or name.endswith("]")):
        return name.strip("[]"), port
    return rule.strip("[]"), ""


def _in_network(literal: Address, rule: str) -> bool:
    try:
        return literal in ipaddress.ip_network(rule, strict=False)
    except ValueError:
        return False


def _either(known: dict[str, str], name: str) -> str:
    return known.get(name.upper()) or known.get(name, "")
