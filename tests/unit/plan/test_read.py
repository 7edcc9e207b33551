"""wherry.toml: found, read strictly, every mistake told with its line."""

import os
from pathlib import Path

import pytest

from wherry.errors import Several, UnavailableError, UsageError, WherryError
from wherry.plan import check, read


def mistake(text: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read.parse(text, "wherry.toml")
    return caught.value


def test_is_found_from_any_folder_up_to_the_root_and_no_further(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    deep = root / "a/b"
    deep.mkdir(parents=True)
    (tmp_path / "wherry.toml").write_text("")
    assert read.find(root, deep) is None
    (root / "wherry.toml").write_text("")
    assert read.find(root, deep) == root / "wherry.toml"
    (root / "a/wherry.toml").write_text("")
    assert read.find(root, deep) == root / "a/wherry.toml"
    assert read.find(root, root) == root / "wherry.toml"


def test_tiers_come_lowest_first_and_know_their_file(tmp_path: Path) -> None:
    (tmp_path / "wherry.toml").write_text('[image]\nbase = "scratch"\n')
    user = tmp_path / "own.toml"
    user.write_text('[image]\nuser = "1000"\n')
    own, repository = read.read_tiers(tmp_path, tmp_path, user)
    assert (own.trusted, repository.trusted) == (True, False)
    assert repository.settings.image is not None
    assert repository.settings.image.base == "scratch"
    assert [str(place) for keys, place, _ in repository.places if keys == ("image", "base")] == ["wherry.toml:2:1"]
    assert read.read_tiers(tmp_path / "none", tmp_path / "none", None) == ()


@pytest.mark.parametrize(
    ("text", "where", "step"),
    [
        ('[image]\nusr = "x"\n', 'wherry.toml:2:1   usr = "x"', "did you mean user?"),
        ("platform = []\n", "wherry.toml:1:1   platform = []", "did you mean platforms?"),
        ('user = "x"\n', 'wherry.toml:1:1   user = "x"', "did you mean image.user?"),
        ('[image]\nstop_signal = "x"\n', 'wherry.toml:2:1   stop_signal = "x"', "did you mean stop-signal?"),
        ("[image]\nhealthcheck = false\n", "wherry.toml:2:1   healthcheck = false", "did you mean health?"),
        ("[image]\ncmd = []\n", "wherry.toml:2:1   cmd = []", "did you mean args?"),
        ("[image]\ntags = []\n", "wherry.toml:2:1   tags = []", "did you mean build.tags?"),
        ("[main.api.image]\nport = []\n", "wherry.toml:2:1   port = []", "did you mean ports?"),
        ('[[image.assets]]\nfrom = "a"\ninto = "/a"\nmod = "1"\n', 'wherry.toml:4:1   mod = "1"', "did you mean mode?"),
        ("[image.health]\nxyzzy = 1\n", "wherry.toml:2:1   xyzzy = 1", "its keys are path, port, command, interval, "),
    ],
)
def test_unknown_keys_are_answered_with_the_right_one(text: str, where: str, step: str) -> None:
    error = mistake(text)
    assert error.name == "unknown-key"
    assert error.where == (where,)
    assert error.next[0].startswith(step)


@pytest.mark.parametrize(
    ("text", "message", "step"),
    [
        ('[build]\ntags = "netgo"\n', "build.tags must be a list of texts", 'tags = ["netgo"]'),
        ("[build]\ncgo = 1\n", "build.cgo must be true or false", "cgo = true"),
        ('[build]\nstrip = "al"\n', "build.strip must be one of all, debug, none", "did you mean all?"),
        ("[image]\nlevel = true\n", "image.level must be a number", ""),
        ("[image]\nuser = 1.5\n", "image.user must be a text or a number", ""),
        ("[image]\nenv = []\n", "image.env must be a table", 'env = { NAME = "value" }'),
        ("[image.env]\nA = []\n", "image.env.A must be a text or a number or true or false", ""),
        ('[build]\nhooks = ["go generate"]\n', "build.hooks[0] must be a list of texts", '["go", "generate"]'),
        ("[[image.assets]]\nfrom = 'a'\n", "image.assets[0] lacks the key into", ""),
        ('image = "x"\n', "image must be a table", ""),
        ("packages = 2026-01-01\n", "packages must be a list of texts", ""),
        ("[image]\nlevel = 99999999999999999999999\n", "image.level must be a number", ""),
    ],
)
def test_values_of_the_wrong_type(text: str, message: str, step: str) -> None:
    error = mistake(text)
    assert (error.name, error.message) == ("bad-setting", message)
    assert error.where[0].startswith("wherry.toml:")
    assert (error.next or ("",))[0] == step


def test_all_mistakes_at_once_each_once() -> None:
    with pytest.raises(Several) as caught:
        read.parse('bse = "x"\n[image]\nport = 1\nlevel = "x"\n', "wherry.toml")
    assert [(one.name, one.where[0].split(" ")[0]) for one in caught.value.errors] == [
        ("unknown-key", "wherry.toml:1:1"),
        ("unknown-key", "wherry.toml:3:1"),
        ("bad-setting", "wherry.toml:4:1"),
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a = \n", "wherry.toml:1:5   a ="),
        ("[image\n", "wherry.toml:1:7   [image"),
        ("[a]\nb = 1\nb = 2\n", "wherry.toml:3:6   b = 2"),
        ('a = "\x1b[31m"\n', "wherry.toml:1:6   "),
        ("a = [1,", "wherry.toml:1:1   a = [1,"),
        ("\ufeffa = 1\n", "wherry.toml:1:1   "),
        ("a = " + "[" * 20_000, "wherry.toml"),
        ("a = " + "9" * 10_000, "wherry.toml:1:1   a = 999"),
    ],
)
def test_broken_toml_names_the_line(text: str, where: str) -> None:
    error = mistake(text)
    assert error.name in ("toml-syntax", "unknown-key")
    assert error.where[0].startswith(where)
    assert "\x1b" not in error.where[0]


def test_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "wherry.toml").write_bytes(b'[image]\nbase = "\xff"\n')
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        read.read_tiers(tmp_path, tmp_path)
    assert caught.value.where == ("wherry.toml:2",)


def test_windows_line_ends_do_not_move_the_lines() -> None:
    assert mistake("[image]\r\nusr = 1\r\n").where == ("wherry.toml:2:1   usr = 1",)


def test_a_link_out_of_the_repository_is_not_read(tmp_path: Path) -> None:
    """A09: the message would quote a line of the file."""
    (tmp_path / "secret").write_text("password of somebody\n")
    root = tmp_path / "repo"
    root.mkdir()
    (root / "wherry.toml").symlink_to(tmp_path / "secret")
    with pytest.raises(UsageError) as caught:
        read.read_tiers(root, root)
    assert caught.value.name == "unsafe-file"
    assert "password" not in str(vars(caught.value))


def test_what_is_no_plain_small_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "wherry.toml")
    with pytest.raises(UsageError, match="no file of this repository"):
        read.read_tiers(tmp_path, tmp_path)
    (tmp_path / "wherry.toml").unlink()
    (tmp_path / "wherry.toml").mkdir()
    with pytest.raises(UsageError, match="no file of this repository"):
        read.read_tiers(tmp_path, tmp_path)
    (tmp_path / "wherry.toml").rmdir()
    (tmp_path / "wherry.toml").write_text("#" * (read.LARGEST + 1))
    with pytest.raises(UsageError, match="larger than"):
        read.read_tiers(tmp_path, tmp_path)
    (tmp_path / "wherry.toml").unlink()
    (tmp_path / "wherry.toml").symlink_to("nowhere")
    with pytest.raises(UnavailableError):
        read.read_tiers(tmp_path, tmp_path)


def test_many_keys_are_read_quickly() -> None:
    many = "[image.labels]\n" + "".join(f"k{number} = ''\n" for number in range(15_000))
    assert len(read.parse(many, "wherry.toml").places) == 15_002


@pytest.mark.parametrize(
    ("wanted", "good"), [(">=0.0.1", True), (">=0.1, <900", True), (">=900", False), ("!=0.0.0.1", True)]
)
def test_required_version(wanted: str, good: bool) -> None:
    text = f'required-version = "{wanted}"\nkey-of-the-future = 1\n'
    error = mistake(text)
    assert error.name == ("unknown-key" if good else "required-version")
    if not good:
        assert error.next == (f"pip install 'wherry{wanted}'", "correct required-version, if it is wrong")


def test_a_flood_of_mistakes_is_cut() -> None:
    text = "".join(f"k{number} = 1\n" for number in range(1000)) + "x" * 1000 + " = 1\n"
    with pytest.raises(Several) as caught:
        read.parse(text, "wherry.toml")
    assert len(caught.value.errors) == check.MOST
    assert len(mistake("x" * 100_000 + " = 1\n").message) < 100


def test_required_version_that_cannot_be_read() -> None:
    assert mistake('required-version = "newest"\n').name == "bad-setting"


def test_mistakes_in_both_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "wherry.toml").write_text("a = 1\n")
    own = tmp_path / "own.toml"
    own.write_text("b = \n")
    with pytest.raises(WherryError) as caught:
        read.read_tiers(tmp_path, tmp_path, own)
    assert isinstance(caught.value, Several)
    assert [one.name for one in caught.value.errors] == ["toml-syntax", "unknown-key"]


@pytest.mark.parametrize(("text", "step"), [("until = someday\n", 'a text has quotes: name = "text"'), ("[a\n", "")])
def test_what_wants_quotes_is_told_so(text: str, step: str) -> None:
    assert mistake(text).next == ((step,) if step else ())
