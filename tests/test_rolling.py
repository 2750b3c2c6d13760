"""Rolling plans at prices by step: what is carried out, what is missed, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import bess
from bess import Battery, Forecast, InputError, Optimize, Prices, Site, roll

START = "2025-06-01T00:00Z"


def test_the_planned_power_is_carried_out_as_far_as_the_load_allows() -> None:
    """Plans see 3 kWh of load at the dear price; there is 1, and the battery may not export."""
    site = Site(load_kwh=[0, 1, 1], start=START)
    expected = Site(load_kwh=[0, 3, 3], start=START)
    battery = Battery(
        capacity_kwh=10,
        charge_power_kw=9,
        discharge_power_kw=9,
        min_state_of_charge=0,
        initial_state_of_charge=0,
        ac_to_dc_efficiency=1,
        dc_to_ac_efficiency=1,
        input_efficiency=1,
        allow_battery_to_grid=False,
    )
    paid = Prices(import_price=[0.1, 0.3, 0.3])
    done = roll(site, expected, battery, Optimize(), prices=paid, horizon_hours=3)
    assert done.grid_to_battery_kwh_ac.tolist() == [6, 0, 0]
    assert done.battery_to_site_kwh_ac.tolist() == [0, 1, 1]
    assert done.cost == pytest.approx(0.6)
    assert done.optimum.cost == pytest.approx(0.2)
    assert done.cost_without_storage == pytest.approx(0.6)
    assert done.cost_of_imperfect_foresight == pytest.approx(0.4)
    assert done.savings_kept == pytest.approx(0)


def test_energy_left_at_a_plans_end_is_not_thrown_away() -> None:
    """Each plan sees two hours alike; energy that plans a day ahead need is kept for them."""
    site = Site(load_kwh=np.ones(6), start=START)
    battery = Battery(
        initial_state_of_charge=0.6, terminal_state_of_charge="free", dc_coupled=False
    )
    paid = Prices(import_price=[0.2, 0.2, 0.2, 0.2, 0.5, 0.5])
    done = roll(site, "perfect", battery, Optimize(), prices=paid, horizon_hours=2)
    assert (done.battery_soc[:4] >= 0.6 - 1e-12).all()
    assert done.battery_to_site_kwh_ac[4:] == pytest.approx([1, 1])


def test_a_window_that_a_forecast_put_out_of_reach_is_missed_and_counted() -> None:
    """The sun alone may charge; it was expected, and does not shine."""
    site = Site(load_kwh=[0, 0, 0], solar_kwh=[0, 0, 0], start=START)
    expected = Site(load_kwh=[0, 0, 0], solar_kwh=[2, 2, 2], start=START)
    battery = Battery(
        allow_grid_to_battery=False, initial_state_of_charge=0.1, terminal_state_of_charge="free"
    )
    window = {
        "schedule": {"frequency": "once", "date_times": ["2025-06-01T03:00:00+00:00"]},
        "minimum_state_of_charge": 80,
        "maximum_state_of_charge": 100,
    }
    done = roll(
        site,
        expected,
        battery,
        Optimize(relax_policies=True),
        prices=Prices(import_price=0.3),
        policies=[window],
    )
    assert len(done.violations) == 1
    assert [at.hour for at in done.relaxed_plans] == [1, 2]
    with pytest.raises(bess.InfeasibleError, match="cannot be reached"):
        roll(site, expected, battery, Optimize(), prices=Prices(0.3), policies=[window])


def test_load_above_the_import_limit_that_nobody_foresaw_is_served_and_told() -> None:
    site = Site(load_kwh=[1, 5, 1], start=START, import_limit_kwh=3)
    expected = Site(load_kwh=[1, 1, 1], start=START)
    battery = Battery(terminal_state_of_charge="free")
    paid = Prices(import_price=[0.5, 0.1, 0.1])
    done = roll(site, expected, battery, Optimize(), prices=paid)
    assert [at.hour for at in done.import_limit_exceeded] == [1]
    assert done.import_kwh_ac[1] > 3
    seen = roll(site, site, battery, Optimize(), prices=paid)
    assert seen.import_limit_exceeded == ()
    assert seen.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-12)


def test_the_terminal_state_of_charge_holds_at_the_end_of_the_horizon_alone() -> None:
    site = Site(load_kwh=np.ones(10), start=START)
    battery = Battery(terminal_state_of_charge=0.9)
    paid = Prices(import_price=np.r_[np.full(9, 0.1), 0.9])
    done = roll(site, "perfect", battery, Optimize(), prices=paid, horizon_hours=3)
    assert done.battery_soc[-1] >= 0.9 - 1e-12


def test_one_step_is_one_plan() -> None:
    site = Site(load_kwh=[2.0], start=START)
    done = roll(site, "persistence", Battery(), Optimize(), prices=Prices(import_price=0.3))
    assert done.plans == 1
    assert done.cost == pytest.approx(0.6)
    assert done.savings_kept is None


def test_quarter_hours_and_hours_alike_make_the_same_plans() -> None:
    rng = np.random.default_rng(0)
    load, price = rng.uniform(0, 3, 72), rng.uniform(0.1, 0.5, 72)
    hourly = Site(load_kwh=load, start=START)
    quarters = Site(load_kwh=np.repeat(load, 4) / 4, start=START, step_hours=0.25)
    battery = Battery(allow_battery_to_grid=False)
    costs = [
        roll(site, "perfect", battery, Optimize(), prices=Prices(paid), horizon_hours=24).cost
        for site, paid in ((hourly, price), (quarters, np.repeat(price, 4)))
    ]
    assert costs[0] == pytest.approx(costs[1], rel=1e-9)


@pytest.mark.parametrize(
    ("changes", "path", "reason"),
    [
        ({"horizon_hours": 0}, "horizon_hours", "whole number of steps"),
        ({"horizon_hours": 1.5}, "horizon_hours", "whole number of steps"),
        ({"horizon_hours": "a day"}, "horizon_hours", "must be a number"),
        ({"replan_hours": 0.5}, "replan_hours", "whole number of steps"),
        ({"replan_hours": 49}, "replan_hours", r"at most horizon_hours \(48\)"),
        ({"site": 3}, "site", "bess.Site"),
        ({"strategy": bess.Surplus()}, "strategy", "Optimize"),
        ({"strategy": Optimize(max_cycles=9)}, "strategy.max_cycles", "not for a rolling"),
        ({"strategy": Optimize(objective="self_consumption")}, "strategy.objective", "not for"),
        ({"battery": []}, "battery", "one bess.Battery"),
        ({"forecast": "guess"}, "forecast", "perfect"),
        ({"forecast": [1, 2]}, "forecast", "bess.Forecast"),
        ({"forecast": Site(load_kwh=[1], start=START)}, "forecast", "start, step and steps"),
        ({"forecast": Forecast([1.0])}, "forecast.load_kwh", "has 1 values"),
        ({"forecast": Forecast(solar_kwh=[[1.0]])}, "forecast.solar_kwh", "1 rows; there are 3"),
        ({"forecast": Forecast([[1.0]] * 3)}, "forecast.load_kwh", "1 steps ahead; a plan goes 3"),
        ({"battery": Battery(terminal_state_of_charge="cyclic")}, "terminal_state", "cyclic"),
        ({"prices": None}, "prices", "required by Optimize"),
        ({"past_peaks_kw": [1]}, "past_peaks_kw", "for a tariff"),
        ({"initial_state_of_charge": 0.5}, "initial_state_of_charge", "is for devices"),
    ],
)
def test_what_cannot_be_rolled_is_refused_by_name(
    changes: dict[str, Any], path: str, reason: str
) -> None:
    usual: dict[str, Any] = {
        "site": Site(load_kwh=[1, 1, 1], start=START),
        "forecast": "persistence",
        "battery": Battery(),
        "strategy": Optimize(),
        "prices": Prices(import_price=0.3),
    }
    with pytest.raises(InputError, match=reason) as refused:
        roll(**(usual | changes))
    assert refused.value.problems[0].path.startswith(path)


def test_a_device_rolls_as_a_battery_does() -> None:
    site = Site(load_kwh=[1, 1, 2, 2], start=START)
    device = bess.BessDevice(
        name="east",
        collector="main",
        maximum_charging_power=3000,
        maximum_discharging_power=3000,
        operational_battery_capacity=6000,
    )
    paid = Prices(import_price=[0.1, 0.1, 0.4, 0.4])
    done = roll(site, "perfect", device, Optimize(), prices=paid, initial_state_of_charge=0.2)
    assert done.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-12)
    assert list(done.devices) == ["east"]


@pytest.mark.parametrize("dc_coupled", [True, False])
@pytest.mark.parametrize("engine", ["core", "highs"])
def test_what_the_inverter_clips_is_clipped_in_forecasts_too(dc_coupled: bool, engine: Any) -> None:
    solar = [5.0, 5, 0, 0]
    site = Site(load_kwh=[0, 0, 3, 3], solar_kwh=solar, start=START, inverter_limit_kw=2)
    battery = Battery(dc_coupled=dc_coupled, initial_state_of_charge=0.1)
    paid = Prices(import_price=0.3, export_price=0.1)
    for forecast in ("perfect", site, Forecast([[0, 0, 3, 3]] * 4, [solar] * 4)):
        done = roll(site, forecast, battery, Optimize(engine=engine), prices=paid, horizon_hours=4)
        if forecast is not site and forecast != "perfect":
            assert done.cost_of_imperfect_foresight >= -1e-9
            continue
        assert done.cost_of_imperfect_foresight == pytest.approx(0, abs=1e-6)
        out = done.solar_to_site_kwh_ac + done.solar_to_grid_kwh_ac
        assert (out <= 2 + 1e-9).all()
        assert (done.solar_curtailed_kwh_dc[:2] >= 0).all()
