"""What a registry may answer: anything at all. Each answer gives a value or an error of ours, soon, whatever was asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.images import Shape, random_image
from tests.support.ports import ports
from wherry.errors import WherryError
from wherry.kit.ports import Request
from wherry.model.image import Built
from wherry.oci import media
from wherry.oci.descriptor import Descriptor, describe, encode
from wherry.oci.digest import of_bytes
from wherry.oci.manifest import Index
from wherry.oci.reference import parse
from wherry.store.content import content_of
from wherry.store.keeper import Ports
from wherry.store.place import RegistryPlace
from wherry.store.registry import listing, referrers
from wherry.store.registry.keeper import Registry, repository
from wherry.store.registry.kept import Kept
from wherry.store.registry.known import Known

ROUNDS = 22_000
"""For each question: together 100,000 inputs."""
STATUSES = (*(200,) * 12, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 405, 413, 416, 429, 500, 503, 0, 999)
WORDS = (
    "", "x", "0", "-1", "9" * 400, "\x00", "é", "<a>", "<>; rel=next", "</v2/a>; rel=\"next\"", "<//[>; rel=next", "bytes 0-1/2",
    "0-0", "0-99", "bytes 5-1/0", "sha256:" + "0" * 64, "sha256:x", "http://127.0.0.1:1/x", "http://[::1", "//x", "../..", "?",
    "Bearer realm=\"http://h/t\"", "Bearer realm=", "Basic", media.OCI_INDEX, media.OCI_MANIFEST, "text/plain", "a/b;;",
)  # fmt: skip
HEADERS = (
    "Content-Type", "Docker-Content-Digest", "Link", "Location", "Range", "Content-Range", "WWW-Authenticate", "Retry-After",
    "OCI-Subject", "OCI-Chunk-Min-Length", "ETag", "OCI-Filters-Applied", "Content-Length",
)  # fmt: skip


class Garbage:
    """An answer made of dice, half of the time the right one; `kit.ports.Response`."""

    def __init__(self, dice: random.Random, right: bytes) -> None:
        good = dice.random() < 0.5
        self.status = 200 if good else dice.choice(STATUSES)
        names = () if good else dice.sample(HEADERS, dice.randrange(5))
        self.headers = tuple((name, dice.choice(WORDS)) for name in names)
        self._body = right if dice.random() < 0.5 else mangled(right, dice)

    def header(self, name: str, /) -> str:
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")

    def read(self, size: int, /) -> bytes:
        data, self._body = self._body[:size], self._body[size:]
        return data

    def close(self) -> None:
        pass


def mangled(data: bytes, dice: random.Random) -> bytes:
    """`data`, now and then cut, doubled, or with bytes changed."""
    match dice.randrange(6):
        case 0:
            return data[: dice.randrange(len(data) + 1)]
        case 1:
            return data + dice.randbytes(5)
        case 2 if data:
            at = dice.randrange(len(data))
            return data[:at] + dice.randbytes(dice.randrange(4)) + data[at + 1 :]
        case 3:
            return data.replace(
                dice.choice((b"1", b'"', b"{", b"[", b"sha256")), dice.choice((b"", b"-", b"null", b"{", b"9" * 30))
            )
        case _:
            return data


def right_bodies(built: Built) -> tuple[tuple[str, bytes], ...]:
    """Parts of addresses, and what is right there."""
    image = built.images[0]
    index = Index(schema_version=2, media_type=media.OCI_INDEX, manifests=(describe(image.manifest),))
    return (
        ("/tags/", b'{"name":"a","tags":["1","2"]}'),
        ("/referrers/", encode(index)),
        ("/manifests/sha256-", encode(index)),
        ("/manifests/", image.manifest.data),
        (image.config.digest, image.config.data),
        (image.layers[0].digest, Path(image.layers[0].file).read_bytes()),
        ("", b'{"token":"t","expires_in":1,"errors":[{"code":"DENIED","message":"no"}]}'),
    )


PLACE = RegistryPlace(reference=parse("registry.example/a:1"))
Question = Callable[[Ports, Built], object]
QUESTIONS: tuple[Question, ...] = (
    lambda machine, _: listing.tags(repository(PLACE.reference, machine)),
    lambda machine, _: referrers.find(repository(PLACE.reference, machine), of_bytes(b"s")),
    lambda machine, _: Registry(PLACE, machine).open(),
    lambda machine, built: list(Registry(PLACE, machine).blob(layer_of(built))),
    lambda machine, built: Registry(PLACE, machine).put(content_of(built)),
)


def layer_of(built: Built) -> Descriptor:
    layer = built.images[0].layers[0]
    return Descriptor(media_type=layer.media_type, digest=layer.digest, size=layer.size)


@pytest.mark.parametrize("number", range(len(QUESTIONS)), ids=["tags", "referrers", "image", "blob", "push"])
def test_any_answer_is_read_or_refused(number: int, tmp_path: Path) -> None:
    built, machine, answered = random_image(tmp_path / "layers", shape=Shape(layers=1)), ports(tmp_path), 0
    bodies = right_bodies(built)

    def once(seed: int) -> int:
        dice, asked = random.Random(seed), []

        def answer(request: Request) -> Garbage:
            asked.append(request.url)
            assert len(asked) < 200, asked[-5:]
            return Garbage(dice, next(body for part, body in bodies if part in request.url))

        try:
            QUESTIONS[number](replace(machine, http=answer, known=Known(), kept=Kept()), built)
        except WherryError:
            return 0
        return 1

    rounds = ROUNDS // 20 if number == len(QUESTIONS) - 1 else ROUNDS  # a push starts threads
    answered = sum(map(once, range(rounds)))
    assert 0 < answered < rounds


def test_what_other_runs_wrote_down_is_read_or_forgotten() -> None:
    dice = random.Random(1)
    right = b'{"scheme":"bearer","realm":"http://h","service":"s","referrers":false,"chunk":5,"since":7.0}'

    class Records:
        def get(self, _: str, /) -> bytes:
            return mangled(right, dice)

        def put(self, _: str, _data: bytes, /) -> None:
            raise AssertionError("nothing was learned")

    for _ in range(ROUNDS):
        facts = Known().facts("http://h", Records(), lambda: 8.0)
        assert facts.chunk >= 0
