"""The writer of compose files. Applications and a choice in, one file out; touches nothing.

`compose.yaml` (secure) builds what production runs; `compose.dev.yaml` builds where one works; `compose.production.yaml` builds
nothing. Each is a project of its own, so that all three can run side by side.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Final

from wherry.errors import UsageError
from wherry.formats.yaml import Document, dump, noted
from wherry.generate import names, ports, shell
from wherry.generate.compose import backing, service
from wherry.generate.compose.backing import PASSWORD, REDIS_PASSWORD, SECRETS, SERVERS, Led
from wherry.generate.compose.words import key, literal, path, project, why
from wherry.generate.names import Applications
from wherry.generate.text import apart
from wherry.generate.use import MOST, Here, Use
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice, File

PUBLIC: Final = "public"
PRODUCTION: Final = "production"
USUAL: Final = "compose.yaml"
"""What Compose takes without being told."""
_VERSION: Final = re.compile(r"/v[0-9]+$", re.ASCII)
"""What Go puts behind a module's path from version 2 on."""
_LONGEST: Final = 63
"""Postgres cuts longer names off."""


class Purpose(Value, frozen=True, kw_only=True):
    """One of the three."""

    file: str
    suffix: str
    """Of the project's name."""
    describe: Callable[[Application, service.Around], dict[str, Document]]


PURPOSES: Final = {
    "secure": Purpose(file=USUAL, suffix="", describe=service.secure),
    names.DEV: Purpose(file="compose.dev.yaml", suffix="-dev", describe=service.development),
    PRODUCTION: Purpose(file="compose.production.yaml", suffix="-production", describe=service.production),
}


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """UsageError [bad-text] for a name that Compose does not take, [same-name] for two services of one, [usage] for `--public` in
    dev, where a debugger listens, and for a digest of what is built here."""
    _refuse(choice)
    purpose = PURPOSES[choice.variant]
    _check(applications, purpose)
    database, led = _leading(applications)
    published = _ports(applications, choice)
    volumes = _volumes(applications)
    services: dict[str, Document] = {}
    for application in applications:
        name = names.service(application)
        services[name] = purpose.describe(
            application,
            service.Around(
                applications=applications,
                ports=published,
                volumes=tuple((volume, where) for owner, volume, where in volumes if owner == name),
                led=led[name],
                address="" if PUBLIC in choice.extras else ports.LOOPBACK,
            ),
        )
    services |= _servers(applications, database, published)
    secrets = _secrets(applications, choice, led)
    document: dict[str, Document] = {
        "name": _headed(project(_title(applications)) + purpose.suffix, _once(secrets, led)),
        "services": services,
        "networks": _networks(applications),
        **_storage(applications, choice, tuple(volume for _, volume, _ in volumes)),
        **({"secrets": secrets} if secrets else {}),
    }
    pins = tuple(map(applications[0].pin, backing.kinds(applications)))
    return (File(path=purpose.file, text=dump(literal(document)), pins=pins),)


def uses(applications: Applications, choice: Choice, here: Here) -> tuple[Use, ...]:
    """What says what has to be made before the first start; for production the images, unless one is named; then Compose."""
    file, led = names.from_root(applications, PURPOSES[choice.variant].file), _leading(applications)[1]
    once = f"sed -n '/^# Once/,/^name/p' {shell.quoted(here(file))}  # what to make once, before:"
    asked = applications[:MOST] if choice.variant == PRODUCTION and not choice.digest else ()
    return (
        *((Use(command=once),) if _once(_secrets(applications, choice, led), led) else ()),
        *(
            Use(command=f"export {service.image_variable(one)}={one.image}@sha256:...  # as the push printed it")
            for one in asked
        ),
        Use(command=started(choice.variant, here(file))),
    )


def started(variant: str, file: str) -> str:
    """What runs the compose file of that variant."""
    named = () if file == USUAL else ("-f", file)
    return shell.quoted("docker", "compose", *named, "watch" if variant == names.DEV else "up")


def _leading(applications: Applications) -> tuple[str, dict[str, Led]]:
    """The database's name, and how each service finds its servers."""
    database = project(_title(applications)).replace("-", "_")[:_LONGEST]
    return database, {names.service(one): backing.lead(one, database) for one in applications}


def _refuse(choice: Choice) -> None:
    if PUBLIC in choice.extras and choice.variant == names.DEV:
        raise UsageError(
            "usage",
            "what is for development is never published beyond this machine",
            where=f"--for {names.DEV} --{PUBLIC}",
            why="its debugger lets callers do all",
            next=f"wherry generate compose --for {names.DEV}",
        )
    if choice.digest and choice.variant != PRODUCTION:
        raise UsageError(
            "usage",
            f"compose --for {choice.variant} builds its image here, so it names no published one",
            where=f"--digest {choice.digest[:80]}",
            next=f"wherry generate compose --for {PRODUCTION} --digest {choice.digest}",
        )


def _check(applications: Applications, purpose: Purpose) -> None:
    own = [key(names.service(one), "image.name") for one in applications]
    apart((*backing.kinds(applications), *own), file=purpose.file, what="services")
    if purpose is PURPOSES[PRODUCTION]:
        apart(map(service.image_variable, applications), file=purpose.file, what="variables")


def _title(applications: Applications) -> str:
    """Of the project: the program's name; where there are several that of their folder, else the one that the root's module
    has or would have. Volumes and the database are called after it, so it is the same in every clone."""
    first = applications[0]
    if len(applications) == 1:
        return names.service(first)
    if first.home != ".":
        return posixpath.basename(first.home)
    at_root_first = sorted(applications, key=lambda one: one.sources.module_directory != ".")
    return next(filter(None, map(_root_module, at_root_first)), "") or names.service(first)


def _root_module(application: Application) -> str:
    """The last part of the root's module path, as the path of a module below it tells; empty where it does not."""
    sources = application.sources
    folder = "" if sources.module_directory == "." else f"/{sources.module_directory}"
    for module in (sources.module, _VERSION.sub("", sources.module)):
        if module.endswith(folder):
            return posixpath.basename(_VERSION.sub("", module.removesuffix(folder)))
    return ""


def _ports(applications: Applications, choice: Choice) -> tuple[ports.Published, ...]:
    wanted = [(names.service(one), port) for one in applications for port in one.runs.ports]
    if choice.variant == names.DEV:
        wanted += [(names.service(one), f"{names.DEBUGGER}/tcp") for one in applications]
        wanted += [(kind, f"{SERVERS[kind].port}/tcp") for kind in backing.kinds(applications)]
    return ports.published(wanted)


def _volumes(applications: Applications) -> tuple[tuple[str, str, str], ...]:
    """Service, volume, path: named after both. UsageError [same-name] for two services that would share their data."""
    found: list[tuple[str, str, str]] = []
    for application in applications:
        owner = names.service(application)
        taken: set[str] = set()
        for where in service.on_disk(application):
            wanted = f"{owner}-{project(path(where, 'image.volumes'))}"
            name = next(
                one for one in (wanted, *(f"{wanted}-{number}" for number in range(2, 1000))) if one not in taken
            )
            taken.add(name)
            found.append((owner, name, where))
    apart((volume for _, volume, _ in found), file="compose file", what="volumes")
    return tuple(found)


def _servers(
    applications: Applications, database: str, published: tuple[ports.Published, ...]
) -> Mapping[str, Document]:
    made: dict[str, Document] = {}
    guarded = backing.guarded(applications)
    for kind in backing.kinds(applications):
        described = SERVERS[kind].describe(applications[0].pin(kind), database, kind in guarded)
        listed = ports.entries(kind, published)
        if listed:
            described["ports"] = why(listed, "for a client on this machine")
            described["networks"] = ["frontend", "backend"]
        made[kind] = described
    return made


def _networks(applications: Applications) -> dict[str, Document]:
    made: dict[str, Document] = {"frontend": {"driver": "bridge"}}
    if backing.kinds(applications):
        made["backend"] = {"driver": "bridge", "internal": why(True, "no way out of this machine, and none in")}
    return made


def _storage(applications: Applications, choice: Choice, own: tuple[str, ...]) -> dict[str, Document]:
    caches = ("modules", "compiled") if choice.variant == names.DEV else own
    volumes = (*caches, *(SERVERS[kind].volume for kind in backing.kinds(applications)))
    return {"volumes": dict.fromkeys(volumes)} if volumes else {}


def _secrets(applications: Applications, choice: Choice, led: Mapping[str, Led]) -> dict[str, Document]:
    listed = [
        key(name, "generate.secrets")
        for one in applications
        for name in one.runs.secrets
        if name not in dict(led[names.service(one)].shared)
    ]
    listed += [SERVERS[kind].password for kind in backing.guarded(applications)]
    made: dict[str, Document] = {name: {"file": f"{SECRETS}/{name}"} for name in listed}
    private = any(one.sources.private for one in applications)
    if private and names.NETRC in made:
        raise UsageError(
            "same-name",
            f"{names.NETRC} is the secret that a build reads private modules with",
            where=f"generate.secrets = {names.NETRC}",
            next="give the application's own secret another name",
        )
    if private and choice.variant != PRODUCTION:
        reason = "credentials for private modules, there while it is built and in no layer"
        made[names.NETRC] = why({"file": "~/.netrc"}, reason)
    return made


def _headed(name: str, lines: tuple[str, ...]) -> Document:
    return noted(name, "\n".join(lines)) if lines else name


def _once(secrets: Mapping[str, Document], led: Mapping[str, Led]) -> tuple[str, ...]:
    """What must be there before the first start, as commands. A secret is the very file, whatever its folder lets in: so the
    folder keeps others of this machine out, and the file lets the container's user read it."""
    names_of_files = [name for name in secrets if name != names.NETRC]
    if not names_of_files:
        return ()
    folder = SECRETS.removeprefix("./")
    lines = ["Once, in this folder:", f"install -d -m 700 {folder} && echo '*' >{folder}/.gitignore"]
    for name in names_of_files:
        random = name in (PASSWORD, REDIS_PASSWORD)
        source = "/dev/stdin" if random else f"path/to/{name}"
        lines.append(f"{'openssl rand -hex 24 | ' if random else ''}install -m 644 {source} {folder}/{name}")
    for name, one in led.items():
        for number, (variable, text) in enumerate(one.private):
            arrow = ">>" if number else ">"
            lines.append(f"printf '{variable}={text}\\n' \\")
            lines.append(f'"$(cat {folder}/{PASSWORD})" {arrow}{folder}/{name}.env')
    return tuple(lines)
