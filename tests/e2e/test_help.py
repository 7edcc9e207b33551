"""Help, names and documents: short, with examples that hold, the same words everywhere."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from tests.support import examples
from tests.support.cli import wherry
from tests.support.tools import need
from wherry.cli.verbs import cli
from wherry.errors import WherryError
from wherry.model.container import Options

CONTAINERS = ("run", "prove", "profile")
SHARED = {*Options.__struct_fields__, "engine"}
"""What says how a container runs is alike in all of CONTAINERS, and listed in each."""
PAGES = Path(__file__).parents[2] / "src/wherry/cli/pages"


def verbs(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from verbs(command, (*path, name))


VERBS = dict(verbs())
LEAVES = {path: command for path, command in VERBS.items() if not isinstance(command, click.Group)}


def shown(*words: str, folder: Path) -> str:
    done = wherry(*words, home=folder / "home", cwd=folder)
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


def samples(path: tuple[str, ...], text: str) -> list[list[str]]:
    """The example lines of a help page, as words behind `wherry`; what a shell does with the output is left out."""
    lines = re.findall(r"^  +wherry (.*)$", text.partition("Options:")[0], re.MULTILINE)
    return [shlex.split(re.split(r" +[|>] ", line)[0]) for line in lines]


def test_the_card_is_short_and_every_word_on_it_is_a_verb(tmp_path: Path) -> None:
    card = shown(folder=tmp_path)
    lines = card.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    heads = re.findall(r"^  (?:wherry )?((?:\w+, )*\w+)", card, re.MULTILINE)
    named = {word for head in heads for word in head.split(", ")}
    assert {path[0] for path in VERBS} <= named


@pytest.mark.parametrize("path", VERBS, ids=" ".join)
def test_help_is_short_and_shows_examples(path: tuple[str, ...], tmp_path: Path) -> None:
    text = shown(*path, "--help", folder=tmp_path)
    lines = text.splitlines()
    options = [one for one in VERBS[path].params if isinstance(one, click.Option)]
    shared = [one for one in options if one.name in SHARED] if path[0] in CONTAINERS else []
    assert len(lines) <= 40 + len(shared)
    assert max(map(len, lines)) <= 80
    assert len(samples(path, text)) >= 2
    assert shown(*path, "-h", folder=tmp_path) == text
    own = [one for one in options if one.name not in ("authfile", "offline") and one not in shared]  # everywhere alike
    assert len(own) <= 20
    assert all(option.help for option in options)
    assert "may not work" not in text


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_example_in_help_is_understood(path: tuple[str, ...], tmp_path: Path) -> None:
    for words in samples(path, shown(*path, "--help", folder=tmp_path)):
        assert tuple(words[: len(path)]) == path
        command = LEAVES[path]
        context = command.make_context("wherry", words[len(path) :], resilient_parsing=False)
        assert not context.args


@pytest.mark.e2e
def test_examples_that_need_nothing_from_outside_run(tmp_path: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", tmp_path)
    for line in ("build", "build ./... --platform linux/amd64,linux/arm64 -o oci:images", "plan", "plan --why .",
                 "plan --json", "inspect hello", "inspect oci:images:1.2.3", "doctor", "doctor --json", "explain health",
                 "completion bash", "completion fish", "cache df", "cache df --json", "cache prune --limit 1GB",
                 "cache prune --older-than 30", "cache prune --all"):  # fmt: skip
        done = wherry(*line.split(), home=tmp_path / "home", cwd=root)
        assert done.code == 0, f"{line}\n{done.stderr}"


def test_every_name_has_a_page_that_explain_prints(tmp_path: Path) -> None:
    rows = [line.split() for line in shown("explain", folder=tmp_path).splitlines() if line[2] != " "]
    names = [words[0] for words in rows]
    assert names == sorted(page.stem for page in PAGES.glob("*.md"))
    for name, *words in rows:
        assert words, name
        assert (PAGES / f"{name}.md").read_text().startswith(" ".join(words)), "its first line says what it is"
    for name in (names[0], names[len(names) // 2], names[-1], "crash", "usage"):
        assert shown("explain", name, folder=tmp_path).strip() == (PAGES / f"{name}.md").read_text().strip()


def test_every_page_prints_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    for page in PAGES.glob("*.md"):
        cli.main(["explain", page.stem], prog_name="wherry", standalone_mode=False)
        assert capsys.readouterr().out.strip() == page.read_text().strip()


@pytest.mark.parametrize(
    ("slip", "right"),
    [
        *(("bild", "build"), ("biuld", "build"), ("paln", "plan"), ("inspekt", "inspect"), ("docter", "doctor")),
        *(
            ("explian", "explain"),
            ("cahce", "cache"),
            ("publish", "build --push"),
            ("resolve", "plan"),
            ("images", "inspect"),
        ),
    ],
)
def test_a_slip_is_answered_with_the_right_word(slip: str, right: str) -> None:
    with pytest.raises(WherryError, match=re.escape(f"did you mean {right}?")):
        cli.main([slip], prog_name="wherry", standalone_mode=False)


@pytest.mark.parametrize(
    ("slip", "message"),
    [
        ("--tga", "no such option '--tga'; did you mean --tag?"),
        ("--ouput", "no such option '--ouput'; did you mean --output?"),
        ("--zzz", "no such option '--zzz'"),
        ("--platform", "option '--platform' requires an argument"),
    ],
)
def test_a_wrong_option_is_answered_once(slip: str, message: str, tmp_path: Path) -> None:
    done = wherry("build", slip, home=tmp_path, cwd=tmp_path)
    assert (done.code, done.stderr.splitlines()[0]) == (2, f"error [usage]: {message}")


@pytest.mark.e2e
@pytest.mark.parametrize(
    "line", ["build --json -o oci:out", "plan --json", "inspect oci:out --json", "doctor --json", "cache df --json"]
)
def test_documents_say_their_schema_and_stand_alone_on_stdout(line: str, tmp_path: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", tmp_path)
    if line.startswith("inspect"):
        wherry("build", "-o", "oci:out", home=tmp_path / "home", cwd=root)
    done = wherry(*line.split(), home=tmp_path / "home", cwd=root)
    assert done.code == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert next(iter(document)) == "schema"


@pytest.mark.e2e
def test_the_metadata_file_is_the_document_and_never_half(tmp_path: Path) -> None:
    need("go", "git")
    root = examples.repository("hello", tmp_path)
    words = ("build", "--json", "--metadata-file", "out.json", "-o", "oci:out")
    done = wherry(*words, home=tmp_path / "home", cwd=root)
    assert (root / "out.json").read_text() == done.stdout
    document = json.loads(done.stdout)
    assert set(document) == {"schema", "images", "findings", "seconds", "timings"}
    (image,) = document["images"]
    assert {"name", "version", "digest", "mediaType", "platforms", "published"} == set(image)
    (root / "main.go").write_text("package main\n\nfunc main() { nothing }\n")
    assert wherry(*words, home=tmp_path / "home", cwd=root).code == 3
    assert (root / "out.json").read_text() == done.stdout
