"""Whole runs of generated CI by other people's runners: act with GitHub's cache library, gitlab-ci-local. A bench and a file's
jobs in, what the run said and cost out; starts both.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import npm
from tests.support.ci_runs import LEFT_OUT, LEFT_OUT_LINES, Bench, archives, modules_of
from tests.support.tools import go_tool

ACT = "github.com/nektos/act"
ACTIONS = Path(__file__).parents[1] / "data/actions"
"""Stand-ins of GitHub's actions. `cache` is few lines over the library that the real one is made of; `setup-go` makes the machine
empty, as act gives all jobs the same one."""
MARK = {"name": "Begin to count", "run": 'touch "$RUNNER_TEMP/begun"\n'}
COUNTED = """find ~/.cache/go-build -name '*-d' -newer "$RUNNER_TEMP/begun" -exec sh -c \
'for file; do head -c 8 "$file" | grep -q "^!<arch>" && echo "$file"; done; :' sh {} + >>"$COUNTED"\n"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Of a whole pipeline."""

    said: str
    downloads: tuple[str, ...]
    """Modules whose sources were fetched, once for each job that did."""
    compiled: int
    """Packages, in all jobs."""
    seconds: float


def by_act(bench: Bench, workflow: Any, kept: Path) -> Run:
    """A push, with act's cache server over `kept`."""
    document = json.loads(json.dumps(workflow))
    for job in document["jobs"].values():
        job["steps"] = list(_counting([step for step in job["steps"] if step["name"] not in LEFT_OUT]))
    file, event, counted = (bench.folder / name for name in ("act.yaml", "event.json", "counted"))
    file.write_text(json.dumps(document))
    event.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    counted.write_text("")
    bench.machine()
    variables = bench.variables()
    variables |= {
        "PATH": f"{npm.node()}:{variables['PATH']}",
        "COUNTED": str(counted),
        "NODE_FOLDER": str(npm.runners()),
    }
    words = [
        go_tool(f"{ACT}@v0.2.89", ACT), "push", "--workflows", str(file), "--eventpath", str(event),
        "--platform", "ubuntu-24.04=-self-hosted",
        "--cache-server-path", str(kept), "--cache-server-addr", "127.0.0.1", "--artifact-server-addr", "127.0.0.1",
        *(f"--local-repository={one}" for one in sorted(_stand_ins(document))),
        *(f"--env={name}={value}" for name, value in variables.items()),
    ]  # fmt: skip
    own = bench.folder / "act"  # the home that act itself needs: the jobs find theirs empty
    own.mkdir(exist_ok=True)
    seconds, said = _run(words, bench.checkout, {**variables, "HOME": str(own), "NO_COLOR": "1"})
    compiled = len(counted.read_text().split())
    return Run(said=said, downloads=modules_of(bench.forget()), compiled=compiled, seconds=seconds)


def _counting(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The steps, and two that count what is compiled between them."""
    for step in steps:
        if step["name"] == "Keep the caches":
            yield {"name": "Count", "run": COUNTED}
        yield step
        if step.get("id") == "caches":
            yield MARK


def _stand_ins(document: Any) -> set[str]:
    """REPOSITORY@COMMIT=FOLDER for each action but checkout, which act does itself."""
    used = {step["uses"] for job in document["jobs"].values() for step in job["steps"] if "uses" in step}
    pairs = [("/".join(name.split("/")[:2]), commit) for name, _, commit in (one.partition("@") for one in used)]
    return {
        f"{name}@{commit}={ACTIONS / name.partition('/')[2]}" for name, commit in pairs if name != "actions/checkout"
    }


def by_gitlab_ci_local(bench: Bench, pipeline: Any, kept: Path) -> Run:
    """A pipeline of the default branch in shells; the runner's caches are in `kept` when no job runs."""
    document = {name: one for name, one in pipeline.items() if name not in ("prove", "publish")}
    # Without an image: with one, its shells run in a folder below the machine's root.
    document["default"] = {name: one for name, one in pipeline["default"].items() if name != "image"}
    for name in ("test", "build"):
        parts = {part: list(filter(_wanted, pipeline[name][part])) for part in ("before_script", "script")}
        document[name] = {**pipeline[name], **parts}
    bench.machine()
    caches = bench.checkout / ".gitlab-ci-local/cache"
    shutil.copytree(kept, caches)
    (bench.checkout / "ci.json").write_text(json.dumps(document))
    (bench.checkout / ".git/info/exclude").write_text("/.gitlab-ci-local/\n/ci.json\n")
    variables = bench.variables()
    command = [
        npm.node() / "node",
        npm.runners() / "gitlab-ci-local/dist/index.js",
        "--file",
        "ci.json",
        "--shell-isolation",
    ]
    told = [f"--variable={name}={value}" for name, value in variables.items() if name != "PATH"]
    seconds, said = _run([*map(str, command), *told], bench.checkout, {**variables, "NO_COLOR": "1"})
    compiled = len(_objects(caches) - _objects(kept))
    shutil.copytree(caches, kept, dirs_exist_ok=True)
    return Run(said=said, downloads=modules_of(bench.forget()), compiled=compiled, seconds=seconds)


def _objects(caches: Path) -> set[str]:
    return {f"{job.name}/{name}" for job in caches.iterdir() for name in archives(job / ".cache/objects")}


def _wanted(line: str) -> bool:
    return not any(one in line for one in LEFT_OUT_LINES)


def _run(words: list[str], place: Path, variables: dict[str, str]) -> tuple[float, str]:
    start = time.monotonic()
    done = subprocess.run(words, cwd=place, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.monotonic() - start, done.stdout
