"""The project's own code that one main is made of. Facts of files in, an index to ask out; touches nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from wherry.analyze.source.facts import (
    Binding,
    Call,
    Expression,
    FileFacts,
    Function,
    Invoke,
    Make,
    Name,
    Select,
    last_name,
)
from wherry.kit.value import Value
from wherry.model.place import Place


class SourceFile(Value, frozen=True, kw_only=True):
    """One file of a package: its path relative to the project root, and what it says."""

    file: str
    facts: FileFacts


class SourcePackage(Value, frozen=True, kw_only=True):
    """One package of the project's own."""

    import_path: str
    files: tuple[SourceFile, ...]


class Where(Value, frozen=True, kw_only=True):
    """A spot from which names are looked up: package, file, function (-1: none)."""

    package: int
    file: int
    scope: int = -1


class Code:
    """Packages with their names indexed. The first package is the main."""

    def __init__(self, packages: tuple[SourcePackage, ...]) -> None:
        self.packages = packages
        self.by_path = {package.import_path: number for number, package in enumerate(packages)}
        self.locals: dict[tuple[Where, str], list[Binding]] = defaultdict(list)
        self.globals: dict[tuple[int, str], list[tuple[Binding, Where]]] = defaultdict(list)
        self.fields: dict[str, list[tuple[Expression, Where]]] = defaultdict(list)
        self.functions: dict[str, list[tuple[Function, Where]]] = defaultdict(list)
        self._aliases: dict[tuple[int, int], dict[str, str]] = {}
        self._imports: list[frozenset[str]] = []
        self._known: dict[tuple[int, str], bool] = {}
        for number, package in enumerate(packages):
            self._imports.append(frozenset(line.path for file in package.files for line in file.facts.imports))
            for position, file in enumerate(package.files):
                self._add(Where(package=number, file=position), file.facts)
        self.calls = tuple(self._calls())
        self.calls_by_name: dict[str, list[tuple[Call, Where]]] = defaultdict(list)
        for call, where in self.calls:
            self.calls_by_name[last_name(call.invoke.function)].append((call, where))

    def _add(self, where: Where, facts: FileFacts) -> None:
        self._aliases[where.package, where.file] = {
            name: line.path for line in facts.imports for name in names_of_import(line.alias, line.path)
        }
        for binding in facts.bindings:
            spot = _at(where, binding.scope)
            if binding.of_field:
                self.fields[binding.name].append((binding.value, spot))
            elif binding.scope < 0:
                self.globals[where.package, binding.name].append((binding, spot))
            else:
                self.locals[spot, binding.name].append(binding)
        for scope, made in facts.composites:
            for key, value in made.fields:
                if key:
                    self.fields[key].append((value, _at(where, scope)))
        for function in facts.functions:
            self.functions[function.name].append((function, _at(where, function.scope)))

    def _calls(self) -> Iterator[tuple[Call, Where]]:
        for number, package in enumerate(self.packages):
            for position, file in enumerate(package.files):
                for call in file.facts.calls:
                    yield call, Where(package=number, file=position, scope=call.scope)

    def composites(self) -> Iterator[tuple[Make, Where]]:
        """All composite literals that were kept."""
        for number, package in enumerate(self.packages):
            for position, file in enumerate(package.files):
                for scope, made in file.facts.composites:
                    yield made, Where(package=number, file=position, scope=scope)

    def each_file(self) -> Iterator[tuple[FileFacts, Where]]:
        """All files."""
        for number, package in enumerate(self.packages):
            for position, file in enumerate(package.files):
                yield file.facts, Where(package=number, file=position)

    def place(self, where: Where, line: int, column: int) -> Place:
        """A place in the file of `where`."""
        return Place(file=self.packages[where.package].files[where.file].file, line=line, column=column)

    def imported(self, where: Where, name: str) -> str:
        """The import path that `name` stands for in this file; empty when it is no import."""
        return self._aliases[where.package, where.file].get(name, "")

    def package_of(self, expression: Expression, where: Where) -> str:
        """The import path of `pkg` in `pkg.Name`; empty when the expression is something else."""
        return (
            self.imported(where, expression.of.name)
            if isinstance(expression, Select) and isinstance(expression.of, Name)
            else ""
        )

    def imports(self, where: Where, prefix: str) -> bool:
        """Whether the package of `where` imports `prefix` or something below it."""
        key = (where.package, prefix)
        if key not in self._known:
            self._known[key] = any(is_below(path, prefix) for path in self._imports[where.package])
        return self._known[key]

    def function_around(self, where: Where) -> Function | None:
        """The function whose scope this is."""
        functions = self.packages[where.package].files[where.file].facts.functions
        return functions[where.scope] if 0 <= where.scope < len(functions) else None


def is_below(path: str, prefix: str) -> bool:
    """`github.com/labstack/echo/v4` is below `github.com/labstack/echo`; a prefix that ends with a slash is taken as it
    is.
    """
    return path == prefix or path.startswith((prefix if prefix.endswith("/") else f"{prefix}/", f"{prefix}.v"))


def chain(invoke: Invoke) -> Iterator[Invoke]:
    """A call and the calls its receiver is made of: `a().b().c()` gives c, b, a."""
    current: Expression = invoke
    while isinstance(current, Invoke):
        yield current
        function = current.function
        current = function.of if isinstance(function, Select) else function


def _at(where: Where, scope: int) -> Where:
    return Where(package=where.package, file=where.file, scope=scope)


def names_of_import(alias: str, path: str) -> tuple[str, ...]:
    """The names an import may be used by. Without an alias Go takes the package's own name, which its path only
    suggests.
    """
    if alias:
        return () if alias in ("_", ".") else (alias,)
    parts = path.split("/")
    last = parts[-1]
    if len(parts) > 1 and len(last) > 1 and last[0] == "v" and last[1:].isdecimal():
        last = parts[-2]
    bare = last.partition(".v")[0]
    return tuple(
        {bare, bare.removeprefix("go-"), bare.removesuffix("-go"), bare.replace("-", ""), bare.rpartition("-")[2]}
        - {""}
    )
