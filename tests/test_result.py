"""A result: its series, its money, its devices, and that it stays as it is."""

from __future__ import annotations

import copy
import datetime
import pickle
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pandas as pd
import pytest

import bess
from bess.result import SERIES

LA = "America/Los_Angeles"
SITE = bess.Site(
    load_kwh=[1, 2, 3, 1],
    solar_kwh=[0, 4, 0, 0],
    start="2025-03-09T00:00-08:00",
    time_zone=LA,
)
BATTERY = bess.Battery(capacity_kwh=6, degradation_cost_per_kwh=0.04)
PRICES = bess.Prices([0.1, 0.3, 0.2, 0.4], 0.05)


def device(name: str, minimum: float, *instants: str) -> bess.BessDevice:
    """2 kW and 4 kWh, without losses, and a least state of charge (percent) at some instants."""
    schedule = {"frequency": "once", "date_times": list(instants)}
    policy = {
        "schedule": schedule,
        "minimum_state_of_charge": minimum,
        "maximum_state_of_charge": 100,
    }
    return bess.BessDevice.model_validate(
        {
            "name": name,
            "collector": "main",
            "charging_efficiency": 1,
            "discharging_efficiency": 1,
            "maximum_charging_power": 2000,
            "maximum_discharging_power": 2000,
            "operational_battery_capacity": 4000,
            "policies": [policy] if instants else [],
        }
    )


def results() -> dict[str, bess.Result]:
    """One of every kind."""
    window = {
        "schedule": {"frequency": "once", "date_times": ["2025-03-09T00:30-08:00"]},
        "minimum_state_of_charge": 100,
        "maximum_state_of_charge": 100,
    }
    two = [device("east", 100, "2025-03-09T00:30-08:00"), device("west", 0)]
    return {
        "rule": bess.dispatch(SITE, BATTERY, bess.Surplus()),
        "missed": bess.dispatch(SITE, BATTERY, bess.Surplus(), prices=PRICES, policies=[window]),
        "optimum": bess.dispatch(SITE, BATTERY, bess.Optimize(), prices=PRICES),
        "devices": bess.dispatch(SITE, two, bess.PeakShave(target_kw=2), prices=PRICES),
        "best devices": bess.dispatch(
            SITE, two, bess.Optimize(relax_policies=True), prices=PRICES, initial_state_of_charge=0
        ),
    }


RESULTS = results()
each = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


@each
def test_every_series_is_there_in_order_and_read_only(result: bess.Result) -> None:
    assert tuple(result.flows) == SERIES
    for name, values in result.flows.items():
        np.testing.assert_array_equal(getattr(result, name), values)
        assert values.dtype == np.float64
        assert values.shape == (4,)
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0
    for unit in result.units:
        with pytest.raises(ValueError, match="read-only"):
            unit.battery_soc[0] = 1.0
    for price in (result.import_price, result.export_price):
        assert price is None or not price.flags.writeable


@each
def test_a_result_cannot_be_changed(result: bess.Result) -> None:
    for name in ("series", "battery_soc", "site", "gap", "anything_else"):
        with pytest.raises((FrozenInstanceError, AttributeError)):
            setattr(result, name, None)
    with pytest.raises(FrozenInstanceError):
        result.units[0].name = "x"  # type: ignore[misc]
    result.devices.pop("east", None)  # type: ignore[attr-defined]
    assert list(result.devices) == (["east", "west"] if result.named else [])


@each
@pytest.mark.parametrize(
    "again", [lambda it: pickle.loads(pickle.dumps(it)), copy.deepcopy, copy.copy]
)
def test_a_result_survives_pickling_and_copying(result: bess.Result, again: Any) -> None:
    assert result.cost == result.cost  # also what it has worked out and kept
    other = again(result)
    for name, values in result.flows.items():
        np.testing.assert_array_equal(other.flows[name], values, strict=True)
        assert not other.flows[name].flags.writeable
    names = ("cost", "degradation_cost", "lower_bound", "gap", "violations", "assumptions")
    for name in (*names, "timestamps", "stored_energy_change_kwh", "named"):
        assert getattr(other, name) == getattr(result, name)
    for one, two in zip(result.units, other.units, strict=True):
        np.testing.assert_array_equal(one.series, two.series, strict=True)
        assert not two.series.flags.writeable
        assert (one.name, one.violations) == (two.name, two.violations)


def test_time_stamps_are_the_starts_of_the_steps_on_the_sites_clock() -> None:
    stamps = RESULTS["rule"].timestamps
    assert [at.isoformat() for at in stamps] == [
        "2025-03-09T00:00:00-08:00",
        "2025-03-09T01:00:00-08:00",
        "2025-03-09T03:00:00-07:00",
        "2025-03-09T04:00:00-07:00",
    ]


def test_without_prices_there_is_no_cost() -> None:
    result = RESULTS["rule"]
    assert (result.cost, result.energy_cost) == (None, None)
    assert result.degradation_cost > 0


@pytest.mark.parametrize("name", ["missed", "optimum", "devices", "best devices"])
def test_the_cost_is_energy_bought_less_energy_sold_plus_degradation(name: str) -> None:
    result = RESULTS[name]
    importing, exporting = PRICES.series(4)
    net = result.net_load_kwh_ac
    np.testing.assert_allclose(result.import_kwh_ac - result.export_kwh_ac, net, atol=1e-12)
    bought = importing @ np.maximum(net, 0) - exporting @ np.maximum(-net, 0)
    assert result.energy_cost == pytest.approx(bought)
    drawn = sum(unit.discharge_kwh_dc for unit in result.units)
    assert result.degradation_cost == pytest.approx(result.degradation_cost_per_kwh * drawn)
    assert result.cost == pytest.approx(bought + result.degradation_cost)


def test_energy_that_leaves_the_cells_wears_them_out() -> None:
    """2 kWh DC for 1.92 kWh AC, of a capacity of 8 kWh, at 0.05 a kWh."""
    battery = bess.Battery(capacity_kwh=8, degradation_cost_per_kwh=0.05)
    site = bess.Site(load_kwh=[1.92], start="2025-01-01T00:00Z")
    (unit,) = bess.dispatch(site, battery, bess.Surplus()).units
    assert unit.discharge_kwh_dc == pytest.approx(2)
    assert unit.equivalent_full_cycles == pytest.approx(0.25)
    assert unit.stored_energy_change_kwh == pytest.approx(-2)
    assert bess.dispatch(site, battery, bess.Surplus()).degradation_cost == pytest.approx(0.1)


@each
def test_the_change_of_stored_energy_is_that_of_all_devices(result: bess.Result) -> None:
    changes = [
        unit.capacity_kwh * (unit.battery_soc[-1] - unit.initial_state_of_charge)
        for unit in result.units
    ]
    assert result.stored_energy_change_kwh == pytest.approx(sum(changes))


def test_devices_are_found_by_name_and_their_flows_add_up() -> None:
    result = RESULTS["devices"]
    assert list(result.devices) == ["east", "west"]
    for name in SERIES[1:3] + SERIES[6:8]:
        total = sum(getattr(part, name) for part in result.devices.values())
        np.testing.assert_allclose(total, getattr(result, name), atol=1e-12)
    stored = sum(part.capacity_kwh * part.battery_soc for part in result.devices.values())
    np.testing.assert_allclose(result.battery_soc, stored / 8, atol=1e-12)


def test_a_battery_has_no_devices_but_is_a_unit() -> None:
    result = RESULTS["rule"]
    assert dict(result.devices) == {}
    (unit,) = result.units
    assert unit.name == "battery"
    np.testing.assert_array_equal(unit.battery_soc, result.battery_soc)


def test_violations_come_in_order_of_time_across_devices() -> None:
    """Neither full device can be full again right after it had to be empty."""
    dusk, later = "2025-01-01T00:30Z", "2025-01-01T01:30Z"
    devices = [device("late", 100, later), device("early", 100, dusk)]
    site = bess.Site(load_kwh=[0, 0, 0], start="2025-01-01T00:00Z", import_limit_kwh=0)
    result = bess.dispatch(site, devices, bess.Surplus())
    assert [(missed.device, str(missed.timestamp)) for missed in result.violations] == [
        ("early", "2025-01-01 00:30:00+00:00"),
        ("late", "2025-01-01 01:30:00+00:00"),
    ]
    assert result.devices["late"].violations == result.violations[1:]
    assert str(result.violations[0]) == (
        "early: 2025-01-01T00:30:00+00:00: state of charge 50.00 %, wanted 100 to 100 %"
    )


def test_a_violation_says_what_was_wanted_and_what_was_reached() -> None:
    (missed,) = RESULTS["missed"].violations
    assert missed == bess.Violation(
        None,
        datetime.datetime.fromisoformat("2025-03-09T00:30-08:00"),
        1.0,
        1.0,
        RESULTS["missed"].battery_soc[0],
    )
    assert str(missed) == (
        "2025-03-09T00:30:00-08:00: state of charge 98.75 %, wanted 100 to 100 %"
    )


@each
def test_a_data_frame_has_every_series_on_the_sites_clock(result: bess.Result) -> None:
    frame = result.to_pandas()
    assert list(frame.columns) == list(SERIES)
    assert frame.index.name == "timestamp"
    assert str(frame.index.tz) == LA  # type: ignore[attr-defined]
    assert tuple(frame.index.to_pydatetime()) == result.timestamps  # type: ignore[attr-defined]
    for name in SERIES:
        np.testing.assert_array_equal(frame[name].to_numpy(), getattr(result, name))
    before = result.battery_soc.tolist()
    frame.loc[:, "battery_soc"] = -1.0  # the caller's own
    assert result.battery_soc.tolist() == before


def test_a_data_frame_makes_a_site_on_the_same_clock() -> None:
    net = RESULTS["rule"].to_pandas()["grid_to_site_kwh_ac"]
    assert bess.Site(load_kwh=net).timeline == SITE.timeline


def test_a_fixed_offset_is_the_clock_of_a_data_frame_too() -> None:
    site = bess.Site(load_kwh=[1, 2], start="2025-01-01T00:00+05:30")
    frame = bess.dispatch(site, BATTERY, bess.Surplus()).to_pandas()
    assert frame.index[0].isoformat() == "2025-01-01T00:00:00+05:30"
    assert isinstance(frame.index, pd.DatetimeIndex)


def test_without_pandas_a_data_frame_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(bess.MissingExtraError) as caught:
        RESULTS["rule"].to_pandas()
    assert str(caught.value) == "to_pandas() needs an extra: pip install 'bess-dispatch[pandas]'"
    assert caught.value.extra == "pandas"
    assert bess.Site(load_kwh=[1, 2], start="2025-01-01T00:00Z").steps == 2


def test_a_result_says_what_it_is_without_its_series() -> None:
    shown = repr(RESULTS["optimum"])
    assert shown.startswith("Result(site=Site(4 steps of 1 h from 2025-03-09T00:00:00-08:00, ")
    assert "array" not in shown
    assert len(shown) < 500


def test_series_are_documented_on_the_class() -> None:
    assert bess.Result.battery_soc.__doc__ == (
        "State of charge at the end of each step, a fraction of capacity."
    )
