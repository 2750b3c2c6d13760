"""The exact programme of the core: years of one battery at prices by step, solved and certified."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bess
from bess import _core
from bess.tariff import load_tariff
from bess.unit import units_of

TARIFF = Path(__file__).parents[1] / "examples" / "tariff_pge_e_elec.json"
MILLISECOND = 1e-3
HOURS = [0.1, 1.0, 2.7, 12.0, 100.0]
"""Sizes of the battery: hours that it lasts at full power."""

Floats = NDArray[np.float64]


def prices_of(kind: str, site: bess.Site, data: Path) -> tuple[Floats, Floats]:
    """Import and export prices of every step of a year."""
    parts = site.steps // 8760
    if kind == "time of use":
        return load_tariff(TARIFF).prices(site.timeline).series(site.steps)
    if kind == "flat":
        return np.full(site.steps, 0.3), np.full(site.steps, 0.08)
    if kind == "avoided-cost export":
        buy, sell = avoided_cost(data)
        return np.repeat(buy, parts), np.repeat(sell, parts)
    file = data / "prices" / "de_lu_dayahead_2019_60min.csv"
    price = np.repeat(np.loadtxt(file, delimiter=",", skiprows=1, usecols=1) / 1000, parts)
    if parts > 1:
        price += np.random.default_rng(0).normal(0, 0.003, site.steps)
    if kind == "wholesale without negative hours":
        return np.maximum(price, 0) + 0.001, np.maximum(price, 0)
    if kind == "wholesale, 57 % of hours negative":
        price -= 0.04
    return price, price


def avoided_cost(data: Path) -> tuple[Floats, Floats]:
    """A Californian time-of-use tariff, and export rates above it in 83 hours."""
    tariffs = data / "tariffs"
    exports = {
        (int(row["DateStart"][5:7]), int(row["TimeStart"][:2]), row["DayTypeStart"]): row["Value"]
        for row in rows(tariffs / "export_rates" / "sdge_nbt_ecr_2024acc_bundled_2025_2026.csv")
        if row["DateStart"].startswith("2025")
    }
    table = rows(tariffs / "residential_tou" / "sdge_ev_tou_5_2025_hourly.csv")
    buy = [float(row["rate_usd_per_kwh"]) for row in table]
    sell = [
        float(exports[int(at[5:7]), int(at[11:13]), "1" if kind == "Weekday" else "6"])
        for at, kind in ((row["date_time_local"], row["day_type"]) for row in table)
    ]
    return np.array(buy), np.array(sell)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as table:
        return list(csv.DictReader(table))


GOALS = {  # milliseconds: an hourly year, a quarter-hour year
    "time of use": (0.5, 2),
    "flat": (0.5, 2),
    "wholesale without negative hours": (1, 5),
    "avoided-cost export": (1.5, 6),
    "wholesale with negative hours": (2.5, 15),
    "wholesale, 57 % of hours negative": (None, None),
}


@pytest.mark.parametrize("duration", HOURS)
@pytest.mark.parametrize("steps", [8760, 35040])
@pytest.mark.parametrize("kind", GOALS)
def bench_year(
    benchmark: Any,
    reached: Callable[..., None],
    hourly: bess.Site,
    quarter_hourly: bess.Site,
    shared_data: Path,
    kind: str,
    steps: int,
    duration: float,
) -> None:
    """From the problem to all flows, the bound and the worth of energy; no Python around it."""
    site = hourly if steps == 8760 else quarter_hourly
    buy, sell = prices_of(kind, site, shared_data)
    battery = bess.Battery(capacity_kwh=5 * duration, charge_power_kw=5, discharge_power_kw=5)
    unit = units_of(site, battery, (), {})[0]
    end = (site.steps - 1, unit.initial_energy, battery.capacity_kwh)
    device = unit.core_device(site.step_hours, [end])
    problem = _core.Problem(site._core, [device], buy, sell, False)
    found = benchmark(lambda: _core.solve_dynamic_program(problem))
    assert found is not None
    flows, _, _, bound = found
    cost = buy @ (flows[0] + flows[1]) - sell @ (flows[4] + flows[7])
    moved = abs(buy) @ (flows[0] + flows[1]) + abs(sell) @ (flows[4] + flows[7])
    assert abs(cost - bound) <= 1e-12 * moved
    goal = GOALS[kind][0 if steps == 8760 else 1]
    what = f"{steps:,} steps, {duration:g} h, {kind}"
    reached(what, None if goal is None else goal * MILLISECOND)


def bench_dispatch(
    benchmark: Any, reached: Callable[..., None], hourly: bess.Site, battery: bess.Battery
) -> None:
    """The whole call, an hourly year under a time-of-use tariff."""
    prices = load_tariff(TARIFF).prices(hourly.timeline)
    result = benchmark(lambda: bess.dispatch(hourly, battery, bess.Optimize(), prices=prices))
    reached("bess.dispatch, optimum of an hourly year", 0.7 * MILLISECOND)
    assert result.engine == "core"
    assert result.gap <= 1e-12
