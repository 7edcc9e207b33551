"""What GitHub and GitLab keep of a job for the next, by the rules that they document. Folders in, the same folders later out;
starts tar.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.workflow import Runner


def pack(archive: Path, place: Path, paths: list[str]) -> None:
    """Those of `paths` that are there, absolute or below `place`."""
    there = [path for path in paths if (place / path).exists()]
    subprocess.run(["tar", "-P", "-C", str(place), "-cf", str(archive), *there], check=True)


def unpack(archive: Path, place: Path) -> None:
    subprocess.run(["tar", "-P", "-C", str(place), "-xf", str(archive)], check=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Immutable."""

    scope: str
    """The ref of the run that saved it."""
    key: str
    paths: tuple[str, ...]
    """Part of an entry's identity: another list of paths finds nothing."""
    archive: Path


@dataclass(slots=True, kw_only=True)
class GithubCaches:
    """docs.github.com, "Dependency caching reference": an exact key, then prefixes with the newest first, in the run's own scope;
    then the same in the scope of a pull request's base, and in the default branch's."""

    folder: Path
    entries: list[Entry] = field(default_factory=list)
    """Oldest first."""

    @property
    def actions(self) -> dict[str, Any]:
        return {"actions/cache/restore": self.restore, "actions/cache/save": self.save}

    def restore(self, runner: Runner, told: dict[str, str]) -> dict[str, str]:
        paths = told["path"].split()
        found = self._find(runner, tuple(paths), told["key"], told.get("restore-keys", "").split())
        outputs = {"cache-primary-key": told["key"]}
        if found is None:
            return outputs
        unpack(found.archive, runner.folder)
        return {**outputs, "cache-hit": str(found.key == told["key"]).lower(), "cache-matched-key": found.key}

    def save(self, runner: Runner, told: dict[str, str]) -> dict[str, str]:
        paths = told["path"].split()
        scope = runner.context["github"]["ref"]
        if any((one.scope, one.key, one.paths) == (scope, told["key"], tuple(paths)) for one in self.entries):
            return {}
        archive = self.folder / f"{len(self.entries)}.tar"
        pack(archive, runner.folder, [path.replace("~", runner.variables["HOME"]) for path in paths])
        self.entries.append(Entry(scope=scope, key=told["key"], paths=tuple(paths), archive=archive))
        return {}

    def _find(self, runner: Runner, paths: tuple[str, ...], key: str, prefixes: list[str]) -> Entry | None:
        github = runner.context["github"]
        base = [f"refs/heads/{github['base_ref']}"] if github.get("base_ref") else []
        for scope in (github["ref"], *base, f"refs/heads/{github['event']['repository']['default_branch']}"):
            here = [one for one in reversed(self.entries) if (one.scope, one.paths) == (scope, paths)]
            exact = [one for one in here if one.key == key]
            begun = [one for prefix in (key, *prefixes) for one in here if one.key.startswith(prefix)]
            if exact or begun:
                return (exact or begun)[0]
        return None


@dataclass(slots=True, kw_only=True)
class GitlabCaches:
    """docs.gitlab.com, "Caching in GitLab CI/CD": whole keys only, then `fallback_keys`; paths below the project's folder; what
    protected branches keep is apart from what others keep; an entry is replaced."""

    folder: Path
    protected: bool = True
    """Whether the branch of the next job is."""

    def copied(self, folder: Path) -> GitlabCaches:
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return GitlabCaches(folder=folder)

    def as_if_left_by_others(self) -> None:
        """What jobs of protected branches kept, as if those of other branches had kept the same."""
        for archive in list(self.folder.glob("*-protected.tar")):
            shutil.copyfile(archive, self.folder / archive.name.replace("-protected", "-non_protected"))

    def contents(self) -> dict[str, bytes]:
        """Digests of the archives."""
        return {one.name: hashlib.sha256(one.read_bytes()).digest() for one in self.folder.iterdir()}

    def restore(self, job: Mapping[str, Any], project: Path, variables: Mapping[str, str]) -> None:
        for one in _each(job):
            archives = [self._archive(key, variables) for key in (_key(one, project), *one.get("fallback_keys", []))]
            found = next((archive for archive in archives if archive.exists()), None)
            if found and one.get("policy", "pull-push") != "push":
                unpack(found, project)

    def save(self, job: Mapping[str, Any], project: Path, variables: Mapping[str, str]) -> None:
        """After a job that did not fail."""
        for one in _each(job):
            if one.get("policy", "pull-push") != "pull":
                outside = [path for path in one["paths"] if not (project / path).resolve().is_relative_to(project)]
                assert not outside, f"GitLab keeps nothing outside of the project: {outside}"
                pack(self._archive(_key(one, project), variables), project, one["paths"])

    def _archive(self, key: str, variables: Mapping[str, str]) -> Path:
        name = expanded(key, variables)
        assert "/" not in name, "GitLab takes no slash"
        return self.folder / f"{name}-{'protected' if self.protected else 'non_protected'}.tar"


def _each(job: Mapping[str, Any]) -> list[Any]:
    caches = job.get("cache", [])
    return caches if isinstance(caches, list) else [caches]


def _key(cache: Mapping[str, Any], project: Path) -> str:
    key = cache["key"]
    if isinstance(key, str):
        return key
    found = b"".join((project / name).read_bytes() for name in key["files"] if (project / name).exists())
    return f"{key['prefix']}-{hashlib.sha256(found).hexdigest() if found else 'default'}"


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """With variables as GitLab puts them in; unknown ones are empty."""
    return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], ""), text)
