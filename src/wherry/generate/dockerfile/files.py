"""The writer. Applications and a choice in, a Dockerfile each out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.errors import UsageError
from wherry.formats import dockerfile
from wherry.generate import names
from wherry.generate.dockerfile.draft import Draft, told
from wherry.generate.dockerfile.variants import variant
from wherry.generate.text import apart
from wherry.kit.text import one_line
from wherry.model.application import Application
from wherry.model.file import Choice, File

SYNTAX: Final = "syntax"
EXTRAS: Final = ((SYNTAX, "begin with the line that makes Docker download its newest frontend"),)


def files(applications: tuple[Application, ...], choice: Choice) -> tuple[File, ...]:
    """Their pins: what compiles, then what the image stands on, if anything. UsageError [bad-text] for a text that no instruction
    can hold, [base-libc], [shell-probe], [asset-empty], [same-name], and [outside-sources] for modules outside of the
    repository."""
    each = (names.dockerfile(applications, one, kind) for one in applications for kind in ("", names.DEV))
    apart(each, file="folder", what="Dockerfiles")
    return tuple(_file(applications, one, choice) for one in applications)


def _file(applications: tuple[Application, ...], application: Application, choice: Choice) -> File:
    _check(application)
    row = variant(choice.variant)
    path = names.dockerfile(applications, application, row.name)
    draft = Draft(application=application, variant=row)
    directives = ("# syntax=docker/dockerfile:1\n",) if SYNTAX in choice.extras else ()
    stages = (stage(draft) for stage in row.stages)
    blocks = (_images(draft, names.from_root(applications, path)), *(one for one in stages if one))
    text = "".join(directives) + "\n\n".join(blocks) + "\n"
    return File(path=path, text=text, pins=tuple(filter(None, (draft.builder, draft.base))))


def _images(draft: Draft, path: str) -> str:
    """How it is used, and the images that it stands on."""
    base = draft.base
    named = base is not None and base.role != "builder"
    where = f"-f {dockerfile.shell(told(path, 'the name of the file'))} " if path != "Dockerfile" else ""
    version = "--build-arg VERSION=1.2.3 " if draft.variant.name != names.DEV else ""
    copies = "--build-arg GO_IMAGE=..." + (" --build-arg BASE_IMAGE=..." if named else "")
    lines = [
        dockerfile.comment(f"Built from the repository's root: docker build {where}{version}."),
        dockerfile.comment(f"With copies of these images in another registry: {copies}"),
        f"ARG GO_IMAGE={dockerfile.value(str(draft.builder))}",
    ]
    return "\n".join((*lines, *((f"ARG BASE_IMAGE={dockerfile.value(str(base))}",) if named else ())))


def _check(application: Application) -> None:
    outside = application.sources.replaced_outside
    if outside:
        raise UsageError(
            "outside-sources",
            f"{application.name} needs a module outside of the repository, which no build context can hold",
            where=tuple(one_line(one) for one in outside),
            next="put it into the repository, vendor it, or require a published version",
        )
