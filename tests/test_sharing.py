"""Several devices on one site: priorities, shares, corridors, and the site's sums."""

from __future__ import annotations

import pytest
from ideal import IDLE, device, hours, policy, site
from numpy.testing import assert_allclose

import bess


def test_surplus_goes_to_the_first_charging_priority_first() -> None:
    units = [
        device("last", charging_priority=10),
        device("first", kw=2, charging_priority=1),
        device("middle", charging_priority=5),
    ]
    result = bess.dispatch(site([1], [5]), units, bess.Surplus(), initial_state_of_charge=0.5)
    assert_allclose(result.devices["first"].solar_to_battery_kwh_dc, [2])
    assert_allclose(result.devices["middle"].solar_to_battery_kwh_dc, [2])
    assert_allclose(result.devices["last"].solar_to_battery_kwh_dc, [0])
    assert_allclose(result.solar_to_battery_kwh_dc, [4])
    assert_allclose(result.battery_soc, [(5 + 7 + 7) / 30])


def test_a_deficit_is_met_by_the_first_discharging_priority_first() -> None:
    units = [
        device("a", charging_priority=1, discharging_priority=2),
        device("b", charging_priority=2, discharging_priority=1, kw=3),
    ]
    result = bess.dispatch(site([4]), units, bess.Surplus())
    assert_allclose(result.devices["b"].battery_to_site_kwh_ac, [3])
    assert_allclose(result.devices["a"].battery_to_site_kwh_ac, [1])


def test_equal_priorities_share_in_proportion_to_what_each_could_take_or_give() -> None:
    """6 and 2 kW of charging share 4 kWh as 3 and 1; in hour two 2 and 4 kWh of energy share 3."""
    units = [device("a", kwh=8, kw=6), device("b", kwh=6, kw=2)]
    result = bess.dispatch(site([0], [4]), units, bess.Surplus(), initial_state_of_charge=0)
    assert_allclose(result.devices["a"].solar_to_battery_kwh_dc, [3])
    assert_allclose(result.devices["b"].solar_to_battery_kwh_dc, [1])
    units = [device("a", kwh=4), device("b", kwh=8)]
    result = bess.dispatch(site([3]), units, bess.Surplus(), initial_state_of_charge=0.5)
    assert_allclose(result.devices["a"].battery_to_site_kwh_ac, [1])
    assert_allclose(result.devices["b"].battery_to_site_kwh_ac, [2])


def test_a_device_with_no_room_leaves_its_share_to_the_others() -> None:
    units = [device("small", kwh=1, charging_priority=1), device("large", charging_priority=2)]
    result = bess.dispatch(site([0], [4]), units, bess.Surplus(), initial_state_of_charge=0.5)
    assert_allclose(result.devices["small"].solar_to_battery_kwh_dc, [0.5])
    assert_allclose(result.devices["large"].solar_to_battery_kwh_dc, [3.5])


def test_powers_and_efficiencies_are_those_of_the_ac_terminals() -> None:
    """5 kWh AC at 0.8 store 4 kWh; 2 kWh AC at 0.5 take 4 kWh from the cells."""
    unit = device("x", charging_efficiency=0.8, discharging_efficiency=0.5, kw=5)
    charged = bess.dispatch(site([0], [9]), [unit], bess.Surplus(), initial_state_of_charge=0)
    assert_allclose(charged.devices["x"].battery_soc, [0.4])
    assert_allclose(charged.solar_to_grid_kwh_ac, [4])
    given = bess.dispatch(site([2]), [unit], bess.Surplus(), initial_state_of_charge=1)
    assert_allclose(given.devices["x"].battery_soc, [0.6])


def test_a_charge_period_gives_the_sun_to_the_first_in_the_queue_and_the_grid_to_the_rest() -> None:
    units = [
        device("a", kw=2, charging_priority=1),
        device("b", kw=2, charging_priority=2),
    ]
    rule = bess.FixedSchedule(charge=hours(0, 24), discharge=[])
    result = bess.dispatch(site([1], [3]), units, rule, initial_state_of_charge=0)
    assert_allclose(result.devices["a"].solar_to_battery_kwh_dc, [2])
    assert_allclose(result.devices["b"].solar_to_battery_kwh_dc, [1])
    assert_allclose(result.devices["a"].grid_to_battery_kwh_ac, [0])
    assert_allclose(result.devices["b"].grid_to_battery_kwh_ac, [1])
    assert_allclose(result.grid_to_site_kwh_ac, [1])


def test_a_discharge_period_serves_the_site_from_the_first_in_the_queue() -> None:
    units = [device("a", kw=2, discharging_priority=2), device("b", kw=2, discharging_priority=1)]
    rule = bess.FixedSchedule(charge=[], discharge=hours(0, 24))
    result = bess.dispatch(site([1], export_limit_kwh=2), units, rule)
    assert_allclose(result.devices["b"].battery_to_site_kwh_ac, [1])
    assert_allclose(result.devices["b"].battery_to_grid_kwh_ac, [1])
    assert_allclose(result.devices["a"].battery_to_grid_kwh_ac, [1])
    assert_allclose(result.battery_to_grid_kwh_ac, [2])


def test_each_device_honours_its_own_policies() -> None:
    units = [
        device("a", kw=1, policies=[policy("2025-06-02T03:00:00Z", low=20)]),
        device("b", kw=1),
    ]
    result = bess.dispatch(site([0] * 4), units, IDLE, initial_state_of_charge=0)
    assert_allclose(result.devices["a"].battery_soc, [0, 0.1, 0.2, 0.2])
    assert_allclose(result.devices["b"].battery_soc, [0, 0, 0, 0])
    assert result.violations == ()


def test_a_device_that_cannot_reach_its_window_is_named() -> None:
    units = [device("a"), device("b", kw=1, policies=[policy("2025-06-02T02:00:00Z", low=50)])]
    result = bess.dispatch(site([0] * 4), units, IDLE, initial_state_of_charge=0)
    (missed,) = result.violations
    assert missed.device == "b"
    assert_allclose(missed.state_of_charge, 0.2)
    assert result.devices["b"].violations == (missed,)
    assert result.devices["a"].violations == ()


def test_energy_a_window_needs_is_served_before_the_rule_shares_the_rest() -> None:
    """3 kWh of surplus: the device in need takes its 2 first though it is last in the queue."""
    units = [
        device("needy", charging_priority=10, policies=[policy("2025-06-02T01:00:00Z", low=20)]),
        device("first", charging_priority=1),
    ]
    result = bess.dispatch(
        site([0], [3]),
        units,
        bess.Surplus(),
        initial_state_of_charge=0,
        allow_grid_to_battery=False,
    )
    assert_allclose(result.devices["needy"].battery_soc, [0.2])
    assert_allclose(result.devices["first"].battery_soc, [0.1])


def test_scarce_sun_goes_to_the_window_of_the_first_priority() -> None:
    want = [policy("2025-06-02T02:00:00Z", low=20)]
    units = [
        device("second", charging_priority=2, policies=want),
        device("first", charging_priority=1, policies=want),
    ]
    result = bess.dispatch(
        site([3, 3], [1.5, 1.5]),
        units,
        IDLE,
        initial_state_of_charge=0,
        allow_grid_to_battery=False,
    )
    assert_allclose(result.devices["first"].battery_soc, [0.05, 0.2])
    assert_allclose(result.devices["second"].battery_soc, [0.1, 0.1])
    assert [v.device for v in result.violations] == ["second"]


def test_no_device_buys_while_another_sells() -> None:
    """One must charge from the grid in the hour in which the others would sell."""
    units = [
        device("buyer", policies=[policy("2025-06-02T01:00:00Z", low=80)]),
        device("seller"),
    ]
    rule = bess.FixedSchedule(charge=[], discharge=hours(0, 24))
    result = bess.dispatch(site([1]), units, rule, initial_state_of_charge=0.5)
    assert_allclose(result.devices["buyer"].battery_soc, [0.8])
    assert_allclose(result.devices["buyer"].grid_to_battery_kwh_ac, [3])
    assert_allclose(result.devices["seller"].battery_to_site_kwh_ac, [1])
    assert not result.battery_to_grid_kwh_ac.any()


@pytest.mark.parametrize("solar", [0.0, 0.02, 0.046, 1.0])
def test_no_device_buys_while_another_is_forced_to_empty(solar: float) -> None:
    units = [
        device("filling", kw=0.1, policies=[policy("2025-06-02T01:00:00Z", low=80)]),
        device("emptying", kw=0.1, policies=[policy("2025-06-02T01:00:00Z", high=20)]),
    ]
    result = bess.dispatch(site([0.046], [solar]), units, IDLE)
    bought = result.grid_to_site_kwh_ac + result.grid_to_battery_kwh_ac
    sold = result.solar_to_grid_kwh_ac + result.battery_to_grid_kwh_ac
    assert min(bought[0], sold[0]) == 0.0
    assert_allclose(result.devices["filling"].battery_soc, [0.51])


@pytest.mark.parametrize("allowed", [True, False])
def test_permissions_hold_for_every_device(allowed: bool) -> None:
    rule = bess.FixedSchedule(charge=hours(0, 1), discharge=hours(1, 2))
    result = bess.dispatch(
        site([1, 1], [0, 0]),
        [device("a"), device("b")],
        rule,
        allow_grid_to_battery=allowed,
        allow_battery_to_grid=allowed,
        allow_solar_to_battery=False,
    )
    assert result.grid_to_battery_kwh_ac.any() == allowed
    assert result.battery_to_grid_kwh_ac.any() == allowed
    assert not result.solar_to_battery_kwh_dc.any()


def test_names_must_be_unique() -> None:
    with pytest.raises(bess.InputError, match="name"):
        bess.dispatch(site([1]), [device("a"), device("a")], bess.Surplus())


def test_one_device_is_a_battery_seen_from_its_ac_terminals() -> None:
    unit = device("a", charging_efficiency=0.9, discharging_efficiency=0.8, kw=3)
    battery = bess.Battery(
        capacity_kwh=10,
        charge_power_kw=2.7,
        discharge_power_kw=3.75,
        min_state_of_charge=0,
        initial_state_of_charge=0.5,
        dc_coupled=False,
        ac_to_dc_efficiency=0.9,
        dc_to_ac_efficiency=0.8,
        input_efficiency=1,
    )
    place = site([1, 0, 5, 2, 0], [0, 6, 1, 0, 3])
    for strategy in (bess.Surplus(), bess.PeakShave(target_kw=1), bess.Follow(power_kw=[1] * 5)):
        alone = bess.dispatch(place, battery, strategy)
        shared = bess.dispatch(place, [unit], strategy)
        for name, flow in alone.flows.items():
            assert_allclose(shared.flows[name], flow, atol=1e-12, err_msg=name)
        assert_allclose(shared.battery_soc, alone.battery_soc, atol=1e-12)


def test_peak_shaving_shares_what_is_over_the_target() -> None:
    units = [
        device("a", kw=1, discharging_priority=1, charging_priority=2),
        device("b", discharging_priority=2, charging_priority=1),
    ]
    result = bess.dispatch(site([5, 0]), units, bess.PeakShave(target_kw=2))
    assert_allclose(result.devices["a"].battery_to_site_kwh_ac, [1, 0])
    assert_allclose(result.devices["b"].battery_to_site_kwh_ac, [2, 0])
    assert_allclose(result.devices["b"].grid_to_battery_kwh_ac, [0, 2])
    assert_allclose(result.net_load_kwh_ac, [2, 2])


def test_a_followed_power_is_shared_by_priority() -> None:
    units = [device("a", kw=1, discharging_priority=1), device("b", discharging_priority=2)]
    result = bess.dispatch(site([0, 0]), units, bess.Follow(power_kw=[3, -4]))
    assert_allclose(result.devices["a"].battery_to_grid_kwh_ac, [1, 0])
    assert_allclose(result.devices["b"].battery_to_grid_kwh_ac, [2, 0])
    assert_allclose(result.grid_to_battery_kwh_ac, [0, 4])
