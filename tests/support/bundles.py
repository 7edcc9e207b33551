"""Bundles for runc without wherry: a folder, a command and a seccomp profile in, what the program said out; starts containers
as root.

A second opinion about profiles and recordings: nothing of wherry's own runtime takes part.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.support.servers import need_root
from tests.support.tools import need
from wherry.formats.seccomp import Seccomp

_SETS = ("bounding", "effective", "inheritable", "permitted", "ambient")
_MOUNTS = (
    ("/proc", "proc", ["nosuid", "noexec", "nodev"]),
    ("/dev", "tmpfs", ["nosuid", "mode=755", "size=64k"]),
    ("/tmp", "tmpfs", ["nosuid", "noexec", "nodev", "size=16m"]),
)


def bundle(
    folder: Path, arguments: Sequence[str], profile: Seccomp | None, *, binds: Sequence[str] = (), network: str = ""
) -> Path:
    """`folder/config.json` for `folder/rootfs`: uid 65532, no capabilities, read-only; `binds` are folders of this machine at the
    same path, `network` the path of a network namespace (empty: a new one)."""
    for name in ("proc", "dev", "tmp", "etc"):
        (folder / "rootfs" / name).mkdir(parents=True, exist_ok=True)
    (folder / "rootfs/tmp").chmod(0o1777)
    mounts = [{"destination": where, "type": kind, "source": kind, "options": words} for where, kind, words in _MOUNTS]
    mounts += [{"destination": one, "type": "bind", "source": one, "options": ["rbind", "ro"]} for one in binds]
    spaces = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 65532, "gid": 65532}, "args": list(arguments), "cwd": "/", "noNewPrivileges": True,
            "env": ["PATH=/usr/bin:/bin"], "capabilities": {name: [] for name in _SETS},
        },
        "root": {"path": "rootfs", "readonly": True},
        "mounts": mounts,
        "linux": {
            "namespaces": [*spaces, {"type": "network", **({"path": network} if network else {})}],
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            **({"seccomp": msgspec.to_builtins(profile)} if profile else {}),
        },
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def once(folder: Path, engine: str = "runc") -> subprocess.CompletedProcess[str]:
    """The bundle in `folder`, run to its end."""
    need(engine)
    need_root()
    with tempfile.TemporaryDirectory(prefix="wh-") as state:
        name = f"wherry-test-{folder.name}"
        return subprocess.run(
            [shutil.which(engine) or "", "--root", state, "run", "--bundle", str(folder), name],
            capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
