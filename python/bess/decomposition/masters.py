"""The two small programs that close the optimum in: cuts from below, trajectories from above.

Both have the tariff's own columns and rows. The steps are cut into blocks. Below, the cost of each
block is a column held above every cut known of it, and so is, for each sum over steps, the block's
part. Above, each block does a mixture of the trajectories known of it: convex costs make that a
feasible schedule that costs no more.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows, Entries
from bess.highs import Clock, GrowingProgram

__all__ = ["Blocks", "CutMaster", "CutPoint", "Cuts", "Trajectory", "TrajectoryMaster"]

Indices = NDArray[np.int32]
_INFINITY = float("inf")


class Blocks(NamedTuple):
    """Stretches of consecutive steps."""

    starts: NDArray[np.uint32]
    of_step: Indices
    low: Floats
    """The least energy stored at the start of each, and at the end of the last; kWh DC."""
    high: Floats

    @property
    def count(self) -> int:
        """How many."""
        return len(self.starts)


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
    """Of each sum."""


def _rows_of(entries: Entries, count: int) -> tuple[Indices, Indices, Floats]:
    order = np.argsort(entries.row, kind="stable")
    start = np.searchsorted(entries.row[order], np.arange(count)).astype(np.int32)
    return start, entries.column[order], entries.value[order]


class CutMaster:
    """From below: the tariff's columns, stored energies between blocks, and cuts."""

    def __init__(
        self, rows: CoupledRows, blocks: Blocks, part_bounds: tuple[Floats, Floats], clock: Clock
    ) -> None:
        own, inner = len(rows.cost), blocks.count + 1
        block = blocks.of_step[rows.sum_step]
        pairs = np.unique(rows.sum_row.astype(np.int64) * blocks.count + block)
        self._pair_sum = (pairs // blocks.count).astype(np.int32)
        self._pair_block = (pairs % blocks.count).astype(np.int32)
        self._rows, self._blocks, self._clock = rows, blocks, clock
        self._energy, self._part = own, own + inner
        self._cost = self._part + len(pairs)
        low, high = (bounds[self._pair_sum, self._pair_block] for bounds in part_bounds)
        far = np.full(blocks.count, _INFINITY)
        self._objective = np.concatenate(
            [rows.cost, np.zeros(inner + len(pairs)), np.ones(blocks.count)]
        )
        self._lower = np.concatenate([rows.lower, blocks.low, low, -far])
        self._upper = np.concatenate([rows.upper, blocks.high, high, far])
        part = self._part + np.arange(len(pairs), dtype=np.int32)
        fixed = rows.entries
        self._fixed = Entries(
            np.concatenate([fixed.row, self._pair_sum]),
            np.concatenate([fixed.column, part]),
            np.concatenate([fixed.value, np.ones(len(pairs))]),
        )
        self._cuts: list[tuple[Floats, Entries]] = []
        self._of_block: list[Indices] = []
        self._program = GrowingProgram(clock, adds_columns=False)
        self._program.add_columns(self._objective, self._lower, self._upper)
        if len(rows.row_lower):
            self._program.add_rows(
                rows.row_lower, rows.row_upper, *_rows_of(self._fixed, len(rows.row_lower))
            )

    def values(self, cuts: Cuts, point: CutPoint) -> Floats:
        """What the cuts say of each block at a point."""
        count = self._blocks.count
        value = cuts.constant + cuts.slopes.times(point.columns, count)
        value = value + cuts.at_end * point.energy[1:] - cuts.at_start * point.energy[:-1]
        part = cuts.price[self._pair_sum] * point.parts
        found: Floats = value - np.bincount(self._pair_block, part, count)
        return found

    def add(self, cuts: Cuts, kept: NDArray[np.bool_]) -> None:
        """Hold the costs of some blocks above cuts."""
        chosen = np.flatnonzero(kept).astype(np.int32)
        number = np.full(self._blocks.count, -1, np.int32)
        number[chosen] = np.arange(len(chosen), dtype=np.int32)
        slopes = cuts.slopes.only(kept[cuts.slopes.row])
        pairs = np.flatnonzero(kept[self._pair_block])
        each = np.arange(len(chosen), dtype=np.int32)
        row = [each, each, each, number[slopes.row], number[self._pair_block[pairs]]]
        column = [
            self._cost + chosen,
            self._energy + chosen + 1,
            self._energy + chosen,
            slopes.column,
            self._part + pairs,
        ]
        value = [
            np.ones(len(chosen)),
            -cuts.at_end[chosen],
            cuts.at_start[chosen],
            -slopes.value,
            cuts.price[self._pair_sum[pairs]],
        ]
        entries = Entries(
            np.concatenate(row), np.concatenate(column).astype(np.int32), np.concatenate(value)
        )
        constant = cuts.constant[chosen]
        self._program.add_rows(
            constant, np.full(len(chosen), _INFINITY), *_rows_of(entries, len(chosen))
        )
        self._cuts.append((constant, entries))
        self._of_block.append(chosen)

    def solve(self) -> tuple[float, CutPoint]:
        """A lower bound on the optimum, whatever the solver's tolerances; and where it lies."""
        columns, duals = self._program.solve()
        first = len(self._rows.row_lower)
        point = CutPoint(
            columns[: self._energy],
            columns[self._energy : self._part],
            columns[self._part : self._cost],
            columns[self._cost :],
            -duals[: self._rows.sums],
        )
        return self._bound(duals[:first], duals[first:]), point

    def _bound(self, on_rows: Floats, on_cuts: Floats) -> float:
        """By weak duality; the weights of each block's cuts are made to add up to 1."""
        weight = np.maximum(on_cuts, 0.0)
        of_block = np.concatenate(self._of_block)
        total = np.bincount(of_block, weight, self._blocks.count)
        if (total <= 0).any():
            return -_INFINITY
        weight /= total[of_block]
        # An infinite bound of a row takes no dual.
        rows = self._rows
        on_rows = np.where(rows.row_lower == -_INFINITY, np.minimum(on_rows, 0.0), on_rows)
        on_rows = np.where(rows.row_upper == _INFINITY, np.maximum(on_rows, 0.0), on_rows)
        held = np.where(on_rows > 0, rows.row_lower, rows.row_upper)
        bound = rows.offset + float(on_rows[on_rows != 0] @ held[on_rows != 0])
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


class Trajectory(NamedTuple):
    """What a schedule does in each block."""

    energy: Floats
    """Stored at the end of each step."""
    at_start: Floats
    """Stored at the start of each block."""
    at_end: Floats
    cost: Floats
    """Of each block at the steps' own prices."""
    parts: Entries
    """Of each sum, by block: the row is the sum, the column the block."""
    peaks: Entries
    """What a block asks of the columns that cap it: the row is the block."""


class TrajectoryMaster:
    """From above: the tariff's columns, and a mixture of trajectories in each block."""

    def __init__(self, rows: CoupledRows, blocks: Blocks, clock: Clock) -> None:
        self._rows, self._blocks = rows, blocks
        self._known: list[Trajectory] = []
        own, count = len(rows.cost), blocks.count
        pairs = np.unique(
            blocks.of_step[rows.cap_step].astype(np.int64) * own + rows.cap_column
        )
        self._pair_key = pairs
        # The tariff's rows; that the parts of a block's mixture are 1; that stored energy goes over
        # from block to block; that a block's peaks are under the columns that cap it.
        self._whole = len(rows.row_lower)
        self._joint = self._whole + count
        self._peak = self._joint + count - 1
        total = self._peak + len(pairs)
        lower = np.concatenate(
            [rows.row_lower, np.ones(count), np.zeros(count - 1), np.full(len(pairs), -_INFINITY)]
        )
        upper = np.concatenate(
            [rows.row_upper, np.ones(count), np.zeros(count - 1), np.zeros(len(pairs))]
        )
        under = Entries(
            (self._peak + np.arange(len(pairs))).astype(np.int32),
            (pairs % own).astype(np.int32),
            np.full(len(pairs), -1.0),
        )
        entries = Entries(
            np.concatenate([rows.entries.row, under.row]),
            np.concatenate([rows.entries.column, under.column]),
            np.concatenate([rows.entries.value, under.value]),
        )
        self._program = GrowingProgram(clock, adds_columns=True)
        self._program.add_columns(rows.cost, rows.lower, rows.upper)
        self._program.add_rows(lower, upper, *_rows_of(entries, total))

    def add(self, trajectory: Trajectory) -> None:
        """Let every block do what a trajectory does in it."""
        self._known.append(trajectory)
        count, own = self._blocks.count, len(self._rows.cost)
        each = np.arange(count, dtype=np.int32)
        peaks, parts = trajectory.peaks, trajectory.parts
        key = peaks.row.astype(np.int64) * own + peaks.column
        row = [
            parts.row,
            self._whole + each,
            self._joint + each[:-1],
            self._joint + each[1:] - 1,
            self._peak + np.searchsorted(self._pair_key, key),
        ]
        column = [parts.column, each, each[:-1], each[1:], peaks.row]
        value = [
            parts.value,
            np.ones(count),
            trajectory.at_end[:-1],
            -trajectory.at_start[1:],
            peaks.value,
        ]
        flipped = Entries(
            np.concatenate(column), np.concatenate(row).astype(np.int32), np.concatenate(value)
        )
        start, index, values = _rows_of(flipped, count)
        self._program.add_columns(
            trajectory.cost, np.zeros(count), np.ones(count), start, index, values
        )

    def solve(self) -> tuple[float, Floats, Floats, Floats]:
        """The least cost, the tariff's columns, each sum's price, and the mixture's energies."""
        columns, duals = self._program.solve()
        own = len(self._rows.cost)
        weights = columns[own:].reshape(len(self._known), self._blocks.count)
        cost = float(self._rows.cost @ columns[:own]) + self._rows.offset
        energy = np.zeros(len(self._blocks.of_step))
        for weight, trajectory in zip(weights, self._known, strict=True):
            if weight.any():
                cost += float(weight @ trajectory.cost)
                energy += weight[self._blocks.of_step] * trajectory.energy
        return cost, columns[:own], -duals[: self._rows.sums], energy
