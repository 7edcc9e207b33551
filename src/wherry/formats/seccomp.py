"""Seccomp profiles in both forms: Docker's (moby profiles/seccomp, also containers-common's seccomp.json) and the OCI runtime
specification's `linux.seccomp` (config-linux.md#seccomp). Bytes in, values out, and from the first form to the second for one
kind of machine; touches nothing.

Strict, since a profile that is half understood protects less than its author believes: unknown fields, actions, operators
and architectures are errors with their path.
"""

from __future__ import annotations

import re
from typing import Annotated, Final, Literal

import msgspec

from wherry.errors import CorruptError, WherryError
from wherry.kit import jsons
from wherry.kit.value import Value

LARGEST: Final = 1 << 20
"""Bytes of a profile; Docker's own has 14 KB."""

Action = Literal[
    "SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP", "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE",
    "SCMP_ACT_ALLOW", "SCMP_ACT_LOG", "SCMP_ACT_NOTIFY",
]  # fmt: skip
Operator = Literal[
    "SCMP_CMP_NE", "SCMP_CMP_LT", "SCMP_CMP_LE", "SCMP_CMP_EQ", "SCMP_CMP_GE", "SCMP_CMP_GT", "SCMP_CMP_MASKED_EQ",
]  # fmt: skip
Architecture = Literal[
    "SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64", "SCMP_ARCH_MIPS",
    "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32", "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32",
    "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_PARISC",
    "SCMP_ARCH_PARISC64", "SCMP_ARCH_RISCV64", "SCMP_ARCH_LOONGARCH64",
]  # fmt: skip
Flag = Literal[
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
]  # fmt: skip
Errno = Annotated[int, msgspec.Meta(ge=0, le=4095)]
Word = Annotated[int, msgspec.Meta(ge=0)]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z_][a-z0-9_]*$", max_length=64)]
Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=1024)]

#: Go's architecture → libseccomp's, the machine's own first. 32-bit programs start on 64-bit kernels (and so under a 64-bit
#: runtime), which is why theirs are two; a 64-bit image gets no 32-bit door, of which kernels had their share of holes.
ARCHITECTURES: Final[dict[str, tuple[Architecture, ...]]] = {
    "amd64": ("SCMP_ARCH_X86_64",),
    "386": ("SCMP_ARCH_X86", "SCMP_ARCH_X86_64"),
    "arm64": ("SCMP_ARCH_AARCH64",),
    "arm": ("SCMP_ARCH_ARM", "SCMP_ARCH_AARCH64"),
    "mips": ("SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64"),
    "mipsle": ("SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64"),
    "mips64": ("SCMP_ARCH_MIPS64",),
    "mips64le": ("SCMP_ARCH_MIPSEL64",),
    "ppc64": ("SCMP_ARCH_PPC64",),
    "ppc64le": ("SCMP_ARCH_PPC64LE",),
    "s390x": ("SCMP_ARCH_S390X",),
    "riscv64": ("SCMP_ARCH_RISCV64",),
    "loong64": ("SCMP_ARCH_LOONGARCH64",),
}
#: What `includes.arches` calls them in Docker's form: Go's names, but for these.
_DOCKER_NAMES: Final = {"386": "x86", "mipsle": "mipsel", "mips64le": "mipsel64"}


class Argument(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """One comparison of one argument (counted from 0) as the kernel gets it: 64 bits, also for an `int`."""

    index: Annotated[int, msgspec.Meta(ge=0, le=5)]
    value: Word
    value_two: Word = 0
    """For MASKED_EQ: `argument & value == value_two`."""
    op: Operator


class Rule(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """What happens at these calls, when every comparison in `args` holds."""

    names: Names
    action: Action
    errno_ret: Errno | None = None
    """For ERRNO and TRACE; None: EPERM."""
    args: tuple[Argument, ...] = ()


class Seccomp(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """`linux.seccomp` of the OCI runtime specification; encodes to just that."""

    default_action: Action
    default_errno_ret: Errno | None = None
    architectures: tuple[Architecture, ...] = ()
    flags: tuple[Flag, ...] = ()
    listener_path: str = ""
    """A unix socket that gets the notifications' descriptor; only with NOTIFY rules."""
    listener_metadata: str = ""
    syscalls: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=4096)] = ()


class Filter(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """When a rule of Docker's form counts: for these capabilities (all), architectures (any), from this kernel on."""

    caps: tuple[Annotated[str, msgspec.Meta(pattern="^CAP_[A-Z_]+$")], ...] = ()
    arches: tuple[str, ...] = ()
    min_kernel: str = ""


class DockerRule(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A rule of Docker's form. Old profiles name one call in `name`."""

    name: Name | None = None
    names: Names | None = None
    action: Action
    errno_ret: Errno | None = None
    errno: str = ""
    """podman's word for `errnoRet`; told beside it."""
    args: tuple[Argument, ...] | None = None
    comment: str = ""
    includes: Filter | None = None
    excludes: Filter | None = None

    @property
    def every_name(self) -> tuple[str, ...]:
        return ((self.name,) if self.name else ()) + (self.names or ())


class SubArchitectures(Value, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A row of `archMap`: an architecture, and those that its kernel runs, too."""

    architecture: Architecture
    sub_architectures: tuple[Architecture, ...] | None = None


class Docker(Value, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A profile as `docker --security-opt seccomp=FILE`, podman, compose and Kubernetes' localhost profiles read it."""

    default_action: Action
    default_errno_ret: Errno | None = None
    default_errno: str = ""
    arch_map: tuple[SubArchitectures, ...] | None = None
    architectures: tuple[Architecture, ...] | None = None
    flags: tuple[Flag, ...] | None = None
    listener_path: str = ""
    listener_metadata: str = ""
    syscalls: Annotated[tuple[DockerRule, ...], msgspec.Meta(max_length=4096)]


class Target(Value, frozen=True, kw_only=True):
    """What a profile of Docker's form is resolved for: Go's architecture, capabilities that the container has, the kernel's
    version (its first two numbers)."""

    architecture: str
    capabilities: tuple[str, ...] = ()
    kernel: tuple[int, int] = (6, 1)

    @staticmethod
    def release(text: str) -> tuple[int, int]:
        """The first two numbers of what `uname -r` says: `6.1.0-18-amd64` is (6, 1); (0, 0) for a text without them."""
        found = re.match(r"(\d+)\.(\d+)", text)
        return (int(found[1]), int(found[2])) if found else (0, 0)


def read_docker(data: bytes, *, name: str) -> Docker:
    """The profile in `data`. CorruptError [bad-seccomp] with the path (`$.syscalls[3].action`) of the first mistake."""
    profile = _decode(data, Docker, name)
    if profile.arch_map and profile.architectures:
        raise _bad(name, "it has both archMap and architectures - at `$.architectures`")
    for number, rule in enumerate(profile.syscalls):
        if bool(rule.name) == bool(rule.names):
            raise _bad(name, f"a rule needs either a name or names - at `$.syscalls[{number}]`")
        for word, side in (("includes", rule.includes), ("excludes", rule.excludes)):
            if side and side.min_kernel and _version(side.min_kernel) is None:
                raise _bad(
                    name, f"{side.min_kernel!r} is no kernel version - at `$.syscalls[{number}].{word}.minKernel`"
                )
    return profile


def read_oci(data: bytes, *, name: str) -> Seccomp:
    """The `linux.seccomp` in `data`; the same error."""
    profile = _decode(data, Seccomp, name)
    for number, rule in enumerate(profile.syscalls):
        if not rule.names:
            raise _bad(name, f"a rule needs names - at `$.syscalls[{number}].names`")
    return profile


def read(data: bytes, target: Target, *, name: str) -> Seccomp:
    """What the profile in `data` means on `target`, in whichever form it is: Docker's form has all that the other has."""
    return to_oci(read_docker(data, name=name), target)


def to_oci(profile: Docker, target: Target) -> Seccomp:
    """What `profile` means on `target`: rules that count there, in their order."""
    rules = tuple(
        Rule(names=rule.every_name, action=rule.action, errno_ret=rule.errno_ret, args=rule.args or ())
        for rule in profile.syscalls
        if _counts(rule, target)
    )
    return Seccomp(
        default_action=profile.default_action,
        default_errno_ret=profile.default_errno_ret,
        architectures=_architectures(profile, target),
        flags=profile.flags or (),
        listener_path=profile.listener_path,
        listener_metadata=profile.listener_metadata,
        syscalls=rules,
    )


def to_docker(profile: Seccomp) -> Docker:
    """`profile` in Docker's form, for the architectures that it names."""
    return Docker(
        default_action=profile.default_action,
        default_errno_ret=profile.default_errno_ret,
        architectures=profile.architectures or None,
        flags=profile.flags or None,
        listener_path=profile.listener_path,
        listener_metadata=profile.listener_metadata,
        syscalls=tuple(
            DockerRule(names=one.names, action=one.action, errno_ret=one.errno_ret, args=one.args or None)
            for one in profile.syscalls
        ),
    )


def encode(profile: Docker | Seccomp) -> bytes:
    """`profile` as indented JSON with a line end, in the order of its fields."""
    return msgspec.json.format(msgspec.json.encode(profile), indent=2) + b"\n"


def _decode(data: bytes, kind: type[jsons.T], name: str) -> jsons.T:
    if len(data) > LARGEST:
        raise _bad(name, f"it has {len(data)} bytes, more than {LARGEST}")
    try:
        return jsons.decode(data, kind, name=name)
    except WherryError as error:
        raise _bad(name, str(error).partition(" is not valid: ")[2] or str(error)) from error


def _bad(name: str, why: str) -> CorruptError:
    return CorruptError(
        "bad-seccomp",
        f"{name} is no sound seccomp profile: {why}",
        where=name,
        next="mend it there, or leave it out for wherry's own profile",
    )


def _counts(rule: DockerRule, target: Target) -> bool:
    """moby profiles/seccomp/seccomp_linux.go: every kind of `includes` must hold, no kind of `excludes` may."""
    wanted, unwanted = rule.includes or Filter(), rule.excludes or Filter()
    architecture = _DOCKER_NAMES.get(target.architecture, target.architecture)
    have = frozenset(target.capabilities)
    held = (
        not wanted.arches or architecture in wanted.arches,
        have.issuperset(wanted.caps),
        not wanted.min_kernel or target.kernel >= (_version(wanted.min_kernel) or (0, 0)),
        architecture not in unwanted.arches,
        not have.intersection(unwanted.caps),
        not unwanted.min_kernel or target.kernel < (_version(unwanted.min_kernel) or (0, 0)),
    )
    return all(held)


def _architectures(profile: Docker, target: Target) -> tuple[Architecture, ...]:
    if profile.architectures:
        return profile.architectures
    own = ARCHITECTURES.get(target.architecture, ())
    for row in profile.arch_map or ():
        if row.architecture in own:
            return (row.architecture, *(row.sub_architectures or ()))
    return own if profile.arch_map else ()


def _version(text: str) -> tuple[int, int] | None:
    major, dot, minor = text.partition(".")
    return (int(major), int(minor)) if dot and major.isdecimal() and minor.isdecimal() else None
