"""A bill as an objective: with a battery that cannot move, its optimum is the site's bill."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from bess import Battery, Optimize, Site, bill, dispatch
from bess.decomposition.coupled_rows import split
from bess.money import BilledMoney
from bess.tariff import Tariff
from bess.tariff.expression import Expression
from bess.tariff.meter_bounds import MeterBounds, Stretches
from bess.tariff.objective import _kept
from bess.tariff.program import ChargeProgram
from bess.tariff.rates import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
)
from bess.time_of_use import TimeOfUse
from bess.unit import units_of

EVENING = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 16, "toHour": 21}]})
REST = TimeOfUse.model_validate({"touPeriods": [{"fromHour": 21, "toHour": 16}]})
FLAT = EnergyRate("flat", price=0.2)
SELL = EnergyRate("sell", price=0.05, on_import=False, on_export=True)
RISING = (Band(0.1, limit_kwh=300.0), Band(0.2, limit_kwh_per_day=30.0), Band(0.4))
CHEAPER = (Band(0.05, limit_kwh=300.0), Band(0.15, limit_kwh_per_day=30.0), Band(0.35))
FALLING = (Band(0.4, limit_kwh=300.0), Band(0.2, limit_kwh=900.0), Band(0.1))

TARIFFS = {
    "sold": {"rates": (FLAT, SELL)},
    "sold dear": {"rates": (FLAT, EnergyRate("s", price=0.5, on_import=False, on_export=True))},
    "rising": {"rates": (EnergyRate("bands", bands=RISING),)},
    "falling": {"rates": (EnergyRate("bands", bands=FALLING),)},
    "hours of use": {
        "rates": (
            EnergyRate(
                "bands",
                bands=(
                    Band(0.3, limit_kwh=200.0, limit_kwh_per_kw=100.0),
                    Band(0.2, limit_kwh_per_kw=200.0),
                    Band(0.1),
                ),
            ),
        )
    },
    "bands of all": {
        "rates": (
            EnergyRate("evening", bands=RISING, counts="all", times=(EVENING,)),
            EnergyRate("rest", bands=CHEAPER, counts="all", times=(REST,)),
        )
    },
    "demand": {
        "rates": (FLAT,),
        "demand_rates": (
            DemandRate("any", 5.0),
            DemandRate("evening", 3.0, window=(EVENING,)),
            DemandRate("day", 0.2, period="day"),
            DemandRate("year", 9.0, period="year"),
        ),
    },
    "bands of demand": {
        "rates": (FLAT,),
        "demand_rates": (
            DemandRate("up", bands=(DemandBand(1.0, 2.0), DemandBand(4.0))),
            DemandRate("down", bands=(DemandBand(4.0, 2.0), DemandBand(1.0))),
        ),
    },
    "ratchet": {
        "rates": (FLAT,),
        "demand_rates": (DemandRate("ratchet", 5.0, ratchet=Ratchet((90.0,))),),
    },
    "net metering": {
        "rates": (FLAT, EnergyRate("late", price=0.1, times=(EVENING,))),
        "metering": "net_metering",
        "true_up_price_per_kwh": 0.03,
    },
    "true-up above the price": {
        "rates": (EnergyRate("cheap", price=0.02),),
        "metering": "net_metering",
        "true_up_price_per_kwh": 0.03,
    },
    "buy all, sell all": {"rates": (FLAT, SELL), "metering": "buy_all_sell_all"},
    "netted over the period": {
        "rates": (
            EnergyRate("buy", price=0.2, settlement="billing_period"),
            EnergyRate(
                "sell", price=0.3, on_import=False, on_export=True, settlement="billing_period"
            ),
        )
    },
    "netted over the day": {
        "rates": (
            EnergyRate("buy", price=0.2, settlement="day"),
            EnergyRate("sell", price=0.1, on_import=False, on_export=True, settlement="day"),
        )
    },
    "minimum and taxes": {
        "rates": (FLAT, SELL),
        "fixed_charges": (FixedCharge("service", 12.0),),
        "minimum_charges": (MinimumCharge("least", 100.0),),
        "percentages": (PercentageRate("tax", 7.0, ("TAX",)), PercentageRate("rider", -3.0)),
    },
}


def two_months(solar: float) -> Site:
    hours = np.arange(24 * 59)
    load = 1.0 + np.sin(hours / 5.0) ** 2 + (hours > 24 * 40)
    return Site(
        load_kwh=load,
        solar_kwh=solar * np.maximum(np.sin((hours - 6) / 24 * 2 * np.pi), 0.0),
        start="2025-01-01T00:00Z",
        time_zone="UTC",
    )


@pytest.mark.parametrize("solar", [0.0, 3.0, 9.0])
@pytest.mark.parametrize("name", TARIFFS)
def test_the_optimum_of_a_battery_that_cannot_move_is_the_sites_bill(
    name: str, solar: float
) -> None:
    tariff = Tariff(name, **TARIFFS[name])  # type: ignore[arg-type]
    still = Battery(
        initial_state_of_charge=0.1, allow_grid_to_battery=False, allow_solar_to_battery=False
    )
    home = two_months(solar)
    result = dispatch(home, still, Optimize(), tariff=tariff)
    assert result.cost == pytest.approx(bill(home, tariff).total, abs=1e-6)
    assert result.gap is not None
    assert result.gap <= 1e-6


def test_a_sum_over_the_meter_that_no_row_needs_becomes_a_price() -> None:
    bounds = MeterBounds(np.ones(3), np.ones(3), np.zeros(3), np.zeros(3), 0.0)
    program = ChargeProgram(bounds)
    charges = program.finish(
        program.step_sum(np.array([0, 2])) * 0.3 + program.step_sum(np.arange(3), 0.0, -1.0) * 0.1
    )
    assert charges.import_price.tolist() == pytest.approx([0.3, 0.0, 0.3])
    assert charges.export_price.tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert charges.rows == 0


def test_what_a_month_must_import_follows_from_load_sun_and_store() -> None:
    load, sun, store = np.full(10, 2.0), np.full(10, 0.5), 3.0
    bounds = MeterBounds(load + 5, np.full(10, 5.0), np.zeros(10), load - sun, store)
    low, high = bounds.of_sum(np.arange(10), np.ones(10), np.zeros(10))
    assert (low, high) == (15.0 - 3.0, 70.0)
    assert bounds.least_mean(Stretches(np.arange(10), bounds.net_load)) == pytest.approx(
        (15.0 - 3.0) / 10
    )


@pytest.mark.parametrize("name", TARIFFS)
@pytest.mark.parametrize("solar", [False, True])
def test_a_bill_laid_out_for_one_battery_is_that_of_the_next(name: str, solar: bool) -> None:
    tariff, place = Tariff("T", **TARIFFS[name]), two_months(solar)
    sizes = (3.0, 11.0, 40.0)
    found = []
    for kept in (True, False):
        for size in sizes:
            if not kept:
                _kept.cache_clear()
            store = Battery(capacity_kwh=size, charge_power_kw=size, discharge_power_kw=size)
            found.append(BilledMoney(place, units_of(place, store, (), {}), tariff).charges)
    for again, alone in zip(found[: len(sizes)], found[len(sizes) :], strict=True):
        assert again is not None
        assert alone is not None
        assert again.coupling.offset == alone.coupling.offset
        for part in ("column_lower", "column_upper", "column_cost", "row_lower", "row_upper"):
            ours, theirs = (getattr(charges.coupling, part) for charges in (again, alone))
            assert_array_equal(ours, theirs)
        for ours, theirs in zip(again.entries, alone.entries, strict=True):
            assert_array_equal(ours, theirs)
        one, other = (split(charges, (), Battery()) for charges in (again, alone))
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.unit == other.unit
            assert_array_equal(one.column_unit, other.column_unit)
            assert_array_equal(one.penalty, other.penalty)


def test_expressions_add_and_scale() -> None:
    total = Expression(1.0, {0: 2.0}) - Expression(0.5, {0: 2.0, 1: 1.0}) * 2
    assert total.constant == 0.0
    assert total.terms == {0: -2.0, 1: -2.0}
