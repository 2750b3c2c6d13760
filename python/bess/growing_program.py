"""A small linear program that grows: what cuts and trajectories are added to."""

from __future__ import annotations

from typing import Any

import numpy as np

from bess._arrays import Floats
from bess.errors import InfeasibleError, SolverError
from bess.highs import PRIMAL_SIMPLEX, Clock, new_highs, run

__all__ = ["GrowingProgram"]


class GrowingProgram:
    """A small linear program that rows or columns are added to between runs."""

    def __init__(self, clock: Clock, *, adds_columns: bool) -> None:
        self._clock = clock
        self._highs = new_highs()
        self._highs.setOptionValue("presolve", "off")
        if adds_columns:  # the basis stays feasible
            self._highs.setOptionValue("simplex_strategy", PRIMAL_SIMPLEX)

    def add_columns(
        self,
        cost: Floats,
        lower: Floats,
        upper: Floats,
        start: Any = None,
        index: Any = None,
        value: Any = None,
    ) -> None:
        """Add columns, with their entries in the rows there are."""
        count = len(cost)
        if start is None:
            start, index, value = np.zeros(count, np.int32), np.zeros(0, np.int32), np.zeros(0)
        self._highs.addCols(count, cost, lower, upper, len(index), start, index, value)

    def add_rows(self, lower: Floats, upper: Floats, start: Any, index: Any, value: Any) -> None:
        """Add rows, with their entries in the columns there are."""
        self._highs.addRows(len(lower), lower, upper, len(index), start, index, value)

    def make_whole(self, columns: Any) -> None:
        """Hold some columns to whole numbers."""
        self._highs.changeColsIntegrality(len(columns), columns, np.ones(len(columns), np.uint8))
        self._highs.setOptionValue("presolve", "choose")

    def bound(self, columns: Any, lower: Floats, upper: Floats) -> None:
        """Hold some columns between other bounds."""
        self._highs.changeColsBounds(len(columns), columns, lower, upper)

    @property
    def lower_bound(self) -> float:
        """What no choice of whole numbers undercuts, after `solve`."""
        return float(self._highs.getInfo().mip_dual_bound)

    def solve(self) -> tuple[Floats, Floats]:
        """The columns of an optimum, and the duals of its rows.

        Raises `SolverError`.
        """
        try:
            columns = run(self._highs, self._clock, to_the_end=True)
        except InfeasibleError as error:
            raise SolverError(str(error)) from error
        return columns, np.array(self._highs.getSolution().row_dual)
