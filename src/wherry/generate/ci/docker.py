"""Steps on GitHub for an image from its Dockerfile. What is known of an application in, steps out; touches nothing.

BuildKit exports layers and nothing else: what cache mounts hold ends with the builder (moby/buildkit#1474), whatever the backend.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate.ci.steps import Step, prove
from wherry.generate.names import NETRC
from wherry.generate.shell import EPOCH, REVISION, TAG
from wherry.model.application import Application

ARCHIVE: Final = "$RUNNER_TEMP/image.tar"


def steps(application: Application, told: Mapping[str, str], *, read: bool, write: bool) -> tuple[Document, ...]:
    """Build and prove; `read`, `write`: whether layers come from the image's registry and go there."""
    builder = {
        "name": "A builder that can keep layers elsewhere",
        "run": "docker buildx create --use --driver docker-container",
    }
    return (builder, _build(application, told, read=read, write=write), prove(f"oci-archive:{ARCHIVE}"))


def push(told: Mapping[str, str]) -> Step:
    """What lies in the archive, under its version."""
    run = f"""\
version="$(wherry plan --only version "$PACKAGE")"
pushed="$(wherry push "oci-archive:{ARCHIVE}" --tag "$IMAGE:$(printf %s "$version" | {TAG})")"
echo "digest=${{pushed##*@}}" >>"$GITHUB_OUTPUT"
"""
    return {"name": "Push what was proved", "id": "push", "env": told, "run": run}


def _build(application: Application, told: Mapping[str, str], *, read: bool, write: bool) -> Document:
    flags = (
        '--file "$FILE" --platform "$PLATFORMS" --provenance=false',
        f'--build-arg "VERSION=$version" --build-arg "REVISION=$({REVISION})" --build-arg "SOURCE_DATE_EPOCH=$epoch"',
        *((f'--secret "id={NETRC},src=$HOME/.netrc"',) if application.sources.private else ()),
        *(('--cache-from "type=registry,ref=$IMAGE:cache"',) if read else ()),
        *(('--cache-to "type=registry,ref=$IMAGE:cache,mode=max,image-manifest=true"',) if write else ()),
        f'--output "type=oci,dest={ARCHIVE},rewrite-timestamp=true" "$CONTEXT"',
    )
    begin = f'version="$(wherry plan --only version "$PACKAGE")"\nepoch="$({EPOCH})"\n'
    run = begin + " \\\n  ".join(("docker buildx build", *flags)) + "\n"
    layers = (
        "The registry keeps layers, those that pushes wrote." if read else "Without a registry nothing keeps layers."
    )
    why = (
        f"{layers} What cache mounts hold is kept nowhere (moby/buildkit#1474), so\n"
        "a changed file compiles everything anew; `wherry build` keeps Go's own caches instead."
    )
    return noted({"name": "Build", "env": told, "run": run}, why)
