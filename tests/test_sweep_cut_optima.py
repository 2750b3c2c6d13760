"""Optima on tariffs with demand: whatever search begins where, every row has its certificate."""

from __future__ import annotations

from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bess
from bess.money import BilledMoney
from bess.optimization import optimize
from bess.sweeping.running import Chunk, Columns, chunks_of, run_on_threads
from bess.tariff import (
    Band,
    DemandBand,
    DemandRate,
    EnergyRate,
    FixedCharge,
    HourMatrix,
    PercentageRate,
    PriceSeries,
    Ratchet,
    Tariff,
)
from bess.unit import units_of

STEPS = 24 * 61
RNG = np.random.default_rng(7)
HOUR = np.arange(STEPS) % 24
LOAD = 1 + RNG.random(STEPS) * np.where((HOUR > 7) & (HOUR < 20), 4, 1)
SUN = np.maximum(np.sin((HOUR - 6) / 12 * np.pi), 0) * 5 * RNG.random(STEPS)
EVENING = HourMatrix(
    (tuple(int(16 <= hour < 21) for hour in range(24)),) * 12, ((0,) * 24,) * 12, 1
)
DEMAND = Tariff(
    "demand",
    rates=(
        EnergyRate("any", price=0.2),
        EnergyRate("evening", price=0.15, times=(EVENING,)),
        EnergyRate("sold", price=0.05, on_import=False, on_export=True),
    ),
    fixed_charges=(FixedCharge("customer", 12.0),),
    demand_rates=(DemandRate("peak", 9.0), DemandRate("evening", 4.0, window=(EVENING,))),
)
BANDS = EnergyRate("bands", bands=(Band(0.0, limit_kwh=900.0), Band(0.05)))
TARIFFS = {
    "demand": DEMAND,
    "percentages": replace(DEMAND, percentages=(PercentageRate("tax", 8.0),)),
    "ratchet": replace(
        DEMAND, demand_rates=(DemandRate("peak", 9.0, ratchet=Ratchet((80.0,) * 12)),)
    ),
    "ratchets": replace(
        DEMAND,
        demand_rates=(
            DemandRate("peak", 9.0, ratchet=Ratchet((95.0,) * 12)),
            DemandRate("evening", 4.0, window=(EVENING,), ratchet=Ratchet((50.0,) * 12)),
        ),
    ),
    "rising demand": replace(
        DEMAND, demand_rates=(DemandRate("peak", bands=(DemandBand(3.0, 2.0), DemandBand(12.0))),)
    ),
    "bands": replace(DEMAND, rates=(*DEMAND.rates, BANDS)),
    "bands alone": replace(DEMAND, rates=(*DEMAND.rates, BANDS), demand_rates=()),
    "net metering": replace(DEMAND, rates=DEMAND.rates[:2], metering="net_metering"),
    "by step": replace(DEMAND, series=PriceSeries(0.1 * RNG.random(STEPS), np.zeros(STEPS))),
    "by day": replace(DEMAND, demand_rates=(DemandRate("day", 0.4, period="day"),)),
    "two hours": replace(DEMAND, demand_interval_minutes=120),
}
TABLE = {
    "capacity_kwh": [4.0, 6.0, 9.0, 12.0, 30.0],
    "power_kw": [2.0, 2.0, 3.0, 6.0, 5.0],
    "dc_coupled": [True, False, True, False, False],
    "self_discharge_per_hour": [0.0, 0.0, 0.0, 0.001, 0.0],
    "terminal_state_of_charge": ["initial", "initial", "cyclic", "initial", "free"],
    "degradation_cost_per_kwh": 0.01,
}
METRICS = ("cost", "bill", "degradation_cost", "gap", "import_kwh", "export_kwh", "peak_kw")


def home(**options: Any) -> bess.Site:
    return bess.Site(load_kwh=LOAD, solar_kwh=SUN, start="2025-03-01T00:00Z", **options)


def battery(row: int) -> bess.Battery:
    own = {name: v[row] if isinstance(v, list) else v for name, v in TABLE.items()}
    power = own.pop("power_kw")
    return bess.Battery(**own, charge_power_kw=power, discharge_power_kw=power)


@pytest.mark.parametrize("name", TARIFFS)
def test_every_row_is_proven_as_its_dispatch_is(name: str) -> None:
    tariff = TARIFFS[name]
    asked = (*METRICS, "bill_by_kind", "throughput_kwh_dc", "stored_energy_change_kwh")
    table = bess.sweep(home(), TABLE, bess.Optimize(), tariff=tariff, metrics=asked)
    assert table["error"].tolist() == [""] * 5
    assert table["gap"].max() <= 1e-6
    for i in range(5):
        row, alone = table.row(i), bess.dispatch(home(), battery(i), bess.Optimize(), tariff=tariff)
        assert alone.cost is not None
        assert alone.lower_bound is not None
        assert alone.bill is not None
        scale = max(1.0, sum(abs(line.amount) for line in alone.bill.lines))
        assert row["cost"] >= alone.lower_bound - 1e-9 * scale
        assert row["cost"] * (1 - 1e-12) - row["gap"] * scale * (1 + 1e-3) <= alone.cost
        assert row["cost"] == pytest.approx(row["bill"] + row["degradation_cost"], rel=1e-12)
        kinds = sum(v for k, v in row.items() if k.startswith("bill_"))
        assert kinds == pytest.approx(row["bill"], rel=1e-12)
        change = row["stored_energy_change_kwh"]
        assert change == pytest.approx(alone.stored_energy_change_kwh, abs=1e-6) or i >= 2


def test_the_first_of_a_chain_is_its_dispatch() -> None:
    table = bess.sweep(home(), TABLE, bess.Optimize(), tariff=DEMAND, metrics=METRICS)
    largest = TABLE["capacity_kwh"].index(max(TABLE["capacity_kwh"]))
    alone = bess.dispatch(home(), battery(largest), bess.Optimize(), tariff=DEMAND)
    imports = alone.import_kwh_ac
    assert alone.bill is not None
    for name, value in {
        "cost": alone.cost,
        "bill": alone.bill.total,
        "import_kwh": imports.sum(),
        "export_kwh": alone.export_kwh_ac.sum(),
        "peak_kw": imports.max(),
        "gap": alone.gap,
    }.items():
        assert_allclose(table[name][largest], value, rtol=1e-12)


@pytest.mark.highs
def test_the_solver_finds_no_cheaper_rows() -> None:
    grid = bess.BatteryGrid(capacity_kwh=[5, 10, 20], duration_hours=[1, 3])
    table = bess.sweep(home(), grid, bess.Optimize(), tariff=DEMAND, metrics=["cost", "gap"])
    judge = bess.sweep(home(), grid, bess.Optimize(engine="highs"), tariff=DEMAND)
    assert_allclose(table["cost"], judge["cost"], rtol=2e-6)


GRID = bess.BatteryGrid(capacity_kwh=np.linspace(3, 30, 9), duration_hours=[1, 2, 3, 4])


@pytest.mark.parametrize(("workers", "rows"), [(1, 16), (3, 16), (2, 32)])
def test_threads_and_blocks_change_no_bit(workers: int, rows: int) -> None:
    from bess.sweeping.cases import cases_of

    whole = bess.sweep(home(), GRID, bess.Optimize(), tariff=DEMAND, metrics=METRICS, workers=2)
    cases = cases_of(home(), bess.Optimize(), DEMAND, None, {}, METRICS, None)
    columns = Columns(cases, len(GRID))
    blocks = [Chunk(0, i, min(i + rows, len(GRID))) for i in range(0, len(GRID), rows)]
    chunks = list(chunks_of(cases, blocks))[::-1]
    run_on_threads(cases, GRID, chunks, workers, columns.write, lambda count: None)
    for name, column in columns.in_order().items():
        assert_array_equal(column, whole[name])


def test_a_chunk_stops_between_two_batteries() -> None:
    from bess.sweeping.cases import cases_of

    (case,) = cases_of(home(), bess.Optimize(), DEMAND, None, {}, METRICS, None)
    asked = iter([False, False, True])
    with pytest.raises(CancelledError):
        case.columns(GRID, 0, 16, lambda: next(asked))
    assert next(asked, None) is None


def test_a_folder_holds_the_same_bits(tmp_path: Path) -> None:
    options: dict[str, Any] = {"tariff": DEMAND, "metrics": METRICS}
    whole = bess.sweep(home(), GRID, bess.Optimize(), **options)
    stored = bess.sweep(home(), GRID, bess.Optimize(), **options, out=tmp_path / "sweep")
    for path in sorted((tmp_path / "sweep").glob("**/*.parquet"))[1::2]:
        path.unlink()
    resumed = bess.sweep(home(), GRID, bess.Optimize(), **options, out=tmp_path / "sweep")
    for name in METRICS:
        assert_array_equal(stored[name], whole[name])
        assert_array_equal(resumed[name], whole[name])


def test_a_battery_that_cannot_be_is_a_row_and_the_next_goes_on() -> None:
    place = home(import_limit_kwh=4.5)
    table = {"capacity_kwh": [20.0, 0.1, 25.0, 0.2, 30.0], "power_kw": 4.0}
    found = bess.sweep(place, table, bess.Optimize(), tariff=DEMAND, metrics=METRICS)
    failed = found["error"] != ""
    assert failed.tolist() == [False, True, False, True, False]
    assert found["error"][1].startswith("InfeasibleError: ")
    assert_array_equal(np.isnan(found["cost"]), failed)
    assert found["gap"][~failed].max() <= 1e-6


def test_sites_tariffs_and_policies_go_together() -> None:
    weekly = {
        "frequency": "weekly",
        "day_of_week": ["Monday"],
        "time": "15:00",
        "timezone": "UTC",
    }
    full = {
        "schedule": weekly,
        "minimum_state_of_charge": 90,
        "maximum_state_of_charge": 100,
    }
    sites = {"now": home(), "later": bess.Site(1.2 * LOAD, SUN, start="2025-03-01T00:00Z")}
    paid = [DEMAND, TARIFFS["bands"]]
    grid = bess.BatteryGrid(capacity_kwh=[5, 8], duration_hours=2)
    asked = (*METRICS, "hours_full", "hours_empty", "violations")
    for policies in ((), (full,)):
        table = bess.sweep(
            sites, grid, bess.Optimize(), tariff=paid, policies=policies, metrics=asked
        )
        assert table["gap"].max() <= 1e-6
        for i in range(8):
            row = table.row(i)
            assert row["violations"] == 0
            store = bess.Battery(
                capacity_kwh=row["capacity_kwh"],
                charge_power_kw=row["capacity_kwh"] / 2,
                discharge_power_kw=row["capacity_kwh"] / 2,
            )
            tariff = next(each for each in paid if each.name == row["tariff"].split(": ")[-1])
            if row["tariff"].startswith("1"):
                tariff = paid[1]
            alone = bess.dispatch(
                sites[row["site"]], store, bess.Optimize(), tariff=tariff, policies=policies
            )
            assert row["cost"] == pytest.approx(alone.cost, rel=4e-6)
            full = (alone.battery_soc >= 1 - 1e-9).sum()
            assert abs(row["hours_full"] - full) <= 0.5 * full + 24


def test_what_another_search_found_only_saves_time() -> None:
    """From a battery unlike in every way, or a tariff of other columns, to the same optimum."""
    place, asked = home(), bess.Optimize()

    def search(capacity: float, power: float, tariff: Tariff, similar: Any = None) -> Any:
        store = bess.Battery(capacity_kwh=capacity, charge_power_kw=power, discharge_power_kw=power)
        units = units_of(place, store, (), {})
        money = BilledMoney(place, units, tariff, None, {})
        return optimize(place, units, asked, money, (), similar)

    for name in ("demand", "ratchet", "ratchets", "rising demand", "bands"):
        tariff = TARIFFS[name]
        sizes = (0.2, 9), (9, 3), (100, 2)
        found = [search(*size, tariff) for size in sizes]
        found.append(search(9, 3, TARIFFS["percentages"]))
        for size, alone in zip(sizes, found, strict=False):
            for other in found:
                after = search(*size, tariff, other.search)
                assert after.gap <= 1e-6
                assert after.lower_bound <= alone.cost + 1e-9 * abs(alone.cost)
                assert after.cost >= alone.lower_bound - 1e-9 * abs(alone.cost)
