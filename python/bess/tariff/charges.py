"""The charges of a published tariff that are no energy prices: fixed, minimum, demand, percentages.

``FIXED_PRICE`` is an amount a month, day or year; ``QUANTITY`` the same for each unit of a property
of the customer (``systemSize``), or a percentage of other charges; ``MINIMUM`` the least a bill
comes to; ``DEMAND_BASED`` a price per kW of peak demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from bess.errors import InputError
from bess.tariff.bands import Refused
from bess.tariff.genability_models import Band, Rate
from bess.tariff.properties import PropertyInputs
from bess.tariff.rates import (
    DemandBand,
    DemandRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
)
from bess.tariff.variable_rates import VariableRates

__all__ = ["Charge", "charge_of", "is_charge", "not_billed", "not_represented"]

Charge = FixedCharge | MinimumCharge | DemandRate | PercentageRate

_OF_DISPATCH: Final = ("consumption", "demand", "billingDemand")
_PERIODS: Final[dict[str | None, tuple[Literal["month", "day", "year"], float]]] = {
    None: ("month", 1.0),
    "MONTHLY": ("month", 1.0),
    "DAILY": ("day", 1.0),
    "HOURLY": ("day", 24.0),
    "QUARTERLY": ("year", 4.0),
    "ANNUALLY": ("year", 1.0),
}
"""The period of an amount, and how many charge periods that is."""
_KNOWN: Final = "CONSUMPTION_BASED, DEMAND_BASED, FIXED_PRICE, MINIMUM, QUANTITY, TAX"
_PRORATION: Final = "billingPeriodProrationFactor"
"""A factor that says only that an amount is prorated, as all amounts are."""


def not_billed(rate: Rate) -> str:
    """What a rate is that is left aside; empty for any other."""
    if rate.charge_period == "ONE_TIME":
        return "charged once"
    return "reactive power" if "reactive" in (rate.quantity_key or "").lower() else ""


def is_charge(rate: Rate) -> bool:
    """Whether a rate is no energy price and is understood."""
    kind = rate.charge_type
    if kind in ("FIXED_PRICE", "MINIMUM", "DEMAND_BASED", "TAX"):
        return True
    return kind == "QUANTITY" and rate.quantity_key not in _OF_DISPATCH


def not_represented(rate: Rate) -> str:
    """Why a rate that bears on the bill cannot be represented; empty if it can."""
    kind = rate.charge_type
    later = "not supported"
    if kind != "CONSUMPTION_BASED" and not is_charge(rate):
        return f"has the chargeType {kind}: {later} (known: {_KNOWN})"
    if rate.has_applicability_formula:
        return f"applies by a formula: {later}; take the rate out, or the formula if it applies"
    if rate.time_of_use is not None and rate.time_of_use.is_dynamic:
        return f"holds at times called at short notice (isDynamic): {later}; take it out"
    if rate.variable_factor_key not in (None, _PRORATION):
        key = rate.variable_factor_key
        return f"has a variable factor ({key}): {later}; put its value into calculationFactor"
    if kind == "CONSUMPTION_BASED" and rate.quantity_key not in (None, "consumption"):
        return f"is charged per {rate.quantity_key}: {later} (known: consumption)"
    if kind == "DEMAND_BASED" and rate.quantity_key not in (None, "demand", "billingDemand"):
        return f"is charged per {rate.quantity_key}: {later} (known: demand, billingDemand)"
    return ""


def charge_of(
    rate: Rate,
    bands: Sequence[tuple[int, Band]],
    name: str,
    path: str,
    inputs: PropertyInputs,
    variables: VariableRates,
    validity: tuple[int | None, int | None],
) -> Charge | None:
    """The charge that a rate's applicable bands make; None for none of any quantity.

    Raises
    ------
    Refused
        Where it cannot be represented.
    InputError
        For an amount that is missing, or a property that is no number.
    """
    kind = rate.charge_type
    seasons = () if rate.season is None else (rate.season,)
    amounts = [_amount(band, rate, variables, f"{path}.rateBands[{i}]") for i, band in bands]
    units = {band.rate_unit for _, band in bands}
    if kind == "DEMAND_BASED":
        if units != {"COST_PER_UNIT"}:
            raise Refused(f"is charged as {', '.join(map(str, units))}: not supported")
        return _demand(rate, bands, amounts, name, validity)
    amount = amounts[0]
    if len(bands) > 1 and (rate.quantity_key is None or not _by_property(bands)):
        raise Refused("has several bands that apply at once")
    if units == {"PERCENTAGE"} and len(bands) == 1:
        classes = rate.charge_class
        if kind == "TAX" and not {"TAX", "AFTER_TAX"}.intersection(classes):
            classes = (*classes, "TAX")
        return PercentageRate(name, amount, classes, seasons, *validity)
    if units != {"COST_PER_UNIT"} or kind == "TAX":
        raise Refused(f"is charged as {', '.join(map(str, units))}: not supported")
    if rate.charge_period not in _PERIODS:
        valid = ", ".join(name for name in _PERIODS if name)
        raise Refused(f"is charged {rate.charge_period}: not supported (known: {valid})")
    period, times = _PERIODS[rate.charge_period]
    if kind == "MINIMUM":
        return MinimumCharge(name, amount * times, period, rate.charge_class)
    quantity = 1.0
    if rate.quantity_key is not None:
        quantity = inputs.ask_number(rate.quantity_key)
        if len(bands) > 1:
            amount, quantity = _in_blocks(bands, amounts, quantity), 1.0
        if not quantity:
            return None
    amount *= times
    return FixedCharge(name, amount, period, rate.charge_class, quantity, seasons, *validity)


def _by_property(bands: Sequence[tuple[int, Band]]) -> bool:
    """Whether bands are blocks of the property that a rate is charged on."""
    limits = [band.property_upper_limit for _, band in bands]
    others = any(band.consumption_upper_limit or band.demand_upper_limit for _, band in bands)
    return not others and None not in limits[:-1] and limits[-1] is None


def _in_blocks(
    bands: Sequence[tuple[int, Band]], amounts: Sequence[float], quantity: float
) -> float:
    """What a quantity comes to whose blocks have amounts of their own."""
    total, low = 0.0, 0.0
    for (_, band), amount in zip(bands, amounts, strict=True):
        limit = band.property_upper_limit
        high = quantity if limit is None else min(quantity, limit)
        total += amount * max(high - low, 0.0)
        low = max(low, high)
    return total


def _amount(band: Band, rate: Rate, variables: VariableRates, path: str) -> float:
    if rate.variable_rate_key is not None:
        amount = variables.ask(rate.variable_rate_key)
    elif band.rate_amount is None:
        raise InputError.at(f"{path}.rateAmount", "is required")
    else:
        amount = band.rate_amount
    return amount * band.calculation_factor * (-1 if band.is_credit else 1) + 0.0


def _demand(
    rate: Rate,
    bands: Sequence[tuple[int, Band]],
    amounts: Sequence[float],
    name: str,
    validity: tuple[int | None, int | None],
) -> DemandRate:
    limits = [band.demand_upper_limit for _, band in bands]
    other = [b for _, b in bands if b.consumption_upper_limit is not None or b.property_upper_limit]
    if other or None in limits[:-1] or limits[-1] is not None:
        raise Refused("has bands that are none by demandUpperLimit: not supported")
    if rate.charge_period not in (None, "MONTHLY", "DAILY", "ANNUALLY"):
        valid = "MONTHLY, DAILY, ANNUALLY"
        raise Refused(f"is charged {rate.charge_period}: not supported (known: {valid})")
    tou = rate.time_of_use
    steps = tuple(DemandBand(a, limit) for a, limit in zip(amounts, limits, strict=True))
    return DemandRate(
        name,
        price=0.0 if len(steps) > 1 else amounts[0],
        bands=steps if len(steps) > 1 else (),
        period="day"
        if rate.charge_period == "DAILY"
        else "year"
        if rate.charge_period == "ANNUALLY"
        else "billing_period",
        window=() if tou is None else (tou,),
        seasons=() if rate.season is None else (rate.season,),
        charge_class=rate.charge_class,
        time_of_use=None if tou is None else tou.tou_name,
        valid_from=validity[0],
        valid_to=validity[1],
    )
