"""Prices in place of a tariff's rows: what they leave of it is a charge by step, and a constant.

By weak duality nothing is undercut, whatever the prices are: not at these prices, and not by any
other battery on the same tariff. The cuts find those that come nearest to what is paid.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bess._arrays import Floats
from bess.decomposition.coupled_rows import CoupledRows
from bess.decomposition.entries import added
from bess.money import Money

__all__ = ["ByStep", "RowPrices", "held"]


class ByStep(NamedTuple):
    """A tariff from below: prices by step, and what is charged besides."""

    import_price: Floats
    export_price: Floats
    constant: float


class RowPrices(NamedTuple):
    """Money for each unit of the rows."""

    of_cap: Floats
    """What one more kWh of each cap is worth, at least 0."""
    of_row: Floats
    """The dual of each of the other rows: at least 0 with no upper bound, at most 0 with no lower
    one."""

    def by_step(self, rows: CoupledRows, money: Money) -> ByStep:
        """The tariff with these prices in place of its rows, where none is of what is drawn."""
        assert not rows.sum_drawn.any()
        steps = len(money.import_price)
        own = self.of_row[rows.sum_row]
        capped = added(rows.cap_step, self.of_cap, steps)
        cost = self.left_of(rows)
        at = np.where(cost > 0, rows.lower, rows.upper)[cost != 0]
        constant = rows.offset + held(self.of_row, rows)
        constant += float(cost[cost != 0] @ at) - float(self.of_cap @ rows.cap_room)
        return ByStep(
            money.import_price + capped - added(rows.sum_step, own * rows.sum_import, steps),
            money.export_price + added(rows.sum_step, own * rows.sum_export, steps),
            constant,
        )

    def left_of(self, rows: CoupledRows) -> Floats:
        """What the tariff's columns cost besides what their rows are worth."""
        cost = rows.cost - added(rows.cap_column, self.of_cap * rows.cap_factor, len(rows.cost))
        of_row = self.of_row[rows.entries.row]
        np.subtract.at(cost, rows.entries.column, rows.entries.value * of_row)
        return cost


def held(dual: Floats, rows: CoupledRows) -> float:
    """What rows add to a bound with these duals."""
    used = dual != 0
    return float(dual[used] @ np.where(dual > 0, rows.row_lower, rows.row_upper)[used])
