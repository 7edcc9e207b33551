"""`wherry generate`: a request in, files out, all from one plan. Reads the repository, writes files, asks registries for digests.

Without a choice, every file that wherry made is made anew: each says in its first line how.
"""

from __future__ import annotations

import functools
import itertools
import re
import shlex
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, Literal

from msgspec.structs import replace

from wherry.analyze.holdings import holdings, names
from wherry.analyze.layout import Layout, locate
from wherry.assemble.certificates import extra_certificates
from wherry.errors import RefusedError, Several, UnavailableError, UnknownError, UsageError, WherryError
from wherry.flows import context, rooms, written
from wherry.flows.edited import edited, refuse_edited, remember
from wherry.flows.ignored import taken, unseen
from wherry.flows.lock import pinned
from wherry.flows.onward import Step, onward
from wherry.flows.other_base import other_base
from wherry.flows.other_dockerfile import other_dockerfile
from wherry.flows.plan import Planned, plan_with, toolchain_of
from wherry.flows.request import BuildRequest
from wherry.flows.wishes import Seen, Wish, again, asked, covers, made_twice
from wherry.generate.header import Command, words, writer
from wherry.kit.ports import Machine
from wherry.kit.value import Value
from wherry.model.application import Application, Pin
from wherry.model.file import Choice, File
from wherry.model.finding import Finding
from wherry.model.plan import Decision
from wherry.plan import lockfile
from wherry.plan.application import Known, decide
from wherry.plan.application.decide import NO_RELEASE

_RELEASE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
Mode = Literal["write", "check", "diff"]


class GenerateRequest(Value, frozen=True, kw_only=True):
    """One `wherry generate`."""

    build: BuildRequest = BuildRequest()
    choice: Choice | None = None
    """None: everything that was generated before."""
    mode: Mode = "write"
    overwrite: bool = False
    """Also files that somebody else wrote."""
    pin: bool = True
    """Ask registries for digests that wherry.lock does not name."""


class Generated(Value, frozen=True, kw_only=True):
    """What was, or would be, done."""

    root: str
    changes: tuple[written.Change, ...] = ()
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()
    errors: tuple[WherryError, ...] = ()
    """Why parts of files cannot stay where they are: nothing is written then."""
    onward: tuple[Step, ...] = ()
    """Commands to go on with."""
    unpinned: tuple[tuple[str, str], ...] = ()
    """Of one wish: images without a digest, and why; of all together they are findings."""
    edited: tuple[str, ...] = ()
    """Of a check: files that were edited by hand and stay so, unless their reader says otherwise."""

    @property
    def stale(self) -> tuple[written.Change, ...]:
        """Files that are not as they would be made now."""
        return tuple(one for one in self.changes if one.state != "same")


def generate(request: GenerateRequest, machine: Machine) -> Generated:
    """Makes the files, and writes them unless `mode` says otherwise: all or none. UsageError [nothing-generated], RefusedError
    [file-exists], [edited-file]; those of `plan`, of the writers and of `written`."""
    layout = locate(str(rooms.standing(request.build)))
    root = Path(layout.root)
    known = known_in(layout, machine)

    @functools.cache
    def look(build: BuildRequest) -> Seen:
        return seen_of(build, machine)

    wanted = request.choice
    wishes = asked(wanted, request.build, look(request.build), known) if wanted else again(request.build, root, known)
    orphans = Generated(root=str(root), changes=written.gone(wishes.orphans))

    def whole(*, pin: bool) -> Generated:
        files = (made(wish, replace(request, pin=pin), look, machine) for wish in wishes.all)
        return together(str(root), (*files, orphans))

    found = whole(pin=False)
    if request.mode == "check":
        return replace(found, edited=edited(found.changes, layout, machine))
    if request.mode == "diff":
        return found
    refuse(found, _said(request), overwrite=request.overwrite)
    if not request.overwrite:
        refuse_edited(found.changes, layout, machine, _said(request))
    if request.pin:
        found = whole(pin=True)
    written.write(root, found.changes)
    remember(found.changes, machine)
    return committable(found, layout, machine)


def committable(done: Generated, layout: Layout, machine: Machine) -> Generated:
    """The same where git takes what was written; else it is said, and what goes on from it does so by force."""
    findings = tuple(unseen(done.changes, layout, machine))
    if not findings:
        return done
    steps = tuple(replace(one, command=taken(one.command)) for one in done.onward)
    return replace(done, findings=(*done.findings, *findings), onward=steps)


def known_in(layout: Layout, machine: Machine) -> dict[Command, tuple[str, ...]]:
    """The commands that files of the repository name. UsageError [bad-header]."""
    listed = names(layout, machine.which("git"), machine.environment, machine.run)
    return written.commands_in(Path(layout.root), listed)


def made(wish: Wish, request: GenerateRequest, look: Callable[[BuildRequest], Seen], machine: Machine) -> Generated:
    """The files of one wish beside those that are there; digests are asked for and locked where `request` lets it."""
    seen, row = look(wish.build), writer(wish.choice.what)
    moved = tuple(name for home, files in wish.before for name in files if home != seen.applications[0].home)
    if wish.again and moved:  # their module is there no more: from its folder Go finds another one
        return Generated(root=seen.root, changes=written.gone(moved))
    choice = _released(wish.choice, seen)
    digest, root = _digest(choice, seen), seen.root
    applications = tuple(
        replace(one, digest=digest, version=choice.release or one.version) for one in seen.applications
    )
    files = row.write(applications, choice)
    pinned_too, unpinned = _pinned(request, applications, files, machine)
    if pinned_too != applications:
        applications, files = pinned_too, row.write(pinned_too, choice)
    command = Command(choice=choice, home=applications[0].home)
    changes, errors = written.compared(Path(root), files, command, covers(wish, seen, look))
    before = tuple(name for home, listed in wish.before if home == command.home for name in listed)
    gone = written.gone(name for name in before if name not in {one.path for one in changes})
    fits = choice.what != "dockerfile" or (request.overwrite and not wish.again)
    hidden = () if fits else context.hidden(Path(root), applications, choice.variant, brought=not wish.again)
    theirs = tuple(one for one in changes if one.state == "foreign" and wish.brought and not request.overwrite)
    changes = tuple(one for one in changes if one not in theirs)
    told = tuple(one for application in applications for one in application.findings)
    paths = tuple(one.path for one in changes)
    return Generated(
        root=root,
        changes=(*changes, *gone),
        decisions=tuple(one for application in applications for one in application.decisions),
        findings=(
            *(*told, *_no_release(choice, applications), *other_base(choice, applications)),
            *(*(_stays(one, choice) for one in theirs), *hidden, *made_twice(wish, paths, seen, look)),
            *other_dockerfile(seen, choice, files),
        ),
        errors=errors,
        onward=onward(wish, seen, choice),
        unpinned=unpinned,
    )


def _stays(change: written.Change, choice: Choice) -> Finding:
    return Finding(
        name="file-exists",
        message=f"{change.path} is {_whose((change,))}, and stays as it is",
        severity="note",
        next=f"{words(Command(choice=choice))} --diff",
    )


def _whose(foreign: tuple[written.Change, ...]) -> str:
    by = sorted({one.by for one in foreign})
    return "not wherry's" if "" in by else f"of other programs: by {' and '.join(f'`{one}`' for one in by)}"


def _released(choice: Choice, seen: Seen) -> Choice:
    """The choice with the release that its files name, where they name one: said, or that of the nearest tag, 0.0.0 before the
    first. So the first line keeps it, and a new tag makes nothing stale. UsageError [bad-release]."""
    if choice.release and not _RELEASE.fullmatch(choice.release):
        raise UsageError(
            "bad-release", "that is no version", where=f"--release {choice.release[:80]}", next="like --release 1.4.0"
        )
    versions = {one.version for one in seen.applications}
    if choice.release or not writer(choice.what).release or len(versions) > 1:
        return choice
    return replace(choice, release=versions.pop())


def _no_release(choice: Choice, applications: tuple[Application, ...]) -> Iterator[Finding]:
    """A warning where files name an image that nobody pushes."""
    none = tuple(one.name for one in applications if one.version == NO_RELEASE)
    if none and writer(choice.what).release and not choice.digest:
        yield Finding(
            name="no-release",
            message=f"files name {none[0]}:{NO_RELEASE}: no tag said a version when they were asked for",
            next=f"git tag v0.1.0 and wherry generate {choice.what}, or add --release 0.1.0 to that",
        )


def _digest(choice: Choice, seen: Seen) -> str:
    """The digest that was given. UsageError [bad-digest] for what is none, and where there are several images."""
    if choice.digest and (not _DIGEST.fullmatch(choice.digest) or len(seen.applications) > 1):
        several = len(seen.applications) > 1
        raise UsageError(
            "bad-digest",
            f"one digest cannot be that of {len(seen.applications)} images" if several else "that is no digest",
            where=f"--digest {choice.digest[:80]}",
            next="name one program" if several else "sha256: and 64 digits, as wherry push prints it",
        )
    return choice.digest


def seen_of(build: BuildRequest, machine: Machine) -> Seen:
    """What is described. The errors of `plan`."""
    planned = planned_of(build, machine)
    applications, root = applications_of(planned, machine)
    return Seen(applications=applications, root=root, named=named(planned))


def named(planned: Planned) -> bool:
    """Whether settings say what a bare build builds."""
    return any(tier.settings.packages for tier in planned.tiers)


def planned_of(build: BuildRequest, machine: Machine) -> Planned:
    """The plan of what is described. UsageError [generate-remote] for a module of somebody else."""
    remote = next((word for word in build.packages if "@" in word), "")
    if remote:
        raise UsageError(
            "generate-remote",
            "files are written into a repository, and a module by version is none",
            where=remote,
            next="git clone it, then wherry generate there",
        )
    return plan_with(build, toolchain_of(build, machine), machine)


def applications_of(planned: Planned, machine: Machine) -> tuple[tuple[Application, ...], str]:
    """The applications of a plan, and the repository's root."""
    project = planned.reading.project
    held = holdings(planned.layout, project, machine.which("git"), machine.environment, machine.run)
    lock = lockfile.load(Path(planned.plan.root))
    known = Known(plan=planned.plan, project=project, holdings=held, tiers=planned.tiers, lock=lock)
    decided = decide(known)
    _refuse_missing(decided, Path(planned.plan.root))
    worktree = tuple(context.worktree(planned.layout.git))
    applications = tuple(replace(one, findings=(*one.findings, *worktree, *context.untracked(one))) for one in decided)
    return applications, planned.plan.root


def _refuse_missing(applications: tuple[Application, ...], root: Path) -> None:
    """UsageError [bad-setting] for a recorded profile that is not there: an engine would refuse to start. [bad-certificate] as
    for an image of `wherry build`: a private key would be in the image."""
    for one in applications:
        extra_certificates(root, one.certificates)
        if one.runs.seccomp and not Path(root, one.runs.seccomp).is_file():
            raise UsageError(
                "bad-setting",
                f"there is no profile {one.runs.seccomp}",
                where="generate.seccomp",
                next=f"wherry profile writes one for {shlex.quote(one.name)}",
            )


def _pinned(
    request: GenerateRequest, applications: tuple[Application, ...], files: tuple[File, ...], machine: Machine
) -> tuple[tuple[Application, ...], tuple[tuple[str, str], ...]]:
    """The applications with the digests that files need and wherry.lock did not name: asked for and locked, where that may be;
    and the images without one, each with the reason."""
    missing = tuple(dict.fromkeys(pin.reference for file in files for pin in file.pins if not pin.digest))
    if not missing:
        return applications, ()
    if request.mode != "write" or not request.pin:
        return applications, tuple((name, "") for name in missing)
    digests, unknown = dict[str, str](), list[tuple[str, str]]()
    for _, images in itertools.groupby(sorted(missing), lambda name: name.partition("/")[0]):
        asked_for = tuple(images)  # of one registry: what it says is the reason for its own images alone
        try:
            digests |= {one.reference: one.digest for one in pinned(asked_for, request.build, machine)}
        except (UnavailableError, UnknownError, RefusedError) as error:
            unknown += ((name, error.message) for name in asked_for)
    return _with_digests(applications, digests), tuple(unknown)


def _with_digests(applications: tuple[Application, ...], digests: dict[str, str]) -> tuple[Application, ...]:
    def one(pin: Pin) -> Pin:
        return replace(pin, digest=digests[pin.reference]) if pin.reference in digests else pin

    return tuple(replace(application, pins=tuple(map(one, application.pins))) for application in applications)


def _unpinned(rows: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """A warning for each reason: a file that names an image by its tag builds something else tomorrow."""
    reasons: dict[str, list[str]] = {}
    for name, why in dict.fromkeys(rows):
        reasons.setdefault(why, []).append(name)
    for why, images in reasons.items():
        yield Finding(
            name="unpinned",
            message=f"no digest is locked of {', '.join(images)}" + (f", since {why}" if why else ""),
            next="wherry generate, where registries answer",
        )


def together(root: str, made: tuple[Generated, ...]) -> Generated:
    """All of them as one, each file once: what one makes is not gone because another does not, and of two that make it alike it
    is of the one that it names."""
    every = [one for each in made for one in each.changes]
    changes = {one.path: one for one in every} | {one.path: one for one in sorted(every, key=_claim)}
    return Generated(
        root=root,
        changes=tuple(changes.values()),
        decisions=tuple(dict.fromkeys(one for each in made for one in each.decisions)),
        findings=(
            *dict.fromkeys(one for each in made for one in each.findings),
            *_unpinned(one for each in made for one in each.unpinned),
        ),
        errors=tuple(one for each in made for one in each.errors),
        onward=tuple(
            dict.fromkeys(
                one for each in made for one in each.onward if not one.makes or set(one.makes) - changes.keys()
            )
        ),
    )


def _claim(change: written.Change) -> tuple[bool, ...]:
    return change.state != "gone", change.state != "foreign", change.named


def refuse(whole: Generated, said: str, *, overwrite: bool) -> None:
    """UsageError [kept-part]; RefusedError [file-exists] where somebody else's file is in the way. `said`: the command, for what
    to do next."""
    if whole.errors:
        raise whole.errors[0] if len(whole.errors) == 1 else Several(whole.errors)
    foreign = tuple(one for one in whole.changes if one.state == "foreign")
    if foreign and not overwrite:
        whose = _whose(foreign)
        raise RefusedError(
            "file-exists",
            f"{foreign[0].path} is {whose}, and stays as it is"
            if len(foreign) == 1
            else f"{len(foreign)} files are {whose}, and stay as they are",
            where=tuple(one.path for one in foreign),
            next=(f"{said} --diff", f"{said} --overwrite"),
        )


def _said(request: GenerateRequest) -> str:
    """As it was typed."""
    folder = request.build.directory
    if request.choice:
        return words(Command(choice=request.choice, home=folder))
    return "wherry generate" if folder == "." else f"wherry generate -C {shlex.quote(folder)}"
