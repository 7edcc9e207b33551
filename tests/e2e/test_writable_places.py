"""Where a program may write is the same wherever it runs: what `prove` lets it do, no cluster refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.examples import PLATFORM, repository
from tests.support.generating import ran
from tests.support.tools import need

pytestmark = pytest.mark.e2e
HOME, TEMPORARY, SECRETS = "/home/nonroot", "/tmp", "/run/secrets"
FOLDERS = '[image]\nwritable = ["/var/cache/a", "/home/nonroot/b"]\nvolumes = ["/data"]\n'
SETTINGS = {
    "usual": ("", {TEMPORARY, HOME}),
    "folders": (FOLDERS, {TEMPORARY, HOME, "/var/cache/a", "/data"}),
    "somebody else": ("[image]\nuser = 1000\n", {TEMPORARY}),
    "nothing below": ('[image]\nbase = "scratch"\n', {TEMPORARY}),
}
#: Words, file, and how a writable place is written there.
COMPOSE = r'(?m)^ +- "(/[^:]+):size=|^ +target: "?(/[^"\n]+)'
MOUNTED = r"mountPath: (\S+)"
FORMS = (
    (("compose",), "compose.yaml", COMPOSE),
    (("compose", "--for", "production"), "compose.production.yaml", COMPOSE),
    (("kubernetes",), "deploy/deployment.yaml", MOUNTED),
    (("kubernetes", "--form", "kustomize"), "deploy/base/deployment.yaml", MOUNTED),
    (("kubernetes", "--form", "helm"), "deploy/chart/templates/deployment.yaml", MOUNTED),
    (("container-test",), "internal/containertest/settings_test.go", r'(?m)"(/[^"]+)"(?=.*\}$)'),
)


@pytest.mark.parametrize(("toml", "places"), SETTINGS.values(), ids=SETTINGS)
def test_every_file_has_the_places_of_wherry_run(toml: str, places: set[str], tmp_path: Path) -> None:
    need("go", "git")
    root = repository("hello", tmp_path)
    (root / "wherry.toml").write_text(toml)
    assert _of_run(root, tmp_path / "layout") == places
    for words, file, pattern in FORMS:
        done = ran("generate", *words, cwd=root)
        assert done.code == 0, done.stderr
        found = {one for match in re.findall(pattern, (root / file).read_text()) for one in _texts(match)}
        assert _outermost(found | {TEMPORARY}) == places, words
        assert words == ("container-test",) or TEMPORARY in found, words


def _of_run(root: Path, layout: Path) -> set[str]:
    """Where the user may write in `wherry run`, as runc is told."""
    built = ran("build", "--platform", PLATFORM, "-o", f"oci:{layout}:one", cwd=root)
    assert built.code == 0, built.stderr
    bundle = layout.parent / "bundle"
    written = ran("run", "--bundle", str(bundle), f"oci:{layout}:one", cwd=root)
    assert written.code == 0, written.stderr
    config = json.loads((bundle / "config.json").read_text())
    mounts = [(one["destination"], one["options"]) for one in config["mounts"] if one["type"] == "tmpfs"]
    owned = f"uid={config['process']['user']['uid']}"
    return _outermost(path for path, options in mounts if owned in options or "mode=1777" in options)


def _texts(match: str | tuple[str, ...]) -> tuple[str, ...]:
    return (match,) if isinstance(match, str) else tuple(filter(None, match))


def _outermost(paths: Iterable[str]) -> set[str]:
    every = {one for one in paths if one != SECRETS}
    return {one for one in every if not any(one.startswith(f"{other}/") for other in every)}
