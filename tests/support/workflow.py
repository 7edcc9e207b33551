"""Runs the steps of CI as runners do: on GitHub expressions first, then bash. A job in, its steps' ends out; starts bash.
Of the actions those are run for which there is a stand-in; what others leave behind is there already.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

EXPRESSION = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
OPERATORS = {"&&": " and ", "||": " or ", "!": " not ", "==": "==", "!=": "!=", "(": "(", ")": ")", ",": ","}
TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(&&|\|\||==|!=|[!(),])|([A-Za-z_][\w.-]*))")
LITERALS = {"true": "True", "false": "False"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    name: str
    code: int
    output: str


@dataclass(slots=True, kw_only=True)
class Runner:
    """One machine: `folder` is the checkout."""

    folder: Path
    scratch: Path
    context: dict[str, Any]
    """`github`, `secrets`, `needs`: what expressions see."""
    variables: dict[str, str]
    skipped: tuple[str, ...] = ()
    """Names of steps whose work is done otherwise."""
    actions: Mapping[str, Callable[[Runner, dict[str, str]], dict[str, str]]] = field(default_factory=dict)
    """By name without the commit: `with` in, outputs out."""
    ended: list[Ended] = field(default_factory=list)

    def run(self, workflow: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, str]:
        """Every step until one fails; the job's outputs."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        self.context["steps"] = {}
        place = job.get("defaults", {}).get("run", {}).get("working-directory", ".")
        base = self.variables | self._filled(workflow.get("env", {})) | self._filled(job.get("env", {}))
        base |= {"RUNNER_TEMP": str(self.scratch)}
        for step in job["steps"]:
            if step.get("name") in self.skipped or not self.holds(step.get("if", "true")):
                continue
            if "uses" in step:
                self._action(step)
                continue
            ended = self._step(step, self.folder / self.fill(place), base)
            self.ended.append(ended)
            if ended.code:
                break
        return self._filled(job.get("outputs", {}))

    def holds(self, condition: str) -> bool:
        """A condition, with or without the braces of an expression."""
        whole = EXPRESSION.fullmatch(condition)
        return bool(self.value(whole[1] if whole else condition))

    def _action(self, step: Mapping[str, Any]) -> None:
        action = self.actions.get(step["uses"].partition("@")[0])
        if action:
            self.context["steps"][step.get("id", "")] = {"outputs": action(self, self._filled(step.get("with", {})))}

    def _step(self, step: Mapping[str, Any], place: Path, base: dict[str, str]) -> Ended:
        assert "${{" not in step["run"], "an expression inside a script is code of whoever chose its value"
        output, path = self.scratch / "output", self.scratch / "path"
        output.write_text("")
        path.touch()
        added = os.pathsep.join(reversed(path.read_text().split()))
        environment = (
            base | self._filled(step.get("env", {})) | {"GITHUB_OUTPUT": str(output), "GITHUB_PATH": str(path)}
        )
        environment["PATH"] = os.pathsep.join(part for part in (added, base["PATH"]) if part)
        script = self.scratch / "script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=place, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said = dict(line.split("=", 1) for line in output.read_text().splitlines())
        self.context["steps"][step.get("id", "")] = {"outputs": said}
        return Ended(name=step.get("name", ""), code=done.returncode, output=done.stdout + done.stderr)

    def _filled(self, values: Mapping[str, Any]) -> dict[str, str]:
        return {name: self.fill(str(value)) for name, value in values.items()}

    def fill(self, text: str) -> str:
        """`text` with each expression's value in its place."""
        return EXPRESSION.sub(lambda match: str(self.value(match[1])), text)

    def value(self, words: str) -> Any:
        """An expression's value; unknown names are empty, as there."""
        functions = {**FUNCTIONS, "hashFiles": self._hashed}
        made, position = [], 0
        while words[position:].strip():
            token = TOKEN.match(words, position)
            assert token, words[position:]
            text, operator, name = token.groups()
            position = token.end()
            if operator:
                made.append(OPERATORS[operator])
            elif text:
                made.append(repr(text[1:-1].replace("''", "'")))
            elif name in functions:
                made.append(f"functions[{name!r}]")
            elif name in LITERALS:
                made.append(LITERALS[name])
            else:
                made.append(repr(self._named(name)))
        return eval("".join(made), {"functions": functions})

    def _hashed(self, *patterns: str) -> str:
        """Of the files in the checkout; empty where there are none."""
        files = sorted({path for pattern in patterns for path in self.folder.glob(pattern) if path.is_file()})
        digests = b"".join(hashlib.sha256(path.read_bytes()).digest() for path in files)
        return hashlib.sha256(digests).hexdigest() if files else ""

    def _named(self, name: str) -> Any:
        found: Any = self.context
        for part in name.split("."):
            found = found.get(part, "") if isinstance(found, dict) else ""
        return found


FUNCTIONS = {
    "format": lambda text, *values: re.sub(
        r"\{(\d)\}|(\{\{|\}\})", lambda match: values[int(match[1])] if match[1] else match[2][0], text
    ),
    "startsWith": lambda text, begin: text.startswith(begin),
}


def gitlab_job(
    job: Mapping[str, Any], folder: Path, variables: Mapping[str, str], leave_out: tuple[str, ...]
) -> subprocess.CompletedProcess[str]:
    """One job of GitLab's, its lines joined as a runner joins them, without those that hold one of `leave_out`."""
    lines = [line for line in (*job["before_script"], *job["script"]) if not any(one in line for one in leave_out)]
    own = {key: one["value"] if isinstance(one, dict) else one for key, one in job.get("variables", {}).items()}
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder, env={**variables, **own, "CI_PROJECT_DIR": str(folder)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def parsed(text: str) -> Any:
    """A workflow as YAML 1.2 has it, where `on` is a word."""
    return YAML(typ="safe").load(text)
