"""The sink: what reaches the terminal is aligned, at most 80 columns wide, and harmless."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.cli.columns import compared, row_lines, tabled, wrapped
from wherry.cli.output import Output
from wherry.errors import BuildError, Several, UsageError
from wherry.model.finding import Finding
from wherry.model.place import Place


def sink(**environment: str) -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Output(out, err, environment), out, err


def test_results_go_to_stdout_and_everything_else_to_stderr() -> None:
    output, out, err = sink()
    output.line("working")
    output.row("user", "65532", "default")
    output.result("podinfo:1@sha256:" + "0" * 64)
    assert out.getvalue() == "podinfo:1@sha256:" + "0" * 64 + "\n"
    assert "working" in err.getvalue()
    assert "65532" in err.getvalue()


def test_quiet_keeps_errors_and_results() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(out, err, {}, quiet=True)
    output.line("working")
    output.row("a", "b")
    output.next("wherry plan")
    output.error(UsageError("bad-place", "no such place"))
    assert "working" not in err.getvalue()
    assert "wherry plan" not in err.getvalue()
    assert "error [bad-place]: no such place" in err.getvalue()


def test_an_error_says_what_where_why_next_and_more() -> None:
    output, _, err = sink()
    output.error(
        BuildError("cgo-compiler", "no C compiler", where="a.go:1:2", why="it needs one", next=("get one", "or not"))
    )
    assert err.getvalue().splitlines() == [
        "error [cgo-compiler]: no C compiler",
        "  where  a.go:1:2",
        "  why    it needs one",
        "  next   get one",
        "  or     or not",
        "  more   wherry explain cgo-compiler",
    ]


def test_several_errors_are_each_shown_once() -> None:
    output, _, err = sink()
    output.error(Several((UsageError("one", "first"), UsageError("two", "second"))))
    assert err.getvalue().count("error [") == 2


def test_other_programs_words_come_first_and_unwrapped() -> None:
    output, _, err = sink()
    long = "./main.go:3:1: " + "x" * 200
    output.error(BuildError("compile", "it does not compile").with_output(long + "\n"))
    assert err.getvalue().splitlines()[0] == long


@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "\x1b]52;c;AAAA\x07", "a\rb", "\x9b31m", "\u202egnp", "line\nOK verified", "\u2028"]
)
def test_controls_never_reach_the_terminal(evil: str) -> None:
    """H01, H02: escape sequences, C1, bidi overrides and forged lines are shown, not obeyed."""
    output, out, err = sink()
    output.result(evil)
    output.line(f"x {evil}")
    output.row(evil, evil, evil)
    output.finding(Finding(name="n", message=evil, subject=evil, place=Place(file=evil, line=1)))
    output.error(UsageError("n", evil, where=evil, why=evil, next=evil))
    output.verbatim(evil)
    text = out.getvalue() + err.getvalue()
    assert not set(text) & set("\x1b\x07\r\x9b\u202e\u2028")
    assert not any(line.startswith("OK verified") for line in (out.getvalue()).splitlines())


def test_no_color_wins_and_empty_means_unset() -> None:
    for environment, coloured in [
        ({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True), ({"CLICOLOR_FORCE": "0"}, False),
    ]:  # fmt: skip
        output, _, err = sink(**environment)
        output.error(UsageError("n", "m"))
        assert ("\x1b" in err.getvalue()) is coloured, environment


@given(st.text(max_size=200), st.text(max_size=200), st.integers(40, 80))
def test_rows_fit_and_lose_nothing(value: str, because: str, width: int) -> None:
    value, because = " ".join(value.split()), " ".join(because.split())
    lines = row_lines("label", value, because, width)
    assert "".join(" ".join(lines).split()) == "".join(f"label{value}{because}".split())
    longest = max((len(word) for word in [*value.split(), *because.split()]), default=0)
    assert all(len(line) <= max(width, longest + 10) for line in lines)


def test_a_label_that_leaves_no_room_stands_above() -> None:
    """A folder's name, say; the others' values are where they always are."""
    output, _, err = sink()
    output.rows((("short", "one", ""), ("x" * 90, "two", "why")))
    short, above, below = err.getvalue().splitlines()
    assert (short, above, below.split()) == ("  short   one", "  " + "x" * 90, ["two", "why"])
    assert below.index("two") == short.index("one")


WORDS = st.lists(st.text("abc/", min_size=1, max_size=70), max_size=9).map(" ".join)


@given(st.lists(st.tuples(st.text("xyz", min_size=1, max_size=16), WORDS, WORDS), min_size=1), st.integers(40, 120))
def test_texts_side_by_side_fit_and_are_whole(rows: list[tuple[str, str, str]], width: int) -> None:
    words = [word for row in rows for text in row for word in text.split()]
    lines = compared(rows, width)
    assert sorted(" ".join(lines).split()) == sorted(words)
    assert max(map(len, lines)) <= max(width, *map(len, words))


@pytest.mark.parametrize(("width", "begins"), [(80, (7, 44)), (120, (7, 72)), (24, (2, 14))])
def test_texts_side_by_side_are_aligned(width: int, begins: tuple[int, int]) -> None:
    """Where there is room, a long word gets it from the other column; where labels leave none, they stand above."""
    path = f"/{'p' * (62 if width == 120 else 20)}"
    head, *rest = compared([("", "IN", "OUT"), ("root", f"a {path}", "other words"), ("other", "b", "d")], width)
    assert (head.index("IN"), head.index("OUT")) == begins
    assert rest[-1] == ("other" if width > 24 else "").ljust(begins[0]) + "b".ljust(begins[1] - begins[0]) + "d"
    assert any(path in line for line in rest)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


PORTS = ("127.0.0.1:8080->8080", "127.0.0.1:9090->9090", "[::1]:18443->8443")
WHOLE = "registry.example.com/a-rather-long-team/app:1.2"
LISTED = {
    200: f"""
NAME  STATE    PORTS                                                        IMAGE
web   healthy  {" ".join(PORTS)}  {WHOLE}""",
    80: """
NAME  STATE    PORTS                                                IMAGE
web   healthy  127.0.0.1:8080->8080 127.0.0.1:9090->9090            ...m/app:1.2
               [::1]:18443->8443""",
    60: """
NAME  STATE    PORTS                            IMAGE
web   healthy  127.0.0.1:8080->8080             ...m/app:1.2
               127.0.0.1:9090->9090
               [::1]:18443->8443""",
    40: """
NAME  STATE    PORTS               IMAGE
web   healthy  127.0.0.1:8080->8080
               127.0.0.1:9090->9090
               [::1]:18443->8443
                            ...m/app:1.2""",
}  # fmt: skip


@pytest.mark.parametrize("columns", LISTED)
def test_a_table_fits_a_terminal_and_a_pipe_gets_all(columns: int) -> None:
    """The image's front goes first, then ports stand below each other: what one copies stays whole."""
    rows = [("NAME", "STATE", "PORTS", "IMAGE"), ("web", "healthy", " ".join(PORTS), WHOLE)]
    for stream, shown in ((Terminal(), columns), (io.StringIO(), 200)):
        Output(stream, io.StringIO(), {"COLUMNS": f"{columns}"}).table(rows)
        assert stream.getvalue() == LISTED[shown].lstrip("\n") + "\n"
        assert max(map(len, stream.getvalue().splitlines())) <= shown


@given(
    st.lists(
        st.tuples(st.text("abc-", min_size=1, max_size=63), WORDS, WORDS, st.text("xyz/", max_size=99)), min_size=1
    ),
    st.integers(40, 200),
)
def test_a_table_loses_nothing_but_fronts_of_the_last_column(rows: list[tuple[str, ...]], width: int) -> None:
    rows = [("NAME", "STATE", "PORTS", "IMAGE"), *rows]
    lines = tabled(rows, width)
    words = [word for row in rows for cell in row[:-1] for word in cell.split()]
    assert max(map(len, lines)) <= max(width, *map(len, words))
    ends = sorted(word[-9:] for row in rows for word in (*" ".join(row[:-1]).split(), row[-1]) if word)
    assert sorted(word[-9:] for word in " ".join(lines).split()) == ends
    assert set(words) <= set(" ".join(lines).split())
    assert [line.split() for line in tabled(rows)] == [" ".join(row).split() for row in rows]


def test_wrapping_never_cuts_a_digest() -> None:
    digest = "sha256:" + "a" * 64
    assert digest in wrapped(f"words before {digest} words after " * 2, 40)


@pytest.mark.parametrize("held", ["0.01 s", "256 MiB,", "(2 CPUs)", "12.5 %", "3 min", "analyze 0.15,"])
def test_a_number_stays_with_what_it_counts(held: str) -> None:
    text, begin = f"word {held} word " * 12, held.split(" ", 1)[0]
    for width in range(20, 60):
        lines = wrapped(text.strip(), width)
        assert all(line.count(begin) == line.count(held) for line in lines), (width, lines)
        assert " ".join(lines) == text.strip()
        assert max(map(len, lines)) <= width


def test_a_line_stays_as_far_in_as_it_begins() -> None:
    output, _, err = sink()
    output.line("  " + "word " * 40)
    assert all(line.startswith("  word") for line in err.getvalue().splitlines())


@pytest.mark.parametrize(
    "command",
    [
        "wherry build ./cmd/api --platform linux/amd64,linux/arm64 -t registry.example/team/{name}:{version}",
        f"rm {'internal/containertest/' * 4}doc.go",
        f"git add -f {'internal/containertest/' * 4}doc.go",
    ],
)
def test_a_command_to_go_on_with_stays_in_one_line(command: str) -> None:
    output, _, err = sink()
    output.error(UsageError("bad-place", "no such place", next=(command, "a sentence " * 20)))
    lines = err.getvalue().splitlines()
    assert f"  next   {command}" in lines
    assert max(len(line) for line in lines if command not in line) <= 80
