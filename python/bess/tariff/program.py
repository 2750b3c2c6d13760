"""What a bill charges on more than one step, as rows and columns of a linear program.

A variable is a sum over the meter's energies (`step_sum`) or a column of its own; an `Expression`
is a number plus multiples of variables. Whatever is a multiple of a step's import or export only
ends up in prices by step; the rest becomes a `bess._core.Coupling`, to be joined to the steps'
program.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bess import _core
from bess._arrays import Floats

__all__ = ["ChargeProgram", "Charges", "Expression", "MeterBounds", "Steps"]

Steps = NDArray[np.intp]
_INFINITY: Final = float("inf")
_WIDER: Final = 1e-4
_LENGTHS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 192)
"""Of the stretches over which a peak is bounded from below, in steps."""


class Expression:
    """A number plus multiples of variables; changed in place only while it is built.

    >>> twice = Expression(1.0, {3: 2.0}) + Expression(0.5, {3: 1.0}) * 2
    >>> twice.constant, twice.terms
    (2.0, {3: 4.0})
    """

    __slots__ = ("constant", "terms")

    def __init__(self, constant: float = 0.0, terms: dict[int, float] | None = None) -> None:
        self.constant = constant
        self.terms = {} if terms is None else terms

    def add(self, other: Expression, factor: float = 1.0) -> None:
        """Add a multiple of another one to this one."""
        self.constant += factor * other.constant
        for variable, coefficient in other.terms.items():
            self.terms[variable] = self.terms.get(variable, 0.0) + factor * coefficient

    def __add__(self, other: Expression) -> Expression:
        total = Expression(self.constant, dict(self.terms))
        total.add(other)
        return total

    def __sub__(self, other: Expression) -> Expression:
        return self + other * -1.0

    def __mul__(self, factor: float) -> Expression:
        terms = {variable: factor * value for variable, value in self.terms.items()}
        return Expression(factor * self.constant, terms)


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
class MeterBounds:
    """What can cross the meter, whatever the batteries do; kWh AC, series by step."""

    most_import: Floats
    most_export: Floats
    least_import: Floats
    net_load: Floats
    """Load less solar."""
    most_shifted: float
    """What storage can give over consecutive steps beyond what it takes in them."""

    def of_sum(self, steps: Steps, imported: Floats, exported: Floats) -> tuple[float, float]:
        """Bounds on the sum over rising ``steps`` of factors times import and export."""
        least, most = self.least_import[steps], self.most_import[steps]
        sold = exported * self.most_export[steps]
        low = np.minimum(imported * least, imported * most).sum() + np.minimum(sold, 0.0).sum()
        high = np.maximum(imported * least, imported * most).sum() + np.maximum(sold, 0.0).sum()
        if len(steps) and _is_one(imported) and imported[0] > 0 and _is_one(exported):
            runs = np.concatenate([[0], np.flatnonzero(np.diff(steps) != 1) + 1])
            by_energy = np.add.reduceat(self.net_load[steps], runs) - self.most_shifted
            if exported[0] == 0:
                by_power = np.add.reduceat(least, runs)
                low = imported[0] * np.maximum(by_power, by_energy).sum()
            elif exported[0] == -imported[0]:
                by_power = np.add.reduceat(least - self.most_export[steps], runs)
                low = imported[0] * np.maximum(by_power, by_energy).sum()
        return float(low), float(high)

    def least_mean(self, steps: Steps) -> float:
        """The least that the largest import in some rising steps can be.

        Over consecutive steps, what storage cannot give must come in.
        """
        least = float(self.least_import[steps].max())
        highest = self.net_load[steps].max()
        before, after = self._summed[steps], self._summed[steps + 1]
        run = steps - np.arange(len(steps))  # the same where steps follow each other
        for length in _LENGTHS[: bisect_right(_LENGTHS, len(steps))]:
            if highest - self.most_shifted / length <= least:
                continue
            together = run[length - 1 :] == run[: len(run) - length + 1]
            net = after[length - 1 :] - before[: len(before) - length + 1]
            most = float(net.max(where=together, initial=-_INFINITY))
            if most == -_INFINITY:
                break
            least = max(least, (most - self.most_shifted) / length)
        return least

    @cached_property
    def _summed(self) -> Floats:
        """The net load before each step, and all of it."""
        return np.concatenate([[0.0], np.cumsum(self.net_load)])


def _is_one(values: Floats) -> bool:
    return bool((values == values[0]).all())


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
        self._rows: list[tuple[dict[int, float], float, float]] = []
        self._many: list[tuple[Steps, NDArray[np.intp], Floats, int, int]] = []

    def column(self, lower: float, upper: float) -> Expression:
        """A new variable between two finite bounds, which other rows imply unless they are 0.

        They are kept a hair wider: a solver that rests on a bound does not say what it costs to.
        """
        self._lower.append(lower - _WIDER * abs(lower))
        self._upper.append(upper + _WIDER * abs(upper))
        self._binary.append(False)
        return Expression(0.0, {len(self._lower) - 1: 1.0})

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
            self.column(*self.meter.of_sum(steps, factors[0], factors[1]))
            self._known[key] = len(self._lower) - 1
            self._sums[self._known[key]] = (steps, factors[0], factors[1])
        return Expression(0.0, {self._known[key]: 1.0})

    def bounds(self, expression: Expression) -> tuple[float, float]:
        """The least and the most that an expression can be, each variable by itself."""
        low = high = expression.constant
        for variable, value in expression.terms.items():
            ends = (value * self._lower[variable], value * self._upper[variable])
            if value:
                low, high = low + min(ends), high + max(ends)
        return low, high

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
        coupling = _core.Coupling(
            step_start=_starts(step, self._steps),
            step_row=row_of.astype(np.int32),
            import_factor=np.ascontiguousarray(imported),
            export_factor=np.ascontiguousarray(exported),
            column_cost=np.array(cost),
            column_lower=np.array([self._lower[v] for v in columns]),
            column_upper=np.array([self._upper[v] for v in columns]),
            integrality=np.array([self._binary[v] for v in columns], np.int32),
            start=_starts(column[order], len(columns)),
            index=index[order].astype(np.int32),
            value=np.ascontiguousarray(values[order], np.float64),
            row_lower=lower,
            row_upper=upper,
            offset=objective.constant,
        )
        kept = step, row_of, imported, exported
        return Charges(imports, exports, coupling, kept, end, len(rows))


def _starts(sorted_values: NDArray[np.intp], count: int) -> NDArray[np.int32]:
    """Where each of the values 0, 1, ... ``count`` begins."""
    return np.searchsorted(sorted_values, np.arange(count + 1)).astype(np.int32)
