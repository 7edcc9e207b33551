"""What the image holds that an application has no use for, and who could change it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from wherry.judge.answer import failed, nothing, passed
from wherry.kit.text import megabytes
from wherry.model.contents import Contents, File
from wherry.model.observation import Expectations, Observed
from wherry.model.verdict import Verdict

SHOWN: Final = 8
"""Rows of evidence; how many there are is said."""
_KINDS: Final = (
    ("shell", re.compile(r"sh|bash|rbash|dash|ash|zsh|ksh\d*|mksh|fish|csh|tcsh|busybox|toybox|nu|pwsh|elvish|xonsh")),
    (
        "interpreter",
        re.compile(r"python[\d.]*|perl[\d.]*|ruby[\d.]*|node|nodejs|php[\d.]*|lua(jit)?[\d.]*|tclsh[\d.]*|[gmn]?awk|guile|deno|bun"),
    ),
    (
        "package manager",
        re.compile(r"apk|apt|apt-get|dpkg|aptitude|rpm|yum|u?dnf\d*|microdnf|tdnf|zypper|pacman|opkg|pip[\d.]*|npm|gem|brew|nix"),
    ),
)  # fmt: skip
_SOURCES: Final = re.compile(r".+\.go|go\.mod|go\.sum|go\.work")
LINKS: Final = 40
"""As many as the kernel follows."""
ROOT: Final = File(path="/", kind="directory", mode=0o755)
_LAX: Final = 0o002
_STICKY: Final = 0o1000


def shell(observed: Observed, _: Expectations) -> Verdict:
    """PASS: nothing in the image runs commands, scripts or package installations for who gets in."""
    match observed.contents:
        case Contents() as seen:
            own = program(seen, observed.container.arguments[:1])
            found = [(kind, one) for one in seen.files if (kind := tool(one)) and one.path != own]
            if not found:
                return passed("shell", "no shell, interpreter or package manager")
            kinds = ", ".join(dict.fromkeys(kind for kind, _ in found))
            rows = (f"{one.path}: {kind}" for kind, one in found)
            step = '[image] base = "static", or [[prove.waive]] for an image that needs it'
            summary = f"{_many(len(found), 'program')} for intruders: {kinds}"
            return _failed(
                seen,
                ("shell", summary),
                rows,
                (one for _, one in found),
                step,
            )
        case why:
            return nothing("shell", why)


def setuid(observed: Observed, _: Expectations) -> Verdict:
    """PASS: no file gives more rights to who starts it."""
    match observed.contents:
        case Contents() as seen:
            found = [(why, one) for one in seen.files if (why := _elevates(one))]
            if not found:
                return passed("setuid", "no setuid or setgid file, no file capabilities")
            rows = (f"{one.path}: {why}" for why, one in found)
            summary = f"{_many(len(found), 'file')} with rights for who starts {'it' if len(found) == 1 else 'them'}"
            return _failed(
                seen, ("setuid", summary), rows, (one for _, one in found), "chmod a-s; setcap -r, or another base"
            )
        case why:
            return nothing("setuid", why)


def writable_files(observed: Observed, _: Expectations) -> Verdict:
    """PASS: nothing can be changed by everybody, and the program not by its own user."""
    match observed.contents:
        case Contents() as seen:
            own = program(seen, observed.container.arguments[:1])
            found = [("everybody may write", one) for one in seen.files if _is_open(one)]
            found += [("its own user may replace it", one) for one in _replaceable(seen, own, observed)]
            if not found:
                return passed("writable-files", "none for everybody, and the program not by its user")
            rows = (f"{one.path}: {why}, mode {one.mode:04o}, owner {one.uid}:{one.gid}" for why, one in found)
            summary = f"{_many(len(found), 'path')} that may be changed by who should not"
            return _failed(
                seen, ("writable-files", summary), rows, (one for _, one in found), "files of root, mode 0555 or 0444"
            )
        case why:
            return nothing("writable-files", why)


def sources(observed: Observed, _: Expectations) -> Verdict:
    """PASS: neither Go's sources nor a repository's history are in the image."""
    match observed.contents:
        case Contents() as seen:
            found = [one for one in seen.files if _is_source(one)]
            if not found:
                return passed("sources", "no *.go, go.mod or .git")
            rows = (one.path for one in found)
            summary = f"{_many(len(found), 'file')} of sources in the image"
            return _failed(
                seen, ("sources", summary), rows, iter(found), "leave them out: [[image.assets]] exclude, or COPY less"
            )
        case why:
            return nothing("sources", why)


def size(observed: Observed, wanted: Expectations) -> Verdict:
    """PASS: unpacked it is within its budget."""
    match observed.contents:
        case Contents() as seen:
            pull = f", {megabytes(seen.packed)} to pull" if seen.packed is not None else ""
            words = f"{megabytes(seen.unpacked)} unpacked{pull}"
            if not wanted.size:
                return Verdict(check="size", outcome="SKIP", summary=f"{words}; no budget: [prove] size sets one")
            if seen.unpacked <= wanted.size:
                return passed("size", f"{words}; the budget is {megabytes(wanted.size)}")
            large = sorted(seen.files, key=lambda one: -one.size)[:3]
            rows = (f"{one.path}: {megabytes(one.size)}" for one in large)
            summary = f"{words}, {megabytes(seen.unpacked - wanted.size)} over its budget of {megabytes(wanted.size)}"
            return _failed(seen, ("size", summary), rows, iter(large), "wherry plan --why shows what is in it")
        case why:
            return nothing("size", why)


def place_of(seen: Contents, path: str, layer: int) -> str:
    """`/etc/x   layer 2 of 3, sha256:0123456789ab`."""
    if not 0 < layer <= len(seen.layers):
        return path
    return f"{path}   layer {layer} of {len(seen.layers)}, {seen.layers[layer - 1][:19]}"


def _failed(seen: Contents, said: tuple[str, str], rows: Iterable[str], files: Iterable[File], step: str) -> Verdict:
    check, summary = said
    evidence, places = list(rows), [place_of(seen, one.path, one.layer) for one in files]
    more = (f"... and {len(evidence) - SHOWN} more",) if len(evidence) > SHOWN else ()
    verdict = failed(check, summary, *evidence[:SHOWN], *more, next=step)
    return replace(verdict, where=tuple(places[:SHOWN]))


def _many(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def tool(one: File) -> str:
    """What a file is to somebody who got in; empty for others. A link counts as what it is called: that is how it is started."""
    if one.kind not in ("file", "hardlink", "link") or (one.kind == "file" and not one.mode & 0o111):
        return ""
    name = posixpath.basename(one.path)
    return next((kind for kind, form in _KINDS if form.fullmatch(name)), "")


def _elevates(one: File) -> str:
    if one.kind not in ("file", "hardlink"):
        return ""
    bits = [
        word
        for bit, word in ((0o4000, f"setuid, of user {one.uid}"), (0o2000, f"setgid, of group {one.gid}"))
        if one.mode & bit
    ]
    return ", ".join((*bits, *(("file capabilities",) if one.capabilities else ())))


def _is_open(one: File) -> bool:
    if not one.mode & _LAX:
        return False
    return one.kind in ("file", "hardlink") or (one.kind == "directory" and not one.mode & _STICKY)


def _is_source(one: File) -> bool:
    name, parts = posixpath.basename(one.path), one.path.split("/")
    if one.kind == "directory":
        return name == ".git"
    return ".git" not in parts and bool(_SOURCES.fullmatch(name))


def _replaceable(seen: Contents, path: str, observed: Observed) -> list[File]:
    """The program, and folders above it, that its own user may write to."""
    user, files = observed.container.user, {one.path: one for one in seen.files}
    above = (posixpath.join("/", *path.split("/")[1:count]) for count in range(2, path.count("/") + 1))
    wanted = [files[one] for one in (*above, path) if one in files] if path else []
    groups = {user.gid, *user.groups}
    return [
        one
        for one in wanted
        if user.uid and not _is_open(one)
        and ((one.uid == user.uid and one.mode & 0o200) or (one.gid in groups and one.mode & 0o020))
    ]  # fmt: skip


def program(seen: Contents, arguments: tuple[str, ...]) -> str:
    """The path of the program that is started, links followed; empty when the image has none such."""
    files, word = {one.path: one for one in seen.files}, arguments[0] if arguments else ""
    folders = dict(seen.environment).get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")
    candidates = (word,) if "/" in word else tuple(posixpath.join(folder, word) for folder in folders)
    found = (resolved(files, one) for one in candidates if one.startswith("/"))
    return next((one.path for one in found if one is not None and one.kind in ("file", "hardlink")), "")


def resolved(files: Mapping[str, File], path: str) -> File | None:
    """What an absolute path means in the image, every link followed inside it; None when nothing is there."""
    left, here, links = [part for part in path.split("/") if part], "", 0
    while left:
        part = left.pop(0)
        if part in (".", ".."):
            here = posixpath.dirname(here) if part == ".." else here
            continue
        one = files.get(f"{here.rstrip('/')}/{part}")
        if one is None and not left:
            return None
        if one is None:  # a folder that no layer names is there all the same
            here = f"{here.rstrip('/')}/{part}"
            continue
        if one.kind != "link":
            here = one.path
            continue
        links += 1
        if links > LINKS:
            return None
        left = [*(step for step in one.target.split("/") if step), *left]
        here = "" if one.target.startswith("/") else here
    return files.get(here) or (ROOT if here in ("", "/") else None)
