"""Programs that wherry.toml wants before compiling."""

from pathlib import Path

import pytest

from wherry.compile import run_hooks
from wherry.errors import BuildError, UnavailableError
from wherry.model.plan import Hook
from wherry.system.processes import Processes
from wherry.system.programs import programs

WHICH = programs("/usr/bin:/bin")


def test_hooks_run_in_order_in_their_folder_with_the_given_environment(tmp_path: Path) -> None:
    hooks = (
        Hook(argv=("sh", "-c", 'echo "$WORD" > made'), directory=str(tmp_path)),
        Hook(argv=("cp", "made", "copied"), directory=str(tmp_path)),
    )
    run_hooks(hooks, (("WORD", "word"), ("PATH", "/usr/bin:/bin")), Processes(), WHICH)
    assert (tmp_path / "copied").read_text() == "word\n"


def test_a_script_of_the_repository_is_named_with_a_slash(tmp_path: Path) -> None:
    script = tmp_path / "make.sh"
    script.write_text("#!/bin/sh\ntouch done\n")
    script.chmod(0o755)
    run_hooks((Hook(argv=("./make.sh",), directory=str(tmp_path)),), (), Processes(), WHICH)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("name", ["make.sh", "./none.sh", "/nowhere/x"])
def test_a_program_that_is_not_there(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        run_hooks((Hook(argv=(name,), directory=str(tmp_path)),), (), Processes(), WHICH)
    assert caught.value.name == "hook-program"


def test_a_failing_hook_ends_the_build_with_its_words(tmp_path: Path) -> None:
    hooks = (
        Hook(argv=("sh", "-c", "echo out; echo err >&2; exit 3"), directory=str(tmp_path)),
        Hook(argv=("touch", "later"), directory=str(tmp_path)),
    )
    with pytest.raises(BuildError) as caught:
        run_hooks(hooks, (), Processes(), WHICH)
    assert (caught.value.name, caught.value.output) == ("hook", "out\nerr\n")
    assert not (tmp_path / "later").exists()
