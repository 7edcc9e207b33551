"""F03 ★: what an image puts where things are mounted: links of all kinds, files for folders; nothing outside is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.runtime import folders, roots
from wherry.runtime.roots import FILES, FOLDERS, Root, make_point, ready, with_points

LINKS = ("/", "/etc", "..", "../../../outside", "/proc/self/root", "self", "tmp", "/nowhere")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").write_text("mine")
    return folder


@pytest.mark.parametrize("name", [name for name, _ in FOLDERS])
@pytest.mark.parametrize("target", [*LINKS, "OUTSIDE"])
def test_f03_no_mount_point_is_a_link(tmp_path: Path, outside: Path, name: str, target: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / name).symlink_to(outside if target == "OUTSIDE" else target)
    ready(root)
    for folder, _ in FOLDERS:
        assert (root / folder).is_dir()
        assert not (root / folder).is_symlink()
    assert [path.name for path in outside.iterdir()] == ["file"]
    assert (root / "tmp").stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize("file", FILES)
def test_f03_a_link_where_a_file_is_mounted(tmp_path: Path, outside: Path, file: str) -> None:
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / file).symlink_to(outside / "file")
    ready(root)
    assert not (root / file).is_symlink()
    assert (outside / "file").read_text() == "mine"


@pytest.mark.parametrize("kind", ["link above", "chain", "loop", "file above", "last", "file for folder"])
def test_f03_a_volume_target_stays_inside(tmp_path: Path, outside: Path, kind: str) -> None:
    root = tmp_path / "root"
    (root / "var").mkdir(parents=True)
    if kind == "link above":
        (root / "var/lib").symlink_to(outside)
    elif kind == "chain":
        (root / "a").symlink_to(outside)
        (root / "var/lib").symlink_to("../a")
    elif kind == "loop":
        (root / "var/lib").symlink_to("lib")
    elif kind == "file above":
        (root / "var/lib").write_text("x")
    else:
        (root / "var/lib").mkdir()
        (root / "var/lib/data").symlink_to(outside) if kind == "last" else (root / "var/lib/data").write_text("x")
    make_point(root, "/var/lib/data", file=False)
    assert (root / "var/lib/data").is_dir()
    assert not any((root / part).is_symlink() for part in ("var", "var/lib", "var/lib/data"))
    assert [path.name for path in outside.iterdir()] == ["file"]


def test_a_shared_root_is_never_changed(tmp_path: Path) -> None:
    run = folders.prepare(tmp_path / "run")
    base = run / "roots/base"
    (base / "root/bin").mkdir(parents=True)
    (base / "root/bin/app").write_text("program")
    (base / roots.FACTS).write_bytes(b"[]")
    first = Root(path=str(base / "root"))
    assert with_points(run, first, ("/bin",)) is first
    sister = with_points(run, first, ("/data", "/bin/app"), files=frozenset({"/bin/app"}))
    assert Path(sister.path, "data").is_dir()
    assert not Path(first.path, "data").exists()
    assert Path(sister.path, "bin/app").samefile(Path(first.path, "bin/app")), "no bytes are copied"
    assert with_points(run, first, ("/data",)).path == sister.path
    assert not list((run / "roots").glob(".*"))


def test_roots_that_nobody_uses_go(tmp_path: Path) -> None:
    run = folders.prepare(tmp_path / "run")
    for name in ("used", "unused"):
        (run / "roots" / name / "root").mkdir(parents=True)
    used = frozenset({str(run / "roots/used/root")})
    assert roots.drop_unused(run, used, before=0.0) == 0
    assert roots.drop_unused(run, used, before=2e12) == 1
    assert [path.name for path in (run / "roots").iterdir()] == ["used"]
