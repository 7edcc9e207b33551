"""Environment variables that viper reads: its keys, and the rules that make names of them. Code in, names out; touches
nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.facts import Invoke, Text, last_name

PACKAGE = "github.com/spf13/viper"
#: Methods whose first argument is a key.
KEYED = frozenset(("GetString", "Get", "SetDefault", "BindEnv", "MustBindEnv"))
BINDS = frozenset(("BindEnv", "MustBindEnv"))


class Viper:
    """The rules of one main's code; without a call of viper's there are none."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._bound: dict[str, tuple[str, ...]] = {}
        self.automatic = any(self._own(where) for _, where in code.calls_by_name.get("AutomaticEnv", ()))
        self._replaced = any(self._own(where) for _, where in code.calls_by_name.get("SetEnvKeyReplacer", ()))
        prefixes = (
            _text(call.invoke) for call, where in code.calls_by_name.get("SetEnvPrefix", ()) if self._own(where)
        )
        self._prefix = next((f"{one.text}_".upper() for one in prefixes if one), "")
        for name in BINDS:
            for call, where in code.calls_by_name.get(name, ()):
                key, *names = call.invoke.arguments or (None,)
                if isinstance(key, Text) and self._own(where):
                    self._bound[key.text.lower()] = tuple(one.text for one in names if isinstance(one, Text))

    def _own(self, where: Where) -> bool:
        return self._code.imports(where, PACKAGE)

    def names(self, call: Invoke, where: Where) -> tuple[Text, ...]:
        """The variables of the key that a call names; nothing for other calls, and for keys that no variable sets."""
        key = _text(call) if last_name(call.function) in KEYED and self._own(where) else None
        return self.of_key(key) if key else ()

    def of_key(self, key: Text) -> tuple[Text, ...]:
        """As viper asks for them: bound names, else the prefix and the key in capitals."""
        known = self._bound.get(key.text.lower())
        if known is None and not self.automatic:
            return ()
        usual = f"{self._prefix}{key.text}".upper()
        names = known or (usual.replace(".", "_").replace("-", "_") if self._replaced else usual,)
        return tuple(Text(text=name, line=key.line, column=key.column) for name in names)

    def all(self) -> Iterator[tuple[Text, Where]]:
        """Every variable of a key that the code names."""
        for call, where in self._code.calls:
            for name in self.names(call.invoke, where):
                yield name, where


def _text(call: Invoke) -> Text | None:
    first = next(iter(call.arguments), None)
    return first if isinstance(first, Text) else None
