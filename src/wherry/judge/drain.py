"""Does it stop in peace: "8 of 8 requests survived SIGTERM, so PASS"."""

from __future__ import annotations

from wherry.judge.answer import failed, milliseconds, never_accepted, nothing, passed, unknown
from wherry.judge.start import portless
from wherry.kit.ports import GONE
from wherry.model.observation import Drain, DrainTry, Expectations, Needless, Observed, Start
from wherry.model.verdict import Verdict

NAME = "drain"
UNHANDLED = 2
AT_ONCE = 0.05
"""Seconds."""
PEACE = (0, 143)
"""Its own end, or that of SIGTERM once all was done."""


def drain(observed: Observed, _: Expectations) -> Verdict:
    """PASS: in every try all requests under way were answered, new ones were answered until they were refused, and it ended with
    0 within its grace; the end alone, where it has no port for requests."""
    match observed.drain:
        case Needless() as why:
            return nothing(NAME, why)
        case _ if isinstance(observed.start, Start) and observed.start.ended is not None:
            return unknown(NAME, "it ends by itself before it is stopped, see start")
        case Drain(tries=()):
            return unknown(NAME, "it was not stopped")
        case Drain() as seen:
            return _judged(seen, observed)
        case why:
            return nothing(NAME, why)


def _judged(seen: Drain, observed: Observed) -> Verdict:
    worst = max(seen.tries, key=_badness)
    lost = [sum(not _good(answer.status) for answer in one.answers) for one in seen.tries]
    all_of = len(worst.answers)
    story = _story(seen, worst)
    times = f"in {sum(map(_is_bad, seen.tries))} of {len(seen.tries)} tries"
    if worst.exit_code is None:
        return failed(
            NAME,
            f"it did not stop within {seen.grace:g} s of {seen.signal}, {times}",
            *story,
            next=f"handle {seen.signal}: wherry explain drain",
        )
    if any(lost):
        return failed(
            NAME, f"stopping lost {max(lost)} of {all_of} requests, {times}", *story, next=_mended(seen, worst)
        )
    if worst.exit_code not in PEACE:
        return failed(NAME, f"it stopped with status {worst.exit_code}, {times}", *story, next=_mended(seen, worst))
    if _late_losses(worst):
        return failed(
            NAME,
            f"it let {_late_losses(worst)} new requests in after {seen.signal} and lost them, {times}",
            *story,
            next="close the listener, then wait: http.Server.Shutdown",
        )
    ended = f"ended with {worst.exit_code} after {milliseconds(worst.seconds)}"
    if not seen.route and portless(observed):
        return passed(NAME, f"{ended}, and no port takes requests; {len(seen.tries)} tries")
    if not seen.route:
        step = "--slow-route /report, or [prove] slow-route in wherry.toml: a GET that takes a second or two"
        return unknown(NAME, f"{ended}; requests under way need [prove] slow-route", *story, next=(step,))
    if not all_of:
        return _hasty(seen, worst, ended, story)
    return _well(seen, ended, story)


def _well(seen: Drain, ended: str, story: tuple[str, ...]) -> Verdict:
    """Nothing was lost: PASS, if somebody was there to be turned away while it closed."""
    sure, tries = tuple(filter(_turned_away, seen.tries)), len(seen.tries)
    if sure:
        answered, let_in = len(sure[0].answers), _let_in(sure[0])
        new = f"{let_in} new ones too, then refused" if let_in else "new ones refused"
        new += f" in {len(sure)} of the tries" if len(sure) < tries else ""
        return passed(NAME, f"{answered} of {answered} requests answered, {new}, {ended}; {tries} tries")
    let_in = max(map(_let_in, seen.tries))
    asked = f"{let_in} new ones answered, and none was refused before" if let_in else "no new one was made before"
    steps = ("wait until this machine is less busy, then prove it again", f"name a route slower than {seen.route}")
    return never_accepted(unknown(NAME, f"{ended}; {asked} its end, so some may be lost", *story, next=steps))


def _mended(seen: Drain, worst: DrainTry) -> str:
    """What to write: a Go program that ends with 2 at a signal has no handler for it."""
    if worst.exit_code == UNHANDLED:
        return f"handle {seen.signal}, then http.Server.Shutdown: wherry explain drain"
    return "let main wait for http.Server.Shutdown, and return: wherry explain drain"


def _hasty(seen: Drain, worst: DrainTry, ended: str, story: tuple[str, ...]) -> Verdict:
    """A slow route that is none: who names one wants to see requests survive, so nobody has accepted to see nothing."""
    said = worst.hasty
    wrong = f"answered {said.status or said.error}" if said and not 200 <= said.status < 400 else "answers too fast"
    step = "--slow-route, or [prove] slow-route in wherry.toml, names a GET that takes a second or two"
    verdict = unknown(NAME, f"{ended}; no request was under way: {seen.route} {wrong}", *story, next=(step,))
    return never_accepted(verdict)


def _is_bad(one: DrainTry) -> bool:
    return _badness(one) != (False, 0, 0)


def _badness(one: DrainTry) -> tuple[bool, int, int]:
    """What orders tries, the worst last: killed, requests lost, a status or new requests that should not be."""
    lost = sum(not _good(answer.status) for answer in one.answers)
    return one.exit_code is None, lost, _late_losses(one) + (one.exit_code not in PEACE)


def _late_losses(one: DrainTry) -> int:
    """Requests begun after the signal that were let in and not answered. To let them in for a while is right: until everybody has
    heard from the readiness route that it stops. A connection that meets the closing port is reset: at once, or when the port
    closes and the program goes on. That is a refusal; what is cut off by the program's end, and so not before it was last seen
    alive, was let in."""
    return sum(
        not _good(answer.status)
        and answer.error not in ("refused", GONE)
        and answer.ended - answer.began > AT_ONCE
        and answer.ended > one.alive - AT_ONCE
        for answer in one.late
    )


def _let_in(one: DrainTry) -> int:
    return sum(_good(answer.status) for answer in one.late)


def _turned_away(one: DrainTry) -> bool:
    """Whether it sent a new request away while it still ran, and let none in afterwards. Where it did not, those that it let in
    last may be lost without anybody having been there to see: its prover was kept from asking, or its slow route is so fast
    that its end came first."""
    last = max((answer.began for answer in one.late if _good(answer.status)), default=0.0)
    return any(
        not _good(answer.status) and answer.error != GONE and answer.began >= last and answer.ended <= one.alive
        for answer in one.late
    )


def _story(seen: Drain, worst: DrainTry) -> tuple[str, ...]:
    """The worst try as a time line."""
    under_way = f" with {len(worst.answers)} requests under way" if worst.answers else ""
    end = "killed" if worst.exit_code is None else f"exit status {worst.exit_code}"
    moments = [(worst.seconds, f"{end} at {milliseconds(worst.seconds)}")]
    gone = [answer for answer in worst.answers if not _good(answer.status)]
    if gone:
        first = min(gone, key=lambda answer: answer.ended)
        lost = max(0.0, first.ended)
        moments.append((lost, f"the first was lost at {milliseconds(lost)}: {first.error or first.status}"))
    return f"{seen.signal} at 0 ms{under_way}", *(words for _, words in sorted(moments))


def _good(status: int) -> bool:
    return 200 <= status < 500
