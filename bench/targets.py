"""The design's targets for speed (design section 6) as rows. Results in, verdicts out; touches nothing.

A target that was not measured is said to be so, never taken for reached.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from bench.numbers import median, memory, seconds, surplus
from bench.results import Results, Series
from wherry.kit.value import Value

MIB = 1 << 20


class Verdict(Value, frozen=True, kw_only=True):
    """One target for one app: what is compared, what came out, what is allowed."""

    target: str
    app: str = ""
    measured: str = ""
    limit: str = ""
    reached: bool | None = None
    """None: not measured."""


def verdicts(results: Results) -> tuple[Verdict, ...]:
    """Every target in the design's order."""
    apps = tuple(dict.fromkeys(one.app for one in results.series if one.scenario in ("edit-layout", "edit-push")))
    found: list[Verdict] = []
    for scenario, alone, title in (
        ("edit-layout", "pack", "edit → layout"),
        ("edit-push", "send", "edit → pushed"),
    ):
        found += [overhead(results, scenario, alone, app, title) for app in apps]
        found += [
            ratio(results, (scenario, app), ("wherry", "go"), 1.15, f"{title}, against bare `go build`") for app in apps
        ]
    found += running(results)
    for app in apps:
        title = "nothing changed, checked at the registry, against `go build` doing nothing"
        found.append(ratio(results, ("same-push", app), ("wherry", "go"), 0.25, title))
        found.append(below_docker(results, app))
    many = next((one.app for one in results.series if one.scenario.startswith("many")), "")
    title = "3 x 2, nothing changed, against `go build` doing nothing"
    found.append(ratio(results, ("many-same", many), ("wherry", "go"), 0.25, title))
    cold = next((one.app for one in results.series if one.scenario == "cold"), "")
    found.append(ratio(results, ("cold", cold), ("wherry", "go"), 1.05, "cold, against bare `go build`"))
    found.append(ratio(results, ("many-edit", many), ("wherry", "ko"), 0.6, "3 x 2, edited, against ko"))
    found += [pack_speed(results), pack_memory(results)]
    title = "`wherry --version`, against `python -c pass`"
    found.append(ratio(results, ("version", ""), ("wherry", "python"), 2.5, title))
    return (*found, *transport(results))


def running(results: Results) -> Iterator[Verdict]:
    """What `wherry run` may take beyond what does the work: Go, runc, and Docker for the same container."""
    app = next((one.app for one in results.series if one.scenario in ("run", "run-edit")), "")
    yield beyond(results, ("run-edit", app), "go", (1.15, 0.1), "edit → first 200, against `go build` and the program")
    title = "`wherry run -p` → first 200, against `docker run"
    yield ratio(results, ("run", app), ("wherry", "docker-p"), 0.5, f"{title} -p` alike")
    yield ratio(results, ("run", app), ("wherry", "docker"), 0.5, f"{title}` that publishes nothing")
    yield beyond(results, ("run", app), "runc", (1.0, 0.12), "`wherry run` → first 200, against bare runc alike")


def beyond(results: Results, where: tuple[str, str], other: str, limit: tuple[float, float], target: str) -> Verdict:
    """Wherry's median at most `limit[0]` times the other's and `limit[1]` seconds."""
    scenario, app = where
    ours, theirs = results.find(scenario, app, "wherry"), results.find(scenario, app, other)
    if not ours or not theirs:
        return Verdict(target=target, app=app)
    factor, more = limit
    most = factor * median(theirs) + more
    words = f"≤ {factor:g} x {seconds(median(theirs))} s + {more * 1000:.0f} ms"
    return Verdict(
        target=target, app=app, measured=f"{seconds(median(ours))} s", limit=words, reached=median(ours) <= most
    )


def transport(results: Results) -> Iterator[Verdict]:
    """What the registry client is to reach: crane's time, and little memory."""
    for scenario, limit, title in (
        ("push-fresh", 1.0, "push of a new image, against crane"),
        ("push-same", 1.0, "push of an image that is there, against crane"),
    ):
        for app in dict.fromkeys(one.app for one in results.series if one.scenario == scenario):
            yield ratio(results, (scenario, app), ("wherry", "crane"), limit, title)
    python = results.find("version", "", "python")
    for scenario in ("push-fresh", "pull"):
        target = f"memory of a {scenario.partition('-')[0]}, over the idle interpreter"
        wherry = results.find(scenario, "300 MB", "wherry")
        if not wherry or not python:
            yield Verdict(target=target)
            continue
        more = memory(wherry) - memory(python)
        measured = f"{more / MIB:.0f} MiB for {wherry.size / MIB:.0f} MiB"
        yield Verdict(target=target, measured=measured, limit="≤ 64 MiB", reached=more <= 64 * MIB)


def ratio(results: Results, where: tuple[str, str], pair: tuple[str, str], limit: float, target: str) -> Verdict:
    """The first tool's median at most `limit` times the second's."""
    scenario, app = where
    one, other = (results.find(scenario, app, tool) for tool in pair)
    if not one or not other:
        return Verdict(target=target, app=app)
    value = median(one) / median(other)
    measured = f"{value:.2f} x ({seconds(median(one))} s to {seconds(median(other))} s)"
    return Verdict(target=target, app=app, measured=measured, limit=f"≤ {limit} x", reached=value <= limit)


def overhead(results: Results, scenario: str, alone: str, app: str, title: str) -> Verdict:
    """What wherry takes beyond `go build`, round by round, against packing (and sending) that binary alone."""
    target = f"{title}: wherry less `go build`, against {'packing' if alone == 'pack' else 'packing and sending'} alone"
    wherry, go, floor = (results.find(scenario, app, tool) for tool in ("wherry", "go", alone))
    if not wherry or not go or not floor:
        return Verdict(target=target, app=app)
    more, least = statistics.median(surplus(wherry, go)), median(floor)
    measured = f"{more / least:.2f} x ({seconds(more)} s to {seconds(least)} s)"
    return Verdict(target=target, app=app, measured=measured, limit="≤ 1.25 x", reached=more <= 1.25 * least)


def below_docker(results: Results, app: str) -> Verdict:
    """The harder of the two comparisons: Docker's cached build, which asks no registry."""
    target = "nothing changed, checked at the registry, below Docker's cached build"
    wherry, docker = results.find("same-push", app, "wherry"), results.find("same-layout", app, "docker")
    if not wherry or not docker:
        return Verdict(target=target, app=app)
    value, limit = median(wherry), median(docker)
    return Verdict(
        target=target, app=app, measured=f"{seconds(value)} s", limit=f"< {seconds(limit)} s", reached=value < limit
    )


def pack_speed(results: Results) -> Verdict:
    target = "packing, against the slower of gzip and SHA-256 alone"
    packing, gzip, sha256 = (results.find("pack", "", tool) for tool in ("pack", "gzip", "sha256"))
    if not packing or not gzip or not sha256:
        return Verdict(target=target)
    value = max(median(gzip), median(sha256)) / median(packing)
    measured = f"{value:.0%} ({speed(packing)} MB/s; gzip {speed(gzip)}, SHA-256 {speed(sha256)})"
    return Verdict(target=target, measured=measured, limit="≥ 80 %", reached=value >= 0.8)


def pack_memory(results: Results) -> Verdict:
    target = "memory of packing, over the idle interpreter"
    packing = results.find("pack", "", "pack")
    if not packing:
        return Verdict(target=target)
    measured = f"{memory(packing) / MIB:.0f} MiB for {packing.size / MIB:.0f} MiB"
    return Verdict(target=target, measured=measured, limit="≤ 64 MiB", reached=memory(packing) <= 64 * MIB)


def speed(series: Series) -> str:
    return f"{series.size / median(series) / 1e6:.0f}"
