"""From a word to a container that can be started: subject, root, decisions, folder. What run, prove and profile share."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from wherry.errors import UnavailableError, UsageError
from wherry.flows import rooms
from wherry.flows.engines import engine_for, run_folder
from wherry.flows.named_files import refuse_missing
from wherry.flows.request import BuildRequest
from wherry.flows.session import Session
from wherry.flows.settings import said_of, with_settings
from wherry.flows.subject import (
    Subject,
    copy_program,
    first_that_fits,
    image_at,
    is_package,
    known_subject,
    meant,
    place_of,
)
from wherry.formats.seccomp import Seccomp, Target
from wherry.kit.files import disk_errors
from wherry.kit.ports import Command, Machine
from wherry.kit.value import Value
from wherry.model.container import Bind, Container, Options
from wherry.model.finding import Finding
from wherry.plan.container import Facts, decide
from wherry.plan.container.mounts import refuse_system
from wherry.plan.container.settings import Merged, told
from wherry.plan.tiers import Effective
from wherry.runtime import engines, folders, oci, orphans, roots, users
from wherry.runtime.arguments import CLIENTS
from wherry.runtime.find import OLD, check
from wherry.runtime.folders import End, Place, Record
from wherry.runtime.outward import FOR_ROOT
from wherry.runtime.program import refuse_unstartable, whole_path
from wherry.runtime.roots import Root
from wherry.runtime.seccomp import chosen_seccomp
from wherry.runtime.spec import IDS, INIT, SECRETS, destinations

ID_BASE = 0x3000_0000
"""Where the ids of containers' user namespaces begin: far above what a machine gives to people and services."""
ID_RANGES = 1 << 12


class RunRequest(Value, frozen=True, kw_only=True):
    """One `wherry run`, as words and flags say it."""

    subject: str = ""
    build: BuildRequest = BuildRequest()
    options: Options = Options()
    engine: str = ""
    platform: str = ""
    only_shown: bool = False
    """Nothing is started here, so this machine's runtime concerns nobody."""


class Made(Value, frozen=True, kw_only=True):
    """All that was decided, and nothing started."""

    subject: Subject
    root: Root
    container: Container
    runtime: oci.Runtime
    run: str
    """The run folder."""
    image: str = ""
    """The image's name in Docker or podman; empty for the other engines."""
    settings: Effective = Effective()
    """What wherry.toml, variables and flags say of it."""


class Ready(Value, frozen=True, kw_only=True):
    """A container whose folder and bundle are there."""

    record: Record
    place: Place
    runtime: oci.Runtime

    @property
    def container(self) -> Container:
        return self.record.container


def make(request: RunRequest, machine: Machine, session: Session) -> Made:
    """Builds if need be, unpacks, decides. The errors of `build` and of `plan.container.decide`; UnavailableError
    [no-runtime], [old-runtime], [no-way-out]; of `refuse_missing`."""
    refuse_missing(request.options, rooms.standing(request.build))
    run = folders.prepare(run_folder(machine))
    runtime = engine_for(machine, request.engine)
    warnings = _warnings(request, runtime)
    if runtime.name in CLIENTS:
        return _made_in(request, runtime, machine, session)
    subject = subject_of(request, machine, session)
    request, merged, settings = _under_settings(request, subject, machine)
    root = roots.unpacked(run, subject.layers)
    facts = facts_of(request, subject, root, run, machine)
    if os.geteuid() != 0:
        from wherry.runtime.rootless import rootless

        facts = replace(facts, rootless=rootless(runtime.name, machine.which))
    container = told(decide(request.options, facts), merged, settings)
    container = replace(container, findings=(*warnings, *container.findings))
    _refuse_shut(container, runtime, request)
    return Made(subject=subject, root=root, container=container, runtime=runtime, run=str(run), settings=settings)


def _refuse_shut(container: Container, runtime: oci.Runtime, request: RunRequest) -> None:
    if container.network == "out" and not runtime.outward and not request.only_shown:
        barred = runtime.name in FOR_ROOT and os.geteuid() != 0
        raise UnavailableError(
            "no-way-out",
            "nothing here leads out of a container's own network",
            where="--network out",
            why=(
                f"under {runtime.name} it takes root: nobody else may enter the network before the program begins"
                if barred
                else "slirp4netns is not on this machine"
            ),
            next=(
                "--engine runc, or as root" if barred else "install slirp4netns",
                "--network own   leads nowhere",
                "--network host   is this machine's",
            ),
        )


def _made_in(request: RunRequest, runtime: oci.Runtime, machine: Machine, session: Session) -> Made:
    """The same for Docker and podman, which have images of their own."""
    from wherry.flows import lodged

    run = run_folder(machine)
    inside = (runtime, machine, session)
    lodging = lodged.lodged(request.subject, request.build, request.platform, inside)
    request, merged, settings = _under_settings(request, lodging.subject, machine)
    root = roots.unpacked(run, lodging.subject.layers)
    facts = lodged.fitting(facts_of(request, lodging.subject, root, run, machine), runtime)
    container = told(decide(request.options, facts), merged, settings)
    findings = (*_warnings(request, runtime), *lodged.differences(runtime, container), *container.findings)
    container = replace(container, findings=findings)
    made = Made(subject=lodging.subject, root=root, container=container, runtime=runtime, run=str(run))
    return replace(made, image=lodging.image, settings=settings)


def _warnings(request: RunRequest, runtime: oci.Runtime) -> tuple[Finding, ...]:
    return () if request.only_shown else check(runtime, relaxed=OLD in request.options.relax)


def _under_settings(request: RunRequest, subject: Subject, machine: Machine) -> tuple[RunRequest, Merged, Effective]:
    """The request with what wherry.toml says where the command line says nothing."""
    said = said_of(request.build, subject, machine)
    made = with_settings(request.options, said)
    return replace(request, options=made.options), made, said.settings


def subject_of(request: RunRequest, machine: Machine, session: Session) -> Subject:
    """What is to be run: an image where the word names one, else a package of the repository."""
    ports = rooms.ports_with(machine, session.scratch)
    place = None if is_package(request.subject) else place_of(request.subject, ports)
    if place is not None:
        kept = rooms.blobs(machine, session.scratch, request.build)
        return first_that_fits(lambda one: image_at(place, ports, kept, one), request.platform)
    known = session.known and known_subject(session.known)
    if known:
        return known
    from wherry.flows.package import package_for

    build = replace(request.build, packages=(request.subject,) if request.subject else ())
    with meant(request.subject):
        return package_for(build, machine, session, request.platform)


def facts_of(request: RunRequest, subject: Subject, root: Root, run: Path, machine: Machine) -> Facts:
    """All that decisions about the container are made from."""
    options = request.options
    base, why = _ids(run, machine)
    user = users.resolve(Path(root.path), options.user or subject.config.user)
    return Facts(
        image=subject.image,
        title=options.name or folders.fresh_name(run, subject.title),
        platform=subject.platform,
        config=subject.config,
        user=user,
        home=users.home(Path(root.path), user.uid),
        owned=root.owned,
        closed=root.closed_to_others(user),
        health=subject.health,
        processors=len(os.sched_getaffinity(0)),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        id_base=base,
        no_user_namespace=why,
        variables=machine.variables,
        files=tuple((name, _text(name, rooms.standing(request.build))) for name in options.environment_files),
        folder=str(rooms.standing(request.build)),
    )


@contextlib.contextmanager
def placed(made: Made, machine: Machine, *, foreground: bool = True, remove: bool = True) -> Iterator[Ready]:
    """The container's folder with its bundle, its lock held; taken away afterwards with what is left of the container, unless
    `remove` is False and nothing went wrong. UsageError [name-taken], [bad-volume], [bad-seccomp]."""
    run, container = Path(made.run), made.container
    record = Record(
        id=os.urandom(6).hex(),
        container=container,
        engine=made.runtime.name,
        program=made.runtime.program,
        foreground=foreground,
        remove=remove,
        created=machine.now(),
    )
    seccomp = seccomp_of(container, run)
    with folders.new(run, record) as place:
        ready = Ready(record=record, place=place, runtime=made.runtime)
        try:
            inside = with_secrets(with_programs(container, made.subject, place), place)
            root = made.image or _root(made, inside, place).path
            refuse_unstartable(inside, Path(made.root.path))
            inside = with_init(inside, made, place)
            engines.prepare(made.runtime, inside, place, root, seccomp)
            yield ready
        except BaseException:
            orphans.clear(place, machine.kill)  # an engine that starts it still: its monitor was killed, or we are
            clean(ready)
            raise
        if remove:
            clean(ready)


def clean(ready: Ready) -> None:
    """Takes the container and its folder away; where its engine cannot now, the folder stays for the next look."""
    if engines.delete(ready.runtime, ready.place):
        ready.place.remove()
    else:
        ready.place.ended(ready.place.end() or End(why="lost"))


def seccomp_of(container: Container, kept: Path | None = None) -> Seccomp | None:
    """The profile that the container's word means. CorruptError [bad-seccomp] and UsageError [no-seccomp] for a file."""
    target = Target(architecture=container.platform.architecture, capabilities=container.capabilities)
    return chosen_seccomp(container.seccomp, target, kept)


def with_programs(container: Container, subject: Subject, place: Place) -> Container:
    """The container with a package's programs mounted at their paths, from the run folder so that nothing changes them."""
    binds = []
    ours = place.path.parents[1] / "programs"
    for program in subject.programs:
        file = Path(program.file)
        if not file.is_relative_to(ours):
            file = place.files / file.name
            with disk_errors(file):
                _linked(program.file, file)
        binds.append(Bind(source=str(file), path=program.path, executable=True))
    return replace(container, binds=(*container.binds, *binds))


def with_init(container: Container, made: Made, place: Place) -> Container:
    """The container with wherry's init as first process, where that is wanted; Docker and podman have one of their own."""
    if not container.init or made.runtime.name in CLIENTS:
        return container
    from wherry.probe.elf import ARCHITECTURES, init_elf

    architecture = rooms.host().architecture
    if architecture not in ARCHITECTURES:
        raise UsageError(
            "container-option", f"there is no init for {architecture}", where="--init", next="leave it out"
        )
    file = place.files / "init"
    with disk_errors(file):
        file.write_bytes(init_elf(architecture))
        file.chmod(0o555)
    return under_init(container, made, str(file))


def under_init(container: Container, made: Made, file: str) -> Container:
    """The container whose first process is the init that lies in `file`."""
    bind = Bind(source=file, path=INIT, executable=True)
    words = (INIT, whole_path(container, Path(made.root.path)), *container.arguments[1:])
    return replace(container, arguments=words, binds=(*container.binds, bind))


def _linked(source: str, target: Path) -> None:
    """A hard link, or a copy on another file system."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
            raise
        copy_program(source, target)


def with_secrets(container: Container, place: Place) -> Container:
    """Secrets as copies that only the program's user may read."""
    binds = []
    for number, bind in enumerate(container.binds):
        _refuse_missing(bind)
        if not bind.path.startswith(f"{SECRETS}/"):
            if not bind.executable:  # a link may lead where its name does not
                refuse_system(str(Path(bind.source).resolve()), f"-v {bind.source}", writable=bind.writable)
            binds.append(bind)
            continue
        copy = place.files / secret_file(number)
        with disk_errors(copy):
            copy.touch(mode=0o600)
            copy.write_bytes(Path(bind.source).read_bytes())
            copy.chmod(0o400)
            if os.geteuid() == 0:
                os.chown(copy, container.id_base + container.user.uid, container.id_base + container.user.gid)
        binds.append(replace(bind, source=str(copy)))
    return replace(container, binds=tuple(binds))


def secret_file(number: int) -> str:
    """What the copy of the secret that is the bind of that number is called."""
    return f"secret-{number}"


def _refuse_missing(bind: Bind) -> None:
    if not Path(bind.source).exists():
        raise UsageError(
            "bad-volume",
            f"{bind.source} is not there",
            where=f"{bind.source}:{bind.path}",
            next="make it first, or name another",
        )
    if bind.path.startswith(f"{SECRETS}/") and not Path(bind.source).is_file():
        raise UsageError("bad-volume", f"{bind.source} is no file", where=bind.path, next="--secret NAME=FILE")


def _root(made: Made, container: Container, place: Place) -> Root:
    """The shared root, with all that is mounted upon; a copy of its own where it may be written to, or where only its owners, who
    are others in a user namespace, may use some of it."""
    files = frozenset(bind.path for bind in container.binds if not Path(bind.source).is_dir())
    points = destinations(container)
    if not container.read_only or (container.id_base and made.root.closed_to_others(container.user)):
        root = roots.private(made.root, place.path / "root", container.id_base)
        for point in points:
            roots.make_point(Path(root.path), point, file=point in files)
        return root
    return roots.with_points(Path(made.run), made.root, points, files=files)


def _ids(run: Path, machine: Machine) -> tuple[int, str]:
    """The first id of a range for one user namespace, or 0 and why there can be none."""
    if os.geteuid() != 0:
        return 0, "only root may map ids that are not its own"
    if not Path("/proc/self/ns/user").exists():
        return 0, "this kernel has no user namespaces"
    if _text("/proc/sys/user/max_user_namespaces", Path("/")).strip() == "0":
        return 0, "user namespaces are switched off (user.max_user_namespaces)"
    if _is_elsewhere() and not _makes_one(machine):
        return 0, "the kernel makes none here, as in a chroot"
    closed = next((folder for folder in (run, *run.parents) if not folder.stat().st_mode & 0o001), None)
    if closed:
        return 0, f"others may not enter {closed}, and in a user namespace root is another"
    return ID_BASE + int.from_bytes(os.urandom(2), "big") % ID_RANGES * IDS, ""


def _is_elsewhere() -> bool:
    """Whether / of this process may be a chroot's, where user namespaces are refused (user_namespaces(7), EPERM): no mount, or a
    mount of only a part of some file system."""
    rows = map(str.split, _text("/proc/self/mountinfo", Path("/")).splitlines())
    return not any(row[3:5] == ["/", "/"] for row in rows)


def _makes_one(machine: Machine) -> bool:
    """Tries it."""
    program = machine.which("unshare")
    return bool(program) and machine.run(Command(argv=(program, "--user", "true"), timeout=10.0)).code == 0


def _text(name: str, folder: Path) -> str:
    path = folder / name
    with disk_errors(path):
        return path.read_text("utf-8", "replace")
