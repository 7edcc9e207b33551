"""The root: what a FAIL names, what it says to do, and which mount and memory count."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.rootfs import ELSEWHERE, rootfs
from wherry.model.container import Tmpfs
from wherry.model.observation import Expectations
from wherry.model.trials import Mount, Refused, Writes
from wherry.model.verdict import Verdict

WANTED = Expectations()
READ_ONLY, WRITABLE = (Mount(path="/", kind="overlay", options=(word,)) for word in ("ro", "rw"))
WRITES = Writes(tried=900, refused=(("read-only file system", 900),), writable=("/tmp",), mounts=(READ_ONLY,))


def judged(writes: Writes = WRITES, *refused: str, tmpfs: tuple[Tmpfs, ...] = ()) -> Verdict:
    return rootfs(observed(replace(CONTAINER, tmpfs=tmpfs), writes=writes, refused=Refused(paths=refused)), WANTED)


@pytest.mark.parametrize(
    ("paths", "step"),
    [
        (("/var/lib/app/x", "/var/lib/app/y"), '[image] writable = ["/var/lib/app"] declares it'),
        (("/srv/a/x", "/srv/a/b/y", "/var/log/z"), '[image] writable = ["/srv/a", "/var/log"] declares them'),
        (("/.cache",), '[image] writable = ["/.cache"] declares it'),
        (("/app/x", "/data.txt", "/etc/x", "/var/log/x"), '[image] writable = ["/var/log"] declares it'),
        (("/app/x", "/app/deeper/x", "/data.txt", "/etc/x", "/proc/1/x"), ELSEWHERE),
    ],
)
def test_what_it_wants_is_declared_where_that_can_be(paths: tuple[str, ...], step: str) -> None:
    verdict = judged(WRITES, *paths)
    assert (verdict.outcome, verdict.seen, verdict.next) == ("FAIL", paths, (step,))


@pytest.mark.parametrize(
    ("found", "step"),
    [
        ({"made": ("/var/cache",)}, '[image] writable = ["/var/cache"] declares it'),
        ({"made": ("/",)}, ELSEWHERE),
        ({"opened": ("/etc",)}, ELSEWHERE),
        ({"changed": ("/srv",)}, '[image] writable = ["/srv"] declares it'),
    ],
)
def test_what_nobody_declared_is_a_failure(found: dict[str, tuple[str, ...]], step: str) -> None:
    verdict = judged(replace(WRITES, **found))
    assert (verdict.outcome, verdict.next) == ("FAIL", (step,))


def test_of_several_mounts_at_the_root_the_last_is_what_is_seen() -> None:
    assert judged(replace(WRITES, mounts=(READ_ONLY, WRITABLE))).outcome == "FAIL"
    assert judged(replace(WRITES, mounts=(WRITABLE, READ_ONLY))).outcome == "PASS"


def test_memory_of_root_is_for_everybody() -> None:
    """/tmp belongs to root; that it cannot be written to is a fault all the same."""
    writes = replace(WRITES, unwilling=("/tmp",))
    assert judged(writes, tmpfs=(Tmpfs(path="/tmp", uid=0, gid=0, mode=0o1777),)).outcome == "FAIL"
    assert judged(writes, tmpfs=(Tmpfs(path="/tmp", uid=7, gid=7, mode=0o700),)).outcome == "PASS"
