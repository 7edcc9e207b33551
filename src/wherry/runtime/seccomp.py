"""Which seccomp profile a container gets. A choice, an architecture and capabilities in, `linux.seccomp` out; reads
seccomp.toml beside it, or the user's file.

Wherry's own list and the reason for each group are in seccomp.toml; here is only how it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Final

import msgspec

from wherry.errors import CorruptError, UsageError
from wherry.formats.seccomp import ARCHITECTURES, LARGEST, Argument, Rule, Seccomp, Target, read
from wherry.kit.files import atomic_write
from wherry.kit.streams import read_limited
from wherry.kit.value import Value, decodable

_EPERM, _ENOSYS = 1, 38
_GOES_ON: Final = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY", "SCMP_ACT_TRACE")
_FILE: Final = Path(__file__).with_suffix(".toml")


class _Test(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    index: int
    mask: int | None = None
    equal: int


class _Group(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    calls: str = ""
    group: str = ""
    why: str = ""
    name: str = ""
    architectures: tuple[str, ...] = ()
    not_architectures: tuple[str, ...] = ()
    families: tuple[int, ...] = ()
    """Of sockets."""
    rules: tuple[tuple[_Test, ...], ...] = ()

    def on(self, architecture: str) -> bool:
        return (
            not self.architectures or architecture in self.architectures
        ) and architecture not in self.not_architectures


class _File(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    allow: Annotated[tuple[_Group, ...], msgspec.Meta(min_length=1)]
    only: tuple[_Group, ...]
    argument: tuple[_Group, ...]
    refuse: tuple[_Group, ...]
    absent: tuple[_Group, ...]
    capability: tuple[_Group, ...]


def default_seccomp(architecture: str, capabilities: tuple[str, ...] = ()) -> Seccomp:
    """Wherry's own profile for images of Go's `architecture` whose containers have `capabilities` (`CAP_NET_RAW` ...).

    A typed value: `msgspec.json.encode` and `msgspec.to_builtins` give the OCI `linux.seccomp`, `formats.seccomp.to_docker`
    Docker's form. What is neither allowed nor refused by name gives ENOSYS. An architecture that seccomp does not know
    gets the same calls, and no `architectures`, which means the machine's own.
    """
    file = _read()
    added = frozenset(call for one in file.capability if one.name in capabilities for call in one.calls.split())
    allowed = set(_calls(one for one in (*file.allow, *file.only) if one.on(architecture))) | added
    refused = set(_calls(file.refuse)) - allowed
    absent = set(_calls(file.absent)) - allowed
    families = tuple(family for one in file.capability if one.name in capabilities for family in one.families)
    return Seccomp(
        default_action="SCMP_ACT_ERRNO",
        default_errno_ret=_ENOSYS,
        architectures=ARCHITECTURES.get(architecture, ()),
        syscalls=(
            Rule(names=tuple(sorted(allowed)), action="SCMP_ACT_ALLOW"),
            *_conditional(file, architecture, allowed, families),
            Rule(names=tuple(sorted(refused)), action="SCMP_ACT_ERRNO", errno_ret=_EPERM),
            *((Rule(names=tuple(sorted(absent)), action="SCMP_ACT_ERRNO", errno_ret=_ENOSYS),) if absent else ()),
        ),
    )


def chosen_seccomp(choice: str, target: Target, kept: Path | None = None) -> Seccomp | None:
    """The profile that `choice` means on `target`: `default` is wherry's own, `unconfined` none, all else a file in Docker's or
    the OCI form. `kept`: a folder where wherry's own lies ready once it was made.

    Raises CorruptError [bad-seccomp] with the path of the first mistake in it, UsageError [no-seccomp] when it cannot be read.
    """
    if choice == "unconfined":
        return None
    if choice in ("", "default"):
        return _ready(target, kept) if kept else default_seccomp(target.architecture, target.capabilities)
    try:
        with Path(choice).open("rb") as file:
            data = read_limited(file, limit=LARGEST, name=choice)
    except OSError as error:
        raise UsageError(
            "no-seccomp", f"the seccomp profile {choice} cannot be read: {error.strerror}", where=choice,
            next="name a file, `default` or `unconfined`",
        ) from error  # fmt: skip
    profile = read(data, target, name=choice)
    if not _lets_execute(profile):
        raise CorruptError(
            "bad-seccomp", f"{choice} forbids execve, without which no program starts", where=choice,
            next="allow execve; wherry profile writes one that fits",
        )  # fmt: skip
    return profile


def _ready(target: Target, folder: Path) -> Seccomp:
    """Wherry's own profile as it was written down: to read seccomp.toml takes ten times as long."""
    status = _FILE.stat()
    parts = (
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        target.architecture,
        *target.capabilities,
    )
    file = folder / f"seccomp-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}.json"
    try:
        return msgspec.json.decode(file.read_bytes(), type=decodable(Seccomp))
    except (OSError, msgspec.MsgspecError):
        made = default_seccomp(target.architecture, target.capabilities)
        atomic_write(file, msgspec.json.encode(made), mode=0o600)
        return made


def _lets_execute(profile: Seccomp) -> bool:
    if profile.default_action in _GOES_ON:
        return True
    return any("execve" in rule.names and rule.action in _GOES_ON for rule in profile.syscalls)


@cache
def _read() -> _File:
    import tomllib

    return msgspec.convert(tomllib.loads(_FILE.read_text()), decodable(_File))


def _calls(groups: Iterable[_Group]) -> Iterator[str]:
    for one in groups:
        yield from one.calls.split()


def _conditional(file: _File, architecture: str, allowed: set[str], families: tuple[int, ...]) -> Iterator[Rule]:
    for one in file.argument:
        names = tuple(name for name in one.calls.split() if name not in allowed)
        if not names or not one.on(architecture):
            continue
        for tests in one.rules:
            yield Rule(names=names, action="SCMP_ACT_ALLOW", args=tuple(_argument(test) for test in tests))
        for family in families if "socket" in names else ():
            yield Rule(names=names, action="SCMP_ACT_ALLOW", args=(_argument(_Test(index=0, equal=family)),))


def _argument(test: _Test) -> Argument:
    if test.mask is None:
        return Argument(index=test.index, value=test.equal, op="SCMP_CMP_EQ")
    return Argument(index=test.index, value=test.mask, value_two=test.equal, op="SCMP_CMP_MASKED_EQ")
