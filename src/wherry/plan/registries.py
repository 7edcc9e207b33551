"""`registries.toml`, the user's own. A folder in, how registries are reached out; reads that file.

All mistakes are told at once, each with its line, as those of wherry.toml are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from wherry.errors import UsageError, WherryError
from wherry.kit.files import disk_errors
from wherry.kit.ports import Trust
from wherry.kit.value import decodable
from wherry.model.registries import FILE, SECONDS, Mirror, Registries, RegistriesSettings, RegistrySettings, Rule
from wherry.oci import reference as references
from wherry.plan import check, durations, read
from wherry.plan.check import Where
from wherry.plan.tiers import Keys

LARGEST: Final = 1 << 18
LONGEST: Final = 3600.0


def read_registries(folder: Path, home: str) -> Registries:
    """The file in `folder`; nothing said when it is not there. UsageError [toml-syntax], [unknown-key], [bad-setting] or
    Several."""
    path = folder / FILE
    if not path.is_file():
        return Registries()
    with disk_errors(path), path.open("rb") as file:
        data = file.read(LARGEST + 1)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(data) > LARGEST or "\0" in text:
        raise UsageError("toml-syntax", f"{path} is no text, or larger than 256 KiB", where=str(path))
    return parse(text, str(path), home=home)


def parse(text: str, name: str, *, home: str = "") -> Registries:
    """What `text`, the file `name`, says. `~` is `home`; other paths start at the file's folder."""
    text = text.replace("\r\n", "\n")
    tree = read.parsed(text, name)
    texts = {keys: f"{place}   {line}" for keys, place, line in read.located(text, name)}

    def where(keys: Keys) -> str:
        return read.nearest(texts, keys, name)

    read.refuse(check.check(tree, where, _structure()))
    said = msgspec.convert(tree, decodable(RegistriesSettings))
    read.refuse(tuple(_mistakes(said, where)))
    folder = os.path.dirname(name)  # noqa: PTH120 - text, not a file
    timeout = durations.seconds(said.timeout) if said.timeout else SECONDS
    rules = tuple(_rule(host, one, (folder, home), timeout) for host, one in said.registry.items())
    return Registries(rules=rules, timeout=timeout)


@cache
def _structure() -> inspect.Type:
    return inspect.type_info(RegistriesSettings)


def _rule(host: str, said: RegistrySettings, folders: tuple[str, str], timeout: float) -> Rule:
    return Rule(
        host=host.lower(),
        mirrors=tuple(_mirror(text) for text in said.mirrors),
        trust=Trust(
            plain=bool(said.plain_http),
            authorities=(_path(said.ca, folders),) if said.ca else (),
            certificate=_path(said.client_certificate, folders),
            key=_path(said.client_key, folders),
        ),
        protected=not said.plain_http and (said.plain_http is False or bool(said.ca or said.client_certificate)),
        token_hosts=tuple(one.lower() for one in said.token_hosts),
        timeout=durations.seconds(said.timeout) if said.timeout else timeout,
    )


def _mirror(text: str) -> Mirror:
    """UsageError [bad-reference] unless it is a host, or a host and a path as names of images have it."""
    host, _, path = text.partition("/")
    references.parse(f"{host}/{path or 'x'}:x")
    if not references.is_host(host) or (not path and "/" in text):
        raise UsageError("bad-reference", f"{text[:100]!r} is no host with or without a path")
    return Mirror(host=host.lower(), path=path)


def _path(text: str, folders: tuple[str, str]) -> str:
    folder, home = folders
    if not text or text.startswith("/"):
        return text
    return f"{home}/{text[2:]}" if text.startswith("~/") else os.path.normpath(f"{folder}/{text}")


def _mistakes(said: RegistriesSettings, where: Where) -> Iterator[UsageError]:
    yield from _duration(said.timeout, ("timeout",), where)
    for host, one in said.registry.items():
        keys: Keys = ("registry", host)
        yield from _duration(one.timeout, (*keys, "timeout"), where)
        if not references.is_host(host):
            yield _wrong(f"{host[:100]!r} is no registry", keys, where, 'write [registry."registry.example:5000"]')
        for number, text in enumerate(one.mirrors):
            if _fails(text):
                step = 'write "mirror.example" or "harbor.example/hub"'
                yield _wrong(f"{text[:100]!r} is no mirror", (*keys, "mirrors", number), where, step)
        for number, text in enumerate(one.token_hosts):
            if not references.is_host(text) or ":" in text:
                step = 'write "auth.example", without a port'
                yield _wrong(f"{text[:100]!r} is no host", (*keys, "token-hosts", number), where, step)
        if bool(one.client_certificate) != bool(one.client_key):
            yield _wrong("client-certificate and client-key belong together", keys, where, "name both files")


def _fails(mirror: Any) -> bool:
    try:
        _mirror(mirror)
    except WherryError:
        return True
    return False


def _duration(text: str | None, keys: Keys, where: Where) -> Iterator[UsageError]:
    try:
        good = text is None or 0 < durations.seconds(text) <= LONGEST
    except ValueError:
        good = False
    if not good:
        yield _wrong(f"{str(text)[:40]!r} is no time between 1ms and 1h", keys, where, 'write "30s" or "2m"')


def _wrong(message: str, keys: Keys, where: Where, step: str) -> UsageError:
    return UsageError("bad-setting", message, where=where(keys), next=step)
