"""Dockerfiles as text: what is read is what stands there, line by line."""

from __future__ import annotations

import pytest

from wherry.formats import dockerfile
from wherry.formats.dockerlines import Heredoc, parse
from wherry.formats.dockerwords import expand, pairs, split

WHOLE = """# syntax=docker/dockerfile:1
# check=skip=all
# escape=\\

# A comment.
#   Another.
from --platform=$BUILDPLATFORM "a b" as \\
   # in between

   build

RUN --mount=type=cache,"target=/a b" --network=none echo 1 \\
    && echo 2 \\\\
copy ["a", "b c"]
RUN <<EOF cat <<-'TWO'
one $x
EOF
\t\ttwo
\tTWO
ENTRYPOINT [broken"""


def test_instructions() -> None:
    read = parse(WHOLE)
    assert read.directives == (("syntax", "docker/dockerfile:1"), ("check", "skip=all"), ("escape", "\\"))
    start, run, copied, documents, entry = read.instructions
    assert (start.keyword, start.line, start.last_line) == ("FROM", 7, 10)
    assert start.flags == ("--platform=$BUILDPLATFORM",)
    assert split(start.text) == ('"a b"', "as", "build")
    assert start.comments == ("# A comment.", "#   Another.")
    assert run.flags == ("--mount=type=cache,target=/a b", "--network=none")
    assert run.flag("network") == ("none",)
    assert (run.text, run.line, run.last_line) == ("echo 1     && echo 2 \\\\", 12, 13)
    assert copied.words == ("a", "b c")
    assert documents.heredocs == (
        Heredoc(name="EOF", text="one $x\n"),
        Heredoc(name="TWO", text="two\n", expanded=False),
    )
    assert (documents.line, documents.last_line) == (15, 19)
    assert (entry.words, entry.text) == (None, "[broken")


def test_another_escape() -> None:
    read = parse("# escape=`\nRUN a `\n  b \\\nRUN c")
    assert [one.text for one in read.instructions] == ["a   b \\", "c"]


def test_directives_end_with_the_first_other_line() -> None:
    assert parse("# wherry\n# syntax=evil\nFROM a").directives == ()
    assert parse("# syntax=a\n# syntax=evil\nFROM a").directives == (("syntax", "a"),)


def test_lines_of_other_systems() -> None:
    assert [one.text for one in parse("\ufeffRUN a \\\r\n b\r\nRUN c\r\n").instructions] == ["a  b", "c"]


def test_a_here_document_without_an_end() -> None:
    with pytest.raises(ValueError, match="EOF has no end"):
        parse("RUN <<EOF\necho")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("a$A", "a1"),
        ("${A}b", "1b"),
        ("$B", ""),
        ("${B:-x$A}", "x1"),
        ("${A:+y}${B:+z}", "y"),
        ("${E-x}${E:-x}", "x"),
        ("\\$A", "$A"),
        ("'$A'", "$A"),
        ('"$A \\" \\n"', '1 " \\n'),
        ("$", "$"),
        ("$+", "$+"),
    ],
)
def test_expansion(word: str, expected: str) -> None:
    assert expand(word, {"A": "1", "E": ""}.get) == expected


@pytest.mark.parametrize("word", ["'a", '"a', "${A", "${A:?none}", "${A%%x}", "${}"])
def test_what_cannot_be_expanded(word: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expand(word)


def test_pairs() -> None:
    assert pairs("A=1 B=\"x y\" C='z'") == (("A", "1"), ("B", '"x y"'), ("C", "'z'"))
    assert pairs("A the rest") == (("A", "the rest"),)
    with pytest.raises(ValueError, match="no NAME=VALUE"):
        pairs("A=1 B")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a.b/c:1@x", "a.b/c:1@x"), ("", '""'), ("a b", '"a b"'), ("$A", '"\\$A"'), ("a\\", '"a\\\\"'), ('"', '"\\""')],
)
def test_values(text: str, expected: str) -> None:
    assert dockerfile.value(text) == expected


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\0b"])
def test_values_end_with_their_line(text: str) -> None:
    for write in (dockerfile.value, dockerfile.shell):
        with pytest.raises(ValueError, match="one line"):
            write(text)


def test_names_of_variables() -> None:
    for name in ("", "a=b"):
        with pytest.raises(ValueError, match="no name"):
            dockerfile.pair(name, "x")


@pytest.mark.parametrize("path", ["a,b", 'a"b', "ä", "a$b", "a\nb", ""])
def test_paths_that_mounts_do_not_hold(path: str) -> None:
    with pytest.raises(ValueError, match="--mount"):
        dockerfile.mount({"source": path})


def test_paths_are_no_patterns() -> None:
    assert dockerfile.literal("a\\b") == "a\\b", "without wildcards a path is taken as it is"
    assert dockerfile.literal("[a]*?\\") == "[[]a][*][?]\\\\"
    assert dockerfile.copy(("a b", "$c"), "/x/", "--from=y") == 'COPY --from=y ["a b", "\\\\$c", "/x/"]'


def test_comments_stay_comments() -> None:
    assert dockerfile.comment("a\nRUN evil\r\u2028b") == "# a\n# RUN evil b"


@pytest.mark.parametrize(("time", "expected"), [(30.0, "30s"), (1.5, "1.5s"), (0.25, "0.25s"), (100.0, "100s")])
def test_times(time: float, expected: str) -> None:
    assert dockerfile.seconds(time) == expected


def test_long_commands_are_broken_between_words() -> None:
    words = [f"word-{number:02}" for number in range(30)]
    made = dockerfile.flowed(words, "  ")
    assert made.split() == words
    assert max(map(len, made.split("\n"))) <= dockerfile.WIDTH
    assert parse(dockerfile.started("CMD", words)).instructions[0].words == tuple(words)
