"""The writer. Applications and a choice in, a Dockerfile each out; touches nothing."""

from __future__ import annotations

import posixpath
from typing import Final

from wherry.errors import UsageError
from wherry.formats import dockerfile
from wherry.generate import names
from wherry.generate.compose.files import PURPOSES, started
from wherry.generate.dockerfile.draft import Draft, told
from wherry.generate.dockerfile.variants import variant
from wherry.generate.names import Applications
from wherry.generate.shell import from_root, quoted
from wherry.generate.text import apart
from wherry.generate.use import MOST, Here, Use
from wherry.kit.text import dotted, one_line
from wherry.model.application import Application
from wherry.model.file import Choice, File

SYNTAX: Final = "syntax"
EXTRAS: Final = ((SYNTAX, "begin with the line that makes Docker download its newest frontend"),)


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """Their pins: what compiles, then what the image stands on, if anything. UsageError [bad-text] for a text that no instruction
    can hold, [base-libc], [shell-probe], [asset-empty], [same-name], and [outside-sources] for modules outside of the
    repository."""
    each = (names.dockerfile(applications, one, kind) for one in applications for kind in ("", names.DEV))
    apart(each, file="folder", what="Dockerfiles")
    return tuple(_file(applications, one, choice) for one in applications)


def uses(applications: Applications, choice: Choice, here: Here) -> tuple[Use, ...]:
    """Docker; of what is for development Compose, with a file of its own."""
    if choice.variant != names.DEV:
        return tuple(Use(command=_built(applications, one, choice.variant, here)) for one in applications[:MOST])
    file = names.from_root(applications, PURPOSES[names.DEV].file)
    maker = Choice(what="compose", variant=names.DEV, packages=choice.packages)
    return (Use(command=started(names.DEV, here(file)), file=file, maker=maker),)


def _built(applications: Applications, application: Application, variant: str, here: Here) -> str:
    path, context = here(names.from_root(applications, names.dockerfile(applications, application, variant))), here(".")
    named = () if path == posixpath.normpath(f"{context}/Dockerfile") else ("-f", path)
    main = here(from_root(application))
    only = () if main == "." else (dotted(main),)
    version = quoted("wherry", "plan", "--only", "version", *only)
    begin = quoted("docker", "build", *named, "-t", names.service(application))
    return f'{begin} --build-arg VERSION="$({version})" {quoted(context)}'


def _file(applications: Applications, application: Application, choice: Choice) -> File:
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
