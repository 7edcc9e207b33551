"""Which probe asks what, for everything that may be known of an application."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.support.applications import API, JOBS
from tests.support.manifests import container, running, texts, the
from wherry.model.application import Application
from wherry.model.plan import Health

GET = {"port": "http", "path": "/healthz"}
COMMAND = Health(command=("/app/api", "health", "$(HOME)"))
HTTP = Health(port=8080, path="/healthz")


def handlers(application: Application) -> dict[str, Any]:
    """Probe → its handler."""
    found = container(application)
    kinds = ("httpGet", "tcpSocket", "exec")
    return {
        name: {kind: found[f"{name}Probe"][kind] for kind in kinds if kind in found[f"{name}Probe"]}
        for name in ("startup", "liveness", "readiness")
        if f"{name}Probe" in found
    }


def asked(health: Health | None, readiness: str, *ports: str) -> dict[str, Any]:
    """Of what has no route but these."""
    return handlers(running(API, health=health, liveness="", readiness=readiness, ports=ports))


TCP = {"tcpSocket": {"port": "http"}}
ALIVE = {"httpGet": GET}
READY = {"httpGet": {"port": "http", "path": "/readyz"}}
EXEC = {"exec": {"command": ["/app/api", "health", "$$(HOME)"]}}
PLAIN_TCP = {"tcpSocket": {"port": "tcp-8080"}}


@pytest.mark.parametrize(
    ("known", "alive", "ready"),
    [
        ((HTTP, "/readyz", "8080/tcp"), ALIVE, READY),
        ((HTTP, "", "8080/tcp"), TCP, ALIVE),
        ((HTTP, "/healthz", "8080/tcp"), TCP, ALIVE),
        ((None, "/readyz", "8080/tcp"), TCP, READY),
        ((COMMAND, "/readyz", "8080/tcp"), EXEC, READY),
        ((COMMAND, "", "8080/tcp"), PLAIN_TCP, EXEC),
        ((COMMAND, "", "53/udp"), EXEC, None),
        ((COMMAND, ""), EXEC, None),
        ((None, "", "8080/tcp"), None, PLAIN_TCP),
        ((None, "", "53/udp"), None, None),
        ((None, ""), None, None),
    ],
    ids=str,
)
def test_each_probe_asks_what_is_known(known: tuple[Any, ...], alive: Any, ready: Any) -> None:
    expected = {"startup": alive, "liveness": alive, "readiness": ready}
    assert asked(*known) == {name: handler for name, handler in expected.items() if handler}


@pytest.mark.parametrize("health", [HTTP, COMMAND, Health(port=9000, path="/"), None], ids=str)
@pytest.mark.parametrize(("liveness", "readiness"), list(product(["", "/healthz"], ["", "/readyz", "/healthz"])))
@pytest.mark.parametrize("ports", [("8080/tcp",), ("8080/tcp", "9000/tcp"), ("53/udp",), ()], ids=str)
def test_liveness_never_asks_what_readiness_asks(
    health: Any, liveness: str, readiness: str, ports: tuple[str, ...]
) -> None:
    application = running(API, health=health, liveness=liveness, readiness=readiness, ports=ports)
    found = handlers(application)
    assert found.get("liveness") is None or found.get("liveness") != found.get("readiness")
    assert found.get("startup") == found.get("liveness")
    listed = {one["name"] for one in container(application).get("ports", ())}
    asked_ports = {one["port"] for handler in found.values() for one in handler.values() if "port" in one}
    assert asked_ports <= listed


ADMIN_FIRST = ("9090/tcp", "8080/tcp")


def test_of_several_ports_the_one_that_answers_is_asked() -> None:
    application = running(API, health=None, ports=ADMIN_FIRST, asked=8080)
    found = handlers(application)
    assert found["liveness"] == {"httpGet": {"port": "tcp-8080", "path": "/healthz"}}
    assert found["readiness"] == {"httpGet": {"port": "tcp-8080", "path": "/readyz"}}
    served = [(one["port"], one["targetPort"]) for one in the("Service", application)["spec"]["ports"]]
    assert served == [(9090, "tcp-9090"), (8080, "tcp-8080")], "nothing says that HTTP is spoken at the first"


def test_where_nobody_knows_which_port_answers_no_route_is_asked() -> None:
    found = handlers(running(API, health=None, ports=ADMIN_FIRST, asked=0))
    assert found == {"readiness": {"tcpSocket": {"port": "tcp-9090"}}}


def test_a_check_on_a_port_of_its_own_is_asked_there() -> None:
    found = asked(Health(port=9000, path="/alive"), "", "8080/tcp")
    assert found["readiness"] == {"httpGet": {"port": "health", "path": "/alive"}}
    assert found["liveness"] == {"tcpSocket": {"port": "health"}}


def test_a_worker_that_answers_for_its_health_alone_is_restarted_when_it_does_not() -> None:
    """Readiness would take requests from it, and nobody sends any."""
    found = handlers(running(API, health=Health(port=9000, path="/alive"), liveness="", readiness="", ports=()))
    alive = {"httpGet": {"port": "health", "path": "/alive"}}
    assert found == {"startup": alive, "liveness": alive}


def test_what_is_not_known_is_said() -> None:
    def text(health: Health | None, readiness: str, *ports: str) -> str:
        application = running(API, health=health, liveness="", readiness=readiness, ports=ports)
        return texts("plain", application)["deploy/deployment.yaml"]

    assert "the only route that is known" in text(HTTP, "", "8080/tcp")
    assert "the check that is known" in text(COMMAND, "", "8080/tcp")
    assert "no route is known that says more" in text(None, "", "8080/tcp")
    assert "There is no readiness probe" in text(COMMAND, "")


HTTPS = {"port": "https", "scheme": "HTTPS"}


@pytest.mark.parametrize(
    ("liveness", "readiness", "alive", "ready", "why"),
    [
        (
            "/livez",
            "/readyz",
            {"httpGet": HTTPS | {"path": "/livez"}},
            {"httpGet": HTTPS | {"path": "/readyz"}},
            "Another",
        ),
        ("/livez", "", {"tcpSocket": {"port": "https"}}, {"httpGet": HTTPS | {"path": "/livez"}}, "the only route"),
        ("", "/readyz", {"tcpSocket": {"port": "https"}}, {"httpGet": HTTPS | {"path": "/readyz"}}, "the only route"),
        ("/up", "/up", {"tcpSocket": {"port": "https"}}, {"httpGet": HTTPS | {"path": "/up"}}, "the only route"),
        ("", "", None, {"tcpSocket": {"port": "tcp-8080"}}, "no route is known"),
    ],
)
def test_who_serves_tls_is_asked_though_the_image_has_no_check(
    liveness: str, readiness: str, alive: Any, ready: Any, why: str
) -> None:
    application = running(API, health=None, tls=True, liveness=liveness, readiness=readiness)
    found = handlers(application)
    assert (found.get("liveness"), found["readiness"]) == (alive, ready)
    assert why in texts("plain", application)["deploy/deployment.yaml"]


def test_times_are_those_of_the_plan() -> None:
    health = Health(port=8080, path="/healthz", interval=12.5, timeout=1.5, start_period=90.0, retries=5)
    found = container(running(API, health=health))
    assert found["livenessProbe"].items() >= {"periodSeconds": 13, "timeoutSeconds": 2, "failureThreshold": 5}.items()
    assert found["startupProbe"].items() >= {"periodSeconds": 1, "failureThreshold": 90}.items()
    assert found["readinessProbe"].items() >= {"periodSeconds": 5, "timeoutSeconds": 2}.items()
    quick = Health(port=8080, path="/healthz", interval=1.0)
    assert container(running(API, health=quick))["readinessProbe"]["periodSeconds"] == 1
    assert container(JOBS)["readinessProbe"]["timeoutSeconds"] == 3
