"""The user's Go settings are read as `go env` reads them, without starting it."""

import subprocess
from pathlib import Path

import pytest

from tests.support.compiling import toolchain
from wherry.system.environment import environment
from wherry.toolchain.settings import effective, settings_file

FILE = """\
# a comment
GOFLAGS=-mod=mod
GOPROXY=https://proxy.example,direct
GOPRIVATE=
CC="quotes stay"
 GOSUMDB=indented lines do not count
GONOSUMDB
MADE_UP=x
CGO_CFLAGS=-O2 -g
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".config/go").mkdir(parents=True)
    (tmp_path / ".config/go/env").write_text(FILE)
    return tmp_path


def read(home: Path, **variables: str) -> dict[str, str]:
    return dict(effective(environment({"HOME": str(home), **variables}), toolchain().root)[0])


def test_file_below_variable_above_default(home: Path) -> None:
    settings = read(home, GOPROXY="off", GOSUMDB="")
    assert settings["GOFLAGS"] == "-mod=mod"
    assert settings["GOPROXY"] == "off"
    assert settings["GOSUMDB"] == "sum.golang.org", "an empty variable does not override"
    assert settings["GOMODCACHE"] == f"{home}/go/pkg/mod"
    assert "GOPRIVATE" not in settings
    assert "MADE_UP" not in settings


@pytest.mark.parametrize("name", ["GOFLAGS", "GOPROXY", "GOPRIVATE", "CC", "GOSUMDB", "GONOSUMDB", "CGO_CFLAGS"])
def test_every_line_means_what_go_says_it_means(name: str, home: Path) -> None:
    done = subprocess.run(
        [toolchain().go, "env", name],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert read(home).get(name, "") == done.stdout.removesuffix("\n")


def test_the_file_may_be_elsewhere_or_off(home: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("GOFLAGS=-x\n")
    assert read(home, GOENV=str(other))["GOFLAGS"] == "-x"
    assert "GOFLAGS" not in read(home, GOENV="off")
    assert settings_file(environment({"HOME": "/h", "GOENV": "off"})) == ""


def test_the_file_is_named_only_if_it_exists(home: Path) -> None:
    assert effective(environment({"HOME": str(home)}), "/nowhere")[1] == f"{home}/.config/go/env"
    assert effective(environment({"HOME": "/nowhere"}), "/nowhere")[1] == ""
