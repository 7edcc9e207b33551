"""The same sources give the same digest, whatever is around them: folder, clock, umask, locale, threads, user, place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import examples
from tests.support.cli import COMMAND, Done, variables, wherry
from tests.support.registry import fake_registry
from tests.support.servers import need_open, need_root, short_folder
from tests.support.tools import need

pytestmark = pytest.mark.e2e

TOML = """\
platforms = ["linux/amd64", "linux/arm64"]
[image]
writable = ["/var/lib/app"]
[image.health]
path = "/static/"
port = 8080
[[image.assets]]
from = "config"
into = "/etc/app"
[[image.assets]]
from = "docs"
into = "/docs"
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a bit of everything: embedded files, assets, a link, an executable, odd names, two platforms."""
    need("go", "git")
    root = tmp_path_factory.mktemp("source") / "app"
    shutil.copytree(examples.FOLDER / "embed-assets", root)
    (root / "wherry.toml").write_text(TOML)
    (root / "docs/größe").mkdir(parents=True)
    for name in ("a.md", "B.md", "größe/ä.md", "größe/Z.md", "run.sh", "a b.md"):
        (root / "docs" / name).write_text(name)
    (root / "docs/latest.md").symlink_to("a.md")
    return examples.commit(root)


@pytest.fixture(scope="module")
def reference(source: Path) -> str:
    """What a build in usual surroundings prints."""
    return built(source, source.parent / "home")


def built(root: Path, home: Path, *words: str, **environment: str) -> str:
    """`name:tag@digest` of a build that knows nothing of earlier ones."""
    done = wherry("build", "-q", "--no-cache", *words, home=home, cwd=root, **environment)
    assert done.code == 0, done.stderr
    return done.stdout.strip()


def by_shell(script: str, root: Path, home: Path) -> str:
    words = ["bash", "-c", script.replace("{wherry}", " ".join(COMMAND))]
    done = subprocess.run(words, cwd=root, env=variables(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def copy(source: Path, tmp_path: Path) -> Path:
    """The repository with its history in a folder of its own."""
    return Path(shutil.copytree(source, tmp_path / "copy", symlinks=True))


def test_another_folder_with_a_long_odd_name(source: Path, reference: str, tmp_path: Path) -> None:
    deep = tmp_path / "a b" / "größe" / ("long" * 30)
    shutil.copytree(source, deep, symlinks=True)
    assert built(deep, tmp_path / "home") == reference


def test_a_fresh_clone(source: Path, reference: str, tmp_path: Path) -> None:
    subprocess.run(["git", "clone", "-q", str(source), str(tmp_path / "clone")], check=True)
    assert built(tmp_path / "clone", tmp_path / "home") == reference


def test_from_a_folder_below(source: Path, reference: str, tmp_path: Path) -> None:
    assert built(source / "static", tmp_path / "home") == reference
    assert built(source.parent, tmp_path / "home", "-C", source.name) == reference


@pytest.mark.parametrize("umask", ["0", "022", "077"])
def test_umasks(umask: str, source: Path, reference: str, tmp_path: Path) -> None:
    subprocess.run(["bash", "-c", f"umask {umask}; git clone -q {source} {tmp_path}/clone"], check=True)
    assert (
        by_shell(f"umask {umask}; {{wherry}} build -q --no-cache", tmp_path / "clone", tmp_path / "home") == reference
    )


@pytest.mark.parametrize("environment", [{"LC_ALL": "C"}, {"LC_ALL": "tr_TR.UTF-8"}, {"TZ": "Asia/Kathmandu"}], ids=str)
def test_locales_and_zones(environment: dict[str, str], source: Path, reference: str, tmp_path: Path) -> None:
    assert built(source, tmp_path / "home", **environment) == reference


@pytest.mark.parametrize("date", ["1971-02-03 04:05:06", "2038-01-20 00:00:00", "2105-06-07 08:09:10"])
def test_clocks(date: str, source: Path, reference: str, tmp_path: Path) -> None:
    need("faketime")
    script = f"exec faketime '{date}' {{wherry}} build -q --no-cache"
    assert by_shell(script, source, tmp_path / "home") == reference


@pytest.mark.parametrize("moment", [0, 315_532_800, 4_102_444_800])
def test_times_of_files(moment: int, copy: Path, reference: str, tmp_path: Path) -> None:
    for path in copy.rglob("*"):
        if ".git" not in path.parts:
            os.utime(path, (moment, moment), follow_symlinks=False)
    assert built(copy, tmp_path / "home") == reference


@pytest.mark.parametrize("threads", ["1", "2", "8"])
def test_threads(threads: str, source: Path, reference: str, tmp_path: Path) -> None:
    assert built(source, tmp_path / "home", "-j", threads, GOMAXPROCS=threads) == reference


def test_one_processor(source: Path, reference: str, tmp_path: Path) -> None:
    need("taskset")
    assert by_shell("exec taskset -c 0 {wherry} build -q --no-cache", source, tmp_path / "home") == reference


@pytest.fixture(scope="module")
def busy() -> Iterator[None]:
    """A machine with other things to do."""
    children = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(3)]
    yield
    for child in children:
        child.kill()
        child.wait()


def test_on_a_busy_machine(busy: None, source: Path, reference: str, tmp_path: Path) -> None:
    assert built(source, tmp_path / "home") == reference


def test_every_place(source: Path, reference: str, tmp_path: Path) -> None:
    digest = reference.partition("@")[2]
    with fake_registry() as registry:
        places = [
            f"oci:{tmp_path}/o",
            f"oci-archive:{tmp_path}/o.tar",
            "store:x:1",
            f"docker://{registry.host}/team/app:1",
        ]
        words = [word for place in places for word in ("-o", place)]
        lines = built(source, tmp_path / "home", *words).splitlines()
        assert [line.partition("@")[2] for line in lines] == [digest] * len(places)
        assert f"team/app@{digest}" in registry.manifests
    for place in places[:3]:
        done = wherry("inspect", "--json", place, home=tmp_path / "home", cwd=source)
        assert digest in done.stdout


def test_what_caches_hold_makes_no_difference(copy: Path, reference: str, tmp_path: Path) -> None:
    """Cold, warm, after another version, with the kept binaries gone, with the layers gone."""
    home = tmp_path / "home"

    def again() -> str:
        done = wherry("build", "-q", home=home, cwd=copy)
        assert done.code == 0, done.stderr
        return done.stdout.strip()

    assert again() == reference
    assert again() == reference
    main = copy / "main.go"
    text = main.read_text()
    main.write_text(text + "\nfunc unused() { println(1) }\n")
    assert again() != reference
    main.write_text(text)
    assert again() == reference
    for name in ("binaries", "blobs/sha256", "records"):
        for path in (home / "cache/wherry/1" / name).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        assert again() == reference


@pytest.mark.slow
def test_another_user_with_caches_of_their_own(tmp_path: Path) -> None:
    """Nothing of this user, of their Go caches, or of the time is in the image."""
    need("go", "git", "setpriv")
    need_root()
    need_open(Path(sys.executable).parent)
    with short_folder() as folder:
        root = examples.repository("cli", folder)
        mine = built(root, folder / "mine")
        folder.chmod(0o755)
        theirs = folder / "theirs"
        shutil.copytree(root, theirs / "repo")
        subprocess.run(["chown", "-R", "65534:65534", str(theirs)], check=True)
        done = as_nobody(theirs)
        assert (done.code, done.stdout.strip()) == (0, mine), done.stderr


def as_nobody(folder: Path) -> Done:
    home = str(folder / "home")
    environment = variables(Path(home), GOCACHE=f"{home}/gocache", GOMODCACHE=f"{home}/modules", GOFLAGS="-modcacherw")
    words = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *COMMAND, "build", "-q"]
    began = time.monotonic()
    done = subprocess.run(words, cwd=folder / "repo", env=environment, capture_output=True, text=True, check=False)
    assert time.monotonic() - began < 300
    return Done(code=done.returncode, stdout=done.stdout, stderr=done.stderr)
