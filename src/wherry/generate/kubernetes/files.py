"""The three forms. Applications and a choice in, files below `deploy/` out; touches nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wherry.formats import yaml
from wherry.generate import names
from wherry.generate.kubernetes import checks
from wherry.generate.kubernetes.helm import chart
from wherry.generate.kubernetes.kustomize import bases
from wherry.generate.kubernetes.objects import namespace, objects
from wherry.generate.names import Applications
from wherry.generate.shell import quoted
from wherry.generate.use import MOST, Here, Use
from wherry.model.application import Application
from wherry.model.file import Choice, File

FOLDER: Final = "deploy"
Extras = tuple[str, ...]


def files(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """`deploy/...` for one application, `deploy/NAME/...` for each of several. UsageError of `checks.check`."""
    checks.check(applications, choice)
    form = FORMS[choice.variant or next(iter(FORMS))]
    each = zip(applications, _folders(applications), strict=True)
    made = (file for application, folder in each for file in form(application, folder, choice.extras))
    return (*_namespaces(applications, choice), *made)


def _folders(applications: Applications) -> tuple[str, ...]:
    several = len(applications) > 1
    return tuple(f"{FOLDER}/{names.service(one)}" if several else FOLDER for one in applications)


def uses(applications: Applications, choice: Choice, here: Here) -> tuple[Use, ...]:
    """What brings the objects into the cluster that kubectl and helm talk to."""
    folders = [here(names.from_root(applications, one)) for one in _folders(applications)[:MOST]]
    match choice.variant:
        case "kustomize":
            spaces = [here(names.from_root(applications, one.path)) for one in _namespaces(applications, choice)]
            commands = [f"kubectl apply -f {quoted(one)}" for one in spaces]
            commands += [f"kubectl apply -k {quoted(f'{one}/overlays/production')}" for one in folders]
        case "helm":
            each = zip(applications, folders, strict=False)
            commands = [_installed(application, quoted(f"{one}/chart")) for application, one in each]
        case _:
            top = quoted(f"{here(names.from_root(applications, FOLDER))}/")
            commands = [f"kubectl apply -{'R' if len(applications) > 1 else ''}f {top}"]
    return tuple(Use(command=one) for one in commands)


def _installed(application: Application, chart: str) -> str:
    space = f" --namespace {application.namespace} --create-namespace" if application.namespace else ""
    return f"helm upgrade --install {names.service(application)} {chart}{space}"


def _namespaces(applications: Applications, choice: Choice) -> tuple[File, ...]:
    """Once for all: what deletes one application's folder must not delete the others with their namespace. A chart has none:
    Helm installs into one that is there."""
    spaces = list(dict.fromkeys(one.namespace for one in applications if one.namespace))
    if not spaces or choice.variant == "helm":
        return ()
    made = [namespace(one) for one in spaces]
    text = yaml.dump_all([one.document for one in made])
    return (File(path=f"{FOLDER}/{made[0].file}.yaml", text=text),)


def _plain(application: Application, folder: str, extras: Extras) -> tuple[File, ...]:
    return tuple(
        File(path=f"{folder}/{one.file}.yaml", text=yaml.dump(one.document)) for one in objects(application, extras)
    )


Form = Callable[[Application, str, Extras], tuple[File, ...]]
FORMS: Final[dict[str, Form]] = {"plain": _plain, "kustomize": bases, "helm": chart}
"""The first is the usual one."""
