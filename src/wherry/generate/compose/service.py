"""The application as a service, for each of the three purposes. An Application in, the keys of a service out; touches nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wherry.formats.yaml import Document, noted
from wherry.generate import names, shell
from wherry.generate.compose.backing import SECRETS, Led
from wherry.generate.compose.hardened import Share, hardened, logged, memory, shares
from wherry.generate.compose.words import Filled, path, seconds, why
from wherry.generate.ports import LOOPBACK, Published, entries
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.plan import WritableDirectory

_TEMPORARY: Final = "/tmp"  # noqa: S108 - the container's
_LOW_PORTS: Final = {"net.ipv4.ip_unprivileged_port_start": "0"}


class Around(Value, frozen=True, kw_only=True):
    """What the service shares with the rest of its file."""

    applications: tuple[Application, ...]
    ports: tuple[Published, ...]
    volumes: tuple[tuple[str, str], ...]
    """Named volume, path."""
    led: Led
    address: str = LOOPBACK


def development(application: Application, around: Around) -> dict[str, Document]:
    """Sources, Go and a debugger in a container; the sources follow the editor."""
    name = names.service(application)
    return {
        "build": _build(application, around, names.DEV),
        "init": why(True, "collects what the debugger and the compiler leave"),
        "cap_drop": why(["ALL"], "Delve needs none to trace what it started itself"),
        "security_opt": ["no-new-privileges:true"],
        "volumes": why(
            [
                {"type": "volume", "source": "modules", "target": names.MODULES},
                {"type": "volume", "source": "compiled", "target": names.COMPILED},
                {
                    "type": "bind",
                    "source": names.from_home(around.applications),
                    "target": names.SOURCES,
                    "read_only": True,
                    "bind": {"selinux": "z"},
                },
            ],
            "what Go downloaded and compiled is kept; the sources are this folder, to be read",
        ),
        **_environment(application, around, dev=True),
        **_given(application, around),
        "ports": why(
            entries(name, around.ports),
            f"this machine's loopback alone; {names.DEBUGGER} is Delve, which lets its callers do all",
        ),
        **_networks(application),
        **_stop(application),
        "develop": {"watch": _watch(application, around)},
    }


def secure(application: Application, around: Around) -> dict[str, Document]:
    """What runs in production, built here."""
    return {
        "build": _build(application, around, ""),
        "image": Filled(text=f"{_escaped(application.image)}:${{VERSION:-dev}}"),
        "pull_policy": why("build", "never asked of a registry, where a stranger may have that name"),
        **_hardened(application, around),
    }


def production(application: Application, around: Around) -> dict[str, Document]:
    """The published image, by its digest."""
    image: Document = f"{application.image}@{application.digest}"
    if not application.digest:
        example = (
            f"{application.image}@sha256:..., as the push printed it" if _is_plain(application.image) else "by digest"
        )
        wanted = f"${{{image_variable(application)}:?{example}}}"
        image = why(Filled(text=wanted), "a tag can be moved, a digest cannot: without one nothing is started")
    return {"image": image, **_hardened(application, around)}


def image_variable(application: Application) -> str:
    """The variable that says which image is started."""
    return f"{names.variable(names.service(application))}_IMAGE"


def _hardened(application: Application, around: Around) -> dict[str, Document]:
    runs = application.runs
    seccomp = names.from_home(around.applications, runs.seccomp) if runs.seccomp else ""
    share = Share(
        memory=runs.limits.memory,
        cpus=runs.limits.cpus,
        pids=runs.limits.pids,
        files=runs.limits.files,
        kept_memory=runs.memory_request,
        kept_cpus=runs.cpu_request,
    )
    return {
        "user": f"{runs.user}:{runs.group}",
        **({"init": why(True, "it starts other programs: something must collect them")} if runs.children else {}),
        **hardened(seccomp),
        **_low_ports(application),
        **_writable(application, around),
        **_environment(application, around, dev=False),
        **_given(application, around),
        **_published(application, around),
        **_networks(application),
        **_health(application),
        **_stop(application),
        "restart": why("unless-stopped", "also after this machine's restart"),
        **shares(share),
        "logging": logged(),
    }


def _build(application: Application, around: Around, variant: str) -> dict[str, Document]:
    applications = around.applications
    made: dict[str, Document] = {
        "context": names.from_home(applications),
        "dockerfile": names.from_root(applications, names.dockerfile(applications, application, variant)),
    }
    if variant == names.DEV:
        made["target"] = names.DEV
    else:
        stamped = {"VERSION": "${VERSION:-dev}", "REVISION": "${REVISION:-unknown}"}
        said = shell.tagged(shell.package(applications, application))
        made["args"] = noted(
            {name: Filled(text=text) for name, text in stamped.items()},
            f"VERSION=$({said})\nREVISION=$(git rev-parse HEAD)",
        )
    if application.sources.private:
        made["secrets"] = [names.NETRC]
    return made


def _low_ports(application: Application) -> dict[str, Document]:
    if not application.runs.low_port:
        return {}
    return {"sysctls": why(_LOW_PORTS, "ports below 1024 without a capability, which nobody but root would get")}


def _writable(application: Application, around: Around) -> dict[str, Document]:
    runs = application.runs
    kept = [{"type": "volume", "source": source, "target": target} for source, target in around.volumes]
    owned = f"uid={runs.user},gid={runs.group}"
    folders = in_memory(application)
    said = {*(one.path for one in folders), *(target for _, target in around.volumes)}
    temporary = [] if _TEMPORARY in said else [memory(_TEMPORARY, names.SCRATCH)]
    temporary += [
        memory(path(one.path, "image.writable"), names.SCRATCH, f"mode={one.mode:04o},{owned}") for one in folders
    ]
    made: dict[str, Document] = {"tmpfs": temporary} if temporary else {}
    if kept:
        owner = f"the image has these folders, owned by {runs.user}:{runs.group}; a new volume takes that over"
        made["volumes"] = why(kept, owner)
    return made


def in_memory(application: Application) -> tuple[WritableDirectory, ...]:
    """Folders that it may write to and that need not be kept; not such that the image has files in, which memory would hide, nor
    such as lie in a folder that is kept."""
    kept = on_disk(application)
    return tuple(one for one in application.runs.places if not any(_is_within(one.path, path) for path in kept))


def on_disk(application: Application) -> tuple[str, ...]:
    """Folders that outlive the container, and such that begin with files of the image."""
    filled = (
        one.path
        for one in application.runs.places
        if any(_is_within(asset.into, one.path) for asset in application.assets)
    )
    return tuple(dict.fromkeys((*application.runs.volumes, *filled)))


def _is_within(path: str, folder: str) -> bool:
    """Both are absolute; a folder is within itself."""
    return f"{path.rstrip('/')}/".startswith(f"{folder.rstrip('/')}/")


def _environment(application: Application, around: Around, *, dev: bool) -> dict[str, Document]:
    """What the image does not say itself."""
    runs = application.runs
    made: dict[str, Document] = {}
    if runs.go_memory_limit and not dev:
        reason = f"below the limit of {runs.limits.memory >> 20} MiB, which Go does not read itself"
        made["GOMEMLIMIT"] = why(f"{runs.go_memory_limit >> 10}KiB", reason)
    if runs.go_processors and not dev:
        reason = f"the limit of {runs.limits.cpus:g} processors, which the go line {application.sources.go_line} does not read"
        made["GOMAXPROCS"] = why(str(runs.go_processors), reason)
    made |= dict(runs.debugging if dev else runs.usual)
    made |= dict(names.secret_files(application))
    made |= dict(around.led.variables)
    return {"environment": made} if made else {}


def _given(application: Application, around: Around) -> dict[str, Document]:
    """Secrets, the file with private variables, and whom it waits for."""
    made: dict[str, Document] = {}
    if around.led.private:
        file = f"{SECRETS}/{names.service(application)}.env"
        listed = ", ".join(name for name, _ in around.led.private)
        made["env_file"] = why([file], f"{listed}: with the password, so not in this file")
    shared = dict(around.led.shared)
    own: list[Document] = [
        {"source": shared[name], "target": name} if name in shared else name for name in application.runs.secrets
    ]
    own += [name for name in around.led.secrets if name not in application.runs.secrets]
    if own:
        made["secrets"] = why(own, "the password is the server's own file") if shared else own
    if application.runs.backing:
        waits = {one.kind: {"condition": "service_healthy", "restart": True} for one in application.runs.backing}
        made["depends_on"] = why(waits, " ".join(around.led.unknown)) if around.led.unknown else waits
    return made


def _published(application: Application, around: Around) -> dict[str, Document]:
    listed = entries(names.service(application), around.ports, around.address)
    if not listed:
        return {}
    reason = (
        "this machine's loopback alone: a proxy on it, or `--public` when this file is made, lets others in"
        if around.address
        else "every address of this machine, past its firewall: Docker opens it"
    )
    return {"ports": why(listed, reason)}


def _networks(application: Application) -> dict[str, Document]:
    return {"networks": ["frontend", *(["backend"] if application.runs.backing else [])]}


def _health(application: Application) -> dict[str, Document]:
    health, words = application.runs.health, names.check(application)
    if health is None or not words:
        return {}
    return {
        "healthcheck": {
            "test": why(["CMD", *words], "a program of the image: neither a shell nor curl need be there"),
            "interval": seconds(health.interval),
            "timeout": seconds(health.timeout),
            "retries": health.retries,
            "start_period": seconds(health.start_period),
        }
    }


def _stop(application: Application) -> Mapping[str, Document]:
    runs = application.runs
    signal = {"stop_signal": runs.stop_signal} if runs.stop_signal else {}
    return {**signal, "stop_grace_period": seconds(runs.grace)}


def _watch(application: Application, around: Around) -> list[Document]:
    root = names.from_home(around.applications)
    modules = sorted(application.sources.module_files)
    private = f"{names.from_root(around.applications, SECRETS)}/"
    rebuild: list[Document] = [
        {"action": "rebuild", "path": names.from_home(around.applications, one)} for one in modules
    ]
    return [
        why(
            {"action": "restart", "path": root, "ignore": [".git/", private, *modules]},
            "what is saved is compiled and started; nothing is copied, so it works for any user of the container",
        ),
        *rebuild,
    ]


def _is_plain(text: str) -> bool:
    return text.isascii() and all(sign.isalnum() or sign in "._-/:" for sign in text)


def _escaped(text: str) -> str:
    return text.replace("$", "$$")
