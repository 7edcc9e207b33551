"""What equals a `wherry run` elsewhere: a request and a form in, a text out; nothing is started.

docker, podman: the command; runc: config.json of a bundle whose root is `rootfs`; quadlet, systemd: a unit; seccomp: the profile
in Docker's form, which the others name.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from wherry.flows.container import ID_BASE, ID_RANGES, Made, RunRequest, make, seccomp_of
from wherry.flows.lodged import SCHEMES
from wherry.flows.session import Session
from wherry.formats.seccomp import encode, to_docker
from wherry.kit.ports import Machine
from wherry.model.container import Container
from wherry.runtime import arguments, units
from wherry.runtime.spec import IDS, Surroundings, spec

OLD: Final = "old-runtime"
"""Nothing is started, so it concerns nobody."""
PROFILE: Final = "seccomp.json"
ETC: Final = "/etc"
#: Fields of Options and their flags; those with a tuple are said once for each.
FLAGS: Final = {
    "name": "--name",
    "environment": "-e",
    "environment_files": "--env-file",
    "publish": "-p",
    "volumes": "-v",
    "secrets": "--secret",
    "tmpfs": "--tmpfs",
    "network": "--network",
    "memory": "--memory",
    "cpus": "--cpus",
    "pids": "--pids",
    "files": "--files",
    "user": "--user",
    "capabilities": "--cap-add",
    "seccomp": "--seccomp",
    "relax": "--relax",
    "init": "--init",
    "entrypoint": "--entrypoint",
    "directory": "--workdir",
    "hostname": "--hostname",
    "stop_signal": "--stop-signal",
    "grace": "--grace",
}


def printed(request: RunRequest, form: str, machine: Machine, decided: Callable[[Container], None]) -> str:
    """The text of `form`, one of FORMS. The errors of `make`."""
    with Session(machine) as session:
        made = make(request, machine, session)
    decided(replace(made.container, findings=tuple(one for one in made.container.findings if one.name != OLD)))
    return FORMS[form](replace(made, container=_steady(made.container)), request)


def _steady(container: Container) -> Container:
    """With ids that follow from its name, so that the same words print the same text."""
    if not container.id_base:
        return container
    number = int.from_bytes(hashlib.sha256(container.name.encode()).digest()[:2], "big")
    return replace(container, id_base=ID_BASE + number % ID_RANGES * IDS)


def prepared(made: Made, request: RunRequest, client: str, profile: str) -> str:
    """Comments with the commands that bring what the text below names: the profile's file, and the image into the engine."""
    program, verb, _, *rest = words(request, made.container.name)
    found = [f"{shlex.join((program, verb, '--print', 'seccomp', *rest))} >{shlex.quote(profile)}"]
    if made.container.seccomp == "unconfined":
        found = []
    place = f"{SCHEMES[client]}:{image_name(made)}"
    folder = str(Path(request.build.directory).absolute())
    if made.subject.plan is not None or not made.subject.place:
        package = [request.subject] if request.subject else []
        found.append(shlex.join((program, "build", "-C", folder, *package, "-o", place)))
    elif not made.subject.place.startswith(SCHEMES[client]):
        found.append(shlex.join((program, "copy", made.subject.place, place)))
    return "".join(f"# {one}\n" for one in ("first:" if found else "", *found) if one)


def _profile_of(made: Made, request: RunRequest) -> str:
    return str(Path(request.build.directory).absolute() / f"{made.container.name}-{PROFILE}")


def image_name(made: Made) -> str:
    """What an engine would call it: an image's own name, or what `wherry build` gives a package."""
    if made.subject.plan is not None:
        return f"{made.subject.title}:{made.subject.plan.version}"
    return made.subject.image.partition("@")[0]


def words(request: RunRequest, name: str) -> tuple[str, ...]:
    """`wherry run` with all that was said, as somebody could type it."""
    found = [str(Path(sys.argv[0]).absolute()), "run", "--quiet"]
    options = replace(request.options, name=request.options.name or name)
    for field, flag in FLAGS.items():
        value = getattr(options, field)
        for one in value if isinstance(value, tuple) else (value,):
            if one is True:
                found.append(flag)
            elif one not in (None, "", False):
                found += [flag, str(one)]
    found += ["--engine", request.engine] if request.engine else []
    found += ["--platform", request.platform] if request.platform else []
    if not request.subject or request.subject.startswith("."):
        found += ["-C", str(Path(request.build.directory).absolute())]
    return (*found, request.subject or ".", *(("--", *options.arguments) if options.arguments else ()))


def _docker(made: Made, request: RunRequest) -> str:
    profile = _profile_of(made, request)
    return prepared(made, request, "docker", profile) + arguments.shown(
        "docker", made.container, image_name(made), profile
    )


def _podman(made: Made, request: RunRequest) -> str:
    profile = _profile_of(made, request)
    return prepared(made, request, "podman", profile) + arguments.shown(
        "podman", made.container, image_name(made), profile
    )


def _runc(made: Made, _: RunRequest) -> str:
    around = Surroundings(id=made.container.name, root="rootfs", files=ETC, seccomp=seccomp_of(made.container))
    return _json(msgspec.json.encode(spec(made.container, around)))


def _quadlet(made: Made, request: RunRequest) -> str:
    profile = f"/etc/containers/{made.container.name}-{PROFILE}"
    text = units.quadlet(made.container, image_name(made), profile)
    return prepared(made, request, "podman", profile) + text


def _systemd(made: Made, request: RunRequest) -> str:
    return units.systemd(made.container, words(request, made.container.name), str(Path.cwd()))


def _seccomp(made: Made, _: RunRequest) -> str:
    profile = seccomp_of(made.container)
    return _json(encode(to_docker(profile))) if profile else "{}\n"


def _json(document: bytes) -> str:
    return msgspec.json.format(document, indent=2).decode()


FORMS: Final[dict[str, Callable[[Made, RunRequest], str]]] = {
    "docker": _docker,
    "podman": _podman,
    "runc": _runc,
    "quadlet": _quadlet,
    "systemd": _systemd,
    "seccomp": _seccomp,
}
