"""What equals a `wherry run` elsewhere: a request and a form in, a text out; nothing is started.

docker, podman, runc: lines for a shell in any folder, which bring image, profile and secrets, then run; quadlet, systemd: a unit;
seccomp: the profile in Docker's form.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from wherry.flows import bundle, rooms
from wherry.flows.container import Made, RunRequest, make, seccomp_of
from wherry.flows.lodged import SCHEMES, name_of_copy
from wherry.flows.session import Session
from wherry.formats.seccomp import encode, to_docker
from wherry.kit.ports import Machine
from wherry.model.container import Bind, Container, Options
from wherry.runtime import arguments, units
from wherry.runtime.arguments import Client
from wherry.runtime.client import processes
from wherry.runtime.spec import SECRETS, by_systemd
from wherry.store import place as places
from wherry.store.engine.names import podman_name

HOMES: Final = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
OWN: Final = "WHERRY_"
PROFILE: Final = "seccomp.json"
UNFORWARDED: Final = "# its ports answer in its own network alone: nobody forwards them here\n"
SHUT: Final = "# its network leads nowhere: nobody leads out of a bundle\n"
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
    asked = replace(request, only_shown=form != "systemd")  # its unit is started on this machine, by wherry
    with Session(machine) as session:
        made = (bundle.own if form == "runc" else make)(asked, machine, session)
    decided(made.container)
    return FORMS[form](replace(made, container=bundle.steady(made.container)), request, machine)


def _docker(made: Made, request: RunRequest, _: Machine) -> str:
    return _command(made, request, "docker")


def _podman(made: Made, request: RunRequest, _: Machine) -> str:
    return _command(made, request, "podman")


def _command(made: Made, request: RunRequest, client: Client) -> str:
    profile = f"{made.container.name}-{PROFILE}"
    base = made.container.id_base if client == "podman" else 0
    copies = f"/run/{made.container.name}-secrets"
    container, secrets = _with_secrets(made.container, copies, base)
    image, brings = _brought(made, request, client)
    steps = (*brings, *_profile(made, request, profile), *secrets)
    notes = (*arguments.unsaid(client, container), *_unreadable(container))
    text = " &&\n".join((*steps, arguments.shown(client, container, image, profile, processes())))
    return _comments(notes) + (_without(copies, text) if secrets else text)


def _without(folder: str, text: str) -> str:
    """A shell's lines, after whose end, however it comes, the folder is gone; their exit status stays."""
    return f"(trap {shlex.quote(shlex.join(('rm', '-rf', folder)))} EXIT INT TERM\n{text})\n"


def _runc(made: Made, request: RunRequest, _: Machine) -> str:
    """Makes a bundle in the folder where it is read, with this config.json, and runs it."""
    name, runtime = shlex.quote(made.container.name), made.runtime
    words = [*runtime.words, *(("--systemd-cgroup",) if by_systemd(made.container.group) else ()), "run"]
    words += ["--no-pivot"] if runtime.no_pivot else []
    return "".join(
        (
            UNFORWARDED if made.container.publish else "",
            SHUT if made.container.network == "out" else "",
            f"{shlex.join(words_of(request, made, '--bundle', made.container.name))} &&\n",
            f"cat >{name}/{bundle.CONFIG} <<'END' &&\n{bundle.configuration(made).decode()}\nEND\n",
            f"{shlex.join(words)} --bundle {name} {name}\n",
        )
    )


def _quadlet(made: Made, request: RunRequest, _: Machine) -> str:
    folder = f"/etc/containers/{made.container.name}"
    container, secrets = _with_secrets(made.container, f"{folder}-secrets", made.container.id_base)
    image, brings = _brought(made, request, "podman")
    steps = (*brings, *_profile(made, request, f"{folder}-{PROFILE}"), *secrets)
    unit = units.quadlet(container, image, f"{folder}-{PROFILE}")
    return _comments((*(("first:", *steps) if steps else ()), *_unreadable(container))) + unit


def _systemd(made: Made, request: RunRequest, machine: Machine) -> str:
    folder = str(rooms.standing(request.build))
    return units.systemd(made.container, words_of(request, made), folder, _variables(made, machine))


def _variables(made: Made, machine: Machine) -> tuple[tuple[str, str], ...]:
    """What a service lacks and wherry was given here: programs beside the usual folders, a home, its own settings."""
    known = dict(machine.variables)
    compiling = ("go", "git") if made.subject.plan is not None else ()
    programs = (made.runtime.program, *filter(None, map(machine.which, compiling)))
    usual = units.PATHS.split(":")
    folders = dict.fromkeys(folder for one in programs if (folder := str(Path(one).parent)) not in usual)
    path = (("PATH", ":".join((*folders, units.PATHS))),) if folders else ()
    return (*path, *sorted((name, value) for name, value in known.items() if name in HOMES or name.startswith(OWN)))


def _seccomp(made: Made, _: RunRequest, __: Machine) -> str:
    profile = seccomp_of(made.container)
    return msgspec.json.format(encode(to_docker(profile)), indent=2).decode() if profile else "{}\n"


def _comments(lines: tuple[str, ...]) -> str:
    return "".join(f"# {one}\n" for line in lines for one in line.splitlines())


def _brought(made: Made, request: RunRequest, client: Client) -> tuple[str, tuple[str, ...]]:
    """What the engine calls the image, and the command that brings it there; none where it lies there."""
    subject, scheme = made.subject, SCHEMES[client]
    steps: tuple[str, ...] = ()
    platform = ("--platform", str(subject.platform)) if len(subject.platforms) > 1 else ()
    if subject.plan is not None or not subject.place:
        name = f"{subject.title}:{subject.plan.version}" if subject.plan else made.image
        words = ("build", "-C", str(rooms.standing(request.build)), *filter(None, (request.subject,)), *platform)
        steps = (_silent(*words, "-o", f"{scheme}:{name}"),)
    else:
        place = places.parse(subject.place)
        if isinstance(place, places.EnginePlace) and place.engine == scheme:
            name = str(place.reference)
        else:
            name = name_of_copy(subject)
            steps = (_silent("copy", str(_absolute(place)), f"{scheme}:{name}", *platform),)
    return podman_name(name) if client == "podman" else name, steps


def _absolute(place: places.Place) -> places.Place:
    """The same from any folder."""
    match place:
        case places.LayoutPlace():
            return replace(place, directory=str(Path(place.directory).absolute()))
        case places.OciArchivePlace() | places.DockerArchivePlace():
            return replace(place, file=str(Path(place.file).absolute()))
        case _:
            return place


def _silent(*words: str) -> str:
    """A command of wherry's; standard output is the program's."""
    return f"{shlex.join((*_program(), *words))} >/dev/null"


def _profile(made: Made, request: RunRequest, file: str) -> tuple[str, ...]:
    """The command that writes the profile; none where there is none."""
    if made.container.seccomp == "unconfined":
        return ()
    said, config = request.options, made.subject.config
    few = Options(  # what decides the profile, and what there is no container without
        user=said.user,
        capabilities=said.capabilities,
        seccomp=said.seccomp,
        relax=said.relax,
        entrypoint=said.entrypoint or (() if config.entrypoint or config.cmd else made.container.arguments[:1]),
    )
    words = words_of(replace(request, options=few), made, "--print", "seccomp")
    return (f"{shlex.join(words)} >{shlex.quote(file)}",)


def _with_secrets(container: Container, folder: str, base: int) -> tuple[Container, tuple[str, ...]]:
    """Secrets as copies in `folder` that the program's user may read, and the commands that make them, as root alone can. `base`:
    where its ids begin."""
    if os.geteuid() != 0:
        return container, ()
    owner = (str(base + container.user.uid), str(base + container.user.gid))
    binds: list[Bind] = []
    steps: list[str] = []
    for bind in container.binds:
        copy = f"{folder}/{bind.path.removeprefix(f'{SECRETS}/')}"
        if not _is_secret(bind):
            binds.append(bind)
            continue
        words = ("install", "-D", "-m", "0400", "-o", owner[0], "-g", owner[1], bind.source, copy)
        steps.append(shlex.join(words))
        binds.append(replace(bind, source=copy))
    return replace(container, binds=tuple(binds)), tuple(steps)


def _unreadable(container: Container) -> tuple[str, ...]:
    if os.geteuid() == 0:
        return ()
    return tuple(f"its user must be able to read {one.source}" for one in container.binds if _is_secret(one))


def _is_secret(bind: Bind) -> bool:
    return bind.path.startswith(f"{SECRETS}/")


def words_of(request: RunRequest, made: Made, *more: str) -> tuple[str, ...]:
    """`wherry run` with all that was said, as it can be typed in any folder."""
    found = [*_program(), "run", "--quiet", *more, "-C", str(rooms.standing(request.build))]
    options = replace(request.options, name=made.container.name)
    for field, flag in FLAGS.items():
        value = getattr(options, field)
        for one in value if isinstance(value, tuple) else (value,):
            if one is True:
                found.append(flag)
            elif one is not None and one is not False and one != "":
                found += [flag, str(one)]
    found += ["--engine", request.engine] if request.engine else []
    found += ["--platform", request.platform] if request.platform else []
    found.append(_subject(request, made))
    return (*found, *(("--", *options.arguments) if options.arguments else ()))


def _subject(request: RunRequest, made: Made) -> str:
    """A file's place is as one sees it from here, a package as one sees it from -C."""
    place = _absolute(places.parse(made.subject.place)) if made.subject.place else None
    if isinstance(place, places.LayoutPlace | places.OciArchivePlace | places.DockerArchivePlace):
        return str(place)
    return request.subject or "."


def _program() -> tuple[str, ...]:
    said = Path(sys.argv[0]).absolute()
    return (sys.executable, "-P", "-m", "wherry") if said.name == "__main__.py" else (str(said),)


FORMS: Final[dict[str, Callable[[Made, RunRequest, Machine], str]]] = {
    "docker": _docker,
    "podman": _podman,
    "runc": _runc,
    "quadlet": _quadlet,
    "systemd": _systemd,
    "seccomp": _seccomp,
}
