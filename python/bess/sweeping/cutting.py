"""The size of least cost where the cost is convex in it, proven.

With perfect foresight, and steps that are all convex, the least cost of a year is the value of a
linear program in whose right-hand side capacity and power stand, so it is jointly convex in them.
What stored energy is worth by step, found for one size, gives by weak duality a line (a plane) that
is nowhere above that cost. The highest of such planes at each size is a model from below; where it
is least, the next size is tried, until cost and model meet there.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.battery import Battery
from bess.dynamic_program import StepSolver
from bess.growing_program import GrowingProgram
from bess.highs import Clock
from bess.prices import Prices
from bess.site import Site
from bess.strategy import Optimize
from bess.sweeping.sizes import Sizes, points_of
from bess.unit import Unit

__all__ = ["CutSearch", "Proven"]

_SAME = 1e-9
"""Relative to what is paid: costs that differ by less are the same."""
_MOST_ROUNDS = 300


class Proven(NamedTuple):
    """The point of least cost, that cost, what none is below, and how many were tried."""

    point: Floats
    cost: float
    bound: float
    tried: int


class CutSearch:
    """Looks for the size with the least of ``weight`` times energy at prices, plus ``slopes``.

    ``slopes`` are money for each kWh and kW of size.
    """

    def __init__(
        self,
        site: Site,
        battery: Battery,
        strategy: Optimize,
        prices: Prices,
        sizes: Sizes,
        weight: float,
        slopes: tuple[float, float],
    ) -> None:
        self._site, self._battery, self._strategy = site, battery, strategy
        self._prices = prices.series(site.steps)
        self._sizes, self._weight, self._slopes = sizes, weight, slopes

    def cut(self, point: Floats) -> tuple[float, Floats] | None:
        """The cost at a point and its slopes there; None where it is not known to be convex."""
        capacity, power = (float(value[0]) for value in self._sizes.of(point[None]))
        size = {"capacity_kwh": capacity, "charge_power_kw": power, "discharge_power_kw": power}
        unit = Unit(None, self._battery.model_copy(update=size), 10, 10, ())
        problem = StepSolver(self._site, unit, self._strategy).problem(*self._prices)
        found = _core.size_cut(problem)
        if found is None:
            return None
        cost, per_capacity, per_charge, per_discharge = found
        a = self._weight * per_capacity + self._slopes[0]
        b = self._weight * (per_charge + per_discharge) * self._site.step_hours + self._slopes[1]
        total = self._weight * cost + self._slopes[0] * capacity + self._slopes[1] * power
        hours = self._sizes.duration_hours
        return total, np.array([a, b] if hours is None else [a + b / hours])

    def run(self) -> Proven | None:
        """The least cost; None where steps are not convex, or a size cannot serve the site."""
        low, high = self._sizes.lower, self._sizes.upper
        ends = [np.unique([a, b]) for a, b in zip(low, high, strict=True)]
        todo = [*points_of(ends)[::-1], (low + high) / 2]  # the largest first: is it convex there?
        model: _Model | None = None
        best, best_point, bound, tried = np.inf, todo[0], -np.inf, 0
        while tried < _MOST_ROUNDS:
            point = todo.pop(0)
            found = self.cut(point)
            if found is None:
                return None
            cost, slopes = found
            tried += 1
            if model is None:
                model = _Model(low, high, max(1.0, abs(cost)))
            model.add(cost - float(slopes @ point), slopes)
            if cost < best:
                best, best_point = cost, point
            if not todo:
                least, below = model.least()
                todo.append(least)
                bound = max(bound, below)
                if best - bound <= _SAME * model.scale:
                    break
        return Proven(best_point, best, bound, tried)


class _Model:
    """The highest of planes, least over a box; columns are parts of the box, and the cost."""

    def __init__(self, low: Floats, high: Floats, scale: float) -> None:
        self.scale = scale
        self._low, self._width = low, high - low
        self._planes: list[tuple[float, Floats]] = []
        size = len(low)
        self._program = GrowingProgram(Clock(None), adds_columns=False)
        far = [np.inf]
        self._program.add_columns(
            np.append(np.zeros(size), 1.0),
            np.append(np.zeros(size), np.negative(far)),
            np.append(np.ones(size), far),
        )

    def add(self, constant: float, slopes: Floats) -> None:
        """Hold the cost above a plane."""
        at_low = (constant + float(slopes @ self._low)) / self.scale
        scaled = slopes * self._width / self.scale
        self._planes.append((at_low, scaled))
        index = np.arange(len(slopes) + 1, dtype=np.int32)
        self._program.add_rows(
            np.array([at_low]),
            np.array([np.inf]),
            np.zeros(1, np.int32),
            index,
            np.append(-scaled, 1.0),
        )

    def least(self) -> tuple[Floats, float]:
        """Where the model is least, and by weak duality what it is nowhere below."""
        columns, duals = self._program.solve()
        part = np.clip(columns[:-1], 0.0, 1.0)
        weight = np.maximum(duals, 0.0)
        weight /= weight.sum()
        constants, slopes = (np.array(each) for each in zip(*self._planes, strict=True))
        bound = weight @ constants + np.minimum(weight @ slopes, 0.0).sum()
        return self._low + part * self._width, float(bound) * self.scale
