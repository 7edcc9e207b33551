"""Of a program that listens on several ports: which one is asked, and which one people use."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.support import planning
from tests.support.manifests import the
from wherry.errors import UsageError
from wherry.generate import initial
from wherry.generate.header import writer
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.plan import ImagePlan
from wherry.model.project import Holdings
from wherry.plan.application import Known, decide
from wherry.plan.make import make_plan


def planned(toml: str, facts: Any) -> tuple[ImagePlan, Application]:
    """One main that the sources say SEVERAL and `facts` about: its image, its application."""
    found = planning.inferred(*SEVERAL, *facts)
    inputs = planning.inputs(toml, project=planning.project(planning.main(inferred=found)))
    plan = make_plan(inputs)
    (app,) = decide(Known(plan=plan, project=inputs.project, holdings=Holdings(), tiers=inputs.tiers))
    return plan.images[0], app


SEVERAL = (
    ("port", "9090", "found"),
    ("port", "8080", "found"),
    ("health-route", "/healthz"),
    ("readiness-route", "/readyz"),
)
SERVED = (("route-port", "8080/healthz"), ("route-port", "8080/readyz"))
AWAY = (("route-port", "8080/healthz"), ("route-port", "9090/readyz"))


@pytest.mark.parametrize(
    ("facts", "toml", "asked", "told"),
    [
        (SERVED, "", (8080, "/healthz", "/readyz"), []),
        ((), "", (0, "/healthz", "/readyz"), ["/healthz"]),
        (AWAY, "", (8080, "/healthz", ""), ["/readyz"]),
        (AWAY, '[generate]\nreadiness = "/readyz"\n', (8080, "/healthz", "/readyz"), []),
        ((), "[image]\nports = [8080]\n", (8080, "/healthz", "/readyz"), []),
        ((), "[image.health]\nport = 8080\n", (8080, "/healthz", ""), ["/readyz"]),
        (SERVED, "[image]\nhealth = false\n", (8080, "", "/readyz"), []),
        ((), "[image]\nhealth = false\n", (0, "", "/readyz"), []),
        (AWAY, '[image.health]\ncommand = ["api", "health"]\n', (8080, "/healthz", ""), ["/readyz"]),
        ((), '[image.health]\ncommand = ["api", "health"]\n', (0, "/healthz", "/readyz"), ["/healthz"]),
    ],
)  # fmt: skip
def test_of_several_ports_the_one_that_answers_is_asked_or_none(
    facts: Any, toml: str, asked: tuple[int, str, str], told: list[str]
) -> None:
    _, app = planned(toml, facts)
    assert (app.runs.asked, app.runs.liveness, app.runs.readiness) == asked
    named = [one for one in app.findings if one.name == "route-port"]
    assert [one.message.partition(":")[0].removeprefix("nothing asks ") for one in named] == told


VISITED = ("visited-port", "9090")


@pytest.mark.parametrize(
    ("facts", "toml", "first", "known"),
    [
        (SERVED, "", 8080, False),
        ((), "", 9090, False),
        ((*SERVED, VISITED), "", 9090, True),
        ((*SERVED, VISITED, ("visited-port", "8080")), "", 8080, False),
        ((*SERVED, VISITED), "[image]\nports = [8080, 9090]\n", 8080, True),
        (SERVED, "[image]\nports = [9090, 8080]\n", 9090, True),
    ],
)
def test_the_port_that_people_ask(facts: Any, toml: str, first: int, known: bool) -> None:
    """Where nobody has put them in order: Service and `make run` lead to it; what is open to the world only if it is known."""
    app = replace(planned(toml, facts)[1], host="shop.example.com")
    assert (app.port, app.runs.unordered) == (first, not known)
    assert sorted(app.runs.ports) == ["8080/tcp", "9090/tcp"]
    (makefile,) = writer("makefile").write((app,), Choice(what="makefile"))
    assert f" -p $(PORT):{first} " in makefile.text
    spoken = "http" if first == app.runs.asked else f"tcp-{first}"
    assert the("Service", app)["spec"]["ports"][0]["targetPort"] == spoken
    if not known:
        with pytest.raises(UsageError, match="which one people use is not known"):
            the("Ingress", app, ("ingress",))
        return
    (rule,) = the("Ingress", app, ("ingress",))["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"]["port"]["name"] == spoken


@pytest.mark.parametrize(
    ("facts", "line"), [((*SERVED, VISITED), "\nports = [9090, 8080]"), (SERVED, "\n# ports = [8080, 9090]")]
)
def test_what_init_writes_down_keeps_that_order_and_makes_none_up(facts: Any, line: str) -> None:
    assert line in initial.settings((planned("", facts),), ()).text
