"""The stages that are the image: what its base lacks, and the image itself. A draft in, text out; touches nothing.

Nothing is run in the final stage: it would need a shell there, and an emulator for another platform. Folders of the user are
therefore made in the builder and copied from the folder above them, which is the one way to keep owner and mode in every version.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from functools import partial
from typing import Final

from wherry.formats import dockerfile
from wherry.generate import names
from wherry.generate.dockerfile import compiling, machine
from wherry.generate.dockerfile.assets import AUTHORITIES
from wherry.generate.dockerfile.assets import copies as asset_copies
from wherry.generate.dockerfile.compiling import OUT
from wherry.generate.dockerfile.draft import APP, Draft, held, told
from wherry.generate.dockerfile.footings import NONROOT, Lack

STAGE: Final = "final"
FILES: Final = "files"
TITLE: Final = "org.opencontainers.image."
TOP: Final = "/top"
ZONES: Final = "/usr/share/zoneinfo.zip"
_BASE: Final = "base"
#: What the builder has, and where the program looks for it.
_TEMPORARY: Final = "/tmp"  # noqa: S108 - the image's
_COMMANDS: Final[dict[Lack, tuple[str, ...]]] = {
    "authorities": (f"mkdir -p {OUT}{AUTHORITIES}", f"cp {AUTHORITIES}/ca-certificates.crt {OUT}{AUTHORITIES}/"),
    "zones": (f"mkdir -p {OUT}/usr/share", f'cp "$(go env GOROOT)/lib/time/zoneinfo.zip" {OUT}{ZONES}'),
    "temporary": (f"install -d -m 1777 {OUT}{_TEMPORARY}",),
}
#: Where each goes in a base that has something there already.
_FOLDERS: Final[dict[Lack, str]] = {"authorities": AUTHORITIES, "zones": "/usr/share"}
_WORDS: Final[dict[Lack, str]] = {
    "authorities": "certificate authorities",
    "zones": "time zones (those of Go, in one file)",
    "accounts": "a name for the user",
    "temporary": _TEMPORARY,
}


def files(draft: Draft) -> str:
    """What the base lacks, and folders of the user; empty where it is nothing."""
    commands = [command for lack in draft.lacks for command in _commands(draft, lack)]
    commands += [made(draft, _tree(draft, path) + path, mode) for path, mode in folders(draft)]
    if not commands:
        return ""
    known = _lists(draft)
    lacking = [_WORDS[lack] for lack in draft.lacks] + (["folders of the user's own"] if folders(draft) else [])
    return "\n".join(
        (
            *(
                (
                    dockerfile.comment("The user's name is added to the base's own lists."),
                    f"FROM ${{BASE_IMAGE}} AS {_BASE}",
                    "",
                )
                if known
                else ()
            ),
            dockerfile.comment(f"What the base lacks: {', '.join(lacking)}."),
            f"FROM --platform=$BUILDPLATFORM ${{GO_IMAGE}} AS {FILES}",
            *((dockerfile.copy(known, f"{OUT}/etc/", f"--from={_BASE}"),) if known else ()),
            dockerfile.run((), " &&\n".join(commands)),
        )
    )


def image(draft: Draft) -> str:
    """The image, from the stage `build`."""
    return final(draft, compiling.STAGE)


def final(draft: Draft, programs: str) -> str:
    """The image, with the programs of the stage `programs`."""
    start = "scratch" if draft.base is None else "${BASE_IMAGE}"
    return "\n".join(
        (
            f"FROM {start} AS {STAGE}",
            *placed(draft),
            *_copied(draft),
            *asset_copies(draft),
            *machine.copies(draft),
            dockerfile.copy((f"{OUT}{APP}/",), f"{APP}/", f"--from={programs}", "--chmod=0555"),
            *described(draft),
        )
    )


def described(draft: Draft) -> tuple[str, ...]:
    """Labels, ports, user, health and what is started: nothing of it is a layer."""
    runs, application = draft.application.runs, draft.application
    rows = [*_labels(draft)]
    if runs.volumes:
        rows.append(
            held(lambda: dockerfile.volume(told(one, "image.volumes") for one in runs.volumes), "image.volumes")
        )
    if runs.ports:
        rows.append(exposed(runs.ports))
    if runs.stop_signal:
        rows.append(f"STOPSIGNAL {dockerfile.value(told(runs.stop_signal, 'image.stop-signal'))}")
    elif not draft.footing.known:
        rows += [
            dockerfile.comment("Whatever the base says: Go would dump its stack at SIGQUIT."),
            "STOPSIGNAL SIGTERM",
        ]
    if runs.user == 0:
        rows += [dockerfile.comment("Root, as wherry.toml has it."), "# hadolint ignore=DL3002"]
    rows.append(f"USER {runs.user}:{runs.group}")
    rows += _health(draft)
    init = ("/wherry/init",) if draft.collected else ()
    rows.append(dockerfile.started("ENTRYPOINT", (*init, *application.command)))
    if application.arguments:
        rows.append(dockerfile.started("CMD", application.arguments))
    return tuple(rows)


def exposed(ports: tuple[str, ...]) -> str:
    """EXPOSE of `8080/tcp` and so on."""
    return "EXPOSE " + " ".join(dockerfile.value(told(one, "image.ports")) for one in ports)


def placed(draft: Draft) -> tuple[str, ...]:
    """The folder first: distroless's own is one that only its user may enter. Somebody's own base has theirs."""
    place = draft.application.working_directory or ("/" if draft.footing.known else "")
    folder = (f"WORKDIR {dockerfile.value(told(place, 'image.workdir'))}",) if place else ()
    return (*folder, *environment(draft, {"ZONEINFO": ZONES} if "zones" in draft.lacks else {}))


def environment(draft: Draft, ours: Mapping[str, str]) -> tuple[str, ...]:
    """ENV of `ours` and the application's own, which come over them; for development without what is meant for servers."""
    runs = draft.application.runs
    left_out = {name for name, _ in runs.debugging} if draft.variant.name == names.DEV else ()
    own = {name: told(text, f"image.env.{name}") for name, text in runs.environment if name not in left_out}
    variables = tuple({**ours, **own}.items())
    return (held(lambda: dockerfile.pairs("ENV", variables), "image.env"),) if variables else ()


def _commands(draft: Draft, lack: Lack) -> tuple[str, ...]:
    if lack != "accounts":
        return _COMMANDS[lack]
    if draft.base is not None:
        return named(draft, OUT)
    return (f"mkdir -p {OUT}/etc", *(f"echo {row} >{OUT}{path}" for path, _, row in _accounts(draft)))


def named(draft: Draft, root: str) -> tuple[str, ...]:
    """Commands that add the user and its group to the lists below `root`, where these have no line with the number."""
    return tuple(
        f"{{ grep -q '^[^:]*:[^:]*:{number}:' {root}{path} || echo {row} >>{root}{path}; }}"
        for path, number, row in _accounts(draft)
    )


def _accounts(draft: Draft) -> tuple[tuple[str, int, str], ...]:
    """List, number and line of the user and of its group, where the base has none: `app` is a name that no base gave away."""
    if "accounts" not in draft.lacks:
        return ()
    runs = draft.application.runs
    user, group = ({0: "root", NONROOT: "nonroot"}.get(one, "app") for one in (runs.user, runs.group))
    home = runs.home.path if runs.home else "/"
    rows = (
        ("/etc/passwd", runs.user, f"{user}:x:{runs.user}:{runs.group}::{home}:/sbin/nologin"),
        ("/etc/group", runs.group, f"{group}:x:{runs.group}:"),
    )
    return tuple(one for one in rows if one[1] not in draft.footing.named)


def _lists(draft: Draft) -> tuple[str, ...]:
    """The files of the base that get a line."""
    return tuple(path for path, _, _ in _accounts(draft)) if draft.base is not None else ()


def folders(draft: Draft) -> tuple[tuple[str, int], ...]:
    """Path and mode of what the user may write to. A new volume takes its owner from the image. A home is the plan's, so that
    nobody has one here whose other files mount none."""
    runs = draft.application.runs
    found = {runs.home.path: runs.home.mode} if "accounts" in draft.lacks and runs.home else {}
    found |= dict.fromkeys(map(posixpath.normpath, runs.volumes), 0o755)
    found |= {posixpath.normpath(one.path): one.mode for one in runs.writable}
    return tuple(sorted(found.items()))


def made(draft: Draft, path: str, mode: int) -> str:
    """The command that makes a folder of the user."""
    runs = draft.application.runs
    return f"install -d -m {mode:04o} -o {runs.user} -g {runs.group} {dockerfile.shell(told(path, 'image.writable'))}"


def _copied(draft: Draft) -> tuple[str, ...]:
    """Into an empty base all at once. Into others from the folder just above: a link there (/var/run) is followed, and the
    base's own folders stay as they are."""
    own = dict(folders(draft))
    if draft.base is None:
        return (_copy(OUT, "/"),) if draft.lacks or own else ()
    above = {posixpath.dirname(path) for path in own if not _is_below(posixpath.dirname(path), set(own))}
    brought = {_FOLDERS[lack] for lack in draft.lacks if lack in _FOLDERS}
    rows = [_copy(OUT, path) for path in sorted((above - {"/"}) | brought)]
    if lists := _lists(draft):
        rows.append(dockerfile.copy((OUT + path for path in lists), "/etc/", f"--from={FILES}"))
    return (*((_copy(TOP, "/"),) if "/" in above else ()), *rows)


def _copy(tree: str, path: str) -> str:
    place = f"{path.rstrip('/')}/"
    return dockerfile.copy((tree + place,), place, f"--from={FILES}")


def _tree(draft: Draft, path: str) -> str:
    """Folders at the very top have a tree of their own, so that nothing else is copied along with them."""
    top = f"/{path.split('/')[1]}"
    return TOP if draft.base is not None and top in dict(folders(draft)) else OUT


def _is_below(path: str, known: set[str]) -> bool:
    """Whether it comes along with one of the known folders."""
    return any(path == one or path.startswith(f"{one}/") for one in known)


def _labels(draft: Draft) -> tuple[str, ...]:
    application = draft.application
    known = {
        f"{TITLE}title": application.name,
        f"{TITLE}source": application.source,
        f"{TITLE}licenses": application.licences[0] if len(application.licences) == 1 else "",
        **dict(application.labels),
    }
    words = [
        held(partial(dockerfile.pair, name, told(text, f"image.labels.{name}")), "image.labels")
        for name, text in known.items()
        if text
    ]
    words += [f'{TITLE}version="$VERSION"', f'{TITLE}revision="$REVISION"']
    return (compiling.VERSION, compiling.REVISION, dockerfile.listed("LABEL", words))


def _health(draft: Draft) -> tuple[str, ...]:
    health, words = draft.application.runs.health, draft.check
    if health is None or not words:
        return () if draft.footing.known else (dockerfile.comment("None, whatever the base says."), "HEALTHCHECK NONE")
    times = {
        "interval": dockerfile.seconds(health.interval),
        "timeout": dockerfile.seconds(health.timeout),
        "start-period": dockerfile.seconds(health.start_period),
        "retries": str(health.retries),
    }
    options = " ".join(f"--{name}={text}" for name, text in times.items())
    return (f"HEALTHCHECK {options} \\\n    CMD {dockerfile.exec_form(words)}",)
