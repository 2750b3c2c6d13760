"""The bands of a rate: which apply to a customer, and the one price they come to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bess.errors import InputError
from bess.tariff.genability_models import Band, GenabilityTariff, Rate
from bess.tariff.properties import PropertyInputs
from bess.tariff.rates import Band as EnergyBand
from bess.tariff.variable_rates import LARGEST_PRICE, VariableRates

__all__ = ["Refused", "applicable_bands", "band_price", "is_free"]


class Refused(Exception):  # noqa: N818 (caught where the rate's name is known)
    """A rate bears on dispatch and cannot be represented; says why."""


def applicable_bands(
    rate: Rate, tariff: GenabilityTariff, inputs: PropertyInputs
) -> list[tuple[int, Band]]:
    """The bands of a rate that apply, with their positions; empty where the rate does not."""
    place = rate.territory.territory_id if rate.territory else None
    if place is not None and place != tariff.territory_id:
        named = {
            r.territory.territory_id: None
            for r in tariff.rates
            if r.territory and r.territory.territory_id
        }
        if inputs.ask("territoryId", list(named)) != place:
            return []
    bands = list(enumerate(rate.rate_bands))
    key = rate.applicability_key
    if key is None:
        return bands
    values = [rate.applicability_value, *(band.applicability_value for band in rate.rate_bands)]
    own = inputs.ask(key, [value for value in dict.fromkeys(values) if value is not None])
    if rate.applicability_value not in (None, own):
        return []
    return [(i, band) for i, band in bands if band.applicability_value in (None, own)]


def is_free(bands: Sequence[tuple[int, Band]], rate: Rate, variables: VariableRates) -> bool:
    """True if a rate comes to nothing whatever it is charged on."""
    if rate.variable_rate_key is not None:
        return variables.known(rate.variable_rate_key) == 0
    return all(band.rate_amount == 0 for _, band in bands)


def band_price(
    bands: Sequence[tuple[int, Band]],
    rate: Rate,
    inputs: PropertyInputs,
    variables: VariableRates,
    path: str,
    on_import: bool,
) -> tuple[tuple[EnergyBand, ...], float]:
    """The bands of a rate in money per kWh, one where all have one price, and their factor.

    Where a rate's variable prices are those of a series, the one price is what they are times.

    Raises
    ------
    Refused
        Where they have several prices but by consumption, or none above their highest limit.
    InputError
        For an amount that is missing or no price.
    """
    free = is_free(bands, rate, variables)
    prices = []
    for i, band in bands:
        if variables.series(rate.variable_rate_key) is not None:
            amount = 1.0
        elif rate.variable_rate_key is not None:
            amount = variables.ask(rate.variable_rate_key)
        elif band.rate_amount is not None:
            amount = band.rate_amount
        else:
            raise InputError.at(f"{path}.rateBands[{i}].rateAmount", "is required")
        if band.rate_unit != "COST_PER_UNIT" and not free:
            raise Refused(f"is charged as {band.rate_unit}: not supported (known: COST_PER_UNIT)")
        if not on_import and amount < 0 and rate.variable_rate_key is None:
            reason = "must be at least 0: what a selling rate earns"
            raise InputError.at(f"{path}.rateBands[{i}].rateAmount", reason, amount)
        price = amount * band.calculation_factor * (-1 if band.is_credit and on_import else 1)
        if not abs(price) <= LARGEST_PRICE:
            raise InputError.at(f"{path}.rateBands[{i}].rateAmount", "must be a price", amount)
        prices.append(price + 0.0)
    limits = [_limit(band) for _, band in bands]
    tiers = [band.consumption_upper_limit for _, band in bands]
    by_use = all(tiers[:-1]) and not any(
        b.has_demand_limit or b.has_property_limit or b.demand_upper_limit or b.property_upper_limit
        for _, b in bands
    )
    if len(set(prices)) > 1 and not (by_use and on_import):
        raise Refused(_why_several(bands, prices, limits))
    if limits[-1] is not None:
        raise Refused(f"has no price above its limit of {limits[-1]}")
    if len(bands) > 1 and not all(limits[:-1]):
        raise Refused("has several bands that apply at once")
    factor = bands[0][1].calculation_factor
    if len(set(prices)) == 1:
        return (EnergyBand(prices[0]),), factor
    for (_, before), (i, band) in pairwise(bands[:-1]):
        assert before.consumption_upper_limit is not None
        assert band.consumption_upper_limit is not None
        if band.consumption_upper_limit < before.consumption_upper_limit:
            raise InputError.at(
                f"{path}.rateBands[{i}].consumptionUpperLimit",
                f"must be at least {before.consumption_upper_limit:g}, that of the band before it",
                band.consumption_upper_limit,
            )
    unit, factor_of_limits = _unit_of_limits(rate, inputs)
    return tuple(
        EnergyBand(price, **({} if limit is None else {unit: limit * factor_of_limits}))
        for price, limit in zip(prices, tiers, strict=True)
    ), factor


def _unit_of_limits(rate: Rate, inputs: PropertyInputs) -> tuple[str, float]:
    """What limits count in: kWh, multiples of a property of the customer's, or kWh per kW."""
    key = rate.variable_limit_key
    if key is None:
        return "limit_kwh", 1.0
    if key in ("demand", "billingDemand"):
        return "limit_kwh_per_kw", 1.0
    value = inputs.ask_number(key)
    note = f"{rate.rate_name or 'a rate'}: limits are multiples of {key} (kWh in a billing period)"
    if note not in inputs.assumptions:
        inputs.assumptions.append(note)
    return "limit_kwh", value


def _limit(band: Band) -> str | None:
    limits = (
        (band.consumption_upper_limit, "kWh"),
        (band.demand_upper_limit, "kW"),
        (band.property_upper_limit, "of a property"),
    )
    return next((f"{limit:g} {unit}" for limit, unit in limits if limit is not None), None)


def _why_several(
    bands: Sequence[tuple[int, Band]], prices: Sequence[float], limits: Sequence[str | None]
) -> str:
    later = "not supported (known: tiers by consumptionUpperLimit)"
    for marked, kind in (
        (any(b.has_demand_limit or b.demand_upper_limit is not None for _, b in bands), "demand"),
        (any(b.has_property_limit or b.property_upper_limit is not None for _, b in bands), "size"),
    ):
        if marked:
            return f"has bands by {kind}: {later}"
    steps = [
        f"{price:g} up to {limit}" if limit else f"{price:g}"
        for price, limit in zip(prices, limits, strict=True)
    ]
    if any(limits) and all(limits[:-1]):
        return f"has tiers ({', then '.join(steps)}) for exports: not supported"
    if any(limits):
        return f"has a tier without a limit before others ({', then '.join(steps)})"
    return f"has several bands that apply at once ({', '.join(steps)})"
