"""Which mains are built."""

import pytest

from tests.support.planning import MODULE, main, plan, project, refused
from wherry.model.plan import Plan
from wherry.model.project import LeftOut, Main, Module, Project

ROOT = main("shop", ".")
SEVERAL = project(main("api"), main("worker"), main("migrate", "tools/migrate"))


def names(made: Plan) -> list[str]:
    return [one.name for one in made.images]


@pytest.mark.parametrize(
    ("words", "directory", "expected"),
    [
        (("./cmd/api",), ".", ["api"]),
        (("./cmd/api", "./cmd/worker"), ".", ["api", "worker"]),
        (("./worker",), "cmd", ["worker"]),
        ((".",), "cmd/api", ["api"]),
        (("../worker",), "cmd/api", ["worker"]),
        (("./...",), ".", ["api", "worker", "migrate"]),
        (("./cmd/...",), ".", ["api", "worker"]),
        (("./...",), "cmd", ["api", "worker"]),
        ((f"{MODULE}/cmd/api",), ".", ["api"]),
        ((f"{MODULE}/...",), "cmd", ["api", "worker", "migrate"]),
        (("/src/shop/cmd/api",), "cmd", ["api"]),
        (("worker",), ".", ["worker"]),
        (("./cmd/worker", "./cmd/api", "api"), ".", ["api", "worker"]),
    ],
)
def test_words_of_the_command_line(words: tuple[str, ...], directory: str, expected: list[str]) -> None:
    assert names(plan(project=SEVERAL, packages=words, directory=directory)) == expected


def test_the_only_main_needs_no_word_from_any_folder() -> None:
    for directory in (".", "internal/x", "cmd"):
        assert names(plan(directory=directory)) == ["api"]


def test_standing_in_a_mains_folder_means_that_main() -> None:
    assert names(plan(project=SEVERAL, directory="cmd/worker")) == ["worker"]


def test_standing_in_a_nested_module_means_its_mains() -> None:
    modules = (Module(path=MODULE, directory="."), Module(path="example.com/tool", directory="tool"))
    nested = Main(import_path="example.com/tool/cmd/t", name="t", module="example.com/tool", directory="tool/cmd/t")
    both = project(main(), nested, modules=modules)
    assert names(plan(project=both, directory="tool")) == ["t"]
    assert refused(project=both).name == "several-mains"


def test_a_bare_build_of_several_lists_them() -> None:
    error = refused(project=SEVERAL)
    assert error.name == "several-mains"
    assert error.where == ("./cmd/api", "./cmd/worker", "./tools/migrate")
    assert error.next == ("wherry build ./cmd/api", "wherry build ./...")
    many = project(*(main(f"m{number}") for number in range(12)))
    assert refused(project=many).where[-1] == "and 4 more"


@pytest.mark.parametrize(
    ("directory", "places", "steps"),
    [
        ("cmd", ("./api", "./worker", "../tools/migrate"), ("wherry build ./api", "wherry build ../...")),
        (
            "docs",
            ("../cmd/api", "../cmd/worker", "../tools/migrate"),
            ("wherry build ../cmd/api", "wherry build ../..."),
        ),
    ],
)
def test_folders_are_named_as_seen_from_where_the_user_stands(
    directory: str, places: tuple[str, ...], steps: tuple[str, ...]
) -> None:
    error = refused(project=SEVERAL, directory=directory)
    assert (error.where, error.next) == (places, steps)
    wrong = refused(project=SEVERAL, packages=("./apy",), directory="cmd")
    assert wrong.next == ("wherry build ./api",)
    left = project(main(), left_out=(LeftOut(directory="internal/gen", reason="a generator"),))
    assert refused(project=left, packages=("./gen",), directory="internal").why == "it was left out: a generator"


def test_a_root_main_beside_others_is_not_chosen_in_silence() -> None:
    both = project(ROOT, main("api"))
    assert refused(project=both).next[0] == "wherry build ."
    assert names(plan(project=both, packages=(".",))) == ["shop"]


def test_packages_of_the_settings_are_what_a_bare_build_builds() -> None:
    assert names(plan('packages = ["./cmd/api", "worker"]\n', project=SEVERAL, directory="cmd/worker")) == [
        "api",
        "worker",
    ]
    assert names(plan('packages = ["./cmd/api"]\n', project=SEVERAL, packages=("./tools/...",))) == ["migrate"]


def test_a_word_that_names_no_main() -> None:
    error = refused(project=SEVERAL, packages=("./cmd/apy",))
    assert (error.name, error.next) == ("no-such-main", ("wherry build ./cmd/api",))
    error = refused('packages = ["./nothing/like/it"]\n', project=SEVERAL)
    assert error.where == ('wherry.toml:1:1   packages = ["./nothing/like/it"]',)
    error = refused('packages = ["./cmd/apy"]\n', project=SEVERAL, directory="cmd/worker")
    assert error.next == ("did you mean ./cmd/api?",)
    left = project(main(), left_out=(LeftOut(directory="internal/gen", reason="a generator"),))
    assert refused(project=left, packages=("./internal/gen",)).why == "it was left out: a generator"


def test_no_main_at_all() -> None:
    none = Project(root="/src/lib", working_directory="/src/lib", modules=(), mains=())
    assert refused(project=none).name == "no-main"
    left = Project(
        root="/r",
        working_directory="/r",
        modules=(),
        mains=(),
        left_out=(LeftOut(directory="gen", reason="a generator"),),
    )
    error = refused(project=left)
    assert (error.where, error.next) == (("./gen   a generator",), ("wherry build ./gen",))
    error = refused(project=left, directory="docs")
    assert (error.where, error.next) == (("../gen   a generator",), ("wherry build ../gen",))


def test_a_module_by_version() -> None:
    remote = project(
        main(directory="/modcache/example.com/shop@v1.2.3/cmd/api", import_path=f"{MODULE}/cmd/api"),
        remote=f"{MODULE}@v1.2.3",
        version="1.2.3",
        vcs=None,
    )
    made = plan(project=remote, packages=(f"{MODULE}/cmd/api@v1.2.3",), directory="../../home")
    assert names(made) == ["api"]
    assert made.images[0].version == "1.2.3"


def test_settings_for_a_main_that_is_not_there() -> None:
    error = refused("[main.apy.image]\nuser = 1\n")
    assert (error.name, error.where) == ("no-such-main", ("wherry.toml:1:1   [main.apy.image]",))
    assert error.next == ('did you mean [main."api"]?',)
    plan("[main.apy.image]\nuser = 1\n", packages=("./cmd/api",))  # perhaps it is just not looked at


@pytest.mark.parametrize("key", ["api", "cmd/api", "./cmd/api", f"{MODULE}/cmd/api"])
def test_a_mains_settings_by_each_of_its_names(key: str) -> None:
    made = plan(
        f'[main."{key}".image]\nuser = 7\n[main.worker]\nplatforms = ["linux/arm64"]\n',
        project=SEVERAL,
        packages=("./...",),
    )
    assert [one.user for one in made.images] == ["7:7", "65532:65532", "65532:65532"]
    assert [str(one.platforms[0]) for one in made.images] == ["linux/amd64", "linux/arm64", "linux/amd64"]
