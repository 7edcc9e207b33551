"""Dockerfile instructions from words. Texts in, lines out that every Docker from 20.10 on reads as just these texts; touches
nothing.

Three quotings in one file: Docker's own for what it expands (ENV, LABEL, ARG, WORKDIR, USER and so on), JSON for the exec form,
which is never expanded, and the shell's in RUN. The default escape, a backslash, is taken for granted. A line break ends an
instruction whatever the quotes: only JSON can hold one.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Final

Pairs = tuple[tuple[str, str], ...]
WIDTH: Final = 100
"""Where a line of several words is broken."""
_INDENT: Final = "    "
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")
_EXPANDED: Final = re.compile(r'([\\"$])')
_EXPANDED_BARE: Final = re.compile(r"""([\\"'$])""")
_WILDCARDS: Final = re.compile(r"([*?\[])")
#: What every version of the parser takes over into a flag as it is; 20.10 reads other letters byte by byte.
_FLAG: Final = re.compile(r"[A-Za-z0-9_./:@%+=~ -]+")


def value(text: str) -> str:
    """A text of an instruction that expands variables, quoted where it must be. ValueError for a line break."""
    _in_one_line(text)
    return text if _PLAIN.fullmatch(text) else '"' + _EXPANDED.sub(r"\\\1", text) + '"'


def pair(name: str, text: str) -> str:
    """NAME=VALUE of ENV or LABEL. ValueError for a line break, and a name that is empty or holds `=`."""
    if not name or "=" in name:
        raise ValueError(f"{name!r} is no name of a variable or label")
    return f"{value(name)}={value(text)}"


def listed(keyword: str, words: Iterable[str]) -> str:
    """An instruction with a line for each of its words."""
    return f"{keyword} " + f" \\\n{_INDENT}".join(words)


def pairs(keyword: str, given: Pairs) -> str:
    """ENV or LABEL of all pairs, a line each; at least one pair. ValueError as for `pair`."""
    return listed(keyword, (pair(name, text) for name, text in given))


def exec_form(words: Iterable[str]) -> str:
    """`["/app/api", "-v"]`: of ENTRYPOINT, CMD and HEALTHCHECK, which expand nothing."""
    return json.dumps(list(words), ensure_ascii=False)


def started(keyword: str, words: Iterable[str]) -> str:
    """ENTRYPOINT or CMD in exec form, broken into lines where it is long."""
    listed_words = [exec_form((word,))[1:-1] for word in words]
    separated = [*(f"{word}," for word in listed_words[:-1]), *listed_words[-1:]]
    return f"{keyword} [" + flowed(separated, _INDENT).replace("\n", " \\\n") + "]"


def volume(paths: Iterable[str]) -> str:
    """VOLUME of paths in a container. ValueError for one with blanks at an end, which Docker takes off."""
    words = tuple(paths)
    for path in words:
        if path != path.strip():
            raise ValueError(f"{path!r} begins or ends with a blank")
    return f"VOLUME {_expanded_form(words)}"


def _expanded_form(words: Iterable[str]) -> str:
    """The JSON form of VOLUME and COPY, which expand each word after they read it."""
    return exec_form(_EXPANDED_BARE.sub(r"\\\1", word) for word in words)


def copy(sources: Iterable[str], into: str, *flags: str) -> str:
    """COPY of paths just as they are called, into an absolute path; a folder's contents go into it, a file where `into` ends
    with `/`."""
    taken = tuple(map(literal, sources))
    words = (*taken, into)
    if all(_PLAIN.fullmatch(word) and not word.startswith("-") for word in words):
        return " ".join(("COPY", *flags, *words))
    return " ".join(("COPY", *flags, _expanded_form(words)))


def literal(path: str) -> str:
    """A path as a pattern of Go's filepath.Match that matches nothing else; a path without wildcards is taken as it is."""
    if not _WILDCARDS.search(path):
        return path
    return _WILDCARDS.sub(r"[\1]", path.replace("\\", "\\\\"))


def mount(options: Mapping[str, str]) -> str:
    """`--mount=type=bind,...` with the options in their order. ValueError for a value that some version reads otherwise."""
    for text in options.values():
        if not _FLAG.fullmatch(text):
            raise ValueError(f"--mount cannot hold {text!r}")
    return "--mount=" + ",".join(f"{name}={_flag(text)}" for name, text in options.items())


def shell(word: str) -> str:
    """A word of a shell command in RUN, never expanded. ValueError for a line break."""
    _in_one_line(word)
    return shlex.quote(word)


def run(mounts: Iterable[str], command: str) -> str:
    """RUN with a line for each mount and for each line of `command`, whose own line breaks become continuations."""
    lines = (*mounts, *command.split("\n"))
    return "RUN " + f" \\\n{_INDENT}".join(line for line in lines if line)


def flowed(words: Iterable[str], indent: str = "") -> str:
    """Words of a shell command, broken into lines before they get too long for a reader."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) >= WIDTH:
            lines.append(line)
            line = indent
        line += word if line in ("", indent) else f" {word}"
    return "\n".join((*lines, line))


def comment(text: str) -> str:
    """Comment lines; what Docker would take for a directive is none below another line."""
    return "\n".join(f"# {' '.join(line.split())}" for line in text.split("\n"))


def seconds(time: float) -> str:
    """A duration as Go reads it: `30s`, `1.5s`."""
    return f"{time:.3f}".rstrip("0").rstrip(".") + "s"


def _flag(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _in_one_line(text: str) -> None:
    if "\n" in text or "\r" in text or "\0" in text:
        raise ValueError(f"{text!r} does not fit into one line")
