"""RESULTS.md. Results in, Markdown out; touches nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bench import numbers
from bench.numbers import NOTHING, cpu, mebibytes, median, memory, spread, walls
from bench.results import Results, Series
from bench.scenarios import SCENARIOS
from bench.targets import Verdict, verdicts
from bench.tools import TOOLS

#: What tools are called where they do not build the app.
TITLES = {
    ("version", "python"): "`python -c pass`",
    ("version", "wherry"): "`wherry --version`",
    ("version", "ko"): "`ko version`",
    ("version", "go"): "`go version`",
    ("run", "wherry"): "`wherry run`",
    ("run", "runc"): "bare runc, an equal bundle",
    ("run", "docker"): "`docker run`, the same hardening, no port published",
    ("run", "docker-p"): "`docker run -p`, the same hardening",
    ("run-edit", "wherry"): "`wherry run`",
    ("run-edit", "go"): "`go build`, then the program",
    ("pack", "pack"): "wherry's packer",
    ("pack", "gzip"): "gzip alone",
    ("pack", "sha256"): "SHA-256 alone",
}

HOW = """\
All tools ran on this machine in this run and took turns: {rounds} counted rounds each (cold: at most 3, versions: 15) after one
that is not counted. Times are the median (least to most). The disks are synced before each run, so that nobody pays for what
another left to write.

* Each tool has its own copy of each app's source, a git repository. An edit changes one constant in the main package (in each
  main, for several) to something that no cache has seen, and the bench looks for that constant in the image that comes out.
* All share one Go cache of the same warmth (Docker's cache mounts begin as a copy of it), the same modules, `-trimpath
  -ldflags=-w`, no cgo, the same base image; nobody makes an SBOM. ko's base is pinned by digest in the local registry. Bare
  go, ko and wherry stamp the commit; the Dockerfiles do not, since `.git` is not sent to the engine.
* Docker's "layout" is its own store, as its engine writes no layouts; buildah has the host's Go cache mounted. Neither is
  measured with several platforms: Debian's Docker has no builder for them. Bare go builds one platform after the other.
* CPU is user and system time of all processes, for Docker with its daemon's. Memory is the largest single process, often Go's
  own compiler or linker; Docker's is in its daemon and not measured.
* "Packing that binary alone" is wherry's packer (tar, two digests, gzip, a file) in a process that already runs, and "sending"
  is two HTTP requests: what no image tool can do without.
"""


def render(results: Results) -> str:
    """The whole document."""
    parts = [
        "# Speed and memory, measured\n",
        "Written by `bench/run` (`make bench`); the raw samples are in `results.json`. Do not edit.\n",
        table(("", ""), results.facts),
        HOW.format(rounds=results.rounds),
        "## Targets\n",
        "Those of the design, reached or not.\n",
        targets_table(verdicts(results)),
    ]
    for scenario in SCENARIOS:
        found = tuple(one for one in results.series if one.scenario == scenario.name)
        if found:
            parts.append(f"## {scenario.title}\n")
            parts += [scenario_table(results, app, found) for app in dict.fromkeys(one.app for one in found)]
    parts += missing(results)
    return "\n".join(parts).rstrip() + "\n"


def targets_table(rows: Sequence[Verdict]) -> str:
    words = {True: "yes", False: "**no**", None: "not measured"}
    cells = [(row.target, row.app, row.measured or NOTHING, row.limit or NOTHING, words[row.reached]) for row in rows]
    return table(("target", "app", "measured", "limit", "reached"), cells)


def scenario_table(results: Results, app: str, series: Sequence[Series]) -> str:
    """One app's tools, with the ratio to bare go where that was measured."""
    rows = [one for one in series if one.app == app]
    bare = results.find(rows[0].scenario, app, "go")
    if not app:
        bare = None
    return table(
        (app or "program", "seconds", "x `go build`", "CPU s", "memory MiB", "size MiB"),
        [row_of(one, bare) for one in rows],
    )


def row_of(one: Series, bare: Series | None) -> tuple[str, ...]:
    name = title(one.tool, one.scenario)
    if not one.samples:
        return (name, "failed", *[NOTHING] * 4)
    times = numbers.ratio(median(one), median(bare)) if bare else NOTHING
    return (name, spread(walls(one)), times, numbers.seconds(cpu(one)), mebibytes(memory(one)), mebibytes(one.size))


def title(tool: str, scenario: str = "") -> str:
    known = {one.name: one.title for one in TOOLS}
    return TITLES.get((scenario, tool)) or known.get(tool, tool)


def missing(results: Results) -> list[str]:
    """What could not be measured, and why."""
    failed = [f"* {title(one.tool)}: it failed in {one.scenario} {one.app}" for one in results.series if one.failed]
    absent = [f"* {title(tool)}: {why}" for tool, why in results.absent]
    return ["## Not measured\n", "\n".join(absent + failed) + "\n"] if failed or absent else []


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell cannot end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
