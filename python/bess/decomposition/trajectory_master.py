"""From above: a small program in which each block does a mixture of trajectories.

It has the tariff's own columns and rows. Where costs are convex, a mixture of what is known to be
feasible is feasible, and costs no more than the mixture of their costs.
"""

from __future__ import annotations

import numpy as np

from bess._arrays import Floats
from bess.decomposition.blocks import Blocks
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Entries, added
from bess.growing_program import GrowingProgram
from bess.highs import Clock

__all__ = ["TrajectoryMaster"]

_INFINITY = float("inf")
# How many times the dearest column a missing unit of a row costs.
_FAR = 4.0


class TrajectoryMaster:
    """From above: the tariff's columns, and a mixture of trajectories in each block."""

    def __init__(self, rows: CoupledRows, blocks: Blocks, clock: Clock) -> None:
        self._rows, self._blocks = rows, blocks
        self._known: list[tuple[Floats, Floats]] = []
        """The energy at each step's end, and each block's cost, of every schedule."""
        own, count = len(rows.cost), blocks.count
        # Sums by block, blocks by column that caps them, and which of them an entry is of.
        of_sum = rows.sum_row.astype(np.int64) * count + blocks.of_step[rows.sum_step]
        parts, self._part = np.unique(of_sum, return_inverse=True)
        self._part_row, self._part_block = (p.astype(np.int32) for p in np.divmod(parts, count))
        of_cap = blocks.of_step[rows.cap_step].astype(np.int64) * own + rows.cap_column
        pairs, self._pair = np.unique(of_cap, return_inverse=True)
        self._pair_block = (pairs // own).astype(np.int32)
        # The tariff's rows; that the parts of a block's mixture are 1; that stored energy goes over
        # from block to block; that a block's peaks are under the columns that cap it.
        self._whole = len(rows.row_lower)
        self._joint = self._whole + count
        self._peak = self._joint + count - 1
        total = self._peak + len(pairs)
        rest = np.concatenate([np.ones(count), np.zeros(count - 1)])
        low, high = rows.row_bounds
        lower = np.concatenate([low, rest, np.full(len(pairs), -_INFINITY)])
        upper = np.concatenate([high, rest, np.zeros(len(pairs))])
        under = Entries(
            (self._peak + np.arange(len(pairs))).astype(np.int32),
            (pairs % own).astype(np.int32),
            np.full(len(pairs), -1.0),
        )
        each = rows.column_unit
        entries = rows.in_units(Entries.joined(rows.entries, under), each)
        self._program = GrowingProgram(clock, adds_columns=True)
        self._program.add_columns(
            rows.cost * (each / rows.unit), rows.lower / each, rows.upper / each
        )
        self._program.add_rows(lower, upper, *entries.by_row(total))
        # With whole numbers no mixture may reach what they ask for: what is missing is paid.
        self._missing = 0
        if len(rows.whole):
            short = np.concatenate([np.arange(self._whole), self._peak + np.arange(len(pairs))])
            self._missing = 2 * len(short)
            self._program.add_columns(
                np.full(self._missing, _FAR * float(max(abs(rows.cost).max(), rows.penalty.max()))),
                np.zeros(self._missing),
                np.full(self._missing, _INFINITY),
                np.arange(self._missing, dtype=np.int32),
                np.tile(short, 2).astype(np.int32),
                np.repeat([1.0, -1.0], len(short)),
            )

    def add(self, stored: Floats, moved: tuple[Floats, Floats, Floats], cost: Floats) -> None:
        """Let every block do what a schedule does in it: ``stored`` before each step and after the
        last, kWh DC.

        ``moved`` is what it imports and exports in each step, and what leaves the cells; ``cost``
        what that costs.
        """
        rows, blocks = self._rows, self._blocks
        bought, sold, drawn = moved
        part = rows.sum_import * bought[rows.sum_step] + rows.sum_export * sold[rows.sum_step]
        part += rows.sum_drawn[rows.sum_row] * drawn[rows.sum_step]
        parts = added(self._part, part, len(self._part_row))
        peaks = np.full(len(self._pair_block), -_INFINITY)
        asked = (bought[rows.cap_step] - rows.cap_room) / rows.cap_factor
        np.maximum.at(peaks, self._pair, asked)
        at_start, of_block = stored[blocks.starts], np.add.reduceat(cost, blocks.starts)
        self._known.append((stored[1:], of_block))
        count, unit = blocks.count, rows.unit
        each = np.arange(count, dtype=np.int32)
        peak = np.arange(self._peak, self._peak + len(peaks), dtype=np.int32)
        entries = Entries.joined(
            Entries(self._part_row, self._part_block, parts / unit),
            Entries(self._whole + each, each, np.ones(count)),
            Entries(self._joint + each[:-1], each[:-1], at_start[1:] / unit),
            Entries(self._joint + each[:-1], each[1:], at_start[1:] / -unit),
            Entries(peak, self._pair_block, peaks / unit),
        )
        start, index, values = entries.by_column(count)
        self._program.add_columns(
            of_block / unit, np.zeros(count), np.ones(count), start, index, values
        )

    def solve(self, near: Floats) -> tuple[float, Floats, Floats, Floats]:
        """The least cost, the tariff's columns, each sum's price, and the mixture's energies.

        Whole numbers are those of the columns ``near``.
        """
        whole = self._rows.whole
        self._program.bound(whole, np.round(near[whole]), np.round(near[whole]))
        columns, duals = self._program.solve()
        own = len(self._rows.cost)
        weights = columns[own + self._missing :].reshape(len(self._known), self._blocks.count)
        columns = columns[:own] * self._rows.column_unit
        cost = float(self._rows.cost @ columns) + self._rows.offset
        energy = np.zeros(len(self._blocks.of_step))
        for weight, (at_end, of_block) in zip(weights, self._known, strict=True):
            if weight.any():
                cost += float(weight @ of_block)
                energy += weight[self._blocks.of_step] * at_end
        return cost, columns, -duals[: self._rows.sums], energy
