"""What the fields of a storage object mean to each other, looked at beside each field's own limits.

The fields are read leniently here: one that is not valid by itself is reported by its model and
compared with nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bess.errors import NO_VALUE, Problem

__all__ = ["NOT_WITH_DEVICES", "storage_problems"]

_POWER: Final = "batteryNameplatePower"
_PAIR: Final = ("batteryNameplateChargePowerKwDc", "batteryNameplateDischargePowerKwDc")
NOT_WITH_DEVICES: Final = (
    _POWER,
    *_PAIR,
    "batteryNameplateCapacity",
    "batteryMinSoc",
    "batteryMaxSoc",
    "batteryDcCoupled",
    "batteryAcToDcEfficiency",
    "batteryDcToAcEfficiency",
    "batteryInputEfficiency",
    "policies",
)
"""What a device says of itself."""


class _Given:
    """The fields of an object by their camel-case names, those that are null left out."""

    def __init__(self, data: Mapping[Any, Any]) -> None:
        by_key = {str(key).replace("_", "").lower(): (key, data[key]) for key in data}
        self._found = {key: pair for key, pair in by_key.items() if pair[1] is not None}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._found

    def spelling(self, name: str) -> str:
        return str(self._found[name.lower()][0]) if name in self else name

    def value(self, name: str) -> Any:
        return self._found[name.lower()][1] if name in self else NO_VALUE

    def fraction(self, name: str, default: float) -> float:
        """The field's value if it is a fraction, NaN (compared with nothing) if it is not."""
        if name not in self:
            return default
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return math.nan
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return math.nan
        return number if 0 <= number <= 1 else math.nan


def storage_problems(data: Mapping[Any, Any]) -> Iterator[Problem]:
    """What is wrong between the fields of a storage object, paths relative to it."""
    given = _Given(data)

    def problem(name: str, reason: str) -> Problem:
        return Problem(given.spelling(name), reason, given.value(name))

    if given.value("devices") not in (NO_VALUE, [], ()):
        for name in NOT_WITH_DEVICES:
            if name in given:
                yield problem(name, "cannot be given with devices, which have their own")
    pair = [name for name in _PAIR if name in given]
    if _POWER in given:
        for name in pair:
            other = given.spelling(_POWER)
            yield problem(name, f"cannot be given with {other}: give one or the pair, not both")
    elif len(pair) == 1:
        missing = next(name for name in _PAIR if name not in given)
        yield Problem(missing, f"is required with {given.spelling(pair[0])}")
    yield from _limit_problems(given, problem)


def _limit_problems(given: _Given, problem: Any) -> Iterator[Problem]:
    low = given.fraction("batteryMinSoc", 0.1)
    high = given.fraction("batteryMaxSoc", 1.0)
    initial = given.fraction("batteryInitialSoc", 0.5)
    usual = "" if "batteryInitialSoc" in given else " (0.5 by default)"
    if "devices" in given and "batteryMinSoc" not in given:
        low = 0.0
    if low >= high:
        name = "batteryMinSoc" if "batteryMinSoc" in given else "batteryMaxSoc"
        order = f"below {given.spelling('batteryMaxSoc')} ({high:g})"
        if name == "batteryMaxSoc":
            order = f"above batteryMinSoc ({low:g} by default)"
        yield problem(name, f"must be {order}")
    elif initial < low:
        least = f"{given.spelling('batteryMinSoc')} ({low:g})"
        yield problem("batteryInitialSoc", f"must be at least {least}{usual}")
    elif initial > high:
        most = f"{given.spelling('batteryMaxSoc')} ({high:g})"
        yield problem("batteryInitialSoc", f"must be at most {most}{usual}")
    yield from _terminal_problems(given, low, high, problem)


def _terminal_problems(given: _Given, low: float, high: float, problem: Any) -> Iterator[Problem]:
    wanted = given.value("batteryTerminalSoc")
    ends = wanted if isinstance(wanted, (list, tuple)) else [wanted, 1.0]
    if len(ends) != 2:
        return
    least, most = (_Given({"end": end}).fraction("end", math.nan) for end in ends)
    if least > most:
        yield problem("batteryTerminalSoc", "must be a pair [low, high] with low ≤ high")
    elif most < low or least > high:
        yield problem(
            "batteryTerminalSoc", f"must leave a state of charge between {low:g} and {high:g}"
        )
