"""Sweeps under policies and import limits, hours at limits: rows are their batteries' dispatch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import strategies as cases
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from strategies_rules import few, models, policies, rules

import bess
from bess.sweeping.one_by_one import OneByOne

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
METRICS = (
    "import_kwh",
    "export_kwh",
    "peak_kw",
    "throughput_kwh_dc",
    "solar_curtailed_kwh",
    "stored_energy_change_kwh",
    "violations",
    "hours_full",
    "hours_empty",
)


def numbers(result: bess.Result, battery: bess.Battery) -> list[float]:
    """A dispatch in the words of `METRICS`."""
    unit, hours, charge = result.units[0], result.site.step_hours, result.battery_soc
    return [
        result.import_kwh_ac.sum(),
        result.export_kwh_ac.sum(),
        result.import_kwh_ac.max() / hours,
        unit.discharge_kwh_dc,
        result.solar_curtailed_kwh_dc.sum() * result.site.solar_dc_to_ac_efficiency,
        unit.stored_energy_change_kwh,
        len(result.violations),
        (charge >= battery.max_state_of_charge - 1e-9).sum() * hours,
        (charge <= battery.min_state_of_charge + 1e-9).sum() * hours,
    ]


@settings(few, max_examples=120)
@given(st.data())
def test_every_row_under_policies_is_the_dispatch_of_its_battery(data: st.DataObject) -> None:
    drawn = data.draw(cases.sites(max_steps=30))
    site = replace(drawn, inverter_limit=None).build()
    rule = data.draw(rules(drawn))
    assume(rule.kind in ("surplus", "schedule") and not rule.refused)
    asked = models(data.draw(policies(drawn)))
    batteries = data.draw(st.lists(cases.batteries(), min_size=1, max_size=4))
    table = {name: [b.fields[name] for b in batteries] for name in batteries[0].fields}
    try:
        found = bess.sweep(site, table, rule.strategy, policies=asked, metrics=METRICS, workers=1)
    except bess.InputError:  # policies that exclude each other
        assert len(asked) > 1
        return
    for i, drawn_battery in enumerate(batteries):
        battery = drawn_battery.build()
        if found["error"][i]:
            with pytest.raises((bess.InputError, bess.InfeasibleError)) as refused:
                bess.dispatch(site, battery, rule.strategy, policies=asked)
            assert found["error"][i] == f"{refused.typename}: {refused.value}"
            continue
        result = bess.dispatch(site, battery, rule.strategy, policies=asked)
        size = site.load_kwh.sum() + site.solar_kwh.sum() + battery.capacity_kwh
        alone = numbers(result, battery)
        row = [found[name][i] for name in METRICS]
        assert_allclose(row[:6], alone[:6], rtol=0, atol=1e-10 * size)
        assert row[6:] == pytest.approx(alone[6:])


def weekly(time: str, low: float, high: float, zone: str) -> dict[str, Any]:
    return {
        "schedule": {"frequency": "weekly", "day_of_week": DAYS, "time": time, "timezone": zone},
        "minimum_state_of_charge": low,
        "maximum_state_of_charge": high,
    }


def year(start: str, hours: int, zone: str, **options: Any) -> bess.Site:
    rng = np.random.default_rng(3)
    sun = np.maximum(np.sin((np.arange(hours) % 24 - 6) / 12 * np.pi), 0)
    return bess.Site(
        load_kwh=rng.random(hours) * 2,
        solar_kwh=sun * 4 * rng.random(hours),
        start=start,
        time_zone=zone,
        **options,
    )


GRID = bess.BatteryGrid(
    capacity_kwh=np.geomspace(0.5, 40, 9),
    duration_hours=[0.5, 4, 40],
    initial_state_of_charge=0.2,
    allow_grid_to_battery=[True, False],
)
EVENING = [weekly(f"{hour:02}:00", 40, 100, "Europe/Berlin") for hour in range(17, 22)]
ALWAYS = [weekly(f"{hour:02}:00", 30, 100, "UTC") for hour in range(24)]
NIGHT = bess.FixedSchedule(
    charge=[{"touPeriods": [{"fromHour": 0, "toHour": 6}]}],
    discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}],
)


@pytest.mark.parametrize("strategy", [bess.Surplus(), NIGHT])
@pytest.mark.parametrize(
    ("asked", "import_limit"),
    [
        (EVENING, None),
        (EVENING, 2.2),
        (ALWAYS, 2.2),
        ([*ALWAYS, weekly("02:30", 0, 50, "Europe/Berlin")], None),
    ],
    ids=["by hours", "by hours, limited", "always, limited", "with a ceiling the clock skips"],
)
def test_a_leap_year_of_policies_is_worked_in_lanes(
    strategy: Any,
    asked: list[dict[str, Any]],
    import_limit: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*arguments: Any) -> Any:
        raise AssertionError("batteries went one by one")

    monkeypatch.setattr(OneByOne, "find", refuse)
    limits = {"export_limit_kwh": 1.5, "import_limit_kwh": import_limit}
    site = year("2024-01-01T00:00+01:00", 8784, "Europe/Berlin", **limits)
    table = bess.sweep(site, GRID, strategy, policies=asked, metrics=METRICS)
    for i in (0, 31):
        row = table.row(i)
        power = row["capacity_kwh"] / row["duration_hours"]
        battery = bess.Battery(
            capacity_kwh=row["capacity_kwh"],
            charge_power_kw=power,
            discharge_power_kw=power,
            allow_grid_to_battery=row["allow_grid_to_battery"],
            initial_state_of_charge=0.2,
        )
        alone = numbers(bess.dispatch(site, battery, strategy, policies=asked), battery)
        size = site.load_kwh.sum() + site.solar_kwh.sum()
        found = [row[name] for name in METRICS]
        assert_allclose(found[:4], alone[:4], rtol=0, atol=1e-12 * size)
        assert_allclose(found[4:], alone[4:], rtol=1e-9, atol=1e-9)
    assert table["violations"].max() > 0


@pytest.mark.parametrize("workers", [1, 3])
def test_threads_change_no_bit_under_policies(workers: int) -> None:
    site = year("2025-03-01T00:00+01:00", 24 * 60, "Europe/Berlin")
    asked = [weekly("18:00", 60, 100, "UTC"), weekly("03:00", 0, 20, "UTC")]
    prices = bess.Prices(np.where(np.arange(site.steps) % 24 >= 16, 0.4, 0.2), 0.05)
    metrics = ("cost", *METRICS)
    one = bess.sweep(site, GRID, NIGHT, prices=prices, policies=asked, metrics=metrics, workers=2)
    other = bess.sweep(
        site, GRID, NIGHT, prices=prices, policies=asked, metrics=metrics, workers=workers
    )
    for name in one:
        assert_array_equal(one[name], other[name])


def test_a_battery_whose_limits_exclude_a_policy_is_a_row_with_its_error() -> None:
    site = year("2025-03-01T00:00Z", 48, "UTC")
    table = bess.sweep(
        site,
        {"capacity_kwh": 8.0, "min_state_of_charge": [0.0, 0.1]},
        bess.Surplus(),
        policies=[weekly("03:00", 0, 5, "UTC")],
        metrics=METRICS,
    )
    assert table["error"][0] == ""
    assert table["violations"][0] == 0
    assert table["error"][1].startswith("InputError: policies[0]: asks for 0 to 5 %")
