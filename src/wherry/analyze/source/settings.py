"""Flags, environment variables and keys with their defaults. Code in, settings out; touches nothing.

flag, pflag, cobra, kingpin, urfave/cli, viper, and struct tags (envconfig, env, cleanenv, kong, go-flags, go-arg).
"""

from __future__ import annotations

from collections import defaultdict

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where, chain
from wherry.analyze.source.facts import Expression, Invoke, Make, Select, Tag, Text, last_name
from wherry.kit.value import Value

#: Tag keys that hold a default, and those that name the setting.
DEFAULT_KEYS = ("default", "envDefault", "env-default")
NAME_KEYS = ("env", "envconfig", "long", "name", "mapstructure", "yaml", "json", "flag", "short")


class Setting(Value, frozen=True, kw_only=True):
    """A flag, variable or key: its name, its default, where it is, and what it is stored into."""

    name: str
    default: Expression
    where: Where
    target: str = ""
    is_field: bool = False


class Settings:
    """All settings of one main's code."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self.all: list[Setting] = []
        for call, where in code.calls:
            setting = self.made_by(call.invoke, where) or self._default(call.invoke, where)
            if setting is not None:
                self.all.append(setting)
        for made, where in code.composites():
            self.all += _of_literal(made, where)
        for facts, where in code.each_file():
            self.all += [one for tag in facts.tags for one in _of_tag(tag, where)]
        self._by_name: dict[str, list[Setting]] = defaultdict(list)
        self._by_target: dict[tuple[bool, str], list[Setting]] = defaultdict(list)
        for setting in self.all:
            self._by_name[_folded(setting.name)].append(setting)
            self._by_target[setting.is_field, setting.target].append(setting)

    def named(self, name: str) -> tuple[Setting, ...]:
        """Settings of that name, `-` and `_` and case alike."""
        return tuple(self._by_name.get(_folded(name), ()))

    def into_name(self, name: str, where: Where) -> tuple[Setting, ...]:
        """Settings stored into a variable `name` of the package."""
        found = self._by_target.get((False, name), ())
        return tuple(one for one in found if one.where.package == where.package)

    def into_field(self, name: str, where: Where) -> tuple[Setting, ...]:
        """Settings stored into a field `name` of anything; those of the same package win."""
        found = self._by_target.get((True, name), ())
        return tuple([one for one in found if one.where.package == where.package] or found)

    def made_by(self, call: Invoke, where: Where) -> Setting | None:
        """The flag that this call defines, if it does."""
        return _kingpin(call, where) or self._flag(call, where)

    def _flag(self, call: Invoke, where: Where) -> Setting | None:
        shape = vocabulary.FLAGS.get(last_name(call.function))
        if shape is None or len(call.arguments) <= shape[1]:
            return None
        if not any(self._code.imports(where, package) for package in vocabulary.FLAG_PACKAGES):
            return None
        name, default = call.arguments[shape[0]], call.arguments[shape[1]]
        if not isinstance(name, Text):
            return None
        target = call.arguments[0] if shape[2] else None
        return Setting(
            name=name.text,
            default=default,
            where=where,
            target=last_name(target) if target is not None else "",
            is_field=isinstance(target, Select),
        )

    def _default(self, call: Invoke, where: Where) -> Setting | None:
        """viper.SetDefault(key, value)."""
        if last_name(call.function) not in vocabulary.DEFAULTS or len(call.arguments) != 2:
            return None
        key, value = call.arguments
        return Setting(name=key.text, default=value, where=where) if isinstance(key, Text) else None


def _kingpin(call: Invoke, where: Where) -> Setting | None:
    """`Flag("web.listen-address", ...).Default(":9115").String()`, whatever stands between."""
    steps = list(chain(call))
    default = next((step for step in steps if last_name(step.function) == "Default" and step.arguments), None)
    named = next((step for step in steps if last_name(step.function) == "Flag" and step.arguments), None)
    if default is None or named is None or not isinstance(named.arguments[0], Text):
        return None
    into = next((step for step in steps if last_name(step.function).endswith("Var") and step.arguments), None)
    target = into.arguments[0] if into is not None else None
    return Setting(
        name=named.arguments[0].text,
        default=default.arguments[0],
        where=where,
        target=last_name(target) if target is not None else "",
        is_field=isinstance(target, Select),
    )


def _of_literal(made: Make, where: Where) -> list[Setting]:
    """`cli.StringFlag{Name: "addr", Value: ":8080", Destination: &addr}`."""
    fields = dict(made.fields)
    name, value = fields.get("Name"), fields.get("Value")
    if last_name(made.kind) not in vocabulary.FLAG_LITERALS or not isinstance(name, Text) or value is None:
        return []
    target = fields.get("Destination")
    return [
        Setting(
            name=name.text,
            default=value,
            where=where,
            target=last_name(target) if target is not None else "",
            is_field=isinstance(target, Select),
        )
    ]


def _of_tag(tag: Tag, where: Where) -> list[Setting]:
    pairs = dict(tag.pairs)
    default = next((pairs[key] for key in DEFAULT_KEYS if key in pairs), "")
    for part in pairs.get("env", "").split(","):  # sethvargo/go-envconfig: `env:"PORT, default=8080"`
        default = part.strip().removeprefix("default=") if part.strip().startswith("default=") else default
    if not default:
        return []
    name = next((pairs[key].split(",")[0] for key in NAME_KEYS if pairs.get(key)), tag.field)
    value = Text(text=default, line=tag.line, column=tag.column)
    return [Setting(name=name, default=value, where=where, target=tag.field, is_field=True)]


def _folded(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(".", "")
