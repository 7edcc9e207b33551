"""Certificates, time zones, names and users: from what was tried, and what the program links, to verdicts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from tests.support.observed import observed
from wherry.judge.surroundings import dns, tls, users, zones
from wherry.model.observation import Expectations, Observed, Unseen
from wherry.model.trials import Links, Surroundings
from wherry.model.verdict import Verdict

Judge = Callable[[Observed, Expectations], Verdict]
WANTED = Expectations()
WHOLE = Surroundings(
    certificates=145,
    authority="ISRG Root X1",
    zones=(("Asia/Tokyo", ""), ("Europe/Berlin", "")),
    addresses=("127.0.0.1",),
    files=(("/etc/hosts", ""), ("/etc/nsswitch.conf", "")),
    user="nonroot",
    home="/home/nonroot",
)
EMPTY = Surroundings(
    distrust="none of them",
    zones=(("Asia/Tokyo", "unknown time zone Asia/Tokyo"), ("Europe/Berlin", "unknown time zone Europe/Berlin")),
    lookup="connection refused",
    files=(("/etc/nsswitch.conf", "open /etc/nsswitch.conf: no such file or directory"),),
    nobody="user: Current requires cgo or $USER set in environment",
)
ALL = Links(tls="crypto/tls.dial", zones="time.LoadLocation", names="net.Dial", users="os/user.Current")
UNREADABLE = (("/etc/nsswitch.conf", "open /etc/nsswitch.conf: permission denied"),)

ROWS: tuple[tuple[Judge, Surroundings, Links, str, str], ...] = (
    (tls, WHOLE, ALL, "PASS", "145 authorities; the chain of ISRG Root X1 is verified"),
    (tls, EMPTY, ALL, "FAIL", "no certificate authorities"),
    (tls, replace(EMPTY, certificates=140), ALL, "FAIL", "no well-known authority"),
    (tls, replace(EMPTY, certificates=1), ALL, "PASS", "1 authorities of your own"),
    (tls, EMPTY, replace(ALL, own_certificates=True), "PASS", "brings authorities of its own"),
    (tls, WHOLE, replace(ALL, own_certificates=True), "PASS", "145 authorities; the chain"),
    (tls, replace(EMPTY, certificates=140), replace(ALL, own_certificates=True), "FAIL", "no well-known authority"),
    (tls, EMPTY, replace(ALL, tls=""), "SKIP", "links nothing"),
    (zones, WHOLE, ALL, "PASS", "Asia/Tokyo, Europe/Berlin"),
    (zones, EMPTY, ALL, "FAIL", "cannot be loaded"),
    (zones, EMPTY, replace(ALL, own_zones=True), "PASS", "time zones of its own"),
    (zones, EMPTY, replace(ALL, zones=""), "SKIP", "links nothing"),
    (dns, WHOLE, ALL, "PASS", "localhost is 127.0.0.1"),
    (dns, EMPTY, ALL, "FAIL", "localhost has no address"),
    (dns, replace(WHOLE, files=UNREADABLE), ALL, "FAIL", "cannot read what resolving needs"),
    (dns, replace(WHOLE, files=EMPTY.files), ALL, "PASS", "127.0.0.1"),
    (dns, EMPTY, replace(ALL, names=""), "SKIP", "links nothing"),
    (users, WHOLE, ALL, "PASS", "nonroot, at home in /home/nonroot"),
    (users, EMPTY, ALL, "FAIL", "has no name"),
    (users, replace(WHOLE, home=""), ALL, "FAIL", "has no home"),
    (users, EMPTY, replace(ALL, users=""), "SKIP", "links nothing"),
)


@pytest.mark.parametrize(("judge", "seen", "links", "outcome", "words"), ROWS)
def test_a_verdict(judge: Judge, seen: Surroundings, links: Links, outcome: str, words: str) -> None:
    given = judge(observed(surroundings=seen, links=links), WANTED)
    assert (given.outcome, words in given.summary) == (outcome, True), given


@pytest.mark.parametrize("judge", [tls, zones, dns, users])
def test_what_nobody_knows_the_need_of(judge: Judge) -> None:
    """A program that is not Go's: what works has passed, what does not may not be needed."""
    other = Unseen(why="no Go program")
    assert judge(observed(surroundings=WHOLE, links=other), WANTED).outcome == "PASS"
    assert judge(observed(surroundings=EMPTY, links=other), WANTED).outcome == "UNKNOWN"
    assert judge(observed(surroundings=Unseen(why="no Go here"), links=ALL), WANTED).outcome == "UNKNOWN"


def test_a_failure_says_what_was_tried_and_what_links_it() -> None:
    given = zones(observed(surroundings=EMPTY, links=ALL), WANTED)
    assert given.seen == (
        "Asia/Tokyo: unknown time zone Asia/Tokyo",
        "Europe/Berlin: unknown time zone Europe/Berlin",
        "the program links time.LoadLocation",
    )
    assert given.next
