"""What .dockerignore hides, as Docker's own matcher says; and that git still calls the sources clean."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pathspec
import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from tests.support.buildkit_parser import hidden
from tests.support.generated import same_as_golden
from wherry.formats import dockerignore as format_
from wherry.generate.dockerignore import GROUPS, files, written
from wherry.model.application import Application
from wherry.model.file import Choice
from wherry.model.plan import Asset

CHOICE = Choice(what="dockerignore")


def with_files(*tracked: str, embeds: tuple[str, ...] = (), stamped: bool = True) -> Application:
    return replace(API, sources=replace(API.sources, tracked=tracked, embeds=embeds, stamped=stamped))


@pytest.mark.parametrize(
    ("name", "applications"), [("api", (API,)), ("jobs", (JOBS,)), ("both", (API, JOBS))], ids=["api", "jobs", "both"]
)
def test_golden(name: str, applications: tuple[Application, ...]) -> None:
    same_as_golden(f"dockerignore-{name}", files(applications, CHOICE))


def test_names() -> None:
    assert [one.path for one in files((API, JOBS), CHOICE)] == [".dockerignore"]
    assert [one.path for one in files((JOBS,), CHOICE)] == ["Dockerfile.dockerignore", "dev.Dockerfile.dockerignore"]
    both = files((JOBS, replace(API, home="elsewhere")), CHOICE)
    assert [one.path for one in both] == [
        "jobs.Dockerfile.dockerignore",
        "jobs.dev.Dockerfile.dockerignore",
        "shop-api.Dockerfile.dockerignore",
        "shop-api.dev.Dockerfile.dockerignore",
    ]


SECRETS = [".env", "deploy/.env.local", "tls/server.key", "a/b/ca.pem", ".ssh/config", "secrets/db", "id_ed25519"]
RESULTS = ["bin/api", "cmd/api/api.test", "coverage.out", "web/node_modules/x/y.js", "cpu.prof", "dist/api.tar.gz"]
OTHERS = [".idea/workspace.xml", "a/.DS_Store", "main.go~", ".main.go.swp"]
NEEDED = ["main.go", "go.mod", "vendor/a/b.go", "vendor/modules.txt", "a/testdata/x.txt", "Dockerfile", "README.md"]


def test_what_is_hidden() -> None:
    wanted = [*SECRETS, *RESULTS, *OTHERS]
    assert hidden(written((API,)), *wanted, *NEEDED, ".git/HEAD") == wanted


def test_git_stays_only_where_the_commit_is_stamped() -> None:
    assert hidden(written((with_files(stamped=False),)), ".git/HEAD", ".gitignore") == [".git/HEAD"]
    assert hidden(written((with_files(stamped=False), API)), ".git/HEAD") == []


def test_a_tracked_file_is_excepted_by_name_and_its_like_stay_hidden() -> None:
    text = written((with_files("certs/ca.pem", "a[1].key", "#x.pem", "!y.pem"),))
    assert hidden(text, "certs/ca.pem", "certs/own.pem", "a[1].key", "a1.key", "#x.pem", "!y.pem") == [
        "certs/own.pem",
        "a1.key",
    ]


def test_a_pattern_that_hides_much_of_git_is_no_pattern_of_this_repository() -> None:
    tracked = tuple(f"bin/{number}.sh" for number in range(9))
    text = written((with_files(*tracked),))
    assert "**/bin\n" not in text
    assert "!bin" not in text
    assert hidden(text, *tracked, "bin/new.sh", "dist/x") == ["dist/x"]


GO = ["internal/secrets/s.go", "internal/secrets/s_test.go", "cmd/bin/main.go"]


def test_packages_in_folders_of_hidden_names_are_there_with_files_that_come_later() -> None:
    """Sources alone: what else lies in them is hidden as before, however many of them there are."""
    text = written((with_files(GO[0], *(f"internal/secrets/{one}.go" for one in range(9))),))
    assert "**/secrets\n" in text
    beside = [
        "internal/secrets/prod.json",
        "internal/secrets/.env",
        "deploy/secrets/go",
        "secrets/a.go.key",
        "web/dist/a.js",
    ]
    assert hidden(text, *GO, "internal/secrets/new.go", *beside) == beside
    assert text.endswith("image.\n!**/*.go\n"), "one line for all"


def test_nothing_is_excepted_where_no_package_is_hidden() -> None:
    """A wildcard has BuildKit look into every hidden folder."""
    assert "!" not in written((with_files("cmd/api/main.go", "secrets.go"),))


def test_other_files_beside_hidden_sources_are_excepted_by_name() -> None:
    text = written((with_files("bin/main.go", "bin/asm.s"),))
    assert hidden(text, "bin/main.go", "bin/asm.s", "bin/new.go", "bin/api") == ["bin/api"]


def test_a_name_that_no_line_can_hold() -> None:
    for name in ("bin/ ", "bin/a\nb", "bin/\udcff"):
        assert "**/bin\n" not in written((with_files(name),))


def test_what_is_embedded_or_copied_is_there_whether_git_knows_it_or_not() -> None:
    application = replace(
        with_files(embeds=("web/dist/app.js", "tmp/*.html")), assets=(Asset(source="dist", into="/x"),)
    )
    text = written((application,))
    wanted = ["web/dist/app.js", "tmp/a.html", "dist/x/y"]
    assert hidden(text, *wanted, "web/dist/other.js", "tmp/a.txt") == ["web/dist/other.js", "tmp/a.txt"]


def test_an_asset_is_there_whole_but_for_secrets_that_git_does_not_know() -> None:
    """As `wherry build` takes it, which refuses one with a secret in it."""
    web = (Asset(source="web/build", into="/srv"), Asset(source="dist", into="/x"))
    text = written((replace(with_files("web/build/test.pem"), assets=web),))
    wanted = ["web/build/dist/a.js", "web/build/x.log", "web/build/test.pem", "dist/x/y.tar", "dist/bin/z"]
    not_wanted = ["web/build/.env", "dist/tls/server.key", "dist/.env", "web/dist/a.js", "bin/x"]
    assert hidden(text, *wanted, *not_wanted) == not_wanted


def test_an_asset_that_is_called_like_a_secret_is_meant() -> None:
    named = (Asset(source="deploy/secrets", into="/x"), Asset(source="tls/ca.pem", into="/x"))
    assert hidden(written((replace(with_files(), assets=named),)), "deploy/secrets/a", "tls/ca.pem", "secrets/a") == [
        "secrets/a"
    ]


def test_patterns_of_an_asset_show_what_git_knows_and_no_more() -> None:
    some = (Asset(source="web/build", into="/srv", include=("*.js",)),)
    text = written((replace(with_files("web/build/dist/a.js"), assets=some),))
    assert hidden(text, "web/build/dist/a.js", "web/build/dist/b.js") == ["web/build/dist/b.js"]


HASHED = ["web/dist/index.html", "web/dist/assets/index-1f3a.js", "web/dist/bin/a.log", "web/dist"]


def test_an_embedded_folder_is_there_with_all_that_will_ever_be_in_it() -> None:
    text = written((with_files("web/web.go", embeds=("web/dist",)),))
    assert text.endswith("image.\n!web/dist\n!web/dist/**\n")
    assert "**/dist\n" in text
    assert hidden(text, *HASHED, "dist/x", "web/tmp/x") == ["dist/x", "web/tmp/x"]


def test_files_of_an_embedded_folder_are_not_excepted_one_by_one() -> None:
    """Nor do many of them in git undo a pattern."""
    bare = written((with_files(embeds=("web/dist",)),))
    assert bare == written((with_files("web/dist/.gitkeep", embeds=("web/dist",)),))
    assert bare == written((with_files(*(f"web/dist/{one}.js" for one in range(9)), embeds=("web/dist",)),))


def test_a_file_in_git_that_is_embedded_needs_a_line_only_where_it_would_be_hidden() -> None:
    assert written((with_files("a/x.sql", embeds=("a/x.sql",)),)) == written((with_files(),))
    text = written((with_files("a/x.pem", embeds=("a/x.pem",)),))
    assert text.endswith("image.\n!a/x.pem\n")


def test_names_that_git_knows_as_files_are_no_folders() -> None:
    text = written((with_files("a/x.html", embeds=("a/*.html",)),))
    assert text.endswith("image.\n!a/*.html\n")
    assert hidden(text, "a/coverage.html", "a/coverage.txt", "b/coverage.html") == ["a/coverage.txt", "b/coverage.html"]


def test_a_folder_that_is_embedded_by_a_pattern_beside_files() -> None:
    text = written((with_files("web/index.html", embeds=("web/*",)),))
    assert hidden(text, *HASHED, "web/x.log", "dist/x") == ["dist/x"]


@pytest.mark.parametrize(
    ("pattern", "shown", "not_shown"),
    [
        ("bin/a[]x", ["bin/a[]x"], ["bin/ax"]),  # to Go no pattern at all
        (r"bin/[^a\]]x", ["bin/bx", "bin/*x"], ["bin/bxx", "bin/b/y"]),
        (r"bin/\a\*[*]", ["bin/a*b", "bin/a**"], ["bin/ab", "bin/aab"]),
        ("bin/**.js", ["bin/a.js"], ["bin/a/b.js", "bin/ajs"]),
        ("bin/(a|b)+$", ["bin/(a|b)+$"], ["bin/aab"]),
        ("bin/a\tb", ["bin/a\tb"], ["bin/a"]),
        ("bin/a ", ["bin/a "], ["bin/a"]),
        (" /bin/a", [" /bin/a"], ["bin/a"]),
        ("bin/\\", ["bin/\\"], ["bin/a"]),
        (r"x\[1]/bin", ["x[1]/bin"], ["x1/bin"]),
    ],
)
def test_patterns_of_go_in_dockers_words(pattern: str, shown: list[str], not_shown: list[str]) -> None:
    text = written((with_files(embeds=(pattern,)),))
    assert "**/bin\n" in text
    assert hidden(text, *shown, *not_shown) == not_shown


def test_what_is_hidden_from_one_is_hidden_from_all() -> None:
    """Applications of one context: what any of them needs is there."""
    other = replace(JOBS, sources=replace(JOBS.sources, tracked=("bin/x",)))
    assert hidden(written((API, other)), "bin/x", "bin/y") == ["bin/y"]


@pytest.mark.parametrize("path", [*SECRETS, *RESULTS, *OTHERS, *NEEDED])
def test_git_reads_the_patterns_alike(path: str) -> None:
    """Each pattern begins with `**/` and has no slash in it: there Docker's rules are git's."""
    patterns = [one for group in GROUPS for one in group.patterns]
    expected = format_.expression(patterns).fullmatch(path) is not None
    assert pathspec.GitIgnoreSpec.from_lines(patterns).match_file(path) is expected


def test_git_calls_the_context_clean(tmp_path: Path) -> None:
    """What reaches the builder is what was committed: otherwise Go writes +dirty into the program."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    tracked = ("main.go", "bin/run.sh", "certs/ca.pem", "docs/a.md", "x y/.env", "tmp/[1].out", ".gitignore")
    for name in (*tracked, "certs/own.key", "coverage.out", ".idea/x"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(name)
    git(here, "init", "-q")
    git(here, "add", "-f", "--", *tracked)
    git(here, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    text = written((with_files(*tracked),))
    paths = [str(one.relative_to(here)) for one in here.rglob("*") if one.is_file()]
    gone = set(hidden(text, *paths))
    for name in set(paths) - gone:
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes((here / name).read_bytes())
        (there / name).chmod((here / name).stat().st_mode)
    assert git(here, "status", "--porcelain").split() == ["??", ".idea/", "??", "certs/own.key", "??", "coverage.out"]
    assert git(there, "status", "--porcelain") == ""


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
