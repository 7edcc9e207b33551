"""The nine rules of looks (design §8) over real runs: streams, widths, terminals, colours, next lines, documents."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support import examples, looks
from tests.support.cli import COMMAND, Done, wherry
from tests.support.tools import need

pytestmark = pytest.mark.e2e

#: Name, arguments, exit code: what a person says in a day. `hello` is built before.
RUNS: tuple[tuple[str, str, int], ...] = (
    ("again", "build", 0),
    ("layout", "build -o oci:{out}", 0),
    ("two platforms", "build --platform linux/amd64,linux/arm64 -o oci:{out}-two", 0),
    ("timings", "build --timings --no-cache", 0),
    ("quiet", "build -q --no-cache", 0),
    ("plan", "plan", 0),
    ("plan why", "plan --why", 0),
    ("inspect", "inspect hello:1.2.3", 0),
    ("df", "cache df", 0),
    ("prune", "cache prune --limit 4GB", 0),
    ("doctor", "doctor", 0),
    ("explain", "explain health", 0),
    ("names", "explain", 0),
    ("unknown word", "bild", 2),
    ("unknown option", "build --tga x", 2),
    ("unknown place", "build -o bla:x", 2),
    ("unknown image", "inspect nowhere", 2),
    ("unknown package", "build ./nowhere", 2),
    ("unknown platform", "build --platform linux/amd46", 2),
)


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `hello`, built once, and its home."""
    need("go", "git")
    folder = tmp_path_factory.mktemp("looks")
    done = wherry("build", home=folder / "home", cwd=examples.repository("hello", folder))
    assert done.code == 0, done.stderr
    return folder


def words(folder: Path, line: str) -> list[str]:
    return line.format(out=folder / "layout").split()


def run(folder: Path, line: str, **environment: str) -> Done:
    return wherry(*words(folder, line), home=folder / "home", cwd=folder / "hello", **environment)


@pytest.mark.parametrize(("name", "line", "code"), RUNS, ids=[row[0] for row in RUNS])
def test_a_run_keeps_the_rules(hello: Path, name: str, line: str, code: int) -> None:
    done = run(hello, line)
    assert done.code == code, done.stderr
    text = done.stdout + done.stderr
    assert looks.too_wide(text, 80) == []
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|Traceback", text)
    assert not re.search(r"(?m)^\d{4}-\d\d-\d\d[T ]\d|\blevel=|\bINFO\b|\bsubtask\b", done.stderr), "a log's dialect"
    assert not re.search(r" $", text, re.MULTILINE)
    if line.startswith("build") and code == 0:
        assert [line for line in done.stdout.splitlines() if not looks.RESULT.fullmatch(line)] == []
        assert done.stdout.count("\n") == 1
    if code:
        assert done.stdout == ""
        assert len(done.stderr.splitlines()) <= 6
        assert re.match(r"error \[[a-z0-9-]+\]: ", done.stderr)
        assert "  more   wherry explain " in done.stderr


@pytest.mark.parametrize("columns", ["40", "80", "200"])
@pytest.mark.parametrize("line", ["build --no-cache", "build -o bla:x", "build --set image.user=root --no-cache"])
def test_a_terminal_shows_what_a_pipe_shows(hello: Path, line: str, columns: str) -> None:
    piped = run(hello, line, COLUMNS=columns)
    shown = looks.on_terminal(*words(hello, line), home=hello / "home", cwd=hello / "hello", COLUMNS=columns)
    assert (shown.code, shown.stdout) == (piped.code, piped.stdout)
    assert looks.facts(piped.stderr) == looks.facts(shown.stderr)
    assert looks.too_wide(looks.still(shown.stderr), min(80, int(columns))) == []
    assert looks.too_wide(piped.stderr, 80) == []


def test_pages_are_as_wide_as_their_terminal(hello: Path) -> None:
    for line in ("plan --why", "inspect hello:1.2.3", "doctor", "cache df"):
        piped = run(hello, line)
        shown = looks.on_terminal(*line.split(), home=hello / "home", cwd=hello / "hello", both=True, COLUMNS="40")
        assert (shown.code, looks.facts(shown.stderr)) == (0, looks.facts(piped.stdout + piped.stderr))
        assert looks.too_wide(looks.still(shown.stderr), 40) == []


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [
        ({}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
    ids=str,
)
def test_colour_on_a_terminal(hello: Path, environment: dict[str, str], coloured: bool) -> None:
    command = ("env", *(f"{name}={value}" for name, value in environment.items()), *COMMAND)
    shown = looks.on_terminal("build", "-o", "bla:x", home=hello / "home", cwd=hello / "hello", command=command)
    assert ("\x1b[31;1merror\x1b[0m" in shown.stderr) is coloured
    assert bool(re.search(r"\x1b\[[0-9;]*m", shown.stderr)) is coloured


@pytest.mark.parametrize(("value", "coloured"), [("1", True), ("0", False), ("", False)])
def test_colour_in_a_pipe_only_when_forced(hello: Path, value: str, coloured: bool) -> None:
    assert ("\x1b[" in run(hello, "build -o bla:x", FORCE_COLOR=value).stderr) is coloured


def test_nothing_changed_is_one_line(hello: Path) -> None:
    assert run(hello, "build").code == 0
    done = run(hello, "build")
    assert looks.RESULT.fullmatch(done.stdout.rstrip("\n"))
    assert re.fullmatch(r"unchanged, \d\.\d\d s\n", done.stderr)


@pytest.mark.parametrize(
    "line", ["build --no-cache", "build --no-cache -o oci:{out}-a", "build --no-cache -o oci-archive:{out}.tar"]
)
def test_next_lines_work_as_they_stand(hello: Path, line: str) -> None:
    done = run(hello, line)
    found = looks.commands(done.stderr)
    assert found, done.stderr
    for command in found:
        followed = looks.follow(command, home=hello / "home", cwd=hello / "hello")
        assert followed.code == 0, f"{command}\n{followed.stderr}"


def test_the_story_says_subject_place_and_one_closing_sentence(hello: Path) -> None:
    text = run(hello, "build --no-cache").stderr
    first, *rest = text.splitlines()
    assert re.fullmatch(r"hello 1\.2\.3   example\.com/hello   go1\.\S+   linux/\w+", first)
    assert len(rest) <= 14
    assert re.search(r"^\d+\.\d MB, \d+\.\d MB to pull, in \d+\.\d\d s: compile \d", text, re.MULTILINE)
    assert "kept in wherry's store, since no container engine answers here\n" in text
    assert re.search(r"^  port +8080 +main\.go:14:32$", text, re.MULTILINE)


def test_sizes_add_up(hello: Path) -> None:
    done = run(hello, "build --no-cache --json -o oci:{out}-sums")
    (image,) = json.loads(done.stdout)["images"]
    inspected = json.loads(run(hello, "inspect oci:{out}-sums --json").stdout)["images"][0]
    manifest_bytes = Path(f"{hello}/layout-sums/blobs", inspected["digest"].replace(":", "/")).read_bytes()
    manifest = json.loads(manifest_bytes)
    assert inspected["manifest"] == manifest
    parts = [len(manifest_bytes), manifest["config"]["size"], *(layer["size"] for layer in manifest["layers"])]
    assert image["platforms"][0]["size"] == inspected["size"] == sum(parts)


def test_without_the_layout_each_line_is_still_a_sentence(hello: Path) -> None:
    """Read aloud (ux row 28): no glyphs, no rulers, no redrawing where the terminal is dumb."""
    shown = looks.on_terminal(
        *("build", "--no-cache"), home=hello / "home", cwd=hello / "hello",
        command=("env", "TERM=dumb", *COMMAND),
    )  # fmt: skip
    text = shown.stderr.replace("\r\n", "\n")
    assert "\r" not in text
    assert text.isascii()
    assert not re.search(r"[-=_*#|]{4,}", text)


def test_many_images_are_a_line_each(tmp_path: Path) -> None:
    need("go", "git")
    root = examples.repository("multi-main", tmp_path)
    done = wherry("build", "--no-cache", home=tmp_path / "home", cwd=root)
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == ["api", "worker"]
    assert all(looks.RESULT.fullmatch(line) for line in done.stdout.splitlines())
    assert len(done.stderr.splitlines()) <= 8
    for command in looks.commands(done.stderr):
        assert looks.follow(command, home=tmp_path / "home", cwd=root).code == 0
