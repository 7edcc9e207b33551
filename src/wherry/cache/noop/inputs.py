"""What a build depended on and where its result lies, as values. Touches nothing."""

from __future__ import annotations

from typing import Literal

from wherry.kit.value import Value
from wherry.model.image import Built
from wherry.oci.digest import Digest


class Tree(Value, frozen=True, kw_only=True):
    """A folder with all beneath it. Never looked into: `.git`, `__pycache__`, and the paths in `skip`.

    all  every file's bytes, every folder's names: assets, embedded folders, wherry's own code
    git  the same without nested repositories: what `git status` looks at; `skip` holds what git ignores
    go   what `go list ./...` looks at: folders not named `.x`, `_x` or testdata; Go files, go.mod, wherry.toml
    flat the folder's own files, and nothing beneath
    """

    root: str
    kind: Literal["all", "git", "go", "flat"] = "all"
    skip: tuple[str, ...] = ()


class Inputs(Value, frozen=True, kw_only=True):
    """Everything that could change a build's result besides its request. Paths are absolute."""

    paths: tuple[str, ...] = ()
    """What is there now counts: a file's bytes, the names in a folder (not what is beneath), a link and its target, or
    that nothing is there."""
    places: tuple[str, ...] = ()
    """Only that it is there, whose it is and its mode."""
    stamps: tuple[str, ...] = ()
    """Only the stats count: for what people do not touch. Nothing is read."""
    trees: tuple[Tree, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    """Name and path of each program that was looked up on PATH; an empty path: none was found."""
    variables: tuple[str, ...] = ()
    """Environment variables that settings refer to by name."""
    written: tuple[str, ...] = ()
    """Folders in which the build itself writes: not looked into where they lie among trees. The cache's always counts as one."""
    unclear: str = ""
    """Why no list of inputs can be complete, for instance `hooks run before the build`; then nothing is recorded."""


def joined(*parts: Inputs) -> Inputs:
    """All inputs of all parts."""
    return Inputs(
        paths=tuple(path for part in parts for path in part.paths),
        places=tuple(path for part in parts for path in part.places),
        stamps=tuple(path for part in parts for path in part.stamps),
        trees=tuple(tree for part in parts for tree in part.trees),
        programs=tuple(program for part in parts for program in part.programs),
        variables=tuple(name for part in parts for name in part.variables),
        written=tuple(path for part in parts for path in part.written),
        unclear=next((part.unclear for part in parts if part.unclear), ""),
    )


class LayoutOutput(Value, frozen=True, kw_only=True):
    """A layout, wherry's own store too: `name` is the entry's org.opencontainers.image.ref.name, `blobs` all that it leads to."""

    directory: str
    name: str
    digest: Digest
    blobs: tuple[Digest, ...]


def in_layout(directory: str, name: str, built: Built) -> LayoutOutput:
    """Where `built` lies in a layout: its index, manifests, configs and layers."""
    documents = [document for image in built.images for document in (image.manifest, image.config)]
    layers = [layer.digest for image in built.images for layer in image.layers]
    blobs = (built.digest, *(document.digest for document in documents), *layers)
    return LayoutOutput(directory=directory, name=name, digest=built.digest, blobs=tuple(dict.fromkeys(blobs)))


class FileOutput(Value, frozen=True, kw_only=True):
    """An archive: good as long as nobody touches the file."""

    path: str


class RegistryOutput(Value, frozen=True, kw_only=True):
    """A tag in a registry. `read`: of a base that was given by tag, which mirrors may answer for."""

    host: str
    """`localhost:5000`"""
    repository: str
    tag: str
    digest: Digest
    read: bool = False


class DockerOutput(Value, frozen=True, kw_only=True):
    """A name in Docker, asked at its socket."""

    socket: str
    reference: str
    id: str


class PodmanOutput(Value, frozen=True, kw_only=True):
    """A name in containers-storage, by the file in which it lists its images (`*-images/images.json`)."""

    file: str
    reference: str
    digest: Digest


class QuietSocket(Value, frozen=True, kw_only=True):
    """An engine's socket at which nobody answered, so that the result went elsewhere."""

    path: str


Output = LayoutOutput | FileOutput | RegistryOutput | DockerOutput | PodmanOutput | QuietSocket
