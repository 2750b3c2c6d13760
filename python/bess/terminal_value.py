"""What the energy left at the end of an optimum is worth: one number, or a falling curve."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from bess._arrays import number
from bess.errors import InputError
from bess.unit import Unit

__all__ = ["TerminalValue", "valued"]

Curve = tuple[tuple[float, float], ...]


def _checked(value: Any) -> Any:
    """A number, a curve, or a tuple of these with one for each device."""
    if not _is_list(value):
        return number(value, "", wanted="a number, or pairs of a state of charge and a number")
    if len(value) == 0:
        raise InputError.at("", "must have at least one pair", value)
    if all(_is_pair(each) for each in value):
        return _curve(value)
    found = []
    for i, each in enumerate(value):
        try:
            if _is_list(each) and not all(_is_pair(pair) for pair in each):
                raise InputError.at("", "must be pairs of a state of charge and a number", each)
            found.append(_checked(each))
        except InputError as error:
            raise error.under(f"[{i}]") from None
    return tuple(found)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) or (isinstance(value, np.ndarray) and value.ndim > 0)


def _is_pair(value: Any) -> bool:
    return _is_list(value) and len(value) == 2 and not any(_is_list(each) for each in value)


def _curve(pairs: Any) -> Curve:
    found: list[tuple[float, float]] = []
    for i, (below, value) in enumerate(pairs):
        before, most = found[-1] if found else (0.0, np.inf)
        upto, worth = number(below, f"[{i}][0]"), number(value, f"[{i}][1]")
        if not before < upto <= 1:
            raise InputError.at(f"[{i}][0]", f"must be above {before:g}, and at most 1", below)
        if worth > most:
            reason = f"must be at most {most:g}: no kWh is worth more than those below it"
            raise InputError.at(f"[{i}][1]", reason, value)
        found.append((upto, worth))
    if found[-1][0] < 1:
        raise InputError.at(f"[{len(found) - 1}][0]", "must be 1 in the last pair", found[-1][0])
    return tuple(found)


TerminalValue = Annotated[
    float | Curve | tuple[float | Curve, ...],
    BeforeValidator(_checked),
]


def valued(units: list[Unit], value: Any) -> list[Unit]:
    """The units with what a checked value says that energy left in them is worth.

    Raises `InputError` where they are not as many as the values, or the start is free.
    """
    if value is None:
        return units
    if units[0].battery.terminal_state_of_charge == "cyclic":
        reason = "is not for a cyclic terminal state of charge: the end is the start, which is free"
        raise InputError.at("strategy.terminal_value", reason)
    one_for_all = isinstance(value, float) or (isinstance(value[0], tuple) and _is_pair(value[0]))
    each = (value,) * len(units) if one_for_all else value
    if len(each) != len(units):
        reason = f"must be one value, or one for each of the {len(units)} devices"
        raise InputError.at("strategy.terminal_value", reason, list(each))
    return [_with_worth(unit, own) for unit, own in zip(units, each, strict=True)]


def _with_worth(unit: Unit, value: float | Curve) -> Unit:
    curve = ((1.0, value),) if isinstance(value, float) else value
    upto = np.array([pair[0] for pair in curve])
    widths = unit.battery.capacity_kwh * np.diff(upto, prepend=0.0)
    worths = zip((pair[1] for pair in curve), widths.tolist(), strict=True)
    return replace(unit, end_worth=tuple(worths))
