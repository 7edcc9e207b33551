"""Any set of entries: what is written is what is read, by us, by Python's tarfile and by GNU tar."""

from __future__ import annotations

import io
import subprocess
import tarfile  # noqa: TID251 - a second opinion on what we write
from pathlib import Path

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.packing import archive, listing
from tests.support.tools import need
from wherry.oci.tar import Entry

_LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="/\0")
_NAMES = st.one_of(st.text("abcXYZ.-_ 0", min_size=1, max_size=12), st.text(_LETTERS, min_size=1, max_size=60)).filter(
    lambda name: name not in (".", "..") and not name.startswith(".wh.")
)
_IDS = st.integers(0, 2**32 - 2)
_MODES = st.integers(0, 0o7777)


@st.composite
def trees(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Entries with all their parents, in any order."""
    made: dict[str, Entry] = {}
    for _ in range(draw(st.integers(0, 12))):
        folders = [""] + [path for path, entry in made.items() if entry.kind == "directory"]
        above, name = draw(st.sampled_from(folders)), draw(_NAMES)
        path = f"{above}/{name}" if above else name
        plain = Entry(path=path, mode=draw(_MODES), uid=draw(_IDS), gid=draw(_IDS))
        kinds = (
            msgspec.structs.replace(plain, content=draw(st.binary(max_size=1500))),
            msgspec.structs.replace(plain, kind="directory"),
            msgspec.structs.replace(plain, kind="link", target=draw(_NAMES)),
        )
        made.setdefault(path, draw(st.sampled_from(kinds)))
    return tuple(draw(st.permutations(list(made.values()))))


def _rows(entries: tuple[Entry, ...]) -> list[tuple[object, ...]]:
    ordered = sorted(entries, key=lambda entry: entry.path)
    return [(e.path, e.kind, e.mode, e.uid, e.gid, e.target, bytes(e.content)) for e in ordered]  # type: ignore[arg-type] # bytes


@given(trees())
def test_we_read_what_we_wrote(entries: tuple[Entry, ...]) -> None:
    data = archive(entries)
    assert [(m.path, m.kind, m.mode, m.uid, m.gid, m.target, c) for m, c in listing(data)] == _rows(entries)
    assert data == archive(tuple(reversed(entries)))


@given(trees())
def test_python_reads_what_we_wrote(entries: tuple[Entry, ...]) -> None:
    kinds = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "link"}
    rows = []
    with tarfile.open(fileobj=io.BytesIO(archive(entries))) as opened:
        for info in opened:
            body = opened.extractfile(info) if info.isreg() else None
            content = body.read() if body else b""
            rows.append((info.name, kinds[info.type], info.mode, info.uid, info.gid, info.linkname, content))
            assert (info.mtime, info.uname, info.gname) == (0, "", "")
    assert rows == _rows(entries)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(trees())
def test_gnu_tar_reads_what_we_wrote(tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    need("tar")
    done = subprocess.run(
        ["tar", "--quoting-style=escape", "-tf", "-"],
        input=archive(entries), capture_output=True, check=True, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == len(entries)
