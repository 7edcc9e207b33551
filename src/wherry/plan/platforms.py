"""Which platforms, in one spelling each, and the Go variables that each means. Touches nothing."""

from __future__ import annotations

from functools import partial
from typing import Final

from wherry.errors import UsageError
from wherry.model.plan import Decision, Pairs
from wherry.oci import platform as oci_platform
from wherry.oci.platform import Platform
from wherry.plan.answer import Answer, Facts, because, each, where
from wherry.plan.inputs import PlanInputs
from wherry.plan.tiers import Effective, Keys

#: Variants that mean the architecture's baseline, or have two names (containerd and Go agree): (architecture, said) → written.
SAME: Final = {
    ("amd64", "v1"): "",
    ("arm64", "v8"): "",
    ("arm64", "v8.0"): "",
    ("arm", ""): "v7",
    ("386", "sse2"): "",
    ("mips", "hardfloat"): "",
    ("mipsle", "hardfloat"): "",
    ("mips64", "hardfloat"): "",
    ("mips64le", "hardfloat"): "",
    ("ppc64", "power8"): "",
    ("ppc64le", "power8"): "",
    ("riscv64", "rva20u64"): "",
}
#: Architecture → Go's variable for its variants, and the baseline (`go help environment`, Go 1.26).
VARIABLES: Final = {
    "386": ("GO386", "sse2"),
    "amd64": ("GOAMD64", "v1"),
    "arm": ("GOARM", "7"),
    "arm64": ("GOARM64", "v8.0"),
    "mips": ("GOMIPS", "hardfloat"),
    "mipsle": ("GOMIPS", "hardfloat"),
    "mips64": ("GOMIPS64", "hardfloat"),
    "mips64le": ("GOMIPS64", "hardfloat"),
    "ppc64": ("GOPPC64", "power8"),
    "ppc64le": ("GOPPC64", "power8"),
    "riscv64": ("GORISCV64", "rva20u64"),
}


#: What `all` means on a base that wherry makes itself: the Linux platforms that Go builds for and Docker's official images have.
ALL: Final = (
    *("linux/386", "linux/amd64", "linux/arm/v7", "linux/arm64"),
    *("linux/ppc64le", "linux/riscv64", "linux/s390x"),
)


def decide(facts: Facts) -> Answer[tuple[Platform, ...]]:
    """The platforms asked for, each once, in their order; else this machine's. UsageError [unknown-platform] with its place."""
    settings = facts.settings
    if not settings.platforms:
        platform = host(facts.inputs)
        decision = Decision(name="platforms", value=str(platform), reason="this machine's processor")
        return Answer(value=(platform,), decisions=(decision,))
    found = dict.fromkeys(one for some in each(partial(_platforms, settings), settings.platforms) for one in some)
    source = settings.source("platforms")
    reason, origin = because(source, "")
    value = ", ".join(map(str, found))
    decision = Decision(name="platforms", value=value, reason=reason, origin=origin, place=source.place)
    return Answer(value=tuple(found), decisions=(decision,))


def _platforms(settings: Effective, number: int, text: str) -> tuple[Platform, ...]:
    keys: Keys = ("platforms", number)
    place = where(settings.source(*keys), keys)
    if text == "all" and (settings.image.base or "static") in ("static", "scratch"):
        return tuple(canonical(oci_platform.parse(one)) for one in ALL)
    if text == "all":
        raise UsageError(
            "unknown-platform",
            "all platforms are known only of the bases static and scratch",
            where=place,
            next="name them: --platform linux/amd64,linux/arm64",
        )
    try:
        return (canonical(oci_platform.parse(text)),)
    except UsageError as error:
        raise UsageError("unknown-platform", error.message, where=place, next=error.next) from error


def host(inputs: PlanInputs) -> Platform:
    """Linux on this machine's processor; what a container engine here runs."""
    return canonical(Platform(architecture=inputs.toolchain.host_architecture or "amd64"))


def canonical(platform: Platform) -> Platform:
    """One spelling for platforms that are the same, so that none is built twice."""
    variant = SAME.get((platform.architecture, platform.variant), platform.variant)
    return Platform(os=platform.os, architecture=platform.architecture, variant=variant)


def go_variables(platform: Platform) -> Pairs:
    """GOOS, GOARCH and the variable of its variant, which is always said: a user's own setting must not slip in."""
    pairs = (("GOOS", platform.os), ("GOARCH", platform.architecture))
    variable, baseline = VARIABLES.get(platform.architecture, ("", ""))
    variant = platform.variant.removeprefix("v") if platform.architecture == "arm" else platform.variant
    return (*pairs, (variable, variant or baseline)) if variable else pairs
