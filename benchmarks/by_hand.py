"""A commercial year with demand windows, written by hand for HiGHS: the baseline.

Two programmes of one problem. `full` has every flow as a column, as one writes it first. `reduced`
is the fastest that was found: the site's own balance is worked out beforehand, a step is the pieces
of energy that the battery can take or give in their order of merit, one row for what is stored and
one for the demand window, and HiGHS does not presolve, which gains nothing on so lean a model. It
holds for prices of at least 0 that are not below what exports earn, and AC-coupled batteries.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
INF = np.inf


@dataclass(frozen=True)
class Year:
    """A year in plain arrays: kWh a step, money per kWh and per kW."""

    load: Floats
    solar: Floats
    import_price: Floats
    export_price: Floats
    month: NDArray[np.int64]
    """0 to 11, for each step."""
    window: NDArray[np.int64]
    """The innermost demand window of each step; each lies inside the one before it."""
    peak_price: Floats
    """Money per kW of the peak of each window in each month, shape (windows, 12)."""
    hours: float
    tiers: tuple[tuple[float, float], ...] = ()
    """Beyond so many kWh a month, what one more costs on top."""
    capacity: float = 400.0
    power: float = 100.0
    lowest: float = 40.0
    initial: float = 200.0
    into: float = 0.96 * 0.975
    out: float = 0.96

    @property
    def steps(self) -> int:
        return len(self.load)


class Model:
    """Columns, rows and entries as arrays, put together column by column for HiGHS."""

    def __init__(self) -> None:
        self.columns: list[tuple[Any, Any, Any]] = []
        self.rows: list[tuple[Any, Any]] = []
        self.entries: list[tuple[Any, Any, Any]] = []
        self.column_count = self.row_count = 0

    def add_columns(self, cost: Floats, low: Any, high: Any) -> NDArray[np.int64]:
        self.columns.append(
            (cost, np.broadcast_to(low, cost.shape), np.broadcast_to(high, cost.shape))
        )
        first, self.column_count = self.column_count, self.column_count + len(cost)
        return np.arange(first, self.column_count)

    def add_rows(self, low: Any, high: Any, count: int) -> NDArray[np.int64]:
        self.rows.append((np.broadcast_to(low, (count,)), np.broadcast_to(high, (count,))))
        first, self.row_count = self.row_count, self.row_count + count
        return np.arange(first, self.row_count)

    def put(self, row: Any, column: Any, value: float) -> None:
        self.entries.append((row, column, np.full(len(row), value)))

    def solve(self, presolve: str) -> float:
        """The least cost."""
        import highspy

        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        order = np.lexsort((row, column))
        start = np.searchsorted(column[order], np.arange(self.column_count + 1))
        cost, low, high = (np.concatenate(part) for part in zip(*self.columns, strict=True))
        row_low, row_high = (np.concatenate(part) for part in zip(*self.rows, strict=True))
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("threads", 1)
        highs.setOptionValue("presolve", presolve)
        highs.passModel(
            self.column_count,
            self.row_count,
            len(value),
            1,
            1,
            0.0,
            cost,
            low,
            high,
            row_low,
            row_high,
            start.astype(np.int32),
            row[order].astype(np.int32),
            value[order],
            np.zeros(self.column_count, np.int32),
        )
        highs.run()
        assert highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return float(highs.getInfo().objective_function_value)

    def add_peaks(self, year: Year) -> NDArray[np.int64]:
        """A column for each step's tightest window, kWh in the step."""
        peaks = [self.add_columns(price / year.hours, 0.0, INF) for price in year.peak_price]
        for outer, inner in pairwise(peaks):  # no peak is below one of some of its hours
            rows = self.add_rows(0.0, INF, 12)
            self.put(rows, outer, 1.0)
            self.put(rows, inner, -1.0)
        return np.stack(peaks)[year.window, year.month]

    def add_tiers(self, year: Year, terms: Any, idle: Floats) -> None:
        """What each month imports beyond a tier's limit; ``terms`` and ``idle`` make up import."""
        if not year.tiers:
            return
        bought = self.add_columns(np.zeros(12), 0.0, INF)
        total = -np.bincount(year.month, idle, 12)
        rows = self.add_rows(total, total, 12)
        for at, column, value in terms:
            self.put(rows[year.month[at]], column, value)
        self.put(rows, bought, -1.0)
        for limit, price in year.tiers:
            beyond = self.add_columns(np.full(12, price), 0.0, INF)
            rows = self.add_rows(-INF, limit, 12)
            self.put(rows, bought, 1.0)
            self.put(rows, beyond, -1.0)


def reduced(year: Year) -> float:
    """The least bill, from pieces of energy in their order of merit."""
    model, n = Model(), year.steps
    deficit = np.maximum(year.load - year.solar, 0.0)
    surplus = np.maximum(year.solar - year.load, 0.0)
    most_out, most_in = year.power * year.hours, year.power * year.hours * 0.975
    to_site = np.minimum(deficit / year.out, most_out)
    of_sun = np.minimum(surplus * year.into, most_in)
    pieces = (  # width, cost of a stored kWh, its sign in the store, its import
        (to_site, -year.import_price * year.out, -1.0, -year.out),
        (most_out - to_site, -year.export_price * year.out, -1.0, 0.0),
        (of_sun, year.export_price / year.into, 1.0, 0.0),
        (most_in - of_sun, year.import_price / year.into, 1.0, 1.0 / year.into),
    )
    low = np.full(n, year.lowest)
    low[-1] = year.initial
    energy = model.add_columns(np.zeros(n), low, year.capacity)
    peak = model.add_peaks(year)
    start = np.zeros(n)
    start[0] = year.initial
    stored = model.add_rows(start, start, n)
    demand = model.add_rows(-INF, -deficit, n)
    model.put(stored, energy, 1.0)
    model.put(stored[1:], energy[:-1], -1.0)
    model.put(demand, peak, -1.0)
    imports = []
    for width, cost, sign, imported in pieces:
        at = np.flatnonzero(width > 0)
        column = model.add_columns(cost[at], 0.0, width[at])
        model.put(stored[at], column, -sign)
        if imported:
            model.put(demand[at], column, imported)
            imports.append((at, column, imported))
    model.add_tiers(year, imports, deficit)
    idle = float(year.import_price @ deficit - year.export_price @ surplus)
    return model.solve("off") + idle


def full(year: Year) -> float:
    """The least bill, with every flow a column."""
    model, n = Model(), year.steps
    nothing = np.zeros(n)
    grid_to_site, grid_to_battery = (model.add_columns(year.import_price, 0.0, INF) for _ in "ab")
    solar_to_site, solar_to_battery = (model.add_columns(nothing, 0.0, INF) for _ in "ab")
    solar_to_grid, battery_to_grid = (model.add_columns(-year.export_price, 0.0, INF) for _ in "ab")
    battery_to_site = model.add_columns(nothing, 0.0, INF)
    low = np.full(n, year.lowest)
    low[-1] = year.initial
    energy = model.add_columns(nothing, low, year.capacity)
    peak = model.add_peaks(year)
    start = nothing.copy()
    start[0] = year.initial
    into = year.into / 0.975  # AC to DC; 0.975 from there into the cells
    for low_, high, terms in (
        (year.load, year.load, ((grid_to_site, 1), (solar_to_site, 1), (battery_to_site, 1))),
        (0.0, year.solar, ((solar_to_site, 1), (solar_to_grid, 1), (solar_to_battery, 1))),
        (-INF, year.power * year.hours, ((grid_to_battery, into), (solar_to_battery, into))),
        (
            -INF,
            year.power * year.hours,
            ((battery_to_site, 1 / year.out), (battery_to_grid, 1 / year.out)),
        ),
        (-INF, 0.0, ((grid_to_site, 1), (grid_to_battery, 1), (peak, -1))),
    ):
        rows = model.add_rows(low_, high, n)
        for columns, value in terms:
            model.put(rows, columns, float(value))
    rows = model.add_rows(start, start, n)
    model.put(rows, energy, 1.0)
    model.put(rows[1:], energy[:-1], -1.0)
    for columns, value in (
        (grid_to_battery, -year.into),
        (solar_to_battery, -year.into),
        (battery_to_site, 1 / year.out),
        (battery_to_grid, 1 / year.out),
    ):
        model.put(rows, columns, value)
    steps = np.arange(n)
    imports = [(steps, grid_to_site, 1.0), (steps, grid_to_battery, 1.0)]
    model.add_tiers(year, imports, nothing)
    return model.solve("on")
