"""Do TLS, time zones, names and users work in this root, for a program that needs them. What it needs is read from the program: a
function that is not in it cannot be called."""

from __future__ import annotations

from collections.abc import Callable

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.kit.value import Value
from wherry.model.observation import Expectations, Needless, Observed
from wherry.model.trials import Links, Surroundings
from wherry.model.verdict import Verdict

FEW = 20
"""Authorities below which a bundle is somebody's own."""


class Found(Value, frozen=True, kw_only=True):
    """How one of them is, for whoever needs it."""

    good: str = ""
    """In words; empty: it does not work."""
    bad: str = ""
    seen: tuple[str, ...] = ()
    next: str = ""


def tls(observed: Observed, _: Expectations) -> Verdict:
    """PASS: the system's authorities verify the chain of a well-known one. SKIP: the program is no client of TLS."""
    return _judged("tls", observed, lambda links: links.tls, _authorities)


def zones(observed: Observed, _: Expectations) -> Verdict:
    """PASS: time zones load by name, or the program brings its own. SKIP: it loads none."""
    return _judged("zones", observed, lambda links: links.zones, _zones)


def dns(observed: Observed, _: Expectations) -> Verdict:
    """PASS: localhost has an address, and what resolving reads can be read. SKIP: the program looks up no names."""
    return _judged("dns", observed, lambda links: links.names, _names)


def users(observed: Observed, _: Expectations) -> Verdict:
    """PASS: its user has a name and a home. SKIP: the program does not ask."""
    return _judged("users", observed, lambda links: links.users, _user)


def _judged(
    check: str, observed: Observed, needed: Callable[[Links], str], look: Callable[[Surroundings, Links], Found]
) -> Verdict:
    links = observed.links if isinstance(observed.links, Links) else None
    if links is not None and not needed(links):
        return nothing(check, Needless(why="the program links nothing that needs it"))
    match observed.surroundings:
        case Surroundings() as seen:
            found = look(seen, links or Links())
        case why:
            return nothing(check, why)
    if found.good:
        return passed(check, found.good, *found.seen)
    if links is None:
        return unknown(check, f"{found.bad}; whether it needs that is not known", *found.seen)
    return failed(check, found.bad, *found.seen, f"the program links {needed(links)}", next=found.next)


def _authorities(seen: Surroundings, links: Links) -> Found:
    if links.own_certificates and not seen.certificates:
        return Found(good="the program brings authorities of its own")
    if seen.authority:
        return Found(good=f"{seen.certificates} authorities; the chain of {seen.authority} is verified")
    if 0 < seen.certificates < FEW:
        return Found(good=f"{seen.certificates} authorities of your own, and no public one")
    return Found(
        bad="the root has no certificate authorities"
        if not seen.certificates
        else "no well-known authority is trusted",
        seen=(seen.distrust,),
        next="the base static has them",
    )


def _zones(seen: Surroundings, links: Links) -> Found:
    wrong = tuple(f"{name}: {error}" for name, error in seen.zones if error)
    if links.own_zones:
        return Found(good="the program brings time zones of its own")
    if not wrong:
        return Found(good=", ".join(name for name, _ in seen.zones))
    return Found(
        bad="time zones cannot be loaded", seen=wrong, next='the base static has them; so has import _ "time/tzdata"'
    )


def _names(seen: Surroundings, _: Links) -> Found:
    denied = tuple(f"{path}: {error}" for path, error in seen.files if error and "no such file" not in error)
    if denied:
        return Found(
            bad="its user cannot read what resolving needs", seen=denied, next="these files must be readable by all"
        )
    if not seen.addresses:
        return Found(
            bad="localhost has no address", seen=(seen.lookup,), next="/etc/nsswitch.conf must name files before dns"
        )
    return Found(good=f"localhost is {', '.join(seen.addresses)}")


def _user(seen: Surroundings, _: Links) -> Found:
    if seen.user and seen.home:
        return Found(good=f"{seen.user}, at home in {seen.home}")
    what = "its user has no name" if not seen.user else "its user has no home"
    return Found(
        bad=what, seen=(seen.nobody,) if seen.nobody else (), next="the base static has its user in /etc/passwd"
    )
