"""The optimum: its arrays, and whole years solved and certified with HiGHS."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bess
from bess import _core
from bess.tariff import load_tariff
from bess.unit import units_of

TARIFF = Path(__file__).parents[1] / "examples" / "tariff_pge_e_elec.json"
MILLISECOND = 1e-3


def bench_arrays_of_a_quarter_hour_year(
    benchmark: Any,
    reached: Callable[..., None],
    quarter_hourly: bess.Site,
    battery: bess.Battery,
) -> None:
    site = quarter_hourly
    unit = units_of(site, battery, (), {})[0]
    import_price, export_price = load_tariff(TARIFF).prices(site.timeline).series(site.steps)
    end = (site.steps - 1, unit.initial_energy, battery.capacity_kwh)
    device = unit.core_device(site.step_hours, [end])
    problem = _core.Problem(site._core, [device], import_price, export_price, False)
    program = benchmark(lambda: _core.build_linear_program(problem, None))
    reached("linear program of 35,040 steps", 10 * MILLISECOND)
    assert len(program.column_cost) == 7 * site.steps
    assert len(program.row_upper) == 5 * site.steps
    assert len(program.value) == program.start[-1] == 15 * site.steps - 1


def solve(
    benchmark: Any, site: bess.Site, battery: bess.Battery, prices: bess.Prices
) -> bess.Result:
    """The optimum of a year, once; proven, and no dearer than without the battery's help."""
    result: bess.Result = benchmark.pedantic(
        lambda: bess.dispatch(site, battery, bess.Optimize(engine="highs"), prices=prices), rounds=1
    )
    assert result.gap is not None
    assert result.gap <= 1e-6
    assert result.cost is not None
    surplus = bess.dispatch(site, battery, bess.Surplus(), prices=prices)
    if surplus.battery_soc[-1] >= battery.initial_state_of_charge:  # else it may end emptier
        assert surplus.cost is not None
        assert result.cost <= surplus.cost + 1e-6
    return result


@pytest.mark.benchmark(group="optimum of an hourly year")
def bench_time_of_use(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, battery: bess.Battery
) -> None:
    prices = load_tariff(TARIFF).prices(hourly.timeline)
    solve(benchmark, hourly, battery, prices)
    reached("optimum, time of use, hourly year", 10.0)


@pytest.mark.benchmark(group="optimum of an hourly year")
def bench_wholesale_with_negative_hours(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    battery: bess.Battery,
    shared_data: Path,
) -> None:
    file = shared_data / "prices" / "de_lu_dayahead_2019_60min.csv"
    price = np.loadtxt(file, delimiter=",", skiprows=1, usecols=1) / 1000
    assert (price < 0).sum() == 211
    prices = bess.Prices(import_price=price, export_price=price)
    solve(benchmark, hourly, battery, prices)
    reached("optimum, wholesale, 211 negative hours, hourly year", 10.0)


@pytest.mark.benchmark(group="optimum of an hourly year")
def bench_export_above_import(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    battery: bess.Battery,
    shared_data: Path,
) -> None:
    tariffs = shared_data / "tariffs"
    exports = {
        (int(row["DateStart"][5:7]), int(row["TimeStart"][:2]), row["DayTypeStart"]): row["Value"]
        for row in rows(tariffs / "export_rates" / "sdge_nbt_ecr_2024acc_bundled_2025_2026.csv")
        if row["DateStart"].startswith("2025")
    }
    hours = rows(tariffs / "residential_tou" / "sdge_ev_tou_5_2025_hourly.csv")
    import_price = np.array([float(row["rate_usd_per_kwh"]) for row in hours])
    export_price = np.array(
        [
            float(exports[int(at[5:7]), int(at[11:13]), "1" if kind == "Weekday" else "6"])
            for at, kind in ((row["date_time_local"], row["day_type"]) for row in hours)
        ]
    )
    assert (export_price > import_price).sum() == 83
    solve(benchmark, hourly, battery, bess.Prices(import_price, export_price))
    reached("optimum, 83 hours of export above import, hourly year", 10.0)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as table:
        return list(csv.DictReader(table))
