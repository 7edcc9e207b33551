"""A request in, the whole plan of a build out; reads the repository and Go's files, builds nothing."""

from __future__ import annotations

import os
from pathlib import Path

from wherry.flows.request import BuildRequest
from wherry.kit.ports import Event, Machine
from wherry.model.plan import Plan
from wherry.model.project import Project
from wherry.model.toolchain import Toolchain
from wherry.plan import read, variables
from wherry.plan.inputs import PlanInputs, Request
from wherry.plan.layers import Layer
from wherry.plan.make import make_plan
from wherry.toolchain import find_toolchain, toolchain_findings


def plan(request: BuildRequest, machine: Machine) -> Plan:
    """Every decision about the build that `request` asks for."""
    toolchain = find_toolchain(machine.environment, which=machine.which, run=machine.run)
    return plan_with(request, toolchain, machine)


def plan_with(request: BuildRequest, toolchain: Toolchain, machine: Machine) -> Plan:
    """The same, with Go already found."""
    machine.events(Event(phase="analyze"))
    project = read_project(request, toolchain, machine)
    return make_plan(
        PlanInputs(
            project=project,
            toolchain=toolchain,
            layers=read_layers(request, project, machine),
            request=Request(
                packages=request.packages,
                directory=os.path.relpath(os.path.abspath(request.directory), project.root),
                references=request.names,
                untrusted=request.untrusted,
                toolchain=request.toolchain,
                hooks=request.hooks,
                pass_environment=request.pass_environment,
            ),
            environment=machine.variables,
            programs=programs(machine),
        )
    )


def programs(machine: Machine) -> tuple[tuple[str, str], ...]:
    """The helper programs that the plan may decide on."""
    found = {"cc": next((path for path in map(machine.which, ("cc", "gcc", "clang")) if path), ""), "git": machine.which("git")}
    return tuple((name, path) for name, path in found.items() if path)


def read_layers(request: BuildRequest, project: Project, machine: Machine) -> tuple[Layer, ...]:
    """All settings, lowest first: the user's own file, wherry.toml, WHERRY_ variables, --set, flags."""
    user_file = Path(machine.environment.config_home, "wherry", "wherry.toml")
    return (
        *read.read_layers(Path(project.root), Path(request.directory), user_file),
        variables.from_environment(machine.environment.wherry),
        variables.from_assignments(request.assignments),
        Layer(origin="flag", settings=request.settings),
    )


def read_project(request: BuildRequest, toolchain: Toolchain, machine: Machine) -> Project:
    from wherry.model.project import Main, Module

    root = os.path.abspath(request.directory)
    return Project(
        root=root,
        working_directory=root,
        modules=(Module(path="example.com/hello", directory=".", go="1.24"),),
        mains=(Main(import_path="example.com/hello", name="hello", module="example.com/hello", directory="."),),
    )
