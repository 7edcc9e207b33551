"""Makes the next equal build a matter of looking (decision 0004). A finished build in, an entry of the no-op index out."""

from __future__ import annotations

import json
import os
from pathlib import Path

from wherry.cache.folders import locate
from wherry.cache.noop import git as noop_git
from wherry.cache.noop import inputs as noop
from wherry.cache.noop.engines import engine_inputs
from wherry.cache.noop.own import own_inputs
from wherry.cache.noop.record import Draft, draft, finish, redraft
from wherry.cache.noop.sources import source_inputs
from wherry.flows.again import Memory
from wherry.flows.destinations import Destinations
from wherry.flows.folders import data_folder, folders_of
from wherry.flows.plan import COMPILERS, Planned
from wherry.flows.report import BuildReport, ImageReport
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.kit.gitsafe import git_environment
from wherry.kit.goenv import go_environment, merged
from wherry.kit.ports import Machine
from wherry.model.image import Published
from wherry.model.plan import BaseChoice
from wherry.plan.read import NAME
from wherry.store import own
from wherry.store import place as places
from wherry.store.engine import docker_host
from wherry.store.keeper import Ports

ENGINES = ("podman", "ctr")


def drafted(
    request: BuildRequest, planned: Planned, session: Session, chosen: Destinations, memory: Memory
) -> Draft | None:
    """All inputs as they were when the session began; None where nothing is to be remembered. Best while Go compiles."""
    if session.key is None or not request.cache:
        return None
    machine = session.machine
    if memory.holds:
        return redraft(folders_of(machine), session.key, session.began, session.edited or ())
    inputs = noop.joined(inputs_of(request, planned, machine), noop.Inputs(written=_written(chosen, machine)))
    return memory.kept(draft(folders_of(machine), session.key, session.began, inputs))


def inputs_of(request: BuildRequest, planned: Planned, machine: Machine) -> noop.Inputs:
    """Everything besides the request that could change the result. Asks git."""
    project = planned.reading.project
    variables = dict(machine.variables)
    return noop.joined(
        own_inputs(),
        source_inputs(project, planned.reading.packages, planned.plan.toolchain, variables),
        engine_inputs(variables, machine.which("podman")),
        _git(planned, machine),
        _files(planned, machine),
        noop.Inputs(
            programs=tuple((name, machine.which(name)) for name in (*COMPILERS, *ENGINES, "git")),
            variables=request.pass_environment,
            unclear="hooks run before the build" if planned.plan.hooks else "",
        ),
    )


def remember(made: Draft, report: BuildReport, ports: Ports) -> str:
    """Completes the draft with where the images lie; returns empty, or why the next build cannot be answered by looking."""
    found = tuple(_outputs(image, place, ports) for image in report.images for place in image.published)
    if not all(found):
        return "a place cannot be asked cheaply"
    outputs = tuple(output for group in found for output in group)
    socket = docker_host.address(ports).socket if report.placed else ""
    outputs += (noop.QuietSocket(path=socket),) if socket and all(map(_is_own, found)) else ()
    outputs += tuple(filter(None, map(_moving_base, report.images)))
    result = json.dumps([place.reference for image in report.images for place in image.published])
    return finish(locate(dict(ports.environment)), made, outputs, result)


def _is_own(outputs: tuple[noop.Output, ...]) -> bool:
    return any(isinstance(output, noop.LayoutOutput) for output in outputs)


def _written(chosen: Destinations, machine: Machine) -> tuple[str, ...]:
    """Folders in which the build itself writes: no inputs, even where they lie among them."""
    layouts = (_absolute(place.directory) for place in chosen.shared if isinstance(place, places.LayoutPlace))
    return (data_folder(machine), *layouts)


def _git(planned: Planned, machine: Machine) -> noop.Inputs:
    program, worktree = machine.which("git"), planned.layout.git
    if planned.reading.project.remote:
        return noop.Inputs()
    if not worktree or not program:
        return noop_git.no_git_inputs(planned.reading.project.working_directory)
    environment = merged(
        go_environment(machine.environment, (), root=planned.plan.root), git_environment(planned.plan.root)
    )
    return noop_git.git_inputs(worktree, noop_git.Git(program=program, environment=environment), machine.run)


def _files(planned: Planned, machine: Machine) -> noop.Inputs:
    """The user's settings, assets, certificates, and bases that are files."""
    root = Path(planned.plan.root)
    assets = {str(root / asset.source) for image in planned.plan.images for asset in image.assets}
    certificates = {str(root / name) for image in planned.plan.images for name in image.base.certificates}
    bases = tuple(_base(image.base) for image in planned.plan.images)
    return noop.joined(
        noop.Inputs(
            paths=(str(Path(machine.environment.config_home, "wherry", NAME)), *sorted(assets | certificates)),
            trees=tuple(noop.Tree(root=path) for path in sorted(assets) if Path(path).is_dir()),
        ),
        *bases,
    )


def _base(choice: BaseChoice) -> noop.Inputs:
    """A base that is a file counts by its bytes; one in a registry by its digest, or by what its tag means (`_moving_base`)."""
    if choice.name in ("static", "scratch"):
        return noop.Inputs()
    match places.parse(choice.name):
        case places.LayoutPlace(directory=directory):
            return noop.Inputs(paths=(_absolute(f"{directory}/index.json"),))
        case places.OciArchivePlace(file=file) | places.DockerArchivePlace(file=file):
            return noop.Inputs(paths=(_absolute(file),))
        case places.RegistryPlace():
            return noop.Inputs()
        case _:
            return noop.Inputs(unclear=f"the base {choice.name} may move")


def _moving_base(image: ImageReport) -> noop.Output | None:
    """A base given by tag alone must still mean what it meant: one HEAD."""
    choice = image.plan.base
    if choice.digest or not choice.name.startswith("docker://") or image.base is None:
        return None
    place = places.parse(choice.name)
    assert isinstance(place, places.RegistryPlace)
    named = place.reference
    return noop.RegistryOutput(
        host=named.host, repository=named.repository, tag=named.tag, digest=image.base, read=True
    )


def _outputs(image: ImageReport, published: Published, ports: Ports) -> tuple[noop.Output, ...]:
    """How to see that the image still lies there; empty where there is no cheap way."""
    place = places.parse(published.place)
    match place:
        case places.LayoutPlace(directory=directory):
            return tuple(noop.in_layout(_absolute(directory), name, image.built) for name in published.names)
        case places.OwnPlace():
            folder = str(own.folder(ports.data))
            return tuple(noop.in_layout(folder, name, image.built) for name in published.names)
        case places.OciArchivePlace(file=file) | places.DockerArchivePlace(file=file):
            return (noop.FileOutput(path=_absolute(file)),)
        case places.RegistryPlace(reference=reference):
            return (
                noop.RegistryOutput(
                    host=reference.host, repository=reference.repository, tag=reference.tag, digest=published.digest
                ),
            )
        case places.EnginePlace(engine="docker-daemon", reference=reference):
            socket = docker_host.address(ports).socket
            identity = published.renamed or published.digest
            return (noop.DockerOutput(socket=socket, reference=str(reference), id=identity),) if socket else ()
        case places.EnginePlace(engine="containers-storage", reference=reference):
            from wherry.store.engine.podman import list_of_images

            file = list_of_images(str(reference), published.digest, ports)
            return (noop.PodmanOutput(file=file, reference=str(reference), digest=published.digest),) if file else ()
        case _:
            return ()


def _absolute(path: str) -> str:
    """As the shell means it: links and all."""
    return os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
