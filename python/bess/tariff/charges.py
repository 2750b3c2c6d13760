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
_PERIODS: Final[dict[str | None, Literal["month", "day", "year"]]] = {
    None: "month",
    "MONTHLY": "month",
    "DAILY": "day",
    "ANNUALLY": "year",
}
_PRORATION: Final = "billingPeriodProrationFactor"
"""A factor that says only that an amount is prorated, as all amounts are."""


def not_billed(rate: Rate) -> str:
    """What a rate is that is left aside; empty for any other."""
    return "reactive power" if "reactive" in (rate.quantity_key or "").lower() else ""


def is_charge(rate: Rate) -> bool:
    """Whether a rate is no energy price and is understood."""
    kind = rate.charge_type
    if kind in ("FIXED_PRICE", "MINIMUM", "DEMAND_BASED"):
        return True
    return kind == "QUANTITY" and rate.quantity_key not in _OF_DISPATCH


def not_represented(rate: Rate) -> str:
    """Why a rate that bears on the bill cannot be represented; empty if it can."""
    kind = rate.charge_type
    later = "not supported in this version"
    if kind != "CONSUMPTION_BASED" and not is_charge(rate):
        return f"has the chargeType {kind}: {later}"
    if rate.has_applicability_formula:
        return f"applies by a formula: {later}"
    if rate.time_of_use is not None and rate.time_of_use.is_dynamic:
        return f"holds at times called at short notice (isDynamic): {later}"
    if rate.variable_factor_key not in (None, _PRORATION):
        return f"has a variable factor ({rate.variable_factor_key}): {later}"
    if kind == "CONSUMPTION_BASED" and rate.quantity_key not in (None, "consumption"):
        return f"is charged per {rate.quantity_key}: {later}"
    if kind == "DEMAND_BASED" and rate.quantity_key not in (None, "demand", "billingDemand"):
        return f"is charged per {rate.quantity_key}: {later}"
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
    if len(bands) > 1:
        raise Refused("has several bands that apply at once")
    amount = amounts[0]
    if units == {"PERCENTAGE"}:
        return PercentageRate(name, amount, rate.charge_class, seasons, *validity)
    if units != {"COST_PER_UNIT"}:
        raise Refused(f"is charged as {', '.join(map(str, units))}: not supported")
    if rate.charge_period not in _PERIODS:
        raise Refused(f"is charged {rate.charge_period}: not supported in this version")
    period = _PERIODS[rate.charge_period]
    if kind == "MINIMUM":
        return MinimumCharge(name, amount, period, rate.charge_class)
    quantity = 1.0
    if rate.quantity_key is not None:
        quantity = _quantity(rate.quantity_key, inputs)
        if not quantity:
            return None
    return FixedCharge(name, amount, period, rate.charge_class, quantity, seasons, *validity)


def _quantity(key: str, inputs: PropertyInputs) -> float:
    text = inputs.ask(key, ())
    if text is None:
        return 0.0
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise InputError.at(f"property_inputs.{key}", "must be a number, at least 0", text)
    return found


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
        raise Refused("has bands that are none by demand: not supported in this version")
    if rate.charge_period not in (None, "MONTHLY", "DAILY", "ANNUALLY"):
        raise Refused(f"is charged {rate.charge_period}: not supported in this version")
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
