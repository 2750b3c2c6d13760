"""Sweeps: every row is what `bess.dispatch` says of its battery, whoever else is swept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bess
from bess.sweeping.metrics import METRICS
from bess.sweeping.running import Chunk, Columns, chunks_of, run_on_threads
from bess.tariff import (
    DemandRate,
    EnergyRate,
    FixedCharge,
    HourMatrix,
    PriceSeries,
    Ratchet,
    Tariff,
)

STEPS = 24 * 40
RNG = np.random.default_rng(1)
LOAD = RNG.random(STEPS) * 2
SUN = np.maximum(np.sin((np.arange(STEPS) % 24 - 6) / 12 * np.pi), 0) * 4 * RNG.random(STEPS)
NIGHT = bess.FixedSchedule(
    charge=[{"touPeriods": [{"fromHour": 0, "toHour": 6}]}],
    discharge=[{"touPeriods": [{"fromHour": 16, "toHour": 21}]}],
)
PRICES = bess.Prices(np.where(np.arange(STEPS) % 24 >= 16, 0.4, 0.2), 0.05)


def home(**options: Any) -> bess.Site:
    return bess.Site(load_kwh=LOAD, solar_kwh=SUN, start="2025-03-01T00:00Z", **options)


def numbers(result: bess.Result) -> dict[str, float]:
    """A dispatch in the words of a sweep."""
    unit = result.units[0]
    imports = result.import_kwh_ac
    return {
        "cost": result.cost,
        "import_kwh": imports.sum(),
        "export_kwh": result.export_kwh_ac.sum(),
        "peak_kw": imports.max() / result.site.step_hours,
        "degradation_cost": result.degradation_cost,
        "self_consumption": result.self_consumption,
        "self_sufficiency": result.self_sufficiency,
        "throughput_kwh_dc": unit.discharge_kwh_dc,
        "equivalent_full_cycles": unit.equivalent_full_cycles,
        "stored_energy_change_kwh": unit.stored_energy_change_kwh,
        "solar_curtailed_kwh": result.solar_curtailed_kwh_dc.sum() * 0.96,
        "violations": len(result.violations),
    }


TABLE = {
    "capacity_kwh": [4.0, 8.0, 12.0, 6.0],
    "power_kw": [1.0, 4.0, 3.0, 2.0],
    "dc_coupled": [True, False, True, False],
    "allow_battery_to_grid": [True, True, False, False],
    "allow_grid_to_battery": [True, False, True, False],
    "self_discharge_per_hour": [0.0, 0.0, 0.001, 0.0],
    "degradation_cost_per_kwh": 0.02,
}


@pytest.mark.parametrize("place", [home(), home(export_limit_kwh=1.0), home(import_limit_kwh=9.0)])
@pytest.mark.parametrize("strategy", [bess.Surplus(), NIGHT, bess.PeakShave(target_kw=1.0)])
def test_every_row_is_the_dispatch_of_its_battery(place: bess.Site, strategy: Any) -> None:
    asked = list(numbers(bess.dispatch(place, bess.Battery(), strategy, prices=PRICES)))
    table = bess.sweep(place, TABLE, strategy, prices=PRICES, metrics=asked)
    for i in range(4):
        row = {name: v[i] if isinstance(v, list) else v for name, v in TABLE.items()}
        power = row.pop("power_kw")
        battery = bess.Battery(**row, charge_power_kw=power, discharge_power_kw=power)
        found = numbers(bess.dispatch(place, battery, strategy, prices=PRICES))
        for name in asked:
            assert_allclose(table[name][i], found[name], rtol=1e-9, atol=1e-9, err_msg=name)
        assert table["error"][i] == ""
    assert list(table) == [*(n for n in TABLE if isinstance(TABLE[n], list)), *asked, "error"]


def test_sites_strategies_and_prices_are_all_combined_and_labelled() -> None:
    table = bess.sweep(
        {"open": home(), "tight": home(export_limit_kwh=0.5)},
        bess.BatteryGrid(capacity_kwh=[5, 10]),
        [bess.Surplus(), NIGHT],
        prices={"flat": bess.Prices(0.3), "tou": PRICES},
    )
    assert table.scenarios == 16
    assert table["site"].tolist() == ["open"] * 8 + ["tight"] * 8
    assert table["strategy"][:4].tolist() == ["Surplus"] * 4
    assert table["prices"][:4].tolist() == ["flat", "flat", "tou", "tou"]
    row = table.row(13)
    found = bess.dispatch(
        home(export_limit_kwh=0.5),
        bess.Battery(capacity_kwh=row["capacity_kwh"]),
        NIGHT,
        prices=bess.Prices(0.3) if row["prices"] == "flat" else PRICES,
    )
    assert_allclose(row["cost"], found.cost)


HOURS = tuple(int(16 <= hour < 21) for hour in range(24))
EVENING = HourMatrix((HOURS,) * 12, (HOURS,) * 12, 1)
PLAIN = Tariff(
    "plain",
    rates=(
        EnergyRate("any", price=0.2),
        EnergyRate("evening", price=0.25, times=(EVENING,)),
        EnergyRate("sold", price=0.05, on_import=False, on_export=True),
    ),
    fixed_charges=(FixedCharge("customer", 12.0),),
)
DEMAND = replace(
    PLAIN,
    name="demand",
    demand_rates=(DemandRate("peak", 9.0), DemandRate("evening", 4.0, window=(EVENING,))),
)
BY_STEP = PriceSeries(0 * LOAD, np.where(np.arange(STEPS) % 24 >= 16, 0.1, 0.02))


@pytest.mark.parametrize(
    "tariff", [PLAIN, DEMAND, replace(PLAIN, series=BY_STEP), replace(DEMAND, series=BY_STEP)]
)
@pytest.mark.parametrize("strategy", [bess.Surplus(), NIGHT, bess.Optimize()])
def test_tariffs_bill_every_row_as_its_dispatch_is_billed(tariff: Tariff, strategy: Any) -> None:
    grid = bess.BatteryGrid(capacity_kwh=[4, 9], duration_hours=[2, 3])
    asked = ["cost", "bill", "bill_by_kind", "savings", "monthly_peaks_kw"]
    table = bess.sweep(home(), grid, strategy, tariff=tariff, metrics=asked)
    without = bess.bill(home(), tariff).total
    for i in range(4):
        row = table.row(i)
        power = row["capacity_kwh"] / row["duration_hours"]
        battery = bess.Battery(
            capacity_kwh=row["capacity_kwh"], charge_power_kw=power, discharge_power_kw=power
        )
        found = bess.dispatch(home(), battery, strategy, tariff=tariff)
        assert found.bill is not None
        assert_allclose(row["bill"], found.bill.total, rtol=2e-6)
        assert_allclose(row["savings"], without - row["bill"], rtol=1e-9)
        parts = [value for name, value in row.items() if name.startswith("bill_")]
        assert_allclose(sum(parts), row["bill"], rtol=1e-9)
        assert max(row["peak_kw_1"], row["peak_kw_2"]) <= 10


def test_past_peaks_reach_the_bills_of_every_row() -> None:
    ratchet = DemandRate("peak", 9.0, ratchet=Ratchet((80.0,) * 12))
    tariff = replace(PLAIN, demand_rates=(ratchet,))
    past = np.full(11, 12.0)
    table = bess.sweep(
        home(),
        {"capacity_kwh": [4.0, 8.0]},
        [bess.Surplus(), bess.PeakShave(target_kw=1.0)],
        tariff=tariff,
        past_peaks_kw=past,
        metrics=["bill"],
    )
    for i, rule in enumerate([bess.Surplus(), bess.PeakShave(target_kw=1.0)]):
        store = bess.Battery(capacity_kwh=8)
        found = bess.dispatch(home(), store, rule, tariff=tariff, past_peaks_kw=past)
        assert found.bill is not None
        assert_allclose(table["bill"][2 * i + 1], found.bill.total)


def test_an_optimised_sweep_has_costs_and_gaps() -> None:
    grid = bess.BatteryGrid(capacity_kwh=[4, 8], power_kw=[1, 3])
    table = bess.sweep(home(), grid, bess.Optimize(), prices=PRICES, metrics=["cost", "gap"])
    for i in range(4):
        row = table.row(i)
        power = row["power_kw"]
        battery = bess.Battery(
            capacity_kwh=row["capacity_kwh"], charge_power_kw=power, discharge_power_kw=power
        )
        best = bess.dispatch(home(), battery, bess.Optimize(), prices=PRICES)
        assert_allclose(row["cost"], best.cost, rtol=1e-9)
    assert table["gap"].max() <= 1e-6


def test_a_site_that_only_a_battery_can_serve_has_bills_but_no_savings() -> None:
    place = bess.Site(load_kwh=[0, 5], start="2025-03-01T00:00Z", import_limit_kwh=3)
    table = bess.sweep(
        place,
        {"capacity_kwh": [20.0], "power_kw": 20.0},
        [bess.Surplus(), bess.Optimize()],
        tariff=PLAIN,
        metrics=["bill", "savings"],
    )
    assert table["error"].tolist() == ["", ""]
    assert table["bill"].min() > 0
    assert np.isnan(table["savings"]).all()


def test_a_scenario_that_fails_is_a_row_with_its_error() -> None:
    place = bess.Site(load_kwh=[0, 5], start="2025-03-01T00:00Z", import_limit_kwh=2)
    table = bess.sweep(place, {"capacity_kwh": [1.0, 20.0], "power_kw": 20.0}, bess.Surplus())
    assert table["error"][0].startswith("InfeasibleError: ")
    assert table["error"][1] == ""
    assert np.isnan(table["import_kwh"][0])
    assert table["import_kwh"][1] <= 2
    assert table.best(5, by="import_kwh")[0]["capacity_kwh"] == 20


@pytest.mark.parametrize("workers", [1, 2, 7])
@pytest.mark.parametrize("rows", [64, 100, 1000])
def test_threads_and_chunks_change_no_bit(workers: int, rows: int) -> None:
    from bess.sweeping.cases import cases_of

    grid = bess.BatteryGrid(
        capacity_kwh=np.linspace(1, 20, 29), duration_hours=np.linspace(1, 5, 13)
    )
    metrics = ("cost", "peak_kw", "monthly_peaks_kw", "self_consumption", "solar_curtailed_kwh")
    whole = bess.sweep(home(), grid, NIGHT, prices=PRICES, metrics=metrics, workers=2)
    cases = cases_of(home(), NIGHT, None, PRICES, {}, metrics, None)
    columns = Columns(cases, len(grid))
    chunks = chunks_of(cases, [Chunk(0, 0, len(grid))], rows)
    run_on_threads(cases, grid, chunks, workers, columns.write, lambda count: None)
    for name, column in columns.in_order().items():
        assert_array_equal(column, whole[name])


def test_costs_give_net_present_values() -> None:
    costs = bess.Costs(per_kwh=50, per_kw=20, fixed=10, years=5, discount_rate_percent=8)
    grid = bess.BatteryGrid(capacity_kwh=[2, 8, 30], duration_hours=2)
    table = bess.sweep(home(), grid, bess.Surplus(), prices=PRICES, costs=costs)
    without = home().load_kwh - home().solar_kwh
    bought, sold = np.maximum(without, 0), np.maximum(-without, 0)
    before = np.dot(PRICES.series(STEPS)[0], bought) - np.dot(PRICES.series(STEPS)[1], sold)
    factor = sum(1.08**-y for y in range(1, 6))
    size = table["capacity_kwh"]
    expected = factor * (before - table["bill"]) - 50 * size - 20 * size / 2 - 10
    assert_allclose(table["net_present_value"], expected)
    assert table.best(1)[0]["net_present_value"] == table["net_present_value"].max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"site": 5}, "site: must be a bess.Site, or several"),
        ({"site": []}, "site: must be a bess.Site, or at least one"),
        ({"site": {"a": 1}}, "site.a: must be a bess.Site"),
        ({"strategy": "surplus"}, "strategy: must be one of Surplus()"),
        ({"strategy": [bess.Surplus(), 3]}, "strategy[1]: must be one of"),
        ({"strategy": bess.Optimize(), "prices": None}, "strategy: Optimize needs a tariff"),
        ({"prices": [PRICES, bess.Prices([1.0, 2.0])]}, "prices[1].import_price: has 2 values"),
        ({"tariff": 3, "prices": None}, "tariff: must be a bess.Tariff"),
        ({"metrics": ["cost", "profit"]}, "metrics[1]: must be one of cost, bill"),
        ({"metrics": ["cost"], "prices": None}, "metrics[0]: cost needs a tariff or prices"),
        ({"metrics": ["net_present_value"]}, "metrics[0]: net_present_value needs costs"),
        ({"metrics": ["bill_by_kind"]}, "metrics[0]: bill_by_kind needs a tariff"),
        ({"costs": 5}, "costs: must be bess.Costs"),
        ({"workers": 0}, "workers: must be a whole number from 1 to 1024"),
        ({"workers": 2.5}, "workers: must be a whole number from 1 to 1024"),
        ({"policies": 5}, "policies"),
        ({"policies": [{"bad": 1}]}, "policies[0]"),
        ({"past_peaks_kw": [5.0]}, "past_peaks_kw: are for a tariff"),
        ({"strategy": bess.Follow([1.0])}, "strategy.power_kw"),
        ({"batteries": {"capacity_kwh": [1.0, 0.0]}}, "batteries.capacity_kwh[1]: must be"),
    ],
)
def test_what_is_not_valid_is_refused_before_anything_runs(
    change: dict[str, Any], message: str
) -> None:
    given: dict[str, Any] = {
        "site": home(),
        "batteries": {"capacity_kwh": [1.0, 2.0]},
        "strategy": bess.Surplus(),
        "prices": PRICES,
    } | change
    with pytest.raises(bess.InputError) as caught:
        bess.sweep(**given)
    problem = caught.value.problems[0]
    assert f"{problem.path}: {problem.reason}".startswith(message)


def test_a_table_goes_to_pandas_and_arrow() -> None:
    grid = bess.BatteryGrid(capacity_kwh=[5, 10])
    table = bess.sweep(
        home(),
        grid,
        [bess.Surplus(), NIGHT],
        metrics=[m for m in METRICS if m in ("import_kwh", "gap", "hours_full")],
    )
    frame = table.to_pandas()
    assert frame.shape == (4, len(table))
    arrow = table.to_arrow()
    assert arrow.column_names == list(table)
    assert arrow["error"].null_count == 4
    assert arrow["strategy"].to_pylist() == table["strategy"].tolist()
    with pytest.raises(ValueError, match="read-only"):
        table["import_kwh"][0] = 1.0


def test_the_best_are_by_a_column_of_numbers() -> None:
    table = bess.SweepTable(
        {"cost": np.array([3.0, np.nan, 1.0, 1.0]), "error": np.array(["", "x", "", ""], object)}
    )
    assert [row["cost"] for row in table.best()] == [1.0, 1.0, 3.0]
    with pytest.raises(bess.InputError, match="must be a column of numbers"):
        table.best(by="error")
