"""`wherry plan --only`: one decision's value for scripts."""

import pytest

from tests.support.planning import main, plan, project
from wherry.cli.commands.plan import values_of
from wherry.errors import UsageError


def test_a_value_is_said_once_however_many_images_have_it() -> None:
    made = plan(project=project(main("api"), main("worker")), packages=("./...",))
    assert len(made.images) == 2
    assert values_of(made, "user") == ("65532:65532",)
    assert values_of(made, "name") == ("api", "worker")


def test_a_name_that_was_not_decided_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="nothing called versoin") as caught:
        values_of(plan(), "versoin")
    assert caught.value.next == ("did you mean version?",)
