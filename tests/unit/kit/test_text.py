"""Small texts: numbers of a version, folders as Go takes them."""

import pytest

from wherry.kit.text import dotted, numbers


@pytest.mark.parametrize(
    ("version", "found"), [("go1.26.8", (1, 26, 8)), ("1.27rc1", (1, 27, 1)), ("1.9", (1, 9)), ("٣", ()), ("", ())]
)
def test_numbers_of_a_version(version: str, found: tuple[int, ...]) -> None:
    assert numbers(version) == found


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("cmd/api", "./cmd/api"),
        (".", "."),
        ("..", ".."),
        ("../api", "../api"),
        (".hidden", "./.hidden"),
        ("...", "./..."),
    ],
)
def test_a_folder_is_no_package_of_that_name(path: str, said: str) -> None:
    assert dotted(path) == said
