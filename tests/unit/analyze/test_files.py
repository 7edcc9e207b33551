"""Headers, build constraints, folders, licences: what is read without asking Go."""
# ruff: noqa: E501 - tables of texts

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.analysis import MAIN, write
from tests.support.tools import need
from wherry.analyze.constraint import holds, name_holds, tags_for
from wherry.analyze.folders import walk
from wherry.analyze.header import Header, read_header
from wherry.analyze.licences import licence_of, licences
from wherry.analyze.reading import is_inside, read_regular, read_start, relative

TAGS = tags_for("amd64", ("own",), minor=26)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("package main\n", Header(package="main")),
        ("// c\n/* d\npackage no */ package yes // e\n", Header(package="yes")),
        ("\ufeffpackage main", Header(package="main")),
        ("//go:build linux && !cgo\n\npackage main\n", Header(package="main", constraint="linux && !cgo")),
        ("// +build a b,c\n// +build !d\n\npackage x\n", Header(package="x", constraint="((a) || (b && c)) && ((!d))")),
        ("//go:build a\n// +build b\n\npackage x\n", Header(package="x", constraint="a")),
        ("package/**/main\n", Header()),
        ("packagemain\n", Header()),
        ("/* never closed", Header()),
        ("import x\n", Header()),
        ("", Header()),
        ("package main;import x\n", Header(package="main")),
    ],
)
def test_headers(text: str, header: Header) -> None:
    assert read_header(text.encode()) == header


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("", True), ("linux", True), ("windows", False), ("!windows", True), ("linux && amd64", True), ("linux && !amd64", False),
        ("windows || linux", True), ("(windows || linux) && own", True), ("unix", True), ("gc", True), ("cgo", False), ("!cgo", True),
        ("go1.18", True), ("go1.99", False), ("ignore", False), ("!!linux", True), ("linux &&", False), ("(linux", False),
        ("linux)", False), ("a b", False), ("&&", False), ("linux @", False), ("(" * 2000 + "linux" + ")" * 2000, False),
    ],
)  # fmt: skip
def test_build_constraints(expression: str, verdict: bool) -> None:
    assert holds(expression, TAGS) == verdict


NAMES = [
    "x.go",
    "x_linux.go",
    "x_windows.go",
    "x_amd64.go",
    "x_linux_arm64.go",
    "linux.go",
    "x_unix.go",
    "x_other.go",
    "x_arm64_linux.go",
]


def test_go_chooses_the_same_files(tmp_path: Path) -> None:
    """Names and constraints, judged by `go list` and by us."""
    need("go")
    expressions = ["linux", "windows || amd64", "!linux", "go1.21 && unix", "own && (gc || gccgo)", "ignore"]
    files: dict[str, str | bytes] = dict.fromkeys(NAMES, "package x\n")
    files |= {f"c{number}.go": f"//go:build {one}\n\npackage x\n" for number, one in enumerate(expressions)}
    files |= {"old.go": "// +build linux,own darwin\n// +build !cgo\n\npackage x\n"}
    write(tmp_path, {"go.mod": "module x\n\ngo 1.24\n", **files})
    words = ["go", "list", "-tags=own", '-f={{join .GoFiles " "}}', "."]
    variables = {**os.environ, "CGO_ENABLED": "0", "GOARCH": "amd64", "GOOS": "linux", "GOFLAGS": ""}
    said = subprocess.run(words, cwd=tmp_path, env=variables, capture_output=True, text=True, check=True).stdout.split()
    ours = [
        name
        for name in files
        if name_holds(name, TAGS) and holds(read_header((tmp_path / name).read_bytes()).constraint, TAGS)
    ]
    assert sorted(ours) == sorted(said)


@given(st.text(alphabet="ab!&|() \n", max_size=60))
def test_any_expression_is_true_or_false(expression: str) -> None:
    assert holds(expression, TAGS) in (True, False)


@given(st.binary(max_size=200))
def test_any_bytes_have_a_header(data: bytes) -> None:
    read_header(data)
    read_header(b"//go:build " + data)


def test_the_walk_keeps_to_the_tree(tmp_path: Path) -> None:
    write(
        tmp_path / "repo",
        {
            "a/x.go": MAIN, "a/x_test.go": MAIN, "b/go.mod": "module b\n", "c/notes": "", ".git/x.go": MAIN, "node_modules/y/x.go": MAIN,
            "v/go.mod": "module v\n", "v/vendor/modules.txt": "", "v/vendor/w/x.go": MAIN, "own/vendor/x.go": MAIN,
            "out/oci-layout": "{}", "out/x.go": MAIN, "out/blobs/x.go": MAIN, "out/go.mod": "module out\n",
        },
    )  # fmt: skip
    write(tmp_path / "outside", {"x.go": MAIN})
    (tmp_path / "repo/link").symlink_to(tmp_path / "outside")
    (tmp_path / "repo/a/loop").symlink_to(tmp_path / "repo")
    (tmp_path / "repo/locked").mkdir(mode=0)
    tree = walk(str(tmp_path / "repo"))
    assert [(one.path, one.files) for one in tree.folders] == [("a", ("x.go",)), ("own/vendor", ("x.go",))]
    assert tree.modules == ("b", "v")
    assert tree.whole


def test_a_tree_without_end_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wherry.analyze.folders.MOST", 10)
    write(tmp_path, {f"{number}/x.go": MAIN for number in range(20)})
    assert not walk(str(tmp_path)).whole


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    write(tmp_path, {"a": "12345"})
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("a")
    assert read_regular(str(tmp_path / "a")) == read_regular(str(tmp_path / "link")) == b"12345"
    assert read_start(str(tmp_path / "a"), 2) == b"12"
    for name in ("pipe", ".", "nothing", "nul\0"):
        assert read_regular(str(tmp_path / name)) is None
    assert read_regular(str(tmp_path / "a"), limit=4) is None


def test_paths(tmp_path: Path) -> None:
    assert relative("/a/b", "/a") == "b"
    assert relative("/a", "/a") == "."
    assert relative("/ab", "/a") == "/ab"
    assert relative("/b", "/") == "b"
    (tmp_path / "in").mkdir()
    (tmp_path / "out").symlink_to("/etc")
    assert is_inside(str(tmp_path / "in"), str(tmp_path))
    assert not is_inside(str(tmp_path / "out"), str(tmp_path))


TEXTS = {
    "MIT": "MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy\nof this ... The above copyright "
    "notice and this permission notice shall be included",
    "Apache-2.0": "                Apache License\n          Version 2.0, January 2004\n",
    "BSD-2-Clause": "Redistribution and use in source and binary forms ... Redistributions in binary form must reproduce the above",
    "BSD-3-Clause": "Redistribution and use in source and binary forms ... Neither the name of Google Inc. nor the names of its",
    "MPL-2.0": "Mozilla Public License Version 2.0\n====",
    "ISC": "Permission to use, copy, modify, and/or distribute this software for any purpose\nwith or without fee is hereby granted",
    "Unlicense": "This is free and unencumbered software released into the public domain.",
    "GPL-3.0-only": "GNU GENERAL PUBLIC LICENSE\nVersion 3, 29 June 2007\n",
    "GPL-2.0-only": "GNU GENERAL PUBLIC LICENSE\nVersion 2, June 1991\n",
    "AGPL-3.0-only": "GNU AFFERO GENERAL PUBLIC LICENSE\nVersion 3, 19 November 2007\n",
    "LGPL-2.1-only": "GNU LESSER GENERAL PUBLIC LICENSE\nVersion 2.1, February 1999\n",
    "": "All rights reserved.",
}


@pytest.mark.parametrize("name", TEXTS)
def test_licence_texts(name: str) -> None:
    assert licence_of(TEXTS[name]) == name


def test_licence_files(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "LICENSE": TEXTS["MIT"],
        "sub/COPYING": TEXTS["GPL-2.0-only"],
        "other/LICENSE": TEXTS["ISC"],
    }
    write(
        tmp_path / "repo",
        {**files, "LICENSE.md": b"\xff", "license.go": TEXTS["ISC"], "LICENSES/MPL-2.0.txt": TEXTS["MPL-2.0"]},
    )
    write(tmp_path, {"secret": TEXTS["Apache-2.0"]})
    (tmp_path / "repo/LICENCE").symlink_to(tmp_path / "secret")
    assert licences(str(tmp_path / "repo"), (".", "sub")) == ("GPL-2.0-only", "MIT", "MPL-2.0")
