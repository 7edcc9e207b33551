"""The commands, a file each: options to one frozen value, a flow, its report as text."""

from __future__ import annotations

import click

from wherry.cli.commands.build import build
from wherry.cli.commands.cache import cache
from wherry.cli.commands.completion import completion
from wherry.cli.commands.doctor import doctor
from wherry.cli.commands.explain import explain
from wherry.cli.commands.inspect import inspect
from wherry.cli.commands.plan import plan
from wherry.cli.commands.registry import registry

COMMANDS: tuple[click.Command, ...] = (build, plan, inspect, registry, doctor, explain, cache, completion)
