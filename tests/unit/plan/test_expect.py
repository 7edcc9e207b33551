"""[prove] and [run]: what they mean, what a repository's file may not say, and where mistakes are."""

from __future__ import annotations

import pytest

from wherry.errors import Several, UsageError
from wherry.judge import CHECKS as TABLE
from wherry.model.container import Options
from wherry.model.observation import Expectations
from wherry.model.place import Place
from wherry.model.project import Inferred
from wherry.model.verdict import CHECKS
from wherry.plan import expect, read, sizes
from wherry.plan.container.settings import Merged, merged
from wherry.plan.tiers import Effective, effective
from wherry.plan.variables import from_assignments, from_environment

READY = Inferred(kind="readiness-route", value="/readyz", place=Place(file="main.go", line=7))


def said(text: str, *, trusted: bool = False) -> Effective:
    return effective((read.parse(text, "wherry.toml", trusted=trusted),), ("api",))


def under(options: Options, text: str, *, trusted: bool = False) -> Merged:
    return merged(options, said(text, trusted=trusted), "/repo")


def test_without_settings_all_is_usual() -> None:
    found = expect.decide(Effective())
    assert (found.expectations, found.accepting, found.only) == (Expectations(), "host", ())


def test_every_key_counts() -> None:
    text = """
    [prove]
    start = "30s"
    slow-route = "/slow?ms=1500"
    ready-route = "/ready"
    requests = 4
    tries = 1
    size = "30MB"
    idle-cpu = 1
    memory = 0.5
    skip = ["size"]
    unknown = ["ready"]
    tests = ["a.yaml"]
    [main.api.prove]
    tries = 2
    """
    found = expect.decide(said(text), (READY,))
    wanted = Expectations(
        start=30.0, slow_route="/slow?ms=1500", ready_route="/ready", requests=4, tries=2, size=30_000_000, idle_cpu=1, memory=0.5
    )  # fmt: skip
    assert found.expectations == wanted
    assert (found.skip, found.unknown, found.tests[0].name) == (("size",), ("ready",), "a.yaml")
    assert found.tests[0].where == 'wherry.toml:13:14   tests = ["a.yaml"]'
    assert found.folders == (".",)


def test_the_only_readiness_route_of_the_sources_is_a_guess() -> None:
    found = expect.decide(Effective(), (READY,)).expectations
    assert (found.ready_route, found.ready_guess) == ("/readyz", "main.go:7")
    other = Inferred(kind="readiness-route", value="/other", place=Place(file="main.go", line=8))
    assert expect.decide(Effective(), (READY, other)).expectations.ready_route == ""
    assert expect.decide(said('prove.ready-route = ""'), (READY,)).expectations.ready_route == ""


@pytest.mark.parametrize(
    ("ports", "served", "asked", "route"),
    [
        (("8080/tcp",), "", 8080, "/readyz"),
        (("8080/tcp", "53/udp"), "", 8080, "/readyz"),
        ((), "", 0, "/readyz"),
        (("9090/tcp", "8080/tcp"), "8080/readyz", 8080, "/readyz"),
        (("9090/tcp", "8080/tcp"), "8080/readyz", 9090, ""),
        (("9090/tcp", "8080/tcp"), "", 8080, ""),
    ],
)
def test_readiness_is_asked_only_where_it_is_answered(
    ports: tuple[str, ...], served: str, asked: int, route: str
) -> None:
    known = (READY, Inferred(kind="route-port", value=served, place=READY.place))
    assert expect.decide(Effective(), known, ports, asked).expectations.ready_route == route
    said_so = said('generate.readiness = "/readyz"')
    assert expect.decide(said_so, known, ports, asked).expectations.ready_route == "/readyz"


@pytest.mark.parametrize(
    ("text", "servers"),
    [("", ("postgres",)), ('generate.backing = ["redis"]', ("redis",)), ("generate.backing = []", ())],
)
def test_servers_are_those_of_generated_files(text: str, servers: tuple[str, ...]) -> None:
    known = (READY, Inferred(kind="backing", value="postgres", place=READY.place))
    assert expect.decide(said(text), known).expectations.backing == servers


@pytest.mark.parametrize("day", ["2026-12-31", '"2026-12-31"'])
def test_a_waiver_with_its_day(day: str) -> None:
    found = expect.decide(said(f'[[prove.waive]]\ncheck = "shell"\nreason = "soon"\nuntil = {day}\n'))
    assert [(one.check, one.reason, one.until) for one in found.waivers] == [("shell", "soon", "2026-12-31")]


def test_names_of_checks_are_looked_at_when_they_are_read_all_at_once() -> None:
    text = """
    [prove]
    only = ["start", "drian"]
    skip = ["nosuch", "test: of a file"]
    unknown = ["fail"]
    [[prove.waive]]
    check = "shel"
    reason = "soon"
    until = 2026-12-31
    [main.api.prove]
    unknown = ["redy"]
    """
    with pytest.raises(Several) as caught:
        said(text)
    assert [(one.name, one.where[0].partition("   ")[0], one.next[0]) for one in caught.value.errors] == [
        ("no-check", "wherry.toml:3:22", "did you mean drain?"),
        ("no-check", "wherry.toml:4:13", f"one of {', '.join(CHECKS)}"),
        ("no-check", "wherry.toml:7:5", "did you mean shell?"),
        ("no-check", "wherry.toml:11:16", "did you mean ready?"),
    ]
    with pytest.raises(UsageError, match="there is no check 'drian'"):
        from_environment((("WHERRY_PROVE_SKIP", "size,drian"),))
    with pytest.raises(UsageError, match="there is no check 'drian'"):
        from_assignments(("prove.skip=drian",))
    assert expect.decide(effective((from_environment((("WHERRY_PROVE_UNKNOWN", "accept"),)),))).accepting == "accept"


def test_settings_know_every_check_of_the_table() -> None:
    assert tuple(one.name for one in TABLE) == CHECKS


@pytest.mark.parametrize("day", ["2026-12-31T00:00:00Z", '"tomorrow"', "12", '"20261231"'])
def test_a_day_that_is_none(day: str) -> None:
    with pytest.raises(UsageError, match="must be a day like 2027-01-31"):
        said(f'[[prove.waive]]\ncheck = "shell"\nreason = "soon"\nuntil = {day}\n')


@pytest.mark.parametrize(("word", "accepting"), [("accept", "accept"), ("fail", "fail")])
def test_all_or_none(word: str, accepting: str) -> None:
    assert expect.decide(said(f'prove.unknown = "{word}"')).accepting == accepting
    assert expect.decide(effective((from_environment((("WHERRY_PROVE_UNKNOWN", word),)),))).accepting == accepting


@pytest.mark.parametrize(
    "line",
    ['start = "soon"', 'start = "1h"', 'size = "big"', "tries = 0",
     "requests = 1000", "memory = 2", 'slow-route = "slow"', "memory = nan"],
)  # fmt: skip
def test_a_value_that_means_nothing_is_told_with_its_line(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        expect.decide(said(f"[prove]\n{line}\n"))
    assert caught.value.name == "bad-setting"
    assert caught.value.where[0].startswith("wherry.toml:2:1")


def test_a_number_may_come_from_a_variable() -> None:
    assert expect.decide(effective((from_environment((("WHERRY_PROVE_MEMORY", "0.5"),)),))).expectations.memory == 0.5


@pytest.mark.parametrize(
    ("text", "size"), [("30MB", 30_000_000), ("1.5 GB", 1_500_000_000), ("12kB", 12_000), ("7", 7)]
)
def test_sizes(text: str, size: int) -> None:
    assert sizes.size(text) == size


RUN = """
[run]
memory = "64m"
cpus = 1
pids = 100
env = { A = 1, B = true }
publish = [8080, "127.0.0.1:9000:9000"]
volumes = ["./data:/data:ro"]
tmpfs = ["/cache"]
args = ["serve"]
grace = "30s"
"""


def test_what_run_says_where_the_command_line_does_not() -> None:
    found = under(Options(), RUN).options
    assert (found.memory, found.cpus, found.pids, found.grace) == ("64m", "1", 100, 30.0)
    assert (found.environment, found.arguments) == (("A=1", "B=true"), ("serve",))
    assert (found.publish, found.volumes, found.tmpfs) == (
        ("8080", "127.0.0.1:9000:9000"), ("/repo/data:/data:ro",), ("/cache",),
    )  # fmt: skip


def test_the_command_line_is_over_it() -> None:
    own = Options(memory="1g", cpus="2", pids=0, environment=("A=2",), publish=("1",), arguments=("x",), grace=1.0)
    found = under(own, RUN).options
    assert (found.memory, found.cpus, found.pids, found.grace) == ("1g", "2", 0, 1.0)
    assert (found.environment, found.publish, found.arguments) == (("A=1", "B=true", "A=2"), ("1",), ("x",))


@pytest.mark.parametrize(
    "line",
    [
        'publish = ["0.0.0.0:80:80"]', 'publish = ["[::]:80:80"]', 'network = "host"', 'volumes = ["/etc:/x"]',
        'volumes = ["../up:/x"]',
        'volumes = ["a/../../up:/x"]', 'volumes = ["~/.ssh:/x"]',
    ],
)  # fmt: skip
def test_a_file_of_the_repository_reaches_no_further(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        under(Options(), f"[run]\n{line}\n")
    assert (caught.value.name, caught.value.where[0].startswith("wherry.toml:2")) == ("run-refused", True)
    under(Options(), f"[run]\n{line}\n", trusted=True)


def test_what_lies_in_the_repository_is_looked_at_for_links() -> None:
    assert under(Options(), RUN).inside == ("/repo/data",)
    assert under(Options(), RUN, trusted=True).inside == ()


@pytest.mark.parametrize(
    "line", ['memory = "lots"', 'publish = ["web"]', 'grace = "soon"', 'env = { "a b" = 1 }', 'volumes = ["x"]']
)
def test_a_run_setting_that_means_nothing(line: str) -> None:
    with pytest.raises(UsageError) as caught:
        under(Options(), f"[run]\n{line}\n")
    assert (caught.value.name, caught.value.where[0].startswith("wherry.toml:2")) == ("bad-setting", True)


def test_an_assignment_sets_any_key() -> None:
    tiers = (from_assignments(("run.memory=64m", "run.cpus=0.5", "prove.skip=size,tls")),)
    assert merged(Options(), effective(tiers), "/repo").options.cpus == "0.5"
    assert expect.decide(effective(tiers)).skip == ("size", "tls")
