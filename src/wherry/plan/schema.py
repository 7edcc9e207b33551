"""The JSON Schemas of wherry.toml and registries.toml and their reference pages, from the settings' types. Nothing in, texts
out; run as a module (`python -m wherry.plan.schema`) it writes them to where they are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from wherry.kit.files import atomic_write
from wherry.model.registries import RegistriesSettings
from wherry.model.settings import Settings
from wherry.plan import check, template, variables

SCHEMA: Final = Path(__file__).parents[1] / "wherry.schema.json"
PAGE: Final = Path(__file__).parents[3] / "docs/reference/settings.md"
REGISTRIES_SCHEMA: Final = SCHEMA.with_name("registries.schema.json")
REGISTRIES_PAGE: Final = PAGE.with_name("registries.md")
#: Forms that the plan checks itself; here for editors.
FORMS: Final = {
    ("HealthSettings", "interval"): "duration",
    ("HealthSettings", "timeout"): "duration",
    ("HealthSettings", "start-period"): "duration",
    ("RegistrySettings", "timeout"): "duration",
    ("ProveSettings", "start"): "duration",
    ("ProveSettings", "size"): "size",
    ("RunSettings", "grace"): "duration",
    ("GenerateSettings", "drain"): "duration",
    ("AssetSettings", "mode"): "mode",
    ("WritableSettings", "mode"): "mode",
}
PATTERNS: Final = {
    "duration": r"^(\d+(\.\d+)?(ms|s|m|h))+$",
    "mode": r"^0?[0-7]{3}$|^0?1777$",
    "size": r"^\d+(\.\d+)? ?([kKMG]?B)?$",
}


def schema(kind: type = Settings, title: str = "wherry.toml") -> dict[str, Any]:
    """The schema (JSON Schema 2020-12): TOML has no null, so a key that may be left out simply may be left out."""
    made = _without_null(msgspec.json.schema(kind))
    definitions = made["$defs"]
    for (table, key), form in FORMS.items():
        if table in definitions:
            definitions[table]["properties"][key]["pattern"] = PATTERNS[form]
    top = definitions.pop(kind.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **{key: value for key, value in top.items() if key not in ("title", "required")},
        "$defs": definitions,
    }


def text(made: dict[str, Any]) -> str:
    """A schema as it is published."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def registries_schema() -> dict[str, Any]:
    """That of registries.toml."""
    return schema(RegistriesSettings, "registries.toml")


def registries_page() -> str:
    """The reference page of registries.toml."""
    made = registries_schema()
    tables = (("Top of the file", made), ('`[registry."HOST"]`', made["$defs"]["RegistrySettings"]))
    return "\n".join((_REGISTRIES, *(_table(title, table, None, variabled=False) for title, table in tables)))


def page() -> str:
    """The reference page: every table with its keys, what they mean, and the variable of each."""
    made = schema()
    tables: list[tuple[str, dict[str, Any], tuple[str, ...] | None]] = [("Top of the file", made, ())]
    for title, name, keys in (
        ("`[build]`", "BuildSettings", ("build",)),
        ("`[image]`", "ImageSettings", ("image",)),
        ("`[image.health]`", "HealthSettings", ("image", "health")),
        ("`[[image.assets]]`", "AssetSettings", None),
        ("Items of `image.writable`", "WritableSettings", None),
        ("`[run]`", "RunSettings", ("run",)),
        ("`[prove]`", "ProveSettings", ("prove",)),
        ("`[[prove.waive]]`", "WaiverSettings", None),
        ("`[generate]`", "GenerateSettings", ("generate",)),
        ("`[main.NAME]`", "MainSettings", None),
    ):
        tables.append((title, made["$defs"][name], keys))
    return "\n".join((_HEAD, *(_table(*one) for one in tables), _templates()))


_HEAD: Final = """# wherry.toml

Made from the settings' type by `python -m wherry.plan.schema`; the same words are in the JSON Schema, so editors show them.

No file is needed. Wherry looks for `wherry.toml` in the folder you stand in and in those above it, up to the repository's root.
Paths in it are relative to it. A flag is over a `WHERRY_` variable, that over `wherry.toml`, that over your own
`~/.config/wherry/wherry.toml`, that over the default. `--set KEY=VALUE` sets any key.

In a variable, lists are separated by commas, or by blanks where they are words of a command; or write TOML (`["a", "b"]`).
Unknown keys are errors.
"""


_REGISTRIES: Final = """# registries.toml

Made from the settings' type by `python -m wherry.plan.schema`. How registries are reached is told by you alone, in
`~/.config/wherry/registries.toml` (`$XDG_CONFIG_HOME`), never by a repository. See [registries](../registries.md) for
credentials, proxies and certificates. Unknown keys are errors. `~/` is your home; other relative paths start at the file's
folder.
"""


def _table(title: str, table: dict[str, Any], keys: tuple[str, ...] | None, *, variabled: bool = True) -> str:
    last = (" variable |", "---|") if keys is not None or variabled else ("", "")
    head = (f"| key | what | default |{last[0]}", f"|---|---|---|{last[1]}")
    rows = [f"## {title}", "", table.get("description", ""), "", *head]
    settable = {path for path, _ in check.leaves()}
    for key, value in table["properties"].items():
        path = (*keys, key) if keys is not None else ()
        variable = f"`{variables.variable(path)}`" if path in settable else ""
        default = f"`{_toml(value['default'])}`" if value.get("default") not in (None, "", (), [], {}) else ""
        example = f" Example: `{_toml(value['examples'][0])}`." if value.get("examples") else ""
        words = f"{value.get('description', '')}{_choices(value)}{example}".replace("|", "\\|")
        rows.append(f"| `{key}` | {words} | {default} |" + (f" {variable} |" if last[0] else ""))
    return "\n".join((*rows, ""))


def _templates() -> str:
    rows = [f"| `{{{word}}}` | {meaning} |" for word, meaning in template.WORDS]
    head = (
        "## Words in braces",
        "",
        "In `build.ldflags`, `image.name`, `image.env`, labels, annotations and `-t`. `{{` writes a brace.",
        "",
        "| word | means |",
        "|---|---|",
    )
    return "\n".join(
        (
            *head,
            *rows,
            "| `{env.NAME}` | an environment variable, only with `--pass-env NAME` or WHERRY_PASS_ENV |",
            "",
        )
    )


def _choices(value: dict[str, Any]) -> str:
    return f" One of {', '.join(f'`{one}`' for one in value['enum'])}." if "enum" in value else ""


def _toml(value: Any) -> str:
    match value:
        case dict():
            keys = {
                key if key.replace("_", "").replace("-", "").isalnum() else _toml(key): one
                for key, one in value.items()
            }
            return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in keys.items()) + " }"
        case list():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def _without_null(value: Any) -> Any:
    """`value` without `anyOf` null and `default` null."""
    if isinstance(value, list):
        return [_without_null(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _without_null(one) for key, one in value.items() if (key, one) != ("default", None)}
    if "enum" in made:
        made["enum"] = [one for one in made["enum"] if one is not None]
    if made.get("required") == []:
        del made["required"]
    if "x-default" in made:
        made["default"] = made.pop("x-default")
    kinds = [one for one in made.pop("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1:
        return {**kinds[0], **made}
    return {**made, "anyOf": kinds} if kinds else made


def write() -> None:
    """Writes all texts to where they are kept."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    for path, content in files():
        atomic_write(path, content.encode())


def files() -> tuple[tuple[Path, str], ...]:
    """Every file and what belongs into it."""
    return (
        (SCHEMA, text(schema())),
        (PAGE, page()),
        (REGISTRIES_SCHEMA, text(registries_schema())),
        (REGISTRIES_PAGE, registries_page()),
    )


if __name__ == "__main__":
    write()
