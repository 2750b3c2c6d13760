"""The optimum, in examples one works out in the head, and what must hold of every optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from ideal import battery, device, once, policy, site
from numpy.testing import assert_allclose
from reference_adapters import check_result

import bess

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def best(place: bess.Site, store: Any, buy: Any, sell: Any = 0.0, **more: Any) -> Any:
    """The optimum under prices; options of `Optimize` and of `dispatch` alike."""
    options = {
        k: more.pop(k) for k in ("allow_simultaneous", "engine", "relax_policies") if k in more
    }
    prices = bess.Prices(import_price=buy, export_price=sell)
    return bess.dispatch(place, store, bess.Optimize(**options), prices=prices, **more)


@pytest.mark.parametrize(("simultaneous", "profit"), [(False, 1037.78), (True, 1057.78)])
def test_the_published_optimum_of_energypylinear(simultaneous: bool, profit: float) -> None:
    """From energypylinear's documentation: a 2 MW, 4 MWh battery of efficiency 0.9."""
    prices = [100.0, 50.0, 200.0, -100.0, 0.0, 200.0, 100.0, -100.0]
    store = battery(
        capacity_kwh=4,
        charge_power_kw=1.8,
        discharge_power_kw=2,
        ac_to_dc_efficiency=0.9,
        initial_state_of_charge=0,
        terminal_state_of_charge=(0, 0),
    )
    result = best(site([0] * 8), store, prices, prices, allow_simultaneous=simultaneous)
    assert round(-result.cost, 2) == profit
    assert result.lower_bound <= result.cost
    assert result.gap <= 1e-6


def test_energy_is_bought_when_cheap_for_a_dear_load() -> None:
    result = best(site([0, 2]), battery(), [0.1, 0.3])
    assert_allclose(result.cost, 0.2)
    assert_allclose(result.grid_to_battery_kwh_ac, [2, 0], atol=1e-9)
    assert_allclose(result.battery_soc, [0.7, 0.5])


def test_a_spread_smaller_than_the_losses_is_left_alone() -> None:
    lossy = battery(ac_to_dc_efficiency=0.9)
    for dear, moves in ((0.11, False), (0.12, True)):
        result = best(site([0, 2]), lossy, [0.1, dear])
        assert bool(result.grid_to_battery_kwh_ac.any()) == moves


def test_a_spread_smaller_than_the_wear_is_left_alone() -> None:
    for wear, cost in ((0.15, 2 * 0.1 + 2 * 0.15), (0.25, 2 * 0.3)):
        result = best(site([0, 2]), battery(degradation_cost_per_kwh=wear), [0.1, 0.3])
        assert_allclose(result.cost, cost)
    assert result.degradation_cost == 0.0


def test_the_battery_sells_at_the_best_price_within_its_permission() -> None:
    """3 kWh bought at 0.1: 1 for the load, worth 0.5, and 2 sold at 0.4."""
    place = site([0, 0, 1])
    store = battery(charge_power_kw=3)
    sold = best(place, store, [0.1, 0.5, 0.5], [0, 0.4, 0])
    assert_allclose(sold.cost, 3 * 0.1 - 2 * 0.4)
    kept = best(
        place, battery(charge_power_kw=3, allow_battery_to_grid=False), [0.1, 0.5, 0.5], [0, 0.4, 0]
    )
    assert_allclose(kept.cost, 0.1)
    assert not kept.battery_to_grid_kwh_ac.any()


def test_at_a_negative_price_the_sun_is_turned_down_and_the_battery_filled() -> None:
    """Paid 0.1 per kWh: the site buys its 2 kWh and fills 5 more; the sun's 3 are curtailed."""
    place = site([2], [3])
    result = best(place, battery(terminal_state_of_charge="free"), -0.1, -0.2)
    assert_allclose(result.cost, -0.7)
    assert_allclose(result.solar_curtailed_kwh_dc, [3])
    assert_allclose(result.solar_to_site_kwh_ac, [0], atol=1e-9)


def test_the_meter_does_not_buy_and_sell_at_once_though_it_would_pay() -> None:
    """Sell at 0.5, buy at 0.1, load 2, sun 3: sell 1, or buy 2 and waste the sun."""
    full = battery(
        initial_state_of_charge=1, terminal_state_of_charge=1, degradation_cost_per_kwh=1
    )
    result = best(site([2], [3]), full, 0.1, 0.5)
    assert_allclose(result.cost, -0.5)
    relaxed = best(site([2], [3]), full, 0.1, 0.5, allow_simultaneous=True)
    assert_allclose(relaxed.cost, 0.2 - 1.5)


def test_the_end_holds_what_the_terminal_condition_asks() -> None:
    """At a price of 0.2 each kWh left at the end costs, or saves, 0.2."""
    place = site([4])
    asked: list[tuple[Any, float]] = [
        ("initial", 0.8),
        ("free", 0.0),
        (0.6, 1.0),
        ((0.3, 0.4), 0.4),
        ("cyclic", 0.8),
        (0.0, 0.0),
    ]
    for terminal, cost in asked:
        result = best(place, battery(terminal_state_of_charge=terminal), 0.2)
        assert_allclose(result.cost, cost, atol=1e-9, err_msg=str(terminal))


def test_under_a_cyclic_condition_the_start_is_free() -> None:
    """The first hour is dear: start full enough to cover it, fill up in the cheap second."""
    store = battery(terminal_state_of_charge="cyclic", initial_state_of_charge=0)
    result = best(site([4, 0]), store, [0.5, 0.1])
    assert_allclose(result.cost, 0.4)
    assert_allclose(result.battery_soc[1] - result.battery_soc[0], 0.4)


def test_a_window_is_a_constraint() -> None:
    """Without the window nothing is bought before the cheap third hour."""
    place = site([0, 0, 0])
    store = battery(initial_state_of_charge=0, charge_power_kw=1)
    result = best(place, store, [0.3, 0.2, 0.1], policies=[once("2025-06-02T02:00:00Z", low=10)])
    assert_allclose(result.cost, 0.2)
    assert_allclose(result.battery_soc[1], 0.1)


def test_windows_that_cannot_be_met_are_an_error_that_names_the_first() -> None:
    store = battery(initial_state_of_charge=0, charge_power_kw=1)
    policies = [once("2025-06-02T02:00:00Z", low=50), once("2025-06-02T03:00:00Z", low=80)]
    with pytest.raises(bess.InfeasibleError, match="2025-06-02T02:00"):
        best(site([0] * 4), store, 0.1, policies=policies)
    relaxed = best(site([0] * 4), store, 0.1, policies=policies, relax_policies=True)
    assert_allclose([v.state_of_charge for v in relaxed.violations], [0.2, 0.3])


def test_a_load_above_the_import_limit_is_infeasible_at_its_step() -> None:
    with pytest.raises(bess.InfeasibleError) as caught:
        best(site([1, 9], import_limit_kwh=2), battery(), 0.1)
    assert caught.value.step == 1


def test_a_terminal_condition_out_of_reach_is_infeasible() -> None:
    with pytest.raises(bess.InfeasibleError):
        best(site([0, 0]), battery(charge_power_kw=1, terminal_state_of_charge=0.9), 0.1)


def test_among_equal_costs_the_battery_moves_least() -> None:
    for price in (0.0, 0.2):
        result = best(site([1, 2, 3], [2, 2, 2]), battery(), price, price)
        assert_allclose(result.battery_soc, [0.5] * 3)
        assert not result.battery_to_site_kwh_ac.any()
        assert not result.solar_to_battery_kwh_dc.any()


def test_where_cost_does_not_tell_the_sun_serves_the_site_first() -> None:
    """Export pays what import costs: it is all one whether the sun or the grid serves the site."""
    result = best(site([2], [3]), battery(), 0.2, 0.2)
    assert_allclose(result.solar_to_site_kwh_ac, [2])
    assert_allclose(result.solar_to_grid_kwh_ac, [1])


def test_the_same_problem_has_the_same_answer() -> None:
    generator = np.random.default_rng(3)
    load, solar = generator.random(48), generator.random(48) * 2
    runs = [best(site(load, solar), battery(), [0.1, 0.1, 0.2] * 16, 0.1) for _ in range(2)]
    for name, flow in runs[0].flows.items():
        assert (flow == runs[1].flows[name]).all(), name


@pytest.mark.parametrize(
    ("start", "steps"), [("2025-03-09T00:00:00-08:00", 23), ("2025-11-02T00:00:00-07:00", 25)]
)
def test_a_day_may_have_23_or_25_hours(start: str, steps: int) -> None:
    place = bess.Site(load_kwh=[1.0] * steps, start=start, time_zone="America/Los_Angeles")
    result = best(place, battery(), [0.1] + [0.3] * (steps - 1))
    assert_allclose(result.cost, 0.1 + 5 * 0.1 + (steps - 6) * 0.3)
    assert result.timestamps[-1].hour == 23
    check_result(result, battery())


def test_devices_have_their_own_windows_under_the_optimum() -> None:
    units = [
        device("a", kw=1, policies=[policy("2025-06-02T03:00:00Z", low=20)]),
        device("b", kw=1),
    ]
    result = best(
        site([0] * 3),
        units,
        [0.1, 0.3, 0.2],
        initial_state_of_charge=0,
        terminal_state_of_charge="initial",
    )
    assert_allclose(result.cost, 0.3)
    assert_allclose(result.devices["a"].battery_soc, [0.1, 0.1, 0.2], atol=1e-9)
    assert_allclose(result.devices["b"].battery_soc, [0, 0, 0], atol=1e-9)


def test_under_the_optimum_priorities_only_break_ties() -> None:
    """The lossless device serves the load though it is last in the queue; alike ones take turns."""
    poor = device("poor", charging_priority=1, discharging_priority=1, discharging_efficiency=0.5)
    good = device("good")
    result = best(site([2]), [poor, good], 0.2, terminal_state_of_charge="free")
    assert_allclose(result.cost, 0.0, atol=1e-9)
    result = best(
        site([0, 2]),
        [poor, good],
        [0.1, 0.3],
        initial_state_of_charge=0,
        terminal_state_of_charge=0.0,
    )
    assert_allclose(result.cost, 0.2)
    assert_allclose(result.devices["good"].battery_to_site_kwh_ac, [0, 2], atol=1e-9)


def test_one_device_suffices_where_the_load_is_above_the_import_limit() -> None:
    """Paid to import: 1 kWh, 0.1 of it into a device, which gives it back above the limit."""
    units = [device("a", kwh=4, kw=1), device("b", kwh=4, kw=1)]
    result = best(
        site([1, 1], [8, 0], step_hours=0.25, import_limit_kwh=[1, 0.9]),
        units,
        -0.2,
        0.4,
        allow_battery_to_grid=False,
        allow_solar_to_battery=False,
    )
    assert_allclose(result.cost, -0.38)
    for unit in result.devices.values():
        assert unit.battery_soc[-1] >= 0.5 - 1e-9


@pytest.mark.highs
@few
@given(st.data())
def test_more_capacity_never_costs_more(data: st.DataObject) -> None:
    """Without policies, with the initial state of charge as the least terminal one."""
    place = data.draw(cases.sites(max_steps=8, import_limits=False)).build()
    case = data.draw(cases.batteries())
    buy = data.draw(cases.series(cases.prices, place.steps))
    sell = data.draw(cases.series(cases.prices, place.steps))
    larger = case.capacity * data.draw(st.sampled_from([1.01, 2.0, 10.0]))
    small = best(place, case.build(), buy, sell)
    large = best(place, case.build(capacity_kwh=larger), buy, sell)
    money = np.abs(small.net_load_kwh_ac).sum()
    assert large.cost <= small.cost + 2e-6 * max(1.0, money)


@pytest.mark.highs
@few
@given(st.data())
def test_at_one_constant_price_the_battery_does_not_move(data: st.DataObject) -> None:
    """Nothing to gain by waiting, where all solar can be sold and passes its inverter as well as it
    would the battery."""
    drawn = data.draw(cases.sites(max_steps=8, import_limits=False))
    drawn = replace(drawn, solar_to_grid=True, export_limit=None, inverter_limit=None)
    case = data.draw(cases.batteries())
    f = case.fields
    through = f["input_efficiency"] * f["dc_to_ac_efficiency"]
    assume(not f["dc_coupled"] or through <= drawn.solar_efficiency)
    price = data.draw(st.sampled_from([0.0, 0.07, 0.3]))
    result = best(drawn.build(), case.build(), price, price)
    assert_allclose(result.battery_soc, f["initial_state_of_charge"], atol=1e-12)
    assert not result.battery_to_site_kwh_ac.any()
    assert not result.battery_to_grid_kwh_ac.any()


@pytest.mark.highs
@few
@given(st.data())
def test_a_flat_tariff_without_sun_earns_nothing(data: st.DataObject) -> None:
    drawn = data.draw(cases.sites(max_steps=8, import_limits=False))
    case = data.draw(cases.batteries())
    price = data.draw(st.sampled_from([0.0, 0.1, 0.3]))
    place = bess.Site(load_kwh=drawn.load, start=drawn.start, time_zone=drawn.time_zone)
    result = best(place, case.build(), price, price / 2)
    assert_allclose(result.cost, price * sum(drawn.load), rtol=1e-9, atol=1e-12)
