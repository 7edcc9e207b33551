"""What images hold: from listings to verdicts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, observed
from wherry.judge.contents import setuid, shell, size, sources, writable_files
from wherry.judge.secrets import secrets
from wherry.judge.table import CHECKS
from wherry.model.container import User
from wherry.model.contents import Contents, File, Leak
from wherry.model.observation import Expectations, Unseen

WANTED = Expectations()
DIGESTS = ("sha256:" + "a" * 64, "sha256:" + "b" * 64)
APP = File(path="/app/app", kind="file", mode=0o555, size=9_000_000, layer=2)
GOOD = Contents(
    layers=DIGESTS,
    files=(
        File(path="/app", kind="directory", mode=0o755),
        APP,
        File(path="/etc/passwd", kind="file", mode=0o444),
        File(path="/tmp", kind="directory", mode=0o1777),
    ),
    unpacked=9_100_000,
    packed=3_000_000,
)


def with_file(path: str, mode: int = 0o755, kind: str = "file", **fields: object) -> Contents:
    return replace(GOOD, files=(*GOOD.files, replace(File(path=path, kind=kind, mode=mode, layer=2), **fields)))


def test_a_good_image_passes_all() -> None:
    for judge in (shell, setuid, writable_files, sources, secrets):
        assert judge(observed(contents=GOOD), WANTED).outcome == "PASS"


def test_an_image_that_could_not_be_read_is_unknown() -> None:
    for check in CHECKS:
        if check.needs == ("contents",):
            verdict = check.judge(observed(contents=Unseen(why="no layer is here")), WANTED)
            assert (verdict.outcome, verdict.summary) == ("UNKNOWN", "no layer is here")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/bin/sh", "shell"), ("/busybox/busybox", "shell"), ("/usr/bin/python3.11", "interpreter"),
        ("/usr/bin/perl", "interpreter"), ("/sbin/apk", "package manager"), ("/usr/bin/dpkg", "package manager"),
    ],
)  # fmt: skip
def test_a_tool_for_intruders(path: str, kind: str) -> None:
    verdict = shell(observed(contents=with_file(path)), WANTED)
    assert verdict.outcome == "FAIL"
    assert verdict.seen == (f"{path}: {kind}",)
    assert verdict.where == (f"{path}   layer 2 of 2, sha256:{'b' * 12}",)


def test_a_link_is_started_by_its_name() -> None:
    assert shell(observed(contents=with_file("/bin/ash", 0o777, "link", target="busybox")), WANTED).outcome == "FAIL"


@pytest.mark.parametrize(("path", "mode"), [("/etc/sh", 0o444), ("/usr/bin/shadow", 0o755), ("/usr/share/perl", 0o644)])
def test_what_only_is_called_like_one(path: str, mode: int) -> None:
    assert shell(observed(contents=with_file(path, mode)), WANTED).outcome == "PASS"


def test_an_application_may_be_called_like_a_shell() -> None:
    seen = replace(with_file("/app/fish"), environment=(("PATH", "/app"),))
    for word in ("/app/fish", "fish"):
        container = replace(CONTAINER, arguments=(word, "serve"))
        assert shell(observed(container, contents=seen), WANTED).outcome == "PASS"


def test_many_tools_are_counted_and_few_shown() -> None:
    many = replace(GOOD, files=tuple(File(path=f"/bin/python3.{n}", kind="file", mode=0o755) for n in range(20)))
    verdict = shell(observed(contents=many), WANTED)
    assert verdict.summary == "20 programs for intruders: interpreter"
    assert verdict.seen[-1] == "... and 12 more"
    assert len(verdict.seen) == 9


@pytest.mark.parametrize(
    ("mode", "capabilities", "words"),
    [(0o4755, False, "setuid, of user 0"), (0o2755, False, "setgid, of group 0"), (0o755, True, "file capabilities")],
)
def test_files_that_give_rights(mode: int, capabilities: bool, words: str) -> None:
    verdict = setuid(observed(contents=with_file("/usr/bin/x", mode, capabilities=capabilities)), WANTED)
    assert (verdict.outcome, verdict.seen) == ("FAIL", (f"/usr/bin/x: {words}",))


def test_a_folder_may_be_setgid() -> None:
    assert setuid(observed(contents=with_file("/var/local", 0o2775, "directory")), WANTED).outcome == "PASS"


@pytest.mark.parametrize(
    ("path", "mode", "kind", "outcome"),
    [
        ("/etc/x", 0o666, "file", "FAIL"),
        ("/srv", 0o777, "directory", "FAIL"),
        ("/var/tmp", 0o1777, "directory", "PASS"),
        ("/etc/l", 0o777, "link", "PASS"),
        ("/etc/x", 0o664, "file", "PASS"),
    ],
)
def test_what_everybody_may_write(path: str, mode: int, kind: str, outcome: str) -> None:
    assert writable_files(observed(contents=with_file(path, mode, kind)), WANTED).outcome == outcome


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"uid": 65532, "mode": 0o755}, "FAIL"),
        ({"uid": 65532, "mode": 0o555}, "PASS"),
        ({"gid": 7, "mode": 0o775}, "FAIL"),
        ({"gid": 8, "mode": 0o775}, "PASS"),
    ],
)
def test_a_program_that_its_user_may_change(changes: dict[str, int], outcome: str) -> None:
    container = replace(CONTAINER, user=User(uid=65532, gid=65532, groups=(7,)))
    seen = replace(GOOD, files=(GOOD.files[0], replace(APP, **changes)))
    verdict = writable_files(observed(container, contents=seen), WANTED)
    assert verdict.outcome == outcome
    assert outcome == "PASS" or "its own user may replace it" in verdict.seen[0]


def test_root_who_runs_his_own_program_is_the_fault_of_another_check() -> None:
    container = replace(CONTAINER, user=User(uid=0, gid=0))
    seen = replace(GOOD, files=(GOOD.files[0], replace(APP, mode=0o755)))
    assert writable_files(observed(container, contents=seen), WANTED).outcome == "PASS"


def test_a_program_in_a_folder_of_its_user() -> None:
    link = File(path="/bin/run", kind="link", target="../home/app/run")
    folder = File(path="/home/app", kind="directory", mode=0o755, uid=65532)
    program = File(path="/home/app/run", kind="file", mode=0o555)
    seen = replace(GOOD, files=(link, folder, program))
    verdict = writable_files(observed(replace(CONTAINER, arguments=("run",)), contents=seen), WANTED)
    assert verdict.seen == ("/home/app: its own user may replace it, mode 0755, owner 65532:0",)


@pytest.mark.parametrize(
    ("path", "kind", "outcome"),
    [
        ("/src/main.go", "file", "FAIL"),
        ("/go.mod", "file", "FAIL"),
        ("/srv/.git", "directory", "FAIL"),
        ("/app/x.golden", "file", "PASS"),
    ],
)
def test_sources(path: str, kind: str, outcome: str) -> None:
    assert sources(observed(contents=with_file(path, kind=kind)), WANTED).outcome == outcome


@pytest.mark.parametrize(
    ("budget", "outcome", "words"),
    [
        (0, "SKIP", "9.1 MB unpacked, 3.0 MB to pull; no budget"),
        (10_000_000, "PASS", "the budget is 10.0 MB"),
        (9_100_000, "PASS", "the budget is 9.1 MB"),
        (9_099_999, "FAIL", "over its budget of 9.1 MB"),
        (9_000_000, "FAIL", "0.1 MB over its budget of 9.0 MB"),
    ],
)
def test_a_budget(budget: int, outcome: str, words: str) -> None:
    verdict = size(observed(contents=GOOD), Expectations(size=budget))
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict.summary


def test_a_package_is_not_packed_yet() -> None:
    assert "to pull" not in size(observed(contents=replace(GOOD, packed=None)), WANTED).summary


def test_secrets_are_told_by_kind_and_place() -> None:
    leaks = (
        Leak(what="a private key", place="/etc/tls.key", layer=1, hidden=True),
        Leak(what="a value for DB_PASSWORD", place="ENV DB_PASSWORD"),
    )
    verdict = secrets(observed(contents=replace(GOOD, leaks=leaks)), WANTED)
    assert verdict.summary == "it gives away 2 secrets"
    assert verdict.seen[0] == "/etc/tls.key: a private key; deleted above layer 1, and still in it"
    assert verdict.where == (f"/etc/tls.key   layer 1 of 2, sha256:{'a' * 12}", "ENV DB_PASSWORD")
