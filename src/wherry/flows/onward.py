"""What goes on from generated files: what they need beside them, and the command that uses them. A choice and what is there in,
commands out; looks which files are there.
"""

from __future__ import annotations

import os
import posixpath
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from wherry.flows.wishes import Seen, Wish
from wherry.generate import names
from wherry.generate.bake import FILE as BAKE
from wherry.generate.build_script import FILE as SCRIPT
from wherry.generate.ci.gitlab import FILE as GITLAB
from wherry.generate.compose.files import PURPOSES, waits
from wherry.generate.compose.service import image_variable
from wherry.generate.container_test.files import FOLDER as CONTAINER_TEST
from wherry.generate.header import Command, words, writer
from wherry.generate.health.files import FOLDER as HEALTH
from wherry.generate.kubernetes.files import FOLDER as CLUSTER
from wherry.generate.shell import from_root
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice

MOST: Final = 3
"""Programs that get a line each."""
PIPELINES: Final = {"github": ".github/workflows", "gitlab": GITLAB}
"""Where a service looks for them, by its name."""
USUAL: Final = "compose.yaml"
"""What Compose takes without being told."""


class Step(Value, frozen=True, kw_only=True):
    """One command, for who stands in this process's folder."""

    command: str
    makes: tuple[str, ...] = ()
    """Files, relative to the root; it is needless when the same run makes them."""


def onward(wish: Wish, seen: Seen, choice: Choice) -> tuple[Step, ...]:
    """In their order: what makes a Dockerfile that the files of `choice` name and that is not there; then, where somebody asked
    for the files, what uses them."""
    if wish.brought:
        return ()
    used = () if wish.again else _used(seen, choice)
    return (*_dockerfiles(seen, choice), *(Step(command=one) for one in used))


def _dockerfiles(seen: Seen, choice: Choice) -> Iterator[Step]:
    said = (choice.variant, *choice.extras)
    for variant in (kind for word, kind in writer(choice.what).dockerfiles if word in said):
        paths = (_dockerfile(seen, one, variant) for one in seen.applications)
        missing = tuple(path for path in paths if not Path(seen.root, path).is_file())
        if missing:
            wanted = Choice(what="dockerfile", variant=variant, packages=choice.packages)
            command = Command(choice=wanted, home=_from_here(seen, names.home(seen.applications)))
            yield Step(command=words(command), makes=missing)


def _dockerfile(seen: Seen, application: Application, variant: str) -> str:
    return names.from_root(seen.applications, names.dockerfile(seen.applications, application, variant))


def _used(seen: Seen, choice: Choice) -> Iterator[str]:
    match choice.what:
        case "dockerfile" if choice.variant != names.DEV:
            yield from (_docker_build(seen, one, choice.variant) for one in seen.applications[:MOST])
        case "compose" | "dockerfile":
            path = names.from_root(seen.applications, PURPOSES[choice.variant].file)
            if choice.what == "compose" and waits(seen.applications, choice):
                yield f"sed -n '/^# Once/,/^name/p' {shlex.quote(_from_here(seen, path))}  # what to make once, before:"
            if choice.what == "compose" and choice.variant == "production":
                yield from (_published(one) for one in seen.applications[:MOST] if not choice.digest)
            yield _compose(seen, choice)
        case "makefile":
            folder = _from_here(seen, names.home(seen.applications))
            yield f"make {'' if folder == '.' else f'-C {shlex.quote(folder)} '}help"
        case "container-test":
            folder = _from_here(seen, seen.applications[0].sources.module_directory)
            yield f"go test {'' if folder == '.' else f'-C {shlex.quote(folder)} '}-tags container ./{CONTAINER_TEST}/..."
        case "health":
            folder = _from_here(seen, seen.applications[0].sources.module_directory)
            yield f"go doc {'' if folder == '.' else f'-C {shlex.quote(folder)} '}./{HEALTH}  # how a main calls it"
        case "build-script":
            script = _from_here(seen, names.from_root(seen.applications, SCRIPT))
            yield f"{'' if '/' in script else './'}{shlex.quote(script)}"
        case "bake":
            folder, file = _from_here(seen, "."), shlex.quote(names.from_root(seen.applications, BAKE))
            yield f"{'' if folder == '.' else f'cd {shlex.quote(folder)} && '}docker buildx bake -f {file}"
        case "ci":
            yield f"git add {shlex.quote(_from_here(seen, PIPELINES[choice.variant]))}  # it runs once that is pushed"
        case "kubernetes":
            yield from _applied(seen, choice)
        case _:
            pass  # .dockerignore: nothing uses it by name


def _applied(seen: Seen, choice: Choice) -> Iterator[str]:
    """What brings the objects into the cluster that kubectl and helm talk to."""
    several = len(seen.applications) > 1
    top = _from_here(seen, names.from_root(seen.applications, CLUSTER))
    if choice.variant == "plain":
        yield f"kubectl apply -{'R' if several else ''}f {shlex.quote(f'{top}/')}"
        return
    for name in [names.service(one) for one in seen.applications[:MOST]]:
        folder = f"{top}/{name}" if several else top
        yield (
            f"kubectl apply -k {shlex.quote(f'{folder}/overlays/production')}"
            if choice.variant == "kustomize"
            else f"helm upgrade --install {name} {shlex.quote(f'{folder}/chart')}"
        )


def _published(application: Application) -> str:
    """What Compose asks for: no tag is deployed."""
    return f"export {image_variable(application)}={application.image}@sha256:...  # as the push printed it"


def _docker_build(seen: Seen, application: Application, variant: str) -> str:
    path, context = _from_here(seen, _dockerfile(seen, application, variant)), _from_here(seen, ".")
    named = () if path == posixpath.normpath(f"{context}/Dockerfile") else ("-f", path)
    main = _from_here(seen, from_root(application))
    only = () if main == "." else (main if main.startswith(".") else f"./{main}",)
    version = shlex.join(("wherry", "plan", "--only", "version", *only))
    begin = shlex.join(("docker", "build", *named, "-t", names.service(application)))
    return f'{begin} --build-arg VERSION="$({version})" {shlex.quote(context)}'


def _compose(seen: Seen, choice: Choice) -> str:
    """What runs a compose file; of a Dockerfile for it the command that makes that, where it is not there yet."""
    purpose = choice.variant if choice.what == "compose" else names.DEV
    path = names.from_root(seen.applications, PURPOSES[purpose].file)
    if choice.what != "compose" and not Path(seen.root, path).is_file():
        home = _from_here(seen, names.home(seen.applications))
        return words(Command(choice=Choice(what="compose", variant=purpose, packages=choice.packages), home=home))
    file = _from_here(seen, path)
    named = () if file == USUAL else ("-f", file)
    return shlex.join(("docker", "compose", *named, "watch" if purpose == names.DEV else "up"))


def _from_here(seen: Seen, path: str) -> str:
    """A path relative to the root, as seen from this process's folder."""
    return os.path.relpath(f"{seen.root}/{path}")
