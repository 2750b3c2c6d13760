"""Sparse matrices by entry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bess._arrays import Floats

__all__ = ["Entries", "Indices", "added"]

Indices = NDArray[np.int32]


def added(place: NDArray[np.integer], value: Floats, count: int) -> Floats:
    """The sums of values that have the same place, for each of ``count`` places."""
    return np.asarray(np.bincount(place, value, count), np.float64)


@dataclass(frozen=True, eq=False)
class Entries:
    """A sparse matrix, entry by entry."""

    row: Indices
    column: Indices
    value: Floats

    @classmethod
    def joined(cls, *parts: Entries) -> Entries:
        """All entries of several."""
        return cls(
            np.concatenate([part.row for part in parts]),
            np.concatenate([part.column for part in parts]),
            np.concatenate([part.value for part in parts]),
        )

    def only(self, kept: NDArray[np.bool_]) -> Entries:
        """Some of the entries."""
        return Entries(self.row[kept], self.column[kept], self.value[kept])

    def times(self, columns: Floats, rows: int) -> Floats:
        """The product with a vector."""
        return added(self.row, self.value * columns[self.column], rows)

    def by_row(self, rows: int) -> tuple[Indices, Indices, Floats]:
        """Where each row starts, and the columns and values of the entries row by row."""
        order = np.argsort(self.row, kind="stable")
        start = np.searchsorted(self.row[order], np.arange(rows)).astype(np.int32)
        return start, self.column[order], self.value[order]

    def by_column(self, columns: int) -> tuple[Indices, Indices, Floats]:
        """The same column by column."""
        return Entries(self.column, self.row, self.value).by_row(columns)
