"""What a bill charges on more than one step, as rows and columns of a linear program.

A variable is a sum over the meter's energies (`step_sum`) or a column of its own; an `Expression`
is a number plus multiples of variables. Whatever is a multiple of a step's import or export only
ends up in prices by step; the rest becomes a `bess._core.Coupling`, to be joined to the steps'
program.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats
from bess.tariff.expression import Expression
from bess.tariff.meter_bounds import MeterBounds, Steps

__all__ = ["ChargeProgram", "Charges"]

_INFINITY: Final = float("inf")
_WIDER: Final = 1e-4

Ends = TypeVar("Ends", float, Floats)
BoundsAt: TypeAlias = Callable[[MeterBounds], tuple[Floats, Floats]]
"""The least and the most that columns can be, by what can cross the meter."""


@dataclass(frozen=True, eq=False)
class Charges:
    """A bill as a function of the meter's energies: prices by step, and a coupling for the rest."""

    import_price: Floats
    """Money per kWh imported in each step, but for what the coupling adds."""
    export_price: Floats
    coupling: _core.Coupling
    entries: tuple[Steps, Steps, Floats, Floats]
    """Step, row, import factor and export factor of each entry of the coupling's rows."""
    rows: int
    first_demand_row: int
    """Of the rows that hold the means of demand intervals under peaks, which come last."""
    ordered: bool = False
    """Whether, whatever is done, 0 <= what an export earns <= what an import costs."""
    layout: ChargeLayout | None = field(default=None, repr=False)
    """What of it is the same whatever can cross the meter; None where nothing is sure to be."""
    first: Charges | None = field(default=None, repr=False)
    """The same bill as it was first stated, where that was at another meter."""

    def at(self, meter: MeterBounds) -> Charges:
        """The same bill, with what else can cross the meter. Requires a ``layout``."""
        assert self.layout is not None
        lower, upper = self.layout.bounds_at(meter)
        coupling = self.layout.coupling_between(column_lower=lower, column_upper=upper)
        return replace(self, coupling=coupling, first=self.first or self)

    def marginal_prices(self, dual: Floats) -> tuple[Floats, Floats]:
        """What one more kWh costs and earns in each step, from money per unit of each row."""
        step, row, imported, exported = self.entries
        steps = len(self.import_price)
        own = dual[row]
        return (
            self.import_price - np.bincount(step, own * imported, steps),
            self.export_price + np.bincount(step, own * exported, steps),
        )


@dataclass(frozen=True, eq=False)
class ChargeLayout:
    """A coupling but for the bounds of its columns, which alone depend on the meter."""

    coupling_between: Callable[..., _core.Coupling]
    bounds_at: BoundsAt


class ChargeProgram:
    """Collects variables and rows, then makes `Charges` of them.

    >>> bounds = MeterBounds(np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2), 0.0)
    >>> program = ChargeProgram(bounds)
    >>> energy = program.step_sum(np.arange(2))
    >>> program.finish(energy * 0.3).import_price.tolist()
    [0.3, 0.3]
    """

    def __init__(self, meter: MeterBounds) -> None:
        self.meter = meter
        self._steps = len(meter.most_import)
        self._sums: dict[int, tuple[Steps, Floats, Floats]] = {}
        self._known: dict[tuple[bytes, bytes, bytes], int] = {}
        self._lower: list[float] = []
        self._upper: list[float] = []
        self._binary: list[bool] = []
        self._by_meter: list[tuple[int, int, BoundsAt]] = []
        self._asked = False
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._many: list[tuple[Steps, NDArray[np.intp], Floats, int, int]] = []

    def column(self, lower: float, upper: float) -> Expression:
        """A new variable between two finite bounds, which other rows imply unless they are 0.

        They are kept a hair wider: a solver that rests on a bound does not say what it costs to.
        """
        low, high = _wider(lower, upper)
        self._lower.append(low)
        self._upper.append(high)
        self._binary.append(False)
        return Expression(0.0, {len(self._lower) - 1: 1.0})

    def columns(self, bounds_at: BoundsAt) -> list[Expression]:
        """New variables between such bounds, which may be asked for at other meters, too."""
        first = len(self._lower)
        ends = zip(*bounds_at(self.meter), strict=True)
        found = [self.column(float(low), float(high)) for low, high in ends]
        self._by_meter.append((first, len(self._lower), bounds_at))
        return found

    def binary(self) -> Expression:
        """A new variable that is 0 or 1."""
        variable = self.column(0.0, 0.0)
        self._upper[-1] = 1.0
        self._binary[-1] = True
        return variable

    def step_sum(
        self,
        steps: Steps,
        imported: Floats | float = 1.0,
        exported: Floats | float = 0.0,
    ) -> Expression:
        """The sum over some steps of ``imported`` times import plus ``exported`` times export."""
        factors = [np.broadcast_to(np.float64(f), steps.shape) for f in (imported, exported)]
        key = (steps.tobytes(), factors[0].tobytes(), factors[1].tobytes())
        if key not in self._known:
            self.column(np.nan, np.nan)  # until they are asked for, which they may never be
            self._known[key] = len(self._lower) - 1
            self._sums[self._known[key]] = (steps, factors[0], factors[1])
        return Expression(0.0, {self._known[key]: 1.0})

    def bounds(self, expression: Expression) -> tuple[float, float]:
        """The least and the most that an expression can be, each variable by itself.

        What is built may depend on it, and so on the meter.
        """
        self._asked = True
        low = high = expression.constant
        for variable, value in expression.terms.items():
            self._bound_sum(variable)
            ends = (value * self._lower[variable], value * self._upper[variable])
            if value:
                low, high = low + min(ends), high + max(ends)
        return low, high

    def _bound_sum(self, variable: int) -> None:
        """Know the bounds of a variable, if it is a sum over the meter's energies."""
        if variable in self._sums and np.isnan(self._lower[variable]):
            low, high = _wider(*self.meter.of_sum(*self._sums[variable]))
            self._lower[variable], self._upper[variable] = low, high

    def equal(self, first: Expression, second: Expression) -> bool:
        """Whether two sums over the meter's energies have the same steps and factors."""
        return self._factors(first) == self._factors(second)

    def _factors(self, expression: Expression) -> tuple[bytes, dict[int, float]]:
        factors = np.zeros((2, self._steps))
        others = {}
        for variable, value in expression.terms.items():
            if variable in self._sums:
                steps, imported, exported = self._sums[variable]
                factors[0, steps] += value * imported
                factors[1, steps] += value * exported
            elif value:
                others[variable] = value
        return factors.tobytes(), others

    def row(self, expression: Expression, lower: float, upper: float = _INFINITY) -> None:
        """Hold an expression between two bounds, either of which may be infinite."""
        kept = {variable: value for variable, value in expression.terms.items() if value}
        constant = expression.constant
        self._rows.append((kept, lower - constant, upper - constant))

    def means_at_most(
        self, steps: Steps, interval: NDArray[np.intp], weight: Floats, most: Expression
    ) -> None:
        """Hold weighted sums of imports, one for each interval, at or under a variable.

        ``interval`` numbers the interval of each of ``steps``, from 0 on, without gaps.
        """
        (variable,) = most.terms
        self._many.append((steps, interval, weight, variable, int(interval.max()) + 1))

    def finish(self, objective: Expression) -> Charges:
        """The charges whose least total is wanted."""
        imports, exports = np.zeros(self._steps), np.zeros(self._steps)
        used = {v for terms, _, _ in self._rows for v in terms} | {many[3] for many in self._many}
        columns = [j for j in range(len(self._lower)) if j in used or j not in self._sums]
        for variable, value in objective.terms.items():
            if variable in self._sums:
                steps, imported, exported = self._sums[variable]
                np.add.at(imports, steps, value * imported)
                np.add.at(exports, steps, -value * exported)
        for variable in columns:
            self._bound_sum(variable)
        place, rows = {variable: j for j, variable in enumerate(columns)}, list(self._rows)
        entries = [(np.zeros(0, np.intp),) * 2 + (np.zeros(0),) * 2]
        for variable in columns:
            if variable in self._sums:  # sum - column = 0
                steps, imported, exported = self._sums[variable]
                entries.append((steps, np.full(len(steps), len(rows)), imported, exported))
                rows.append(({variable: -1.0}, 0.0, 0.0))
        own = [(place[v], r, value) for r, row in enumerate(rows) for v, value in row[0].items()]
        column, index = (np.array([entry[i] for entry in own], np.intp) for i in (0, 1))
        owners, end = [column], len(rows)
        for steps, interval, weight, owner, count in self._many:
            entries.append((steps, end + interval, weight, np.zeros(len(steps))))
            owners.append(np.full(count, place[owner], np.intp))
            end += count
        column, one = np.concatenate(owners), np.ones(end - len(rows))
        index = np.append(index, np.arange(len(rows), end))
        values = np.concatenate([[entry[2] for entry in own], -one])
        lower = np.concatenate([[row[1] for row in rows], -_INFINITY * one])
        upper = np.concatenate([[row[2] for row in rows], 0 * one])
        merged = tuple(np.concatenate([part[i] for part in entries]) for i in range(4))
        order = np.argsort(merged[0], kind="stable")
        step, row_of, imported, exported = (part[order] for part in merged)
        order = np.argsort(column, kind="stable")
        cost = [0.0 if v in self._sums else objective.terms.get(v, 0.0) for v in columns]
        coupling_between = partial(
            _core.Coupling,
            step_start=_starts(step, self._steps),
            step_row=row_of.astype(np.int32),
            import_factor=np.ascontiguousarray(imported),
            export_factor=np.ascontiguousarray(exported),
            column_cost=np.array(cost),
            integrality=np.array([self._binary[v] for v in columns], np.int32),
            start=_starts(column[order], len(columns)),
            index=index[order].astype(np.int32),
            value=np.ascontiguousarray(values[order], np.float64),
            row_lower=lower,
            row_upper=upper,
            offset=objective.constant,
        )
        coupling = coupling_between(
            column_lower=np.array([self._lower[v] for v in columns]),
            column_upper=np.array([self._upper[v] for v in columns]),
        )
        kept = step, row_of, imported, exported
        layout = None
        if not self._asked:
            layout = ChargeLayout(coupling_between, self._bounds_at(columns, coupling))
        return Charges(imports, exports, coupling, kept, end, len(rows), layout=layout)

    def _bounds_at(self, columns: list[int], coupling: _core.Coupling) -> BoundsAt:
        """The bounds of the columns that are kept, at any meter."""
        sums = [(j, self._sums[v]) for j, v in enumerate(columns) if v in self._sums]
        ranges = [
            (np.searchsorted(columns, [first, last]), bounds_at)
            for first, last, bounds_at in self._by_meter
        ]

        def bounds_at(meter: MeterBounds) -> tuple[Floats, Floats]:
            lower, upper = np.array(coupling.column_lower), np.array(coupling.column_upper)
            for (first, last), own_bounds_at in ranges:
                lower[first:last], upper[first:last] = _wider(*own_bounds_at(meter))
            for j, sum_of in sums:
                lower[j], upper[j] = _wider(*meter.of_sum(*sum_of))
            return lower, upper

        return bounds_at


def _wider(lower: Ends, upper: Ends) -> tuple[Ends, Ends]:
    return lower - _WIDER * abs(lower), upper + _WIDER * abs(upper)


def _starts(sorted_values: NDArray[np.intp], count: int) -> NDArray[np.int32]:
    """Where each of the values 0, 1, ... ``count`` begins."""
    return np.searchsorted(sorted_values, np.arange(count + 1)).astype(np.int32)
