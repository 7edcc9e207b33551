"""What every container of a compose file gives up, the application's and its servers' alike. Values in, keys of a service out;
touches nothing."""

from __future__ import annotations

from collections.abc import Mapping

from wherry.formats.yaml import Document
from wherry.generate.compose.words import size, why
from wherry.kit.value import Value


class Share(Value, frozen=True, kw_only=True):
    """What a container may have of the machine, and what is kept for it; 0: nothing is said."""

    memory: int = 0
    """Bytes."""
    cpus: float = 0.0
    pids: int = 0
    files: int = 0
    kept_memory: int = 0
    kept_cpus: float = 0.0


def hardened(seccomp: str = "") -> dict[str, Document]:
    """A root that is read-only, no capability, no way to get one. `seccomp`: path of a profile; empty: the engine's own."""
    profile = [why(f"seccomp={seccomp}", "the system calls that it was seen to need, and no others")] if seccomp else []
    return {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true", *profile],
    }


def shares(share: Share) -> dict[str, Document]:
    """Limits and reservations; all limits of Compose in one place, `deploy`, as it refuses two that differ."""
    limits: dict[str, Document] = {}
    if share.cpus:
        limits["cpus"] = f"{share.cpus:g}"
    if share.memory:
        limits["memory"] = size(share.memory)
    if share.pids:
        limits["pids"] = share.pids
    resources: dict[str, Document] = {}
    if limits:
        resources["limits"] = limits
    if share.kept_memory:
        resources["reservations"] = {"memory": size(share.kept_memory)}
    made: dict[str, Document] = {"deploy": {"resources": resources}} if resources else {}
    if share.memory:
        made["memswap_limit"] = why(size(share.memory), "swap included: there is none beside the memory")
    if share.kept_cpus:
        weight = max(2, round(share.kept_cpus * 1024))
        made["cpu_shares"] = why(
            weight, f"{share.kept_cpus:g} processors when all are busy; Compose keeps none by reservations"
        )
    if share.files:
        made["ulimits"] = {"nofile": share.files, "core": 0}
    return made


def logged() -> Mapping[str, Document]:
    """Where output goes: json-file keeps all of it for ever unless told otherwise."""
    return {"driver": "json-file", "options": {"max-size": "10m", "max-file": "3"}}


def memory(path: str, bytes_of_it: int, options: str = "mode=1777") -> str:
    """An entry of `tmpfs`; without a size it could take half of the machine's memory."""
    return f"{path}:size={size(bytes_of_it).lower()},noexec,nosuid,nodev,{options}"
