"""What files say of the images that they name is what stands in their text, whatever kind, variant and application."""

from __future__ import annotations

import hashlib

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.choices import CHOICES, said
from wherry.generate.table import Writer
from wherry.model.application import Application, BaseKind, Pin
from wherry.model.file import Choice

KINDS: tuple[BaseKind, ...] = ("alpine", "debian", "distroless", "scratch", "static")
NAMING = {"dockerfile", "compose", "gitlab"}
"""Kinds and variants that name images at all."""


def told_apart(application: Application) -> Application:
    """With a digest of its own for each image."""

    def own(pin: Pin) -> Pin:
        return replace(pin, digest=f"sha256:{hashlib.sha256(f'{application.name} {pin.role}'.encode()).hexdigest()}")

    return replace(application, pins=tuple(map(own, application.pins)))


def groups(variant: str) -> list[tuple[Application, ...]]:
    """One of each, with a C library where that can be; on each kind of base; both together."""
    api, jobs = (told_apart(replace(one, host="www.example.com", gateway="edge")) for one in (API, JOBS))
    pure = replace(jobs, sources=replace(jobs.sources, cgo=False, static=True))
    bases = [(replace(api, base=kind, base_kind=kind),) for kind in KINDS]
    return [(api,), (pure,) if variant == "scratch" else (jobs,), *bases, (api, replace(pure, home="."))]


@pytest.mark.parametrize(("row", "choice"), CHOICES, ids=said)
def test_a_file_declares_just_the_images_that_it_names(row: Writer, choice: Choice) -> None:
    named_any = False
    for applications in groups(choice.variant):
        known = {str(pin): pin for one in applications for pin in one.pins}
        for file in row.write(applications, choice):
            named = {text for text in known if text in file.text}
            assert {str(pin) for pin in file.pins} == named, file.path
            named_any = named_any or bool(named)
    assert named_any == bool(NAMING & {row.what, choice.variant}), "or the test above could not fail"
