"""What a battery does under each rule, in numbers one checks in the head."""

from __future__ import annotations

import pickle

import pytest
from ideal import battery, hours, site
from numpy.testing import assert_allclose
from reference_adapters import check_result

import bess

# Surplus


def test_surplus_is_stored_and_given_back_to_the_site() -> None:
    result = bess.dispatch(site([1, 1, 2], [0, 4, 0]), battery(), bess.Surplus())
    assert_allclose(result.battery_to_site_kwh_ac, [1, 0, 2])
    assert_allclose(result.solar_to_battery_kwh_dc, [0, 3, 0])
    assert_allclose(result.solar_to_site_kwh_ac, [0, 1, 0])
    assert_allclose(result.battery_soc, [0.4, 0.7, 0.5])
    assert_allclose(result.net_load_kwh_ac, [0, 0, 0])
    assert result.cost is None
    assert_allclose(result.stored_energy_change_kwh, 0.0, atol=1e-12)


def test_surplus_beyond_the_charging_power_is_exported_and_beyond_the_limit_curtailed() -> None:
    result = bess.dispatch(
        site([0, 0], [8, 8], export_limit_kwh=[5, 1]),
        battery(capacity_kwh=100),
        bess.Surplus(),
    )
    assert_allclose(result.solar_to_battery_kwh_dc, [5, 5])
    assert_allclose(result.solar_to_grid_kwh_ac, [3, 1])
    assert_allclose(result.solar_curtailed_kwh_dc, [0, 2])


def test_surplus_that_may_not_be_exported_is_curtailed_on_the_dc_side() -> None:
    result = bess.dispatch(
        site([0], [8], allow_solar_to_grid=False, solar_dc_to_ac_efficiency=0.8),
        battery(initial_state_of_charge=1),
        bess.Surplus(),
    )
    assert_allclose(result.solar_curtailed_kwh_dc, [10])
    assert result.solar_to_grid_kwh_ac[0] == 0.0


def test_an_empty_battery_gives_nothing_and_a_full_one_takes_nothing() -> None:
    empty = battery(min_state_of_charge=0.2, initial_state_of_charge=0.2)
    result = bess.dispatch(site([3]), empty, bess.Surplus())
    assert_allclose(result.grid_to_site_kwh_ac, [3])
    full = battery(max_state_of_charge=0.9, initial_state_of_charge=0.9)
    result = bess.dispatch(site([0], [3]), full, bess.Surplus())
    assert_allclose(result.solar_to_grid_kwh_ac, [3])
    assert_allclose(result.battery_soc, [0.9])


def test_the_losses_of_an_ac_coupled_battery() -> None:
    """2 kWh AC of surplus: 1.92 kWh DC arrive, 1.872 are stored; 1.92 kWh AC take 2 out."""
    lossy = battery(ac_to_dc_efficiency=0.96, dc_to_ac_efficiency=0.96, input_efficiency=0.975)
    result = bess.dispatch(site([1, 1.92], [3, 0]), lossy, bess.Surplus())
    assert_allclose(result.solar_to_battery_kwh_dc, [1.92, 0])
    assert_allclose(result.battery_to_site_kwh_ac, [0, 1.92])
    assert_allclose(result.battery_soc, [0.6872, 0.4872])
    assert_allclose(result.stored_energy_change_kwh, 1.872 - 2)


def test_the_losses_of_a_dc_coupled_battery() -> None:
    """2.4 kWh AC of surplus are 2.5 kWh DC at the panels, which reach the battery whole."""
    lossy = battery(dc_coupled=True, ac_to_dc_efficiency=0.9, input_efficiency=0.8)
    result = bess.dispatch(site([1], [3.4], solar_dc_to_ac_efficiency=0.96), lossy, bess.Surplus())
    assert_allclose(result.solar_to_battery_kwh_dc, [2.5])
    assert_allclose(result.battery_soc, [0.7])
    assert_allclose(result.solar_curtailed_kwh_dc, [0], atol=1e-12)


def test_solar_given_on_the_dc_side_passes_the_inverter() -> None:
    result = bess.dispatch(
        site([2], [10], solar_side="DC", solar_dc_to_ac_efficiency=0.9),
        battery(initial_state_of_charge=1),
        bess.Surplus(),
    )
    assert_allclose(result.solar_to_grid_kwh_ac, [7])


def test_a_site_that_cannot_charge_exports_exactly_its_profile() -> None:
    solar = [0.1, 0.7, 3.3, 1e-9]
    result = bess.dispatch(
        site([0, 0, 0, 0], solar, solar_dc_to_ac_efficiency=0.93),
        battery(initial_state_of_charge=1),
        bess.Surplus(),
    )
    assert_allclose(result.solar_to_grid_kwh_ac, solar, rtol=1e-15)


def test_surplus_stays_out_of_the_battery_when_that_is_forbidden() -> None:
    result = bess.dispatch(
        site([0, 2], [3, 0]), battery(allow_solar_to_battery=False), bess.Surplus()
    )
    assert_allclose(result.solar_to_grid_kwh_ac, [3, 0])
    assert_allclose(result.battery_to_site_kwh_ac, [0, 2])
    assert not result.solar_to_battery_kwh_dc.any()


def test_rounding_never_puts_sun_into_a_battery_that_may_not_take_it() -> None:
    """The last hour before full takes 1e-15 kWh more: from nowhere rather than from the sun."""
    store = battery(
        capacity_kwh=6,
        charge_power_kw=1,
        min_state_of_charge=0.2,
        max_state_of_charge=0.8,
        initial_state_of_charge=0.2,
        dc_coupled=True,
        ac_to_dc_efficiency=0.9,
        allow_solar_to_battery=False,
    )
    for target in (1, 4):
        place = site([0.148] * 8, [0.148] * 8, solar_dc_to_ac_efficiency=0.8)
        result = bess.dispatch(place, store, bess.PeakShave(target_kw=target))
        check_result(result, store)
        assert not result.solar_to_battery_kwh_dc.any()


def test_under_surplus_the_battery_neither_buys_nor_sells() -> None:
    result = bess.dispatch(site([0, 0, 0]), battery(), bess.Surplus())
    assert_allclose(result.battery_soc, [0.5, 0.5, 0.5])
    assert not result.net_load_kwh_ac.any()


def test_power_limits_are_per_hour_whatever_the_step() -> None:
    result = bess.dispatch(site([4, 4], step_hours=0.25), battery(), bess.Surplus())
    assert_allclose(result.battery_to_site_kwh_ac, [1.25, 1.25])


# Follow


def test_a_followed_power_is_ac_and_positive_when_discharging() -> None:
    lossy = battery(ac_to_dc_efficiency=0.9, dc_to_ac_efficiency=0.8)
    result = bess.dispatch(site([0.6, 1], step_hours=0.5), lossy, bess.Follow(power_kw=[1.6, -2]))
    assert_allclose(result.battery_to_site_kwh_ac, [0.6, 0])
    assert_allclose(result.battery_to_grid_kwh_ac, [0.2, 0])
    assert_allclose(result.grid_to_battery_kwh_ac, [0, 1])
    assert_allclose(result.battery_soc, [0.4, 0.49])


def test_a_followed_power_is_clamped_to_what_is_possible() -> None:
    result = bess.dispatch(
        site([1, 1, 1]),
        battery(allow_battery_to_grid=False, allow_grid_to_battery=False),
        bess.Follow(power_kw=[3, -3, 0]),
    )
    assert_allclose(result.battery_soc, [0.4, 0.4, 0.4])


def test_a_followed_charge_takes_surplus_then_grid_and_solar_from_the_site_last() -> None:
    both = bess.dispatch(site([1], [3]), battery(), bess.Follow(power_kw=[-4]))
    assert_allclose(both.solar_to_battery_kwh_dc, [2])
    assert_allclose(both.grid_to_battery_kwh_ac, [2])
    sun_only = bess.dispatch(
        site([1], [3]), battery(allow_grid_to_battery=False), bess.Follow(power_kw=[-4])
    )
    assert_allclose(sun_only.solar_to_battery_kwh_dc, [3])
    assert_allclose(sun_only.grid_to_site_kwh_ac, [1])


# Peak shaving


def test_peak_shaving_cuts_the_peak_and_recharges_under_it() -> None:
    result = bess.dispatch(site([5, 1, 0, 2.5]), battery(), bess.PeakShave(target_kw=2))
    assert_allclose(result.net_load_kwh_ac, [2, 2, 2, 2])
    assert_allclose(result.battery_soc, [0.2, 0.3, 0.5, 0.45])


def test_peak_shaving_without_the_grid_recharges_from_surplus_alone() -> None:
    result = bess.dispatch(
        site([5, 1, 0], [0, 0, 4]),
        battery(allow_grid_to_battery=False),
        bess.PeakShave(target_kw=2),
    )
    assert_allclose(result.battery_soc, [0.2, 0.2, 0.6])


def test_a_peak_the_battery_cannot_cut_is_cut_as_far_as_it_goes() -> None:
    result = bess.dispatch(site([9, 9]), battery(), bess.PeakShave(target_kw=2))
    assert_allclose(result.net_load_kwh_ac, [4, 9])


def test_a_peak_target_is_a_power_whatever_the_step() -> None:
    result = bess.dispatch(site([1, 0], step_hours=0.25), battery(), bess.PeakShave(target_kw=2))
    assert_allclose(result.net_load_kwh_ac, [0.5, 0.5])


# Results


def test_results_are_read_only_and_survive_pickling() -> None:
    result = bess.dispatch(site([1, 1], [0, 4]), battery(), bess.Surplus())
    with pytest.raises(ValueError, match="read-only"):
        result.battery_soc[0] = 0.0
    again = pickle.loads(pickle.dumps(result))
    assert_allclose(again.battery_soc, result.battery_soc, rtol=0)
    assert again.timestamps == result.timestamps


def test_a_rule_with_prices_reports_what_it_costs() -> None:
    """5 kWh bought at 0.2, 2 sold at 0.1, 1 kWh from the cells at 0.05."""
    rule = bess.FixedSchedule(charge=[], discharge=hours(0, 1))
    result = bess.dispatch(
        site([0, 5, 0], [0, 0, 1]),
        battery(discharge_power_kw=1, allow_solar_to_battery=False, degradation_cost_per_kwh=0.05),
        rule,
        prices=bess.Prices(import_price=0.2, export_price=0.1),
    )
    assert_allclose(result.cost, 5 * 0.2 - 2 * 0.1 + 0.05)
    assert_allclose(result.degradation_cost, 0.05)


def test_a_charge_of_rounding_alone_bars_no_export() -> None:
    """All but 1.3e-15 kWh full: what the grid could add is nothing, and the sun is sold."""
    store = battery(
        capacity_kwh=6, initial_state_of_charge=1 - 2.3e-16, allow_solar_to_battery=False
    )
    result = bess.dispatch(site([0], [2]), store, bess.Follow(power_kw=[-3]))
    assert_allclose(result.solar_to_grid_kwh_ac, [2])
    assert not result.grid_to_battery_kwh_ac.any()
