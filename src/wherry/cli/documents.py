"""Reports as JSON: versioned, additive only. Values in, one JSON text out; touches nothing.

Every document says `schema`: the number changes only when a member is removed or changes its meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from wherry.errors import Several, WherryError

if TYPE_CHECKING:
    from wherry.flows.caches import Contents
    from wherry.flows.doctor import Check
    from wherry.flows.lock import BaseState, LockReport
    from wherry.flows.report import BuildReport
    from wherry.model.image import Stored
    from wherry.model.plan import Plan

SCHEMA = 1


def build_document(report: BuildReport) -> str:
    """`wherry build --json` and `--metadata-file`."""
    images = [
        {
            "name": image.plan.name,
            "version": image.plan.version,
            "digest": image.built.digest,
            "mediaType": image.built.content.document.media_type,
            "platforms": [
                {"platform": str(one.platform), "digest": one.digest, "size": one.size} for one in image.built.images
            ],
            "published": [
                {"reference": place.reference, "place": place.place, "digest": place.digest}
                for place in image.published
            ],
        }
        for image in report.images
    ]
    findings = [msgspec.to_builtins(one) for one in report.all_findings]
    timings = {one.phase: round(one.seconds, 4) for one in report.timings}
    return _text(
        {
            "schema": SCHEMA,
            "images": images,
            "findings": findings,
            "seconds": round(report.seconds, 4),
            "timings": timings,
        }
    )


def error_document(error: WherryError) -> str:
    """What any command with `--json` prints when it fails: every error, as stderr tells it to people."""
    found = error.errors if isinstance(error, Several) else (error,)
    rows: list[dict[str, str | tuple[str, ...]]] = [
        {
            "name": one.name,
            "message": one.message,
            "where": one.where,
            "why": one.why,
            "next": one.next,
            "output": one.output,
        }
        for one in found
    ]
    return _text({"schema": SCHEMA, "errors": [{key: _plain(value) for key, value in row.items()} for row in rows]})


def _plain(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    """Without what no JSON can hold: bytes of file names that are no text."""
    if isinstance(value, tuple):
        return tuple(str(_plain(one)) for one in value)
    return value.encode("utf-8", "backslashreplace").decode()


def plan_document(plan: Plan) -> str:
    """`wherry plan --json`: the whole plan, every decision with its reason. The user's own settings of Go stay out: addresses of
    proxies may hold passwords (D09); what of them counts is among the decisions."""
    toolchain = msgspec.structs.replace(plan.toolchain, environment=())
    return _text({"schema": SCHEMA, "plan": msgspec.to_builtins(msgspec.structs.replace(plan, toolchain=toolchain))})


def inspect_document(stored: Stored) -> str:
    """`wherry inspect --json`: manifests and configs as they are, by digest."""
    images = [
        {
            "platform": str(image.platform),
            "digest": image.digest,
            "size": image.size,
            "manifest": msgspec.json.decode(image.manifest.data),
            "config": msgspec.json.decode(image.config.data),
        }
        for image in stored.images
    ]
    top = stored.descriptor
    return _text(
        {
            "schema": SCHEMA,
            "reference": stored.reference,
            "digest": top.digest,
            "mediaType": top.media_type,
            "annotations": stored.annotations,
            "images": images,
        }
    )


def cache_document(found: Contents) -> str:
    """`wherry cache df --json`."""
    return _text({"schema": SCHEMA, **msgspec.to_builtins(found, enc_hook=str)})


def doctor_document(checks: tuple[Check, ...]) -> str:
    """`wherry doctor --json`."""
    return _text({"schema": SCHEMA, "checks": [msgspec.to_builtins(check) for check in checks]})


def lock_document(report: LockReport) -> str:
    """`wherry base lock --json`."""
    return _text({"schema": SCHEMA, **msgspec.to_builtins(report)})


def bases_document(states: tuple[BaseState, ...]) -> str:
    """`wherry base outdated --json` and `verify --json`."""
    return _text({"schema": SCHEMA, "bases": [msgspec.to_builtins(one) for one in states]})


def _text(document: Any) -> str:
    plain = _readable(msgspec.to_builtins(document, enc_hook=str))
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def _readable(value: Any) -> Any:
    """The same; of a path that is not UTF-8, which JSON has no way to hold, each such byte as people see it elsewhere."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_readable(key): _readable(one) for key, one in value.items()}
    return [_readable(one) for one in value] if isinstance(value, list | tuple) else value
