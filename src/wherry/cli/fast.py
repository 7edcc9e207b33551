"""Before anything heavy is imported: argv in, `--version`, the help card or an unchanged build out, else the whole program.

Standard library only: this is the whole start-up time of `--version` and of a build with nothing to do (design §6).
"""

from __future__ import annotations

import gc
import os
import sys

from wherry.cli import signals, streams

CARD = """\
wherry takes a Go repository to a small, safe, reproducible container image.

  wherry build              this repository's image, into an engine or the store
  wherry build --push -t registry.example/team/app
  wherry plan --why         what would be built, and every reason
  wherry run -p 8080        it runs, hardened; with -d by itself
  wherry inspect NAME       what an image holds, or how a container is
  wherry prove              that it behaves: each check seen, from outside

  init, generate KIND       wherry.toml; Dockerfile, compose, Kubernetes, CI ...
  ps, logs, stop, rm        containers that run by themselves
  exec, debug, stats        look into them, with tools from elsewhere
  profile                   the system calls it needs, as a proved profile
  push, pull, copy          images between registries, layouts, engines
  annotate, rebase, diff    new labels, a new base; variants side by side
  base lock, base outdated  which images the bases are, in wherry.lock
  registry login HOST       credentials for a registry, checked there first

  doctor                    what this machine has, and what is missing
  explain NAME              more about any name in wherry's output
  cache df, cache prune     what is kept, and how to free it
  completion SHELL          for bash, zsh or fish

  wherry COMMAND --help     options and examples
"""
INTERRUPTED = 130


def leave() -> None:
    """The `wherry` command as a process of its own: ends at once, without taking apart what the system takes back anyway."""
    code = None
    try:
        gc.disable()  # a run is short; looking for cycles among what was imported costs more than it frees
        signals.lose_none()
        streams.open_all()
        code = main()
        if "signal" in sys.modules:  # else nothing was heard, and nothing is to be taken away
            signals.deaf()
    except KeyboardInterrupt:  # while something was imported, while another one was told, or when all was done
        signals.deaf()
        streams.open_all()
        if code is None:
            code = INTERRUPTED
            streams.tell(f"\n{signals.last_words(sys.argv[1:])}\n")
    if not streams.flushed(sys.stdout):
        code = code or streams.LOST
    streams.flushed(sys.stderr)
    files = sys.modules.get("wherry.kit.files")
    if files:
        files.abandon()
    os._exit(code)


def main() -> int:
    """What `wherry` does with its arguments; the exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["-V"], ["version"]):
        from wherry import __version__

        return streams.say(f"wherry {__version__}\n")
    if not arguments and "_WHERRY_COMPLETE" not in os.environ:
        return streams.say(CARD)
    if arguments[:1] in (["push"], ["copy"]):
        return _copy(arguments)
    if arguments[:1] == ["run"]:
        return _start(arguments)
    return _build(arguments) if arguments[:1] == ["build"] else _run(arguments)


def _build(arguments: list[str]) -> int:
    from wherry.cli.unchanged import request_of, unchanged

    environment = dict(os.environ)
    request = request_of(arguments[1:], environment)
    if request is None:
        return _run(arguments)
    code, edited = unchanged(request, arguments[1:], environment)
    if code is not None:
        return code
    from wherry.cli import ahead

    signals.hear()
    try:
        ahead.begin(request, edited)
        return _run(arguments)
    finally:
        ahead.end()


def _start(arguments: list[str]) -> int:
    from wherry.cli.unchanged import run_request_of

    environment = dict(os.environ)
    request = run_request_of(arguments[1:], environment)
    if request is None:
        return _run(arguments)
    from wherry.cache.folders import locate
    from wherry.cache.noop.check import look

    known, edited = look(request, locate(environment))
    from wherry.cli import ahead

    signals.hear()
    try:
        ahead.begin(request, edited, known or "")
        return _run(arguments)
    finally:
        ahead.end()


def _copy(arguments: list[str]) -> int:
    from wherry.cli.present import present, words

    code = present(arguments, dict(os.environ))
    if code is not None:
        return code
    said = words(arguments)
    if said is None:
        return _run(arguments)
    from wherry.cli.main import run

    return run(arguments, lambda: _copied(arguments[0], *said))


def _copied(verb: str, source: str, names: list[str]) -> int:
    """What the commands `push` and `copy` do with words that have no option."""
    from wherry.cli.moved import copy, push

    (push if verb == "push" else copy)(source, tuple(names))
    return 0


def _run(arguments: list[str]) -> int:
    from wherry.cli.main import run

    return run(arguments)
