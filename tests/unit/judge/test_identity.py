"""Who it runs as: from the kernel's words to verdicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.support.observed import CONTAINER, IDENTITY, observed
from wherry.judge import identity as judges
from wherry.model.container import User
from wherry.model.observation import Expectations, Identity, Needless, Observed, Unseen
from wherry.model.verdict import Verdict

Judge = Callable[[Observed, Expectations], Verdict]
WANTED = Expectations()
KINDS = IDENTITY.namespaces or ()
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def replaced(**changes: object) -> Identity:
    return replace(IDENTITY, **changes)


ROWS: tuple[tuple[Judge, Identity, str, str], ...] = (
    (judges.user, IDENTITY, "PASS", "65532:65532, no other groups"),
    (judges.user, replaced(host_uid=805371900), "PASS", "805371900 outside"),
    (judges.user, replaced(groups=(65532,)), "PASS", "65532:65532, no other groups"),
    (judges.user, replaced(uid=0, gid=0), "FAIL", "it runs as root"),
    (judges.user, replaced(uid=1000), "FAIL", "runs as 1000:65532"),
    (judges.user, replaced(groups=(0,)), "FAIL", "65532:65532, 0"),
    (judges.capabilities, IDENTITY, "PASS", "none in any"),
    (judges.capabilities, replaced(capabilities=tuple((name, 0x400) for name in SETS)), "FAIL", "NET_BIND_SERVICE"),
    (
        judges.capabilities,
        replaced(capabilities=tuple((name, 0x400 * (name == "CapBnd")) for name in SETS)),
        "FAIL",
        "NET_",
    ),
    (judges.capabilities, replaced(capabilities=(("CapEff", 0),)), "UNKNOWN", "does not show"),
    (judges.no_new_privileges, IDENTITY, "PASS", "setuid"),
    (judges.no_new_privileges, replaced(no_new_privileges=False), "FAIL", "could gain"),
    (judges.no_new_privileges, replaced(no_new_privileges=None), "UNKNOWN", "does not say"),
    (judges.seccomp, IDENTITY, "PASS", "a filter is active"),
    (judges.seccomp, replaced(seccomp=0), "FAIL", "every system call"),
    (judges.seccomp, replaced(seccomp=None), "UNKNOWN", "does not say"),
    (judges.security_module, IDENTITY, "UNKNOWN", "no AppArmor"),
    (judges.security_module, replaced(security=None), "UNKNOWN", "before that could be seen"),
    (judges.security_module, replaced(security="unconfined"), "UNKNOWN", "no profile"),
    (judges.security_module, replaced(security="unconfined (enforce)"), "UNKNOWN", "no profile"),
    (judges.security_module, replaced(security="docker-default (enforce)"), "PASS", "docker-default"),
    (judges.isolation, IDENTITY, "PASS", "its own"),
    (judges.isolation, replaced(namespaces=None), "UNKNOWN", "hidden"),
    *(
        (judges.isolation, replaced(namespaces=tuple(one for one in KINDS if one != kind)), "FAIL", f"machine's {kind}")
        for kind in KINDS
    ),
)


@pytest.mark.parametrize(
    ("judge", "seen", "outcome", "words"), ROWS, ids=lambda one: getattr(one, "__name__", str(one)[:20])
)
def test_what_the_kernel_says_is_judged(judge: Judge, seen: Identity, outcome: str, words: str) -> None:
    verdict = judge(observed(identity=seen), WANTED)
    assert verdict.outcome == outcome
    assert words in verdict.summary


@pytest.mark.parametrize("judge", dict.fromkeys(row[0] for row in ROWS))
def test_what_was_not_seen_is_never_passed(judge: Judge) -> None:
    assert judge(observed(identity=Unseen(why="no /proc")), WANTED).outcome == "UNKNOWN"
    assert judge(observed(identity=Needless(why="nothing runs")), WANTED).outcome == "SKIP"


def test_a_capability_that_was_asked_for_is_no_failure() -> None:
    asked = replace(CONTAINER, capabilities=("CAP_NET_BIND_SERVICE",))
    seen = replaced(capabilities=tuple((name, 0 if name == "CapInh" else 0x400) for name in SETS))
    assert judges.capabilities(observed(asked, identity=seen), WANTED).outcome == "PASS"


def test_another_capability_than_the_one_that_was_asked_for_is_a_failure() -> None:
    asked = replace(CONTAINER, capabilities=("CAP_NET_BIND_SERVICE",))
    seen = replaced(capabilities=tuple((name, 1 << 21) for name in SETS))
    verdict = judges.capabilities(observed(asked, identity=seen), WANTED)
    assert (verdict.outcome, verdict.summary) == ("FAIL", "nobody asked for SYS_ADMIN")
    assert verdict.seen[0] == "CapInh holds SYS_ADMIN"


def test_a_capability_newer_than_the_list_is_a_failure_too() -> None:
    seen = replaced(capabilities=tuple((name, 1 << 60) for name in SETS))
    assert judges.capabilities(observed(identity=seen), WANTED).summary == "nobody asked for 60"


def test_ids_of_its_own_that_were_decided_and_are_not_there_are_a_failure() -> None:
    asked = replace(CONTAINER, id_base=100000)
    verdict = judges.isolation(observed(asked, identity=IDENTITY), WANTED)
    assert (verdict.outcome, verdict.summary) == ("FAIL", "it shares this machine's user")
    verdict = judges.isolation(observed(asked, identity=replaced(namespaces=(*KINDS, "user"))), WANTED)
    assert verdict.outcome == "PASS"


def test_root_is_a_failure_even_where_somebody_asked_for_it() -> None:
    asked = replace(CONTAINER, user=User(uid=0, gid=0))
    assert judges.user(observed(asked, identity=replaced(uid=0, gid=0)), WANTED).outcome == "FAIL"
