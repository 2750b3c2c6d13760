"""The optimum on random tariffs: the slow twin's cost, and what must hold of any optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from ideal import battery, device, site
from reference_balances import check_balances
from strategies_rules import few, rules
from strategies_tariffs import HORIZONS, USUAL, TariffCase, tariff_cases
from tariff_agreement import AGREE, check_agreement, check_optimum, money, optimal

import bess
from bess.tariff import DemandRate, EnergyRate, Tariff

YEAR = HORIZONS[-1:]


@pytest.mark.highs
@settings(few, max_examples=30)
@given(tariff_cases(max_steps=8), cases.batteries())
def test_the_optimum_on_a_tariff_is_the_twins(case: TariffCase, battery: Any) -> None:
    check_agreement(case, battery)


@pytest.mark.highs
@settings(few, max_examples=4)
@given(tariff_cases(horizons=YEAR), cases.batteries())
def test_the_optimum_of_twelve_months_is_the_twins(case: TariffCase, battery: Any) -> None:
    check_agreement(case, battery)


@pytest.mark.slow
@settings(few, max_examples=1500)
@given(tariff_cases(), cases.batteries())
def test_many_optima_on_tariffs_are_the_twins(case: TariffCase, battery: Any) -> None:
    check_agreement(case, battery)


@pytest.mark.slow
@pytest.mark.parametrize("feature", USUAL)
@settings(few, max_examples=150)
@given(st.data())
def test_the_optima_on_tariffs_of_one_feature_are_the_twins(
    feature: str, data: st.DataObject
) -> None:
    case = data.draw(tariff_cases(names=(feature,)))
    check_agreement(case, data.draw(cases.batteries()))


@pytest.mark.highs
@settings(few, max_examples=20)
@given(st.data())
def test_no_rule_beats_the_optimum_on_a_tariff(data: st.DataObject) -> None:
    case = data.draw(tariff_cases(max_steps=8))
    case_battery = data.draw(cases.batteries())
    rule = data.draw(rules(case.site))
    assume(not rule.refused)
    place = case.site.build()
    ruled = bess.dispatch(place, case_battery.build(), rule.strategy, tariff=case.tariff)
    f = case_battery.fields
    end = min(max(float(ruled.battery_soc[-1]), f["min_state_of_charge"]), f["max_state_of_charge"])
    best = optimal(case, case_battery, terminal_state_of_charge=end)
    assert ruled.bill is not None
    assert best.cost is not None
    assert ruled.cost is not None
    assert best.cost <= ruled.cost + AGREE * money(ruled.bill)


@pytest.mark.highs
@settings(few, max_examples=15)
@given(st.data())
def test_more_battery_never_raises_the_optimal_bill(data: st.DataObject) -> None:
    """Without policies, with the initial state of charge as the least terminal one."""
    case = data.draw(tariff_cases(max_steps=8))
    small_battery = data.draw(cases.batteries())
    larger = small_battery.capacity * data.draw(st.sampled_from([1.01, 2.0, 10.0]))
    small, large = optimal(case, small_battery), optimal(case, small_battery, capacity_kwh=larger)
    assert small.bill is not None
    assert large.bill is not None
    assert small.cost is not None
    assert large.cost is not None
    assert large.cost <= small.cost + AGREE * max(money(small.bill), money(large.bill))


@pytest.mark.highs
@settings(few, max_examples=10)
@given(st.data())
def test_the_order_of_rates_does_not_change_the_optimum(data: st.DataObject) -> None:
    case = data.draw(tariff_cases(max_steps=6))
    tariff, its_battery = case.tariff, data.draw(cases.batteries())
    shuffled = replace(
        tariff,
        rates=tuple(data.draw(st.permutations(tariff.rates))),
        demand_rates=tuple(data.draw(st.permutations(tariff.demand_rates))),
        percentages=tuple(data.draw(st.permutations(tariff.percentages))),
    )
    one, other = optimal(case, its_battery), optimal(replace(case, tariff=shuffled), its_battery)
    assert one.bill is not None
    assert one.cost == pytest.approx(other.cost, abs=AGREE * money(one.bill))


@pytest.mark.highs
@settings(few, max_examples=10)
@given(st.data())
def test_net_metering_at_one_price_is_that_price_times_net_energy(data: st.DataObject) -> None:
    """Where credits last, or what is left of them earns as much: storing only loses energy."""
    drawn = data.draw(tariff_cases(max_steps=8)).site
    drawn = replace(drawn, solar_to_grid=True, export_limit=None, solar_efficiency=1.0)
    price = data.draw(st.sampled_from([0.05, 0.3]))
    tariff = Tariff(
        "T",
        rates=(EnergyRate("e", price=price),),
        metering="net_metering",
        true_up_price_per_kwh=price,
    )
    case = TariffCase(drawn, tariff, ())
    its_battery = data.draw(cases.batteries())
    result = optimal(case, its_battery)
    check_optimum(case, its_battery, result)
    energy = sum(drawn.load) - sum(drawn.solar)
    assert result.cost == pytest.approx(price * energy, abs=AGREE * max(1.0, sum(drawn.load)))


@pytest.mark.highs
@settings(few, max_examples=10)
@given(st.data())
def test_two_batteries_without_losses_do_what_one_of_both_does(data: st.DataObject) -> None:
    case = data.draw(
        tariff_cases(names=("demand", "bands", "minimum", "net metering"), max_steps=6)
    )
    drawn = replace(case.site, solar_efficiency=1.0)
    case = replace(case, site=drawn)
    ways: dict[str, Any] = {
        "initial_state_of_charge": 0.5,
        "terminal_state_of_charge": "initial",
        "degradation_cost_per_kwh": 0.0,
    }
    place = drawn.build()
    one, two = [
        bess.dispatch(place, units, bess.Optimize(), tariff=case.tariff, **ways)
        for units in ([device("a", 8, 4)], [device("b", 4, 2), device("c", 4, 2)])
    ]
    store = cases.DeviceCase(device("b", 4, 2).model_dump()).ranked(drawn, 0.5).store
    check_balances(drawn.steps(), [store, store], [4.0, 4.0], two)
    assert one.bill is not None
    assert two.bill is not None
    assert one.cost == pytest.approx(two.cost, abs=AGREE * max(money(one.bill), money(two.bill)))


def test_a_policy_is_kept_on_a_tariff() -> None:
    """Full before the peak that it would have shaved anyway costs the peak of filling it."""
    tariff = Tariff(
        "T", rates=(EnergyRate("e", price=0.1),), demand_rates=(DemandRate("d", 28 * 24.0),)
    )
    week = site([2, 10, 2, 2], start="2025-02-01T00:00Z", step_hours=168)
    window = {
        "schedule": {"frequency": "once", "date_times": ["2025-02-08T00:00:00+00:00"]},
        "minimum_state_of_charge": 100,
        "maximum_state_of_charge": 100,
    }
    result = bess.dispatch(week, battery(), bess.Optimize(), tariff=tariff, policies=[window])
    assert result.battery_soc[0] == pytest.approx(1.0)
    # 2 + 5 to fill it; then 10 - 6 and 2 + 1 at most: 4 x 7 for the peak, 16 kWh at 0.1.
    assert result.cost == pytest.approx(1.6 + 4 * 7)


def test_a_gap_that_is_allowed_is_reported() -> None:
    tariff = Tariff("T", rates=(EnergyRate("e", price=0.1),), demand_rates=(DemandRate("d", 10.0),))
    load = np.tile(np.r_[np.ones(17), np.full(4, 5.0), np.ones(3)], 28)
    month = site(load, start="2025-02-01T00:00Z")
    exact = bess.dispatch(month, battery(), bess.Optimize(), tariff=tariff)
    loose = bess.dispatch(month, battery(), bess.Optimize(gap=0.05), tariff=tariff)
    assert exact.cost is not None
    assert loose.gap is not None
    assert loose.lower_bound is not None
    assert loose.gap <= 0.05
    assert loose.lower_bound <= exact.cost + 1e-6
    # Four hours of 5 kW take 10 kWh down to P; on the last day three hours bring back half of them:
    # 10 - 4 (5 - P) + 3 (P - 1) = 5.
    assert exact.cost == pytest.approx(0.1 * load.sum() + 10 * 18 / 7)
