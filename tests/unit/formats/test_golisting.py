"""What `go list -json` prints, read by the fields that were asked for."""

import subprocess
from pathlib import Path

import pytest

from tests.support.analysis import MODULE, write
from tests.support.tools import need
from wherry.errors import CorruptError
from wherry.formats import golisting


def test_real_output_is_read(tmp_path: Path) -> None:
    need("go")
    library = (
        'package lib\n\nimport (\n\t_ "embed"\n\t"fmt"\n)\n\n//go:embed "a } b"\nvar X string\n\nvar _ = fmt.Sprint\n'
    )
    write(tmp_path, {"go.mod": MODULE, "main.go": 'package main\n\nimport _ "example.com/app/lib"\n\nfunc main() {}\n'})
    write(
        tmp_path,
        {"lib/lib.go": library, "lib/a } b": "x", "broken/x.go": "pack", "cgo/x.go": 'package cgo\nimport "C"\n'},
    )
    words = ["go", "list", "-e", "-deps", "-json=" + ",".join(golisting.FIELDS), "./...", "./cgo"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True, env=_environment(tmp_path))
    packages = {one.import_path: one for one in golisting.parse(done.stdout)}
    main, lib = packages["example.com/app"], packages["example.com/app/lib"]
    assert main.name == "main"
    assert main.is_local
    assert not main.dep_only
    assert lib.embed_files == lib.embed_patterns == ("a } b",)
    assert packages["fmt"].standard
    assert not packages["fmt"].is_local
    assert packages["example.com/app/broken"].error is not None
    assert packages["example.com/app/cgo"].ignored_go_files == ("x.go",)
    assert done.stdout.count(b"\n}\n") == len(packages)


def test_output_that_ends_early_or_is_no_json_is_refused() -> None:
    whole = b'{\n\t"ImportPath": "a"\n}\n'
    assert len(golisting.parse(whole * 2)) == 2
    assert golisting.parse(b"") == ()
    for text in (whole + b'{\n\t"Imp', b"wrapper says hello\n", whole + b"x\n}\n"):
        with pytest.raises(CorruptError):
            golisting.parse(text)


def test_a_module_replaced_by_a_folder_is_local() -> None:
    replaced = golisting.Module(path="a", version="v1.0.0", replace=golisting.Module(path="../a"))
    assert replaced.is_local
    assert not golisting.Module(path="a", replace=golisting.Module(path="b", version="v1.0.0")).is_local
    assert golisting.Module(path="a", main=True).is_local


def _environment(home: Path) -> dict[str, str]:
    import os

    return {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "HOME": str(home)}
