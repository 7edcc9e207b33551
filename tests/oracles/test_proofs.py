"""Real applications, unmodified, proved on every engine: what fails, and what is not known. Kept in docs/oracles.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import opinions
from tests.support.cli import wherry
from tests.support.contained import case
from tests.support.tools import need
from wherry.flows.container import RunRequest
from wherry.flows.prove import ProveRequest, prove
from wherry.model.container import Options
from wherry.model.observation import Expectations
from wherry.model.verdict import Verdict

pytestmark = [pytest.mark.oracle, pytest.mark.slow, pytest.mark.xdist_group("oracles")]

ENGINES = ("runc", "docker", "podman")


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    name: str
    package: str
    wanted: Expectations
    fails: frozenset[str] = frozenset()
    """What it deserves: of checks that another machine or engine could not tell otherwise."""
    unknown: frozenset[str] = frozenset()
    arguments: tuple[str, ...] = ()


APPS = (
    App(
        name="go-httpbin", package="github.com/mccutchen/go-httpbin/v2/cmd/go-httpbin@v2.26.0",
        wanted=Expectations(slow_route="/delay/2"), unknown=frozenset(("health", "ready")),
    ),
    App(
        name="podinfo", package="github.com/stefanprodan/podinfo/cmd/podinfo@v1.8.1-0.20250910200901-e86405a8674e",
        wanted=Expectations(slow_route="/delay/2", ready_route="/readyz"),
    ),
    App(  # its image declares no port, so what it is told to listen on is one too many, and nothing else can be asked
        name="caddy", package="github.com/caddyserver/caddy/v2/cmd/caddy@v2.11.9",
        arguments=("file-server", "--listen", ":8080", "--root", "/", "--browse"), wanted=Expectations(),
        fails=frozenset(("ports",)), unknown=frozenset(("health", "ready", "drain", "reap")),
    ),
)  # fmt: skip
#: What depends on the machine's load, or on what an engine shows: any outcome but FAIL.
VARIES = frozenset(("cpu", "reap"))


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of all applications."""
    need("go")
    folder = tmp_path_factory.mktemp("proofs")
    for app in APPS:
        done = wherry("build", app.package, "-o", f"oci:{folder}/layout:{app.name}", home=folder, cwd=folder)
        assert done.code == 0, done.stderr
    return folder / "layout"


def proved(app: App, engine: str, layout: Path, folder: Path) -> tuple[tuple[Verdict, ...], float]:
    with case(engine, folder) as one:
        options = Options(arguments=app.arguments)
        run = RunRequest(subject=f"oci:{layout}:{app.name}", engine=engine, options=options)
        proof = prove(ProveRequest(run=run, expectations=app.wanted), one.machine)
    return proof.verdicts, proof.seconds


def names(verdicts: tuple[Verdict, ...], outcome: str) -> set[str]:
    return {one.check for one in verdicts if one.outcome == outcome and not one.host}


def test_real_applications_get_what_they_deserve(layout: Path, tmp_path: Path) -> None:
    rows = []
    for app in APPS:
        for engine in ENGINES:
            need(engine)
            folder = tmp_path / f"{app.name}-{engine}"
            folder.mkdir()
            verdicts, seconds = proved(app, engine, layout, folder)
            assert names(verdicts, "FAIL") == app.fails, (app.name, engine, verdicts)
            assert names(verdicts, "UNKNOWN") - VARIES == app.unknown - VARIES, (app.name, engine, verdicts)
            told = [", ".join(sorted(names(verdicts, outcome))) or "-" for outcome in ("FAIL", "UNKNOWN")]
            rows.append((app.name, engine, str(len(names(verdicts, "PASS"))), *told, f"{seconds:.1f} s"))
    opinions.record(
        "Proofs",
        "`wherry prove` of unmodified applications; 28 checks, what does not apply left out. caddy's image declares no port.",
        "",
        *opinions.table(("application", "engine", "PASS", "FAIL", "UNKNOWN", "took"), tuple(rows)),
        "",
        *opinions.versions(),
    )
