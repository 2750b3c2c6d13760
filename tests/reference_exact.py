"""A mixed-integer programme in which the larger and the smaller of expressions are exact.

Nothing is judged convex or concave: every maximum and minimum that is not plain from the bounds of
its terms gets a whole-numbered choice, so that a formula can be written down as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from reference_models import INF

Linear = dict[int, float]
"""A sum of columns, each by its coefficient."""

ONE = 0
"""The column that is always 1: constants are its multiples."""


def constant(value: float) -> Linear:
    return {ONE: value}


def total(*terms: Linear) -> Linear:
    found: Linear = {}
    for term in terms:
        for column, value in term.items():
            found[column] = found.get(column, 0.0) + value
    return found


def times(factor: float, term: Linear) -> Linear:
    return {column: factor * value for column, value in term.items()}


def less(one: Linear, other: Linear) -> Linear:
    return total(one, times(-1.0, other))


class Exact:
    """Columns with bounds, rows on sums of them, and an objective."""

    def __init__(self) -> None:
        self.low: list[float] = [1.0]
        self.high: list[float] = [1.0]
        self.whole: list[bool] = [False]
        self.rows: list[tuple[Linear, float, float]] = []

    def column(self, low: float = 0.0, high: float = INF, whole: bool = False) -> Linear:
        self.low.append(low)
        self.high.append(high)
        self.whole.append(whole)
        return {len(self.low) - 1: 1.0}

    def row(self, term: Linear, low: float, high: float) -> None:
        self.rows.append((term, low, high))

    def range(self, term: Linear) -> tuple[float, float]:
        """The least and the most that a sum can be by the bounds of its columns alone."""
        least = most = 0.0
        for c, v in term.items():
            if v:
                ends = (v * self.low[c], v * self.high[c])
                least, most = least + min(ends), most + max(ends)
        return least, most

    def largest(self, *terms: Linear) -> Linear:
        """Exactly the largest of some sums."""
        ranges = [self.range(term) for term in terms]
        safe = max(range(len(terms)), key=lambda i: ranges[i])
        least = ranges[safe][0]
        rivals = [i for i, (_, high) in enumerate(ranges) if i == safe or high > least]
        if len(rivals) == 1:
            return terms[safe]
        most = max(high for _, high in ranges)
        found = self.column(least, most)
        chosen = []
        for i in rivals:
            choice = self.column(0.0, 1.0, whole=True)
            chosen.append(choice)
            above = less(found, terms[i])
            self.row(above, 0.0, INF)
            reach = most - ranges[i][0]  # the most by which this one can fall short
            self.row(total(above, times(reach, choice)), -INF, reach)
        self.row(total(*chosen), 1.0, 1.0)
        return found

    def smallest(self, *terms: Linear) -> Linear:
        """Exactly the smallest of some sums."""
        return times(-1.0, self.largest(*(times(-1.0, term) for term in terms)))

    def positive(self, term: Linear) -> Linear:
        """Exactly what of a sum is above 0."""
        return self.largest(term, constant(0.0))

    def either(self, one: Sequence[Linear], other: Sequence[Linear]) -> None:
        """Of two sets of columns, one is 0 throughout."""
        choice = self.column(0.0, 1.0, whole=True)
        for term in one:
            self.row(less(term, times(self.range(term)[1], choice)), -INF, 0.0)
        for term in other:
            most = self.range(term)[1]
            self.row(total(term, times(most, choice)), -INF, most)

    def minimise(self, objective: Linear) -> list[float] | None:
        """The values of all columns at a least objective; None if nothing is feasible."""
        # Neither run of the solver is trusted alone: a presolve may lose what is best.
        found = [v for way in ("on", "off") if (v := self._minimised(objective, way)) is not None]
        return min(found, key=lambda v: sum(c * v[i] for i, c in objective.items()), default=None)

    def _minimised(self, objective: Linear, presolve: str) -> list[float] | None:
        values = self._solve(objective, None, presolve)
        if values is None:
            return None
        whole = [round(v) if w else None for v, w in zip(values, self.whole, strict=True)]
        # Whole numbers are whole to a tolerance.
        return self._solve(objective, whole, presolve) or values

    def _solve(
        self, objective: Linear, fixed: list[int | None] | None, presolve: str
    ) -> list[float] | None:
        import highspy  # here, for the tests that do without it where it has no wheel

        count = len(self.low)
        low, high = np.array(self.low), np.array(self.high)
        for c, value in enumerate(fixed or []):
            if value is not None:
                low[c] = high[c] = value
        cost = np.zeros(count)
        for c, value in objective.items():
            cost[c] = value
        highs = highspy.Highs()
        for option, setting in (
            ("output_flag", False),
            ("threads", 1),
            ("presolve", presolve),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
            ("mip_feasibility_tolerance", 1e-9),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 1e-9),
        ):
            highs.setOptionValue(option, setting)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = count, len(self.rows)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, low, high
        lp.row_lower_ = np.array([row[1] for row in self.rows])
        lp.row_upper_ = np.array([row[2] for row in self.rows])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.cumsum([0] + [len(row[0]) for row in self.rows])
        lp.a_matrix_.index_ = np.array([c for row in self.rows for c in row[0]])
        lp.a_matrix_.value_ = np.array([v for row in self.rows for v in row[0].values()])
        if fixed is None and any(self.whole):
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[whole] for whole in self.whole]
        highs.passModel(lp)
        highs.run()
        if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        return list(highs.getSolution().col_value)
