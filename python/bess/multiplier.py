"""The exact optimum of one battery at prices by step under one limit on a sum over all steps.

At a price on the sum the limit may be left out, and the dynamic programme answers at once; whatever
the price, its bound less the price of what the limit allows is a bound here. The best price is a
kink of that concave function: two schedules are optimal at it, one on each side of the limit. Both
follow the same energies for most of the horizon; where they part, the answer goes with one or the
other, and for one stretch lies between them, so that the limit is met exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.dynamic_program import Optimum, Solved, StepSolver, certified
from bess.limits import Limit
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["optimize_within"]

# Relative to the money that flows: costs that differ by less are the same.
_SAME_COST: Final = 1e-12
_SAME_ENERGY: Final = 1e-12
_MOST_PRICES: Final = 200


@dataclass(frozen=True, eq=False)
class _Trial:
    """An optimal schedule at a price on the limited sum."""

    price: float
    solved: Solved
    cost: float
    """Of energy and wear alone, without the price on the sum."""
    total: float
    """What the sum comes to."""


def optimize_within(
    site: Site, unit: Unit, strategy: Optimize, money: Money, limit: Limit
) -> Optimum | None:
    """The least-cost dispatch of a unit at prices by step; None where rounding leaves none.

    Where all steps are convex the gap is rounding; where they are not, what one stretch between
    two optimal schedules is worth at most.

    Raises
    ------
    InfeasibleError
        Where the limit, a policy or the terminal state of charge cannot be met, or a load is above
        the import limit.
    """
    return _Search(site, unit, strategy, money, limit).run()


class _Search:
    def __init__(
        self, site: Site, unit: Unit, strategy: Optimize, money: Money, limit: Limit
    ) -> None:
        self._unit = unit
        self._asked = site, strategy
        self._money = money
        self._limit = limit
        self._solver = StepSolver(site, unit, strategy)
        self._prices = Money(money.import_price, money.export_price, [unit])
        self._bound = -np.inf

    def run(self) -> Optimum | None:
        over = self._trial(0.0)
        if over is None:
            return None
        if over.total <= self._limit.most:
            return self._certified(over.solved.series, over.solved.device_series, over)
        within = self._least()
        if within is None:
            return None
        for _ in range(_MOST_PRICES):
            # The price at which both cost the same: the best one, unless a third costs less there.
            price = (within.cost - over.cost) / (over.total - within.total)
            if not price > 0:
                break
            found = self._trial(price)
            if found is None:
                return None
            both = over.cost + price * over.total
            if both - (found.cost + price * found.total) <= _SAME_COST * self._scale(over, price):
                return self._between(over, within, found)
            if found.total <= self._limit.most:
                within = found
            else:
                over = found
        return self._certified(within.solved.series, within.solved.device_series, within)

    def _at(self, price: float) -> tuple[Floats, Floats, float]:
        """Prices and wear with a price on the sum."""
        limit, battery = self._limit, self._unit.battery
        drawn = float(limit.drawn[0]) * battery.dc_to_ac_efficiency
        return (
            self._money.import_price + price * limit.imported,
            self._money.export_price - price * limit.exported,
            battery.degradation_cost_per_kwh + price * drawn,
        )

    def _trial(self, price: float) -> _Trial | None:
        solved = self._solver.solve(*self._at(price))
        if solved is None:
            return None
        self._bound = max(self._bound, solved.lower_bound - price * self._limit.most)
        return self._tried(price, solved)

    def _tried(self, price: float, solved: Solved) -> _Trial:
        flows = solved.series, solved.device_series
        cost, _ = self._prices.cost_and_scale(*flows)
        return _Trial(price, solved, cost, float(self._limit.by_step(*flows).sum()))

    def _least(self) -> _Trial | None:
        """A schedule of the least sum. Raises `InfeasibleError` where that is above the limit."""
        limit = self._limit
        drawn = float(limit.drawn[0]) * self._unit.battery.dc_to_ac_efficiency
        site, strategy = self._asked
        solver = StepSolver(site, self._unit.unvalued, strategy)
        solved = solver.solve(limit.imported, -limit.exported, drawn)
        if solved is None:
            return None
        found = self._tried(np.inf, solved)
        if not limit.is_met(found.total):
            raise limit.refused(solved.lower_bound)
        return found

    def _scale(self, trial: _Trial, price: float) -> float:
        flows = trial.solved.series, trial.solved.device_series
        sums = price * float(abs(self._limit.by_step(*flows)).sum())
        return self._prices.cost_and_scale(*flows)[1] + sums

    def _between(self, over: _Trial, within: _Trial, last: _Trial) -> Optimum:
        """Of schedules made of two that are equally good, the one that uses most of the limit."""
        flows, more = within.solved, over.solved
        of_each = [self._limit.by_step(s.series, s.device_series) for s in (flows, more)]
        stretch = _stretches(flows.device_series[0, 4], more.device_series[0, 4])
        if self._unit.battery.terminal_state_of_charge == "cyclic" and stretch[-1] > 0:
            stretch[stretch == stretch[-1]] = 0  # the end is the start
        gained = np.cumsum(np.bincount(stretch, of_each[1] - of_each[0]))
        room = max(self._limit.most - within.total, 0.0)
        cut = int(np.argmax(gained > room))
        before = float(gained[cut - 1]) if cut else 0.0
        whole = (stretch < cut).astype(np.float64)
        part = (room - before) / (float(gained[cut]) - before)
        candidates = [self._mixed(flows, more, whole, 0.0)]
        if part > 0:
            split = np.where(stretch == cut, part, whole)
            candidates.append(self._mixed(flows, more, split, last.price))
        found = [
            self._certified(*mixed, last)
            for mixed in candidates
            if mixed is not None and self._limit.is_met(float(self._limit.by_step(*mixed).sum()))
        ]
        return min(found, key=lambda optimum: optimum.cost)

    def _mixed(
        self, flows: Solved, more: Solved, weight: Floats, price: float
    ) -> tuple[Floats, Floats] | None:
        """Both schedules' flows, weighted by step; where two things happen at once, settled."""
        series = (1 - weight) * flows.series + weight * more.series
        device_series = (1 - weight) * flows.device_series + weight * more.device_series
        split = (weight > 0) & (weight < 1)
        both = split & _at_once(series)
        if both.any():
            energy = device_series[0, 4] * self._unit.battery.capacity_kwh
            problem = self._solver.problem(*self._at(price))
            settled, of_device, feasible = _core.write_schedule(problem, energy)
            if not feasible:
                return None
            series[:, both], device_series[:, :, both] = settled[:, both], of_device[:, :, both]
        series.flags.writeable = device_series.flags.writeable = False
        return series, device_series

    def _certified(self, series: Floats, device_series: Floats, at: _Trial) -> Optimum:
        worth = at.solved.marginal_value
        return certified(self._unit, self._money, series, device_series, self._bound, worth)


def _at_once(series: Floats) -> NDArray[np.bool_]:
    """The steps that import and export, or charge and discharge."""
    imports, exports = series[0] + series[1], series[4] + series[7]
    charge, discharge = series[1] + series[2], series[6] + series[7]
    found: NDArray[np.bool_] = (np.minimum(imports, exports) > 0) | (
        np.minimum(charge, discharge) > 0
    )
    return found


def _stretches(state_of_charge: Floats, other: Floats) -> NDArray[np.intp]:
    """Numbers the stretches between the steps at whose end two schedules hold the same energy."""
    meet = abs(state_of_charge - other) <= _SAME_ENERGY
    return np.concatenate([[0], np.cumsum(meet[:-1])]).astype(np.intp)
