"""Whatever the texts are, Docker reads what was meant: asked are wherry's own parser and BuildKit's."""

from __future__ import annotations

import contextlib
import shlex
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.applications import API
from tests.support.buildkit_parser import hidden, parsed
from wherry.errors import UsageError
from wherry.formats import dockerfile, dockerignore, dockerlines, dockerwords
from wherry.generate import dockerignore as ignoring
from wherry.generate.dockerfile.files import files
from wherry.generate.dockerfile.variants import NAMES
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.plan import Asset

from msgspec.structs import replace  # isort: skip

NASTY = "a'\"\\$`{}#<>|&;!*?[]()=:,@%~ \t\u2028\xa0é-+/.\n\r"
LINES = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20) | st.text(
    st.sampled_from(sorted(set(NASTY) - set("\n\r\t"))), max_size=12
)
TEXTS = LINES | st.text(st.sampled_from(NASTY), max_size=12)
NAMES_OF_VARIABLES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def commands(text: str) -> list[dict[str, Any]]:
    """BuildKit's reading of instructions in a stage, without the FROM above them."""
    (answer,) = parsed(f"FROM scratch\n{text}\n")
    assert not answer["error"], answer["error"]
    return list(answer["commands"][1:])


@given(st.lists(st.tuples(NAMES_OF_VARIABLES, LINES), min_size=1, max_size=4, unique_by=lambda pair: pair[0]))
@QUICK
def test_values(pairs: list[tuple[str, str]]) -> None:
    text = "\n".join(dockerfile.pairs(keyword, tuple(pairs)) for keyword in ("ENV", "LABEL"))
    for own in dockerlines.parse(text).instructions:
        assert [(name, dockerwords.expand(value)) for name, value in dockerwords.pairs(own.text)] == pairs
    for theirs in commands(text):
        assert list(map(tuple, theirs["pairs"])) == pairs


@given(st.lists(TEXTS, min_size=1, max_size=30))
@QUICK
def test_exec_form(words: list[str]) -> None:
    text = "\n".join(dockerfile.started(keyword, words) for keyword in ("ENTRYPOINT", "CMD"))
    assert [list(own.words or ()) for own in dockerlines.parse(text).instructions] == [words, words]
    assert [theirs["words"] for theirs in commands(text)] == [words, words]


@given(st.lists(LINES.filter(lambda text: text and text == text.strip()).map("/".__add__), min_size=1, max_size=4))
@QUICK
def test_volumes_and_the_folder(paths: list[str]) -> None:
    text = f"{dockerfile.volume(paths)}\nWORKDIR {dockerfile.value(paths[0])}"
    volume, workdir = commands(text)
    assert (volume["words"], workdir["words"]) == (paths, paths[:1])
    own = dockerlines.parse(text).instructions
    assert [dockerwords.expand(word) for word in own[0].words or ()] == paths
    assert dockerwords.expand(own[1].text) == paths[0]


@given(st.lists(LINES.filter(str.strip), min_size=1, max_size=6))
@QUICK
def test_words_of_the_shell(words: list[str]) -> None:
    text = dockerfile.run(("--mount=type=bind,target=/src",), " &&\n".join(map(dockerfile.shell, words)))
    (theirs,) = commands(text)
    (line,) = theirs["words"]
    assert [word for word in shlex.split(line) if word != "&&"] == [word for word in words if word != "&&"]
    (own,) = dockerlines.parse(text).instructions
    assert own.text.split() == line.split()


@given(LINES.filter(lambda text: text.strip("/ ") != ""))
@QUICK
def test_copied_paths(path: str) -> None:
    (theirs,) = commands(dockerfile.copy((path,), "/x/", "--from=build"))
    (source, into) = theirs["words"]
    assert (source, into) == (dockerfile.literal(path), "/x/")
    assert matches(source, path)


def matches(pattern: str, path: str) -> bool:
    """As BuildKit takes a source of COPY: without wildcards as it is, else by Go's filepath.Match."""
    if not set(pattern) & set("*?["):
        return pattern == path
    import re

    translated = re.sub(r"\\(.)|\[(.)\]|(.)", lambda one: re.escape(one[1] or one[2] or one[3]), pattern)
    return re.fullmatch(translated, path) is not None


@given(st.text("abc./-_ @+~,\"'é$", min_size=1, max_size=12))
@QUICK
def test_a_mount_is_as_meant_or_refused(path: str) -> None:
    with contextlib.suppress(ValueError):
        mount = dockerfile.mount({"type": "bind", "source": path, "target": "/src/" + path})
        (theirs,) = commands(dockerfile.run((mount,), "true"))
        (bound,) = theirs["mounts"]
        assert (bound["source"], bound["target"]) == (path, "/src/" + path)


class Texts(Value, frozen=True, kw_only=True):
    """What a repository may say in its own words."""

    value: str
    label: str
    argument: str
    folder: str
    source: str
    licence: str


def told(texts: Texts) -> Application:
    return replace(
        API,
        licences=(texts.licence,),
        arguments=(texts.argument,),
        entrypoint=("/app/api", texts.argument),
        working_directory=f"/{texts.folder}",
        labels=(("team", texts.label),),
        assets=(Asset(source=texts.source, into=f"/{texts.folder}"),),
        runs=replace(API.runs, environment=(("GREETING", texts.value),), volumes=(f"/{texts.folder}",)),
    )


WORDS = LINES.filter(lambda text: text.strip("/. ") != "" and "/" not in text)


@given(st.sampled_from(NAMES), st.builds(Texts, **dict.fromkeys(Texts.__struct_fields__, WORDS)))
@QUICK
def test_no_text_is_more_than_text(variant: str, texts: Texts) -> None:
    choice = Choice(what="dockerfile", variant=variant)
    (tame,) = files((told(Texts(**dict.fromkeys(Texts.__struct_fields__, "x"))),), choice)
    try:
        (wild,) = files((told(texts),), choice)
    except UsageError as refused:
        assert refused.name == "bad-text", refused  # noqa: PT017 - it is one of two good ends
        return
    expected, found = parsed(tame.text, wild.text)
    assert not found["error"]
    assert [one["name"] for one in found["commands"]] == [one["name"] for one in expected["commands"]]
    whole = [pair for one in found["commands"] for pair in one["pairs"] or ()]
    assert ["GREETING", texts.value] in whole
    if variant != "dev":
        assert ["team", texts.label] in whole
        assert ["org.opencontainers.image.licenses", texts.licence] in whole or not texts.licence
        started = {one["name"]: one["words"] for one in found["commands"]}
        assert (started["ENTRYPOINT"], started["CMD"]) == (["/app/api", texts.argument], [texts.argument])
        assert started["VOLUME"] == [f"/{texts.folder}"]
        assert started["WORKDIR"] == [f"/{texts.folder}"]


PATTERN = st.text("ab.*?/[]-!^#\\ ", max_size=8)
PATHS = st.lists(
    st.from_regex(r"[ab.#!^ -]{1,4}(/[ab.#!*^ -]{1,4}){0,3}", fullmatch=True).filter(
        lambda path: not {".", ".."} & {*path.split("/")}
    ),
    min_size=1,
    max_size=6,
)


@given(st.lists(PATTERN, max_size=4), PATHS)
@settings(QUICK, max_examples=200)
def test_ignored_as_docker_ignores(patterns: list[str], paths: list[str]) -> None:
    text = "\n".join(patterns)
    try:
        theirs = hidden(text, *paths)
    except ValueError:
        return  # a pattern that Docker itself refuses
    try:
        assert list(dockerignore.hidden(paths, dockerignore.read(text))) == theirs
    except ValueError:
        assert set(text) & set("[]\\"), "what Go's filepath.Match does not read, Python's need not"


NAMES_OF_FILES = st.sampled_from(
    [
        "bin",
        "dist",
        "tmp",
        ".env",
        "a.pem",
        "x.key",
        ".git",
        "secrets",
        "main.go",
        "a.test",
        "coverage.out",
        "#x",
        "a*",
        "ü",
    ]
)
TRACKED = st.lists(st.lists(NAMES_OF_FILES, min_size=1, max_size=4).map("/".join), max_size=12, unique=True)


@given(TRACKED, TRACKED, st.booleans())
@QUICK
def test_nothing_that_is_needed_is_hidden(tracked: list[str], embeds: list[str], stamped: bool) -> None:
    sources = replace(API.sources, tracked=tuple(tracked), embeds=tuple(embeds), stamped=stamped)
    application = replace(API, sources=sources, assets=tuple(Asset(source=one, into="/x") for one in embeds[:1]))
    text = ignoring.written((application,))
    needed = [
        *tracked,
        *embeds,
        *(f"{one}/dist/x.log" for one in {*embeds} - {*tracked}),
        *([".git/HEAD"] if stamped else []),
    ]
    assert hidden(text, *needed) == [], text
    assert dockerignore.hidden(needed, dockerignore.read(text)) == ()
