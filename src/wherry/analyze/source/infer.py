"""All that is inferred of one main. Its packages' facts in, Inferred values out; touches nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source import vocabulary
from wherry.analyze.source.asking import health_commands
from wherry.analyze.source.code import Code, SourcePackage, Where
from wherry.analyze.source.draining import drains
from wherry.analyze.source.evaluate import Evaluator
from wherry.analyze.source.habits import habits, stopping
from wherry.analyze.source.leading import leading
from wherry.analyze.source.listening import nowhere, ports
from wherry.analyze.source.outside import backings, secret_files, variables
from wherry.analyze.source.routes import routes
from wherry.analyze.source.serving import serving
from wherry.analyze.source.settings import Settings
from wherry.model.project import Inferred

#: Packages whose variables stand for the whole program, by the last part of their import path.
VERSION_PACKAGES = frozenset(
    ("version", "versions", "buildinfo", "build", "about", "release", "meta", "info", "cmd", "app", "common")
)
#: Packages of others that are filled by -X: import path → (variable, kind).
KNOWN_PACKAGES = {
    "github.com/prometheus/common/version": (
        ("Version", "version-variable"),
        ("Revision", "revision-variable"),
        ("BuildDate", "date-variable"),
    ),
    "k8s.io/component-base/version": (("gitVersion", "version-variable"), ("gitCommit", "revision-variable")),
}


def infer(packages: tuple[SourcePackage, ...]) -> tuple[Inferred, ...]:
    """Facts about a main; `packages` are its own and those of the project it imports, the main first."""
    code = Code(packages)
    settings = Settings(code)
    evaluator = Evaluator(code, settings)
    servers = tuple(backings(code))
    listening = ports(code, settings, evaluator)
    return (
        *listening,
        *nowhere(code, listening),
        *routes(code, evaluator),
        *serving(code, evaluator),
        *habits(code),
        *stopping(code),
        *drains(code, evaluator),
        *health_commands(code),
        *servers,
        *leading(code, settings, frozenset(one.value for one in servers)),
        *variables(code, evaluator),
        *secret_files(code, evaluator),
        *_variables(code),
    )


def _variables(code: Code) -> Iterator[Inferred]:
    """What the linker's -X can set: full names, as `go build -ldflags=-X` wants them."""
    seen = set()
    for number, package in enumerate(code.packages):
        general = not number or _stands_for_all(package.import_path, code.packages[0].import_path)
        for position, file in enumerate(package.files):
            for variable in file.facts.variables:
                kind = variable_kind(variable.name)
                if not general and variable.name.lower().replace("_", "") not in vocabulary.SPECIFIC_NAMES:
                    continue
                full = f"{package.import_path if number else 'main'}.{variable.name}"
                if kind and full not in seen:
                    seen.add(full)
                    place = code.place(Where(package=number, file=position), variable.line, variable.column)
                    yield Inferred(kind=kind, value=full, place=place, certainty="found" if not number else "guess")
    yield from _of_others(code)


def _stands_for_all(path: str, main: str) -> bool:
    """A package for versions, or one that the main lies below."""
    return path.rpartition("/")[2] in VERSION_PACKAGES or main.startswith(f"{path}/")


def _of_others(code: Code) -> Iterator[Inferred]:
    seen = set()
    for facts, where in code.each_file():
        for line in facts.imports:
            for name, kind in KNOWN_PACKAGES.get(line.path, ()):
                if (line.path, name) not in seen:
                    seen.add((line.path, name))
                    yield Inferred(
                        kind=kind, value=f"{line.path}.{name}", place=code.place(where, line.line, line.column)
                    )


def variable_kind(name: str) -> str:
    """version-variable, revision-variable or date-variable by a variable's name; else empty."""
    folded = name.lower().replace("_", "")
    for names, kind in (
        (vocabulary.VERSION_NAMES, "version-variable"),
        (vocabulary.REVISION_NAMES, "revision-variable"),
        (vocabulary.DATE_NAMES, "date-variable"),
    ):
        if folded in names:
            return kind
    return ""
