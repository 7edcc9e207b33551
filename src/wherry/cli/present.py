"""A push or copy with little to do. Arguments and environment in, an exit code or None (go the long way) out; standard library
only.

From a layout or wherry's store to registries of this machine, which speak plain HTTP and mostly ask nobody who they are: where
every name there means the source's digest already, one request each has said all; where not, its parts are sent without
more ado (`early`). Anything else, be it only another option, goes the long way, which asks the same question first.
"""

from __future__ import annotations

import os
import time

from wherry.cache.noop.outputs import LARGEST, REF_NAME, registry_says
from wherry.cli import plain, streams

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from typing import Any

#: Words before a colon that are no name of the store (`store.place`).
SCHEMES = (
    "oci",
    "oci-archive",
    "docker-archive",
    "docker-daemon",
    "containers-storage",
    "containerd",
    "docker",
    "store",
)
#: What may be unusual ends here, and the long way says what is the matter.
UNUSUAL = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
_SMALL = "abcdefghijklmnopqrstuvwxyz0123456789"
_WORD = frozenset(_SMALL)
_TAG = frozenset(f"{_SMALL}{_SMALL.upper()}_.-")


class Goal:
    """A name in a registry of this machine, with its tag; ValueError for any other (`oci.reference`)."""

    def __init__(self, text: str) -> None:
        self.server, _, name = text.removeprefix("docker://").partition("/")
        self.host, _, port = self.server.partition(":")
        self.repository, _, self.tag = name.partition(":")
        self.port = int(port)
        known = self.host in ("localhost", "127.0.0.1") and port == str(self.port) and 0 < self.port < 65536
        if not known or not _is_repository(self.repository) or not _is_tag(self.tag):
            raise ValueError(text)

    def __str__(self) -> str:
        return f"{self.server}/{self.repository}:{self.tag}"


def present(arguments: list[str], environment: dict[str, str]) -> int | None:
    """The exit code when all of it was there already, or is now; None when anything is different or unclear."""
    began = time.monotonic()
    said = words(arguments)
    try:
        if said is None or _is_told_more(environment):
            return None
        source, names = said
        goals = [Goal(name) for name in names]
        layout, top = _top(source, environment)
        digest = top["digest"]
        missing = [goal for goal in goals if not _has(goal, digest)]
        sent = _sent(missing, layout, top) if missing else 0
    except UNUSUAL:
        return None
    if sent is None:
        return None
    spent = time.monotonic() - began
    if missing:
        _tell(source, [f"docker://{goal}" for goal in goals], sent, spent)
    else:
        streams.tell(f"all of it was there already, {spent:.2f} s\n")
    return streams.say("".join(f"{goal}@{digest}\n" for goal in goals))


def _tell(source: str, places: list[str], sent: int, spent: float) -> None:
    """The story of the long way (`moved.show_copied`)."""
    import shlex

    from wherry.cli.output import standard_output
    from wherry.kit.text import megabytes, seconds

    output, what = standard_output(), f"{megabytes(sent)} sent"
    output.rows([("from", source, ""), ("to", places[0], what), *(("", place, "") for place in places[1:])])
    output.line(f"{what}, in {seconds(spent)} s")
    output.next(f"wherry inspect {shlex.quote(places[0])}")


def _is_told_more(environment: dict[str, str]) -> bool:
    """Whether the user says more than the words do: by a variable, or in a registries.toml, right or wrong."""
    folder = f"{_folder(environment, 'XDG_CONFIG_HOME', '.config')}/wherry"
    return bool(environment.get("WHERRY_OFFLINE")) or os.path.lexists(f"{folder}/registries.toml")


def _has(goal: Goal, digest: str) -> bool:
    """Whether the name means `digest` there; LookupError when its registry does not say."""
    status, told = registry_says(goal.host, str(goal.port), goal.repository, goal.tag)
    if status not in (200, 404):
        raise LookupError(status)
    return (status, told) == (200, digest)


def _sent(goals: list[Goal], layout: str, top: dict[str, Any]) -> int | None:
    """Bytes sent, now that all of it is there; None when the long way goes on. Of several repositories that is for all."""
    (place,) = {(goal.host, goal.port, goal.repository) for goal in goals}
    from wherry.cli import signals
    from wherry.cli.early import Begun

    signals.hear()
    begun = Begun(layout, top, place[:2], place[2])
    import wherry.cli.output  # noqa: F401 - while the blobs are on their way

    return begun.finish([goal.tag for goal in goals])


def words(arguments: list[str]) -> tuple[str, list[str]] | None:
    """Source and names of `push SOURCE -t NAME...` and `copy SOURCE NAME...`; None where there is any other option."""
    verb, *rest = arguments
    plain, names = [], []
    while rest:
        word = rest.pop(0)
        if verb == "push" and word in ("-t", "--tag") and rest:
            names.append(rest.pop(0))
        elif word.startswith("-"):
            return None
        else:
            plain.append(word)
    if verb == "copy":
        names, plain = plain[1:], plain[:1]
    return (plain[0], names) if len(plain) == 1 and names and all(word.strip() for word in (*plain, *names)) else None


def _top(source: str, environment: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The folder of the source's layout, and its entry there; LookupError or ValueError where that is not clear."""
    scheme, _, rest = source.partition(":")
    name, colon, tag = (rest if scheme in ("oci", "store") else source).partition(":")
    if colon and not _is_tag(tag):
        raise ValueError(source)
    if scheme == "oci":
        if name[:1] in ("", "~") or "@" in name:
            raise ValueError(source)
        folder = name
        found = [one for one in _entries(folder) if not colon or tag == _called(one)]
        clear = len({one["digest"] for one in found}) == 1
    else:
        if not _is_repository(name) or _is_elsewhere(name):
            raise ValueError(source)
        folder = _store(environment)
        found = [one for one in _entries(folder) if _means(_called(one), name, tag)][-1:]
        clear = bool(found)
    if not clear:
        raise LookupError(source)
    return folder, found[0]


def _is_repository(text: str) -> bool:
    """Whether it is the name of a repository whose words are parted by single signs."""
    words = text.replace("/", ".").replace("_", ".").replace("-", ".").split(".")
    return len(text) < 256 and all(word and _WORD.issuperset(word) for word in words)


def _is_tag(text: str) -> bool:
    return 0 < len(text) <= 128 and text[0] not in ".-" and _TAG.issuperset(text)


def _is_elsewhere(name: str) -> bool:
    """Whether a name belongs to a registry or another place."""
    head, slash, _ = name.partition("/")
    return name in SCHEMES or bool(slash and ("." in head or head == "localhost"))


def _entries(directory: str) -> list[dict[str, Any]]:
    """What a layout's index.json lists; ValueError where this is no layout that we know."""
    if _file(directory, "oci-layout", plain.MARKER)["imageLayoutVersion"] != "1.0.0":
        raise ValueError(directory)
    entries: list[dict[str, Any]] = _file(directory, "index.json", plain.LAYOUT)["manifests"]
    return entries


def _file(directory: str, name: str, shape: dict[Any, Any]) -> dict[str, Any]:
    with open(f"{directory}/{name}", "rb", opener=_opener) as file:
        return plain.read(file.read(LARGEST), shape)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO in its place would hang us


def _called(entry: dict[str, Any]) -> str:
    return str(entry.get("annotations", {}).get(REF_NAME, ""))


def _means(name: str, wanted: str, tag: str) -> bool:
    repository, _, own = name.rpartition(":")
    return repository == wanted and tag in ("", own)


def _store(environment: dict[str, str]) -> str:
    """Where wherry's own store lies (`flows.folders`, `store.own`)."""
    own = environment.get("WHERRY_DATA_DIR", "")
    data = own if own.startswith("/") else f"{_folder(environment, 'XDG_DATA_HOME', '.local/share')}/wherry"
    return f"{data}/store/1"


def _folder(environment: dict[str, str], name: str, default: str) -> str:
    """A folder of the user's (`system.environment`); LookupError where that asks the user database."""
    own, home = environment.get(name, ""), environment.get("HOME", "")
    if not own.startswith("/") and not home.startswith("/"):
        raise LookupError(name)
    return own if own.startswith("/") else f"{home.rstrip('/')}/{default}"
