"""The stage with wherry's own small programs: the health probe, and an init where one is needed. A draft in, text out; touches
nothing.

They are written in assembly and shipped assembled (`wherry.probe`), so a Dockerfile holds them as they are: no download, no
context, no compiler.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from typing import Final

from wherry.formats import dockerfile
from wherry.generate.dockerfile.draft import Draft
from wherry.probe.elf import ARCHITECTURES, init_elf, probe_elf

STAGE: Final = "wherry"
_WIDTH: Final = 96


def stage(draft: Draft) -> str:
    """Empty where neither is needed."""
    if not (draft.probed or draft.collected):
        return ""
    parts = []
    if draft.probed:
        reason = (
            "The health check: a static program of less than 1 KB, since a small image has neither shell nor curl.\n"
            "It asks 127.0.0.1 for PORT and PATH, and 0 or 1 is its answer. Assembled from wherry's src/wherry/probe."
        )
        parts.append((reason, "probe", probe_elf))
    if draft.collected:
        reason = (
            "The first process, less than 1 KB: it hands signals on and collects what the program's children leave.\n"
            "Assembled from wherry's src/wherry/probe, too."
        )
        parts.append((reason, "init", init_elf))
    lines = ["FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS " + STAGE, "ARG TARGETARCH"]
    for reason, name, code in parts:
        lines += [dockerfile.comment(reason), _written(name, code)]
    return "\n".join(lines)


def copies(draft: Draft) -> tuple[str, ...]:
    """What the final stage takes from it."""
    if not (draft.probed or draft.collected):
        return ()
    return (f"COPY --from={STAGE} --chmod=0555 /out/ /wherry/",)


def _written(name: str, code: Callable[[str], bytes]) -> str:
    """`printf %s` joins its words: so a long text may be broken into lines."""
    rows = ['case "$TARGETARCH" in']
    for architecture in ARCHITECTURES:
        encoded = base64.b64encode(code(architecture)).decode()
        chunks = textwrap.wrap(encoded, _WIDTH)
        rows += [f"  {architecture}) printf %s", *(f"    {one}" for one in chunks)]
        rows[-1] += " ;;"
    rows += [
        f'  *) echo "wherry has no {name} for $TARGETARCH" >&2; exit 1 ;;',
        f"esac >/tmp/{name} && mkdir -p /out && base64 -d /tmp/{name} >/out/{name}",
    ]
    return dockerfile.run((), "\n".join(rows))
