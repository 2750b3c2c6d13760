"""The sizes among which the best is looked for: ranges of capacity and power, or of one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bess._arrays import Floats, is_single, number
from bess.battery import SIZES
from bess.errors import InputError

__all__ = ["Sizes", "points_of", "sizes_of"]


@dataclass(frozen=True)
class Sizes:
    """A rectangle of capacity (kWh DC) and power (kW DC), or at a fixed duration a stretch."""

    capacity_kwh: tuple[float, float]
    power_kw: tuple[float, float]
    duration_hours: float | None = None
    """Where given, power is capacity over it."""

    @property
    def lower(self) -> Floats:
        """The least of each coordinate: capacity, and power where it is free of it."""
        return self._ends(0)

    @property
    def upper(self) -> Floats:
        return self._ends(1)

    def _ends(self, end: int) -> Floats:
        both = [self.capacity_kwh[end], self.power_kw[end]]
        return np.array(both if self.duration_hours is None else both[:1])

    def of(self, points: Floats) -> tuple[Floats, Floats]:
        """Capacities and powers of points, a row each."""
        if self.duration_hours is None:
            return points[:, 0], points[:, 1]
        return points[:, 0], points[:, 0] / self.duration_hours

    def within(self, lower: Floats, upper: Floats) -> Sizes:
        """The part of the sizes between two corners."""
        capacity, power = self.of(np.array([lower, upper]))
        ends = [(float(each[0]), float(each[1])) for each in (capacity, power)]
        return Sizes(ends[0], ends[1], self.duration_hours)

    def grid(self, count: int, lower: Floats, upper: Floats) -> list[Floats]:
        """The coordinates of a grid between two corners; one alone where they agree."""
        ends = zip(lower.tolist(), upper.tolist(), strict=True)
        return [np.linspace(a, b, count) if a < b else np.array([a]) for a, b in ends]


def points_of(axes: Sequence[Floats]) -> Floats:
    """Every combination of coordinates, a row each; the last coordinate changes fastest."""
    return np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)


def sizes_of(capacity_kwh: Any, power_kw: Any, duration_hours: Any) -> Sizes:
    """The sizes that a caller asks for.

    Raises
    ------
    InputError
        For what is no range of sizes, or where not exactly one of power and duration is given.
    """
    capacity = _range(capacity_kwh, "capacity_kwh")
    if (power_kw is None) == (duration_hours is None):
        reason = "is required, or else duration_hours" if power_kw is None else ""
        reason = reason or "cannot be given together with duration_hours"
        raise InputError.at("power_kw", reason)
    if duration_hours is None:
        return Sizes(capacity, _range(power_kw, "power_kw"))
    hours = number(duration_hours, "duration_hours")
    if not 1e-3 <= hours <= 1e6:
        raise InputError.at("duration_hours", "must be from 0.001 to 1e+06", duration_hours)
    least, most = (end * hours for end in SIZES["charge_power_kw"])
    capacity = max(capacity[0], least), capacity[1]
    if not capacity[0] <= capacity[1] <= most:
        reason = f"must have a most from {least:g} to {most:g} at {hours:g} hours"
        raise InputError.at("capacity_kwh", reason, capacity_kwh)
    return Sizes(capacity, (capacity[0] / hours, capacity[1] / hours), hours)


def _range(given: Any, path: str) -> tuple[float, float]:
    """Two ends, or one number; 0 stands for the least there is."""
    ends = [given, given] if not isinstance(given, str) and is_single(given) else given
    if isinstance(ends, (str, bytes)) or not isinstance(ends, (Sequence, np.ndarray)):
        raise InputError.at(path, "must be a pair (least, most)", given)
    if len(ends) != 2:
        raise InputError.at(path, "must be a pair (least, most)", given)
    least, most = SIZES["capacity_kwh"]
    low, high = (number(end, f"{path}[{i}]", minimum=0.0) for i, end in enumerate(ends))
    if high < low or not least <= high <= most:
        reason = f"must be a pair (least, most) in order, with a most from {least:g} to {most:g}"
        raise InputError.at(path, reason, given)
    return max(low, least), high
