"""A small Debian to boot. A release and wheels in; a kernel, an initramfs and a root file system out, made once by debootstrap.

Nothing of it is set up by its packages' scripts, so that no emulated minute is spent on it. Needs root.
"""

from __future__ import annotations

import hashlib
import lzma
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import requires, version
from pathlib import Path

from filelock import FileLock
from packaging.requirements import Requirement

from tests.support.servers import need_root, short_folder
from tests.support.tools import need

PACKAGES = (
    *("linux-image-cloud-amd64", "busybox-static", "kmod", "iproute2", "procps", "python3"),
    *("runc", "crun", "uidmap"),
    *("systemd", "dbus", "dbus-user-session", "libpam-systemd"),
)
#: What only some releases have: podman 4.3, bookworm's, knows no Quadlets.
MORE = {"trixie": ("podman",)}
#: Which minor version of Python a release has.
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
#: What the initramfs needs to reach the disks; a release that has one built in, has it not here.
MODULES = ("virtio_pci", "virtio_blk")
SITE = "opt/site"
#: Who runs without root: an ordinary user with a range of subordinate ids, and one without.
USERS = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"
    "ada:x:1000:1000:Ada:/home/ada:/bin/sh\nbob:x:1001:1001:Bob:/home/bob:/bin/sh\n",
    "group": "root:x:0:\nnogroup:x:65534:\nada:x:1000:\nbob:x:1001:\n",
    "subuid": "ada:100000:65536\n",
    "subgid": "ada:100000:65536\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "machine-id": "00000000000000000000000000000001\n",
}
WHERRY = f'#!/bin/sh\nPYTHONPATH="/shared/src:/{SITE}" exec python3 -P -m wherry "$@"\n'
BOOT = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do /bin/busybox insmod "$module"; done
/bin/busybox mount -t ext4 -o noatime /dev/vda /new
[ "$manager" = systemd ] && exec /bin/busybox switch_root /new /usr/lib/systemd/systemd
exec /bin/busybox switch_root /new /usr/sbin/machine
"""
#: The first process without systemd: what that would have mounted; then the job, in a control group of its own as in a session.
MACHINE = """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
safe=nosuid,nodev,noexec
busybox mount -t proc -o $safe proc /proc
busybox mount -t sysfs -o $safe sys /sys
busybox mount -t devtmpfs -o nosuid dev /dev
mkdir -p /dev/pts /dev/shm
busybox mount -t devpts -o nosuid,noexec,mode=0620,ptmxmode=0666 pts /dev/pts
ln -sf /proc/self/fd /dev/fd
busybox mount -t tmpfs -o nosuid,nodev,mode=0755 run /run
busybox mount -t tmpfs -o nosuid,nodev,mode=1777 tmp /tmp
busybox mount -t cgroup2 -o $safe,nsdelegate cgroup /sys/fs/cgroup
ip link set lo up
hostname machine
echo '+cpu +cpuset +io +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control
mkdir /sys/fs/cgroup/session
(echo 0 >/sys/fs/cgroup/session/cgroup.procs && exec /usr/sbin/job)
"""
JOB = """#!/bin/sh
mkdir /shared /run/out
tar -xf /dev/vdb -C /shared
cd /shared
timeout -s KILL "$(cat /shared/.limit)" sh /shared/.job </dev/null >/run/out/stdout 2>/run/out/stderr
echo $? >/run/out/code
tar -cf /dev/vdc -C /run/out .
sync
busybox reboot -f
"""
#: The same under systemd.
UNIT = """[Unit]
Requires=dbus.socket
After=dbus.socket
[Service]
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
ExecStart=/usr/sbin/job
"""
#: One archive's files, and the list of them that dpkg would have.
UNPACK = """
dpkg-deb --fsys-tarfile "$1" | tar -x -C "$0" --keep-directory-symlink
dpkg-deb --fsys-tarfile "$1" | tar -t | sed 's/^\\.//; s,/$,,; s,^$,/.,' >"$0/var/lib/dpkg/info/$2.list"
"""
#: Whoever has a session manager must get through these.
PAM = {
    f"common-{kind}{more}": f"{kind} required pam_permit.so\n"
    for kind, more in (("account", ""), ("auth", ""), ("password", ""), ("session", ""), ("session", "-noninteractive"))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Three files that qemu boots: nobody writes to them."""

    kernel: Path
    initramfs: Path
    root: Path


def machine(release: str) -> Machine:
    """The machine of a Debian `release` (a key of PYTHONS), made where it is not there yet: half a minute and the network."""
    need("qemu-system-x86_64")
    folder = Path(os.environ["GO_TOOL_CACHE"], "vm", f"{release}-{_key(release)}")
    made = Machine(kernel=folder / "vmlinuz", initramfs=folder / "initramfs", root=folder / "root.ext4")
    if not folder.is_dir():
        need("debootstrap", "dpkg-deb", "mke2fs", "chroot", "tar")
        need_root()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _make(release, folder)
    return made


def pins() -> list[str]:
    """What wherry needs, in the versions that are installed here."""
    wanted, found = ["wherry"], dict[str, str]()
    while wanted:
        for text in requires(wanted.pop()) or ():
            one = Requirement(text)
            if one.name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
                found[one.name] = version(one.name)
                wanted.append(one.name)
    return sorted(f"{name}=={number}" for name, number in found.items())


def _key(release: str) -> str:
    """Moves with all that decides what is in the machine, but Debian's own updates."""
    scripts = (WHERRY, BOOT, MACHINE, JOB, UNIT, UNPACK)
    parts = (release, *PACKAGES, *MORE.get(release, ()), *MODULES, *USERS.values(), *scripts, *PAM.values(), *pins())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _make(release: str, folder: Path) -> None:
    with short_folder() as scratch:
        root, made = scratch / "root", scratch / "made"
        made.mkdir()
        _unpack(release, root)
        _settle(root)
        _wheels(release, root)
        (kernel,) = (root / "boot").glob("vmlinuz-*")
        shutil.copy(kernel, made / "vmlinuz")
        (made / "initramfs").write_bytes(_initramfs(root, kernel.name.removeprefix("vmlinuz-")))
        _do("mke2fs", "-q", "-t", "ext4", "-d", str(root), str(made / "root.ext4"), "2G")
        half = folder.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        _do("cp", "-r", "--sparse=always", str(made), str(half))
        half.rename(folder)


def _do(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


def _unpack(release: str, root: Path) -> None:
    """The packages' files, with /bin and its like as links into /usr."""
    include = f"--include={','.join((*PACKAGES, *MORE.get(release, ())))}"
    _do("debootstrap", "--variant=minbase", "--foreign", "--merged-usr", include, release, str(root))
    (root / "var/lib/dpkg/info").mkdir(parents=True, exist_ok=True)
    for archive in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        _do("sh", "-ec", UNPACK, str(root), str(archive), archive.name.partition("_")[0])
    for path in ("var/cache/apt", "usr/share/doc", "usr/share/man", "usr/share/locale", "debootstrap"):
        shutil.rmtree(root / path, ignore_errors=True)


def _settle(root: Path) -> None:
    """What the packages' scripts would have done, as far as it is missed."""
    (root / "proc").unlink()  # debootstrap makes it a link to /proc until its second stage
    (root / "proc").mkdir()
    for name, text in USERS.items():
        (root / "etc" / name).write_text(text)
    for name, owner in (("ada", 1000), ("bob", 1001)):
        home = root / "home" / name
        home.mkdir(parents=True)
        os.chown(home, owner, owner)
    _do("chroot", str(root), "systemd-sysusers")
    scripts = {"usr/local/bin/wherry": WHERRY, "usr/sbin/machine": MACHINE, "usr/sbin/job": JOB}
    units = {"etc/systemd/system/job.service": UNIT, **{f"etc/pam.d/{name}": text for name, text in PAM.items()}}
    for path, text in (scripts | units).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(0o755 if path in scripts else 0o644)
    _do("chroot", str(root), "depmod", next((root / "boot").glob("vmlinuz-*")).name.removeprefix("vmlinuz-"))


def _wheels(release: str, root: Path) -> None:
    """What wherry needs, for the machine's Python, compiled."""
    number = PYTHONS[release]
    target = ("--platform=manylinux2014_x86_64", "--platform=manylinux_2_28_x86_64", f"--python-version={number}")
    words = ("install", "-q", "--no-deps", "--no-compile", "--only-binary=:all:", f"--target={root / SITE}", *target)
    _do(sys.executable, "-m", "pip", *words, *pins())
    _do("chroot", str(root), "python3", "-m", "compileall", "-q", f"/{SITE}", f"/usr/lib/python{number}")


def _initramfs(root: Path, release: str) -> bytes:
    """busybox, the modules in the order in which they load, and BOOT."""
    folder = root / "usr/lib/modules" / release
    lines = (folder / "modules.dep").read_text().splitlines()
    needs = {
        Path(name).name.partition(".")[0]: [name, *rest.split()] for name, _, rest in (x.partition(":") for x in lines)
    }
    order = dict.fromkeys(name for module in MODULES for name in reversed(needs.get(module, ())))
    files = [
        (f"modules/{n:02}-{Path(name).name.removesuffix('.xz')}", _module(folder / name))
        for n, name in enumerate(order)
    ]
    folders = [(name, b"") for name in ("bin", "dev", "modules", "new")]
    busybox = (root / "usr/bin/busybox").read_bytes()
    return _cpio([*folders, ("bin/busybox", busybox), ("init", BOOT.encode()), *files])


def _module(file: Path) -> bytes:
    data = file.read_bytes()
    return lzma.decompress(data) if file.suffix == ".xz" else data


def _cpio(entries: list[tuple[str, bytes]]) -> bytes:
    """The "newc" format of the kernel's Documentation/driver-api/early-userspace/buffer-format.rst; an entry without bytes is a
    folder."""
    out = b""
    for number, (name, data) in enumerate([*entries, ("TRAILER!!!", b"")], start=1):
        mode = (stat.S_IFREG if data else stat.S_IFDIR) | 0o755
        fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        head = b"070701" + "".join(f"{field:08x}" for field in fields).encode() + name.encode() + b"\0"
        out += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    return out
