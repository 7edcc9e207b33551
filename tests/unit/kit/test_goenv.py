"""What reaches a `go` that wherry starts, and what does not (A07)."""

from pathlib import Path

from wherry.kit.goenv import go_environment, merged, search_path
from wherry.system.environment import environment

SETTINGS = (("GOCACHE", "/c"), ("GOFLAGS", "-toolexec=/evil"), ("CC", "/evil"), ("GOPROXY", "https://p"))
SECRETS = {
    "SSH_AUTH_SOCK": "/agent",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "url.https://token@github.com/.insteadOf",
    "GIT_CONFIG_VALUE_0": "https://github.com/",
    "GIT_SSH_COMMAND": "ssh -i key",
}


def made(variables: dict[str, str] | None = None, settings: tuple[tuple[str, str], ...] = SETTINGS) -> dict[str, str]:
    own = environment({"HOME": "/h", "PATH": "/usr/bin", **(variables or {})})
    return dict(go_environment(own, settings, root=""))


def git_settings(variables: dict[str, str]) -> list[tuple[str, str]]:
    numbers = range(int(variables["GIT_CONFIG_COUNT"]))
    return [(variables[f"GIT_CONFIG_KEY_{n}"], variables[f"GIT_CONFIG_VALUE_{n}"]) for n in numbers]


def test_settings_files_flags_and_other_toolchains_are_off() -> None:
    variables = made(
        dict.fromkeys(("GOFLAGS", "GOENV", "GOTOOLCHAIN", "GOROOT", "GOEXPERIMENT", "GIT_DIR", "LD_PRELOAD"), "/evil")
    )
    assert (variables["GOENV"], variables["GOFLAGS"], variables["GOTOOLCHAIN"]) == ("off", "", "local")
    assert not {"GOROOT", "GOEXPERIMENT", "CC", "GIT_DIR", "LD_PRELOAD"} & set(variables)


def test_where_modules_come_from_is_passed_on() -> None:
    variables = made()
    assert (variables["GOCACHE"], variables["GOPROXY"], variables["HOME"]) == ("/c", "https://p", "/h")


def test_the_users_keys_only_for_private_modules() -> None:
    assert "SSH_AUTH_SOCK" not in made(SECRETS)
    assert ("url.https://token@github.com/.insteadOf", "https://github.com/") not in git_settings(made(SECRETS))
    variables = made(SECRETS, (*SETTINGS, ("GOPRIVATE", "git.example.com")))
    assert (variables["SSH_AUTH_SOCK"], variables["GIT_SSH_COMMAND"]) == ("/agent", "ssh -i key")
    own = git_settings(variables)
    assert own[0] == ("url.https://token@github.com/.insteadOf", "https://github.com/")
    assert ("core.fsmonitor", "false") in own[1:]


def test_nonsense_in_the_users_git_count_is_ignored() -> None:
    private = (*SETTINGS, ("GOPRIVATE", "x"))
    for count in ("-1", "many", "9" * 30, "3"):
        keys = [key for key, _ in git_settings(made({**SECRETS, "GIT_CONFIG_COUNT": count}, private))]
        assert "core.fsmonitor" in keys
        assert "" not in keys


def test_path_keeps_absolute_folders_outside_the_repository(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    repo.mkdir()
    (tmp_path / "link").symlink_to(repo)
    path = f"/usr/bin::.:bin:{repo}/bin:{tmp_path}/link:{tmp_path}/repository:/bin"
    assert search_path(path, str(repo)) == f"/usr/bin:{tmp_path}/repository:/bin"
    assert search_path("", str(repo)) == ""


def test_later_layers_win() -> None:
    assert merged((("B", "1"), ("A", "1")), (("B", "2"),)) == (("A", "1"), ("B", "2"))
