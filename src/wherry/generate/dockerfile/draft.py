"""What the stages of one Dockerfile are written from. Values; touches nothing."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Final

from wherry.errors import UsageError
from wherry.generate import names
from wherry.generate.dockerfile.footings import FOOTINGS, OWN_BASE, SCRATCH, Footing, Lack
from wherry.generate.text import in_one_line
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.model.application import Application, Pin

KIND: Final = "a Dockerfile"
APP: Final = "/app"


class Variant(Value, frozen=True, kw_only=True):
    """One kind of Dockerfile."""

    name: str
    help: str
    stages: tuple[Callable[[Draft], str], ...]
    footing: Footing | None = None
    """What the final stage stands on; None: image.base."""
    hardened: bool = False
    """Position-independent code, and an init where the program starts others."""


class Draft(Value, frozen=True, kw_only=True):
    """An application in a variant."""

    application: Application
    variant: Variant

    @property
    def static(self) -> bool:
        return self.application.sources.static

    @property
    def footing(self) -> Footing:
        """What the final stage stands on."""
        return self.variant.footing or FOOTINGS[self.application.base_kind]

    @property
    def stands_on(self) -> tuple[str, str]:
        """The same in the users' words: what it is called, and where they said so."""
        if self.variant.footing:
            return self.variant.name, f"--variant {self.variant.name}"
        return self.application.base, f"image.base = {one_line(self.application.base)[:80]}"

    @property
    def base(self) -> Pin | None:
        """The final stage's image: image.base where it is of that kind; None for scratch. UsageError [base-libc] for a program
        that could not start there, [base-place] for an image that no registry has."""
        role = self.footing.static if self.static else self.footing.dynamic
        name, place = self.stands_on
        if not role:
            raise UsageError(
                "base-libc",
                f"{self.application.name} needs a C library, and {name} has none",
                where=place,
                next=("set build.static = true in wherry.toml", "--variant distroless or debian"),
            )
        own = self.application.own_base
        if own and self.footing == FOOTINGS[self.application.base_kind]:
            return own
        if role == OWN_BASE:
            raise UsageError(
                "base-place",
                "a Dockerfile can only name a base that a registry has",
                where=place,
                next=(
                    f"wherry copy {shlex.quote(one_line(name)[:80])} docker://REGISTRY/NAME:TAG, and name that",
                    "--variant distroless",
                ),
            )
        return None if role == SCRATCH else self.application.pin(role)

    @property
    def builder(self) -> Pin:
        """What compiles: with musl's C library where the program runs with that."""
        return self.application.pin("musl-builder" if self.musl else "builder")

    @property
    def musl(self) -> bool:
        return self.footing.musl and not self.static

    @property
    def native(self) -> bool:
        """The compiling stage has the target's platform, since it needs that platform's C compiler."""
        return self.application.sources.cgo or self.static_pie

    @property
    def static_pie(self) -> bool:
        return self.variant.hardened and self.static

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What must be brought along: needed, and not in the base."""
        runs = self.application.runs
        needed = {
            "authorities": runs.certificates or self.libraries,
            "zones": runs.zones or self.libraries,
            "accounts": not {runs.user, runs.group} <= set(self.footing.named),
            "temporary": True,
        }
        return tuple(one for one in self.footing.lacks if needed[one])

    @property
    def libraries(self) -> bool:
        """It has code of others, which may call others over TLS and ask for time zones: only its own was looked at."""
        sources = self.application.sources
        return sources.vendored or any(one.endswith(".sum") for one in sources.module_files)

    @property
    def check(self) -> tuple[str, ...]:
        """The health check in exec form. UsageError [shell-probe] for one by a program that the image has not."""
        words = names.check(self.application)
        own = {names.PROBE, *(f"{APP}/{one.name}" for one in self.application.programs)}
        brought = tuple(f"{one.into.rstrip('/')}/" for one in self.application.assets)
        if not words or self.footing.has_shell or words[0] in own or words[0].startswith(brought):
            return words
        raise UsageError(
            "shell-probe",
            f"the health check starts {words[0]}, and {self.stands_on[0]} has no such program",
            where=f"image.health.command = {' '.join(words)[:60]}",
            why="such a container would never be healthy",
            next='image.health = { path = "/healthz", port = 8080 }, or a subcommand of your program',
        )

    @property
    def probed(self) -> bool:
        """Wherry's own probe is in the image."""
        return self.check[:1] == (names.PROBE,)

    @property
    def collected(self) -> bool:
        """Wherry's init is in the image."""
        return self.variant.hardened and self.application.runs.children


def told(text: str, what: str) -> str:
    """A text of the repository on its way into an instruction. UsageError [bad-text] for one that no instruction can hold."""
    return in_one_line(text, what=what, file=KIND)


def held(instruction: Callable[[], str], what: str) -> str:
    """An instruction with texts of the repository. UsageError [bad-text] for what it cannot hold."""
    try:
        return instruction()
    except ValueError as error:
        raise UsageError(
            "bad-text",
            f"{what} cannot be written into {KIND}: {one_line(str(error))}",
            where=what,
            next="call it otherwise",
        ) from error
