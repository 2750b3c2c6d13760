"""Branch and bound on caps, where steps that are not convex leave the cuts a gap.

The steps are cut into stretches (months, mostly) so that a column caps the steps of one stretch
only. In a stretch, boxes of columns share out all that may be chosen. In a box import is limited by
the highest caps, and above the lowest it pays the price that the cuts found: that undercuts nothing
the tariff charges (weak duality), and the narrower the box, the less it leaves out. The cost of a
stretch, as a function of the energy stored before it, is the least over its boxes; the stretches
follow each other as the steps of a dynamic programme do. So stretches do not multiply: only the
boxes that the best schedule lies in are cut in two.
"""

from __future__ import annotations

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.battery import Battery
from bess.decomposition.boxes import Box, Stretch
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Indices, added
from bess.decomposition.own_columns import OwnColumns, owners
from bess.decomposition.row_prices import RowPrices, held
from bess.highs import Clock
from bess.site import Site

__all__ = ["CapSearch"]

_INFINITY = float("inf")
_ROUNDING = 1e-10  # of the capacity: energies nearer than that are the same
# A column that caps more than this is left to the price that the cuts found.
_LONG_HOURS = 62 * 24
_SHORT_HOURS = 5 * 24
_MOST_CUTS = 60
# Of the gap asked for, what schedules may cost more than their boxes say.
_SHARE = 0.25


class CapSearch:
    """The boxes of all stretches, a bound on the whole, and the schedules that reach for it."""

    def __init__(
        self,
        rows: CoupledRows,
        problem: _core.Problem,
        limits: Floats,
        site: Site,
        battery: Battery,
        end_value: float,
        price: RowPrices,
        columns: Floats,
        clock: Clock,
    ) -> None:
        self._rows, self._limits = rows, limits
        self._of_cap, self._columns = price.of_cap, columns
        self._capacity, self._clock = battery.capacity_kwh, clock
        self._rounding = _ROUNDING * battery.capacity_kwh
        low, high = limits[0, -1], limits[1, -1]
        self._end = _core.CostToGo(low, high, -end_value * low, -end_value)
        starts, self._of_column = self._cut_into_stretches(site.step_hours)
        ends = [*starts[1:], site.steps]
        owner, own_row = owners(rows, self._of_column)
        of_row = np.where(own_row < 0, price.of_row, 0.0)
        cost = RowPrices(price.of_cap, of_row).left_of(rows)
        self._rest = rows.offset + held(of_row, rows)
        shared = np.flatnonzero(owner < 0)
        bound = np.where(cost > 0, rows.lower, rows.upper)[shared]
        self._rest += float((cost[shared] * bound)[cost[shared] != 0].sum())
        self._stretches = []
        for number, (first, last) in enumerate(zip(starts, ends, strict=True)):
            inside = (rows.cap_step >= first) & (rows.cap_step < last)
            caps = np.flatnonzero(inside).astype(np.int32)
            own = OwnColumns(
                rows,
                cost,
                np.flatnonzero(owner == number),
                np.flatnonzero(own_row == number),
                clock,
            )
            capping = np.flatnonzero(self._of_column == number).astype(np.int32)
            part = limits[:, first : last + 1].copy()
            program = _core.StretchProgram(problem, first, part[0], part[1])
            self._stretches.append(
                Stretch(
                    rows,
                    first,
                    caps,
                    price.of_cap[caps],
                    capping,
                    own,
                    program,
                    last - first,
                    self._rounding,
                )
            )
        taken = battery.charge_power_kw * site.step_hours / battery.ac_to_dc_efficiency
        most_import = site.load_kwh + taken
        asked = (most_import[rows.cap_step] - rows.cap_room) / rows.cap_factor
        most = rows.lower.copy()
        np.maximum.at(most, rows.cap_column, asked)
        most = np.minimum(most, rows.upper)
        self._costs = [self._end] * (len(starts) + 1)
        self.bound = -_INFINITY
        for number in range(len(starts) - 1, -1, -1):
            self._stretches[number].add(rows.lower, most, self._costs[number + 1])
            self._sum_up(number)
        self._find_bound()

    def descend(self, best: float, gap: float) -> tuple[Floats, Floats] | None:
        """A schedule that costs little more than its boxes say, by its energies, and its caps.

        On the way the boxes that it lies in are cut, and then the bound is found again. ``best`` is
        the cost of the best schedule known; ``gap`` is in money. None where the way led to boxes
        that are left out.
        """
        found = self._go_forward(_SHARE * gap / len(self._stretches), max(best - self.bound, gap))
        for number in range(len(self._stretches) - 1, -1, -1):
            self._sum_up(number)
        self._find_bound()
        self._leave_out(best)
        return found

    def _go_forward(self, allowed: float, reach: float) -> tuple[Floats, Floats] | None:
        energy = float(self._limits[0, 0])
        energies = np.empty(self._limits.shape[1] - 1)
        columns = self._rows.upper.copy()
        for stretch, later in zip(self._stretches, self._costs[1:], strict=True):
            for cuts in range(_MOST_CUTS + 1):
                box = stretch.best(energy, later)
                if box is None or box.cost is None:
                    return None
                start = box.cost.corner_near(energy, self._rounding)
                found = stretch.schedule(box, start, later)
                if found is None:
                    return None
                cost, column = stretch.charged(box, found)
                ended = float(found.energy[-1])
                enough = cost + later.at(ended) - box.cost.at(start) <= allowed
                if enough or column < 0 or cuts == _MOST_CUTS or self._clock.passed:
                    if stretch.first > 0:
                        energies[stretch.first - 1] = start
                    energies[stretch.first : stretch.last] = found.energy
                    columns[stretch.capping] = box.upper[stretch.capping]
                    energy = ended
                    break
                self._cut(stretch, box, column, reach, later)
        return energies, columns

    def _cut(
        self, stretch: Stretch, box: Box, column: int, reach: float, later: _core.CostToGo
    ) -> None:
        """Cut a box around what the cuts found, as the gap lets the best column be, or in two."""
        stretch.boxes.remove(box)
        lower, upper = float(box.lower[column]), float(box.upper[column])
        worth = added(
            self._rows.cap_column, self._of_cap * self._rows.cap_factor, len(self._rows.cost)
        )[column]
        near = reach / worth if worth > 0 else _INFINITY
        at = self._columns[column]
        cuts = [at - near, at + near] if upper - lower > 4 * near else []
        cuts = [cut for cut in cuts if lower < cut < upper] or [(lower + upper) / 2]
        for low, high in zip([lower, *cuts], [*cuts, upper], strict=True):
            lowest, highest = box.lower.copy(), box.upper.copy()
            lowest[column], highest[column] = low, high
            stretch.add(lowest, highest, later)

    def _sum_up(self, number: int) -> None:
        """The least cost of a stretch over its boxes, with what follows."""
        costs = [box.cost for box in self._stretches[number].boxes if box.cost is not None]
        if costs:
            self._costs[number] = _core.least_of(costs, self._capacity)

    def _find_bound(self) -> None:
        cost = self._costs[0]
        self.bound = max(self.bound, cost.at(self._limits[0, 0]) - cost.error + self._rest)

    def _leave_out(self, best: float) -> None:
        """Drop the boxes that no schedule better than the best known can lie in."""
        room = best - self.bound
        for stretch, cost in zip(self._stretches, self._costs, strict=False):
            stretch.boxes = [
                box
                for box in stretch.boxes
                if box.cost is not None and box.cost.least_above(cost) <= room
            ]

    def _cut_into_stretches(self, step_hours: float) -> tuple[list[int], Indices]:
        """Where stretches begin, and which one each column caps; -1 where it caps none, or many."""
        rows = self._rows
        steps, count = self._limits.shape[1] - 1, len(rows.cost)
        first, last = np.full(count, steps), np.full(count, -1)
        np.minimum.at(first, rows.cap_column, rows.cap_step)
        np.maximum.at(last, rows.cap_column, rows.cap_step)
        caps = last >= 0
        long = caps & (last - first > _LONG_HOURS / step_hours)
        if (long == caps).all():
            long[:] = False
        begun = np.zeros(steps + 1, np.int64)
        for column in np.flatnonzero(caps & ~long):
            begun[first[column] + 1] += 1
            begun[last[column] + 1] -= 1
        starts = [0]
        for t in np.flatnonzero(np.cumsum(begun)[:-1] == 0):
            if t - starts[-1] >= _SHORT_HOURS / step_hours:
                starts.append(int(t))
        place = np.searchsorted(starts, first, side="right") - 1
        return starts, np.where(caps & ~long, place, -1).astype(np.int32)
