"""The page about accuracy belongs to the labels that are here. The study itself downloads: tests/oracles."""

from tests.support import accuracy
from wherry.model.place import Place
from wherry.model.project import Inferred, Main


def test_the_page_was_made_from_these_labels() -> None:
    page = accuracy.PAGE.read_text()
    assert f"sha256 {accuracy.fingerprint()}" in page
    for label in accuracy.labels():
        assert f"| {label.name} | {label.commit[:12]} | {label.set} | {len(label.facts)} |" in page


def test_ten_repositories_half_of_them_unseen() -> None:
    labels = accuracy.labels()
    assert len({label.repository for label in labels}) == 10
    assert len({label.repository for label in labels if label.set == "held-out"}) == 5
    kinds = {kind for label in labels for kind, _, _ in label.facts}
    assert kinds == set(accuracy.KINDS)
    assert set(accuracy.first_sight()) <= kinds


def test_right_wrong_and_missed() -> None:
    label = accuracy.Label(
        repository="github.com/o/r",
        commit="0" * 40,
        package=".",
        set="tuning",
        facts=(("port", "80", "main.go:3"), ("tls", "server", "")),
        optional=frozenset((("port", "443"),)),
    )
    found = tuple(
        Inferred(kind=kind, value=value, place=Place(file="main.go", line=line))
        for kind, value, line in (("port", "80", 3), ("port", "443", 4), ("port", "99", 5), ("users", "Current", 6))
    )
    main = Main(import_path="m", name="m", module="m", directory=".", inferred=found)
    outcomes = tuple(accuracy.judge(label, main))
    assert [(one.kind, one.value, one.verdict, one.placed) for one in outcomes] == [
        ("port", "80", "right", True),
        ("tls", "server", "missed", None),
        ("port", "99", "wrong", None),
    ]
    assert accuracy.row("port", *accuracy.counts(outcomes, "port", "tuning")) == "| port | 1 | 1 | 0 | 50 % | 100 % |"
