"""`wherry base lock`, `outdated`, `verify`. A repository in, what its bases are, were and would be out; asks registries, and
writes wherry.lock."""

from __future__ import annotations

import posixpath
from pathlib import Path

from msgspec.structs import replace

from wherry.analyze.layout import locate
from wherry.errors import CorruptError, RefusedError, UnavailableError, UnknownError, UsageError, WherryError
from wherry.flows import parts, rooms
from wherry.flows.bases import BUILT_IN, wanted_of
from wherry.flows.plan import plan_with, toolchain_of
from wherry.flows.request import BuildRequest
from wherry.flows.tiers import read_tiers
from wherry.kit import parallel
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.lock import NAME, Lock, LockedBase, LockedPlatform
from wherry.model.plan import BaseChoice, Plan
from wherry.oci import platform as platforms
from wherry.oci import reference as references
from wherry.oci.platform import Platform
from wherry.plan import drift, lockfile
from wherry.plan.base import ARCHIVES
from wherry.store import place as places
from wherry.store.base import Bases, Wanted, reference_now
from wherry.store.keeper import Ports
from wherry.store.pick import read as read_candidate
from wherry.store.places import at
from wherry.store.registry.keeper import repository

AT_ONCE = 4


class Change(Value, frozen=True, kw_only=True):
    """One line of the lock that is another now. Empty: was not, or is not any more, locked."""

    what: str
    before: str = ""
    after: str = ""


class LockReport(Value, frozen=True, kw_only=True):
    """What `wherry base lock` did."""

    file: str
    lock: Lock
    changes: tuple[Change, ...] = ()
    written: bool = False
    findings: tuple[Finding, ...] = ()


class BaseState(Value, frozen=True, kw_only=True):
    """One locked base as it is today."""

    reference: str
    state: str
    """current, outdated or fixed (it has no tag that could move); right or wrong; unknown when nobody could be asked."""
    locked: str
    now: str = ""
    """The digest its name means today."""
    created: str = ""
    why: str = ""


def lock(request: BuildRequest, machine: Machine) -> LockReport:
    """Asks what each base of the repository means today, and writes it to wherry.lock with the versions here. Leaves the file
    alone when nothing changed."""
    root = locate(str(rooms.standing(request))).root
    plan, old = _plan(request, machine), _old(root)
    choices = {image.base.lock: image.base for image in plan.images if image.base.lock}
    named = {one.reference: choice_of(one.reference) for one in old.bases if one.files} | choices
    with rooms.store_ports(machine) as ports:
        bases = _bases(machine, ports)
        found = parallel.each(lambda choice: _resolved(choice, bases), named.values(), at_once=AT_ONCE)
    found = tuple(replace(one, files=one.reference not in choices) for one in found)
    new = Lock(bases=tuple(sorted(found, key=lambda one: one.reference)), parts=parts.installed(plan))
    written = lockfile.write(Path(root), new)
    return LockReport(
        file=f"{root}/{NAME}", lock=new, changes=_changes(old, new), written=written, findings=tuple(_unlockable(plan))
    )


def outdated(request: BuildRequest, machine: Machine) -> tuple[BaseState, ...]:
    """Each locked base, and whether its name means another image today. UsageError [no-lock]."""
    locked, root = _locked(request)

    def state(base: LockedBase) -> BaseState:
        wanted = _wanted(base, root)
        made = BaseState(reference=base.reference, state="fixed", locked=base.digest, created=base.created)
        if isinstance(wanted.place, places.RegistryPlace) and not wanted.place.reference.tag:
            return made
        try:
            now = str(reference_now(wanted, ports))
        except (UnavailableError, UnknownError, CorruptError, UsageError, RefusedError) as error:
            return replace(made, state="unknown", why=error.message)
        return replace(made, state="current" if now == base.digest else "outdated", now=now)

    with rooms.store_ports(machine) as ports:
        return parallel.each(state, locked.bases, at_once=AT_ONCE)


def verify(request: BuildRequest, machine: Machine) -> tuple[BaseState, ...]:
    """Each locked base, and whether it is still there whole: its documents are read and compared, its layers asked for.
    Nothing kept from other runs is believed. UsageError [no-lock]."""
    locked, root = _locked(request)

    def state(base: LockedBase) -> BaseState:
        made = BaseState(reference=base.reference, state="right", locked=base.digest, created=base.created)
        try:
            why = _wrong(base, _wanted(base, root), ports, _fresh(machine, ports))
        except (UsageError, RefusedError, CorruptError) as error:
            return replace(made, state="wrong", why=error.message)
        except (UnavailableError, UnknownError) as error:
            missing = error.name == "registry-not-found"
            return replace(made, state="wrong" if missing else "unknown", why=error.message)
        return replace(made, state="wrong" if why else "right", why=why)

    with rooms.store_ports(machine) as ports:
        return parallel.each(state, locked.bases, at_once=1)


def _plan(request: BuildRequest, machine: Machine) -> Plan:
    """Of all that the words name: without any, what wherry.toml says, else every main of the repository."""
    layout = locate(str(rooms.standing(request)))
    if not request.packages and not named_by_settings(request, machine):
        request = replace(request, packages=("./...",), directory=layout.root)
    return plan_with(request, toolchain_of(request, machine), machine, use_lock=False).plan


def named_by_settings(request: BuildRequest, machine: Machine) -> tuple[str, ...]:
    """What wherry.toml or a variable says that a bare build builds."""
    layout = locate(str(rooms.standing(request)))
    tiers = read_tiers(request, layout, machine)
    return next((tier.settings.packages for tier in reversed(tiers) if tier.settings.packages), ())


def pinned(names: tuple[str, ...], request: BuildRequest, machine: Machine) -> tuple[LockedBase, ...]:
    """What each image that generated files name is today, added to wherry.lock, which is made where there is none. The errors of
    registries: nothing is written then."""
    root = locate(str(rooms.standing(request))).root
    with rooms.store_ports(machine) as ports:
        bases = _bases(machine, ports)
        found = parallel.each(lambda name: _resolved(choice_of(name), bases), names, at_once=AT_ONCE)
    old = lockfile.load(Path(root)) or lock(request, machine).lock
    kept = {one.reference: one for one in old.bases}
    new = {one.reference: replace(one, files=True) for one in found if one.reference not in kept}
    rows = sorted((kept | new).values(), key=lambda one: one.reference)
    lockfile.write(Path(root), replace(old, bases=tuple(rows)))
    return found


def choice_of(name: str) -> BaseChoice:
    """An image by its reference, as a base would be asked for."""
    return BaseChoice(name=f"docker://{name}", lock=name)


def _resolved(choice: BaseChoice, bases: Bases) -> LockedBase:
    wanted = wanted_of(choice)
    top = bases.top(wanted)
    there = bases.platforms(wanted)
    rows = {str(one.platform): str(one.descriptor.digest) for one in there if _buildable(one.platform)}
    return LockedBase(
        reference=choice.lock,
        digest=str(top.descriptor.digest),
        created=_created(read_candidate(top, there[0]).settings.created) if there else "",
        platforms=tuple(LockedPlatform(platform=name, digest=digest) for name, digest in sorted(rows.items())),
    )


def _created(text: str) -> str:
    """Bases built reproducibly say the year 1 or 1970, which means nothing."""
    return "" if text[:4] in ("0001", "1970") or not text.isprintable() else text[:40]


def _buildable(platform: Platform) -> bool:
    try:
        return platforms.parse(str(platform)) is not None
    except UsageError:
        return False


def _bases(machine: Machine, ports: Ports) -> Bases:
    blobs = rooms.blobs(machine, ports.scratch, BuildRequest())
    return Bases(ports, blobs, blobs.records, lazy=True)


def _fresh(machine: Machine, ports: Ports) -> Bases:
    """Over an empty cache, so that everything is asked for."""
    blobs = rooms.blobs(machine, ports.scratch, BuildRequest(cache=False))
    return Bases(ports, blobs, blobs.records, lazy=True)


def _old(root: str) -> Lock:
    """A lock that cannot be read is about to be replaced; one of a newer wherry is not."""
    try:
        return lockfile.load(Path(root)) or Lock()
    except WherryError as error:
        if error.name in ("newer-lock", "unsafe-file"):
            raise
        return Lock()


def _changes(old: Lock, new: Lock) -> tuple[Change, ...]:
    before = {one.reference: one.digest for one in old.bases} | dict(old.parts)
    after = {one.reference: one.digest for one in new.bases} | dict(new.parts)
    names = tuple(dict.fromkeys((*after, *before)))
    return tuple(
        Change(what=name, before=before.get(name, ""), after=after.get(name, ""))
        for name in names
        if before.get(name) != after.get(name)
    )


def _unlockable(plan: Plan) -> tuple[Finding, ...]:
    names = {image.base.name for image in plan.images if not image.base.lock} - set(BUILT_IN)
    return tuple(one for image in plan.images for one in image.findings if one.name == "base-only-here" and names)


def _locked(request: BuildRequest) -> tuple[Lock, str]:
    root = locate(str(rooms.standing(request))).root
    found = parts.lock_in(root)
    if found is None:
        raise drift.missing()
    return found, root


def _wanted(base: LockedBase, root: str) -> Wanted:
    """The base as a place. A path may not lead out of the repository, whoever wrote it there."""
    scheme, colon, path = base.reference.partition(":")
    if not colon or scheme not in ARCHIVES:
        reference = references.in_registry(references.parse(base.reference))
        return Wanted(name=base.reference, place=places.RegistryPlace(reference=reference), digest=base.digest)
    if path.startswith("/") or posixpath.normpath(path).split("/")[0] == "..":
        raise lockfile.bad(f"{base.reference} leads out of the repository")
    place = places.parse(f"{scheme}:{posixpath.join(root, path)}")
    return Wanted(name=base.reference, place=place, digest=base.digest)


def _wrong(base: LockedBase, wanted: Wanted, ports: Ports, bases: Bases) -> str:
    """What of the base is not as locked; empty when all is."""
    top = bases.top(wanted)
    there = {str(one.platform): one for one in bases.platforms(wanted)}
    for locked in base.platforms:
        found = there.get(locked.platform)
        if found is None or found.descriptor.digest != locked.digest:
            return f"{locked.platform} is {found.descriptor.digest if found else 'not there'}"
        for layer in read_candidate(top, found).layers:
            match wanted.place:
                case places.RegistryPlace(reference=reference):
                    if not repository(reference, ports).has(layer.digest):
                        return f"the layer {layer.digest} of {locked.platform} is gone"
                case place:
                    for _ in at(place, ports).blob(layer):
                        pass
    return ""
