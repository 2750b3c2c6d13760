"""Sums of rows, a row having a value for each of many batteries: see `bess.tariff.many_bills`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from bess._arrays import Floats
from bess.tariff.amounts import Amounts
from bess.tariff.layout import Entries
from bess.tariff.lines import Kind
from bess.tariff.quantities import Quantity

__all__ = ["Place", "Places", "Sums", "rows_of", "total"]

Place: TypeAlias = tuple[Kind, int, tuple[str, ...]]
"""Where an amount belongs: its kind of line, billing period and charge classes."""


class Places(NamedTuple):
    """What tells amounts apart beside their kind; those that nothing tells apart are added up."""

    periods: bool
    classes: frozenset[str]

    def of(self, kind: Kind, period: int, charge_class: tuple[str, ...]) -> Place:
        """Where a line's amount belongs."""
        own = tuple(name for name in charge_class if name in self.classes)
        return kind, period if self.periods else 0, own


class Sums:
    """Running sums of the quantities of one price."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, float], Quantity] = {}
        self._owned: set[tuple[Place, float]] = set()

    def add(self, place: Place, price: float, quantity: Quantity) -> None:
        """Add a quantity at a price; it is not changed."""
        if not price:
            return
        key = place, price
        before = self._found.get(key)
        if before is None:
            self._found[key] = quantity
        elif key in self._owned:
            before += quantity
            self._found[key] = before  # a number, where it is one for all batteries
        else:
            self._found[key] = before + quantity
            self._owned.add(key)

    def price(self, amounts: Amounts) -> None:
        """Add what everything comes to."""
        for (place, price), quantity in self._found.items():
            amount = quantity * price
            if place in amounts:
                amount += amounts[place]
            amounts[place] = amount


def rows_of(entries: Entries) -> Iterator[tuple[int, int, list[int]]]:
    """The rate or window, the billing period and the bins of each entry."""
    bins = np.split(entries.bins, entries.offset[1:]) if len(entries.offset) else []
    for index, period, own in zip(entries.index, entries.period, bins, strict=True):
        yield int(index), int(period), own.tolist()


def total(rows: Sequence[Floats]) -> Quantity:
    """The sum of some rows, in their order; one alone is given as it is, not copied."""
    if len(rows) < 2:
        return rows[0] if rows else 0.0
    found = rows[0] + rows[1]
    for row in rows[2:]:
        found += row
    return found
