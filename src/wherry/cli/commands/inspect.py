"""`wherry inspect`: a name or place in, what the image holds out; or how a container is."""

from __future__ import annotations

import click
import msgspec

from wherry.cli import documents
from wherry.cli.commands.network import network
from wherry.cli.output import Output, standard_output
from wherry.kit.text import megabytes
from wherry.model.image import StoredImage
from wherry.oci.config import Healthcheck


@click.command(short_help="What an image holds, or how a container is.")
@click.argument("subject", metavar="IMAGE|CONTAINER")
@click.option("--platform", metavar="PLATFORM", help="Only this platform of an index.")
@click.option("--json", "as_json", is_flag=True, help="Manifests and configs as one JSON document.")
@click.option("--isolation", is_flag=True, help="What keeps a running container apart from this machine.")
@network
def inspect(subject: str, platform: str | None, *, as_json: bool, isolation: bool) -> None:
    """Shows an image's platforms, layers and settings. Reads documents only; nothing of it is run.

    Where a container is called so, it is shown instead: its state, health, limits and use. NAME:TAG is always the image.

    IMAGE is a name in wherry's store, one with a registry's host, or a place: oci:DIR:TAG, oci-archive:FILE, docker://REF ...

    \b
    wherry inspect podinfo
    wherry inspect api --isolation
    wherry inspect oci:images:podinfo
    wherry inspect registry.example/team/app:1.2 --json
    """
    from wherry.flows.inspect import inspect as flow
    from wherry.flows.runbook import kept_or_none, running
    from wherry.system.machine import real_machine

    machine, output = real_machine(), standard_output()
    kept = running(subject, machine) if isolation else kept_or_none(subject, machine) if not platform else None
    if kept is not None:
        from wherry.cli.inspected import inspected

        inspected(kept, output, isolated=isolation, as_json=as_json)
        return
    stored = flow(subject, platform or "", machine)
    if as_json:
        output.document(documents.inspect_document(stored))
        return
    page = output.on_stdout()
    page.line(stored.reference)
    if len(stored.images) > 1:
        page.row("index", str(stored.descriptor.digest))
    for image in stored.images:
        show_image(image, page)
    for finding in stored.findings:
        output.finding(finding)


def show_image(image: StoredImage, page: Output) -> None:
    """One platform's image."""
    count = len(image.layers)
    page.line()
    page.line(f"{image.platform}   {megabytes(image.size)} to pull   {count} layer{'' if count == 1 else 's'}")
    history = [entry.created_by for entry in image.settings.history or () if not entry.empty_layer]
    made = (*history, *[""] * count)
    rows = [("digest", str(image.digest), "")]
    rows += [("layer", f"{megabytes(layer.size):>9}  {made[number]}", "") for number, layer in enumerate(image.layers)]
    config = image.settings.config
    for label, value in msgspec.structs.asdict(config).items() if config else ():
        rows += [(WORDS.get(label, label), text, "") for text in _values(value)]
    if config and config.healthcheck:
        rows.append(("health", health_words(config.healthcheck), ""))
    page.rows(rows)


WORDS = {
    "exposed_ports": "port", "entrypoint": "start", "cmd": "args", "working_dir": "workdir", "labels": "label",
    "volumes": "volume", "stop_signal": "stop",
}  # fmt: skip


def health_words(check: Healthcheck) -> str:
    """The check as a person says it; Docker writes nanoseconds."""
    second = 1_000_000_000
    times = (("every", check.interval), ("at most", check.timeout), ("after", check.start_period))
    said = [f"{word} {nanoseconds / second:g} s" for word, nanoseconds in times if nanoseconds]
    return ", ".join((" ".join((check.test or ())[1:]), *said, f"{check.retries} tries"))


def _values(value: object) -> list[str]:
    match value:
        case None | "" | Healthcheck():
            return []
        case dict():
            return [f"{key}={one}" if one else str(key) for key, one in sorted(value.items())]
        case tuple():
            return [" ".join(map(str, value))] if value else []
        case _:
            return [str(value)]
