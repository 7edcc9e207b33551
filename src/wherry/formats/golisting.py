"""What `go list -json` prints. Bytes in, packages out; touches nothing.

Only the fields named in FIELDS are asked for: the rest costs Go time (`go help list`, "-json flag").
"""

from __future__ import annotations

import msgspec

from wherry.errors import CorruptError
from wherry.kit.value import Value, decodable

FIELDS = (
    *("ImportPath", "Name", "Dir", "Standard", "DepOnly", "Module", "Imports", "Error"),
    *("GoFiles", "CgoFiles", "IgnoredGoFiles", "EmbedFiles", "EmbedPatterns"),
)


class Module(Value, frozen=True, kw_only=True, rename="pascal"):
    """The module a package belongs to. `dir` is where its files are, after replacement."""

    path: str = ""
    version: str = ""
    main: bool = False
    dir: str = ""
    replace: Module | None = None

    @property
    def is_local(self) -> bool:
        """A main module, a member of the workspace, or one replaced by a folder."""
        return self.main or (self.replace is not None and not self.replace.version)


class PackageError(Value, frozen=True, kw_only=True, rename="pascal"):
    """Why Go could not load a package; `pos` is file:line:column."""

    pos: str = ""
    err: str = ""


class Package(Value, frozen=True, kw_only=True, rename="pascal"):
    """One package. File names are relative to `dir`; without cgo, files with `import "C"` are among `ignored_go_files`."""

    import_path: str
    name: str = ""
    dir: str = ""
    standard: bool = False
    dep_only: bool = False
    module: Module | None = None
    imports: tuple[str, ...] = ()
    error: PackageError | None = None
    go_files: tuple[str, ...] = ()
    cgo_files: tuple[str, ...] = ()
    ignored_go_files: tuple[str, ...] = ()
    embed_files: tuple[str, ...] = ()
    """None where one of the patterns matches nothing, which is `error` then."""
    embed_patterns: tuple[str, ...] = ()
    """As in //go:embed, without quotes; sorted. There whether or not they match."""

    @property
    def is_local(self) -> bool:
        return self.module is not None and self.module.is_local


def parse(data: bytes) -> tuple[Package, ...]:
    """The packages in the output of `go list -json`, dependencies before dependents as Go prints them. CorruptError
    [go-list-output].
    """
    # Go indents what is inside by a tab, and a JSON text holds no raw line feed: so this ends an object and nothing
    # else.
    *parts, rest = (data if data.endswith(b"\n") else data + b"\n").split(b"\n}\n")
    decoder = msgspec.json.Decoder(decodable(Package))
    try:
        if rest.strip():
            raise msgspec.DecodeError("it ends in the middle")
        return tuple(decoder.decode(part + b"}") for part in parts)
    except msgspec.MsgspecError as error:
        raise CorruptError(
            "go-list-output", f"what `go list` printed could not be read: {error}", where="go list"
        ) from error
