"""`wherry registry login|logout`: a host and a password in, a line that says where it is kept out."""

from __future__ import annotations

import shlex
import sys

import click

from wherry.cli.commands.network import authfile
from wherry.cli.filled import FILLED
from wherry.cli.output import standard_output
from wherry.errors import UsageError

LARGEST = 32 << 10


@click.command(short_help="Log in to a registry.")
@click.argument("host", type=FILLED, metavar="HOST")
@click.option("-u", "--username", "user", default="", metavar="USER", help="Who; asked for when left out.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@authfile
def login(host: str, user: str, *, password_stdin: bool) -> None:
    """Asks for a password, tries it at the registry, and keeps it: in the credential helper that Docker's config.json
    names, else in that file. Never takes a password as an argument: others could see it.

    \b
    wherry registry login registry.example
    wherry registry login ghcr.io -u ada --password-stdin
    """
    from wherry.flows.login import login as flow
    from wherry.flows.login import registry_named
    from wherry.kit.secret import Secret
    from wherry.store.registry.account import Credentials
    from wherry.system.machine import real_machine

    registry_named(host)
    if not password_stdin and not sys.stdin.isatty():
        raise UsageError(
            "no-password",
            "there is no terminal to ask for the password",
            next=f"wherry registry login {shlex.quote(host)} -u USER --password-stdin < FILE",
        )
    if password_stdin and not user:
        raise UsageError("usage", "--password-stdin needs -u USER", next="wherry registry login --help")
    user = user or click.prompt("user", err=True)
    secret = Secret(_given() if password_stdin else click.prompt("password", hide_input=True, err=True))
    done = flow(host, Credentials(user=user, secret=secret), real_machine())
    output = standard_output()
    for finding in done.findings:
        output.finding(finding)
    output.line(f"logged in to {done.host} as {done.user}; kept in {done.place}")


@click.command(short_help="Forget the credentials of a registry.")
@click.argument("host", type=FILLED, metavar="HOST")
@authfile
def logout(host: str) -> None:
    """Takes the registry's credentials out of the files and helpers that wherry looks in.

    \b
    wherry registry logout registry.example
    wherry registry logout localhost:5000
    """
    from wherry.flows.login import logout as flow
    from wherry.system.machine import real_machine

    done = flow(host, real_machine())
    output = standard_output()
    if not done.places:
        output.line(f"nobody was logged in to {done.host}")
    for place in done.places:
        output.line(f"logged out of {done.host}; forgotten by {place}")


def _given() -> str:
    """All of standard input but one line break at its end."""
    data = sys.stdin.buffer.read(LARGEST + 1)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or len(data) > LARGEST or "\0" in text:
        raise UsageError(
            "no-password",
            "standard input holds no password",
            why="it is empty, no text, or longer than 32 KiB",
            next="wherry registry login HOST -u USER --password-stdin < FILE",
        )
    return text.removesuffix("\n").removesuffix("\r")
