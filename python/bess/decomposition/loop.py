"""Cuts around the dynamic programme: each round one programme, and a small program or two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.decomposition.blocks import Blocks, blocks_at, cut_into_blocks, part_bounds
from bess.decomposition.cap_search import CapSearch
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.cut_master import CutMaster, CutPoint, Cuts
from bess.decomposition.entries import Entries
from bess.decomposition.priced_steps import PricedSteps
from bess.decomposition.recollection import Recollection
from bess.decomposition.row_prices import RowPrices
from bess.decomposition.trajectory_master import TrajectoryMaster
from bess.dynamic_program import Optimum, kinks_at
from bess.highs import Clock
from bess.infeasibility import EnergyWindows, stated_windows, wanted_windows
from bess.limits import Limit, all_met
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["Rounds"]

# The search ends when this many rounds have not brought the gap to this part of what it was.
_PATIENCE = 20
_LITTLE_NEARER = 0.9
_LITTLE_PATIENCE = 8  # where boxes of caps may close what is left
# On fewer steps HiGHS is the faster one where boxes have not closed the gap after so many tries.
_MANY_STEPS = 2000
_TRIES = 16
# A tariff's choices are made anew when no more than this part of the gap lies in those made before.
_LITTLE_LEFT = 0.01
# The next columns are those of the cuts, and this part of the way to the best that are known.
_TOWARDS_BEST = 0.1
_NEAR = 1e-4
_SAME_COST = 1e-12
# Where nothing new is found, prices are tried by so much beside those of the cuts.
_ASIDE = 1e-6


class _Schedule(NamedTuple):
    cost: float
    columns: Floats
    """With which it is that cheap."""
    energy: Floats
    worth: Floats
    stated: _core.Problem | None
    """The problem whose prices tell its flows."""
    flows: tuple[Floats, Floats] | None
    """Where its prices alone do not tell them."""


class Rounds:
    """The best schedule known, the best bound, and the columns and prices to try next."""

    def __init__(
        self,
        site: Site,
        unit: Unit,
        strategy: Optimize,
        money: Money,
        limits: Sequence[Limit],
        rows: CoupledRows,
        clock: Clock,
    ) -> None:
        self._site, self._unit, self._money, self._clock = site, unit, money, clock
        self._strategy, self._limits = strategy, limits
        self._asked = strategy.gap
        """The gap relative to the cost; what a result tells is relative to the money that flows."""
        self._rows = rows
        self._oracle = _core.CutOracle(
            rows.cap_step, rows.cap_column, rows.cap_room, rows.cap_factor, rows.penalty
        )
        self._steps: PricedSteps
        self._blocks: Blocks
        self._below: CutMaster
        self._above: TrajectoryMaster | None = None
        self._columns = rows.upper  # nothing is capped
        self._value: float
        """What the steps cost with these columns, penalties included."""
        self._price = np.zeros(rows.sums)
        self._next_price = self._price
        self._best = _Schedule(np.inf, rows.upper, np.zeros(0), np.zeros(0), None, None)
        self._bound = -np.inf
        self._point: CutPoint | None = None
        self._idle = 0
        """How many rounds in a row have brought no cut that says anything new."""
        self._worths: list[Floats] = []  # by round
        self._worths_of_caps: list[Floats] = []

    def run(self, within: Optimum | None, similar: Recollection | None = None) -> Optimum | None:
        """Go round until the gap is reached, or no nearer; None where rounding leaves no answer."""
        site, unit = self._site, self._unit
        if not self._start(stated_windows(site, [unit])[0], similar) and not self._start(
            wanted_windows(site, [unit], self._strategy.relax_policies)[0], similar
        ):
            return None
        if within is not None:
            self._know(within.series, within.device_series)
        patience = _LITTLE_PATIENCE if self._can_branch else _PATIENCE
        gaps = [np.inf] * patience
        while True:
            self._close_in()
            gaps.append(self._gap)
            if self._gap <= self._asked:
                found = self._optimum()
                if found is None or found.gap <= self._strategy.gap:
                    return self._less_moved() or found
                self._asked *= 0.5 * self._strategy.gap / found.gap
            if self._clock.passed:
                break
            if max(self._gap, 0.0) > _LITTLE_NEARER * gaps[-patience]:
                break
            self._try_next()
        if self._gap > self._asked and self._can_branch:
            self._branch(self._asked)
        return self._optimum()

    def _less_moved(self) -> Optimum | None:
        """An optimum under looser caps that costs no more: it moves less energy; None: no other."""
        columns = self._rows.loosened(self._best.columns)
        if self._above is not None or self._must_bill or (columns == self._best.columns).all():
            return None
        value = self._oracle.evaluate(columns)
        cost = value + float(self._rows.cost @ columns) + self._rows.offset
        if cost > self._best.cost + _SAME_COST * max(1.0, abs(self._best.cost)):
            return None
        self._best = self._best._replace(
            columns=columns,
            energy=self._oracle.energy,
            worth=self._oracle.worth,
            stated=self._steps.sparing(self._oracle.penalty),
        )
        found = self._optimum()
        return found if found is not None and found.gap <= self._strategy.gap else None

    def _know(self, series: Floats, device_series: Floats) -> None:
        """Start from flows that keep the limits."""
        assert self._above is not None
        self._add_trajectory(series, device_series)
        _, columns, _, energy = self._above.solve(self._columns)
        cost, _ = self._money.cost_and_scale(series, device_series)
        flows = series, device_series
        self._best = _Schedule(cost, columns, energy, self._oracle.worth, self._steps.stated, flows)

    @property
    def row_prices(self) -> RowPrices:
        """With which the tariff's rows undercut nothing, and come to the cuts' last bound."""
        block = self._blocks.of_step[self._rows.cap_step]
        return RowPrices(self._below.mean(self._worths_of_caps, block), self._below.row_dual)

    @property
    def _can_branch(self) -> bool:
        """Whether boxes of caps may close a gap that steps that are not convex leave."""
        falls = len(self._unit.end_worth) > 1  # what the end is worth is one slope there
        sums = bool(self._rows.sums)
        return not (self._oracle.is_convex or sums or len(self._rows.whole) or falls)

    def _branch(self, gap: float) -> None:
        """Close the gap in boxes of the columns that cap import."""
        assert self._point is not None
        price = self.row_prices
        search = CapSearch(
            self._rows,
            self._steps.problem,
            self._oracle.limits,
            self._site,
            self._unit.battery,
            self._unit.end_worth[0][0] if self._unit.end_worth else 0.0,
            price,
            self._point.columns,
            self._clock,
        )
        gaps = [np.inf] * _PATIENCE
        is_short = self._strategy.engine == "auto" and self._site.steps < _MANY_STEPS
        while self._gap <= _LITTLE_NEARER * gaps[-_PATIENCE]:
            if is_short and len(gaps) == _PATIENCE + _TRIES:
                return
            gaps.append(self._gap)
            self._bound = max(self._bound, search.bound)
            wanted = gap * max(1.0, abs(self._best.cost))
            found = search.descend(self._best.cost, wanted)
            if found is not None:
                energy, columns = found
                self._oracle.evaluate(columns)
                self._keep(np.inf, columns, energy)
                self._keep(np.inf, columns, self._oracle.energy)
            self._bound = max(self._bound, search.bound)
            if self._gap <= gap or self._clock.passed:
                return

    @property
    def _gap(self) -> float:
        """How far the best schedule may be from the optimum, relative to its cost."""
        return (self._best.cost - self._bound) / max(1.0, abs(self._best.cost))

    def _start(self, windows: EnergyWindows, similar: Recollection | None) -> bool:
        """State the problem, and solve it without the tariff's rows; whether it is feasible."""
        rows = self._rows
        self._steps = PricedSteps(self._site, self._unit, self._money, self._rows, windows)
        if not self._oracle.start(self._steps.stated):
            return False
        if similar is not None and not self._takes(similar):
            similar = None
        if similar is not None:
            self._columns = similar.columns
        self._value = self._oracle.evaluate(self._columns)
        if self._value == np.inf:
            return False
        if similar is None:
            caps, worth = len(np.unique(rows.cap_column)), self._oracle.worth
            self._blocks = cut_into_blocks(self._site, caps, worth, self._oracle.limits)
        else:
            self._blocks = blocks_at(similar.starts, self._oracle.limits)
        parts = part_bounds(rows, self._blocks, self._site, self._unit.battery)
        self._below = CutMaster(rows, self._blocks, parts, self._unit.end_worth, self._clock)
        for worth, cut in () if similar is None else similar.heaviest():
            self._below.add(self._cuts(worth), cut)
        if rows.sums:
            self._above = TrajectoryMaster(rows, self._blocks, self._clock)
        return True

    def _takes(self, similar: Recollection) -> bool:
        """Whether another battery's search has cuts to begin with here, and columns to pay for."""
        rows = self._rows
        alike = (
            len(similar.columns) == len(rows.cost) and len(similar.worths[0]) == self._site.steps
        )
        by_cuts = self._oracle.is_convex and not rows.sums and not len(rows.whole)
        return alike and by_cuts and rows.hold(similar.columns)

    def _close_in(self) -> None:
        """What the oracle found last: a schedule from above, cuts from below."""
        cuts = self._cuts(self._oracle.worth)
        energy = self._oracle.energy
        new = np.ones(self._blocks.count, np.bool_)
        if self._point is not None:
            little = 1e-10 * max(1.0, abs(self._best.cost)) / self._blocks.count
            new = self._below.values(cuts, self._point) > self._point.cost + little
        self._below.add(cuts, new)
        asked = self._asked * max(1.0, abs(self._best.cost))
        left = max(_LITTLE_LEFT * (self._best.cost - self._bound), 0.5 * asked)
        bound, self._point = self._below.solve(self._best.cost - left)
        self._bound = max(self._bound, bound)
        self._idle = 0 if new.any() else self._idle + 1
        if self._above is None:
            cost = self._value + float(self._rows.cost @ self._columns) + self._rows.offset
            self._keep(cost, self._columns, energy)
        else:
            self._add_trajectory(*self._steps.flows(self._oracle, energy))
            cost, columns, self._next_price, mixture = self._above.solve(self._point.columns)
            self._keep(cost, columns, mixture)
            if self._must_bill:
                self._keep(cost, columns, energy)

    @property
    def _must_bill(self) -> bool:
        """Whether only a bill tells what a schedule costs."""
        return (
            not self._oracle.is_convex
            or len(self._rows.whole) > 0
            or not all(limit.keeps_order for limit in self._limits)
        )

    def _keep(self, cost: float, columns: Floats, energy: Floats) -> None:
        """Take a schedule if it is the best: at most at that cost, where all steps are convex."""
        flows = None
        if self._must_bill:
            flows = self._steps.flows(self._oracle, energy)
            if not all_met(self._limits, *flows):
                return
            cost = self._money.cost_and_scale(*flows)[0]
        if cost < self._best.cost:
            stated = self._steps.sparing(self._oracle.penalty)
            self._best = _Schedule(cost, columns, energy, self._oracle.worth, stated, flows)

    def _try_next(self) -> None:
        """Try columns near where the cuts are least, at the prices of the best mixture."""
        assert self._point is not None
        part = _TOWARDS_BEST if self._gap > _NEAR else _TOWARDS_BEST * self._gap / _NEAR
        self._price = self._next_price
        if self._idle and self._rows.sums:  # ties of prices: to both sides of them by turns
            part = 0.0
            self._price = self._point.price * (1 + _ASIDE * (-1) ** self._idle)
        self._columns = (1 - part) * self._point.columns + part * self._best.columns
        if self._rows.sums:
            self._steps.set(self._price)
            self._oracle.start(self._steps.stated)
        self._value = self._oracle.evaluate(self._columns)

    def _optimum(self) -> Optimum | None:
        """The flows of the best schedule, with what they truly cost."""
        best = self._best
        flows = best.flows
        if flows is None:
            assert best.stated is not None
            series, device_series, feasible = _core.write_schedule(best.stated, best.energy)
            if not feasible or not all_met(self._limits, series, device_series):
                return None
            flows = series, device_series
        cost, scale = self._money.cost_and_scale(*flows)
        bound = min(self._bound, cost)
        gap = (cost - bound) / scale
        of_tariff = self._rows.sums - len(self._limits)
        prices = self._steps.prices_at(
            np.where(np.arange(self._rows.sums) < of_tariff, self._price, 0.0)
        )
        kinks = 0 if len(self._rows.whole) else kinks_at(*prices)
        found = Recollection(
            self._blocks.starts, best.columns, self._worths, self._below.chosen, self._below.weight
        )
        return Optimum(*flows, cost, bound, gap, "core", best.worth, kinks, found)

    def _cuts(self, worth: Floats) -> Cuts:
        """What worths of stored energy say of each block."""
        numbers, count, column, value = self._oracle.cut(worth, self._blocks.starts)
        self._worths.append(worth)
        self._worths_of_caps.append(self._oracle.worth_of_cap)
        block = np.repeat(np.arange(self._blocks.count, dtype=np.int32), count)
        slopes = Entries(block, column, value)
        return Cuts(numbers[:, 0], numbers[:, 1], numbers[:, 2], slopes, self._price)

    def _add_trajectory(self, series: Floats, device_series: Floats) -> None:
        """Add what flows do, and cost at the steps' own prices, without the columns' part."""
        assert self._above is not None
        crossing, cost = self._steps.costs_of(series, device_series)
        energy = device_series[0, 4] * self._unit.battery.capacity_kwh
        stored = np.concatenate([self._oracle.limits[0, :1], energy])
        self._above.add(stored, crossing, cost)
