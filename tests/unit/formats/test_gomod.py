"""go.mod and go.work, as Go itself reads them (`go mod edit -json`)."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need
from wherry.errors import BuildError
from wherry.formats import gomod, gowork

FULL = """// A comment
module example.com/app/v2 // trailing

go 1.26.1

toolchain go1.26.8
godebug default=go1.21
godebug (
	panicnil=1
)
require example.com/one v1.2.3
require (
	example.com/two v0.0.0-20260102030405-abcdef123456 // indirect
	"example.com/three" v1.0.0
)
exclude example.com/bad v1.0.0
replace example.com/one => ../one
replace (
	example.com/two v0.1.0 => example.com/fork v0.1.1
	"example.com/three" => "./with space"
)
retract [v2.0.0, v2.1.0]
tool example.com/app/v2/internal/gen
ignore ./node_modules
"""


def test_every_directive_is_read() -> None:
    parsed = gomod.parse(FULL.encode())
    assert (parsed.module, parsed.go, parsed.toolchain) == ("example.com/app/v2", "1.26.1", "go1.26.8")
    assert [path for path, _ in parsed.requires] == ["example.com/one", "example.com/two", "example.com/three"]
    assert [(one.old, one.new, one.is_folder) for one in parsed.replaces] == [
        ("example.com/one", "../one", True),
        ("example.com/two", "example.com/fork", False),
        ("example.com/three", "./with space", True),
    ]
    assert parsed.excludes == 1
    assert parsed.tools == ("example.com/app/v2/internal/gen",)
    assert parsed.ignores == ("./node_modules",)


def test_go_reads_the_same(tmp_path: Path) -> None:
    need("go")
    (tmp_path / "go.mod").write_text(FULL)
    done = subprocess.run(["go", "mod", "edit", "-json"], cwd=tmp_path, capture_output=True, check=True)
    said = json.loads(done.stdout)
    parsed = gomod.parse(FULL.encode())
    assert said["Module"]["Path"] == parsed.module
    assert [(one["Path"], one["Version"]) for one in said["Require"]] == list(parsed.requires)
    assert [one["New"]["Path"] for one in said["Replace"]] == [one.new for one in parsed.replaces]
    assert [one["Path"] for one in said["Tool"]] == list(parsed.tools)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "go.mod:1"),
        ("go 1.24\n", "go.mod:1"),
        ("module a\nmodule b\n", "go.mod:2"),
        ("module a\nrequire (\n", "go.mod:2"),
        ('module "a\n', "go.mod:1"),
        ("module a b\n", "go.mod:1"),
        ("module a\ngo 1.24\ngo 1.25\n", "go.mod:3"),
        ("module a\nreplace b => \n", "go.mod:2"),
        ("module a\nreplace b\n", "go.mod:2"),
        ("module a\nrequire b\n", "go.mod:2"),
        ("module a\n\n\xff\n", "go.mod:3"),
    ],
)
def test_a_broken_file_names_its_line(text: str, where: str) -> None:
    with pytest.raises(BuildError) as raised:
        gomod.parse(text.encode("latin-1"))
    assert raised.value.name == "go-mod"
    assert raised.value.where == (where,)


def test_what_a_newer_go_may_say_is_passed_over() -> None:
    assert gomod.parse(b"module a\nfuture x y\nfuture (\n\tz\n)\n").module == "a"


def test_windows_line_ends_and_marks() -> None:
    assert gomod.parse(b"module a\r\n\r\ngo 1.24\r\n").go == "1.24"


def test_a_workspace_is_read() -> None:
    parsed = gowork.parse(b"go 1.26\ntoolchain go1.26.8\nuse ./a\nuse (\n\t./b // why\n\t../c\n)\nreplace x => ../x\n")
    assert (parsed.go, parsed.toolchain) == ("1.26", "go1.26.8")
    assert parsed.uses == ("./a", "./b", "../c")
    assert parsed.replaces[0].new == "../x"


@pytest.mark.parametrize("text", [b"use\n", b"use a b\n", b"go 1.24\ngo 1.25\n", b"use (\n"])
def test_a_broken_workspace_is_refused(text: bytes) -> None:
    with pytest.raises(BuildError, match=r"go\.work"):
        gowork.parse(text)
