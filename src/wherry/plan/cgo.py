"""Whether C code is compiled, by which compiler, and how it is linked. Touches nothing.

With cgo the repository chooses flags of a C compiler: that is running its code (A04). So it is on only where a package works only
with it or the user said so, it is always told, and `--untrusted` refuses it.
"""

from __future__ import annotations

from typing import Final

from wherry.errors import RefusedError, UnavailableError, UsageError
from wherry.kit.gonames import CGO
from wherry.kit.value import Value
from wherry.model.finding import Finding
from wherry.model.place import Place
from wherry.model.plan import Decision, Origin, Pairs
from wherry.model.project import CgoUse
from wherry.oci.platform import Platform
from wherry.plan import platforms
from wherry.plan.answer import Answer, Facts, where
from wherry.plan.flags import Flags

#: These make Go resolve names and users itself, so that a static link needs nothing of the C library at run time.
PURE_TAGS: Final = ("netgo", "osusergo")
BUILT_IN: Final = ("static", "scratch")


class Cgo(Value, frozen=True, kw_only=True):
    """What cgo means for one main."""

    on: bool = False
    static: bool = False
    """Linked statically by the C compiler's linker."""
    tags: tuple[str, ...] = ()
    environment: Pairs = ()
    """CGO_ENABLED, and with cgo the user's own CC, CGO_CFLAGS and so on."""


class Wish(Value, frozen=True, kw_only=True):
    """On or off, and who says so."""

    on: bool
    reason: str
    origin: Origin = "default"
    place: Place | None = None


def decide(facts: Facts, flags: Flags, targets: tuple[Platform, ...], base: str) -> Answer[Cgo]:
    """RefusedError [cgo-untrusted], UnavailableError [cgo-compiler] or [cgo-cross], UsageError [pie-not-static], [go-flags] for a
    sanitizer without cgo."""
    wish = _wish(facts, flags.sanitizer)
    decision = Decision(
        name="cgo", value="on" if wish.on else "off", reason=wish.reason, origin=wish.origin, place=wish.place
    )
    if not wish.on:
        _check_sanitizer(facts, flags, wish)
        _check_pie(facts, flags, base)
        findings = tuple(_switched_off(facts, use) for use in facts.main.cgo[:1])
        return Answer(value=Cgo(environment=(("CGO_ENABLED", "0"),)), decisions=(decision,), findings=findings)
    if facts.inputs.request.untrusted:
        raise RefusedError(
            "cgo-untrusted",
            f"{facts.subject} needs cgo, and --untrusted forbids it",
            where=_places(facts, flags),
            why="with cgo the repository chooses flags of the C compiler, which is running its code",
            next="build it in a container or a virtual machine, without --untrusted",
        )
    _check_compiler(facts, flags, targets)
    return _turned_on(facts, base, decision)


def links_dynamically(facts: Facts) -> bool:
    """Whether the program will need a C library at run time on a base that has one, as far as can be told this early."""
    return _wish(facts, "").on and not facts.settings.build.static


def _wish(facts: Facts, sanitizer: str) -> Wish:
    said, source = facts.settings.build.cgo, facts.settings.source("build", "cgo")
    variable = dict(facts.inputs.toolchain.environment).get("CGO_ENABLED", "")
    if said is not None and source.trusted:
        return Wish(on=said, reason="as you set it", origin=source.origin, place=source.place)
    if variable in ("0", "1"):
        return Wish(on=variable == "1", reason=f"your CGO_ENABLED={variable}", origin="environment")
    if said is not None:
        return Wish(on=said, reason="as you set it", origin=source.origin, place=source.place)
    if sanitizer:
        return Wish(on=True, reason=f"{sanitizer} works only with it")
    if facts.main.cgo:
        use = facts.main.cgo[0]
        return Wish(on=True, reason=f"{use.import_path} needs it"[:60], origin="found", place=use.place)
    return Wish(on=False, reason="a static binary, no C code")


def _turned_on(facts: Facts, base: str, decision: Decision) -> Answer[Cgo]:
    static = facts.settings.build.static
    static = base in BUILT_IN if static is None else static
    source = facts.settings.source("build", "static")
    reason = "the base has no C library" if source.origin == "default" and static else "as you set it"
    linking = Decision(
        name="linking",
        value="static" if static else "dynamic",
        reason=reason if static or source.origin != "default" else "the base brings the C library",
        origin=source.origin,
        place=source.place,
    )
    findings = [
        Finding(
            name="cgo-runs-code",
            message="compiles C code with compiler flags that the repository chooses",
            subject=facts.subject,
            place=facts.main.cgo[0].place if facts.main.cgo else None,
            severity="note",
        )
    ]
    if not static:
        name = base.removeprefix("docker://")
        none = base in BUILT_IN
        findings.append(
            Finding(
                name="cgo-libc",
                message="needs a C library at run time, "
                + (f"and {name} has none" if none else f"which {name} is asked for once it is compiled"),
                severity="warning" if none else "note",
                subject=facts.subject,
                next="set build.static = true for a binary that needs none",
            )
        )
    own = tuple(pair for pair in facts.inputs.toolchain.environment if pair[0] in CGO and pair[0] != "CGO_ENABLED")
    value = Cgo(on=True, static=static, tags=PURE_TAGS if static else (), environment=(("CGO_ENABLED", "1"), *own))
    return Answer(value=value, decisions=(decision, linking), findings=tuple(findings))


def _check_compiler(facts: Facts, flags: Flags, targets: tuple[Platform, ...]) -> None:
    inputs = facts.inputs
    environment, programs = dict(inputs.toolchain.environment), dict(inputs.programs)
    needs = f"{facts.subject} needs cgo"
    why = "that package works only with cgo, so the plan turned it on" if facts.main.cgo else ""
    host = platforms.host(inputs)
    foreign = tuple(
        str(one) for one in targets if inputs.toolchain.host_os != "linux" or one.architecture != host.architecture
    )
    if foreign and not (environment.get("CC") and len(targets) == 1):
        raise UnavailableError(
            "cgo-cross",
            f"{needs}, and there is no C compiler here for {', '.join(foreign)}",
            where=_places(facts, flags),
            why=why,
            next=(f"--platform {host}", f"set CC to a cross compiler and build {foreign[0]} alone"),
        )
    if not (environment.get("CC") or programs.get("cc")):
        raise UnavailableError(
            "cgo-compiler",
            f"{needs}, and no C compiler was found",
            where=_places(facts, flags),
            why=why,
            next=("install a C compiler with the C library's headers for this machine", *_pure_go(facts.main.cgo)),
        )


def _pure_go(uses: tuple[CgoUse, ...]) -> tuple[str, ...]:
    """What could be used instead."""
    known = {"github.com/mattn/go-sqlite3": "use modernc.org/sqlite, the same SQL in pure Go"}
    return tuple(known[use.import_path] for use in uses if use.import_path in known)[:1]


def _places(facts: Facts, flags: Flags) -> tuple[str, ...]:
    """The imports that need cgo, else what else turned it on."""
    source = facts.settings.source("build", "cgo")
    if source.origin != "default":
        return (where(source, ("build", "cgo")),)
    imports = tuple(f"{use.place}   {use.import_path}" for use in facts.main.cgo if use.place)[:3]
    return imports or (flags.sanitizer or "CGO_ENABLED=1",)


def _switched_off(facts: Facts, use: CgoUse) -> Finding:
    return Finding(
        name="cgo-off",
        message=f"{use.import_path} works only with cgo, which is switched off",
        subject=facts.subject,
        place=use.place,
        next="unset CGO_ENABLED and build.cgo",
    )


def _check_sanitizer(facts: Facts, flags: Flags, wish: Wish) -> None:
    if not flags.sanitizer:
        return
    source = facts.settings.source("build", "flags")
    raise UsageError(
        "go-flags",
        f"{flags.sanitizer} works only with cgo, and cgo is off: {wish.reason}",
        where="GOFLAGS" if source.origin == "default" else where(source, ("build", "flags")),
        next=f"leave {flags.sanitizer} out, or let cgo be on",
    )


def _check_pie(facts: Facts, flags: Flags, base: str) -> None:
    """-buildmode=pie without cgo still asks for the C library's loader, which these bases lack (tried with Go 1.26)."""
    if flags.position_independent and base in BUILT_IN:
        source = facts.settings.source("build", "flags")
        raise UsageError(
            "pie-not-static",
            f"a binary of -buildmode=pie cannot start on the base {base}",
            where="GOFLAGS" if source.origin == "default" else where(source, ("build", "flags")),
            why="Go makes it ask for the C library's loader, even without cgo",
            next="leave -buildmode=pie out, or choose a base with a C library",
        )
