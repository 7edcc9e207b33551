"""Who it runs as, and what it may do: user, capabilities, no new privileges, system calls, the security module."""

from __future__ import annotations

from wherry.judge.answer import failed, nothing, passed, unknown
from wherry.model.observation import Expectations, Identity, Observed, capabilities_in
from wherry.model.verdict import Verdict


def user(observed: Observed, _: Expectations) -> Verdict:
    """PASS: not root, and just who was asked for, without a group that nobody asked for."""
    match observed.identity:
        case Identity() as seen:
            wanted = observed.container.user
            others = [str(group) for group in seen.groups if group != seen.gid]  # Docker and podman name its own, too
            who = f"{seen.uid}:{seen.gid}, {', '.join(others) or 'no other groups'}"
            if seen.uid == 0:
                return failed(
                    "user",
                    "it runs as root",
                    f"uid {seen.uid}, on this machine {seen.host_uid}",
                    next='[image] user = "65532:65532"',
                )
            if (seen.uid, seen.gid) != (wanted.uid, wanted.gid) or set(seen.groups) - {*wanted.groups, seen.gid}:
                return failed("user", f"it runs as {who}", f"{wanted.uid}:{wanted.gid} was asked for")
            named = observed.said_user.partition(":")[0]
            if named and not named.isdigit():
                return failed(
                    "user",
                    f"the image names its user {named[:40]!r}, and Kubernetes cannot know that it is not root",
                    f"{who}; runAsNonRoot refuses a name",
                    next=f'[image] user = "{seen.uid}:{seen.gid}"',
                )
            outside = f", {seen.host_uid} outside" if seen.host_uid != seen.uid else ""
            return passed("user", who + outside)
        case why:
            return nothing("user", why)


def capabilities(observed: Observed, _: Expectations) -> Verdict:
    """PASS: all five sets hold nothing but what was asked for, by default nothing."""
    match observed.identity:
        case Identity() as seen:
            asked = {name.removeprefix("CAP_") for name in observed.container.capabilities}
            sets = {name: capabilities_in(mask) for name, mask in seen.capabilities}
            if len(sets) != 5:
                return unknown("capabilities", "this kernel does not show all five sets", host=True)
            beyond = {
                name: more for name, words in sets.items() if (more := [one for one in words if one not in asked])
            }
            if beyond:
                names = dict.fromkeys(one for more in beyond.values() for one in more)
                rows = (f"{name} holds {', '.join(more)}" for name, more in beyond.items())
                return failed("capabilities", f"nobody asked for {', '.join(names)}", *rows)
            most = dict.fromkeys(one for words in sets.values() for one in words)
            return passed("capabilities", f"only {', '.join(most)}" if most else "none in any of the five sets")
        case why:
            return nothing("capabilities", why)


def no_new_privileges(observed: Observed, _: Expectations) -> Verdict:
    """PASS: the kernel says so of the process itself."""
    match observed.identity:
        case Identity(no_new_privileges=True):
            return passed("privileges", "setuid programs gain it nothing")
        case Identity(no_new_privileges=None):
            return unknown("privileges", "this kernel does not say", host=True)
        case Identity():
            return failed("privileges", "setuid programs could gain privileges", next="leave --relax privileges out")
        case why:
            return nothing("privileges", why)


def seccomp(observed: Observed, _: Expectations) -> Verdict:
    """PASS: a filter is active on the process itself."""
    match observed.identity:
        case Identity(seccomp=2):
            return passed("seccomp", f"a filter is active: {observed.container.seccomp}")
        case Identity(seccomp=None):
            return unknown("seccomp", "this kernel does not say", host=True)
        case Identity():
            return failed("seccomp", "every system call is open to it", next="leave --relax seccomp out")
        case why:
            return nothing("seccomp", why)


def security_module(observed: Observed, _: Expectations) -> Verdict:
    """PASS: AppArmor or SELinux confines the process; a host without either cannot show it."""
    match observed.identity:
        case Identity() as seen:
            return _confined(seen.security)
        case why:
            return nothing("apparmor", why)


def _confined(profile: str | None) -> Verdict:
    if profile is None:
        return unknown("apparmor", "it ended before that could be seen")
    if not profile:
        return unknown("apparmor", "this host has no AppArmor or SELinux, so nothing was observed", host=True)
    if profile.startswith("unconfined"):
        return unknown("apparmor", "no profile is set; seccomp and capabilities stand alone", profile, host=True)
    return passed("apparmor", profile)


def isolation(observed: Observed, _: Expectations) -> Verdict:
    """PASS: namespaces of its own for all that was asked for."""
    match observed.identity:
        case Identity() as seen:
            if seen.namespaces is None:
                return unknown("isolation", "its namespaces are hidden from an ordinary user")
            wanted = {"mnt", "pid", "ipc", "uts", "cgroup"}
            wanted |= {"net"} if observed.container.network != "host" else set()
            wanted |= {"user"} if observed.container.user_namespace else set()
            shared = sorted(wanted - set(seen.namespaces))
            if shared:
                return failed("isolation", f"it shares this machine's {', '.join(shared)}")
            return passed("isolation", f"its own {', '.join(seen.namespaces)}")
        case why:
            return nothing("isolation", why)
