"""Which charges of a published tariff are energy prices, and which change no dispatch."""

from __future__ import annotations

from typing import Final

from bess.tariff.genability_models import Rate

__all__ = ["not_billed", "not_represented"]

_NOT_BILLED: Final = ("FIXED_PRICE", "MINIMUM", "QUANTITY")
_QUANTITIES_OF_DISPATCH: Final = ("consumption", "demand", "billingDemand")


def not_billed(rate: Rate) -> str:
    """What a rate is that changes no dispatch, and so is not billed; empty for any other."""
    if "reactive" in (rate.quantity_key or "").lower():
        return "reactive power"
    if rate.charge_type not in _NOT_BILLED or rate.quantity_key in _QUANTITIES_OF_DISPATCH:
        return ""
    percent = [band.rate_amount for band in rate.rate_bands if band.rate_unit == "PERCENTAGE"]
    if not percent:
        return rate.charge_type
    if rate.variable_rate_key is not None or None in percent:
        return f"a percentage of other charges ({rate.variable_rate_key or 'not stated'})"
    return f"{', '.join(f'{amount:g}' for amount in percent)} % of other charges"


def not_represented(rate: Rate) -> str:
    """Why a rate that bears on dispatch cannot be a price by time of use; empty if it can."""
    kind = rate.charge_type
    later = "not supported in this version"
    if kind == "DEMAND_BASED":
        return f"is a demand charge: {later}"
    if kind != "CONSUMPTION_BASED":
        return f"has the chargeType {kind}: {later}"
    if rate.has_applicability_formula:
        return f"applies by a formula: {later}"
    if rate.time_of_use is not None and rate.time_of_use.is_dynamic:
        return f"holds at times called at short notice (isDynamic): {later}"
    if rate.variable_factor_key is not None:
        return f"has a variable factor ({rate.variable_factor_key}): {later}"
    if rate.quantity_key not in (None, "consumption"):
        return f"is charged per {rate.quantity_key}: {later}"
    return ""
