"""Puts the bills of a lifetime together: scenarios, the parts between them, what was assumed."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from bess._arrays import Floats
from bess.economics.lifetime import Lifetime, bills_with_storage, bills_without_storage
from bess.economics.notes import lifetime_notes
from bess.economics.scenarios import Parts, Savings, Scenario
from bess.errors import InputError
from bess.tariff import Tariff
from bess.tariff.bill import bill, bill_energy

__all__ = ["assembled"]


def assembled(
    lifetime: Lifetime,
    *,
    annual_cost: Floats,
    capital_cost: float,
    discount_rate_percent: float,
    compared_with: Literal["before", "solar"],
) -> Savings:
    """The scenarios, their parts and the assumptions of a lifetime."""
    site, tariffs = lifetime.site, _tariffs(lifetime)
    _check_currencies(tariffs)
    first = lifetime.dispatch_in(1, None)
    lifetime.tell(f"dispatched year 1 of {lifetime.years}")
    nothing = np.zeros(site.steps)
    before = bill_energy(site, lifetime.before_tariff, site.load_kwh, nothing)
    on_solar = bill_energy(site, lifetime.solar_tariff, site.load_kwh, nothing)
    without = bills_without_storage(lifetime)
    with_storage, missed = bills_with_storage(lifetime, first)

    level = lifetime.price_level[:, np.newaxis]
    load, load_on_solar = np.outer(level, before.monthly), np.outer(level, on_solar.monthly)
    solar, solar_on_after = without.on_solar * level, without.on_after * level
    costs = [load, load_on_solar, solar, solar_on_after, with_storage * level, annual_cost]
    load, load_on_solar, solar, solar_on_after, after, annual_cost = _on_one_grid(costs)
    none = np.zeros(lifetime.years)
    scenarios = (
        Scenario("before", before, load, none),
        Scenario("solar", without.first, solar, none),
        Scenario("after", bill(first, lifetime.after_tariff), after, annual_cost),
    )
    load_total, solar_total = load_on_solar.sum(axis=1), solar_on_after.sum(axis=1)
    parts = Parts(
        rate_change=(load.sum(axis=1) - load_total) + (solar.sum(axis=1) - solar_total),
        solar=load_total - solar.sum(axis=1),
        storage=solar_total - after.sum(axis=1),
        operating_cost=0.0 - annual_cost,
    )
    notes = [*lifetime_notes(lifetime, first, missed), *first.assumptions]
    for scenario in scenarios:
        notes += scenario.bill.assumptions
    return Savings(
        *scenarios,
        parts=parts,
        result=first,
        capacity_kwh=lifetime.capacity_kwh * lifetime.capacity_left,
        solar_kwh=float(site.solar_kwh.sum()) * lifetime.solar_left,
        dispatched_years=lifetime.dispatched_years,
        capital_cost=capital_cost,
        discount_rate_percent=discount_rate_percent,
        compared_with=compared_with,
        currency=next((t.currency for t in tariffs.values() if t.currency), None),
        assumptions=tuple(dict.fromkeys(notes)),
    )


def _tariffs(lifetime: Lifetime) -> dict[str, Tariff]:
    return {
        "before_tariff": lifetime.before_tariff,
        "solar_tariff": lifetime.solar_tariff,
        "after_tariff": lifetime.after_tariff,
    }


def _check_currencies(tariffs: dict[str, Tariff]) -> None:
    """Tariffs that name a currency name the same."""
    named = {path: tariff.currency for path, tariff in tariffs.items() if tariff.currency}
    for path, currency in named.items():
        if currency != named[next(iter(named))]:
            other = f"{named[next(iter(named))]}, the currency of {next(iter(named))}"
            raise InputError.at(path, f"must be in {other}", currency)


def _on_one_grid(costs: list[Floats]) -> list[Floats]:
    """The amounts as multiples of one power of two, so small that 2^-46 of the largest year's cost
    is lost at most and all sums and differences of them are exact."""
    largest = max(float(np.abs(cost).reshape(len(cost), -1).sum(axis=1).max()) for cost in costs)
    if not largest:
        return costs
    grid = 2.0 ** (math.frexp(largest)[1] - 47)
    return [np.round(cost / grid) * grid for cost in costs]
