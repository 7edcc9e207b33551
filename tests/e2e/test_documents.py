"""What programs read: errors as documents with `--json`, and a plan that says where images go and what would stop a build."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.analysis import write
from tests.support.cli import Done, wherry
from tests.support.refusals import only, refusals
from tests.support.tools import need

pytestmark = pytest.mark.e2e

MAIN = "package main\n\nfunc main() {}\n"
APP: dict[str, str | bytes] = {"go.mod": "module example.com/app\n\ngo 1.24\n", "main.go": MAIN}
ASSET = '[[image.assets]]\nfrom = "{}"\ninto = "/srv"\n'
MEMBERS = {"name", "message", "where", "why", "next", "output"}


def run(folder: Path, line: str, **files: str) -> Done:
    """`wherry LINE` in an application with these files besides; `_` in a name stands for a dot."""
    need("go")
    root = write(folder / "app", {**APP, **{name.replace("_", "."): text for name, text in files.items()}})
    return wherry(*line.split(), home=folder / "home", cwd=root)


def errors(done: Done) -> list[dict[str, Any]]:
    """The errors of the document on stdout, which are those on stderr."""
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert [one["name"] for one in document["errors"]] == [one.name for one in refusals(done.stderr)]
    assert all(set(one) == MEMBERS for one in document["errors"])
    found: list[dict[str, Any]] = document["errors"]
    return found


@pytest.mark.parametrize("verb", ["build", "plan", "inspect nowhere", "cache df", "doctor"])
def test_a_usage_error_is_a_document_too(verb: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"{verb} --json --no-such-option")
    (error,) = errors(done)
    assert (done.code, error["name"]) == (2, "usage")
    assert "--no-such-option" in error["message"]


def test_every_mistake_is_in_the_document(tmp_path: Path) -> None:
    done = run(tmp_path, "build --json", wherry_toml="[image]\nuesr = 1\nports = 'x'\n")
    first, second = errors(done)
    assert (first["name"], first["where"], first["next"]) == (
        "unknown-key", ["wherry.toml:2:1   uesr = 1"], ["did you mean user?"],
    )  # fmt: skip
    assert second["name"] == "bad-setting"


def test_the_words_of_go_are_in_the_document(tmp_path: Path) -> None:
    done = run(tmp_path, "build --json", main_go="package main\n\nfunc main() { gone() }\n")
    (error,) = errors(done)
    assert (done.code, error["name"]) == (3, "compile")
    assert "undefined: gone" in error["output"]


def test_a_place_that_is_no_text_is_in_the_document(tmp_path: Path) -> None:
    need("go")
    place = b"oci:o\xe9".decode("utf-8", "surrogateescape")
    done = wherry("build", "--json", "-o", place, home=tmp_path / "home", cwd=write(tmp_path / "app", APP))
    assert done.code == 0, done.stderr
    (image,) = json.loads(done.stdout)["images"]
    assert [one["place"] for one in image["published"]] == ["oci:o\\udce9:latest"]


def test_bytes_that_are_no_text_do_not_break_the_document(tmp_path: Path) -> None:
    need("go")
    root = write(tmp_path / "app", APP)
    done = wherry(
        "build", "--json", "-o", b"oci:a\xff/../@".decode("utf-8", "surrogateescape"), home=tmp_path / "home", cwd=root
    )
    assert json.loads(done.stdout)["schema"] == 1
    assert "[crash]" not in done.stderr


@pytest.mark.parametrize(
    ("words", "places", "reason"),
    [
        ("", ["store:app:latest"], "kept in wherry's store, since no container engine answers here"),
        ("-o oci:out -t a:1 -t b:2", ["oci:out:1", "oci:out:2"], "as you said"),
        ("-o oci-archive:x -o docker-archive:y:c:3", ["oci-archive:x:latest", "docker-archive:y:c:3"], "as you said"),
        ("--push -t reg.example/{name}:9", ["docker://reg.example/app:9"], "as you said"),
    ],
)  # fmt: skip
def test_a_plan_says_where_the_image_would_go(words: str, places: list[str], reason: str, tmp_path: Path) -> None:
    done = run(tmp_path, f"plan --json {words}")
    (image,) = json.loads(done.stdout)["plan"]["images"]
    found = [one for one in image["decisions"] if one["name"] == "place"]
    assert [one["value"] for one in found] == places
    assert {one["reason"] for one in found} == {reason}
    text = run(tmp_path, f"plan --why {words}").stdout
    assert re.findall(r"^  place +(\S+)", text, re.MULTILINE) == places
    assert not (tmp_path / "app/out").exists()


@pytest.mark.parametrize(
    ("words", "toml", "name", "code"),
    [
        ("", ASSET.format("web"), "asset-missing", 2),
        ("", ASSET.format("."), "secret-asset", 1),
        ("", '[image]\ncertificates = ["main.go"]\n', "bad-certificate", 2),
        ("-o oci", "", "bad-place", 2),
        ("--push", "", "push-without-name", 2),
        ("--load", "", "no-engine", 4),
    ],
)
def test_a_plan_refuses_what_a_build_would_refuse(words: str, toml: str, name: str, code: int, tmp_path: Path) -> None:
    extra = {"_env": "TOKEN=x\n"} if name == "secret-asset" else {}
    planned = only(run(tmp_path, f"plan {words}", wherry_toml=toml, **extra), name, code)
    built = only(run(tmp_path, f"build {words}", wherry_toml=toml, **extra), name, code)
    assert planned.text == built.text


def test_a_missing_file_is_told_with_the_line_that_names_it(tmp_path: Path) -> None:
    toml = "[build]\npgo = 'cpu.pprof'\n"
    refusal = only(run(tmp_path, "build", wherry_toml=toml), "pgo-missing", 2)
    assert (refusal.rows("where"), refusal.lines[0]) == (
        ["wherry.toml:2:1"], "error [pgo-missing]: there is no CPU profile cpu.pprof",
    )  # fmt: skip
    refusal = only(run(tmp_path, "build", wherry_toml=ASSET.format("web")), "asset-missing", 2)
    assert refusal.rows("where")[0].startswith("wherry.toml:1:")


def test_a_plan_tells_all_mistakes_at_once(tmp_path: Path) -> None:
    done = run(tmp_path, "plan --push", wherry_toml=ASSET.format("web"))
    assert [one.name for one in refusals(done.stderr)] == ["asset-missing", "push-without-name"]
