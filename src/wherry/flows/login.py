"""Logging in and out. A host and credentials in, where they are kept out; nothing is kept before the registry has accepted it."""

from __future__ import annotations

import shlex

from wherry.errors import UsageError
from wherry.flows.rooms import store_ports
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.oci import reference as references
from wherry.oci.reference import DOCKER_HUB
from wherry.store.registry import login as logins
from wherry.store.registry.account import Credentials
from wherry.store.registry.credentials import HUB_KEYS


class LoggedIn(Value, frozen=True, kw_only=True):
    """What a login did."""

    host: str
    user: str
    place: str
    """Where the credentials are kept, for people."""
    findings: tuple[Finding, ...] = ()


class LoggedOut(Value, frozen=True, kw_only=True):
    """What a logout did."""

    host: str
    places: tuple[str, ...]
    """The files and helpers that had credentials; none when nobody was logged in."""


def login(host: str, account: Credentials, machine: Machine) -> LoggedIn:
    """Asks the registry, then keeps the credentials. UsageError [bad-registry], UnavailableError [wrong-password] and others."""
    name = registry_named(host)
    if not account.user or ":" in account.user or not account.user.isprintable():
        raise UsageError("bad-user", f"{account.user[:60]!r} is no user name: it is empty, or holds a colon")
    if not account.secret:
        raise UsageError("no-password", "the password is empty", next=f"wherry registry login {shlex.quote(name)}")
    with store_ports(machine) as ports:
        known = logins.accepted(name, account, ports)
        place, plain = logins.keep(name, account, ports)
    found = []
    if not known:
        message = f"{name} asks nobody who they are, so the password was not checked"
        found.append(Finding(name="unchecked-login", message=message, next="try what needs it"))
    if plain:
        message = f"the password stands in {place}, as Docker writes it: encoded, not encrypted"
        step = "install a credential helper and name it there as credsStore"
        found.append(Finding(name="plain-credentials", message=message, next=step))
    return LoggedIn(host=name, user=account.user, place=place, findings=tuple(found))


def logout(host: str, machine: Machine) -> LoggedOut:
    """Forgets what is kept for `host`."""
    name = registry_named(host)
    with store_ports(machine) as ports:
        return LoggedOut(host=name, places=logins.forget(name, ports))


def registry_named(text: str) -> str:
    """A registry's host as image names begin with it; UsageError [bad-registry]."""
    host = text.removeprefix("https://").removeprefix("http://").rstrip("/").lower()
    if host in HUB_KEYS or text.rstrip("/") == "https://index.docker.io/v1":
        return DOCKER_HUB
    if text.lower() != host or not references.is_host(host):
        raise UsageError(
            "bad-registry",
            f"{text[:200]!r} is no registry: name its host, as image names begin with it",
            next=f"wherry registry login {shlex.quote(host if references.is_host(host) else 'registry.example:5000')}",
        )
    return host
