"""registries.toml: read strictly, every mistake told with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema
import pytest

from wherry.errors import Several, UsageError
from wherry.kit.ports import Trust
from wherry.model.registries import Mirror, Registries
from wherry.plan import read, registries, schema

WHOLE = """
timeout = "1m"
[registry."docker.io"]
mirrors = ["mirror.example", "harbor.example:8443/hub/x"]
[registry."REG.example:5000"]
plain-http = true
ca = "~/ca.pem"
client-certificate = "c.cert"
client-key = "/k/c.key"
token-hosts = ["Auth.example"]
timeout = "250ms"
"""


def test_everything_is_understood() -> None:
    found = registries.parse(WHOLE, "/home/ada/.config/wherry/registries.toml", home="/home/ada")
    assert found.timeout == 60.0
    assert found.plain == ("reg.example:5000",)
    hub, own = found.rules
    assert hub.mirrors == (Mirror(host="mirror.example"), Mirror(host="harbor.example:8443", path="hub/x"))
    assert (hub.timeout, own.timeout, own.token_hosts) == (60.0, 0.25, ("auth.example",))
    assert own.trust == Trust(
        plain=True,
        authorities=("/home/ada/ca.pem",),
        certificate="/home/ada/.config/wherry/c.cert",
        key="/k/c.key",
    )
    assert found.of("Reg.example:5000") == own
    assert found.of("reg.example").trust == Trust()
    assert found.of("reg.example").timeout == 60.0
    assert jsonschema.Draft202012Validator(schema.registries_schema()).is_valid(tomllib.loads(WHOLE))


def test_nothing_is_said(tmp_path: Path) -> None:
    assert registries.read_registries(tmp_path, "/home/ada") == Registries() == registries.parse("", "x")


@pytest.mark.parametrize(
    ("text", "name", "word"),
    [
        ('[registry."a.example"]\nmirror = ["b.example"]', "unknown-key", "did you mean mirrors?"),
        ('[registry."a.example"]\nplain_http = true', "unknown-key", "did you mean plain-http?"),
        ('[registries."a.example"]\nca = "x"', "unknown-key", "did you mean registry?"),
        ('[registry."a.example"]\nmirrors = "b.example"', "bad-setting", 'mirrors = ["b.example"]'),
        ('[registry."a.example"]\nmirrors = ["https://b.example"]', "bad-setting", "harbor.example/hub"),
        ('[registry."a.example"]\nmirrors = ["b.example/"]', "bad-setting", "harbor.example/hub"),
        ('[registry."a.example"]\nmirrors = ["b.example/UP"]', "bad-setting", "harbor.example/hub"),
        ('[registry."https://a.example"]\nca = "x"', "bad-setting", "registry.example:5000"),
        ('[registry."a.example:0"]\nca = "x"', "bad-setting", "registry.example:5000"),
        ('[registry."a.example"]\ntoken-hosts = ["https://b.example"]', "bad-setting", "auth.example"),
        ('[registry."a.example"]\ntoken-hosts = ["b.example:443"]', "bad-setting", "without a port"),
        ('[registry."a.example"]\nclient-key = "x"', "bad-setting", "both"),
        ('[registry."a.example"]\nplain-http = "yes"', "bad-setting", ""),
        ('timeout = "soon"', "bad-setting", "30s"),
        ('timeout = "0s"', "bad-setting", "30s"),
        ('timeout = "2h"', "bad-setting", "30s"),
        ("timeout = 30", "bad-setting", ""),
        ("timeout =", "toml-syntax", ""),
    ],
)
def test_each_mistake_is_told_with_its_line(text: str, name: str, word: str) -> None:
    with pytest.raises(UsageError) as caught:
        registries.parse(text, "registries.toml")
    error = caught.value
    assert error.name == name
    assert word in " ".join(error.next)
    lines = ("registries.toml:1:", f"registries.toml:{len(text.splitlines())}:")
    assert error.where[0].startswith(lines)


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(Several) as caught:
        registries.parse('timeut = "1s"\n[registry."a.example"]\nmirrrors = []\nca = 5\n', "registries.toml")
    assert [error.name for error in caught.value.errors] == ["unknown-key", "unknown-key", "bad-setting"]


@pytest.mark.parametrize("data", [b"\xff", b"\0", b"#" * 300_000])
def test_files_that_are_no_text(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "registries.toml").write_bytes(data)
    with pytest.raises(UsageError) as caught:
        registries.read_registries(tmp_path, "/home/ada")
    assert caught.value.name == "toml-syntax"


def test_a_repositorys_file_knows_no_registries() -> None:
    """Whoever writes wherry.toml may be hostile."""
    with pytest.raises(UsageError) as caught:
        read.parse('[registry."a.example"]\nplain-http = true\n', "wherry.toml")
    assert caught.value.name == "unknown-key"
