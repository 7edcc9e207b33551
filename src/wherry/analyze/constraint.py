"""Build constraints (`go help buildconstraint`). An expression or a file name and the true tags in, a verdict out;
touches nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from wherry.kit.value import Value
from wherry.oci.platform import VARIANTS

LONGEST = 4096
SYSTEMS = frozenset(
    (
        *(
            "aix",
            "android",
            "darwin",
            "dragonfly",
            "freebsd",
            "hurd",
            "illumos",
            "ios",
            "js",
            "linux",
            "nacl",
            "netbsd",
        ),
        *("openbsd", "plan9", "solaris", "wasip1", "windows", "zos"),
    )
)
ARCHITECTURES = frozenset(
    (*VARIANTS, *("amd64p32", "arm64be", "armbe", "mips64p32", "ppc", "riscv", "s390", "sparc", "sparc64", "wasm"))
)


class Tags(Value, frozen=True, kw_only=True):
    """Which tags are true: those in `names`, and `go1.1` ... `go1.{minor}`."""

    names: frozenset[str]
    minor: int = 99

    def __contains__(self, tag: str) -> bool:
        if tag.startswith("go1.") and tag[4:].isdecimal():
            return len(tag) < 8 and int(tag[4:]) <= self.minor
        return tag in self.names


def tags_for(architecture: str, extra: tuple[str, ...] = (), *, cgo: bool = False, minor: int = 99) -> Tags:
    """The tags of a build for Linux."""
    return Tags(names=frozenset(("linux", "unix", "gc", architecture, *(("cgo",) if cgo else ()), *extra)), minor=minor)


def holds(expression: str, tags: Tags) -> bool:
    """Whether a `//go:build` expression is true; an unreadable one is false, as for Go. An empty one is true."""
    if not expression:
        return True
    if len(expression) > LONGEST:
        return False
    tokens = [*_tokens(expression), ""]
    try:
        value, end = _or(tokens, 0, tags, 0)
    except ValueError:
        return False
    return value and tokens[end] == ""


def name_holds(name: str, tags: Tags) -> bool:
    """Whether a file's name lets it in: `x_windows.go`, `x_linux_arm64.go` (go/build goodOSArchFile)."""
    parts = name.removesuffix(".go").split("_")[1:]
    if parts and parts[-1] == "test":
        parts.pop()
    if len(parts) >= 2 and parts[-2] in SYSTEMS and parts[-1] in ARCHITECTURES:
        return parts[-2] in tags and parts[-1] in tags
    return not parts or parts[-1] not in SYSTEMS | ARCHITECTURES or parts[-1] in tags


def _tokens(expression: str) -> Iterator[str]:
    position = 0
    while position < len(expression):
        character = expression[position]
        if character.isspace():
            position += 1
        elif character in "()!":
            yield character
            position += 1
        elif expression[position : position + 2] in ("&&", "||"):
            yield expression[position : position + 2]
            position += 2
        else:
            end = position
            while end < len(expression) and (expression[end].isalnum() or expression[end] in "_."):
                end += 1
            yield expression[position : max(end, position + 1)]
            position = max(end, position + 1)


def _or(tokens: list[str], at: int, tags: Tags, depth: int) -> tuple[bool, int]:
    value, at = _and(tokens, at, tags, depth)
    while tokens[at] == "||":
        right, at = _and(tokens, at + 1, tags, depth)
        value = value or right
    return value, at


def _and(tokens: list[str], at: int, tags: Tags, depth: int) -> tuple[bool, int]:
    value, at = _not(tokens, at, tags, depth)
    while tokens[at] == "&&":
        right, at = _not(tokens, at + 1, tags, depth)
        value = value and right
    return value, at


def _not(tokens: list[str], at: int, tags: Tags, depth: int) -> tuple[bool, int]:
    if depth > 64:
        raise ValueError("too deep")
    word = tokens[at]
    if word == "!":
        value, at = _not(tokens, at + 1, tags, depth + 1)
        return not value, at
    if word == "(":
        value, at = _or(tokens, at + 1, tags, depth + 1)
        if tokens[at] != ")":
            raise ValueError("not closed")
        return value, at + 1
    if not word or not (word[0].isalnum() or word[0] == "_"):
        raise ValueError("no tag")
    return word in tags, at + 1
