"""Flags of go build: the repository's by allow-list (A07), the user's own, and what counts of GOFLAGS."""

import pytest

from tests.support.planning import decision, findings, inputs, plan, project, refused, toolchain
from wherry.errors import UsageError
from wherry.plan import words
from wherry.plan.flags import read_goflags
from wherry.plan.make import make_plan
from wherry.plan.variables import from_environment


def flags(toml: str = "", **more: object) -> tuple[str, ...]:
    return plan(toml, **more).compilations[0].flags


def test_the_defaults() -> None:
    assert flags() == ("-trimpath", "-buildvcs=true", "-ldflags=-w")


def test_no_stamp_without_git_for_modules_by_version_and_untrusted() -> None:
    """A01: stamping makes Go run git in the repository."""
    assert "-buildvcs=false" in flags(project=project(vcs=None))
    assert "-buildvcs=false" in flags(project=project(remote="example.com/shop@v1.0.0", version="1.0.0"))
    assert "-buildvcs=false" in flags(untrusted=True)
    assert "-buildvcs=false" in flags(programs=())
    assert decision(plan(programs=()), "stamp").reason == "git is not installed here"


@pytest.mark.parametrize(
    "flag",
    [
        "-race",
        "-cover",
        "-coverpkg=./...",
        "-gcflags=all=-N -l",
        "-gcflags=-d=checkptr=0",
        "-p=2",
        "-buildmode=exe",
        "-trimpath",
    ],
)
def test_flags_that_a_repository_may_set(flag: str) -> None:
    assert (flag in flags(f'[build]\nflags = ["{flag}"]\n')) or flag == "-trimpath"


REFUSED = (
    *(
        "-toolexec=./x",
        "-overlay=o.json",
        "-modfile=other.mod",
        "-exec=./x",
        "-gccgoflags=-x",
        "-compiler=gccgo",
        "-pkgdir=/tmp",
    ),
    *(
        "-mod=mod",
        "-modcacherw",
        "-asmflags=-I/etc",
        "-linkshared",
        "-insecure",
        "-future-flag",
        "-gcflags=-cpuprofile=/tmp/x",
    ),
    *("-gcflags=-N -o=/tmp/x", "-gcflags=all=-embedcfg=x", "-debug-trace=/tmp/x", "-reuse=x", "-fuzz", "-vettool=./x"),
)


@pytest.mark.parametrize("flag", REFUSED)
def test_flags_that_a_repository_may_not_set_and_the_user_may(flag: str) -> None:
    error = refused(f'[build]\nflags = ["{flag}"]\n')
    assert (error.name, error.where[0].split(" ")[0]) == ("flag-refused", "wherry.toml:2:10")
    assert error.next == (f"give it yourself: WHERRY_BUILD_FLAGS='{flag}'",)
    assert flag in flags(tiers=(from_environment((("WHERRY_BUILD_FLAGS", words.join((flag,))),)),))


@pytest.mark.parametrize(
    ("flag", "step"),
    [
        ("-ldflags=-s", "use build.ldflags"),
        ("-tags=x", "use build.tags"),
        *((flag, "leave it out") for flag in ("-o=x", "-C=/", "-buildvcs=false", "-a", "-installsuffix=cgo")),
    ],
)
def test_flags_that_nobody_may_set(flag: str, step: str) -> None:
    for trusted in (False, True):
        error = refused(f'[build]\nflags = ["{flag}"]\n', trusted=trusted)
        assert (error.name, error.next) == ("flag-refused", (step,))


@pytest.mark.parametrize("flag", ["race", "--", "", "-", "./cmd", "-p 4", "@file", "--toolexec=x"])
def test_words_that_are_no_flag(flag: str) -> None:
    assert refused(f'[build]\nflags = ["{flag}"]\n').name == "bad-setting"


def test_goflags_are_read_shown_and_merged() -> None:
    """A07: a GOENV file or GOFLAGS must not change the image by accident."""
    made = plan(
        "[build]\ntags = ['b', 'a']\n", toolchain=toolchain(GOFLAGS="-mod=vendor -tags=a,c '-gcflags=-N -l' -trimpath")
    )
    assert made.compilations[0].flags == (
        "-trimpath",
        "-buildvcs=true",
        "-mod=vendor",
        "-gcflags=-N -l",
        "-tags=a,c,b",
        "-ldflags=-w",
    )
    assert ("GOFLAGS", "") in made.compilations[0].environment
    assert (decision(made, "goflags").value, decision(made, "goflags").origin) == (
        "-mod=vendor -gcflags=-N -l",
        "environment",
    )
    assert "go-settings" not in findings(made)


@pytest.mark.parametrize(
    "flag",
    ["-buildvcs=false", "-toolexec=x", "-overlay=x", "-modfile=x", "-ldflags=-X=main.a=b", "-v", "-a", "-o=x", "plain"],
)
def test_of_goflags_the_rest_is_left_out_and_told(flag: str) -> None:
    made = plan(toolchain=toolchain(GOFLAGS=flag))
    assert made.compilations[0].flags == ("-trimpath", "-buildvcs=true", "-ldflags=-w")
    assert flag in findings(made)["go-settings"]


def test_a_module_by_version_is_not_looked_for_in_a_vendor_folder() -> None:
    remote = project(remote="example.com/shop@v1.0.0", version="1.0.0")
    made = plan(project=remote, toolchain=toolchain(GOFLAGS="-mod=vendor -race"))
    assert "-mod=vendor" not in made.compilations[0].flags
    assert "-race" in made.compilations[0].flags


def test_goflags_that_go_itself_could_not_read() -> None:
    assert read_goflags("'-tags=open").ignored == ("'-tags=open",)


def test_the_settings_flags_win_over_goflags() -> None:
    made = flags('[build]\nflags = ["-p=2"]\n', toolchain=toolchain(GOFLAGS="-p=8"))
    assert "-p=2" in made
    assert "-p=8" not in made


def test_tags_are_words() -> None:
    assert "-tags=netgo,v1.2" in flags('[build]\ntags = ["netgo", "v1.2", "netgo"]\n')
    assert refused('[build]\ntags = ["a,b"]\n').name == "bad-setting"
    assert refused('[build]\ntags = ["-x"]\n').name == "bad-setting"


def test_profiles() -> None:
    assert "-pgo=off" in flags('[build]\npgo = "off"\n')
    assert "-pgo=/src/shop/cpu.pprof" in flags('[build]\npgo = "./cpu.pprof"\n')
    assert not [flag for flag in flags('[build]\npgo = "auto"\n') if "pgo" in flag]
    assert refused('[build]\npgo = "/etc/passwd"\n').name == "path-escape"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  ", ()),
        ("-a -b", ("-a", "-b")),
        ("'-a b' c", ("-a b", "c")),
        ('"it\'s"', ("it's",)),
        ("a'b c'", ("a'b", "c'")),
        ("''", ("",)),
    ],
)
def test_words_split_as_go_splits_them(text: str, expected: tuple[str, ...]) -> None:
    assert words.split(text) == expected
    assert words.split(words.join(expected)) == expected


def test_a_word_that_go_cannot_quote() -> None:
    with pytest.raises(UsageError, match="both kinds of quotes"):
        words.join(("a'b \"c",))


def test_a_flag_of_the_users_own_file_is_trusted() -> None:
    made = make_plan(inputs('[build]\nflags = ["-toolexec=otel"]\n', trusted=True))
    assert "-toolexec=otel" in made.compilations[0].flags
