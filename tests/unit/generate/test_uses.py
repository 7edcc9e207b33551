"""The commands that go on from generated files: each kind has some, and no folder's name is code in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.choices import CHOICES, said
from wherry.generate import names
from wherry.generate.kubernetes import files as kubernetes
from wherry.generate.table import Writer
from wherry.model.file import Choice

TOGETHER = (API, replace(JOBS, home="."))
PROGRAMS = ("docker", "go", "git", "helm", "kubectl", "make", "sed", "wherry", "cd")
HOSTILE = '../it\'s "here" `id` $(id) &id;id|id'


@pytest.mark.parametrize(("row", "choice"), CHOICES, ids=said)
def test_every_kind_says_what_uses_it(row: Writer, choice: Choice) -> None:
    for applications in ((API,), (JOBS,), TOGETHER):
        found = row.uses(applications, choice, str)
        assert bool(found) == (row.what != "dockerignore")
        assert len({one.command for one in found}) == len(found)


def test_only_what_is_for_development_needs_a_file_of_another_kind() -> None:
    """The very file that the other kind writes, and another one than this."""
    made = {
        (row.what, choice.variant): row.write((JOBS,), choice) for row, choice in CHOICES if choice.variant == "dev"
    }
    for row, choice in CHOICES:
        for one in row.uses((JOBS,), choice, str):
            assert bool(one.file) == bool(one.maker) == ((choice.what, choice.variant) == ("dockerfile", "dev"))
            if one.maker:
                (file,) = made[one.maker.what, one.maker.variant]
                assert one.file == names.from_root((JOBS,), file.path)


@pytest.mark.parametrize(
    ("form", "space", "steps"),
    [
        ("kustomize", "", ["kubectl apply -k deploy/overlays/production"]),
        (
            "kustomize",
            "shop",
            ["kubectl apply -f deploy/00-namespace.yaml", "kubectl apply -k deploy/overlays/production"],
        ),
        ("helm", "", ["helm upgrade --install shop-api deploy/chart"]),
        ("helm", "shop", ["helm upgrade --install shop-api deploy/chart --namespace shop --create-namespace"]),
        ("", "shop", ["kubectl apply -f deploy/"]),
    ],
)
def test_a_namespace_is_made_before_what_is_in_it(form: str, space: str, steps: list[str]) -> None:
    choice = Choice(what="kubernetes", variant=form)
    found = kubernetes.uses((replace(API, home=".", namespace=space),), choice, str)
    assert [one.command for one in found] == steps


def test_no_name_of_a_folder_is_code(tmp_path: Path) -> None:
    """Every command is run by a shell that has other programs of those names."""
    commands = [
        one.command
        for row, choice in CHOICES
        for applications in ((API,), (JOBS,), TOGETHER)
        for one in row.uses(applications, choice, lambda path: f"{HOSTILE}/{path}")
    ]
    stubs = [f"{one}() {{ :; }}" for one in PROGRAMS]
    script = "\n".join((*stubs, f"id() {{ echo ran >>{tmp_path}/ran; }}", *commands, "echo reached"))
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "reached\n"
    assert not (tmp_path / "ran").exists()
