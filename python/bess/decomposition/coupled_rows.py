"""A tariff's rows by what they join: one step's import to a column, many steps, or columns only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bess._arrays import Floats
from bess.decomposition.entries import Entries, Indices
from bess.tariff.program import Charges

__all__ = ["CoupledRows", "split"]

_INFINITY = float("inf")
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


def split(charges: Charges) -> CoupledRows | None:
    """The rows sorted; None where some are of a kind that the core does not know."""
    coupling = charges.coupling
    step, row, imported, exported = charges.entries
    column = np.repeat(np.arange(len(coupling.column_cost)), np.diff(coupling.start))
    entries = Entries(coupling.index, column.astype(np.int32), coupling.value)
    steps_in = np.bincount(row, minlength=charges.rows)
    columns_in = np.bincount(entries.row, minlength=charges.rows)
    upward = np.ones(charges.rows, np.bool_)
    upward[row[(imported <= 0) | (exported != 0)]] = False
    upward[entries.row[entries.value >= 0]] = False
    is_cap = (steps_in == 1) & (columns_in == 1) & upward
    is_cap &= (coupling.row_lower == -_INFINITY) & (coupling.row_upper < _INFINITY)
    is_sum = (steps_in > 0) & ~is_cap
    sums = int(is_sum.sum())
    if sums > _MOST_SUMS:
        return None
    order = np.concatenate([np.flatnonzero(is_sum), np.flatnonzero(steps_in == 0)])
    place = np.full(charges.rows, -1, np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    of_cap = is_cap[row]
    capped = row[of_cap]
    own = np.zeros(charges.rows, np.int32)
    own_value = np.zeros(charges.rows)
    own[entries.row], own_value[entries.row] = entries.column, entries.value
    kept = entries.only(~is_cap[entries.row])
    kept = Entries(place[kept.row], kept.column, kept.value)
    factor = imported[of_cap]
    found = CoupledRows(
        cost=coupling.column_cost,
        lower=coupling.column_lower,
        upper=coupling.column_upper,
        offset=coupling.offset,
        whole=np.flatnonzero(coupling.integrality).astype(np.int32),
        cap_step=step[of_cap].astype(np.int32),
        cap_column=own[capped],
        cap_room=coupling.row_upper[capped] / factor,
        cap_factor=-own_value[capped] / factor,
        penalty=np.zeros(len(coupling.column_cost)),
        row_lower=coupling.row_lower[order],
        row_upper=coupling.row_upper[order],
        sums=sums,
        entries=kept,
        sum_step=step[~of_cap].astype(np.int32),
        sum_row=place[row[~of_cap]],
        sum_import=imported[~of_cap],
        sum_export=exported[~of_cap],
    )
    found.penalty[:] = _most_costs(found)
    return found


def _most_costs(rows: CoupledRows) -> Floats:
    """By column, more than what one more unit of it can cost, through the rows it drives."""
    own = np.maximum(rows.cost, 0.0)
    costs = own
    by_row = [np.flatnonzero(rows.entries.row == r) for r in range(len(rows.row_lower))]
    for _ in range(_LONGEST_CHAIN):
        before, costs = costs, own.copy()
        for r, entries in enumerate(by_row):
            column, value = rows.entries.column[entries], rows.entries.value[entries]
            for sign, held in ((1.0, rows.row_lower[r]), (-1.0, -rows.row_upper[r])):
                raised, driving = sign * value > 0, sign * value < 0
                if held > -_INFINITY and raised.any():
                    each = float((before[column[raised]] / abs(value[raised])).max())
                    np.add.at(costs, column[driving], abs(value[driving]) * each)
        if (costs <= before).all():
            break
    # A little more, so that ties are decided for the cap.
    capping = np.zeros(len(costs), np.bool_)
    capping[rows.cap_column] = True
    return np.where(capping, 1.001 * costs, 0.0)
