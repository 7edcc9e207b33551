"""What an expression may be worth. Expressions and the code around them in, texts with their places out; touches
nothing.

No interpreter: constants, literals, defaults of flags and settings, a few functions of text, one step into the
project's own functions. A part that is not known is UNKNOWN, so that `host + ":8080"` still gives its port.
"""

from __future__ import annotations

import msgspec

from wherry.analyze.source import vocabulary
from wherry.analyze.source.code import Code, Where
from wherry.analyze.source.expressions import is_variable_name
from wherry.analyze.source.facts import Add, Binding, Expression, Invoke, Name, Other, Select, Text, Times, last_name
from wherry.analyze.source.settings import Setting, Settings
from wherry.kit.value import Value
from wherry.model.place import Place

UNKNOWN = "\0"
DEPTH = 12
MOST = 8
#: For one question. Real ones take some dozens; fields that refer to one another in all ways would take MOST ** DEPTH.
STEPS = 2000


class Known(Value, frozen=True, kw_only=True):
    """A text an expression may have, and where it is written. Not certain: a default, or one of several."""

    text: str
    place: Place
    certain: bool = True


class Evaluator:
    """Answers for one main's code."""

    def __init__(self, code: Code, settings: Settings) -> None:
        self._code = code
        self._settings = settings
        self._frames: dict[Where, dict[str, tuple[Expression, Where]]] = {}
        """For functions that are being looked into: parameter → argument, and where the argument stands."""
        self._steps = STEPS

    def texts(self, expression: Expression, where: Where, depth: int = DEPTH) -> tuple[Known, ...]:
        """At most MOST values, most likely first; empty when nothing is known, or it would take more than STEPS steps."""
        self._steps = STEPS if depth == DEPTH else self._steps - 1
        if depth <= 0 or self._steps <= 0:
            return ()
        match expression:
            case Text():
                return (Known(text=expression.text, place=self._code.place(where, expression.line, expression.column)),)
            case Name():
                return _limited(self._name(expression.name, where, depth))
            case Select():
                return _limited(self._select(expression, where, depth))
            case Add():
                left = self.texts(expression.left, where, depth - 1)
                right = self.texts(expression.right, where, depth - 1)
                return _limited(joined((left, right)))
            case Times():
                left = self.texts(expression.left, where, depth - 1)
                right = self.texts(expression.right, where, depth - 1)
                return _limited(multiplied(left, right))
            case Invoke():
                return _limited(self._call(expression, where, depth))
            case _:
                return ()

    def _name(self, name: str, where: Where, depth: int) -> tuple[Known, ...]:
        bound = self._code.locals.get((where, name), ())[: 2 * MOST]
        found = tuple(known for one in bound for known in self._bound(one, where, depth))
        found += self._of_settings(self._settings.into_name(name, where), depth)
        if found:
            return found if len(bound) == 1 else _guessed(found)
        passed = self._frames.get(where, {}).get(name)
        if passed is not None and not bound:
            return self.texts(*passed, depth - 1)
        function = self._code.function_around(where)
        if function is not None and name in function.parameters and not bound:
            return self._argument(function.name, function.parameters.index(name), where, depth)
        return self._global(name, where.package, depth)

    def _bound(self, binding: Binding, where: Where, depth: int) -> tuple[Known, ...]:
        """The value of one assignment; of `_, address := f()` what f returns there."""
        if not binding.position:
            return self.texts(binding.value, where, depth - 1)
        if not isinstance(binding.value, Invoke):
            return ()
        return self._returned(binding.value, where, depth, binding.position)

    def _global(self, name: str, package: int, depth: int) -> tuple[Known, ...]:
        found: list[Known] = []
        for binding, spot in self._code.globals.get((package, name), ())[:MOST]:
            values = self.texts(binding.value, spot, depth - 1)
            found += values if binding.constant else _guessed(values)
        return tuple(found)

    def _argument(self, function: str, position: int, where: Where, depth: int) -> tuple[Known, ...]:
        """What callers pass for a parameter."""
        own = self._code.packages[where.package].import_path
        found: list[Known] = []
        for call, spot in self._code.calls_by_name.get(function, ()):
            named = call.invoke.function
            path = self._code.package_of(named, spot)
            here = spot.package == where.package if isinstance(named, Name) else path in ("", own)
            if here and position < len(call.invoke.arguments) and len(found) < MOST:
                found += self.texts(call.invoke.arguments[position], spot, depth - 1)
        return _guessed(tuple(found)) if len(found) != 1 else tuple(found)

    def _select(self, expression: Select, where: Where, depth: int) -> tuple[Known, ...]:
        path = self._code.package_of(expression, where)
        if path == "time" and expression.name in vocabulary.UNITS:
            nowhere = self._code.place(where, 0, 0)
            return (Known(text=str(vocabulary.UNITS[expression.name]), place=nowhere),)
        if path:
            package = self._code.by_path.get(path)
            return self._global(expression.name, package, depth) if package is not None else ()
        return self._field(expression.name, where, depth)

    def _field(self, name: str, where: Where, depth: int) -> tuple[Known, ...]:
        """Values that a field of this name gets anywhere in the code; those of the same package win."""
        settings = self._settings.into_field(name, where) or self._settings.named(name)
        found = self._of_settings(settings, depth)
        values = self._code.fields.get(name, ())
        near = [one for one in values if one[1].package == where.package]
        for value, spot in (near or values)[:MOST]:
            if not (isinstance(value, Select) and value.name == name and depth < DEPTH - 6):
                found += self.texts(value, spot, depth - 1)
        return _guessed(found)

    def _of_settings(self, settings: tuple[Setting, ...], depth: int) -> tuple[Known, ...]:
        found: list[Known] = []
        for setting in settings:
            values = self.texts(setting.default, setting.where, depth - 1)
            found += _guessed(values)
        return tuple(found)

    def _call(self, call: Invoke, where: Where, depth: int) -> tuple[Known, ...]:
        name, arguments = last_name(call.function), call.arguments
        setting = self._settings.made_by(call, where)
        if setting is not None:
            return self._of_settings((setting,), depth)
        texts = {"Sprintf": self._formatted, "JoinHostPort": self._host_port, "Or": self._any}.get(name)
        if name == "Join" and self._code.package_of(call.function, where) == "path":
            texts = self._path
        if texts is not None and arguments:
            return texts(arguments, where, depth)
        is_conversion = name == "Duration" and self._code.package_of(call.function, where) == "time"
        if (name in vocabulary.EVALUATED or is_conversion) and arguments:
            return self.texts(arguments[0], where, depth - 1)
        if name in vocabulary.LOOKUPS and arguments and isinstance(arguments[0], Text):
            return self._of_settings(self._settings.named(arguments[0].text), depth)
        if len(arguments) > 1 and isinstance(arguments[0], Text) and is_variable_name(arguments[0].text):
            values = self.texts(arguments[1], where, depth - 1)
            return _guessed(values)
        return self._returned(call, where, depth)

    def _returned(self, call: Invoke, where: Where, depth: int, position: int = 0) -> tuple[Known, ...]:
        """What the project's own function of that name returns in that position."""
        function = call.function
        candidates = self._code.functions.get(last_name(function), ())
        path = self._code.package_of(function, where)
        package = self._code.by_path.get(path) if path else where.package if isinstance(function, Name) else None
        if path and package is None:
            return ()
        near = [one for one in candidates if package is None or one[1].package == package]
        found: tuple[Known, ...] = ()
        for described, spot in near[:3]:
            outer = self._frames.get(spot)
            self._frames[spot] = {
                name: (one, where) for name, one in zip(described.parameters, call.arguments, strict=False)
            }
            for values in described.returns:
                if position < len(values):
                    found += self.texts(values[position], spot, depth - 1)
            if outer is None:
                del self._frames[spot]
            else:
                self._frames[spot] = outer
        return _guessed(found)

    def _host_port(self, arguments: tuple[Expression, ...], where: Where, depth: int) -> tuple[Known, ...]:
        parts = [self.texts(one, where, depth - 1) for one in arguments[:2]]
        place = next((one.place for part in parts for one in part), None)
        return joined((parts[0], (Known(text=":", place=place),), *parts[1:])) if place is not None else ()

    def _any(self, arguments: tuple[Expression, ...], where: Where, depth: int) -> tuple[Known, ...]:
        """cmp.Or: the first that is not empty."""
        return _guessed(tuple(known for one in arguments for known in self.texts(one, where, depth - 1)))

    def _path(self, arguments: tuple[Expression, ...], where: Where, depth: int) -> tuple[Known, ...]:
        """path.Join: an unknown first part may be empty, as prefixes of routes are."""
        parts = [self.texts(one, where, depth - 1) for one in arguments]
        slash = Known(text="/", place=parts[-1][0].place) if parts and parts[-1] else None
        spaced = [part for one in parts for part in ((slash,) if slash else (), one)]
        return tuple(msgspec.structs.replace(one, text=one.text.replace("//", "/")) for one in joined(tuple(spaced)))

    def _formatted(self, arguments: tuple[Expression, ...], where: Where, depth: int) -> tuple[Known, ...]:
        """fmt.Sprintf with %s, %d and %v; anything else is not known."""
        patterns = self.texts(arguments[0], where, depth - 1)
        if not patterns:
            return ()
        pattern = patterns[0]
        parts: list[tuple[Known, ...]] = []
        position = 1
        for number, piece in enumerate(pattern.text.split("%")):
            text = piece
            if number:
                argument = arguments[position] if position < len(arguments) else Other()
                parts.append(self.texts(argument, where, depth - 1) if piece[:1] in ("s", "d", "v") else ())
                position += 1
                text = piece[1:]
            parts.append((Known(text=text, place=pattern.place, certain=pattern.certain),))
        return joined(tuple(parts))


def joined(parts: tuple[tuple[Known, ...], ...]) -> tuple[Known, ...]:
    """Every combination of the parts, at most MOST; the place is that of the part that tells most, a missing part is
    UNKNOWN.
    """
    if not any(parts):
        return ()
    anywhere = next(one.place for part in parts for one in part)
    found = [Known(text="", place=anywhere)]
    for part in parts:
        choices = part or (Known(text=UNKNOWN, place=anywhere),)
        found = [_pair(left, right) for left in found for right in choices][:MOST]
    return tuple(found)


def multiplied(left: tuple[Known, ...], right: tuple[Known, ...]) -> tuple[Known, ...]:
    """Products of what are numbers on both sides, with the place that has a line: a unit of time has none."""
    return tuple(
        Known(
            text=str(int(one.text) * int(other.text)),
            place=one.place if one.place.line else other.place,
            certain=one.certain and other.certain,
        )
        for one in left
        for other in right
        if _is_number(one.text) and _is_number(other.text)
    )


def _is_number(text: str) -> bool:
    return len(text) < 20 and text.isascii() and text.isdecimal()


def _pair(left: Known, right: Known) -> Known:
    telling = right if _has_digit(right) or not (_has_digit(left) or len(left.text) > len(right.text)) else left
    return Known(
        text=left.text + right.text,
        place=telling.place,
        certain=left.certain and right.certain,
    )


def _has_digit(known: Known) -> bool:
    return any(character.isdigit() for character in known.text)


def _guessed(values: tuple[Known, ...]) -> tuple[Known, ...]:
    return tuple(Known(text=one.text, place=one.place, certain=False) for one in values)


def _limited(values: tuple[Known, ...]) -> tuple[Known, ...]:
    return tuple({(one.text, one.place): one for one in values}.values())[:MOST]
