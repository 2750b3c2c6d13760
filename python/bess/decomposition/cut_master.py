"""From below: a small program in which the cost of each block is held above cuts.

It has the tariff's own columns and rows. The steps are cut into blocks; the cost of each is a
column held above every cut known of it, and so is, for each sum over steps, the block's part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.decomposition.blocks import Blocks
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Entries, Indices, added
from bess.growing_program import GrowingProgram
from bess.highs import Clock

__all__ = ["CutMaster", "CutPoint", "Cuts"]

_INFINITY = float("inf")


class Cuts(NamedTuple):
    """Block by block, what its cost is at least: a constant plus slopes times ..."""

    constant: Floats
    at_start: Floats
    """... the energy stored at its start, less this,"""
    at_end: Floats
    """the energy stored at its end,"""
    slopes: Entries
    """the tariff's columns (the row is the block),"""
    price: Floats
    """and for each sum, less its price, the block's part of it."""


class CutPoint(NamedTuple):
    """Where the cuts' total is least."""

    columns: Floats
    energy: Floats
    parts: Floats
    cost: Floats
    """Of each block."""
    price: Floats
    """What a unit of each sum costs there."""


class CutMaster:
    """From below: the tariff's columns, stored energies between blocks, and cuts."""

    def __init__(
        self,
        rows: CoupledRows,
        blocks: Blocks,
        part_bounds: tuple[Floats, Floats],
        end_worth: Sequence[tuple[float, float]],
        clock: Clock,
    ) -> None:
        own, inner = len(rows.cost), blocks.count + 1
        block = blocks.of_step[rows.sum_step]
        pairs = np.unique(rows.sum_row.astype(np.int64) * blocks.count + block)
        self._pair_sum = (pairs // blocks.count).astype(np.int32)
        self._pair_block = (pairs % blocks.count).astype(np.int32)
        self._rows, self._blocks, self._clock = rows, blocks, clock
        self._energy, self._part = own, own + inner
        worth, width = np.array([*end_worth, (0.0, _INFINITY)]).T
        self._end = self._part + len(pairs)
        self._cost = self._end + (len(worth) if end_worth else 0)
        low, high = (bounds[self._pair_sum, self._pair_block] for bounds in part_bounds)
        far = np.full(blocks.count, _INFINITY)
        self._row_lower, self._row_upper = rows.row_lower, rows.row_upper
        part = self._part + np.arange(len(pairs), dtype=np.int32)
        fixed = [rows.entries, Entries(self._pair_sum, part, np.ones(len(pairs)))]
        if end_worth:  # what is left at the end is a sum of parts, each with its worth
            end = np.append(np.arange(self._end, self._cost, dtype=np.int32), self._part - 1)
            fixed.append(
                Entries(
                    np.full(len(end), len(rows.row_lower), np.int32),
                    end.astype(np.int32),
                    np.append(np.ones(len(worth)), -1.0),
                )
            )
            self._row_lower, self._row_upper = (
                np.append(each, 0.0) for each in (rows.row_lower, rows.row_upper)
            )
        else:
            worth = width = np.zeros(0)
        self._fixed = Entries.joined(*fixed)
        self._objective = np.concatenate(
            [rows.cost, np.zeros(inner + len(pairs)), -worth, np.ones(blocks.count)]
        )
        self._column_unit = np.full(len(self._objective), rows.unit)
        self._column_unit[:own] = rows.column_unit
        most = np.minimum(width, blocks.high[-1])
        self._lower = np.concatenate([rows.lower, blocks.low, low, np.zeros(len(worth)), -far])
        self._upper = np.concatenate([rows.upper, blocks.high, high, most, far])
        self._cuts: list[tuple[Floats, Entries]] = []
        self.chosen: list[Indices] = []
        """The blocks that were cut, time by time."""
        self.weight = np.zeros(0)
        """Of each cut in the last bound."""
        self.row_dual = np.zeros(len(rows.row_lower))
        """Of each of the tariff's rows, in the last bound."""
        self._program = GrowingProgram(clock, adds_columns=False)
        self._programs = [self._program]
        if len(rows.whole):
            self._programs.append(GrowingProgram(clock, adds_columns=False))
        self._has_chosen = False
        each = self._column_unit
        for program in self._programs:
            program.add_columns(
                self._objective * (each / rows.unit), self._lower / each, self._upper / each
            )
            if len(self._row_lower):
                entries = rows.in_units(self._fixed, each).by_row(len(self._row_lower))
                bounds = self._row_lower / rows.unit, self._row_upper / rows.unit
                program.add_rows(*bounds, *entries)
        if len(rows.whole):
            self._programs[1].make_whole(rows.whole)

    def values(self, cuts: Cuts, point: CutPoint) -> Floats:
        """What the cuts say of each block at a point."""
        count = self._blocks.count
        value = cuts.constant + cuts.slopes.times(point.columns, count)
        value = value + cuts.at_end * point.energy[1:] - cuts.at_start * point.energy[:-1]
        return value - added(self._pair_block, cuts.price[self._pair_sum] * point.parts, count)

    def add(self, cuts: Cuts, kept: NDArray[np.bool_]) -> None:
        """Hold the costs of some blocks above cuts."""
        chosen = np.flatnonzero(kept).astype(np.int32)
        number = np.full(self._blocks.count, -1, np.int32)
        number[chosen] = np.arange(len(chosen), dtype=np.int32)
        slopes = cuts.slopes.only(kept[cuts.slopes.row])
        pairs = np.flatnonzero(kept[self._pair_block]).astype(np.int32)
        each = np.arange(len(chosen), dtype=np.int32)
        entries = Entries.joined(
            Entries(each, self._cost + chosen, np.ones(len(chosen))),
            Entries(each, self._energy + chosen + 1, -cuts.at_end[chosen]),
            Entries(each, self._energy + chosen, cuts.at_start[chosen]),
            Entries(number[slopes.row], slopes.column, -slopes.value),
            Entries(
                number[self._pair_block[pairs]],
                self._part + pairs,
                cuts.price[self._pair_sum[pairs]],
            ),
        )
        constant = cuts.constant[chosen]
        by_row = entries.by_row(len(chosen))
        for program in self._programs:
            program.add_rows(constant / self._rows.unit, np.full(len(chosen), _INFINITY), *by_row)
        self._cuts.append((constant, entries))
        self.chosen.append(chosen)

    def mean(self, of_cuts: list[Floats], block: Indices) -> Floats:
        """What the cuts of each round say of some things in blocks, weighed as the last bound does.

        ``of_cuts`` holds it by round, ``block`` is where each thing is.
        """
        total = np.zeros(len(block))
        first = 0
        for said, chosen in zip(of_cuts, self.chosen, strict=True):
            weight = np.zeros(self._blocks.count)
            weight[chosen] = self.weight[first : first + len(chosen)]
            first += len(chosen)
            total += weight[block] * said
        return total

    def solve(self, enough: float) -> tuple[float, CutPoint]:
        """A lower bound on the optimum, whatever the solver's tolerances; and where it lies.

        Of a tariff's choices those made before are kept, and there is no bound, until they are
        known to cost ``enough``.
        """
        whole = self._rows.whole
        if not len(whole):
            return self._solve_chosen()
        if self._has_chosen:
            bound, point = self._solve_chosen()
            if bound < enough:
                return -_INFINITY, point
        choosing = self._programs[1]
        columns, _ = choosing.solve()
        chosen = np.round(columns[whole])
        self._lower[whole] = self._upper[whole] = chosen
        self._program.bound(whole, chosen, chosen)
        self._has_chosen = True
        bound, point = self._solve_chosen()
        return min(bound, choosing.lower_bound * self._rows.unit + self._rows.offset), point

    def _solve_chosen(self) -> tuple[float, CutPoint]:
        columns, duals = self._program.solve()
        columns = columns * self._column_unit
        first = len(self._row_lower)
        point = CutPoint(
            columns[: self._energy],
            columns[self._energy : self._part],
            columns[self._part : self._end],
            columns[self._cost :],
            -duals[: self._rows.sums],
        )
        return self._bound(duals[:first], duals[first:]), point

    def _bound(self, on_rows: Floats, on_cuts: Floats) -> float:
        """By weak duality; the weights of each block's cuts are made to add up to 1."""
        weight = self.weight = np.maximum(on_cuts, 0.0)
        of_block = np.concatenate(self.chosen)
        total = added(of_block, weight, self._blocks.count)
        if (total <= 0).any():
            return -_INFINITY
        weight /= total[of_block]
        # An infinite bound of a row takes no dual.
        lower, upper = self._row_lower, self._row_upper
        on_rows = np.where(lower == -_INFINITY, np.minimum(on_rows, 0.0), on_rows)
        on_rows = np.where(upper == _INFINITY, np.maximum(on_rows, 0.0), on_rows)
        self.row_dual = on_rows[: len(self._rows.row_lower)]
        held = np.where(on_rows > 0, lower, upper)
        bound = self._rows.offset + float(on_rows[on_rows != 0] @ held[on_rows != 0])
        reduced = self._objective.copy()
        np.subtract.at(reduced, self._fixed.column, self._fixed.value * on_rows[self._fixed.row])
        first = 0
        for constant, entries in self._cuts:
            own = weight[first : first + len(constant)]
            first += len(constant)
            bound += float(own @ constant)
            np.subtract.at(reduced, entries.column, entries.value * own[entries.row])
        reduced = reduced[: self._cost]
        at = np.where(reduced > 0, self._lower[: self._cost], self._upper[: self._cost])
        return bound + float(reduced @ at)
