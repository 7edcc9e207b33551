"""What `go list` looks at in a Go file, and what it does not."""

from __future__ import annotations

import pytest

from wherry.analyze.header import listed_part

FILE = b"""// Copyright. func import "x"
//go:build linux

/* type */ package main

import "fmt"
import (
	_ "embed"; s `strings`
	. "os" // var
)

//go:embed a.txt
var text string

func main() { fmt.Println("import") }
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"import"', b'"export"'),
        (b"func main() {", b"func other() {}\n\nfunc main() {"),
        (b"var text", b"const one = 1\n\nvar text"),
        (b"string\n", b"string // of text\n"),
    ],
)
def test_declarations_are_not_looked_at(old: bytes, new: bytes) -> None:
    assert FILE.count(old) == 1
    assert listed_part(FILE.replace(old, new)) == listed_part(FILE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"linux", b"windows"),
        (b"package main", b"package other"),
        (b'"fmt"', b'"log"'),
        (b"`strings`", b"`bytes`"),
        (b'. "os"', b'_ "os"'),
        (b"a.txt", b"b.txt"),
        (b")\n\n", b')\nimport "C"\n\n'),
        (b"/* type", b"/* const"),
        (b"func main()", b"//go:embed b.txt\nvar more string\n\nfunc main()"),
    ],
)
def test_all_before_the_first_declaration_and_embeds_are(old: bytes, new: bytes) -> None:
    assert FILE.count(old) == 1
    assert listed_part(FILE.replace(old, new)) != listed_part(FILE)


@pytest.mark.parametrize("data", [b"package main /* func", b"package \xff func", b"#! func", b'import "a func'])
def test_what_is_not_plain_is_looked_at_as_a_whole(data: bytes) -> None:
    assert listed_part(data + b" x") != listed_part(data + b" y")
