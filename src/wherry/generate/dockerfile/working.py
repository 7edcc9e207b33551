"""Images with the toolchain in them: `single-stage`, and `dev` with a debugger. A draft in, text out; touches nothing."""

from __future__ import annotations

from typing import Final

from wherry.formats import dockerfile
from wherry.generate import names
from wherry.generate.dockerfile import compiling, final, machine
from wherry.generate.dockerfile.assets import copies as asset_copies
from wherry.generate.dockerfile.draft import APP, Draft, told
from wherry.generate.shell import linked
from wherry.generate.tools import DELVE, pinned

_HOME: Final = "/tmp"  # noqa: S108 - the container's: whoever it runs as may write there


def single(draft: Draft) -> str:
    """Everything in one stage, so the compiler is in the image."""
    return "\n".join(
        (
            dockerfile.comment("To learn from and to compare with: the whole toolchain stays in the image."),
            f"FROM ${{GO_IMAGE}} AS {final.STAGE}",
            *compiling.toolchain(draft),
            *compiling.downloaded(draft),
            *compiling.compiled(draft, "", target=False),
            *_folders(draft),
            *final.placed(draft),
            *asset_copies(draft),
            *machine.copies(draft),
            *final.described(draft),
        )
    )


def development(draft: Draft) -> str:
    """Sources, modules and Delve, owned by the user. Each start compiles, so who mounts the sources and restarts it when one is
    saved (`docker compose watch`) sees the change at once."""
    runs = draft.application.runs
    owner = f"{runs.user}:{runs.group}"
    return "\n".join(
        (
            f"FROM ${{GO_IMAGE}} AS {names.DEV}",
            *compiling.toolchain(draft),
            dockerfile.run(
                (compiling.cache(names.MODULES), compiling.cache(names.COMPILED)),
                f"GOWORK=off GOBIN=/usr/local/bin go install {pinned(DELVE, draft.application.sources.go)}",
            ),
            *_owned(draft),
            *final.environment(draft, {"HOME": _HOME, "GOCACHE": names.COMPILED}),
            f"USER {owner}",
            *_modules(draft),
            *asset_copies(draft),
            f"COPY --chown={owner} . {names.SOURCES}/",
            final.exposed((*runs.ports, f"{names.DEBUGGER}/tcp")),
            dockerfile.comment("Delve compiles without optimization and does not wait for a debugger to come."),
            dockerfile.started("ENTRYPOINT", _debugger(draft)),
        )
    )


def _folder(draft: Draft) -> str:
    return draft.application.working_directory or "/"


def _folders(draft: Draft) -> tuple[str, ...]:
    commands = [*final.named(draft, ""), *(final.made(draft, path, mode) for path, mode in final.folders(draft))]
    return (dockerfile.run((), " &&\n".join(commands)),) if commands else ()


def _owned(draft: Draft) -> tuple[str, ...]:
    """Folders of the user, also where volumes will lie over them; a volume takes over the owner."""
    runs = draft.application.runs
    owner = f"-o {runs.user} -g {runs.group}"
    caches = f"install -d {owner} {names.SOURCES} {names.MODULES} /root/.cache {names.COMPILED}"
    place = told(_folder(draft), "image.workdir")
    commands = [f"chmod 0711 /root && {caches}", *((f"mkdir -p {dockerfile.shell(place)}",) if place != "/" else ())]
    commands += [*final.named(draft, ""), *(final.made(draft, path, mode) for path, mode in final.folders(draft))]
    return (dockerfile.run((), " &&\n".join(commands)),)


def _modules(draft: Draft) -> tuple[str, ...]:
    """Into the image, not into a cache: the container starts without a network, too."""
    if not compiling.has_modules(draft):
        return ()
    secret = compiling.secret(draft, home=_HOME, uid=draft.application.runs.user)
    return (*compiling.why_alone(draft), dockerfile.run((*secret, *compiling.module_files(draft)), compiling.DOWNLOAD))


def _debugger(draft: Draft) -> tuple[str, ...]:
    """The entrypoint's program, with the entrypoint's arguments."""
    application = draft.application
    known = {f"{APP}/{one.name}": one for one in application.programs}
    program = known.get(application.command[0], application.programs[0])
    arguments = (*application.command[1:], *application.arguments)
    flags = ("-buildvcs=false", *compiling.tags(draft))
    return (
        "dlv",
        "debug",
        "--headless",
        f"--listen=:{names.DEBUGGER}",
        "--api-version=2",
        "--accept-multiclient",
        "--continue",
        f"--output={_HOME}/{program.name}",
        f"--build-flags={linked(flags)}",
        f"--wd={_folder(draft)}",
        program.package,
        *(("--", *arguments) if arguments else ()),
    )
