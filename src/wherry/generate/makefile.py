"""Applications in, a Makefile out: for everyday work without a container, and for the image. Touches nothing.

What a user may set reaches recipes through the environment, not as text.
"""

from __future__ import annotations

import re
from typing import Final

from msgspec.structs import replace

from wherry.errors import UsageError
from wherry.generate.names import NETRC, Applications, Member, dockerfile, from_home, members_of, service
from wherry.generate.ports import published
from wherry.generate.recipe import FILE, argv, assigned, code, double, several, whole
from wherry.generate.shell import (
    COMMITTED,
    EPOCH,
    GOFMT,
    REVISION,
    TAG,
    UNCHECKED,
    UNCOMMITTED,
    checked,
    described,
    linked,
    package,
    rfc3339,
    searched,
)
from wherry.generate.text import apart, in_one_line
from wherry.generate.tools import ERRCHECK, GOVULNCHECK, STATICCHECK, pinned
from wherry.generate.use import Here, Use, within
from wherry.kit.value import Value
from wherry.model.application import Program
from wherry.model.file import Choice, File

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class Target(Value, frozen=True, kw_only=True):
    """What can be made. No target is a file."""

    name: str
    about: str
    """For `make help`; empty: a step of another one, which it leaves out."""
    needs: tuple[str, ...] = ()
    """Whole names."""
    lines: tuple[str, ...] = ()
    """The recipe in make's quoting, without tabs."""
    one_by_one: bool = False
    """Whether it makes no sense for several applications at once."""


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """One Makefile for all of them. UsageError [bad-text] for a name that no target or recipe can hold, [same-name] for two
    that would share targets or variables."""
    members = members_of(applications)
    apart(map(service, applications), file=FILE)
    apart((_variable(one, "IMAGE") for one in members), file=FILE, what="variables")
    targets = _of_one(members[0]) if members[0].alone else _of_several(members)
    apart((one.name for one in (_HELP, *targets)), file=FILE, what="targets")
    return (File(path=FILE, text="\n".join((_head(members), *map(_written, (_HELP, *targets))))),)


def uses(applications: Applications, _: Choice, here: Here) -> tuple[Use, ...]:
    """What shows all targets."""
    return (Use(command=f"make {within(here(applications[0].home))}help"),)


def _variable(member: Member, name: str) -> str:
    return re.sub("[^A-Za-z0-9]", "_", member.own(name))


def _of_one(member: Member) -> tuple[Target, ...]:
    return (*_programs(member), *_checks((member,)), *_packed(member))


def _of_several(members: tuple[Member, ...]) -> tuple[Target, ...]:
    """What is of the modules is said once; what is of a program carries its name, and plain names are all of them."""
    own = (_named(one, target) for one in members for target in (*_programs(one), *_packed(one)))
    return (*_together(members), *_checks(members), *own)


def _named(member: Member, target: Target) -> Target:
    name = service(member.application)
    if not member.alone and not _NAME.fullmatch(name):
        raise UsageError("bad-text", f"{name!r} cannot be part of a target's name in a {FILE}", where="image.name")
    return replace(target, name=member.own(target.name))


def _together(members: tuple[Member, ...]) -> tuple[Target, ...]:
    """`build: build-api build-jobs`, and what plain names say where one at a time is meant."""
    each = tuple(
        Target(name=one.name, about=f"All: {one.about}", needs=tuple(each.own(one.name) for each in members))
        for one in (*_programs(members[0]), *_packed(members[0]))
        if not one.one_by_one
    )
    named = ", ".join(one.own("local") for one in members)
    which = f'@echo "it keeps the terminal, so say which one: make {named}" >&2; exit 2'
    local = Target(name="local", about="Says which programs can run without a container", lines=(which,))
    return (*each, local, _versions(members))


def _versions(members: tuple[Member, ...]) -> Target:
    """A module's version is that of all its programs."""
    modules = {one.application.sources.module_directory for one in members}
    lines = tuple(f'@echo "{service(one.application)} $({_variable(one, "version")})"' for one in members)
    plain = (f'@echo "$({_variable(members[0], "version")})"',)
    return Target(name="version", about="What the next images are called", lines=plain if len(modules) == 1 else lines)


def _written(target: Target) -> str:
    about = f" ## {target.about}" if target.about else ""
    head = f".PHONY: {target.name}\n{' '.join((f'{target.name}:', *target.needs))}{about}\n"
    return head + "".join(f"\t{line}\n" for line in target.lines)


def _head(members: tuple[Member, ...]) -> str:
    go = members[0].application.sources.go
    return "\n".join(
        (
            "# Needs Go and git; wherry for image, push, run, stop and prove; Docker for image-docker.",
            f"# What is set here can be set anew: make image {_variable(members[0], 'IMAGE')}=registry.example.com/team/name",
            ".DEFAULT_GOAL := help",
            ".DELETE_ON_ERROR:",
            ".SUFFIXES:",
            "SHELL := /bin/sh",
            ".SHELLFLAGS := -eu -c",
            "",
            "GO ?= go",
            "WHERRY ?= wherry",
            "DOCKER ?= docker",
            "# Where build puts programs. Git is told to overlook it: an unknown file would make versions +dirty.",
            "export OUT ?= bin",
            "# The default since Docker 23; Debian 12 has 20.10.",
            "export DOCKER_BUILDKIT ?= 1",
            *(line for one, port in zip(members, _ports(members), strict=True) for line in _settings(one, port)),
            "",
            "# Checkers by version, so that no new release breaks a build; go.mod need not know them.",
            f"STATICCHECK ?= {pinned(STATICCHECK, go)}",
            f"ERRCHECK ?= {pinned(ERRCHECK, go)}",
            f"GOVULNCHECK ?= {pinned(GOVULNCHECK, go)}",
            "",
            "# Asked by the shell of those recipes that need it: a tag's name is never taken for code of make or the shell.",
            f"revision = $$({code(REVISION)})",
            f"epoch = $${{SOURCE_DATE_EPOCH:-$$({code(EPOCH)})}}",
            *(_version(one) for one in members),
            "",
        )
    )


def _ports(members: tuple[Member, ...]) -> tuple[int, ...]:
    """The port of this machine for each: its own number, or the next one where another has that."""
    wanted = {service(one.application): f"{one.application.port}/tcp" for one in members if one.application.port}
    found = {one.service: one.host_port for one in published(wanted.items())}
    return tuple(found.get(service(one.application), 0) for one in members)


def _settings(member: Member, port: int) -> tuple[str, ...]:
    application = member.application
    platforms = ",".join(map(str, application.platforms))
    rows = (
        ("IMAGE", application.image, "The image's name, without a tag."),
        ("TAG", "{version}", "wherry puts in the version that it decides."),
        ("PLATFORMS", platforms, "What push builds for."),
    )
    outer = (f"# Where run is reached on this machine.\n{_variable(member, 'PORT')} ?= {port}",)
    return (
        *(
            f"# {note}\nexport {_variable(member, name)} ?= {assigned(value, what='generate.image')}"
            for name, value, note in rows
            if value
        ),
        *(outer if port else ()),
    )


def _version(member: Member) -> str:
    """What the user says, else wherry's word, else git's."""
    plan = f"$(WHERRY) plan --only version {argv(package(member.applications, member.application))}"
    git = code(described(member.application))
    return f"{_variable(member, 'version')} = {whole(f'$${{VERSION:-$$({plan} 2>/dev/null || {git})}}')}"


_SHOW: Final = """awk 'BEGIN { FS = ":.*## " } /^[A-Za-z0-9._-]+:.*## / { printf "  %-20s %s\\n", $$1, $$2 }'"""
_HELP: Final = Target(
    name="help", about="What can be made", lines=(f'@{_SHOW} "$(firstword $(MAKEFILE_LIST))"',), one_by_one=True
)


def _programs(member: Member) -> tuple[Target, ...]:
    application = member.application
    environment = " ".join(f"{name}={argv(value, what='image.env')}" for name, value in application.runs.environment)
    command = f'"$$OUT"/{argv(application.programs[0].name, *application.arguments, what="image.args")}'
    folder = """@[ -d "$$OUT" ] || { mkdir -p "$$OUT"; printf '*\\n' >"$$OUT/.gitignore"; }"""
    return (
        Target(
            name="build",
            about="Compile for this machine with the flags of the image",
            lines=(folder, *(_compile(member, one) for one in application.programs)),
        ),
        Target(
            name="local",
            about="Compile and run here, without a container",
            needs=(member.own("build"),),
            lines=(f"{environment} {command}".strip(),),
            one_by_one=True,
        ),
    )


def _compile(member: Member, program: Program) -> str:
    """The flags of the image in their order, which is part of a program's bytes: on the same platform it is the same file."""
    meanings = {one.meaning for one in program.stamps}
    known = {"version": f'version="$({_variable(member, "version")})"', "date": 'epoch="$(epoch)"'}
    folder = _folder(member)
    enter = () if folder == "." else ('out="$$(cd "$$OUT" && pwd)"', f"cd {argv(folder)}")
    out = f'"{"$$OUT" if folder == "." else "$$out"}"/{argv(program.name)}'
    linker = " ".join(_linker(program))
    flags = (
        *(argv(one, what="build.flags") for one in member.application.sources.flags),
        *((f'-ldflags="{linker}"',) if linker else ()),
    )
    parts = (
        *(text for name, text in known.items() if name in meanings),
        *enter,
        " ".join((_go(member), "build", *flags, "-o", out, argv(program.package))),
        f"echo {out}{' $$version' if 'version' in meanings else ''}",
    )
    return f"@{'; '.join(parts)}"


def _linker(program: Program) -> list[str]:
    """Words of -ldflags between the shell's double quotes."""
    values = {"version": "$$version", "revision": "$(revision)", "date": f"$$({code(rfc3339('$epoch'))})"}
    words = [double(linked((one,))) for one in program.linker_flags]
    for stamp in sorted(program.stamps, key=lambda one: one.at):
        words.insert(stamp.at, f"'-X={double(stamp.variable)}={values[stamp.meaning]}'")
    return words


def _checks(members: tuple[Member, ...]) -> tuple[Target, ...]:
    """Each says once what it says of several programs of one module."""
    each = tuple(map(_checks_of, members))
    return tuple(
        replace(one, lines=tuple(dict.fromkeys(line for rows in each for line in rows[number].lines)))
        for number, one in enumerate(each[0])
    )


def _checks_of(member: Member) -> tuple[Target, ...]:
    enter = "" if _folder(member) == "." else f"cd {argv(_folder(member))}; "
    go = enter + _go(member)
    race = enter + _go(member, CGO_ENABLED="1")
    gofmt = code(f"@{enter}" + "; \\\n\t".join(GOFMT)).replace("$$(go env", "$$($(GO) env")
    told, reached = (
        code(in_one_line(words(member.application), what="build.tags", file=f"a {FILE}"))
        for words in (checked, searched)
    )
    rows = (
        ("test", "Tests", (f"{go} test {told}",)),
        ("race", "Tests under the race detector (needs a C compiler)", (f"{race} test -race {told}",)),
        ("vet", "Suspicious code", (f"{go} vet {told}",)),
        ("lint", "Style: gofmt and staticcheck", (gofmt, f"{go} run $(STATICCHECK) {told}")),
        (
            "errcheck",
            "Errors that nobody looks at",
            (f"{enter}{UNCHECKED} | {_go(member)} run $(ERRCHECK) -exclude /dev/stdin {told}",),
        ),
        ("vuln", "Known vulnerabilities that the code can reach", (f"{go} run $(GOVULNCHECK) {reached}",)),
    )
    return tuple(Target(name=name, about=about, lines=lines) for name, about, lines in rows)


def _packed(member: Member) -> tuple[Target, ...]:
    """What is done with its image."""
    return (*_images(member), *_containers(member), _clean(member))


def _images(member: Member) -> tuple[Target, ...]:
    main = argv(package(member.applications, member.application))
    image, platforms = f"$${_variable(member, 'IMAGE')}", f"$${_variable(member, 'PLATFORMS')}"
    tagged = f'-t "{image}:$${_variable(member, "TAG")}"'
    only = f' --platform "{platforms}"' if member.application.platforms else ""
    return (
        Target(
            name="version",
            about="What the next image is called",
            lines=(f'@echo "$({_variable(member, "version")})"',),
            one_by_one=True,
        ),
        Target(name="image", about="The image, by wherry", lines=(f"$(WHERRY) build {main} {tagged}",)),
        Target(name="image-docker", about="The image, by Docker", lines=_docker(member)),
        Target(name="pushable", about="", lines=_pushable(member), one_by_one=True),
        Target(
            name="push",
            about="Test, build for all platforms, push",
            needs=(member.own("pushable"), "test", "vuln"),
            lines=(f"$(WHERRY) build {main} {tagged}{only} --push",),
        ),
        Target(name="prove", about="Run the image and see that it behaves", lines=(f"$(WHERRY) prove {main}",)),
    )


def _pushable(member: Member) -> tuple[str, ...]:
    """What must be so before tests are worth their time."""
    image, push = _variable(member, "IMAGE"), member.own("push")
    no_registry = several(
        f'@case "$${{{image}%%/*}}/" in *.*/ | *:*/ | localhost/) ;;',
        f'*) echo "{image} names no registry: make {push} {image}=registry.example.com/team/name" >&2; exit 2 ;; esac',
    )
    uncommitted = several(
        f'@[ -n "$${{FORCE:-}}" ] || {{ {code(COMMITTED)} &&',
        f'case "$({_variable(member, "version")})" in *dirty) false ;; esac; }} ||',
        f'{{ echo "{UNCOMMITTED} FORCE=1" >&2; exit 1; }}',
    )
    return (no_registry, uncommitted)


def _docker(member: Member) -> tuple[str, ...]:
    """One line of shell, written as several."""
    sources = member.application.sources
    secret = f' --secret "id={NETRC},src=$${{NETRC:-$$HOME/.netrc}}"' if sources.private else ""
    path = dockerfile(member.applications, member.application, "")
    arguments = (
        '--build-arg "VERSION=$$version"',
        '--build-arg "REVISION=$(revision)"',
        '--build-arg "SOURCE_DATE_EPOCH=$$epoch"',
    )
    lines = (
        f'@version="$({_variable(member, "version")})"; epoch="$(epoch)"; tag="$$(printf %s "$$version" | {code(TAG)})";',
        f"$(DOCKER) build -f {argv(path)}{secret}",
        *(f"  {one}" for one in arguments),
        f'  -t "$${_variable(member, "IMAGE")}:$$tag" {argv(_root(member))}',
    )
    return (several(*lines),)


def _containers(member: Member) -> tuple[Target, ...]:
    application = member.application
    name, main = service(application), argv(package(member.applications, application))
    called = argv(name, what="image.name")
    port = f" -p $({_variable(member, 'PORT')}):{application.port}" if application.port else ""
    there = f"$(WHERRY) logs {called} >/dev/null 2>&1"
    ended = f"$(WHERRY) stop {called}; $(WHERRY) rm {called}"
    stop = member.own("stop")
    told = f"echo {argv(f'{name} is there from an earlier run: make {stop}')} >&2"
    return (
        Target(
            name="run",
            about="Compile, and run in a hardened container",
            lines=(
                f"@! {there} || {{ {told}; exit 1; }}",
                f"$(WHERRY) run -d --name {called}{port} {main}",
            ),
        ),
        Target(
            name="stop",
            about="Stop what run started, and take it away",
            lines=(several(f"@if {there}; then {ended};", f"else echo {argv(f'{name} is not there')} >&2; fi"),),
        ),
    )


def _clean(member: Member) -> Target:
    """What build has made and nothing else, whatever OUT names."""
    made = " ".join(f'"$$OUT"/{argv(one.name)}' for one in member.application.programs)
    ours = """[ "$$(cat "$$OUT/.gitignore" 2>/dev/null)" != '*' ] || rm -f "$$OUT/.gitignore\""""
    return Target(
        name="clean",
        about="Take away what build has made",
        lines=(f"rm -f {made}", f"@{ours}", '@rmdir "$$OUT" 2>/dev/null || :'),
    )


def _go(member: Member, **changes: str) -> str:
    """Go with the plan's variables, whatever the user's shell has."""
    values = {**dict(member.application.sources.environment), **changes}
    return " ".join((*(f"{name}={argv(value, what='build.env')}" for name, value in sorted(values.items())), "$(GO)"))


def _folder(member: Member) -> str:
    """Where Go is started, seen from the Makefile."""
    return from_home(member.applications, member.application.sources.directory)


def _root(member: Member) -> str:
    return from_home(member.applications)
