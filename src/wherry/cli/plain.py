"""A layout's documents where nothing is unusual about them, for pushes that begin before what reads all others is imported. Bytes
in, an object out; touches nothing. Standard library only.

Whatever is taken here the long way takes too (`kit.jsons`, `oci`, `store.documents`), and means the same by it; what that would
refuse, and much else, is a ValueError, TypeError, LookupError or RecursionError here, and that one has its say. Not by `json`,
which compiles regular expressions as it is imported: that takes longer than all the rest of a push of what is there.
"""

from __future__ import annotations

try:
    from _json import make_scanner
except ImportError:  # not CPython: this one asks for more, so everything is unusual
    from json.scanner import make_scanner

TYPE_CHECKING = False  # importing typing costs more than all of this file
if TYPE_CHECKING:
    from typing import Any, NoReturn

DEEPEST = 32
_HEXADECIMAL = frozenset("0123456789abcdef")
_BLANK = " \t\r\n"
OCI, DOCKER = "application/vnd.oci.image.", "application/vnd.docker."
MANIFESTS = (f"{OCI}manifest.v1+json", f"{DOCKER}distribution.manifest.v2+json")
INDEXES = (f"{OCI}index.v1+json", f"{DOCKER}distribution.manifest.list.v2+json")
CONFIGS = (f"{OCI}config.v1+json", f"{DOCKER}container.image.v1+json")


def is_digest(text: object) -> bool:
    """Whether it is `sha256:` and the name of a file."""
    return type(text) is str and len(text) == 71 and text[:7] == "sha256:" and _HEXADECIMAL.issuperset(text[7:])


def _is_two(number: object) -> bool:
    return type(number) is int and number == 2


# A shape is a type, a list of the shape of its elements, a tuple of what it may be, a question, or an object's members; there `!`
# ends a name that must be there, and `str` stands for any name. Other members may be anything (considerations.md#extensibility).
_NOTHING = ()
_TEXTS: dict[Any, Any] = {str: str}
_FLAGS: dict[Any, Any] = {str: _TEXTS}
_PLATFORM = {"architecture!": str, "os": str, "variant": str, "os.version": str, "os.features": [str]}
DESCRIPTOR = {
    "mediaType!": str,
    "digest!": is_digest,
    "size!": int,
    "urls": [str],
    "annotations": _TEXTS,
    "artifactType": str,
    "platform": (None, _PLATFORM),
}
_DOCUMENT = {"schemaVersion!": _is_two, "artifactType": str, "annotations": _TEXTS, "subject": _NOTHING}
MANIFEST = _DOCUMENT | {
    "mediaType!": MANIFESTS.__contains__,
    "config!": DESCRIPTOR | {"mediaType!": CONFIGS.__contains__},
    "layers!": [DESCRIPTOR],
    "manifests": _NOTHING,
}
INDEX = _DOCUMENT | {
    "mediaType!": INDEXES.__contains__,
    "manifests!": [DESCRIPTOR | {"mediaType!": MANIFESTS.__contains__}],
    "config": _NOTHING,
    "layers": _NOTHING,
}
LAYOUT = {"manifests!": [DESCRIPTOR]}
MARKER = {"imageLayoutVersion!": str} | _TEXTS
_HEALTH = {"Test": (None, [str]), "Interval": int, "Timeout": int, "StartPeriod": int, "Retries": int}
_RUN = {
    "User": str,
    "ExposedPorts": (None, _FLAGS),
    "Env": (None, [str]),
    "Entrypoint": (None, [str]),
    "Cmd": (None, [str]),
    "Healthcheck": (None, _HEALTH),
    "Volumes": (None, _FLAGS),
    "WorkingDir": str,
    "Labels": (None, _TEXTS),
    "StopSignal": str,
}
_HISTORY = {"created": str, "created_by": str, "author": str, "comment": str, "empty_layer": bool}
CONFIG = _PLATFORM | {
    "os!": str,
    "created": str,
    "author": str,
    "config": (None, _RUN),
    "rootfs!": {"diff_ids!": [is_digest], "type": str},
    "history": (None, [_HISTORY]),
}


def read(data: bytes, shape: dict[Any, Any]) -> dict[str, Any]:
    """The object in `data`; its known members are of this shape, each stands there once, and no number is large or broken."""
    text = data.decode().strip(_BLANK)
    if "\\ud" in text.lower():  # maybe half of a pair, which is no letter
        raise ValueError("surrogates")
    try:
        document, end = make_scanner(_Strict)(text, 0)  # type: ignore[arg-type] # what it asks for is in the class
    except (
        StopIteration,
        SystemError,
    ):  # the latter as Python 3.11 has no name for an error while json is not imported
        raise ValueError("no JSON") from None
    if end != len(text) or not fits(document, shape) or not _is_shallow(document, DEEPEST):
        raise ValueError("unusual")
    found: dict[str, Any] = document
    return found


def fits(value: object, shape: Any) -> bool:
    """Whether a value has this shape."""
    if isinstance(shape, type) or shape is None:
        return type(value) is (shape or type(None))
    if isinstance(shape, tuple):
        return any(fits(value, one) for one in shape)
    if isinstance(shape, list):
        return type(value) is list and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        return type(value) is dict and all(_has(value, name, one) for name, one in shape.items())
    return bool(shape(value))


def _has(members: dict[str, Any], name: Any, shape: Any) -> bool:
    if name is str:
        return all(fits(one, shape) for one in members.values())
    bare = name.removesuffix("!")
    return fits(members[bare], shape) if bare in members else bare == name


def _is_shallow(value: object, left: int) -> bool:
    inside = value.values() if type(value) is dict else value if type(value) is list else ()
    return left > 0 and all(_is_shallow(one, left - 1) for one in inside)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name.casefold() for name, _ in pairs}) < len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise ValueError(digits)
    return int(digits)


def _refused(word: str) -> NoReturn:
    raise ValueError(word)


class _Strict:
    """What `_json` asks of whom it reads for (json.decoder.JSONDecoder)."""

    strict = True
    object_hook = array_hook = None
    object_pairs_hook = staticmethod(_members)
    parse_int = staticmethod(_whole)
    parse_float = parse_constant = staticmethod(_refused)
