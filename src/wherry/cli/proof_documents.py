"""A proof for programs: JSON, JUnit's XML, SARIF. A Proof in, a text out; touches nothing.

All three carry the same names and sentences as the text. JUnit: <https://llg.cubic.org/docs/junit/>; SARIF: OASIS 2.1.0.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import msgspec

from wherry import __version__
from wherry.cli.proofs import sentence, title
from wherry.judge.policy import counts
from wherry.kit.text import visible

if TYPE_CHECKING:
    from wherry.flows.prove import Proof
    from wherry.model.verdict import Verdict

SCHEMA: Final = 1
SARIF_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_PLACE: Final = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+)(?::(?P<column>\d+))?(?=\s|$)")


def proof_document(proof: Proof) -> str:
    """`wherry prove --json`."""
    container = proof.observed.container
    document = {
        "schema": SCHEMA,
        "subject": proof.subject,
        "digest": proof.digest,
        "engine": proof.engine,
        "system": proof.system,
        "limits": {"memory": container.limits.memory, "cpus": container.limits.cpus, "pids": container.limits.pids},
        "verdicts": [_row(verdict) for verdict in proof.verdicts],
        "counts": _counts(proof),
        "findings": [msgspec.to_builtins(one) for one in proof.findings],
        "seconds": round(proof.seconds, 3),
        "sentence": sentence(proof),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def junit(proof: Proof) -> str:
    """A test suite with a case each check: FAIL is a failure, an UNKNOWN that counts an error, what does not count is skipped."""
    failures, errors = proof.count("FAIL"), proof.count("UNKNOWN")
    numbers = {
        "tests": str(len(proof.verdicts)),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(sum(one.outcome == "SKIP" or bool(one.waived) for one in proof.verdicts)),
        "time": f"{proof.seconds:.3f}",
    }
    top = ET.Element("testsuites", numbers)
    suite = ET.SubElement(top, "testsuite", {"name": f"wherry prove {title(proof)}", **numbers})
    properties = ET.SubElement(suite, "properties")
    for name in ("subject", "digest", "engine", "system"):
        ET.SubElement(properties, "property", {"name": name, "value": _clean(getattr(proof, name))})
    for verdict in proof.verdicts:
        case = ET.SubElement(suite, "testcase", {"classname": "wherry.prove", "name": _clean(verdict.check)})
        _ending(case, verdict)
    ET.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(top, encoding="unicode") + "\n"


def sarif(proof: Proof, page: Callable[[str], str]) -> str:
    """A run whose results are what counts, and whose suppressed ones are what somebody accepts. `page`: what `wherry explain`
    says of a check."""
    bad = [one for one in proof.verdicts if one.outcome == "FAIL" or counts(one, "UNKNOWN")]
    names = list(dict.fromkeys(one.check for one in bad))
    run = {
        "tool": {
            "driver": {
                "name": "wherry",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(name, page(name)) for name in names],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The repository's root."}}},
        "results": [_result(one, names.index(one.check), proof) for one in bad],
        "properties": {
            "subject": proof.subject,
            "digest": proof.digest,
            "engine": proof.engine,
            "system": proof.system,
            "counts": _counts(proof),
        },
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _row(verdict: Verdict) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(verdict)
    row["host"] = verdict.host
    row.pop("acceptable", None)  # how `waived` came to be empty; no program asks
    return row


def _counts(proof: Proof) -> dict[str, int]:
    words = {"passed": "PASS", "failed": "FAIL", "unknown": "UNKNOWN", "skipped": "SKIP"}
    return {word: proof.count(outcome) for word, outcome in words.items()} | {
        "accepted": sum(bool(verdict.waived) for verdict in proof.verdicts)
    }


def _ending(case: ET.Element, verdict: Verdict) -> None:
    if verdict.waived or verdict.outcome == "SKIP":
        why = f"{verdict.summary}; {verdict.waived}" if verdict.waived else verdict.summary
        ET.SubElement(case, "skipped", {"message": _clean(why)})
    elif verdict.outcome != "PASS":
        kind = "failure" if verdict.outcome == "FAIL" else "error"
        child = ET.SubElement(case, kind, {"message": _clean(verdict.summary), "type": verdict.outcome})
        child.text = _clean("\n".join(_lines(verdict)))
    elif verdict.summary:
        ET.SubElement(case, "system-out").text = _clean(verdict.summary)


def _lines(verdict: Verdict) -> list[str]:
    rows = (("seen", verdict.seen), ("so", verdict.concluded), ("where", verdict.where), ("next", verdict.next))
    return [f"{label:<6} {text}" for label, texts in rows for text in texts]


def _rule(name: str, page: str) -> dict[str, Any]:
    first, _, rest = page.strip().partition("\n")
    return {
        "id": name,
        "shortDescription": {"text": first or name},
        "fullDescription": {"text": " ".join(rest.split()) or first or name},
        "help": {"text": f"wherry explain {name}"},
    }


def _result(verdict: Verdict, rule: int, proof: Proof) -> dict[str, Any]:
    level = "error" if verdict.outcome == "FAIL" else "warning"
    text = "\n".join((f"{verdict.check}: {verdict.summary}", *_lines(verdict)))
    mark = hashlib.sha256(f"{title(proof).partition('-')[0]} {verdict.check} {verdict.outcome}".encode()).hexdigest()
    result: dict[str, Any] = {
        "ruleId": verdict.check,
        "ruleIndex": rule,
        "level": level,
        "message": {"text": visible(text)},
        "locations": _locations(verdict, proof),
        "partialFingerprints": {"wherryCheck/v1": mark},
    }
    if verdict.waived:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": verdict.waived}]
    return result


def _locations(verdict: Verdict, proof: Proof) -> list[dict[str, Any]]:
    """Places in the sources; where there are none, the image itself."""
    places = [match for text in verdict.where if (match := _PLACE.match(text))] if proof.root else []
    logical = [{"fullyQualifiedName": proof.subject, "kind": "resource"}]
    found = [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": match["file"], "uriBaseId": "SRCROOT"},
                "region": {
                    "startLine": int(match["line"]),
                    **({"startColumn": int(match["column"])} if match["column"] else {}),
                },
            },
            "logicalLocations": logical,
        }
        for match in places
    ]
    return found or [{"logicalLocations": logical}]


def _clean(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return visible(text)
