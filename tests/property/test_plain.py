"""What the short way takes, the long way takes, and means the same by it: documents changed at random, in their tree and in their
bytes."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.support.images import Shape, random_image
from tests.support.mutations import mutated
from wherry.cli import plain
from wherry.model.image import Image
from wherry.oci import manifest as manifests
from wherry.oci import media
from wherry.oci.config import Config
from wherry.oci.descriptor import Document, decode
from wherry.store import entries

ROUNDS = 3000
ODD: tuple[Any, ...] = (
    *(None, "", "x", 0, -1, 2, 10**12, 10**30, 1.5, True, [], [1], ["x"], {}, {"a": 1}, {"a": "b"}, [{}], [[[[[]]]]]),
    *("\ud800", "é", "sha256:" + "0" * 64, "SHA256:" + "A" * 64, "sha512:" + "0" * 128, media.OCI_INDEX, "text/plain"),
)
NAMES = ("mediaType", "size", "Size", "digest", "manifests", "config", "layers", "subject", "platform", "annotations")


def documents(folder: Path) -> dict[str, tuple[bytes, ...]]:
    """By the name of their shape."""
    found: dict[str, tuple[bytes, ...]] = {}
    for form in ("oci", "docker"):
        shape = Shape(platforms=("linux/amd64", "linux/arm/v7"), format=form, labels=(("a", "b"),))
        built = random_image(folder / form, shape=shape)
        assert not isinstance(built.content, Image)
        row = {"mediaType": built.content.document.media_type, "digest": built.digest, "size": 1}
        listed = json.dumps({"schemaVersion": 2, "manifests": [row | {"annotations": {entries.REF_NAME: "1"}}]})
        found["INDEX"] = (*found.get("INDEX", ()), built.content.document.data)
        found["MANIFEST"] = (*found.get("MANIFEST", ()), *(one.manifest.data for one in built.images))
        found["CONFIG"] = (*found.get("CONFIG", ()), *(one.config.data for one in built.images))
        found["LAYOUT"] = (*found.get("LAYOUT", ()), listed.encode())
    return found


def grown_wild(data: bytes, dice: random.Random) -> bytes:
    """A document with another value, or another member, somewhere."""
    root = [json.loads(data)]
    places = [(root, 0)]
    for holder, key in places:
        inside = holder[key]
        pairs = inside.items() if isinstance(inside, dict) else enumerate(inside) if isinstance(inside, list) else ()
        places += [(inside, name) for name, _ in pairs]
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0 if isinstance(holder[key], dict):
            holder[key][dice.choice(NAMES)] = dice.choice(ODD)
        case 1 if isinstance(holder[key], list) and holder[key]:
            holder[key].append(copy.deepcopy(dice.choice(holder[key])))
        case 2 if holder is not root:
            del holder[key]
        case _:
            holder[key] = dice.choice(ODD)
    return json.dumps(root[0]).encode()


def taken(name: str, data: bytes) -> object:
    """What the long way makes of it, as JSON has it."""
    match name:
        case "CONFIG":
            return decode(data, Config, name=name)
        case "LAYOUT":
            return entries.parse(data, name=name)
        case _:
            return manifests.parse(Document(media_type=json.loads(data)["mediaType"], data=data), name=name)


#: Where json, which these tests import, is not.
ALONE = """
from wherry.cli import plain

for data in (b"", b"[", b"{", b'{"a', b'{"a"}', b'{"a":}', b'{"a":tru}', b'{"a":"\\x01"}', b'{"a":"\\\\q"}', b"{1:2}"):
    try:
        print(plain.read(data, {}))
    except ValueError:
        print("refused")
"""


def test_what_is_no_json_is_refused_without_json(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stderr, set(done.stdout.splitlines())) == ("", {"refused"})


@pytest.mark.parametrize("name", ["INDEX", "MANIFEST", "CONFIG", "LAYOUT"])
def test_what_is_plain_is_taken_by_all(name: str, tmp_path: Path) -> None:
    corpus = documents(tmp_path)[name]
    dice = random.Random(name)
    changed = [grown_wild(dice.choice(corpus), dice) for _ in range(ROUNDS)]
    taken_here = 0
    for data in (*corpus, *changed, *mutated(corpus, count=ROUNDS, seed=4)):
        try:
            read = plain.read(data, getattr(plain, name))
        except (ValueError, TypeError, LookupError, RecursionError):
            assert data not in corpus
            continue
        taken_here += 1
        assert read == msgspec.json.decode(data)
        taken(name, data)
    assert ROUNDS / 20 < taken_here < ROUNDS * 2
