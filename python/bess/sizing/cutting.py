"""The size of least cost, closed in by planes that no size's cost is below.

The highest of the planes at each size is a model from below; where it is least, the next size is
tried, until cost and model meet there, or a plane says nothing new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bess._arrays import Floats
from bess.growing_program import GrowingProgram
from bess.highs import Clock
from bess.sizing.planes import Plane, Planes
from bess.sizing.sizes import Sizes, points_of

__all__ = ["Proven", "least_by_planes"]

_MOST_ROUNDS = 300
_ROUNDING = 1e-6
"""Of a range: by so much more is left in it than may be left out."""
_LESS = 0.9
"""The largest power is found anew where it is less than this part of what it was."""
_NEAR = 4.0
"""A plane's distance below the cost, and what costs that differ by it let be missed."""


class Proven(NamedTuple):
    """The best point tried, its cost, what none is below, and how many were tried."""

    point: Floats
    cost: float
    bound: float
    tried: int
    near: float
    """How near cost and bound come where all is convex."""
    hulls: int
    """How many steps are not convex."""
    failed: int
    """How many of the sizes tried cannot be dispatched."""


def least_by_planes(
    make: Callable[[tuple[float, float]], Planes | str],
    sizes: Sizes,
    weight: float,
    slopes: tuple[float, float],
) -> Proven | str:
    """The size of least ``weight`` times the cost of a year, plus ``slopes``; or why not.

    ``make`` gives planes up to a largest capacity and power; ``slopes`` are money for each kWh and
    kW of size. Where steps are not convex, planes come the nearer the less the largest power is:
    they are found anew for the sizes that the first ones leave, as long as that helps.
    """
    search = _Search(weight, slopes)
    while True:
        planes = make((sizes.capacity_kwh[1], sizes.power_kw[1]))
        if isinstance(planes, str):
            return planes
        near = search.close_in(planes, sizes)
        if near is None:
            return "no size that was tried can be dispatched"
        if search.hulls and search.cost - search.bound > near:
            left = sizes.within(*search.left())
            if left.power_kw[1] < _LESS * sizes.power_kw[1]:
                sizes = left
                continue
        return Proven(
            search.point, search.cost, search.bound, search.tried, near, search.hulls, search.failed
        )


class _Search:
    """The best size known, and what none is below."""

    def __init__(self, weight: float, slopes: tuple[float, float]) -> None:
        self._weight, self._slopes = weight, slopes
        self._model: _Model
        self.point: Floats
        self.cost, self.bound = np.inf, -np.inf
        self.tried = self.hulls = self.failed = 0

    def close_in(self, planes: Planes, sizes: Sizes) -> float | None:
        """Try sizes until a plane says nothing new; how near cost and bound come where all is
        convex. None where no size could be dispatched.
        """
        low, high = sizes.lower, sizes.upper
        ends = [np.unique([a, b]) for a, b in zip(low, high, strict=True)]
        todo = [*points_of(ends)[::-1], (low + high) / 2]
        model: _Model | None = None
        near, below = 0.0, -np.inf
        for _ in range(_MOST_ROUNDS):
            point = todo.pop(0)
            capacity, power = (float(value[0]) for value in sizes.of(point[None]))
            plane = planes.at(capacity, power)
            self.tried, least = self.tried + 1, -np.inf
            if plane is None:
                self.failed += 1
            else:
                cost, least, slope = self._of(plane, sizes, capacity, power)
                if model is None:
                    model = self._model = _Model(low, high, max(1.0, abs(cost)))
                    near = planes.nearness * model.scale
                model.add(least - float(slope @ point), slope)
                self.hulls = max(self.hulls, plane.hulls)
                if cost < self.cost:
                    self.cost, self.point = cost, point
            if todo:
                continue
            # Where the model was least there is no higher plane, or no battery.
            if model is None or (below > -np.inf and least <= below + near):
                break
            at_least, below = model.least()
            todo.append(at_least)
            self.bound = max(self.bound, min(below, self.cost))
            if self.cost - self.bound <= near:
                break
        return None if model is None else _NEAR * near

    def _of(
        self, plane: Plane, sizes: Sizes, capacity: float, power: float
    ) -> tuple[float, float, Floats]:
        """The total at a size, its plane there, and the plane's slopes by coordinate."""
        of_size = self._slopes[0] * capacity + self._slopes[1] * power
        cost, least = (self._weight * each + of_size for each in (plane.cost, plane.least))
        a = self._weight * plane.per_kwh + self._slopes[0]
        b = self._weight * plane.per_kw + self._slopes[1]
        hours = sizes.duration_hours
        return cost, least, np.array([a, b] if hours is None else [a + b / hours])

    def left(self) -> tuple[Floats, Floats]:
        """The ends of what the planes leave: no other size costs less than the best."""
        return self._model.where_below(self.cost)


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

    def where_below(self, cost: float) -> tuple[Floats, Floats]:
        """The ends of the part of the box where no plane is above a cost."""
        constants, slopes = (np.array(each) for each in zip(*self._planes, strict=True))
        count, size = slopes.shape
        ends = np.zeros((2, size))
        for i in range(size):
            for end, sign in enumerate((1.0, -1.0)):
                program = GrowingProgram(Clock(None), adds_columns=False)
                program.add_columns(sign * (np.arange(size) == i), np.zeros(size), np.ones(size))
                program.add_rows(
                    np.full(count, -np.inf),
                    cost / self.scale - constants + _ROUNDING,
                    np.arange(0, count * size, size, dtype=np.int32),
                    np.tile(np.arange(size, dtype=np.int32), count),
                    slopes.ravel(),
                )
                part = program.solve()[0][i] - sign * _ROUNDING
                ends[end, i] = np.clip(part, 0.0, 1.0)
        return self._low + ends[0] * self._width, self._low + ends[1] * self._width
