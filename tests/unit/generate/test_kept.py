"""What users keep in generated files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wherry.errors import UsageError
from wherry.generate.kept import merged, split_of

OLD = "FROM a\nEXPOSE 8080\nUSER 1\nCMD x\n"
SIGNS = [chr(sign) for sign in range(0x20) if chr(sign) != "\n"] + ["\x7f", "\x85", "\u2028", "\u2029", "\ufeff"]
LINES = st.lists(
    st.text(alphabet="abc #", max_size=4)
    | st.text(st.sampled_from([*SIGNS, "a", " "]), max_size=4).filter(lambda one: not one.endswith("\r")),
    max_size=12,
)


def kept(*lines: str, instead: tuple[str, ...] = (), indent: str = "") -> str:
    replaced = ("# wherry:instead", *(f"# {line}" for line in instead)) if instead else ()
    return "".join(f"{indent}{line}\n" for line in ("# wherry:keep", *lines, *replaced, "# wherry:end"))


def test_a_part_stays_among_its_neighbours() -> None:
    part = kept("LABEL mine=1")
    old = OLD.replace("USER 1\n", f"{part}USER 1\n")
    new = "FROM b\nENV c\nEXPOSE 9090\nUSER 1\nCMD x\n"
    assert merged(old, new, "f") == new.replace("USER 1\n", f"{part}USER 1\n")


def test_nothing_changes_twice() -> None:
    old = OLD.replace("CMD x\n", kept("a") + "CMD x\n") + kept("b")
    once = merged(old, OLD, "f")
    assert once == old
    assert merged(once, OLD, "f") == once


def test_a_part_replaces_lines() -> None:
    part = kept("EXPOSE 1", "EXPOSE 2", instead=("EXPOSE 8080",))
    old = OLD.replace("EXPOSE 8080\n", part)
    assert merged(old, "FROM b\n" + OLD.partition("\n")[2], "f") == old.replace("FROM a", "FROM b")


def test_replaced_lines_keep_their_indentation() -> None:
    old = "a:\n" + kept("  b: 2", instead=("b: 1",), indent="  ") + "  c: 3\n"
    assert merged(old, "a:\n  b: 1\n  c: 4\n", "f") == old.replace("c: 3", "c: 4")


def test_a_replaced_line_that_is_another_now_is_told() -> None:
    old = OLD.replace("EXPOSE 8080\n", kept("EXPOSE 1", instead=("EXPOSE 8080",)))
    with pytest.raises(UsageError) as caught:
        merged(old, OLD.replace("8080", "9090"), "Dockerfile")
    assert caught.value.name == "kept-part"
    assert caught.value.where == ("Dockerfile:2",)
    assert "EXPOSE 8080" in caught.value.message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# wherry:keep\nx\n", 1),
        ("x\n# wherry:end\n", 2),
        ("# wherry:keep\n# wherry:keep\n# wherry:end\n", 2),
        ("# wherry:instead\n", 1),
    ],
)
def test_a_mark_alone(text: str, line: int) -> None:
    with pytest.raises(UsageError) as caught:
        merged(text, OLD, "f")
    assert (caught.value.name, caught.value.where) == ("kept-part", (f"f:{line}",))


@pytest.mark.parametrize("sign", SIGNS, ids=lambda one: f"U+{ord(one):04X}")
def test_no_sign_but_a_line_break_is_one(sign: str) -> None:
    """Else a text of the repository becomes an instruction, once somebody keeps a part."""
    new = f'FROM a\nCMD ["x{sign}RUN touch pwned #"]\n'
    old = new + kept("a")
    assert merged(old, new, "f") == old
    assert merged(kept(f"a{sign}b") + new, new, "f") == kept(f"a{sign}b") + new


def test_parts_of_a_checkout_with_other_line_ends_stay_as_they_are() -> None:
    part = kept("a", instead=("EXPOSE 8080",)).replace("\n", "\r\n")
    old = OLD.replace("\n", "\r\n").replace("EXPOSE 8080\r\n", part)
    assert merged(old, OLD, "f") == OLD.replace("EXPOSE 8080\n", part)


@given(
    LINES, LINES, st.lists(st.tuples(st.integers(0, 12), st.text(alphabet="xyz", min_size=1, max_size=3)), max_size=4)
)
def test_no_part_is_ever_lost_and_no_line_of_the_new_text(
    old: list[str], new: list[str], parts: list[tuple[int, str]]
) -> None:
    whole = list(old)
    for at, text in sorted(parts, reverse=True):
        whole[min(at, len(old)) : min(at, len(old))] = ["# wherry:keep", text, "# wherry:end"]
    made = merged("".join(f"{line}\n" for line in whole), "".join(f"{line}\n" for line in new), "f")
    split = split_of(made, "f")
    assert list(split.generated) == new
    assert sorted(part.lines[1] for part in split.parts) == sorted(text for _, text in parts)
