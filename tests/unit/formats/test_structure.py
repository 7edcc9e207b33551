"""container-structure-test's files: read strictly, mistakes with their line."""

from __future__ import annotations

import pytest

from wherry.errors import UsageError
from wherry.formats.structure import Pair, parse, plain

GOOD = """\
schemaVersion: '2.0.0'
globalEnvVars:
  - key: A
    value: 1
commandTests:
  - name: version
    command: app
    args: ["--version", 2]
    expectedOutput: ['v1\\..*']
    exitCode: 0
fileExistenceTests:
- name: Root
  path: '/'
  permissions: 'drwxr-xr-x'
  isExecutableBy: any
fileContentTests:
- {name: hosts, path: /etc/hosts, expectedContents: [localhost]}
metadataTest:
  envVars: [{key: PATH, value: '.*', isRegex: true}]
  exposedPorts: [8080]
  cmd: []
licenseTests:
- debian: true
"""


def test_a_file_is_read() -> None:
    found = parse(GOOD, "t.yaml")
    assert found.global_env_vars == (Pair(key="A", value=1),)
    assert list(map(plain, found.command_tests[0].args)) == ["--version", "2"]
    assert found.metadata_test
    assert (found.metadata_test.cmd, found.metadata_test.entrypoint) == ((), None)
    assert found.file_existence_tests[0].should_exist
    assert plain(True) == "true"


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("command: app", "comand: app", "t.yaml:7   commandTests[0].comand", "unknown field comand"),
        ("name: version", "title: version", "t.yaml:6   commandTests[0].title", "unknown field title"),
        ("exitCode: 0", "exitCode: zero", "t.yaml:10   commandTests[0].exitCode", "expected int, got str"),
        ("'2.0.0'", "'1.0.0'", "t.yaml:1   schemaVersion", "no version that is known"),
        ("debian: true", "debian: [", "t.yaml:24", "not YAML"),
        ("v1\\..*", "v1(", "t.yaml   version", "is no pattern"),
        ("licenseTests:", "licenceTests:", "t.yaml:22   licenceTests", "unknown field licenceTests"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, where: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(GOOD.replace(old, new), "t.yaml")
    assert caught.value.name == "structure-test"
    assert (caught.value.where, words in caught.value.message) == ((where,), True), caught.value.message


def test_a_slip_gets_the_right_word() -> None:
    with pytest.raises(UsageError) as caught:
        parse(GOOD.replace("expectedOutput", "expectedOutputs"), "t.yaml")
    assert caught.value.next == ("did you mean expectedOutput?",)


@pytest.mark.parametrize(
    "text", ["", "- a", "a: b", "text", "\x00", "a: &a [*a]", "--- 1\n--- 2\n", "!!python/object:os.x {}"]
)
def test_what_is_no_such_file_is_one_error(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, "t.yaml")
    assert caught.value.name == "structure-test"


def test_aliases_that_multiply_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(UsageError, match="more than anybody"):
        parse("schemaVersion: 2.0.0\n" + "\n".join(lines), "t.yaml")
