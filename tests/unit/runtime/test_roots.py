"""F03 ★: what an image puts where things are mounted: links of all kinds, files for folders; nothing outside is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from wherry.model.container import User
from wherry.runtime import folders, roots
from wherry.runtime.roots import FILES, FOLDERS, NOBODY, Node, Root, make_point, owners, ready, with_points

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
    (base / roots.FACTS).write_bytes(b"{}")
    first = Root(path=str(base / "root"))
    assert with_points(run, first, ("/bin",)) is first
    sister = with_points(run, first, ("/data", "/bin/app"), files=frozenset({"/bin/app"}))
    assert Path(sister.path, "data").is_dir()
    assert not Path(first.path, "data").exists()
    assert Path(sister.path, "bin/app").samefile(Path(first.path, "bin/app")), "no bytes are copied"
    assert with_points(run, first, ("/data",)).path == sister.path
    assert not list((run / "roots").glob(".*"))


NODES = (
    Node("/app", folder=True, mode=0o755, uid=0, gid=0),
    Node("/app/key", folder=False, mode=0o440, uid=0, gid=7),
    Node("/data", folder=True, mode=0o700, uid=5, gid=5),
    Node("/data/dump", folder=False, mode=0o640, uid=6, gid=6),
    Node("/data/open", folder=False, mode=0o644, uid=5, gid=5),
    Node("/data/sub", folder=True, mode=0o700, uid=5, gid=5),
    Node("/data-2", folder=True, mode=0o700, uid=8, gid=8),
    Node("/read", folder=True, mode=0o555, uid=9, gid=9),
    Node("/root", folder=True, mode=0o700, uid=0, gid=0),
    Node("/tool", folder=False, mode=0o754, uid=10, gid=10),
)


def test_who_owns_what() -> None:
    found = owners(NODES)
    assert [(one.path, one.empty) for one in found.owned] == [("/data", False), ("/data-2", True)]
    assert [(one.path, one.uid, one.gid) for one in found.closed] == [
        ("/app/key", 0, 7),
        ("/data", 5, NOBODY),
        ("/data/dump", 6, 6),
        ("/data-2", 8, NOBODY),
        ("/root", 0, NOBODY),
        ("/tool", 10, 10),
    ]


@pytest.mark.parametrize(
    ("without", "user", "path"),
    [
        ("/nothing", User(uid=99, gid=99), "/data"),  # whoever copies the folder of 5 must read it
        ("/data", User(uid=99, gid=99), ""),
        ("/data", User(uid=0, gid=0), "/app/key"),
        ("/data", User(uid=99, gid=0), ""),
        ("/data", User(uid=99, gid=99, groups=(7,)), "/app/key"),
        ("/data", User(uid=8, gid=8), ""),  # hidden below memory
        ("/data", User(uid=10, gid=99), "/tool"),
    ],
)
def test_what_is_closed_to_others(without: str, user: User, path: str) -> None:
    nodes = [one for one in NODES if not f"{one.path}/".startswith(f"{without}/")]
    assert owners(nodes).closed_to_others(user) == path


def test_roots_that_nobody_uses_go(tmp_path: Path) -> None:
    run = folders.prepare(tmp_path / "run")
    for name in ("used", "unused"):
        (run / "roots" / name / "root").mkdir(parents=True)
    used = frozenset({str(run / "roots/used/root")})
    assert roots.drop_unused(run, used, before=0.0) == 0
    assert roots.drop_unused(run, used, before=2e12) == 1
    assert [path.name for path in (run / "roots").iterdir()] == ["used"]
