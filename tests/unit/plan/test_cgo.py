"""cgo: off, on where a package works only with it, and what that needs."""

import pytest

from tests.support.planning import SQLITE, decision, findings, main, plan, project, refused, toolchain
from wherry.model.plan import Plan

NEEDY = project(main(cgo=SQLITE))


def cgo(made: Plan) -> str:
    (value,) = {dict(one.environment)["CGO_ENABLED"] for one in made.compilations}
    assert {one.cgo for one in made.compilations} == {value == "1"}
    return value


def test_off_by_default_even_with_a_compiler() -> None:
    made = plan()
    assert cgo(made) == "0"
    assert decision(made, "cgo").value == "off"


def test_on_where_a_package_works_only_with_it() -> None:
    made = plan(project=NEEDY)
    assert cgo(made) == "1"
    found = decision(made, "cgo")
    assert (found.reason, found.origin, str(found.place)) == (
        "github.com/mattn/go-sqlite3 needs it",
        "found",
        "internal/store/db.go:12:2",
    )
    assert "cgo-runs-code" in findings(made)


def test_static_bases_get_a_static_binary() -> None:
    (one,) = plan(project=NEEDY).compilations
    assert one.flags[-2:] == ("-tags=netgo,osusergo", "-ldflags=-w -linkmode=external -extldflags=-static")


def test_other_bases_get_a_dynamic_one_and_a_warning() -> None:
    made = plan('[image]\nbase = "debian:13"\n', project=NEEDY)
    assert made.compilations[0].flags[-1] == "-ldflags=-w"
    assert "debian:13" in findings(made)["cgo-libc"]
    forced = plan('[image]\nbase = "alpine:3"\n[build]\nstatic = true\n', project=NEEDY)
    assert forced.compilations[0].flags[-1].endswith("-extldflags=-static")
    assert "cgo-libc" not in findings(forced)


def test_who_decides() -> None:
    """The user's word and CGO_ENABLED are over the repository's file."""
    assert cgo(plan("[build]\ncgo = true\n")) == "1"
    assert cgo(plan("[build]\ncgo = true\n", toolchain=toolchain(CGO_ENABLED="0"))) == "0"
    assert cgo(plan("[build]\ncgo = false\n", trusted=True, toolchain=toolchain(CGO_ENABLED="1"))) == "0"
    assert cgo(plan(toolchain=toolchain(CGO_ENABLED="1"))) == "1"
    assert cgo(plan('[build]\nflags = ["-race"]\n')) == "1"


def test_off_by_word_though_needed_is_warned_of() -> None:
    made = plan(project=NEEDY, toolchain=toolchain(CGO_ENABLED="0"))
    assert cgo(made) == "0"
    assert "go-sqlite3 works only with cgo" in findings(made)["cgo-off"]


def test_no_compiler() -> None:
    error = refused(project=NEEDY, programs=())
    assert (error.name, error.message) == ("cgo-compiler", "api needs cgo, and no C compiler was found")
    assert error.where == ("internal/store/db.go:12:2   github.com/mattn/go-sqlite3",)
    assert error.why == "that package works only with cgo, so the plan turned it on"
    assert error.next[1] == "use modernc.org/sqlite, the same SQL in pure Go"
    assert cgo(plan(project=NEEDY, programs=(), toolchain=toolchain(CC="/opt/cc"))) == "1"


def test_another_platform_needs_a_cross_compiler() -> None:
    error = refused('platforms = ["linux/arm64"]\n', project=NEEDY)
    assert (error.name, error.next[0]) == ("cgo-cross", "--platform linux/amd64")
    made = plan('platforms = ["linux/arm64"]\n', project=NEEDY, toolchain=toolchain(CC="aarch64-linux-gnu-gcc"))
    assert ("CC", "aarch64-linux-gnu-gcc") in made.compilations[0].environment
    both = 'platforms = ["linux/amd64", "linux/arm64"]\n'
    assert refused(both, project=NEEDY, toolchain=toolchain(CC="gcc")).name == "cgo-cross"


def test_untrusted_refuses() -> None:
    """A04: cgo is the repository choosing flags of a compiler."""
    assert refused(project=NEEDY, untrusted=True).name == "cgo-untrusted"
    assert refused("[build]\ncgo = true\n", untrusted=True).name == "cgo-untrusted"
    assert cgo(plan(untrusted=True)) == "0"


def test_the_users_c_settings_reach_a_build_only_with_cgo() -> None:
    mine = toolchain(CC="clang", CGO_CFLAGS="-O3")
    assert not {"CC", "CGO_CFLAGS"} & dict(plan(toolchain=mine).compilations[0].environment).keys()
    assert ("CGO_CFLAGS", "-O3") in plan(project=NEEDY, toolchain=mine).compilations[0].environment


def test_mains_with_and_without_cgo_are_compiled_apart() -> None:
    made = plan(project=project(main(), main("db", cgo=SQLITE)), packages=("./...",))
    assert [([one.name for one in each.targets], each.cgo) for each in made.compilations] == [
        (["api"], False),
        (["db"], True),
    ]
    assert [(one.name, one.value) for each in made.images for one in each.decisions if one.name == "cgo"] == [
        ("cgo", "off"),
        ("cgo", "on"),
    ]


@pytest.mark.parametrize("base", ["static", "scratch"])
def test_a_binary_that_would_ask_for_a_loader_is_refused(base: str) -> None:
    toml = f'[image]\nbase = "{base}"\n[build]\nflags = ["-buildmode=pie"]\n'
    assert refused(toml).name == "pie-not-static"
    assert refused(toolchain=toolchain(GOFLAGS="-buildmode=pie")).where == ("GOFLAGS",)
    plan(toml.replace(base, "debian:13"))


def test_a_sanitizer_without_cgo_is_refused_before_go_or_docker_is_asked() -> None:
    error = refused('[build]\nflags = ["-race"]\ncgo = false\n')
    assert (error.name, error.where) == ("go-flags", ('wherry.toml:2:1   flags = ["-race"]',))
    assert "CGO_ENABLED=0" in refused(toolchain=toolchain(GOFLAGS="-race", CGO_ENABLED="0")).message
    plan("[build]\ncgo = false\n")
