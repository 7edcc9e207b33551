"""Generated Dockerfiles, read. An application and a variant in, instructions out."""

from __future__ import annotations

from msgspec.structs import replace

from wherry.formats.dockerlines import Instruction, parse
from wherry.generate.dockerfile.files import files
from wherry.model.application import Application
from wherry.model.file import Choice


def text(application: Application, variant: str = "distroless", *extras: str) -> str:
    (made,) = files((application,), Choice(what="dockerfile", variant=variant, extras=extras))
    return made.text


def read(application: Application, variant: str = "distroless") -> tuple[Instruction, ...]:
    return parse(text(application, variant)).instructions


def only(application: Application, keyword: str, variant: str = "distroless") -> Instruction:
    """The last one: that of the final stage."""
    return [one for one in read(application, variant) if one.keyword == keyword][-1]


def runs(application: Application, variant: str = "distroless") -> list[Instruction]:
    return [one for one in read(application, variant) if one.keyword == "RUN"]


def building(application: Application, variant: str = "distroless") -> Instruction:
    return next(one for one in runs(application, variant) if "go build" in one.text)


def copies(application: Application, variant: str = "distroless") -> list[str]:
    found = [one for one in read(application, variant) if one.keyword == "COPY"]
    return [" ".join((*one.flags, *(one.words or (one.text,)))) for one in found]


def with_runs(application: Application, **changed: object) -> Application:
    return replace(application, runs=replace(application.runs, **changed))


def with_sources(application: Application, **changed: object) -> Application:
    return replace(application, sources=replace(application.sources, **changed))
