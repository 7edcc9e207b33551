"""From a command to the first 200: containers of one image under wherry and its rivals, and `wherry run` after an edit. A
Workshop in, races out; builds the image, brings it to the engines.

The rivals' containers are those that `wherry run --print` writes: the same hardening, word for word. Each has a network of its
own with nothing in it but a loopback, which is where it is asked.
"""

from __future__ import annotations

import contextlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec

from bench.apps import App
from bench.race import Contender, Race
from bench.sample import Call
from bench.services import command
from bench.tools import GO_BUILD
from bench.workshop import PROJECT, Workshop, edit, wherry_program

IMAGE = "bench-run:1"
PORT, PATH = 8080, "/status/200"
"""go-httpbin's."""
OUTER = 18437
NETWORK = "wherry-bench"


def environment(shop: Workshop) -> dict[str, str]:
    """The measured commands' own, with folders that containers' users may enter."""
    return shop.environment | {"WHERRY_RUN_DIR": str(open_folder(shop) / "run")}


def open_folder(shop: Workshop) -> Path:
    """Below /tmp, since home folders are closed to others, and users of namespaces are others."""
    folder = Path("/tmp") / f"wherry-bench-{shop.run}"
    if not folder.exists():
        folder.mkdir(mode=0o755)
    return folder


def asked(shop: Workshop, how: str, where: str, *argv: str, **extra: str) -> Call:
    """`argv` until its first 200."""
    words = (sys.executable, "-m", "bench.first", how, where, PATH, *argv)
    return Call(
        argv=words,
        directory=str(PROJECT),
        environment=tuple((environment(shop) | extra | {"PYTHONPATH": str(PROJECT)}).items()),
        own_clock=True,
    )


def wherry(shop: Workshop, *words: str, **extra: str) -> str:
    """What wherry says, outside of any measurement. `extra`: variables beside; HOME stays the workshop's."""
    known = extra | environment(shop)
    argv = (wherry_program(), *words)
    return subprocess.run(argv, env=known, check=True, stdout=subprocess.PIPE, text=True, cwd=shop.root).stdout


def race(shop: Workshop, app: App, rounds: int) -> Race:
    """One image, hardened alike, by everybody who is here."""
    places = ["-o", "store:", *([] if shop.docker.absent else ["-o", "docker-daemon:"])]
    words = ("build", app.mains[0], "-C", str(shop.source(app, "run")), *places, "-t", IMAGE)
    wherry(shop, *words, **dict(shop.docker.environment))
    calls = [
        ("wherry", asked(shop, "port", f":{OUTER}", wherry_program(), "run", "-p", f"{OUTER}:{PORT}", IMAGE)),
        ("runc", runc_call(shop)),
    ]
    if not shop.docker.absent:
        calls.append(("docker", docker_call(shop)))
        calls.append(("docker-p", published_call(shop)))
    groups = tuple((Contender(tool=name, calls=lambda call=call: (call,)),) for name, call in calls)  # type: ignore[misc]
    return Race(scenario="run", app=app.name, groups=groups, rounds=rounds)


def runc_call(shop: Workshop) -> Call:
    """A bundle written before, root and all."""
    bundle, file = open_folder(shop) / "bundle", open_folder(shop) / "runc.pid"
    wherry(shop, "run", "--bundle", str(bundle), IMAGE)
    argv = (
        shutil.which("runc") or "runc",
        "run",
        "--bundle",
        str(bundle),
        "--pid-file",
        str(file),
        f"bench-{shop.run}",
    )
    return asked(shop, "pid-file", f"{file}:{PORT}", *argv)


def docker_call(shop: Workshop) -> Call:
    """`docker run` as wherry prints it, without a way in: it is asked in its own network."""
    file = open_folder(shop) / "docker.cid"
    return docker_run(shop, ("cid-file", f"{file}:{PORT}"), "--cidfile", str(file), "--network", "none")


def published_call(shop: Workshop) -> Call:
    """The same on a bridge, with a port published. It is asked inside, too: a request from outside that comes before the bridge
    is ready is lost, and sent again only after a second."""
    command(shop.docker, "network", "create", NETWORK)
    file, port = open_folder(shop) / "docker-p.cid", f"127.0.0.1:{OUTER + 1}:{PORT}"
    flags = ("--cidfile", str(file), "--network", NETWORK, "--publish", port)
    return docker_run(shop, ("cid-file", f"{file}:{PORT}"), *flags)


def docker_run(shop: Workshop, how: tuple[str, str], *flags: str) -> Call:
    """The printed command with these flags more, its preparations made."""
    engine = dict(shop.docker.environment)
    prepare, words = printed(wherry(shop, "run", "--print", "docker", IMAGE))
    subprocess.run(prepare, shell=True, check=True, cwd=open_folder(shop), env=engine | environment(shop))
    call = asked(shop, *how, *shop.docker.command, "run", *flags, "--pull", "never", *words, **engine)
    return msgspec.structs.replace(call, directory=str(open_folder(shop)), daemon=shop.docker.daemon)


def printed(script: str) -> tuple[str, list[str]]:
    """What goes before `docker run` in the script, for a shell, and what follows it, without the name: that is free again only
    some time after its container is gone."""
    prepare, _, command = script.rpartition("docker run ")
    words = shlex.split(command.replace("\\\n", " "))
    at = words.index("--name")
    return f"{prepare}true", [*words[:at], *words[at + 2 :]]


def edit_race(shop: Workshop, app: App, rounds: int) -> Race:
    """`wherry run` of a package after an edit, against `go build` and the bare program."""
    out = shop.out(app, "bare") / "app"
    build = (shop.go, *GO_BUILD, "-o", str(out), app.mains[0])
    script = f"{shlex.join(build)} && exec {out} -host 127.0.0.1 -port {OUTER}"
    bare = asked(shop, "port", f":{OUTER}", "/bin/sh", "-c", script, CGO_ENABLED="0")
    words = (wherry_program(), "run", "-p", f"{OUTER}:{PORT}", "-C", str(shop.source(app, "wherry-run")), app.mains[0])
    ours = asked(shop, "port", f":{OUTER}", *words)
    groups = (
        (edited(shop, app, "go-run", msgspec.structs.replace(bare, directory=str(shop.source(app, "go-run")))),),
        (edited(shop, app, "wherry-run", ours),),
    )
    return Race(scenario="run-edit", app=app.name, groups=groups, rounds=rounds)


def edited(shop: Workshop, app: App, tool: str, call: Call) -> Contender:
    """A contender whose copy of the source has one line edited before each run."""
    return Contender(
        tool={"go-run": "go", "wherry-run": "wherry"}[tool],
        calls=lambda: (call,),
        ready=lambda number: edit(shop, app, tool, f"run-{number}"),
    )


def clean(shop: Workshop) -> None:
    """What lies outside the workshop: a folder, and Docker's bridge."""
    if not shop.docker.absent:
        with contextlib.suppress(subprocess.CalledProcessError):
            command(shop.docker, "network", "rm", NETWORK)
    shutil.rmtree(open_folder(shop), ignore_errors=True)
