"""python -m bench: the command line. Arguments in, RESULTS.md and results.json out."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from bench import engines, machine, starting, tools
from bench.apps import APPS, MANY, App
from bench.report import render
from bench.results import Results, Series, again, decode, encode
from bench.scenarios import SCENARIOS, Scenario, races
from bench.tools import Job
from bench.workshop import PROJECT, Workshop, open_workshop
from wherry.kit.value import Value

FOLDER = PROJECT / "bench"
ROUNDS = 5


class Options(Value, frozen=True, kw_only=True):
    """What to measure, and where the results go."""

    scenarios: tuple[Scenario, ...]
    apps: tuple[App, ...]
    rounds: int
    folder: Path
    again: bool = False
    """What is measured takes its place in the results that are there."""

    @property
    def engines(self) -> bool:
        return any(scenario.kind in ("one", "run") for scenario in self.scenarios)


def parse(arguments: Sequence[str]) -> Options:
    """SystemExit(2) for what is unknown."""
    parser = argparse.ArgumentParser(
        prog="bench/run", description="Measures wherry beside its rivals; writes bench/RESULTS.md."
    )
    names, apps = [one.name for one in SCENARIOS], [one.name for one in APPS]
    parser.add_argument(
        "--quick", action="store_true", help="go-httpbin only, 3 rounds, nothing cold; results are printed only"
    )
    parser.add_argument(
        "--only", action="append", choices=names, metavar="SCENARIO", help=f"one of {', '.join(names)}; repeatable"
    )
    parser.add_argument(
        "--apps", action="append", choices=apps, metavar="APP", help=f"one of {', '.join(apps)}; repeatable"
    )
    parser.add_argument("--rounds", type=int, help=f"counted rounds; {ROUNDS} unless told")
    parser.add_argument("--into", type=Path, help="folder for RESULTS.md and results.json; bench/ for a whole run")
    parser.add_argument(
        "--again",
        action="store_true",
        help="put what is measured into the results of the last whole run, in place of its own",
    )
    given = parser.parse_args(arguments)
    skipped = ("cold", "many-edit", "many-same") if given.quick else ()
    chosen = [one for one in SCENARIOS if (one.name in given.only if given.only else one.name not in skipped)]
    wanted = given.apps or (["go-httpbin"] if given.quick else apps)
    partial = given.quick or given.only or given.apps
    return Options(
        scenarios=tuple(chosen),
        apps=tuple(one for one in APPS if one.name in wanted),
        rounds=given.rounds or (3 if given.quick else ROUNDS),
        folder=given.into or (Path() if partial and not given.again else FOLDER),
        again=given.again,
    )


def measure(shop: Workshop, options: Options) -> Results:
    """Everything asked for."""
    facts = machine.facts(shop)
    for app in wanted(options):
        warm(shop, app)
    if any(scenario.kind == "one" for scenario in options.scenarios):
        engines.prepare(shop, options.apps)
    series: list[Series] = []
    for scenario in options.scenarios:
        for race in races(shop, scenario, options.apps, options.rounds):
            series += race.run(shop.log)
    absent = (("docker", shop.docker.absent), ("buildah", shop.buildah.absent))
    return Results(
        facts=facts,
        rounds=options.rounds,
        series=tuple(series),
        absent=tuple((tool, why) for tool, why in absent if why and options.engines),
    )


def wanted(options: Options) -> tuple[App, ...]:
    """Every app that some scenario builds."""
    of_kind = {"one": options.apps, "many": (MANY,), "cold": APPS[:1], "run": APPS[:1], "run-edit": APPS[:1]}
    return tuple(dict.fromkeys(app for scenario in options.scenarios for app in of_kind.get(scenario.kind, ())))


def warm(shop: Workshop, app: App) -> None:
    """Fills the module cache and the Go cache that all share, before the proxy is taken away and engines copy them."""
    print(f"warming {app.name}", file=sys.stderr, flush=True)
    for call in tools.go(Job(shop=shop, app=app, tool="go", place="layout")):
        subprocess.run(
            call.argv,
            cwd=call.directory,
            env=dict(call.environment) | {"GOPROXY": shop.online["GOPROXY"]},
            check=True,
        )


def stopped(_number: int, _frame: FrameType | None) -> None:
    """Ends the run as Ctrl-C does, so that no daemon is left behind."""
    raise KeyboardInterrupt


def main() -> int:
    """0; 1 when a tool failed: then its rows say so."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, stopped)
    with open_workshop(engines=options.engines) as shop:
        try:
            results = measure(shop, options)
        finally:
            starting.clean(shop)
    if options.again:
        results = again(decode((options.folder / "results.json").read_bytes()), results)
    text = render(results)
    if options.folder == Path():
        print(text)
    else:
        (options.folder / "results.json").write_bytes(encode(results))
        (options.folder / "RESULTS.md").write_text(text)
        print(f"wrote {options.folder.name}/RESULTS.md", file=sys.stderr)
    return 1 if any(one.failed for one in results.series) else 0


if __name__ == "__main__":
    sys.exit(main())
