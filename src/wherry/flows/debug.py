"""`wherry debug`: tools from elsewhere in the namespaces of a running container, which needs no shell of its own.

A second container with a root of its own joins the first one's processes, network, ids and names, as its user, without more
rights and with limits of its own. The first one's files are at /proc/1/root.
"""

from __future__ import annotations

import contextlib
import hashlib
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from wherry.errors import BuildError, UnavailableError
from wherry.flows import attend, rooms
from wherry.flows.container import Made, RunRequest, make, placed
from wherry.flows.engines import own_runtime
from wherry.flows.followed import Followed
from wherry.flows.runbook import Kept
from wherry.flows.session import Session
from wherry.flows.subject import Subject
from wherry.flows.terminal import fed, in_terminal
from wherry.formats import elf
from wherry.kit.files import aside, disk_errors
from wherry.kit.ports import Child, Command, Machine
from wherry.kit.value import Value
from wherry.model.container import Container, Limits, Options, Tmpfs
from wherry.oci.config import RunConfig
from wherry.runtime import engines, folders, oci, roots
from wherry.runtime.roots import Root

TOOLS: Final = "busybox"
SHELL: Final = ("/bin/sh",)
PATHS: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LIMITS: Final = Limits(memory=256 << 20, cpus=1.0, pids=128, files=1024)


class Wanted(Value, frozen=True, kw_only=True):
    """What to look with."""

    image: str = ""
    """Empty: this machine's static busybox."""
    words: tuple[str, ...] = ()
    terminal: bool = False


def debug(kept: Kept, wanted: Wanted, machine: Machine, write: attend.Write) -> int:
    """The exit code of the tool. UnavailableError [no-tools] where this machine has none; what `make` raises; BuildError
    [no-entrypoint] with ways on."""
    with _advised(kept.record.container.name, wanted), Session(machine) as session:
        made = _joined(kept, _made(kept, wanted, machine, session), wanted)
        with placed(made, machine) as ready:
            runtime = made.runtime
            if wanted.terminal:
                return _in_terminal(ready.place, runtime)
            with attend.pipes(write) as streams:
                streams.stdin = fed()
                child = engines.start(runtime, ready.place, streams)
                streams.close()
                followed = Followed(child, ready.place, machine.kill)
                one = attend.Attended(container=made.container, place=ready.place, runtime=runtime, child=followed)
                return attend.until_end(one, machine).code or 0


@contextlib.contextmanager
def _advised(name: str, wanted: Wanted) -> Iterator[None]:
    """Around all that may find no such tool: what to do then is said in words of `wherry debug`."""
    again = f"wherry debug {shlex.quote(name)}"
    try:
        yield
    except BuildError as error:
        if error.name != "no-entrypoint":
            raise
        if wanted.image:
            shown = f"wherry inspect {shlex.quote(wanted.image)}   shows what is in it"
            raise error.with_next(shown, f"{again}   has this machine's {TOOLS}") from None
        raise BuildError(
            error.name,
            f"this machine's {TOOLS} has no {wanted.words[0]}",
            next=(f"{again} {TOOLS}   lists what it has", "--image IMAGE   one with that tool"),
        ) from error


def host_tools(run: Path, machine: Machine) -> Root:
    """A root with this machine's static busybox under all its names."""
    program = machine.which(TOOLS)
    if not program or elf.parse(Path(program).read_bytes(), name=program).interpreter:
        raise UnavailableError(
            "no-tools",
            "there are no tools to look with",
            why=f"{program} is linked dynamically" if program else "this machine has no busybox",
            next=("install busybox-static", "--image IMAGE   one with a shell, for instance of busybox or alpine"),
        )
    status = Path(program).stat()
    key = hashlib.sha256(f"{program} {status.st_size} {status.st_mtime_ns}".encode()).hexdigest()[:32]
    folder = run / "roots" / key
    if not folder.exists():
        with disk_errors(folder), aside(folder) as made:
            _fill(made / "root", program, machine)
            (made / roots.FACTS).write_bytes(b"{}")
            made.chmod(folders.OPEN)
            with folders.gate(run):
                if not folder.exists():
                    made.rename(folder)
    return Root(path=str(folder / "root"))


def _fill(root: Path, program: str, machine: Machine) -> None:
    (root / "bin").mkdir(parents=True)
    root.chmod(0o755)
    (root / "bin").chmod(0o755)
    tools = root / "bin" / TOOLS
    shutil.copyfile(program, tools)
    tools.chmod(0o555)
    said = machine.run(Command(argv=(program, "--list"), directory="/", timeout=10.0))
    for name in said.stdout.decode("ascii", "replace").split():
        if name.replace("-", "").replace("_", "").replace("[", "").isalnum() or name in ("[", "[["):
            with contextlib.suppress(FileExistsError):
                (root / "bin" / name).symlink_to(TOOLS)
    roots.ready(root)


def _made(kept: Kept, wanted: Wanted, machine: Machine, session: Session) -> Made:
    if wanted.image:
        request = RunRequest(
            subject=wanted.image, engine=_engine(kept), options=Options(user="65532", entrypoint=wanted.words or SHELL)
        )
        return make(request, machine, session)
    run = folders.prepare(Path(kept.place.path).parents[1])
    subject = Subject(
        title="debug", image=TOOLS, platform=rooms.host(), config=RunConfig(env=(f"PATH={PATHS}",)), layers=()
    )
    container = Container(
        name="debug",
        image=TOOLS,
        platform=rooms.host(),
        arguments=wanted.words or SHELL,
        environment=(("PATH", PATHS), ("HOME", "/tmp")),  # noqa: S108 - the container's
        user=kept.record.container.user,
        tmpfs=(Tmpfs(path="/tmp"),),  # noqa: S108
    )
    runtime = own_runtime(machine, _engine(kept))
    return Made(subject=subject, root=host_tools(run, machine), container=container, runtime=runtime, run=str(run))


def _joined(kept: Kept, made: Made, wanted: Wanted) -> Made:
    """The container of tools as what it is here: beside the other, with its user, ids and rights."""
    other = kept.record.container
    run = Path(made.run)
    container = replace(
        made.container,
        name=folders.fresh_name(run, f"{other.name}-debug"),
        joins=kept.pid,
        terminal=wanted.terminal,
        arguments=wanted.words or made.container.arguments,
        user=other.user,
        id_base=other.id_base,
        uids=other.uids,
        gids=other.gids,
        group=other.group,
        capabilities=other.capabilities,
        seccomp=other.seccomp if other.seccomp in ("default", "unconfined") else "default",
        limits=LIMITS,
        publish=(),
        health=None,
        hostname="",
    )
    return replace(made, container=container)


def _engine(kept: Kept) -> str:
    return kept.record.engine if kept.record.engine in oci.NAMES else ""


def _in_terminal(place: folders.Place, runtime: oci.Runtime) -> int:
    """The runtime makes a terminal of the container's own, and copies between it and the one that it is given."""

    def start(_: Command, /, stdin: int = -1, stdout: int = -1, stderr: int = -1) -> Child:
        return engines.start(runtime, place, oci.Streams(stdin=stdin, stdout=stdout, stderr=stderr))

    return in_terminal(Command(argv=(runtime.program,)), start)
