"""The mistakes of the guides' health checks and Go code (rows M56 to M73 of the checklist), absent from what is generated.

That it compiles (M64, M70) and that each answer can be a bad one (M60, M63) is shown by Go itself, in
tests/e2e/test_generated_health.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import pytest
from msgspec.structs import replace

from tests.support.applications import API, JOBS
from wherry.generate.container_test.files import files as container_test
from wherry.generate.health.files import files as health
from wherry.model.application import Application
from wherry.model.file import Choice, File

TLS = replace(JOBS, runs=replace(JOBS.runs, tls=True))
_COMMENT = re.compile(r"(?m)(?:^|\s)//(?!go:).*$")
_IMPORT = re.compile(r'(?m)^\t"([^"]+)"$')


@dataclass(frozen=True)
class Made:
    """Both packages of one application, without comments. `change`: a file, a text in it, and what stands there instead."""

    application: Application
    change: tuple[str, str, str] = ("", "", "")

    @cached_property
    def health(self) -> dict[str, str]:
        return self._code(health((self.application,), Choice(what="health")))

    @cached_property
    def container(self) -> dict[str, str]:
        return self._code(container_test((self.application,), Choice(what="container-test")))

    def _code(self, files: tuple[File, ...]) -> dict[str, str]:
        made = {one.path.rpartition("/")[2]: _COMMENT.sub("", one.text) for one in files}
        name, old, new = self.change
        if name in made:
            assert old in made[name], f"nobody says {old} any more"
            made[name] = made[name].replace(old, new, 1)
        return made

    @property
    def program(self) -> str:
        """What becomes part of the user's program."""
        return "".join(text for name, text in self.health.items() if not name.endswith("_test.go"))

    @property
    def test(self) -> str:
        return "".join(self.container.values())

    @property
    def all(self) -> str:
        return "".join(self.health.values()) + self.test

    def constant(self, name: str) -> str:
        found = re.search(rf"(?m)^\t{name} = (.+)$", self.health["settings.go"])
        assert found, name
        return found[1]


def probe_needs_a_tool(made: Made) -> bool:
    return bool(re.search(r"\b(wget|curl|nc)\b", made.all))


def probe_needs_a_shell(made: Made) -> bool:
    return bool(re.search(r"/bin/sh|\bsh\b|CMD-SHELL|\|\|\s*exit", made.all))


def subcommand_is_nowhere(made: Made) -> bool:
    return "func Command(" not in made.program or 'os.Args[1] == "health"' not in made.health["example_test.go"]


def localhost_is_asked(made: Made) -> bool:
    return "localhost" in made.all


def only_one_method_is_answered(made: Made) -> bool:
    return "http.MethodHead" not in made.program or "http.MethodGet" not in made.program


def timings_drift(made: Made) -> bool:
    """The command ends before its engine kills it, and draining before the engine ends the container."""
    times = {name: _seconds(made.constant(name)) for name in ("CommandTimeout", "DrainPause", "DrainLimit")}
    runs = made.application.runs
    timeout = runs.health.timeout if runs.health else 3.0
    return times["CommandTimeout"] >= timeout or times["DrainPause"] + times["DrainLimit"] >= runs.grace


def _seconds(text: str) -> float:
    number, unit = text.split(" * time.")
    return float(number) * {"Second": 1.0, "Millisecond": 1e-3}[unit]


def answers_are_always_good(made: Made) -> bool:
    bodies = dict(re.findall(r"(?ms)^func (?:\(c \*Checker\) )?(\w+)(.+?)^\}", made.health["handler.go"]))
    bad = {"liveness": "InternalServerError", "ready": "ServiceUnavailable", "startup": "ServiceUnavailable"}
    return any(f"return http.Status{word}" not in bodies[name] for name, word in bad.items())


def imports_are_not_what_is_used(made: Made) -> bool:
    """As far as text shows it; Go says it for sure."""
    for text in (*made.health.values(), *made.container.values()):
        body = _IMPORT.sub("", text)
        if any(f"{path.rpartition('/')[2]}." not in body for path in _IMPORT.findall(text)):
            return True
    return False


def uptime_is_nanoseconds(made: Made) -> bool:
    return bool(re.search(r"time\.Duration\s+`json", made.program))


def the_world_is_stopped(made: Made) -> bool:
    return "ReadMemStats" in made.program


def status_goes_before_the_answer_is_known(made: Made) -> bool:
    text = made.health["handler.go"]
    order = [
        text.index(one)
        for one in ('"Cache-Control"', '"Allow"', "json.Marshal(", "err != nil", "w.WriteHeader(", "w.Write(")
    ]
    return order != sorted(order)


def routes_are_not_registered(made: Made) -> bool:
    return any(
        f"HandleFunc({name}," not in made.program for name in ("LivePath", "ReadyPath", "StartPath", "VersionPath")
    )


def servers_wait_for_ever(made: Made) -> bool:
    servers = re.findall(r"http\.Server\{.*?\}", made.all, re.DOTALL)
    ends = "server.Shutdown(ctx)" in made.program and "checker.Serve(ctx, server); err != nil" in made.all
    return not servers or not ends or any("ReadHeaderTimeout" not in one for one in servers if "Addr" in one)


def a_client_library_is_needed(made: Made) -> bool:
    own = f"{made.application.sources.module}/internal/health"
    return any("." in path.partition("/")[0] and path != own for path in _IMPORT.findall(made.all))


def the_context_is_nil(made: Made) -> bool:
    daemon = made.container["daemon_test.go"]
    return "return nil }" in daemon or '"build", "--file", Dockerfile, "--tag", reference, "."' not in daemon


def runs_meet_one_another(made: Made) -> bool:
    """Names and ports of their own, no sleep instead of a question, everything taken away."""
    test = made.test
    alone = test.count("t.Parallel()") == test.count("func Test") - test.count("func TestMain")
    return (
        not alone
        or "t.Cleanup(" not in test
        or "127.0.0.1::%d/tcp" not in test
        or bool(re.search(r"time\.Sleep\(\d* ?\*? ?time\.Second\)", test))
        or f'"{made.application.port}:{made.application.port}"' in test
    )


def the_package_is_called_testing(made: Made) -> bool:
    return "package testing" in made.all


ROWS: dict[str, Callable[[Made], bool]] = {
    "M56": probe_needs_a_tool,
    "M57": probe_needs_a_shell,
    "M58": subcommand_is_nowhere,
    "M59": localhost_is_asked,
    "M60": only_one_method_is_answered,
    "M61": timings_drift,
    "M63": answers_are_always_good,
    "M64": imports_are_not_what_is_used,
    "M65": uptime_is_nanoseconds,
    "M66": the_world_is_stopped,
    "M67": status_goes_before_the_answer_is_known,
    "M68": routes_are_not_registered,
    "M69": servers_wait_for_ever,
    "M70": a_client_library_is_needed,
    "M71": the_context_is_nil,
    "M72": runs_meet_one_another,
    "M73": the_package_is_called_testing,
}


@pytest.mark.parametrize("application", [API, JOBS, TLS], ids=["api", "jobs", "tls"])
@pytest.mark.parametrize("row", ROWS)
def test_absent(row: str, application: Application) -> None:
    assert not ROWS[row](Made(application))


SEEN = {
    "M56": ("daemon_test.go", '"logs", name', '"exec", name, "wget"'),
    "M57": ("daemon_test.go", '"logs", name', '"exec", name, "sh"'),
    "M58": ("command.go", "func Command(", "func Other("),
    "M59": ("command.go", '"127.0.0.1"', '"localhost"'),
    "M60": ("handler.go", "r.Method != http.MethodHead", "false"),
    "M61": ("settings.go", "CommandTimeout = 2", "CommandTimeout = 3"),
    "M63": ("handler.go", 'http.StatusServiceUnavailable, Answer{Status: "starting"}', "200, nil"),
    "M64": ("handler.go", '\t"strconv"', '\t"strconv"\n\t"os"'),
    "M65": ("report.go", 'string    `json:"uptime"`', 'time.Duration `json:"uptime"`'),
    "M66": ("report.go", "metrics.Read(samples)", "runtime.ReadMemStats(&stats)"),
    "M67": (
        "handler.go",
        "body, err := json.Marshal(value)",
        "w.WriteHeader(code)\n\t\tbody, err := json.Marshal(value)",
    ),
    "M68": ("handler.go", "own.HandleFunc(ReadyPath,", "own.HandleFunc("),
    "M69": ("example_test.go", ", ReadHeaderTimeout: 5 * time.Second", ""),
    "M70": ("engine_test.go", '\t"testing"', '\t"testing"\n\t"github.com/docker/docker/client"'),
    "M71": ("daemon_test.go", '"--tag", reference, "."', '"--tag", reference, "-"'),
    "M72": ("daemon_test.go", "127.0.0.1::%d/tcp", "8080:%d/tcp"),
    "M73": ("engine_test.go", "package containertest", "package testing"),
}


@pytest.mark.parametrize("row", ROWS)
def test_each_would_be_seen(row: str) -> None:
    assert ROWS[row](Made(JOBS, SEEN[row]))
