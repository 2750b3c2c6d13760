"""The inverter of the array, which a DC-coupled battery shares, in numbers one checks by head."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ideal import battery, device, hours, site
from numpy.testing import assert_allclose
from reference_adapters import check_result
from storage_requests import day, home

import bess
from bess.tariff import DemandRate, EnergyRate, Tariff

CLEAR_DAY = [1, 3, 5, 7, 8.5, 9, 9, 8.5, 7, 5, 3, 1]
"""kWh DC an hour of an array of 9 kW: 1.5 times what its inverter of 6 kW AC can give."""


def dc_coupled(**more: Any) -> bess.Battery:
    """10 kWh, 5 kW, half full, without losses, behind the array's inverter."""
    return battery(dc_coupled=True, **more)


def industrial_day(load_kw: float) -> bess.Site:
    return bess.Site(
        load_kwh=[load_kw] * 24,
        solar_kwh=[0] * 6 + CLEAR_DAY + [0] * 6,
        solar_side="DC",
        start="2025-06-02T00:00Z",
        inverter_limit_kw=6,
    )


@pytest.mark.parametrize(
    "strategy",
    [
        bess.Surplus(),
        bess.PeakShave(target_kw=0),
        pytest.param(bess.Optimize(engine="core"), id="core"),
        pytest.param(bess.Optimize(engine="highs"), id="highs", marks=pytest.mark.highs),
    ],
)
def test_a_dc_coupled_battery_gives_back_what_the_inverter_would_clip(strategy: Any) -> None:
    """Of 67 kWh DC 11.5 are above 6.25 an hour: 0.975 of them is stored, 0.96 of that given."""
    place = industrial_day(20)
    fields = {"capacity_kwh": 13.5, "min_state_of_charge": 0.0, "initial_state_of_charge": 0.0}
    for coupled, clipped, recovered in ((True, 0.0, 10.764), (False, 11.5, 0.0)):
        store = bess.Battery(dc_coupled=coupled, **fields, allow_grid_to_battery=False)
        prices = bess.Prices(import_price=0.3, export_price=0.0)
        result = bess.dispatch(place, store, strategy, prices=prices)
        check_result(result, store)
        assert_allclose(result.solar_curtailed_kwh_dc.sum(), clipped, atol=1e-9)
        assert_allclose(result.battery_to_site_kwh_ac.sum(), recovered, atol=1e-9)
        assert_allclose(result.solar_to_site_kwh_ac.sum(), 0.96 * (67 - 11.5))


def test_the_inverter_holds_what_sun_and_battery_give_together() -> None:
    """Of 5 kWh that are missing in the first hour the inverter has room for 1 beside the sun."""
    result = bess.dispatch(site([8, 8], [3, 0], inverter_limit_kw=4), dc_coupled(), bess.Surplus())
    assert_allclose(result.solar_to_site_kwh_ac, [3, 0])
    assert_allclose(result.battery_to_site_kwh_ac, [1, 4])
    assert_allclose(result.grid_to_site_kwh_ac, [4, 4])


def test_an_ac_coupled_battery_has_its_own_inverter() -> None:
    result = bess.dispatch(site([8, 8], [5, 0], inverter_limit_kw=4), battery(), bess.Surplus())
    assert_allclose(result.solar_to_site_kwh_ac, [4, 0])
    assert_allclose(result.solar_curtailed_kwh_dc, [1, 0])
    assert_allclose(result.battery_to_site_kwh_ac, [4, 1])


def test_what_devices_store_of_the_sun_has_passed_its_inverter() -> None:
    two = [device("a", kw=2), device("b", kw=2)]
    result = bess.dispatch(site([1], [9], inverter_limit_kw=4), two, bess.Surplus())
    assert_allclose(result.solar_to_battery_kwh_dc, [3])
    assert_allclose(result.solar_curtailed_kwh_dc, [5])
    check_result(result, two)


def test_a_schedule_gives_the_sun_the_first_claim_on_the_inverter() -> None:
    """4 kWh serve the site, 1 is sold, so that 1 is left for the battery."""
    result = bess.dispatch(
        site([4], [5], inverter_limit_kw=6), dc_coupled(), bess.FixedSchedule([], hours(0, 1))
    )
    assert_allclose(result.solar_to_grid_kwh_ac, [1])
    assert_allclose(result.battery_to_grid_kwh_ac, [1])


def test_a_battery_that_follows_may_displace_the_sun() -> None:
    result = bess.dispatch(
        site([4], [5], inverter_limit_kw=6), dc_coupled(), bess.Follow(power_kw=[5])
    )
    assert_allclose(result.solar_to_site_kwh_ac + result.solar_to_grid_kwh_ac, [1])
    assert_allclose(result.battery_to_site_kwh_ac + result.battery_to_grid_kwh_ac, [5])
    assert_allclose(result.solar_curtailed_kwh_dc, [4])


@pytest.mark.parametrize(
    "strategy", [bess.FixedSchedule(hours(0, 24), []), bess.Follow(power_kw=[-5, -5])]
)
def test_a_charge_from_the_grid_passes_the_inverter_too(strategy: Any) -> None:
    """In the second hour the sun adds 3 kWh behind it, though the site could have used them."""
    store = dc_coupled(initial_state_of_charge=0)
    result = bess.dispatch(site([0, 3], [0, 3], inverter_limit_kw=2), store, strategy)
    assert_allclose(result.grid_to_battery_kwh_ac, [2, 2])
    assert_allclose(result.solar_to_battery_kwh_dc, [0, 3])


def test_load_is_served_past_the_inverter() -> None:
    result = bess.dispatch(site([9], [0], inverter_limit_kw=0), dc_coupled(), bess.Surplus())
    assert_allclose(result.grid_to_site_kwh_ac, [9])


@pytest.mark.parametrize("strategy", [bess.Surplus(), bess.Optimize()])
def test_load_above_import_and_inverter_limit_together_cannot_be_served(strategy: Any) -> None:
    store, prices = dc_coupled(terminal_state_of_charge="free"), bess.Prices(import_price=0.1)
    most = site([0, 6], [0, 1], inverter_limit_kw=4, import_limit_kwh=2)
    result = bess.dispatch(most, store, strategy, prices=prices)
    assert_allclose(result.grid_to_site_kwh_ac, [0, 2])
    assert_allclose(result.battery_to_site_kwh_ac, [0, 3])
    beyond = site([0, 7], [0, 1], inverter_limit_kw=4, import_limit_kwh=2)
    with pytest.raises(bess.InfeasibleError, match="it is 1 kWh above import and inverter limit"):
        bess.dispatch(beyond, store, strategy, prices=prices)


def test_a_limit_may_differ_by_step_and_is_a_power() -> None:
    result = bess.dispatch(
        site([9, 9], [9, 9], step_hours=0.5, inverter_limit_kw=[4, 6]),
        dc_coupled(initial_state_of_charge=0, charge_power_kw=1),
        bess.Surplus(),
    )
    assert_allclose(result.solar_to_site_kwh_ac, [2, 3])
    assert_allclose(result.solar_curtailed_kwh_dc, [6.5, 5.5])


def test_a_bill_without_storage_and_the_years_of_savings_know_what_is_clipped() -> None:
    place = bess.Site(
        load_kwh=[20] * 8760,
        solar_kwh=([0] * 6 + CLEAR_DAY + [0] * 6) * 365,
        solar_side="DC",
        start="2025-01-01T00:00Z",
        inverter_limit_kw=6,
    )
    tariff = Tariff("flat", rates=(EnergyRate("energy", price=1.0),))
    assert_allclose(bess.bill(place, tariff).total, 365 * (24 * 20 - 0.96 * 55.5))
    store = bess.Battery(
        capacity_kwh=13.5, min_state_of_charge=0, initial_state_of_charge=0, charge_power_kw=3
    )
    found = bess.savings(place, store, bess.Surplus(), before_tariff=tariff, years=2)
    assert_allclose(found.parts.storage[0], 365 * 10.764)


@pytest.mark.highs
def test_demand_charges_are_the_same_by_cuts_and_by_one_programme() -> None:
    rng = np.random.default_rng(3)
    for _ in range(12):
        steps = int(rng.integers(24, 200))
        place = bess.Site(
            load_kwh=rng.choice([0, 1, 2, 4], steps) + rng.random(steps),
            solar_kwh=rng.choice([0, 0, 1, 6], steps) * rng.random(steps),
            start="2025-01-01T00:00Z",
            inverter_limit_kw=rng.choice([0.5, 1, 2, 4]),
        )
        sold = EnergyRate("sold", price=0.1, on_import=False, on_export=True)
        demand = (DemandRate("demand", price=10.0),)
        energy = EnergyRate("energy", price=0.2)
        tariff = Tariff("demand", rates=(energy, sold), demand_rates=demand)
        store = bess.Battery(capacity_kwh=6, allow_battery_to_grid=bool(rng.integers(2)))
        costs = []
        for engine in ("core", "highs"):
            result = bess.dispatch(place, store, bess.Optimize(engine=engine), tariff=tariff)
            check_result(result, store)
            costs.append(result.cost)
        assert_allclose(*costs, rtol=2e-6)


def test_an_outage_is_carried_as_far_as_the_inverter_goes() -> None:
    """What it clips in the first hour is stored behind it, and carries the second."""
    place = site([2, 2, 3], [3, 0, 0], inverter_limit_kw=2)
    for of_coupling, hours_carried in ((dc_coupled, [2, 1, 0]), (battery, [1, 1, 1])):
        store = of_coupling(min_state_of_charge=0.1, initial_state_of_charge=0.2)
        found = bess.resilience(place, store, [0.3, 1.0, 1.0], critical_load_fraction=1)
        assert_allclose(found.hours_carried, hours_carried)


def test_a_request_states_the_limit() -> None:
    asked = day({"chargeOnSurplus": True}, inverterLimitKwAc="0.5", batteryDcCoupled=False)
    flows = bess.run_request(asked, profiles=home(1)).flows
    output = flows["solar_to_site_kwh_ac"] + flows["solar_to_grid_kwh_ac"]
    assert_allclose((output + flows["solar_to_battery_kwh_dc"] / 0.96).max(), 0.5)
    asked["storage"]["inverterLimitKwAc"] = [1, 1]
    with pytest.raises(bess.InputError, match=r"^storage.inverterLimitKwAc: has 2 values"):
        bess.run_request(asked, profiles=home(1))


def test_a_wrong_limit_is_refused_at_its_own_path() -> None:
    with pytest.raises(
        bess.InputError, match=r"^inverter_limit_kw\[1\] = -1.0: must be at least 0"
    ):
        site([1, 1], inverter_limit_kw=[1, -1])
    with pytest.raises(bess.InputError, match=r"^inverter_limit_kw: has 2 values"):
        site([1, 1, 1], inverter_limit_kw=[1, 1])
