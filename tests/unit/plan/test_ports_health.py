"""Ports and the health check: set, found, guessed, or none."""

from typing import Any

import pytest

from tests.support.planning import PLACE, decision, findings, image, inferred, main, plan, project, refused
from wherry.model.plan import Health
from wherry.model.project import Project

FOUND = ("port", "8080", "found")
ROUTE = ("health-route", "/healthz")
ADMIN = ("port", "9090", "found")
AT = ("route-port", "8080/healthz")


def seen(*facts: Any) -> Project:
    return project(main(inferred=inferred(*facts)))


@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ("[8080]", ("8080/tcp",)),
        ('["8080", 8080, "8080/tcp"]', ("8080/tcp",)),
        ('["53/udp", 53, "9/sctp"]', ("53/udp", "53/tcp", "9/sctp")),
        ("[]", ()),
    ],
)
def test_ports_of_the_settings(given: str, ports: tuple[str, ...]) -> None:
    assert image(f"[image]\nports = {given}\n", project=seen(FOUND)).ports == ports


@pytest.mark.parametrize("given", ["0", "65536", "-1", '"http"', '"80/quic"', '"80-90"', '" 80"'])
def test_ports_that_are_none(given: str) -> None:
    error = refused(f"[image]\nports = [{given}]\n")
    assert (error.name, error.where) == ("bad-setting", (f"wherry.toml:2:10   ports = [{given}]",))


def test_a_found_port_has_its_place_and_beats_guesses() -> None:
    made = plan(project=seen(("port", "9090"), FOUND))
    assert made.images[0].ports == ("8080/tcp",)
    port = decision(made, "port")
    assert (port.value, port.origin, port.place) == ("8080", "found", PLACE)


def test_a_single_guess_counts_and_two_do_not() -> None:
    assert image(project=seen(("port", "9090"))).ports == ("9090/tcp",)
    assert decision(plan(project=seen(("port", "9090"))), "port").origin == "guess"
    assert image(project=seen(("port", "9090"), ("port", "9091"))).ports == ()
    assert image(project=seen(("port", "$PORT"), ("port", "0"))).ports == ()


def test_health_is_guessed_from_one_route_and_one_port() -> None:
    made = plan(project=seen(FOUND, ROUTE))
    assert made.images[0].health == Health(port=8080, path="/healthz")
    health = decision(made, "health")
    assert (health.value, health.origin, health.place) == ("GET /healthz every 30 s", "guess", PLACE)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((FOUND, ROUTE, ("health-route", "/livez")), "2 routes to choose from"),
        ((FOUND, ("port", "9090", "found"), ROUTE), "which of 8080/tcp, 9090/tcp answers it is not known"),
        (
            (FOUND, ADMIN, ROUTE, AT, ("route-port", "9090/healthz")),
            "which of 8080/tcp, 9090/tcp answers it is not known",
        ),
        ((FOUND, ADMIN, ROUTE, ("route-port", "8080/livez")), "which of 8080/tcp, 9090/tcp answers it is not known"),
        ((ROUTE,), "its port is not known"),
        ((FOUND, ROUTE, ("tls", "server")), "the server speaks TLS"),
    ],
)
def test_no_health_where_the_sources_leave_a_choice(facts: tuple[Any, ...], reason: str) -> None:
    made = plan(project=seen(*facts))
    assert made.images[0].health is None
    assert decision(made, "health").reason == reason


@pytest.mark.parametrize("facts", [(FOUND, ADMIN), (ADMIN, FOUND)], ids=["first", "last"])
def test_of_several_ports_the_one_that_serves_the_route(facts: tuple[Any, ...]) -> None:
    known = seen(*facts, ROUTE, AT)
    assert image(project=known).health == Health(port=8080, path="/healthz")
    assert image('[image.health]\npath = "/healthz"\n', project=known).health == Health(port=8080, path="/healthz")
    assert refused('[image.health]\npath = "/up"\n', project=known).name == "health-incomplete"


def test_a_server_that_can_also_speak_tls_is_asked_in_plain_text() -> None:
    """podinfo, go-httpbin, whoami: TLS only with a certificate."""
    made = plan(project=seen(FOUND, ROUTE, ("tls", "server"), ("plain-http", "server")))
    assert made.images[0].health == Health(port=8080, path="/healthz")


def test_no_word_about_health_for_a_program_without_a_route() -> None:
    made = plan(project=seen(FOUND))
    assert made.images[0].health is None
    assert "health" not in {one.name for one in made.images[0].decisions}


def test_a_readiness_route_only_where_there_is_no_health_route() -> None:
    ready = ("readiness-route", "/readyz")
    assert image(project=seen(FOUND, ready, ROUTE)).health == Health(port=8080, path="/healthz")
    assert image(project=seen(FOUND, ready)).health == Health(port=8080, path="/readyz")
    assert image(project=seen(FOUND, ("health-route", "/{name}/health"))).health is None


@pytest.mark.parametrize(
    ("toml", "health"),
    [
        ('path = "/up"\nport = 9', Health(path="/up", port=9)),
        ('path = "/up?full=1"', Health(path="/up?full=1", port=8080)),
        ("port = 9", Health(path="/healthz", port=9)),
        ('interval = "1m30s"', Health(path="/healthz", port=8080, interval=90)),
        (
            'timeout = "1.5s"\nstart-period = "500ms"\nretries = 1',
            Health(path="/healthz", port=8080, timeout=1.5, start_period=0.5, retries=1),
        ),
        ('command = ["api", "health"]', Health(command=("/app/api", "health"))),
        ('command = ["/bin/check"]\ninterval = "10s"', Health(command=("/bin/check",), interval=10)),
    ],
)
def test_health_of_the_settings(toml: str, health: Health) -> None:
    assert image(f"[image.health]\n{toml}\n", project=seen(FOUND, ROUTE)).health == health


def test_health_can_be_ended_and_demanded() -> None:
    assert image("[image]\nhealth = false\n", project=seen(FOUND, ROUTE)).health is None
    assert image("[image]\nhealth = true\n", project=seen(FOUND, ROUTE)).health is not None
    assert refused("[image]\nhealth = true\n").name == "health-incomplete"


@pytest.mark.parametrize(
    ("toml", "error"),
    [
        ('path = "/up"', "health-incomplete"),
        ("port = 8080", "health-incomplete"),
        ('command = ["api"]\nport = 1', "health-incomplete"),
        ("command = []", "health-incomplete"),
        ('command = ["sh", "-c", "true"]', "bad-setting"),
        ('path = "up"\nport = 1', "bad-setting"),
        ('path = "/a b"\nport = 1', "bad-setting"),
        ('path = "/a\\r\\nHost: x"\nport = 1', "bad-setting"),
        ('path = "/up"\nport = 0', "bad-setting"),
        ('path = "/up"\nport = 1\ninterval = "30"', "bad-setting"),
        ('path = "/up"\nport = 1\ninterval = "0s"', "bad-setting"),
        ('path = "/up"\nport = 1\ntimeout = "25h"', "bad-setting"),
        ('path = "/up"\nport = 1\ntimeout = "-3s"', "bad-setting"),
        ('path = "/up"\nport = 1\nretries = 0', "bad-setting"),
    ],
)
def test_health_that_cannot_be(toml: str, error: str) -> None:
    assert refused(f"[image.health]\n{toml}\n").name == error


def test_platforms_without_a_probe_are_told() -> None:
    toml = 'platforms = ["linux/amd64", "linux/s390x"]\n[image.health]\n'
    made = plan(toml + 'path = "/up"\nport = 1\n')
    assert "linux/s390x" in findings(made)["health-platform"]
    assert "health-platform" not in findings(plan(toml + 'command = ["api"]\n'))
    assert "health-platform" not in findings(plan('platforms = ["linux/s390x"]\n'))


@pytest.mark.parametrize(
    ("toml", "warns"),
    [
        ("port = 9000", True),
        ("port = 8080", False),
        ("", False),
        ("port = 9000\n[image]\nports = [8080, 9000]", False),
        ("port = 9000\n[image]\nports = []", False),
    ],
)
def test_a_check_of_a_port_that_is_not_declared_is_told(toml: str, warns: bool) -> None:
    made = plan(f'[image.health]\npath = "/up"\n{toml}\n', project=seen(FOUND))
    said = findings(made).get("health-port", "")
    assert bool(said) is warns
    assert not warns or said == "the health check asks port 9000, and the image declares 8080/tcp"
