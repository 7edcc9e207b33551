"""docker-bake.hcl: the build for `docker buildx bake`. Applications in, one file out; touches nothing.

HCL's own templates (`${`, `%{`) are written only by this module: a text of the repository is a quoted string in which both are
doubled (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md, "Template Expressions").
"""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from wherry.errors import UsageError
from wherry.generate import names, shell
from wherry.generate.names import Applications
from wherry.generate.text import apart
from wherry.generate.use import Here, Use
from wherry.kit.text import one_line
from wherry.kit.value import Value
from wherry.model.application import Application
from wherry.model.file import Choice, File

FILE: Final = "docker-bake.hcl"
_WIDE: Final = 60
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class Expression(Value, frozen=True, kw_only=True):
    """Words of HCL, not a text: a variable's name."""

    words: str


class Tagged(Value, frozen=True, kw_only=True):
    """A text that ends in a colon and the version."""

    text: str


Setting = str | Expression | Tagged | Sequence["Setting"] | Mapping[str, "Setting"]


def files(applications: Applications, _: Choice) -> tuple[File, ...]:
    """UsageError [same-name] for two targets of one name, [bad-text] for a text that HCL cannot hold."""
    targets = _targets(applications)
    released = {name: one for name, one in targets.items() if "/" in one.image}
    blocks = [
        _block('variable "VERSION"', {"default": "dev"}, _version(applications)),
        _block('variable "REVISION"', {"default": "unknown"}, "REVISION=$(git rev-parse HEAD)"),
        _block('group "default"', {"targets": tuple(targets)}, "For this machine, into its engine."),
    ]
    if released:
        group = {"targets": tuple(map(_released, released))}
        blocks.append(_block('group "release"', group, _RELEASE))
    for name, application in targets.items():
        blocks.append(_block(f'target "{name}"', _target(applications, application), _private(application)))
        if name in released:
            blocks.append(_block(f'target "{_released(name)}"', _release(name, application)))
    return (File(path=FILE, text="\n".join((_head(applications), *blocks))),)


def uses(applications: Applications, _: Choice, here: Here) -> tuple[Use, ...]:
    """Bake, in the root."""
    root, file = here("."), shlex.quote(names.from_root(applications, FILE))
    enter = "" if root == "." else f"cd {shlex.quote(root)} && "
    return (Use(command=f"{enter}docker buildx bake -f {file}"),)


_RELEASE: Final = """For every platform, pushed. With SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
the same commit gives the same files with the same times."""


def _head(applications: Applications) -> str:
    """With the file's name: left alone, Bake reads a compose.yaml beside it as well, and wants what that wants."""
    where = shlex.quote(names.from_root(applications, FILE))
    return f"# In the repository's root:\n#   {one_line(f'docker buildx bake -f {where}')}\n"


def _version(applications: Applications) -> str:
    """How to know it, from the root. A nested module may have tags of its own, so each module has a line."""
    first = {one.sources.module_directory: one for one in reversed(applications)}
    listed = [one for one in applications if first[one.sources.module_directory] is one]
    lines = [f"VERSION=$({shell.tagged(shell.from_root(one))})" for one in listed]
    if len(lines) > 1:
        lines = [f"{line} for {names.service(one)}" for line, one in zip(lines, listed, strict=True)]
    return "\n".join(map(one_line, lines))


def _private(application: Application) -> str:
    return 'Credentials for private modules: NETRC="$(cat ~/.netrc)"' if application.sources.private else ""


def _targets(applications: Applications) -> dict[str, Application]:
    named = [target(names.service(one)) for one in applications]
    apart((one for name in named for one in (name, _released(name))), file=FILE, what="targets")
    return dict(zip(named, applications, strict=True))


def _released(name: str) -> str:
    return f"{name}-release"


def target(text: str) -> str:
    """`text` in the letters that Bake takes for a target's name."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-") else "-" for sign in text)


def _target(applications: Applications, application: Application) -> dict[str, Setting]:
    private = {"secret": (f"id={names.NETRC},env=NETRC",)} if application.sources.private else {}
    file = names.dockerfile(applications, application, "")
    return {
        "context": ".",
        "dockerfile": names.from_root(applications, file),
        "args": {name: Expression(words=name) for name in ("VERSION", "REVISION")},
        "tags": (Tagged(text=application.image),),
        **private,
        "output": ("type=docker",),
    }


def _release(name: str, application: Application) -> dict[str, Setting]:
    platforms = tuple(str(platform) for platform in application.platforms)
    cache = f"type=registry,ref={application.image}:cache"
    return {
        "inherits": (name,),
        **({"platforms": platforms} if platforms else {}),
        "cache-from": (cache,),
        "cache-to": (f"{cache},mode=max,image-manifest=true,oci-mediatypes=true",),
        "attest": ("type=provenance,mode=max", "type=sbom"),
        "output": ("type=registry,oci-mediatypes=true,rewrite-timestamp=true",),
    }


def _block(head: str, settings: Mapping[str, Setting], reason: str = "") -> str:
    """As `hclfmt` writes it: equal signs below one another, save those of values of several lines."""
    comment = "".join(f"# {one_line(line)}\n" for line in reason.splitlines())
    lines: list[str] = []
    chain: dict[str, str] = {}
    for key, setting in settings.items():
        text = _value(setting)
        if "\n" in text:
            lines += (*_aligned(chain), f"  {key} = {text}\n")
            chain = {}
        else:
            chain[key] = text
    return f"{comment}{head} {{\n{''.join((*lines, *_aligned(chain)))}}}\n"


def _aligned(chain: Mapping[str, str]) -> list[str]:
    widest = max(map(len, chain), default=0)
    return [f"  {key.ljust(widest)} = {text}\n" for key, text in chain.items()]


def _value(setting: Setting) -> str:
    match setting:
        case Expression():
            return setting.words
        case Tagged():
            return f'"{escaped(setting.text)}:${{VERSION}}"'
        case str():
            return quoted(setting)
        case Mapping():
            lines = "".join(_aligned({key: _value(one) for key, one in setting.items()}))
            return "{\n" + "".join(f"  {line}\n" for line in lines.splitlines()) + "  }"
        case _:
            items = [_value(one) for one in setting]
            row = f"[{', '.join(items)}]"
            return row if len(row) <= _WIDE else "[\n" + "".join(f"    {item},\n" for item in items) + "  ]"


def quoted(text: str) -> str:
    """A string of HCL that means `text` and nothing else."""
    return f'"{escaped(text)}"'


def escaped(text: str) -> str:
    """`text` between quotes. UsageError [bad-text] for one that HCL would make another of: it composes letters and their marks
    (NFC), so that a folder would not be found (spec, "Template Expressions", literals)."""
    if not unicodedata.is_normalized("NFC", text):
        raise UsageError(
            "bad-text",
            f"{one_line(text)!r} cannot be written in {FILE} as it is",
            why="HCL composes its letters and their marks (Unicode NFC), which gives another name",
            next="name it in composed letters",
        )
    plain = "".join(_sign(sign) for sign in text)
    return plain.replace("${", "$${").replace("%{", "%%{")


def _sign(sign: str) -> str:
    if sign in _ESCAPES:
        return _ESCAPES[sign]
    if sign.isprintable():
        return sign
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"
