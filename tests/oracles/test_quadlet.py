"""podman's own generator, of Debian's next release, reads the printed Quadlet and makes the printed podman command of it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from tests.support import apps
from tests.support.runbook import Book, book
from tests.support.servers import need_root
from tests.support.tools import need
from tests.support.units import values, words

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

RELEASE = "trixie"
GENERATOR = "/usr/lib/systemd/system-generators/podman-system-generator"
#: What a service of podman's has beside it.
OWN = {"--cgroups split", "--cidfile %t/%N.cid", "--replace", "--sdnotify conmon", "-d"}
ALONE = {"-d", "--init", "--read-only", "--replace", "--rm"}
"""Flags without a value."""


@pytest.fixture(scope="module")
def podman() -> Path:
    """A root with podman's files, made once: half a minute and the network."""
    folder = Path(os.environ["GO_TOOL_CACHE"], "podman", RELEASE)
    if not folder.is_dir():
        need("debootstrap", "dpkg-deb", "chroot", "tar")
        need_root()
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _make(folder)
    return folder


def _make(folder: Path) -> None:
    half = folder.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    words = ["debootstrap", "--variant=minbase", "--foreign", "--merged-usr", "--include=podman", RELEASE, str(half)]
    subprocess.run(words, check=True, capture_output=True)
    script = 'dpkg-deb --fsys-tarfile "$0" | tar -x -C "$1" --keep-directory-symlink'
    for archive in sorted((half / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["sh", "-c", script, str(archive), str(half)], check=True, capture_output=True)
    shutil.rmtree(half / "var/cache/apt")
    half.rename(folder)


@pytest.fixture(scope="module")
def shelf() -> Iterator[Book]:
    with book() as found:
        yield found


PLAIN: tuple[str, ...] = ("-p", "8080")
RICH = (
    *("-p", "8080", "-p", "9000:9090", "--memory", "64m", "--cpus", "0.5", "--pids", "50", "--files", "512", "--init"),
    *("-e", "GREETING=a 'b' \"c\" %h $HOME", "-e", "LINES=one\ntwo", "-e", "EMPTY=", "--tmpfs", "/scratch:1m"),
    *(
        "--secret",
        "token=./token",
        "-v",
        "./a, b:/given:ro",
        "-v",
        "./plain:/plain:ro",
        "--cap-add",
        "net_bind_service",
    ),
)


@pytest.mark.parametrize(
    ("said", "arguments"),
    [
        (PLAIN, ()),
        (RICH, ("two words", "100%", "$HOME", 'a"b', "back\\slash")),
        (("--network", "host", "--relax", "seccomp", "--relax", "rootfs", "--relax", "privileges"), ()),
        (("--network", "none", "--relax", "limits", "--relax", "masks", "--relax", "userns"), ()),
    ],
    ids=["plain", "rich", "relaxed", "unlimited"],
)
def test_the_generated_command_is_the_printed_one(
    podman: Path, shelf: Book, said: tuple[str, ...], arguments: tuple[str, ...]
) -> None:
    (shelf.folder / "token").write_text("s3cret")
    for name in ("a, b", "plain"):
        (shelf.folder / name).mkdir(exist_ok=True)
    line = ("run", apps.place("good"), "--name", "box", *said, "--print")
    rest = ("--", *arguments) if arguments else ()
    made = groups(words(generated(podman, shelf.good(*line, "quadlet", *rest)))[2:])
    shell = [one for one in shelf.good(*line, "podman", *rest).split("&&") if one.lstrip().startswith("podman run")]
    run = shell[0].rstrip().removesuffix("\n)")  # with secrets, in a shell that takes their copies away
    printed = groups(shlex.split(run.replace("\\\n", " "))[2:])
    printed = [one for one in printed if not one.startswith("--ulimit nproc=")]  # what this machine has
    assert sorted(one for one in made if one not in OWN) == sorted(printed)
    assert set(made) >= OWN - {"--cidfile %t/%N.cid"}


def generated(podman: Path, unit: str) -> str:
    """The ExecStart= of what the generator makes of a quadlet, without complaint."""
    folder = podman / "units"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "box.container").write_text(unit)
    command = ["chroot", str(podman), "/usr/bin/env", "QUADLET_UNIT_DIRS=/units", GENERATOR, "--dryrun"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "Loading source unit" not in line] == []
    (line,) = values(done.stdout, "Service", "ExecStart")
    return line.replace("%t/%N.cid", "%%t/%%N.cid")


def groups(said: list[str]) -> list[str]:
    """Flags with their values, in one spelling; behind them the image and its arguments."""
    found: list[str] = []
    rest = iter(said)
    for word in rest:
        if not word.startswith("-"):
            return [*found, " ".join((word, *rest))]
        flag, equals, value = word.partition("=")
        text = flag if flag in ALONE and not equals else f"{flag} {value if equals else next(rest)}"
        text = text.upper() if flag.startswith("--cap-") else text.replace(",source=", ",src=")
        found.append(text.replace("/etc/containers/box-", "box-").replace("/run/box-", "box-"))
    return found
