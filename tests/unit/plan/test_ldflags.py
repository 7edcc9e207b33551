"""Linker flags: stripping, the version, the user's own with words filled in, the repository's by allow-list."""

import pytest

from tests.support.planning import decision, findings, inferred, main, plan, project, refused
from wherry.plan import words
from wherry.plan.variables import from_environment

VERSIONED = project(main(inferred=inferred(("version-variable", "main.version", "found"))))


def ldflags(toml: str = "", **more: object) -> tuple[str, ...]:
    texts = [
        one.removeprefix("-ldflags=") for one in plan(toml, **more).compilations[0].flags if one.startswith("-ldflags=")
    ]
    return words.split(texts[0]) if texts else ()


@pytest.mark.parametrize(("strip", "expected"), [("debug", ("-w",)), ("all", ("-s", "-w")), ("none", ())])
def test_strip(strip: str, expected: tuple[str, ...]) -> None:
    assert ldflags(f'[build]\nstrip = "{strip}"\n') == expected
    assert decision(plan(f'[build]\nstrip = "{strip}"\n'), "strip").origin == "file"


def test_the_version_only_where_a_variable_for_it_exists() -> None:
    assert ldflags(project=VERSIONED) == ("-w", "-X=main.version=1.4.0")
    assert decision(plan(project=VERSIONED), "version-variable").origin == "found"
    assert ldflags(project=project(*VERSIONED.mains, vcs=None)) == ("-w",)


def test_the_users_own_value_for_that_variable_wins() -> None:
    assert ldflags("[build]\nldflags = ['-X main.version=mine']\n", project=VERSIONED) == ("-w", "-X=main.version=mine")


def test_words_are_filled_in() -> None:
    toml = """[build]
ldflags = ["-X main.a={version} -X main.b={git.commit}", "-X 'main.c={git.branch}'", "-X=main.d={go.version}/{go.arch}",
  "-X main.e={created}", "-X main.f={{x}"]
"""
    assert ldflags(toml) == (
        "-w",
        "-X=main.a=1.4.0",
        "-X=main.b=0123456789abcdef0123456789abcdef01234567",
        "-X=main.c=feature/new cart",
        "-X=main.d=go1.26.8/amd64",
        "-X=main.e=2026-01-02T03:04:05Z",
        "-X=main.f={x}",
    )


def test_a_value_cannot_become_a_flag() -> None:
    """A branch is named by the repository: it is put in after splitting and checking."""
    assert ldflags("[build]\nldflags = ['-X main.branch={git.branch}']\n") == ("-w", "-X=main.branch=feature/new cart")


def test_each_platform_has_its_own_words() -> None:
    made = plan(
        "platforms = ['linux/arm64', 'linux/arm/v6']\n[build]\nldflags = ['-X main.p={go.os}/{go.arch}{go.variant}']\n"
    )
    assert [one.flags[-1] for one in made.compilations] == [
        "-ldflags=-w -X=main.p=linux/arm64",
        "-ldflags=-w -X=main.p=linux/armv6",
    ]


ENV = "[build]\nldflags = ['-X main.a={env.CI_TOKEN}']\n"


def test_a_repository_cannot_read_the_builders_environment() -> None:
    """A08: the secret is in nothing that the plan holds, nor in the error."""
    error = refused(ENV, environment=(("CI_TOKEN", "s3cret"),))
    assert error.name == "env-not-passed"
    assert error.next == ("--pass-env CI_TOKEN, or WHERRY_PASS_ENV=CI_TOKEN",)
    assert "s3cret" not in str(vars(error))


def test_the_user_passes_variables_by_name() -> None:
    assert ldflags(ENV, environment=(("CI_TOKEN", "x"),), pass_environment=("CI_TOKEN",)) == ("-w", "-X=main.a=x")
    assert "env-unset" not in findings(plan("", environment=(("CI_TOKEN", ""),), pass_environment=("CI_TOKEN",)))
    assert "env-unset" in findings(plan("", pass_environment=("CI_TOKEN",))), "though nothing reads it"
    error = refused(ENV, pass_environment=("CI_TOKEN",))
    assert error.message == "CI_TOKEN is passed, but not set"


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("{versoin}", "did you mean {version}?"),
        ("{git.sha}", "did you mean {git."),
        ("{xyzzy}", "a brace itself is written {{"),
    ],
)
def test_words_that_are_not_known(text: str, step: str) -> None:
    error = refused(f"[build]\nldflags = ['-X main.a={text}']\n")
    assert (error.name, error.next[0][: len(step)]) == ("bad-template", step)
    assert error.where[0].startswith("wherry.toml:2:12")


def test_git_words_without_git() -> None:
    assert (
        refused("[build]\nldflags = ['-X main.a={git.commit}']\n", project=project(vcs=None)).why
        == "there is no git repository here"
    )


@pytest.mark.parametrize(
    "flag",
    [
        "-s",
        "-w=0",
        "-X main.a=b",
        "-compressdwarf=false",
        "-buildid=",
        "-linkmode external",
        "-extldflags -static",
        "--extldflags=-static-pie",
    ],
)
def test_linker_flags_that_a_repository_may_set(flag: str) -> None:
    assert len(ldflags(f"[build]\nldflags = ['{flag}']\n")) == 2


REFUSED = (
    *(
        "-extld=./x",
        "-extld ./x",
        "-extldflags=-fplugin=x.so",
        '-extldflags "-static -Wl,-x"',
        "-o /tmp/x",
        "-tmpdir=/x",
        "-r /x",
    ),
    *(
        "-I /lib/ld.so",
        "-L /x",
        "-cpuprofile=/x",
        "-capturehostobjs=/x",
        "-importcfg=x",
        "-extar=./x",
        "-dumpdep",
        "-k x",
        "-new",
    ),
)


@pytest.mark.parametrize("flag", REFUSED)
def test_linker_flags_that_a_repository_may_not_set_and_the_user_may(flag: str) -> None:
    """A04, A07."""
    error = refused(f"[build]\nldflags = ['{flag}']\n")
    assert error.name == "flag-refused"
    assert len(ldflags(tiers=(from_environment((("WHERRY_BUILD_LDFLAGS", flag),)),))) == 2


@pytest.mark.parametrize("flag", ["main.version=1", "-X", "- x", '-X "main.a=b', "-"])
def test_what_is_no_linker_flag(flag: str) -> None:
    assert refused(f"[build]\nldflags = ['{flag}']\n").name == "bad-setting"
