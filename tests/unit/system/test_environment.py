"""Which variables wherry honours, and which reach children."""

import os
import pwd

import pytest

from wherry.system.environment import environment


def test_empty_variables_are_not_set() -> None:
    read = environment({"HOME": "/h", "NO_COLOR": "", "CI": "", "GOFLAGS": "", "DOCKER_HOST": ""})
    assert (read.no_color, read.ci, read.go, read.docker_host) == (False, False, (), "")


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("false", False), ("0", False)])
def test_ci_is_a_yes_or_no(value: str, expected: bool) -> None:
    assert environment({"HOME": "/h", "CI": value}).ci is expected


def test_xdg_folders_and_their_defaults() -> None:
    read = environment({"HOME": "/h", "XDG_CACHE_HOME": "/c", "XDG_DATA_HOME": "relative"})
    assert (read.cache_home, read.data_home, read.config_home) == ("/c", "/h/.local/share", "/h/.config")


def test_without_home_the_user_database_is_asked() -> None:
    assert environment({}).home == pwd.getpwuid(os.getuid()).pw_dir


def test_a_user_without_home_and_without_an_entry_gets_a_folder_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert environment({}).home == "/tmp/wherry-4000000"


def test_children_get_no_secret() -> None:
    secrets = {
        "GITHUB_TOKEN": "t",
        "AWS_SECRET_ACCESS_KEY": "s",
        "SSH_AUTH_SOCK": "/s",
        "NETRC": "/n",
        "LD_PRELOAD": "/x",
    }
    read = environment({"HOME": "/h", "HTTPS_PROXY": "http://p", "TMPDIR": "/t", **secrets})
    assert dict(read.child) == {"HOME": "/h", "HTTPS_PROXY": "http://p", "TMPDIR": "/t"}
    assert dict(read.private) == {"SSH_AUTH_SOCK": "/s", "NETRC": "/n"}


def test_go_settings_are_named_ones_only() -> None:
    variables = {"GOFLAGS": "-x", "GOOGLE_APPLICATION_CREDENTIALS": "/c", "CC": "cc", "GOLANG": "1", "WHERRY_X": "y"}
    read = environment({"HOME": "/h", **variables})
    assert read.go == (("CC", "cc"), ("GOFLAGS", "-x"))
    assert read.wherry == (("WHERRY_X", "y"),)
