"""The Makefile of several programs: what is of the module is done once, plain names are all of them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.support.applications import API, JOBS
from tests.support.makefiles import make, recorded, written
from wherry.model.application import Application


def test_several_applications_have_targets_of_their_own_and_together(tmp_path: Path) -> None:
    written(tmp_path, API, JOBS)
    programs = recorded(tmp_path)
    done = make(tmp_path, "image", PATH=programs.path)
    assert done.returncode == 0, done.stderr
    assert programs.words() == [
        ("wherry", "build", "./cmd/api", "-t", "registry.example.com/shop/shop-api:{version}"),
        ("wherry", "build", "./services/jobs", "-t", "jobs:{version}"),
    ]


def beside_api(**changes: object) -> Application:
    """Another program of API's module."""
    program = msgspec.structs.replace(API.programs[0], name="worker", package="./cmd/worker", stamps=())
    return msgspec.structs.replace(API, name="worker", image="worker", programs=(program,), **changes)


def test_a_module_is_checked_once_whatever_its_programs(tmp_path: Path) -> None:
    written(tmp_path, API, beside_api())
    programs = recorded(tmp_path)
    assert make(tmp_path, "test", "vet", PATH=programs.path).returncode == 0
    assert programs.words() == [("go", "test", "./..."), ("go", "vet", "./...")]
    assert make(tmp_path, "test-worker").returncode == 2
    written(tmp_path, API, JOBS)
    (tmp_path / "services/jobs").mkdir(parents=True)
    programs.forget()
    assert make(tmp_path, "test", PATH=programs.path).returncode == 0
    assert programs.words() == [("go", "test", "./..."), ("go", "test", "-tags=netgo", "work")]


def test_plain_names_mean_all_programs(tmp_path: Path) -> None:
    """Each at a port of its own; what keeps the terminal says which there are."""
    written(tmp_path, API, beside_api())
    programs = recorded(tmp_path)
    assert make(tmp_path, "run", PATH=programs.path).returncode == 0
    assert [one for one in programs.words() if one[:2] == ("wherry", "run")] == [
        ("wherry", "run", "-d", "--name", "shop-api", "-p", "8080:8080", "./cmd/api"),
        ("wherry", "run", "-d", "--name", "worker", "-p", "8081:8080", "./cmd/worker"),
    ]
    assert make(tmp_path, "version", PATH=programs.path).stdout == "1.4.0\n"
    assert "make local-shop-api, local-worker" in make(tmp_path, "local", PATH=programs.path).stderr
    written(tmp_path, API, JOBS)
    assert make(tmp_path, "version", PATH=programs.path).stdout == "shop-api 1.4.0\njobs 1.4.0\n"
    said = make(tmp_path, "help").stdout.splitlines()
    assert max(map(len, said)) <= 80
    assert "pushable" not in {line.split()[0] for line in said}
