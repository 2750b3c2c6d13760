"""The line of a bill."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["BillLine", "Kind"]

Kind = Literal[
    "energy",
    "demand",
    "fixed",
    "minimum",
    "percentage",
    "tax",
    "credit",
    "export",
    "true_up",
]


class BillLine(NamedTuple):
    """What one rate comes to in one billing period, for one band.

    >>> BillLine("Energy", "energy", 0, None, None, 100.0, "kWh", 30.0).amount
    30.0
    """

    rate: str
    """The rate's name."""
    kind: Kind
    billing_period: int
    """Its place among ``bill.billing_periods``, from 0."""
    time_of_use: str | None
    band: int | None
    """The band, from 1; None where the rate has none."""
    quantity: float
    unit: str
    """Of the quantity: kWh, kW, kW-days, months, days, years, % ..."""
    amount: float
    """Money, negative where it is owed to the customer."""
    charge_class: tuple[str, ...] = ()
