"""A push or copy with little to do. Arguments and environment in, an exit code or None (go the long way) out; standard library
only.

From a layout or wherry's store to registries of this machine, which speak plain HTTP and mostly ask nobody who they are: where
every name there means the source's digest already, one request each has said all; where not, its parts are sent without
more ado (`early`). Anything else, be it only another option, goes the long way, which asks the same question first.
"""

from __future__ import annotations

import json
import re
import time

from wherry.cache.noop.outputs import LARGEST, REF_NAME, registry_says
from wherry.cli import streams

_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_NAME = rf"{_PART}(?:/{_PART})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
#: A name in a registry of this machine, with its tag (`oci.reference`).
_LOCAL = re.compile(rf"(?:docker://)?((localhost|127\.0\.0\.1):([1-9][0-9]{{0,4}})/({_NAME})):({_TAG})", re.ASCII)
#: A layout, its tag perhaps left out; a folder with a colon in its name goes the long way.
_LAYOUT = re.compile(rf"oci:([^:@~][^:@]*)(?::({_TAG}))?", re.ASCII)
_OWN = re.compile(rf"(?:store:)?({_PART}(?:/{_PART})*)(?::({_TAG}))?", re.ASCII)
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
#: `sha256:` and the name of a file.
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


def present(arguments: list[str], environment: dict[str, str]) -> int | None:
    """The exit code when all of it was there already, or is now; None when anything is different or unclear."""
    began = time.monotonic()
    said = words(arguments)
    if said is None or environment.get("WHERRY_OFFLINE"):
        return None
    source, names = said
    goals = [goal for goal in map(_LOCAL.fullmatch, names) if goal]
    try:
        layout, digest = _digest(source, environment)
        if not digest or len(goals) != len(names):
            return None
        missing = [goal for goal in goals if not _has(goal, digest)]
        sent = _sent(missing, layout, digest) if missing else 0
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError):
        return None
    if sent is None:
        return None
    spent = time.monotonic() - began
    if missing:
        _tell(source, [f"docker://{goal[1]}:{goal[5]}" for goal in goals], sent, spent)
    else:
        streams.tell(f"all of it was there already, {spent:.2f} s\n")
    return streams.say("".join(f"{goal[1]}:{goal[5]}@{digest}\n" for goal in goals))


def _tell(source: str, places: list[str], sent: int, spent: float) -> None:
    """The story of the long way (`moved.show_copied`)."""
    import shlex

    from wherry.cli.output import standard_output
    from wherry.kit.text import megabytes, seconds

    output, what = standard_output(), f"{megabytes(sent)} sent"
    output.rows([("from", source, ""), ("to", places[0], what), *(("", place, "") for place in places[1:])])
    output.line(f"{what}, in {seconds(spent)} s")
    output.next(f"wherry inspect {shlex.quote(places[0])}")


def _has(goal: re.Match[str], digest: str) -> bool:
    """Whether the name means `digest` there; LookupError when its registry does not say."""
    status, told = registry_says(goal[2], goal[3], goal[4], goal[5])
    if status not in (200, 404):
        raise LookupError(status)
    return (status, told) == (200, digest)


def _sent(goals: list[re.Match[str]], layout: str, digest: str) -> int | None:
    """Bytes sent, now that all of it is there; None when the long way goes on. Of several repositories that is for all."""
    (server,) = {(goal[2], int(goal[3]), goal[4]) for goal in goals}
    from wherry.cli import signals
    from wherry.cli.early import Begun

    signals.hear()
    begun = Begun(layout, digest, server[:2], server[2])
    import wherry.cli.output  # noqa: F401 - while the blobs are on their way

    return begun.finish([goal[5] for goal in goals])


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


def _digest(source: str, environment: dict[str, str]) -> tuple[str, str]:
    """The folder of the source's layout, and what it is by that one's index; empty where that is not clear."""
    layout, own = _LAYOUT.fullmatch(source), _OWN.fullmatch(source)
    folder = digest = ""
    if layout:
        folder = layout[1]
        found = {digest for name, digest in _rows(folder) if layout[2] in (None, name)}
        digest = found.pop() if len(found) == 1 else ""
    elif own and not _is_elsewhere(source.removeprefix("store:")):
        folder = _store(environment)
        names = [(name, digest) for name, digest in _rows(folder) if _means(name, own[1], own[2])]
        digest = names[-1][1] if names else ""
    return folder, digest if DIGEST.fullmatch(digest) else ""


def _is_elsewhere(name: str) -> bool:
    """Whether a name belongs to a registry or another place."""
    head, slash, _ = name.partition("/")
    return name.partition(":")[0] in SCHEMES or bool(slash and ("." in head or head == "localhost"))


def _rows(directory: str) -> list[tuple[str, str]]:
    with open(f"{directory}/index.json", "rb") as file:  # noqa: PTH123 - pathlib costs milliseconds here
        entries = json.loads(file.read(LARGEST))["manifests"]
    return [(str(one.get("annotations", {}).get(REF_NAME, "")), str(one["digest"])) for one in entries]


def _means(name: str, wanted: str, tag: str | None) -> bool:
    repository, _, own = name.rpartition(":")
    return repository == wanted and tag in (None, own)


def _store(environment: dict[str, str]) -> str:
    """Where wherry's own store lies (`flows.folders`, `store.own`)."""
    own, data = environment.get("WHERRY_DATA_DIR", ""), environment.get("XDG_DATA_HOME", "")
    if own.startswith("/"):
        return f"{own}/store/1"
    home = data if data.startswith("/") else f"{environment['HOME'].rstrip('/')}/.local/share"
    if not home.startswith("/"):
        raise LookupError(home)
    return f"{home}/wherry/store/1"
