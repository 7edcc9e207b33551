"""The whole decision about one container. Facts and options in, a Container out; touches nothing."""

from __future__ import annotations

import posixpath
import re
from typing import Final

from msgspec.structs import replace

from wherry.errors import RefusedError, UsageError
from wherry.kit.text import closest
from wherry.kit.value import Value
from wherry.model.container import Container, Network, Options, Tmpfs, User
from wherry.model.finding import Finding
from wherry.model.plan import Decision, Origin
from wherry.oci.config import RunConfig
from wherry.plan.container import ids, limits, mounts, ports, privileges
from wherry.plan.container.environment import Variables, environment
from wherry.plan.container.facts import Facts
from wherry.plan.container.health import health_of
from wherry.plan.durations import short

#: What --relax may name, and what it gives up.
RELAXATIONS: Final = {
    "user": "root, or a user that the image does not say",
    "rootfs": "a root that may be written to",
    "privileges": "setuid programs may gain privileges",
    "seccomp": "every system call",
    "masks": "all of /proc and /sys",
    "userns": "the ids of this machine",
    "limits": "memory, processor time and processes without a limit",
    "old-runtime": "a runtime out of which containers are known to get",
}
NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}", re.ASCII)
NETWORKS: Final = ("own", "out", "none", "host")
GRACE: Final = 10.0
SIGNALS: Final = ("HUP", "INT", "QUIT", "KILL", "USR1", "USR2", "TERM", "WINCH")


class _Parts(Value, frozen=True, kw_only=True):
    """What the modules beside this one decided."""

    limited: limits.Limited
    mounted: mounts.Mounted
    granted: privileges.Granted
    mapped: ids.Ids
    published: ports.Published
    variables: Variables


def decide(options: Options, facts: Facts) -> Container:
    """Every decision, with its reason. UsageError [container-option] for words that mean nothing, RefusedError [runs-as-root]
    when the image would run as root and nobody asked for that."""
    _check(options, facts)
    limited = limits.decide(options, facts)
    mounted = mounts.decide(options, facts.config, facts.user, facts)
    parts = _Parts(
        limited=limited,
        mounted=mounted,
        granted=privileges.decide(options),
        mapped=ids.decide(options, facts, mounted),
        published=ports.decide(options, facts.config),
        variables=environment(options, facts, limited.limits),
    )
    return _container(options, facts, parts)


def _container(options: Options, facts: Facts, parts: _Parts) -> Container:
    mapped, published = parts.mapped, parts.published
    return Container(
        name=options.name or facts.title,
        image=facts.image,
        platform=facts.platform,
        arguments=command(options, facts.config),
        environment=parts.variables.pairs,
        directory=_directory(options.directory or facts.config.working_dir or "/"),
        user=mapped.user,
        hostname=options.hostname or (options.name or facts.title)[:63],
        read_only="rootfs" not in options.relax,
        tmpfs=tuple(within(one, mapped) for one in parts.mounted.tmpfs),
        binds=parts.mounted.binds,
        capabilities=parts.granted.capabilities,
        no_new_privileges="privileges" not in options.relax,
        seccomp=parts.granted.seccomp,
        masked="masks" not in options.relax,
        id_base=mapped.base,
        uids=mapped.uids,
        gids=mapped.gids,
        group=facts.group,
        network=published.network,
        publish=published.publish,
        ports=tuple(sorted(facts.config.exposed_ports or ())),
        limits=parts.limited.limits,
        init=options.init,
        stop_signal=signal_name(options.stop_signal or facts.config.stop_signal or "SIGTERM"),
        grace=GRACE if options.grace is None else options.grace,
        health=facts.health or health_of(facts.config),
        relaxed=tuple(sorted(set(options.relax))),
        decisions=_decisions(options, facts, parts),
        findings=(*_findings(options, published.network), *_ungrouped(options, facts), *_unset(options, facts)),
    )


def _decisions(options: Options, facts: Facts, parts: _Parts) -> tuple[Decision, ...]:
    return (
        _user(options, facts, parts.mapped.user),
        *parts.granted.decisions,
        parts.mapped.decision,
        *parts.mounted.decisions,
        *parts.limited.decisions,
        *parts.variables.decisions,
        *parts.published.decisions,
        _grace(options),
    )


def command(options: Options, config: RunConfig) -> tuple[str, ...]:
    """Entrypoint and arguments as every engine puts them together; UsageError [no-command] when there are none."""
    if options.entrypoint:
        words = (*options.entrypoint, *options.arguments)
    else:
        words = (*(config.entrypoint or ()), *(options.arguments or config.cmd or ()))
    if not words or not words[0]:
        raise UsageError(
            "no-command", "the image says no program to start", next="name one behind the image, or by --entrypoint"
        )
    return words


def within(one: Tmpfs, mapped: ids.Ids) -> Tmpfs:
    """With an owner that the user namespace has: the kernel refuses another."""
    if not mapped.uids:
        return one
    uid, gid = ids.nearest(mapped.uids, one.uid, mapped.user.uid), ids.nearest(mapped.gids, one.gid, mapped.user.gid)
    return replace(one, uid=uid, gid=gid)


def _directory(said: str) -> str:
    """Where it starts, below the root; the kernel's own folders are no place for that (CVE-2024-21626)."""
    path = posixpath.normpath("/" + said.lstrip("/"))
    if path == "/proc" or path.startswith("/proc/"):
        raise RefusedError(
            "path-escape",
            f"the working directory {said[:60]!r} is one of the kernel's",
            next="-w / starts it in the root",
        )
    return path


def signal_name(text: str) -> str:
    """`SIGTERM` for TERM, term, SIGTERM or 15. UsageError [container-option]."""
    import signal

    word = text.upper().removeprefix("SIG")
    try:
        return signal.Signals(int(word)).name if word.isdigit() else signal.Signals[f"SIG{word}"].name
    except (ValueError, KeyError):
        raise refused(f"there is no signal {text[:20]!r}", f"one of {', '.join(SIGNALS)}") from None


def refused(message: str, *steps: str, where: str = "") -> UsageError:
    """An option that means nothing."""
    return UsageError("container-option", message, where=where, next=steps)


def _check(options: Options, facts: Facts) -> None:
    _refuse_root(options, facts)
    for word in options.relax:
        if word not in RELAXATIONS:
            near = closest(word, tuple(RELAXATIONS))
            steps = (
                (f"--relax {near}",) if near else tuple(f"--relax {one}   {text}" for one, text in RELAXATIONS.items())
            )
            raise refused(f"there is no hardening {word!r}", *steps, where=f"--relax {word}")
    # What the machine is called stands in its /etc/hosts: a line break there would be a row of its own.
    for option, said in (("--name", options.name), ("--hostname", options.hostname)):
        if said and not NAME.fullmatch(said):
            near = re.sub(r"[^a-zA-Z0-9_.-]+", "-", said).strip("-._")[:63]
            steps = (f"{option} {near}",) if near else ()
            raise refused("a name has letters, digits, _ . and - only", *steps, where=f"{option} {said[:40]}")
    if options.network and options.network not in NETWORKS:
        steps = tuple(f"--network {one}" for one in NETWORKS)
        raise refused(
            f"there is no network {options.network[:40]!r}", *steps, where=f"--network {options.network[:40]}"
        )
    if options.directory and not options.directory.startswith("/"):
        raise refused(
            "the working directory is an absolute path in the container", where=f"-w {options.directory[:60]}"
        )
    if options.grace is not None and not 0 <= options.grace <= 3600:
        raise refused("the grace is 0 to 3600 seconds", where=f"--grace {options.grace:g}")


def _refuse_root(options: Options, facts: Facts) -> None:
    if facts.user.uid == 0 and not options.user and "user" not in options.relax:
        raise RefusedError(
            "runs-as-root",
            f"{facts.image.partition('@')[0]} would run as root",
            why=f"its user is {facts.config.user!r}" if facts.config.user else "it does not say a user",
            next=("--user 65532   as nobody in particular", "--relax user   as root, in a container of its own"),
        )


def _user(options: Options, facts: Facts, inside: User) -> Decision:
    """`inside`: in the end, where the user namespace knows no other."""
    reason = "not root" if facts.user.uid else "root, as you asked"
    if inside.uid != facts.user.uid:
        reason = "you, without any right: runc can map no other without newuidmap"
    return Decision(name="user", value=f"{inside.uid}:{inside.gid}", reason=reason, origin=_said(options.user))


def _ungrouped(options: Options, facts: Facts) -> tuple[Finding, ...]:
    if facts.group is not None or "limits" in options.relax:
        return ()
    return (Finding(name="no-limits", message=limits.UNGROUPED, next=limits.GROUPED[0]),)


def _unset(options: Options, facts: Facts) -> tuple[Finding, ...]:
    """Variables that were to be this machine's, which has none of that name."""
    here = {name for name, _ in facts.variables}
    names = (one for one in options.environment if "=" not in one and one not in here)
    return tuple(
        Finding(
            name="env-unset",
            message=f"{name} is not set here, so it is not passed",
            next=f"export {name}=VALUE, or -e {name}=VALUE",
        )
        for name in names
    )


def _grace(options: Options) -> Decision:
    grace = GRACE if options.grace is None else options.grace
    reason = "between the stop signal and SIGKILL"
    return Decision(name="grace", value=short(grace), reason=reason, origin=_said(options.grace))


def _said(value: object) -> Origin:
    return "flag" if value not in (None, "", ()) else "default"


def _findings(options: Options, network: Network) -> tuple[Finding, ...]:
    found = [
        Finding(name="relaxed", message=f"{word} is not hardened: {RELAXATIONS[word]}")
        for word in sorted(set(options.relax))
    ]
    if network == "host":
        found.append(
            Finding(name="host-network", message="it shares this machine's network, its loopback services too")
        )
    if options.init:
        found.append(
            Finding(
                name="init-for-go",
                severity="note",
                message="a Go program needs no init for signals; only one that starts other programs does, to collect them",
            )
        )
    return tuple(found)
