"""Cuts around the dynamic programme: each round one programme, and a small program or two."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.crossings import with_crossings
from bess.decomposition.coupled_rows import CoupledRows, split
from bess.decomposition.cut_master import CutMaster, CutPoint, Cuts
from bess.decomposition.entries import Blocks, Entries, added
from bess.decomposition.trajectory_master import Trajectory, TrajectoryMaster, trajectory_of
from bess.dynamic_program import Optimum, kinks_at
from bess.errors import SolverError
from bess.highs import Clock
from bess.infeasibility import EnergyWindows, stated_windows, wanted_windows
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["not_by_cuts", "optimize_by_cuts"]

# The search ends when this many rounds have not brought the gap to this part of what it was.
_PATIENCE = 20
_LITTLE_NEARER = 0.9
# Blocks of some days, as long as what a cap holds for but no longer than this, cut where the worth
# of stored energy jumps: there a limit binds.
_BLOCK_HOURS = 120
_REACH_HOURS = 12
# A tariff's choices are made anew when no more than this part of the gap lies in those made before.
_LITTLE_LEFT = 0.01
# The next columns are those of the cuts, and this part of the way to the best that are known.
_TOWARDS_BEST = 0.1
_NEAR = 1e-4


def not_by_cuts(units: list[Unit], strategy: Optimize, money: Money) -> str | None:
    """Why a problem is not one for cuts around the dynamic programme; None where it may be."""
    if len(units) > 1:
        return "there are several devices"
    if money.charges is None:
        return "there is no tariff"
    if money.solar_metered_apart:
        return "the sun has a meter of its own"
    if units[0].battery.terminal_state_of_charge == "cyclic":
        return "the start is free"
    if strategy.allow_simultaneous:
        return "allow_simultaneous is set"
    return None


def optimize_by_cuts(
    site: Site, unit: Unit, strategy: Optimize, money: Money, clock: Clock
) -> Optimum | None:
    """The least-cost dispatch of a unit on a tariff; None where the tariff has rows of other kinds.

    A gap is left where steps are not convex and several schedules are mixed in the bound.

    Raises
    ------
    InfeasibleError
        Naming the first instant at which a policy or the terminal state of charge cannot be met, or
        the first step whose load is above the import limit.
    """
    assert money.charges is not None
    rows = split(money.charges)
    if rows is None:
        return None
    search = _Rounds(site, unit, strategy, money, rows, clock)
    try:
        return search.run()
    except SolverError:
        return None


def _imports(series: Floats) -> Floats:
    imports: Floats = series[0] + series[1]
    return imports


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


class _Rounds:
    """The best schedule known, the best bound, and the columns and prices to try next."""

    def __init__(
        self,
        site: Site,
        unit: Unit,
        strategy: Optimize,
        money: Money,
        rows: CoupledRows,
        clock: Clock,
    ) -> None:
        self._site, self._unit, self._money, self._clock = site, unit, money, clock
        self._strategy = strategy
        self._rows = rows
        self._oracle = _core.CutOracle(
            rows.cap_step, rows.cap_column, rows.cap_room, rows.cap_factor, rows.penalty
        )
        self._problem: _core.Problem
        self._stated: _core.Problem
        """With the sums at their prices."""
        self._prices: tuple[Floats, Floats]
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

    def run(self) -> Optimum | None:
        """Go round until the gap is reached, or no nearer; None where rounding leaves no answer."""
        site, unit = self._site, self._unit
        if not self._start(stated_windows(site, [unit])[0]) and not self._start(
            wanted_windows(site, [unit], self._strategy.relax_policies)[0]
        ):
            return None
        gaps = [np.inf] * _PATIENCE
        while True:
            self._close_in()
            gaps.append(self._gap)
            if self._gap <= self._strategy.gap or self._clock.passed:
                break
            if self._gap > _LITTLE_NEARER * gaps[-_PATIENCE]:
                break
            self._try_next()
        return self._optimum()

    @property
    def _gap(self) -> float:
        """How far the best schedule may be from the optimum, relative to its cost."""
        return (self._best.cost - self._bound) / max(1.0, abs(self._best.cost))

    def _start(self, windows: EnergyWindows) -> bool:
        """State the problem, and solve it without the tariff's rows; whether it is feasible."""
        device = self._unit.core_device(self._site.step_hours, windows)
        self._prices = self._money.import_price, self._money.export_price
        self._problem = _core.Problem(
            self._site._core, [device], *self._prices, False, end_value=self._money.end_value
        )
        self._stated = self._problem
        if not self._oracle.start(self._problem):
            return False
        self._value = self._oracle.evaluate(self._columns)
        if self._value == np.inf:
            return False
        self._blocks = self._cut_into_blocks()
        self._below = CutMaster(
            self._rows, self._blocks, self._part_bounds(), self._money.end_value, self._clock
        )
        if self._rows.sums:
            self._above = TrajectoryMaster(self._rows, self._blocks, self._clock)
        return True

    def _close_in(self) -> None:
        """What the oracle found last: a schedule from above, cuts from below."""
        cuts = self._cuts()
        energy = self._oracle.energy
        new = np.ones(self._blocks.count, np.bool_)
        if self._point is not None:
            little = 1e-10 * max(1.0, abs(self._best.cost)) / self._blocks.count
            new = self._below.values(cuts, self._point) > self._point.cost + little
        self._below.add(cuts, new)
        asked = self._strategy.gap * max(1.0, abs(self._best.cost))
        left = max(_LITTLE_LEFT * (self._best.cost - self._bound), 0.5 * asked)
        bound, self._point = self._below.solve(self._best.cost - left)
        self._bound = max(self._bound, bound)
        if self._above is None:
            cost = self._value + float(self._rows.cost @ self._columns) + self._rows.offset
            self._keep(cost, self._columns, energy)
        else:
            self._above.add(self._trajectory(energy))
            cost, columns, self._next_price, mixture = self._above.solve(self._point.columns)
            self._keep(cost, columns, mixture)
            if self._must_bill:
                self._keep(cost, columns, energy)

    @property
    def _must_bill(self) -> bool:
        """Whether only a bill tells what a schedule costs."""
        return not self._oracle.is_convex or len(self._rows.whole) > 0

    def _keep(self, cost: float, columns: Floats, energy: Floats) -> None:
        """Take a schedule if it is the best: at most at that cost, where all steps are convex."""
        flows = None
        if self._must_bill:
            flows = self._flows(energy)
            cost = self._money.cost_and_scale(*flows)[0]
        if cost < self._best.cost:
            self._best = _Schedule(cost, columns, energy, self._oracle.worth, self._stated, flows)

    def _flows(self, energy: Floats) -> tuple[Floats, Floats]:
        """The flows of a schedule: imports up to the caps where more would pay without them."""
        series, device_series, _ = _core.write_schedule(self._stated, energy)
        if self._oracle.is_convex:
            return series, device_series
        prices = self._prices
        dear = self._problem.at_prices(prices[0] + self._oracle.penalty, prices[1])
        low_series, low_device_series, _ = _core.write_schedule(dear, energy)
        cap, most, least = self._oracle.cap, _imports(series), _imports(low_series)
        series = np.where(most <= cap, series, low_series)
        device_series = np.where(most <= cap, device_series, low_device_series)
        between = (least < cap) & (cap < most)
        if between.any():
            wanted = np.where(between, cap, _imports(series))
            series = with_crossings(self._site, series, wanted, series[4] + series[7])
        series.flags.writeable = device_series.flags.writeable = False
        return series, device_series

    def _try_next(self) -> None:
        """Try columns near where the cuts are least, at the prices of the best mixture."""
        assert self._point is not None
        part = _TOWARDS_BEST if self._gap > _NEAR else _TOWARDS_BEST * self._gap / _NEAR
        self._columns = (1 - part) * self._point.columns + part * self._best.columns
        self._price = self._next_price
        if self._rows.sums:
            self._stated = self._priced()
            self._oracle.start(self._stated)
        self._value = self._oracle.evaluate(self._columns)

    def _optimum(self) -> Optimum | None:
        """The flows of the best schedule, with what they truly cost."""
        best = self._best
        flows = best.flows
        if flows is None:
            assert best.stated is not None
            series, device_series, feasible = _core.write_schedule(best.stated, best.energy)
            if not feasible:
                return None
            flows = series, device_series
        cost, scale = self._money.cost_and_scale(*flows)
        bound = min(self._bound, cost)
        gap = (cost - bound) / scale
        kinks = 0 if len(self._rows.whole) else kinks_at(*self._prices)
        return Optimum(*flows, cost, bound, gap, "core", best.worth, kinks)

    def _priced(self) -> _core.Problem:
        """The problem with the sums at their prices."""
        rows, money = self._rows, self._money
        price = self._price[rows.sum_row]
        steps = self._site.steps
        self._prices = (
            money.import_price + added(rows.sum_step, price * rows.sum_import, steps),
            money.export_price - added(rows.sum_step, price * rows.sum_export, steps),
        )
        return self._problem.at_prices(*self._prices)

    def _cut_into_blocks(self) -> Blocks:
        """Where the worth of energy jumps most, near the ends of days."""
        per_hour = 1 / self._site.step_hours
        each = self._site.steps / per_hour / max(len(np.unique(self._rows.cap_column)), 1)
        hours = min(_BLOCK_HOURS, max(each, 2 * _REACH_HOURS))
        length, reach = max(round(hours * per_hour), 1), round(_REACH_HOURS * per_hour)
        jump = np.abs(np.diff(self._oracle.worth, prepend=np.nan))
        steps = self._site.steps
        starts = [0]
        wanted = length
        while wanted < steps - length // 2:
            near = slice(max(wanted - reach, starts[-1] + 1), min(wanted + reach + 1, steps))
            starts.append(near.start + int(np.argmax(jump[near])))
            wanted = starts[-1] + length
        of_step = np.zeros(steps, np.int32)
        of_step[starts[1:]] = 1
        ends = [*starts, steps]
        low, high = self._oracle.limits
        return Blocks(
            np.array(starts, np.uint32),
            np.cumsum(of_step, dtype=np.int32),
            low[ends],
            high[ends],
            len(starts),
        )

    def _part_bounds(self) -> tuple[Floats, Floats]:
        """What a block's part of a sum lies between, whatever is done."""
        rows, site, battery = self._rows, self._site, self._unit.battery
        shape = (rows.sums, self._blocks.count)
        hours = site.step_hours
        most_import = site.load_kwh + battery.charge_power_kw * hours / battery.ac_to_dc_efficiency
        most_export = site.solar_kwh + battery.discharge_power_kw * hours
        block = self._blocks.of_step[rows.sum_step]
        ends = []
        for limit in (np.minimum, np.maximum):
            most = limit(rows.sum_import * most_import[rows.sum_step], 0.0)
            most = most + limit(rows.sum_export * most_export[rows.sum_step], 0.0)
            found = np.zeros(shape)
            np.add.at(found, (rows.sum_row, block), most)
            ends.append(found)
        return ends[0], ends[1]

    def _cuts(self) -> Cuts:
        numbers, count, column, value = self._oracle.cut(self._blocks.starts)
        block = np.repeat(np.arange(self._blocks.count, dtype=np.int32), count)
        slopes = Entries(block, column, value)
        return Cuts(numbers[:, 0], numbers[:, 1], numbers[:, 2], slopes, self._price)

    def _trajectory(self, energy: Floats) -> Trajectory:
        money, battery = self._money, self._unit.battery
        series, _ = self._flows(energy)
        wear = battery.degradation_cost_per_kwh / battery.dc_to_ac_efficiency
        bought, sold = _imports(series), series[4] + series[7]
        cost = money.import_price * bought - money.export_price * sold
        cost = cost + wear * (series[6] + series[7])
        stored = np.concatenate([self._oracle.limits[0, :1], energy])
        cost[-1] -= money.end_value * energy[-1]
        return trajectory_of(self._rows, self._blocks, stored, (bought, sold), cost)
