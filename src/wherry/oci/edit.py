"""A JSON document with some members changed, and all else as it stands, unknown members too. Bytes and values in, bytes out;
touches nothing.

Other tools write members that wherry does not know (Docker's `Shell`, vendors' own): whoever changes a label must not lose them.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wherry.kit import jsons


def members(data: bytes, *, name: str) -> dict[str, msgspec.Raw]:
    """The members of a JSON object in their order, each as its bytes; CorruptError [json] when it is none."""
    return jsons.decode(data, dict[str, msgspec.Raw], name=name)


def elements(data: bytes, *, name: str) -> tuple[msgspec.Raw, ...]:
    """The elements of a JSON array, each as its bytes; none for `null`."""
    return tuple(jsons.decode(b"[]" if data == b"null" else data, list[msgspec.Raw], name=name))


def changed(data: bytes, changes: Mapping[str, object], *, name: str) -> bytes:
    """The object with `changes` made in place; None takes a member out, new ones come last."""
    found = members(data, name=name)
    for key, value in changes.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = msgspec.Raw(msgspec.json.encode(value, order="deterministic", enc_hook=str))
    return msgspec.json.encode(found)
