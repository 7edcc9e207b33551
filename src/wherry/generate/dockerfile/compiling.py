"""The stages that compile. A draft in, text out; touches nothing.

Modules are downloaded from their go.mod files alone, so that an edit of the sources downloads nothing. Sources are mounted, not
copied: no layer holds them, and .git is there for the commit that Go writes into the program.
"""

from __future__ import annotations

import posixpath
from typing import Final

from wherry.formats import dockerfile
from wherry.generate import names
from wherry.generate.dockerfile.draft import APP, Draft, held, told
from wherry.generate.shell import linked
from wherry.model.application import Program
from wherry.model.plan import Pairs

OUT: Final = "/out"
"""Where compiled programs lie, as they will in the image."""
STAGE: Final = "build"
DEPENDENCIES: Final = "deps"
DOWNLOAD: Final = "go mod download && go mod verify"
VERSION: Final = "ARG VERSION=dev"
REVISION: Final = "ARG REVISION=unknown"
#: Architecture → Go's variable for its variants, and what is taken off the front of Docker's word for one.
_VARIANTS: Final = {
    "arm": ("GOARM", "v"),
    "amd64": ("GOAMD64", ""),
    "arm64": ("GOARM64", ""),
    "riscv64": ("GORISCV64", ""),
}
_USUAL: Final = ("arm", "amd64")
_DATE: Final = 'CREATED="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"'
_MEANINGS: Final = {"version": "$VERSION", "revision": "$REVISION", "date": "$CREATED"}
_PURE: Final = ("netgo", "osusergo")
"""With them Go itself looks up names and users, so that a statically linked C library is not asked."""


def build(draft: Draft) -> str:
    """Everything from the toolchain to the programs, in one stage."""
    return "\n".join((*opened(draft, STAGE), *downloaded(draft), *compiled(draft, OUT)))


def dependencies(draft: Draft) -> str:
    """The toolchain and the modules, for several stages."""
    return "\n".join((*opened(draft, DEPENDENCIES), *downloaded(draft)))


def build_from_dependencies(draft: Draft) -> str:
    """The programs alone."""
    return "\n".join((f"FROM {DEPENDENCIES} AS {STAGE}", *compiled(draft, OUT)))


def opened(draft: Draft, name: str) -> tuple[str, ...]:
    """The beginning of a stage that compiles."""
    if draft.native:
        reason = (
            "C code needs the C compiler of the platform it is for: another platform than this machine's is emulated."
        )
        start = f"FROM ${{GO_IMAGE}} AS {name}"
    else:
        reason = "Go compiles for any platform on this machine's: nothing is emulated."
        start = f"FROM --platform=$BUILDPLATFORM ${{GO_IMAGE}} AS {name}"
    return (dockerfile.comment(reason), start, *toolchain(draft))


def toolchain(draft: Draft) -> tuple[str, ...]:
    """Go's variables, and the folder where it is started."""
    return (
        *_musl(draft),
        dockerfile.comment("The image's own Go: go.mod shall not make it download another, which no digest pins."),
        dockerfile.pairs("ENV", _environment(draft)),
        *_private(draft),
        f"WORKDIR {dockerfile.value(folder(draft))}",
    )


def folder(draft: Draft) -> str:
    """Where `go build` is started."""
    return told(posixpath.normpath(f"{names.SOURCES}/{draft.application.sources.directory}"), "a folder")


def downloaded(draft: Draft) -> tuple[str, ...]:
    """Nothing where the modules are in the repository, or there are none."""
    if not has_modules(draft):
        return ()
    return (*why_alone(draft), dockerfile.run((cache(names.MODULES), *secret(draft), *module_files(draft)), DOWNLOAD))


def why_alone(draft: Draft) -> tuple[str, ...]:
    """Why modules have an instruction of their own."""
    reason = "Only the files that name modules: an edit of the sources downloads nothing."
    if draft.application.sources.private:
        reason += f"\nPrivate modules: docker build --secret id={names.NETRC},src=$HOME/.netrc"
    return (dockerfile.comment(reason),)


def has_modules(draft: Draft) -> bool:
    """Whether anything is to be downloaded: modules that are not in the repository."""
    return draft.libraries and not draft.application.sources.vendored


def compiled(draft: Draft, out: str, *, target: bool = True) -> tuple[str, ...]:
    """The programs as OUT/app/NAME; `target`: for the platform that is asked for, not for the stage's own."""
    commands = [*_safe(draft), *_target(draft, target=target), *_created(draft)]
    commands += [_go_build(draft, program, out) for program in draft.application.programs]
    system = () if draft.native or not target else ("TARGETOS",)
    platform = (f"ARG {one}" for one in (*system, "TARGETARCH", "TARGETVARIANT"))
    return (
        *platform,
        *_stamped(draft),
        *_why_git(draft),
        dockerfile.run(source_mounts(draft), " &&\n".join(commands)),
    )


def source_mounts(draft: Draft, *, writable: bool = False) -> tuple[str, ...]:
    """Both caches, credentials and the sources; what is written beside writable sources is thrown away."""
    options = {"type": "bind", "target": names.SOURCES, **({"rw": "true"} if writable else {})}
    compiled_packages, sources = cache(names.COMPILED), dockerfile.mount(options)
    if draft.application.sources.vendored:
        return (compiled_packages, sources)
    return (cache(names.MODULES), compiled_packages, *secret(draft), sources)


def cache(target: str) -> str:
    """A folder that outlives the build and is in no layer."""
    return dockerfile.mount({"type": "cache", "target": target})


def secret(draft: Draft, *, home: str = "/root", uid: int = 0) -> tuple[str, ...]:
    """Credentials of private modules, for one command of the user `uid`."""
    if not draft.application.sources.private:
        return ()
    options = {"type": "secret", "id": names.NETRC, "target": f"{home}/.netrc", **({"uid": str(uid)} if uid else {})}
    return (dockerfile.mount(options),)


def flags(draft: Draft) -> tuple[str, ...]:
    """Of `go build`, as the plan has them; position-independent where that was asked for."""
    sources = draft.application.sources
    given = sources.flags if not sources.vendored or _has(sources.flags, "-mod") else (*sources.flags, "-mod=vendor")
    if not draft.variant.hardened:
        return given
    kept = tuple(one for one in given if not one.startswith(("-buildmode=", "-tags=")))
    return (*kept, "-buildmode=pie", *tags(draft))


def tags(draft: Draft) -> tuple[str, ...]:
    """The flag for build tags, where there are some."""
    said = (one.removeprefix("-tags=") for one in draft.application.sources.flags if one.startswith("-tags="))
    found = [tag for one in said for tag in one.split(",")] + list(_PURE if draft.static_pie else ())
    return (f"-tags={','.join(dict.fromkeys(found))}",) if found else ()


def _has(given: tuple[str, ...], name: str) -> bool:
    return any(one.partition("=")[0] == name for one in given)


def _musl(draft: Draft) -> tuple[str, ...]:
    if not draft.musl:
        return ()
    return (
        dockerfile.comment("No versions: Alpine takes old ones away, so that a pinned one would soon be missing."),
        "# hadolint ignore=DL3018",
        "RUN apk add --no-cache gcc git musl-dev",
    )


def _environment(draft: Draft) -> Pairs:
    sources = draft.application.sources
    made = {name: told(text, f"build.env.{name}") for name, text in sources.environment}
    if draft.static_pie:
        made["CGO_ENABLED"] = "1"
    made.pop("GOPRIVATE", None)
    made["GOTOOLCHAIN"] = "local"
    if sources.workspace:
        made["GOWORK"] = told(posixpath.join(names.SOURCES, sources.workspace), "go.work")
    return tuple(made.items())


def _private(draft: Draft) -> tuple[str, ...]:
    private = ",".join(told(one, "build.private") for one in draft.application.sources.private)
    if not private:
        return ()
    reason = dockerfile.comment("Where modules are not public: names of hosts, and no secret.")
    return (reason, "# hadolint ignore=DL3064", dockerfile.pairs("ENV", (("GOPRIVATE", private),)))


def module_files(draft: Draft) -> tuple[str, ...]:
    """A mount for each."""
    return tuple(_bound(one) for one in draft.application.sources.module_files)


def _bound(path: str) -> str:
    options = {"type": "bind", "source": path, "target": posixpath.join(names.SOURCES, path)}
    return held(lambda: dockerfile.mount(options), "the path of a go.mod")


def _target(draft: Draft, *, target: bool) -> list[str]:
    """Go's words for the platform. For 32-bit ARM a missing version would be a wrong program, not only a slow one."""
    lines = ['export GOOS="$TARGETOS" GOARCH="$TARGETARCH"'] if target and not draft.native else []
    said = {one.architecture for one in draft.application.platforms if one.variant}
    rows = ['case "$TARGETARCH/$TARGETVARIANT" in']
    for architecture, (variable, front) in _VARIANTS.items():
        if architecture in (*_USUAL, *said):
            word = f"${{TARGETVARIANT#{front}}}" if front else "$TARGETVARIANT"
            rows.append(f'  {architecture}/?*) export {variable}="{word}" ;;')
    return [*lines, "\n".join((*rows, "esac"))]


def _stamped(draft: Draft) -> list[str]:
    """Arguments that end up in the program: below the download, which they would otherwise repeat."""
    wanted = {stamp.meaning for program in draft.application.programs for stamp in program.stamps}
    rows = {"version": VERSION, "revision": REVISION, "date": "ARG SOURCE_DATE_EPOCH=0"}
    return [row for meaning, row in rows.items() if meaning in wanted]


def _created(draft: Draft) -> list[str]:
    dated = any(stamp.meaning == "date" for program in draft.application.programs for stamp in program.stamps)
    return [_DATE] if dated else []


def _why_git(draft: Draft) -> tuple[str, ...]:
    if not draft.application.sources.stamped:
        return ()
    reason = (
        ".git comes with the sources: Go writes the commit into the program (go version -m shows it).\n"
        "Podman mounts it with its owner, and git would not read another user's repository."
    )
    return (dockerfile.comment(reason),)


def _safe(draft: Draft) -> tuple[str, ...]:
    stamped = draft.application.sources.stamped
    return (f"git config --global --add safe.directory {names.SOURCES}",) if stamped else ()


def _go_build(draft: Draft, program: Program, out: str) -> str:
    words = ["go build", *(dockerfile.shell(told(one, "build.flags")) for one in flags(draft))]
    link = _linker(draft, program)
    package = dockerfile.shell(told(program.package, "a package"))
    target = dockerfile.shell(told(f"{out}{APP}/{program.name}", "the name of a program"))
    return dockerfile.flowed((*words, *((f"-ldflags={link}",) if link else ()), f"-o {target} {package}"), "  ")


def _linker(draft: Draft, program: Program) -> str:
    """The value of -ldflags as a word of the shell, in the plan's order: it is part of a program's build ID."""
    words = [_inside(linked((told(one, "build.ldflags"),))) for one in program.linker_flags]
    for stamp in sorted(program.stamps, key=lambda one: one.at):
        variable = _inside(told(stamp.variable, "a variable"))
        words.insert(stamp.at, f"'-X={variable}={_MEANINGS[stamp.meaning]}'")
    if draft.static_pie:
        words = [one for one in words if not one.lstrip("'").startswith(("-linkmode=", "-extldflags=-static"))]
        words += ["-linkmode=external", "-extldflags=-static-pie"]
    return f'"{" ".join(words)}"' if words else ""


def _inside(text: str) -> str:
    """Between the shell's double quotes."""
    return "".join(f"\\{sign}" if sign in '\\"$`' else sign for sign in text)
