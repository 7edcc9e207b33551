"""What an ordinary user may have, read from made-up machines."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from wherry.errors import UnavailableError
from wherry.model.container import Container, IdRange, User
from wherry.oci.platform import Platform
from wherry.runtime import rootless as module
from wherry.runtime.rootless import delegated, preferred, rootless, session
from wherry.runtime.spec import Surroundings, spec

ME = pwd.getpwuid(os.geteuid()).pw_name
OWN = "user.slice/ada/session"


def everywhere(name: str) -> str:
    return f"/usr/bin/{name}"


def nowhere(_: str) -> str:
    return ""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with cgroup v2 of which nothing is delegated, and no subordinate ids."""
    files = {
        "proc/self/ns/user": "",
        "proc/self/cgroup": f"0::/{OWN}\n",
        "proc/sys/user/max_user_namespaces": "96365\n",
        "etc/subuid": "somebody:1:2\n",
        "etc/subgid": "somebody:1:2\n",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
        "sys/fs/cgroup/cgroup.subtree_control": "memory pids\n",
        f"sys/fs/cgroup/{OWN}/cgroup.procs": "1\n",
        "sys/fs/cgroup/user.slice/cgroup.subtree_control": "memory pids\n",
    }
    for name, text in files.items():
        write(tmp_path / name, text)
    return tmp_path


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def give(root: Path, group: str, controllers: str = "cpu memory pids") -> None:
    folder = root / "sys/fs/cgroup" / group
    write(folder / "cgroup.subtree_control", controllers)
    write(folder / "cgroup.procs", "")


def test_without_anything_it_is_one_id(root: Path) -> None:
    found = rootless("runc", everywhere, root=root)
    assert (found.uid, found.gid) == (os.geteuid(), os.getegid())
    assert (found.uids, found.gids, found.group, found.any_id) == ((), (), None, False)
    assert rootless("crun", everywhere, root=root).any_id


@pytest.mark.parametrize("who", [ME, str(os.geteuid())], ids=["by name", "by number"])
def test_subordinate_ids_follow_the_own(root: Path, who: str) -> None:
    write(root / "etc/subuid", f"other:1:9\n{who}:100000:65536\nbroken:x\n{who}:300000:10\n{who}:5\n")
    write(root / "etc/subgid", f"{who}:200000:65536\n")
    found = rootless("runc", everywhere, root=root)
    first = IdRange(inside=1, outside=100000, size=65536)
    assert found.uids == (first, IdRange(inside=65537, outside=300000, size=10))
    assert found.gids == (IdRange(inside=1, outside=200000, size=65536),)


def test_subordinate_ids_need_their_programs_and_groups(root: Path) -> None:
    write(root / "etc/subuid", f"{ME}:100000:65536\n")
    assert rootless("runc", everywhere, root=root).uids == (), "no groups"
    write(root / "etc/subgid", f"{ME}:100000:65536\n")
    assert rootless("runc", nowhere, root=root).uids == (), "nobody to map them"
    assert rootless("runc", everywhere, root=root).uids


@pytest.mark.parametrize("switch", module.SWITCHES)
def test_forbidden_user_namespaces_are_said(root: Path, switch: str) -> None:
    write(root / "proc/sys" / switch.replace(".", "/"), "0\n")
    with pytest.raises(UnavailableError) as caught:
        rootless("runc", everywhere, root=root)
    assert (caught.value.name, caught.value.why) == ("no-user-namespaces", f"{switch} is 0")
    assert caught.value.next[0] == f"sudo sysctl -w {switch}={module.SWITCHES[switch]}"


def test_what_apparmor_may_forbid_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)

    def steps(name: str) -> tuple[str, ...]:
        return module.suspected(UnavailableError(name, "no", next="as root"), root=root).next

    assert steps("cannot-start") == ("as root",)
    write(root / "proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n")
    assert steps("cannot-start")[0] == "as root"
    assert steps("cannot-start")[1].startswith("sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
    assert steps("no-entrypoint") == ("as root",)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert steps("cannot-start") == ("as root",)


def test_a_kernel_without_them_is_said(root: Path) -> None:
    (root / "proc/self/ns/user").unlink()
    with pytest.raises(UnavailableError, match="ordinary users"):
        rootless("runc", everywhere, root=root)


def test_the_nearest_group_with_limits_counts(root: Path) -> None:
    mount = root / "sys/fs/cgroup"
    give(root, "user.slice")
    assert delegated(f"/{OWN}", mount) == "/user.slice"
    give(root, "user.slice/ada", "memory pids")
    assert delegated(f"/{OWN}", mount) == "/user.slice", "no processors above it"
    give(root, "user.slice/ada")
    assert delegated(f"/{OWN}", mount) == "/user.slice/ada"
    give(root, OWN)
    assert delegated(f"/{OWN}", mount) == "/user.slice/ada", "its own holds processes, so none with limits below it"


def test_the_root_group_is_one_too(root: Path) -> None:
    give(root, ".")
    assert delegated(f"/{OWN}", root / "sys/fs/cgroup") == ""


def test_the_users_systemd_comes_first(root: Path) -> None:
    give(root, "user.slice")
    user = os.geteuid()
    bus = root / f"run/user/{user}/bus"
    (root / "run/systemd/system").mkdir(parents=True)
    controllers = root / f"sys/fs/cgroup/user.slice/user-{user}.slice/user@{user}.service/cgroup.controllers"
    write(controllers, "cpu memory pids\n")
    assert rootless("runc", everywhere, root=root).group == "/user.slice", "nobody at its door"
    write(bus, "")
    assert rootless("runc", everywhere, root=root).group == "user.slice"
    write(controllers, "memory pids\n")
    assert rootless("runc", everywhere, root=root).group == "/user.slice", "it has no processors to give"


def test_runtimes_are_told_where_it_is(root: Path) -> None:
    before = (("PATH", "/bin"), ("XDG_RUNTIME_DIR", "/run"))
    assert session(before, root=root) == before
    folder = f"/run/user/{os.geteuid()}"
    write(root / folder.strip("/") / "bus", "")
    after = (("PATH", "/bin"), ("XDG_RUNTIME_DIR", folder), ("DBUS_SESSION_BUS_ADDRESS", f"unix:path={folder}/bus"))
    assert session(before, root=root) == after


def test_version_1_delegates_nothing(root: Path) -> None:
    give(root, "user.slice")
    (root / "sys/fs/cgroup/cgroup.controllers").unlink()
    assert delegated(f"/{OWN}", root / "sys/fs/cgroup") is None
    assert delegated("", root / "sys/fs/cgroup") is None


def test_crun_first_where_it_can_do_more(root: Path) -> None:
    both = ("runc", "crun")
    assert preferred(both, everywhere, root=root) == ("crun", "runc")
    (root / "sys/fs/cgroup/cgroup.controllers").rename(root / "controllers")
    assert preferred(both, everywhere, root=root) == both, "crun does not start beside version 1"
    (root / "controllers").rename(root / "sys/fs/cgroup/cgroup.controllers")
    for name in ("subuid", "subgid"):
        write(root / "etc" / name, f"{ME}:100000:65536\n")
    assert preferred(both, everywhere, root=root) == both


def linux(**more: Any) -> dict[str, Any]:
    user = User(uid=65532, gid=65532)
    container = Container(
        name="a", image="a", platform=Platform(architecture="amd64"), arguments=("/a",), user=user, **more
    )
    return dict(spec(container, Surroundings(id="x", root="/r", files="/f"))["linux"])


def test_the_spec_of_an_ordinary_user() -> None:
    ids = (IdRange(inside=0, outside=1000), IdRange(inside=1, outside=100000, size=65536))
    made = linux(uids=ids, gids=ids, group=None)
    rows = [{"containerID": 0, "hostID": 1000, "size": 1}, {"containerID": 1, "hostID": 100000, "size": 65536}]
    assert made["uidMappings"] == made["gidMappings"] == rows
    assert {"type": "user"} in made["namespaces"]
    assert not {"cgroupsPath", "resources"} & set(made), "runc refuses both where there is no permission"


def test_a_group_of_ones_own_is_whole() -> None:
    assert linux(group="/user.slice/ada")["cgroupsPath"] == "/user.slice/ada/wherry-x"
    assert linux()["cgroupsPath"] == "/wherry-x"
    assert linux(group="user.slice")["cgroupsPath"] == "user.slice:wherry:x"
