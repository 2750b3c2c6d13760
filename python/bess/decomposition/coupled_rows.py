"""Rows by what they join: one step's import to a column, many steps, or columns only.

They are a tariff's, and the limits on sums over all steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from bess._arrays import Floats
from bess.battery import Battery
from bess.decomposition.entries import Entries, Indices, added
from bess.limits import Limit
from bess.tariff.expression import Expression
from bess.tariff.meter_bounds import MeterBounds, Steps
from bess.tariff.program import ChargeProgram, Charges

__all__ = ["CoupledRows", "split"]

_INFINITY = float("inf")
# In the small programs' unit.
_LARGEST = 1000.0
# What solvers' tolerances let a row be missed by, in that unit.
_LITTLE = 1e-8
# Each row over many steps has a price of its own to be found.
_MOST_SUMS = 400
# From a step's cap to the column that is paid for: group, window, ratchet, band, minimum.
_LONGEST_CHAIN = 6


@dataclass(frozen=True, eq=False)
class CoupledRows:
    """Caps on import, sums over steps, and rows over columns, of the tariff's own columns."""

    cost: Floats
    lower: Floats
    upper: Floats
    offset: float
    whole: Indices
    """The columns that are 0 or 1."""
    unit: float
    """What the small programs count energy and money in, so that their numbers are near 1."""
    column_unit: Floats
    """The same by column: that unit, or 1 for a choice."""
    cap_step: Indices
    cap_column: Indices
    cap_room: Floats
    """Import in the step is at most room + factor * column, in kWh AC."""
    cap_factor: Floats
    penalty: Floats
    """By column, more than what one more unit of it can cost; 0 where it caps nothing."""
    row_lower: Floats
    """Of the rows that are not caps: first the sums, then those over columns only."""
    row_upper: Floats
    sums: int
    entries: Entries
    """Their entries in the tariff's columns."""
    sum_step: Indices
    """And the sums' in the steps, with factors of import and export."""
    sum_row: Indices
    sum_import: Floats
    sum_export: Floats
    sum_drawn: Floats
    """By sum, its factor of what leaves the cells in every step, kWh DC."""

    @property
    def row_bounds(self) -> tuple[Floats, Floats]:
        """The bounds of the rows that are not caps, in the small programs' unit."""
        return self.row_lower / self.unit, self.row_upper / self.unit

    def hold(self, columns: Floats) -> bool:
        """Whether columns keep the rows over columns only; imports imply their own bounds."""
        held = self.entries.times(columns, len(self.row_lower))[self.sums :]
        little = _LITTLE * self.unit
        low, high = self.row_lower[self.sums :] - little, self.row_upper[self.sums :] + little
        return bool(((held >= low) & (held <= high)).all())

    def loosened(self, columns: Floats) -> Floats:
        """The columns, those that cap import and cost nothing as far up as rows and bounds let."""
        found = columns.copy()
        row, column, value = self.entries.row, self.entries.column, self.entries.value
        held = self.entries.times(found, len(self.row_lower))
        for j in np.unique(self.cap_column[self.cost[self.cap_column] == 0]):
            own, each = row[column == j], value[column == j]
            room = np.where(
                each > 0, self.row_upper[own] - held[own], held[own] - self.row_lower[own]
            )
            more = max(float((room / abs(each)).min(initial=self.upper[j] - found[j])), 0.0)
            found[j] += more
            held[own] += more * each
        return found

    def in_units(self, entries: Entries, column_unit: Floats) -> Entries:
        """Entries of rows and columns in the small programs' units."""
        value = entries.value * (column_unit[entries.column] / self.unit)
        return Entries(entries.row, entries.column, value)


def split(charges: Charges | None, limits: Sequence[Limit], battery: Battery) -> CoupledRows | None:
    """The rows sorted, limits last among the sums; None where there are too many sums."""
    if limits or charges is None or charges.layout is None:
        return _sorted(charges, limits, battery.dc_to_ac_efficiency)
    rows = _sorted_once(charges.first or charges)
    if rows is None or charges.first is None:
        return rows
    lower, upper = charges.coupling.column_lower, charges.coupling.column_upper
    unit = _unit(lower, upper, limits)
    each = np.where(charges.coupling.integrality != 0, 1.0, unit)
    return replace(rows, lower=lower, upper=upper, unit=unit, column_unit=each)


@lru_cache(maxsize=32)
def _sorted_once(charges: Charges) -> CoupledRows | None:
    return _sorted(charges, (), 1.0)


def _sorted(
    charges: Charges | None, limits: Sequence[Limit], dc_to_ac_efficiency: float
) -> CoupledRows | None:
    if charges is None:
        nothing = np.zeros(len(limits[0].imported))
        meter = MeterBounds(nothing, nothing, nothing, nothing, 0.0)
        charges = ChargeProgram(meter).finish(Expression())
    coupling = charges.coupling
    count = charges.rows + len(limits)
    row_lower = np.append(coupling.row_lower, np.full(len(limits), -_INFINITY))
    row_upper = np.append(coupling.row_upper, [limit.most for limit in limits])
    drawn = np.zeros(count)
    drawn[charges.rows :] = [limit.drawn[0] * dc_to_ac_efficiency for limit in limits]
    step, row, imported, exported = (
        np.concatenate(parts)
        for parts in zip(
            charges.entries,
            *(_entries(limit, charges.rows + i) for i, limit in enumerate(limits)),
            strict=True,
        )
    )
    column = np.repeat(np.arange(len(coupling.column_cost)), np.diff(coupling.start))
    entries = Entries(coupling.index, column.astype(np.int32), coupling.value)
    steps_in = np.bincount(row, minlength=count)
    columns_in = np.bincount(entries.row, minlength=count)
    upward = np.ones(count, np.bool_)
    upward[row[(imported <= 0) | (exported != 0)]] = False
    upward[entries.row[entries.value >= 0]] = False
    is_cap = (steps_in == 1) & (columns_in == 1) & upward
    is_cap &= (row_lower == -_INFINITY) & (row_upper < _INFINITY)
    is_sum = (steps_in > 0) & ~is_cap
    is_sum[charges.rows :] = True
    sums = int(is_sum.sum())
    if sums > _MOST_SUMS:
        return None
    order = np.concatenate([np.flatnonzero(is_sum), np.flatnonzero((steps_in == 0) & ~is_sum)])
    place = np.full(count, -1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    of_cap = is_cap[row]
    capped = row[of_cap]
    own = np.zeros(count, np.int32)
    own_value = np.zeros(count)
    own[entries.row], own_value[entries.row] = entries.column, entries.value
    kept = entries.only(~is_cap[entries.row])
    kept = Entries(place[kept.row], kept.column, kept.value)
    factor = imported[of_cap]
    whole = coupling.integrality != 0
    unit = _unit(coupling.column_lower, coupling.column_upper, limits)
    found = CoupledRows(
        cost=coupling.column_cost,
        lower=coupling.column_lower,
        upper=coupling.column_upper,
        offset=coupling.offset,
        whole=np.flatnonzero(whole).astype(np.int32),
        unit=unit,
        column_unit=np.where(whole, 1.0, unit),
        cap_step=step[of_cap].astype(np.int32),
        cap_column=own[capped],
        cap_room=row_upper[capped] / factor,
        cap_factor=-own_value[capped] / factor,
        penalty=np.zeros(len(coupling.column_cost)),
        row_lower=row_lower[order],
        row_upper=row_upper[order],
        sums=sums,
        entries=kept,
        sum_step=step[~of_cap].astype(np.int32),
        sum_row=place[row[~of_cap]],
        sum_import=imported[~of_cap],
        sum_export=exported[~of_cap],
        sum_drawn=drawn[is_sum],
    )
    found.penalty[:] = _most_costs(found)
    return found


def _unit(lower: Floats, upper: Floats, limits: Sequence[Limit]) -> float:
    largest = np.abs([lower, upper]).max(initial=1.0)
    largest = max(largest, *(abs(limit.most) for limit in limits), 1.0)
    return float(2.0 ** round(math.log2(max(largest / _LARGEST, 1.0))))


def _entries(limit: Limit, row: int) -> tuple[Steps, Steps, Floats, Floats]:
    """A limit's steps, with its row and its factors of import and export in them."""
    step: Steps = np.arange(len(limit.imported))
    if not limit.drawn.any():
        step = np.flatnonzero((limit.imported != 0) | (limit.exported != 0))
    return step, np.full(len(step), row), limit.imported[step], limit.exported[step]


def _most_costs(rows: CoupledRows) -> Floats:
    """By column, more than what one more unit of it can cost, through the rows it drives.

    A row holds where one of its other columns gives way. The sums over steps do not, and choices do
    for nothing: where one is made the other way, both ways cost the same.
    """
    row, column, value = rows.entries.row, rows.entries.column, rows.entries.value
    own = np.maximum(rows.cost, 0.0)
    firm = np.zeros(len(own), np.bool_)
    of_sum = row < rows.sums
    firm[column[of_sum & (rows.row_lower == rows.row_upper)[row]]] = True
    through = np.zeros(len(row))  # what each entry's row adds to its column's cost
    count = len(rows.row_lower)
    for _ in range(_LONGEST_CHAIN):
        total = own + added(column, through, len(own))
        each = np.where(firm[column], 0.0, total[column] - through) / abs(value)
        each[np.isin(column, rows.whole)] = 0.0
        before, through = through, np.zeros(len(row))
        for sign, held in ((1.0, rows.row_lower), (-1.0, -rows.row_upper)):
            raised = (sign * value > 0) & (held[row] > -_INFINITY)
            dearest = np.zeros(count)
            np.maximum.at(dearest, row[raised], each[raised])
            driving = sign * value < 0
            through[driving] += abs(value[driving]) * dearest[row[driving]]
        if (through <= before).all():
            break
    # A little more, so that ties are decided for the cap.
    capping = np.zeros(len(own), np.bool_)
    capping[rows.cap_column] = True
    return np.where(capping, 1.001 * (own + added(column, through, len(own))), 0.0)
