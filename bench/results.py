"""What a run of the bench measured, as values and as JSON. Bytes in and out; touches nothing."""

from __future__ import annotations

import msgspec

from wherry.kit.value import Value


class Sample(Value, frozen=True, kw_only=True):
    """One measured run. Seconds, and bytes of the largest process; 0 where it could not be seen."""

    wall: float
    cpu: float = 0.0
    memory: int = 0


class Series(Value, frozen=True, kw_only=True):
    """One tool in one scenario with one app, in the order of the rounds."""

    scenario: str
    app: str
    tool: str
    samples: tuple[Sample, ...] = ()
    size: int = 0
    """Bytes to pull of the last image, or of the binary for bare go; 0 where the scenario leaves none to look at."""
    failed: str = ""
    """Why there are no samples."""


class Results(Value, frozen=True, kw_only=True):
    """A whole run."""

    facts: tuple[tuple[str, str], ...]
    """The machine and the tools, in words: never a path of the machine."""
    rounds: int
    series: tuple[Series, ...]
    absent: tuple[tuple[str, str], ...] = ()
    """Tools that are not here, and why."""

    def find(self, scenario: str, app: str, tool: str) -> Series | None:
        """The series with samples, or None."""
        for one in self.series:
            if (one.scenario, one.app, one.tool) == (scenario, app, tool) and one.samples:
                return one
        return None


def encode(results: Results) -> bytes:
    """Indented JSON with a final newline."""
    return msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n"


def decode(data: bytes) -> Results:
    """What `encode` wrote; msgspec.ValidationError names the place that is wrong."""
    return msgspec.json.decode(data, type=Results)


def again(old: Results, new: Results) -> Results:
    """`old` with what `new` measured once more in place of its own, and a row that says when."""
    measured = {(one.scenario, one.app) for one in new.series}
    facts, name = dict(new.facts), ", ".join(sorted({one.scenario for one in new.series}))
    row = (f"{name}, again", "; ".join(f"{one} {facts[one]}" for one in ("date", "load before", "wherry")))
    kept = tuple(one for one in old.series if (one.scenario, one.app) not in measured)
    rows = tuple(one for one in old.facts if one[0] != row[0])
    return msgspec.structs.replace(old, series=kept + new.series, facts=(*rows, row))
