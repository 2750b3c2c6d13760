"""Boxes of columns that cap some steps, and what these steps cost in each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bess import _core
from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Indices, added
from bess.decomposition.own_columns import OwnColumns

__all__ = ["Box", "Schedule", "Stretch"]

_INFINITY = float("inf")
_FAR = 1e18  # kWh, where nothing is limited
_NARROW = 1e-9  # of its upper bound: a range that is not cut


class Box:
    """A range of columns in a stretch, and what the stretch costs in it at least."""

    def __init__(self, lower: Floats, upper: Floats) -> None:
        self.lower, self.upper = lower, upper
        self.terms: tuple[Floats, Floats, Floats]
        """By step: above which import pays more, how much, and what it is limited to."""
        self.paid = 0.0
        """What the columns cost at least, less what the caps are worth."""
        self.columns: Floats | None = None
        """With which they cost that; None where the tariff's rows rule the box out."""
        self.cost: _core.CostToGo | None = None
        """With what follows, by the energy stored before the stretch; None: not feasible."""
        self.later: _core.CostToGo | None = None
        """What followed when that was found: less than what follows now, or the same."""

    def cost_at(self, energy: float, rounding: float) -> float:
        """Where the cost jumps it matters on which side the energy is: rounding must not decide."""
        if self.cost is None:
            return _INFINITY
        return self.cost.at(self.cost.corner_near(energy, rounding))


class Schedule(NamedTuple):
    energy: Floats
    """Stored at the end of each step."""
    imports: Floats
    cost: float
    """At the steps' prices."""


class Stretch:
    """Some consecutive steps, the columns that cap them, and the boxes of these."""

    def __init__(
        self,
        rows: CoupledRows,
        first: int,
        caps: Indices,
        worth: Floats,
        capping: Indices,
        own: OwnColumns,
        program: _core.StretchProgram,
        count: int,
        rounding: float,
    ) -> None:
        self.first, self.last = first, first + count
        self._rows, self._caps, self._worth, self._own = rows, caps, worth, own
        self._step = rows.cap_step[caps] - first
        self._column = rows.cap_column[caps]
        self.capping = capping
        """The columns that cap steps of this stretch alone."""
        self._program = program
        self._rounding = rounding
        self.boxes: list[Box] = []

    def add(self, lower: Floats, upper: Floats, later: _core.CostToGo) -> None:
        """Add a box, unless nothing in it is feasible."""
        box = Box(lower, upper)
        rows, caps, step = self._rows, self._caps, self._step
        count = self.last - self.first
        room, factor = rows.cap_room[caps], rows.cap_factor[caps]
        floor = np.maximum(room + factor * lower[self._column], 0.0)
        most = np.full(count, _FAR)
        np.minimum.at(most, step, np.maximum(room + factor * upper[self._column], 0.0))
        priced = self._worth > 0
        paying = priced & (floor < most[step])
        level = np.full(count, _FAR)
        np.minimum.at(level, step[paying], floor[paying])
        box.terms = level, added(step[paying], self._worth[paying], count), most
        box.paid = float(self._worth[paying] @ level[step[paying]])
        box.paid += float(self._worth[~paying] @ floor[~paying] - self._worth @ room)
        cost, box.columns = self._own.least(lower, upper)
        if box.columns is not None:
            box.paid += cost
            self.find(box, later)
        if box.cost is not None:
            self.boxes.append(box)

    def find(self, box: Box, later: _core.CostToGo) -> None:
        """What a box costs, with what follows now."""
        found = self._program.before(*box.terms, later)
        box.cost = None if found is None else found.plus(box.paid)
        box.later = later

    def best(self, energy: float, later: _core.CostToGo) -> Box | None:
        """The box that costs the least from some energy on, with what follows now."""
        while self.boxes:
            box = min(self.boxes, key=lambda box: box.cost_at(energy, self._rounding))
            if box.later is later:
                return box
            self.find(box, later)
            if box.cost is None:
                self.boxes.remove(box)
        return None

    def schedule(self, box: Box, energy: float, later: _core.CostToGo) -> Schedule | None:
        """What costs as little as a box says, but for what it pays above the lowest caps."""
        found = self._program.schedule(*box.terms, later, energy)
        return None if found is None else Schedule(*found)

    def charged(self, box: Box, schedule: Schedule) -> tuple[float, int]:
        """What a schedule costs with its columns; the column to cut the box at for it, or -1."""
        assert box.columns is not None
        rows, caps, columns = self._rows, self._caps, len(self._rows.cost)
        level, _, most = box.terms
        bought = schedule.imports[self._step]
        room, factor = rows.cap_room[caps], rows.cap_factor[caps]
        needed = box.lower.copy()
        np.maximum.at(needed, self._column, (bought - room) / factor)
        needed = np.minimum(needed, box.upper)
        floor = np.maximum(room + factor * box.lower[self._column], 0.0)
        paying = (self._worth > 0) & (floor < most[self._step])
        floor = np.where(paying, level[self._step], floor)
        worth = added(self._column, self._worth * factor, columns)
        paid = added(self._column, self._worth * (np.maximum(bought, floor) - room), columns)
        slack = np.maximum(worth * needed - paid, 0.0)
        width = box.upper - box.lower
        score = slack + abs(self._own.cost) * abs(needed - box.columns) + 1e-9 * worth * width
        wide = self.capping[width[self.capping] > _NARROW * abs(box.upper[self.capping])]
        charged = self._own.least(needed, needed)[0] + float((worth * needed)[self.capping].sum())
        chosen = int(wide[np.argmax(score[wide])]) if len(wide) else -1
        return schedule.cost + charged, chosen
