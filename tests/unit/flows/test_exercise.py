"""When an exercise of `wherry profile` counts as failed."""

from __future__ import annotations

import pytest

from wherry.errors import UsageError
from wherry.flows.exercise import Exercise, check, failed
from wherry.kit.ports import Answer


def answers(*statuses: int) -> list[Answer]:
    return [Answer(status=status) for status in statuses]


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ((200, 200), ()),
        ((302,), ()),
        ((500, 200, 500), ()),  # well once: its work was seen
        ((404, 404), ("GET /users: 404",)),
        ((503, 500), ("GET /users: 500",)),
        ((0,), ("GET /users: no answer",)),
        ((), ("GET /users: not asked",)),
    ],
)
def test_a_route_that_never_answers_well(statuses: tuple[int, ...], said: tuple[str, ...]) -> None:
    assert failed(Exercise(routes=("/users",)), {"/users": answers(*statuses)}, None) == said


def test_each_is_named() -> None:
    what = Exercise(routes=("/a", "/b", "/c"), script="tests/smoke.sh")
    found = failed(what, {"/a": answers(404), "/b": answers(200)}, 3)
    assert found == ("GET /a: 404", "GET /c: not asked", "smoke.sh: status 3")


def test_a_guess_cannot_fail() -> None:
    """Without --get the root is asked; an API may have nothing there."""
    assert failed(Exercise(), {"/": answers(404)}, None) == ()


@pytest.mark.parametrize(("status", "said"), [(None, ()), (0, ()), (1, ("x: status 1",)), (137, ("x: status 137",))])
def test_a_script(status: int | None, said: tuple[str, ...]) -> None:
    assert failed(Exercise(script="x"), {}, status) == said


@pytest.mark.parametrize("route", ["healthz", "http://x/healthz", "/a b", "/a\n"])
def test_a_route_that_is_no_path_is_refused_before_anything_runs(route: str) -> None:
    with pytest.raises(UsageError):
        check(Exercise(routes=("/healthz", route)))
    check(Exercise(routes=("/", "/healthz?all=1")))


def test_a_script_that_is_not_there_is_answered_with_what_to_name() -> None:
    with pytest.raises(UsageError) as caught:
        check(Exercise(script="/nofile"))
    assert caught.value.next == ("name a file that can be run, or ask for a route: --get /healthz",)
