"""Garbage that looks like something. A corpus and a seed in, inputs out; touches nothing.

Most of it is nearly right: bytes changed, doubled, cut, put together from two; that is where parsers fail.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

#: What parsers stumble over, put anywhere.
PIECES = (
    *(b"\0", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\r\n", b"\n", b"\x1b[2J", b" ", b'"', b"\\", b"\\u0000", b"\\ud800"),
    *(b",", b":", b"=", b"/", b"//", b"@", b"%", b"%00", b"?", b"#", b"[", b"]", b"{", b"}", b"[" * 200, b"{" * 200),
    *(
        b"null",
        b"true",
        b"-1",
        b"1e999",
        b"NaN",
        b"9" * 40,
        b"0x1f",
        b"1.5",
        b"\xe2\x80\xae",
        b"A" * 3000,
        b"Bearer ",
        b"Basic",
    ),
    *(
        b"http://",
        b"https://[",
        b"https://a:99999/",
        b"127.0.0.1",
        b"::1",
        b"*",
        b"<token>",
        b"\xef\xbb\xbf",
        b"\xd9\xa3",
    ),
)


def mutated(corpus: tuple[bytes, ...], *, count: int, seed: int) -> Iterator[bytes]:
    """`count` inputs, always the same for one seed; the corpus itself comes first."""
    yield from corpus
    dice = random.Random(seed)
    for _ in range(count - len(corpus)):
        data = bytearray(dice.choice(corpus))
        for _ in range(dice.choice((1, 1, 1, 2, 3, 8))):
            _change(data, dice, corpus)
        yield bytes(data)


def _change(data: bytearray, dice: random.Random, corpus: tuple[bytes, ...]) -> None:
    at = dice.randrange(len(data) + 1)
    to = min(len(data), at + dice.choice((1, 1, 2, 4, 16, 200)))
    match dice.randrange(7):
        case 0:
            data[at:to] = b""
        case 1:
            data[at:at] = dice.choice(PIECES)
        case 2:
            data[at:to] = dice.choice(PIECES)
        case 3:
            data[at:at] = data[at:to]
        case 4:
            data[at:] = dice.choice(corpus)[at:]
        case 5:
            data[at:to] = dice.randbytes(to - at)
        case _:
            data[at:to] = bytes(one ^ (1 << dice.randrange(8)) for one in data[at:to])
