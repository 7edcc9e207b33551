"""A Go test that builds the image, runs it, looks at it and stops it. Applications in, its files out; reads the sources in
`module/`, of which only settings_test.go is another application's.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Final

from wherry.formats.gotext import assigned, duration, quoted, strings
from wherry.generate import names
from wherry.generate.names import Applications
from wherry.generate.text import apart
from wherry.generate.use import Here, Use, within
from wherry.model.application import Application
from wherry.model.file import Choice, File

SOURCES: Final = Path(__file__).parent / "module/internal/containertest"
FOLDER: Final = "internal/containertest"
SETTINGS: Final = "settings_test.go"
PATIENCE: Final = 30.0
"""Seconds beside the health check's own start period."""
_UNNAMED: Final = re.compile(r"[^a-z0-9]+")


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """One folder for each application, in its module. UsageError [same-name]."""
    apart(map(_name, applications), file=FOLDER)
    return tuple(file for application in applications for file in _package(applications, application))


def uses(applications: Applications, _: Choice, here: Here) -> tuple[Use, ...]:
    """The test, in its module."""
    folder = here(applications[0].sources.module_directory)
    return (Use(command=f"go test {within(folder)}-tags container ./{FOLDER}/..."),)


def _package(applications: Applications, application: Application) -> tuple[File, ...]:
    own = (_name(application),) if len(applications) > 1 else ()
    folder = posixpath.normpath(posixpath.join(application.sources.module_directory, FOLDER, *own))
    made = []
    for path in sorted(SOURCES.glob("*.go")):
        text = path.read_text(encoding="utf-8")
        if path.name == SETTINGS:
            for name, value in _settings(applications, application, folder).items():
                text = assigned(text, name, value)
        text = text.replace(f"./{FOLDER}", f"./{posixpath.join(FOLDER, *own)}")
        # The empty line keeps the line that wherry puts above from being the package's documentation.
        made.append(File(path=names.from_home(applications, f"{folder}/{path.name}"), text=f"\n{text}", comment="//"))
    return tuple(made)


def _settings(applications: Applications, application: Application, folder: str) -> dict[str, str]:
    """Go's constants and variables by their names."""
    runs = application.runs
    dockerfile = names.dockerfile(applications, application, "")
    declared = f"{runs.asked}/tcp" in runs.ports
    port = runs.asked if declared else application.port
    ready = "" if runs.backing else runs.readiness
    start = runs.health.start_period if runs.health else 0.0
    return {
        "Name": quoted(_name(application)),
        "Root": quoted(posixpath.relpath(".", folder)),
        "Dockerfile": quoted(names.from_root(applications, dockerfile)),
        "Home": quoted(names.home(applications)),
        "Package": quoted(application.programs[0].import_path),
        "User": quoted(f"{runs.user}:{runs.group}"),
        "Port": str(port),
        "HTTPS": "true" if runs.tls else "false",
        "LivePath": quoted(runs.liveness if declared else ""),
        "ReadyPath": quoted(ready if declared else ""),
        "Grace": duration(runs.grace),
        "Memory": str(runs.limits.memory),
        "Processes": str(runs.limits.pids),
        "MostBytes": str(application.size_budget),
        "Patience": duration(PATIENCE + start),
        "Secrets": strings(runs.secrets),
        "Writable": strings(one.path for one in application.scratches),
    }


def _name(application: Application) -> str:
    """As engines take it for images and containers alike."""
    return _UNNAMED.sub("-", names.service(application).lower()).strip("-")[:40] or "app"
