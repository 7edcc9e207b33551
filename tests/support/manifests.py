"""Generated Kubernetes files as values. Applications in, objects by kind and name out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml
from msgspec.structs import replace

from tests.support.applications import API, DIGEST, JOBS
from wherry.generate.kubernetes.files import files
from wherry.model.application import Application
from wherry.model.file import Choice, File
from wherry.model.plan import Health

Objects = dict[tuple[str, str], dict[str, Any]]
FORMS = ("plain", "kustomize", "helm")
BOTH = ("gateway", "ingress")


def made(form: str, *applications: Application, extras: tuple[str, ...] = ()) -> tuple[File, ...]:
    return files(applications, Choice(what="kubernetes", variant=form, extras=extras))


def texts(form: str, *applications: Application, extras: tuple[str, ...] = ()) -> dict[str, str]:
    return {one.path: one.text for one in made(form, *applications, extras=extras)}


def parsed(documents: Iterable[str]) -> Objects:
    """By kind and name; each once."""
    every = [one for text in documents for one in yaml.safe_load_all(text) if one is not None]
    objects = {(one["kind"], one["metadata"]["name"]): one for one in every}
    assert len(objects) == len(every)
    return objects


def plain(*applications: Application, extras: tuple[str, ...] = ()) -> Objects:
    return parsed(texts("plain", *applications, extras=extras).values())


def the(kind: str, application: Application, extras: tuple[str, ...] = ()) -> dict[str, Any]:
    """The application's only object of that kind."""
    (found,) = (one for (its, _), one in plain(application, extras=extras).items() if its == kind)
    return found


def kinds(application: Application, extras: tuple[str, ...] = ()) -> set[str]:
    return {kind for kind, _ in plain(application, extras=extras)}


def pod(application: Application) -> dict[str, Any]:
    found: dict[str, Any] = the("Deployment", application)["spec"]["template"]["spec"]
    return found


def container(application: Application) -> dict[str, Any]:
    (found,) = pod(application)["containers"]
    made: dict[str, Any] = found
    return made


def running(application: Application, **changes: object) -> Application:
    """The application with other values in `runs`; as the plan has it, HTTP is asked where something is known to ask, and no
    variable is set that is not read."""
    runs = replace(application.runs, **changes)
    health = runs.health.port if runs.health else 0
    known = runs.readiness or (runs.liveness if runs.health is None else "")
    asked = health or (replace(application, runs=runs).port if known else 0)
    usual = tuple(one for one in runs.usual if one[0] in runs.variables)
    decided: dict[str, object] = {"asked": asked, "usual": usual}
    return replace(application, runs=replace(runs, **{**decided, **changes}))


APPLICATIONS: dict[str, Application] = {
    "api": API,
    "jobs": JOBS,
    "full": running(
        replace(API, gateway="infra/public", digest=DIGEST),
        ports=("443/tcp", "53/udp"),
        tls=True,
        seccomp="seccomp.json",
        volumes=("/data", "/index"),
    ),
    "command": running(JOBS, health=Health(command=("/app/jobs", "health")), volumes=()),
    "worker": running(API, ports=(), health=None, readiness=""),
}
"""Between them they have everything that can be generated, and each way of knowing nothing of a health check."""
EXTRAS = {"full": BOTH}
