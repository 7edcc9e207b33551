"""wherry.lock: what is written is what is read, what people break is told, and what moved is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.planning import decision, inputs
from wherry.errors import RefusedError, UsageError
from wherry.model.lock import Lock, LockedBase, LockedPlatform, Moved
from wherry.model.plan import Plan
from wherry.plan import drift, lockfile
from wherry.plan.make import make_plan

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
BASE = LockedBase(
    reference="docker.io/library/alpine:3",
    digest=ONE,
    created="2026-11-01T10:00:00Z",
    platforms=(
        LockedPlatform(platform="linux/amd64", digest=TWO),
        LockedPlatform(platform="linux/arm/v7", digest=ONE),
    ),
)
PARTS = (
    ("certifi", "2026.10.18"),
    ("deflate", "0.9.0"),
    ("go", "go1.26.8"),
    ("tzdata", "2026f"),
    ("zstandard", "1.5.7"),
)
LOCK = Lock(bases=(BASE, LockedBase(reference="oci:bases/web:1", digest=TWO)), parts=PARTS)
TEXT = lockfile.text_of(LOCK)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert lockfile.parse(TEXT) == LOCK
    assert lockfile.load(tmp_path) is None
    assert lockfile.write(tmp_path, LOCK)
    assert lockfile.load(tmp_path) == LOCK
    assert not lockfile.write(tmp_path, LOCK)


def test_the_order_does_not_depend_on_who_wrote_it() -> None:
    shuffled = Lock(bases=tuple(reversed(LOCK.bases)), parts=tuple(reversed(LOCK.parts)))
    assert lockfile.text_of(shuffled) == TEXT
    assert lockfile.parse(TEXT.replace("\n", "\r\n")) == LOCK


def test_the_file_looks_like_this() -> None:
    assert TEXT.splitlines()[4:21] == [
        "version = 1",
        "",
        "[parts]",
        'certifi = "2026.10.18"',
        'deflate = "0.9.0"',
        'go = "go1.26.8"',
        'tzdata = "2026f"',
        'zstandard = "1.5.7"',
        "",
        "[[base]]",
        'reference = "docker.io/library/alpine:3"',
        f'digest = "{ONE}"',
        'created = "2026-11-01T10:00:00Z"',
        "",
        "[base.platforms]",
        f'"linux/amd64" = "{TWO}"',
        f'"linux/arm/v7" = "{ONE}"',
    ]


@pytest.mark.parametrize(
    ("old", "new", "name", "where"),
    [
        ("version = 1", "<<<<<<< HEAD\nversion = 1\n=======", "lock-conflict", "wherry.lock:5"),
        ("version = 1", "", "bad-lock", "wherry.lock"),
        ("version = 1", "version = 2", "newer-lock", "wherry.lock"),
        ("version = 1", 'version = "1"', "bad-lock", "wherry.lock"),
        ("created =", "creatd =", "unknown-key", "wherry.lock:17:1"),
        ("[parts]", "[part]", "unknown-key", "wherry.lock:7:"),
        ('go = "go1.26.8"', "go = 126", "bad-setting", "wherry.lock:10:1"),
        (f'digest = "{ONE}"', 'digest = "sha256:1"', "bad-lock", "wherry.lock"),
        (f'digest = "{ONE}"', "", "bad-setting", "wherry.lock"),
        ("linux/arm/v7", "plan9/arm", "bad-lock", "wherry.lock"),
        ("oci:bases/web:1", "docker.io/library/alpine:3", "bad-lock", "wherry.lock"),
        ("oci:bases/web:1", "", "bad-lock", "wherry.lock"),
        ("oci:bases/web:1", "a b", "bad-lock", "wherry.lock"),
        ("[parts]", "[parts", "toml-syntax", "wherry.lock:7:"),
    ],
)
def test_what_people_break_is_told(old: str, new: str, name: str, where: str) -> None:
    assert old in TEXT
    with pytest.raises(UsageError) as caught:
        lockfile.parse(TEXT.replace(old, new, 1))
    assert caught.value.name == name
    assert caught.value.where[0].startswith(where)


def test_files_that_are_no_locks(tmp_path: Path) -> None:
    (tmp_path / "wherry.lock").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not UTF-8"):
        lockfile.load(tmp_path)
    (tmp_path / "wherry.lock").unlink()
    (tmp_path / "wherry.lock").symlink_to("/etc/hostname")
    for use in (lockfile.load, lambda root: lockfile.write(root, LOCK)):
        with pytest.raises(UsageError) as caught:
            use(tmp_path)
        assert caught.value.name == "unsafe-file"


def planned(toml: str, lock: Lock | None = LOCK) -> Plan:
    return make_plan(replace(inputs(toml), lock=lock))


def test_a_plan_uses_what_is_locked_and_says_so() -> None:
    made = planned('[image]\nbase = "alpine"\n')
    assert made.images[0].base.digest == ONE
    assert decision(made, "base-name").value == "docker.io/library/alpine:3"
    assert (decision(made, "base-digest").value, decision(made, "base-digest").reason) == (
        ONE,
        "wherry.lock, made 2026-11-01",
    )
    assert planned('[image]\nbase = "oci:bases/web:1"\n').images[0].base.digest == TWO
    for lock in (None, Lock()):
        free = planned('[image]\nbase = "alpine"\n', lock)
        assert free.images[0].base.digest == ""
        assert decision(free, "base-digest").value == "not locked"


def test_a_digest_in_the_reference_comes_before_the_lock() -> None:
    made = planned(f'[image]\nbase = "alpine:3@{TWO}"\n')
    assert made.images[0].base.digest == TWO
    assert drift.moved(made, LOCK, PARTS) == ()


def test_nothing_moved() -> None:
    assert drift.moved(planned('[image]\nbase = "alpine"\n'), LOCK, PARTS) == ()
    assert drift.check((), strict=True) == ()


def test_only_parts_that_decide_the_bytes_count() -> None:
    other = tuple((name, "9") for name, _ in PARTS)
    assert [one.what for one in drift.moved(planned(""), LOCK, other)] == ["certifi", "deflate", "go", "tzdata"]
    foreign = planned('[image]\nbase = "alpine"\ncompression = "zstd"\n')
    assert [one.what for one in drift.moved(foreign, LOCK, other)] == ["go", "zstandard"]


def test_what_moved_is_warned_of_or_refused_line_by_line() -> None:
    made = planned('[image]\nbase = "debian"\n')
    moved = drift.moved(made, LOCK, (("deflate", "0.9.0"), ("go", "go1.27.0")))
    assert moved == (
        Moved(what="go", locked="go1.26.8", now="go1.27.0"),
        Moved(what="docker.io/library/debian:stable-slim", base=True),
    )
    findings = drift.check(moved, strict=False)
    assert [one.name for one in findings] == ["lock-parts", "lock-misses"]
    with pytest.raises(RefusedError) as caught:
        drift.check(moved, strict=True)
    assert (caught.value.name, caught.value.where) == (
        "lock-drift",
        ("go   go1.26.8 locked, go1.27.0 here", "docker.io/library/debian:stable-slim   not locked"),
    )


@pytest.mark.parametrize(
    ("moved", "steps"),
    [
        (("go", "go1.26.8"), ("wherry build --locked --toolchain go1.26.8", "wherry base lock")),
        (("go", ""), ("wherry base lock",)),
        (("go", "devel +abc"), ("wherry base lock",)),
        (("certifi", "2025.1.1"), ("wherry base lock",)),
    ],
)
def test_another_go_is_asked_for_before_the_lock_is_given_up(moved: tuple[str, str], steps: tuple[str, ...]) -> None:
    one = Moved(what=moved[0], locked=moved[1], now="go1.27.0")
    with pytest.raises(RefusedError) as caught:
        drift.check((one,), strict=True)
    assert caught.value.next == steps


def test_the_plan_does_not_depend_on_a_lock_that_it_does_not_need() -> None:
    assert planned("").images == planned("", None).images
