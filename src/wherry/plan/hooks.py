"""Programs to run before compiling. Settings and the user's word in, hooks out; touches nothing.

A hook is a program that the repository chooses, so only the user lets it run: docs/decisions/0003-hooks.md.
"""

from __future__ import annotations

import posixpath

from wherry.errors import RefusedError, UsageError
from wherry.model.plan import Decision, Hook
from wherry.plan import paths
from wherry.plan.answer import Answer, refuse, where
from wherry.plan.inputs import PlanInputs
from wherry.plan.texts import arguments
from wherry.plan.tiers import Effective, Keys


def decide(inputs: PlanInputs, settings: tuple[Effective, ...]) -> Answer[tuple[Hook, ...]]:
    """The hooks of all chosen mains, each once, in order. RefusedError [hooks-not-allowed], UsageError [hooks-untrusted]."""
    found = {hook: one for one in settings for hook in _hooks(inputs, one)}
    if not found:
        return Answer(value=())
    hooks, allowed = tuple(found), inputs.request.hooks
    source = next(iter(found.values())).source("build", "hooks")
    value = f"{len(hooks)} before compiling"
    if allowed is False:
        decision = Decision(name="hooks", value="left out", reason="--no-hooks", origin="flag", place=source.place)
        return Answer(value=(), decisions=(decision,))
    if inputs.request.untrusted:
        raise UsageError(
            "hooks-untrusted",
            "--untrusted runs no hooks, and this repository has some",
            where=where(source, ("build", "hooks")),
            next="add --no-hooks",
        )
    if not source.trusted and not allowed:
        raise RefusedError(
            "hooks-not-allowed",
            f"this repository wants to run {_words(hooks[0])}{' and more' if len(hooks) > 1 else ''} before compiling",
            where=where(source, ("build", "hooks")),
            why="a program that a repository chooses is run only when you say so",
            next=("--run-hooks runs them", "--no-hooks builds without"),
        )
    decision = Decision(name="hooks", value=value, reason="you allowed it", origin="flag", place=source.place)
    return Answer(value=hooks, decisions=(decision,))


def _hooks(inputs: PlanInputs, settings: Effective) -> tuple[Hook, ...]:
    return tuple(_hook(inputs, settings, argv, number) for number, argv in enumerate(settings.build.hooks or ()))


def _hook(inputs: PlanInputs, settings: Effective, argv: tuple[str, ...], number: int) -> Hook:
    keys: Keys = ("build", "hooks", number)
    if not argv:
        refuse(settings, keys, "a hook is a list of words, and this one is empty")
    program, *rest = arguments(settings, keys, argv)
    root = inputs.project.root
    if program == "go":
        program = inputs.toolchain.go
    elif "/" in program and not program.startswith("/"):
        program = f"{root}/{paths.inside(settings, keys, program)}"
    return Hook(
        argv=(program, *rest), directory=posixpath.normpath(posixpath.join(root, settings.source(*keys).directory))
    )


def _words(hook: Hook) -> str:
    return f"`{' '.join((hook.argv[0].rpartition('/')[2], *hook.argv[1:]))}`"[:60]
