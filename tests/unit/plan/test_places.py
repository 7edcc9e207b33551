"""Where keys stand in a TOML text."""

import tomllib

import pytest

from wherry.plan.places import scan

TEXT = '''# a comment with [brackets] = 1
top = 1 # another
dotted.key = "x # \\" y"
"quo.ted" = { a = [1, { b = 2 }], 'c' = """a"b""\\"""" }
[table]
list = [ # here ]
  1, "]", # , ]
  [ 'x', ],
]
[[list.of]]
when = 1979-05-27 07:32:00
[list.of.sub]
text = \'\'\'it\'\'s
x = 1 \'\'\'\'
[[list.of]]
when = 2
'''


def test_each_key_is_where_it_stands() -> None:
    tree = tomllib.loads(TEXT)
    lines = {keys: TEXT.count("\n", 0, offset) + 1 for keys, offset in scan(TEXT).items()}
    assert lines["dotted", "key"] == 3
    assert lines["quo.ted", "a", 1, "b"] == 4
    assert lines["table", "list", 0] == 7
    assert lines["table", "list", 2, 0] == 8
    assert lines["list", "of", 0, "sub", "text"] == 13
    assert lines["list", "of", 1] == 15
    assert lines["list", "of", 1, "when"] == 16
    assert set(lines) == paths(tree)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only", "a=1", '"" = 1', "a = ''", 'a = """"""', "[x]\n[x.y]\n[x.y.z]", 'a = """x"""""']
)
def test_small_and_odd_texts(text: str) -> None:
    assert set(scan(text)) == paths(tomllib.loads(text))


def paths(value: object) -> set[tuple[str | int, ...]]:
    """The path of every key and list item."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {(key, *rest) for key, one in items for rest in ((), *paths(one))}
