"""Stored energy that is lost by itself, in every strategy, down to the least state of charge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import given, settings
from hypothesis import strategies as st
from ideal import IDLE, battery, device, once, site
from numpy.testing import assert_allclose
from reference import kept
from reference_balances import DEVICE_FLOWS, check_balances
from reference_devices import dispatch_devices, rule_of
from reference_optimum import Terminal, optimum
from strategies_rules import few, permissions, rules, twin_permissions

import bess

HALF = {"self_discharge_per_hour": 0.5}


def test_an_idle_battery_loses_its_part_every_step_and_the_balance_closes() -> None:
    result = bess.dispatch(site([0, 0, 0]), battery(**HALF), IDLE)
    assert_allclose(result.battery_soc, [0.25, 0.125, 0.0625])
    assert_allclose(result.self_discharge_kwh, 4.375)
    assert_allclose(result.stored_energy_change_kwh, -4.375)


def test_the_loss_of_a_step_is_that_of_its_length() -> None:
    short = bess.Site(load_kwh=[0, 0], start="2025-06-02T00:00Z", step_hours=0.5)
    result = bess.dispatch(short, battery(**HALF), IDLE)
    assert_allclose(result.battery_soc, [0.5 * 0.5**0.5, 0.25])


def test_a_surplus_fills_what_was_lost_before_it_is_exported() -> None:
    """Of 10 kWh 5 are left after an hour, and 4 of sun make 9; of those 4.5, which serve 2."""
    result = bess.dispatch(
        site([0, 2], [4, 0]), battery(initial_state_of_charge=1, **HALF), bess.Surplus()
    )
    assert_allclose(result.battery_soc, [0.9, 0.25])
    assert_allclose(result.solar_to_battery_kwh_dc, [4, 0])
    assert_allclose(result.battery_to_site_kwh_ac, [0, 2])


def test_the_grid_keeps_a_battery_at_its_least_state_of_charge() -> None:
    store = battery(min_state_of_charge=0.2, initial_state_of_charge=0.2, **HALF)
    result = bess.dispatch(site([1, 1]), store, bess.Surplus())
    assert_allclose(result.battery_soc, [0.2, 0.2])
    assert_allclose(result.grid_to_battery_kwh_ac, [1, 1])
    assert result.assumptions == ()


@pytest.mark.parametrize("engine", ["core", pytest.param("highs", marks=pytest.mark.highs)])
def test_what_cannot_be_made_good_sinks_with_the_battery_and_is_told(engine: str) -> None:
    """Without sun or grid 2 kWh become 1; then the sun brings the least 2 kWh back."""
    store = battery(
        min_state_of_charge=0.2, initial_state_of_charge=0.2, allow_grid_to_battery=False, **HALF
    )
    place = site([1, 3], [0, 3])
    ruled = bess.dispatch(place, store, bess.Surplus())
    best = bess.dispatch(place, store, bess.Optimize(engine=engine), prices=bess.Prices(0.1))
    for result in (ruled, best):
        assert_allclose(result.battery_soc, [0.1, 0.2], atol=1e-9)
        assert_allclose(result.grid_to_site_kwh_ac, [1, 1.5], atol=1e-9)
        assert "below 20 % in 1 steps, to 10 %" in result.assumptions[-1]


def test_an_initial_energy_that_cannot_be_kept_is_not_asked_for_at_the_end() -> None:
    store = battery(allow_grid_to_battery=False, **HALF)
    result = bess.dispatch(site([0, 0]), store, bess.Optimize(), prices=bess.Prices(0.1))
    assert_allclose(result.battery_soc, [0.25, 0.125])
    wanted = store.model_copy(update={"terminal_state_of_charge": 0.2})
    with pytest.raises(bess.InfeasibleError, match=r"0\.75 kWh"):
        bess.dispatch(site([0, 0]), wanted, bess.Optimize(), prices=bess.Prices(0.1))


def test_a_window_is_reached_from_what_the_losses_leave() -> None:
    """Of 4 kWh after the second hour 3 can be charged in it: 2 before it, of which 1 is left."""
    result = bess.dispatch(
        site([0, 0]),
        battery(initial_state_of_charge=0, charge_power_kw=3, **HALF),
        IDLE,
        policies=[once("2025-06-02T02:00:00Z", low=40)],
    )
    assert_allclose(result.battery_soc, [0.2, 0.4])
    assert_allclose(result.grid_to_battery_kwh_ac, [2, 3])


def test_stored_energy_is_worth_less_the_earlier_it_is_stored() -> None:
    """A kWh at the third hour saves 0.8: half of that at the second, a quarter at the first."""
    store = battery(initial_state_of_charge=0.1, terminal_state_of_charge="free", **HALF)
    result = bess.dispatch(
        site([0, 0, 2]),
        store,
        bess.Optimize(),
        prices=bess.Prices(import_price=[0.3, 0.5, 0.8]),
    )
    assert result.marginal_value is not None
    assert_allclose(result.marginal_value, [0.2, 0.4, 0.8])
    assert_allclose(result.cost, 0.8 * 1.875)


def test_devices_take_it_as_a_keyword() -> None:
    result = bess.dispatch(
        site([0, 0]), [device("a"), device("b")], IDLE, initial_state_of_charge=1, **HALF
    )
    assert_allclose(result.devices["b"].battery_soc, [0.5, 0.25])
    assert_allclose(result.self_discharge_kwh, 15)


def test_a_plan_knows_what_is_lost_and_what_is_carried_out_is_the_batterys_power() -> None:
    """2 kWh are foreseen for the second hour, of which half is lost: 4 are stored in the first.
    Nothing is needed then, and nothing is sold: half of it is left after each hour."""
    expected = bess.Site(load_kwh=[0, 2, 0], start="2025-06-02T00:00Z")
    actual = bess.Site(load_kwh=[0, 0, 0], start="2025-06-02T00:00Z")
    done = bess.roll(
        actual,
        expected,
        battery(
            initial_state_of_charge=0,
            terminal_state_of_charge="free",
            allow_battery_to_grid=False,
            **HALF,
        ),
        bess.Optimize(),
        prices=bess.Prices(import_price=[0.1, 0.9, 0.1]),
        horizon_hours=3,
    )
    assert_allclose(done.battery_soc, [0.4, 0.2, 0.1])
    assert_allclose(done.grid_to_battery_kwh_ac, [4, 0, 0])
    assert_allclose(done.self_discharge_kwh, 3)


def test_a_plan_asks_for_no_more_than_self_discharge_left_below_the_minimum() -> None:
    """Without sun the minimum of 40 % sinks by half each hour, and no plan is relaxed for it."""
    done = bess.roll(
        site([0, 0, 0, 0], [0, 0, 3, 0]),
        "perfect",
        battery(
            initial_state_of_charge=0.4,
            min_state_of_charge=0.4,
            allow_grid_to_battery=False,
            terminal_state_of_charge="free",
            **HALF,
        ),
        bess.Optimize(),
        prices=bess.Prices(import_price=0.3),
        horizon_hours=2,
    )
    assert_allclose(done.battery_soc[:2], [0.2, 0.1])
    assert done.battery_soc[2] >= 0.35 - 1e-12
    assert done.relaxed_plans == ()
    assert any("below 40 %" in note for note in done.assumptions)


@pytest.mark.parametrize("demand", [0.0, 3.0])
@pytest.mark.parametrize("terminal", ["initial", "free", 0.3])
def test_one_plan_with_perfect_foresight_is_the_optimum(terminal: Any, demand: float) -> None:
    rng = np.random.default_rng(41)
    load = rng.uniform(0, 3, 48)
    paid: dict[str, Any] = {"prices": bess.Prices(rng.uniform(0.05, 0.5, 48), 0.04)}
    if demand:
        rate = bess.tariff.EnergyRate(name="energy", price=0.25)
        peak = bess.tariff.DemandRate(name="peak", price=demand)
        paid = {"tariff": bess.Tariff(name="t", time_zone="UTC", rates=[rate], demand_rates=[peak])}
    done = bess.roll(
        bess.Site(load_kwh=load, start="2025-06-02T00:00Z"),
        "perfect",
        battery(terminal_state_of_charge=terminal, self_discharge_per_hour=0.01),
        bess.Optimize(),
        horizon_hours=48,
        replan_hours=24,
        **paid,
    )
    assert done.relaxed_plans == ()
    assert done.cost is not None
    assert_allclose(done.cost, done.optimum.cost, rtol=1e-6)


@settings(few, max_examples=60)
@given(st.data())
def test_devices_that_lose_energy_share_as_their_slow_twins_do(data: st.DataObject) -> None:
    place = data.draw(cases.sites(import_limits=False))
    units = data.draw(cases.devices())
    rule = data.draw(rules(place).filter(lambda rule: not rule.refused))
    allowed = data.draw(permissions)
    lost = data.draw(st.sampled_from([0.01, 0.4]))
    ranked = _lossy(place, units, lost, allowed)
    steps = place.steps()
    _, energies, _ = dispatch_devices(steps, ranked, rule_of(rule.kind, ranked, rule.values))
    result = bess.dispatch(
        place.build(),
        [u.build() for u in units],
        rule.strategy,
        self_discharge_per_hour=lost,
        **allowed,
    )
    check_balances(steps, [r.store for r in ranked], [u.capacity for u in units], result)
    for unit, energy in zip(units, energies, strict=True):
        got = result.devices[unit.fields["name"]]
        assert_allclose(got.battery_soc * unit.capacity, energy, rtol=1e-9, atol=1e-9)
        assert all(getattr(got, name).min() >= 0 for name in DEVICE_FLOWS)


@pytest.mark.highs
@settings(few, max_examples=25)
@given(st.data())
def test_the_optimum_of_devices_that_lose_energy_is_that_of_brute_force(
    data: st.DataObject,
) -> None:
    place = data.draw(cases.sites(max_steps=4, import_limits=False))
    units = data.draw(cases.devices(max_devices=2))
    lost = data.draw(st.sampled_from([0.01, 0.4]))
    ranked = _lossy(place, units, lost, {"allow_grid_to_battery": True})
    steps, stores = place.steps(), [r.store for r in ranked]
    buy = data.draw(cases.series(cases.prices, place.n))
    ends = [Terminal(min(s.initial, kept(steps, s, s.initial)[-1])) for s in stores]
    best = optimum(steps, stores, buy, [0.05] * place.n, terminals=ends)
    result = bess.dispatch(
        place.build(),
        [u.build() for u in units],
        bess.Optimize(),
        prices=bess.Prices(buy, 0.05),
        self_discharge_per_hour=lost,
    )
    assert_allclose(result.cost, best, atol=2e-6 * max(1.0, abs(best or 0)))


def _lossy(
    place: cases.SiteCase, units: list[cases.DeviceCase], lost: float, allowed: dict[str, bool]
) -> list[Any]:
    retention = (1 - lost) ** place.hours
    return [u.ranked(place, 0.5, retention=retention, **twin_permissions(allowed)) for u in units]


def test_a_site_far_smaller_than_what_its_battery_loses_is_solved() -> None:
    place = bess.Site(load_kwh=[0] * 4, solar_kwh=[6e-8] * 4, start="2025-03-09T00:00Z")
    store = bess.Battery(
        capacity_kwh=4,
        charge_power_kw=0.1,
        discharge_power_kw=0.1,
        initial_state_of_charge=1,
        dc_coupled=False,
        self_discharge_per_hour=0.001,
        allow_grid_to_battery=False,
    )
    prices = bess.Prices(import_price=-0.2, export_price=-0.2)
    result = bess.dispatch(place, store, bess.Optimize(engine="highs"), prices=prices)
    assert result.gap is not None
    assert result.gap <= 1e-6


def test_a_forbidden_flow_is_zero_where_a_battery_may_do_two_things_at_once() -> None:
    place = bess.Site(
        load_kwh=[0] * 6, solar_kwh=[0.5] * 6, step_hours=0.5, start="2025-03-09T08:00Z"
    )
    store = bess.Battery(
        capacity_kwh=100,
        charge_power_kw=0.1,
        discharge_power_kw=0.1,
        min_state_of_charge=0.5,
        max_state_of_charge=0.55,
        initial_state_of_charge=0.5,
        dc_coupled=False,
        ac_to_dc_efficiency=1,
        dc_to_ac_efficiency=1,
        input_efficiency=1,
        self_discharge_per_hour=0.3,
        allow_grid_to_battery=False,
        allow_battery_to_grid=False,
    )
    prices = bess.Prices(import_price=[-0.2] * 5 + [0.002], export_price=0.001)
    result = bess.dispatch(place, store, bess.Optimize(allow_simultaneous=True), prices=prices)
    assert result.grid_to_battery_kwh_ac.max() == 0
