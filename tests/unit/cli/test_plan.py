"""`wherry plan`: what it calls an image; with `--only` one decision's value for scripts."""

import io

import pytest

from tests.support import plans
from tests.support.planning import main, plan, project
from wherry.cli.commands.plan import show_image, values_of
from wherry.cli.output import Output
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


def test_an_image_is_called_as_its_version_is_written() -> None:
    """Only what is a tag says `-dirty`: beside the row `version` another word would be another version."""
    image = plans.plan(version="1.4.0-dirty", full_version="1.4.0+dirty")
    page = io.StringIO()
    show_image(image, Output(io.StringIO(), page, {}), why=False)
    assert page.getvalue().split()[:2] == [image.name, "1.4.0+dirty"]
