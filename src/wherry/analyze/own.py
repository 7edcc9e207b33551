"""The project's own packages that a main is made of. A listing in, facts of their sources out; reads the files.

Facts depend on bytes alone, so they are kept between runs: one record a package.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable

import msgspec

from wherry.analyze.reading import is_inside, read_regular, relative
from wherry.analyze.source import scan
from wherry.analyze.source.code import SourceFile, SourcePackage
from wherry.analyze.source.facts import FileFacts
from wherry.formats.golisting import Package
from wherry.kit.ports import Records

#: Bytes of own sources that are read for one project; above it the rest of the packages gives no facts.
MOST = 128 << 20
#: Stand-ins for tests that were not put into _test.go files.
MOCKS = ("mock_", "fake_", "mocks_", "testutil", "testhelper")

Facts = tuple[FileFacts, ...]


class Sources:
    """Reads and remembers packages; shared by all mains of a project."""

    def __init__(self, root: str, records: Records | None) -> None:
        self._root = root
        self._records = records
        self._known: dict[str, SourcePackage] = {}
        self._left = MOST

    @property
    def whole(self) -> bool:
        """False once there was more source than is read."""
        return self._left > 0

    def of(self, package: Package) -> SourcePackage:
        """The facts of one package."""
        known = self._known.get(package.import_path)
        if known is None:
            known = self._known[package.import_path] = self._read(package)
        return known

    def _read(self, package: Package) -> SourcePackage:
        names: list[str] = []
        contents: list[bytes] = []
        for name in (*package.go_files, *package.cgo_files):
            path = os.path.join(package.dir, name)
            if _is_mock(name) or (os.path.islink(path) and not is_inside(path, self._root)):
                continue
            data = read_regular(path) if self._left > 0 else None
            if data is not None:
                names.append(relative(path, self._root))
                contents.append(data)
                self._left -= len(data)
        facts = self._facts(contents)
        return SourcePackage(
            import_path=package.import_path,
            files=tuple(SourceFile(file=name, facts=one) for name, one in zip(names, facts, strict=True)),
        )

    def _facts(self, contents: list[bytes]) -> Facts:
        if self._records is None:
            return tuple(map(scan.scan, contents))
        key = _key(contents)
        kept = _decode(self._records.get(key))
        if kept is not None and len(kept) == len(contents):
            return kept
        facts = tuple(map(scan.scan, contents))
        self._records.put(key, msgspec.msgpack.encode(facts))
        return facts


def reachable(main: str, packages: dict[str, Package], is_own: Callable[[Package], bool]) -> tuple[Package, ...]:
    """The own packages that `main` is made of, nearest first, `main` itself at the head."""
    order: dict[str, Package] = {}
    waiting = deque((main,))
    while waiting:
        path = waiting.popleft()
        package = packages.get(path)
        if package is not None and path not in order and is_own(package):
            order[path] = package
            waiting.extend(package.imports)
    return tuple(order.values())


def _is_mock(name: str) -> bool:
    return (
        name.startswith(MOCKS)
        or name in ("mock.go", "fake.go", "mocks.go")
        or name.endswith(("_mock.go", "_fake.go", "_mocks.go"))
    )


def _key(contents: list[bytes]) -> str:
    import tree_sitter_go

    whole = hashlib.sha256()
    for data in contents:
        whole.update(hashlib.sha256(data).digest())
    grammar = getattr(tree_sitter_go, "__version__", "")
    return f"go-facts {scan.VERSION} {grammar} {whole.hexdigest()}"


def _decode(data: bytes | None) -> Facts | None:
    try:
        return msgspec.msgpack.decode(data, type=tuple[FileFacts, ...]) if data else None
    except msgspec.MsgspecError:
        return None
