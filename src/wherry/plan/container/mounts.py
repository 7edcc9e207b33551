"""What may be written to, and what of this machine is inside. Options, config and the image's folders in, mounts out; touches
nothing."""

from __future__ import annotations

import posixpath
from typing import Final

from wherry.errors import RefusedError, UsageError
from wherry.kit.value import Value
from wherry.model.container import Bind, Options, Tmpfs, User
from wherry.model.plan import Decision
from wherry.oci.config import RunConfig
from wherry.plan.container.facts import Facts
from wherry.plan.container.limits import size_of

#: What no mount may hide: the kernel's files and what runtimes put there.
RESERVED: Final = ("/", "/proc", "/sys", "/dev")
SECRETS: Final = "/run/secrets"
#: What of this machine is in no container, not even to be read: its whole root, and the kernel's folders. `/dev/shm/x` is one.
NEVER: Final = ("/proc", "/sys", "/dev")
#: Nor these, wherever they lie: an engine does as root what it is asked.
SOCKETS: Final = ("docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock")
MEMORY: Final = ("/dev/shm/", "/run/user/")  # noqa: S108 - what users may have below
#: What no container writes to, nor to anything below: who can, has this machine. Sockets of its services are below /run.
SYSTEM: Final = ("/bin", "/boot", "/etc", "/lib", "/lib32", "/lib64", "/run", "/sbin", "/usr", "/var/run")
#: The same for the folder as it is; what is below belongs to somebody.
WHOLE: Final = ("/home", "/root", "/var", "/var/lib", "/var/log")


class Mounted(Value, frozen=True, kw_only=True):
    """All mounts beside the kernel's, and why."""

    tmpfs: tuple[Tmpfs, ...]
    binds: tuple[Bind, ...]
    decisions: tuple[Decision, ...]

    @property
    def writable(self) -> bool:
        """Whether it may change files of this machine."""
        return any(bind.writable for bind in self.binds)


def decide(options: Options, config: RunConfig, user: User, facts: Facts) -> Mounted:
    """UsageError [container-option], RefusedError [path-escape] for a volume path outside."""
    binds = (
        *(_volume(text, facts.folder) for text in options.volumes),
        *(_secret(text, facts.folder) for text in options.secrets),
    )
    taken = [bind.path for bind in binds]
    for path in taken:
        if taken.count(path) > 1:
            raise UsageError("container-option", f"{path} is mounted twice", where=f"-v ...:{path}")
    asked = tuple(_tmpfs(text, user) for text in options.tmpfs)
    _apart((*taken, *(one.path for one in asked)), binds)
    found: dict[str, Tmpfs] = {"/tmp": Tmpfs(path="/tmp")}  # noqa: S108 - the container's
    for owned in facts.owned:
        if not any(owned.path.startswith(f"{one}/") for one in found):
            found[owned.path] = Tmpfs(
                path=owned.path, mode=owned.mode & 0o1777, uid=owned.uid, gid=owned.gid, copied=not owned.empty
            )
    for volume in sorted(config.volumes or ()):
        path = _path(volume, f"VOLUME {volume}")
        found.setdefault(path, Tmpfs(path=path, mode=0o755, uid=user.uid, gid=user.gid))
    found |= {one.path: one for one in asked}
    tmpfs = tuple(found[path] for path in sorted(found) if path not in taken)
    decisions = [_writable(tmpfs, binds)]
    decisions += [
        Decision(
            name="volume",
            value=bind.path,
            reason=f"{'' if bind.writable else 'read-only, '}{bind.source}",
            origin="flag",
        )
        for bind in binds
    ]
    if "rootfs" in options.relax:
        decisions.insert(0, Decision(name="rootfs", value="writable", reason="--relax rootfs", origin="flag"))
    return Mounted(tmpfs=tmpfs, binds=binds, decisions=tuple(decisions))


def _apart(paths: tuple[str, ...], binds: tuple[Bind, ...]) -> None:
    """UsageError [container-option] for what would be mounted on a path that whoever else has that volume may replace by a link
    while this container starts (CVE-2021-30465), and that would be made in the user's folder where it is not there."""
    for outer in (bind for bind in binds if bind.writable):
        for path in paths:
            if path.startswith(f"{outer.path}/"):
                raise UsageError(
                    "container-option",
                    f"{path} lies in {outer.path}, a volume that programs write to",
                    where=f"-v {outer.source}:{outer.path}",
                    next=(f"-v {outer.source}:{outer.path}:ro   to be read only", "-v OTHER:PATH   beside it"),
                )


def _volume(text: str, folder: str) -> Bind:
    source, colon, rest = text.partition(":")
    path, _, mode = rest.partition(":")
    if not colon or not source or mode not in ("", "ro", "rw"):
        raise UsageError(
            "container-option",
            f"{text[:60]!r} is no volume",
            where=f"-v {text[:60]}",
            next="-v ./folder:/path, or :/path:ro",
        )
    if not source.startswith(("/", ".", "~")):
        raise UsageError(
            "container-option", f"wherry has no named volumes, and {source[:40]!r} is no path", where=f"-v {text[:60]}",
            next=f"-v ./{source}:{path}",
        )  # fmt: skip
    whole = posixpath.normpath("/" + posixpath.join(folder, source).lstrip("/"))
    refuse_system(whole, f"-v {text[:100]}", writable=mode != "ro")
    return Bind(source=whole, path=_typed(path, f"-v {text}"), writable=mode != "ro")


def refuse_system(source: str, said: str, *, writable: bool) -> None:
    """RefusedError [volume-of-machine] for an absolute path that would give a container this machine itself."""
    within = f"{source}/"
    kernels = within.startswith(tuple(f"{one}/" for one in NEVER)) and not source.startswith(MEMORY)
    if source == "/" or kernels or posixpath.basename(source) in SOCKETS:
        steps: tuple[str, ...] = ("-v ./folder:/path   a folder that is the program's",)
    elif writable and (source in WHOLE or _is_system(source)):
        steps = ("-v ./folder:/path   a folder that is the program's", f"-v {source}:/path:ro   to be read only")
    else:
        return
    raise RefusedError(
        "volume-of-machine",
        f"{source} {_harm(source, writable=writable)}",
        where=said,
        next=steps,
    )


def _harm(source: str, *, writable: bool) -> str:
    if posixpath.basename(source) in SOCKETS:
        return "is an engine's: whoever may speak to it is root on this machine, even where it is read-only"
    return f"is this machine's own, and would be {'written to' if writable else 'read'} from inside"


def _is_system(source: str) -> bool:
    return f"{source}/".startswith(tuple(f"{one}/" for one in SYSTEM)) and not source.startswith(MEMORY)


def _writable(tmpfs: tuple[Tmpfs, ...], binds: tuple[Bind, ...]) -> Decision:
    """All that may be written to: memory, and what is of this machine, which nobody should overlook."""
    volumes = [bind for bind in binds if bind.writable]
    value = ", ".join([*(one.path for one in tmpfs), *(one.path for one in volumes)])
    reason = "in memory, gone with the container"
    if volumes:
        of_machine = ", ".join(f"{one.path} is {one.source} of this machine" for one in volumes)
        reason = f"{of_machine}; the others are {reason}" if tmpfs else of_machine
    return Decision(name="writable", value=value, reason=reason, origin="flag" if volumes else "default")


def _secret(text: str, folder: str) -> Bind:
    name, equals, file = text.partition("=")
    source = file if equals else name
    short = name if equals else posixpath.basename(name)
    if not short or "/" in short or short in (".", "..") or not source:
        raise UsageError(
            "container-option", f"{text[:60]!r} is no secret", where=f"--secret {text[:60]}", next="--secret NAME=FILE"
        )
    return Bind(source=posixpath.normpath(posixpath.join(folder, source)), path=f"{SECRETS}/{short}")


def _tmpfs(text: str, user: User) -> Tmpfs:
    path, _, size = text.partition(":")
    wanted = size_of(size, f"--tmpfs {text[:60]}") if size else 64 << 20
    return Tmpfs(path=_typed(path, f"--tmpfs {text}"), mode=0o755, size=wanted, uid=user.uid, gid=user.gid)


def _typed(path: str, said: str) -> str:
    """The same of a path that somebody wrote; UsageError [container-option] for one without its first slash."""
    if path and not path.startswith("/"):
        raise UsageError(
            "container-option",
            f"{path[:80]!r} is no absolute path inside a container",
            where=said[:100],
            next=f"begin it with a slash: /{path[:80].removeprefix('./')}",
        )
    return _path(path, said)


def _path(path: str, said: str) -> str:
    """A path in the container, without anything that climbs."""
    if not path.startswith("/") or ".." in path.split("/") or "\0" in path or "\n" in path:
        raise RefusedError(
            "path-escape",
            f"{path[:80]!r} is no absolute path inside a container",
            where=said[:100],
            next="a path like /data",
        )
    whole = posixpath.normpath("/" + path.lstrip("/"))
    if whole in RESERVED or whole.startswith(("/proc/", "/sys/", "/dev/")):
        raise RefusedError("path-escape", f"{whole} belongs to the runtime", where=said[:100], next="a path like /data")
    return whole
