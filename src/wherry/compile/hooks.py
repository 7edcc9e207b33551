"""Programs that the user's wherry.toml wants before compiling. Hooks in, nothing out; starts them, one after another."""

from __future__ import annotations

from pathlib import Path

from wherry.errors import BuildError, UnavailableError
from wherry.kit.ports import Command, Event, Events, Run, Which, silent
from wherry.model.plan import Hook

Pairs = tuple[tuple[str, str], ...]


def run_hooks(hooks: tuple[Hook, ...], environment: Pairs, run: Run, which: Which, events: Events = silent) -> None:
    """Runs each hook to its end. Raises UnavailableError [hook-program] when it is not on PATH, BuildError [hook] when
    it fails."""
    for hook in hooks:
        words = " ".join(hook.argv)
        program = _program(hook, which)
        if not program:
            raise UnavailableError(
                "hook-program", f"the hook `{words}` needs {hook.argv[0]}, which is not there", where=hook.directory
            )
        events(Event(phase="hook", subject=words))
        ended = run(Command(argv=(program, *hook.argv[1:]), environment=environment, directory=hook.directory))
        events(Event(phase="hook", state="end", subject=words, seconds=ended.seconds))
        if ended.code:
            said = (ended.stdout + ended.stderr).decode("utf-8", "replace")
            raise BuildError("hook", f"the hook `{words}` ended with {ended.code}", where=hook.directory).with_output(
                said
            )


def _program(hook: Hook, which: Which) -> str:
    """A bare name is looked for on PATH; a name with a slash is a file, relative to the hook's folder."""
    if "/" not in hook.argv[0]:
        return which(hook.argv[0])
    file = Path(hook.directory, hook.argv[0])
    return str(file) if file.is_file() else ""
