"""The mistakes of the guides' Makefiles, build scripts and CI (rows M32 to M45, M74 to M86), absent from every file; and each of
them found where it is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from yamllint import linter  # type: ignore[import-untyped]
from yamllint.config import YamlLintConfig  # type: ignore[import-untyped]

from tests.support.applications import API, JOBS
from wherry.generate.table import WRITERS
from wherry.model.application import Application
from wherry.model.file import Choice

WHATS = ("makefile", "build-script", "ci")
GHCR = replace(JOBS, image="ghcr.io/example/jobs", branch="trunk")
CASES = {"api": (API,), "jobs": (JOBS,), "both": (API, JOBS), "ghcr": (GHCR,)}


def texts(applications: tuple[Application, ...]) -> dict[str, str]:
    """Every variant of every kind, with and without its switches."""
    rows = [row for row in WRITERS if row.what in WHATS]
    choices = [
        Choice(what=row.what, variant=variant, extras=extras)
        for row in rows
        for variant in row.variants or ("",)
        for extras in ((), *((name,) for name, _ in row.extras if variant == "github"))
    ]
    by = {row.what: row.write for row in rows}
    return {
        "-".join((one.what, one.variant, *one.extras)): file.text
        for one in choices
        for file in by[one.what](applications, one)
    }


ALL = [(f"{case} {name}", text) for case, applications in CASES.items() for name, text in texts(applications).items()]


def commands(text: str) -> list[str]:
    """Lines of shell with their continuations, without comments."""
    joined = text.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if not line.strip().startswith("#")]


def unpinned(text: str) -> bool:
    """A program of Go's without a version."""
    tools = re.findall(r"(?:go run|go install|CHECK \?=) ([\w-]+\.[\w.-]+/[\w./-]+)(@\S+)?", text)
    return any(not re.fullmatch(r"@v\d[\w.-]*", version) for _, version in tools)


def cache_never_written(text: str) -> bool:
    read = set(re.findall(r"--cache-from \"?(?:type=registry,ref=)?([^\",\s]+)", text))
    return read != set(re.findall(r"--cache-to \"?(?:type=registry,ref=)?([^\",\s]+)", text)) if read else False


def stays_nowhere(text: str) -> bool:
    """Several platforms built by Docker into nothing."""
    return any(
        "docker buildx build" in line and "--platform" in line and not re.search(r"--push|--output", line)
        for line in commands(text)
    )


def phony_missing(text: str) -> bool:
    if ".DEFAULT_GOAL" not in text:
        return False
    targets = set(re.findall(r"^([\w-]+):(?!=)", text, re.MULTILINE))
    return targets != set(re.findall(r"^\.PHONY: (\S+)$", text, re.MULTILINE))


def paths_left_in(text: str) -> bool:
    builds = [line for line in commands(text) if re.search(r"\$\(GO\) build", line)]
    return any("-trimpath" not in line for line in builds)


def careless(text: str) -> bool:
    """A script that goes on after errors, or paints files and pipes."""
    needed = (
        "set -euo pipefail",
        "[ -t 2 ]",
        "NO_COLOR",
        'log_error() { printf \'%s[ERROR]%s %s\\n\' "$red" "$plain" "$*" >&2; }',
    )
    return text.startswith("#!") and any(one not in text for one in needed)


def wrong_targets(text: str) -> bool:
    """Git asked on every call, a target that a file can hide, rm that fails where nothing is."""
    removals = [line for line in commands(text) if re.match(r"[@-]*rm ", line)]
    asked = re.search(r":= *\$\(shell", text)
    return bool(asked) or phony_missing(text) or any("rm -f " not in line for line in removals)


def pushed_anyway(text: str) -> bool:
    pushes = any(word in text for word in ("--push", "docker push", "wherry push"))
    return pushes and "no commit describes these files" not in text and "wherry prove" not in text


MISTAKES: dict[str, Callable[[str], bool]] = {
    "M33": lambda text: bool(re.search(r"-extldflags[= ]\W?-static", text)),
    "M34": lambda text: bool(re.search(r"go build[^\n]* (-a|-installsuffix)\b", text)),
    "M36": lambda text: bool(re.search(r"(go|\$\(GO\)) build[^\n]* -i\b", text)),
    "M37": lambda text: "go get" in text or "&>" in text,
    "M38": lambda text: "golint" in text,
    "M39": lambda text: unpinned(text) or "@latest" in text,
    "M41": paths_left_in,
    "M44": lambda text: "GOARCH=" in text or "GOOS=" in text,
    "M74": cache_never_written,
    "M75": lambda text: "trivy" in text and "what nobody scanned is not pushed" not in text,
    "M76": careless,
    "M77": lambda text: "localhost:5000" in text or "latest" in text,
    "M78": lambda text: "DOCKER_BUILDKIT=1" in text,
    "M79": wrong_targets,
    "M80": pushed_anyway,
    "M81": lambda text: any("git describe" in line and "--always" not in line for line in commands(text)),
    "M82": lambda text: ":latest" in text,
    "M83": stays_nowhere,
    "M85": lambda text: "docker-compose" in text,
    "M86": lambda text: not re.search(r"vuln|trivy", text),
    "I03": lambda text: "pull_request_target" in text or bool(re.search(r"uses: (?!\S+@[0-9a-f]{40} # v)", text)),
}
"""Row: whether a text makes it."""


@pytest.mark.parametrize("row", MISTAKES)
def test_absent(row: str) -> None:
    assert [name for name, text in ALL if MISTAKES[row](text)] == []


GUIDES = {
    "M33": '\tgo build -ldflags="-extldflags -static" .',
    "M34": "\tgo build -a -installsuffix cgo -o app .",
    "M36": "\tgo build -i -v -o ${OUT} ${PKG}",
    "M37": "RUN bash -c 'go get -d ./... &> /dev/null'",
    "M38": "\t@for file in ${GO_FILES} ; do golint $$file ; done",
    "M39": "\tgo run honnef.co/go/tools/cmd/staticcheck ./...",
    "M41": "\t$(GO) build -v -o app .",
    "M44": "GOARCH=amd64 go build .",
    "M74": "docker build --cache-from ${REGISTRY}/${IMAGE_NAME}:cache .",
    "M75": 'if command -v trivy; then trivy image x; else log_warn "no trivy"; fi',
    "M76": "#!/bin/bash\nset -e\n",
    "M77": 'TAG="${1:-latest}"',
    "M78": "DOCKER_BUILDKIT=1 docker build .",
    "M79": "VERSION := $(shell git describe)",
    "M80": "\tdocker push registry/image:${VERSION}",
    "M81": "docker build -t myapp:$(git describe --tags) .",
    "M82": "docker push myapp:latest",
    "M83": "docker buildx build --platform linux/amd64,linux/arm64 -t myapp:1 .",
    "M85": "docker-compose up -d",
    "M86": "\tdocker build .",
    "I03": "      - uses: actions/checkout@v4",
}


@pytest.mark.parametrize("row", MISTAKES)
def test_found_in_the_guides_words(row: str) -> None:
    assert MISTAKES[row](GUIDES[row])


YAMLLINT = YamlLintConfig(
    "{extends: default, rules: {line-length: {max: 200}, document-start: disable, comments: {min-spaces-from-content: 1}}}"
)
"""A condition of GitHub's has no line breaks; a pin's tag stands one blank after it, as tools that move pins write it."""


@pytest.mark.parametrize(("name", "text"), [one for one in ALL if " ci-" in one[0]])
def test_yamllint_finds_nothing(name: str, text: str) -> None:
    assert list(linter.run(text, YAMLLINT)) == [], name
