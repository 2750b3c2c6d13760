"""How capacity, solar and prices move over the years: factors on those of year 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from bess._arrays import Floats, number
from bess.battery import Battery
from bess.device import BessDevice
from bess.errors import InputError, join_path, nearest_name

__all__ = ["compounded", "faded_battery", "remaining_capacity"]

_KEYS: Final = {
    "percentPerYear": "percentPerYear",
    "percent_per_year": "percentPerYear",
    "kwhPerYear": "kwhPerYear",
    "kwh_per_year": "kwhPerYear",
}
_LEAST: Final = 1e-3
_MOST: Final = 1e9


def compounded(percent: Any, path: str, years: int, *, falls: bool) -> Floats:
    """Factors of the years 1 to ``years`` on year 1, for a change of so many percent a year.

    >>> compounded(10, "rate_inflation_percent", 3, falls=False).round(4).tolist()
    [1.0, 1.1, 1.21]
    """
    given = number(percent, path)
    if falls and not 0 <= given < 100:
        raise InputError.at(path, "must be at least 0 and below 100", percent)
    if not falls and not -50 <= given <= 100:
        raise InputError.at(path, "must be from -50 to 100", percent)
    yearly = 1 - given / 100 if falls else 1 + given / 100
    factors: Floats = yearly ** np.arange(years, dtype=np.float64)
    if factors[-1] > _MOST:
        raise InputError.at(path, f"makes more than {_MOST:g} of 1 in {years} years", percent)
    return factors


def remaining_capacity(degradation: Any, years: int, capacity_kwh: float) -> Floats:
    """The part of its capacity that a battery has in each year; 1 in the first.

    ``{"percentPerYear": p}`` compounds, ``{"kwhPerYear": x}`` takes away as much every year (of all
    devices together); None: it does not fade.

    >>> remaining_capacity({"kwhPerYear": 0.5}, 3, 10.0).tolist()
    [1.0, 0.95, 0.9]
    """
    path = "battery_degradation"
    if degradation is None:
        return np.ones(years)
    if not isinstance(degradation, Mapping) or len(degradation) != 1:
        reason = 'must be {"percentPerYear": number} or {"kwhPerYear": number}'
        raise InputError.at(path, reason, degradation)
    ((key, value),) = degradation.items()
    own = join_path(path, str(key))
    if key not in _KEYS:
        guess = nearest_name(str(key), ("percentPerYear", "kwhPerYear"))
        hint = f"did you mean {guess}?" if guess else "known fields: percentPerYear, kwhPerYear"
        raise InputError.at(own, f"is not a known field; {hint}", value)
    if _KEYS[key] == "percentPerYear":
        left = compounded(value, own, years, falls=True)
    else:
        lost = number(value, own, minimum=0.0)
        left = 1.0 - lost / capacity_kwh * np.arange(years, dtype=np.float64)
    if left[-1] < _LEAST:
        year = int(np.argmax(left < _LEAST)) + 1
        raise InputError.at(own, f"leaves nothing of {capacity_kwh:g} kWh in year {year}", value)
    return left


def faded_battery(
    battery: Battery | BessDevice | Sequence[BessDevice],
    left: float,
    initial_state_of_charge: float | None,
) -> Battery | list[BessDevice]:
    """The battery with a part of its capacity, all of its power, and the fractions of its limits.

    A `Battery` starts at ``initial_state_of_charge`` where one is given.
    """
    if isinstance(battery, Battery):
        changed = {"capacity_kwh": battery.capacity_kwh * left}
        if initial_state_of_charge is not None:
            changed["initial_state_of_charge"] = initial_state_of_charge
        return battery.model_copy(update=changed)
    devices = [battery] if isinstance(battery, BessDevice) else battery
    return [
        device.model_copy(
            update={"operational_battery_capacity": device.operational_battery_capacity * left}
        )
        for device in devices
    ]
