"""The columns of a tariff that belong to some of the steps alone, and what they cost at least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import Entries, Indices
from bess.errors import SolverError
from bess.growing_program import GrowingProgram
from bess.highs import Clock

__all__ = ["OwnColumns", "owners"]

_INFINITY = float("inf")


def owners(rows: CoupledRows, of_cap: Indices) -> tuple[Indices, Indices]:
    """The stretch that each column and each row belongs to, -1 where to none or several.

    ``of_cap`` is that of each column which caps import, -1 for others. A column belongs where the
    rows that it is in do.
    """
    entries = rows.entries
    owner, own_row = of_cap.copy(), np.full(len(rows.row_lower), -1, np.int32)
    free = np.ones(len(owner), np.bool_)
    free[rows.cap_column] = False
    for _ in range(3):
        known = owner[entries.column]
        least = np.full(len(own_row), np.iinfo(np.int32).max, np.int32)
        most = np.full(len(own_row), -1, np.int32)
        np.minimum.at(least, entries.row[known >= 0], known[known >= 0])
        np.maximum.at(most, entries.row[known >= 0], known[known >= 0])
        own_row = np.where(least == most, most, -1).astype(np.int32)
        joins = free[entries.column] & (own_row[entries.row] >= 0)
        owner[entries.column[joins]] = own_row[entries.row[joins]]
    lonely = owner[entries.column] != own_row[entries.row]
    own_row[entries.row[lonely]] = -1
    return owner, own_row


class OwnColumns:
    """A small program over some columns, between bounds that change."""

    def __init__(
        self,
        rows: CoupledRows,
        cost: Floats,
        columns: NDArray[np.intp],
        own_rows: NDArray[np.intp],
        clock: Clock,
    ) -> None:
        self.cost = cost
        self._rows, self._columns = rows, columns
        self._caps = np.isin(columns, rows.cap_column)
        column, row = np.full(len(cost), -1, np.int32), np.full(len(rows.row_lower), -1, np.int32)
        column[columns], row[own_rows] = np.arange(len(columns)), np.arange(len(own_rows))
        kept = rows.entries.only(row[rows.entries.row] >= 0)
        self._entries = Entries(row[kept.row], column[kept.column], kept.value)
        self._row_lower, self._row_upper = rows.row_lower[own_rows], rows.row_upper[own_rows]
        self._unit = rows.column_unit[columns]
        self._program: GrowingProgram | None = None
        if len(own_rows):
            self._program = GrowingProgram(clock, adds_columns=False)
            each = self._unit
            self._program.add_columns(
                cost[columns] * (each / rows.unit),
                rows.lower[columns] / each,
                rows.upper[columns] / each,
            )
            self._program.add_rows(
                self._row_lower / rows.unit,
                self._row_upper / rows.unit,
                *rows.in_units(self._entries, each).by_row(len(own_rows)),
            )

    def least(self, lower: Floats, upper: Floats) -> tuple[float, Floats | None]:
        """What the columns cost at least, by weak duality, with those that cap between bounds.

        And with which they cost it; None where the rows rule the bounds out.
        """
        own, rows = self._columns, self._rows
        low = np.where(self._caps, lower[own], rows.lower[own])
        high = np.where(self._caps, upper[own], rows.upper[own])
        reduced = self.cost[own]
        columns = np.zeros(len(rows.cost))
        bound = 0.0
        if self._program is None:
            columns[own] = np.where(reduced > 0, low, high)
        else:
            each = np.arange(len(own), dtype=np.int32)
            self._program.bound(each, low / self._unit, high / self._unit)
            try:
                found, dual = self._program.solve()
            except SolverError:
                return _INFINITY, None
            columns[own] = found * self._unit
            dual = np.where(self._row_lower == -_INFINITY, np.minimum(dual, 0.0), dual)
            dual = np.where(self._row_upper == _INFINITY, np.maximum(dual, 0.0), dual)
            held = np.where(dual > 0, self._row_lower, self._row_upper)
            bound += float(dual[dual != 0] @ held[dual != 0])
            reduced = reduced.copy()
            entries = self._entries
            np.subtract.at(reduced, entries.column, entries.value * dual[entries.row])
        ends = np.where(reduced > 0, low, high)
        return bound + float(reduced[reduced != 0] @ ends[reduced != 0]), columns
