"""Why a container did not start. A runtime's words in, one clear error out; touches nothing."""

from __future__ import annotations

import re
from typing import Final

from wherry.errors import BuildError, UnavailableError, UsageError, WherryError
from wherry.kit.value import Value


class Cause(Value, frozen=True, kw_only=True):
    """Words of runc, crun, docker or podman, and what they mean."""

    says: tuple[str, ...]
    """Patterns; the first group that is found is the subject."""
    kind: type[WherryError]
    name: str
    message: str
    next: str | tuple[str, ...]


#: The first that fits counts.
CAUSES: Final = (
    Cause(
        says=(r"(cgroups in hybrid mode) not supported", r"(drop all controllers from cgroupv2)"),
        kind=UnavailableError,
        name="hybrid-cgroups",
        message="its runtime, crun, starts nothing where both versions of control groups are mounted",
        next=("--engine runc", 'runtime = "runc" under [engine] in /etc/containers/containers.conf'),
    ),
    Cause(
        says=(
            r'exec: \\?"?([^":\\]+)\\?"?: (?:stat [^:]+: no such file|executable file not found|no such file)',
            r"executable file `([^`]+)` not found",
        ),
        kind=BuildError,
        name="no-entrypoint",
        message="the image has no program {0}",
        next="wherry inspect shows what it starts; --entrypoint names another",
    ),
    Cause(
        says=(r"exec (\S+): no such file or directory", r"exec \\?\"?(/[^\s:\"\\]+).*: no such file or directory"),
        kind=BuildError,
        name="no-loader",
        message="{0} is there, but the loader or interpreter that it names is not in the image",
        next="build it without cgo, or on a base that has its C library: --base debian",
    ),
    Cause(
        says=(
            r'exec: \\?"?([^":\\]+)\\?"?: permission denied',
            r"exec (\S+): permission denied",
            r"open executable: Permission denied",
        ),
        kind=BuildError,
        name="not-executable",
        message="{0} in the image is no file that its user may execute",
        next="its mode must hold x: 0555",
    ),
    Cause(
        says=(r"exec format error", r"Exec format error"),
        kind=UnavailableError,
        name="other-processor",
        message="the program is for another processor than this machine's",
        next="build it for this machine, or install qemu-user-static",
    ),
    Cause(
        says=(r"(?m)^slirp4netns: ",),
        kind=UnavailableError,
        name="no-way-out",
        message="no network that leads out could be made",
        next=("--network own   leads nowhere", "--network host   is this machine's"),
    ),
    Cause(
        says=(r"only be run on AMD64 processors with",),
        kind=UnavailableError,
        name="cpu-level",
        message="the image is for {0}, a newer processor than this machine's",
        next="build it for linux/amd64",
    ),
    Cause(
        says=(
            r'chdir to cwd \(?\\?"?([^"\)\\]+)',
            r"chdir to `([^`]+)`",
            r'workdir "([^"]+)"',
            r"[Cc]annot mkdir: (\S+)",
            r"container init: mkdir (\S+): not a directory",
        ),
        kind=BuildError,
        name="bad-workdir",
        message="the working directory {0} cannot be entered",
        next="-w / starts it in the root",
    ),
    Cause(
        says=(r"unshare user namespace: (.+)", r"^clone: (.+)", r"(new[ug]idmap)"),
        kind=UnavailableError,
        name="no-user-namespaces",
        message="this machine makes no user namespace for this user: {0}",
        next="as root, or by --engine docker or podman",
    ),
    Cause(
        says=(r"seccomp", r"ensure /proc/self/fd is on procfs"),
        kind=UsageError,
        name="bad-seccomp",
        message="the seccomp profile cannot be loaded",
        next="--relax seccomp runs without one; wherry profile writes one that fits",
    ),
    Cause(
        says=(r"container process is already dead", r"cannot start a stopped process"),
        kind=UnavailableError,
        name="cannot-start",
        message="the container's first process was ended before it became {0}",
        next=("a seccomp profile that lets it execute, if you gave one", "more --memory"),
    ),
    Cause(
        says=(r'error mounting \\?"?([^"\s\\]+)\\?"? to rootfs',),
        kind=UsageError,
        name="bad-volume",
        message="{0} cannot be mounted",
        next="look whether it is there, and a file where a file is meant",
    ),
)


def of_kind(name: str, subject: str, *, why: str = "") -> WherryError:
    """The error that is called so, about `subject`."""
    cause = next(one for one in CAUSES if one.name == name)
    return cause.kind(cause.name, cause.message.format(subject), why=why, next=cause.next)


def failure(said: str) -> WherryError:
    """The error; the runtime's own words are its `output` where it is not known, its `why` where it is."""
    words = said.strip()
    for cause in CAUSES:
        for pattern in cause.says:
            found = re.search(pattern, words)
            if found:
                subject = next((group for group in found.groups() if group), "the program")
                return cause.kind(cause.name, cause.message.format(subject), why=_last(words), next=cause.next)
    error = UnavailableError("cannot-start", "the engine could not start the container", next="wherry doctor")
    return error.with_output(words)


def _last(words: str) -> str:
    """The runtime's last line, without the chain of prefixes."""
    return words.splitlines()[-1].rpartition("OCI runtime error: ")[2][:200]
