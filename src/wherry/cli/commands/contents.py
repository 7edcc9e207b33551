"""`wherry registry tags|manifest|blob|delete`: what a registry holds, by hand."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import click

from wherry.cli.commands.network import network
from wherry.cli.filled import FILLED
from wherry.cli.output import Output, standard_output
from wherry.errors import RefusedError, UsageError
from wherry.kit.files import atomic_writer
from wherry.kit.text import visible


@click.command(short_help="A repository's tags.")
@click.argument("repository", type=FILLED, metavar="REPOSITORY")
@click.option("--sort", "by_version", is_flag=True, help="By the numbers in them: 1.9 before 1.10.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@network
def tags(repository: str, *, by_version: bool, as_json: bool) -> None:
    """Lists all tags, one a line, in the registry's order.

    \b
    wherry registry tags reg.example/team/app
    wherry registry tags reg.example/team/app --sort
    """
    from wherry.flows.registry import tags as flow
    from wherry.system.machine import real_machine

    found, output = flow(repository, real_machine(), by_version=by_version), standard_output()
    if as_json:
        output.document(json.dumps({"schema": 1, "repository": repository, "tags": found}, indent=2))
        return
    for tag in found:
        output.result(tag)


@click.command(short_help="A manifest or index, as the registry holds it.")
@click.argument("image", type=FILLED, metavar="REF")
@click.option("--platform", type=FILLED, metavar="PLATFORM", help="Of an index, this image's.")
@click.option("--raw", is_flag=True, help="The very bytes, whose SHA-256 is the digest.")
@network
def manifest(image: str, platform: str | None, *, raw: bool) -> None:
    """Prints the manifest or index, indented; --raw prints its bytes as they are. Both are checked against the digest.

    \b
    wherry registry manifest reg.example/team/app:1.2
    wherry registry manifest alpine:3.22 --platform linux/arm64 --raw
    """
    from wherry.flows.registry import manifest as flow
    from wherry.system.machine import real_machine

    document = flow(image, real_machine(), platform=platform or "")
    if raw:
        _bytes_out(document.data)
    else:
        standard_output().document(json.dumps(json.loads(document.data), indent=2))


@click.command(short_help="A blob, checked against its digest.")
@click.argument("name", type=FILLED, metavar="REPOSITORY@DIGEST")
@click.option("-o", "--output", "file", type=FILLED, metavar="FILE", help="Write it there; whole, or not at all.")
@network
def blob(name: str, file: str | None) -> None:
    """Fetches a blob (a config, a layer) into a file, or to standard output unless that is a terminal.

    \b
    wherry registry blob reg.example/team/app@sha256:012... -o layer.tar.gz
    wherry registry blob reg.example/team/app@sha256:012... > config.json
    """
    from wherry.flows.registry import blob as flow
    from wherry.system.machine import real_machine

    if file is None and sys.stdout.isatty():
        raise UsageError(
            "binary-output",
            "a blob is not written to a terminal",
            next=f"wherry registry blob {shlex.quote(name)} -o FILE",
        )
    chunks = flow(name, real_machine())
    if file is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    with atomic_writer(Path(file)) as target:
        for chunk in chunks:
            target.write(chunk)
    standard_output().result(file)


@click.command(short_help="Delete a tag, or an image by its digest.")
@click.argument("image", type=FILLED, metavar="REF")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@network
def delete(image: str, *, yes: bool) -> None:
    """Deletes an image by its digest, with every tag that means it; or a tag alone, where the registry can do that.

    \b
    wherry registry delete reg.example/team/app:old
    wherry registry delete reg.example/team/app:old --yes
    """
    from wherry.flows.registry import delete as flow
    from wherry.flows.registry import deletion
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    what = deletion(image, machine)
    reference = what.reference
    meaning = "with every tag that means it" if reference.digest else f"the image stays, as {what.digest}"
    if not yes:
        _ask(f"delete {reference} ({meaning})?", output)
    output.result(flow(what, machine))


def _ask(question: str, output: Output) -> None:
    """Returns when the answer is yes. RefusedError [not-confirmed] else, also where nobody can be asked."""
    output.line(question)
    answer = sys.stdin.readline().strip().lower() if sys.stdin.isatty() else ""
    if answer not in ("y", "yes"):
        raise RefusedError("not-confirmed", "nothing was deleted", next="say yes, or add --yes")


def _bytes_out(data: bytes) -> None:
    if sys.stdout.isatty():
        sys.stdout.write(visible(data.decode("utf-8", "replace")))
    else:
        sys.stdout.buffer.write(data)
    sys.stdout.flush()
