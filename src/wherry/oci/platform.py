"""Platforms (image-spec image-index.md). `linux/arm/v7` in, a Platform out; touches nothing."""

from __future__ import annotations

import msgspec

from wherry.errors import UsageError
from wherry.kit.text import closest
from wherry.kit.value import Value

#: Linux ports of Go (`go tool dist list`, Go 1.26) and the variants each architecture knows.
VARIANTS: dict[str, tuple[str, ...]] = {
    "386": ("", "softfloat", "sse2"),
    "amd64": ("", "v1", "v2", "v3", "v4"),
    "arm": ("", "v5", "v6", "v7"),
    "arm64": ("", "v8", *(f"v8.{minor}" for minor in range(10)), *(f"v9.{minor}" for minor in range(6))),
    "loong64": ("",),
    "mips": ("", "hardfloat", "softfloat"),
    "mips64": ("", "hardfloat", "softfloat"),
    "mips64le": ("", "hardfloat", "softfloat"),
    "mipsle": ("", "hardfloat", "softfloat"),
    "ppc64": ("", "power8", "power9", "power10"),
    "ppc64le": ("", "power8", "power9", "power10"),
    "riscv64": ("", "rva20u64", "rva22u64", "rva23u64"),
    "s390x": ("",),
}
LINUX = "linux"
#: What other tools call these architectures.
ALIASES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386", "x86": "386"}


class Platform(Value, frozen=True, kw_only=True, omit_defaults=True):
    """An operating system, an architecture in Go's words, and a variant (empty: the architecture's baseline)."""

    architecture: str
    os: str = msgspec.field(default_factory=lambda: LINUX)
    """Always written, as the specification asks: a plain default would be left out by identity, now and then."""
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")
    os_features: tuple[str, ...] = msgspec.field(default=(), name="os.features")

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def parse(text: str) -> Platform:
    """`os/arch[/variant]` as a platform Go can build; UsageError [unknown-platform] names the nearest."""
    system, _, rest = text.strip().partition("/")
    architecture, _, variant = rest.partition("/")
    architecture = ALIASES.get(architecture, architecture)
    if system != "linux" or variant not in VARIANTS.get(architecture, ()):
        known = tuple(name + (f"/{level}" if level else "") for name in VARIANTS for level in VARIANTS[name])
        near = closest(rest or system, known) if rest or system not in ("", "linux") else ""
        raise UsageError(
            "unknown-platform",
            f"{text!r} is no platform that wherry builds for",
            next=(
                f"did you mean linux/{near}?" if near else "use for instance linux/amd64, linux/arm64 or linux/arm/v7"
            ),
        )
    return Platform(os=system, architecture=architecture, variant=variant)


#: What an architecture without a variant means (containerd's normalisation).
BASELINE = {"amd64": "v1", "arm": "v7", "arm64": "v8"}


def best(wanted: Platform, available: tuple[Platform, ...]) -> Platform | None:
    """The most capable of `available` that runs where `wanted` does, as containerd chooses: same system and architecture, the
    highest variant not above the wanted one."""
    same = [one for one in available if (one.os, one.architecture) == (wanted.os, wanted.architecture)]
    level = _level(wanted)
    below = [one for one in same if _level(one) <= level and _family(one) == _family(wanted)]
    return max(below, key=_level, default=None)


def _family(platform: Platform) -> str:
    """Variants that are not levels of one scale (softfloat, power9, rva22u64) only match themselves."""
    return "" if platform.architecture in BASELINE else platform.variant


def _level(platform: Platform) -> tuple[int, ...]:
    variant = platform.variant or BASELINE.get(platform.architecture, "")
    digits = variant.removeprefix("v").split(".")
    return tuple(int(digit) for digit in digits) if all(digit.isdecimal() for digit in digits) else (0,)
