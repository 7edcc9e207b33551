"""What counts: waivers with their day, UNKNOWNs of the machine, lists; and places of causes in the sources."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from wherry.judge.places import Sources, placed
from wherry.judge.policy import OF_THE_HOST, Policy, counts, notes, settled
from wherry.model.place import Place
from wherry.model.plan import Decision
from wherry.model.project import Inferred
from wherry.model.verdict import Outcome, Verdict, Waiver


def verdict(outcome: Outcome, check: str = "shell", *, host: bool = False) -> Verdict:
    return Verdict(check=check, outcome=outcome, summary="as seen", host=host)


FAIL, UNKNOWN, HOST = verdict("FAIL"), verdict("UNKNOWN"), verdict("UNKNOWN", "apparmor", host=True)
WRONG = replace(UNKNOWN, acceptable=False)
WAIVER = Waiver(check="shell", reason="until the base is changed", until="2026-12-31")
ACCEPTED = "accepted until 2026-12-31: until the base is changed"


@pytest.mark.parametrize(
    ("one", "policy", "waived"),
    [
        (FAIL, Policy(), ""),
        (FAIL, Policy(accepting="accept"), ""),
        (FAIL, Policy(waivers=(WAIVER,), today="2026-12-31"), ACCEPTED),
        (FAIL, Policy(waivers=(WAIVER,), today="2027-01-01"), ""),
        (UNKNOWN, Policy(waivers=(WAIVER,), today="2026-01-01", accepting="fail"), ACCEPTED),
        (UNKNOWN, Policy(), ""),
        (UNKNOWN, Policy(unknown=("shell",)), "accepted by [prove] unknown"),
        (UNKNOWN, Policy(accepting="accept"), "accepted by [prove] unknown"),
        (WRONG, Policy(unknown=("shell",)), ""),
        (WRONG, Policy(accepting="accept"), ""),
        (WRONG, Policy(waivers=(WAIVER,), today="2026-01-01"), ACCEPTED),
        (HOST, Policy(), OF_THE_HOST),
        (HOST, Policy(accepting="fail"), ""),
        (HOST, Policy(unknown=("apparmor",), accepting="fail"), "accepted by [prove] unknown"),
        (verdict("PASS"), Policy(waivers=(WAIVER,)), ""),
        (verdict("SKIP"), Policy(accepting="accept"), ""),
    ],
)
def test_what_is_accepted(one: Verdict, policy: Policy, waived: str) -> None:
    (found,) = settled((one,), policy)
    assert found.waived == waived
    assert counts(found, one.outcome) is not bool(waived)


@pytest.mark.parametrize(
    ("one", "today", "names"),
    [
        (FAIL, "2027-01-01", ("waiver-ended",)),
        (FAIL, "2026-12-31", ()),
        (FAIL, "2026-01-01", ()),
        (verdict("PASS"), "2026-01-01", ("waiver-unneeded",)),
        (verdict("PASS"), "2027-01-01", ("waiver-unneeded",)),
    ],
)
def test_what_is_worth_a_note(one: Verdict, today: str, names: tuple[str, ...]) -> None:
    assert tuple(found.name for found in notes((one,), Policy(waivers=(WAIVER,), today=today))) == names


def fact(kind: str, value: str, line: int, certainty: str = "found") -> Inferred:
    return Inferred(kind=kind, value=value, place=Place(file="cmd/a/main.go", line=line), certainty=certainty)


PORT = fact("port", "8080", 51, "guess")


@pytest.mark.parametrize(
    ("check", "sources", "where"),
    [
        ("drain", Sources(inferred=(PORT,)), "cmd/a/main.go:51 starts the server; no signal handler found"),
        ("drain", Sources(inferred=(PORT, fact("graceful-stop", "shutdown", 60))), "cmd/a/main.go:60 calls Shutdown"),
        ("start", Sources(inferred=(PORT,)), "cmd/a/main.go:51 listens on 8080, a guess"),
        ("ports", Sources(inferred=(fact("loopback-port", "8080", 7),)), "cmd/a/main.go:7 listens on 8080, from inside alone"),
        ("ready", Sources(ready="cmd/a/main.go:9"), "cmd/a/main.go:9 the readiness route"),
        ("health", Sources(decisions=(
            Decision(name="health", value="GET /h every 30 s", reason="", origin="guess", place=Place(file="a.go", line=3)),
        )), "a.go:3 GET /h every 30 s, a guess"),
    ],
)  # fmt: skip
def test_where_the_cause_is(check: str, sources: Sources, where: str) -> None:
    (found,) = placed((verdict("FAIL", check),), sources)
    assert found.where == (where,)
    assert bool(found.concluded) is (check == "ready")


def test_a_pass_has_no_place_and_an_image_no_sources() -> None:
    for one, sources in ((verdict("PASS", "drain"), Sources(inferred=(PORT,))), (verdict("FAIL", "drain"), Sources())):
        assert placed((one,), sources) == (one,)


def test_places_of_the_look_stay() -> None:
    one = replace(verdict("FAIL", "start"), where=("/etc/x   layer 1 of 1",))
    assert placed((one,), Sources(inferred=(PORT,)))[0].where[0] == "/etc/x   layer 1 of 1"
