"""The mistakes of the guides' Dockerfiles (rows M1 to M63 and M106 to M109 of the checklist), absent from every variant."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.buildkit_parser import hidden
from wherry.formats.dockerlines import Instruction, parse
from wherry.generate.dockerfile.files import files
from wherry.generate.dockerfile.variants import NAMES
from wherry.generate.dockerignore import written
from wherry.model.application import Application
from wherry.model.file import Choice

KEYWORDS = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM"),
    *("HEALTHCHECK", "LABEL", "RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}
WITH_GO = {"dev", "single-stage"}


@dataclass(frozen=True)
class Made:
    """One generated file."""

    variant: str
    application: Application

    @cached_property
    def text(self) -> str:
        (made,) = files((self.application,), Choice(what="dockerfile", variant=self.variant))
        return made.text

    @cached_property
    def rows(self) -> tuple[Instruction, ...]:
        return parse(self.text).instructions

    @cached_property
    def stages(self) -> dict[str, list[Instruction]]:
        """The instructions of each stage by its name; those above the first are of none."""
        found: dict[str, list[Instruction]] = {}
        for one in self.rows:
            if one.keyword == "FROM":
                found[one.text.split()[-1]] = []
            elif found:
                found[[*found][-1]].append(one)
        return found

    @property
    def last(self) -> list[Instruction]:
        return [*self.stages.values()][-1]

    def all(self, keyword: str) -> list[Instruction]:
        return [one for one in self.rows if one.keyword == keyword]

    def final(self, keyword: str) -> list[Instruction]:
        return [one for one in self.last if one.keyword == keyword]

    @property
    def checks(self) -> list[Instruction]:
        """HEALTHCHECK, but for the one that takes a base's away."""
        return [one for one in self.final("HEALTHCHECK") if one.text != "NONE"]

    @property
    def commands(self) -> str:
        return "\n".join(one.text for one in self.all("RUN"))

    @property
    def ignore(self) -> str:
        return written((self.application,))


def unreached_gate(made: Made) -> bool:
    """A stage with a test or a search in it that the last stage does not stand on."""
    starts = {one.text.split()[-1]: one.text.split()[0] for one in made.all("FROM")}
    waiting, reached = [[*made.stages][-1]], set()
    while waiting:
        stage = waiting.pop()
        if stage in made.stages and stage not in reached:
            reached.add(stage)
            waiting += [starts[stage], *(name for one in made.stages[stage] for name in one.flag("from"))]
    gates = {
        name
        for name, rows in made.stages.items()
        if any(re.search("go (test|vet)|govulncheck", one.text) for one in rows)
    }
    return not gates <= reached


def argument_before_download(made: Made) -> bool:
    for rows in made.stages.values():
        download = next((number for number, one in enumerate(rows) if "go mod download" in one.text), 0)
        if any(one.keyword == "ARG" for one in rows[:download]):
            return True
    return False


def undeclared_argument(made: Made) -> bool:
    """A variable in a label that its stage does not declare."""
    declared = {one.text.partition("=")[0] for one in made.final("ARG")}
    used = {name for one in made.final("LABEL") for name in re.findall(r"\$\{?([A-Z]+)", one.text)}
    return not used <= declared or not all(
        "=" in one.text for one in made.final("ARG") if one.text.split("=")[0] in used
    )


def changed_after_copy(made: Made) -> bool:
    copied = next((number for number, one in enumerate(made.last) if one.keyword == "COPY"), len(made.last))
    return any(one.keyword == "RUN" and re.search("chown|chmod", one.text) for one in made.last[copied:])


def writable_program(made: Made) -> bool:
    """Only the user's own folders belong to the user; in `dev`, the sources too."""
    owned = [one.text for one in made.last if one.keyword == "COPY" and one.flag("chown")]
    return bool(owned) and made.variant != "dev"


def source_with_manifests(made: Made) -> bool:
    """Something else than the files that name modules is there when they are downloaded."""
    for rows in made.stages.values():
        download = next((number for number, one in enumerate(rows) if "go mod download" in one.text), None)
        if download is not None:
            bound = [mount for mount in rows[download].flag("mount") if mount.startswith("type=bind")]
            named = all(re.search(r"source=[^,]*go\.(mod|sum|work|work\.sum),", mount) for mount in bound)
            if not named or any(one.keyword == "COPY" and made.variant != "dev" for one in rows[:download]):
                return True
    return False


def sum_is_left_out(made: Made) -> bool:
    bound = " ".join(mount for one in made.all("RUN") if "go mod download" in one.text for mount in one.flag("mount"))
    return any(name not in bound for name in made.application.sources.module_files)


def missing_file(made: Made) -> bool:
    """A go.sum that is not there."""
    known = set(made.application.sources.module_files)
    bound = [
        name for one in made.all("RUN") for mount in one.flag("mount") for name in re.findall(r"source=([^,]+)", mount)
    ]
    return not set(bound) <= known


def no_cache(made: Made) -> bool:
    compile_ = [one for one in made.all("RUN") if re.search(r"go (build|test|vet)", one.text)]
    wanted = {"type=cache,target=/go/pkg/mod", "type=cache,target=/root/.cache/go-build"}
    return any(not wanted <= set(one.flag("mount")) for one in compile_)


def root(made: Made) -> bool:
    users = made.final("USER")
    return len(users) == 0 or not re.fullmatch(r"[1-9]\d*:\d+", users[-1].text)


def installed(*names: str) -> Callable[[Made], bool]:
    return lambda made: any(re.search(rf"(apk add|apt-get install)[^&]*\b{name}\b", made.commands) for name in names)


def needless_packages(made: Made) -> bool:
    """A package manager where no C compiler is missing."""
    return bool(re.search("apk|apt", made.commands)) and not (
        made.variant == "alpine" and not made.application.sources.static
    )


def flag(pattern: str) -> Callable[[Made], bool]:
    return lambda made: re.search(pattern, made.commands) is not None


def cgo_by_chance(made: Made) -> bool:
    """Left to whether the builder has a compiler."""
    return not any("CGO_ENABLED=" in one.text for one in made.all("ENV"))


def interpreter(made: Made) -> bool:
    """-buildmode=pie of a program for a base without a loader."""
    static = made.application.sources.static
    return (
        "-buildmode=pie" in made.commands
        and static
        and "-linkmode=external -extldflags=-static-pie" not in made.commands
    )


def floating(made: Made) -> bool:
    images = [one.text.partition("=")[2] for one in made.all("ARG") if "_IMAGE" in one.text]
    known = {"scratch", "${GO_IMAGE}", "${BASE_IMAGE}", *made.stages}
    return (
        any(not re.search(r":[^@]+@sha256:[0-9a-f]{64}$", one) for one in images)
        or not {one.text.split()[0] for one in made.all("FROM")} <= known
    )


def other_go(made: Made) -> bool:
    """Not the toolchain of go.mod, or one that go.mod may replace."""
    image = next((one.text for one in made.all("ARG") if one.text.startswith("GO_IMAGE=")), "")
    return f"golang:{made.application.sources.go}-" not in image or "GOTOOLCHAIN=local" not in made.text


def needless_c_library(made: Made) -> bool:
    return made.application.sources.static and "distroless/base" in made.text


def missing_c_library(made: Made) -> bool:
    return not made.application.sources.static and (
        "distroless/static" in made.text or "FROM scratch AS final" in made.text
    )


def unhealthy(made: Made) -> bool:
    """A check that was found is not asked, or by a program that is not there."""
    if made.variant == "dev":
        return bool(made.checks)
    if not made.application.runs.health:
        return bool(made.checks)
    brought = any(one.text.endswith("/wherry/") for one in made.final("COPY"))
    return len(made.checks) != 1 or not re.search(r'CMD \["/wherry/probe", ', made.checks[0].text) or not brought


def shell_form(made: Made) -> bool:
    started = [*made.final("CMD"), *made.final("ENTRYPOINT")]
    health = [one.text.removeprefix("CMD ") for one in made.checks]
    return any(one.words is None for one in started) or any(not one.startswith("[") for one in health)


def partial_check(made: Made) -> bool:
    names = ["--interval", "--timeout", "--start-period", "--retries"]
    return any([word.split("=")[0] for word in one.flags] != names for one in made.checks)


def workdir(made: Made) -> str:
    return made.final("WORKDIR")[0].text if made.final("WORKDIR") else ""


MISTAKES: dict[str, Callable[[Made], bool]] = {
    "M1": lambda made: any(one.keyword not in KEYWORDS for one in made.rows),
    "M2": unreached_gate,
    "M3": lambda made: "-race" in made.commands and "CGO_ENABLED=1 go test" not in made.commands,
    "M4": lambda made: made.variant == "full" and not re.search(r"govulncheck@v\d", made.commands),
    "M5": undeclared_argument,
    "M6": argument_before_download,
    "M7": lambda made: any(one.keyword == "LABEL" for rows in [*made.stages.values()][:-1] for one in rows),
    "M8": lambda made: not workdir(made).startswith("/"),
    "M9": lambda made: workdir(made).startswith("/root"),
    "M11": source_with_manifests,
    "M12": sum_is_left_out,
    "M13": missing_file,
    "M14": lambda made: hidden(made.ignore, ".env", "key.pem") == [],
    "M15": changed_after_copy,
    "M16": writable_program,
    "M17": flag("rm -rf /var/cache"),
    "M18": flag("--update|update-ca-certificates"),
    "M19": lambda made: made.variant != "dev" and any(one.text.startswith(". ") for one in made.all("COPY")),
    "M20": no_cache,
    "M21": root,
    "M22": lambda made: made.variant == "scratch" and "/etc/passwd" not in made.commands,
    "M23": root,
    "M24": flag("adduser|useradd|addgroup"),
    "M26": lambda made: any(re.search(r"\b(USER|UID)=", one.text) for one in made.all("ENV")),
    "M27": installed("gosu", "su-exec"),
    "M28": needless_packages,
    "M29": flag("adduser|useradd"),
    "M31": lambda made: made.variant not in WITH_GO and bool(made.final("RUN")),
    "M32": interpreter,
    "M33": flag(r'-extldflags[= ]"?-static\b(?!-pie)'),
    "M34": flag(r"-installsuffix"),
    "M35": flag(r"go build\b.*\s-a\s"),
    "M36": flag(r"go build\b.*\s-i\s"),
    "M37": flag(r"go get|/dev/null"),
    "M38": flag("golint"),
    "M39": flag(r"go (run|install) \S+(@latest|@master)|go (run|install) [a-z]+\.[^@\s]+\s"),
    "M40": cgo_by_chance,
    "M41": lambda made: made.variant != "dev" and "go build -trimpath" not in made.commands,
    "M42": lambda made: "-X" in made.commands and not any(one.stamps for one in made.application.programs),
    "M43": lambda made: (
        made.variant != "dev"
        and any(one.stamps for one in made.application.programs)
        and "=$VERSION'" not in made.commands
    ),
    "M44": flag("GOARCH=[a-z]"),
    "M45": lambda made: 'GOARCH="$TARGETARCH"' in made.commands and 'GOOS="$TARGETOS"' not in made.commands,
    "M46": floating,
    "M47": other_go,
    "M49": floating,
    "M51": missing_c_library,
    "M53": needless_c_library,
    "M56": lambda made: re.search(r"wget|curl", made.text.replace("nor curl", "")) is not None,
    "M57": shell_form,
    "M58": unhealthy,
    "M59": lambda made: any("localhost" in one.text for one in made.final("HEALTHCHECK")),
    "M61": partial_check,
    "M62": unhealthy,
    "M106": lambda made: made.application.sources.stamped and hidden(made.ignore, ".git/HEAD") != [],
    "M107": lambda made: hidden(made.ignore, "vendor/modules.txt") != [],
    "M108": lambda made: hidden(made.ignore, *made.application.sources.tracked, "README.md") != [],
    "M109": lambda made: len(hidden(made.ignore, "a.pem", "b.key", ".env.local", "bin/x", "coverage.out")) < 5,
}
APPLICATIONS = {
    "api": API,
    "jobs": JOBS,
    "static": replace(JOBS, sources=replace(JOBS.sources, static=True, cgo=False)),
}


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("variant", NAMES)
@pytest.mark.parametrize("row", MISTAKES)
def test_absent(row: str, variant: str, application: str) -> None:
    chosen = APPLICATIONS[application]
    if variant == "scratch" and not chosen.sources.static:
        return  # there is no such file: base-libc
    assert not MISTAKES[row](Made(variant, chosen))


GUIDE = """FROM golang:1.21-alpine AS builder
LABEL maintainer=me
RUN apk add --update --no-cache git gosu tzdata && rm -rf /var/cache/apk/*
ARG VERSION
COPY main.go go.mod ./
RUN --mount=type=bind,source=tools/go.sum,target=/src/go.sum go get -d ./... && go mod download
COPY . .
RUN adduser -S app
ENV UID=1001
RUN GOARCH=amd64 go build -a -installsuffix cgo -i -buildmode=pie -ldflags='-w -extldflags "-static" -X main.version=1' -o main .
FROM golang:alpine AS test
RUN go run golang.org/x/lint/golint ./... && go test -race ./...
FROM gcr.io/distroless/base AS final
LABEL version="${VERSION}"
WORKDIR /root/
COPY --from=builder --chown=app /main .
RUN chown app main
HEALTHCHECK --interval=30s CMD wget --spider http://localhost:8080/health || exit 1
USER app
CMD ./main
"""


class Guide(Made):
    """What the guides wrote."""

    text = GUIDE
    ignore = ".git\nvendor\n*.md\n"


#: Rows that this one file cannot show: it is of another variant, or names what is not in it.
ELSEWHERE = {"M1", "M4", "M8", "M22", "M42", "M43", "M45", "M51"}


@pytest.mark.parametrize("row", [one for one in MISTAKES if one not in ELSEWHERE])
def test_each_would_be_seen(row: str) -> None:
    """Every question has an answer that is yes."""
    assert MISTAKES[row](Guide("distroless", API))
