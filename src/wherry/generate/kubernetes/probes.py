"""How the kubelet asks whether it has started, is alive, and wants requests. An application in, probes out; touches nothing.

Liveness and readiness never ask the same: what fails because a database is away must take requests from a pod, not restart it.
"""

from __future__ import annotations

import math
from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate.kubernetes import words
from wherry.generate.kubernetes.ports import ports
from wherry.model.application import Application
from wherry.model.plan import Health

Probes = dict[str, Document]
Handler = dict[str, Document]

PATIENCE: Final = 60
"""Seconds that it may take to start, at least: a new node is busy."""
READY_EVERY: Final = 5
"""Seconds between questions for readiness, at most: requests fail until the answer is known."""

BOTH: Final = "Another question than readiness: who fails here is restarted, and that mends no database that is away."
ONE_ROUTE: Final = (
    "Whether the port takes connections, no more: the only route that is known says whether it wants requests, and\n"
    "whoever waits for a database must not be restarted for it. A route for this alone is better."
)
ONE_COMMAND: Final = (
    "Whether the port takes connections, no more: the check that is known says whether it wants requests, and\n"
    "whoever waits for a database must not be restarted for it. A check for this alone is better."
)
NO_ROUTE: Final = (
    "Whether the port takes connections: no route is known that says more (image.health in wherry.toml). There is no\n"
    "liveness probe beside it, which could ask no better; a program that ends is started again without one."
)
NO_PORT: Final = "There is no readiness probe: nobody sends requests to what listens on no port but for its health."


def probes(application: Application) -> Probes:
    """The keys `startupProbe`, `livenessProbe`, `readinessProbe`, those that there are."""
    health = application.runs.health or Health()
    alive, ready, why = _handlers(application)
    made: Probes = {}
    if alive:
        made["startupProbe"] = noted(
            {
                **alive,
                "periodSeconds": 1,
                "timeoutSeconds": words.seconds(health.timeout),
                "failureThreshold": _starts(health),
            },
            f"It has {_starts(health)} s to start; until then nobody asks the others.",
        )
        made["livenessProbe"] = noted(
            {
                **alive,
                "periodSeconds": words.seconds(health.interval),
                "timeoutSeconds": words.seconds(health.timeout),
                "failureThreshold": health.retries,
            },
            why,
        )
    if ready:
        probe = {
            **ready,
            "periodSeconds": min(READY_EVERY, words.seconds(health.interval)),
            "timeoutSeconds": words.seconds(health.timeout),
            "failureThreshold": 2,
        }
        made["readinessProbe"] = probe if alive else noted(probe, why)
    return made


def _starts(health: Health) -> int:
    return max(PATIENCE, math.ceil(health.start_period))


def _handlers(application: Application) -> tuple[Handler, Handler, str]:
    """What liveness asks, what readiness asks, and why."""
    runs = application.runs
    known = _asks(application, runs.health) if runs.health else _route(application, runs.liveness)
    ready = _route(application, runs.readiness)
    port = _connects(application)
    if known and ready and ready != known:
        return known, ready, BOTH
    if known and not (port and runs.ports):
        return known, {}, NO_PORT
    if known or ready:
        return port, known or ready, ONE_COMMAND if "exec" in known else ONE_ROUTE
    return {}, port, NO_ROUTE


def _asks(application: Application, health: Health) -> Handler:
    if health.command:
        # The kubelet expands $(NAME) here; a doubled $ is one.
        return {"exec": {"command": [word.replace("$", "$$") for word in health.command]}}
    return _get(application, health.path or "/")


def _route(application: Application, path: str) -> Handler:
    return _get(application, path) if path and application.runs.asked else {}


def _get(application: Application, path: str) -> Handler:
    return {
        "httpGet": {
            "path": path,
            "port": _port_name(application, application.runs.asked),
            **({"scheme": "HTTPS"} if application.runs.tls else {}),
        }
    }


def _connects(application: Application) -> Handler:
    number = application.runs.asked or application.port
    return {"tcpSocket": {"port": _port_name(application, number)}} if number else {}


def _port_name(application: Application, number: int) -> str:
    return next(one.name for one in ports(application) if one.number == number and one.protocol == "TCP")
