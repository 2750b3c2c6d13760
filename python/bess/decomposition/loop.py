"""Cuts around the dynamic programme: each round one programme, and a small program or two."""

from __future__ import annotations

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows, split
from bess.decomposition.cut_master import CutMaster, CutPoint, Cuts
from bess.decomposition.entries import Blocks, Entries, added
from bess.decomposition.trajectory_master import Trajectory, TrajectoryMaster
from bess.dynamic_program import Optimum
from bess.errors import SolverError
from bess.highs import Clock
from bess.infeasibility import EnergyWindows, stated_windows, wanted_windows
from bess.money import Money
from bess.site import Site
from bess.strategy import Optimize
from bess.unit import Unit

__all__ = ["not_by_cuts", "optimize_by_cuts"]

_MOST_ROUNDS = 150
# Blocks of some days, cut where the worth of stored energy jumps: there a limit binds.
_BLOCK_HOURS = 120
_REACH_HOURS = 12
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
    """The least-cost dispatch of a unit on a tariff; None where it is not proven.

    That is where the tariff has rows of other kinds, or choices, or where importing may earn money,
    or exporting more than importing costs.

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
    search = _Rounds(site, unit, money, rows, clock)
    if not search.start(stated_windows(site, unit)) and not search.start(
        wanted_windows(site, [unit], strategy.relax_policies)[0]
    ):
        return None
    for _ in range(_MOST_ROUNDS):
        if not search.go_round():
            return None
        if search.gap <= strategy.gap or clock.passed:
            break
        search.choose_next()
    return search.optimum(strategy.gap)


class _Rounds:
    """The best schedule known, the best bound, and the columns and prices to try next."""

    def __init__(
        self, site: Site, unit: Unit, money: Money, rows: CoupledRows, clock: Clock
    ) -> None:
        self._site, self._unit, self._money, self._clock = site, unit, money, clock
        self._rows = rows
        self._oracle = _core.CutOracle(
            rows.cap_step, rows.cap_column, rows.cap_room, rows.cap_factor, rows.penalty
        )
        self._problem: _core.Problem
        self._blocks: Blocks
        self._below: CutMaster
        self._above: TrajectoryMaster | None = None
        self._columns = rows.upper  # nothing is capped
        self._price = np.zeros(rows.sums)
        self._next_price = self._price
        self._best_columns = rows.upper
        self._energy: Floats
        self._worth: Floats
        self._cost = np.inf
        self._bound = -np.inf
        self._point: CutPoint | None = None

    @property
    def gap(self) -> float:
        """How far the best schedule may be from the optimum, relative to its cost."""
        return (self._cost - self._bound) / max(1.0, abs(self._cost))

    def start(self, windows: EnergyWindows) -> bool:
        """State the problem, and solve it without the tariff's rows; whether it is feasible."""
        device = self._unit.core_device(self._site.step_hours, windows)
        prices = self._money.import_price, self._money.export_price
        self._problem = _core.Problem(self._site._core, [device], *prices, False)
        if not self._oracle.start(self._problem):
            return False
        if self._oracle.evaluate(self._columns) == np.inf:
            return False
        self._blocks = self._cut_into_blocks()
        self._below = CutMaster(self._rows, self._blocks, self._part_bounds(), self._clock)
        if self._rows.sums:
            self._above = TrajectoryMaster(self._rows, self._blocks, self._clock)
        return True

    def go_round(self) -> bool:
        """Try the columns and prices: a schedule from above, cuts from below.

        False where the prices are none for the core.
        """
        if self._rows.sums and not self._oracle.start(self._priced()):
            return False
        value = self._oracle.evaluate(self._columns)
        cuts = self._cuts()
        if self._above is None:
            cost = value + float(self._rows.cost @ self._columns) + self._rows.offset
            columns, energy = self._columns, self._oracle.energy
        else:
            self._above.add(self._trajectory())
            cost, columns, self._next_price, energy = self._above.solve()
        if cost < self._cost:
            self._cost, self._best_columns, self._energy = cost, columns, energy
            self._worth = self._oracle.worth
        new = np.ones(self._blocks.count, np.bool_)
        if self._point is not None:
            little = 1e-10 * max(1.0, abs(self._cost)) / self._blocks.count
            new = self._below.values(cuts, self._point) > self._point.cost + little
        self._below.add(cuts, new)
        bound, self._point = self._below.solve()
        self._bound = max(self._bound, bound)
        return True

    def choose_next(self) -> None:
        """Columns near where the cuts are least, and the prices of the best mixture."""
        assert self._point is not None
        part = _TOWARDS_BEST if self.gap > _NEAR else _TOWARDS_BEST * self.gap / _NEAR
        self._columns = (1 - part) * self._point.columns + part * self._best_columns
        self._price = self._next_price

    def optimum(self, gap: float) -> Optimum | None:
        """The flows of the best schedule, with what they truly cost."""
        series, device_series, feasible = _core.write_schedule(self._problem, self._energy)
        if not feasible:
            return None
        cost, scale = self._money.cost_and_scale(series, device_series)
        bound = min(self._bound, cost)
        reached = (cost - bound) / scale
        if reached > gap and not self._clock.passed:
            return None
        return Optimum(series, device_series, cost, bound, reached, "core", self._worth)

    def _priced(self) -> _core.Problem:
        """The problem with the sums at their prices."""
        rows, money = self._rows, self._money
        price = self._price[rows.sum_row]
        steps = self._site.steps
        return self._problem.at_prices(
            money.import_price + added(rows.sum_step, price * rows.sum_import, steps),
            money.export_price - added(rows.sum_step, price * rows.sum_export, steps),
        )

    def _cut_into_blocks(self) -> Blocks:
        """Where the worth of energy jumps most, near the ends of days."""
        per_hour = 1 / self._site.step_hours
        length, reach = max(round(_BLOCK_HOURS * per_hour), 1), round(_REACH_HOURS * per_hour)
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
        low, high = self._oracle.low, self._oracle.high
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

    def _trajectory(self) -> Trajectory:
        rows, blocks, money = self._rows, self._blocks, self._money
        energy = self._oracle.energy
        series, _, feasible = _core.write_schedule(self._problem, energy)
        if not feasible:
            raise SolverError("rounding leaves no schedule that meets every limit")
        bought, sold = series[0] + series[1], series[4] + series[7]
        battery = self._unit.battery
        wear = battery.degradation_cost_per_kwh / battery.dc_to_ac_efficiency
        cost = money.import_price * bought - money.export_price * sold
        cost = cost + wear * (series[6] + series[7])
        part = rows.sum_import * bought[rows.sum_step] + rows.sum_export * sold[rows.sum_step]
        key = rows.sum_row.astype(np.int64) * blocks.count + blocks.of_step[rows.sum_step]
        parts, place = np.unique(key, return_inverse=True)
        asked = (bought[rows.cap_step] - rows.cap_room) / rows.cap_factor
        own = len(rows.cost)
        pairs, pair = np.unique(
            blocks.of_step[rows.cap_step].astype(np.int64) * own + rows.cap_column,
            return_inverse=True,
        )
        peaks = np.full(len(pairs), -np.inf)
        np.maximum.at(peaks, pair, asked)
        stored = np.concatenate([self._oracle.low[:1], energy])
        return Trajectory(
            energy,
            stored[blocks.starts],
            stored[np.append(blocks.starts[1:], len(energy))],
            np.add.reduceat(cost, blocks.starts),
            Entries(
                (parts // blocks.count).astype(np.int32),
                (parts % blocks.count).astype(np.int32),
                added(place, part, len(parts)),
            ),
            Entries((pairs // own).astype(np.int32), (pairs % own).astype(np.int32), peaks),
        )
