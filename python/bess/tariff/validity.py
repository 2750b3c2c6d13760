"""When the rates of a published tariff are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bess.tariff.charges import Charge
from bess.tariff.rates import DemandRate, EnergyRate, FixedCharge, MinimumCharge, PercentageRate

__all__ = ["bounded_validity"]


def bounded_validity(
    rates: Sequence[EnergyRate], charges: Sequence[Charge]
) -> tuple[tuple[EnergyRate, ...], tuple[Charge, ...]]:
    """Rates whose validity is bounded only where it differs from that of the tariff's others.

    A tariff of one year prices any year; a price that changes within it changes on its day.
    """
    starts = [rate.valid_from for rate in rates]
    ends = [rate.valid_to for rate in rates]
    first = None if None in starts else min(filter(None, starts), default=None)
    last = None if None in ends else max(filter(None, ends), default=None)

    def bounds(rate: EnergyRate | FixedCharge | DemandRate | PercentageRate) -> dict[str, Any]:
        return {
            "valid_from": None if rate.valid_from == first else rate.valid_from,
            "valid_to": None if rate.valid_to == last else rate.valid_to,
        }

    return (
        tuple(replace(rate, **bounds(rate)) for rate in rates),
        tuple(
            charge if isinstance(charge, MinimumCharge) else replace(charge, **bounds(charge))
            for charge in charges
        ),
    )
