"""container-structure-test's tests: from what was seen to verdicts."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from wherry.formats.structure import CommandTest, FileContentTest, FileExistenceTest, LicenseTest, MetadataTest, Pair
from wherry.judge.structure import Ran, command, content, existence, expanded, licence_files, licences, metadata
from wherry.model.contents import Contents, File
from wherry.oci.config import RunConfig

SEEN = Contents(
    files=(
        File(path="/app/run", kind="file", mode=0o4750, uid=1, gid=2),
        File(path="/bin", kind="link", target="usr/bin"),
        File(path="/usr/bin/tool", kind="file", mode=0o755),
        File(path="/loop", kind="link", target="loop"),
        File(path="/out", kind="link", target="../../usr/bin/tool"),
        File(path="/tmp", kind="directory", mode=0o1777),
        File(path="/usr/share/doc/a", kind="directory", mode=0o755),
        File(path="/usr/share/doc/a/deeper", kind="directory", mode=0o755),
        File(path="/usr/first", kind="link", target="second"),
        File(path="/usr/second", kind="link", target="/usr/bin/tool"),
    ),
    environment=(("HOME", "/usr"),),
)


@pytest.mark.parametrize(
    ("path", "fields", "outcome"),
    [
        ("/app/run", {}, "PASS"),
        ("/app/run", {"permissions": "-rwsr-x---"}, "PASS"),
        ("/app/run", {"permissions": "urwxr-x---"}, "PASS"),
        ("/app/run", {"permissions": "-rwxr-x---"}, "FAIL"),
        ("/tmp", {"permissions": "dtrwxrwxrwx"}, "PASS"),
        ("/tmp", {"permissions": "drwxrwxrwt"}, "PASS"),
        ("/app/run", {"uid": 1, "gid": 2}, "PASS"),
        ("/app/run", {"uid": 0}, "FAIL"),
        ("/app/run", {"uid": -1, "gid": -1}, "PASS"),
        ("/usr/first", {"is_executable_by": "other"}, "PASS"),
        ("/app/run", {"is_executable_by": "group"}, "PASS"),
        ("/app/run", {"is_executable_by": "other"}, "FAIL"),
        ("/bin/tool", {"is_executable_by": "other"}, "PASS"),
        ("$HOME/bin/tool", {}, "PASS"),
        ("/out", {}, "PASS"),
        ("/loop", {}, "FAIL"),
        ("/", {"permissions": "drwxr-xr-x"}, "PASS"),
        ("/nothing", {}, "FAIL"),
        ("/nothing", {"should_exist": False}, "PASS"),
        ("/app/run", {"should_exist": False}, "FAIL"),
    ],
)
def test_a_path(path: str, fields: dict[str, Any], outcome: str) -> None:
    verdict = existence(replace(FileExistenceTest(name="x", path=path), **fields), SEEN)
    assert (verdict.check, verdict.outcome) == ("test: x", outcome), verdict


@pytest.mark.parametrize(
    ("data", "expected", "excluded", "outcome"),
    [
        (b"one\ntwo\n", ("two",), ("three",), "PASS"), (b"one", ("two",), (), "FAIL"), (b"one", (), ("on.",), "FAIL"),
        (None, (), (), "FAIL"),
        (b"one\ntwo\n", ("(?m)^two$",), (), "PASS"),
    ],
)  # fmt: skip
def test_contents(data: bytes | None, expected: tuple[str, ...], excluded: tuple[str, ...], outcome: str) -> None:
    test = FileContentTest(name="x", path="/x", expected_contents=expected, excluded_contents=excluded)
    assert content(test, data).outcome == outcome


@pytest.mark.parametrize(
    ("ran", "outcome", "words"),
    [
        (Ran(code=0, stdout="v1.2\n"), "PASS", "ended with 0"),
        (Ran(code=1, stdout="v1.2\n"), "FAIL", "ended with 1, and not with 0"),
        (Ran(code=0, stdout="v2"), "FAIL", "does not match 'v1': v2"),
        (Ran(code=0, stdout="v1", stderr="oh dear"), "FAIL", "matches 'dear'"),
        (Ran(code=0, stdout="v1 dear"), "PASS", "ended with 0"),
        (Ran(), "FAIL", "did not end in time"),
        (Ran(error="no such program"), "FAIL", "could not be started"),
    ],
)
def test_a_command(ran: Ran, outcome: str, words: str) -> None:
    test = CommandTest(name="x", command="app", expected_output=("v1",), excluded_error=("dear",))
    verdict = command(test, ran)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict


@pytest.mark.parametrize(
    ("ran", "outcome", "words"),
    [
        (Ran(code=2, stderr="usage: app"), "PASS", "ended with 2"),
        (Ran(code=0, stderr="usage: app"), "FAIL", "ended with 0, and not with 2"),
        (Ran(code=2, stdout="usage: app"), "FAIL", "standard error does not match 'usage': empty"),
    ],
)
def test_a_command_that_must_fail(ran: Ran, outcome: str, words: str) -> None:
    verdict = command(CommandTest(name="x", command="app", exit_code=2, expected_error=("usage",)), ran)
    assert (verdict.outcome, words in verdict.summary) == (outcome, True), verdict


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"env": (Pair(key="A", value=1),)}, ""),
        ({"env_vars": (Pair(key="A", value="[0-9]", is_regex=True),)}, ""),
        ({"env": (Pair(key="A", value=2),)}, "the variable A is not '2'"),
        ({"env": (Pair(key="A", value="."),)}, "the variable A is not '.'"),
        ({"env": (Pair(key="B"),)}, "the variable B is not set"),
        ({"unbound_env_vars": (Pair(key="A"),)}, "the variable A is set"),
        ({"labels": (Pair(key="l", value="x"),)}, ""),
        ({"exposed_ports": (8080, "53/udp")}, ""),
        ({"exposed_ports": ("53",)}, "port 53 is not declared"),
        ({"unexposed_ports": (8080,)}, "port 8080 is declared"),
        ({"volumes": ("/data",)}, ""),
        ({"unmounted_volumes": ("/data",)}, "/data is a volume"),
        ({"entrypoint": ("/app",), "cmd": ()}, ""),
        ({"cmd": ("x",)}, "cmd is [], and not ['x']"),
        ({"workdir": "/x"}, "workdir is '/', and not '/x'"),
        ({"user": 65532}, ""),
    ],
)
def test_settings(fields: dict[str, Any], words: str) -> None:
    config = RunConfig(
        user="65532",
        env=("A=1",),
        labels={"l": "x"},
        exposed_ports={"8080/tcp": {}, "53/udp": {}},
        entrypoint=("/app",),
        working_dir="/",
        volumes={"/data": {}},
    )
    verdict = metadata(replace(MetadataTest(), **fields), config)
    assert (verdict.outcome, words in verdict.summary) == ("FAIL" if words else "PASS", True), verdict


def test_licences() -> None:
    assert licence_files(LicenseTest(debian=True, files=("/x",)), SEEN) == ("/usr/share/doc/a/copyright", "/x")
    assert licences(LicenseTest(files=("/x",)), {"/x": b"MIT"}).outcome == "PASS"
    assert licences(LicenseTest(files=("/x",)), {"/x": b"the Agpl"}).outcome == "FAIL"
    assert licences(LicenseTest(files=("/x",)), {"/x": None}).outcome == "FAIL"
    assert licences(LicenseTest(debian=True), {}).outcome == "UNKNOWN"


def test_variables_of_the_image_are_put_in() -> None:
    assert expanded("${HOME}/x/$NOTHING$HOME", SEEN) == "/usr/x//usr"
