"""Optima on tariffs that one checks in the head: one example for each rule of money.

February 2025 has four weeks: steps of a week make one whole billing period of four steps, in which
168 a kW is 1 for each kWh of the highest step. Steps of 730 hours from 1 February are one to each
billing period, twelve to the year. The battery (`ideal`) holds 10 kWh, 5 at the start and at least
as much at the end.
"""

from __future__ import annotations

from typing import Any

import pytest
from bills import hours, make
from ideal import battery, site

import bess
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    MinimumCharge,
    PercentageRate,
    Ratchet,
    Tariff,
)

FREE = EnergyRate("free")
DIME = EnergyRate("dime", price=0.1)
FEBRUARY = "2025-02-01T00:00Z"
DEMAND = DemandRate("demand", 168.0)


def optimum(
    tariff: Tariff, load: Any, solar: Any = None, step_hours: float = 168.0, **changes: Any
) -> bess.Result:
    """Weeks from 1 February, dispatched; checked to be billed and certified as it says."""
    where = site(load, solar, start=FEBRUARY, step_hours=step_hours)
    result = bess.dispatch(where, battery(**changes), bess.Optimize(), tariff=tariff)
    assert result.bill is not None
    assert result.bill.lines == bess.bill(result, tariff).lines
    assert result.cost == pytest.approx(result.bill.total + result.degradation_cost, abs=1e-9)
    assert result.lower_bound == pytest.approx(result.cost, abs=1e-5)
    return result


def months(tariff: Tariff, load: Any, solar: Any = None, **changes: Any) -> bess.Result:
    return optimum(tariff, load, solar, 730.0, **changes)


def test_a_peak_is_shaved() -> None:
    tariff = make(DIME, demand_rates=(DEMAND,))
    result = optimum(tariff, [10, 2, 2, 2])
    assert result.cost == pytest.approx(16 * 0.1 + 5)  # 5 kWh of the 10 are stored
    assert result.import_kwh_ac.max() == pytest.approx(5)


def test_demand_bands_are_filled_from_the_first() -> None:
    free_below_six = DemandRate("d", bands=(DemandBand(0.0, 6 / 168), DemandBand(168.0)))
    result = optimum(make(DIME, demand_rates=(free_below_six,)), [10, 2, 2, 2])
    assert result.cost == pytest.approx(1.6)
    dear_below_three = DemandRate("d", bands=(DemandBand(168.0, 3 / 168), DemandBand(0.0)))
    result = optimum(make(DIME, demand_rates=(dear_below_three,)), [10, 2, 2, 2])
    assert result.cost == pytest.approx(4.6)  # above 3 kWh a peak costs nothing more


def test_a_ratchet_makes_an_earlier_peak_matter() -> None:
    demand = DemandRate("d", 730.0, ratchet=Ratchet((80.0,)))
    tariff = make(FREE, demand_rates=(demand,))
    # 5 kWh in the first month take it to 5 and leave 4 for the second; later they would save none.
    result = months(tariff, [10, 4], terminal_state_of_charge="free")
    assert result.cost == pytest.approx(5 + 4)
    assert result.battery_to_site_kwh_ac.tolist() == pytest.approx([5, 0])


def test_a_ratchet_over_a_whole_year_looks_back_round_it() -> None:
    demand = DemandRate("d", 730.0, ratchet=Ratchet((100.0,)))
    load = [2.0] * 11 + [9.0]  # the last is January's
    result = months(make(FREE, demand_rates=(demand,)), load, terminal_state_of_charge="free")
    # January's is billed to every month: all are made level, less the 5 kWh that were stored.
    assert result.cost == pytest.approx(11 * 2 + 9 - 5)


def test_the_peak_of_a_year_is_charged_once() -> None:
    yearly = DemandRate("d", 730.0, period="year")
    result = months(make(FREE, demand_rates=(yearly,)), [10.0] + [2.0] * 11)
    assert result.cost == pytest.approx(5)


def test_the_peak_of_each_day_is_charged() -> None:
    daily = DemandRate("d", 12.0, period="day")
    result = optimum(make(FREE, demand_rates=(daily,)), [10, 0, 4, 0], step_hours=12)
    assert result.cost == pytest.approx(5 + 2)


def test_inclining_bands_make_months_alike() -> None:
    tariff = make(EnergyRate("e", bands=(Band(0.1, limit_kwh=6), Band(0.5))))
    assert months(tariff, [10, 4]).cost == pytest.approx(12 * 0.1 + 2 * 0.5)


def test_declining_bands_make_it_pay_to_concentrate_use() -> None:
    tariff = make(EnergyRate("e", bands=(Band(0.5, limit_kwh=6), Band(0.1))))
    # 6 + 6 at the first price cost 6.0; 1 in one month and 6 + 5 in the other:
    assert months(tariff, [6, 6]).cost == pytest.approx(7 * 0.5 + 5 * 0.1)


def test_a_falling_band_out_of_reach_lends_no_kwh() -> None:
    tariff = make(EnergyRate("e", bands=(Band(0.1, limit_kwh=1000), Band(0.0))))
    assert months(tariff, [10, 4]).cost == pytest.approx(1.4)


def test_hours_of_use_make_the_first_band_as_wide_as_the_peak() -> None:
    tariff = make(EnergyRate("e", bands=(Band(0.2, limit_kwh_per_kw=168), Band(0.05))))
    # The peak of 10 is shaved to 5: of the 16 kWh, 5 are in the first band.
    assert optimum(tariff, [10, 2, 2, 2]).cost == pytest.approx(5 * 0.2 + 11 * 0.05)


def test_bands_that_count_each_day_have_the_width_of_a_period() -> None:
    tariff = make(EnergyRate("e", bands=(Band(0.1, limit_kwh_per_day=6 / 28), Band(0.5))))
    assert optimum(tariff, [10, 2, 2, 2]).cost == pytest.approx(6 * 0.1 + 10 * 0.5)


def test_below_a_minimum_bill_saving_is_worth_nothing() -> None:
    tariff = make(DIME, minimum_charges=(MinimumCharge("least", 5.0),))
    result = months(tariff, [6, 6], [0, 3], degradation_cost_per_kwh=0.01)
    assert result.cost == pytest.approx(10)
    assert result.degradation_cost == pytest.approx(0)


def test_what_a_minimum_bill_forgives_is_used_up() -> None:
    bands = EnergyRate("e", bands=(Band(0.1, limit_kwh=6), Band(1.0)))
    tariff = make(bands, minimum_charges=(MinimumCharge("least", 2.0),))
    # 6 and 8 kWh would cost 0.6 and 2.6, the first billed as 2; 7 and 7 cost 1.6, billed as 2.
    assert months(tariff, [10, 4]).cost == pytest.approx(2 + 2)


def test_surplus_credits_carry_to_later_months() -> None:
    tariff = make(DIME, metering="net_metering")
    assert months(tariff, [0, 10], [8, 0]).cost == pytest.approx(0.2)


def test_below_a_price_of_nothing_net_metering_makes_the_sun_wait() -> None:
    tariff = make(EnergyRate("e", price=-0.1), metering="net_metering")
    # All 10 kWh are bought, and 5 more fill the battery; the sun, which would net them, is lost.
    assert months(tariff, [10], [5]).cost == pytest.approx(-1.0 - 0.5)


def test_what_is_left_at_true_up_earns_less_so_the_battery_keeps_it() -> None:
    tariff = make(DIME, metering="net_metering", true_up_price_per_kwh=0.04)
    # Credits never go back: 5 stored kWh serve the first month, 5 of the sun's 8 refill them.
    result = months(tariff, [10, 0], [0, 8])
    assert result.cost == pytest.approx(5 * 0.1 - 3 * 0.04)


def test_what_is_left_at_true_up_may_earn_more() -> None:
    tariff = make(DIME, metering="net_metering", true_up_price_per_kwh=0.5)
    # All that the battery holds is sold in the last month, filled in the first.
    result = months(tariff, [10, 0], [0, 8], terminal_state_of_charge="free")
    assert result.cost == pytest.approx(15 * 0.1 - 18 * 0.5)


def test_a_tax_takes_a_tenth() -> None:
    tariff = make(
        DIME, demand_rates=(DEMAND,), percentages=(PercentageRate("tax", 10.0, ("TAX",)),)
    )
    assert optimum(tariff, [10, 2, 2, 2]).cost == pytest.approx(1.1 * 6.6)


def test_a_percentage_of_one_class_moves_use_to_the_other() -> None:
    supply = EnergyRate("supply", price=0.1, charge_class=("SUPPLY",))
    demand = DemandRate("d", 168.0, charge_class=("DISTRIBUTION",))
    rider = PercentageRate("rider", 50.0, ("DISTRIBUTION",))
    tariff = make(supply, demand_rates=(demand,), percentages=(rider,))
    assert optimum(tariff, [10, 2, 2, 2]).cost == pytest.approx(1.6 + 1.5 * 5)


def test_fixed_charges_and_credits_are_part_of_cost_and_bound() -> None:
    charges = (FixedCharge("service", 30.0), FixedCharge("credit", -10.0))
    tariff = make(DIME, demand_rates=(DEMAND,), fixed_charges=charges)
    assert optimum(tariff, [10, 2, 2, 2]).cost == pytest.approx(20 + 6.6)


def test_exports_above_the_import_price_are_sold_whole_and_bought_back() -> None:
    sold = EnergyRate("sold", price=0.3, on_import=False, on_export=True)
    demand = DemandRate("d", 2.0)  # a kW of the hour in which the battery is filled again
    tariff = make(DIME, sold, demand_rates=(demand,))
    result = optimum(tariff, [0, 0], [5, 0], step_hours=1)
    part = 2 / (28 * 24)  # of February lies on the horizon
    assert result.cost == pytest.approx(-10 * 0.3 + 5 * 0.1 + 5 * 2.0 * part)


def test_a_rate_that_holds_at_no_time_costs_nothing() -> None:
    never = EnergyRate(
        "sold", price=0.3, on_import=False, on_export=True, settlement="hour", times=(hours(),)
    )
    assert months(make(DIME, never), [10, 4]).cost == pytest.approx(1.4)
