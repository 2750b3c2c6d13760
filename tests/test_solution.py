"""From a solver's solution to flows: what the solution says is done, exactly."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose
from test_optimize import best
from test_rules import battery, site
from test_sharing import device


def test_devices_serve_a_load_above_the_import_limit_together_not_each_for_itself() -> None:
    """Wear costs twice the price: of a load of 2 the limit of 1 is bought, and 1 discharged."""
    result = best(
        site([2], import_limit_kwh=1),
        [device("a"), device("b")],
        1.0,
        terminal_state_of_charge="free",
        degradation_cost_per_kwh=2.0,
    )
    assert result.cost == pytest.approx(3.0)
    assert_allclose(result.grid_to_site_kwh_ac, [1])
    assert_allclose(result.battery_to_site_kwh_ac, [1])
    assert_allclose(result.stored_energy_change_kwh, -1)


def test_a_battery_holds_what_the_sun_passed_through_it_would_have_added() -> None:
    """The sun is worth a quarter more in the battery than at the site, but not in an hour in which
    the battery discharges: so 0.6 is stored for the load above the limit, not 0.5."""
    store = battery(initial_state_of_charge=0, dc_coupled=True, terminal_state_of_charge="free")
    place = site([0, 2], [0, 0.4], import_limit_kwh=1, solar_dc_to_ac_efficiency=0.8)
    result = best(place, store, 0.2)
    assert_allclose(result.grid_to_battery_kwh_ac, [0.6, 0])
    assert_allclose(result.battery_soc, [0.06, 0], atol=1e-12)
    assert result.cost == pytest.approx(0.32)
    relaxed = best(place, store, 0.2, allow_simultaneous=True)
    assert relaxed.cost == pytest.approx(0.3)


def test_large_devices_share_a_small_import_limit() -> None:
    """Beside 20 MWh stored, the 0.2 kWh that the limit leaves are only known to some 1e-12."""
    units = [device("a", kwh=4e4), device("b", kwh=2e4, charging_efficiency=0.95)]
    result = best(site([0.1, 0.5], import_limit_kwh=0.3), units, [0.1, 0.5])
    assert result.cost == pytest.approx(0.3 * 0.1 + 0.3 * 0.5)
    assert result.gap <= 1e-6


def test_a_stored_energy_that_was_rounded_is_no_movement() -> None:
    """In units of so small a load, 100 kWh come back as 100 kWh less 1.4e-14."""
    store = battery(capacity_kwh=100, initial_state_of_charge=1, discharge_power_kw=20)
    result = best(site([1e-209], step_hours=0.5), store, 0.0)
    assert not result.battery_to_grid_kwh_ac.any()
    assert_allclose(result.battery_soc, [1], rtol=0)


def test_a_trace_of_sun_makes_no_program_infeasible() -> None:
    """What a solver cannot tell from nothing is nothing to it."""
    store = battery(
        capacity_kwh=6,
        charge_power_kw=0.1,
        min_state_of_charge=0.5,
        max_state_of_charge=0.55,
        initial_state_of_charge=0.525,
        allow_grid_to_battery=False,
        allow_solar_to_battery=False,
    )
    result = best(site([0.0], solar_kwh=[3.2e-77]), store, [-0.2], [0.001])
    assert_allclose(result.battery_soc, [0.525])
