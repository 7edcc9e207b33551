"""The edit, the Dockerfiles, the options and the facts."""

import dataclasses
import gzip
from pathlib import Path

import pytest

from bench import images
from bench.__main__ import FOLDER, parse, wanted
from bench.apps import APPS, MANY, apply_edit, current_edit, edit_text
from bench.engines import CACHE_MOUNTS, dockerfile
from bench.machine import field
from bench.scenarios import SCENARIOS
from bench.services import absence
from bench.tools import TOOLS, Tool


def test_an_edit_changes_one_line() -> None:
    before, after = edit_text("a").splitlines(), edit_text("b").splitlines()
    assert [(x, y) for x, y in zip(before, after, strict=True) if x != y] == [
        ('const benchEdit = "a"', 'const benchEdit = "b"')
    ]


def test_an_edit_is_in_every_main(tmp_path: Path) -> None:
    for main in MANY.mains:
        (tmp_path / main).mkdir(parents=True)
    apply_edit(tmp_path, MANY, "run-tool-1")
    assert current_edit(tmp_path, MANY) == "run-tool-1"
    assert len([path for path in tmp_path.rglob("*.go") if "run-tool-1" in path.read_text()]) == 3


def test_a_layout_is_searched_inside_its_layers(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs/sha256"
    blobs.mkdir(parents=True)
    (blobs / "one").write_bytes(gzip.compress(b"first member") + gzip.compress(b"with the-edit in it"))
    images.check_layout(tmp_path, "the-edit")
    with pytest.raises(images.EditMissingError):
        images.check_layout(tmp_path, "another")


def test_a_dockerfile_builds_the_app_with_the_flags_of_all() -> None:
    text = dockerfile(APPS[0], mounts=CACHE_MOUNTS)
    assert '"-trimpath", "-buildvcs=false", "-ldflags=-w", "-o", "/out/app", "./cmd/go-httpbin"' in text
    assert text.count("--mount=type=cache") == 2
    assert "--mount" not in dockerfile(APPS[0], mounts="")


def test_every_tool_of_a_scenario_is_in_the_table() -> None:
    names = {tool.name for tool in TOOLS}
    for scenario in SCENARIOS:
        if scenario.kind in ("one", "many", "cold"):
            assert {name for group in scenario.groups for name in group} <= names, scenario.name
            assert scenario.groups[0][0] == "go", "what others are compared with"


def test_only_rivals_that_build_get_edits() -> None:
    assert [tool.name for tool in TOOLS if not tool.edits] == ["pack", "send"]
    assert dataclasses.fields(Tool)


def test_a_whole_run_writes_into_the_project_and_a_partial_one_does_not() -> None:
    whole = parse([])
    assert (whole.folder, whole.rounds, whole.apps, whole.scenarios) == (FOLDER, 5, APPS, SCENARIOS)
    for partial in (["--quick"], ["--only", "version"], ["--apps", "caddy"]):
        assert parse(partial).folder == Path()


def test_quick_is_small() -> None:
    quick = parse(["--quick"])
    assert ([app.name for app in quick.apps], quick.rounds) == (["go-httpbin"], 3)
    assert not {"cold", "many-edit", "many-same"} & {one.name for one in quick.scenarios}
    assert [one.name for one in parse(["--quick", "--only", "cold"]).scenarios] == ["cold"]


def test_engines_start_only_when_they_compete() -> None:
    assert parse([]).engines
    assert not parse(["--only", "version", "--only", "pack"]).engines


def test_an_unknown_scenario_is_refused() -> None:
    with pytest.raises(SystemExit):
        parse(["--only", "warm"])


def test_a_missing_program_is_named() -> None:
    assert absence(True, dockerd=None, docker="/usr/bin/docker") == "dockerd is not installed"
    assert absence(False, dockerd=None) == "not asked for"


def test_fields_of_proc(tmp_path: Path) -> None:
    (tmp_path / "info").write_text("model name\t: Fast One\nmodel name\t: Other\n")
    assert field(str(tmp_path / "info"), "model name") == "Fast One"
    assert field(str(tmp_path / "info"), "flags") == "unknown"


def test_every_app_of_a_chosen_scenario_is_warmed_once() -> None:
    assert wanted(parse(["--only", "cold", "--only", "version"])) == APPS[:1]
    assert wanted(parse([])) == (*APPS, MANY)
