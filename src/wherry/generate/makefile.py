"""Applications in, a Makefile out: for everyday work without a container, and for the image. Touches nothing.

Two quotings meet here. In a variable's value `$`, `#`, a blank in front and a backslash at the end mean something to make; in a
recipe only `$` does, and all else is the shell's. What a user may set reaches recipes through the environment, not as text.
"""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import UsageError
from wherry.generate.names import NETRC, Applications, dockerfile, from_home, service
from wherry.generate.shell import (
    EPOCH,
    GOFMT,
    REVISION,
    TAG,
    UNCHECKED,
    checked,
    described,
    linked,
    package,
    quoted,
    rfc3339,
)
from wherry.generate.text import apart, in_one_line
from wherry.generate.tools import ERRCHECK, GOVULNCHECK, STATICCHECK, pinned
from wherry.kit.value import Value
from wherry.model.application import Application, Program
from wherry.model.file import Choice, File

FILE: Final = "Makefile"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class Target(Value, frozen=True, kw_only=True):
    """What can be made. No target is a file."""

    name: str
    about: str
    needs: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    """The recipe in make's quoting, without tabs."""
    one_by_one: bool = False
    """Whether it makes no sense for several applications at once."""


class Subject(Value, frozen=True, kw_only=True):
    """One application of the file; with others beside it, its targets and variables carry its name."""

    applications: Applications
    application: Application

    @property
    def alone(self) -> bool:
        return len(self.applications) == 1

    def target(self, name: str) -> str:
        return name if self.alone else f"{name}-{service(self.application)}"

    def variable(self, name: str) -> str:
        return name if self.alone else f"{name}_{re.sub('[^A-Za-z0-9]', '_', service(self.application))}"


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """One Makefile for all of them. UsageError [bad-text] for a name that no target or recipe can hold, [same-name] for two
    that would share targets."""
    subjects = tuple(Subject(applications=applications, application=one) for one in applications)
    apart(map(service, applications), file=FILE)
    named = [_named(one, target) for one in subjects for target in _targets(one)]
    together = () if subjects[0].alone else _together(subjects)
    targets = (_HELP, *together, *named)
    return (File(path=FILE, text="\n".join((_head(subjects), *map(_written, targets)))),)


def _named(subject: Subject, target: Target) -> Target:
    name = service(subject.application)
    if not subject.alone and not _NAME.fullmatch(name):
        raise UsageError("bad-text", f"{name!r} cannot be part of a target's name in a {FILE}", where="image.name")
    needs = tuple(map(subject.target, target.needs))
    return Target(name=subject.target(target.name), about=target.about, needs=needs, lines=target.lines)


def _together(subjects: tuple[Subject, ...]) -> tuple[Target, ...]:
    """`build: build-api build-jobs`."""
    return tuple(
        Target(name=one.name, about=f"{one.name} for each", needs=tuple(each.target(one.name) for each in subjects))
        for one in _targets(subjects[0])
        if not one.one_by_one
    )


def _written(target: Target) -> str:
    head = f".PHONY: {target.name}\n{' '.join((f'{target.name}:', *target.needs))} ## {target.about}\n"
    return head + "".join(f"\t{line}\n" for line in target.lines)


def _head(subjects: tuple[Subject, ...]) -> str:
    go = subjects[0].application.sources.go
    return "\n".join(
        (
            "# Needs Go and git; wherry for image, push, run, stop and prove; Docker for image-docker.",
            f"# What is set here can be set anew: make image {subjects[0].variable('IMAGE')}=registry.example.com/team/name",
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
            *(line for one in subjects for line in _settings(one)),
            "",
            "# Checkers by version, so that no new release breaks a build; go.mod need not know them.",
            f"STATICCHECK ?= {pinned(STATICCHECK, go)}",
            f"ERRCHECK ?= {pinned(ERRCHECK, go)}",
            f"GOVULNCHECK ?= {pinned(GOVULNCHECK, go)}",
            "",
            "# Asked by the shell of those recipes that need it: a tag's name is never taken for code of make or the shell.",
            f"revision = $$({_code(REVISION)})",
            f"epoch = $${{SOURCE_DATE_EPOCH:-$$({_code(EPOCH)})}}",
            *(_version(one) for one in subjects),
            "",
        )
    )


def _settings(subject: Subject) -> tuple[str, ...]:
    application = subject.application
    platforms = ",".join(map(str, application.platforms))
    rows = (
        ("IMAGE", application.image, "The image's name, without a tag."),
        ("TAG", "{version}", "wherry puts in the version that it decides."),
        ("PLATFORMS", platforms, "What push builds for."),
    )
    port = (f"# Where run is reached on this machine.\n{subject.variable('PORT')} ?= {application.port}",)
    return (
        *(
            f"# {note}\nexport {subject.variable(name)} ?= {_value(value, what=f'image.{name.lower()}')}"
            for name, value, note in rows
            if value
        ),
        *(port if application.port else ()),
    )


def _version(subject: Subject) -> str:
    """What the user says, else wherry's word, else git's."""
    plan = f"$(WHERRY) plan --only version {_words(package(subject.applications, subject.application))}"
    git = _code(described(subject.application))
    return f"{subject.variable('version')} = {_kept(f'$${{VERSION:-$$({plan} 2>/dev/null || {git})}}')}"


_SHOW: Final = """awk 'BEGIN { FS = ":.*## " } /^[A-Za-z0-9._-]+:.*## / { printf "  %-20s %s\\n", $$1, $$2 }'"""
_HELP: Final = Target(
    name="help", about="What can be made", lines=(f'@{_SHOW} "$(firstword $(MAKEFILE_LIST))"',), one_by_one=True
)


def _targets(subject: Subject) -> tuple[Target, ...]:
    return (*_programs(subject), *_checks(subject), *_images(subject), *_containers(subject), _clean(subject))


def _programs(subject: Subject) -> tuple[Target, ...]:
    application = subject.application
    environment = " ".join(f"{name}={_words(value)}" for name, value in application.runs.environment)
    command = f'"$$OUT"/{_words(application.programs[0].name, *application.arguments)}'
    folder = """@[ -d "$$OUT" ] || { mkdir -p "$$OUT"; printf '*\\n' >"$$OUT/.gitignore"; }"""
    return (
        Target(
            name="build",
            about="Compile for this machine with the flags of the image",
            lines=(folder, *(_compile(subject, one) for one in application.programs)),
        ),
        Target(
            name="local",
            about="Compile and run here, without a container",
            needs=("build",),
            lines=(f"{environment} {command}".strip(),),
            one_by_one=True,
        ),
    )


def _compile(subject: Subject, program: Program) -> str:
    """The flags of the image in their order, which is part of a program's bytes: on the same platform it is the same file."""
    meanings = {one.meaning for one in program.stamps}
    known = {"version": f'version="$({subject.variable("version")})"', "date": 'epoch="$(epoch)"'}
    folder = _folder(subject)
    enter = () if folder == "." else ('out="$$(cd "$$OUT" && pwd)"', f"cd {_words(folder)}")
    out = f'"{"$$OUT" if folder == "." else "$$out"}"/{_words(program.name)}'
    linker = " ".join(_linker(program))
    flags = (*map(_words, subject.application.sources.flags), *((f'-ldflags="{linker}"',) if linker else ()))
    parts = (
        *(text for name, text in known.items() if name in meanings),
        *enter,
        " ".join((_go(subject), "build", *flags, "-o", out, _words(program.package))),
        f"echo {out}{' $$version' if 'version' in meanings else ''}",
    )
    return f"@{'; '.join(parts)}"


def _linker(program: Program) -> list[str]:
    """Words of -ldflags between the shell's double quotes."""
    values = {"version": "$$version", "revision": "$(revision)", "date": f"$$({_code(rfc3339('$epoch'))})"}
    words = [_double(linked((one,))) for one in program.linker_flags]
    for stamp in sorted(program.stamps, key=lambda one: one.at):
        words.insert(stamp.at, f"'-X={_double(stamp.variable)}={values[stamp.meaning]}'")
    return words


def _checks(subject: Subject) -> tuple[Target, ...]:
    enter = "" if _folder(subject) == "." else f"cd {_words(_folder(subject))}; "
    go = enter + _go(subject)
    race = enter + _go(subject, CGO_ENABLED="1")
    gofmt = _code(f"@{enter}" + "; \\\n\t".join(GOFMT)).replace("$$(go env", "$$($(GO) env")
    told = _code(in_one_line(checked(subject.application), what="build.tags", file=f"a {FILE}"))
    rows = (
        ("test", "Tests", (f"{go} test {told}",)),
        ("race", "Tests under the race detector (needs a C compiler)", (f"{race} test -race {told}",)),
        ("vet", "Suspicious code", (f"{go} vet {told}",)),
        ("lint", "Style: gofmt and staticcheck", (gofmt, f"{go} run $(STATICCHECK) {told}")),
        (
            "errcheck",
            "Errors that nobody looks at",
            (f"{enter}{UNCHECKED} | {_go(subject)} run $(ERRCHECK) -exclude /dev/stdin {told}",),
        ),
        ("vuln", "Known vulnerabilities that the code can reach", (f"{go} run $(GOVULNCHECK) {told}",)),
    )
    return tuple(Target(name=name, about=about, lines=lines) for name, about, lines in rows)


def _images(subject: Subject) -> tuple[Target, ...]:
    main = _words(package(subject.applications, subject.application))
    image, platforms = f"$${subject.variable('IMAGE')}", f"$${subject.variable('PLATFORMS')}"
    tagged = f'-t "{image}:$${subject.variable("TAG")}"'
    only = f' --platform "{platforms}"' if subject.application.platforms else ""
    hint = f"make push {subject.variable('IMAGE')}=registry.example.com/team/name"
    no_registry = _several(
        f'@case "$${{{subject.variable("IMAGE")}%%/*}}/" in *.*/ | *:*/ | localhost/) ;;',
        f'*) echo "{subject.variable("IMAGE")} names no registry: {hint}" >&2; exit 2 ;; esac',
    )
    dirty = _several(
        f'@[ -n "$${{FORCE:-}}" ] || case "$({subject.variable("version")})" in *dirty)',
        'echo "no commit describes these files: commit them first, or FORCE=1" >&2; exit 1 ;; esac',
    )
    return (
        Target(
            name="version",
            about="What the next image is called",
            lines=(f'@echo "$({subject.variable("version")})"',),
            one_by_one=True,
        ),
        Target(name="image", about="The image, by wherry", lines=(f"$(WHERRY) build {main} {tagged}",)),
        Target(name="image-docker", about="The image, by Docker", lines=_docker(subject)),
        Target(
            name="push",
            about="Test, build for all platforms, push",
            needs=("test", "vuln"),
            lines=(no_registry, dirty, f"$(WHERRY) build {main} {tagged}{only} --push"),
        ),
        Target(name="prove", about="Run the image and see that it behaves", lines=(f"$(WHERRY) prove {main}",)),
    )


def _docker(subject: Subject) -> tuple[str, ...]:
    """One line of shell, written as several."""
    sources = subject.application.sources
    secret = f' --secret "id={NETRC},src=$${{NETRC:-$$HOME/.netrc}}"' if sources.private else ""
    path = dockerfile(subject.applications, subject.application, "")
    arguments = (
        '--build-arg "VERSION=$$version"',
        '--build-arg "REVISION=$(revision)"',
        '--build-arg "SOURCE_DATE_EPOCH=$$epoch"',
    )
    lines = (
        f'@version="$({subject.variable("version")})"; epoch="$(epoch)"; tag="$$(printf %s "$$version" | {_code(TAG)})";',
        f"$(DOCKER) build -f {_words(path)}{secret}",
        *(f"  {one}" for one in arguments),
        f'  -t "$${subject.variable("IMAGE")}:$$tag" {_words(_root(subject))}',
    )
    return (_several(*lines),)


def _containers(subject: Subject) -> tuple[Target, ...]:
    application = subject.application
    name, main = _words(service(application)), _words(package(subject.applications, application))
    port = f" -p $({subject.variable('PORT')}):{application.port}" if application.port else ""
    return (
        Target(
            name="run",
            about="Compile, and run in a hardened container",
            lines=(f"$(WHERRY) run -d --name {name}{port} {main}",),
            one_by_one=True,
        ),
        Target(
            name="stop",
            about="Stop what run started, and take it away",
            lines=(f"$(WHERRY) stop {name}", f"$(WHERRY) rm {name}"),
            one_by_one=True,
        ),
    )


def _clean(subject: Subject) -> Target:
    """What build has made and nothing else, whatever OUT names."""
    made = " ".join(f'"$$OUT"/{_words(one.name)}' for one in subject.application.programs)
    ours = """[ "$$(cat "$$OUT/.gitignore" 2>/dev/null)" != '*' ] || rm -f "$$OUT/.gitignore\""""
    return Target(
        name="clean",
        about="Take away what build has made",
        lines=(f"rm -f {made}", f"@{ours}", '@rmdir "$$OUT" 2>/dev/null || :'),
    )


def _several(*lines: str) -> str:
    """One command of the shell in several lines."""
    return " \\\n\t".join(lines)


def _go(subject: Subject, **changes: str) -> str:
    """Go with the plan's variables, whatever the user's shell has."""
    values = {**dict(subject.application.sources.environment), **changes}
    return " ".join((*(f"{name}={_words(value)}" for name, value in sorted(values.items())), "$(GO)"))


def _folder(subject: Subject) -> str:
    """Where Go is started, seen from the Makefile."""
    return from_home(subject.applications, subject.application.sources.directory)


def _root(subject: Subject) -> str:
    return from_home(subject.applications)


def _words(*words: str) -> str:
    """Words of a command in a recipe."""
    return _code(quoted(*(in_one_line(word, what="a path, name or flag", file=f"a {FILE}") for word in words)))


def _double(text: str) -> str:
    """A text inside the shell's double quotes."""
    return _code(re.sub(r'([$`"\\])', r"\\\1", in_one_line(text, what="a linker flag", file=f"a {FILE}")))


def _code(text: str) -> str:
    """Shell in a recipe, or in a variable that recipes use."""
    return text.replace("$", "$$")


def _value(text: str, *, what: str) -> str:
    """A text as a variable's value: an empty reference holds blanks at its beginning and a backslash at its end."""
    kept = _kept(_code(in_one_line(text, what=what, file=f"a {FILE}")))
    before, after = "$()" if kept.startswith((" ", "\t")) else "", "$()" if kept.endswith("\\") else ""
    return f"{before}{kept}{after}"


def _kept(value: str) -> str:
    """What make takes for the whole value: `#` is escaped, and so are the backslashes before one (GNU make manual, 3.1)."""
    return re.sub(r"(\\*)#", r"\1\1\\#", value)
