"""The project's own packages that a main is made of. A listing in, facts of their sources out; reads the files.

Facts depend on bytes alone, so they are kept between runs: a record for each package, and one for what a main's packages mean
together.
"""

from __future__ import annotations

import functools
import hashlib
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from wherry.analyze.reading import is_inside, read_regular, relative
from wherry.analyze.source.code import SourceFile, SourcePackage
from wherry.analyze.source.facts import FileFacts
from wherry.analyze.source.infer import infer
from wherry.analyze.source.scan import scan
from wherry.formats.golisting import Package
from wherry.kit.ports import Records
from wherry.kit.value import Value, decodable
from wherry.model.project import Inferred

#: Bytes of own sources that are read for one project; above it the rest of the packages gives no facts.
MOST = 128 << 20
#: Stand-ins for tests that were not put into _test.go files.
MOCKS = ("mock_", "fake_", "mocks_", "testutil", "testhelper")

T = TypeVar("T")
Facts = tuple[FileFacts, ...]
Inference = tuple[Inferred, ...]


class Contents(Value, frozen=True, kw_only=True):
    """The sources of one package: where they are, what they say, and a digest of that."""

    import_path: str
    names: tuple[str, ...]
    data: tuple[bytes, ...]
    digest: str


class Sources:
    """Reads and remembers packages; shared by all mains of a project."""

    def __init__(self, root: str, records: Records | None) -> None:
        self._root = root
        self._records = records
        self._contents: dict[str, Contents] = {}
        self._scanned: dict[str, SourcePackage] = {}
        self._left = MOST

    @property
    def whole(self) -> bool:
        """False once there was more source than is read."""
        return self._left > 0

    def inferred(self, packages: tuple[Package, ...]) -> Inference:
        """What is inferred of the main that these packages make; it comes first."""
        contents = tuple(map(self._read, packages))
        whole = hashlib.sha256()
        for one in contents:
            whole.update("\0".join((one.import_path, *one.names, one.digest, "")).encode("utf-8", "surrogateescape"))
        return self._kept(
            f"go-inferred {whole.hexdigest()}", Inference, lambda: infer(tuple(map(self._scan, contents)))
        )

    def _read(self, package: Package) -> Contents:
        known = self._contents.get(package.import_path)
        if known is None:
            known = self._contents[package.import_path] = self._contents_of(package)
        return known

    def _contents_of(self, package: Package) -> Contents:
        names: list[str] = []
        contents: list[bytes] = []
        digest = hashlib.sha256()
        for name in (*package.go_files, *package.cgo_files):
            path = os.path.join(package.dir, name)
            if _is_mock(name) or (os.path.islink(path) and not is_inside(path, self._root)):
                continue
            data = read_regular(path) if self._left > 0 else None
            if data is not None:
                names.append(relative(path, self._root))
                contents.append(data)
                digest.update(hashlib.sha256(data).digest())
                self._left -= len(data)
        return Contents(
            import_path=package.import_path, names=tuple(names), data=tuple(contents), digest=digest.hexdigest()
        )

    def _scan(self, contents: Contents) -> SourcePackage:
        known = self._scanned.get(contents.import_path)
        if known is None:
            facts = self._kept(f"go-facts {contents.digest}", Facts, lambda: tuple(map(scan, contents.data)))
            if len(facts) != len(contents.names):
                facts = tuple(map(scan, contents.data))
            files = tuple(SourceFile(file=name, facts=one) for name, one in zip(contents.names, facts, strict=True))
            known = self._scanned[contents.import_path] = SourcePackage(import_path=contents.import_path, files=files)
        return known

    def _kept(self, key: str, kind: type[T], make: Callable[[], T]) -> T:
        """The record under `key`, made when there is none that can be read. What it was made by is part of the key."""
        if self._records is None:
            return make()
        key = f"{key} {rules()}"
        data = self._records.get(key)
        try:
            if data:
                return msgspec.msgpack.decode(data, type=decodable(kind))
        except msgspec.MsgspecError:
            pass
        value = make()
        self._records.put(key, msgspec.msgpack.encode(value))
        return value


@functools.cache
def rules() -> str:
    """A digest of everything that turns bytes into facts: grammar, tables, rules."""
    import tree_sitter_go

    from wherry import __version__

    digest = hashlib.sha256(f"{__version__} {getattr(tree_sitter_go, '__version__', '')}".encode())
    for path in sorted(Path(__file__).parent.glob("source/*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


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
